/*
** A call that is tried again, without I/O: how often, when, signed how, and
** what it makes of the clock and the credentials. The die always says one
** half, so every wait is known to the millisecond.
*/
#include <stdlib.h>
#include <time.h>

#include "call_kit.h"

#define KEYS                                                   \
  "AWS_ACCESS_KEY_ID", "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY", \
      "SECRETEXAMPLE", "AWS_EC2_METADATA_DISABLED", "true"

static const char *const standard[] = {KEYS, NULL};
static const char *const adaptive[] = {KEYS, "AWS_RETRY_MODE", "adaptive",
                                       NULL};
static const char *const unskewed[] = {
    KEYS, "AWS_DISABLE_CLOCK_SKEW_CORRECTION", "true", NULL};

/* A client that outlives its calls. */
static struct ar_client *client_for(const char *const *env, int max) {
  struct ar_client *client = client_of(env);
  if (max > 0)
    ar_settings_set_number(&client->settings, AR_SET_MAX_ATTEMPTS, max,
                           AR_SOURCE_ARGUMENT, NULL);
  return client;
}

static struct ar_call *begin(struct ar_client *client) {
  ar_client_retain(client);
  return call_of(client);
}

static void let_pass(int64_t ms) {
  now.monotonic += ms;
  now.epoch += ms;
}

/* An answer: a status, a code in the body, and header lines or NULL. */
static void answer(struct ar_exchange *x, int status, const char *code,
                   const char *lines) {
  char body[128];
  snprintf(body, sizeof body, "{\"__type\":\"%s\"}", code);
  feed(x, AR_PART_HEAD, "HTTP/1.1 200 Reason\r\n");
  if (lines != NULL) feed(x, AR_PART_HEAD, lines);
  feed(x, AR_PART_HEAD, "\r\n");
  feed(x, AR_PART_BODY, body);
  end(x, status, AR_OK);
}

static void fault(struct ar_exchange *x) {
  answer(x, 500, "InternalServiceErrorException", NULL);
}

static void throttle(struct ar_exchange *x) {
  answer(x, 400, "ThrottlingException", NULL);
}

static void success(struct ar_exchange *x) {
  answer(x, 200, "", NULL);
}

/* The attempt that is sent when `ms` have passed, and no earlier. */
static struct ar_exchange *after(int64_t ms) {
  if (ms > 0) {
    let_pass(ms - 1);
    CHECK(sent() == NULL, "nothing is sent before %d ms", (int)ms);
    let_pass(1);
  }
  return sent();
}

/* An attempt is expected; without one there is no point in going on. */
static struct ar_exchange *need(struct ar_exchange *x) {
  CHECK(x != NULL, "an attempt is sent");
  if (x == NULL) exit(checked());
  return x;
}

static void succeeded(struct ar_call *call, int attempts) {
  CHECK(call->err.code == AR_OK && call->attempts == attempts,
        "success, attempt %d: %d", call->attempts, attempts);
  forget(call);
}

static void failed(struct ar_call *call, enum ar_code code, int attempts) {
  CHECK(call->err.code == code, "it failed by %s: %s",
        ar_code_name(call->err.code), call->err.message);
  CHECK(call->attempts == attempts, "after %d attempts: %d", call->attempts,
        attempts);
  forget(call);
}

/* --- how often, and when ------------------------------------------------- */

static void bounded(void) {
  static const int64_t waits[] = {25, 50, 100, 200};
  for (int max = 1; max <= 5; max++) {
    struct ar_client *client = client_for(standard, max);
    struct ar_call *call = begin(client);
    for (int attempt = 1; attempt <= max; attempt++) {
      struct ar_exchange *x =
          need(after(attempt == 1 ? 0 : waits[attempt - 2]));
      char line[32];
      snprintf(line, sizeof line, "attempt=%d; max=%d", attempt, max);
      check_line(x, "amz-sdk-request", line);
      check_line(x, "amz-sdk-invocation-id",
                 "00010203-0405-4f07-bf09-0a0b0c0d0e0f");
      CHECK(x->body.n == 109, "attempt %d has the same body", attempt);
      fault(x);
    }
    CHECK(call->retryable && !call->ambiguous, "it may be tried again");
    CHECK_STR(ar_buf_str(&call->service_code), "InternalServiceErrorException",
              "the last answer's code");
    failed(call, AR_E_SERVICE, max);
    ar_client_release(client);
  }
}

