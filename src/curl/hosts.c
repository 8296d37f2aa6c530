/*
** The servers that have places, in a list: they are few, as a rule. They are
** told apart as libcurl does it when it counts connections: a request that a
** proxy forwards is the proxy's, one in a tunnel is its server's. A name that
** differs more than libcurl thinks it does ("h" and "h:80") does no harm,
** because libcurl has the last word.
*/
#include "hosts.h"

#include <stdlib.h>

struct ar_host {
  struct ar_link link;
  struct ar_link held;
  size_t in; /* how many places were let in; all, unless some are held */
  bool tls;
  size_t n;
  char authority[]; /* `n` bytes */
};

struct name {
  bool tls;
  struct ar_str authority;
};

struct ar_str ar_hosts_authority(const char *url) {
  const char *scheme = strstr(url, "://");
  struct ar_str s, at;
  s.p = scheme != NULL ? scheme + 3 : url;
  s.n = strcspn(s.p, "/?#\\");
  while ((at = ar_str_from(s, ar_str_find(s, '@', 0))).n > 0)
    s = ar_str_from(at, 1);
  return s;
}

bool ar_hosts_is_tls(const char *url) {
  return ar_str_ieq(ar_str_n(url, strcspn(url, ":")), AR_STR("https"));
}

static struct name name_of(const struct ar_exchange *x) {
  bool forwarded = x->proxy != NULL && !ar_hosts_is_tls(x->url);
  const char *url = forwarded ? x->proxy : x->url;
  return (struct name){ar_hosts_is_tls(url), ar_hosts_authority(url)};
}

static struct ar_host *host_of(struct ar_link *link) {
  return AR_OWNER(struct ar_host, link, link);
}

static bool is_called(const struct ar_host *host, const struct name *name) {
  return host->tls == name->tls &&
         ar_str_ieq(ar_str_n(host->authority, host->n), name->authority);
}

static struct ar_host *add_host(struct ar_hosts *hosts,
                                const struct name *name) {
  struct ar_host *host = malloc(sizeof *host + name->authority.n);
  if (host == NULL) return NULL;
  ar_link_init(&host->link);
  ar_link_init(&host->held);
  host->in = 0;
  host->tls = name->tls;
  host->n = name->authority.n;
  memcpy(host->authority, name->authority.p, host->n);
  ar_link_move(&hosts->all, &host->link);
  return host;
}

static struct ar_host *find_host(struct ar_hosts *hosts,
                                 const struct name *name) {
  struct ar_link *at = hosts->all.next;
  for (; at != &hosts->all; at = at->next)
    if (is_called(host_of(at), name)) return host_of(at);
  return add_host(hosts, name);
}

static void let_in(struct ar_hosts *hosts, struct ar_place *place) {
  place->held = false;
  place->host->in++;
  ar_link_move(&hosts->ready, &place->link);
}

void ar_hosts_init(struct ar_hosts *hosts) {
  ar_link_init(&hosts->all);
  ar_link_init(&hosts->ready);
}

bool ar_hosts_enter(struct ar_hosts *hosts, struct ar_place *place,
                    const struct ar_exchange *x) {
  struct name name = name_of(x);
  struct ar_host *host = find_host(hosts, &name);
  ar_link_init(&place->link);
  place->host = host;
  place->held = true;
  if (host == NULL) return false;
  if (host->in < AR_HOST_CONNECTIONS)
    let_in(hosts, place);
  else
    ar_link_move(&host->held, &place->link);
  return true;
}

void ar_hosts_leave(struct ar_hosts *hosts, struct ar_place *place) {
  struct ar_host *host = place->host;
  ar_link_take(&place->link);
  place->host = NULL;
  if (host == NULL || place->held) return;
  host->in--;
  if (!ar_list_empty(&host->held)) {
    let_in(hosts, AR_OWNER(struct ar_place, link, host->held.next));
  } else if (host->in == 0) {
    ar_link_take(&host->link);
    free(host);
  }
}
