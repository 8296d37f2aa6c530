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
  unsigned char key[AR_SHA256_SIZE];
};

struct ar_provider;

struct ar_creds {
  struct ar_buf access_key_id;
  struct ar_buf secret_access_key;
  struct ar_buf session_token;        /* empty when there is none */
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
** AR_OK when both keys are there and nothing in them can break a header.
** `where` says for a person where they came from. AR_E_PARTIAL_CREDENTIALS,
** AR_E_CREDENTIAL_RETRIEVAL or AR_E_MEMORY otherwise.
*/
int ar_creds_check(const struct ar_creds *creds, const char *where,
                   struct ar_err *err);

AR_HIDDEN_END

#endif
