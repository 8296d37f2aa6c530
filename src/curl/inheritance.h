/*
** Keeping the wake-up pair of curl_multi_init from programs that the host
** starts. Older libcurls (7.88 among them) open it without close-on-exec and
** tell nobody its numbers, so it is recognised: by what is open afterwards and
** was not before, and is a local socket. The pair of a resolver, which lives
** while a name is looked up, stays as it is.
*/
#ifndef ar_inheritance_h
#define ar_inheritance_h

#include "../core/base.h"

AR_HIDDEN

#define AR_WATCHED 16

/* The lowest free descriptors, which the next ones will be among. */
struct ar_inheritance {
  int free[AR_WATCHED];
  int n;
};

void ar_inheritance_begin(struct ar_inheritance *i);

/* Has the local sockets that were opened since closed on exec. */
void ar_inheritance_end(const struct ar_inheritance *i);

AR_HIDDEN_END

#endif
