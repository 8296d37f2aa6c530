/*
** Provider `function`: what the caller's own function returns.
*/
#include "providers.h"

AR_PROVIDER_STEP(ar_cred_function) {
  if (!chain->in.has_function)
    return ar_nothing(err, "no credentials function");
  if (frame->state++ == 0) return AR_STEP_ASK;
  if (chain->answer_code != AR_OK)
    return ar_broken(err, chain->answer_code, "%s", chain->answer_error);
  ar_creds_copy(&frame->found, &chain->answer);
  ar_note(frame, "function");
  return ar_found(frame, "the credentials function", err);
}
