/*
** What passed through the engine is nowhere in the process once it was freed:
** a program that looks through its own writable memory for what it sent and
** for what it was answered. The server is a child, so that its copies are not
** found; the texts that are looked for never stand in memory but where they
** are used, since all that is kept of them is masked.
*/
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../src/curl/engine.h"
#include "../../src/curl/library.h"
#include "kit.h"

#define LONG 48    /* a marker's length, a multiple of 3 for base64 */
#define MASK 0xa5u /* makes no letter a letter */
#define LARGEST ((uint64_t)1 << 26) /* a sanitizer's own maps are larger */

struct marker {
  unsigned char masked[LONG * 4 / 3];
  size_t n;
};

static struct marker sent, answered, password, encoded;

static struct marker new_marker(void) {
  static const char letters[] = "abcdefghijklmnop";
  struct marker m = {.n = LONG};
  RAND_bytes(m.masked, LONG);
  for (size_t i = 0; i < LONG; i++)
    m.masked[i] = (unsigned char)((unsigned)letters[m.masked[i] & 15u] ^ MASK);
  return m;
}

static void reveal(const struct marker *m, char *out) {
  for (size_t i = 0; i < m->n; i++)
    out[i] = (char)((unsigned)m->masked[i] ^ MASK);
  out[m->n] = '\0';
}

static bool is_revealed(const struct marker *m, size_t at, const char *p,
                        size_t n) {
  if (at + n > m->n) return false;
  for (size_t i = 0; i < n; i++)
    if (((unsigned char)p[i] ^ MASK) != m->masked[at + i]) return false;
  return true;
}

/* As it stands in Basic authorisation, after six letters and no more. */
static struct marker encode(const struct marker *m) {
  struct marker e = {.n = LONG * 4 / 3};
  char plain[LONG + 1];
  unsigned char text[LONG * 4 / 3 + 1];
  reveal(m, plain);
  EVP_EncodeBlock(text, (unsigned char *)plain, LONG);
  for (size_t i = 0; i < e.n; i++)
    e.masked[i] = (unsigned char)(text[i] ^ MASK);
  ar_wipe(plain, sizeof plain);
  ar_wipe(text, sizeof text);
  return e;
}

/*
** The look through memory
*/

static char window[1 << 20];

static int count_in(const struct marker *m, const char *p, size_t n) {
  int found = 0;
  for (size_t i = 0; i + m->n <= n; i++)
    found += is_revealed(m, 0, p + i, m->n);
  return found;
}

static int count_between(const struct marker *m, int memory, uint64_t from,
                         uint64_t to) {
  int found = 0;
  while (from < to) {
    size_t want =
        to - from < sizeof window ? (size_t)(to - from) : sizeof window;
    ssize_t n = pread(memory, window, want, (off_t)from);
    if (n <= 0) break;
    found += count_in(m, window, (size_t)n);
    if ((size_t)n <= m->n) break;
    from += (uint64_t)n - (from + (uint64_t)n < to ? m->n - 1 : 0);
  }
  return found;
}

/* How often the marker stands in writable memory; the window itself is part
   of that, so more than none is not a number of copies. */
static int copies(const struct marker *m) {
  FILE *maps = fopen("/proc/self/maps", "r");
  int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC), found = 0;
  char line[512], *dash;
  while (maps != NULL && fgets(line, sizeof line, maps) != NULL) {
    uint64_t from = strtoull(line, &dash, 16);
    uint64_t to = strtoull(dash + 1, &dash, 16);
    if (strncmp(dash, " rw", 3) == 0 && to - from < LARGEST)
      found += count_between(m, memory, from, to);
  }
  if (maps != NULL) fclose(maps);
  close(memory);
  ar_wipe(window, sizeof window);
  return found;
}

/* Lest none is found for want of looking. */
static void finds_what_is_there(void) {
  struct marker m = new_marker();
  char *heap = malloc(LONG + 1), stack[LONG + 1];
  static char fixed[LONG + 1];
  char *places[] = {heap, stack, fixed};
  CHECK(copies(&m) == 0, "nothing is found that is nowhere");
  for (size_t i = 0; i < LENGTH(places); i++) {
    reveal(&m, places[i]);
    CHECK(copies(&m) > 0, "a copy is found in place %zu", i);
    ar_wipe(places[i], LONG);
    CHECK(copies(&m) == 0, "and not once it is wiped");
  }
  free(heap);
}

/*
** The server, in a process of its own: answers every request alike
*/

struct server {
  pid_t pid;
  int port;
};

static SSL_CTX *new_tls(void) {
  SSL_CTX *context = SSL_CTX_new(TLS_server_method());
  EVP_PKEY *key = EVP_EC_gen("P-256");
  X509 *certificate = X509_new();
  X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 86400);
  X509_set_pubkey(certificate, key);
  X509_sign(certificate, key, EVP_sha256());
  SSL_CTX_use_certificate(context, certificate);
  SSL_CTX_use_PrivateKey(context, key);
  X509_free(certificate);
  EVP_PKEY_free(key);
  return context;
}

static bool read_request(int fd, SSL *ssl) {
  static char text[16384];
  size_t n = 0;
  while (n < sizeof text - 1) {
    size_t room = sizeof text - 1 - n;
    ssize_t more =
        ssl ? SSL_read(ssl, text + n, (int)room) : recv(fd, text + n, room, 0);
    if (more <= 0) return false;
    n += (size_t)more;
    text[n] = '\0';
    if (strstr(text, "\r\n\r\n{}") != NULL) break;
  }
  return true;
}

