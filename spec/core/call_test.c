/*
** A whole call without I/O: what it orders to be sent, and what it makes of
** the answer to its one attempt. See call_retry_test.c for more of them.
*/
#include "call_kit.h"

static const char *const variables[] = {
    "AWS_ACCESS_KEY_ID",
    "AKIDEXAMPLE",
    "AWS_SECRET_ACCESS_KEY",
    "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
    "AWS_MAX_ATTEMPTS",
    "1",
    NULL};
static const char *const no_variables[] = {"AWS_EC2_METADATA_DISABLED", "true",
                                           NULL};

static struct ar_call *new_call(void) {
  return call_of(client_of(variables));
}

static void request(void) {
  struct ar_call *call = new_call();
  struct ar_exchange *x = sent();
  CHECK(strcmp(x->method, "POST") == 0, "its method");
  CHECK(strcmp(x->url, "https://apprunner.us-east-1.amazonaws.com/") == 0,
        "its URL: %s", x->url);
  CHECK(x->body.n == 109, "its body");
  CHECK(x->connect_timeout == 60000 && x->read_timeout == 60000 && x->verify &&
            x->ca_bundle == NULL,
        "its settings");
  check_line(x, "Host", "apprunner.us-east-1.amazonaws.com");
  check_line(x, "X-Amz-Target", "AppRunner.PauseService");
  check_line(x, "Content-Type", "application/x-amz-json-1.0");
  check_line(x, "Accept-Encoding", "identity");
  check_line(x, "X-Amz-Date", "20260102T030405Z");
  check_line(x, "amz-sdk-invocation-id",
             "00010203-0405-4f07-bf09-0a0b0c0d0e0f");
  check_line(x, "amz-sdk-request", "attempt=1; max=1");
  check_line(x, "Authorization",
             "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260102/us-east-1/"
             "apprunner/aws4_request, SignedHeaders=content-type;host;"
             "x-amz-date;x-amz-target, Signature=4a6f6a5e3e734c48a539fba78eb8"
             "e787cde5f3280926384345c400dd20574c44");
  CHECK(line_of(x, "X-Amz-Security-Token") == NULL, "no token");
  CHECK(strstr(line_of(x, "User-Agent"), " md/libcurl#8 ") != NULL,
        "its user agent: %s", line_of(x, "User-Agent"));
  end(x, 200, AR_OK);
  CHECK(call->err.code == AR_OK && call->attempts == 1, "success");
  forget(call);
}

static void interim(void) {
  struct ar_call *call = new_call();
  struct ar_exchange *x = sent();
  feed(x, AR_PART_HEAD, "HTTP/1.1 100 Continue\r\n");
  feed(x, AR_PART_HEAD, "x-amzn-requestid: wrong\r\n");
  feed(x, AR_PART_HEAD, "\r\n");
  feed(x, AR_PART_HEAD, "HTTP/1.1 200 OK\r\n");
  feed(x, AR_PART_HEAD, "X-Amzn-RequestId: right\r\n");
  feed(x, AR_PART_HEAD, "\r\n");
  feed(x, AR_PART_BODY, "{\"a\"");
  feed(x, AR_PART_BODY, ":1}");
  end(x, 200, AR_OK);
  CHECK(call->err.code == AR_OK, "success after an interim answer");
  CHECK_STR(ar_call_request_id(call), "right", "the request id");
  CHECK_STR(ar_buf_str(&call->http.answer_body), "{\"a\":1}", "the body");
  forget(call);
}

#define URI ":http://internal.amazon.com/coral/com.amazon.coral.validate/"

