/*
** All that the core asks of the process that it runs in: variables, files,
** children, random bytes. It does none of this itself; the binding fills the
** functions in (src/host), a test brings its own.
*/
#ifndef ar_env_h
#define ar_env_h

#include "buf.h"

AR_HIDDEN

/* What came of reading a file. */
enum ar_file {
  AR_FILE_READ,
  AR_FILE_MISSING, /* there is none of that name */
  AR_FILE_FAILED   /* err says why: "Permission denied", "is a directory" */
};

/* What a child has written until now, and how it ended. */
struct ar_child_output {
  struct ar_buf out, err; /* their limits are the caller's to set */
  bool ended;             /* both pipes are closed, and the child is gone */
  bool too_much;          /* the limit of `out` was reached */
  int status;             /* exit status; 128 + n after signal n; -1: unknown,
                             since somebody else in the process reaped it */
};

struct ar_child; /* a running child, see src/host/child.h */

/* Any function may be NULL: then there is nothing of that kind. */
struct ar_env {
  /* The value of a variable, valid until the environment changes, or NULL. */
  const char *(*get)(void *context, const char *name);
  void *context;

  /* Adds the contents of a file to `to`, whose limit bounds it. Does not wait
     on what is no regular file (a FIFO). */
  enum ar_file (*read_file)(void *context, const char *path, struct ar_buf *to,
                            struct ar_err *err);

  /* Replaces a file in one step, mode 0600. AR_OK, or err says why not. */
  int (*replace_file)(void *context, const char *path, struct ar_str contents,
                      struct ar_err *err);

  /* Starts argv[0], looked up in PATH, without a shell; NULL: err says why. */
  struct ar_child *(*start_child)(void *context, char *const argv[],
                                  struct ar_err *err);
  /* Takes what there is, without waiting. */
  void (*poll_child)(void *context, struct ar_child *child,
                     struct ar_child_output *output);
  /* Frees it; one that still runs is killed, with what it started. */
  void (*end_child)(void *context, struct ar_child *child);

  /* Fills `out` with unpredictable bytes; false where there are none. */
  bool (*random)(void *context, void *out, size_t n);
};

/* The value of `name`, empty when unset; see ar_env for how long it lives. */
static inline struct ar_str ar_env_get(const struct ar_env *env,
                                       const char *name) {
  return ar_str_of(env->get(env->context, name));
}

/* A number from 0 to below 1; the middle where there is no randomness. */
static inline double ar_env_uniform(const struct ar_env *env) {
  uint32_t bits = UINT32_MAX / 2;
  if (env->random != NULL) env->random(env->context, &bits, sizeof bits);
  return bits / 4294967296.0;
}

/* See ar_env.read_file. */
static inline enum ar_file ar_env_read(const struct ar_env *env,
                                       const char *path, struct ar_buf *to,
                                       struct ar_err *err) {
  return env->read_file != NULL ? env->read_file(env->context, path, to, err)
                                : AR_FILE_MISSING;
}

AR_HIDDEN_END

#endif
