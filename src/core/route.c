/*
** How the requests of a client travel.
*/
#include "route.h"

#include "proxy.h"
#include "uri.h"

void ar_route_direct(struct ar_http *http,
                     const struct ar_settings *settings) {
  const struct ar_buf *ca = &settings->values[AR_SET_CA_BUNDLE].text;
  struct ar_exchange *x = &http->exchange;
  x->connect_timeout = ar_settings_number(settings, AR_SET_CONNECT_TIMEOUT);
  x->read_timeout = ar_settings_number(settings, AR_SET_READ_TIMEOUT);
  x->verify = ar_settings_number(settings, AR_SET_VERIFY) == 1;
  x->ca_bundle = ca->n > 0 ? ar_buf_z(ca) : NULL;
}

/* The port in digits, or the scheme's own; the URL was parsed already. */
static unsigned port_of(const struct ar_url *url) {
  int64_t port = url->tls ? 443 : 80;
  ar_str_to_int(url->port, &port);
  return (unsigned)port;
}

/*
** The setting that names the proxy for `url`; AR_SETTINGS: there is none. One
** that the caller gave is for every host.
*/
static enum ar_setting proxy_for(const struct ar_settings *settings,
                                 const struct ar_url *url) {
  enum ar_setting which = url->tls ? AR_SET_HTTPS_PROXY : AR_SET_HTTP_PROXY;
  struct ar_str no_proxy = ar_settings_text(settings, AR_SET_NO_PROXY);
  if (ar_settings_text(settings, AR_SET_PROXY).n > 0) return AR_SET_PROXY;
  if (ar_settings_text(settings, which).n == 0 ||
      ar_proxy_exempts(no_proxy, url->host, port_of(url)))
    return AR_SETTINGS;
  return which;
}

static bool has_proxies(const struct ar_settings *settings) {
  return ar_settings_text(settings, AR_SET_PROXY).n > 0 ||
         ar_settings_text(settings, AR_SET_HTTPS_PROXY).n > 0 ||
         ar_settings_text(settings, AR_SET_HTTP_PROXY).n > 0;
}

int ar_route(struct ar_http *http, const struct ar_settings *settings,
             struct ar_err *err) {
  struct ar_url url;
  enum ar_setting which;
  int rc;
  ar_route_direct(http, settings);
  if (!has_proxies(settings)) return AR_OK;
  rc = ar_url_parse(ar_buf_str(&http->url), &url, err);
  if (rc != AR_OK) return rc;
  which = proxy_for(settings, &url);
  if (which == AR_SETTINGS) return AR_OK;
  rc = ar_proxy_url(&http->proxy, ar_settings_text(settings, which), NULL);
  if (rc == AR_E_BAD_CONFIG)
    return ar_fail(err, AR_E_BAD_CONFIG,
                   "proxy (from %s): expected an http or https URL with a "
                   "host and nothing after it",
                   settings->values[which].source);
  return rc == AR_OK ? AR_OK : ar_fail_memory(err);
}
