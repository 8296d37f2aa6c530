/*
** URLs: percent-encoding, canonical path and query, and parsing.
*/
#include "uri.h"

#include <stdlib.h>

static bool is_unreserved(char c) {
  return ar_is_alpha(c) || ar_is_digit(c) || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

void ar_uri_encode(struct ar_buf *out, struct ar_str s, bool keep_slash) {
  static const char hex[] = "0123456789ABCDEF";
  for (size_t i = 0; i < s.n; i++) {
    unsigned char c = (unsigned char)s.p[i];
    if (is_unreserved(s.p[i]) || (keep_slash && c == '/')) {
      ar_buf_addc(out, s.p[i]);
    } else {
      char code[3] = {'%', hex[c >> 4], hex[c & 15]};
      ar_buf_add(out, code, sizeof code);
    }
  }
}

void ar_uri_decode(struct ar_buf *out, struct ar_str s) {
  for (size_t i = 0; i < s.n; i++) {
    int high = -1, low = -1;
    if (s.p[i] == '%' && s.n - i > 2) {
      high = ar_hex_value(s.p[i + 1]);
      low = ar_hex_value(s.p[i + 2]);
    }
    if (high >= 0 && low >= 0) {
      ar_buf_addc(out, (char)(high * 16 + low));
      i += 2;
    } else {
      ar_buf_addc(out, s.p[i]);
    }
  }
}

/* The next segment of `path` from `*at`, which moves past its slash. */
static struct ar_str segment(struct ar_str path, size_t *at) {
  size_t end = ar_str_find(path, '/', *at);
  struct ar_str s = ar_str_n(path.p + *at, end - *at);
  *at = end + 1;
  return s;
}

/* Takes the last segment and its slash away again. */
static void drop_segment(struct ar_buf *out, size_t start) {
  while (out->n > start && out->p[out->n - 1] != '/') out->n--;
  if (out->n > start) out->n--;
}

void ar_uri_normalize_path(struct ar_buf *out, struct ar_str path) {
  size_t start = out->n;
  bool slash_at_end = path.n > 0 && path.p[path.n - 1] == '/';
  for (size_t at = 0; at < path.n;) {
    struct ar_str s = segment(path, &at);
    if (ar_str_eq(s, AR_STR(".."))) {
      drop_segment(out, start);
    } else if (s.n > 0 && !ar_str_eq(s, AR_STR("."))) {
      ar_buf_addc(out, '/');
      ar_buf_adds(out, s);
    }
  }
  if (slash_at_end || out->n == start) ar_buf_addc(out, '/');
}

/* One encoded "name=value" of a query. */
struct pair {
  size_t name_length, value_length; /* in the text, one after the other */
  struct ar_str name, value;        /* once the text has stopped moving */
};

struct query {
  struct ar_buf text; /* all names and values, encoded */
  struct pair *pairs;
  size_t count;
};

/* Adds `raw` to the text, decoded and encoded; returns its length there. */
static size_t add_encoded(struct query *q, struct ar_str raw,
                          struct ar_buf *scratch) {
  size_t before = q->text.n;
  ar_buf_reset(scratch);
  ar_uri_decode(scratch, raw);
  if (scratch->failed) q->text.failed = scratch->failed;
  ar_uri_encode(&q->text, ar_buf_str(scratch), false);
  return q->text.n - before;
}

static void add_pair(struct query *q, struct ar_str raw,
                     struct ar_buf *scratch) {
  struct pair *pair = &q->pairs[q->count++];
  size_t equals = ar_str_find(raw, '=', 0);
  pair->name_length = add_encoded(q, ar_str_n(raw.p, equals), scratch);
  pair->value_length = add_encoded(q, ar_str_from(raw, equals + 1), scratch);
}

static void point_pairs(struct query *q) {
  const char *at = ar_buf_z(&q->text);
  for (size_t i = 0; i < q->count; i++) {
    struct pair *pair = &q->pairs[i];
    pair->name = ar_str_n(at, pair->name_length);
    pair->value = ar_str_n(at + pair->name_length, pair->value_length);
    at += pair->name_length + pair->value_length;
  }
}

static int compare_pairs(const void *one, const void *other) {
  const struct pair *a = one, *b = other;
  int order = ar_str_cmp(a->name, b->name);
  return order ? order : ar_str_cmp(a->value, b->value);
}

static size_t count_pairs(struct ar_str query) {
  size_t n = 1;
  for (size_t i = 0; i < query.n; i++) n += query.p[i] == '&';
  return n;
}

static void write(struct ar_buf *out, const struct query *q) {
  for (size_t i = 0; i < q->count; i++) {
    if (i > 0) ar_buf_addc(out, '&');
    ar_buf_adds(out, q->pairs[i].name);
    ar_buf_addc(out, '=');
    ar_buf_adds(out, q->pairs[i].value);
  }
}

int ar_uri_canonical_query(struct ar_buf *out, struct ar_str query,
                           struct ar_err *err) {
  struct query q = {.text.limit = out->limit};
  struct ar_buf scratch;
  if (query.n == 0) return ar_buf_check(out, err);
  q.pairs = calloc(count_pairs(query), sizeof *q.pairs);
  if (q.pairs == NULL) return ar_fail_memory(err);
  ar_buf_init(&scratch, out->limit);
  for (size_t at = 0; at < query.n;) {
    size_t end = ar_str_find(query, '&', at);
    if (end > at) add_pair(&q, ar_str_n(query.p + at, end - at), &scratch);
    at = end + 1;
  }
  if (q.text.failed) {
    out->failed = q.text.failed;
  } else {
    point_pairs(&q);
    qsort(q.pairs, q.count, sizeof *q.pairs, compare_pairs);
    write(out, &q);
  }
  ar_buf_free(&scratch);
  ar_buf_free(&q.text);
  free(q.pairs);
  return ar_buf_check(out, err);
}

/* Labels of 1 to 63 characters between dots; one dot may end the name. */
static bool is_host_name(struct ar_str host) {
  size_t label = 0;
  if (host.n == 0 || host.n > 255) return false;
  for (size_t i = 0; i < host.n; i++) {
    char c = host.p[i];
    if (c == '.' ? label == 0 : ++label > 63) return false;
    if (c == '.')
      label = 0;
    else if (!ar_is_alpha(c) && !ar_is_digit(c) && c != '-' && c != '_')
      return false;
  }
  return true;
}

/* "[...]" of hexadecimal digits, colons and dots; zones are refused. */
static bool is_ipv6_literal(struct ar_str host) {
  size_t colons = 0;
  if (host.n < 4 || host.n > 48 || host.p[host.n - 1] != ']') return false;
  for (size_t i = 1; i + 1 < host.n; i++) {
    char c = host.p[i];
    if (c == ':')
      colons++;
    else if (ar_hex_value(c) < 0 && c != '.')
      return false;
  }
  return colons >= 2;
}

static bool is_port(struct ar_str port) {
  unsigned value = 0;
  for (size_t i = 0; i < port.n; i++) {
    if (!ar_is_digit(port.p[i]) || value > 65535) return false;
    value = value * 10 + (unsigned)(port.p[i] - '0');
  }
  return value <= 65535 && (port.n == 0 || value > 0);
}

static bool split_scheme(struct ar_str *rest, struct ar_url *url) {
  static const char *const schemes[] = {"http", "https"};
  for (size_t i = 0; i < 2; i++) {
    struct ar_str name = ar_str_of(schemes[i]);
    if (rest->n < name.n + 3) continue;
    url->scheme = ar_str_n(rest->p, name.n);
    url->tls = i == 1;
    if (ar_str_ieq(url->scheme, name) &&
        memcmp(rest->p + name.n, "://", 3) == 0) {
      *rest = ar_str_from(*rest, name.n + 3);
      return true;
    }
  }
  return false;
}

static void split_authority(struct ar_str authority, struct ar_url *url) {
  size_t at = authority.n, from = 0, colon;
  while (at > 0 && authority.p[at - 1] != '@') at--;
  url->userinfo = ar_str_n(NULL, 0);
  if (at > 0) {
    url->userinfo = ar_str_n(authority.p, at - 1);
    authority = ar_str_from(authority, at);
  }
  if (authority.n > 0 && authority.p[0] == '[')
    from = ar_str_find(authority, ']', 0);
  colon = ar_str_find(authority, ':', from);
  url->host = ar_str_n(authority.p, colon);
  url->port = ar_str_from(authority, colon + 1);
  while (url->port.n > 1 && url->port.p[0] == '0')
    url->port = ar_str_from(url->port, 1);
}

static void split_rest(struct ar_str rest, struct ar_url *url) {
  size_t fragment = ar_str_find(rest, '#', 0), query;
  url->has_fragment = fragment < rest.n;
  rest.n = fragment;
  query = ar_str_find(rest, '?', 0);
  url->path = ar_str_n(rest.p, query);
  url->query = ar_str_from(rest, query + 1);
}

int ar_url_parse(struct ar_str text, struct ar_url *url, struct ar_err *err) {
  struct ar_str rest = text, shown;
  size_t end = 0;
  if (ar_str_has_control(text))
    return ar_fail(err, AR_E_BAD_ENDPOINT, "control character in a URL");
  if (text.n > AR_MAX_URL)
    return ar_fail(err, AR_E_BAD_ENDPOINT, "a URL of %zu bytes", text.n);
  if (!split_scheme(&rest, url))
    return ar_fail(err, AR_E_BAD_ENDPOINT,
                   "a URL must begin with http:// or https://");
  while (end < rest.n && strchr("/?#", rest.p[end]) == NULL) end++;
  split_authority(ar_str_n(rest.p, end), url);
  split_rest(ar_str_from(rest, end), url);
  /* What looks like a host may be part of a password. */
  shown = ar_str_find(text, '@', 0) < text.n ? AR_STR("") : url->host;
  if (!is_host_name(url->host) && !(url->host.n > 0 && url->host.p[0] == '[' &&
                                    is_ipv6_literal(url->host)))
    return ar_fail(err, AR_E_BAD_ENDPOINT, "invalid host in a URL%s%.*s",
                   shown.n > 0 ? ": " : "", (int)shown.n, shown.p);
  if (!is_port(url->port))
    return ar_fail(err, AR_E_BAD_ENDPOINT, "invalid port in a URL");
  return AR_OK;
}

void ar_url_host(struct ar_buf *out, const struct ar_url *url) {
  struct ar_str own = url->tls ? AR_STR("443") : AR_STR("80");
  ar_buf_addlower(out, url->host);
  if (url->port.n > 0 && !ar_str_eq(url->port, own)) {
    ar_buf_addc(out, ':');
    ar_buf_adds(out, url->port);
  }
}
