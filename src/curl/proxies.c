/*
** The first user of each proxy.
*/
#include "proxies.h"

/* The scheme's length, which is enough to tell http from https. */
static size_t scheme_length(struct ar_str url) {
  return ar_str_find(url, ':', 0);
}

static struct ar_str host_and_port(struct ar_str url) {
  size_t at = ar_str_find(url, '@', 0);
  return ar_str_from(url, at < url.n ? at + 1 : scheme_length(url) + 3);
}

/* Whether they differ in the user at most. */
static bool is_same_proxy(struct ar_str a, struct ar_str b) {
  return scheme_length(a) == scheme_length(b) &&
         ar_str_ieq(host_and_port(a), host_and_port(b));
}

bool ar_proxies_keep(struct ar_proxies *proxies, const char *url) {
  struct ar_buf *next;
  for (size_t i = 0; i < proxies->n; i++) {
    struct ar_str first = ar_buf_str(&proxies->first[i]);
    if (is_same_proxy(first, ar_str_of(url)))
      return ar_str_eq(first, ar_str_of(url));
  }
  if (proxies->n == AR_PROXIES) return false;
  next = &proxies->first[proxies->n];
  ar_buf_init(next, AR_MAX_URL);
  if (ar_buf_addz(next, url) != AR_OK) return false;
  proxies->n++;
  return true;
}

void ar_proxies_free(struct ar_proxies *proxies) {
  for (size_t i = 0; i < proxies->n; i++) ar_buf_free(&proxies->first[i]);
  proxies->n = 0;
}