static void recovers(void) {
  struct ar_client *client = client_for(standard, 0);
  struct ar_call *call = begin(client);
  struct ar_exchange *x = need(sent());
  check_line(x, "amz-sdk-request", "attempt=1; max=3");
  end(x, 0, AR_E_CONNECT);
  fault(need(after(25)));
  success(need(after(50)));
  CHECK_STR(ar_buf_str(&call->http.answer_body), "{\"__type\":\"\"}",
            "the body is that of the last answer");
  succeeded(call, 3);
  ar_client_release(client);
}

/* What must not be tried again is not. */
static void final(void) {
  static const struct {
    int status;
    enum ar_code failure;
    const char *code;
  } rows[] = {{400, AR_OK, "InvalidStateException"},
              {404, AR_OK, "ResourceNotFoundException"},
              {403, AR_OK, "AccessDeniedException"},
              {501, AR_OK, "NotImplemented"},
              {0, AR_E_TLS, ""},
              {200, AR_E_TOO_LARGE, ""}};
  for (size_t i = 0; i < LENGTH(rows); i++) {
    struct ar_client *client = client_for(standard, 3);
    struct ar_call *call = begin(client);
    struct ar_exchange *x = need(sent());
    if (rows[i].failure == AR_OK)
      answer(x, rows[i].status, rows[i].code, NULL);
    else
      end(x, rows[i].status, rows[i].failure);
    CHECK(!call->retryable, "row %zu: for good", i);
    failed(call, rows[i].failure ? rows[i].failure : AR_E_SERVICE, 1);
    CHECK(client->quota.left == 500, "nothing is paid");
    ar_client_release(client);
  }
}

static void throttled(void) {
  struct ar_client *client = client_for(standard, 3);
  struct ar_call *call = begin(client);
  throttle(need(sent()));
  answer(need(after(500)), 429, "", NULL);
  success(need(after(1000)));
  succeeded(call, 3);
  CHECK(client->quota.left == 495, "two at 5 tokens, the last one given back");
  ar_client_release(client);
}

/* The table of 2026: never shorter than without, at most 5 s longer. */
static void asked_to_wait(void) {
  static const struct {
    const char *line;
    int64_t wait;
  } rows[] = {{"x-amz-retry-after: 1500\r\n", 1500},
              {"x-amz-retry-after: 0\r\n", 25},
              {"x-amz-retry-after: 10000\r\n", 5025},
              {"x-amz-retry-after: soon\r\n", 25},
              {"x-amz-retry-after: -1\r\n", 25},
              {"Retry-After: 2\r\n", 2000},
              {"Retry-After: 60\r\n", 5025},
              {"Retry-After: Wed, 21 Oct 2026 07:28:00 GMT\r\n", 25},
              {"Retry-After: 4\r\nX-Amz-Retry-After: 100\r\n", 100},
              {"Retry-After: 4\r\nx-amz-retry-after: soon\r\n", 4000}};
  for (size_t i = 0; i < LENGTH(rows); i++) {
    struct ar_client *client = client_for(standard, 3);
    struct ar_call *call = begin(client);
    answer(need(sent()), 500, "", rows[i].line);
    end(need(after(rows[i].wait)), 0, AR_E_CONNECT);
    success(need(after(50))); /* what one answer asked, the next forgets */
    succeeded(call, 3);
    ar_client_release(client);
  }
}

/* --- the quota ----------------------------------------------------------- */

static void quota_of(const struct ar_client *client, int expected) {
  CHECK(client->quota.left == expected, "%d tokens are left, not %d",
        client->quota.left, expected);
}

