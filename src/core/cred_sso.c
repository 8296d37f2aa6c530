/*
** Provider `sso`: IAM Identity Center. A login ("aws sso login") has left a
** token in a cache file; the portal gives the role's credentials for it. A
** token of an sso-session that will soon expire is renewed first, with the
** means that the login left beside it, and written back.
*/
#include "document.h"
#include "fetch.h"
#include "json.h"
#include "providers.h"
#include "sso_token.h"
#include "uri.h"

/* Waits for nothing; for a new token; for the role's credentials. */
enum { START, RENEWED, REQUEST, ANSWER };

static const struct ar_document document = {
    .access_key_id = "roleCredentials.accessKeyId",
    .secret_access_key = "roleCredentials.secretAccessKey",
    .session_token = "roleCredentials.sessionToken",
    .expiration = "roleCredentials.expiration",
    .temporary = true,
    .milliseconds = true};

/* What the profile, and the sso-session that it names, say. */
struct sso {
  struct ar_str profile, session, start_url, region, account_id, role_name;
};

/* What must be there; all that is not is told at once. */
static int check(const struct sso *sso, struct ar_err *err) {
  const struct {
    const char *key;
    struct ar_str value;
  } keys[] = {{"sso_account_id", sso->account_id},
              {"sso_role_name", sso->role_name},
              {"sso_start_url", sso->start_url},
              {"sso_region", sso->region}};
  struct ar_buf missing;
  int rc = AR_OK;
  if (sso->session.n > 0 && sso->account_id.n == 0 && sso->role_name.n == 0)
    return ar_fail(err, AR_E_BAD_CONFIG,
                   "profile %.*s names an sso_session, but no sso_account_id "
                   "and sso_role_name: it gives a token and no credentials",
                   (int)sso->profile.n, sso->profile.p);
  ar_buf_init(&missing, 256);
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
    if (keys[i].value.n > 0) continue;
    if (missing.n > 0) ar_buf_addz(&missing, ", ");
    ar_buf_addz(&missing, keys[i].key);
  }
  if (missing.n > 0)
    rc = ar_fail(err, AR_E_BAD_CONFIG, "profile %.*s: SSO needs %s",
                 (int)sso->profile.n, sso->profile.p, ar_buf_z(&missing));
  ar_buf_free(&missing);
  return rc == AR_OK ? ar_region_check(sso->region, err) : rc;
}

/* With an sso-session the profile must not repeat what that says. */
static int from_session(const struct ar_chain *chain,
                        const struct ar_frame *frame, struct sso *sso,
                        struct ar_err *err) {
  const struct ar_profiles *profiles = chain->in.profiles;
  const struct ar_section *session =
      ar_profiles_find(profiles, AR_SECTION_SSO_SESSION, sso->session);
  if (session == NULL)
    return ar_fail(err, AR_E_BAD_CONFIG,
                   "profile %.*s: there is no section [sso-session %.*s]",
                   (int)sso->profile.n, sso->profile.p, (int)sso->session.n,
                   sso->session.p);
  if (ar_profile_get(chain, frame, "sso_region").n > 0 ||
      ar_profile_get(chain, frame, "sso_start_url").n > 0)
    return ar_fail(err, AR_E_BAD_CONFIG,
                   "profile %.*s: sso_region and sso_start_url belong into "
                   "the sso-session that it names",
                   (int)sso->profile.n, sso->profile.p);
  sso->start_url = ar_profiles_get(profiles, session, "sso_start_url");
  sso->region = ar_profiles_get(profiles, session, "sso_region");
  return AR_OK;
}

static int read_profile(const struct ar_chain *chain,
                        const struct ar_frame *frame, struct sso *sso,
                        struct ar_err *err) {
  int rc = AR_OK;
  *sso = (struct sso){
      .profile = frame->profile->name,
      .session = ar_profile_get(chain, frame, "sso_session"),
      .start_url = ar_profile_get(chain, frame, "sso_start_url"),
      .region = ar_profile_get(chain, frame, "sso_region"),
      .account_id = ar_profile_get(chain, frame, "sso_account_id"),
      .role_name = ar_profile_get(chain, frame, "sso_role_name")};
  if (sso->session.n > 0) rc = from_session(chain, frame, sso, err);
  return rc == AR_OK ? check(sso, err) : rc;
}

