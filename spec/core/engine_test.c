/*
** The engine against servers of this process, on loopback: what arrives there
** is what was given, what comes back is told truly, and the host notices
** nothing of it. The name server is slow_dns.c's.
*/
#include "slow_dns.c"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <malloc.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../src/curl/engine.h"
#include "../../src/curl/library.h"
#include "check.h"

#define LENGTH(array) (sizeof(array) / sizeof(array)[0])

static int64_t milliseconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void pause_for(long ms) {
  struct timespec left = {ms / 1000, ms % 1000 * 1000000};
  nanosleep(&left, NULL);
}

/*
** A server: a thread that accepts, and one for each connection. The path of a
** request says how it is answered.
*/

#define MOST_CONNECTIONS 256

struct server {
  int listener, port;
  SSL_CTX *tls;        /* NULL: plain */
  const char *connect; /* how CONNECT is answered; NULL: by a tunnel */
  char asked[2048];    /* the last CONNECT */
  char seen[32768];    /* the last request */
  pthread_t acceptor;
  struct connection {
    struct server *server;
    pthread_t thread;
    int fd;
    SSL *ssl;
  } connections[MOST_CONNECTIONS];
  atomic_int opened, requests, closed;
  atomic_bool gate; /* whether it is open */
};

static ssize_t take(struct connection *c, void *p, size_t n) {
  if (c->ssl) return SSL_read(c->ssl, p, (int)n);
  return recv(c->fd, p, n, 0);
}

static bool give(struct connection *c, const char *p, size_t n) {
  if (c->ssl) return SSL_write(c->ssl, p, (int)n) == (int)n;
  return send(c->fd, p, n, MSG_NOSIGNAL) == (ssize_t)n;
}

static bool say(struct connection *c, const char *text) {
  return give(c, text, strlen(text));
}

struct request {
  char text[32768];
  size_t n;
};

/* Reads a head, and the body that it announces. */
static bool read_request(struct connection *c, struct request *r) {
  const char *end = NULL, *length;
  size_t want = SIZE_MAX;
  r->n = 0;
  while (r->n < want) {
    ssize_t n = take(c, r->text + r->n, sizeof r->text - 1 - r->n);
    if (n <= 0) return false;
    r->n += (size_t)n;
    r->text[r->n] = '\0';
    end = strstr(r->text, "\r\n\r\n");
    if (end == NULL || want != SIZE_MAX) continue;
    if (strstr(r->text, " /early ") != NULL) return true;
    length = strstr(r->text, "Content-Length: ");
    want = (size_t)(end + 4 - r->text);
    if (length != NULL) want += (size_t)strtoul(length + 16, NULL, 10);
  }
  return true;
}

static void echo(struct connection *c, const struct request *r) {
  char head[128];
  snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n",
           r->n);
  say(c, head);
  give(c, r->text, r->n);
}

static void drip(struct connection *c) {
  say(c, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n");
  for (int i = 0; i < 6; i++) {
    pause_for(250);
    say(c, ".");
  }
}

static void hold(struct connection *c) {
  char p[256];
  while (take(c, p, sizeof p) > 0) {
  }
}

static void wait_at_gate(struct connection *c) {
  while (!c->server->gate) pause_for(1);
  say(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
}

/* Closes the connection, and lets its number stay taken. */
static void reset(struct connection *c) {
  struct linger at_once = {1, 0};
  int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
  setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  dup3(nothing, c->fd, O_CLOEXEC);
  close(nothing);
}

/* A connection to the port that a CONNECT names, or -1. */
static int dial(const struct request *r) {
  struct sockaddr_in a = {.sin_family = AF_INET};
  const char *colon = strchr(r->text, ':');
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  a.sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10));
  if (connect(fd, (struct sockaddr *)&a, sizeof a) == 0) return fd;
  close(fd);
  return -1;
}

static bool pass_up(struct connection *c, int to) {
  char p[4096];
  ssize_t n;
  do {
    n = take(c, p, sizeof p);
    if (n <= 0 || send(to, p, (size_t)n, MSG_NOSIGNAL) != n) return false;
  } while (c->ssl && SSL_pending(c->ssl) > 0);
  return true;
}

static bool pass_down(struct connection *c, int from) {
  char p[4096];
  ssize_t n = recv(from, p, sizeof p, 0);
  return n > 0 && give(c, p, (size_t)n);
}

/* Passes bytes on until one side closes. */
static void relay(struct connection *c, int other) {
  struct pollfd both[] = {{.fd = c->fd, .events = POLLIN},
                          {.fd = other, .events = POLLIN}};
  while (poll(both, 2, -1) > 0) {
    if (both[0].revents && !pass_up(c, other)) break;
    if (both[1].revents && !pass_down(c, other)) break;
  }
  close(other);
}

static void tunnel(struct connection *c, const struct request *r) {
  int other;
  memcpy(c->server->asked, r->text, r->n + 1);
  if (c->server->connect != NULL) {
    say(c, c->server->connect);
    if (c->server->connect[0] == '\0') hold(c);
    return;
  }
  other = dial(r);
  if (other < 0) return;
  say(c, "HTTP/1.1 200 Connection established\r\nX-Proxy: 1\r\n\r\n");
  relay(c, other);
}

static bool begins(const struct request *r, const char *text) {
  return strncmp(r->text, text, strlen(text)) == 0;
}

static const struct {
  const char *path, *answer;
  bool keep;
} answers[] = {
    {" /ok ", "HTTP/1.1 200 OK\r\nX-A: 1\r\nContent-Length: 2\r\n\r\nok",
     true},
    {" /head ", "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", true},
    {" /bye ", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", false},
    {" /close ", "", false},
    {" /short ", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", false},
    {" /garbage ", "SSH-2.0-x\r\n\r\n", false},
    {" /redirect ",
     "HTTP/1.1 302 Found\r\nLocation: /ok\r\nContent-Length: 0\r\n\r\n", true},
    {" /continue ",
     "HTTP/1.1 100 Continue\r\n\r\n"
     "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
     true},
    {" /chunked ",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
     "5\r\nhello\r\n6\r\n world\r\n0\r\nX-Trailer: late\r\n\r\n",
     true},
    {" /zipped ",
     "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\n"
     "abc",
     true},
};

/* Whether the connection is kept. */
static bool answer(struct connection *c, const struct request *r) {
  if (begins(r, "CONNECT ")) return tunnel(c, r), false;
  if (begins(r, "GET http://")) return echo(c, r), true;
  if (strstr(r->text, " /echo ") != NULL) return echo(c, r), true;
  if (strstr(r->text, " /drip ") != NULL) return drip(c), true;
  if (strstr(r->text, " /hold ") != NULL) return hold(c), false;
  if (strstr(r->text, " /early ") != NULL) return reset(c), false;
  if (strstr(r->text, " /gate ") != NULL) return wait_at_gate(c), true;
  for (size_t i = 0; i < LENGTH(answers); i++)
    if (strstr(r->text, answers[i].path) != NULL)
      return say(c, answers[i].answer), answers[i].keep;
  return false;
}

static sigset_t block_sigpipe(void) {
  sigset_t pipe;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe, NULL);
  return pipe;
}

/* The signals of a server's writes are not what is tested. */
static void *serve_connection(void *data) {
  struct connection *c = data;
  struct request *r = malloc(sizeof *r);
  bool kept = true;
  block_sigpipe();
  if (c->server->tls) {
    c->ssl = SSL_new(c->server->tls);
    SSL_set_fd(c->ssl, c->fd);
    kept = SSL_accept(c->ssl) == 1;
  }
  while (kept && read_request(c, r)) {
    memcpy(c->server->seen, r->text, r->n + 1);
    c->server->requests++;
    kept = answer(c, r);
  }
  free(r);
  if (c->ssl) SSL_shutdown(c->ssl);
  SSL_free(c->ssl);
  shutdown(c->fd, SHUT_WR);
  c->server->closed++;
  return NULL;
}

static void *accept_all(void *data) {
  struct server *s = data;
  while (s->opened < MOST_CONNECTIONS) {
    struct connection *c = &s->connections[s->opened];
    int fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC), at_once = 1;
    if (fd < 0) return NULL;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once);
    *c = (struct connection){.server = s, .fd = fd};
    s->opened++;
    pthread_create(&c->thread, NULL, serve_connection, c);
  }
  return NULL;
}

