/*
** The options that libcurl is told, as tables, and its callbacks. These never
** call libcurl back but for information, and never anything of Lua.
*/
#define _GNU_SOURCE
#include "transfer.h"

#include <fcntl.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hosts.h"
#include "library.h"
#include "outcome.h"

/* A body up to this size needs no watch over how its upload gets on. */
#define SENT_AT_ONCE 16384

/* Longer than that is for ever; it fits every type that it goes through. */
#define LONGEST_MS INT32_MAX

/*
** Callbacks
*/

static void heard(struct ar_transfer *t) {
  t->heard = t->shared->now;
}

static int64_t bounded(int64_t ms) {
  return ms < LONGEST_MS ? ms : LONGEST_MS;
}

static int64_t silence_ends(const struct ar_transfer *t) {
  return t->heard + bounded(t->x->read_timeout) * 1000;
}

/* A new socket, which no program that the host starts inherits. */
static curl_socket_t on_open(void *data, curlsocktype purpose,
                             struct curl_sockaddr *a) {
#if defined(SOCK_CLOEXEC)
  int s = socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
#else
  int s = socket(a->family, a->socktype, a->protocol);
  if (s >= 0) fcntl(s, F_SETFD, FD_CLOEXEC);
#endif
  (void)purpose;
  ar_watch_begin(data, s);
  return s < 0 ? CURL_SOCKET_BAD : s;
}

static int on_close(void *data, curl_socket_t s) {
  ar_watch_end(data, s);
  return close(s);
}

/* A name is about to be looked up, by a new thread or in this one: by the
   system's resolver, whose writes may raise SIGPIPE. */
static int on_resolve(void *resolver, void *reserved, void *data) {
  struct ar_transfer *t = data;
  (void)resolver, (void)reserved;
  ar_guard_block(&t->shared->guard);
  return 0;
}

/*
** The connection stands and the request is about to be sent. A second time
** means that libcurl would send it again after a kept connection failed:
** whether it may is for the caller to decide, so that is refused.
*/
static int on_request(void *data, char *ip, char *own_ip, int port,
                      int own_port) {
  struct ar_transfer *t = data;
  (void)ip, (void)own_ip, (void)port, (void)own_port;
  if (t->x->sent) return CURL_PREREQFUNC_ABORT;
  t->x->sent = true;
  t->shared->doubt_names = false;
  t->outcome.reused = ar_transfer_connections(t) == 0;
  heard(t);
  ar_timers_arm(&t->shared->timers, &t->timer, silence_ends(t));
  return CURL_PREREQFUNC_OK;
}

#if defined(SSL_OP_CLEANSE_PLAINTEXT)
/* Has OpenSSL wipe what it decrypted once it was read, and keep its buffers
   with the connection: it would wipe the whole of them after every record. */
static CURLcode on_tls(CURL *easy, void *context, void *data) {
  (void)easy, (void)data;
  SSL_CTX_set_options(context, SSL_OP_CLEANSE_PLAINTEXT);
  SSL_CTX_clear_mode(context, SSL_MODE_RELEASE_BUFFERS);
  return CURLE_OK;
}
#endif

static int on_progress(void *data, curl_off_t down_total, curl_off_t down,
                       curl_off_t up_total, curl_off_t up) {
  struct ar_transfer *t = data;
  (void)down_total, (void)down, (void)up_total;
  if (up != t->uploaded) heard(t);
  t->uploaded = up;
  return 0;
}

static bool is_status_line(struct ar_str line) {
  return line.n > 5 && ar_str_ieq(ar_str_n(line.p, 5), AR_STR("HTTP/"));
}

static size_t on_header(char *p, size_t size, size_t n, void *data) {
  struct ar_transfer *t = data;
  struct ar_str line = ar_str_n(p, size * n);
  heard(t);
  /* Interim answers and trailers, too, come to an end. */
  t->head_bytes += line.n;
  if (t->head_bytes > AR_MAX_RESPONSE_HEAD) return 0;
  if (t->head_over && !is_status_line(line)) return line.n;
  t->head_over = ar_str_trim(line).n == 0;
  return t->x->append(t->x, AR_PART_HEAD, p, line.n) ? line.n : 0;
}

static size_t on_body(char *p, size_t size, size_t n, void *data) {
  struct ar_transfer *t = data;
  heard(t);
  return t->x->append(t->x, AR_PART_BODY, p, size * n) ? size * n : 0;
}

