/*
** The rate limiter against what botocore's did of the same events, and what
** must hold of any.
*/
#include "../../src/core/limiter.h"

#include "check.h"
#include "kit.h"
#include "retry_vectors.h"

/* The vectors have 10 digits. */
static bool near(double a, double b) {
  double difference = a > b ? a - b : b - a;
  return difference <= 1e-8 * (b > 1 ? b : 1);
}

static int64_t event(struct ar_limiter *l, char which, int64_t now) {
  if (which == 'A') return ar_limiter_acquire(l, now);
  if (which == '0')
    ar_limiter_init(l, now);
  else
    ar_limiter_update(l, now, which == 'T');
  return 0;
}

static void botocore(void) {
  struct ar_limiter l;
  for (size_t i = 0; i < LENGTH(oracle_limiter); i++) {
    int64_t wait = event(&l, oracle_limiter[i].event, oracle_limiter[i].now);
    double longer = (double)wait - oracle_limiter[i].wait;
    CHECK(longer > -1e-5 && longer < 1, "row %zu: waits %lld ms, not %g", i,
          (long long)wait, oracle_limiter[i].wait);
    CHECK((wait == 0) == (oracle_limiter[i].wait < 1e-5),
          "row %zu: goes or waits as botocore", i);
    CHECK(near(l.measured, oracle_limiter[i].measured),
          "row %zu: measures %.10g, not %.10g", i, l.measured,
          oracle_limiter[i].measured);
    CHECK(near(l.fill_rate, oracle_limiter[i].fill_rate),
          "row %zu: fills at %.10g, not %.10g", i, l.fill_rate,
          oracle_limiter[i].fill_rate);
    CHECK(near(l.tokens, oracle_limiter[i].tokens),
          "row %zu: has %.10g tokens, not %.10g", i, l.tokens,
          oracle_limiter[i].tokens);
  }
}

static void off_until_throttled(void) {
  struct ar_limiter l;
  int64_t waits = 0, tokens = 0;
  ar_limiter_init(&l, 0);
  for (int64_t now = 0; now < 2000; now++) {
    waits += ar_limiter_acquire(&l, now);
    ar_limiter_update(&l, now, false);
  }
  CHECK(waits == 0, "nobody waits while nothing is throttled");
  ar_limiter_update(&l, 2000, true);
  while (ar_limiter_acquire(&l, 2000) == 0) tokens++;
  CHECK(tokens < 10, "then they do: %lld tokens have gathered in 2 s",
        (long long)tokens);
}

/* Who waits as told gets the token, or is told of milliseconds more. */
static void waiting_ends(void) {
  struct ar_limiter l;
  int64_t now = 1000, wait, asked = 0;
  ar_limiter_init(&l, now);
  ar_limiter_update(&l, now, true);
  wait = ar_limiter_acquire(&l, now);
  CHECK(wait == 2000, "half a token a second from none: %lld ms",
        (long long)wait);
  CHECK(ar_limiter_acquire(&l, now) == wait, "asking takes nothing");
  CHECK(ar_limiter_acquire(&l, now + wait - 2) > 0, "2 ms too early is early");
  for (int i = 0; i < 100; i++)
    for (; (wait = ar_limiter_acquire(&l, now)) > 0; now += wait) asked++;
  CHECK(asked <= 200, "100 tokens cost %lld waits", (long long)asked);
  CHECK(now >= 200000 && now <= 202000, "and 200 s: %lld ms", (long long)now);
}

static void bounds(void) {
  struct ar_limiter l;
  ar_limiter_init(&l, 0);
  for (int64_t now = 0; now < 60000; now += 10)
    ar_limiter_update(&l, now, now == 10000);
  CHECK(near(l.measured, 100), "100 attempts a second: %g", l.measured);
  CHECK(near(l.fill_rate, 200), "may become twice as many, no more: %g",
        l.fill_rate);
  for (int64_t now = 60000; now < 61000; now++)
    ar_limiter_update(&l, now, true);
  CHECK(l.fill_rate >= 0.5 && l.capacity >= 1 && l.tokens <= l.capacity,
        "however much is throttled: %g a second", l.fill_rate);
  ar_limiter_update(&l, INT64_C(1) << 50, false);
  CHECK(l.fill_rate >= 0.5 && l.tokens >= 0 && l.tokens <= l.capacity,
        "after an age: %g a second", l.fill_rate);
}

int main(void) {
  botocore();
  off_until_throttled();
  waiting_ends();
  bounds();
  return checked();
}
