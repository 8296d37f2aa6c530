/*
** One API call as a state machine.
*/
#include "call.h"

#include <stdlib.h>

#include "head.h"
#include "json.h"
#include "retry.h"

#define CALL_OF_JOB(at) AR_OWNER(struct ar_call, job, at)
#define CALL_OF_EXCHANGE(at) AR_OWNER(struct ar_call, exchange, at)

/* The one place where a call changes its state. */
static void enter(struct ar_call *call, enum ar_call_state state) {
  call->state = state;
  if (state == AR_CALL_DONE) ar_job_finish(&call->job);
}

/* Ends the call with what stands in call->err. */
static void fail(struct ar_call *call) {
  call->retryable = ar_retry_failure(call->err.code) != AR_RETRY_NEVER;
  enter(call, AR_CALL_DONE);
}

/* --- the exchange's functions ------------------------------------------ */

static void exchange_retain(struct ar_exchange *x) {
  ar_job_retain(&CALL_OF_EXCHANGE(x)->job);
}

static void exchange_release(struct ar_exchange *x) {
  ar_job_release(&CALL_OF_EXCHANGE(x)->job);
}

static bool exchange_append(struct ar_exchange *x, enum ar_part part,
                            const char *p, size_t n) {
  struct ar_call *call = CALL_OF_EXCHANGE(x);
  if (call->job.phase == AR_JOB_DONE) return false; /* nobody asks now */
  if (part == AR_PART_BODY)
    return ar_buf_add(&call->answer_body, p, n) == AR_OK;
  if (n >= 5 && memcmp(p, "HTTP/", 5) == 0) {
    ar_buf_reset(&call->answer_head);
    ar_buf_reset(&call->answer_body);
  }
  return ar_buf_add(&call->answer_head, p, n) == AR_OK;
}

static void exchange_finish(struct ar_exchange *x,
                            const struct ar_outcome *outcome) {
  struct ar_call *call = CALL_OF_EXCHANGE(x);
  if (call->job.phase == AR_JOB_DONE) return; /* it was cancelled meanwhile */
  call->outcome = *outcome;
  call->job.exchange = NULL;
  ar_job_ready(&call->job);
}

/* --- making the request ------------------------------------------------- */

static void format_uuid(const unsigned char random[16], char out[37]) {
  static const char digits[] = "0123456789abcdef";
  for (size_t i = 0; i < 16; i++) {
    unsigned char byte = random[i];
    if (i == 6) byte = (unsigned char)((byte & 0x0F) | 0x40); /* version 4 */
    if (i == 8) byte = (unsigned char)((byte & 0x3F) | 0x80); /* variant */
    if (i == 4 || i == 6 || i == 8 || i == 10) *out++ = '-';
    *out++ = digits[byte >> 4];
    *out++ = digits[byte & 15];
  }
  *out = '\0';
}

/* Begins a line "Name: " and notes it; its value and end_line follow. */
static void begin_line(struct ar_call *call, const char *name) {
  struct ar_header_line *line = &call->lines[call->exchange.header_count++];
  line->name_length = strlen(name);
  line->line = NULL; /* until `head` has stopped moving */
  ar_buf_addz(&call->head, name);
  ar_buf_addz(&call->head, ": ");
}

static void end_line(struct ar_call *call) {
  ar_buf_addc(&call->head, '\0');
}

static void add_line(struct ar_call *call, const char *name,
                     struct ar_str value) {
  begin_line(call, name);
  ar_buf_adds(&call->head, value);
  end_line(call);
}

static void point_lines(struct ar_call *call) {
  const char *at = ar_buf_z(&call->head);
  for (size_t i = 0; i < call->exchange.header_count; i++) {
    call->lines[i].line = at;
    at += strlen(at) + 1;
  }
}

