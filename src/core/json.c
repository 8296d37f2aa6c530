/*
** Writing a JSON string, and the scan before a document is decoded.
*/
#include "json.h"

/* The letter of a two-character escape, or 0. */
static char short_escape(char c) {
  static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
  const char *at = c == '\0' ? NULL : strchr(from, c);
  return (char)(at ? to[at - from] : 0);
}

static void add_escape(struct ar_buf *out, char c) {
  char letter = short_escape(c);
  unsigned char byte = (unsigned char)c;
  ar_buf_addc(out, '\\');
  if (letter) {
    ar_buf_addc(out, letter);
  } else {
    ar_buf_addz(out, "u00");
    ar_buf_addhex(out, &byte, 1);
  }
}

static bool is_plain(char c) {
  return (unsigned char)c >= 0x20 && c != '"' && c != '\\' && c != 0x7F;
}

void ar_json_add_string(struct ar_buf *out, struct ar_str s) {
  ar_buf_addc(out, '"');
  for (size_t i = 0; i < s.n;) {
    size_t from = i;
    while (i < s.n && is_plain(s.p[i])) i++;
    ar_buf_add(out, s.p + from, i - from);
    if (i < s.n) add_escape(out, s.p[i++]);
  }
  ar_buf_addc(out, '"');
}

/* A word of eight times the same byte. */
#define EACH(byte) (UINT64_MAX / 255 * (uint64_t)(byte))

/* Sets the top bit of each byte whose other bits say 0x20 or more: adding 0x60
   carries into it from there on. */
static uint64_t mark_printable(uint64_t eight) {
  return (eight & EACH(0x7F)) + EACH(0x60);
}

/* Whether no byte needs a closer look: all are printable ASCII, or DEL. */
static bool is_printable(struct ar_str doc) {
  uint64_t eight[2], low = EACH(0x80), high = 0;
  const char *p = doc.p, *end = p + doc.n;
  for (; (size_t)(end - p) >= sizeof eight; p += sizeof eight) {
    memcpy(eight, p, sizeof eight);
    high |= eight[0] | eight[1];
    low &= mark_printable(eight[0]) & mark_printable(eight[1]);
  }
  for (; p < end; p++)
    if ((unsigned char)*p < 0x20 || (unsigned char)*p >= 0x80) return false;
  return (high & EACH(0x80)) == 0 && low == EACH(0x80);
}

/* The length of the UTF-8 sequence at `i` (RFC 3629), or 0. */
static size_t sequence(struct ar_str s, size_t i) {
  static const unsigned least[] = {0, 0, 0x80, 0x800, 0x10000};
  unsigned char lead = (unsigned char)s.p[i];
  size_t n = lead < 0x80   ? 1
             : lead < 0xC0 ? 0
             : lead < 0xE0 ? 2
             : lead < 0xF0 ? 3
             : lead < 0xF8 ? 4
                           : 0;
  unsigned code = n > 1 ? lead & (0x7Fu >> n) : lead;
  if (n == 0 || s.n - i < n) return 0;
  for (size_t k = 1; k < n; k++) {
    unsigned char next = (unsigned char)s.p[i + k];
    if ((next & 0xC0u) != 0x80u) return 0;
    code = code << 6 | (next & 0x3Fu);
  }
  if (code < least[n] || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000))
    return 0;
  return n;
}

/* What may stand in a string: no control characters, valid UTF-8. */
static bool is_text(struct ar_str s) {
  for (size_t i = 0, n; i < s.n; i += n) {
    n = sequence(s, i);
    if (n == 0 || (unsigned char)s.p[i] < 0x20) return false;
  }
  return true;
}

static bool is_word(char c) {
  return ar_is_alpha(c) || ar_is_digit(c) || c == '+' || c == '-' || c == '.';
}

/* The quote that closes the string whose text begins at `p`, or `end`; one
   behind an odd number of backslashes belongs to the text. */
static const char *closing_quote(const char *p, const char *end) {
  for (;; p++) {
    const char *slashes = p = memchr(p, '"', (size_t)(end - p));
    if (p == NULL) return end;
    while (slashes[-1] == '\\') slashes--; /* the opening quote is none */
    if ((p - slashes) % 2 == 0) return p;
  }
}

static const char *skip_digits(const char *p, const char *end) {
  while (p < end && ar_is_digit(*p)) p++;
  return p;
}

/* What the digits up to `end` say, or some number that is too large anyway. */
static size_t exponent_of(const char *p, const char *end) {
  size_t exponent = 0;
  while (p < end && exponent < 10000)
    exponent = exponent * 10 + (size_t)(*p++ - '0');
  return exponent;
}

/* The end of the exponent whose e is at `p`, or NULL; adds it to `digits`, but
   for a negative one. */
static const char *skip_exponent(const char *p, const char *end,
                                 size_t *digits) {
  bool negative = ++p < end && *p == '-';
  const char *from = p + (p < end && (*p == '-' || *p == '+'));
  p = skip_digits(from, end);
  if (!negative) *digits += exponent_of(from, p);
  return p > from ? p : NULL;
}

/* The end of the number that begins at `p`, or NULL where none does, or one of
   1e308 and above, which may be infinity as a double. */
static const char *skip_number(const char *p, const char *end) {
  const char *from = p + (*p == '-');
  size_t digits = (size_t)((p = skip_digits(from, end)) - from);
  if (digits == 0 || (digits > 1 && *from == '0')) return NULL;
  if (p < end && *p == '.') {
    from = p + 1;
    p = skip_digits(from, end);
    if (p == from) return NULL;
  }
  if (p < end && ar_lower(*p) == 'e') p = skip_exponent(p, end, &digits);
  return digits <= 308 ? p : NULL;
}

/* The end of `word` if it begins at `p`, or NULL. */
static const char *skip_name(const char *p, const char *end,
                             struct ar_str word) {
  bool same = (size_t)(end - p) >= word.n && memcmp(p, word.p, word.n) == 0;
  return same ? p + word.n : NULL;
}

/* The end of the number or the name that begins at `p`, or NULL where none of
   JSON's does. */
static const char *skip_word(const char *p, const char *end, bool *nulls) {
  const char *after;
  switch (*p) {
    case 't':
      after = skip_name(p, end, AR_STR("true"));
      break;
    case 'f':
      after = skip_name(p, end, AR_STR("false"));
      break;
    case 'n':
      after = skip_name(p, end, AR_STR("null"));
      *nulls = true;
      break;
    default:
      after = skip_number(p, end);
  }
  return after != NULL && after < end && is_word(*after) ? NULL : after;
}

bool ar_json_is_sane(struct ar_str doc, size_t max_depth, size_t max_members,
                     bool *nulls) {
  size_t depth = 0, members = 0;
  bool printable = is_printable(doc);
  const char *p = doc.p, *end = p + doc.n;
  *nulls = false;
  while (p < end) {
    const char *from = p++;
    char c = *from;
    if (c == '"') {
      p = closing_quote(from + 1, end);
      if (!printable && !is_text(ar_str_n(from + 1, (size_t)(p - from - 1))))
        return false;
      p += p < end;
    } else if (c == ',') {
      if (++members > max_members) return false;
    } else if (c == '{' || c == '[') {
      if (++depth > max_depth || ++members > max_members) return false;
    } else if (c == '}' || c == ']') {
      depth -= depth > 0;
    } else if (c != ':' && !ar_is_space(c)) {
      p = skip_word(from, end, nulls);
      if (p == NULL) return false;
    }
  }
  return true;
}
