/*
** What the providers that speak HTTP share: a request as their row of the
** table says, and what an answer that is none means.
*/
#ifndef ar_fetch_h
#define ar_fetch_h

#include "chain.h"

AR_HIDDEN

/*
** Where a service is, by the settings; `custom` is its own endpoint URL, or
** empty.
*/
struct ar_endpoint_params ar_fetch_params(const struct ar_chain *chain,
                                          const char *service,
                                          struct ar_str region,
                                          struct ar_str custom);

/*
** Begins a request in chain->http there: its URL and its Host line. AR_OK, or
** what ar_endpoint_resolve answers.
*/
int ar_fetch_service(struct ar_chain *chain,
                     const struct ar_endpoint_params *params,
                     struct ar_err *err);

/*
** Begins a request to `base`, which may end in a slash, and `path` after it.
** AR_OK, or AR_E_BAD_ENDPOINT for a URL that cannot be used.
*/
int ar_fetch_url(struct ar_chain *chain, struct ar_str base,
                 struct ar_str path, struct ar_err *err);

/*
** Orders the request of `frame` to be sent. AR_STEP_SEND, or AR_STEP_FAIL with
** the reason in err.
*/
enum ar_step ar_fetch_send(struct ar_chain *chain,
                           const struct ar_frame *frame, const char *method,
                           struct ar_err *err);

/*
** How an exchange went that brought no answer of use: AR_STEP_AGAIN when it
** may go well later, else AR_STEP_FAIL. Both fill err:
** AR_E_CREDENTIAL_RETRIEVAL with `what`, the request's name for a person, and
** the failure, or the status and the service's error `code`, if it is known.
*/
enum ar_step ar_fetch_failed(const struct ar_chain *chain, const char *what,
                             struct ar_str code, struct ar_err *err);

/* Whether a whole answer came, with a status of success. */
bool ar_fetch_succeeded(const struct ar_chain *chain);

AR_HIDDEN_END

#endif