static void answer(int fd, SSL *ssl) {
  char text[256];
  size_t n = (size_t)snprintf(text, sizeof text,
                              "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n"
                              "Connection: close\r\n\r\n",
                              LONG);
  reveal(&answered, text + n);
  if (ssl)
    SSL_write(ssl, text, (int)n + LONG);
  else
    send(fd, text, n + LONG, MSG_NOSIGNAL);
}

static void serve(int listener, bool tls) {
  SSL_CTX *context = tls ? new_tls() : NULL;
  for (;;) {
    int fd = accept(listener, NULL, NULL);
    SSL *ssl = tls ? SSL_new(context) : NULL;
    if (ssl) SSL_set_fd(ssl, fd);
    if ((!ssl || SSL_accept(ssl) == 1) && read_request(fd, ssl))
      answer(fd, ssl);
    if (ssl) SSL_shutdown(ssl);
    SSL_free(ssl);
    close(fd);
  }
}

static struct server start_server(bool tls) {
  struct sockaddr_in a = {.sin_family = AF_INET};
  socklen_t n = sizeof a;
  struct server s;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(fd, (struct sockaddr *)&a, n) != 0 || listen(fd, 5) != 0 ||
      getsockname(fd, (struct sockaddr *)&a, &n) != 0)
    exit(3);
  s.port = ntohs(a.sin_port);
  s.pid = fork();
  if (s.pid == 0) {
    alarm(100);
    serve(fd, tls);
  }
  close(fd);
  return s;
}

static void stop_server(struct server s) {
  kill(s.pid, SIGKILL);
  waitpid(s.pid, NULL, 0);
}

/*
** An exchange
*/

struct probe {
  struct ar_exchange x;
  size_t received; /* of the answer's body, as it should be */
  struct ar_outcome outcome;
  bool finished;
};

static void ignore(struct ar_exchange *x) {
  (void)x;
}

static bool compare(struct ar_exchange *x, enum ar_part part, const char *p,
                    size_t n) {
  struct probe *probe = AR_OWNER(struct probe, x, x);
  if (part == AR_PART_HEAD) return true;
  if (!is_revealed(&answered, probe->received, p, n)) return false;
  probe->received += n;
  return true;
}

static void finish(struct ar_exchange *x, const struct ar_outcome *outcome) {
  struct probe *probe = AR_OWNER(struct probe, x, x);
  probe->outcome = *outcome;
  probe->finished = true;
}

static void perform(struct ar_engine *e, struct probe *p) {
  struct ar_err err;
  CHECK(ar_engine_add(e, &p->x, &err) == AR_OK, "it is taken");
  while (!p->finished) {
    ar_engine_drive(e, -1);
    ar_engine_next_done(e);
  }
  CHECK(p->outcome.status == 200 && p->received == LONG,
        "the whole answer came: %s", p->outcome.detail);
}

static void send_marker(const char *url, const char *proxy) {
  char line[LONG + 32] = "X-Amz-Security-Token: ", body[LONG + 8] = "{}";
  struct ar_header_line headers[] = {{"Host: example", 4}, {line, 20}};
  struct probe p = {.received = 0};
  struct ar_engine *e = ar_engine_new(NULL);
  reveal(&sent, line + 22);
  reveal(&sent, body + 2);
  p.x = (struct ar_exchange){.method = "POST",
                             .url = url,
                             .headers = headers,
                             .header_count = LENGTH(headers),
                             .body = ar_str_n(body, LONG + 2),
                             .connect_timeout = 20000,
                             .read_timeout = 20000,
                             .proxy = proxy,
                             .retain = ignore,
                             .release = ignore,
                             .append = compare,
                             .finish = finish};
  CHECK(copies(&sent) > 0, "it stands in memory before");
  perform(e, &p);
  ar_engine_free(e);
  ar_wipe(line, sizeof line);
  ar_wipe(body, sizeof body);
}

static void check_gone(const char *what) {
  CHECK(copies(&sent) == 0, "%s: what was sent is gone", what);
  CHECK(copies(&answered) == 0, "%s: what was answered is gone", what);
}

static void leaves_nothing(bool tls) {
  struct server s = start_server(tls);
  char url[64];
  snprintf(url, sizeof url, "http%s://127.0.0.1:%d/", tls ? "s" : "", s.port);
  send_marker(url, NULL);
  check_gone(tls ? "https" : "http");
  stop_server(s);
}

static void leaves_no_password(void) {
  struct server s = start_server(false);
  char url[128] = "http://users:", port[32];
  password = new_marker();
  encoded = encode(&password);
  reveal(&password, url + 13);
  snprintf(port, sizeof port, "@127.0.0.1:%d", s.port);
  memcpy(url + 13 + LONG, port, strlen(port) + 1);
  CHECK(copies(&password) > 0, "it stands in memory before");
  send_marker("http://example.invalid/", url);
  ar_wipe(url, sizeof url);
  check_gone("a proxy");
  CHECK(copies(&password) == 0 && copies(&encoded) == 0,
        "so is the password, as it is and in base64");
  stop_server(s);
}

int main(void) {
  struct ar_err err;
  alarm(100);
  if (access("/proc/self/mem", R_OK) != 0) {
    printf("note: the process cannot read its memory as a file\n");
    return checked();
  }
  sent = new_marker();
  answered = new_marker();
  finds_what_is_there();
  CHECK(ar_library_init(&err) == AR_OK, "libcurl starts");
  leaves_nothing(false);
  leaves_no_password();
  if (ar_library_speaks_our_tls())
    leaves_nothing(true);
  else
    printf("note: libcurl's TLS is not OpenSSL\n");
  return checked();
}
