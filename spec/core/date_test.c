/*
** Dates against libc's gmtime_r: every day of ten thousand years at some
** second, and the bounds. What is written is read back.
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
  for (int64_t day = AR_MIN_EPOCH / 86400; day <= AR_MAX_EPOCH / 86400;
       day += check_stride())
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

static void parse_good(void) {
  static const struct {
    const char *text;
    int64_t ms;
  } rows[] = {{"1970-01-01T00:00:00Z", 0},
              {"2015-08-30T12:36:00Z", 1440938160000},
              {"20150830T123600Z", 1440938160000},
              {"2015-08-30T12:36:00UTC", 1440938160000},
              {"2015-08-30T12:36:00+00:00", 1440938160000},
              {"2015-08-30T12:36:00-00:00", 1440938160000},
              {"2015-08-30T14:06:00+01:30", 1440938160000},
              {"2015-08-30T11:06:00-0130", 1440938160000},
              {"20150830T143600.5+0200", 1440938160500},
              {"2015-08-30T12:36:00.5Z", 1440938160500},
              {"2015-08-30T12:36:00.05Z", 1440938160050},
              {"2015-08-30T12:36:00.123Z", 1440938160123},
              {"2015-08-30T12:36:00.1239999999999999999999Z", 1440938160123},
              {"2015-08-30T12:36:00.000999+00:00", 1440938160000},
              {"1969-12-31T23:59:59.999Z", -1},
              {"2000-02-29T00:00:00Z", 951782400000},
              {"2024-02-29T23:59:59Z", 1709251199000},
              {"2026-12-31T23:30:00-01:00", 1798763400000},
              {"0000-01-01T00:00:00Z", AR_MIN_EPOCH * 1000},
              {"9999-12-31T23:59:59.999Z", AR_MAX_EPOCH * 1000 + 999}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    int64_t ms = 7;
    CHECK(ar_date_parse(ar_str_of(rows[i].text), &ms) && ms == rows[i].ms,
          "%s is %lld, not %lld", rows[i].text, (long long)rows[i].ms,
          (long long)ms);
  }
}

static void parse_bad(void) {
  static const char *const rows[] = {"",
                                     "Z",
                                     "now",
                                     "1440938160",
                                     "2026-01-02",
                                     "2026-01-02T03:04:05",
                                     "2026-01-02T03:04Z",
                                     "2026-01-02T03:04:05ZZ",
                                     "2026-01-02T03:04:05Z ",
                                     " 2026-01-02T03:04:05Z",
                                     "2026-01-02 03:04:05Z",
                                     "2026-01-02t03:04:05z",
                                     "2026-1-2T03:04:05Z",
                                     "+026-01-02T03:04:05Z",
                                     "12026-01-02T03:04:05Z",
                                     "2026-01-02T030405Z",
                                     "20260102T03:04:05Z",
                                     "2026-0102T03:04:05Z",
                                     "2026/01/02T03:04:05Z",
                                     "2026-00-02T03:04:05Z",
                                     "2026-13-02T03:04:05Z",
                                     "2026-01-00T03:04:05Z",
                                     "2026-01-32T03:04:05Z",
                                     "2026-04-31T03:04:05Z",
                                     "2026-02-29T03:04:05Z",
                                     "2100-02-29T03:04:05Z",
                                     "2024-02-30T03:04:05Z",
                                     "2026-01-02T24:00:00Z",
                                     "2026-01-02T03:60:05Z",
                                     "2026-01-02T03:04:60Z",
                                     "2026-01-02T03:04:05.Z",
                                     "2026-01-02T03:04:05,5Z",
                                     "2026-01-02T03:04:05.5",
                                     "2026-01-02T03:04:05+",
                                     "2026-01-02T03:04:05+01",
                                     "2026-01-02T03:04:05+1:00",
                                     "2026-01-02T03:04:05+01:",
                                     "2026-01-02T03:04:05+01:0",
                                     "2026-01-02T03:04:05+24:00",
                                     "2026-01-02T03:04:05+00:60",
                                     "2026-01-02T03:04:05+-1:00",
                                     "2026-01-02T03:04:05+00:00Z",
                                     "2026-01-02T03:04:05GMT",
                                     "2026-01-02T03:04:05utc",
                                     "0000-01-01T00:00:00+00:01",
                                     "9999-12-31T23:59:59-00:01"};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    int64_t ms;
    CHECK(!ar_date_parse(ar_str_of(rows[i]), &ms), "'%s' is refused", rows[i]);
  }
}

/* Every beginning of a time is refused, and read within bounds. */
static void parse_cut(void) {
  static const char whole[] = "2026-01-02T03:04:05.678+01:30";
  for (size_t n = 0; n < sizeof whole - 1; n++) {
    int64_t ms;
    CHECK(!ar_date_parse(ar_str_n(whole, n), &ms), "'%.*s' is refused", (int)n,
          whole);
  }
}

/* Every day there is, at some millisecond, in both forms. */
static void parse_written(void) {
  int64_t wrong = 0;
  for (int64_t day = AR_MIN_EPOCH / 86400; day <= AR_MAX_EPOCH / 86400;
       day += check_stride()) {
    int64_t ms = day * 86400000 + (day - AR_MIN_EPOCH) * 7919 % 86400000;
    int64_t second = (ms - (ms % 1000 + 1000) % 1000) / 1000, read;
    char iso_text[AR_DATE_ISO_SIZE], basic_text[AR_DATE_SIZE];
    ar_date_iso(ms, iso_text);
    ar_date_basic(second, basic_text);
    wrong += !ar_date_parse(ar_str_of(iso_text), &read) || read != ms;
    wrong +=
        !ar_date_parse(ar_str_of(basic_text), &read) || read != second * 1000;
  }
  CHECK(wrong == 0, "every day that was written is read back");
}

int main(void) {
  every_day();
  edges();
  known();
  round_trip();
  iso();
  parse_good();
  parse_bad();
  parse_cut();
  parse_written();
  return checked();
}