/* A socket of a port that is nobody else's; without listen it refuses. */
static int bind_anywhere(int *port) {
  struct sockaddr_in a = {.sin_family = AF_INET};
  socklen_t n = sizeof a;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(fd, (struct sockaddr *)&a, n) != 0 ||
      getsockname(fd, (struct sockaddr *)&a, &n) != 0)
    exit(3);
  *port = ntohs(a.sin_port);
  return fd;
}

static int listen_anywhere(int *port) {
  int fd = bind_anywhere(port);
  if (listen(fd, 512) != 0) exit(3);
  return fd;
}

static struct server *serve(SSL_CTX *tls) {
  struct server *s = calloc(1, sizeof *s);
  s->tls = tls;
  s->listener = listen_anywhere(&s->port);
  pthread_create(&s->acceptor, NULL, accept_all, s);
  return s;
}

static void stop_server(struct server *s) {
  shutdown(s->listener, SHUT_RDWR);
  pthread_join(s->acceptor, NULL);
  close(s->listener);
  for (int i = 0; i < s->opened; i++) {
    shutdown(s->connections[i].fd, SHUT_RDWR);
    pthread_join(s->connections[i].thread, NULL);
    close(s->connections[i].fd);
  }
  free(s);
}

/*
** An exchange that keeps what it is told
*/

struct probe {
  struct ar_exchange x;
  char url[256];
  char head[4096], body[32768];
  size_t head_n, body_n;
  struct ar_outcome outcome;
  int finished, references;
  bool refuse;
};

static void probe_retain(struct ar_exchange *x) {
  AR_OWNER(struct probe, x, x)->references++;
}

static void probe_release(struct ar_exchange *x) {
  AR_OWNER(struct probe, x, x)->references--;
}

static bool probe_append(struct ar_exchange *x, enum ar_part part,
                         const char *p, size_t n) {
  struct probe *probe = AR_OWNER(struct probe, x, x);
  char *to = part == AR_PART_HEAD ? probe->head : probe->body;
  size_t *used = part == AR_PART_HEAD ? &probe->head_n : &probe->body_n;
  size_t most = part == AR_PART_HEAD ? sizeof probe->head : sizeof probe->body;
  if ((part == AR_PART_BODY && probe->refuse) || n >= most - *used)
    return false;
  memcpy(to + *used, p, n);
  *used += n;
  to[*used] = '\0';
  return true;
}

static void probe_finish(struct ar_exchange *x,
                         const struct ar_outcome *outcome) {
  struct probe *probe = AR_OWNER(struct probe, x, x);
  probe->outcome = *outcome;
  probe->finished++;
}

static const struct ar_header_line usual_headers[] = {
    {"Host: apprunner.example", 4},
    {"Content-Type: application/x-amz-json-1.0", 12},
    {"X-Amz-Target: AppRunner.PauseService", 12},
};

static struct probe probe_of(const char *method, const char *scheme,
                             const char *host, int port, const char *path) {
  struct probe p = {.finished = 0};
  snprintf(p.url, sizeof p.url, "%s://%s:%d%s", scheme, host, port, path);
  p.x = (struct ar_exchange){.method = method,
                             .headers = usual_headers,
                             .header_count = LENGTH(usual_headers),
                             .body = AR_STR(""),
                             .connect_timeout = 20000,
                             .read_timeout = 20000,
                             .verify = true,
                             .retain = probe_retain,
                             .release = probe_release,
                             .append = probe_append,
                             .finish = probe_finish};
  return p;
}

static struct probe get(const struct server *s, const char *path) {
  return probe_of("GET", "http", "127.0.0.1", s->port, path);
}

static struct probe post(const struct server *s, const char *path) {
  struct probe p = probe_of("POST", "http", "127.0.0.1", s->port, path);
  p.x.body = AR_STR("{}");
  return p;
}

static struct ar_engine *new_engine(void) {
  struct ar_err err = {.message = ""};
  struct ar_engine *e = ar_engine_new(&err);
  CHECK(e != NULL, "there is an engine: %s", err.message);
  return e;
}

static void add(struct ar_engine *e, struct probe *p) {
  struct ar_err err = {.message = ""};
  p->x.url = p->url;
  CHECK(ar_engine_add(e, &p->x, &err) == AR_OK, "it is taken: %s",
        err.message);
}

static void drive(struct ar_engine *e) {
  ar_engine_wait(e, -1);
  while (ar_engine_step(e, -1)) {
  }
  while (ar_engine_next_done(e)) {
  }
}

static void perform(struct ar_engine *e, struct probe *p) {
  add(e, p);
  while (!p->finished) drive(e);
  CHECK(p->finished == 1 && p->references == 0 && p->x.performer == NULL,
        "it is finished once, and let go");
}

/* Steps until the server has read `n` requests. */
static void drive_until_sent(struct ar_engine *e, struct server *s, int n) {
  while (s->requests < n) {
    ar_engine_wait(e, 1);
    ar_engine_step(e, -1);
  }
}

static bool ended_well(const struct probe *p, int status) {
  return p->outcome.failure == AR_OK && p->outcome.status == status &&
         p->outcome.detail[0] == '\0';
}

static bool failed_as(const struct probe *p, enum ar_code code) {
  if (p->outcome.failure == code && p->outcome.detail[0] != '\0') return true;
  printf("  it ended as %s: %s\n", ar_code_name(p->outcome.failure),
         p->outcome.detail);
  return false;
}

/*
** What is sent
*/

static void sends_what_was_given(struct ar_engine *e, struct server *s) {
  struct probe p = post(s, "/echo");
  perform(e, &p);
  CHECK(ended_well(&p, 200), "it is answered");
  CHECK(strcmp(p.body,
               "POST /echo HTTP/1.1\r\n"
               "Host: apprunner.example\r\n"
               "Content-Type: application/x-amz-json-1.0\r\n"
               "X-Amz-Target: AppRunner.PauseService\r\n"
               "Content-Length: 2\r\n\r\n{}") == 0,
        "a POST is what was given and no more:\n%s", p.body);
}

/* The userinfo of a URL is no header, nor is what libcurl thinks fit. */
static void adds_no_header(struct ar_engine *e, struct server *s) {
  static const struct ar_header_line headers[] = {
      {"Host: apprunner.example", 4},
      {"X-Empty: ", 7},
      {"x-amz-security-token: a/b+c==", 20},
  };
  struct probe p = post(s, "/echo");
  snprintf(p.url, sizeof p.url, "http://u:pw@127.0.0.1:%d/echo", s->port);
  p.x.headers = headers;
  p.x.header_count = LENGTH(headers);
  perform(e, &p);
  CHECK(strcmp(p.body,
               "POST /echo HTTP/1.1\r\n"
               "Host: apprunner.example\r\n"
               "X-Empty:\r\n"
               "x-amz-security-token: a/b+c==\r\n"
               "Content-Length: 2\r\n\r\n{}") == 0,
        "no header is added, an empty one is kept:\n%s", p.body);
}

static void keeps_the_path(struct ar_engine *e, struct server *s) {
  static const struct ar_header_line headers[] = {{"X: GET /echo HTTP", 1}};
  struct probe p = get(s, "/a/../b//%7E?c=%2f");
  p.x.headers = headers;
  p.x.header_count = 1;
  perform(e, &p);
  CHECK(strncmp(p.body, "GET /a/../b//%7E?c=%2f HTTP/1.1\r\n", 33) == 0,
        "the path is sent as it is: %.60s", p.body);
}