static void quota(void) {
  struct ar_client *client = client_for(standard, 3);
  struct ar_client *other = client_for(standard, 3);
  struct ar_call *a = begin(client), *b;
  fault(need(sent()));
  quota_of(client, 486);
  fault(need(after(25)));
  quota_of(client, 472);
  fault(need(after(50)));
  failed(a, AR_E_SERVICE, 3);
  quota_of(client, 472);
  b = begin(client);
  fault(need(sent()));
  quota_of(client, 458);
  success(need(after(25)));
  succeeded(b, 2);
  quota_of(client, 472);
  b = begin(client);
  success(need(sent()));
  succeeded(b, 1);
  quota_of(client, 473);
  quota_of(other, 500);
  ar_client_release(client);
  ar_client_release(other);
}

/* Two calls that are in flight pay from one purse. */
static void quota_is_empty(void) {
  struct ar_client *client = client_for(standard, 3);
  struct ar_call *a = begin(client), *b = begin(client);
  struct ar_exchange *x = need(sent()), *y = need(sent());
  client->quota.left = 20;
  fault(x);
  quota_of(client, 6);
  fault(y);
  CHECK(b->retryable, "it could be tried again");
  failed(b, AR_E_SERVICE, 1);
  throttle(need(after(25)));
  quota_of(client, 1);
  success(need(after(1000)));
  succeeded(a, 3);
  quota_of(client, 6);
  ar_client_release(client);
}

/* A kept connection that the server has closed says nothing about it. */
static void stale(void) {
  static const struct {
    enum ar_code failure;
    bool reused;
    int left;
  } rows[] = {{AR_E_CONNECTION_CLOSED, true, 500},
              {AR_E_CONNECTION_CLOSED, false, 486},
              {AR_E_READ_TIMEOUT, true, 486},
              {AR_E_CONNECT_TIMEOUT, false, 486}};
  for (size_t i = 0; i < LENGTH(rows); i++) {
    struct ar_client *client = client_for(standard, 3);
    struct ar_call *call = begin(client);
    struct ar_exchange *x = need(sent());
    struct ar_outcome outcome = {.failure = rows[i].failure,
                                 .reused = rows[i].reused};
    x->finish(x, &outcome);
    x->release(x);
    ar_jobs_step(&jobs, &now);
    quota_of(client, rows[i].left);
    success(need(after(25)));
    CHECK(call->ambiguous, "the first request may have arrived");
    succeeded(call, 2);
    ar_client_release(client);
  }
}

/* --- each attempt anew --------------------------------------------------- */

static void http_date(int64_t epoch, char out[64]) {
  time_t seconds = (time_t)(epoch / 1000);
  strftime(out, 64, "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", gmtime(&seconds));
}

static void copy_line(const struct ar_exchange *x, const char *name,
                      char out[512]) {
  snprintf(out, 512, "%s", line_of(x, name));
}

static void signed_anew(void) {
  struct ar_client *client = client_for(standard, 3);
  struct ar_call *call;
  struct ar_exchange *x;
  char first[512], second[512], date[64];
  now.epoch = INT64_C(1767323045000);
  call = begin(client);
  x = need(sent());
  check_line(x, "X-Amz-Date", "20260102T030405Z");
  check_line(x, "amz-sdk-request", "attempt=1; max=3");
  copy_line(x, "Authorization", first);
  answer(x, 500, "", "Retry-After: 2\r\n");
  x = need(after(2000));
  check_line(x, "X-Amz-Date", "20260102T030407Z");
  check_line(x, "amz-sdk-request", "attempt=2; max=3");
  copy_line(x, "Authorization", second);
  CHECK(strcmp(first, second) != 0, "the signature is another one");
  CHECK(strncmp(first, second, 60) == 0, "of the same credentials");
  http_date(now.epoch + 100000, date);
  answer(x, 500, "", date);
  x = need(after(50));
  check_line(x, "X-Amz-Date", "20260102T030547Z");
  check_line(x, "amz-sdk-request", "ttl=20260102T030647Z; attempt=3; max=3");
  success(x);
  succeeded(call, 3);
  ar_client_release(client);
}

/* --- ambiguity ----------------------------------------------------------- */

