/*
** By what an engine knows that it is in a forked child of its maker: a page
** that the kernel gives children empty (MADV_WIPEONFORK), so that asking, many
** times an exchange, costs a look at memory. Where there is no such page, the
** process's number is asked for.
*/
#ifndef ar_birthmark_h
#define ar_birthmark_h

#include "../core/base.h"

#include <sys/types.h>

AR_HIDDEN

struct ar_birthmark {
  volatile unsigned char *page; /* its first byte is 1 in the maker; or NULL */
  pid_t maker;
};

/* Marks this process. Cannot fail. */
void ar_birthmark_set(struct ar_birthmark *mark);
void ar_birthmark_free(struct ar_birthmark *mark);

/* Whether this is another process than the one that was marked. */
bool ar_birthmark_is_foreign(const struct ar_birthmark *mark);

AR_HIDDEN_END

#endif
