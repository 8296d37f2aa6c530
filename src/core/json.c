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

/* Whether an odd number of backslashes stands before the byte at `i`. */
static bool is_escaped(struct ar_str doc, size_t i) {
  size_t from = i;
  while (from > 0 && doc.p[from - 1] == '\\') from--;
  return (i - from) % 2 == 1;
}

/* A word of eight times the same byte. */
#define EACH(byte) (UINT64_MAX / 255 * (uint64_t)(byte))

/* Whether no byte needs a closer look: all are printable ASCII, or DEL. Eight
   at a time: adding 0x60 carries into the top bit from 0x20 on. */
static bool is_printable(struct ar_str doc) {
  uint64_t eight, low = EACH(0x80), high = 0;
  size_t i = 0;
  for (; doc.n - i >= sizeof eight; i += sizeof eight) {
    memcpy(&eight, doc.p + i, sizeof eight);
    high |= eight;
    low &= (eight & EACH(0x7F)) + EACH(0x60);
  }
  for (; i < doc.n; i++) {
    unsigned char c = (unsigned char)doc.p[i];
    if (c < 0x20 || c >= 0x80) return false;
  }
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

/* The index of the quote that closes the string that begins at `i`. */
static size_t skip_string(struct ar_str doc, size_t i) {
  do i = ar_str_find(doc, '"', i + 1);
  while (i < doc.n && is_escaped(doc, i));
  return i;
}

static bool is_word(char c) {
  return ar_is_alpha(c) || ar_is_digit(c) || c == '+' || c == '-' || c == '.';
}

/* Whether a number is below 1e308, and so no infinity as a double. */
static bool is_finite(struct ar_str word) {
  size_t digits = 0, i = 0;
  int exponent = 0;
  bool negative;
  while (i < word.n && ar_is_digit(word.p[i])) digits++, i++;
  while (i < word.n && ar_lower(word.p[i]) != 'e') i++;
  negative = i + 1 < word.n && word.p[i + 1] == '-';
  for (; i < word.n; i++)
    if (ar_is_digit(word.p[i]) && exponent < 10000)
      exponent = exponent * 10 + (word.p[i] - '0');
  return negative ? digits < 10000 : digits + (size_t)exponent <= 308;
}

/* true, false, or what begins as a number and has no letter but e. */
static bool is_literal(struct ar_str word) {
  if (ar_str_eq(word, AR_STR("true")) || ar_str_eq(word, AR_STR("false")))
    return true;
  for (size_t i = 0; i < word.n; i++)
    if (ar_is_alpha(word.p[i]) && (ar_lower(word.p[i]) != 'e' || i == 0))
      return false;
  if (word.p[0] == '-') word = ar_str_from(word, 1);
  return word.n > 0 && ar_is_digit(word.p[0]) && is_finite(word) &&
         !(word.n > 1 && word.p[0] == '0' && ar_is_digit(word.p[1]));
}

/* The index of the last byte of the word that begins at `i`, or doc.n when it
   is not one of JSON's. */
static size_t skip_word(struct ar_str doc, size_t i, bool *nulls) {
  size_t from = i;
  struct ar_str word;
  while (i < doc.n && is_word(doc.p[i])) i++;
  word = ar_str_n(doc.p + from, i - from);
  if (ar_str_eq(word, AR_STR("null")))
    *nulls = true;
  else if (!is_literal(word))
    return doc.n;
  return i - 1;
}

bool ar_json_is_sane(struct ar_str doc, size_t max_depth, size_t max_members,
                     bool *nulls) {
  size_t depth = 0, members = 0;
  bool printable = is_printable(doc);
  *nulls = false;
  for (size_t i = 0; i < doc.n; i++) {
    char c = doc.p[i];
    if (c == '"') {
      size_t from = i + 1;
      i = skip_string(doc, i);
      if (!printable && !is_text(ar_str_n(doc.p + from, i - from)))
        return false;
    } else if (c == '\0') {
      return false;
    } else if (c == '{' || c == '[') {
      if (++depth > max_depth || ++members > max_members) return false;
    } else if (c == '}' || c == ']') {
      depth -= depth > 0;
    } else if (c == ',') {
      if (++members > max_members) return false;
    } else if (is_word(c)) {
      i = skip_word(doc, i, nulls);
      if (i == doc.n) return false;
    }
  }
  return true;
}
