/*
** The poller by Linux's epoll.
*/
#include "poller.h"

#if defined(__linux__)

#include <errno.h>
#include <sys/epoll.h>

#define BATCH 64 /* most events that one wait asks the kernel for */

int ar_poller_open(void) {
  return epoll_create1(EPOLL_CLOEXEC);
}

bool ar_poller_watch(int poller, int fd, unsigned what, bool known) {
  struct epoll_event event = {0};
  int how = known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
  event.events = ((what & AR_POLL_IN) ? (uint32_t)EPOLLIN : 0u) |
                 ((what & AR_POLL_OUT) ? (uint32_t)EPOLLOUT : 0u);
  event.data.fd = fd;
  if (what == 0) {
    epoll_ctl(poller, EPOLL_CTL_DEL, fd, &event);
    return true;
  }
  if (epoll_ctl(poller, how, fd, &event) == 0) return true;
  if (errno == ENOENT)
    how = EPOLL_CTL_ADD;
  else if (errno == EEXIST)
    how = EPOLL_CTL_MOD;
  else
    return false;
  return epoll_ctl(poller, how, fd, &event) == 0;
}

static unsigned readiness(uint32_t events) {
  unsigned what = 0;
  if (events & EPOLLIN) what |= AR_POLL_IN;
  if (events & EPOLLOUT) what |= AR_POLL_OUT;
  if (events & (EPOLLERR | EPOLLHUP)) what |= AR_POLL_IN | AR_POLL_OUT;
  return what;
}

int ar_poller_wait(int poller, struct ar_ready *ready, int max, int ms) {
  struct epoll_event events[BATCH];
  int n = epoll_wait(poller, events, max < BATCH ? max : BATCH, ms);
  for (int i = 0; i < n; i++) {
    ready[i].fd = events[i].data.fd;
    ready[i].what = readiness(events[i].events);
  }
  return n < 0 ? 0 : n;
}

#else
typedef int ar_poller_epoll_unused; /* no file may be empty */
#endif
