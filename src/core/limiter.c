/*
** The rate limiter of the adaptive retry mode.
*/
#include "limiter.h"

#define SCALE 0.4 /* CUBIC's constants */
#define BETA 0.7
#define SMOOTHING 0.8   /* the share of the newest period in the rate */
#define MOST_GROWTH 2.0 /* times the measured rate */
#define LEAST_FILL_RATE 0.5
#define LEAST_CAPACITY 1.0
#define PERIOD 500 /* milliseconds */

static double least(double a, double b) {
  return a < b ? a : b;
}

static double greatest(double a, double b) {
  return a > b ? a : b;
}

static double seconds(int64_t from, int64_t to) {
  return (double)(to - from) / 1000;
}

/* By Newton's method from above, which never overshoots: no libm for this. */
static double cube_root(double x) {
  double root = greatest(x, 1), next = root;
  if (x <= 0) return 0;
  do {
    root = next;
    next = (2 * root + x / (root * root)) / 3;
  } while (next < root);
  return root;
}

/* --- the bucket ---------------------------------------------------------- */

static void refill(struct ar_limiter *l, int64_t now) {
  double grown = l->tokens + seconds(l->filled, now) * l->fill_rate;
  l->tokens = least(l->capacity, grown);
  l->filled = now;
}

/* What came in until now, came at the old rate. */
static void set_rate(struct ar_limiter *l, int64_t now, double rate) {
  refill(l, now);
  l->fill_rate = greatest(rate, LEAST_FILL_RATE);
  l->capacity = greatest(rate, LEAST_CAPACITY);
  l->tokens = least(l->tokens, l->capacity);
}

int64_t ar_limiter_acquire(struct ar_limiter *l, int64_t now) {
  if (!l->enabled) return 0;
  refill(l, now);
  if (l->tokens < 1) {
    double wait = (1 - l->tokens) / l->fill_rate * 1000;
    int64_t whole = (int64_t)wait;
    return whole + ((double)whole < wait);
  }
  l->tokens -= 1;
  return 0;
}

/* --- the measured rate --------------------------------------------------- */

static void measure(struct ar_limiter *l, int64_t now) {
  int64_t period = now / PERIOD;
  l->count++;
  if (period > l->period) {
    double rate = l->count / seconds(l->period * PERIOD, period * PERIOD);
    l->measured = rate * SMOOTHING + l->measured * (1 - SMOOTHING);
    l->count = 0;
    l->period = period;
  }
}

/* --- CUBIC --------------------------------------------------------------- */

static double rate_of_success(const struct ar_limiter *l, int64_t now) {
  double x = seconds(l->throttled, now) - l->plateau;
  return SCALE * x * x * x + l->last_rate;
}

static double rate_of_throttling(struct ar_limiter *l, int64_t now) {
  l->last_rate = l->enabled ? least(l->measured, l->fill_rate) : l->measured;
  l->plateau = cube_root(l->last_rate * (1 - BETA) / SCALE);
  l->throttled = now;
  l->enabled = true;
  return l->last_rate * BETA;
}

void ar_limiter_update(struct ar_limiter *l, int64_t now, bool throttled) {
  double rate;
  measure(l, now);
  rate = throttled ? rate_of_throttling(l, now) : rate_of_success(l, now);
  set_rate(l, now, least(rate, MOST_GROWTH * l->measured));
}

void ar_limiter_init(struct ar_limiter *l, int64_t now) {
  *l = (struct ar_limiter){.capacity = LEAST_CAPACITY,
                           .fill_rate = 1,
                           .filled = now,
                           .period = now / 1000 * 2,
                           .throttled = now};
}
