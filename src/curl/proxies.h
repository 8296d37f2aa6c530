/*
** Whose connections through a proxy may be kept.
**
** libcurl tells proxies apart by scheme, host and port, not by user: a tunnel
** that one user opened would serve another. So the first user of a proxy has
** its connections kept; those of the others are used once.
*/
#ifndef ar_proxies_h
#define ar_proxies_h

#include "../core/buf.h"

AR_HIDDEN

#define AR_PROXIES 8 /* whose users are remembered; others are not kept */

struct ar_proxies {
  struct ar_buf first[AR_PROXIES]; /* URLs; they are secret */
  size_t n;
};

/*
** Whether connections through `url`, which names its port, may be kept. The
** answer for one URL is always the same, but for want of memory, when it is
** no.
*/
bool ar_proxies_keep(struct ar_proxies *proxies, const char *url);

void ar_proxies_free(struct ar_proxies *proxies);

AR_HIDDEN_END

#endif