static void write_head(struct ar_call *call, struct ar_str target) {
  struct ar_client *client = call->client;
  ar_buf_reset(&call->head);
  call->exchange.header_count = 0;
  add_line(call, "Host", ar_buf_str(&client->endpoint.host));
  add_line(call, "Accept-Encoding", AR_STR("identity"));
  add_line(call, "X-Amz-Target", target);
  add_line(call, "Content-Type", AR_STR(AR_CONTENT_TYPE));
  begin_line(call, "User-Agent");
  ar_client_user_agent(client, call->facts, &call->head);
  end_line(call);
  add_line(call, "X-Amz-Date", ar_str_of(client->signature.date));
  if (client->creds.session_token.n > 0)
    add_line(call, "X-Amz-Security-Token",
             ar_buf_str(&client->creds.session_token));
  add_line(call, "Authorization",
           ar_buf_str(&client->signature.authorization));
  add_line(call, "amz-sdk-invocation-id", ar_str_of(call->invocation_id));
  begin_line(call, "amz-sdk-request");
  ar_buf_addz(&call->head, "attempt=");
  ar_buf_addi(&call->head, call->attempts);
  end_line(call);
}

static int sign(struct ar_call *call, struct ar_str target, int64_t epoch,
                struct ar_err *err) {
  struct ar_client *client = call->client;
  const struct ar_header headers[] = {
      {AR_STR("host"), ar_buf_str(&client->endpoint.host)},
      {AR_STR("x-amz-target"), target},
      {AR_STR("content-type"), AR_STR(AR_CONTENT_TYPE)}};
  struct ar_sign_request request = {
      .method = AR_STR("POST"),
      .path = ar_buf_str(&client->endpoint.path),
      .body = ar_buf_str(&call->body),
      .headers = headers,
      .header_count = sizeof headers / sizeof *headers,
      .region = ar_buf_str(&call->region),
      .service = AR_STR(AR_SIGNING_NAME),
      .time = epoch};
  return ar_sigv4_sign(&client->signature, &request, &client->creds, err);
}

static int prepare(struct ar_call *call, int64_t epoch, struct ar_err *err) {
  struct ar_buf target;
  int rc;
  ar_buf_init(&target, 256);
  ar_buf_addz(&target, AR_TARGET_PREFIX);
  ar_buf_addz(&target, call->operation->name);
  rc = ar_buf_check(&target, err);
  if (rc == AR_OK) rc = sign(call, ar_buf_str(&target), epoch, err);
  if (rc == AR_OK) write_head(call, ar_buf_str(&target));
  ar_buf_free(&target);
  if (rc == AR_OK) rc = ar_buf_check(&call->head, err);
  if (rc != AR_OK) return rc;
  point_lines(call);
  ar_buf_reset(&call->url);
  ar_buf_addb(&call->url, &call->client->endpoint.url);
  return ar_buf_check(&call->url, err);
}

static void fill_exchange(struct ar_call *call) {
  const struct ar_settings *settings = &call->client->settings;
  struct ar_exchange *x = &call->exchange;
  x->method = "POST";
  x->url = ar_buf_z(&call->url);
  x->headers = call->lines;
  x->body = ar_buf_str(&call->body);
  x->connect_timeout = ar_settings_number(settings, AR_SET_CONNECT_TIMEOUT);
  x->read_timeout = ar_settings_number(settings, AR_SET_READ_TIMEOUT);
  x->verify = ar_settings_number(settings, AR_SET_VERIFY) == 1;
  x->ca_bundle = settings->values[AR_SET_CA_BUNDLE].text.n > 0
                     ? ar_buf_z(&settings->values[AR_SET_CA_BUNDLE].text)
                     : NULL;
}

/* --- reading the answer ------------------------------------------------- */

/* "ns#Name:uri" is Name. */
static struct ar_str sanitise_code(struct ar_str code) {
  size_t hash;
  code.n = ar_str_find(code, ':', 0);
  hash = ar_str_find(code, '#', 0);
  return hash < code.n ? ar_str_trim(ar_str_from(code, hash + 1))
                       : ar_str_trim(code);
}

/* Takes the first of `from` that is a text. */
static void take_text(struct ar_buf *to, const struct ar_json_field *from,
                      size_t count) {
  for (size_t i = 0; i < count && to->n == 0; i++)
    if (from[i].type == AR_JSON_STRING) ar_buf_addb(to, from[i].text);
}

