/*
** The rate limiter of the adaptive retry mode, botocore's: off until the first
** answer that throttles; from then on every attempt takes a token from a
** bucket that the calls of a client share. The rate that fills the bucket
** drops when an answer throttles, and grows again as that of CUBIC does, the
** congestion control of TCP (RFC 8312).
**
** `now` is in milliseconds of a clock that never goes back.
*/
#ifndef ar_limiter_h
#define ar_limiter_h

#include "base.h"

AR_HIDDEN

struct ar_limiter {
  bool enabled;

  /* The bucket. */
  double tokens, capacity;
  double fill_rate; /* tokens a second */
  int64_t filled;   /* when */

  /* How many attempts a second end, over periods of half a second. */
  double measured;
  int64_t period; /* the last one counted */
  int count;      /* of attempts since */

  /* CUBIC: the rate at the last throttling, how many seconds after it the rate
     is back there, and when it was. */
  double last_rate, plateau;
  int64_t throttled;
};

void ar_limiter_init(struct ar_limiter *l, int64_t now);

/*
** To be asked before every attempt: 0, and it may be sent at once; or how many
** milliseconds to wait before asking again.
*/
int64_t ar_limiter_acquire(struct ar_limiter *l, int64_t now);

/*
** To be told of the end of every attempt, whether it brought an answer or not,
** and whether it was of AR_RETRY_THROTTLING.
*/
void ar_limiter_update(struct ar_limiter *l, int64_t now, bool throttled);

AR_HIDDEN_END

#endif
