/*
** Provider `static`: the keys that the caller gave in `credentials`.
*/
#include "providers.h"

AR_PROVIDER_STEP(ar_cred_argument) {
  if (chain->in.argument == NULL)
    return ar_nothing(err, "no credentials setting");
  ar_creds_copy(&frame->found, chain->in.argument);
  ar_note(frame, AR_SOURCE_ARGUMENT);
  return ar_found(frame, "the credentials setting", err);
}