/*
** The service's code and message, in the order that aws-json prescribes: the
** header, `code`, `__type`; else the status stands for the code.
*/
static int read_error(struct ar_call *call, struct ar_err *err) {
  static const char *const paths[] = {"code", "__type", "message", "Message",
                                      "errorMessage"};
  struct ar_json_field fields[5];
  struct ar_buf texts[5];
  struct ar_str head = ar_buf_str(&call->answer_head);
  struct ar_str code = ar_head_find(head, AR_STR("x-amzn-errortype"));
  size_t most = call->answer_body.n + code.n;
  int rc;
  ar_buf_init(&call->service_code, most + 3); /* or a status */
  ar_buf_init(&call->service_message, most);
  for (size_t i = 0; i < 5; i++) {
    ar_buf_init(&texts[i], most);
    fields[i] = (struct ar_json_field){.path = paths[i], .text = &texts[i]};
  }
  rc = ar_json_flat(ar_buf_str(&call->answer_body), fields, 5, err);
  call->service_document = rc == AR_OK;
  if (rc == AR_OK) {
    struct ar_buf raw;
    ar_buf_init(&raw, most);
    ar_buf_adds(&raw, code);
    take_text(&raw, fields, 2);
    ar_buf_adds(&call->service_code, sanitise_code(ar_buf_str(&raw)));
    if (raw.failed) call->service_code.failed = raw.failed;
    take_text(&call->service_message, fields + 2, 3);
    ar_buf_free(&raw);
  } else {
    ar_buf_adds(&call->service_code, sanitise_code(code));
  }
  for (size_t i = 0; i < 5; i++) ar_buf_free(&texts[i]);
  if (rc == AR_E_MEMORY || call->service_code.failed ||
      call->service_message.failed)
    return ar_fail_memory(err);
  if (call->service_code.n == 0)
    ar_buf_addi(&call->service_code, call->outcome.status);
  return ar_buf_check(&call->service_code, err);
}

static void fail_with_answer(struct ar_call *call) {
  struct ar_err err;
  if (read_error(call, &err) != AR_OK) {
    call->err = err;
    fail(call);
    return;
  }
  ar_fail(&call->err, AR_E_SERVICE, "%s", ar_buf_z(&call->service_message));
  call->retryable =
      ar_retry_answer(call->outcome.status, ar_buf_str(&call->service_code)) !=
      AR_RETRY_NEVER;
  enter(call, AR_CALL_DONE);
}

/* Without a whole answer; a refused piece is what the buffers say it is. */
static void fail_without_answer(struct ar_call *call) {
  const struct ar_outcome *outcome = &call->outcome;
  const struct ar_buf *full =
      call->answer_body.failed ? &call->answer_body : &call->answer_head;
  call->ambiguous = call->exchange.sent;
  if (full->failed == AR_E_TOO_LARGE)
    ar_fail(&call->err, AR_E_TOO_LARGE,
            "the answer's %s is larger than %zu bytes",
            full == &call->answer_body ? "body" : "head", full->limit);
  else if (full->failed)
    ar_fail_memory(&call->err);
  else
    ar_fail(&call->err, outcome->failure, "%s", outcome->detail);
  fail(call);
}

/* --- the machine --------------------------------------------------------- */

static void step_credentials(struct ar_call *call) {
  struct ar_err *err = &call->err;
  int rc;
  if (call->client->closed) {
    ar_fail(err, AR_E_CANCELLED, "the client is closed");
    fail(call);
    return;
  }
  rc = ar_client_endpoint(call->client, ar_buf_str(&call->region), err);
  if (rc == AR_OK) rc = ar_region_check(ar_buf_str(&call->region), err);
  if (rc == AR_OK) rc = ar_client_credentials(call->client, err);
  if (rc == AR_OK)
    enter(call, AR_CALL_SIGNING);
  else
    fail(call);
}

static void step_signing(struct ar_call *call, const struct ar_now *now) {
  call->attempts++;
  if (prepare(call, now->epoch / 1000, &call->err) != AR_OK) {
    fail(call);
    return;
  }
  fill_exchange(call);
  ar_job_send(&call->job, &call->exchange);
  enter(call, AR_CALL_SENDING);
}