static void sends_every_method(struct ar_engine *e, struct server *s) {
  static const struct {
    const char *method, *body, *begin, *end;
  } rows[] = {
      {"GET", "", "GET /echo HTTP/1.1\r\n", "PauseService\r\n\r\n"},
      {"PUT", "", "PUT /echo HTTP/1.1\r\n", "Content-Length: 0\r\n\r\n"},
      {"PUT", "ab", "PUT /echo HTTP/1.1\r\n", "Length: 2\r\n\r\nab"},
      {"POST", "", "POST /echo HTTP/1.1\r\n", "Content-Length: 0\r\n\r\n"},
      {"DELETE", "", "DELETE /echo HTTP/1.1\r\n", "\r\n\r\n"},
      {"GET", "", "GET /echo HTTP/1.1\r\n", "PauseService\r\n\r\n"},
  };
  for (size_t i = 0; i < LENGTH(rows); i++) {
    struct probe p =
        probe_of(rows[i].method, "http", "127.0.0.1", s->port, "/echo");
    p.x.body = ar_str_of(rows[i].body);
    perform(e, &p);
    CHECK(strncmp(p.body, rows[i].begin, strlen(rows[i].begin)) == 0,
          "%s begins right:\n%s", rows[i].method, p.body);
    CHECK(
        p.body_n > strlen(rows[i].end) &&
            strcmp(p.body + p.body_n - strlen(rows[i].end), rows[i].end) == 0,
        "%s ends right:\n%s", rows[i].method, p.body);
  }
}

static void heads_have_no_body(struct ar_engine *e, struct server *s) {
  struct probe p = probe_of("HEAD", "http", "127.0.0.1", s->port, "/head");
  struct probe next = get(s, "/ok");
  perform(e, &p);
  CHECK(ended_well(&p, 200) && p.body_n == 0, "HEAD is answered by a head");
  perform(e, &next);
  CHECK(ended_well(&next, 200) && next.outcome.reused,
        "and the connection goes on");
}

/*
** An engine has one exchange after another done by one handle: what the one
** was told is not left for the next.
*/

static const struct kind {
  const char *method, *host, *path;
  size_t body; /* its length */
  int server;
  bool bare, proxied;
} kinds[] = {
    {.method = "POST", .path = "/echo", .body = 2},
    {.method = "POST", .path = "/echo", .body = 20},
    {.method = "POST", .path = "/ok", .body = 20000},
    {.method = "POST", .path = "/ok", .bare = true},
    {.method = "POST", .path = "/echo", .body = 2, .server = 1},
    {.method = "GET", .path = "/chunked"},
    {.method = "GET", .path = "/ok", .bare = true, .server = 1},
    {.method = "GET", .host = "a.invalid", .path = "/echo", .proxied = true},
    {.method = "HEAD", .path = "/head"},
    {.method = "PUT", .path = "/echo", .body = 3},
    {.method = "DELETE", .path = "/echo"},
    {.method = "POST", .host = "[::ffff:127.0.0.1]", .path = "/echo"},
    {.method = "POST", .host = "no host", .path = "/echo", .body = 2},
};

static void perform_kind(struct ar_engine *e, struct server *const *servers,
                         size_t i, struct probe *p) {
  static char bytes[20000];
  const struct kind *kind = &kinds[i];
  const char *host = kind->host != NULL ? kind->host : "127.0.0.1";
  char proxy[64];
  memset(bytes, 'x', sizeof bytes);
  snprintf(proxy, sizeof proxy, "http://127.0.0.1:%d", servers[0]->port);
  servers[0]->seen[0] = servers[1]->seen[0] = '\0';
  *p = probe_of(kind->method, "http", host, servers[kind->server]->port,
                kind->path);
  p->x.body = ar_str_n(bytes, kind->body);
  if (kind->bare) p->x.header_count = 1;
  if (kind->proxied) p->x.proxy = proxy;
  perform(e, p);
}

static bool ended_alike(const struct probe *a, const struct probe *b) {
  return a->outcome.failure == b->outcome.failure &&
         a->outcome.status == b->outcome.status &&
         strcmp(a->head, b->head) == 0 && strcmp(a->body, b->body) == 0;
}

/* What kind `i` should look like is what it does with a new engine. */
static void follows_anything(struct ar_engine *e, struct server **servers,
                             size_t i) {
  struct ar_engine *fresh = new_engine();
  struct server *s = servers[kinds[i].server];
  struct probe alone, after;
  char *seen;
  perform_kind(fresh, servers, i, &alone);
  seen = strdup(s->seen);
  for (size_t before = 0; before < LENGTH(kinds); before++) {
    perform_kind(e, servers, before, &after);
    perform_kind(e, servers, i, &after);
    CHECK(strcmp(s->seen, seen) == 0,
          "%zu is sent after %zu as alone:\n%.300s", i, before, s->seen);
    CHECK(ended_alike(&after, &alone), "%zu ends after %zu as alone: %s", i,
          before, after.outcome.detail);
  }
  free(seen);
  ar_engine_free(fresh);
}

static void leaves_nothing_for_the_next(struct ar_engine *e,
                                        struct server *s) {
  struct server *servers[] = {s, serve(NULL)};
  for (size_t i = 0; i < LENGTH(kinds); i++) follows_anything(e, servers, i);
  stop_server(servers[1]);
}

/*
** What comes back
*/

static void reads_answers(struct ar_engine *e, struct server *s) {
  static const struct {
    const char *path, *head, *body;
    int status;
  } rows[] = {
      {"/ok", "HTTP/1.1 200 OK\r\nX-A: 1\r\nContent-Length: 2\r\n\r\n", "ok",
       200},
      {"/chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
       "hello world", 200},
      {"/continue",
       "HTTP/1.1 100 Continue\r\n\r\n"
       "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n",
       "ok", 200},
      {"/redirect",
       "HTTP/1.1 302 Found\r\nLocation: /ok\r\nContent-Length: 0\r\n\r\n", "",
       302},
      {"/zipped",
       "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n"
       "Content-Length: 3\r\n\r\n",
       "abc", 200},
  };
  for (size_t i = 0; i < LENGTH(rows); i++) {
    struct probe p = post(s, rows[i].path);
    int before = s->requests;
    perform(e, &p);
    CHECK(ended_well(&p, rows[i].status), "%s: %d %s", rows[i].path,
          p.outcome.status, p.outcome.detail);
    CHECK(strcmp(p.head, rows[i].head) == 0, "%s has its head:\n%s",
          rows[i].path, p.head);
    CHECK(strcmp(p.body, rows[i].body) == 0, "%s has its body: %s",
          rows[i].path, p.body);
    CHECK(s->requests == before + 1, "%s is one request", rows[i].path);
  }
}

static void tells_what_broke(struct ar_engine *e, struct server *s) {
  static const struct {
    const char *path;
    enum ar_code code;
    int status;
  } rows[] = {
      {"/close", AR_E_CONNECTION_CLOSED, 0},
      {"/short", AR_E_CONNECTION_CLOSED, 200},
      {"/garbage", AR_E_HTTP, 0},
  };
  for (size_t i = 0; i < LENGTH(rows); i++) {
    struct probe p = get(s, rows[i].path);
    perform(e, &p);
    CHECK(failed_as(&p, rows[i].code), "%s", rows[i].path);
    CHECK(p.x.sent && p.outcome.status == rows[i].status, "%s: %d",
          rows[i].path, p.outcome.status);
  }
}

static void stops_what_is_refused(struct ar_engine *e, struct server *s) {
  struct probe p = get(s, "/ok");
  p.refuse = true;
  perform(e, &p);
  CHECK(failed_as(&p, AR_E_TOO_LARGE), "a refused piece ends it");
  CHECK(p.x.sent && p.outcome.status == 200, "and is told");
}

/*
** Connections
*/

static void keeps_connections(void) {
  struct server *s = serve(NULL);
  struct ar_engine *e = new_engine();
  for (int i = 0; i < 3; i++) {
    struct probe p = post(s, "/ok");
    perform(e, &p);
    CHECK(ended_well(&p, 200) && p.x.sent, "call %d succeeds", i);
    CHECK(p.outcome.reused == (i > 0), "and tells if it was the first");
  }
  CHECK(s->opened == 1 && ar_engine_stats(e)->connections == 1,
        "three calls are one connection");
  CHECK(ar_engine_stats(e)->in_flight == 0, "none is in flight");
  CHECK(ar_engine_timeout(e) == -1, "and nothing is awaited");
  ar_engine_free(e);
  stop_server(s);
}

