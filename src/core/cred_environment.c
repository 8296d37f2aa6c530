/*
** Provider `environment`: AWS_ACCESS_KEY_ID and its companions. Like botocore
** it is passed over where the caller named a profile, unless that profile
** asks for it (credential_source).
*/
#include "providers.h"

/* What is nothing but whitespace counts as unset. */
static struct ar_str get(const struct ar_chain *chain, const char *name) {
  struct ar_str value = ar_env_get(chain->in.env, name);
  return ar_str_trim(value).n > 0 ? value : AR_STR("");
}

static void copy(const struct ar_chain *chain, const char *name,
                 struct ar_buf *to) {
  ar_buf_adds(to, get(chain, name));
}

AR_PROVIDER_STEP(ar_cred_environment) {
  struct ar_creds *found = &frame->found;
  struct ar_str expiration;
  if (chain->depth == 1 &&
      ar_settings_explicit(chain->in.settings, AR_SET_PROFILE))
    return ar_nothing(err, "passed over, since a profile was given");
  if (get(chain, "AWS_ACCESS_KEY_ID").n == 0)
    return ar_nothing(err, "AWS_ACCESS_KEY_ID is not set");
  copy(chain, "AWS_ACCESS_KEY_ID", &found->access_key_id);
  copy(chain, "AWS_SECRET_ACCESS_KEY", &found->secret_access_key);
  copy(chain, "AWS_SESSION_TOKEN", &found->session_token);
  if (found->session_token.n == 0)
    copy(chain, "AWS_SECURITY_TOKEN", &found->session_token);
  copy(chain, "AWS_ACCOUNT_ID", &found->account_id);
  expiration = get(chain, "AWS_CREDENTIAL_EXPIRATION");
  if (expiration.n > 0 && !ar_date_parse(expiration, &found->expiration))
    return ar_broken(err, AR_E_CREDENTIAL_RETRIEVAL,
                     "AWS_CREDENTIAL_EXPIRATION is no time");
  ar_note(frame, "AWS_ACCESS_KEY_ID");
  return ar_found(frame, "the environment", err);
}
