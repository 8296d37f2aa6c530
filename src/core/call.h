/*
** One API call: credentials -> sign -> send -> (back off -> credentials ->
** sign -> send)* -> done.
*/
#ifndef ar_call_h
#define ar_call_h

#include "http.h"
#include "model.h"
#include "refresh.h"

AR_HIDDEN

enum ar_call_state {
  AR_CALL_CREDENTIALS,
  AR_CALL_SIGNING,
  AR_CALL_SENDING,
  AR_CALL_BACKING_OFF,
  AR_CALL_DONE
};

struct ar_call {
  struct ar_job job;
  enum ar_call_state state;
  struct ar_client *client;
  const struct ar_operation *operation; /* NULL: see ar_call_new */
  const struct ar_host_facts *facts;    /* the maker's, outlives the call */
  struct ar_buf region;
  bool has_arn; /* one was given, whether or not it names a region */
  char invocation_id[37];
  int attempts;            /* begun */
  struct ar_waiter waiter; /* for credentials */
  unsigned generation;     /* of those that the request was signed with */
  int taken;               /* of the client's quota, see retry.h */
  int64_t skew;            /* that it signs with, in milliseconds */
  int64_t told_skew;       /* by the newest answer; 0 where it told none */
  bool has_skew;           /* an answer of this call has told `skew` */
  int64_t sent_at;         /* epoch milliseconds, unshifted */
  int64_t resume;          /* monotonic, from a backoff */
  int64_t timeout;         /* milliseconds for all of it; -1: none */
  bool renewed; /* refused once for its credentials, and tried with new ones */

  struct ar_http http; /* its body is the request's, JSON */
  bool answer_nulls;   /* the body has nulls; set by who has looked */

  /* The end: err.code is AR_OK, AR_E_SERVICE, or another row's. */
  struct ar_err err;
  struct ar_buf service_code, service_message;
  bool service_document; /* they were read from a JSON object */
  bool retryable;
  bool ambiguous; /* an attempt may have been carried out unanswered */
};

#define AR_ID_SIZE 16 /* random bytes of an invocation id, a UUID */

/*
** A call of `operation`, or NULL without memory. `random` makes the
** invocation id. The one reference is the caller's, who adds the request's
** JSON object to http.body, sets the region and then puts it on a list.
**
** Without an operation it sends nothing: it is done when the endpoint and the
** credentials are known, as client:resolve() wants them.
*/
struct ar_call *ar_call_new(struct ar_client *client,
                            const struct ar_operation *operation,
                            const unsigned char random[AR_ID_SIZE],
                            const struct ar_host_facts *facts);

/*
** Ends the call `timeout` milliseconds after `monotonic`, which is now, if it
** is not done by then. Negative: no limit. The least of several holds.
*/
void ar_call_limit(struct ar_call *call, int64_t timeout, int64_t monotonic);

/*
** Sets the region to the client's or to that of `arn`, which may be empty.
** AR_OK or AR_E_MEMORY.
*/
int ar_call_set_region(struct ar_call *call, struct ar_str arn,
                       struct ar_err *err);

/*
** Sees to it that client->endpoint is the call's, which another call may have
** replaced since. AR_OK, or call->err says why not.
*/
int ar_call_endpoint(struct ar_call *call);

/* Whether it waits for its client's credentials. */
bool ar_call_waits(const struct ar_call *call);

/* Whether a job is a call, and may be taken for one. */
bool ar_job_is_call(const struct ar_job *job);

/* Ends every unfinished call of `client` as cancelled. */
void ar_calls_cancel(struct ar_jobs *jobs, const struct ar_client *client);

/* The header that tells the request id, and the one where it is not there. */
#define AR_REQUEST_ID "x-amzn-requestid"
#define AR_REQUEST_ID_ELSE "x-amz-request-id"

/* The request id of the answer, or empty. */
struct ar_str ar_call_request_id(const struct ar_call *call);

AR_HIDDEN_END

#endif
