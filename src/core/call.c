/*
** One API call as a state machine.
*/
#include "call.h"

#include <stdlib.h>

#include "answer.h"
#include "retry.h"
#include "route.h"
#include "skew.h"

#define CALL_OF_JOB(at) AR_OWNER(struct ar_call, job, at)

/* The one place where a call changes its state. */
static void enter(struct ar_call *call, enum ar_call_state state) {
  call->state = state;
  if (state == AR_CALL_DONE) ar_job_finish(&call->job);
}

/* Ends the call with what stands in call->err. */
static void fail(struct ar_call *call) {
  call->retryable = call->err.transient ||
                    ar_retry_failure(call->err.code) != AR_RETRY_NEVER;
  enter(call, AR_CALL_DONE);
}

/* --- making the request ------------------------------------------------- */

static void format_uuid(const unsigned char random[AR_ID_SIZE], char out[37]) {
  static const char digits[] = "0123456789abcdef";
  for (size_t i = 0; i < AR_ID_SIZE; i++) {
    unsigned char byte = random[i];
    if (i == 6) byte = (unsigned char)((byte & 0x0F) | 0x40); /* version 4 */
    if (i == 8) byte = (unsigned char)((byte & 0x3F) | 0x80); /* variant */
    if (i == 4 || i == 6 || i == 8 || i == 10) *out++ = '-';
    *out++ = digits[byte >> 4];
    *out++ = digits[byte & 15];
  }
  *out = '\0';
}

/*
** "ttl=20300101T000100Z; attempt=2; max=3": until when the answer is waited
** for, by the server's clock, where an answer has told that.
*/
static void add_attempt(struct ar_call *call) {
  const struct ar_settings *settings = &call->client->settings;
  struct ar_buf *head = &call->http.head;
  char ttl[AR_DATE_SIZE];
  ar_http_begin_line(&call->http, "amz-sdk-request");
  if (call->has_skew) {
    ar_date_basic((call->sent_at + call->skew +
                   ar_settings_number(settings, AR_SET_READ_TIMEOUT)) /
                      1000,
                  ttl);
    ar_buf_addz(head, "ttl=");
    ar_buf_addz(head, ttl);
    ar_buf_addz(head, "; ");
  }
  ar_buf_addz(head, "attempt=");
  ar_buf_addi(head, call->attempts);
  ar_buf_addz(head, "; max=");
  ar_buf_addi(head, ar_settings_number(settings, AR_SET_MAX_ATTEMPTS));
  ar_http_end_line(&call->http);
}

static void write_head(struct ar_call *call) {
  struct ar_client *client = call->client;
  struct ar_http *http = &call->http;
  ar_http_line(http, "Host", ar_buf_str(&client->endpoint.host));
  ar_http_line(http, "Accept-Encoding", AR_STR("identity"));
  ar_http_line(http, "X-Amz-Target", call->operation->target);
  ar_http_line(http, "Content-Type", AR_STR(AR_CONTENT_TYPE));
  ar_http_begin_line(http, "User-Agent");
  ar_buf_addb(&http->head, ar_client_user_agent(client, call->facts));
  ar_http_end_line(http);
  ar_http_line(http, "X-Amz-Date", ar_str_of(client->signature.date));
  if (client->creds.session_token.n > 0)
    ar_http_line(http, "X-Amz-Security-Token",
                 ar_buf_str(&client->creds.session_token));
  ar_http_line(http, "Authorization",
               ar_buf_str(&client->signature.authorization));
  ar_http_line(http, "amz-sdk-invocation-id", ar_str_of(call->invocation_id));
  add_attempt(call);
}

