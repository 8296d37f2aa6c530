/*
** The settings of a client: what was asked for, where it was found. The rows
** stand in settings.def; nothing else knows a variable's or a default's name.
*/
#ifndef ar_settings_h
#define ar_settings_h

#include "buf.h"

AR_HIDDEN

/* The source of a value that the caller gave. */
#define AR_SOURCE_ARGUMENT "argument"

enum ar_setting {
#define X(constant, name, type, variable, next, fallback) AR_SET_##constant,
#include "settings.def"
#undef X
  AR_SETTINGS
};

enum ar_setting_type {
  AR_VALUE_TEXT,    /* `text` */
  AR_VALUE_BOOLEAN, /* `number` is 0 or 1 */
  AR_VALUE_SECONDS, /* `number` in milliseconds, at least 1 */
  AR_VALUE_COUNT,   /* `number`, at least 1 */
  AR_VALUE_LOOP     /* `text`: auto, blocking, luv or nginx */
};

struct ar_setting_value {
  const char *source; /* "argument", a variable's name, "default"; NULL while
                         unset; static */
  struct ar_buf text;
  int64_t number;
};

struct ar_settings {
  struct ar_setting_value values[AR_SETTINGS];
};

/* How the core reads the process's environment; a test brings its own. */
struct ar_env {
  /* The value of a variable, valid until the next call, or NULL. */
  const char *(*get)(void *context, const char *name);
  void *context;
};

/* The value of `name`, empty when unset; see ar_env for how long it lives. */
struct ar_str ar_env_get(const struct ar_env *env, const char *name);

void ar_settings_init(struct ar_settings *settings);
void ar_settings_free(struct ar_settings *settings);

const char *ar_setting_name(enum ar_setting which);
enum ar_setting_type ar_setting_type(enum ar_setting which);

/*
** Gives a setting its value from a text ("true", "2.5"), or, where the caller
** has one, from a number. `source` must be static. AR_OK, AR_E_BAD_CONFIG
** with the setting and the source named, or AR_E_MEMORY.
*/
int ar_settings_set(struct ar_settings *settings, enum ar_setting which,
                    struct ar_str text, const char *source,
                    struct ar_err *err);
int ar_settings_set_number(struct ar_settings *settings, enum ar_setting which,
                           double number, const char *source,
                           struct ar_err *err);

/* Fills what is unset from the environment, then from the defaults. */
int ar_settings_complete(struct ar_settings *settings,
                         const struct ar_env *env, struct ar_err *err);

/* Contents of a text setting; empty when unset. */
struct ar_str ar_settings_text(const struct ar_settings *settings,
                               enum ar_setting which);

/* A number; -1 when unset. */
int64_t ar_settings_number(const struct ar_settings *settings,
                           enum ar_setting which);

AR_HIDDEN_END

#endif
