/*
** Slices: comparison, search, trimming.
*/
#include "str.h"

int ar_hex_value(char c) {
  if (ar_is_digit(c)) return c - '0';
  c = ar_lower(c);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void ar_hex(const unsigned char *p, size_t n, char *out) {
  static const char digits[] = "0123456789abcdef";
  for (size_t i = 0; i < n; i++) {
    *out++ = digits[p[i] >> 4];
    *out++ = digits[p[i] & 15];
  }
}

bool ar_ieq(const char *a, const char *b, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (ar_lower(a[i]) != ar_lower(b[i])) return false;
  return true;
}

int ar_str_cmp(struct ar_str a, struct ar_str b) {
  size_t n = a.n < b.n ? a.n : b.n;
  int order = n ? memcmp(a.p, b.p, n) : 0;
  if (order != 0) return order;
  return (a.n > b.n) - (a.n < b.n);
}

struct ar_str ar_str_trim(struct ar_str s) {
  while (s.n > 0 && ar_is_space(s.p[0])) s.p++, s.n--;
  while (s.n > 0 && ar_is_space(s.p[s.n - 1])) s.n--;
  return s;
}

bool ar_str_to_int(struct ar_str s, int64_t *value) {
  int64_t n = 0;
  if (s.n == 0 || s.n > 15) return false;
  for (size_t i = 0; i < s.n; i++) {
    if (!ar_is_digit(s.p[i])) return false;
    n = n * 10 + (s.p[i] - '0');
  }
  *value = n;
  return true;
}

/*
** Looked at in blocks and without a branch, which compilers turn into vectors:
** a session token is long.
*/
#define BLOCK 16

static inline unsigned char is_control(char c) {
  return ((unsigned char)c < 0x20) | (c == 0x7F);
}

static inline unsigned char is_space(char c) {
  return (c == ' ') | ((unsigned char)(c - '\t') <= '\r' - '\t');
}

static inline bool has(struct ar_str s, unsigned char (*is)(char)) {
  unsigned char found = 0;
  size_t i = 0;
  for (; s.n - i >= BLOCK; i += BLOCK)
    for (size_t k = 0; k < BLOCK; k++) found |= is(s.p[i + k]);
  for (; i < s.n; i++) found |= is(s.p[i]);
  return found != 0;
}

bool ar_str_has_control(struct ar_str s) {
  return has(s, is_control);
}

bool ar_str_has_space(struct ar_str s) {
  return has(s, is_space);
}

static size_t least(size_t a, size_t b, size_t c) {
  size_t ab = a < b ? a : b;
  return ab < c ? ab : c;
}

size_t ar_str_distance(struct ar_str a, struct ar_str b) {
  size_t row[65];
  if (a.n > 64 || b.n > 64) return SIZE_MAX;
  for (size_t k = 0; k <= b.n; k++) row[k] = k;
  for (size_t i = 1; i <= a.n; i++) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t k = 1; k <= b.n; k++) {
      size_t changed =
          diagonal + (ar_lower(a.p[i - 1]) != ar_lower(b.p[k - 1]));
      diagonal = row[k];
      row[k] = least(row[k] + 1, row[k - 1] + 1, changed);
    }
  }
  return row[b.n];
}