static void refused_after_loss(void) {
  static const struct {
    bool arrived;
    enum ar_code failure;
  } rows[] = {{true, AR_E_CONNECTION_CLOSED},
              {true, AR_E_READ_TIMEOUT},
              {false, AR_E_CONNECT},
              {false, AR_E_CONNECT_TIMEOUT}};
  for (size_t i = 0; i < LENGTH(rows); i++) {
    struct ar_client *client = client_for(standard, 3);
    struct ar_call *call = begin(client);
    struct ar_exchange *x = need(sent());
    x->sent = rows[i].arrived;
    end(x, 0, rows[i].failure);
    answer(need(after(25)), 400, "InvalidStateException", NULL);
    CHECK(call->ambiguous == rows[i].arrived, "row %zu: ambiguous", i);
    CHECK(!call->retryable, "the answer counts");
    failed(call, AR_E_SERVICE, 2);
    ar_client_release(client);
  }
}

static void unreachable_after_loss(void) {
  struct ar_client *client = client_for(standard, 2);
  struct ar_call *call = begin(client);
  struct ar_exchange *x = need(sent());
  end(x, 0, AR_E_READ_TIMEOUT);
  x = need(after(25));
  x->sent = false;
  end(x, 0, AR_E_CONNECT);
  CHECK(call->ambiguous, "the first may still have been carried out");
  failed(call, AR_E_CONNECT, 2);
  ar_client_release(client);
}

/* An end from outside during a backoff. */
static void cancelled(void) {
  for (int lost = 0; lost < 2; lost++) {
    struct ar_client *client = client_for(standard, 3);
    struct ar_call *call = begin(client);
    struct ar_exchange *x = need(sent());
    int64_t id;
    if (lost)
      end(x, 0, AR_E_READ_TIMEOUT);
    else
      fault(x);
    CHECK(ar_job_end(&call->job, AR_E_CANCELLED, "why"), "it ends");
    CHECK(ar_jobs_order(&jobs, &x, &id, &id) == AR_ORDER_NONE,
          "nothing is in flight that were to be forgotten");
    CHECK(call->ambiguous == (lost == 1), "ambiguous, since one was lost");
    CHECK(after(25) == NULL, "nor is anything sent later");
    failed(call, AR_E_CANCELLED, 1);
    ar_client_release(client);
  }
}

/* The second attempt was ordered, and never left. */
static void cancelled_before_sending(void) {
  struct ar_client *client = client_for(standard, 3);
  struct ar_call *call = begin(client);
  fault(need(sent()));
  let_pass(25);
  ar_jobs_step(&jobs, &now);
  CHECK(call->attempts == 2, "it is ordered");
  ar_job_end(&call->job, AR_E_CANCELLED, "why");
  CHECK(!call->ambiguous, "what was answered is not ambiguous");
  CHECK(sent() == NULL, "it is not sent");
  failed(call, AR_E_CANCELLED, 2);
  ar_client_release(client);
}

static void closed(void) {
  struct ar_client *client = client_for(standard, 3);
  struct ar_call *call = begin(client);
  fault(need(sent()));
  ar_calls_cancel(&jobs, client);
  ar_client_close(client);
  CHECK(after(25) == NULL, "nothing is sent for a closed client");
  failed(call, AR_E_CANCELLED, 1);
  ar_client_release(client);
}

/* A deadline during a backoff does not wait for the backoff's end. */
static void timed_out(void) {
  struct ar_client *client = client_for(standard, 3);
  struct ar_call *call;
  ar_settings_set_number(&client->settings, AR_SET_TIMEOUT, 0.2,
                         AR_SOURCE_ARGUMENT, NULL);
  call = begin(client);
  ar_call_limit(call, 200, now.monotonic);
  throttle(need(sent()));
  while (ar_jobs_take_done(&jobs) != 0) continue; /* the chain's end */
  CHECK(ar_jobs_timeout(&jobs, now.monotonic) == 200,
        "the next step is due "
        "at the deadline");
  let_pass(199);
  CHECK(sent() == NULL && call->job.phase == AR_JOB_WAITING, "not yet");
  let_pass(1);
  CHECK(sent() == NULL, "nothing more is sent");
  CHECK(!call->ambiguous && strstr(call->err.message, "0.2 s"),
        "it says what was allowed: %s", call->err.message);
  failed(call, AR_E_CALL_TIMEOUT, 1);
  ar_client_release(client);
}

