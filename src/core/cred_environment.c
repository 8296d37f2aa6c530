/*
** Provider `environment`: AWS_ACCESS_KEY_ID and its companions.
*/
#include "providers.h"

static void copy(const struct ar_chain *chain, const char *name,
                 struct ar_buf *to) {
  ar_buf_adds(to, ar_env_get(&chain->env, name));
}

enum ar_step ar_cred_environment(struct ar_chain *chain,
                                 struct ar_frame *frame, struct ar_err *err) {
  struct ar_creds *found = &frame->found;
  copy(chain, "AWS_ACCESS_KEY_ID", &found->access_key_id);
  if (found->access_key_id.n == 0 && !found->access_key_id.failed) {
    ar_fail(err, AR_E_NO_CREDENTIALS, "AWS_ACCESS_KEY_ID is not set");
    return AR_STEP_NONE;
  }
  copy(chain, "AWS_SECRET_ACCESS_KEY", &found->secret_access_key);
  copy(chain, "AWS_SESSION_TOKEN", &found->session_token);
  if (found->session_token.n == 0)
    copy(chain, "AWS_SECURITY_TOKEN", &found->session_token);
  return ar_creds_check(found, "the environment", err) == AR_OK ? AR_STEP_HAVE
                                                                : AR_STEP_FAIL;
}
