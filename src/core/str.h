/*
** Slices: pointer and length into memory that somebody else owns, and the
** ASCII rules of HTTP. Nothing here knows a locale or allocates.
*/
#ifndef ar_str_h
#define ar_str_h

#include "base.h"

#include <string.h>

AR_HIDDEN

struct ar_str {
  const char *p;
  size_t n;
};

/* The slice of a literal: as an initialiser, and as a value. */
#define AR_STR_INIT(literal) \
  { "" literal, sizeof(literal) - 1 }
#define AR_STR(literal) ((struct ar_str)AR_STR_INIT(literal))

/* The slice of a NUL-terminated text; NULL gives the empty slice. */
static inline struct ar_str ar_str_of(const char *s) {
  return (struct ar_str){s ? s : "", s ? strlen(s) : 0};
}

static inline struct ar_str ar_str_n(const char *p, size_t n) {
  return (struct ar_str){p, n};
}

/* What stands from `at` on; empty when `at` is past the end. */
static inline struct ar_str ar_str_from(struct ar_str s, size_t at) {
  return at < s.n ? ar_str_n(s.p + at, s.n - at) : ar_str_n(s.p + s.n, 0);
}

static inline char ar_lower(char c) {
  return (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

static inline bool ar_is_digit(char c) {
  return c >= '0' && c <= '9';
}

static inline bool ar_is_alpha(char c) {
  return ar_lower(c) >= 'a' && ar_lower(c) <= 'z';
}

static inline bool ar_is_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The value of a hexadecimal digit, or -1. */
int ar_hex_value(char c);

/* Writes bytes as lower-case hexadecimal digits, 2 * n and no NUL. */
void ar_hex(const unsigned char *p, size_t n, char *out);

static inline bool ar_str_eq(struct ar_str a, struct ar_str b) {
  return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* Whether `n` bytes are equal but for the case of ASCII letters. */
bool ar_ieq(const char *a, const char *b, size_t n);

/* Equal but for the case of ASCII letters, as header names are compared. */
static inline bool ar_str_ieq(struct ar_str a, struct ar_str b) {
  return a.n == b.n && ar_ieq(a.p, b.p, a.n);
}

/* Order by bytes, as strcmp does: below, at or above zero. */
int ar_str_cmp(struct ar_str a, struct ar_str b);

/* The index of the first `c` at or after `from`, or s.n. */
static inline size_t ar_str_find(struct ar_str s, char c, size_t from) {
  const char *at =
      from < s.n ? memchr(s.p + from, (unsigned char)c, s.n - from) : NULL;
  return at ? (size_t)(at - s.p) : s.n;
}

/* Without the whitespace at both ends. */
struct ar_str ar_str_trim(struct ar_str s);

/*
** Reads decimal digits and nothing else, at most 15 of them, so that seconds
** may be made milliseconds. False leaves `value` alone.
*/
bool ar_str_to_int(struct ar_str s, int64_t *value);

/* Whether a control character (C0 or DEL) stands in `s`. */
bool ar_str_has_control(struct ar_str s);

/* Whether whitespace stands in `s`. */
bool ar_str_has_space(struct ar_str s);

/*
** How many letters must be changed, added or taken away to make `b` of `a`,
** in any case (Levenshtein); SIZE_MAX for texts of over 64 bytes.
*/
size_t ar_str_distance(struct ar_str a, struct ar_str b);

AR_HIDDEN_END

#endif