static void never_sends_twice(void) {
  struct server *s = serve(NULL);
  struct ar_engine *e = new_engine();
  struct probe first = post(s, "/ok"), second = post(s, "/close");
  struct probe third = post(s, "/ok");
  perform(e, &first);
  perform(e, &second);
  CHECK(failed_as(&second, AR_E_CONNECTION_CLOSED),
        "a kept connection that is closed after the request is an error");
  CHECK(second.x.sent && second.outcome.reused && s->requests == 2,
        "two calls are two requests, not %d", s->requests);
  perform(e, &third);
  CHECK(ended_well(&third, 200) && !third.outcome.reused,
        "and the next has a new connection");
  ar_engine_free(e);
  stop_server(s);
}

static void renews_what_was_closed(void) {
  struct server *s = serve(NULL);
  struct ar_engine *e = new_engine();
  struct probe first = post(s, "/bye"), second = post(s, "/ok");
  perform(e, &first);
  while (s->closed < 1) pause_for(1);
  perform(e, &second);
  CHECK(ended_well(&second, 200) && !second.outcome.reused,
        "a kept connection found closed is replaced in silence");
  CHECK(s->requests == 2 && s->opened == 2, "by one other");
  ar_engine_free(e);
  stop_server(s);
}

static void refuses_what_is_not_there(struct ar_engine *e) {
  int port, holder = bind_anywhere(&port);
  struct probe refused, unknown, no_scheme;
  refused = probe_of("GET", "http", "127.0.0.1", port, "/");
  perform(e, &refused);
  CHECK(failed_as(&refused, AR_E_CONNECT) && !refused.x.sent,
        "a refused connection is told");
  CHECK(strstr(refused.outcome.detail, "127.0.0.1") != NULL, "with its host");
  unknown = probe_of("GET", "http", "u:secret@no.invalid", 80, "/p?q");
  perform(e, &unknown);
  CHECK(failed_as(&unknown, AR_E_CONNECT) && !unknown.x.sent,
        "an unknown host is told");
  CHECK(
      strncmp(unknown.outcome.detail, "unknown host no.invalid:80: ", 28) == 0,
      "as such, without userinfo: %s", unknown.outcome.detail);
  no_scheme = probe_of("GET", "ftp", "127.0.0.1", port, "/");
  perform(e, &no_scheme);
  CHECK(failed_as(&no_scheme, AR_E_HTTP) && !no_scheme.x.sent,
        "nothing but HTTP is spoken");
  close(holder);
}

/*
** Time
*/

static void bounds_silence(struct ar_engine *e, struct server *s) {
  struct probe silent = get(s, "/hold"), slow = get(s, "/drip");
  int64_t begin = milliseconds();
  silent.x.read_timeout = 60;
  perform(e, &silent);
  CHECK(failed_as(&silent, AR_E_READ_TIMEOUT) && silent.x.sent,
        "silence ends a call");
  CHECK(milliseconds() - begin >= 60, "not before its time");
  CHECK(strstr(silent.outcome.detail, "60 ms") != NULL, "%s",
        silent.outcome.detail);
  slow.x.read_timeout = 1000;
  perform(e, &slow);
  CHECK(ended_well(&slow, 200), "every byte starts the silence anew: %s",
        slow.outcome.detail);
}

static void bounds_connecting(struct ar_engine *e) {
  struct probe p = probe_of("GET", "http", "slow.invalid", 80, "/");
  int64_t begin = milliseconds();
  p.x.connect_timeout = 200;
  perform(e, &p);
  CHECK(failed_as(&p, AR_E_CONNECT_TIMEOUT) && !p.x.sent,
        "a slow name server ends in a timeout");
  CHECK(milliseconds() - begin < 2000, "which does not wait for it");
  CHECK(strstr(p.outcome.detail, "200 ms") != NULL, "%s", p.outcome.detail);
}

/* A name is asked once for calls that go well, and again after one that has
   found no connection. */
static void asks_names_again(struct server *s) {
  struct ar_engine *e = new_engine();
  const struct {
    int port, asked;
  } rows[] = {{s->port, 1}, {s->port, 1}, {1, 2},
              {s->port, 3}, {1, 4},       {1, 5}};
  int before = slow_dns_counted;
  for (size_t i = 0; i < LENGTH(rows); i++) {
    struct probe p =
        probe_of("GET", "http", "counted.invalid", rows[i].port, "/close");
    perform(e, &p);
    CHECK(slow_dns_counted - before == rows[i].asked, "%zu: asked %d times", i,
          slow_dns_counted - before);
  }
  ar_engine_free(e);
}

static void removes_in_time(void) {
  struct ar_engine *e = new_engine();
  struct probe p = probe_of("GET", "http", "slow.invalid", 80, "/");
  struct probe left = probe_of("GET", "http", "slow.invalid", 81, "/");
  int64_t begin;
  int before = slow_dns_waiting;
  add(e, &p);
  add(e, &left);
  while (slow_dns_waiting < before + 2) {
    ar_engine_wait(e, 1);
    ar_engine_step(e, 2000);
  }
  begin = milliseconds();
  ar_engine_remove(e, &p.x);
  CHECK(p.references == 0 && p.finished == 0, "a removal is silent");
  ar_engine_free(e);
  CHECK(left.references == 0 && left.finished == 0, "so is the engine's end");
  CHECK(milliseconds() - begin < 1000, "neither waits for the name server");
}

static void removes_in_flight(struct ar_engine *e, struct server *s) {
  struct probe held = get(s, "/hold"), queued = get(s, "/ok");
  struct probe done = get(s, "/ok"), after = get(s, "/ok");
  int before = s->requests;
  struct ar_err err;
  add(e, &held);
  CHECK(ar_engine_add(e, &held.x, &err) == AR_E_HTTP, "not twice");
  drive_until_sent(e, s, before + 1);
  ar_engine_remove(e, &held.x);
  add(e, &queued);
  ar_engine_remove(e, &queued.x);
  add(e, &done);
  do {
    ar_engine_wait(e, -1);
    ar_engine_step(e, -1);
  } while (done.body_n == 0);
  ar_engine_remove(e, &done.x);
  ar_engine_remove(e, &done.x);
  CHECK(!ar_engine_next_done(e), "nothing is done");
  CHECK(held.finished + queued.finished + done.finished == 0 &&
            held.references + queued.references + done.references == 0,
        "in whatever state, a removal releases and is silent");
  CHECK(ar_engine_stats(e)->in_flight == 0, "nothing is in flight");
  perform(e, &after);
  CHECK(ended_well(&after, 200), "and the engine goes on");
}

static void keeps_to_its_budget(struct ar_engine *e, struct server *s) {
  struct probe p[20];
  int finished = 0, more = 0;
  for (size_t i = 0; i < LENGTH(p); i++) {
    p[i] = get(s, "/ok");
    add(e, &p[i]);
    CHECK(ar_engine_timeout(e) == 0, "there is something to do at once");
  }
  while (finished < (int)LENGTH(p)) {
    ar_engine_wait(e, -1);
    more += ar_engine_step(e, 0);
    while (ar_engine_next_done(e)) finished++;
  }
  CHECK(more >= (int)LENGTH(p), "without a budget it is one thing a step");
  for (size_t i = 0; i < LENGTH(p); i++)
    CHECK(ended_well(&p[i], 200), "call %zu succeeds", i);
}

/*
** Certificates
*/

struct identity {
  X509 *certificate;
  EVP_PKEY *key;
};

static void extend(X509 *x, int nid, const char *value) {
  X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
  X509_add_ext(x, ext, -1);
  X509_EXTENSION_free(ext);
}

/* A certificate for `name` (a subjectAltName), or an authority's own. */
static struct identity certify(const char *name, const struct identity *by) {
  struct identity id = {X509_new(), EVP_EC_gen("P-256")};
  X509_NAME *subject = X509_get_subject_name(id.certificate);
  X509_set_version(id.certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(id.certificate), by ? 2 : 1);
  X509_gmtime_adj(X509_getm_notBefore(id.certificate), -3600);
  X509_gmtime_adj(X509_getm_notAfter(id.certificate), 86400);
  X509_set_pubkey(id.certificate, id.key);
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                             (const unsigned char *)(by ? "leaf" : "CA"), -1,
                             -1, 0);
  X509_set_issuer_name(id.certificate,
                       by ? X509_get_subject_name(by->certificate) : subject);
  if (by)
    extend(id.certificate, NID_subject_alt_name, name);
  else
    extend(id.certificate, NID_basic_constraints, "critical,CA:TRUE");
  X509_sign(id.certificate, by ? by->key : id.key, EVP_sha256());
  return id;
}

