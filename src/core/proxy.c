/*
** Proxies: who needs none, and the URL of one in full.
*/
#include "proxy.h"

#include <stdio.h>

#include "uri.h"

static struct ar_str without_brackets(struct ar_str host) {
  if (host.n < 2 || host.p[0] != '[' || host.p[host.n - 1] != ']') return host;
  return ar_str_n(host.p + 1, host.n - 2);
}

/* Whether `host` is `name`, or ends with a dot and it. */
static bool is_below(struct ar_str host, struct ar_str name) {
  struct ar_str end;
  if (ar_str_ieq(host, name)) return true;
  if (host.n <= name.n) return false;
  end = ar_str_from(host, host.n - name.n);
  return host.p[host.n - name.n - 1] == '.' && ar_str_ieq(end, name);
}

/* Splits "host:port"; false where there is no port. */
static bool split_port(struct ar_str entry, struct ar_str *name,
                       struct ar_str *port) {
  size_t colon = entry.n;
  while (colon > 0 && ar_is_digit(entry.p[colon - 1])) colon--;
  if (colon == 0 || entry.p[colon - 1] != ':') return false;
  *name = ar_str_n(entry.p, colon - 1);
  *port = ar_str_from(entry, colon);
  return true;
}

static bool entry_exempts(struct ar_str entry, struct ar_str host,
                          unsigned port) {
  struct ar_str name, wanted;
  char digits[16];
  entry = ar_str_trim(entry);
  if (entry.n == 0) return false;
  while (entry.n > 0 && entry.p[0] == '.') entry = ar_str_from(entry, 1);
  if (is_below(host, without_brackets(entry))) return true;
  if (!split_port(entry, &name, &wanted)) return false;
  snprintf(digits, sizeof digits, "%u", port);
  return ar_str_eq(wanted, ar_str_of(digits)) &&
         is_below(host, without_brackets(name));
}

bool ar_proxy_exempts(struct ar_str no_proxy, struct ar_str host,
                      unsigned port) {
  if (ar_str_eq(no_proxy, AR_STR("*"))) return true;
  host = without_brackets(host);
  for (size_t at = 0; at < no_proxy.n;) {
    size_t end = ar_str_find(no_proxy, ',', at);
    if (entry_exempts(ar_str_n(no_proxy.p + at, end - at), host, port))
      return true;
    at = end + 1;
  }
  return false;
}

static bool begins(struct ar_str s, struct ar_str with) {
  return s.n >= with.n && ar_str_ieq(ar_str_n(s.p, with.n), with);
}

/* What botocore puts in front of a proxy that has no scheme. */
static const char *missing_scheme(struct ar_str proxy) {
  if (begins(proxy, AR_STR("http:")) || begins(proxy, AR_STR("https:")))
    return "";
  return begins(proxy, AR_STR("//")) ? "http:" : "http://";
}

/* Adds a user or a password, whatever of it was encoded before. */
static bool add_part(struct ar_buf *out, struct ar_str part) {
  struct ar_buf plain;
  bool good;
  ar_buf_init(&plain, AR_MAX_URL);
  ar_uri_decode(&plain, part);
  good = plain.n > 0 && !ar_str_has_control(ar_buf_str(&plain));
  if (good) ar_uri_encode(out, ar_buf_str(&plain), false);
  if (plain.failed) out->failed = plain.failed;
  ar_buf_free(&plain);
  return good || out->failed;
}

/* As in botocore, one without the other is none. */
static bool add_userinfo(struct ar_buf *out, struct ar_str userinfo) {
  size_t colon = ar_str_find(userinfo, ':', 0);
  struct ar_str password = ar_str_from(userinfo, colon + 1);
  if (colon == 0 || password.n == 0) return true;
  if (!add_part(out, ar_str_n(userinfo.p, colon))) return false;
  ar_buf_addc(out, ':');
  if (!add_part(out, password)) return false;
  ar_buf_addc(out, '@');
  return true;
}

/* The port always stands there, for performers disagree on what it is else. */
static bool add_url(struct ar_buf *out, struct ar_str text) {
  struct ar_url url;
  if (ar_url_parse(text, &url, NULL) != AR_OK) return false;
  if (url.path.n > 1 || url.query.p > url.path.p + url.path.n ||
      url.has_fragment)
    return false;
  ar_buf_addz(out, url.tls ? "https://" : "http://");
  if (!add_userinfo(out, url.userinfo)) return false;
  ar_buf_adds(out, url.host);
  ar_buf_addc(out, ':');
  ar_buf_adds(out,
              url.port.n > 0 ? url.port : ar_str_of(url.tls ? "443" : "80"));
  return true;
}

int ar_proxy_url(struct ar_buf *out, struct ar_str proxy, struct ar_err *err) {
  struct ar_buf text;
  bool good;
  ar_buf_init(&text, AR_MAX_URL);
  ar_buf_addz(&text, missing_scheme(proxy));
  ar_buf_adds(&text, proxy);
  good = !text.failed && add_url(out, ar_buf_str(&text));
  if (text.failed == AR_E_MEMORY) out->failed = AR_E_MEMORY;
  ar_buf_free(&text);
  if (out->failed == AR_E_MEMORY) return ar_fail_memory(err);
  if (good && !out->failed) return AR_OK;
  return ar_fail(err, AR_E_BAD_CONFIG,
                 "a proxy is HOST:PORT or an http or https URL of a host, "
                 "without a path");
}
