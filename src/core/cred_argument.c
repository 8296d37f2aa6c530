/*
** Provider `static`: the keys that the caller gave in `credentials`.
*/
#include "providers.h"

enum ar_step ar_cred_argument(struct ar_chain *chain, struct ar_frame *frame,
                              struct ar_err *err) {
  const struct ar_creds *given = chain->argument;
  if (given == NULL) {
    ar_fail(err, AR_E_NO_CREDENTIALS, "no credentials setting");
    return AR_STEP_NONE;
  }
  ar_buf_adds(&frame->found.access_key_id, ar_buf_str(&given->access_key_id));
  ar_buf_adds(&frame->found.secret_access_key,
              ar_buf_str(&given->secret_access_key));
  ar_buf_adds(&frame->found.session_token, ar_buf_str(&given->session_token));
  return ar_creds_check(&frame->found, "the credentials setting", err) == AR_OK
             ? AR_STEP_HAVE
             : AR_STEP_FAIL;
}
