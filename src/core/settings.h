/*
** The settings of a client: what was asked for, where it was found. The rows
** stand in settings.def; nothing else knows a variable's, a key's or a
** default's name.
*/
#ifndef ar_settings_h
#define ar_settings_h

#include "profiles.h"

AR_HIDDEN

/* The source of a value that the caller gave, and of one that nobody gave. */
#define AR_SOURCE_ARGUMENT "argument"
#define AR_SOURCE_DEFAULT "default"

enum ar_setting {
#define X(constant, name, type, variable, next, key, fallback) \
  AR_SET_##constant,
#include "settings.def"
#undef X
  AR_SETTINGS
};

enum ar_setting_type {
  AR_VALUE_TEXT,     /* `text` */
  AR_VALUE_ENDPOINT, /* `text`, a URL; also in a `services` section */
  AR_VALUE_BOOLEAN,  /* `number` is 0 or 1 */
  AR_VALUE_SECONDS,  /* `number` in milliseconds, at least 1 */
  AR_VALUE_COUNT,    /* `number`, at least 1 */
  /* `text`, one of a few words; see settings.c */
  AR_VALUE_LOOP,
  AR_VALUE_RETRY_MODE,
  AR_VALUE_STS_REGIONAL,
  AR_VALUE_DEFAULTS_MODE,
  AR_VALUE_IMDS_MODE,
  AR_VALUE_TYPES
};

/* A row of settings.def. */
struct ar_setting_row {
  const char *name; /* the argument's, or NULL */
  enum ar_setting_type type;
  const char *variables[2]; /* in this order; NULL: none */
  const char *key;          /* of a profile, or NULL */
  const char *fallback;     /* the default, or NULL */
};

struct ar_setting_value {
  const char *source; /* "argument", a variable's name, "profile dev in the
                         config file", "default"; NULL while unset */
  struct ar_buf text;
  int64_t number;
};

struct ar_settings {
  struct ar_setting_value values[AR_SETTINGS];
  /* Sources that name a section, which values point to. */
  struct ar_buf profile_source[AR_INI_FILES], services_source;
};

void ar_settings_init(struct ar_settings *settings);
void ar_settings_free(struct ar_settings *settings);

const struct ar_setting_row *ar_setting_row(enum ar_setting which);

/* The argument's name, or NULL where there is none. */
const char *ar_setting_name(enum ar_setting which);
enum ar_setting_type ar_setting_type(enum ar_setting which);

/*
** Gives a setting its value from a text ("true", "2.5"), or, where the caller
** has one, from a number. `source` must outlive the settings. AR_OK,
** AR_E_BAD_CONFIG with the setting and the source named, or AR_E_MEMORY.
*/
int ar_settings_set(struct ar_settings *settings, enum ar_setting which,
                    struct ar_str text, const char *source,
                    struct ar_err *err);
int ar_settings_set_number(struct ar_settings *settings, enum ar_setting which,
                           double number, const char *source,
                           struct ar_err *err);

/*
** Fills what is unset from the environment, from the selected profile in
** `profiles`, then from the defaults. AR_OK; AR_E_NO_PROFILE when an argument
** names a profile that is not there; AR_E_BAD_CONFIG naming the variable, or
** the file, line and key; AR_E_MEMORY.
*/
int ar_settings_complete(struct ar_settings *settings,
                         const struct ar_env *env,
                         const struct ar_profiles *profiles,
                         struct ar_err *err);

/* Whether the caller gave it as an argument. */
bool ar_settings_explicit(const struct ar_settings *settings,
                          enum ar_setting which);

/* Contents of a text setting; empty when unset. */
struct ar_str ar_settings_text(const struct ar_settings *settings,
                               enum ar_setting which);

/* A number; -1 when unset. */
int64_t ar_settings_number(const struct ar_settings *settings,
                           enum ar_setting which);

AR_HIDDEN_END

#endif