/*
** Options for good
*/

static const struct {
  CURLoption option;
  long value;
} numbers[] = {
    {CURLOPT_NOSIGNAL, 1},
    {CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1},
    {CURLOPT_HTTP09_ALLOWED, 0},
    {CURLOPT_FOLLOWLOCATION, 0},
    {CURLOPT_PATH_AS_IS, 1}, /* it was signed as it is */
    {CURLOPT_HTTPAUTH, (long)CURLAUTH_NONE},
    {CURLOPT_PROXYAUTH, (long)CURLAUTH_BASIC},
    {CURLOPT_NETRC, CURL_NETRC_IGNORED},
    {CURLOPT_HTTP_TRANSFER_DECODING, 1},
    {CURLOPT_HEADEROPT, CURLHEADER_SEPARATE}, /* none of ours for a proxy */
    {CURLOPT_SUPPRESS_CONNECT_HEADERS, 1},
    {CURLOPT_TCP_NODELAY, 1},
    {CURLOPT_BUFFERSIZE, 4096}, /* both are wiped after each exchange */
    {CURLOPT_UPLOAD_BUFFERSIZE, 16384},
#if LIBCURL_VERSION_NUM >= 0x075700
    /* Else a slow name server makes every timeout and removal wait for it. */
    {CURLOPT_QUICK_EXIT, 1},
#endif
#if LIBCURL_VERSION_NUM < 0x075500
    {CURLOPT_PROTOCOLS, CURLPROTO_HTTP | CURLPROTO_HTTPS},
#endif
};

static const struct {
  CURLoption option;
  const char *value;
} texts[] = {
    {CURLOPT_NOPROXY, ""}, /* the environment's is not for us */
#if LIBCURL_VERSION_NUM >= 0x075500
    {CURLOPT_PROTOCOLS_STR, "http,https"},
#endif
};

/* Sets an option, and forgets none of the failures in `bad`. */
#define SET(option, value) (bad |= (int)curl_easy_setopt(easy, option, value))
#define COUNT(table) (sizeof(table) / sizeof(table)[0])

static bool set_constants(struct ar_transfer *t) {
  CURL *easy = t->easy;
  int bad = 0;
  for (size_t i = 0; i < COUNT(numbers); i++)
    SET(numbers[i].option, numbers[i].value);
  for (size_t i = 0; i < COUNT(texts); i++)
    SET(texts[i].option, texts[i].value);
  SET(CURLOPT_PRIVATE, t);
  SET(CURLOPT_ERRORBUFFER, t->error);
  SET(CURLOPT_OPENSOCKETFUNCTION, on_open);
  SET(CURLOPT_OPENSOCKETDATA, &t->shared->watch);
  SET(CURLOPT_CLOSESOCKETFUNCTION, on_close);
  SET(CURLOPT_CLOSESOCKETDATA, &t->shared->watch);
  SET(CURLOPT_RESOLVER_START_FUNCTION, on_resolve);
  SET(CURLOPT_RESOLVER_START_DATA, t);
  SET(CURLOPT_PREREQFUNCTION, on_request);
  SET(CURLOPT_PREREQDATA, t);
#if defined(SSL_OP_CLEANSE_PLAINTEXT)
  if (ar_library_speaks_our_tls()) SET(CURLOPT_SSL_CTX_FUNCTION, on_tls);
#endif
  SET(CURLOPT_XFERINFOFUNCTION, on_progress);
  SET(CURLOPT_XFERINFODATA, t);
  SET(CURLOPT_HEADERFUNCTION, on_header);
  SET(CURLOPT_HEADERDATA, t);
  SET(CURLOPT_WRITEFUNCTION, on_body);
  SET(CURLOPT_WRITEDATA, t);
  return bad == 0;
}

/*
** Options of one exchange
*/

static bool is_directory(const char *path) {
  struct stat s;
  return stat(path, &s) == 0 && S_ISDIR(s.st_mode);
}

/* Whom to trust: at most one of the two, or a bundle is parsed anew for
   each connection (see ar_library_authorities). */
static struct ar_authorities authorities(const struct ar_exchange *x) {
  struct ar_authorities a = {NULL, NULL};
  if (!x->verify) return a;
  if (x->ca_bundle == NULL) return *ar_library_authorities();
  if (is_directory(x->ca_bundle))
    a.directory = x->ca_bundle;
  else
    a.file = x->ca_bundle;
  return a;
}

