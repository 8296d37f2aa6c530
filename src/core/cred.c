/*
** Credentials.
*/
#include "cred.h"

void ar_creds_init(struct ar_creds *creds) {
  *creds = (struct ar_creds){.provider = NULL};
  ar_buf_init(&creds->access_key_id, AR_MAX_SECRET);
  ar_buf_init(&creds->secret_access_key, AR_MAX_SECRET);
  ar_buf_init(&creds->session_token, AR_MAX_SECRET);
  ar_buf_init(&creds->key.scope, AR_MAX_SECRET);
}

void ar_creds_free(struct ar_creds *creds) {
  ar_buf_free(&creds->access_key_id);
  ar_buf_free(&creds->secret_access_key);
  ar_buf_free(&creds->session_token);
  ar_buf_free(&creds->key.scope);
  ar_wipe(creds->key.key, sizeof creds->key.key);
  creds->provider = NULL;
}

void ar_creds_move(struct ar_creds *to, struct ar_creds *from) {
  ar_creds_free(to);
  *to = *from;
  ar_wipe(from->key.key, sizeof from->key.key);
  ar_creds_init(from);
}

int ar_creds_check(const struct ar_creds *creds, const char *where,
                   struct ar_err *err) {
  const struct {
    const struct ar_buf *value;
    const char *name;
  } parts[] = {{&creds->access_key_id, "access key id"},
               {&creds->secret_access_key, "secret access key"},
               {&creds->session_token, "session token"}};
  for (size_t i = 0; i < 3; i++) {
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
