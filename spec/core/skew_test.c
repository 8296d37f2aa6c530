/*
** Clock skew: the cases that the SDKs share, then every condition by itself.
** In the shared cases our clock is right, and the server's is ahead.
*/
#define _GNU_SOURCE
#include "../../src/core/skew.h"

#include <time.h>

#include "../../src/core/retry.h"
#include "kit.h"

#define SENT INT64_C(1700000000000)
#define NONE INT64_MIN

static struct ar_http_date last; /* of all that follow one another here */

struct answer {
  int status;
  const char *code;
  int64_t date;     /* seconds from the middle of the round trip, or NONE */
  int64_t trip;     /* in seconds */
  const char *more; /* header lines */
};

static struct ar_str head_of(const struct answer *a, char out[300]) {
  char date[64] = "";
  if (a->date != NONE) {
    time_t t = (time_t)(SENT / 1000 + a->trip / 2 + a->date);
    struct tm tm;
    strftime(date, sizeof date, "Date: %a, %d %b %Y %H:%M:%S GMT\r\n",
             gmtime_r(&t, &tm));
  }
  snprintf(out, 300, "HTTP/1.1 %d x\r\n%s%s\r\n", a->status,
           a->more ? a->more : "", date);
  return ar_str_of(out);
}

/* Whether the attempt that got `a` is repeated; the skew is brought forward.
 */
static bool repeated(const struct answer *a, int64_t *skew) {
  char head[300];
  struct ar_attempt attempt = {.status = a->status,
                               .code = ar_str_of(a->code)};
  if (ar_skew_measure(head_of(a, head), SENT, SENT + a->trip * 1000, &last,
                      &attempt.skew))
    *skew = attempt.skew;
  return ar_retry_classify(&attempt) == AR_RETRY_SKEW;
}

static void shared(void) {
  static const struct {
    const char *what;
    struct answer answer;
    int64_t before, after; /* the client's skew, in seconds */
    bool repeated;
  } rows[] = {
      {"clocks agree", {200, "", 0, 2, NULL}, 0, 0, false},
      {"too skewed, 300 s ahead",
       {403, "RequestTimeTooSkewed", 300, 2, NULL},
       0,
       300,
       true},
      {"an answer after 16 minutes",
       {403, "RequestTimeTooSkewed", 300, 960, NULL},
       0,
       0,
       false},
      {"a stale skew", {200, "", 0, 2, NULL}, 300, 0, false},
      {"a signature refused, 120 s ahead",
       {400, "InvalidSignatureException", 120, 2, NULL},
       0,
       120,
       false},
      {"a signature refused, 300 s ahead",
       {400, "InvalidSignatureException", 300, 2, NULL},
       0,
       300,
       true},
      {"no Date", {403, "RequestTimeTooSkewed", NONE, 2, NULL}, 7, 7, false},
      {"from a cache", {200, "", -17280, 2, "Age: 17280\r\n"}, 0, 0, false}};
  for (size_t i = 0; i < LENGTH(rows); i++) {
    int64_t skew = rows[i].before * 1000;
    bool again = repeated(&rows[i].answer, &skew);
    CHECK(again == rows[i].repeated, "%s: %d", rows[i].what, again);
    CHECK(skew == rows[i].after * 1000, "%s: the skew is %lld ms",
          rows[i].what, (long long)skew);
  }
}

static void codes(void) {
  static const struct {
    const char *code;
    bool explained;
  } rows[] = {{"InvalidSignatureException", true},
              {"SignatureDoesNotMatch", true},
              {"AuthFailure", true},
              {"RequestTimeTooSkewed", true},
              {"AccessDeniedException", true},
              {"RequestExpired", false},
              {"RequestInTheFuture", false},
              {"ExpiredTokenException", false},
              {"InvalidRequestException", false},
              {"authfailure", false},
              {"", false}};
  for (size_t i = 0; i < LENGTH(rows); i++)
    CHECK(
        ar_skew_explains(300000, ar_str_of(rows[i].code)) == rows[i].explained,
        "'%s' may come of a skew: %d", rows[i].code, rows[i].explained);
}

static void limits(void) {
  static const struct {
    int64_t skew;
    bool explains;
  } rows[] = {{0, false},
              {1000, false},
              {240000, false},
              {240001, true},
              {-240000, false},
              {-240001, true},
              {INT64_C(1) << 50, true}};
  for (size_t i = 0; i < LENGTH(rows); i++)
    CHECK(ar_skew_explains(rows[i].skew, AR_STR("AuthFailure")) ==
              rows[i].explains,
          "%lld ms explain it: %d", (long long)rows[i].skew, rows[i].explains);
}

/* Date is 2023-11-14T22:13:20Z, SENT. */
static void measure(void) {
  static const struct {
    const char *head;
    int64_t trip; /* in milliseconds */
    bool told;
    int64_t skew;
  } rows[] = {
      {"Date: Tue, 14 Nov 2023 22:13:20 GMT\r\n", 0, true, 0},
      {"dATE: Tue, 14 Nov 2023 22:13:20 GMT\n", 500, true, -250},
      {"Date: Tue, 14 Nov 2023 22:13:21 GMT\r\n", 501, true, 750},
      {"Date: Tuesday, 14-Nov-23 22:13:20 GMT\r\n", 2, true, -1},
      {"Date: Tue, 14 Nov 2023 22:13:20 GMT\r\n", 900000, true, -450000},
      {"Date: Tue, 14 Nov 2023 22:13:20 GMT\r\n", 900001, false, 0},
      {"Date: Tue, 14 Nov 2023 22:13:20 GMT\r\n", -1, false, 0},
      {"Date: Tue, 14 Nov 2023 22:13:20 GMT\r\nage: 0\r\n", 2, false, 0},
      {"Date: 2023-11-14T22:13:20Z\r\n", 2, false, 0},
      {"Date: \r\n", 2, false, 0},
      {"Last-Modified: Tue, 14 Nov 2023 22:13:20 GMT\r\n", 2, false, 0},
      {"", 2, false, 0}};
  for (size_t i = 0; i < LENGTH(rows); i++) {
    int64_t skew = 42, expected = rows[i].told ? rows[i].skew : 42;
    bool told = ar_skew_measure(ar_str_of(rows[i].head), SENT,
                                SENT + rows[i].trip, &last, &skew);
    CHECK(told == rows[i].told && skew == expected,
          "row %zu '%s': told %d, %lld ms", i, rows[i].head, told,
          (long long)skew);
  }
}

int main(void) {
  shared();
  codes();
  limits();
  measure();
  return checked();
}