/*
** Options that follow a text are set when it differs from the exchange
** before, which is rare: libcurl need not parse the URL, nor anybody look at
** the file system.
*/

static bool was_told(const struct ar_told *told, const char *text) {
  return told->known && ar_str_eq(ar_buf_str(&told->text), ar_str_of(text));
}

/* To be called first: what is half set is not known. */
static void forget(struct ar_told *told) {
  told->known = false;
}

/* A text that finds no room is set again the next time. */
static void remember(struct ar_told *told, const char *text) {
  ar_buf_reset(&told->text);
  told->known = ar_buf_adds(&told->text, ar_str_of(text)) == AR_OK;
}

/* NULL where libcurl is to parse it: to tell what is wrong with it, or for
   the zone of an address, which some versions lose from what is parsed. */
static CURLU *parse(const char *url) {
  CURLU *parsed = strchr(url, '[') == NULL ? curl_url() : NULL;
  if (parsed == NULL ||
      curl_url_set(parsed, CURLUPART_URL, url, CURLU_PATH_AS_IS) == CURLUE_OK)
    return parsed;
  curl_url_cleanup(parsed);
  return NULL;
}

/* Both, for some versions keep the URL that they made of what was parsed
   before; in this order, for others drop the URL when they are given that. */
static bool set_url(struct ar_transfer *t, const struct ar_exchange *x) {
  CURL *easy = t->easy;
  CURLU *parsed;
  int bad = 0;
  if (was_told(&t->url, x->url)) return true;
  forget(&t->url);
  parsed = parse(x->url);
  SET(CURLOPT_CURLU, parsed);
  SET(CURLOPT_URL, parsed == NULL ? x->url : NULL);
  curl_url_cleanup(t->parsed);
  t->parsed = parsed;
  if (bad == 0) remember(&t->url, x->url);
  return bad == 0;
}

/* Where no TLS is spoken, nobody looks for whom to trust. */
static bool set_trust(struct ar_transfer *t, const struct ar_exchange *x) {
  CURL *easy = t->easy;
  struct ar_authorities trusted;
  int bad = 0;
  if (!ar_hosts_is_tls(x->url) && !(x->proxy && ar_hosts_is_tls(x->proxy)))
    return true;
  if (was_told(&t->ca_bundle, x->ca_bundle) && t->verify == x->verify)
    return true;
  forget(&t->ca_bundle);
  trusted = authorities(x);
  SET(CURLOPT_CAINFO, trusted.file);
  SET(CURLOPT_CAPATH, trusted.directory);
  SET(CURLOPT_SSL_VERIFYPEER, x->verify ? 1L : 0L);
  SET(CURLOPT_SSL_VERIFYHOST, x->verify ? 2L : 0L);
  SET(CURLOPT_PROXY_CAINFO, trusted.file);
  SET(CURLOPT_PROXY_CAPATH, trusted.directory);
  SET(CURLOPT_PROXY_SSL_VERIFYPEER, x->verify ? 1L : 0L);
  SET(CURLOPT_PROXY_SSL_VERIFYHOST, x->verify ? 2L : 0L);
  t->verify = x->verify;
  if (bad == 0) remember(&t->ca_bundle, x->ca_bundle);
  return bad == 0;
}

/* No proxy is the empty one: NULL would be the environment's. */
static bool set_proxy(struct ar_transfer *t, const struct ar_exchange *x) {
  CURL *easy = t->easy;
  long once;
  int bad = 0;
  if (was_told(&t->proxy, x->proxy)) return true;
  forget(&t->proxy);
  once = x->proxy == NULL || ar_proxies_keep(&t->shared->proxies, x->proxy)
             ? 0L
             : 1L;
  SET(CURLOPT_PROXY, x->proxy ? x->proxy : "");
  SET(CURLOPT_FRESH_CONNECT, once);
  SET(CURLOPT_FORBID_REUSE, once);
  if (bad == 0) remember(&t->proxy, x->proxy);
  return bad == 0;
}