/* --- the server's clock -------------------------------------------------- */

#define NO_DATE INT64_MIN

/* Seconds; the answer comes 2 s after the request unless `trip` says. */
static const struct skew_row {
  const char *what;
  const char *const *env;
  int64_t stored;
  int status;
  const char *code;
  int64_t date; /* of the answer, from the middle between the two */
  int64_t trip;
  const char *line;
  int max;
  bool again;
  int64_t kept;
} skew_rows[] = {
    {"clocks agree", standard, 0, 200, "", 0, 2, NULL, 3, false, 0},
    {"too skewed", standard, 0, 403, "RequestTimeTooSkewed", 300, 2, NULL, 3,
     true, 300},
    {"slow server", standard, 0, 403, "RequestTimeTooSkewed", -300, 2, NULL, 3,
     true, -300},
    {"one attempt", standard, 0, 403, "RequestTimeTooSkewed", 300, 2, NULL, 1,
     false, 300},
    {"15 minutes", standard, 0, 200, "", 300, 900, NULL, 3, false, 300},
    {"16 minutes", standard, 0, 200, "", 300, 960, NULL, 3, false, 0},
    {"16 minutes, an error", standard, 0, 403, "RequestTimeTooSkewed", 300,
     960, NULL, 3, false, 0},
    {"heals", standard, 300, 200, "", 0, 2, NULL, 3, false, 0},
    {"2 minutes", standard, 0, 400, "InvalidSignatureException", 120, 2, NULL,
     3, false, 120},
    {"4 minutes", standard, 0, 400, "InvalidSignatureException", 240, 2, NULL,
     3, false, 240},
    {"5 minutes", standard, 0, 400, "InvalidSignatureException", 300, 2, NULL,
     3, true, 300},
    {"a denial", standard, 0, 400, "AccessDeniedException", 300, 2, NULL, 3,
     true, 300},
    {"another error", standard, 0, 400, "InvalidStateException", 300, 2, NULL,
     3, false, 300},
    {"an old code", standard, 0, 403, "RequestExpired", 300, 2, NULL, 3, false,
     300},
    {"no Date", standard, 0, 403, "RequestTimeTooSkewed", NO_DATE, 2, NULL, 3,
     false, 0},
    {"no Date, stored", standard, 300, 403, "RequestTimeTooSkewed", NO_DATE, 2,
     NULL, 3, false, 300},
    {"no date", standard, 0, 403, "RequestTimeTooSkewed", NO_DATE, 2,
     "Date: today\r\n", 3, false, 0},
    {"from a cache", standard, 0, 200, "", -17280, 2, "Age: 17280\r\n", 3,
     false, 0},
    {"switched off", unskewed, 0, 403, "RequestTimeTooSkewed", 300, 2, NULL, 3,
     false, 0}};

static void signed_at(const struct ar_exchange *x, int64_t epoch) {
  char date[AR_DATE_SIZE];
  ar_date_basic(epoch / 1000, date);
  check_line(x, "X-Amz-Date", date);
}

static void answer_after(struct ar_exchange *x, const struct skew_row *row) {
  int64_t middle = now.epoch + row->trip * 500;
  char date[64] = "", lines[128];
  if (row->date != NO_DATE) http_date(middle + row->date * 1000, date);
  snprintf(lines, sizeof lines, "%s%s", date, row->line ? row->line : "");
  let_pass(row->trip * 1000);
  answer(x, row->status, row->code, lines);
}

static void skewed(const struct skew_row *row) {
  struct ar_client *client = client_for(row->env, row->max);
  struct ar_call *call;
  struct ar_exchange *x;
  now.epoch = INT64_C(1767323045000);
  client->skew = row->stored * 1000;
  call = begin(client);
  x = need(sent());
  signed_at(x, now.epoch + row->stored * 1000);
  answer_after(x, row);
  CHECK((call->job.phase == AR_JOB_WAITING) == row->again, "%s: again",
        row->what);
  CHECK(client->skew == row->kept * 1000, "%s: the client keeps %d ms",
        row->what, (int)client->skew);
  if (row->again) {
    x = need(after(25));
    signed_at(x, now.epoch + row->kept * 1000);
    quota_of(client, 486);
    success(x);
  }
  CHECK(call->job.phase == AR_JOB_DONE, "%s: done", row->what);
  forget(call);
  call = begin(client);
  x = need(sent());
  signed_at(x, now.epoch + row->kept * 1000);
  success(x);
  succeeded(call, 1);
  ar_client_release(client);
}

