/*
** Where the values of settings come from that the caller did not give: the
** environment, the selected profile, the defaults.
*/
#include "retry.h"
#include "settings.h"

/* Where the services of endpoint settings stand in a `services` section. */
static const struct {
  enum ar_setting which;
  const char *service;
} services[] = {{AR_SET_ENDPOINT_URL, "apprunner"},
                {AR_SET_STS_ENDPOINT_URL, "sts"},
                {AR_SET_SSO_ENDPOINT_URL, "sso"},
                {AR_SET_OIDC_ENDPOINT_URL, "sso_oidc"}};

/* botocore's connection timeouts of a defaults mode. */
static const struct {
  const char *mode, *connect_timeout;
} modes[] = {{"legacy", "60"},     {"standard", "3.1"},
             {"in-region", "1.1"}, {"cross-region", "3.1"},
             {"mobile", "30"},     {"auto", "3.1"}};

/* What fills the settings: the selected profile, or NULL, with its files. */
struct sources {
  const struct ar_env *env;
  const struct ar_profiles *profiles;
  const struct ar_section *profile;
};

/*
** A web server gives the header "Proxy" of a request to its CGI programs as
** HTTP_PROXY: there the variable is not to be trusted (CVE-2016-5385).
*/
static bool is_untrusted(const struct ar_env *env, const char *variable) {
  return strcmp(variable, "HTTP_PROXY") == 0 &&
         ar_env_get(env, "REQUEST_METHOD").n > 0;
}

/* Takes the first variable of the row that is set. */
static int from_environment(struct ar_settings *settings,
                            enum ar_setting which, const struct sources *from,
                            struct ar_err *err) {
  for (size_t i = 0; i < 2 && ar_setting_row(which)->variables[i] != NULL;
       i++) {
    const char *variable = ar_setting_row(which)->variables[i];
    struct ar_str text = ar_env_get(from->env, variable);
    if (text.n > 0 && !is_untrusted(from->env, variable))
      return ar_settings_set(settings, which, text, variable, err);
  }
  return AR_OK;
}

/* Adds to a refusal where in the files the value stands. */
static int at_line(const struct sources *from, const struct ar_property *at,
                   struct ar_err *err) {
  struct ar_err refused = *err;
  struct ar_buf place;
  ar_buf_init(&place, sizeof err->message);
  ar_profiles_place(from->profiles, at, &place);
  ar_fail(err, refused.code, "%s, at %s", refused.message, ar_buf_z(&place));
  ar_buf_free(&place);
  return (int)err->code;
}

static int from_property(struct ar_settings *settings, enum ar_setting which,
                         const struct sources *from,
                         const struct ar_property *property,
                         struct ar_err *err) {
  const char *source = ar_buf_z(&settings->profile_source[property->file]);
  int rc = ar_settings_set(settings, which, property->value, source, err);
  return rc == AR_E_BAD_CONFIG ? at_line(from, property, err) : rc;
}

static int from_profile(struct ar_settings *settings, enum ar_setting which,
                        const struct sources *from, struct ar_err *err) {
  const struct ar_property *property = NULL;
  if (ar_setting_row(which)->key != NULL && from->profile != NULL)
    property = ar_profiles_property(from->profiles, from->profile,
                                    ar_setting_row(which)->key);
  if (property == NULL) return AR_OK;
  return from_property(settings, which, from, property, err);
}

static const char *service_of(enum ar_setting which) {
  size_t i = 0;
  while (services[i].which != which) i++;
  return services[i].service;
}

/* The value of "endpoint_url" in the block of a service; empty: none. */
static struct ar_str nested_endpoint(const struct sources *from,
                                     const struct ar_section *section,
                                     const char *service) {
  struct ar_str block = ar_profiles_get(from->profiles, section, service);
  struct ar_str name, value, found = AR_STR("");
  while (ar_ini_nested(&block, &name, &value))
    if (ar_str_ieq(name, AR_STR("endpoint_url"))) found = value;
  return found;
}

/* The profile's `services` section, if it names one. */
static int from_services(struct ar_settings *settings, enum ar_setting which,
                         const struct sources *from, struct ar_err *err) {
  const struct ar_property *named =
      from->profile == NULL
          ? NULL
          : ar_profiles_property(from->profiles, from->profile, "services");
  const struct ar_section *section;
  struct ar_str url;
  if (named == NULL) return AR_OK;
  section =
      ar_profiles_find(from->profiles, AR_SECTION_SERVICES, named->value);
  if (section == NULL) {
    ar_fail(err, AR_E_BAD_CONFIG,
            "services: there is no section [services "
            "%.*s]",
            (int)named->value.n, named->value.p);
    return at_line(from, named, err);
  }
  url = nested_endpoint(from, section, service_of(which));
  if (url.n == 0) return AR_OK;
  ar_buf_reset(&settings->services_source);
  ar_buf_addz(&settings->services_source, "services ");
  ar_buf_adds(&settings->services_source, named->value);
  ar_buf_addz(&settings->services_source, " in the config file");
  return ar_settings_set(settings, which, url,
                         ar_buf_z(&settings->services_source), err);
}

