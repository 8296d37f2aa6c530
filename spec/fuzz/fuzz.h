/*
** What the fuzzing harnesses share. A harness is one function of a text: by
** libFuzzer it gets random ones (`make fuzz`), by replay.c those of its corpus
** (`make test`). A text that breaks a promise ends the program.
*/
#ifndef fuzz_h
#define fuzz_h

#include <stdio.h>
#include <stdlib.h>

#include "../../src/core/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HOLDS(condition)                                                      \
  do {                                                                        \
    if (!(condition)) {                                                       \
      fprintf(stderr, "%s:%d: broken: %s\n", __FILE__, __LINE__, #condition); \
      abort();                                                                \
    }                                                                         \
  } while (0)

/* The text in a block of exactly its size, so that a checker sees a read past
   its end; free(.p) gives it back. */
static inline struct ar_str fuzz_copy(const uint8_t *data, size_t size) {
  char *copy = malloc(size);
  HOLDS(copy != NULL || size == 0);
  if (size > 0) memcpy(copy, data, size);
  return ar_str_n(copy, size);
}

static inline void fuzz_free(struct ar_str text) {
  free((void *)(uintptr_t)text.p);
}

/* Whether `slice` lies in `text`; where an empty one points is all the same.
 */
static inline bool fuzz_inside(struct ar_str slice, struct ar_str text) {
  uintptr_t from = (uintptr_t)slice.p, begin = (uintptr_t)text.p;
  return slice.n == 0 || (from >= begin && slice.n <= text.n &&
                          from - begin <= text.n - slice.n);
}

static inline bool fuzz_has(struct ar_str text, char c) {
  return ar_str_find(text, c, 0) < text.n;
}

#endif
