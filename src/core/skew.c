/*
** How far the server's clock is ahead of ours.
*/
#include "skew.h"

#include "head.h"

#define MINUTE INT64_C(60000)

static const int64_t longest_trip = 15 * MINUTE;
/* A signature may be up to 5 minutes off. */
static const int64_t harmless = 4 * MINUTE;

static const char *const codes[] = {
    "InvalidSignatureException", "SignatureDoesNotMatch", "AuthFailure",
    "RequestTimeTooSkewed", "AccessDeniedException"};

bool ar_skew_measure(struct ar_str head, int64_t sent, int64_t received,
                     struct ar_http_date *last, int64_t *skew) {
  int64_t date, trip = received - sent;
  if (trip < 0 || trip > longest_trip ||
      ar_head_find(head, AR_STR("age")).n > 0 ||
      !ar_http_date_next(last, ar_head_find(head, AR_STR("date")), &date))
    return false;
  *skew = date - (sent + trip / 2);
  return true;
}

bool ar_skew_explains(int64_t skew, struct ar_str code) {
  if (skew >= -harmless && skew <= harmless) return false;
  for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
    if (ar_str_eq(ar_str_of(codes[i]), code)) return true;
  return false;
}
