/*
** What the providers that speak HTTP share.
*/
#include "fetch.h"

#include "retry.h"
#include "route.h"

struct ar_endpoint_params ar_fetch_params(const struct ar_chain *chain,
                                          const char *service,
                                          struct ar_str region,
                                          struct ar_str custom) {
  const struct ar_settings *settings = chain->in.settings;
  return (struct ar_endpoint_params){
      .service = service,
      .region = region,
      .fips = ar_settings_number(settings, AR_SET_FIPS) == 1,
      .dualstack = ar_settings_number(settings, AR_SET_DUALSTACK) == 1,
      .custom = custom};
}

int ar_fetch_service(struct ar_chain *chain,
                     const struct ar_endpoint_params *params,
                     struct ar_err *err) {
  int rc = ar_endpoint_resolve(&chain->endpoint, params, err);
  if (rc != AR_OK) return rc;
  ar_http_begin(&chain->http);
  ar_buf_reset(&chain->http.body);
  ar_buf_addb(&chain->http.url, &chain->endpoint.url);
  ar_http_line(&chain->http, "Host", ar_buf_str(&chain->endpoint.host));
  return AR_OK;
}

int ar_fetch_url(struct ar_chain *chain, struct ar_str base,
                 struct ar_str path, struct ar_err *err) {
  struct ar_http *http = &chain->http;
  struct ar_url url;
  int rc;
  ar_http_begin(http);
  ar_buf_reset(&http->body);
  while (base.n > 0 && path.n > 0 && base.p[base.n - 1] == '/') base.n--;
  ar_buf_adds(&http->url, base);
  ar_buf_adds(&http->url, path);
  rc = ar_buf_check(&http->url, err);
  if (rc == AR_OK) rc = ar_url_parse(ar_buf_str(&http->url), &url, err);
  if (rc != AR_OK) return rc;
  if (url.userinfo.p != NULL || url.has_fragment)
    return ar_fail(err, AR_E_BAD_ENDPOINT,
                   "the URL must not contain a user or a fragment");
  ar_http_begin_line(http, "Host");
  ar_url_host(&http->head, &url);
  ar_http_end_line(http);
  return AR_OK;
}

enum ar_step ar_fetch_send(struct ar_chain *chain,
                           const struct ar_frame *frame, const char *method,
                           struct ar_err *err) {
  const struct ar_provider *row = frame->provider;
  struct ar_http *http = &chain->http;
  int rc = AR_OK;
  if (row->direct)
    ar_route_direct(http, chain->in.settings);
  else
    rc = ar_route(http, chain->in.settings, err);
  if (row->connect_timeout > 0)
    http->exchange.connect_timeout = row->connect_timeout;
  if (row->read_timeout > 0) http->exchange.read_timeout = row->read_timeout;
  if (rc == AR_OK) rc = ar_http_send(http, method, err);
  return rc == AR_OK ? AR_STEP_SEND : AR_STEP_FAIL;
}

bool ar_fetch_succeeded(const struct ar_chain *chain) {
  const struct ar_outcome *outcome = &chain->http.outcome;
  return outcome->failure == AR_OK && outcome->status >= 200 &&
         outcome->status <= 299;
}

enum ar_step ar_fetch_failed(const struct ar_chain *chain, const char *what,
                             struct ar_str code, struct ar_err *err) {
  const struct ar_outcome *outcome = &chain->http.outcome;
  enum ar_retry_class class;
  struct ar_err why;
  if (outcome->failure != AR_OK) {
    int failure = ar_http_failure(&chain->http, &why);
    class = ar_retry_failure((enum ar_code)failure);
    ar_fail(err, AR_E_CREDENTIAL_RETRIEVAL, "%s: %s", what, why.message);
  } else {
    class = ar_retry_answer(outcome->status, code);
    ar_fail(err, AR_E_CREDENTIAL_RETRIEVAL, "%s: status %d%s%.*s", what,
            outcome->status, code.n > 0 ? ", " : "", (int)code.n, code.p);
  }
  return class == AR_RETRY_NEVER ? AR_STEP_FAIL : AR_STEP_AGAIN;
}
