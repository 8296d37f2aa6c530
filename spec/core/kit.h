/*
** What the unit programs share beside check.h: comparing texts, an
** environment of their own, a process of their own, credentials.
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
  return (struct ar_env){.get = kit_get,
                         .context = (void *)(uintptr_t)variables};
}

/*
** A process of its own, for what asks more than variables: files, a child
** that follows a script, random bytes that are always the same.
*/
#define KIT_ROOM 16

struct kit_pair {
  const char *name, *value;
};

struct kit_world {
  struct kit_pair variables[KIT_ROOM], files[KIT_ROOM];

  /* The file that was replaced last. */
  int replaced;
  bool read_only;
  char path[256], contents[4096];

  /* The child: what it writes, and how often it is looked at before it ends;
     below 0: it never does. */
  const char *out, *err;
  int status, looks;
  bool too_much, no_child;
  int started, ended, looked;
  char command[256]; /* as started: its words, "|" after each */

  uint32_t random;
};

/* The contents of a file that cannot be read. */
static const char kit_unreadable[] = "unreadable";

/* Gives `name` a value; NULL takes it away. */
static inline void kit_set(struct kit_pair *pairs, const char *name,
                           const char *value) {
  size_t i = 0;
  while (pairs[i].name != NULL && strcmp(pairs[i].name, name) != 0) i++;
  pairs[i] = (struct kit_pair){name, value};
}

static inline const char *kit_find(const struct kit_pair *pairs,
                                   const char *name) {
  for (size_t i = 0; i < KIT_ROOM && pairs[i].name != NULL; i++)
    if (strcmp(pairs[i].name, name) == 0) return pairs[i].value;
  return NULL;
}

static inline const char *kit_world_get(void *context, const char *name) {
  return kit_find(((struct kit_world *)context)->variables, name);
}

static inline enum ar_file kit_read_file(void *context, const char *path,
                                         struct ar_buf *to,
                                         struct ar_err *err) {
  const char *contents = kit_find(((struct kit_world *)context)->files, path);
  if (contents == NULL) return AR_FILE_MISSING;
  if (contents == kit_unreadable) {
    ar_fail(err, AR_E_CONFIG_PARSE, "Permission denied");
    return AR_FILE_FAILED;
  }
  return ar_buf_addz(to, contents) == AR_OK ? AR_FILE_READ : AR_FILE_FAILED;
}

static inline int kit_replace_file(void *context, const char *path,
                                   struct ar_str contents,
                                   struct ar_err *err) {
  struct kit_world *world = context;
  if (world->read_only)
    return ar_fail(err, AR_E_CONFIG_PARSE, "Read-only file system");
  world->replaced++;
  snprintf(world->path, sizeof world->path, "%s", path);
  snprintf(world->contents, sizeof world->contents, "%.*s", (int)contents.n,
           contents.p);
  return AR_OK;
}

static inline struct ar_child *kit_start_child(void *context,
                                               char *const argv[],
                                               struct ar_err *err) {
  struct kit_world *world = context;
  size_t n = 0;
  if (world->no_child) {
    ar_fail(err, AR_E_CONFIG_PARSE, "No such file or directory");
    return NULL;
  }
  world->started++;
  world->looked = 0;
  for (size_t i = 0; argv[i] != NULL && n < sizeof world->command; i++)
    n += (size_t)snprintf(world->command + n, sizeof world->command - n, "%s|",
                          argv[i]);
  return context;
}

static inline void kit_poll_child(void *context, struct ar_child *child,
                                  struct ar_child_output *output) {
  struct kit_world *world = context;
  (void)child;
  if (world->looks < 0 || world->looked++ < world->looks) return;
  if (world->out) ar_buf_addz(&output->out, world->out);
  if (world->err) ar_buf_addz(&output->err, world->err);
  output->too_much = world->too_much;
  output->ended = !world->too_much;
  output->status = world->status;
}

static inline void kit_end_child(void *context, struct ar_child *child) {
  (void)child;
  ((struct kit_world *)context)->ended++;
}

static inline bool kit_random(void *context, void *out, size_t n) {
  memcpy(out, &((struct kit_world *)context)->random,
         n < sizeof(uint32_t) ? n : sizeof(uint32_t));
  return true;
}

static inline struct ar_env kit_world_env(struct kit_world *world) {
  return (struct ar_env){.get = kit_world_get,
                         .context = world,
                         .read_file = kit_read_file,
                         .replace_file = kit_replace_file,
                         .start_child = kit_start_child,
                         .poll_child = kit_poll_child,
                         .end_child = kit_end_child,
                         .random = kit_random};
}

/* Fills empty credentials; NULL stands for an absent part. */
static inline void kit_creds(struct ar_creds *creds, const char *id,
                             const char *secret, const char *token) {
  ar_buf_adds(&creds->access_key_id, ar_str_of(id));
  ar_buf_adds(&creds->secret_access_key, ar_str_of(secret));
  ar_buf_adds(&creds->session_token, ar_str_of(token));
}

#endif
