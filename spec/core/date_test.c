/*
** Dates against libc's gmtime_r: every day of ten thousand years at some
** second, and the bounds.
*/
#define _GNU_SOURCE
#include "../../src/core/date.h"

#include <stdlib.h>
#include <time.h>

#include "check.h"

static void basic(int64_t epoch, char out[80]) {
  time_t t = (time_t)epoch;
  struct tm tm;
  gmtime_r(&t, &tm);
  snprintf(out, 80, "%04d%02d%02dT%02d%02d%02dZ", tm.tm_year + 1900,
           tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

static bool agree(int64_t epoch) {
  char expected[80], got[AR_DATE_SIZE];
  basic(epoch, expected);
  ar_date_basic(epoch, got);
  if (strcmp(expected, got) == 0) return true;
  printf("%lld: expected %s, got %s\n", (long long)epoch, expected, got);
  return false;
}

static void every_day(void) {
  int64_t wrong = 0;
  for (int64_t day = AR_MIN_EPOCH / 86400; day <= AR_MAX_EPOCH / 86400; day++)
    wrong += !agree(day * 86400 + (day - AR_MIN_EPOCH) * 7919 % 86400);
  CHECK(wrong == 0, "every day from the year 0 to 9999 is gmtime_r's");
}

static void edges(void) {
  static const int64_t seconds[] = {
      0,          1,          59,         60,         3599,
      3600,       86399,      86400,      951782399, /* 2000-02-28 */
      951782400,  951868799,  951868800,  1078012800, 4107542399,
      4107542400, /* 2100-03-01 */
      2147483647, 2147483648, 4294967295, 4294967296, AR_MAX_EPOCH};
  for (size_t i = 0; i < sizeof seconds / sizeof *seconds; i++)
    CHECK(agree(seconds[i]), "second %lld", (long long)seconds[i]);
}

static void known(void) {
  char out[AR_DATE_SIZE];
  ar_date_basic(1440938160, out);
  CHECK(strcmp(out, "20150830T123600Z") == 0, "the suite's second: %s", out);
  ar_date_basic(AR_MAX_EPOCH, out);
  CHECK(strcmp(out, "99991231T235959Z") == 0, "the last second: %s", out);
}

/* timegm takes back what ar_date_basic wrote. */
static void round_trip(void) {
  int64_t wrong = 0;
  for (int64_t epoch = 0; epoch <= AR_MAX_EPOCH; epoch += 9999991) {
    char out[AR_DATE_SIZE];
    struct tm tm = {.tm_isdst = 0};
    ar_date_basic(epoch, out);
    strptime(out, "%Y%m%dT%H%M%SZ", &tm);
    wrong += timegm(&tm) != (time_t)epoch;
  }
  CHECK(wrong == 0, "timegm reads back what was written");
}

static void iso(void) {
  static const struct {
    int64_t ms;
    const char *text;
  } rows[] = {{0, "1970-01-01T00:00:00Z"},
              {1, "1970-01-01T00:00:00.001Z"},
              {-1, "1969-12-31T23:59:59.999Z"},
              {-1000, "1969-12-31T23:59:59Z"},
              {1440938160500, "2015-08-30T12:36:00.500Z"},
              {951782400000, "2000-02-29T00:00:00Z"},
              {AR_MIN_EPOCH * 1000, "0000-01-01T00:00:00Z"},
              {AR_MAX_EPOCH * 1000 + 999, "9999-12-31T23:59:59.999Z"}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    char out[AR_DATE_ISO_SIZE];
    ar_date_iso(rows[i].ms, out);
    CHECK(strcmp(out, rows[i].text) == 0, "%s, not %s", rows[i].text, out);
  }
}

int main(void) {
  every_day();
  edges();
  known();
  round_trip();
  iso();
  return checked();
}