static SSL_CTX *context_of(struct identity id) {
  SSL_CTX *context = SSL_CTX_new(TLS_server_method());
  SSL_CTX_use_certificate(context, id.certificate);
  SSL_CTX_use_PrivateKey(context, id.key);
  X509_free(id.certificate);
  EVP_PKEY_free(id.key);
  return context;
}

static struct {
  char directory[64], file[128], link[128];
  SSL_CTX *right, *wrong; /* with the server's name, and with another */
} trust;

static void write_authority(const struct identity *ca) {
  FILE *file;
  snprintf(trust.directory, sizeof trust.directory, "/tmp/engine_test.XXXXXX");
  if (mkdtemp(trust.directory) == NULL) exit(3);
  snprintf(trust.file, sizeof trust.file, "%s/ca.pem", trust.directory);
  snprintf(trust.link, sizeof trust.link, "%s/%08lx.0", trust.directory,
           X509_subject_name_hash(ca->certificate));
  file = fopen(trust.file, "w");
  if (file == NULL) exit(3);
  PEM_write_X509(file, ca->certificate);
  fclose(file);
  if (symlink("ca.pem", trust.link) != 0) exit(3);
}

static void make_trust(void) {
  struct identity ca = certify(NULL, NULL);
  write_authority(&ca);
  trust.right = context_of(certify("IP:127.0.0.1", &ca));
  trust.wrong = context_of(certify("DNS:other.example", &ca));
  X509_free(ca.certificate);
  EVP_PKEY_free(ca.key);
}

static void drop_trust(void) {
  SSL_CTX_free(trust.right);
  SSL_CTX_free(trust.wrong);
  unlink(trust.link);
  unlink(trust.file);
  rmdir(trust.directory);
}

static struct probe get_tls(const struct server *s, const char *path) {
  return probe_of("GET", "https", "127.0.0.1", s->port, path);
}

static void checks_certificates(void) {
  struct server *right = serve(trust.right), *wrong = serve(trust.wrong);
  const struct {
    const struct server *server;
    const char *ca_bundle;
    bool verify;
    enum ar_code code;
    const char *what;
  } rows[] = {
      {right, NULL, true, AR_E_TLS, "an unknown authority"},
      {right, trust.file, true, AR_OK, "a bundle"},
      {right, NULL, true, AR_E_TLS, "an unknown authority after that"},
      {right, trust.directory, true, AR_OK, "a directory"},
      {right, NULL, false, AR_OK, "no check"},
      {right, NULL, true, AR_E_TLS, "a check after none"},
      {right, "/nowhere/ca.pem", true, AR_E_TLS, "a missing bundle"},
      {wrong, trust.file, true, AR_E_TLS, "a wrong name"},
      {wrong, NULL, false, AR_OK, "no check of the name"},
  };
  struct ar_engine *e = new_engine();
  ERR_clear_error();
  for (size_t i = 0; i < LENGTH(rows); i++) {
    struct probe p = get_tls(rows[i].server, "/ok");
    p.x.ca_bundle = rows[i].ca_bundle;
    p.x.verify = rows[i].verify;
    perform(e, &p);
    CHECK(rows[i].code ? failed_as(&p, rows[i].code) : ended_well(&p, 200),
          "%s: %s", rows[i].what, p.outcome.detail);
    CHECK(!p.outcome.reused && p.x.sent == !rows[i].code,
          "%s sends where it should", rows[i].what);
    CHECK(ERR_peek_error() == 0, "%s leaves no error behind", rows[i].what);
  }
  ar_engine_free(e);
  stop_server(right);
  stop_server(wrong);
}

/* Both together would have libcurl parse the bundle for each connection. */
static void trusts_one_store(void) {
  const struct ar_authorities *a = ar_library_authorities();
  CHECK(a->file == NULL || a->directory == NULL,
        "the system's store is a directory or a bundle");
}

/*
** Proxies
*/

static const char *proxy_of(const struct server *s, const char *user) {
  static char url[4][256];
  static int turn;
  char *to = url[turn++ % 4];
  snprintf(to, sizeof url[0], "%s://%s127.0.0.1:%d", s->tls ? "https" : "http",
           user, s->port);
  return to;
}

static struct probe get_through(const struct server *proxy, const char *user,
                                const struct server *s, const char *path) {
  struct probe p = s->tls ? get_tls(s, path) : get(s, path);
  p.x.ca_bundle = trust.file;
  p.x.proxy = proxy_of(proxy, user);
  return p;
}

static void tunnels_to_https(void) {
  struct server *s = serve(trust.right), *proxy = serve(NULL);
  struct ar_engine *e = new_engine();
  char expected[512];
  for (int i = 0; i < 2; i++) {
    struct probe p = get_through(proxy, "us%40er:se%3Acret@", s, "/echo");
    perform(e, &p);
    CHECK(ended_well(&p, 200) && p.x.sent, "it goes through: %s",
          p.outcome.detail);
    CHECK(p.outcome.reused == (i > 0), "in a tunnel that is kept");
    CHECK(strstr(p.head, "X-Proxy") == NULL, "the proxy's head is not told");
    CHECK(strncmp(p.body, "GET /echo HTTP/1.1\r\nHost: apprunner.example\r\n",
                  45) == 0 &&
              strcasestr(p.body, "proxy") == NULL,
          "the server gets what was given, and nothing of the proxy's: %s",
          p.body);
  }
  snprintf(expected, sizeof expected,
           "CONNECT 127.0.0.1:%d HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n"
           "Proxy-Authorization: Basic dXNAZXI6c2U6Y3JldA==\r\n"
           "Proxy-Connection: Keep-Alive\r\n\r\n",
           s->port, s->port);
  CHECK(strcmp(proxy->asked, expected) == 0,
        "the proxy gets user and password, and no header of ours: %s",
        proxy->asked);
  CHECK(proxy->requests == 1 && s->requests == 2, "one tunnel, two calls");
  ar_engine_free(e);
  stop_server(proxy);
  stop_server(s);
}

/* The proxy is the server here: it answers itself. */
static void forwards_http(void) {
  static const struct ar_header_line headers[] = {{"Host: a.example", 4}};
  static const struct {
    const char *user, *authorization;
  } rows[] = {
      {"user:secret@", "Proxy-Authorization: Basic dXNlcjpzZWNyZXQ=\r\n"},
      {"", ""}};
  struct server *proxy = serve(NULL);
  struct ar_engine *e = new_engine();
  struct probe direct = get(proxy, "/echo");
  for (size_t i = 0; i < LENGTH(rows); i++) {
    struct probe p =
        probe_of("GET", "http", "a.example", 8080, "/a/../b//%7E?c=%2f");
    char expected[512];
    p.x.headers = headers;
    p.x.header_count = 1;
    p.x.proxy = proxy_of(proxy, rows[i].user);
    perform(e, &p);
    snprintf(expected, sizeof expected,
             "GET http://a.example:8080/a/../b//%%7E?c=%%2f HTTP/1.1\r\n"
             "Host: a.example\r\n%s\r\n",
             rows[i].authorization);
    CHECK(ended_well(&p, 200) && strcmp(p.body, expected) == 0,
          "the URL and no header too much: %s%s", p.outcome.detail, p.body);
  }
  perform(e, &direct);
  CHECK(ended_well(&direct, 200) && strcasestr(direct.body, "proxy") == NULL,
        "nothing is left of it without a proxy: %s", direct.body);
  ar_engine_free(e);
  stop_server(proxy);
}

static void check_proxy_failed(const struct probe *p, const char *what) {
  CHECK(failed_as(p, AR_E_PROXY) && !p->x.sent, "%s is the proxy's fault",
        what);
  CHECK(p->outcome.status == 0 && p->head_n == 0 && p->body_n == 0,
        "%s is no answer", what);
  CHECK(strstr(p->outcome.detail, "secret") == NULL &&
            strstr(p->outcome.detail, "user") == NULL,
        "nobody's password is told: %s", p->outcome.detail);
  CHECK(strstr(p->outcome.detail, "the proxy ") == p->outcome.detail,
        "the proxy is named: %s", p->outcome.detail);
}

