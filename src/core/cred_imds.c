/*
** Provider `imds`: the role of an EC2 instance, from its metadata service,
** version 2 only: a token, the role's name, its credentials. The tokens last
** for six hours, more than a chain.
*/
#include "document.h"
#include "fetch.h"
#include "json.h"
#include "providers.h"
#include "uri.h"

#define TOKEN_PATH "/latest/api/token"
#define ROLES_PATH "/latest/meta-data/iam/security-credentials/"

enum { TOKEN, TOKEN_ANSWER, ROLE_ANSWER, CREDENTIALS_ANSWER };

static const char what[] = "the instance metadata service";

/* An endpoint beats a mode, and a mode the older switch. */
static struct ar_str base_url(const struct ar_settings *settings) {
  const struct ar_setting_value *mode = &settings->values[AR_SET_IMDS_MODE];
  struct ar_str custom = ar_settings_text(settings, AR_SET_IMDS_ENDPOINT);
  bool ipv6 = strcmp(mode->source, AR_SOURCE_DEFAULT) == 0
                  ? ar_settings_number(settings, AR_SET_IMDS_IPV6) == 1
                  : ar_str_eq(ar_buf_str(&mode->text), AR_STR("ipv6"));
  if (custom.n > 0) return custom;
  return ipv6 ? AR_STR("http://[fd00:ec2::254]")
              : AR_STR("http://169.254.169.254");
}

static int begin(struct ar_chain *chain, const char *path, struct ar_str role,
                 struct ar_err *err) {
  struct ar_buf full;
  struct ar_err why;
  int rc;
  ar_buf_init(&full, AR_MAX_URL);
  ar_buf_addz(&full, path);
  ar_uri_encode(&full, role, true);
  rc = ar_buf_check(&full, &why);
  if (rc == AR_OK)
    rc = ar_fetch_url(chain, base_url(chain->in.settings), ar_buf_str(&full),
                      &why);
  if (rc == AR_E_BAD_ENDPOINT)
    rc = ar_fail(
        err, AR_E_BAD_CONFIG, "ec2_metadata_service_endpoint (from %s): %s",
        chain->in.settings->values[AR_SET_IMDS_ENDPOINT].source, why.message);
  else if (rc != AR_OK)
    ar_fail(err, why.code, "%s: %s", what, why.message);
  ar_buf_free(&full);
  return rc;
}

static enum ar_step send(struct ar_chain *chain, const struct ar_frame *frame,
                         const char *method, struct ar_err *err) {
  int64_t timeout =
      ar_settings_number(chain->in.settings, AR_SET_IMDS_TIMEOUT);
  enum ar_step step = ar_fetch_send(chain, frame, method, err);
  chain->http.exchange.connect_timeout = timeout;
  chain->http.exchange.read_timeout = timeout;
  return step;
}

static enum ar_step ask_token(struct ar_chain *chain, struct ar_frame *frame,
                              struct ar_err *err) {
  frame->state = TOKEN_ANSWER;
  if (begin(chain, TOKEN_PATH, AR_STR(""), err) != AR_OK) return AR_STEP_FAIL;
  ar_http_line(&chain->http, "x-aws-ec2-metadata-token-ttl-seconds",
               AR_STR("21600"));
  return send(chain, frame, "PUT", err);
}

static enum ar_step ask(struct ar_chain *chain, struct ar_frame *frame,
                        struct ar_str role, int next, struct ar_err *err) {
  frame->state = next;
  if (begin(chain, ROLES_PATH, role, err) != AR_OK) return AR_STEP_FAIL;
  ar_http_line(&chain->http, "x-aws-ec2-metadata-token",
               ar_buf_str(&frame->text));
  return send(chain, frame, "GET", err);
}

/* --- answers -------------------------------------------------------------
 */

/* An answer of no use. Only a service that is slow, ill or has forgotten its
   token is asked again; whoever cannot reach it in time is on no instance. */
