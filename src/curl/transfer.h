/*
** One easy handle of libcurl, used for one exchange after another: its
** options, and the callbacks through which the answer goes to the exchange.
** The constant options are set once; an exchange adds what is its own,
** without copying its header lines or its body.
*/
#ifndef ar_transfer_h
#define ar_transfer_h

#include <curl/curl.h>

#include "../core/exchange.h"
#include "../core/list.h"
#include "guard.h"
#include "proxies.h"
#include "timers.h"
#include "watch.h"

AR_HIDDEN

/* What the transfers of one engine share. */
struct ar_shared {
  int64_t now;           /* ar_clock when libcurl was last entered */
  struct ar_guard guard; /* around what may start a look-up of a name */
  struct ar_watch watch;
  struct ar_timers timers;
  struct ar_proxies proxies;
  bool doubt_names; /* no connection since one failed: names are asked anew */
};

/* What the options that follow a text were last set to. */
struct ar_told {
  struct ar_buf text; /* empty for none */
  bool known;
};

struct ar_transfer {
  struct ar_link link;
  void *owner; /* who has the exchange performed */
  CURL *easy;
  struct ar_exchange *x; /* while in use */
  struct ar_outcome outcome;

  struct ar_shared *shared;
  struct ar_timer timer; /* not later than when it was silent too long */
  int64_t heard;         /* when something last came or went */
  curl_off_t uploaded;

  struct curl_slist *nodes; /* one block: nodes, then lines without value */
  size_t nodes_size;
  bool asks_anew;    /* the option that follows `doubt_names` */
  bool head_over;    /* what comes as a header now is a trailer */
  size_t head_bytes; /* of all heads, interim ones and trailers too */
  struct ar_told url, ca_bundle, proxy;
  bool verify;   /* part of what `ca_bundle` tells */
  CURLU *parsed; /* what `url` tells, or NULL */
  char error[CURL_ERROR_SIZE];
};

/* A new transfer; NULL and `err` for want of memory, or of an option that
   this libcurl must know. */
struct ar_transfer *ar_transfer_new(struct ar_shared *shared,
                                    struct ar_err *err);

/* Frees it. It is in no list, armed nowhere and holds no exchange. */
void ar_transfer_free(struct ar_transfer *t);

/*
** Takes up an exchange, which somebody else keeps: sets its options. libcurl
** itself keeps connect_timeout, from when a connection may be opened; the
** timer, for which there must be room, keeps read_timeout from when the
** request is sent. False for want of memory.
*/
bool ar_transfer_begin(struct ar_transfer *t, struct ar_exchange *x);

/* Fills the outcome from libcurl's result. */
void ar_transfer_conclude(struct ar_transfer *t, CURLcode result);

/*
** Whether nothing came or went for too long: then the outcome is filled.
** Else the timer is armed anew.
*/
bool ar_transfer_expire(struct ar_transfer *t);

/* Lets go of the exchange, whether it could be begun or not. */
void ar_transfer_end(struct ar_transfer *t);

/* How many connections it opened. */
long ar_transfer_connections(const struct ar_transfer *t);

AR_HIDDEN_END

#endif