/* --- the token -----------------------------------------------------------
 */

static enum ar_step log_in(const struct sso *sso, const char *why,
                           struct ar_err *err) {
  return ar_broken(err, AR_E_SSO_TOKEN,
                   "the SSO session of profile %.*s has expired or is "
                   "invalid: %s; run \"aws sso login --profile %.*s\"",
                   (int)sso->profile.n, sso->profile.p, why,
                   (int)sso->profile.n, sso->profile.p);
}

static enum ar_step request_token(struct ar_chain *chain,
                                  struct ar_frame *frame,
                                  const struct sso *sso,
                                  const struct ar_sso_token *token,
                                  struct ar_err *err) {
  struct ar_http *http = &chain->http;
  struct ar_endpoint_params params = ar_fetch_params(
      chain, "oidc", sso->region,
      ar_settings_text(chain->in.settings, AR_SET_OIDC_ENDPOINT_URL));
  if (ar_fetch_service(chain, &params, err) != AR_OK) return AR_STEP_FAIL;
  /* By this a login that comes meanwhile is told apart, see renewed. */
  ar_buf_reset(&frame->text);
  ar_buf_adds(&frame->text, ar_sso_token_get(token, AR_SSO_ACCESS_TOKEN));
  if (ar_buf_check(&frame->text, err) != AR_OK) return AR_STEP_FAIL;
  ar_buf_addz(&http->url, "token");
  ar_http_line(http, "Content-Type", AR_STR("application/json"));
  ar_sso_token_request(token, &http->body);
  frame->state = RENEWED;
  return ar_fetch_send(chain, frame, "POST", err);
}

static enum ar_step request_role(struct ar_chain *chain,
                                 struct ar_frame *frame, const struct sso *sso,
                                 struct ar_err *err) {
  struct ar_http *http = &chain->http;
  struct ar_endpoint_params params = ar_fetch_params(
      chain, "portal.sso", sso->region,
      ar_settings_text(chain->in.settings, AR_SET_SSO_ENDPOINT_URL));
  if (ar_fetch_service(chain, &params, err) != AR_OK) return AR_STEP_FAIL;
  ar_buf_addz(&http->url, "federation/credentials?role_name=");
  ar_uri_encode(&http->url, sso->role_name, false);
  ar_buf_addz(&http->url, "&account_id=");
  ar_uri_encode(&http->url, sso->account_id, false);
  ar_http_line(http, "Accept", AR_STR("application/json"));
  ar_http_line(http, "x-amz-sso_bearer_token", ar_buf_str(&frame->text));
  frame->state = ANSWER;
  return ar_fetch_send(chain, frame, "GET", err);
}

/* Keeps the access token for the request to the portal. */
static enum ar_step use(struct ar_chain *chain, struct ar_frame *frame,
                        const struct sso *sso,
                        const struct ar_sso_token *token, struct ar_err *err) {
  struct ar_str access = ar_sso_token_get(token, AR_SSO_ACCESS_TOKEN);
  if (access.n == 0 || ar_str_has_control(access))
    return log_in(sso, "the cached token cannot be used", err);
  ar_buf_reset(&frame->text);
  ar_buf_adds(&frame->text, access);
  if (ar_buf_check(&frame->text, err) != AR_OK) return AR_STEP_FAIL;
  chain->attempt = 1; /* at the portal, whatever the renewal took */
  return request_role(chain, frame, sso, err);
}

/* The name of the cache file, from the session's or the start URL's. */
static struct ar_str cache_key(const struct sso *sso) {
  return sso->session.n > 0 ? sso->session : sso->start_url;
}

/* What to do with the token; only at the start may it be renewed. */
static enum ar_step judge(struct ar_chain *chain, struct ar_frame *frame,
                          const struct sso *sso, struct ar_sso_token *token,
                          struct ar_err *err) {
  int64_t now = chain->now.epoch;
  if (sso->session.n > 0 && frame->state == START &&
      ar_sso_token_is_old(token, now) && ar_sso_token_is_renewable(token, now))
    return request_token(chain, frame, sso, token, err);
  if (ar_sso_token_is_expired(token, now))
    return log_in(sso,
                  frame->state == START
                      ? "the token has expired"
                      : "the token has expired and refresh failed",
                  err);
  return use(chain, frame, sso, token, err);
}

