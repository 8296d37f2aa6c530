/*
** The system's own words for what it refuses. A file of its own, since the
** strerror_r of POSIX, that returns a number, is not to be had beside the
** extensions that the other files need.
*/
#define _POSIX_C_SOURCE 200809L
#include "system.h"

#include <errno.h>
#include <string.h>

int ar_fail_system(struct ar_err *err, enum ar_code code, int number) {
  char text[128];
  if (number == ENOMEM) return ar_fail_memory(err);
  if (strerror_r(number, text, sizeof text) != 0)
    return ar_fail(err, code, "error %d of the system", number);
  return ar_fail(err, code, "%s", text);
}
