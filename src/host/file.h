/*
** Files for the core: whole ones, bounded, by read(2) and rename(2), so that
** what they hold stands in buffers of the core alone. The functions have the
** signatures that struct ar_env asks for; they use no context.
*/
#ifndef ar_host_file_h
#define ar_host_file_h

#include "../core/env.h"

AR_HIDDEN

/* See ar_env.read_file. */
enum ar_file ar_file_read(void *context, const char *path, struct ar_buf *to,
                          struct ar_err *err);

/*
** See ar_env.replace_file. The new file is written beside the old one, in the
** same folder and with mode 0600, flushed, and renamed over it; on failure it
** is removed again.
*/
int ar_file_replace(void *context, const char *path, struct ar_str contents,
                    struct ar_err *err);

AR_HIDDEN_END

#endif
