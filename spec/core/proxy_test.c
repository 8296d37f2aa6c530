/*
** Which hosts go through no proxy, and the proxy's URL. The table of `oracle`
** is what botocore.utils.should_bypass_proxies(f"https://{host}:{port}/")
** says with `no_proxy` in the environment (botocore 1.29, Python 3.11); the
** comments of `urls` name what botocore's ProxyConfiguration does.
*/
#include "../../src/core/proxy.h"

#include <stdlib.h>

#include "kit.h"

static const struct {
  const char *host;
  unsigned port;
} hosts[] = {
    {"example.com", 8080}, {"a.example.com", 8080}, {"A.Example.COM", 443},
    {"example.com.", 80},  {"127.0.0.1", 8000},     {"xexample.com", 80},
    {"com", 80},           {"example.com", 443}};

/* A letter for each of the hosts: y goes without a proxy. */
static void oracle(void) {
  static const struct {
    const char *no_proxy, *exempt;
  } rows[] = {
      {"", "--------"},
      {"*", "yyyyyyyy"},
      {"*,other", "--------"},
      {" * ", "--------"},
      {"example.com", "yyy----y"},
      {"EXAMPLE.com", "yyy----y"},
      {".example.com", "yyy----y"},
      {"..example.com", "yyy----y"},
      {" example.com ", "yyy----y"},
      {"other, example.com", "yyy----y"},
      {"other,,example.com,", "yyy----y"},
      {"com", "yyy--yyy"},
      {".com", "yyy--yyy"},
      {"xample.com", "--------"},
      {"a.example.com", "-yy-----"},
      {"example.com:8080", "yy------"},
      {".example.com:8080", "yy------"},
      {"example.com:443", "--y----y"},
      {"example.com:0443", "--------"},
      {"example.com:", "--------"},
      {"example.com:80a", "--------"},
      {":8080", "--------"},
      {"8080", "--------"},
      {"127.0.0.1", "----y---"},
      {"0.0.1", "----y---"},
      {"127.0.0.0/8", "--------"},
      {"127.0.0.1:8000", "----y---"},
      {"*.example.com", "--------"},
      {"http://example.com", "--------"},
      {".", "---y----"},
      {",", "--------"},
      {"example.com other", "--------"},
      {"example.com.", "---y----"},
  };
  for (size_t i = 0; i < LENGTH(rows); i++)
    for (size_t j = 0; j < LENGTH(hosts); j++)
      CHECK(ar_proxy_exempts(ar_str_of(rows[i].no_proxy),
                             ar_str_of(hosts[j].host),
                             hosts[j].port) == (rows[i].exempt[j] == 'y'),
            "no_proxy '%s' and %s:%u", rows[i].no_proxy, hosts[j].host,
            hosts[j].port);
}

/* An IPv6 literal has its brackets or not, where botocore wants the same. */
static void literals(void) {
  static const struct {
    const char *no_proxy, *host;
    unsigned port;
    bool exempt;
  } rows[] = {
      {"[::1]", "[::1]", 80, true},    {"::1", "[::1]", 80, true},
      {"[::1]", "::1", 80, true},      {"[FE80::A]", "[fe80::a]", 80, true},
      {"[::1]:80", "[::1]", 80, true}, {"[::1]:81", "[::1]", 80, false},
      {"[::2]", "[::1]", 80, false},   {"[", "[::1]", 80, false},
      {"]", "[::1]", 80, false},       {"1", "[::1]", 80, false}};
  for (size_t i = 0; i < LENGTH(rows); i++)
    CHECK(
        ar_proxy_exempts(ar_str_of(rows[i].no_proxy), ar_str_of(rows[i].host),
                         rows[i].port) == rows[i].exempt,
        "no_proxy '%s' and %s:%u", rows[i].no_proxy, rows[i].host,
        rows[i].port);
}

/* The list may be part of a longer text. */
static void slices(void) {
  struct ar_str list = ar_str_n("example.com,other", 11);
  CHECK(ar_proxy_exempts(list, AR_STR("example.com"), 80), "the first");
  CHECK(!ar_proxy_exempts(list, AR_STR("other"), 80), "not what follows");
  CHECK(!ar_proxy_exempts(ar_str_n("*x", 2), AR_STR("other"), 80),
        "a star and more");
  CHECK(ar_proxy_exempts(ar_str_n("*x", 1), AR_STR("other"), 80), "a star");
}

