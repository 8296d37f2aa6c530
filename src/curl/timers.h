/*
** Moments to come, the nearest first: a binary heap of timers that live in
** their owners, and the monotonic clock that they are read by. Arming needs
** no memory where room was reserved, so that it may happen in any callback.
*/
#ifndef ar_timers_h
#define ar_timers_h

#include "../core/base.h"

AR_HIDDEN

struct ar_timer {
  int64_t at;   /* microseconds of ar_clock */
  size_t place; /* in the heap, counted from 1; 0: not armed */
};

struct ar_timers {
  struct ar_timer **heap;
  size_t n, capacity;
};

/* Microseconds of a clock that only goes forward. */
int64_t ar_clock(void);

/* Makes room for `n` armed timers; false for want of memory. */
bool ar_timers_reserve(struct ar_timers *set, size_t n);

/* Arms a timer, or moves an armed one. */
void ar_timers_arm(struct ar_timers *set, struct ar_timer *timer, int64_t at);

/* Harmless when it is not armed. */
void ar_timers_disarm(struct ar_timers *set, struct ar_timer *timer);

/* The nearest, or NULL. It stays armed. */
struct ar_timer *ar_timers_first(const struct ar_timers *set);

/* Frees the heap; the timers are their owners'. */
void ar_timers_free(struct ar_timers *set);

AR_HIDDEN_END

#endif
