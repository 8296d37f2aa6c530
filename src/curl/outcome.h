/*
** How an exchange ended, in the project's terms: libcurl's result codes by
** one table, and a sentence for a person. No text here holds a header's
** value, the userinfo of a URL or a control character.
*/
#ifndef ar_outcome_h
#define ar_outcome_h

#include <curl/curl.h>

#include "../core/exchange.h"

AR_HIDDEN

/*
** Fills `failure` and `detail` from libcurl's result, which is not CURLE_OK,
** and its error text, which may be empty; `sent` must be set. `tunnelled`: a
** proxy agreed to open a tunnel to the server. Cannot fail.
*/
void ar_outcome_of(struct ar_outcome *outcome, const struct ar_exchange *x,
                   CURLcode result, const char *text, bool tunnelled);

/* Fills them for an exchange that took too long: to connect, or to answer
   when `sent` is set. */
void ar_outcome_timeout(struct ar_outcome *outcome,
                        const struct ar_exchange *x);

AR_HIDDEN_END

#endif
