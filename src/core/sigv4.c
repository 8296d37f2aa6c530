/*
** AWS Signature Version 4: three steps over one state.
*/
#include "sigv4.h"

#include "uri.h"

#define ALGORITHM "AWS4-HMAC-SHA256"
#define MAX_CANONICAL (1024u * 1024u)

/* Never signed: hop-by-hop headers and what proxies may alter. */
static const struct ar_str unsigned_headers[] = {
    AR_STR_INIT("connection"),
    AR_STR_INIT("expect"),
    AR_STR_INIT("keep-alive"),
    AR_STR_INIT("proxy-authenticate"),
    AR_STR_INIT("proxy-authorization"),
    AR_STR_INIT("te"),
    AR_STR_INIT("trailer"),
    AR_STR_INIT("transfer-encoding"),
    AR_STR_INIT("upgrade"),
    AR_STR_INIT("user-agent"),
    AR_STR_INIT("x-amzn-trace-id")};

/* The headers to sign, sorted, with those that the signature adds. */
struct signing {
  const struct ar_sign_request *r;
  struct ar_header headers[AR_MAX_HEADERS + 3];
  size_t count;
};

void ar_signature_init(struct ar_signature *s) {
  *s = (struct ar_signature){.date = ""};
  ar_buf_init(&s->path, MAX_CANONICAL);
  ar_buf_init(&s->canonical_request, MAX_CANONICAL);
  ar_buf_init(&s->signed_headers, MAX_CANONICAL);
  ar_buf_init(&s->scope, MAX_CANONICAL);
  ar_buf_init(&s->string_to_sign, MAX_CANONICAL);
  ar_buf_init(&s->authorization, MAX_CANONICAL);
}

void ar_signature_free(struct ar_signature *s) {
  ar_sha256_free(&s->sha256);
  ar_buf_free(&s->path);
  ar_buf_free(&s->canonical_request);
  ar_buf_free(&s->signed_headers);
  ar_buf_free(&s->scope);
  ar_buf_free(&s->string_to_sign);
  ar_buf_free(&s->authorization);
}

static void reset(struct ar_signature *s) {
  ar_buf_reset(&s->path);
  ar_buf_reset(&s->canonical_request);
  ar_buf_reset(&s->signed_headers);
  ar_buf_reset(&s->scope);
  ar_buf_reset(&s->string_to_sign);
  ar_buf_reset(&s->authorization);
}

static void hex(const unsigned char hash[AR_SHA256_SIZE],
                char out[2 * AR_SHA256_SIZE + 1]) {
  ar_hex(hash, AR_SHA256_SIZE, out);
  out[2 * AR_SHA256_SIZE] = '\0';
}

/* RFC 9110, 5.6.2. */
static bool is_token(struct ar_str s) {
  for (size_t i = 0; i < s.n; i++)
    if (!ar_is_alpha(s.p[i]) && !ar_is_digit(s.p[i]) &&
        (s.p[i] == '\0' || strchr("!#$%&'*+-.^_`|~", s.p[i]) == NULL))
      return false;
  return s.n > 0;
}

/* Control characters but for tabs and folded lines (RFC 9112, 5.2). */
static bool is_field_value(struct ar_str s) {
  if (!ar_str_has_control(s)) return true;
  for (size_t i = 0; i < s.n; i++) {
    unsigned char c = (unsigned char)s.p[i];
    if (c >= 0x20 ? c != 0x7F : c == '\t') continue;
    if (c == '\r' && i + 1 < s.n && s.p[i + 1] == '\n') i++, c = '\n';
    if (c != '\n' || i + 1 == s.n || (s.p[i + 1] != ' ' && s.p[i + 1] != '\t'))
      return false;
  }
  return true;
}

/* A part of the credential scope: it must not change the scope's shape. */
static bool is_scope_part(struct ar_str s) {
  for (size_t i = 0; i < s.n; i++)
    if (!ar_is_alpha(s.p[i]) && !ar_is_digit(s.p[i]) && s.p[i] != '-' &&
        s.p[i] != '_' && s.p[i] != '.')
      return false;
  return s.n > 0 && s.n <= 63;
}

