/*
** A set of descriptors behind one descriptor, which itself becomes readable
** when one of them is ready: epoll, or what another system has in its place
** (kqueue fits). Level-triggered; close-on-exec. It is closed by close().
*/
#ifndef ar_poller_h
#define ar_poller_h

#include "../core/base.h"

AR_HIDDEN

#define AR_POLL_IN 1u
#define AR_POLL_OUT 2u

struct ar_ready {
  int fd;
  unsigned what; /* AR_POLL_*; an error or a hang-up is both */
};

/* A new, empty set; -1 and errno when there can be none. */
int ar_poller_open(void);

/*
** Watches `fd` for `what`; 0 forgets it. `known` is a hint that it is watched
** already. Descriptors that were closed, or reopened, in between do no harm.
** False when the system has no room for it.
*/
bool ar_poller_watch(int poller, int fd, unsigned what, bool known);

/*
** Waits at most `ms` milliseconds (-1: for ever) and fills in at most `max`
** entries. Their number; 0 also when a signal came.
*/
int ar_poller_wait(int poller, struct ar_ready *ready, int max, int ms);

AR_HIDDEN_END

#endif
