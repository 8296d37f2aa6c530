/*
** Which failures may go away by themselves: the lists of botocore's and
** Rust's standard mode, and status 429 whatever its code.
*/
#include "retry.h"

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

static const enum ar_code transient_failures[] = {
    AR_E_CONNECT, AR_E_CONNECTION_CLOSED, AR_E_PROXY,
    AR_E_HTTP,    AR_E_CONNECT_TIMEOUT,   AR_E_READ_TIMEOUT};

#define COUNT(table) (sizeof(table) / sizeof *(table))

static bool listed(const char *const *codes, size_t count,
                   struct ar_str code) {
  for (size_t i = 0; i < count; i++)
    if (ar_str_eq(ar_str_of(codes[i]), code)) return true;
  return false;
}

enum ar_retry_class ar_retry_failure(enum ar_code code) {
  for (size_t i = 0; i < COUNT(transient_failures); i++)
    if (transient_failures[i] == code) return AR_RETRY_TRANSIENT;
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
