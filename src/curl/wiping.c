/*
** Blocks wiped by the size that the allocator knows. A prefix of our own would
** say it everywhere, but break a host that made a block before we came, or
** that frees one by free.
*/
#include "wiping.h"

#include <stdlib.h>
#include <string.h>

#include "../core/buf.h"

#if defined(__APPLE__)
#include <malloc/malloc.h>
#define SIZE_OF(p) malloc_size(p)
#elif defined(__FreeBSD__)
#include <malloc_np.h>
#define SIZE_OF(p) malloc_usable_size(p)
#elif defined(__linux__)
#include <malloc.h>
#define SIZE_OF(p) malloc_usable_size(p)
#endif

#if defined(SIZE_OF)
/* Most are small, and are wiped without a call. */
static void wipe(void *p, size_t n) {
  volatile uint64_t *word = p;
  if (n > 128 || n % sizeof *word != 0)
    ar_wipe(p, n);
  else
    for (; n > 0; n -= sizeof *word) *word++ = 0;
}
#endif

void ar_wiping_free(void *p) {
  if (p == NULL) return; /* three times in four */
#if defined(SIZE_OF)
  wipe(p, SIZE_OF(p));
#endif
  free(p);
}

void *ar_wiping_realloc(void *p, size_t n) {
#if defined(SIZE_OF)
  size_t old = p != NULL ? SIZE_OF(p) : 0;
  void *moved = malloc(n);
  if (moved == NULL || p == NULL) return moved;
  memcpy(moved, p, old < n ? old : n);
  ar_wiping_free(p);
  return moved;
#else
  return realloc(p, n);
#endif
}
