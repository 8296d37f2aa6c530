/*
** The poller by the BSDs' kqueue, for macOS: one filter for reading and one
** for writing a descriptor.
*/
#include "poller.h"

#if !defined(__linux__)

#include <fcntl.h>
#include <sys/event.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define BATCH 64 /* most events that one wait asks the kernel for */

int ar_poller_open(void) {
  int poller = kqueue();
  if (poller >= 0) fcntl(poller, F_SETFD, FD_CLOEXEC);
  return poller;
}

/* Adds or deletes one filter; deleting one that is not there does no harm. */
static bool set_filter(int poller, int fd, short filter, bool wanted) {
  struct kevent change;
  EV_SET(&change, fd, filter, wanted ? EV_ADD : EV_DELETE, 0, 0, NULL);
  return kevent(poller, &change, 1, NULL, 0, NULL) == 0 || !wanted;
}

bool ar_poller_watch(int poller, int fd, unsigned what, bool known) {
  bool in = set_filter(poller, fd, EVFILT_READ, (what & AR_POLL_IN) != 0);
  bool out = set_filter(poller, fd, EVFILT_WRITE, (what & AR_POLL_OUT) != 0);
  (void)known;
  return in && out;
}

static unsigned readiness(const struct kevent *event) {
  if (event->flags & (EV_EOF | EV_ERROR)) return AR_POLL_IN | AR_POLL_OUT;
  return event->filter == EVFILT_WRITE ? AR_POLL_OUT : AR_POLL_IN;
}

int ar_poller_wait(int poller, struct ar_ready *ready, int max, int ms) {
  struct kevent events[BATCH];
  struct timespec time = {ms / 1000, (long)(ms % 1000) * 1000000};
  int n = kevent(poller, NULL, 0, events, max < BATCH ? max : BATCH,
                 ms < 0 ? NULL : &time);
  for (int i = 0; i < n; i++) {
    ready[i].fd = (int)events[i].ident;
    ready[i].what = readiness(&events[i]);
  }
  return n < 0 ? 0 : n;
}

#else
typedef int ar_poller_kqueue_unused; /* no file may be empty */
#endif