static int sign(struct ar_call *call, int64_t epoch, struct ar_err *err) {
  struct ar_client *client = call->client;
  const struct ar_header headers[] = {
      {AR_STR("content-type"), AR_STR(AR_CONTENT_TYPE)},
      {AR_STR("host"), ar_buf_str(&client->endpoint.host)},
      {AR_STR("x-amz-target"), call->operation->target}};
  struct ar_sign_request request = {
      .method = AR_STR("POST"),
      .path = ar_buf_str(&client->endpoint.path),
      .body = ar_buf_str(&call->http.body),
      .headers = headers,
      .header_count = sizeof headers / sizeof *headers,
      .region = ar_buf_str(&call->region),
      .service = AR_STR(AR_SIGNING_NAME),
      .time = epoch};
  return ar_sigv4_sign(&client->signature, &request, &client->creds, err);
}

static int send(struct ar_call *call, int64_t epoch, struct ar_err *err) {
  struct ar_http *http = &call->http;
  int rc;
  ar_http_begin(http);
  rc = sign(call, epoch, err);
  if (rc == AR_OK) write_head(call);
  ar_buf_addb(&http->url, &call->client->endpoint.url);
  if (rc == AR_OK) rc = ar_route(http, &call->client->settings, err);
  return rc == AR_OK ? ar_http_send(http, "POST", err) : rc;
}

/* --- an answer that is an error -------------------------------------------
 */

/* Answers that blame the credentials, which may have been replaced where they
   come from. */
static bool blames_credentials(const struct ar_call *call) {
  static const char *const codes[] = {"ExpiredToken", "ExpiredTokenException",
                                      "UnrecognizedClientException",
                                      "InvalidClientTokenId"};
  for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
    if (ar_str_eq(ar_buf_str(&call->service_code), ar_str_of(codes[i])))
      return true;
  return false;
}

static bool has_attempts(const struct ar_call *call) {
  return call->attempts <
         ar_settings_number(&call->client->settings, AR_SET_MAX_ATTEMPTS);
}

/*
** Whether the call goes on with other credentials, once: an attempt like any
** other, but one that waits for nothing and costs nothing. Where none is left,
** at least the next call does not begin with these.
*/
static bool renew(struct ar_call *call, const struct ar_now *now) {
  struct ar_client *client = call->client;
  if (call->renewed || client->closed || client->has_argument ||
      !blames_credentials(call))
    return false;
  call->renewed = true;
  ar_client_distrust(client, call->generation);
  if (!has_attempts(call)) return false;
  ar_limiter_update(&client->limiter, now->monotonic, false);
  call->err.code = AR_OK;
  enter(call, AR_CALL_CREDENTIALS);
  return true;
}

/* Fills call->err from an answer that is an error. */
static void take_error(struct ar_call *call) {
  struct ar_err err;
  if (ar_answer_error(&call->http, &call->service_code, &call->service_message,
                      &call->service_document, &err) == AR_OK)
    ar_fail(&call->err, AR_E_SERVICE, "%s", ar_buf_z(&call->service_message));
  else
    call->err = err;
}

/* --- trying again -------------------------------------------------------- */

/* What every answer tells of the server's clock. */
static void take_skew(struct ar_call *call, const struct ar_now *now) {
  struct ar_client *client = call->client;
  call->told_skew = 0;
  if (ar_settings_number(&client->settings, AR_SET_NO_SKEW) == 1 ||
      !ar_skew_measure(ar_buf_str(&call->http.answer_head), call->sent_at,
                       now->epoch, &client->last_date, &call->told_skew))
    return;
  client->skew = call->skew = call->told_skew;
  call->has_skew = true;
}

static enum ar_retry_class classify(const struct ar_call *call) {
  const struct ar_http *http = &call->http;
  bool answered = call->err.code == AR_E_SERVICE;
  struct ar_attempt attempt = {.failure = answered ? AR_OK : call->err.code,
                               .reused = http->outcome.reused,
                               .sent = http->exchange.sent,
                               .status = http->outcome.status,
                               .code = ar_buf_str(&call->service_code),
                               .skew = call->told_skew};
  return ar_retry_classify(&attempt);
}

