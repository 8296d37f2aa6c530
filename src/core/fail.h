/*
** Errors: one fixed struct that the caller owns and the callee fills, so
** that reporting never allocates. Rows stand in fail.def.
*/
#ifndef ar_fail_h
#define ar_fail_h

#include "base.h"

AR_HIDDEN

enum ar_kind {
  AR_KIND_SERVICE,
  AR_KIND_VALIDATION,
  AR_KIND_SETTINGS,
  AR_KIND_CREDENTIALS,
  AR_KIND_TRANSPORT,
  AR_KIND_TIMEOUT,
  AR_KIND_RESPONSE,
  AR_KIND_CANCELLED
};

enum ar_code {
  AR_OK = 0,
#define X(name, kind, code) AR_E_##name,
#include "fail.def"
#undef X
  AR_CODES
};

struct ar_err {
  enum ar_code code;
  bool transient; /* set after ar_fail: the same may go well later */
  char message[1024];
};

/*
** Fills `err` and returns `code`, so that a function can end with
** `return ar_fail(err, AR_E_..., "profile '%s' not found", name);`.
** A text that does not fit is cut at a character's border. `err` may be
** NULL. Never put a secret into the text.
*/
int ar_fail(struct ar_err *err, enum ar_code code, const char *format, ...)
    AR_PRINTF(3, 4);

/* ar_fail for an allocation that failed. */
int ar_fail_memory(struct ar_err *err);

/* The `kind` and the `code` of the Lua error table, as static strings. */
const char *ar_code_kind(enum ar_code code);
const char *ar_code_name(enum ar_code code);

AR_HIDDEN_END

#endif
