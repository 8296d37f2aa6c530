/*
** The retry policy: classes of failures, waits, the quota. The lists are those
** of botocore's and Rust's standard mode, and status 429 whatever its code.
** Certificates that do not verify are never tried again.
*/
#include "retry.h"

#include "skew.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

/* A header may ask for this much more than the wait without it. */
#define MOST_EXTRA 5000

static const struct ar_retry_plan plans[] = {
    {"standard", AR_RETRY_STANDARD, 3},
    {"adaptive", AR_RETRY_ADAPTIVE, 3},
    {"legacy", AR_RETRY_STANDARD, 5}};

/*
** What all SDKs agreed on in 2026: quick retries, each of them dearer; slow
** ones for who is throttled.
*/
static const struct ar_retry_rules rules_2_1 = {
    .longest = 20000,
    .capacity = 500,
    .reward = 1,
    .of = {[AR_RETRY_TRANSIENT] = {50, 14},
           [AR_RETRY_TIMEOUT] = {50, 14},
           [AR_RETRY_THROTTLING] = {1000, 5},
           [AR_RETRY_SKEW] = {50, 14},
           [AR_RETRY_STALE] = {50, 0}}};

/* botocore's standard mode as it was before. */
static const struct ar_retry_rules rules_classic = {
    .longest = 20000,
    .capacity = 500,
    .reward = 1,
    .of = {[AR_RETRY_TRANSIENT] = {1000, 5},
           [AR_RETRY_TIMEOUT] = {1000, 10},
           [AR_RETRY_THROTTLING] = {1000, 5},
           [AR_RETRY_SKEW] = {1000, 5},
           [AR_RETRY_STALE] = {1000, 0}}};

static const char *const throttling_codes[] = {
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottledException",
    "TooManyRequestsException",
    "ProvisionedThroughputExceededException",
    "TransactionInProgressException",
    "RequestLimitExceeded",
    "BandwidthLimitExceeded",
    "LimitExceededException",
    "RequestThrottled",
    "SlowDown",
    "PriorRequestNotComplete",
    "EC2ThrottledException"};

static const char *const transient_codes[] = {"RequestTimeout",
                                              "RequestTimeoutException"};

static const int transient_statuses[] = {500, 502, 503, 504};

static const struct {
  enum ar_code code;
  enum ar_retry_class class;
} failures[] = {{AR_E_CONNECT, AR_RETRY_TRANSIENT},
                {AR_E_CONNECTION_CLOSED, AR_RETRY_TRANSIENT},
                {AR_E_PROXY, AR_RETRY_TRANSIENT},
                {AR_E_TLS_CUT, AR_RETRY_TRANSIENT},
                {AR_E_HTTP, AR_RETRY_TRANSIENT},
                {AR_E_CONNECT_TIMEOUT, AR_RETRY_TIMEOUT},
                {AR_E_READ_TIMEOUT, AR_RETRY_TIMEOUT}};

const struct ar_retry_plan *ar_retry_plan(struct ar_str name) {
  for (size_t i = 0; i < COUNT(plans); i++)
    if (ar_str_eq(ar_str_of(plans[i].name), name)) return &plans[i];
  return NULL;
}

const struct ar_retry_rules *ar_retry_rules(bool classic) {
  return classic ? &rules_classic : &rules_2_1;
}

/* --- classes ------------------------------------------------------------- */

static bool listed(const char *const *codes, size_t count,
                   struct ar_str code) {
  for (size_t i = 0; i < count; i++)
    if (ar_str_eq(ar_str_of(codes[i]), code)) return true;
  return false;
}

enum ar_retry_class ar_retry_failure(enum ar_code code) {
  for (size_t i = 0; i < COUNT(failures); i++)
    if (failures[i].code == code) return failures[i].class;
  return AR_RETRY_NEVER;
}

enum ar_retry_class ar_retry_answer(int status, struct ar_str code) {
  if (status == 429 || listed(throttling_codes, COUNT(throttling_codes), code))
    return AR_RETRY_THROTTLING;
  if (listed(transient_codes, COUNT(transient_codes), code))
    return AR_RETRY_TRANSIENT;
  for (size_t i = 0; i < COUNT(transient_statuses); i++)
    if (transient_statuses[i] == status) return AR_RETRY_TRANSIENT;
  return AR_RETRY_NEVER;
}

enum ar_retry_class ar_retry_classify(const struct ar_attempt *attempt) {
  enum ar_retry_class class;
  if (attempt->failure == AR_E_CONNECTION_CLOSED && attempt->reused &&
      attempt->sent && attempt->status == 0)
    return AR_RETRY_STALE;
  if (attempt->failure != AR_OK) return ar_retry_failure(attempt->failure);
  class = ar_retry_answer(attempt->status, attempt->code);
  if (class == AR_RETRY_NEVER &&
      ar_skew_explains(attempt->skew, attempt->code))
    return AR_RETRY_SKEW;
  return class;
}

/* --- waits --------------------------------------------------------------- */

/* A header that is a whole number, in milliseconds; else -1. */
static int64_t header_ms(struct ar_str text, int64_t unit) {
  int64_t value = 0;
  if (text.n == 0) return -1;
  for (size_t i = 0; i < text.n; i++) {
    if (!ar_is_digit(text.p[i])) return -1;
    /* What is far above MOST_EXTRA need not be exact. */
    if (value < INT32_MAX) value = value * 10 + (text.p[i] - '0');
  }
  return value * unit;
}

static int64_t jittered(const struct ar_retry_rules *rules,
                        enum ar_retry_class class, int retry, double r01) {
  int64_t most = rules->of[class].base;
  for (int i = 1; i < retry && most < rules->longest; i++) most *= 2;
  if (most > rules->longest) most = rules->longest;
  return (int64_t)(r01 * (double)most);
}

int64_t ar_retry_delay(const struct ar_retry_rules *rules,
                       enum ar_retry_class class, int retry, double r01,
                       struct ar_str retry_after_ms,
                       struct ar_str retry_after_seconds) {
  int64_t delay = jittered(rules, class, retry, r01);
  int64_t asked = header_ms(retry_after_ms, 1);
  if (asked < 0) asked = header_ms(retry_after_seconds, 1000);
  if (asked <= delay) return delay;
  return asked < delay + MOST_EXTRA ? asked : delay + MOST_EXTRA;
}

/* --- the quota ----------------------------------------------------------- */

void ar_quota_init(struct ar_quota *quota,
                   const struct ar_retry_rules *rules) {
  *quota = (struct ar_quota){.rules = rules, .left = rules->capacity};
}

bool ar_quota_acquire(struct ar_quota *quota, enum ar_retry_class class,
                      int *taken) {
  int cost = quota->rules->of[class].cost;
  if (cost > quota->left) return false;
  quota->left -= cost;
  if (cost > 0) *taken = cost;
  return true;
}

void ar_quota_refund(struct ar_quota *quota, int taken) {
  int capacity = quota->rules->capacity;
  quota->left += taken > 0 ? taken : quota->rules->reward;
  if (quota->left > capacity) quota->left = capacity;
}