static bool set_request(struct ar_transfer *t, const struct ar_exchange *x) {
  struct ar_str method = ar_str_of(x->method);
  bool get = ar_str_eq(method, AR_STR("GET")) && x->body.n == 0;
  bool head = ar_str_eq(method, AR_STR("HEAD"));
  bool post = ar_str_eq(method, AR_STR("POST"));
  CURL *easy = t->easy;
  int bad = 0;
  SET(CURLOPT_NOPROGRESS, x->body.n > SENT_AT_ONCE ? 0L : 1L);
  SET(CURLOPT_POSTFIELDS, get || head ? NULL : x->body.p);
  SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)x->body.n);
  if (head)
    SET(CURLOPT_NOBODY, 1L);
  else
    SET(get ? CURLOPT_HTTPGET : CURLOPT_POST, 1L);
  SET(CURLOPT_CUSTOMREQUEST, get || head || post ? NULL : x->method);
  return bad == 0;
}

/* What libcurl would add by itself, taken back. */
enum suppressed { ACCEPT, CONTENT_TYPE, EXPECT, PROXY_CONNECTION };
static const char *const suppressed[] = {
    [ACCEPT] = "Accept:",
    [CONTENT_TYPE] = "Content-Type:",
    [EXPECT] = "Expect:",
    [PROXY_CONNECTION] = "Proxy-Connection:"};

static struct ar_str header_name(const struct ar_header_line *h) {
  return ar_str_n(h->line, h->name_length);
}

static bool has_value(const struct ar_header_line *h) {
  const char *value = h->line + h->name_length + 1;
  while (ar_is_space(*value)) value++;
  return *value != '\0';
}

/* Room for every name, too, since any may have no value. */
static bool make_room(struct ar_transfer *t, const struct ar_exchange *x) {
  size_t size = (x->header_count + COUNT(suppressed)) * sizeof *t->nodes;
  struct curl_slist *nodes;
  for (size_t i = 0; i < x->header_count; i++)
    size += x->headers[i].name_length + 2;
  if (size <= t->nodes_size) return true;
  nodes = realloc(t->nodes, size);
  if (nodes == NULL) return false;
  t->nodes = nodes;
  t->nodes_size = size;
  return true;
}

/* "Name;" is how libcurl is told to send "Name:". */
static char *without_value(char *p, const struct ar_header_line *h) {
  memcpy(p, h->line, h->name_length);
  memcpy(p + h->name_length, ";", 2);
  return p + h->name_length + 2;
}

static bool has_content_type(const struct ar_exchange *x) {
  for (size_t i = 0; i < x->header_count; i++)
    if (ar_str_ieq(header_name(&x->headers[i]), AR_STR("Content-Type")))
      return true;
  return false;
}

/* Whether libcurl would. The list is searched a dozen times a request. */
static bool would_add(enum suppressed which, const struct ar_exchange *x) {
  switch (which) {
    case CONTENT_TYPE:
      return !has_content_type(x);
    case EXPECT:
      return x->body.n > SENT_AT_ONCE; /* from 1 MiB on, for now */
    case PROXY_CONNECTION:
      return x->proxy != NULL;
    default:
      return true;
  }
}

/* A list that points into the exchange: libcurl reads it, and no more. What
   is not sent stands first, where libcurl finds it soonest. */
static struct curl_slist *link_headers(struct ar_transfer *t,
                                       const struct ar_exchange *x) {
  size_t n = 0;
  char *spare;
  if (!make_room(t, x)) return NULL;
  spare = (char *)(t->nodes + x->header_count + COUNT(suppressed));
  for (size_t i = 0; i < COUNT(suppressed); i++)
    if (would_add((enum suppressed)i, x))
      t->nodes[n++].data = (char *)(uintptr_t)suppressed[i];
  for (size_t i = 0; i < x->header_count; i++) {
    const struct ar_header_line *h = &x->headers[i];
    t->nodes[n++].data = has_value(h) ? (char *)(uintptr_t)h->line : spare;
    if (!has_value(h)) spare = without_value(spare, h);
  }
  for (size_t i = 0; i < n; i++)
    t->nodes[i].next = i + 1 < n ? &t->nodes[i + 1] : NULL;
  return t->nodes;
}

/* libcurl keeps the addresses of a name for 60 s; but the one that just led
   nowhere may have been given up by then. */
