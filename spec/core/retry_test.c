/*
** The retry policy: the cases that the SDKs share for the numbers of 2026, and
** what botocore's standard mode makes of the same inputs for the classic ones.
*/
#include "../../src/core/retry.h"

#include "kit.h"
#include "retry_vectors.h"

#define EMPTY AR_STR("")

/* --- classes ------------------------------------------------------------- */

static enum ar_retry_class class_of(int status, const char *code) {
  return ar_retry_classify(
      &(struct ar_attempt){.status = status, .code = ar_str_of(code)});
}

static void codes(void) {
  static const enum ar_retry_class retryable[] = {AR_RETRY_TRANSIENT,
                                                  AR_RETRY_THROTTLING};
  for (size_t i = 0; i < LENGTH(oracle_codes); i++) {
    enum ar_retry_class expected = oracle_codes[i].retryable
                                       ? retryable[oracle_codes[i].throttling]
                                       : AR_RETRY_NEVER;
    enum ar_retry_class got = class_of(400, oracle_codes[i].code);
    CHECK(got == expected, "%s is of class %d, not %d", oracle_codes[i].code,
          expected, got);
    CHECK(got == ar_retry_answer(400, ar_str_of(oracle_codes[i].code)),
          "%s by itself", oracle_codes[i].code);
  }
}

static bool botocore_retries(int status) {
  for (size_t i = 0; i < LENGTH(oracle_statuses); i++)
    if (oracle_statuses[i].status == status) return true;
  return false;
}

/* 429 is ours: botocore goes by the code alone. */
static void statuses(void) {
  for (int status = 100; status < 1000; status++) {
    enum ar_retry_class expected = status == 429 ? AR_RETRY_THROTTLING
                                   : botocore_retries(status)
                                       ? AR_RETRY_TRANSIENT
                                       : AR_RETRY_NEVER;
    CHECK(class_of(status, "InternalServiceErrorException") == expected,
          "status %d is of class %d", status, expected);
  }
  CHECK(class_of(503, "SlowDown") == AR_RETRY_THROTTLING,
        "a code that throttles counts more than the status");
}

static enum ar_code code_named(const char *name) {
  for (int code = 1; code < AR_CODES; code++)
    if (strcmp(ar_code_name((enum ar_code)code), name) == 0)
      return (enum ar_code)code;
  CHECK(false, "%s is a row of fail.def", name);
  return AR_OK;
}

static void failures(void) {
  const struct ar_retry_rules *rules = ar_retry_rules(true);
  for (size_t i = 0; i < LENGTH(oracle_failures); i++) {
    struct ar_attempt attempt = {
        .failure = code_named(oracle_failures[i].failure), .sent = true};
    enum ar_retry_class class = ar_retry_classify(&attempt);
    CHECK((class != AR_RETRY_NEVER) == oracle_failures[i].retryable,
          "%s is retried: %d", oracle_failures[i].failure,
          oracle_failures[i].retryable);
    CHECK(rules->of[class].cost == oracle_failures[i].cost, "%s costs %d",
          oracle_failures[i].failure, oracle_failures[i].cost);
  }
}

/* botocore retries them all, even a certificate that does not verify. */
static void failures_of_ours(void) {
  static const enum ar_code never[] = {
      AR_E_TLS,     AR_E_MEMORY,    AR_E_CALL_TIMEOUT, AR_E_RESPONSE,
      AR_E_SERVICE, AR_E_TOO_LARGE, AR_E_CANCELLED};
  for (size_t i = 0; i < LENGTH(never); i++)
    CHECK(ar_retry_classify(&(struct ar_attempt){.failure = never[i]}) ==
              AR_RETRY_NEVER,
          "%s is not retried", ar_code_name(never[i]));
}

static void stale(void) {
  static const struct {
    struct ar_attempt attempt;
    enum ar_retry_class class;
    const char *what;
  } rows[] = {
      {{.failure = AR_E_CONNECTION_CLOSED, .reused = true, .sent = true},
       AR_RETRY_STALE,
       "a kept connection that is closed"},
      {{.failure = AR_E_CONNECTION_CLOSED, .sent = true},
       AR_RETRY_TRANSIENT,
       "a new one"},
      {{.failure = AR_E_CONNECTION_CLOSED, .reused = true},
       AR_RETRY_TRANSIENT,
       "one that carried nothing"},
      {{.failure = AR_E_CONNECTION_CLOSED,
        .reused = true,
        .sent = true,
        .status = 200},
       AR_RETRY_TRANSIENT,
       "one that was closed within the answer"},
      {{.failure = AR_E_READ_TIMEOUT, .reused = true, .sent = true},
       AR_RETRY_TIMEOUT,
       "a kept connection on which nothing comes"},
      {{.reused = true, .sent = true, .status = 404},
       AR_RETRY_NEVER,
       "an answer on a kept connection"}};
  for (size_t i = 0; i < LENGTH(rows); i++)
    CHECK(ar_retry_classify(&rows[i].attempt) == rows[i].class, "%s: class %d",
          rows[i].what, rows[i].class);
}