static void errors(void) {
  static const struct {
    int status;
    const char *type, *body, *code, *message;
    bool document, retryable;
  } rows[] = {
      {400, "Foo", "{}", "Foo", "", true, false},
      {400, "Foo" URI, "{}", "Foo", "", true, false},
      {400, "ns#Foo" URI, "{}", "Foo", "", true, false},
      {400, "Foo", "{\"code\":\"C\",\"__type\":\"T\"}", "Foo", "", true,
       false},
      {400, "", "{\"code\":\"n#Foo\"}", "Foo", "", true, false},
      {400, "", "{\"code\":\"\",\"__type\":\"n#Foo" URI "\"}", "Foo", "", true,
       false},
      {400, "", "{\"code\":7,\"__type\":\"Foo\"}", "Foo", "", true, false},
      {400, "", "{\"__type\":\"a#b#Foo\"}", "b#Foo", "", true, false},
      {400, "", "{\"__type\":\":x\"}", "400", "", true, false},
      {400, "", "{\"__type\":null}", "400", "", true, false},
      {400, "", "{\"e\":{\"__type\":\"Foo\"}}", "400", "", true, false},
      {400, "Foo", "not JSON", "Foo", "", false, false},
      {503, "", "<html>", "503", "", false, true},
      {404, "", "", "404", "", false, false},
      {301, "", "", "301", "", false, false},
      {400, "", "[]", "400", "", false, false},
      {429, "", "{}", "429", "", true, true},
      {400, "", "{\"__type\":\"ThrottlingException\"}", "ThrottlingException",
       "", true, true},
      {500, "", "{\"__type\":\"F\",\"message\":\"m\",\"Message\":\"M\"}", "F",
       "m", true, true},
      {400, "", "{\"__type\":\"F\",\"Message\":\"M\"}", "F", "M", true, false},
      {400, "", "{\"__type\":\"F\",\"errorMessage\":\"E\"}", "F", "E", true,
       false},
      {400, "", "{\"__type\":\"F\",\"message\":null,\"Message\":\"M\"}", "F",
       "M", true, false}};
  for (size_t i = 0; i < LENGTH(rows); i++) {
    struct ar_call *call = new_call();
    struct ar_exchange *x = sent();
    char line[256];
    snprintf(line, sizeof line, "x-amzn-ErrorType: %s\r\n", rows[i].type);
    feed(x, AR_PART_HEAD, "HTTP/1.1 400 Bad\r\n");
    if (rows[i].type[0] != '\0') feed(x, AR_PART_HEAD, line);
    feed(x, AR_PART_BODY, rows[i].body);
    end(x, rows[i].status, AR_OK);
    CHECK(call->err.code == AR_E_SERVICE && !call->ambiguous,
          "answer %zu is the service's error", i);
    CHECK_STR(ar_buf_str(&call->service_code), rows[i].code, "code");
    CHECK_STR(ar_buf_str(&call->service_message), rows[i].message, "message");
    CHECK(call->service_document == rows[i].document, "%zu: a document", i);
    CHECK(call->retryable == rows[i].retryable, "answer %zu: retryable", i);
    forget(call);
  }
}

static void limits(void) {
  struct ar_call *call = new_call();
  struct ar_exchange *x = sent();
  char body[1002];
  memset(body, 'x', sizeof body);
  feed(x, AR_PART_HEAD, "HTTP/1.1 200 OK\r\n");
  CHECK(x->append(x, AR_PART_BODY, body, 1000), "1,000 bytes are taken");
  CHECK(!x->append(x, AR_PART_BODY, body, 1), "one more is refused");
  end(x, 200, AR_E_TOO_LARGE);
  CHECK(call->err.code == AR_E_TOO_LARGE && !call->retryable,
        "the answer is too large: %s", call->err.message);
  CHECK(strstr(call->err.message, "body") && strstr(call->err.message, "1000"),
        "it says what and how much: %s", call->err.message);
  forget(call);
  call = new_call();
  x = sent();
  feed(x, AR_PART_HEAD, "HTTP/1.1 200 OK\r\n");
  for (int i = 0; i < 70; i++)
    if (!x->append(x, AR_PART_HEAD, body, 1000)) break;
  end(x, 200, AR_E_TOO_LARGE);
  CHECK(call->err.code == AR_E_TOO_LARGE && strstr(call->err.message, "head"),
        "so is a head: %s", call->err.message);
  forget(call);
}

/* A message that is larger than the core keeps is no reason to lose the
   service's code. */