static bool may_retry(struct ar_call *call, enum ar_retry_class class) {
  struct ar_client *client = call->client;
  return class != AR_RETRY_NEVER && !client->closed && has_attempts(call) &&
         ar_quota_acquire(&client->quota, class, &call->taken);
}

/* Ends the call with call->err, or has it wait for its next attempt. */
static void fail_attempt(struct ar_call *call, const struct ar_now *now) {
  struct ar_client *client = call->client;
  enum ar_retry_class class = classify(call);
  int64_t pause;
  call->retryable = class != AR_RETRY_NEVER;
  ar_limiter_update(&client->limiter, now->monotonic,
                    class == AR_RETRY_THROTTLING);
  if (!may_retry(call, class)) {
    enter(call, AR_CALL_DONE);
    return;
  }
  pause = ar_retry_delay(client->quota.rules, class, call->attempts,
                         ar_env_uniform(&client->env),
                         ar_http_header(&call->http, "x-amz-retry-after"),
                         ar_http_header(&call->http, "retry-after"));
  call->resume = now->monotonic + pause;
  call->err.code = AR_OK;
  enter(call, AR_CALL_BACKING_OFF);
}

static void succeed(struct ar_call *call, const struct ar_now *now) {
  ar_limiter_update(&call->client->limiter, now->monotonic, false);
  ar_quota_refund(&call->client->quota, call->taken);
  enter(call, AR_CALL_DONE);
}

/* --- the machine --------------------------------------------------------- */

/* Whoever only looks is told as well that the proxy cannot be used. */
static int try_route(struct ar_call *call) {
  ar_http_begin(&call->http);
  ar_buf_addb(&call->http.url, &call->client->endpoint.url);
  return ar_route(&call->http, &call->client->settings, &call->err);
}

/* Says with an error about the value of a setting where that stands. */
static int tell_source(struct ar_call *call, enum ar_setting which) {
  const char *source = call->client->settings.values[which].source;
  struct ar_err why = call->err;
  if (why.code == AR_E_BAD_ENDPOINT && source != NULL)
    ar_fail(&call->err, why.code, "%s (from %s): %s", ar_setting_name(which),
            source, why.message);
  if (why.code == AR_E_NO_REGION && call->has_arn)
    ar_fail(&call->err, why.code, "%s The ARN that was given names none.",
            why.message);
  return (int)why.code;
}

/* A client that is only looked at may have no region yet. */
int ar_call_endpoint(struct ar_call *call) {
  struct ar_client *client = call->client;
  struct ar_str region = ar_buf_str(&call->region);
  bool unknown = call->operation == NULL && region.n == 0;
  bool custom = ar_settings_text(&client->settings, AR_SET_ENDPOINT_URL).n > 0;
  int rc;
  if (unknown && !custom) return AR_OK;
  rc = ar_client_endpoint(client, region, &call->err);
  if (rc != AR_OK)
    return tell_source(call, custom ? AR_SET_ENDPOINT_URL : AR_SET_REGION);
  if (!unknown) rc = ar_region_check(region, &call->err);
  if (rc != AR_OK) return tell_source(call, AR_SET_REGION);
  return call->operation == NULL ? try_route(call) : AR_OK;
}

static void step_credentials(struct ar_call *call, const struct ar_now *now) {
  struct ar_err *err = &call->err;
  enum ar_step step = AR_STEP_FAIL;
  if (call->client->closed)
    ar_fail(err, AR_E_CANCELLED, "the client is closed");
  else if (err->code == AR_OK && ar_call_endpoint(call) == AR_OK)
    step =
        ar_client_want(call->client, call->job.jobs, &call->waiter, now, err);
  if (step == AR_STEP_FAIL) {
    ar_http_begin(&call->http); /* an answer from before is not the reason */
    fail(call);
  } else if (step == AR_STEP_NONE)
    ar_job_wait(&call->job, AR_NEVER);
  else
    enter(call, call->operation == NULL ? AR_CALL_DONE : AR_CALL_SIGNING);
}

