/*
** The settings of a client.
*/
#include "settings.h"

#define MAX_TEXT (16u * 1024u)

static const struct ar_setting_row rows[AR_SETTINGS] = {
#define X(constant, name, type, variable, next, key, fallback) \
  {name, AR_VALUE_##type, {variable, next}, key, fallback},
#include "settings.def"
#undef X
};

/* The words that settings of a type may be, and whether their case counts. */
static const struct choice {
  const char *words[7];
  const char *expected;
  bool any_case;
  const char *no_argument; /* only the environment and files may say it */
} choices[AR_VALUE_TYPES] = {
    [AR_VALUE_LOOP] = {{"auto", "blocking", "luv", "nginx"},
                       "auto, blocking, luv or nginx",
                       false,
                       NULL},
    [AR_VALUE_RETRY_MODE] = {{"standard", "adaptive", "legacy"},
                             "standard or adaptive",
                             false,
                             "legacy"},
    [AR_VALUE_STS_REGIONAL] = {{"regional", "legacy"},
                               "regional or legacy",
                               false,
                               NULL},
    [AR_VALUE_DEFAULTS_MODE] = {{"legacy", "standard", "in-region",
                                 "cross-region", "mobile", "auto"},
                                "legacy, standard, in-region, cross-region, "
                                "mobile or auto",
                                true,
                                NULL},
    [AR_VALUE_IMDS_MODE] = {{"ipv4", "ipv6"}, "IPv4 or IPv6", true, NULL}};

void ar_settings_init(struct ar_settings *settings) {
  for (size_t i = 0; i < AR_SETTINGS; i++) {
    settings->values[i] = (struct ar_setting_value){.number = -1};
    ar_buf_init(&settings->values[i].text, MAX_TEXT);
  }
  for (size_t i = 0; i < AR_INI_FILES; i++)
    ar_buf_init(&settings->profile_source[i], MAX_TEXT);
  ar_buf_init(&settings->services_source, MAX_TEXT);
}

void ar_settings_free(struct ar_settings *settings) {
  for (size_t i = 0; i < AR_SETTINGS; i++)
    ar_buf_free(&settings->values[i].text);
  for (size_t i = 0; i < AR_INI_FILES; i++)
    ar_buf_free(&settings->profile_source[i]);
  ar_buf_free(&settings->services_source);
}

const struct ar_setting_row *ar_setting_row(enum ar_setting which) {
  return &rows[which];
}

const char *ar_setting_name(enum ar_setting which) {
  return rows[which].name;
}

enum ar_setting_type ar_setting_type(enum ar_setting which) {
  return rows[which].type;
}

/* What a person calls the setting: its argument, key or variable. */
static const char *label(enum ar_setting which) {
  const struct ar_setting_row *row = &rows[which];
  if (row->name != NULL) return row->name;
  return row->key != NULL ? row->key : row->variables[0];
}

static int refuse(enum ar_setting which, const char *source,
                  const char *expected, struct ar_err *err) {
  return ar_fail(err, AR_E_BAD_CONFIG, "%s (from %s): expected %s",
                 label(which), source, expected);
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

static const char *choice_of(const struct choice *choice, struct ar_str text) {
  for (size_t i = 0; choice->words[i] != NULL; i++) {
    struct ar_str word = ar_str_of(choice->words[i]);
    if (choice->any_case ? ar_str_ieq(text, word) : ar_str_eq(text, word))
      return choice->words[i];
  }
  return NULL;
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

static int set_choice(struct ar_settings *settings, enum ar_setting which,
                      struct ar_str text, const char *source,
                      struct ar_err *err) {
  const struct choice *choice = &choices[rows[which].type];
  const char *word = choice_of(choice, text);
  bool argument = strcmp(source, AR_SOURCE_ARGUMENT) == 0;
  if (word != NULL && argument && choice->no_argument != NULL &&
      strcmp(word, choice->no_argument) == 0)
    word = NULL;
  if (word == NULL) return refuse(which, source, choice->expected, err);
  return set_text(settings, which, ar_str_of(word), source, err);
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
    case AR_VALUE_TEXT:
    case AR_VALUE_ENDPOINT:
      return set_text(settings, which, text, source, err);
    default:
      return set_choice(settings, which, text, source, err);
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

bool ar_settings_explicit(const struct ar_settings *settings,
                          enum ar_setting which) {
  const char *source = settings->values[which].source;
  return source != NULL && strcmp(source, AR_SOURCE_ARGUMENT) == 0;
}

struct ar_str ar_settings_text(const struct ar_settings *settings,
                               enum ar_setting which) {
  return ar_buf_str(&settings->values[which].text);
}

int64_t ar_settings_number(const struct ar_settings *settings,
                           enum ar_setting which) {
  return settings->values[which].number;
}