static void long_message(void) {
  static const char *const none[] = {"AWS_ACCESS_KEY_ID", "I",
                                     "AWS_SECRET_ACCESS_KEY", "S", NULL};
  struct ar_client *client = client_of(none);
  struct ar_call *call;
  struct ar_exchange *x;
  ar_settings_set_number(&client->settings, AR_SET_MAX_RESPONSE_BYTES, 1 << 20,
                         AR_SOURCE_ARGUMENT, NULL);
  call = call_of(client);
  x = sent();
  feed(x, AR_PART_BODY, "{\"__type\":\"Foo\",\"Message\":\"");
  for (int i = 0; i < 100; i++) {
    char text[1001];
    memset(text, 'x', 1000);
    text[1000] = '\0';
    feed(x, AR_PART_BODY, text);
  }
  feed(x, AR_PART_BODY, "\"}");
  end(x, 400, AR_OK);
  CHECK(call->err.code == AR_E_SERVICE, "the service's error: %s",
        call->err.message);
  CHECK_STR(ar_buf_str(&call->service_code), "Foo", "its code");
  forget(call);
}

static void failures(void) {
  static const struct {
    enum ar_code code;
    bool sent, retryable;
  } rows[] = {
      {AR_E_CONNECT, false, true},     {AR_E_CONNECT_TIMEOUT, false, true},
      {AR_E_READ_TIMEOUT, true, true}, {AR_E_CONNECTION_CLOSED, true, true},
      {AR_E_TLS, false, false},        {AR_E_HTTP, true, true}};
  for (size_t i = 0; i < LENGTH(rows); i++) {
    struct ar_call *call = new_call();
    struct ar_exchange *x = sent();
    x->sent = rows[i].sent;
    end(x, 0, rows[i].code);
    CHECK(call->err.code == rows[i].code && call->attempts == 1,
          "failure %zu is told", i);
    CHECK(strcmp(call->err.message, "the detail") == 0, "with its detail");
    CHECK(call->ambiguous == rows[i].sent, "failure %zu: ambiguous", i);
    CHECK(call->retryable == rows[i].retryable, "failure %zu: retryable", i);
    forget(call);
  }
}

/* What fails before anything is sent. */
static void unsent(void) {
  struct ar_client *client = client_of(no_variables);
  struct ar_call *call = call_of(client);
  CHECK(sent() == NULL && call->err.code == AR_E_NO_CREDENTIALS,
        "without credentials nothing is sent");
  CHECK(call->attempts == 0 && !call->ambiguous, "nor attempted");
  forget(call);
  client = client_of(variables);
  call = call_of(client);
  ar_buf_reset(&call->region);
  CHECK(sent() == NULL && call->err.code == AR_E_NO_REGION,
        "nor without a region");
  forget(call);
  client = client_of(variables);
  ar_client_retain(client);
  call = call_of(client);
  ar_client_close(client);
  ar_client_release(client);
  CHECK(sent() == NULL && call->err.code == AR_E_CANCELLED,
        "nor by a closed client");
  forget(call);
}

/* Cancelled: before it was begun, ordered, and in flight. */
static void cancelled(void) {
  for (int phase = 0; phase < 3; phase++) {
    struct ar_call *call = new_call();
    struct ar_exchange *x = NULL, *y = NULL;
    int64_t id;
    if (phase == 1) ar_jobs_step(&jobs, &now);
    if (phase == 2) x = sent();
    CHECK(ar_job_end(&call->job, AR_E_CANCELLED, "why"), "it ends");
    CHECK(call->err.code == AR_E_CANCELLED && call->ambiguous == (phase == 2),
          "cancelled in phase %d", phase);
    CHECK(ar_jobs_order(&jobs, &y, &id, &id) ==
              (phase == 2 ? AR_ORDER_FORGET : AR_ORDER_NONE),
          "what is in flight, and only that, is to be forgotten");
    if (y) y->release(y);
    if (x) x->release(x);
    forget(call);
  }
}

static void timed_out(void) {
  struct ar_client *client = client_of(variables);
  struct ar_call *call;
  struct ar_exchange *x, *y;
  struct ar_now later = {2000, now.epoch};
  int64_t id;
  ar_settings_set_number(&client->settings, AR_SET_TIMEOUT, 0.5,
                         AR_SOURCE_ARGUMENT, NULL);
  call = call_of(client);
  ar_call_limit(call, 500, 1000);
  x = sent();
  ar_jobs_step(&jobs, &later);
  CHECK(call->err.code == AR_E_CALL_TIMEOUT && call->ambiguous, "too late: %s",
        call->err.message);
  CHECK(strstr(call->err.message, "0.5 s"), "it says what was allowed");
  CHECK(ar_jobs_order(&jobs, &y, &id, &id) == AR_ORDER_FORGET, "forgotten");
  y->release(y);
  x->release(x);
  forget(call);
}

