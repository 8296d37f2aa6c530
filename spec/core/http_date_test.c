/*
** HTTP dates against libc's strftime: every day of ten thousand years in the
** three forms, and what is none.
*/
#define _GNU_SOURCE
#include "../../src/core/http_date.h"

#include <time.h>

#include "../../src/core/date.h"
#include "kit.h"

#define DAY 86400

static bool agrees(const char *form, int64_t epoch) {
  char text[64];
  time_t t = (time_t)epoch;
  struct tm tm;
  int64_t ms = -1;
  strftime(text, sizeof text, form, gmtime_r(&t, &tm));
  if (ar_http_date_parse(ar_str_of(text), &ms) && ms == epoch * 1000)
    return true;
  printf("'%s' is %lld, not %lld\n", text, (long long)epoch, (long long)ms);
  return false;
}

static void every_day(void) {
  static const struct {
    const char *form;
    int64_t from, to; /* years four digits wide; and what two can say */
  } rows[] = {
      {"%a, %d %b %Y %H:%M:%S GMT", INT64_C(-30610224000), AR_MAX_EPOCH},
      {"%a %b %e %H:%M:%S %Y", INT64_C(-30610224000), AR_MAX_EPOCH},
      {"%A, %d-%b-%y %H:%M:%S GMT", 0, INT64_C(3155759999)}};
  for (size_t i = 0; i < LENGTH(rows); i++) {
    int64_t wrong = 0, second = 0;
    for (int64_t day = rows[i].from; day <= rows[i].to && wrong < 9;
         day += DAY * check_stride(), second = (second + 7919) % DAY)
      wrong += !agrees(rows[i].form, day + second);
    CHECK(wrong == 0, "every day as '%s' is strftime's", rows[i].form);
  }
}

static void known(void) {
  static const char *const same[] = {"Sun, 06 Nov 1994 08:49:37 GMT",
                                     "Sunday, 06-Nov-94 08:49:37 GMT",
                                     "Sun Nov  6 08:49:37 1994"};
  for (size_t i = 0; i < LENGTH(same); i++) {
    int64_t ms = 0;
    CHECK(ar_http_date_parse(ar_str_of(same[i]), &ms) &&
              ms == INT64_C(784111777000),
          "'%s' is the RFC's second, not %lld", same[i], (long long)ms);
  }
}

static void refused(void) {
  static const char *const rows[] = {"",
                                     "Sun, ",
                                     "784111777",
                                     "1994-11-06T08:49:37Z",
                                     "Sun, 06 Nov 1994 08:49:37",
                                     "Sun, 06 Nov 1994 08:49:37 UTC",
                                     "Sun, 06 Nov 1994 08:49:37 GMT+1",
                                     "Sun, 06 Nov 1994 08:49:37 GMTx",
                                     "Sun, 06 Nov 1994 08:49 GMT",
                                     "Sun, 06 Nov 1994 08:49:3x GMT",
                                     "Sun, 06 Nov 94 08:49:37 GMT",
                                     "Sun, 06 nov 1994 08:49:37 GMT",
                                     "Sun, 06 Nom 1994 08:49:37 GMT",
                                     "Sun, 6 Nov 1994 08:49:37 GMT",
                                     "Sun, 1  Nov 1994 08:49:37 GMT",
                                     "Sun, 06 Nov 1994  8:49:37 GMT",
                                     "Sun, 00 Nov 1994 08:49:37 GMT",
                                     "Sun, 31 Nov 1994 08:49:37 GMT",
                                     "Sun, 29 Feb 1900 08:49:37 GMT",
                                     "Sun, 06 Nov 1994 24:00:00 GMT",
                                     "Sun, 06 Nov 1994 08:60:37 GMT",
                                     "Sun,  06 Nov 1994 08:49:37 GMT",
                                     "Sun 06 Nov 1994 08:49:37 GMT",
                                     ", 06 Nov 1994 08:49:37 GMT",
                                     "06 Nov 1994 08:49:37 GMT",
                                     "Sunday, 06-Nov-1994 08:49:37 GMT",
                                     "Sun Nov  6 08:49:37 1994 GMT",
                                     "Sun Nov 6 08:49:37 1994"};
  int64_t ms = 42;
  for (size_t i = 0; i < LENGTH(rows); i++)
    CHECK(!ar_http_date_parse(ar_str_of(rows[i]), &ms) && ms == 42,
          "'%s' is no HTTP date", rows[i]);
}

/* No prefix of a date is one, and nothing behind its end is read. */
static void cut(void) {
  static const char whole[] = "Sun, 06 Nov 1994 08:49:37 GMT";
  for (size_t n = 0; n < sizeof whole - 1; n++) {
    char exact[sizeof whole];
    int64_t ms;
    memcpy(exact + sizeof exact - n, whole, n);
    CHECK(!ar_http_date_parse(ar_str_n(exact + sizeof exact - n, n), &ms),
          "%zu bytes of a date are none", n);
  }
}

/* What was read before changes nothing, be it the same or another text. */
static void repeated(void) {
  static const struct {
    const char *text;
    int64_t ms; /* 42: it is none */
  } rows[] = {
      {"", 42},
      {"Sun, 06 Nov 1994 08:49:37 GMT", INT64_C(784111777000)},
      {"Sun, 06 Nov 1994 08:49:37 GMT", INT64_C(784111777000)},
      {"Sun, 06 Nov 1994 08:49:38 GMT", INT64_C(784111778000)},
      {"Sun, 06 Nov 1994 24:49:38 GMT", 42},
      {"Sun, 06 Nov 1994 08:49:38 GMT", INT64_C(784111778000)},
      {"Sun, 06 Nov 1994 08:49:38 GM", 42},
      {"", 42},
      {"Sundaysundaysunday, 06-Nov-94 08:49:37 GMT", INT64_C(784111777000)},
      {"Sundaysundaysunday, 06-Nov-94 08:49:38 GMT", INT64_C(784111778000)},
      {"", 42},
      {"Sun, 06 Nov 1994 08:49:37 GMT", INT64_C(784111777000)}};
  struct ar_http_date last = {.n = 0};
  for (size_t i = 0; i < LENGTH(rows); i++) {
    int64_t ms = 42;
    bool read = ar_http_date_next(&last, ar_str_of(rows[i].text), &ms);
    CHECK(read == (rows[i].ms != 42) && ms == rows[i].ms,
          "row %zu '%s': %d, %lld ms", i, rows[i].text, read, (long long)ms);
  }
}

int main(void) {
  every_day();
  known();
  refused();
  cut();
  repeated();
  return checked();
}
