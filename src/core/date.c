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

/* Reads exactly `width` digits from `*rest`. */
static bool take_number(struct ar_str *rest, size_t width, int64_t *value) {
  *value = 0;
  if (rest->n < width) return false;
  for (size_t i = 0; i < width; i++) {
    if (!ar_is_digit(rest->p[i])) return false;
    *value = *value * 10 + (rest->p[i] - '0');
  }
  *rest = ar_str_from(*rest, width);
  return true;
}

static bool take(struct ar_str *rest, char c) {
  if (rest->n == 0 || rest->p[0] != c) return false;
  *rest = ar_str_from(*rest, 1);
  return true;
}

/* What `parts` writes. */
static bool take_parts(struct ar_str *rest, size_t width, char between,
                       int64_t part[3]) {
  return take_number(rest, width, &part[0]) &&
         (!between || take(rest, between)) && take_number(rest, 2, &part[1]) &&
         (!between || take(rest, between)) && take_number(rest, 2, &part[2]);
}

static int64_t days_in(int64_t year, int64_t month) {
  static const char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  return days[month - 1] + (month == 2 && leap);
}

/* Days since 1970, the inverse of `split`. */
static int64_t days_until(int64_t year, int64_t month, int64_t day) {
  int64_t from_march = (month + 9) % 12;
  year -= month <= 2;
  return 365 * year + floor_div(year, 4) - floor_div(year, 100) +
         floor_div(year, 400) + (153 * from_march + 2) / 5 + day - 1 - 719468;
}

/* The date and the time of the day, as seconds since 1970 in UTC. */
static bool take_second(struct ar_str *rest, int64_t *epoch) {
  bool extended = rest->n > 4 && rest->p[4] == '-';
  int64_t date[3], time[3];
  if (!take_parts(rest, 4, (char)(extended ? '-' : 0), date) ||
      !take(rest, 'T') ||
      !take_parts(rest, 2, (char)(extended ? ':' : 0), time))
    return false;
  if (date[1] < 1 || date[1] > 12 || date[2] < 1 ||
      date[2] > days_in(date[0], date[1]))
    return false;
  *epoch = days_until(date[0], date[1], date[2]) * 86400 + time[0] * 3600 +
           time[1] * 60 + time[2];
  return time[0] < 24 && time[1] < 60 && time[2] < 60;
}

/* A fraction, if there is one: its milliseconds. */
static bool take_fraction(struct ar_str *rest, int64_t *ms) {
  int64_t scale = 100;
  *ms = 0;
  if (!take(rest, '.')) return true;
  if (rest->n == 0 || !ar_is_digit(rest->p[0])) return false;
  for (; rest->n > 0 && ar_is_digit(rest->p[0]); scale /= 10) {
    *ms += scale * (rest->p[0] - '0');
    *rest = ar_str_from(*rest, 1);
  }
  return true;
}

/* What is left, all of it: how many seconds the time is ahead of UTC. */
static bool take_offset(struct ar_str rest, int64_t *seconds) {
  bool behind = rest.n > 0 && rest.p[0] == '-';
  int64_t hours, minutes;
  *seconds = 0;
  if (ar_str_eq(rest, AR_STR("Z")) || ar_str_eq(rest, AR_STR("UTC")))
    return true;
  if (!(take(&rest, '+') || take(&rest, '-')) ||
      !take_number(&rest, 2, &hours))
    return false;
  take(&rest, ':');
  if (!take_number(&rest, 2, &minutes)) return false;
  *seconds = (hours * 60 + minutes) * (behind ? -60 : 60);
  return hours < 24 && minutes < 60 && rest.n == 0;
}

bool ar_date_parse(struct ar_str text, int64_t *epoch_ms) {
  int64_t epoch, ms, offset;
  if (!take_second(&text, &epoch) || !take_fraction(&text, &ms) ||
      !take_offset(text, &offset))
    return false;
  epoch -= offset;
  *epoch_ms = epoch * 1000 + ms;
  return epoch >= AR_MIN_EPOCH && epoch <= AR_MAX_EPOCH;
}
