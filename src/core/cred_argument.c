/*
** Provider `static`: the keys that the caller gave in `credentials`.
*/
#include "providers.h"

enum ar_step ar_cred_argument(struct ar_chain *chain, struct ar_frame *frame,
                              struct ar_err *err) {
  const struct ar_creds *given = chain->argument;
  struct ar_creds *found = &frame->found;
  if (given == NULL) {
    ar_fail(err, AR_E_NO_CREDENTIALS, "no credentials setting");
    return AR_STEP_NONE;
  }
  ar_buf_addb(&found->access_key_id, &given->access_key_id);
  ar_buf_addb(&found->secret_access_key, &given->secret_access_key);
  ar_buf_addb(&found->session_token, &given->session_token);
  return ar_creds_check(found, "the credentials setting", err) == AR_OK
             ? AR_STEP_HAVE
             : AR_STEP_FAIL;
}
