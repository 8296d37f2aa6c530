/*
** Times as AWS writes them.
*/
#include "date.h"

/* Writes `value` as `width` decimal digits. */
static char *digits(char *out, int64_t value, int width) {
  for (int i = width - 1; i >= 0; i--, value /= 10)
    out[i] = (char)('0' + value % 10);
  return out + width;
}

/* Division that rounds down, for times before 1970 too. */
static int64_t floor_div(int64_t a, int64_t b) {
  return a / b - (a % b < 0);
}

struct date {
  int64_t year, month, day, second; /* of the day */
};

/*
** Years that begin in March, counted in eras of 400, so that the leap day is
** the last day of a year. Days are from 0000-03-01.
*/
static struct date split(int64_t epoch) {
  int64_t days = floor_div(epoch, 86400), from_march = days + 719468;
  int64_t era = floor_div(from_march, 146097);
  int64_t of_era = from_march - era * 146097;
  int64_t year_of_era =
      (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
  int64_t of_year =
      of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  int64_t month_from_march = (5 * of_year + 2) / 153;
  int64_t month =
      month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
  return (struct date){year_of_era + era * 400 + (month <= 2), month,
                       of_year - (153 * month_from_march + 2) / 5 + 1,
                       epoch - days * 86400};
}

/* The three parts of a date or a time, with `between` them unless it is 0. */
static char *parts(char *out, int64_t a, int width, int64_t b, int64_t c,
                   char between) {
  out = digits(out, a, width);
  if (between) *out++ = between;
  out = digits(out, b, 2);
  if (between) *out++ = between;
  return digits(out, c, 2);
}

static char *write(char *out, int64_t epoch, bool extended) {
  struct date d = split(epoch);
  out = parts(out, d.year, 4, d.month, d.day, (char)(extended ? '-' : 0));
  *out++ = 'T';
  return parts(out, d.second / 3600, 2, d.second / 60 % 60, d.second % 60,
               (char)(extended ? ':' : 0));
}

void ar_date_basic(int64_t epoch, char out[AR_DATE_SIZE]) {
  out = write(out, epoch, false);
  *out++ = 'Z';
  *out = '\0';
}

void ar_date_iso(int64_t epoch_ms, char out[AR_DATE_ISO_SIZE]) {
  int64_t epoch = floor_div(epoch_ms, 1000), ms = epoch_ms - epoch * 1000;
  out = write(out, epoch, true);
  if (ms > 0) {
    *out++ = '.';
    out = digits(out, ms, 3);
  }
  *out++ = 'Z';
  *out = '\0';
}
