/*
** Credentials.
*/
#include "cred.h"

/* botocore's windows before the expiry, in milliseconds. */
#define ADVISORY INT64_C(900000)
#define MANDATORY INT64_C(600000)

void ar_creds_init(struct ar_creds *creds) {
  *creds = (struct ar_creds){.expiration = AR_NEVER, .good_until = AR_NEVER};
  ar_buf_init(&creds->access_key_id, AR_MAX_SECRET);
  ar_buf_init(&creds->secret_access_key, AR_MAX_SECRET);
  ar_buf_init(&creds->session_token, AR_MAX_SECRET);
  ar_buf_init(&creds->account_id, AR_MAX_SECRET);
  ar_buf_init(&creds->source, AR_MAX_SECRET);
  ar_buf_init(&creds->key.scope, AR_MAX_SECRET);
}

void ar_creds_free(struct ar_creds *creds) {
  ar_buf_free(&creds->access_key_id);
  ar_buf_free(&creds->secret_access_key);
  ar_buf_free(&creds->session_token);
  ar_buf_free(&creds->account_id);
  ar_buf_free(&creds->source);
  ar_buf_free(&creds->key.scope);
  ar_hmac_key_free(&creds->key.key);
  creds->expiration = creds->good_until = AR_NEVER;
  creds->provider = NULL;
}

void ar_creds_move(struct ar_creds *to, struct ar_creds *from) {
  ar_creds_free(to);
  *to = *from;
  ar_creds_init(from);
}

void ar_creds_copy(struct ar_creds *to, const struct ar_creds *from) {
  ar_buf_addb(&to->access_key_id, &from->access_key_id);
  ar_buf_addb(&to->secret_access_key, &from->secret_access_key);
  ar_buf_addb(&to->session_token, &from->session_token);
  ar_buf_addb(&to->account_id, &from->account_id);
  to->expiration = from->expiration;
  to->good_until = from->good_until;
}

enum ar_freshness ar_creds_freshness(const struct ar_creds *creds,
                                     int64_t epoch) {
  int64_t left;
  if (creds->good_until == AR_NEVER) return AR_CREDS_GOOD;
  left = creds->good_until - epoch;
  if (left <= 0) return AR_CREDS_EXPIRED;
  if (left <= MANDATORY) return AR_CREDS_RENEW_FIRST;
  return left <= ADVISORY ? AR_CREDS_RENEW_SOON : AR_CREDS_GOOD;
}

int ar_creds_check(const struct ar_creds *creds, const char *where,
                   struct ar_err *err) {
  const struct {
    const struct ar_buf *value;
    const char *name;
  } parts[] = {{&creds->access_key_id, "access key id"},
               {&creds->secret_access_key, "secret access key"},
               {&creds->session_token, "session token"},
               {&creds->account_id, "account id"},
               {&creds->source, "source"}};
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
    int rc = ar_buf_check(parts[i].value, NULL);
    if (rc == AR_E_MEMORY) return ar_fail_memory(err);
    if (rc != AR_OK || ar_str_has_control(ar_buf_str(parts[i].value)))
      return ar_fail(
          err, AR_E_CREDENTIAL_RETRIEVAL, "the %s from %s %s", parts[i].name,
          where, rc != AR_OK ? "is too long" : "contains a control character");
    if (i < 2 && parts[i].value->n == 0)
      return ar_fail(err, AR_E_PARTIAL_CREDENTIALS,
                     "partial credentials found in %s, missing: %s", where,
                     parts[i].name);
  }
  return AR_OK;
}
