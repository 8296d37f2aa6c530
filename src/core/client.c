/*
** What the calls of one client share.
*/
#include "client.h"

#include <stdlib.h>

#include "model.h"

struct ar_client *ar_client_new(const struct ar_env *env) {
  struct ar_client *client = calloc(1, sizeof *client);
  if (client == NULL) return NULL;
  client->refs = 1;
  client->env = *env;
  ar_settings_init(&client->settings);
  ar_profiles_init(&client->profiles);
  ar_link_init(&client->waiters);
  ar_creds_init(&client->argument);
  ar_creds_init(&client->creds);
  ar_endpoint_init(&client->endpoint);
  ar_buf_init(&client->endpoint_region, AR_MAX_URL);
  ar_signature_init(&client->signature);
  ar_buf_init(&client->user_agent.text, AR_MAX_REQUEST_HEAD);
  return client;
}

void ar_client_retain(struct ar_client *client) {
  client->refs++;
}

int ar_client_configure(struct ar_client *client, struct ar_err *err) {
  struct ar_settings *settings = &client->settings;
  int rc = ar_profiles_read(&client->profiles, &client->env, NULL, NULL, err);
  client->has_profiles = rc == AR_OK;
  if (rc == AR_OK)
    rc = ar_settings_complete(settings, &client->env, &client->profiles, err);
  ar_quota_init(
      &client->quota,
      ar_retry_rules(ar_settings_number(settings, AR_SET_NEW_RETRIES) == 0));
  return rc;
}

const struct ar_retry_plan *ar_client_retries(const struct ar_client *client) {
  return ar_retry_plan(ar_settings_text(&client->settings, AR_SET_RETRY_MODE));
}

void ar_client_close(struct ar_client *client) {
  client->closed = true;
  if (client->refresh != NULL)
    ar_job_end(client->refresh, AR_E_CANCELLED, "the client was closed");
  ar_creds_free(&client->argument);
  ar_creds_free(&client->creds);
  ar_profiles_free(&client->profiles);
}

void ar_client_release(struct ar_client *client) {
  if (--client->refs > 0) return;
  ar_client_close(client);
  ar_settings_free(&client->settings);
  ar_endpoint_free(&client->endpoint);
  ar_buf_free(&client->endpoint_region);
  ar_signature_free(&client->signature);
  ar_buf_free(&client->user_agent.text);
  if (client->spare != NULL) ar_job_release(client->spare);
  free(client);
}

int ar_client_endpoint(struct ar_client *client, struct ar_str region,
                       struct ar_err *err) {
  const struct ar_settings *settings = &client->settings;
  struct ar_endpoint_params params = {
      .service = AR_SIGNING_NAME,
      .region = region,
      .fips = ar_settings_number(settings, AR_SET_FIPS) == 1,
      .dualstack = ar_settings_number(settings, AR_SET_DUALSTACK) == 1,
      .custom = ar_settings_text(settings, AR_SET_ENDPOINT_URL)};
  int rc;
  if (client->endpoint.url.n > 0 &&
      ar_str_eq(ar_buf_str(&client->endpoint_region), region))
    return AR_OK;
  rc = ar_endpoint_resolve(&client->endpoint, &params, err);
  ar_buf_reset(&client->endpoint_region);
  ar_buf_adds(&client->endpoint_region, region);
  if (rc == AR_OK) rc = ar_buf_check(&client->endpoint_region, err);
  if (rc != AR_OK) ar_buf_reset(&client->endpoint.url);
  return rc;
}

/* The fourth part of "arn:partition:service:region:...", or empty. */
static struct ar_str arn_region(struct ar_str arn) {
  size_t at = 0, end;
  if (arn.n < 4 || memcmp(arn.p, "arn:", 4) != 0) return AR_STR("");
  for (int i = 0; i < 3; i++) at = ar_str_find(arn, ':', at) + 1;
  end = ar_str_find(arn, ':', at);
  return at < arn.n ? ar_str_n(arn.p + at, end - at) : AR_STR("");
}

struct ar_str ar_client_region(const struct ar_client *client,
                               struct ar_str arn) {
  const struct ar_setting_value *set = &client->settings.values[AR_SET_REGION];
  struct ar_str of_arn = arn_region(arn);
  bool argument = ar_settings_explicit(&client->settings, AR_SET_REGION);
  return argument || !ar_is_region(of_arn) ? ar_buf_str(&set->text) : of_arn;
}

/* What botocore lets stand in a component of the User-Agent. */
static void add_component(struct ar_buf *out, struct ar_str s) {
  for (size_t i = 0; i < s.n; i++) {
    char c = s.p[i];
    bool plain = ar_is_alpha(c) || ar_is_digit(c) ||
                 (c != '\0' && strchr("!$%&'*+-.^_`|~,#", c) != NULL);
    ar_buf_addc(out, (char)(plain ? c : '-'));
  }
}

static void add_labelled(struct ar_buf *out, const char *label,
                         struct ar_str value) {
  if (value.n == 0) return;
  ar_buf_addz(out, label);
  add_component(out, value);
}

static void write_user_agent(const struct ar_client *client,
                             const struct ar_host_facts *facts,
                             struct ar_buf *out) {
  const struct ar_settings *settings = &client->settings;
  struct ar_str extra = ar_settings_text(settings, AR_SET_USER_AGENT_EXTRA);
  bool custom = ar_settings_text(settings, AR_SET_ENDPOINT_URL).n > 0;
  ar_buf_addz(out, "apprunner-lua/" AR_VERSION " ua/2.1");
  add_labelled(out, " os/", ar_str_of(facts->os));
  add_labelled(out, " md/arch#", ar_str_of(facts->arch));
  add_labelled(out, " lang/", ar_str_of(facts->lua));
  add_labelled(out, " md/", ar_str_of(facts->engine));
  ar_buf_addz(out, custom ? " m/N," : " m/");
  ar_buf_addz(
      out, ar_client_retries(client)->mode == AR_RETRY_ADAPTIVE ? "F," : "E,");
  ar_buf_addz(out, client->creds.provider->feature);
  ar_buf_addz(out, " cfg/retry-mode#");
  ar_buf_adds(out, ar_settings_text(settings, AR_SET_RETRY_MODE));
  add_labelled(out, " app/", ar_settings_text(settings, AR_SET_APP_ID));
  if (extra.n > 0) {
    ar_buf_addc(out, ' ');
    ar_buf_adds(out, extra);
  }
}

const struct ar_buf *ar_client_user_agent(struct ar_client *client,
                                          const struct ar_host_facts *facts) {
  struct ar_user_agent *kept = &client->user_agent;
  if (kept->text.n > 0 && !kept->text.failed &&
      kept->provider == client->creds.provider &&
      memcmp(&kept->facts, facts, sizeof *facts) == 0)
    return &kept->text;
  kept->provider = client->creds.provider;
  kept->facts = *facts;
  ar_buf_reset(&kept->text);
  write_user_agent(client, facts, &kept->text);
  return &kept->text;
}
