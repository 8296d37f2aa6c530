/*
** free and realloc that wipe what they give back, for libcurl: the headers and
** the bodies that pass through it hold secrets. The size is the allocator's
** own knowledge, so the blocks are those of malloc: one may come from there,
** or go there, since libcurl's callers do both.
*/
#ifndef ar_wiping_h
#define ar_wiping_h

#include "../core/base.h"

AR_HIDDEN

/* As free; wiped where the allocator tells a block's size (Linux, FreeBSD,
   macOS), plainly freed elsewhere. */
void ar_wiping_free(void *p);

/* As realloc; always moves the block, and wipes the old one. */
void *ar_wiping_realloc(void *p, size_t n);

AR_HIDDEN_END

#endif
