/*
** What the C programs of the benchmarks share: an end with a message, numbers
** from the command line, and the two clocks.
*/
#ifndef bench_clock_h
#define bench_clock_h

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static inline void die(const char *what) {
  fprintf(stderr, "bench: %s\n", what);
  exit(1);
}

static inline void *need(void *p) {
  if (p == NULL) die("not enough memory");
  return p;
}

static inline long count_of(const char *text) {
  long n = strtol(text, NULL, 10);
  if (n < 0 || n > 100000000) die("a number is out of range");
  return n;
}

struct moment {
  double clock, processor; /* microseconds */
};

static inline double microseconds(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static inline struct moment now(void) {
  return (struct moment){microseconds(CLOCK_MONOTONIC),
                         microseconds(CLOCK_PROCESS_CPUTIME_ID)};
}

/* Prints what one of `n` took: of the clock, and of the processor. */
static inline void tell(struct moment begin, long n) {
  struct moment end = now();
  printf("%.4f %.4f\n", (end.clock - begin.clock) / (double)n,
         (end.processor - begin.processor) / (double)n);
}

#endif
