/*
** The mark that a forked child does not inherit.
*/
#define _GNU_SOURCE
#include "birthmark.h"

#include <sys/mman.h>
#include <unistd.h>

#define SIZE 4096 /* the kernel rounds up to a page */

static unsigned char *new_page(void) {
#if defined(MADV_WIPEONFORK)
  void *page = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return NULL;
  if (madvise(page, SIZE, MADV_WIPEONFORK) == 0) return page;
  munmap(page, SIZE);
#endif
  return NULL;
}

void ar_birthmark_set(struct ar_birthmark *mark) {
  mark->maker = getpid();
  mark->page = new_page();
  if (mark->page != NULL) mark->page[0] = 1;
}

void ar_birthmark_free(struct ar_birthmark *mark) {
  if (mark->page != NULL) munmap((void *)(uintptr_t)mark->page, SIZE);
  mark->page = NULL;
}

bool ar_birthmark_is_foreign(const struct ar_birthmark *mark) {
  if (mark->page != NULL) return mark->page[0] == 0;
  return getpid() != mark->maker;
}