/* A skew told by one answer does not explain the next one, which told none. */
static void skew_of_another_answer(void) {
  struct ar_client *client = client_for(standard, 3);
  struct ar_call *call = begin(client);
  char date[64];
  http_date(now.epoch + 300000, date);
  answer(need(sent()), 500, "", date);
  answer(need(after(25)), 403, "RequestTimeTooSkewed", NULL);
  failed(call, AR_E_SERVICE, 2);
  ar_client_release(client);
}

/* Two calls in flight: each keeps the skew that it has begun with, until an
   answer of its own tells another. */
static void skew_of_another_call(void) {
  struct ar_client *client = client_for(standard, 3);
  struct ar_call *a = begin(client), *b = begin(client);
  struct ar_exchange *x = need(sent()), *y = need(sent());
  char date[64];
  http_date(now.epoch + 100000, date);
  fault(x);
  answer(y, 200, "", date);
  succeeded(b, 1);
  CHECK(client->skew != 0, "the client has learned it");
  x = need(after(25));
  signed_at(x, now.epoch);
  success(x);
  succeeded(a, 2);
  ar_client_release(client);
}

/* --- the adaptive mode --------------------------------------------------- */

/*
** The throttled attempt leaves the least rate, one in 2 s; the next one, a
** success, makes it 1.6 in a second. Rates count from whole seconds.
*/
static void limited(void) {
  for (int i = 0; i < 2; i++) {
    bool is_adaptive = i == 0;
    struct ar_client *client =
        client_for(is_adaptive ? adaptive : standard, 3);
    struct ar_call *call;
    now.monotonic = 10000;
    call = begin(client);
    throttle(need(sent()));
    success(need(after(is_adaptive ? 2000 : 500)));
    succeeded(call, 2);
    call = begin(client);
    success(need(after(is_adaptive ? 625 : 0)));
    succeeded(call, 1);
    ar_client_release(client);
  }
}

/* --- credentials --------------------------------------------------------- */

static struct ar_client *asking_client(int max) {
  struct ar_client *client = client_for(standard, max);
  client->has_function = true;
  return client;
}

/* Answers for the caller's function, which is asked now; false: it is not. */
static bool give(const char *key_id) {
  struct ar_exchange *none;
  struct ar_creds *creds;
  int64_t id, owner;
  ar_jobs_step(&jobs, &now);
  if (ar_jobs_order(&jobs, &none, &id, &owner) != AR_ORDER_ASK) return false;
  creds = ar_refresh_asked(&jobs, id);
  kit_creds(creds, key_id, "SECRET", "");
  ar_refresh_answered(&jobs, id, AR_OK, NULL);
  return true;
}

static void signed_by(const struct ar_exchange *x, const char *key_id) {
  const char *line = line_of(x, "Authorization");
  CHECK(strstr(line, key_id) != NULL, "signed by %s: %s", key_id, line);
}

static const char *const blaming[] = {"ExpiredToken", "ExpiredTokenException",
                                      "UnrecognizedClientException",
                                      "InvalidClientTokenId"};

/* At once and for no token: what was wrong was not the service. */
static void renewed(void) {
  for (size_t i = 0; i < LENGTH(blaming); i++) {
    struct ar_client *client = asking_client(3);
    struct ar_call *call;
    struct ar_exchange *x;
    now.monotonic = 10000;
    call = begin(client);
    CHECK(give("FIRST"), "the function is asked");
    x = need(sent());
    signed_by(x, "FIRST");
    answer(x, 403, blaming[i], NULL);
    CHECK(give("SECOND"), "%s: asked again", blaming[i]);
    x = need(sent());
    signed_by(x, "SECOND");
    check_line(x, "amz-sdk-request", "attempt=2; max=3");
    quota_of(client, 500);
    CHECK(client->limiter.count == 1, "the limiter has counted it");
    answer(x, 403, blaming[i], NULL);
    CHECK(!give("THIRD"), "once only");
    CHECK_STR(ar_buf_str(&call->service_code), blaming[i], "told as it is");
    failed(call, AR_E_SERVICE, 2);
    ar_client_release(client);
  }
}