static int check_headers(const struct ar_sign_request *r, struct ar_err *err) {
  bool host = false;
  for (size_t i = 0; i < r->header_count; i++) {
    const struct ar_header *h = &r->headers[i];
    if (!is_token(h->name))
      return ar_fail(err, AR_E_PARAM, "header %zu: invalid name", i + 1);
    if (!is_field_value(h->value))
      return ar_fail(err, AR_E_PARAM,
                     "header %.*s: control character in the value",
                     (int)h->name.n, h->name.p);
    host = host || ar_str_ieq(h->name, AR_STR("host"));
  }
  return host ? AR_OK : ar_fail(err, AR_E_PARAM, "no Host header");
}

static int check(const struct ar_sign_request *r, struct ar_err *err) {
  if (!is_token(r->method)) return ar_fail(err, AR_E_PARAM, "invalid method");
  if (ar_str_has_control(r->path) || ar_str_has_control(r->query))
    return ar_fail(err, AR_E_PARAM, "control character in path or query");
  if (!is_scope_part(r->region))
    return ar_fail(err, AR_E_PARAM, "invalid region");
  if (!is_scope_part(r->service))
    return ar_fail(err, AR_E_PARAM, "invalid service");
  if (r->time < 0 || r->time > AR_MAX_EPOCH)
    return ar_fail(err, AR_E_PARAM, "time out of range");
  if (r->header_count > AR_MAX_HEADERS)
    return ar_fail(err, AR_E_PARAM, "more than %d headers", AR_MAX_HEADERS);
  return check_headers(r, err);
}

bool ar_sigv4_sets(const struct ar_sign_request *r, struct ar_str name) {
  return ar_str_ieq(name, AR_STR("authorization")) ||
         ar_str_ieq(name, AR_STR("x-amz-date")) ||
         ar_str_ieq(name, AR_STR("x-amz-security-token")) ||
         (r->sign_body && ar_str_ieq(name, AR_STR("x-amz-content-sha256")));
}

static bool is_signed(const struct ar_sign_request *r, struct ar_str name) {
  for (size_t i = 0; i < sizeof unsigned_headers / sizeof *unsigned_headers;
       i++)
    if (ar_str_ieq(name, unsigned_headers[i])) return false;
  return !ar_sigv4_sets(r, name);
}

/* The order of header names: lower case, by bytes. */
static int compare_names(struct ar_str a, struct ar_str b) {
  for (size_t i = 0; i < a.n && i < b.n; i++) {
    int order =
        (unsigned char)ar_lower(a.p[i]) - (unsigned char)ar_lower(b.p[i]);
    if (order != 0) return order;
  }
  return (a.n > b.n) - (a.n < b.n);
}

/* Inserts behind all of the same name, so that repeats keep their order. */
static void insert(struct signing *g, struct ar_str name,
                   struct ar_str value) {
  size_t at = g->count++;
  for (; at > 0 && compare_names(g->headers[at - 1].name, name) > 0; at--)
    g->headers[at] = g->headers[at - 1];
  g->headers[at] = (struct ar_header){name, value};
}

static void collect(struct signing *g, const struct ar_signature *s,
                    const struct ar_creds *creds) {
  for (size_t i = 0; i < g->r->header_count; i++)
    if (is_signed(g->r, g->r->headers[i].name))
      insert(g, g->r->headers[i].name, g->r->headers[i].value);
  insert(g, AR_STR("x-amz-date"), ar_str_of(s->date));
  if (creds->session_token.n > 0 && !g->r->omit_session_token)
    insert(g, AR_STR("x-amz-security-token"),
           ar_buf_str(&creds->session_token));
  if (g->r->sign_body)
    insert(g, AR_STR("x-amz-content-sha256"), ar_str_of(s->body_hash));
}

static bool repeats(const struct signing *g, size_t i) {
  const struct ar_header *h = g->headers + i;
  return i > 0 && ar_str_ieq(h[-1].name, h->name);
}

