/*
** The head of an HTTP answer, as it came: lines that end in LF or CRLF. The
** status line and folded lines are passed over.
*/
#ifndef ar_head_h
#define ar_head_h

#include "str.h"

AR_HIDDEN

/*
** Takes the next header line from `*rest`, its name and its trimmed value.
** False at the end.
*/
bool ar_head_next(struct ar_str *rest, struct ar_str *name,
                  struct ar_str *value);

/* The value of the first header called `name`, in any case; or empty. */
struct ar_str ar_head_find(struct ar_str head, struct ar_str name);

AR_HIDDEN_END

#endif
