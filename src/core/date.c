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

void ar_date_basic(int64_t epoch, char out[AR_DATE_SIZE]) {
  int64_t days = epoch / 86400, second = epoch % 86400;
  /* Years that begin in March, counted in eras of 400, so that the leap day
     is the last day of a year. Days are from 0000-03-01. */
  int64_t from_march = days + 719468;
  int64_t era = from_march / 146097, of_era = from_march % 146097;
  int64_t year_of_era =
      (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
  int64_t of_year =
      of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  int64_t month_from_march = (5 * of_year + 2) / 153;
  int64_t day = of_year - (153 * month_from_march + 2) / 5 + 1;
  int64_t month =
      month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
  int64_t year = year_of_era + era * 400 + (month <= 2);
  out = digits(out, year, 4);
  out = digits(out, month, 2);
  out = digits(out, day, 2);
  *out++ = 'T';
  out = digits(out, second / 3600, 2);
  out = digits(out, second / 60 % 60, 2);
  out = digits(out, second % 60, 2);
  *out++ = 'Z';
  *out = '\0';
}