/* Of several limits the least holds, and is the one that the error names. */
static void limited(void) {
  static const struct {
    int64_t limits[3], deadline;
  } rows[] = {{{-1, -1, -1}, AR_NEVER},
              {{-1, 250, -1}, 1250},
              {{250, 300, -1}, 1250},
              {{300, 250, 400}, 1250},
              {{300, 0, -1}, 1000}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct ar_call *call = call_of(client_of(variables));
    for (size_t k = 0; k < 3; k++)
      ar_call_limit(call, rows[i].limits[k], 1000);
    CHECK(call->job.deadline == rows[i].deadline, "row %zu", i);
    ar_job_end(&call->job, AR_E_CALL_TIMEOUT, NULL);
    if (i == 3) CHECK(strstr(call->err.message, "0.25 s"), "the least");
    forget(call);
  }
}

/* Closing a client ends its calls, in whatever phase, and no other's. */
static void closed(void) {
  struct ar_client *client = client_of(variables);
  struct ar_call *mine[2], *other;
  struct ar_exchange *x, *y;
  int64_t id;
  ar_client_retain(client);
  ar_client_retain(client);
  mine[0] = call_of(client);
  x = sent();
  mine[1] = call_of(client);
  other = new_call();
  ar_calls_cancel(&jobs, client);
  ar_client_close(client);
  ar_client_release(client);
  CHECK(mine[0]->err.code == AR_E_CANCELLED &&
            mine[1]->err.code == AR_E_CANCELLED,
        "its calls end");
  CHECK(other->job.phase == AR_JOB_READY, "the other goes on");
  CHECK(ar_jobs_order(&jobs, &y, &id, &id) == AR_ORDER_FORGET && x == y,
        "forgot");
  y->release(y);
  x->release(x);
  while (ar_jobs_take_done(&jobs)) continue;
  ar_job_release(&mine[0]->job);
  ar_job_release(&mine[1]->job);
  end(sent(), 200, AR_OK);
  forget(other);
}

static void regions(void) {
  static const struct {
    const char *argument, *env, *arn, *region;
  } rows[] = {{"a-1", "e-1", "arn:aws:apprunner:r-1:1:s", "a-1"},
              {NULL, "e-1", "arn:aws:apprunner:r-1:1:s", "r-1"},
              {NULL, "e-1", "arn:aws:apprunner::1:s", "e-1"},
              {NULL, "e-1", "arn:aws:apprunner:r/1:1:s", "e-1"},
              {NULL, "e-1", "arn:aws:apprunner:r-1", "r-1"},
              {NULL, "e-1", "arn:aws", "e-1"},
              {NULL, "e-1", "arn:::", "e-1"},
              {NULL, "e-1", "x:aws:apprunner:r-1:1:s", "e-1"},
              {NULL, "e-1", "", "e-1"},
              {NULL, NULL, "", ""}};
  for (size_t i = 0; i < LENGTH(rows); i++) {
    const char *env[] = {"AWS_REGION", rows[i].env, NULL};
    struct ar_env e = kit_env(rows[i].env ? env : no_variables);
    struct ar_client *client = ar_client_new(&e);
    if (rows[i].argument)
      ar_settings_set(&client->settings, AR_SET_REGION,
                      ar_str_of(rows[i].argument), AR_SOURCE_ARGUMENT, NULL);
    ar_client_configure(client, NULL);
    CHECK_STR(ar_client_region(client, ar_str_of(rows[i].arn)), rows[i].region,
              rows[i].arn);
    ar_client_release(client);
  }
}

