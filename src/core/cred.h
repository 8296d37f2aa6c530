/*
** Credentials, and the signing key that was derived from them. They live in
** core memory only and are wiped when they are freed.
*/
#ifndef ar_cred_h
#define ar_cred_h

#include "buf.h"
#include "date.h"
#include "digest.h"

AR_HIDDEN

/*
** The last signing key, with what it was derived for. It belongs to its
** credentials, so that new credentials can never meet an old key.
*/
struct ar_sign_key {
  struct ar_buf scope; /* "YYYYMMDD/region/service"; empty: no key yet */
  struct ar_hmac_key key;
};

struct ar_provider;

struct ar_creds {
  struct ar_buf access_key_id;
  struct ar_buf secret_access_key;
  struct ar_buf session_token; /* empty when there is none */
  struct ar_buf account_id;    /* empty when it is not known */
  struct ar_buf source;        /* where they were found, for a person */
  int64_t expiration; /* epoch milliseconds; AR_NEVER when they do not */
  int64_t good_until; /* the same, but for some that work for longer */
  const struct ar_provider *provider; /* who gave them, see chain.h */
  struct ar_sign_key key;
};

/* No credentials; cannot fail. */
void ar_creds_init(struct ar_creds *creds);

/* Wipes and frees what they hold; they are empty then. */
void ar_creds_free(struct ar_creds *creds);

/* Wipes `to` and gives it all that `from` held; `from` is empty then. */
void ar_creds_move(struct ar_creds *to, struct ar_creds *from);

/*
** Whether they are to be renewed: soon, while they are still good for calls;
** or before the next call; or no call can be made with them. `epoch` is in
** milliseconds.
*/
enum ar_freshness {
  AR_CREDS_GOOD,
  AR_CREDS_RENEW_SOON,
  AR_CREDS_RENEW_FIRST,
  AR_CREDS_EXPIRED
};
enum ar_freshness ar_creds_freshness(const struct ar_creds *creds,
                                     int64_t epoch);

/* Adds a copy of the keys and the token of `from`; see ar_creds_check. */
void ar_creds_copy(struct ar_creds *to, const struct ar_creds *from);

/*
** AR_OK when both keys are there and nothing in them can break a header.
** `where` says for a person where they came from. AR_E_PARTIAL_CREDENTIALS,
** AR_E_CREDENTIAL_RETRIEVAL or AR_E_MEMORY otherwise.
*/
int ar_creds_check(const struct ar_creds *creds, const char *where,
                   struct ar_err *err);

AR_HIDDEN_END

#endif
