/*
** One HTTP request of a job.
*/
#include "http.h"

#include "head.h"

#define MOST_KEPT 16384 /* bytes of a buffer, from request to request */

static struct ar_http *http_of(struct ar_exchange *x) {
  return AR_OWNER(struct ar_http, exchange, x);
}

/* --- the exchange's functions ------------------------------------------- */

static void retain(struct ar_exchange *x) {
  ar_job_retain(http_of(x)->job);
}

static void release(struct ar_exchange *x) {
  ar_job_release(http_of(x)->job);
}

static bool append(struct ar_exchange *x, enum ar_part part, const char *p,
                   size_t n) {
  struct ar_http *http = http_of(x);
  if (http->job->phase == AR_JOB_DONE) return false; /* nobody asks now */
  if (part == AR_PART_BODY)
    return ar_buf_add(&http->answer_body, p, n) == AR_OK;
  if (n >= 5 && memcmp(p, "HTTP/", 5) == 0) {
    ar_buf_reset(&http->answer_head);
    ar_buf_reset(&http->answer_body);
  }
  return ar_buf_add(&http->answer_head, p, n) == AR_OK;
}

static void finish(struct ar_exchange *x, const struct ar_outcome *outcome) {
  struct ar_http *http = http_of(x);
  if (http->job->phase == AR_JOB_DONE) return; /* it was ended meanwhile */
  http->outcome = *outcome;
  http->job->exchange = NULL;
  ar_job_ready(http->job);
}

/* --- the request ---------------------------------------------------------
 */

void ar_http_init(struct ar_http *http, struct ar_job *job, size_t max_body) {
  http->job = job;
  http->outcome = (struct ar_outcome){.failure = AR_OK};
  http->exchange = (struct ar_exchange){.retain = retain,
                                        .release = release,
                                        .append = append,
                                        .finish = finish};
  http->url.limit = http->proxy.limit = AR_MAX_URL;
  http->head.limit = http->body.limit = AR_MAX_REQUEST_HEAD;
  http->answer_head.limit = AR_MAX_RESPONSE_HEAD;
  http->answer_body.limit = max_body;
}

/* Wipes every buffer, and keeps those of at most `most` bytes. */
static void clear(struct ar_http *http, size_t most) {
  struct ar_buf *bufs[] = {&http->url,         &http->proxy,
                           &http->head,        &http->body,
                           &http->answer_head, &http->answer_body};
  for (size_t i = 0; i < sizeof bufs / sizeof *bufs; i++)
    ar_buf_clear(bufs[i], most);
}

void ar_http_clear(struct ar_http *http) {
  clear(http, MOST_KEPT);
}

void ar_http_free(struct ar_http *http) {
  clear(http, 0);
}

void ar_http_begin(struct ar_http *http) {
  http->outcome = (struct ar_outcome){.failure = AR_OK};
  http->exchange.header_count = 0;
  http->exchange.sent = false;
  ar_buf_reset(&http->url);
  ar_buf_reset(&http->proxy);
  ar_buf_reset(&http->head);
  ar_buf_reset(&http->answer_head);
  ar_buf_reset(&http->answer_body);
}

void ar_http_begin_line(struct ar_http *http, const char *name) {
  struct ar_header_line *line = &http->lines[http->exchange.header_count++];
  line->name_length = strlen(name);
  line->line = NULL; /* until `head` has stopped moving */
  ar_buf_addz(&http->head, name);
  ar_buf_addz(&http->head, ": ");
}

void ar_http_end_line(struct ar_http *http) {
  ar_buf_addc(&http->head, '\0');
}

void ar_http_line(struct ar_http *http, const char *name,
                  struct ar_str value) {
  ar_http_begin_line(http, name);
  ar_buf_adds(&http->head, value);
  ar_http_end_line(http);
}

static void point_lines(struct ar_http *http) {
  const char *at = ar_buf_z(&http->head);
  for (size_t i = 0; i < http->exchange.header_count; i++) {
    http->lines[i].line = at;
    at += strlen(at) + 1;
  }
}

int ar_http_send(struct ar_http *http, const char *method,
                 struct ar_err *err) {
  struct ar_exchange *x = &http->exchange;
  const struct ar_buf *parts[] = {&http->url, &http->proxy, &http->head,
                                  &http->body};
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
    int rc = ar_buf_check(parts[i], err);
    if (rc != AR_OK) return rc;
  }
  point_lines(http);
  x->method = method;
  x->url = ar_buf_z(&http->url);
  x->headers = http->lines;
  x->body = ar_buf_str(&http->body);
  x->proxy = http->proxy.n > 0 ? ar_buf_z(&http->proxy) : NULL;
  ar_job_send(http->job, x);
  return AR_OK;
}

/* --- the answer ----------------------------------------------------------
 */

struct ar_str ar_http_header(const struct ar_http *http, const char *name) {
  return ar_head_find(ar_buf_str(&http->answer_head), ar_str_of(name));
}

int ar_http_failure(const struct ar_http *http, struct ar_err *err) {
  const struct ar_buf *full =
      http->answer_body.failed ? &http->answer_body : &http->answer_head;
  if (full->failed == AR_E_TOO_LARGE)
    return ar_fail(err, AR_E_TOO_LARGE,
                   "the answer's %s is larger than %zu bytes",
                   full == &http->answer_body ? "body" : "head", full->limit);
  if (full->failed) return ar_fail_memory(err);
  return ar_fail(err, http->outcome.failure, "%s", http->outcome.detail);
}
