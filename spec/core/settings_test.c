/*
** Settings: where a value comes from, and what is refused.
*/
#include "../../src/core/settings.h"

#include "kit.h"

static struct ar_settings settings;
static struct ar_err err;

/* Completes fresh settings from an environment; what that answered. */
static int complete(const char *const *variables) {
  struct ar_env env = kit_env(variables);
  ar_settings_free(&settings);
  ar_settings_init(&settings);
  return ar_settings_complete(&settings, &env, &err);
}

static const char *source(enum ar_setting which) {
  const char *s = settings.values[which].source;
  return s ? s : "unset";
}

static void defaults(void) {
  static const char *const none[] = {NULL};
  CHECK(complete(none) == AR_OK, "an empty environment is fine");
  CHECK(ar_settings_number(&settings, AR_SET_CONNECT_TIMEOUT) == 60000 &&
            ar_settings_number(&settings, AR_SET_READ_TIMEOUT) == 60000,
        "60 seconds each");
  CHECK(ar_settings_number(&settings, AR_SET_TIMEOUT) == -1, "no timeout");
  CHECK(ar_settings_number(&settings, AR_SET_MAX_RESPONSE_BYTES) ==
            8 * 1024 * 1024,
        "8 MiB");
  CHECK(ar_settings_number(&settings, AR_SET_VERIFY) == 1, "verified");
  CHECK(ar_settings_number(&settings, AR_SET_FIPS) == 0 &&
            ar_settings_number(&settings, AR_SET_DUALSTACK) == 0,
        "neither FIPS nor dual-stack");
  CHECK_STR(ar_settings_text(&settings, AR_SET_LOOP), "auto", "the loop");
  CHECK_STR(ar_settings_text(&settings, AR_SET_REGION), "", "no region");
  CHECK(strcmp(source(AR_SET_REGION), "unset") == 0 &&
            strcmp(source(AR_SET_LOOP), "default") == 0,
        "sources of defaults");
}

static void sources(void) {
  static const char *const both[] = {"AWS_REGION", "r1", "AWS_DEFAULT_REGION",
                                     "r2", NULL};
  static const char *const empty[] = {"AWS_REGION", "", "AWS_DEFAULT_REGION",
                                      "r2", NULL};
  struct ar_env env = kit_env(both);
  complete(both);
  CHECK_STR(ar_settings_text(&settings, AR_SET_REGION), "r1", "the first");
  CHECK(strcmp(source(AR_SET_REGION), "AWS_REGION") == 0, "its source");
  complete(empty);
  CHECK_STR(ar_settings_text(&settings, AR_SET_REGION), "r2", "the next");
  CHECK(strcmp(source(AR_SET_REGION), "AWS_DEFAULT_REGION") == 0,
        "the next one's source");
  ar_settings_free(&settings);
  ar_settings_init(&settings);
  ar_settings_set(&settings, AR_SET_REGION, AR_STR("r0"), AR_SOURCE_ARGUMENT,
                  &err);
  CHECK(ar_settings_complete(&settings, &env, &err) == AR_OK, "completed");
  CHECK_STR(ar_settings_text(&settings, AR_SET_REGION), "r0", "an argument");
  CHECK(strcmp(source(AR_SET_REGION), AR_SOURCE_ARGUMENT) == 0,
        "an argument's source");
}

static void texts(void) {
  static const struct {
    enum ar_setting which;
    const char *text;
    int64_t number; /* -1: refused */
  } rows[] = {{AR_SET_FIPS, "true", 1},
              {AR_SET_FIPS, "FALSE", 0},
              {AR_SET_FIPS, "TrUe", 1},
              {AR_SET_FIPS, "", -1},
              {AR_SET_FIPS, "1", -1},
              {AR_SET_FIPS, "yes", -1},
              {AR_SET_FIPS, "true ", -1},
              {AR_SET_TIMEOUT, "2.5", 2500},
              {AR_SET_TIMEOUT, "0.0001", 1},
              {AR_SET_TIMEOUT, ".5", 500},
              {AR_SET_TIMEOUT, "5.", 5000},
              {AR_SET_TIMEOUT, "0", -1},
              {AR_SET_TIMEOUT, "-1", -1},
              {AR_SET_TIMEOUT, "1e3", -1},
              {AR_SET_TIMEOUT, "1,5", -1},
              {AR_SET_TIMEOUT, "1.2.3", -1},
              {AR_SET_TIMEOUT, "", -1},
              {AR_SET_TIMEOUT, ".", -1},
              {AR_SET_TIMEOUT, " 1", -1},
              {AR_SET_TIMEOUT, "inf", -1},
              {AR_SET_TIMEOUT, "0x10", -1},
              {AR_SET_TIMEOUT, "9999999999", -1},
              {AR_SET_MAX_RESPONSE_BYTES, "1", 1},
              {AR_SET_MAX_RESPONSE_BYTES, "1.5", -1},
              {AR_SET_MAX_RESPONSE_BYTES, "0", -1},
              {AR_SET_MAX_RESPONSE_BYTES, "99999999999999999999999", -1}};
  for (size_t i = 0; i < LENGTH(rows); i++) {
    int rc;
    ar_settings_free(&settings);
    ar_settings_init(&settings);
    rc = ar_settings_set(&settings, rows[i].which, ar_str_of(rows[i].text),
                         "THE_SOURCE", &err);
    CHECK(rc == (rows[i].number < 0 ? AR_E_BAD_CONFIG : AR_OK), "%s = '%s'",
          ar_setting_name(rows[i].which), rows[i].text);
    CHECK(ar_settings_number(&settings, rows[i].which) == rows[i].number,
          "the number of '%s'", rows[i].text);
    if (rc != AR_OK)
      CHECK(strstr(err.message, "THE_SOURCE") &&
                strstr(err.message, ar_setting_name(rows[i].which)),
            "'%s' names where it stands: %s", rows[i].text, err.message);
  }
}

static void controls(void) {
  CHECK(ar_settings_set(&settings, AR_SET_APP_ID, AR_STR("a\nb"), "x", &err) ==
            AR_E_BAD_CONFIG,
        "a line feed in a text");
  CHECK(ar_settings_set(&settings, AR_SET_APP_ID, AR_STR("a\0b"), "x", &err) ==
            AR_E_BAD_CONFIG,
        "a NUL in a text");
  CHECK(ar_settings_set(&settings, AR_SET_LOOP, AR_STR("Auto"), "x", &err) ==
            AR_E_BAD_CONFIG,
        "a loop's name is exact");
}

static void bad_environment(void) {
  static const char *const names[] = {"AWS_USE_FIPS_ENDPOINT",
                                      "AWS_USE_DUALSTACK_ENDPOINT"};
  for (size_t i = 0; i < LENGTH(names); i++) {
    const char *variables[] = {names[i], "yes", NULL};
    CHECK(complete(variables) == AR_E_BAD_CONFIG &&
              strstr(err.message, names[i]),
          "%s=yes is refused by name: %s", names[i], err.message);
  }
}

int main(void) {
  ar_settings_init(&settings);
  defaults();
  sources();
  texts();
  controls();
  bad_environment();
  ar_settings_free(&settings);
  return checked();
}