static void skewed(void) {
  struct ar_attempt attempt = {
      .status = 403, .code = AR_STR("AccessDeniedException"), .skew = 300000};
  CHECK(ar_retry_classify(&attempt) == AR_RETRY_SKEW, "it may be the clock");
  attempt.skew = 240000;
  CHECK(ar_retry_classify(&attempt) == AR_RETRY_NEVER, "or it is not");
  attempt.skew = 300000, attempt.status = 503;
  CHECK(ar_retry_classify(&attempt) == AR_RETRY_TRANSIENT,
        "what may be repeated anyway is not for the clock");
  attempt.failure = AR_E_TLS;
  CHECK(ar_retry_classify(&attempt) == AR_RETRY_NEVER,
        "without an answer the clock explains nothing");
}

/* --- waits --------------------------------------------------------------- */

static int64_t delay(bool classic, enum ar_retry_class class, int retry,
                     double r01) {
  return ar_retry_delay(ar_retry_rules(classic), class, retry, r01, EMPTY,
                        EMPTY);
}

static void classic_delays(void) {
  for (size_t i = 0; i < LENGTH(oracle_delays); i++)
    for (int class = AR_RETRY_TRANSIENT; class < AR_RETRY_CLASSES; class ++) {
      int64_t got = delay(true, (enum ar_retry_class) class,
                          oracle_delays[i].retry, oracle_delays[i].r01);
      CHECK(got == oracle_delays[i].delay,
            "class %d, retry %d by %g: %d ms, not %lld", class,
            oracle_delays[i].retry, oracle_delays[i].r01,
            oracle_delays[i].delay, (long long)got);
    }
}

static void delays(void) {
  static const struct {
    enum ar_retry_class class;
    int retry;
    double r01;
    int64_t delay;
  } rows[] = {{AR_RETRY_TRANSIENT, 1, 1, 50},
              {AR_RETRY_TRANSIENT, 2, 1, 100},
              {AR_RETRY_TRANSIENT, 3, 1, 200},
              {AR_RETRY_TRANSIENT, 4, 1, 400},
              {AR_RETRY_TRANSIENT, 9, 1, 12800},
              {AR_RETRY_TRANSIENT, 10, 1, 20000},
              {AR_RETRY_TRANSIENT, 10, 0.5, 10000},
              {AR_RETRY_TRANSIENT, INT32_MAX, 1, 20000},
              {AR_RETRY_TRANSIENT, 3, 0.5, 100},
              {AR_RETRY_TRANSIENT, 3, 0, 0},
              {AR_RETRY_TIMEOUT, 2, 1, 100},
              {AR_RETRY_SKEW, 2, 1, 100},
              {AR_RETRY_STALE, 2, 1, 100},
              {AR_RETRY_THROTTLING, 1, 1, 1000},
              {AR_RETRY_THROTTLING, 1, 0.25, 250},
              {AR_RETRY_THROTTLING, 5, 1, 16000},
              {AR_RETRY_THROTTLING, 6, 1, 20000}};
  for (size_t i = 0; i < LENGTH(rows); i++) {
    int64_t got = delay(false, rows[i].class, rows[i].retry, rows[i].r01);
    CHECK(got == rows[i].delay, "row %zu: %lld ms, not %lld", i,
          (long long)rows[i].delay, (long long)got);
  }
}