static void tells_what_the_proxy_broke(void) {
  static const char *const rows[] = {
      "HTTP/1.1 407 Authentication Required\r\n"
      "Proxy-Authenticate: Basic realm=\"user\"\r\n"
      "Content-Length: 2\r\n\r\nno",
      "HTTP/1.1 407 Authentication Required\r\nContent-Length: 0\r\n\r\n",
      "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 5\r\n\r\nsorry",
      "HTTP/1.1 302 Found\r\nLocation: http://user:secret@other/\r\n\r\n",
      "HTTP/1.1 200 OK\r\nX: ",
      "SSH-2.0-x\r\n\r\n",
      "\r\n",
      "x",
  };
  struct server *s = serve(trust.right), *proxy = serve(NULL);
  struct ar_engine *e = new_engine();
  for (size_t i = 0; i < LENGTH(rows); i++) {
    struct probe p = get_through(proxy, "user:secret@", s, "/ok");
    proxy->connect = rows[i];
    perform(e, &p);
    check_proxy_failed(&p, rows[i]);
  }
  CHECK(proxy->requests == (int)LENGTH(rows), "each was asked for once");
  CHECK(s->opened == 0, "nothing came to the server");
  ar_engine_free(e);
  stop_server(proxy);
  stop_server(s);
}

static void refuses_proxies_that_are_not_there(struct ar_engine *e) {
  static const char *const urls[] = {"http://user:secret@no.invalid:80",
                                     "http://user:secret@[:80",
                                     "gopher://user:secret@127.0.0.1:80"};
  static const char *const schemes[] = {"http", "https"};
  char refused[64];
  int port, holder = bind_anywhere(&port);
  snprintf(refused, sizeof refused, "http://user:secret@127.0.0.1:%d", port);
  for (size_t i = 0; i < LENGTH(schemes); i++) {
    struct probe p = probe_of("GET", schemes[i], "127.0.0.1", port, "/");
    p.x.proxy = refused;
    perform(e, &p);
    check_proxy_failed(&p, "a refused connection");
    for (size_t j = 0; j < LENGTH(urls); j++) {
      struct probe other = probe_of("GET", schemes[i], "127.0.0.1", port, "/");
      other.x.proxy = urls[j];
      perform(e, &other);
      check_proxy_failed(&other, urls[j]);
    }
  }
  close(holder);
}

static void bounds_tunnelling(struct ar_engine *e) {
  struct server *s = serve(trust.right), *proxy = serve(NULL);
  struct probe p = get_through(proxy, "", s, "/ok"), held = p;
  struct ar_err err;
  int64_t begin = milliseconds();
  proxy->connect = "";
  p.x.connect_timeout = 200;
  perform(e, &p);
  CHECK(failed_as(&p, AR_E_CONNECT_TIMEOUT) && !p.x.sent,
        "a silent proxy ends in a timeout");
  CHECK(milliseconds() - begin < 5000, "in time");
  held.x.url = held.url;
  CHECK(ar_engine_add(e, &held.x, &err) == AR_OK, "one more");
  drive_until_sent(e, proxy, 2);
  ar_engine_remove(e, &held.x);
  CHECK(held.references == 0 && held.finished == 0,
        "a removal does not wait for the proxy");
  stop_server(proxy);
  stop_server(s);
}

/* Whatever the environment names, in libcurl's own ways. */
static void knows_no_environment(struct ar_engine *e) {
  static const char *const names[] = {"http_proxy", "https_proxy",
                                      "HTTPS_PROXY", "all_proxy", "ALL_PROXY"};
  struct server *s = serve(NULL), *tls = serve(trust.right);
  struct server *proxy = serve(NULL);
  struct probe plain = get(s, "/ok"), secure = get_tls(tls, "/ok");
  struct probe through = get_through(proxy, "", tls, "/ok");
  char nowhere[64];
  int port, holder = bind_anywhere(&port);
  snprintf(nowhere, sizeof nowhere, "http://127.0.0.1:%d", port);
  for (size_t i = 0; i < LENGTH(names); i++) setenv(names[i], nowhere, 1);
  setenv("no_proxy", "*", 1);
  setenv("NO_PROXY", "127.0.0.1", 1);
  perform(e, &through);
  CHECK(ended_well(&through, 200) && proxy->requests == 1,
        "no_proxy exempts nothing: %s", through.outcome.detail);
  unsetenv("no_proxy");
  unsetenv("NO_PROXY");
  secure.x.ca_bundle = trust.file;
  perform(e, &plain);
  perform(e, &secure);
  CHECK(ended_well(&plain, 200) && ended_well(&secure, 200),
        "without a proxy there is none: %s", secure.outcome.detail);
  for (size_t i = 0; i < LENGTH(names); i++) unsetenv(names[i]);
  stop_server(proxy);
  stop_server(tls);
  stop_server(s);
  close(holder);
}

/* Two proxies, two users of one of them, and none, in turn. */
static void keeps_proxies_apart(void) {
  struct server *s = serve(trust.right), *a = serve(NULL), *b = serve(NULL);
  struct ar_engine *e = new_engine();
  const struct {
    const struct server *proxy;
    const char *user;
    bool reused;
  } rows[] = {{a, "user:one@", false}, {b, "user:one@", false},
              {NULL, "", false},       {a, "user:two@", false},
              {a, "", false},          {a, "user:one@", true},
              {b, "user:one@", true},  {NULL, "", true},
              {a, "user:two@", false}, {a, "user:one@", true}};
  for (size_t i = 0; i < LENGTH(rows); i++) {
    struct probe p = get_tls(s, "/ok");
    p.x.ca_bundle = trust.file;
    if (rows[i].proxy) p.x.proxy = proxy_of(rows[i].proxy, rows[i].user);
    perform(e, &p);
    CHECK(ended_well(&p, 200), "call %zu succeeds: %s", i, p.outcome.detail);
    CHECK(p.outcome.reused == rows[i].reused, "call %zu has the right tunnel",
          i);
  }
  CHECK(a->opened == 4 && b->opened == 1 && s->opened == 6,
        "%d and %d tunnels, %d connections", a->opened, b->opened, s->opened);
  ar_engine_free(e);
  stop_server(a);
  stop_server(b);
  stop_server(s);
}

static void checks_the_proxys_certificate(void) {
  struct server *good = serve(trust.right), *bad = serve(trust.wrong);
  struct server *plain = serve(NULL);
  const struct {
    const struct server *proxy, *server;
    const char *ca_bundle;
    bool verify;
    enum ar_code code;
    const char *what;
  } rows[] = {
      {good, good, trust.file, true, AR_OK, "TLS to both"},
      {good, plain, trust.file, true, AR_OK, "TLS to the proxy alone"},
      {good, good, trust.directory, true, AR_OK, "a directory"},
      {good, good, NULL, true, AR_E_PROXY, "an unknown authority"},
      {bad, good, trust.file, true, AR_E_PROXY, "a proxy's wrong name"},
      {bad, plain, trust.file, true, AR_E_PROXY, "the same, for http"},
      {good, bad, trust.file, true, AR_E_TLS, "a server's wrong name"},
      {plain, bad, trust.file, true, AR_E_TLS, "the same, in a plain tunnel"},
      {bad, bad, NULL, false, AR_OK, "no check"},
      {bad, good, trust.file, true, AR_E_PROXY, "a check after none"},
  };
  struct ar_engine *e = new_engine();
  for (size_t i = 0; i < LENGTH(rows); i++) {
    struct probe p = get_through(rows[i].proxy, "", rows[i].server, "/echo");
    p.x.ca_bundle = rows[i].ca_bundle;
    p.x.verify = rows[i].verify;
    perform(e, &p);
    CHECK(rows[i].code ? failed_as(&p, rows[i].code) : ended_well(&p, 200),
          "%s: %s", rows[i].what, p.outcome.detail);
    CHECK(p.x.sent == !rows[i].code, "%s sends where it should", rows[i].what);
    if (rows[i].code == AR_E_PROXY) check_proxy_failed(&p, rows[i].what);
    CHECK(ERR_peek_error() == 0, "%s leaves no error behind", rows[i].what);
  }
  ar_engine_free(e);
  stop_server(good);
  stop_server(bad);
  stop_server(plain);
}

/*
** The host
*/

