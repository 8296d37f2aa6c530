/*
** Which descriptors the poller watches, and for what. libcurl lets go of a
** connection's socket after each exchange and asks for it again at the next:
** the poller keeps it meanwhile, until something happens on it or it is
** closed, which spares two system calls an exchange.
**
** Only sockets whose end is told may be kept so. The kernel drops a socket
** that is closed by itself, but not where a forked child still holds it; and
** the next socket of that number would be taken for it.
*/
#ifndef ar_watch_h
#define ar_watch_h

#include "poller.h"

AR_HIDDEN

struct ar_watch {
  int poller;                 /* -1: none */
  struct ar_watched *sockets; /* by descriptor */
  size_t size;
};

/* False and errno when the system has no descriptor for a poller. */
bool ar_watch_open(struct ar_watch *w);

/* Closes the poller, not the descriptors. Once more does no harm. */
void ar_watch_close(struct ar_watch *w);

/* `fd` is new, and ar_watch_end will come before it is closed. */
void ar_watch_begin(struct ar_watch *w, int fd);
void ar_watch_end(struct ar_watch *w, int fd);

/* From now on `fd` is to be watched for `what` (AR_POLL_*; 0: nothing). One
   that the system cannot watch is left to libcurl's timers. */
void ar_watch_want(struct ar_watch *w, int fd, unsigned what);

/* ar_poller_wait, for what is wanted. */
int ar_watch_wait(struct ar_watch *w, struct ar_ready *ready, int max, int ms);

AR_HIDDEN_END

#endif
