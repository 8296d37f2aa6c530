/*
** Times as HTTP headers write them: put in the order of ISO 8601, and read as
** such.
*/
#include "http_date.h"

#include "date.h"

/* A field stands for what `numbers` says, or a `w`ord, or a `m`onth's name. */
static const char *const forms[] = {"w, d m Y h:i:s GMT", "w, d-m-y h:i:s GMT",
                                    "w m d h:i:s Y"};

/* Where the digits of a field go in "YYYYMMDDTHHMMSSZ". */
static const struct number {
  char field;
  size_t at, width;
} numbers[] = {{'Y', 0, 4}, {'y', 2, 2},  {'d', 6, 2},
               {'h', 9, 2}, {'i', 11, 2}, {'s', 13, 2}};

static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

static bool take_word(struct ar_str *rest) {
  size_t n = 0;
  while (n < rest->n && ar_is_alpha(rest->p[n])) n++;
  *rest = ar_str_from(*rest, n);
  return n > 0;
}

static bool take_month(struct ar_str *rest, char out[2]) {
  for (size_t i = 0; i < 12; i++) {
    if (rest->n < 3 || memcmp(rest->p, months + 3 * i, 3) != 0) continue;
    out[0] = (char)('0' + (i + 1) / 10);
    out[1] = (char)('0' + (i + 1) % 10);
    *rest = ar_str_from(*rest, 3);
    return true;
  }
  return false;
}

/* Digits; the first may be a space, as in a day of the old form. */
static bool take_number(struct ar_str *rest, const struct number *number,
                        char *out) {
  if (rest->n < number->width) return false;
  for (size_t i = 0; i < number->width; i++) {
    char c = rest->p[i];
    if (i == 0 && c == ' ' && number->field == 'd') c = '0';
    if (!ar_is_digit(c)) return false;
    out[number->at + i] = c;
  }
  if (number->field == 'y') memcpy(out, out[2] < '7' ? "20" : "19", 2);
  *rest = ar_str_from(*rest, number->width);
  return true;
}

static bool take_field(struct ar_str *rest, char field, char *out) {
  if (field == 'w') return take_word(rest);
  if (field == 'm') return take_month(rest, out + 4);
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
    if (numbers[i].field == field) return take_number(rest, &numbers[i], out);
  if (rest->n == 0 || rest->p[0] != field) return false;
  *rest = ar_str_from(*rest, 1);
  return true;
}

static bool take_form(struct ar_str text, const char *form, char *out) {
  for (; *form; form++)
    if (!take_field(&text, *form, out)) return false;
  return text.n == 0;
}

bool ar_http_date_parse(struct ar_str text, int64_t *epoch_ms) {
  for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
    char iso[AR_DATE_SIZE] = "        T      Z";
    if (take_form(text, forms[i], iso))
      return ar_date_parse(ar_str_n(iso, sizeof iso - 1), epoch_ms);
  }
  return false;
}

bool ar_http_date_next(struct ar_http_date *last, struct ar_str text,
                       int64_t *epoch_ms) {
  if (text.n == 0 || !ar_str_eq(text, ar_str_n(last->text, last->n))) {
    last->n = 0;
    if (!ar_http_date_parse(text, &last->epoch_ms)) return false;
    if (text.n <= sizeof last->text) last->n = text.n;
    memcpy(last->text, text.p, last->n);
  }
  *epoch_ms = last->epoch_ms;
  return true;
}
