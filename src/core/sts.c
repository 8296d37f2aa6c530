/*
** Calls of AWS STS.
*/
#include "sts.h"

#include "fetch.h"
#include "providers.h"
#include "uri.h"
#include "xml.h"

#define CONTENT_TYPE "application/x-www-form-urlencoded; charset=utf-8"
#define GLOBAL_ENDPOINT "https://sts.amazonaws.com"
#define GLOBAL_REGION "us-east-1"

/* The actions, and where their answers hold what. */
enum { ACCESS_KEY_ID, SECRET_ACCESS_KEY, SESSION_TOKEN, EXPIRATION, ARN };
#define TEXTS 5
#define CREDENTIALS(action, name) \
  action "Response/" action "Result/Credentials/" name
#define ACTION(action)                                               \
  {                                                                  \
    action, {                                                        \
      [ACCESS_KEY_ID] = CREDENTIALS(action, "AccessKeyId"),          \
      [SECRET_ACCESS_KEY] = CREDENTIALS(action, "SecretAccessKey"),  \
      [SESSION_TOKEN] = CREDENTIALS(action, "SessionToken"),         \
      [EXPIRATION] = CREDENTIALS(action, "Expiration"),              \
      [ARN] = action "Response/" action "Result/AssumedRoleUser/Arn" \
    }                                                                \
  }

static const struct {
  const char *name, *paths[TEXTS];
} actions[] = {
    [AR_STS_ASSUME_ROLE] = ACTION("AssumeRole"),
    [AR_STS_WITH_WEB_IDENTITY] = ACTION("AssumeRoleWithWebIdentity")};

/* --- the endpoint --------------------------------------------------------
 */

/* Regions that sts_regional_endpoints = legacy sends to the global endpoint.
 */
static const char *const legacy_regions[] = {
    "ap-northeast-1", "ap-south-1",   "ap-southeast-1", "ap-southeast-2",
    "aws-global",     "ca-central-1", "eu-central-1",   "eu-north-1",
    "eu-west-1",      "eu-west-2",    "eu-west-3",      "sa-east-1",
    "us-east-1",      "us-east-2",    "us-west-1",      "us-west-2"};

static bool is_legacy(struct ar_str region) {
  for (size_t i = 0; i < sizeof legacy_regions / sizeof *legacy_regions; i++)
    if (ar_str_eq(region, ar_str_of(legacy_regions[i]))) return true;
  return false;
}

/* Without a region, or by the legacy setting; never with a variant of it. */
static bool is_global(const struct ar_settings *settings,
                      struct ar_str region) {
  bool legacy = ar_str_eq(ar_settings_text(settings, AR_SET_STS_REGIONAL),
                          AR_STR("legacy"));
  return ar_settings_text(settings, AR_SET_STS_ENDPOINT_URL).n == 0 &&
         ar_settings_number(settings, AR_SET_FIPS) != 1 &&
         ar_settings_number(settings, AR_SET_DUALSTACK) != 1 &&
         (region.n == 0 || (legacy && is_legacy(region)));
}

/* The FIPS endpoints of us-gov are the ordinary ones. */
static bool is_fips_anyway(struct ar_str region) {
  return region.n > 7 && memcmp(region.p, "us-gov-", 7) == 0;
}

/* Begins the request; `*region` is the one to sign for. */
static int begin(struct ar_chain *chain, struct ar_str *region,
                 struct ar_err *err) {
  const struct ar_settings *settings = chain->in.settings;
  struct ar_str set = ar_settings_text(settings, AR_SET_REGION);
  struct ar_endpoint_params params = ar_fetch_params(
      chain, "sts", set, ar_settings_text(settings, AR_SET_STS_ENDPOINT_URL));
  if (is_global(settings, set)) {
    params.custom = AR_STR(GLOBAL_ENDPOINT);
    params.region = AR_STR(GLOBAL_REGION);
  } else if (params.custom.n == 0 && !params.dualstack &&
             is_fips_anyway(set)) {
    params.fips = false;
  }
  *region = params.region;
  return ar_fetch_service(chain, &params, err);
}

/* --- the request ---------------------------------------------------------
 */

static void add_param(struct ar_buf *form, const char *name,
                      struct ar_str value) {
  if (value.n == 0) return;
  if (form->n > 0) ar_buf_addc(form, '&');
  ar_buf_addz(form, name);
  ar_buf_addc(form, '=');
  ar_uri_encode(form, value, false);
}

static void add_form(struct ar_chain *chain,
                     const struct ar_sts_request *request) {
  struct ar_buf *form = &chain->http.body;
  add_param(form, "Action", ar_str_of(actions[request->action].name));
  add_param(form, "Version", AR_STR("2011-06-15"));
  add_param(form, "RoleArn", request->role_arn);
  if (request->role_session_name.n > 0) {
    add_param(form, "RoleSessionName", request->role_session_name);
  } else {
    ar_buf_addz(form, "&RoleSessionName=apprunner-lua-");
    ar_buf_addi(form, chain->now.epoch);
  }
  add_param(form, "ExternalId", request->external_id);
  add_param(form, "DurationSeconds", request->duration_seconds);
  add_param(form, "WebIdentityToken", request->web_identity_token);
}

