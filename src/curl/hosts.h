/*
** Whose turn it is at each server. libcurl, too, lets transfers wait for one
** of the few connections that a server gets, but each with an easy handle of
** 8 KiB, and more. Here a place is all that waits: it is held until fewer
** than AR_HOST_CONNECTIONS others are let in, first come, first served, and
** no server's places wait for another's. A server is known while it has
** places. The order is that of lists that the places are links of.
*/
#ifndef ar_hosts_h
#define ar_hosts_h

#include "../core/exchange.h"
#include "../core/list.h"

AR_HIDDEN

#define AR_HOST_CONNECTIONS 64

struct ar_host;

struct ar_hosts {
  struct ar_link all;
  struct ar_link ready; /* places that were let in, until they are moved */
};

struct ar_place {
  struct ar_link link;  /* the owner may move it once it was let in */
  struct ar_host *host; /* NULL: it has left */
  bool held;            /* not let in yet */
};

void ar_hosts_init(struct ar_hosts *hosts);

/*
** Gives an exchange a place at its server, at the end of `ready` or held. The
** place is whatever it was before, and its owner's. False for want of memory.
*/
bool ar_hosts_enter(struct ar_hosts *hosts, struct ar_place *place,
                    const struct ar_exchange *x);

/*
** Gives the place up, which lets in the one that waits longest for it. Its
** link is in no list then. Once more does no harm.
*/
void ar_hosts_leave(struct ar_hosts *hosts, struct ar_place *place);

/* Whether a URL's scheme is https. */
bool ar_hosts_is_tls(const char *url);

/* The host and port of a URL, a slice of it: never its userinfo. */
struct ar_str ar_hosts_authority(const char *url);

AR_HIDDEN_END

#endif
