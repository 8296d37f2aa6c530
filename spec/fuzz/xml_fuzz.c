/*
** XML: what is read is bounded, and the same when it is written and read
** again.
*/
#include "../../src/core/xml.h"

#include "fuzz.h"

#define MOST 64 /* small, so that texts go beyond it */

static void add_escaped(struct ar_buf *out, struct ar_str s) {
  for (size_t i = 0; i < s.n; i++) {
    if (strchr("&<>\r", s.p[i])) {
      ar_buf_addz(out, "&#");
      ar_buf_addi(out, s.p[i]);
      ar_buf_addc(out, ';');
    } else {
      ar_buf_addc(out, s.p[i]);
    }
  }
}

static void round_trip(struct ar_str s) {
  struct ar_buf doc, text;
  struct ar_xml_field field = {.path = "a/b", .text = &text};
  ar_buf_init(&doc, 6 * MOST + 32);
  ar_buf_init(&text, MOST);
  ar_buf_addz(&doc, "<a><b>");
  add_escaped(&doc, s);
  ar_buf_addz(&doc, "</b></a>");
  HOLDS(ar_xml_flat(ar_buf_str(&doc), &field, 1, NULL) == AR_OK);
  HOLDS(field.found && ar_str_eq(ar_buf_str(&text), s));
  ar_buf_free(&doc);
  ar_buf_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const char *const paths[] = {"a", "a/b", "a/b/c", "b"};
  enum { COUNT = sizeof paths / sizeof *paths };
  struct ar_str doc = fuzz_copy(data, size);
  struct ar_buf texts[COUNT];
  struct ar_xml_field fields[COUNT];
  struct ar_err err = {.code = AR_OK};
  int rc;
  for (size_t i = 0; i < COUNT; i++) {
    ar_buf_init(&texts[i], MOST);
    fields[i] = (struct ar_xml_field){.path = paths[i], .text = &texts[i]};
  }
  rc = ar_xml_flat(doc, fields, COUNT, &err);
  HOLDS(rc == AR_OK || (rc == AR_E_RESPONSE && err.code == AR_E_RESPONSE));
  HOLDS(!fields[1].found || fields[0].found);
  HOLDS(!fields[2].found || fields[1].found);
  HOLDS(!fields[0].found || !fields[3].found);
  for (size_t i = 0; i < COUNT; i++) {
    HOLDS(texts[i].n <= MOST && (fields[i].found || texts[i].n == 0));
    HOLDS(rc != AR_OK || !texts[i].failed);
    if (rc == AR_OK) round_trip(ar_buf_str(&texts[i]));
    ar_buf_free(&texts[i]);
  }
  fuzz_free(doc);
  return 0;
}