static int sign(struct ar_chain *chain, struct ar_str region,
                struct ar_creds *signer, struct ar_err *err) {
  const struct ar_header headers[] = {
      {AR_STR("host"), ar_buf_str(&chain->endpoint.host)},
      {AR_STR("content-type"), AR_STR(CONTENT_TYPE)}};
  struct ar_sign_request request = {
      .method = AR_STR("POST"),
      .path = ar_buf_str(&chain->endpoint.path),
      .body = ar_buf_str(&chain->http.body),
      .headers = headers,
      .header_count = sizeof headers / sizeof *headers,
      .region = region,
      .service = AR_STR("sts"),
      .time = chain->now.epoch / 1000};
  struct ar_signature *signature = &chain->signature;
  int rc = ar_sigv4_sign(signature, &request, signer, err);
  if (rc != AR_OK) return rc;
  ar_http_line(&chain->http, "X-Amz-Date", ar_str_of(signature->date));
  if (signer->session_token.n > 0)
    ar_http_line(&chain->http, "X-Amz-Security-Token",
                 ar_buf_str(&signer->session_token));
  ar_http_line(&chain->http, "Authorization",
               ar_buf_str(&signature->authorization));
  return AR_OK;
}

enum ar_step ar_sts_send(struct ar_chain *chain, const struct ar_frame *frame,
                         const struct ar_sts_request *request,
                         struct ar_creds *signer, struct ar_err *err) {
  struct ar_str region;
  int rc = begin(chain, &region, err);
  if (rc == AR_OK && signer != NULL) rc = ar_region_check(region, err);
  if (rc != AR_OK) return AR_STEP_FAIL;
  add_form(chain, request);
  ar_http_line(&chain->http, "Content-Type", AR_STR(CONTENT_TYPE));
  ar_http_line(&chain->http, "Accept", AR_STR("text/xml"));
  rc = ar_buf_check(&chain->http.body, err);
  if (rc == AR_OK && signer != NULL) rc = sign(chain, region, signer, err);
  return rc == AR_OK ? ar_fetch_send(chain, frame, "POST", err) : AR_STEP_FAIL;
}

/* --- the answer ----------------------------------------------------------
 */

/* The account's number in "arn:aws:sts::123456789012:assumed-role/...". */
static struct ar_str account_of(struct ar_str arn) {
  size_t from = 0, end;
  for (int i = 0; i < 4; i++) from = ar_str_find(arn, ':', from) + 1;
  end = ar_str_find(arn, ':', from);
  return from < arn.n ? ar_str_n(arn.p + from, end - from) : AR_STR("");
}

static int missing(enum ar_sts_action action, const char *path,
                   struct ar_err *err) {
  return ar_fail(err, AR_E_CREDENTIAL_RETRIEVAL, "%s: the answer has no %s",
                 actions[action].name, strrchr(path, '/') + 1);
}

static int read_credentials(const struct ar_chain *chain,
                            enum ar_sts_action action, struct ar_creds *found,
                            struct ar_err *err) {
  struct ar_buf expiration, arn;
  struct ar_buf *const texts[TEXTS] = {
      [ACCESS_KEY_ID] = &found->access_key_id,
      [SECRET_ACCESS_KEY] = &found->secret_access_key,
      [SESSION_TOKEN] = &found->session_token,
      [EXPIRATION] = &expiration,
      [ARN] = &arn};
  struct ar_xml_field fields[TEXTS];
  const char *const *paths = actions[action].paths;
  int rc;
  ar_buf_init(&expiration, 64);
  ar_buf_init(&arn, AR_MAX_SECRET);
  for (size_t i = 0; i < TEXTS; i++)
    fields[i] = (struct ar_xml_field){.path = paths[i], .text = texts[i]};
  rc = ar_xml_flat(ar_buf_str(&chain->http.answer_body), fields, TEXTS, err);
  for (size_t i = 0; rc == AR_OK && i < ARN; i++)
    if (texts[i]->n == 0) rc = missing(action, paths[i], err);
  if (rc == AR_OK &&
      !ar_date_parse(ar_buf_str(&expiration), &found->expiration))
    rc = missing(action, paths[EXPIRATION], err);
  ar_buf_reset(&found->account_id);
  ar_buf_adds(&found->account_id, account_of(ar_buf_str(&arn)));
  ar_buf_free(&expiration);
  ar_buf_free(&arn);
  return rc;
}

/* An error's own code and message, where the answer is the service's. */
static enum ar_step read_error(const struct ar_chain *chain, const char *name,
                               struct ar_err *err) {
  struct ar_buf code, message;
  struct ar_xml_field fields[] = {
      {.path = "ErrorResponse/Error/Code", .text = &code},
      {.path = "ErrorResponse/Error/Message", .text = &message}};
  enum ar_step step;
  ar_buf_init(&code, 256);
  ar_buf_init(&message, sizeof err->message);
  ar_xml_flat(ar_buf_str(&chain->http.answer_body), fields, 2, NULL);
  step = ar_fetch_failed(chain, name, ar_buf_str(&code), err);
  if (code.n > 0)
    ar_fail(err, AR_E_CREDENTIAL_RETRIEVAL, "%s: %s: %s", name,
            ar_buf_z(&code), ar_buf_z(&message));
  if (ar_str_eq(ar_buf_str(&code), AR_STR("IDPCommunicationError")))
    step = AR_STEP_AGAIN;
  ar_buf_free(&code);
  ar_buf_free(&message);
  return step;
}

enum ar_step ar_sts_read(struct ar_chain *chain, struct ar_frame *frame,
                         enum ar_sts_action action, struct ar_err *err) {
  const char *name = actions[action].name;
  int rc;
  if (!ar_fetch_succeeded(chain)) return read_error(chain, name, err);
  rc = read_credentials(chain, action, &frame->found, err);
  if (rc == AR_E_RESPONSE)
    return ar_broken(err, AR_E_CREDENTIAL_RETRIEVAL,
                     "%s: the answer is no XML document", name);
  return rc == AR_OK ? ar_found(frame, name, err) : AR_STEP_FAIL;
}