/* Its end is also that of the chain, which stands behind it in the list. */
static void cancelled_without_credentials(void) {
  static const char *const container[] = {
      "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/c", NULL};
  struct ar_call *call = call_of(client_of(container));
  struct ar_exchange *x = sent(), *forgotten = NULL;
  int64_t id;
  CHECK(x != NULL && call->state == AR_CALL_CREDENTIALS, "the chain asks");
  ar_calls_cancel(&jobs, call->client);
  CHECK(ar_jobs_order(&jobs, &forgotten, &id, &id) == AR_ORDER_FORGET &&
            forgotten == x,
        "what the chain has in flight is forgotten");
  forgotten->release(forgotten);
  x->release(x);
  CHECK(call->err.code == AR_E_CANCELLED, "it is cancelled");
  forget(call);
  while (ar_jobs_take_done(&jobs) != 0) continue;
}

/* What is kept of the User-Agent follows all that it is made of. */
static void user_agent(void) {
  static const struct ar_provider one = {.feature = "1"},
                                  two = {.feature = "2"};
  struct ar_host_facts changed = facts;
  struct ar_client *client = client_of(variables);
  const char *value;
  client->creds.provider = &one;
  changed.engine[0] = '\0';
  value = ar_buf_z(ar_client_user_agent(client, &changed));
  CHECK(strstr(value, " m/E,1 ") && !strstr(value, "libcurl"),
        "without an engine: %s", value);
  snprintf(changed.engine, sizeof changed.engine, "other#1");
  value = ar_buf_z(ar_client_user_agent(client, &changed));
  CHECK(strstr(value, " md/other#1 ") != NULL, "with one: %s", value);
  client->creds.provider = &two;
  value = ar_buf_z(ar_client_user_agent(client, &changed));
  CHECK(strstr(value, " m/E,2 ") != NULL, "other credentials: %s", value);
  CHECK(strstr(value + 1, "apprunner-lua/") == NULL,
        "nothing is left of the one before: %s", value);
  ar_client_release(client);
}

static bool is_wiped(const struct ar_buf *b) {
  for (size_t i = 0; i < b->cap; i++)
    if (b->p[i] != '\0') return false;
  return b->cap > 0 && b->n == 0;
}

/* What the memory of an ended call still holds. */
static void check_spare(const struct ar_client *client) {
  const struct ar_call *spare = (const void *)client->spare;
  CHECK(spare != NULL, "its memory is kept");
  if (spare == NULL) return;
  CHECK(is_wiped(&spare->http.head) && is_wiped(&spare->http.body) &&
            is_wiped(&spare->http.answer_head),
        "it is wiped");
  CHECK(spare->http.answer_body.cap == 0, "what is large is not kept");
}

/* The memory of a call that ended is that of the client's next one, and no
   more of it than that. */
static void spare(void) {
  static const char big[20000];
  struct ar_client *client = client_of(variables);
  struct ar_call *call;
  struct ar_exchange *x;
  ar_settings_set_number(&client->settings, AR_SET_MAX_RESPONSE_BYTES, 30000,
                         AR_SOURCE_ARGUMENT, NULL);
  ar_client_retain(client);
  call = call_of(client);
  x = sent();
  feed(x, AR_PART_HEAD, "HTTP/1.1 400 Bad Request\r\n");
  x->append(x, AR_PART_BODY, big, sizeof big);
  end(x, 400, AR_OK);
  CHECK(call->err.code == AR_E_SERVICE, "a call fails");
  forget(call);
  check_spare(client);
  ar_client_retain(client);
  CHECK(call_of(client) == call && client->spare == NULL,
        "the next one takes its place");
  CHECK(call->attempts == 0 && call->err.code == AR_OK &&
            call->service_code.n == 0 && call->state == AR_CALL_CREDENTIALS,
        "as a new one");
  x = sent();
  feed(x, AR_PART_HEAD, "HTTP/1.1 200 OK\r\n");
  x->append(x, AR_PART_BODY, big, sizeof big);
  end(x, 200, AR_OK);
  CHECK(call->err.code == AR_OK && call->http.answer_body.n == sizeof big,
        "and goes well");
  forget(call);
  ar_client_release(client);
}

int main(void) {
  ar_jobs_init(&jobs);
  request();
  interim();
  errors();
  limits();
  long_message();
  failures();
  unsent();
  cancelled();
  cancelled_without_credentials();
  timed_out();
  limited();
  closed();
  regions();
  user_agent();
  spare();
  ar_jobs_free(&jobs);
  return checked();
}
