/*
** URLs: the parts lie in the text, and put together again they are the same.
*/
#include "../../src/core/uri.h"

#include "fuzz.h"

static void together(struct ar_buf *out, const struct ar_url *url) {
  ar_buf_adds(out, url->scheme);
  ar_buf_addz(out, "://");
  if (url->userinfo.p) {
    ar_buf_adds(out, url->userinfo);
    ar_buf_addc(out, '@');
  }
  ar_buf_adds(out, url->host);
  ar_buf_addc(out, ':');
  ar_buf_adds(out, url->port);
  ar_buf_adds(out, url->path);
  ar_buf_addc(out, '?');
  ar_buf_adds(out, url->query);
}

static void round_trip(const struct ar_url *url) {
  struct ar_buf text;
  struct ar_url again;
  ar_buf_init(&text, AR_MAX_URL);
  together(&text, url);
  if (!text.failed) { /* the '?' may be one byte too many */
    HOLDS(ar_url_parse(ar_buf_str(&text), &again, NULL) == AR_OK);
    HOLDS(again.tls == url->tls && !again.has_fragment);
    HOLDS(ar_str_eq(again.userinfo, url->userinfo));
    HOLDS(ar_str_eq(again.host, url->host));
    HOLDS(ar_str_eq(again.port, url->port));
    HOLDS(ar_str_eq(again.path, url->path));
    HOLDS(ar_str_eq(again.query, url->query));
  }
  ar_buf_free(&text);
}

static void check_parts(const struct ar_url *url, struct ar_str text) {
  const struct ar_str parts[] = {url->scheme, url->userinfo, url->host,
                                 url->port,   url->path,     url->query};
  struct ar_buf host;
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
    HOLDS(fuzz_inside(parts[i], text) && !ar_str_has_control(parts[i]));
  HOLDS(url->host.n > 0 && url->port.n <= 5);
  HOLDS(url->path.n == 0 || url->path.p[0] == '/');
  ar_buf_init(&host, 255 + 6);
  ar_url_host(&host, url);
  HOLDS(!host.failed && !fuzz_has(ar_buf_str(&host), '@'));
  ar_buf_free(&host);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct ar_str text = fuzz_copy(data, size);
  struct ar_err err = {.code = AR_OK};
  struct ar_url url;
  int rc = ar_url_parse(text, &url, &err);
  HOLDS(rc == AR_OK ||
        (rc == AR_E_BAD_ENDPOINT && err.code == AR_E_BAD_ENDPOINT));
  if (rc == AR_OK) {
    check_parts(&url, text);
    round_trip(&url);
  }
  fuzz_free(text);
  return 0;
}
