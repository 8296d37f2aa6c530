/*
** The head of an answer: names and values lie in it, in their order, and each
** name is found.
*/
#include "../../src/core/head.h"

#include "fuzz.h"

static bool is_trimmed(struct ar_str s) {
  return ar_str_trim(s).n == s.n;
}

static void check_line(struct ar_str head, struct ar_str name,
                       struct ar_str value) {
  struct ar_str found = ar_head_find(head, name);
  HOLDS(name.n > 0 && !ar_is_space(name.p[0]));
  HOLDS(!fuzz_has(name, ':') && !fuzz_has(name, '\n'));
  HOLDS(is_trimmed(value) && !fuzz_has(value, '\n'));
  HOLDS(fuzz_inside(found, head));
  HOLDS(found.n == 0 || value.n == 0 || found.p <= value.p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct ar_str head = fuzz_copy(data, size), rest = head, name, value;
  for (size_t left = size; ar_head_next(&rest, &name, &value);) {
    HOLDS(rest.n < left);
    left = rest.n;
    HOLDS(fuzz_inside(name, head) && fuzz_inside(value, head));
    HOLDS(fuzz_inside(rest, head));
    check_line(head, name, value);
  }
  HOLDS(rest.n == 0);
  HOLDS(fuzz_inside(ar_head_find(head, AR_STR("Date")), head));
  fuzz_free(head);
  return 0;
}