static void urls(void) {
  static const struct {
    const char *proxy, *url;
  } rows[] = {
      {"http://proxy:3128", "http://proxy:3128"},
      {"http://proxy:3128/", "http://proxy:3128"},
      {"https://proxy:3128", "https://proxy:3128"},
      {"http://proxy", "http://proxy:80"},
      {"https://proxy", "https://proxy:443"},
      {"https://proxy:", "https://proxy:443"},
      {"HTTP://proxy", "http://proxy:80"}, /* botocore: http://HTTP://proxy */
      {"proxy", "http://proxy:80"},
      {"proxy:3128", "http://proxy:3128"},
      {"//proxy:3128", "http://proxy:3128"},
      {"127.0.0.1:1", "http://127.0.0.1:1"},
      {"[::1]:1", "http://[::1]:1"},
      {"http://u:p@proxy", "http://u:p@proxy:80"},
      {"u:p@proxy:1", "http://u:p@proxy:1"},
      {"http://u:p%40x@proxy", "http://u:p%40x@proxy:80"},
      {"http://u:p@x@proxy", "http://u:p%40x@proxy:80"},
      {"http://u:a:b@proxy", "http://u:a%3Ab@proxy:80"},
      {"http://u:100%@proxy", "http://u:100%25@proxy:80"},
      {"http://u:\xc3\xa9@proxy", "http://u:%C3%A9@proxy:80"},
      {"http://u@proxy", "http://proxy:80"}, /* both or none */
      {"http://u:@proxy", "http://proxy:80"},
      {"http://:p@proxy", "http://proxy:80"},
      {"http://@proxy", "http://proxy:80"},
  };
  for (size_t i = 0; i < LENGTH(rows); i++) {
    struct ar_buf out;
    struct ar_err err;
    ar_buf_init(&out, AR_MAX_URL);
    CHECK(ar_proxy_url(&out, ar_str_of(rows[i].proxy), &err) == AR_OK,
          "'%s' is a proxy", rows[i].proxy);
    CHECK_STR(ar_buf_str(&out), rows[i].url, rows[i].proxy);
    ar_buf_free(&out);
  }
}

static void check_refused(struct ar_str proxy, size_t limit) {
  struct ar_buf out;
  struct ar_err err = {.message = ""};
  ar_buf_init(&out, limit);
  CHECK(ar_proxy_url(&out, proxy, &err) == AR_E_BAD_CONFIG &&
            err.code == AR_E_BAD_CONFIG,
        "'%.*s' is refused", (int)proxy.n, proxy.p);
  CHECK(err.message[0] != '\0' && strstr(err.message, "secret") == NULL,
        "and the error says why, but not what: %s", err.message);
  ar_buf_free(&out);
}

static void refusals(void) {
  static const char *const rows[] = {
      "",
      "http://",
      "https:proxy",
      "http:/proxy",
      "socks5://user:secret@proxy:1080",
      "ftp://user:secret@proxy",
      "http://user:secret@proxy/path",
      "http://user:secret@proxy?query",
      "http://user:secret@proxy?",
      "http://user:secret@proxy#",
      "http://user:secret@proxy:port",
      "http://user:secret@proxy:65536",
      "http://user:secret@",
      "http://user:secret",
      "http://user:sec/ret:secret@proxy",
      "http://user:secret%0a@proxy",
      "http://us%00er:secret@proxy",
      "http://user:secret\n@proxy",
      "http://proxy\r\nX-Secret: secret",
      "http://pro xy",
      " http://proxy",
      "http://[::1",
      "::1",
      "\x7f",
  };
  char *longest = malloc(AR_MAX_URL + 1);
  for (size_t i = 0; i < LENGTH(rows); i++)
    check_refused(ar_str_of(rows[i]), AR_MAX_URL);
  check_refused(AR_STR("http://a\0b"), AR_MAX_URL);
  check_refused(AR_STR("http://user:secret@proxy"), 20);
  memset(longest, 'a', AR_MAX_URL + 1);
  check_refused(ar_str_n(longest, AR_MAX_URL + 1), AR_MAX_URL);
  memcpy(longest, "u:", 2);
  memset(longest + 2, '%', AR_MAX_URL - 10);
  memcpy(longest + AR_MAX_URL - 8, "@h", 2);
  check_refused(ar_str_n(longest, AR_MAX_URL - 6), AR_MAX_URL);
  free(longest);
}

int main(void) {
  oracle();
  literals();
  slices();
  urls();
  refusals();
  return checked();
}
