/*
** Settings: where a value comes from (an argument, the environment, the shared
** files, a default), and what is refused.
*/
#include "../../src/core/settings.h"

#include "kit.h"

static struct ar_settings settings;
static struct ar_profiles profiles;
static struct kit_world world;
static struct ar_err err;

/* Completes fresh settings from an environment; what that answered. */
static int complete(const char *const *variables) {
  struct ar_env env = kit_env(variables);
  ar_settings_free(&settings);
  ar_settings_init(&settings);
  return ar_settings_complete(&settings, &env, NULL, &err);
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
  CHECK(ar_settings_complete(&settings, &env, NULL, &err) == AR_OK,
        "completed");
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

/* --- the shared files ----------------------------------------------------
 */

#define CONFIG "/h/.aws/config"
#define CREDENTIALS "/h/.aws/credentials"

/* A world with these files, either may be NULL. */
static void files(const char *config, const char *credentials) {
  world = (struct kit_world){.status = 0};
  kit_set(world.variables, "HOME", "/h");
  kit_set(world.files, CONFIG, config);
  kit_set(world.files, CREDENTIALS, credentials);
  ar_settings_free(&settings);
  ar_settings_init(&settings);
}

/* Completes the settings in it; what that answered. */
static int filled(void) {
  struct ar_env env = kit_world_env(&world);
  int rc = ar_profiles_read(&profiles, &env, NULL, NULL, &err);
  return rc == AR_OK ? ar_settings_complete(&settings, &env, &profiles, &err)
                     : rc;
}

static int with(const char *config) {
  files(config, NULL);
  return filled();
}

static void check_set(enum ar_setting which, const char *text,
                      const char *from) {
  CHECK_STR(ar_settings_text(&settings, which), text, from);
  CHECK(strcmp(source(which), from) == 0, "from %s, not %s", from,
        source(which));
}

/* Each layer in turn: what is above it is taken away. */
static void layers(void) {
  static const char config[] =
      "[default]\nregion = of-default\n"
      "[profile dev]\nregion = of-dev\n";
  files(config, "[dev]\nregion = of-credentials\n");
  ar_settings_set(&settings, AR_SET_REGION, AR_STR("given"),
                  AR_SOURCE_ARGUMENT, &err);
  kit_set(world.variables, "AWS_DEFAULT_REGION", "of-variable");
  kit_set(world.variables, "AWS_PROFILE", "dev");
  filled();
  check_set(AR_SET_REGION, "given", "argument");
  files(config, "[dev]\nregion = of-credentials\n");
  kit_set(world.variables, "AWS_DEFAULT_REGION", "of-variable");
  kit_set(world.variables, "AWS_PROFILE", "dev");
  filled();
  check_set(AR_SET_REGION, "of-variable", "AWS_DEFAULT_REGION");
  kit_set(world.variables, "AWS_DEFAULT_REGION", "");
  ar_settings_free(&settings);
  ar_settings_init(&settings);
  filled();
  check_set(AR_SET_REGION, "of-credentials",
            "profile dev in the credentials file");
  files(config, NULL);
  kit_set(world.variables, "AWS_PROFILE", "dev");
  filled();
  check_set(AR_SET_REGION, "of-dev", "profile dev in the config file");
  with(config);
  check_set(AR_SET_REGION, "of-default", "profile default in the config file");
  with("[default]\nregion =\n");
  check_set(AR_SET_REGION, "", "unset");
}

/* Which profile is selected, and when it must be there. */
static void selection(void) {
  static const char config[] =
      "[profile a]\nregion = ra\n"
      "[profile b]\nregion = rb\n";
  files(config, NULL);
  kit_set(world.variables, "AWS_PROFILE", "a");
  kit_set(world.variables, "AWS_DEFAULT_PROFILE", "b");
  filled();
  check_set(AR_SET_REGION, "ra", "profile a in the config file");
  check_set(AR_SET_PROFILE, "a", "AWS_PROFILE");
  files(config, NULL);
  kit_set(world.variables, "AWS_PROFILE", "");
  kit_set(world.variables, "AWS_DEFAULT_PROFILE", "b");
  filled();
  check_set(AR_SET_REGION, "rb", "profile b in the config file");
  files(config, NULL);
  kit_set(world.variables, "AWS_PROFILE", "nobody");
  CHECK(filled() == AR_OK, "a variable may name a profile that is not there");
  check_set(AR_SET_REGION, "", "unset");
  files(config, NULL);
  ar_settings_set(&settings, AR_SET_PROFILE, AR_STR("nobody"),
                  AR_SOURCE_ARGUMENT, &err);
  CHECK(filled() == AR_E_NO_PROFILE && strstr(err.message, "(nobody)"),
        "an argument may not: %s", err.message);
  CHECK(with(NULL) == AR_OK, "without files there is no default profile");
}

/* --- endpoints -----------------------------------------------------------
 */

#define SERVICES                                                           \
  "[default]\nservices = s\nendpoint_url = http://profile\n[services s]\n" \
  "apprunner =\n  endpoint_url = http://apprunner\n"                       \
  "sso_oidc =\n  endpoint_url = http://oidc\n"                             \
  "sts =\n  region = x\n"

static void services_sections(void) {
  CHECK(with(SERVICES) == AR_OK, "a services section: %s", err.message);
  check_set(AR_SET_ENDPOINT_URL, "http://apprunner",
            "services s in the config file");
  check_set(AR_SET_OIDC_ENDPOINT_URL, "http://oidc",
            "services s in the config file");
  check_set(AR_SET_STS_ENDPOINT_URL, "http://profile",
            "profile default in the config file");
  check_set(AR_SET_SSO_ENDPOINT_URL, "http://profile",
            "profile default in the config file");
  files(SERVICES, NULL);
  kit_set(world.variables, "AWS_ENDPOINT_URL", "http://all");
  kit_set(world.variables, "AWS_ENDPOINT_URL_STS", "http://sts");
  filled();
  check_set(AR_SET_ENDPOINT_URL, "http://all", "AWS_ENDPOINT_URL");
  check_set(AR_SET_STS_ENDPOINT_URL, "http://sts", "AWS_ENDPOINT_URL_STS");
  check_set(AR_SET_OIDC_ENDPOINT_URL, "http://all", "AWS_ENDPOINT_URL");
  CHECK(with("[default]\nregion = r\nservices = t\n[services s]\n") ==
                AR_E_BAD_CONFIG &&
            strstr(err.message, "[services t], at line 3 of " CONFIG),
        "a services section that is not there: %s", err.message);
}

static void ignored_endpoints(void) {
  files(SERVICES
        "[profile p]\nignore_configured_endpoint_urls = TRUE\n"
        "services = nobody\nendpoint_url = http://p\n",
        NULL);
  kit_set(world.variables, "AWS_PROFILE", "p");
  kit_set(world.variables, "AWS_ENDPOINT_URL_APPRUNNER", "http://variable");
  ar_settings_set(&settings, AR_SET_ENDPOINT_URL, AR_STR("http://given"),
                  AR_SOURCE_ARGUMENT, &err);
  CHECK(filled() == AR_OK, "what is ignored is not looked at: %s",
        err.message);
  check_set(AR_SET_ENDPOINT_URL, "http://given", "argument");
  check_set(AR_SET_STS_ENDPOINT_URL, "", "unset");
  ar_settings_free(&settings);
  ar_settings_init(&settings);
  filled();
  check_set(AR_SET_ENDPOINT_URL, "", "unset");
  files(SERVICES, NULL);
  kit_set(world.variables, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true");
  kit_set(world.variables, "AWS_ENDPOINT_URL_APPRUNNER", "http://variable");
  filled();
  check_set(AR_SET_ENDPOINT_URL, "", "unset");
  check_set(AR_SET_SSO_ENDPOINT_URL, "", "unset");
}

/* --- words and numbers ---------------------------------------------------
 */

/* A variable's value, and the word or the refusal that it makes. */
static void choices(void) {
  static const struct {
    const char *variable;
    enum ar_setting which;
    const char *text, *word; /* NULL: refused */
  } rows[] = {
      {"AWS_RETRY_MODE", AR_SET_RETRY_MODE, "adaptive", "adaptive"},
      {"AWS_RETRY_MODE", AR_SET_RETRY_MODE, "legacy", "legacy"},
      {"AWS_RETRY_MODE", AR_SET_RETRY_MODE, "fast", NULL},
      {"AWS_RETRY_MODE", AR_SET_RETRY_MODE, "", "standard"},
      {"AWS_STS_REGIONAL_ENDPOINTS", AR_SET_STS_REGIONAL, "legacy", "legacy"},
      {"AWS_STS_REGIONAL_ENDPOINTS", AR_SET_STS_REGIONAL, "global", NULL},
      {"AWS_STS_REGIONAL_ENDPOINTS", AR_SET_STS_REGIONAL, "", "regional"},
      {"AWS_DEFAULTS_MODE", AR_SET_DEFAULTS_MODE, "In-Region", "in-region"},
      {"AWS_DEFAULTS_MODE", AR_SET_DEFAULTS_MODE, "quick", NULL},
      {"AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", AR_SET_IMDS_MODE, "IPv6",
       "ipv6"},
      {"AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", AR_SET_IMDS_MODE, "error",
       NULL}};
  for (size_t i = 0; i < LENGTH(rows); i++) {
    const char *variables[] = {rows[i].variable, rows[i].text, NULL};
    int rc = complete(variables);
    CHECK(rc == (rows[i].word ? AR_OK : AR_E_BAD_CONFIG), "%s=%s: %d",
          rows[i].variable, rows[i].text, rc);
    if (rows[i].word)
      CHECK_STR(ar_settings_text(&settings, rows[i].which), rows[i].word,
                rows[i].variable);
    else
      CHECK(strstr(err.message, rows[i].variable), "it is named: %s",
            err.message);
  }
}

static void defaults_modes(void) {
  static const struct {
    const char *mode;
    int64_t connect_timeout;
  } rows[] = {{"legacy", 60000},      {"standard", 3100}, {"in-region", 1100},
              {"cross-region", 3100}, {"mobile", 30000},  {"AUTO", 3100}};
  for (size_t i = 0; i < LENGTH(rows); i++) {
    const char *variables[] = {"AWS_DEFAULTS_MODE", rows[i].mode, NULL};
    complete(variables);
    CHECK(ar_settings_number(&settings, AR_SET_CONNECT_TIMEOUT) ==
                  rows[i].connect_timeout &&
              strcmp(source(AR_SET_CONNECT_TIMEOUT), "default") == 0,
          "%s: %d ms", rows[i].mode,
          (int)ar_settings_number(&settings, AR_SET_CONNECT_TIMEOUT));
  }
  files("[default]\ndefaults_mode = mobile\n", NULL);
  ar_settings_set_number(&settings, AR_SET_CONNECT_TIMEOUT, 2,
                         AR_SOURCE_ARGUMENT, &err);
  filled();
  CHECK(ar_settings_number(&settings, AR_SET_CONNECT_TIMEOUT) == 2000,
        "an argument beats the mode");
}

static void most_attempts(void) {
  static const struct {
    const char *variables[5];
    int64_t attempts;
  } rows[] = {{{NULL}, 3},
              {{"AWS_RETRY_MODE", "adaptive"}, 3},
              {{"AWS_RETRY_MODE", "legacy"}, 5},
              {{"AWS_RETRY_MODE", "legacy", "AWS_MAX_ATTEMPTS", "2"}, 2}};
  for (size_t i = 0; i < LENGTH(rows); i++) {
    complete(rows[i].variables);
    CHECK(
        ar_settings_number(&settings, AR_SET_MAX_ATTEMPTS) == rows[i].attempts,
        "attempts of row %zu", i);
  }
}

/* A line of the config file that is refused, and what is said of it. */
static void refused_lines(void) {
  static const struct {
    const char *config, *message;
  } rows[] = {
      {"[default]\nregion = r\nuse_fips_endpoint = yes\n",
       "use_fips_endpoint (from profile default in the config file): expected "
       "true or false, at line 3 of " CONFIG},
      {"[default]\n\n# why\nmax_attempts = 0\n",
       "max_attempts (from profile default in the config file): expected a "
       "whole number above 0, at line 4 of " CONFIG},
      {"[default]\nretry_mode = x\n", "at line 2 of " CONFIG},
      {"[default]\nignore_configured_endpoint_urls = 1\n",
       "ignore_configured_endpoint_urls (from profile default in the config "
       "file): expected true or false, at line 2"},
      {"[default]\nec2_metadata_service_endpoint_mode = IPv5\n",
       "expected IPv4 or IPv6, at line 2"},
      {"[default]\nregion = a\x01z\n", "control characters, at line 2"},
      {"[default]\nmetadata_service_timeout = -1\n",
       "expected a number, at line 2"}};
  for (size_t i = 0; i < LENGTH(rows); i++)
    CHECK(with(rows[i].config) == AR_E_BAD_CONFIG &&
              strstr(err.message, rows[i].message),
          "line %zu: %s", i, err.message);
  files(NULL, "[default]\nmax_attempts = none\n");
  CHECK(filled() == AR_E_BAD_CONFIG &&
            strstr(err.message, "line 2 of " CREDENTIALS),
        "a line of the other file: %s", err.message);
}

/* HTTP_PROXY is a header's, where a web server runs this as a CGI program. */
static void proxies(void) {
  static const struct {
    const char *variables[7];
    enum ar_setting which;
    const char *text, *from;
  } rows[] = {{{"HTTP_PROXY", "http://a"},
               AR_SET_HTTP_PROXY,
               "http://a",
               "HTTP_PROXY"},
              {{"http_proxy", "http://a", "HTTP_PROXY", "http://b"},
               AR_SET_HTTP_PROXY,
               "http://a",
               "http_proxy"},
              {{"HTTP_PROXY", "http://b", "REQUEST_METHOD", "GET"},
               AR_SET_HTTP_PROXY,
               "",
               "unset"},
              {{"http_proxy", "http://a", "HTTP_PROXY", "http://b",
                "REQUEST_METHOD", "GET"},
               AR_SET_HTTP_PROXY,
               "http://a",
               "http_proxy"},
              {{"HTTPS_PROXY", "http://b", "REQUEST_METHOD", "GET"},
               AR_SET_HTTPS_PROXY,
               "http://b",
               "HTTPS_PROXY"},
              {{"NO_PROXY", "a,b"}, AR_SET_NO_PROXY, "a,b", "NO_PROXY"},
              {{"HTTPS_PROXY", ""}, AR_SET_HTTPS_PROXY, "", "unset"}};
  for (size_t i = 0; i < LENGTH(rows); i++) {
    CHECK(complete(rows[i].variables) == AR_OK, "proxies %zu", i);
    check_set(rows[i].which, rows[i].text, rows[i].from);
  }
}

int main(void) {
  ar_settings_init(&settings);
  ar_profiles_init(&profiles);
  defaults();
  sources();
  texts();
  controls();
  bad_environment();
  layers();
  selection();
  services_sections();
  ignored_endpoints();
  choices();
  defaults_modes();
  most_attempts();
  refused_lines();
  proxies();
  ar_profiles_free(&profiles);
  ar_settings_free(&settings);
  return checked();
}
