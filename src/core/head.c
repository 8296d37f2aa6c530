/*
** The head of an HTTP answer.
*/
#include "head.h"

static struct ar_str take_line(struct ar_str *rest) {
  size_t end = ar_str_find(*rest, '\n', 0);
  struct ar_str line = ar_str_n(rest->p, end);
  *rest = ar_str_from(*rest, end + 1);
  return line;
}

bool ar_head_next(struct ar_str *rest, struct ar_str *name,
                  struct ar_str *value) {
  while (rest->n > 0) {
    struct ar_str line = take_line(rest);
    size_t colon = ar_str_find(line, ':', 0);
    if (colon == 0 || colon == line.n || ar_is_space(line.p[0])) continue;
    *name = ar_str_n(line.p, colon);
    *value = ar_str_trim(ar_str_from(line, colon + 1));
    return true;
  }
  return false;
}

struct ar_str ar_head_find(struct ar_str head, struct ar_str name) {
  while (head.n > 0) {
    struct ar_str line = take_line(&head);
    if (line.n > name.n && line.p[name.n] == ':' &&
        ar_str_ieq(ar_str_n(line.p, name.n), name))
      return ar_str_trim(ar_str_from(line, name.n + 1));
  }
  return AR_STR("");
}
