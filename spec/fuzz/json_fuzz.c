/*
** JSON: the reader of flat documents against the scan, and strings written
** and read back.
*/
#include "../../src/core/json.h"

#include "fuzz.h"

#define MOST 64 /* small, so that texts go beyond it */

static void holds(struct ar_str doc) {
  static const char *const paths[] = {"a", "b", "b.a", "Code", "b.Code"};
  enum { COUNT = sizeof paths / sizeof *paths };
  struct ar_buf texts[COUNT];
  struct ar_json_field fields[COUNT];
  struct ar_err err = {.code = AR_OK};
  bool nulls;
  int rc;
  for (size_t i = 0; i < COUNT; i++) {
    ar_buf_init(&texts[i], MOST);
    fields[i] = (struct ar_json_field){.path = paths[i], .text = &texts[i]};
  }
  rc = ar_json_flat(doc, fields, COUNT, &err);
  HOLDS(rc == AR_OK || (rc == AR_E_RESPONSE && err.code == AR_E_RESPONSE));
  /* What the strict reader takes, the lenient decoder may have. */
  HOLDS(rc != AR_OK || ar_json_is_sane(doc, 32, doc.n, &nulls));
  for (size_t i = 0; i < COUNT; i++) {
    HOLDS(texts[i].n <= MOST && (rc != AR_OK || !texts[i].failed));
    HOLDS(
        rc != AR_OK || texts[i].n == 0 ||
        (fields[i].type != AR_JSON_ABSENT && fields[i].type != AR_JSON_OTHER));
    ar_buf_free(&texts[i]);
  }
}

/* Any bytes, written as a string, are read back. */
static void round_trip(struct ar_str s) {
  struct ar_buf doc, text;
  struct ar_json_field field = {.path = "b.a", .text = &text};
  ar_buf_init(&doc, 6 * s.n + 32);
  ar_buf_init(&text, s.n);
  ar_buf_addz(&doc, "{\"b\":{\"a\":");
  ar_json_add_string(&doc, s);
  ar_buf_addz(&doc, "}}");
  HOLDS(ar_json_flat(ar_buf_str(&doc), &field, 1, NULL) == AR_OK);
  HOLDS(field.type == AR_JSON_STRING && ar_str_eq(ar_buf_str(&text), s));
  ar_buf_free(&doc);
  ar_buf_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct ar_str text = fuzz_copy(data, size);
  bool nulls, sane = ar_json_is_sane(text, 4, 8, &nulls);
  HOLDS(!sane || ar_json_is_sane(text, 5, 9, &nulls));
  holds(text);
  round_trip(text);
  fuzz_free(text);
  return 0;
}