/* Takes the answer of request_token; false when it is of no use. */
static bool renew(struct ar_chain *chain, const struct sso *sso,
                  struct ar_sso_token *token) {
  if (!ar_fetch_succeeded(chain) ||
      ar_sso_token_renew(token, ar_buf_str(&chain->http.answer_body),
                         chain->now.epoch) != AR_OK)
    return false;
  /* Where it cannot be written back, it is good for this time. */
  ar_sso_token_write(token, chain->in.env, cache_key(sso), NULL);
  return true;
}

/* After request_token. A token that somebody else has put there meanwhile is
   used as it is. What failed for now is tried again; what failed for good
   leaves the old token to be used while it lasts. */
static enum ar_step renewed(struct ar_chain *chain, struct ar_frame *frame,
                            const struct sso *sso, struct ar_sso_token *token,
                            struct ar_err *err) {
  bool last = chain->attempt >= frame->provider->attempts;
  bool same = ar_str_eq(ar_sso_token_get(token, AR_SSO_ACCESS_TOKEN),
                        ar_buf_str(&frame->text));
  if (same && !renew(chain, sso, token) && !last &&
      ar_fetch_failed(chain, "CreateToken", AR_STR(""), err) ==
          AR_STEP_AGAIN) {
    frame->state = START;
    return AR_STEP_AGAIN;
  }
  return judge(chain, frame, sso, token, err);
}

static enum ar_step with_token(struct ar_chain *chain, struct ar_frame *frame,
                               const struct sso *sso, struct ar_err *err) {
  struct ar_sso_token token;
  struct ar_err why;
  enum ar_step step;
  ar_sso_token_init(&token);
  if (ar_sso_token_read(&token, chain->in.env, cache_key(sso), &why) != AR_OK)
    step = log_in(sso, why.message, err);
  else
    step = (frame->state == RENEWED ? renewed : judge)(chain, frame, sso,
                                                       &token, err);
  ar_sso_token_free(&token);
  return step;
}

/* --- the role's credentials ----------------------------------------------
 */

/* The portal says in JSON what it has against the role or the account. */
static enum ar_step refused(const struct ar_chain *chain, const char *what,
                            struct ar_err *err) {
  struct ar_buf message;
  struct ar_json_field field = {
      .path = "message", .any_case = true, .text = &message};
  enum ar_step step;
  ar_buf_init(&message, 400);
  ar_json_flat(ar_buf_str(&chain->http.answer_body), &field, 1, NULL);
  step = ar_fetch_failed(chain, what, ar_buf_str(&message), err);
  ar_buf_free(&message);
  return step;
}

static enum ar_step read_role(struct ar_chain *chain, struct ar_frame *frame,
                              const struct sso *sso, struct ar_err *err) {
  static const char what[] = "GetRoleCredentials of SSO";
  frame->state = REQUEST;
  if (chain->http.outcome.failure == AR_OK &&
      chain->http.outcome.status == 401)
    return log_in(sso, "the portal refused the token", err);
  if (!ar_fetch_succeeded(chain)) return refused(chain, what, err);
  if (ar_document_read(ar_buf_str(&chain->http.answer_body), &document, what,
                       &frame->found, err) != AR_OK)
    return AR_STEP_FAIL;
  ar_buf_adds(&frame->found.account_id, sso->account_id);
  ar_note_profile(chain, frame, "sso_role_name");
  return ar_found(frame, what, err);
}

AR_PROVIDER_STEP(ar_cred_sso) {
  struct sso sso;
  if (read_profile(chain, frame, &sso, err) != AR_OK) return AR_STEP_FAIL;
  switch (frame->state) {
    case REQUEST:
      return request_role(chain, frame, &sso, err);
    case ANSWER:
      return read_role(chain, frame, &sso, err);
    default:
      return with_token(chain, frame, &sso, err);
  }
}
