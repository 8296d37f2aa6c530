/*
** The retry policy, shared by the calls of a client: what may be tried again,
** after how long, and for how many tokens of the client's quota. Tables and
** pure functions: the clock and the randomness are the caller's.
**
** A call counts its attempts against `max_attempts`, asks ar_retry_classify
** about each that failed, pays by ar_quota_acquire, and waits ar_retry_delay.
*/
#ifndef ar_retry_h
#define ar_retry_h

#include "fail.h"
#include "str.h"

AR_HIDDEN

enum ar_retry_mode {
  AR_RETRY_STANDARD,
  AR_RETRY_ADAPTIVE /* standard, and every attempt asks an ar_limiter first */
};

/* What a name of a mode stands for. */
struct ar_retry_plan {
  const char *name;
  enum ar_retry_mode mode;
  int max_attempts; /* the first one included, where nothing else is said */
};

/* "standard", "adaptive", "legacy" in just these letters; else NULL. */
const struct ar_retry_plan *ar_retry_plan(struct ar_str name);

/* Why an attempt may be repeated. */
enum ar_retry_class {
  AR_RETRY_NEVER,
  AR_RETRY_TRANSIENT,
  AR_RETRY_TIMEOUT,    /* transient, and it took its time */
  AR_RETRY_THROTTLING, /* we were told to slow down */
  AR_RETRY_SKEW,       /* refused for our clock, see skew.h */
  AR_RETRY_STALE,      /* a kept connection was found closed: that says nothing
                          about the server, and costs nothing; but the request
                          may have reached it */
  AR_RETRY_CLASSES
};

/* How an attempt ended. */
struct ar_attempt {
  enum ar_code failure; /* AR_OK where a whole answer came */
  bool reused, sent;    /* of the exchange */
  int status;           /* of the answer; 0: not a byte of one came */
  struct ar_str code;   /* the answer's error code */
  int64_t skew;         /* what ar_skew_measure had of this answer; else 0 */
};

enum ar_retry_class ar_retry_classify(const struct ar_attempt *attempt);

/* Of a failure without an answer (a row of fail.def). */
enum ar_retry_class ar_retry_failure(enum ar_code code);

/* Of an answer that is an error: its status and its error code. */
enum ar_retry_class ar_retry_answer(int status, struct ar_str code);

/* The numbers. */
struct ar_retry_rules {
  int64_t longest; /* wait, in milliseconds */
  int capacity;    /* of the quota, in tokens */
  int reward;      /* tokens for a first attempt that succeeds */
  struct {
    int64_t base; /* the first wait, in milliseconds; doubled for each next */
    int cost;     /* in tokens */
  } of[AR_RETRY_CLASSES];
};

/*
** The retry behaviour 2.1, which the SDKs adopted in 2026; or the classic
** numbers of before, which AWS_NEW_RETRIES_2026=false asks for.
*/
const struct ar_retry_rules *ar_retry_rules(bool classic);

/*
** Milliseconds to wait before the retry `retry`, counted from 1, of an attempt
** that failed by `class`, not AR_RETRY_NEVER. `r01` is uniform from 0 to 1.
** The headers x-amz-retry-after (milliseconds) and, where that is no whole
** number, Retry-After (seconds; not as a date) of the answer may make it up to
** 5 s longer, never shorter; empty where there is none.
*/
int64_t ar_retry_delay(const struct ar_retry_rules *rules,
                       enum ar_retry_class class, int retry, double r01,
                       struct ar_str retry_after_ms,
                       struct ar_str retry_after_seconds);

/*
** The quota that the calls of one client share: it keeps them from drowning a
** service that fails with retries.
*/
struct ar_quota {
  const struct ar_retry_rules *rules;
  int left; /* tokens */
};

void ar_quota_init(struct ar_quota *quota, const struct ar_retry_rules *rules);

/*
** Pays for a retry. False, and nothing is taken, when there is too little
** left: then the call fails. `*taken` is the call's, 0 at its start: what its
** last retry that cost anything did cost.
*/
bool ar_quota_acquire(struct ar_quota *quota, enum ar_retry_class class,
                      int *taken);

/*
** After a call that succeeded: gives back what it has `taken` last, or the
** reward where that is 0; never above the capacity. A call that failed gives
** nothing back.
*/
void ar_quota_refund(struct ar_quota *quota, int taken);

AR_HIDDEN_END

#endif
