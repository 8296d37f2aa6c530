/*
** Growing byte buffers with a ceiling.
**
** A buffer that is all zero but for its limit is empty and owns nothing. The
** first failure sticks: later additions do nothing, and whoever built the
** text asks once, at the end, with ar_buf_check. The bytes are followed by a
** NUL that does not count. Old memory is wiped before it is given back, on
** growth too, so that a secret may stand in any buffer.
*/
#ifndef ar_buf_h
#define ar_buf_h

#include "fail.h"
#include "str.h"

AR_HIDDEN

struct ar_buf {
  char *p;      /* NULL while nothing was added */
  size_t n;     /* bytes in use */
  size_t cap;   /* bytes allocated, the NUL among them */
  size_t limit; /* most bytes that `n` may reach */
  enum ar_code failed;
};

/* An empty buffer; cannot fail. */
void ar_buf_init(struct ar_buf *b, size_t limit);

/* Empties the buffer, keeps its memory and forgets a failure. */
void ar_buf_reset(struct ar_buf *b);

/* Wipes and frees; the buffer is empty then and may be used again. */
void ar_buf_free(struct ar_buf *b);

/* The same, but keeps memory of at most `most` bytes. */
void ar_buf_clear(struct ar_buf *b, size_t most);

/*
** Adds bytes. AR_OK; AR_E_TOO_LARGE beyond the limit; AR_E_MEMORY. The
** result may be ignored, since it sticks.
*/
int ar_buf_add(struct ar_buf *b, const void *p, size_t n);

static inline int ar_buf_addc(struct ar_buf *b, char c) {
  if (b->failed || b->n >= b->limit || b->n + 2 > b->cap)
    return ar_buf_add(b, &c, 1);
  b->p[b->n++] = c;
  b->p[b->n] = '\0';
  return AR_OK;
}

static inline int ar_buf_adds(struct ar_buf *b, struct ar_str s) {
  return ar_buf_add(b, s.p, s.n);
}

/* Adds what `from` holds, and takes over its failure. */
int ar_buf_addb(struct ar_buf *b, const struct ar_buf *from);

/* ar_buf_adds for a NUL-terminated text; a literal's length is known. */
static inline int ar_buf_addz(struct ar_buf *b, const char *s) {
  return ar_buf_add(b, s, strlen(s));
}

/* ar_buf_adds with the letters in lower case. */
int ar_buf_addlower(struct ar_buf *b, struct ar_str s);

/* Adds a decimal number. */
int ar_buf_addi(struct ar_buf *b, int64_t value);

/* Adds bytes as lower-case hexadecimal digits. */
int ar_buf_addhex(struct ar_buf *b, const unsigned char *p, size_t n);

/* AR_OK, or the failure that stuck, filled into `err` (see ar_fail). */
int ar_buf_check(const struct ar_buf *b, struct ar_err *err);

/* The contents as a NUL-terminated text. */
static inline const char *ar_buf_z(const struct ar_buf *b) {
  return b->p ? b->p : "";
}

/* The contents; valid until the next change. Never NULL inside. */
static inline struct ar_str ar_buf_str(const struct ar_buf *b) {
  return ar_str_n(ar_buf_z(b), b->n);
}

/* Overwrites `n` bytes in a way that no compiler removes. */
void ar_wipe(void *p, size_t n);

AR_HIDDEN_END

#endif