/* Of a first retry whose own wait is 50 ms. */
static void headers(void) {
  static const struct {
    const char *ms, *seconds;
    int64_t delay;
  } rows[] = {{"", "", 50},
              {"1500", "", 1500},
              {"0", "", 50},
              {"49", "", 50},
              {"51", "", 51},
              {"5049", "", 5049},
              {"10000", "", 5050},
              {"99999999999999999999999999999999", "", 5050},
              {"invalid", "", 50},
              {"-1", "", 50},
              {"1.5", "", 50},
              {"1500ms", "", 50},
              {"", "2", 2000},
              {"", "0", 50},
              {"", "6", 5050},
              {"", "99999999999999999999999999999999", 5050},
              {"", "-2", 50},
              {"", "0.5", 50},
              {"", "Sun, 06 Nov 2094 08:49:37 GMT", 50},
              {"700", "3", 700},
              {"0", "3", 50},
              {"invalid", "3", 3000}};
  for (size_t i = 0; i < LENGTH(rows); i++) {
    int64_t got =
        ar_retry_delay(ar_retry_rules(false), AR_RETRY_TRANSIENT, 1, 1,
                       ar_str_of(rows[i].ms), ar_str_of(rows[i].seconds));
    CHECK(got == rows[i].delay, "'%s' and '%s': %lld ms, not %lld", rows[i].ms,
          rows[i].seconds, (long long)rows[i].delay, (long long)got);
  }
  CHECK(ar_retry_delay(ar_retry_rules(false), AR_RETRY_THROTTLING, 9, 1,
                       AR_STR("60000"), EMPTY) == 25000,
        "a header may go beyond the longest wait by 5 s");
}

/* --- the quota ----------------------------------------------------------- */

static void classic_quota(void) {
  struct ar_quota quota;
  int taken[8] = {0};
  ar_quota_init(&quota, ar_retry_rules(true));
  for (size_t i = 0; i < LENGTH(oracle_quota); i++) {
    int *call = &taken[oracle_quota[i].call];
    bool timeout = oracle_quota[i].event == 'T', paid = true;
    if (oracle_quota[i].event == 'S')
      ar_quota_refund(&quota, *call);
    else
      paid = ar_quota_acquire(
          &quota, timeout ? AR_RETRY_TIMEOUT : AR_RETRY_TRANSIENT, call);
    if (oracle_quota[i].event == 'S' || !paid) *call = 0;
    CHECK(paid == oracle_quota[i].paid && quota.left == oracle_quota[i].left,
          "row %zu: paid %d, %d left; not %d, %d", i, oracle_quota[i].paid,
          oracle_quota[i].left, paid, quota.left);
  }
}

static void prices(void) {
  static const struct {
    enum ar_retry_class class;
    int now, classic;
  } rows[] = {{AR_RETRY_TRANSIENT, 14, 5},
              {AR_RETRY_TIMEOUT, 14, 10},
              {AR_RETRY_THROTTLING, 5, 5},
              {AR_RETRY_SKEW, 14, 5},
              {AR_RETRY_STALE, 0, 0}};
  for (size_t i = 0; i < LENGTH(rows); i++)
    for (int classic = 0; classic < 2; classic++) {
      int taken = 0, price = classic ? rows[i].classic : rows[i].now;
      struct ar_quota quota;
      ar_quota_init(&quota, ar_retry_rules(classic));
      CHECK(ar_quota_acquire(&quota, rows[i].class, &taken) &&
                taken == price && quota.left == 500 - price,
            "class %d costs %d, not %d", rows[i].class, price, taken);
    }
}

/* What stale connections take and give back: nothing. */
static void free_retries(void) {
  struct ar_quota quota;
  int taken = 0;
  ar_quota_init(&quota, ar_retry_rules(false));
  quota.left = 14;
  CHECK(ar_quota_acquire(&quota, AR_RETRY_TRANSIENT, &taken) &&
            ar_quota_acquire(&quota, AR_RETRY_STALE, &taken) &&
            quota.left == 0,
        "an empty quota pays for a stale connection");
  ar_quota_refund(&quota, taken);
  CHECK(quota.left == 14, "the last that cost is given back: %d", quota.left);
}

/* --- whole calls --------------------------------------------------------- */

struct step {
  int status; /* 0: the end of the list */
  const char *code, *header;
  int left;      /* in the quota afterwards */
  int64_t delay; /* until the next attempt; -1: there is none */
};

#define STEPS 6

/* One call, as its caller drives it; `r01` is 1. */
static void play(const char *what, const struct ar_retry_rules *rules,
                 struct ar_quota *quota, int max_attempts,
                 const struct step *steps) {
  int taken = 0;
  for (int attempt = 1; attempt <= STEPS; attempt++) {
    const struct step *step = &steps[attempt - 1];
    enum ar_retry_class class = class_of(step->status, step->code);
    int64_t got = -1;
    if (step->status == 0) return;
    if (step->status == 200)
      ar_quota_refund(quota, taken);
    else if (class != AR_RETRY_NEVER && attempt < max_attempts &&
             ar_quota_acquire(quota, class, &taken))
      got = ar_retry_delay(rules, class, attempt, 1, ar_str_of(step->header),
                           EMPTY);
    CHECK(got == step->delay && quota->left == step->left,
          "%s, attempt %d: waits %lld ms with %d left; not %lld, %d", what,
          attempt, (long long)step->delay, step->left, (long long)got,
          quota->left);
  }
}

