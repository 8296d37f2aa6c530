/*
** One HTTP request that a job makes, and the answer to it: the exchange with
** all that it points to. A job prepares it, orders that it be sent, and reads
** the answer when it is stepped again; then it may prepare the next one.
*/
#ifndef ar_http_h
#define ar_http_h

#include "buf.h"
#include "job.h"

AR_HIDDEN

#define AR_MAX_LINES 16

struct ar_http {
  struct ar_exchange exchange;
  struct ar_job *job; /* whose it is */

  /* What is sent; `lines` point into `head`. */
  struct ar_buf url, proxy, head, body;
  struct ar_header_line lines[AR_MAX_LINES];

  /* What came. */
  struct ar_outcome outcome;
  struct ar_buf answer_head, answer_body;
};

/* A request of `job`, whose answer may have `max_body` bytes. `http` is all
   zero, or was cleared. */
void ar_http_init(struct ar_http *http, struct ar_job *job, size_t max_body);
void ar_http_free(struct ar_http *http);

/* Forgets request and answer, and keeps the memory of their texts, wiped, for
   another request, unless it is much. */
void ar_http_clear(struct ar_http *http);

/* Begins a request: forgets the one before, but for its body, and its answer.
 */
void ar_http_begin(struct ar_http *http);

/* Begins a line "Name: "; its value is added to http->head; ends it. */
void ar_http_begin_line(struct ar_http *http, const char *name);
void ar_http_end_line(struct ar_http *http);

/* Adds a whole line. The value must have no control characters. */
void ar_http_line(struct ar_http *http, const char *name, struct ar_str value);

/*
** Orders that the request be sent. Timeouts and trust are the exchange's, set
** by the caller. AR_OK, or AR_E_TOO_LARGE or AR_E_MEMORY, when it has failed
** to fit.
*/
int ar_http_send(struct ar_http *http, const char *method, struct ar_err *err);

/* The value of the first header of the answer that is called so, or empty. */
struct ar_str ar_http_header(const struct ar_http *http, const char *name);

/*
** Why there is no whole answer, where outcome.failure says so: AR_E_TOO_LARGE,
** AR_E_MEMORY or what the performer said.
*/
int ar_http_failure(const struct ar_http *http, struct ar_err *err);

AR_HIDDEN_END

#endif