static bool set_names(struct ar_transfer *t) {
  CURL *easy = t->easy;
  int bad = 0;
  if (t->asks_anew == t->shared->doubt_names) return true;
  t->asks_anew = t->shared->doubt_names;
  SET(CURLOPT_DNS_CACHE_TIMEOUT, t->asks_anew ? 0L : 60L);
  return bad == 0;
}

static bool set_exchange(struct ar_transfer *t, const struct ar_exchange *x) {
  struct curl_slist *headers = link_headers(t, x);
  CURL *easy = t->easy;
  int bad = headers == NULL;
  SET(CURLOPT_HTTPHEADER, headers);
  SET(CURLOPT_CONNECTTIMEOUT_MS, (long)bounded(x->connect_timeout));
  return bad == 0 && set_url(t, x) && set_names(t) && set_request(t, x) &&
         set_trust(t, x) && set_proxy(t, x);
}

/*
** The life of a transfer
*/

struct ar_transfer *ar_transfer_new(struct ar_shared *shared,
                                    struct ar_err *err) {
  struct ar_transfer *t = calloc(1, sizeof *t);
  if (t != NULL) t->shared = shared;
  if (t != NULL) t->easy = curl_easy_init();
  if (t == NULL || t->easy == NULL) {
    ar_fail_memory(err);
  } else if (!set_constants(t)) {
    ar_fail(err, AR_E_HTTP, "libcurl %s lacks an option that is needed",
            ar_library_version());
  } else {
    ar_link_init(&t->link);
    ar_buf_init(&t->url.text, AR_MAX_URL);
    ar_buf_init(&t->ca_bundle.text, AR_MAX_URL);
    ar_buf_init(&t->proxy.text, AR_MAX_URL);
    return t;
  }
  if (t != NULL) ar_transfer_free(t);
  return NULL;
}

void ar_transfer_free(struct ar_transfer *t) {
  curl_easy_cleanup(t->easy);
  curl_url_cleanup(t->parsed);
  free(t->nodes);
  ar_buf_free(&t->url.text);
  ar_buf_free(&t->ca_bundle.text);
  ar_buf_free(&t->proxy.text);
  free(t);
}

bool ar_transfer_begin(struct ar_transfer *t, struct ar_exchange *x) {
  t->outcome = (struct ar_outcome){.failure = AR_OK};
  t->error[0] = '\0';
  t->uploaded = 0;
  t->head_over = false;
  t->head_bytes = 0;
  t->x = x;
  return set_exchange(t, x);
}

/* Of the answer; a proxy's to CONNECT is none. */
static int status(const struct ar_transfer *t) {
  long code = 0;
  if (!t->x->sent) return 0;
  curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &code);
  return (int)code;
}

/* Whether a proxy agreed to open the tunnel that it was asked for. */
static bool is_tunnelled(const struct ar_transfer *t) {
  long code = 0;
  curl_easy_getinfo(t->easy, CURLINFO_HTTP_CONNECTCODE, &code);
  return code / 100 == 2;
}

void ar_transfer_conclude(struct ar_transfer *t, CURLcode result) {
  const char *text =
      result == CURLE_ABORTED_BY_CALLBACK ? "no answer came" : t->error;
  /* libcurl takes a head that ends with the connection for a whole answer. */
  if (result == CURLE_OK && !t->head_over) result = CURLE_PARTIAL_FILE;
  /* This is how it tells of a line that is too long for it. */
  if (result == CURLE_OUT_OF_MEMORY && t->x->sent && !t->head_over)
    result = CURLE_WRITE_ERROR;
  if (result != CURLE_OK && !t->x->sent) t->shared->doubt_names = true;
  t->outcome.status = status(t);
  if (result != CURLE_OK)
    ar_outcome_of(&t->outcome, t->x, result, text, is_tunnelled(t));
}

bool ar_transfer_expire(struct ar_transfer *t) {
  if (silence_ends(t) > t->shared->now) {
    ar_timers_arm(&t->shared->timers, &t->timer, silence_ends(t));
    return false;
  }
  t->outcome.status = status(t);
  ar_outcome_timeout(&t->outcome, t->x);
  return true;
}

void ar_transfer_end(struct ar_transfer *t) {
  ar_timers_disarm(&t->shared->timers, &t->timer);
  t->x = NULL;
}

long ar_transfer_connections(const struct ar_transfer *t) {
  long n = 0;
  curl_easy_getinfo(t->easy, CURLINFO_NUM_CONNECTS, &n);
  return n;
}