/* Calls one after another; `start` -1 goes on with the quota of the row
   before. */
static const struct {
  const char *what;
  int max_attempts, start;
  int64_t longest; /* 0: the rules' own */
  struct step steps[STEPS];
} calls[] = {
    {"succeeds in the end",
     3,
     500,
     0,
     {{500, "", "", 486, 50},
      {500, "", "", 472, 100},
      {200, "", "", 486, -1}}},
    {"fails in the end",
     3,
     500,
     0,
     {{502, "", "", 486, 50},
      {502, "", "", 472, 100},
      {502, "", "", 472, -1}}},
    {"quota reached after one retry",
     3,
     14,
     0,
     {{500, "", "", 0, 50}, {500, "", "", 0, -1}}},
    {"no retry with an empty quota", 3, 0, 0, {{500, "", "", 0, -1}}},
    {"doubled waits",
     5,
     500,
     0,
     {{500, "", "", 486, 50},
      {500, "", "", 472, 100},
      {500, "", "", 458, 200},
      {500, "", "", 444, 400},
      {500, "", "", 444, -1}}},
    {"a cap of 200 ms",
     5,
     500,
     200,
     {{500, "", "", 486, 50},
      {500, "", "", 472, 100},
      {500, "", "", 458, 200},
      {500, "", "", 444, 200},
      {500, "", "", 444, -1}}},
    {"quota reached in between",
     3,
     20,
     0,
     {{500, "", "", 6, 50}, {502, "", "", 6, -1}}},
    {"the last amount is given back",
     5,
     30,
     0,
     {{500, "", "", 16, 50}, {500, "", "", 2, 100}, {200, "", "", 16, -1}}},
    {"and taken by the next call",
     5,
     -1,
     0,
     {{500, "", "", 2, 50}, {200, "", "", 16, -1}}},
    {"throttled",
     3,
     500,
     0,
     {{400, "Throttling", "", 495, 1000}, {200, "", "", 500, -1}}},
    {"a header", 3, 500, 0, {{500, "", "1500", 486, 1500}}},
    {"a header of 0", 3, 500, 0, {{500, "", "0", 486, 50}}},
    {"a header too long", 3, 500, 0, {{500, "", "10000", 486, 5050}}},
    {"a header that is none", 3, 500, 0, {{500, "", "invalid", 486, 50}}},
    {"not found", 3, 500, 0, {{404, "", "", 500, -1}}},
    {"a first attempt that succeeds", 3, 490, 0, {{200, "", "", 491, -1}}},
    {"with a full quota", 3, 500, 0, {{200, "", "", 500, -1}}},
    {"one attempt alone", 1, 500, 0, {{500, "", "", 500, -1}}}};

static void shared(void) {
  struct ar_quota quota;
  for (size_t i = 0; i < LENGTH(calls); i++) {
    struct ar_retry_rules rules = *ar_retry_rules(false);
    if (calls[i].longest > 0) rules.longest = calls[i].longest;
    if (calls[i].start >= 0) {
      ar_quota_init(&quota, ar_retry_rules(false));
      CHECK(quota.left == 500, "a quota begins full");
      quota.left = calls[i].start;
    }
    play(calls[i].what, &rules, &quota, calls[i].max_attempts, calls[i].steps);
  }
}

static void plans(void) {
  static const struct {
    const char *name;
    enum ar_retry_mode mode;
    int max_attempts; /* 0: no such mode */
  } rows[] = {
      {"standard", AR_RETRY_STANDARD, 3}, {"adaptive", AR_RETRY_ADAPTIVE, 3},
      {"legacy", AR_RETRY_STANDARD, 5},   {"Standard", AR_RETRY_STANDARD, 0},
      {"standar", AR_RETRY_STANDARD, 0},  {"", AR_RETRY_STANDARD, 0}};
  for (size_t i = 0; i < LENGTH(rows); i++) {
    const struct ar_retry_plan *plan = ar_retry_plan(ar_str_of(rows[i].name));
    CHECK((plan ? plan->max_attempts : 0) == rows[i].max_attempts,
          "mode '%s' makes %d attempts", rows[i].name, rows[i].max_attempts);
    CHECK(plan == NULL || plan->mode == rows[i].mode, "mode '%s' is mode %d",
          rows[i].name, rows[i].mode);
  }
}

int main(void) {
  codes();
  statuses();
  failures();
  failures_of_ours();
  stale();
  skewed();
  classic_delays();
  delays();
  headers();
  classic_quota();
  prices();
  free_retries();
  shared();
  plans();
  return checked();
}
