/*
** Calls of AWS STS (version 2011-06-15) for credentials of a role: a form that
** is posted, and an answer in XML.
*/
#ifndef ar_sts_h
#define ar_sts_h

#include "chain.h"

AR_HIDDEN

enum ar_sts_action { AR_STS_ASSUME_ROLE, AR_STS_WITH_WEB_IDENTITY };

struct ar_sts_request {
  enum ar_sts_action action;
  struct ar_str role_arn;
  struct ar_str role_session_name;             /* empty: one of our own */
  struct ar_str external_id, duration_seconds; /* may be empty */
  struct ar_str web_identity_token;            /* may be empty */
};

/*
** Sends the request of `frame`, signed by `signer`, or unsigned where that is
** NULL. AR_STEP_SEND, or AR_STEP_FAIL.
*/
enum ar_step ar_sts_send(struct ar_chain *chain, const struct ar_frame *frame,
                         const struct ar_sts_request *request,
                         struct ar_creds *signer, struct ar_err *err);

/*
** Reads the answer into frame->found. AR_STEP_HAVE, AR_STEP_AGAIN or
** AR_STEP_FAIL with the service's code and message.
*/
enum ar_step ar_sts_read(struct ar_chain *chain, struct ar_frame *frame,
                         enum ar_sts_action action, struct ar_err *err);

AR_HIDDEN_END

#endif