/* The last attempt goes to nobody, but the next call begins with others. */
static void renewed_too_late(void) {
  struct ar_client *client = asking_client(1);
  struct ar_call *call = begin(client);
  give("FIRST");
  answer(need(sent()), 403, "ExpiredToken", NULL);
  failed(call, AR_E_SERVICE, 1);
  call = begin(client);
  CHECK(give("SECOND"), "the next call asks anew");
  success(need(sent()));
  succeeded(call, 1);
  ar_client_release(client);
}

/* It is one attempt of all: never more than max_attempts are sent. */
static void renewed_among_retries(void) {
  struct ar_client *client = asking_client(3);
  struct ar_call *call = begin(client);
  give("FIRST");
  fault(need(sent()));
  answer(need(after(25)), 403, "ExpiredToken", NULL);
  give("SECOND");
  fault(need(sent()));
  failed(call, AR_E_SERVICE, 3);
  quota_of(client, 486);
  ar_client_release(client);
}

/* Two calls are refused with the same credentials: they are renewed once. */
static void renewed_by_another(void) {
  struct ar_client *client = asking_client(3);
  struct ar_call *a = begin(client), *b = begin(client);
  struct ar_exchange *x, *y;
  give("FIRST");
  x = need(sent());
  y = need(sent());
  answer(x, 403, "ExpiredToken", NULL);
  give("SECOND");
  x = need(sent());
  answer(y, 403, "ExpiredToken", NULL);
  y = need(sent());
  signed_by(y, "SECOND");
  success(x);
  success(y);
  succeeded(a, 2);
  succeeded(b, 2);
  ar_client_release(client);
}

/* The caller's own cannot be renewed. */
static void not_renewed(void) {
  struct ar_client *client = client_for(standard, 3);
  struct ar_call *call;
  kit_creds(&client->argument, "OWN", "SECRET", "TOKEN");
  client->has_argument = true;
  call = begin(client);
  answer(need(sent()), 403, "ExpiredTokenException", NULL);
  CHECK(!call->retryable, "for good");
  failed(call, AR_E_SERVICE, 1);
  ar_client_release(client);
}

/* While a call waits for the limiter, another one drops the credentials. */
static void dropped_meanwhile(void) {
  struct ar_client *client = client_for(adaptive, 3);
  struct ar_call *a, *b;
  struct ar_exchange *x, *y;
  client->has_function = true;
  now.monotonic = 10000;
  a = begin(client);
  b = begin(client);
  give("FIRST");
  x = need(sent());
  y = need(sent());
  throttle(x);
  let_pass(600);
  CHECK(sent() == NULL && a->state != AR_CALL_BACKING_OFF, "it is limited");
  answer(y, 403, "ExpiredToken", NULL);
  ar_job_end(&b->job, AR_E_CANCELLED, "why");
  forget(b);
  let_pass(1400);
  CHECK(give("SECOND"), "it asks for others");
  x = need(sent());
  signed_by(x, "SECOND");
  success(x);
  succeeded(a, 2);
  ar_client_release(client);
}

int main(void) {
  ar_jobs_init(&jobs);
  bounded();
  recovers();
  final();
  throttled();
  asked_to_wait();
  quota();
  quota_is_empty();
  stale();
  signed_anew();
  refused_after_loss();
  unreachable_after_loss();
  cancelled();
  cancelled_before_sending();
  closed();
  timed_out();
  for (size_t i = 0; i < LENGTH(skew_rows); i++) skewed(&skew_rows[i]);
  skew_of_another_answer();
  skew_of_another_call();
  limited();
  renewed();
  renewed_too_late();
  renewed_among_retries();
  renewed_by_another();
  not_renewed();
  dropped_meanwhile();
  ar_jobs_free(&jobs);
  return checked();
}