/* Adds a value without outer whitespace, inner runs as one space. */
static void add_value(struct ar_buf *out, struct ar_str value) {
  value = ar_str_trim(value);
  if (!ar_str_has_space(value)) {
    ar_buf_adds(out, value);
    return;
  }
  for (size_t from = 0, to = 0; from < value.n; from = to) {
    while (to < value.n && !ar_is_space(value.p[to])) to++;
    ar_buf_add(out, value.p + from, to - from);
    if (to < value.n) ar_buf_addc(out, ' ');
    while (to < value.n && ar_is_space(value.p[to])) to++;
  }
}

static void add_headers(struct ar_buf *out, const struct signing *g) {
  for (size_t i = 0; i < g->count; i++) {
    if (repeats(g, i)) {
      ar_buf_addc(out, ',');
    } else {
      if (i > 0) ar_buf_addc(out, '\n');
      ar_buf_addlower(out, g->headers[i].name);
      ar_buf_addc(out, ':');
    }
    add_value(out, g->headers[i].value);
  }
  ar_buf_addc(out, '\n');
}

static void name_headers(struct ar_buf *out, const struct signing *g) {
  for (size_t i = 0; i < g->count; i++) {
    if (repeats(g, i)) continue;
    if (i > 0) ar_buf_addc(out, ';');
    ar_buf_addlower(out, g->headers[i].name);
  }
}

static void add_path(struct ar_buf *out, struct ar_buf *path,
                     const struct ar_sign_request *r) {
  if (r->keep_path && r->path.n > 0)
    ar_buf_adds(path, r->path);
  else
    ar_uri_normalize_path(path, r->path);
  ar_uri_encode(out, ar_buf_str(path), true);
  if (path->failed) out->failed = path->failed;
}

static int hash_body(struct ar_signature *s, const struct ar_sign_request *r) {
  unsigned char hash[AR_SHA256_SIZE];
  int rc = ar_sha256(&s->sha256, r->body, hash);
  if (rc == AR_OK) hex(hash, s->body_hash);
  return rc;
}

/*
** The hash that stands last in the canonical request: of the body, unless
** the caller's own X-Amz-Content-Sha256 says otherwise, as in botocore.
*/
static struct ar_str payload(const struct ar_signature *s,
                             const struct ar_sign_request *r) {
  for (size_t i = 0; !r->sign_body && i < r->header_count; i++)
    if (ar_str_ieq(r->headers[i].name, AR_STR("x-amz-content-sha256")))
      return ar_str_trim(r->headers[i].value);
  return ar_str_of(s->body_hash);
}

static int canonical_request(struct ar_signature *s,
                             const struct ar_sign_request *r,
                             const struct ar_creds *creds,
                             struct ar_err *err) {
  struct ar_buf *out = &s->canonical_request;
  struct signing g; /* large: only what is used is set */
  int rc;
  g.r = r;
  g.count = 0;
  collect(&g, s, creds);
  name_headers(&s->signed_headers, &g);
  ar_buf_adds(out, r->method);
  ar_buf_addc(out, '\n');
  add_path(out, &s->path, r);
  ar_buf_addc(out, '\n');
  rc = ar_uri_canonical_query(out, r->query, err);
  if (rc != AR_OK) return rc;
  ar_buf_addc(out, '\n');
  add_headers(out, &g);
  ar_buf_addc(out, '\n');
  ar_buf_addb(out, &s->signed_headers);
  ar_buf_addc(out, '\n');
  ar_buf_adds(out, payload(s, r));
  return ar_buf_check(out, err);
}

static void add_scope(struct ar_buf *out, const struct ar_signature *s,
                      const struct ar_sign_request *r) {
  ar_buf_add(out, s->date, 8);
  ar_buf_addc(out, '/');
  ar_buf_adds(out, r->region);
  ar_buf_addc(out, '/');
  ar_buf_adds(out, r->service);
}

