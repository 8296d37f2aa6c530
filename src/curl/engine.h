/*
** The engine: performs exchanges by libcurl's multi interface, for any loop.
**
** A loop sees one descriptor (`fd`, readable when there is something to do)
** and one moment (`timeout`); it calls `step`, and takes what has finished
** with `next_done`. Nothing here calls back but the exchange's own functions:
** `append` from `step`, `finish` from `next_done`. An engine belongs to one
** thread at a time, and to the process that made it: in a forked child it
** does nothing any more, and freeing it there touches no connection.
*/
#ifndef ar_engine_h
#define ar_engine_h

#include "../core/exchange.h"

AR_HIDDEN

struct ar_engine;

struct ar_engine_stats {
  uint64_t steps;
  int64_t longest_step_us; /* the longest single step */
  uint64_t connections;    /* opened by exchanges that ended */
  size_t in_flight;        /* added, and neither finished nor removed */
};

/*
** libcurl's global initialisation, which ar_engine_new does where it was not
** done: apart, so that an event loop can spend a turn on it. AR_OK, or an
** error that stays.
*/
int ar_engine_global_init(struct ar_err *err);

/* A new engine, the caller's; NULL and `err` on failure. */
struct ar_engine *ar_engine_new(struct ar_err *err);

/*
** Frees the engine; NULL is allowed. What is in flight is removed. In a
** forked child libcurl's own memory and sockets are abandoned.
*/
void ar_engine_free(struct ar_engine *e);

/* The descriptor that a loop watches for reading; the engine's. */
int ar_engine_fd(const struct ar_engine *e);

/* Milliseconds until it wants a step even if nothing is readable: 0 is at
   once, -1 never. */
int ar_engine_timeout(const struct ar_engine *e);

/*
** Takes up an exchange and retains it; steps do the rest, as soon as its
** server has a connection for it. AR_OK, or an error (AR_E_MEMORY, AR_E_HTTP),
** after which the exchange is as it was.
*/
int ar_engine_add(struct ar_engine *e, struct ar_exchange *x,
                  struct ar_err *err);

/*
** Cancels: `x` is released and its `finish` is not called. Harmless when it
** is not in flight here. A kept connection that it used is closed.
*/
void ar_engine_remove(struct ar_engine *e, struct ar_exchange *x);

/*
** Does what can be done without waiting, for about `budget_us` microseconds
** (below 0: without a bound). True when more could be done at once.
*/
bool ar_engine_step(struct ar_engine *e, int64_t budget_us);

/*
** Takes one exchange that has ended: calls its `finish` and releases it.
** False when there is none. The exchange may be added again in `finish`.
*/
bool ar_engine_next_done(struct ar_engine *e);

/*
** Waits until a step is due, at most `ms` milliseconds (-1: without a bound
** of its own, and not at all when nothing is in flight). A signal ends it
** early.
*/
void ar_engine_wait(struct ar_engine *e, int ms);

/*
** What a blocking caller wants: a step, and, where it has ended nothing, a
*wait
** of at most `ms` milliseconds (as ar_engine_wait) and another step.
*/
void ar_engine_drive(struct ar_engine *e, int ms);

/* Whether this is not the process that made the engine. */
bool ar_engine_forked(const struct ar_engine *e);

/* What it did so far; valid as long as the engine. */
const struct ar_engine_stats *ar_engine_stats(const struct ar_engine *e);

AR_HIDDEN_END

#endif
