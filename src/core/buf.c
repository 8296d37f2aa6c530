/*
** Growing byte buffers with a ceiling.
*/
#include "buf.h"

#include <stdlib.h>

/* memset through a pointer that the compiler cannot see through. */
static void *(*const volatile wipe_memset)(void *, int, size_t) = memset;

void ar_wipe(void *p, size_t n) {
  if (n > 0) wipe_memset(p, 0, n);
}

void ar_buf_init(struct ar_buf *b, size_t limit) {
  *b = (struct ar_buf){.limit = limit};
}

void ar_buf_reset(struct ar_buf *b) {
  b->n = 0;
  b->failed = AR_OK;
  if (b->p) b->p[0] = '\0';
}

void ar_buf_free(struct ar_buf *b) {
  if (b->p) ar_wipe(b->p, b->cap);
  free(b->p);
  ar_buf_init(b, b->limit);
}

void ar_buf_clear(struct ar_buf *b, size_t most) {
  if (b->cap > most) {
    ar_buf_free(b);
    return;
  }
  if (b->p) ar_wipe(b->p, b->cap);
  ar_buf_reset(b);
}

static int fail(struct ar_buf *b, enum ar_code code) {
  b->failed = code;
  return (int)code;
}

/* Small at first, for there are many, then in leaps, for each is a copy. */
static size_t next_capacity(const struct ar_buf *b, size_t need) {
  size_t cap = b->cap == 0 ? 64 : b->cap < 512 ? 1024 : 2 * b->cap;
  return cap < need ? need : cap;
}

/* Makes room for `more` bytes and the NUL, unless they must not be added. */
static int grow(struct ar_buf *b, size_t more) {
  size_t cap;
  char *p;
  if (b->failed) return (int)b->failed;
  if (more > b->limit - b->n) return fail(b, AR_E_TOO_LARGE);
  cap = next_capacity(b, b->n + more + 1);
  p = malloc(cap);
  if (p == NULL) return fail(b, AR_E_MEMORY);
  if (b->p) {
    memcpy(p, b->p, b->n);
    ar_wipe(b->p, b->cap);
    free(b->p);
  }
  b->p = p;
  b->cap = cap;
  return AR_OK;
}

/* Makes the buffer `n` bytes longer, which the caller fills in; or NULL. */
static inline char *extend(struct ar_buf *b, size_t n) {
  bool fits = !b->failed && n <= b->limit - b->n && n < b->cap - b->n;
  char *p;
  if (!fits && grow(b, n) != AR_OK) return NULL;
  p = b->p + b->n;
  b->n += n;
  p[n] = '\0';
  return p;
}

int ar_buf_add(struct ar_buf *b, const void *p, size_t n) {
  char *to = extend(b, n);
  if (to == NULL) return (int)b->failed;
  if (n > 0) memcpy(to, p, n);
  return AR_OK;
}

int ar_buf_addb(struct ar_buf *b, const struct ar_buf *from) {
  if (from->failed && !b->failed) return fail(b, from->failed);
  return ar_buf_adds(b, ar_buf_str(from));
}

int ar_buf_addlower(struct ar_buf *b, struct ar_str s) {
  char *to = extend(b, s.n);
  if (to == NULL) return (int)b->failed;
  for (size_t i = 0; i < s.n; i++) to[i] = ar_lower(s.p[i]);
  return AR_OK;
}

int ar_buf_addi(struct ar_buf *b, int64_t value) {
  char digits[24];
  size_t at = sizeof digits;
  uint64_t left = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
  do {
    digits[--at] = (char)('0' + left % 10);
    left /= 10;
  } while (left > 0);
  if (value < 0) digits[--at] = '-';
  return ar_buf_add(b, digits + at, sizeof digits - at);
}

int ar_buf_addhex(struct ar_buf *b, const unsigned char *p, size_t n) {
  char *to = extend(b, 2 * n);
  if (to == NULL) return (int)b->failed;
  ar_hex(p, n, to);
  return AR_OK;
}

int ar_buf_check(const struct ar_buf *b, struct ar_err *err) {
  if (b->failed == AR_E_TOO_LARGE)
    return ar_fail(err, AR_E_TOO_LARGE, "more than %zu bytes", b->limit);
  return b->failed ? ar_fail_memory(err) : AR_OK;
}
