/*
** The settings of a client.
*/
#include "settings.h"

#define MAX_TEXT (16u * 1024u)

static const struct row {
  const char *name;
  enum ar_setting_type type;
  const char *variables[2];
  const char *fallback;
} rows[AR_SETTINGS] = {
#define X(constant, name, type, variable, next, fallback) \
  {name, AR_VALUE_##type, {variable, next}, fallback},
#include "settings.def"
#undef X
};

struct ar_str ar_env_get(const struct ar_env *env, const char *name) {
  return ar_str_of(env->get(env->context, name));
}

void ar_settings_init(struct ar_settings *settings) {
  for (size_t i = 0; i < AR_SETTINGS; i++) {
    settings->values[i] = (struct ar_setting_value){.number = -1};
    ar_buf_init(&settings->values[i].text, MAX_TEXT);
  }
}

void ar_settings_free(struct ar_settings *settings) {
  for (size_t i = 0; i < AR_SETTINGS; i++)
    ar_buf_free(&settings->values[i].text);
}

const char *ar_setting_name(enum ar_setting which) {
  return rows[which].name;
}

enum ar_setting_type ar_setting_type(enum ar_setting which) {
  return rows[which].type;
}

static int refuse(enum ar_setting which, const char *source,
                  const char *expected, struct ar_err *err) {
  return ar_fail(err, AR_E_BAD_CONFIG, "%s (from %s): expected %s",
                 rows[which].name, source, expected);
}

/* Digits with at most one point among them; nothing of a locale. */
static bool parse_decimal(struct ar_str text, double *number) {
  double scale = 0;
  size_t digits = 0;
  *number = 0;
  for (size_t i = 0; i < text.n; i++) {
    if (text.p[i] == '.' && scale == 0) {
      scale = 1;
    } else if (ar_is_digit(text.p[i])) {
      *number = *number * 10 + (text.p[i] - '0');
      scale *= 10;
      digits++;
    } else {
      return false;
    }
  }
  if (scale > 0) *number /= scale;
  return digits > 0 && text.n <= 18;
}

static bool parse_boolean(struct ar_str text, double *number) {
  *number = ar_str_ieq(text, AR_STR("true"));
  return *number == 1 || ar_str_ieq(text, AR_STR("false"));
}

static bool is_loop(struct ar_str text) {
  static const char *const loops[] = {"auto", "blocking", "luv", "nginx"};
  for (size_t i = 0; i < sizeof loops / sizeof *loops; i++)
    if (ar_str_eq(text, ar_str_of(loops[i]))) return true;
  return false;
}

static int set_text(struct ar_settings *settings, enum ar_setting which,
                    struct ar_str text, const char *source,
                    struct ar_err *err) {
  struct ar_setting_value *value = &settings->values[which];
  int rc;
  if (ar_str_has_control(text))
    return refuse(which, source, "a text without control characters", err);
  ar_buf_reset(&value->text);
  ar_buf_adds(&value->text, text);
  rc = ar_buf_check(&value->text, NULL);
  if (rc == AR_E_MEMORY) return ar_fail_memory(err);
  if (rc != AR_OK) return refuse(which, source, "a shorter text", err);
  value->source = source;
  return AR_OK;
}

int ar_settings_set(struct ar_settings *settings, enum ar_setting which,
                    struct ar_str text, const char *source,
                    struct ar_err *err) {
  double number;
  switch (rows[which].type) {
    case AR_VALUE_BOOLEAN:
      if (!parse_boolean(text, &number))
        return refuse(which, source, "true or false", err);
      break;
    case AR_VALUE_SECONDS:
    case AR_VALUE_COUNT:
      if (!parse_decimal(text, &number))
        return refuse(which, source, "a number", err);
      break;
    case AR_VALUE_LOOP:
      if (!is_loop(text))
        return refuse(which, source, "auto, blocking, luv or nginx", err);
      return set_text(settings, which, text, source, err);
    default:
      return set_text(settings, which, text, source, err);
  }
  return ar_settings_set_number(settings, which, number, source, err);
}

int ar_settings_set_number(struct ar_settings *settings, enum ar_setting which,
                           double number, const char *source,
                           struct ar_err *err) {
  struct ar_setting_value *value = &settings->values[which];
  bool seconds = rows[which].type == AR_VALUE_SECONDS;
  if (seconds) {
    if (!(number > 0 && number <= 1e9))
      return refuse(which, source, "seconds above 0", err);
    number = number < 0.001 ? 1 : number * 1000 + 0.5;
  } else if (rows[which].type == AR_VALUE_COUNT) {
    if (!(number >= 1 && number <= 1e15 && number == (double)(int64_t)number))
      return refuse(which, source, "a whole number above 0", err);
  }
  value->number = (int64_t)number;
  value->source = source;
  return AR_OK;
}

/* Takes the first variable of the row that is set. */
static int from_environment(struct ar_settings *settings,
                            enum ar_setting which, const struct ar_env *env,
                            struct ar_err *err) {
  for (size_t i = 0; i < 2 && rows[which].variables[i] != NULL; i++) {
    struct ar_str text = ar_env_get(env, rows[which].variables[i]);
    if (text.n > 0)
      return ar_settings_set(settings, which, text, rows[which].variables[i],
                             err);
  }
  return AR_OK;
}

int ar_settings_complete(struct ar_settings *settings,
                         const struct ar_env *env, struct ar_err *err) {
  for (int i = 0; i < AR_SETTINGS; i++) {
    enum ar_setting which = (enum ar_setting)i;
    struct ar_setting_value *value = &settings->values[i];
    int rc = AR_OK;
    if (value->source == NULL)
      rc = from_environment(settings, which, env, err);
    if (rc == AR_OK && value->source == NULL && rows[i].fallback != NULL)
      rc = ar_settings_set(settings, which, ar_str_of(rows[i].fallback),
                           "default", err);
    if (rc != AR_OK) return rc;
  }
  return AR_OK;
}

struct ar_str ar_settings_text(const struct ar_settings *settings,
                               enum ar_setting which) {
  return ar_buf_str(&settings->values[which].text);
}

int64_t ar_settings_number(const struct ar_settings *settings,
                           enum ar_setting which) {
  return settings->values[which].number;
}
