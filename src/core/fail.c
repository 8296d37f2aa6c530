/*
** The table of errors, and the function that fills one.
*/
#include "fail.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const kind_names[] = {
    "service",   "validation", "settings", "credentials",
    "transport", "timeout",    "response", "cancelled"};

static const struct {
  enum ar_kind kind;
  const char *name;
} codes[AR_CODES] = {
    {AR_KIND_SETTINGS, ""},
#define X(name, kind, code) {AR_KIND_##kind, code},
#include "fail.def"
#undef X
};

/* Removes the part of a UTF-8 sequence that a cut left at the end. */
static void trim_partial_character(char *s, size_t n) {
  size_t i = n;
  while (i > 0 && n - i < 4 && ((unsigned char)s[i - 1] & 0xC0u) == 0x80u) i--;
  if (i > 0 && (unsigned char)s[i - 1] >= 0xC0u) s[i - 1] = '\0';
}

int ar_fail(struct ar_err *err, enum ar_code code, const char *format, ...) {
  va_list args;
  int n;
  if (err == NULL) return (int)code;
  err->code = code;
  err->transient = false;
  va_start(args, format);
  n = vsnprintf(err->message, sizeof err->message, format, args);
  va_end(args);
  if (n < 0)
    err->message[0] = '\0';
  else if ((size_t)n >= sizeof err->message)
    trim_partial_character(err->message, sizeof err->message - 1);
  return (int)code;
}

int ar_fail_memory(struct ar_err *err) {
  return ar_fail(err, AR_E_MEMORY, "not enough memory");
}

const char *ar_code_kind(enum ar_code code) {
  return kind_names[codes[code].kind];
}

const char *ar_code_name(enum ar_code code) {
  return codes[code].name;
}