static bool sigpipe_is_pending(void) {
  sigset_t set;
  sigpending(&set);
  return sigismember(&set, SIGPIPE) == 1;
}

/* Uploads to a server that resets the connection early on. */
static void upload_into_the_void(struct ar_engine *e, struct server *s) {
  size_t n = 8u << 20;
  char *body = calloc(n, 1);
  struct probe p = post(s, "/early");
  if (s->tls) p = probe_of("POST", "https", "127.0.0.1", s->port, "/early");
  p.x.ca_bundle = trust.file;
  p.x.body = ar_str_n(body, n);
  perform(e, &p);
  CHECK(failed_as(&p, AR_E_CONNECTION_CLOSED) && p.x.sent,
        "the connection was closed");
  free(body);
}

static void survives_broken_pipes(void) {
  SSL_CTX *tls[] = {NULL, trust.right};
  for (size_t i = 0; i < LENGTH(tls); i++) {
    struct server *s = serve(tls[i]);
    struct ar_engine *e = new_engine();
    struct sigaction action;
    sigset_t mask;
    upload_into_the_void(e, s);
    sigaction(SIGPIPE, NULL, &action);
    pthread_sigmask(SIG_BLOCK, NULL, &mask);
    CHECK(action.sa_handler == SIG_DFL, "the disposition is untouched");
    CHECK(!sigismember(&mask, SIGPIPE), "so is the mask");
    ar_engine_free(e);
    stop_server(s);
  }
}

/* The system's resolver writes to connections of its own. */
static void guards_lookups(struct server *s) {
  struct ar_engine *e = new_engine();
  struct probe p = probe_of("GET", "http", "counted.invalid", s->port, "/ok");
  int asked = slow_dns_counted;
  perform(e, &p);
  CHECK(ended_well(&p, 200) && slow_dns_counted == asked + 1,
        "a name was looked up");
  CHECK(slow_dns_unguarded == 0, "with SIGPIPE blocked, as every name");
  ar_engine_free(e);
}

static void leaves_foreign_signals(struct ar_engine *e) {
  static const struct timespec at_once = {0, 0};
  sigset_t pipe = block_sigpipe();
  ar_engine_step(e, -1);
  CHECK(!sigpipe_is_pending(), "no SIGPIPE is left");
  raise(SIGPIPE);
  ar_engine_step(e, -1);
  CHECK(sigpipe_is_pending(), "a SIGPIPE of the host's is left to it");
  sigtimedwait(&pipe, NULL, &at_once);
  pthread_sigmask(SIG_UNBLOCK, &pipe, NULL);
}

static bool is_inherited(int fd) {
  struct sockaddr_in a;
  socklen_t n = sizeof a;
  bool is_socket = getsockname(fd, (struct sockaddr *)&a, &n) == 0;
  return is_socket && !(fcntl(fd, F_GETFD) & FD_CLOEXEC);
}

static void passes_on_no_descriptor(struct ar_engine *e, struct server *s) {
  struct probe p = get(s, "/hold");
  DIR *all = opendir("/proc/self/fd");
  add(e, &p);
  drive_until_sent(e, s, s->requests + 1);
  CHECK(fcntl(ar_engine_fd(e), F_GETFD) & FD_CLOEXEC,
        "the engine's descriptor is closed on exec");
  for (struct dirent *d; all != NULL && (d = readdir(all)) != NULL;)
    CHECK(!is_inherited((int)strtol(d->d_name, NULL, 10)),
          "so is every connection, and libcurl's own pair (%s)", d->d_name);
  if (all != NULL) closedir(all);
  ar_engine_remove(e, &p.x);
}

/* A child's verdict; it ends as another program, without any clean-up. */
static void act_as_child(struct ar_engine *e, struct probe *p, int report) {
  struct probe other = *p;
  struct ar_err err;
  bool ok = ar_engine_forked(e) && !ar_engine_step(e, -1);
  other.x.performer = NULL;
  ok = ok && ar_engine_add(e, &other.x, &err) == AR_E_HTTP;
  ar_engine_free(e);
  ok = ok && p->references == 0 && p->finished == 0;
  if (write(report, ok ? "y" : "n", 1) == 1)
    execl("/bin/true", "true", (char *)NULL);
  _exit(1);
}

/* Of a child of ours, while `p` is in flight. */
static void check_child(struct ar_engine *e, struct probe *p) {
  char verdict = 'n';
  int report[2];
  pid_t child;
  if (pipe(report) != 0) exit(3);
  child = fork();
  if (child == 0) act_as_child(e, p, report[1]);
  CHECK(read(report[0], &verdict, 1) == 1 && verdict == 'y',
        "a child knows that the engine is not its own, and can drop it");
  waitpid(child, NULL, 0);
  CHECK(!ar_engine_forked(e), "the parent's is");
  close(report[0]);
  close(report[1]);
}

static void leaves_forks_alone(void) {
  struct server *s = serve(trust.right);
  struct ar_engine *e = new_engine();
  struct probe first = get_tls(s, "/ok"), held = get_tls(s, "/drip");
  struct probe last = get_tls(s, "/ok");
  first.x.ca_bundle = held.x.ca_bundle = last.x.ca_bundle = trust.file;
  perform(e, &first);
  add(e, &held);
  drive_until_sent(e, s, 2);
  check_child(e, &held);
  while (!held.finished) drive(e);
  CHECK(ended_well(&held, 200), "the call in flight ends well: %s",
        held.outcome.detail);
  perform(e, &last);
  CHECK(ended_well(&last, 200) && last.outcome.reused && s->opened == 1,
        "on the same connection, as does the next");
  ar_engine_free(e);
  stop_server(s);
}

/*
** Many
*/

static void serves_many(void) {
  enum { CALLS = 300 };
  struct server *s = serve(NULL);
  struct ar_engine *e = new_engine();
  struct probe *p = calloc(CALLS, sizeof *p);
  int finished = 0;
  for (size_t i = 0; i < CALLS; i++) {
    p[i] = get(s, "/ok");
    add(e, &p[i]);
  }
  while (finished < CALLS) {
    ar_engine_wait(e, -1);
    ar_engine_step(e, 2000);
    while (ar_engine_next_done(e)) finished++;
  }
  finished = 0;
  for (size_t i = 0; i < CALLS; i++) finished += ended_well(&p[i], 200);
  CHECK(finished == CALLS, "%d of %d calls end well", finished, CALLS);
  CHECK(s->opened <= 64, "on at most 64 connections, not %d", s->opened);
  CHECK(s->requests == CALLS, "each once");
  ar_engine_free(e);
  stop_server(s);
  free(p);
}

/*
** More than a server gets connections: 64 wait at its gate, the others in the
** engine.
*/

enum { LET_IN = 64, CROWD = 200 };

struct crowd {
  struct server *s;
  struct ar_engine *e;
  struct probe p[CROWD];
};

static struct crowd *new_crowd(void) {
  struct crowd *c = calloc(1, sizeof *c);
  c->s = serve(NULL);
  c->e = new_engine();
  for (size_t i = 0; i < CROWD; i++) c->p[i] = get(c->s, "/gate");
  return c;
}

/* Adds some and has sent what may be. */
static void gather(struct crowd *c, size_t from, size_t to) {
  for (size_t i = from; i < to; i++) add(c->e, &c->p[i]);
  if (from == 0) drive_until_sent(c->e, c->s, LET_IN);
}

static void open_gate(struct crowd *c) {
  c->s->gate = true;
  while (ar_engine_stats(c->e)->in_flight > 0) drive(c->e);
}

static int sum_of(const struct crowd *c, int (*what)(const struct probe *)) {
  int sum = 0;
  for (size_t i = 0; i < CROWD; i++) sum += what(&c->p[i]);
  return sum;
}

static int is_well(const struct probe *p) {
  return p->finished == 1 && ended_well(p, 200);
}

static int is_referred_to(const struct probe *p) {
  return p->references;
}

static void end_crowd(struct crowd *c) {
  CHECK(sum_of(c, is_referred_to) == 0, "all are let go");
  c->s->gate = true;
  stop_server(c->s);
  free(c);
}

