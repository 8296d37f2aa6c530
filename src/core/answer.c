/*
** Errors in the answers of AWS JSON services.
*/
#include "answer.h"

#include "json.h"

#define MAX_CODE 512

/* "ns#Name:uri" is Name. */
static struct ar_str sanitise_code(struct ar_str code) {
  size_t hash;
  if (code.n > MAX_CODE) return AR_STR(""); /* no code of anybody's */
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

enum { CODE, TYPE, MESSAGE, MESSAGE_2, MESSAGE_3, FIELDS };

static const char *const paths[FIELDS] = {"code", "__type", "message",
                                          "Message", "errorMessage"};

/* What the document and the header say, where the document is one. */
static void take_document(const struct ar_json_field *fields,
                          struct ar_str header, struct ar_buf *code,
                          struct ar_buf *message) {
  struct ar_buf raw;
  ar_buf_init(&raw, code->limit);
  ar_buf_adds(&raw, header);
  take_text(&raw, &fields[CODE], 2);
  ar_buf_adds(code, sanitise_code(ar_buf_str(&raw)));
  if (raw.failed) code->failed = raw.failed;
  take_text(message, &fields[MESSAGE], 3);
  ar_buf_free(&raw);
}

int ar_answer_error(const struct ar_http *http, struct ar_buf *code,
                    struct ar_buf *message, bool *document,
                    struct ar_err *err) {
  struct ar_json_field fields[FIELDS];
  struct ar_buf texts[FIELDS];
  struct ar_str header = ar_http_header(http, "x-amzn-errortype");
  size_t most = http->answer_body.n + header.n;
  int rc;
  ar_buf_free(code);
  ar_buf_free(message);
  ar_buf_init(code, most + 3); /* or a status */
  ar_buf_init(message, most);
  for (size_t i = 0; i < FIELDS; i++) {
    ar_buf_init(&texts[i], most);
    fields[i] = (struct ar_json_field){.path = paths[i], .text = &texts[i]};
  }
  rc = ar_json_flat(ar_buf_str(&http->answer_body), fields, FIELDS, err);
  *document = rc == AR_OK;
  if (*document)
    take_document(fields, header, code, message);
  else
    ar_buf_adds(code, sanitise_code(header));
  for (size_t i = 0; i < FIELDS; i++) ar_buf_free(&texts[i]);
  if (rc == AR_E_MEMORY || code->failed || message->failed)
    return ar_fail_memory(err);
  if (code->n == 0) ar_buf_addi(code, http->outcome.status);
  return ar_buf_check(code, err);
}
