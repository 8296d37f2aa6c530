/*
** The harness of the C unit programs: CHECK counts, `checked` reports. Each
** program ends with `return checked();`, whose last line is
** "N passed, N failed".
*/
#ifndef check_h
#define check_h

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int check_passed, check_failed;

/* Counts `condition` under a sentence that says what must hold. */
#define CHECK(condition, ...)                        \
  do {                                               \
    if (condition) {                                 \
      check_passed++;                                \
    } else {                                         \
      check_failed++;                                \
      printf("%s:%d: not so: ", __FILE__, __LINE__); \
      printf(__VA_ARGS__);                           \
      printf("\n");                                  \
    }                                                \
  } while (0)

/* How many steps of a long loop to take at once: memory checkers are slow, and
   see what they look for in some of them. */
static inline int check_stride(void) {
  return getenv("APPRUNNER_MEMORY") == NULL ? 1 : 97;
}

static inline int checked(void) {
  printf("%d passed, %d failed\n", check_passed, check_failed);
  return check_failed > 0;
}

#endif