/* Whether endpoints that nobody gave as an argument do not count. */
static bool is_ignored(const struct ar_settings *settings,
                       enum ar_setting which) {
  return ar_setting_row(which)->type == AR_VALUE_ENDPOINT &&
         ar_settings_number(settings, AR_SET_IGNORE_ENDPOINT_URLS) == 1;
}

static int complete(struct ar_settings *settings, enum ar_setting which,
                    const struct sources *from, struct ar_err *err) {
  const struct ar_setting_value *value = &settings->values[which];
  int rc = AR_OK;
  if (value->source != NULL || is_ignored(settings, which)) return AR_OK;
  rc = from_environment(settings, which, from, err);
  if (rc == AR_OK && value->source == NULL &&
      ar_setting_row(which)->type == AR_VALUE_ENDPOINT)
    rc = from_services(settings, which, from, err);
  if (rc == AR_OK && value->source == NULL)
    rc = from_profile(settings, which, from, err);
  if (rc == AR_OK && value->source == NULL &&
      ar_setting_row(which)->fallback != NULL)
    rc = ar_settings_set(settings, which,
                         ar_str_of(ar_setting_row(which)->fallback),
                         AR_SOURCE_DEFAULT, err);
  return rc;
}

/* Selects the profile, whose name is complete. */
static int select_profile(struct ar_settings *settings, struct sources *from,
                          struct ar_err *err) {
  static const char *const files[AR_INI_FILES] = {
      [AR_INI_CONFIG] = " in the config file",
      [AR_INI_CREDENTIALS] = " in the credentials file"};
  struct ar_str name = ar_settings_text(settings, AR_SET_PROFILE);
  if (from->profiles != NULL)
    from->profile = ar_profiles_find(from->profiles, AR_SECTION_PROFILE, name);
  if (from->profile == NULL && ar_settings_explicit(settings, AR_SET_PROFILE))
    return ar_fail(err, AR_E_NO_PROFILE,
                   "The config profile (%.*s) could not be found", (int)name.n,
                   name.p);
  for (size_t i = 0; i < AR_INI_FILES; i++) {
    struct ar_buf *source = &settings->profile_source[i];
    ar_buf_reset(source);
    ar_buf_addz(source, "profile ");
    ar_buf_adds(source, name);
    ar_buf_addz(source, files[i]);
    if (ar_buf_check(source, NULL) != AR_OK) return ar_fail_memory(err);
  }
  return AR_OK;
}

/* Defaults that other settings decide. */
static int derive(struct ar_settings *settings, struct ar_err *err) {
  struct ar_str mode = ar_settings_text(settings, AR_SET_DEFAULTS_MODE);
  const struct ar_retry_plan *plan =
      ar_retry_plan(ar_settings_text(settings, AR_SET_RETRY_MODE));
  int rc = AR_OK;
  size_t i = 0;
  while (!ar_str_eq(ar_str_of(modes[i].mode), mode)) i++;
  if (settings->values[AR_SET_CONNECT_TIMEOUT].source == NULL)
    rc = ar_settings_set(settings, AR_SET_CONNECT_TIMEOUT,
                         ar_str_of(modes[i].connect_timeout),
                         AR_SOURCE_DEFAULT, err);
  if (rc == AR_OK && settings->values[AR_SET_MAX_ATTEMPTS].source == NULL)
    rc = ar_settings_set_number(settings, AR_SET_MAX_ATTEMPTS,
                                plan->max_attempts, AR_SOURCE_DEFAULT, err);
  return rc;
}

int ar_settings_complete(struct ar_settings *settings,
                         const struct ar_env *env,
                         const struct ar_profiles *profiles,
                         struct ar_err *err) {
  struct sources from = {.env = env, .profiles = profiles};
  int rc = complete(settings, AR_SET_PROFILE, &from, err);
  if (rc == AR_OK) rc = select_profile(settings, &from, err);
  for (int i = 0; rc == AR_OK && i < AR_SETTINGS; i++)
    rc = complete(settings, (enum ar_setting)i, &from, err);
  return rc == AR_OK ? derive(settings, err) : rc;
}
