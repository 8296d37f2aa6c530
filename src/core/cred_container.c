/*
** Provider `container`: the credentials endpoint of ECS, EKS pod identity and
** Greengrass, which AWS_CONTAINER_CREDENTIALS_* name. Plain HTTP goes only to
** this host and to the addresses that AWS documents. The token file is read at
** every fetch.
*/
#include "document.h"
#include "fetch.h"
#include "providers.h"
#include "uri.h"

#define RELATIVE "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"
#define FULL "AWS_CONTAINER_CREDENTIALS_FULL_URI"
#define TOKEN "AWS_CONTAINER_AUTHORIZATION_TOKEN"
#define TOKEN_FILE "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"
#define ECS_HOST "http://169.254.170.2"

/* --- the address ---------------------------------------------------------
 */

/* Four numbers with dots, the first 127. */
static bool is_ipv4_loopback(struct ar_str host) {
  size_t dots = 0;
  for (size_t i = 0; i < host.n; i++) {
    if (!ar_is_digit(host.p[i]) && host.p[i] != '.') return false;
    dots += host.p[i] == '.';
  }
  return dots == 3 && host.n > 4 && memcmp(host.p, "127.", 4) == 0;
}

static bool may_be_plain(struct ar_str host) {
  static const char *const hosts[] = {"localhost", "169.254.170.2",
                                      "169.254.170.23", "[fd00:ec2::23]",
                                      "[::1]"};
  for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++)
    if (ar_str_ieq(host, ar_str_of(hosts[i]))) return true;
  return is_ipv4_loopback(host);
}

static int begin_full(struct ar_chain *chain, struct ar_str full,
                      struct ar_err *err) {
  struct ar_url url;
  struct ar_err why;
  if (ar_fetch_url(chain, full, AR_STR(""), &why) != AR_OK)
    return ar_fail(err, AR_E_CREDENTIAL_RETRIEVAL, FULL ": %s", why.message);
  ar_url_parse(ar_buf_str(&chain->http.url), &url, NULL);
  if (!url.tls && !may_be_plain(url.host))
    return ar_fail(err, AR_E_CREDENTIAL_RETRIEVAL,
                   FULL
                   ": plain http is for loopback addresses and those of "
                   "ECS and EKS, not for %.*s",
                   (int)url.host.n, url.host.p);
  return AR_OK;
}

static int begin(struct ar_chain *chain, struct ar_str relative,
                 struct ar_err *err) {
  struct ar_err why;
  if (relative.n == 0)
    return begin_full(chain, ar_env_get(chain->in.env, FULL), err);
  if (relative.p[0] != '/')
    return ar_fail(err, AR_E_CREDENTIAL_RETRIEVAL,
                   RELATIVE ": expected a path that begins with /");
  if (ar_fetch_url(chain, AR_STR(ECS_HOST), relative, &why) == AR_OK)
    return AR_OK;
  return ar_fail(err, AR_E_CREDENTIAL_RETRIEVAL, RELATIVE ": %s", why.message);
}

/* --- the token -----------------------------------------------------------
 */

static int read_token_file(const struct ar_chain *chain,
                           struct ar_frame *frame, const char *path,
                           struct ar_err *err) {
  struct ar_err why;
  enum ar_file result = ar_env_read(chain->in.env, path, &frame->text, &why);
  if (result == AR_FILE_READ) return AR_OK;
  return ar_fail(
      err, AR_E_CREDENTIAL_RETRIEVAL, TOKEN_FILE ": %s: %s", path,
      result == AR_FILE_MISSING ? "No such file or directory" : why.message);
}

/* Adds the Authorization line, if there is a token; its value is sent raw. */
static int add_token(struct ar_chain *chain, struct ar_frame *frame,
                     struct ar_err *err) {
  struct ar_str path = ar_env_get(chain->in.env, TOKEN_FILE), token;
  int rc = AR_OK;
  ar_buf_reset(&frame->text);
  if (path.n > 0)
    rc = read_token_file(chain, frame, path.p, err);
  else
    ar_buf_adds(&frame->text, ar_env_get(chain->in.env, TOKEN));
  if (rc == AR_OK) rc = ar_buf_check(&frame->text, err);
  if (rc != AR_OK) return rc;
  token = ar_str_trim(ar_buf_str(&frame->text));
  if (ar_str_has_control(token))
    return ar_fail(err, AR_E_CREDENTIAL_RETRIEVAL,
                   "the container authorization token contains a control "
                   "character");
  if (token.n > 0) ar_http_line(&chain->http, "Authorization", token);
  return AR_OK;
}

/* --- the machine ---------------------------------------------------------
 */

static enum ar_step request(struct ar_chain *chain, struct ar_frame *frame,
                            struct ar_str relative, struct ar_err *err) {
  int rc = begin(chain, relative, err);
  if (rc != AR_OK) return AR_STEP_FAIL;
  ar_http_line(&chain->http, "Accept", AR_STR("application/json"));
  rc = add_token(chain, frame, err);
  return rc == AR_OK ? ar_fetch_send(chain, frame, "GET", err) : AR_STEP_FAIL;
}

/* An answer that cannot be understood may be better the next time. */
static enum ar_step read(struct ar_chain *chain, struct ar_frame *frame,
                         struct ar_err *err) {
  static const char what[] = "the container credentials endpoint";
  if (!ar_fetch_succeeded(chain))
    return ar_fetch_failed(chain, what, AR_STR(""), err);
  if (ar_document_read(ar_buf_str(&chain->http.answer_body), &ar_host_document,
                       what, &frame->found, err) != AR_OK)
    return AR_STEP_AGAIN;
  return ar_found(frame, what, err);
}

AR_PROVIDER_STEP(ar_cred_container) {
  struct ar_str relative = ar_env_get(chain->in.env, RELATIVE);
  if (relative.n == 0 && ar_env_get(chain->in.env, FULL).n == 0)
    return ar_nothing(err, RELATIVE " and " FULL " are not set");
  ar_note(frame, relative.n > 0 ? RELATIVE : FULL);
  if (frame->state++ == 0) return request(chain, frame, relative, err);
  frame->state = 0;
  return read(chain, frame, err);
}