/* Steps taken while the exchange is still out there change nothing. */
static void step_sending(struct ar_call *call) {
  if (call->job.exchange != NULL)
    ar_job_wait(&call->job, AR_NEVER);
  else if (call->outcome.failure != AR_OK)
    fail_without_answer(call);
  else if (call->outcome.status < 200 || call->outcome.status > 299)
    fail_with_answer(call);
  else
    enter(call, AR_CALL_DONE);
}

static void step(struct ar_job *job, const struct ar_now *now) {
  struct ar_call *call = CALL_OF_JOB(job);
  while (job->phase == AR_JOB_READY) {
    switch (call->state) {
      case AR_CALL_CREDENTIALS:
        step_credentials(call);
        break;
      case AR_CALL_SIGNING:
        step_signing(call, now);
        break;
      case AR_CALL_SENDING:
        step_sending(call);
        break;
      case AR_CALL_DONE:
        ar_job_finish(job);
        break;
    }
  }
}

static void end(struct ar_job *job, enum ar_code code, const char *why) {
  struct ar_call *call = CALL_OF_JOB(job);
  call->ambiguous = call->state == AR_CALL_SENDING && call->exchange.sent;
  if (why == NULL)
    ar_fail(
        &call->err, code, "the call took longer than its timeout of %g s",
        (double)ar_settings_number(&call->client->settings, AR_SET_TIMEOUT) /
            1000);
  else
    ar_fail(&call->err, code, "%s", why);
  call->state = AR_CALL_DONE;
}

static void free_call(struct ar_job *job) {
  struct ar_call *call = CALL_OF_JOB(job);
  struct ar_buf *bufs[] = {&call->body,         &call->region,
                           &call->url,          &call->head,
                           &call->answer_head,  &call->answer_body,
                           &call->service_code, &call->service_message};
  for (size_t i = 0; i < sizeof bufs / sizeof *bufs; i++) ar_buf_free(bufs[i]);
  ar_client_release(call->client);
  free(call);
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
      if (ar_job_is_call(job) && CALL_OF_JOB(job)->client == client)
        ar_job_end(job, AR_E_CANCELLED, "the client was closed");
    }
  }
}

static void init_bufs(struct ar_call *call) {
  int64_t most =
      ar_settings_number(&call->client->settings, AR_SET_MAX_RESPONSE_BYTES);
  ar_buf_init(&call->body, AR_MAX_REQUEST_HEAD);
  ar_buf_init(&call->region, AR_MAX_URL);
  ar_buf_init(&call->url, AR_MAX_URL);
  ar_buf_init(&call->head, AR_MAX_REQUEST_HEAD);
  ar_buf_init(&call->answer_head, AR_MAX_RESPONSE_HEAD);
  ar_buf_init(&call->answer_body, (size_t)most);
}

struct ar_call *ar_call_new(struct ar_client *client,
                            const struct ar_operation *operation,
                            const unsigned char random[16],
                            const struct ar_host_facts *facts) {
  struct ar_call *call = calloc(1, sizeof *call);
  if (call == NULL) return NULL;
  ar_job_init(&call->job, &call_class);
  call->client = client;
  ar_client_retain(client);
  call->operation = operation;
  call->facts = facts;
  init_bufs(call);
  format_uuid(random, call->invocation_id);
  call->exchange = (struct ar_exchange){.abi = AR_EXCHANGE_ABI,
                                        .size = sizeof call->exchange,
                                        .retain = exchange_retain,
                                        .release = exchange_release,
                                        .append = exchange_append,
                                        .finish = exchange_finish};
  return call;
}

int ar_call_set_region(struct ar_call *call, struct ar_str arn,
                       struct ar_err *err) {
  ar_buf_reset(&call->region);
  ar_buf_adds(&call->region, ar_client_region(call->client, arn));
  return ar_buf_check(&call->region, err);
}

struct ar_str ar_call_request_id(const struct ar_call *call) {
  struct ar_str head = ar_buf_str(&call->answer_head);
  struct ar_str id = ar_head_find(head, AR_STR("x-amzn-requestid"));
  return id.n > 0 ? id : ar_head_find(head, AR_STR("x-amz-request-id"));
}
