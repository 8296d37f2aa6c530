/*
** The providers' steps, one file each; chain.h says what a step answers.
*/
#ifndef ar_providers_h
#define ar_providers_h

#include "chain.h"

AR_HIDDEN

enum ar_step ar_cred_argument(struct ar_chain *chain, struct ar_frame *frame,
                              struct ar_err *err);
enum ar_step ar_cred_environment(struct ar_chain *chain,
                                 struct ar_frame *frame, struct ar_err *err);

AR_HIDDEN_END

#endif