/* How long the adaptive mode has the attempt wait; 0: it may go. */
static int64_t limit(struct ar_call *call, const struct ar_now *now) {
  struct ar_limiter *limiter = &call->client->limiter;
  if (limiter->fill_rate == 0) ar_limiter_init(limiter, now->monotonic);
  return ar_client_retries(call->client)->mode == AR_RETRY_ADAPTIVE
             ? ar_limiter_acquire(limiter, now->monotonic)
             : 0;
}

static void step_signing(struct ar_call *call, const struct ar_now *now) {
  int64_t pause = limit(call, now);
  if (pause > 0) { /* meanwhile the credentials may expire or go */
    enter(call, AR_CALL_CREDENTIALS);
    ar_job_wait(&call->job, now->monotonic + pause);
    return;
  }
  if (call->attempts++ == 0) call->skew = call->client->skew;
  call->generation = call->client->generation;
  call->sent_at = now->epoch;
  if (send(call, (now->epoch + call->skew) / 1000, &call->err) == AR_OK) {
    enter(call, AR_CALL_SENDING);
  } else {
    call->attempts--; /* nothing was ordered */
    fail(call);
  }
}

/* Steps taken while the exchange is still out there change nothing. */
static void step_sending(struct ar_call *call, const struct ar_now *now) {
  const struct ar_outcome *outcome = &call->http.outcome;
  if (call->job.exchange != NULL) {
    ar_job_wait(&call->job, AR_NEVER);
    return;
  }
  if (outcome->failure != AR_OK) {
    call->ambiguous = call->ambiguous || call->http.exchange.sent;
    ar_http_failure(&call->http, &call->err);
    fail_attempt(call, now);
    return;
  }
  take_skew(call, now);
  if (outcome->status >= 200 && outcome->status <= 299) {
    succeed(call, now);
    return;
  }
  take_error(call);
  if (!renew(call, now)) fail_attempt(call, now);
}

static void step_backing_off(struct ar_call *call, const struct ar_now *now) {
  if (now->monotonic < call->resume)
    ar_job_wait(&call->job, call->resume);
  else
    enter(call, AR_CALL_CREDENTIALS);
}

static void step(struct ar_job *job, const struct ar_now *now) {
  struct ar_call *call = CALL_OF_JOB(job);
  while (job->phase == AR_JOB_READY) {
    switch (call->state) {
      case AR_CALL_CREDENTIALS:
        step_credentials(call, now);
        break;
      case AR_CALL_SIGNING:
        step_signing(call, now);
        break;
      case AR_CALL_SENDING:
        step_sending(call, now);
        break;
      case AR_CALL_BACKING_OFF:
        step_backing_off(call, now);
        break;
      case AR_CALL_DONE:
        ar_job_finish(job);
        break;
    }
  }
}

static void end(struct ar_job *job, enum ar_code code, const char *why) {
  struct ar_call *call = CALL_OF_JOB(job);
  if (call->state == AR_CALL_SENDING && call->http.exchange.sent)
    call->ambiguous = true;
  ar_client_unwant(call->client, &call->waiter);
  /* It ends for a reason of its own, not for what an answer has said. */
  call->retryable = false;
  call->http.outcome.status = 0;
  ar_buf_reset(&call->http.answer_head);
  if (why == NULL)
    ar_fail(&call->err, code, "the call took longer than its timeout of %g s",
            (double)call->timeout / 1000);
  else
    ar_fail(&call->err, code, "%s", why);
  call->state = AR_CALL_DONE;
}

static void free_memory(struct ar_call *call) {
  ar_buf_free(&call->region);
  ar_buf_free(&call->service_code);
  ar_buf_free(&call->service_message);
  ar_http_free(&call->http);
  free(call);
}

