/*
** How far the server's clock is ahead of ours, from its answers: the "clock
** skew correction" that the SDKs adopted in 2026. A client keeps one skew, 0
** at first; a call begins with a copy of it and signs at its own clock plus
** that. Every answer that tells one replaces both, errors and successes alike,
** so that a wrong one heals.
*/
#ifndef ar_skew_h
#define ar_skew_h

#include "http_date.h"

AR_HIDDEN

/*
** The skew that an answer with this `head` tells, in milliseconds: its Date
** less the middle between `sent` and `received`, milliseconds since 1970 by
** our own clock, without any skew. False, and `*skew` is left alone, where
** there is no Date or none that is one, where the answer came from a cache (it
** has an Age), took over 15 minutes, or came before it was asked for. The
** Date of the answer before is kept in `last`.
*/
bool ar_skew_measure(struct ar_str head, int64_t sent, int64_t received,
                     struct ar_http_date *last, int64_t *skew);

/*
** Whether the error `code` may be due to `skew`, as measured from the same
** answer: then the call may be tried again, once more signed at the new time.
*/
bool ar_skew_explains(int64_t skew, struct ar_str code);

AR_HIDDEN_END

#endif
