/*
** Credentials in a JSON document, as containers, the metadata service, SSO and
** credential processes give them.
*/
#ifndef ar_document_h
#define ar_document_h

#include "cred.h"

AR_HIDDEN

/* Which members of a document hold what; "Name" or "Outer.Name". */
struct ar_document {
  const char *access_key_id, *secret_access_key, *session_token;
  const char *expiration, *account_id; /* account_id may be NULL */
  bool temporary;                      /* token and expiration must be there */
  bool milliseconds; /* the expiration is a number of them, not a date */
};

/* What the services of a host, containers' and instances', answer with. */
extern const struct ar_document ar_host_document;

/*
** Reads the credentials of `doc` into `found`. `what` is the document's name
** for a person. AR_OK; AR_E_CREDENTIAL_RETRIEVAL with the member that is
** missing or wrong, never its value; AR_E_MEMORY.
*/
int ar_document_read(struct ar_str doc, const struct ar_document *names,
                     const char *what, struct ar_creds *found,
                     struct ar_err *err);

AR_HIDDEN_END

#endif