static int string_to_sign(struct ar_signature *s,
                          const struct ar_sign_request *r,
                          struct ar_err *err) {
  unsigned char hash[AR_SHA256_SIZE];
  if (ar_sha256(&s->sha256, ar_buf_str(&s->canonical_request), hash) != AR_OK)
    return ar_fail_memory(err);
  add_scope(&s->scope, s, r);
  ar_buf_addz(&s->scope, "/aws4_request");
  ar_buf_addz(&s->string_to_sign, ALGORITHM "\n");
  ar_buf_addz(&s->string_to_sign, s->date);
  ar_buf_addc(&s->string_to_sign, '\n');
  ar_buf_addb(&s->string_to_sign, &s->scope);
  ar_buf_addc(&s->string_to_sign, '\n');
  ar_buf_addhex(&s->string_to_sign, hash, sizeof hash);
  return ar_buf_check(&s->string_to_sign, err);
}

/* Each link of the derivation is the key for the next one. */
static int derive_key(struct ar_creds *creds, struct ar_signature *s,
                      const struct ar_sign_request *r) {
  const struct ar_str links[] = {ar_str_n(s->date, 8), r->region, r->service,
                                 AR_STR("aws4_request")};
  struct ar_hmac_key *key = &creds->key.key;
  unsigned char link[AR_SHA256_SIZE];
  struct ar_buf first;
  int rc;
  ar_buf_init(&first, AR_MAX_SECRET + 4);
  ar_buf_addz(&first, "AWS4");
  rc = ar_buf_addb(&first, &creds->secret_access_key);
  if (rc == AR_OK) rc = ar_hmac_key_set(key, ar_buf_str(&first));
  ar_buf_free(&first);
  for (size_t i = 0; rc == AR_OK && i < sizeof links / sizeof *links; i++) {
    rc = ar_hmac_sha256(&s->sha256, key, links[i], link);
    if (rc == AR_OK)
      rc = ar_hmac_key_set(key, ar_str_n((const char *)link, sizeof link));
  }
  ar_wipe(link, sizeof link);
  if (rc != AR_OK)
    ar_sha256_free(&s->sha256); /* it may be in a link's state */
  return rc;
}

/* Sees to it that the key kept with the credentials is that of `r`. */
static int need_key(struct ar_creds *creds, struct ar_signature *s,
                    const struct ar_sign_request *r) {
  struct ar_buf *kept = &creds->key.scope;
  struct ar_str scope = ar_buf_str(&s->scope);
  scope.n -= sizeof "/aws4_request" - 1;
  if (kept->n > 0 && ar_str_eq(ar_buf_str(kept), scope)) return AR_OK;
  ar_buf_reset(kept);
  if (derive_key(creds, s, r) != AR_OK) return AR_E_MEMORY;
  return ar_buf_adds(kept, scope);
}

static int authorization(struct ar_signature *s,
                         const struct ar_sign_request *r,
                         struct ar_creds *creds, struct ar_err *err) {
  unsigned char mac[AR_SHA256_SIZE];
  struct ar_buf *out = &s->authorization;
  if (need_key(creds, s, r) != AR_OK ||
      ar_hmac_sha256(&s->sha256, &creds->key.key,
                     ar_buf_str(&s->string_to_sign), mac) != AR_OK)
    return ar_fail_memory(err);
  hex(mac, s->signature);
  ar_buf_addz(out, ALGORITHM " Credential=");
  ar_buf_addb(out, &creds->access_key_id);
  ar_buf_addc(out, '/');
  ar_buf_addb(out, &s->scope);
  ar_buf_addz(out, ", SignedHeaders=");
  ar_buf_addb(out, &s->signed_headers);
  ar_buf_addz(out, ", Signature=");
  ar_buf_addz(out, s->signature);
  return ar_buf_check(out, err);
}

int ar_sigv4_sign(struct ar_signature *s, const struct ar_sign_request *r,
                  struct ar_creds *creds, struct ar_err *err) {
  int rc = check(r, err);
  reset(s);
  if (rc != AR_OK) return rc;
  ar_date_basic(r->time, s->date);
  if (hash_body(s, r) != AR_OK) return ar_fail_memory(err);
  rc = canonical_request(s, r, creds, err);
  if (rc == AR_OK) rc = string_to_sign(s, r, err);
  if (rc == AR_OK) rc = authorization(s, r, creds, err);
  return rc;
}