static void holds_back_a_crowd(void) {
  struct crowd *c = new_crowd();
  struct server *other = serve(NULL);
  struct probe elsewhere = get(other, "/ok");
  gather(c, 0, CROWD);
  add(c->e, &elsewhere);
  while (!elsewhere.finished) drive(c->e);
  CHECK(ended_well(&elsewhere, 200), "another server is served meanwhile");
  CHECK(c->s->requests == LET_IN && c->s->opened == LET_IN,
        "%d wait at the gate, on %d connections", c->s->requests,
        c->s->opened);
  CHECK(ar_engine_stats(c->e)->in_flight == CROWD, "all are in flight");
  open_gate(c);
  CHECK(sum_of(c, is_well) == CROWD, "all end well");
  CHECK(c->s->requests == CROWD && c->s->opened == LET_IN,
        "on the same connections");
  ar_engine_free(c->e);
  stop_server(other);
  end_crowd(c);
}

/* A transfer of libcurl's is some 8 KiB. */
static void holds_back_for_little(void) {
  struct crowd *c = new_crowd();
  size_t before, after;
  gather(c, 0, LET_IN + 1);
  before = mallinfo2().uordblks;
  gather(c, LET_IN + 1, CROWD);
  ar_engine_step(c->e, -1);
  after = mallinfo2().uordblks;
  CHECK(after < before + (CROWD - LET_IN - 1) * 256,
        "those that are held take few bytes: %zu, then %zu", before, after);
  ar_engine_free(c->e);
  end_crowd(c);
}

static void lets_in_by_turns(void) {
  struct crowd *c = new_crowd();
  gather(c, 0, CROWD);
  ar_engine_remove(c->e, &c->p[LET_IN + 1].x);
  CHECK(c->p[LET_IN + 1].references == 0 && !c->p[LET_IN + 1].finished,
        "a removal of one that is held is silent");
  for (int i = 0; i < 3; i++) {
    struct probe *next = &c->p[LET_IN + i + (i > 0)];
    ar_engine_remove(c->e, &c->p[i].x);
    drive_until_sent(c->e, c->s, LET_IN + i + 1);
    CHECK(next->x.sent && !next[1 + (i == 0)].x.sent, "%d: the next is in", i);
  }
  CHECK(ar_engine_stats(c->e)->in_flight == CROWD - 4, "the rest is left");
  open_gate(c);
  CHECK(sum_of(c, is_well) == CROWD - 4 && c->s->requests == CROWD - 1,
        "and ends well");
  CHECK(!c->p[LET_IN + 1].x.sent, "what was removed was not sent");
  ar_engine_free(c->e);
  end_crowd(c);
}

static void counts_no_time_before_its_turn(void) {
  struct crowd *c = new_crowd();
  struct probe *late = &c->p[LET_IN];
  int64_t begin = milliseconds();
  late->x.connect_timeout = late->x.read_timeout = 400;
  gather(c, 0, LET_IN + 1);
  while (milliseconds() < begin + 600) {
    ar_engine_wait(c->e, 20);
    ar_engine_step(c->e, -1);
  }
  CHECK(!late->x.sent && !ar_engine_next_done(c->e), "it waits for its turn");
  open_gate(c);
  CHECK(is_well(late), "as long as it takes: %s", late->outcome.detail);
  ar_engine_free(c->e);
  end_crowd(c);
}

static void drops_a_crowd(void) {
  struct crowd *c = new_crowd();
  gather(c, 0, CROWD);
  check_child(c->e, &c->p[CROWD - 1]);
  CHECK(sum_of(c, is_referred_to) == CROWD, "all are in flight");
  ar_engine_free(c->e);
  CHECK(c->s->requests == LET_IN, "none is sent that was held");
  end_crowd(c);
}

/* libcurl takes no URL of over 8 MB. */
static void tells_of_what_it_cannot_start(struct ar_engine *e) {
  struct probe p = probe_of("GET", "http", "127.0.0.1", 1, "/");
  size_t n = 9u << 20;
  char *url = malloc(n + 1);
  struct ar_err err;
  memset(url, 'a', n);
  memcpy(url, p.url, strlen(p.url));
  url[n] = '\0';
  p.x.url = url;
  CHECK(ar_engine_add(e, &p.x, &err) == AR_OK, "it is taken");
  while (!p.finished) drive(e);
  CHECK(failed_as(&p, AR_E_MEMORY) && !p.x.sent && p.references == 0,
        "what cannot be started ends");
  CHECK(ar_engine_stats(e)->in_flight == 0 && ar_engine_timeout(e) == -1,
        "and is not awaited any more");
  free(url);
}

static void goes_beyond_1024_descriptors(void) {
  static int taken[1100];
  struct rlimit limit, more;
  getrlimit(RLIMIT_NOFILE, &limit);
  more = limit;
  if (more.rlim_cur < 2048) more.rlim_cur = 2048;
  if (more.rlim_max != RLIM_INFINITY && more.rlim_max < 2048) {
    printf("note: descriptors are limited to %lu\n",
           (unsigned long)more.rlim_max);
    return;
  }
  setrlimit(RLIMIT_NOFILE, &more);
  for (size_t i = 0; i < LENGTH(taken); i++)
    taken[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
  CHECK(taken[LENGTH(taken) - 1] >= 1024, "over 1024 descriptors are open");
  serves_many();
  for (size_t i = 0; i < LENGTH(taken); i++) close(taken[i]);
  setrlimit(RLIMIT_NOFILE, &limit);
}

/* An exchange that is added again from its own finish. */
static struct ar_engine *again_engine;

static void finish_and_add(struct ar_exchange *x,
                           const struct ar_outcome *outcome) {
  struct probe *p = AR_OWNER(struct probe, x, x);
  struct ar_err err;
  probe_finish(x, outcome);
  if (p->finished == 1)
    CHECK(ar_engine_add(again_engine, x, &err) == AR_OK, "it is taken again");
}

static void adds_from_finish(struct ar_engine *e, struct server *s) {
  struct probe p = get(s, "/ok");
  again_engine = e;
  p.x.finish = finish_and_add;
  add(e, &p);
  while (p.finished < 2) drive(e);
  CHECK(ended_well(&p, 200) && p.references == 0, "an exchange goes twice");
}

static void ends_without_harm(struct server *s) {
  struct ar_engine *e = new_engine();
  struct probe queued = get(s, "/ok"), held = get(s, "/hold");
  add(e, &held);
  drive_until_sent(e, s, s->requests + 1);
  add(e, &queued);
  ar_engine_free(e);
  CHECK(queued.references == 0 && held.references == 0,
        "an engine's end releases what is in flight");
  ar_engine_free(NULL);
}

int main(void) {
  struct server *s;
  struct ar_engine *e;
  alarm(300);
  make_trust();
  s = serve(NULL);
  e = new_engine();
  passes_on_no_descriptor(e, s);
  sends_what_was_given(e, s);
  adds_no_header(e, s);
  keeps_the_path(e, s);
  sends_every_method(e, s);
  heads_have_no_body(e, s);
  leaves_nothing_for_the_next(e, s);
  reads_answers(e, s);
  tells_what_broke(e, s);
  stops_what_is_refused(e, s);
  refuses_what_is_not_there(e);
  bounds_silence(e, s);
  bounds_connecting(e);
  removes_in_flight(e, s);
  keeps_to_its_budget(e, s);
  adds_from_finish(e, s);
  tells_of_what_it_cannot_start(e);
  leaves_foreign_signals(e);
  asks_names_again(s);
  guards_lookups(s);
  ends_without_harm(s);
  refuses_proxies_that_are_not_there(e);
  bounds_tunnelling(e);
  knows_no_environment(e);
  ar_engine_free(e);
  stop_server(s);
  keeps_connections();
  never_sends_twice();
  renews_what_was_closed();
  removes_in_time();
  trusts_one_store();
  checks_certificates();
  tunnels_to_https();
  forwards_http();
  tells_what_the_proxy_broke();
  keeps_proxies_apart();
  checks_the_proxys_certificate();
  survives_broken_pipes();
  leaves_forks_alone();
  serves_many();
  holds_back_a_crowd();
  holds_back_for_little();
  lets_in_by_turns();
  counts_no_time_before_its_turn();
  drops_a_crowd();
  goes_beyond_1024_descriptors();
  drop_trust();
  while (slow_dns_waiting > 0) pause_for(10);
  return checked();
}
