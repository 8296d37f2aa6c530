/*
** What the unit programs share beside check.h: comparing texts, an
** environment of their own, credentials.
*/
#ifndef kit_h
#define kit_h

#include "../../src/core/cred.h"
#include "../../src/core/settings.h"
#include "check.h"

#define LENGTH(array) (sizeof(array) / sizeof(array)[0])

/* Counts that the slice `got` is the NUL-terminated `expected`. */
#define CHECK_STR(got, expected, what)                                  \
  do {                                                                  \
    struct ar_str got_ = (got);                                         \
    CHECK(ar_str_eq(got_, ar_str_of(expected)),                         \
          "%s: expected '%s', got '%.*s'", what, expected, (int)got_.n, \
          got_.p);                                                      \
  } while (0)

/* An environment: NAME, value, NAME, value, ..., NULL. */
static inline const char *kit_get(void *context, const char *name) {
  const char *const *variables = context;
  for (size_t i = 0; variables[i] != NULL; i += 2)
    if (strcmp(variables[i], name) == 0) return variables[i + 1];
  return NULL;
}

static inline struct ar_env kit_env(const char *const *variables) {
  return (struct ar_env){kit_get, (void *)(uintptr_t)variables};
}

/* Fills empty credentials; NULL stands for an absent part. */
static inline void kit_creds(struct ar_creds *creds, const char *id,
                             const char *secret, const char *token) {
  ar_buf_adds(&creds->access_key_id, ar_str_of(id));
  ar_buf_adds(&creds->secret_access_key, ar_str_of(secret));
  ar_buf_adds(&creds->session_token, ar_str_of(token));
}

#endif
