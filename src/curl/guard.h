/*
** What surrounds every call into libcurl that may write to a socket.
**
** CURLOPT_NOSIGNAL makes libcurl leave SIGPIPE to us: it is blocked for this
** thread, one that we caused is consumed, and the dispositions, which belong
** to the host, stay as they are. OpenSSL's error queue belongs to the thread,
** hence to the host too: what libcurl leaves in it is taken out again.
** Blocking takes three system calls, so that it is apart: a libcurl that
** raises no SIGPIPE is called without, until it is to look a name up.
** A file that includes this defines _GNU_SOURCE first.
*/
#ifndef ar_guard_h
#define ar_guard_h

#include "../core/base.h"

#include <openssl/err.h>
#include <signal.h>

struct ar_guard {
  sigset_t pipe, before;
  bool blocked; /* since ar_guard_block */
  bool pending; /* a SIGPIPE of somebody else's waits already */
};

/* Blocks SIGPIPE until the guard is left; for the threads that are made until
   then, too, and for as long as they last. Once more does no harm. */
static inline void ar_guard_block(struct ar_guard *g) {
  sigset_t waiting;
  if (g->blocked) return;
  g->blocked = true;
  sigemptyset(&g->pipe);
  sigaddset(&g->pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &g->pipe, &g->before);
  /* Only where it was blocked before can one be waiting. */
  g->pending = sigismember(&g->before, SIGPIPE) == 1 &&
               sigpending(&waiting) == 0 &&
               sigismember(&waiting, SIGPIPE) == 1;
}

static inline void ar_guard_unblock(struct ar_guard *g) {
  sigset_t waiting;
  int signal;
  if (!g->pending && sigpending(&waiting) == 0 &&
      sigismember(&waiting, SIGPIPE) == 1)
    sigwait(&g->pipe, &signal); /* returns at once, with that one */
  pthread_sigmask(SIG_SETMASK, &g->before, NULL);
}

/* Enters without SIGPIPE blocked. */
static inline void ar_guard_begin(struct ar_guard *g) {
  ERR_set_mark();
  g->blocked = false;
}

static inline void ar_guard_enter(struct ar_guard *g) {
  ar_guard_begin(g);
  ar_guard_block(g);
}

static inline void ar_guard_leave(struct ar_guard *g) {
  if (g->blocked) ar_guard_unblock(g);
  ERR_pop_to_mark();
}

#endif