static enum ar_step failed(struct ar_chain *chain, struct ar_frame *frame,
                           struct ar_err *err) {
  const struct ar_outcome *outcome = &chain->http.outcome;
  enum ar_step step = ar_fetch_failed(chain, what, AR_STR(""), err);
  bool forgotten = outcome->status == 401 && frame->state != TOKEN_ANSWER;
  if (forgotten) step = AR_STEP_AGAIN;
  if (outcome->failure == AR_E_CONNECT_TIMEOUT) step = AR_STEP_NONE;
  frame->state = TOKEN;
  return step == AR_STEP_FAIL ? AR_STEP_NONE : step;
}

static enum ar_step take_token(struct ar_chain *chain, struct ar_frame *frame,
                               struct ar_err *err) {
  struct ar_str token = ar_str_trim(ar_buf_str(&chain->http.answer_body));
  if (chain->http.outcome.failure == AR_OK &&
      chain->http.outcome.status == 403)
    return ar_nothing(err, "the instance metadata service is disabled (403)");
  if (!ar_fetch_succeeded(chain)) return failed(chain, frame, err);
  if (token.n == 0 || ar_str_has_control(token))
    return ar_nothing(err, "the instance metadata service gave no token");
  ar_buf_reset(&frame->text);
  ar_buf_adds(&frame->text, token);
  if (ar_buf_check(&frame->text, err) != AR_OK) return AR_STEP_FAIL;
  return ask(chain, frame, AR_STR(""), ROLE_ANSWER, err);
}

static enum ar_step take_role(struct ar_chain *chain, struct ar_frame *frame,
                              struct ar_err *err) {
  struct ar_str list = ar_buf_str(&chain->http.answer_body), role;
  if (chain->http.outcome.failure == AR_OK &&
      chain->http.outcome.status == 404)
    return ar_nothing(err, "the instance has no role");
  if (!ar_fetch_succeeded(chain)) return failed(chain, frame, err);
  role = ar_str_trim(ar_str_n(list.p, ar_str_find(list, '\n', 0)));
  if (role.n == 0) return ar_nothing(err, "the instance has no role");
  return ask(chain, frame, role, CREDENTIALS_ANSWER, err);
}

/* Whether the document says "Code": "Success", or nothing of the kind. */
static bool is_success(const struct ar_chain *chain, struct ar_buf *code) {
  struct ar_json_field field = {.path = "Code", .text = code};
  ar_json_flat(ar_buf_str(&chain->http.answer_body), &field, 1, NULL);
  return field.type == AR_JSON_ABSENT ||
         ar_str_eq(ar_buf_str(code), AR_STR("Success"));
}

/*
** The service may hand out credentials that have expired while its own source
** is down, and they work: as botocore does, they are kept for a while then,
** and asked for again later. What is told of their expiry stays true.
*/
static void stretch(const struct ar_chain *chain, struct ar_creds *found) {
  int64_t now = chain->now.epoch, minute = 60000;
  if (found->expiration < now + 15 * minute)
    found->good_until = now + 17 * minute + now % (8 * minute);
}

static enum ar_step take_credentials(struct ar_chain *chain,
                                     struct ar_frame *frame,
                                     struct ar_err *err) {
  struct ar_buf code;
  bool success;
  if (!ar_fetch_succeeded(chain)) return failed(chain, frame, err);
  ar_buf_init(&code, 256);
  success = is_success(chain, &code);
  if (!success)
    ar_fail(err, AR_E_NO_CREDENTIALS,
            "the instance metadata service answered with Code %s",
            ar_buf_z(&code));
  ar_buf_free(&code);
  if (!success) return AR_STEP_NONE;
  frame->state = TOKEN;
  if (ar_document_read(ar_buf_str(&chain->http.answer_body), &ar_host_document,
                       what, &frame->found, err) != AR_OK)
    return AR_STEP_AGAIN;
  stretch(chain, &frame->found);
  ar_note(frame, "the instance metadata service");
  return ar_found(frame, what, err);
}

AR_PROVIDER_STEP(ar_cred_imds) {
  if (ar_settings_number(chain->in.settings, AR_SET_IMDS_DISABLED) == 1)
    return ar_nothing(err, "AWS_EC2_METADATA_DISABLED is true");
  switch (frame->state) {
    case TOKEN:
      return ask_token(chain, frame, err);
    case TOKEN_ANSWER:
      return take_token(chain, frame, err);
    case ROLE_ANSWER:
      return take_role(chain, frame, err);
    default:
      return take_credentials(chain, frame, err);
  }
}