/* Keeps the call for the next one of its client, to which it is no call any
   more: released once again, its memory goes. */
static void keep_memory(struct ar_call *call, struct ar_client *client) {
  ar_buf_reset(&call->region);
  ar_buf_free(&call->service_code);
  ar_buf_free(&call->service_message);
  ar_http_clear(&call->http);
  call->job.refs = 1;
  client->spare = &call->job;
}

static void free_call(struct ar_job *job) {
  struct ar_call *call = CALL_OF_JOB(job);
  struct ar_client *client = call->client;
  if (client == NULL) {
    free_memory(call);
    return;
  }
  ar_client_unwant(client, &call->waiter);
  call->client = NULL;
  if (client->spare == NULL)
    keep_memory(call, client);
  else
    free_memory(call);
  ar_client_release(client);
}

static const struct ar_job_class call_class = {step, end, free_call};

bool ar_job_is_call(const struct ar_job *job) {
  return job->class == &call_class;
}

void ar_calls_cancel(struct ar_jobs *jobs, const struct ar_client *client) {
  struct ar_link *next, *rings[] = {&jobs->ready, &jobs->waiting};
  for (size_t i = 0; i < 2; i++) {
    for (struct ar_link *at = rings[i]->next; at != rings[i]; at = next) {
      struct ar_job *job = AR_OWNER(struct ar_job, link, at);
      next = at->next;
      if (!ar_job_is_call(job) || CALL_OF_JOB(job)->client != client) continue;
      ar_job_end(job, AR_E_CANCELLED, "the client was closed");
      next = rings[i]->next; /* others may have moved */
    }
  }
}

/* All zero, but for what a call that has ended keeps for the next; or NULL. */
static struct ar_call *need_memory(struct ar_client *client) {
  struct ar_call *call;
  if (client->spare == NULL) return calloc(1, sizeof *call);
  call = CALL_OF_JOB(client->spare);
  client->spare = NULL;
  *call = (struct ar_call){.region = call->region, .http = call->http};
  return call;
}

struct ar_call *ar_call_new(struct ar_client *client,
                            const struct ar_operation *operation,
                            const unsigned char random[AR_ID_SIZE],
                            const struct ar_host_facts *facts) {
  struct ar_call *call = need_memory(client);
  if (call == NULL) return NULL;
  ar_job_init(&call->job, &call_class);
  call->job.owner = client->id;
  call->client = client;
  ar_client_retain(client);
  call->operation = operation;
  call->facts = facts;
  call->timeout = -1;
  ar_waiter_init(&call->waiter, &call->job, &call->err);
  call->waiter.takes_expired = operation == NULL;
  call->region.limit = AR_MAX_URL;
  ar_http_init(&call->http, &call->job,
               (size_t)ar_settings_number(&client->settings,
                                          AR_SET_MAX_RESPONSE_BYTES));
  format_uuid(random, call->invocation_id);
  return call;
}

void ar_call_limit(struct ar_call *call, int64_t timeout, int64_t monotonic) {
  if (timeout < 0 || (call->timeout >= 0 && timeout >= call->timeout)) return;
  call->timeout = timeout;
  call->job.deadline = monotonic + timeout;
}

int ar_call_set_region(struct ar_call *call, struct ar_str arn,
                       struct ar_err *err) {
  call->has_arn = arn.n > 0;
  ar_buf_reset(&call->region);
  ar_buf_adds(&call->region, ar_client_region(call->client, arn));
  return ar_buf_check(&call->region, err);
}

struct ar_str ar_call_request_id(const struct ar_call *call) {
  struct ar_str id = ar_http_header(&call->http, AR_REQUEST_ID);
  return id.n > 0 ? id : ar_http_header(&call->http, AR_REQUEST_ID_ELSE);
}

bool ar_call_waits(const struct ar_call *call) {
  return !ar_list_empty(&call->waiter.link);
}
