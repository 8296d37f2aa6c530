/*
** What a pause is measured against, and what measures it.
**
**   floor exchange URL REQUEST N CA    N exchanges on libcurl, multi interface
**   floor oneshot URL REQUEST CA       one, easy interface, its defaults
**   floor digests N BODY CANONICAL STRING
**                                      three digests of texts of these lengths
**   floor run COMMAND...               a whole process
**   floor keep COMMAND...              a server, until standard input ends
**
** REQUEST is a file that holds a whole request; URL says where it goes, and CA
** is a file of trusted certificates, or "-". exchange, digests and run print
** the microseconds that one took: of the clock, and of the processor; run also
** the peak of memory in KiB.
*/
#define _GNU_SOURCE
#include <curl/curl.h>
#include <openssl/evp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WARM_UP 200

static void die(const char *what) {
  fprintf(stderr, "floor: %s\n", what);
  exit(1);
}

static void *need(void *p) {
  if (p == NULL) die("not enough memory");
  return p;
}

/* --- what it took --------------------------------------------------------
 */

struct moment {
  double clock, processor; /* microseconds */
};

static double microseconds(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static struct moment now(void) {
  return (struct moment){microseconds(CLOCK_MONOTONIC),
                         microseconds(CLOCK_PROCESS_CPUTIME_ID)};
}

static void tell(struct moment begin, long n) {
  struct moment end = now();
  printf("%.4f %.4f\n", (end.clock - begin.clock) / (double)n,
         (end.processor - begin.processor) / (double)n);
}

static long count_of(const char *text) {
  long n = strtol(text, NULL, 10);
  if (n < 0 || n > 100000000) die("a number is out of range");
  return n;
}

/* --- the request ---------------------------------------------------------
 */

struct request {
  struct curl_slist *headers;
  char *body;
  size_t size;
};

static char *read_file(const char *path, size_t *size) {
  static char text[65536];
  FILE *file = fopen(path, "rb");
  if (file == NULL) die("no request");
  *size = fread(text, 1, sizeof text - 1, file);
  text[*size] = '\0';
  fclose(file);
  return text;
}

/* The headers but for those that libcurl writes itself, Host among them. */
static void read_request(const char *path, struct request *r) {
  size_t size;
  char *text = read_file(path, &size), *line = strstr(text, "\r\n");
  char *body = strstr(text, "\r\n\r\n");
  if (line == NULL || body == NULL) die("no whole request");
  r->body = body + 4;
  r->size = size - (size_t)(r->body - text);
  body[2] = '\0';
  r->headers = curl_slist_append(NULL, "Accept:");
  for (line += 2; *line != '\0';) {
    char *end = strstr(line, "\r\n");
    *end = '\0';
    if (strncasecmp(line, "Host:", 5) != 0 &&
        strncasecmp(line, "Content-Length:", 15) != 0)
      r->headers = need(curl_slist_append(r->headers, line));
    line = end + 2;
  }
}

struct answer {
  char text[65536];
  size_t n;
};

static size_t on_body(char *p, size_t size, size_t n, void *data) {
  struct answer *answer = data;
  size *= n;
  if (size > sizeof answer->text - answer->n) return 0;
  memcpy(answer->text + answer->n, p, size);
  answer->n += size;
  return size;
}

static void set_request(CURL *easy, const char *url, const struct request *r,
                        struct answer *answer, const char *ca) {
  curl_easy_setopt(easy, CURLOPT_URL, url);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, r->headers);
  curl_easy_setopt(easy, CURLOPT_POSTFIELDS, r->body);
  curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)r->size);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, answer);
  if (strcmp(ca, "-") != 0) curl_easy_setopt(easy, CURLOPT_CAINFO, ca);
}

static void check_answer(CURL *easy, CURLcode result, size_t n) {
  long status = 0;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  if (result != CURLE_OK) die(curl_easy_strerror(result));
  if (status != 200 || n == 0) die("an answer that is not the expected one");
}

/* --- commands ------------------------------------------------------------
 */

static void exchange(CURLM *multi, CURL *easy, struct answer *answer) {
  CURLMsg *message;
  int running = 1, left;
  answer->n = 0;
  curl_multi_add_handle(multi, easy);
  for (;;) {
    curl_multi_perform(multi, &running);
    if (running == 0) break;
    curl_multi_poll(multi, NULL, 0, 1000, NULL);
  }
  message = curl_multi_info_read(multi, &left);
  if (message == NULL) die("an exchange without an end");
  check_answer(easy, message->data.result, answer->n);
  curl_multi_remove_handle(multi, easy);
}

static int run_exchanges(char **argument) {
  static struct answer answer;
  struct request request;
  long n = count_of(argument[2]);
  struct moment begin;
  CURLM *multi;
  CURL *easy;
  curl_global_init(CURL_GLOBAL_DEFAULT);
  multi = need(curl_multi_init());
  easy = need(curl_easy_init());
  read_request(argument[1], &request);
  set_request(easy, argument[0], &request, &answer, argument[3]);
  for (long i = 0; i < WARM_UP; i++) exchange(multi, easy, &answer);
  begin = now();
  for (long i = 0; i < n; i++) exchange(multi, easy, &answer);
  tell(begin, n);
  curl_easy_cleanup(easy);
  curl_multi_cleanup(multi);
  curl_slist_free_all(request.headers);
  return 0;
}

static int run_oneshot(char **argument) {
  static struct answer answer;
  struct request request;
  CURLcode result;
  CURL *easy;
  curl_global_init(CURL_GLOBAL_DEFAULT);
  easy = need(curl_easy_init());
  read_request(argument[1], &request);
  set_request(easy, argument[0], &request, &answer, argument[2]);
  result = curl_easy_perform(easy);
  check_answer(easy, result, answer.n);
  curl_easy_cleanup(easy);
  curl_slist_free_all(request.headers);
  return 0;
}

static void digest(EVP_MD_CTX *ctx, const EVP_MD *md, const void *head,
                   size_t head_size, const void *text, size_t size,
                   unsigned char *out) {
  if (!EVP_DigestInit_ex2(ctx, md, NULL) ||
      !EVP_DigestUpdate(ctx, head, head_size) ||
      !EVP_DigestUpdate(ctx, text, size) ||
      !EVP_DigestFinal_ex(ctx, out, NULL))
    die("no digest");
}

/* Of the body, of the canonical request, and the HMAC in its two passes. */
static int run_digests(char **argument) {
  static unsigned char text[65536], out[EVP_MAX_MD_SIZE], pad[64];
  EVP_MD *md = need(EVP_MD_fetch(NULL, "SHA256", NULL));
  EVP_MD_CTX *ctx = need(EVP_MD_CTX_new());
  long n = count_of(argument[0]);
  size_t sizes[3];
  struct moment begin;
  for (int i = 0; i < 3; i++) {
    sizes[i] = (size_t)count_of(argument[1 + i]);
    if (sizes[i] > sizeof text) die("a text is too long");
  }
  begin = now();
  for (long i = 0; i < n; i++) {
    text[0] = (unsigned char)i;
    digest(ctx, md, "", 0, text, sizes[0], out);
    digest(ctx, md, "", 0, text, sizes[1], out);
    digest(ctx, md, pad, sizeof pad, text, sizes[2], out);
    digest(ctx, md, pad, sizeof pad, out, 32, out);
  }
  tell(begin, n);
  EVP_MD_CTX_free(ctx);
  EVP_MD_free(md);
  return 0;
}

static pid_t start(char **command) {
  pid_t child = fork();
  if (child < 0) die("no process");
  if (child > 0) return child;
  execvp(command[0], command);
  die(command[0]);
  return 0;
}

static double of_timeval(struct timeval t) {
  return (double)t.tv_sec * 1e6 + (double)t.tv_usec;
}

static int run_process(char **argument) {
  double begin = microseconds(CLOCK_MONOTONIC), end;
  struct rusage usage;
  pid_t child = start(argument);
  int status;
  if (wait4(child, &status, 0, &usage) != child) die("no child");
  end = microseconds(CLOCK_MONOTONIC);
  if (status != 0) die("the process failed");
  printf("%.1f %.1f %ld\n", end - begin,
         of_timeval(usage.ru_utime) + of_timeval(usage.ru_stime),
         usage.ru_maxrss);
  return 0;
}

/* The pipe to us ends with whoever started us, however that ends. */
static int run_server(char **argument) {
  pid_t child;
  char c;
  signal(SIGINT, SIG_IGN);
  child = start(argument);
  while (read(STDIN_FILENO, &c, 1) > 0) {
  }
  kill(child, SIGTERM);
  waitpid(child, NULL, 0);
  return 0;
}

static const struct {
  const char *name;
  int least;
  int (*run)(char **argument);
} commands[] = {{"exchange", 4, run_exchanges},
                {"oneshot", 3, run_oneshot},
                {"digests", 4, run_digests},
                {"run", 1, run_process},
                {"keep", 1, run_server}};

int main(int count, char **argument) {
  for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
    if (count >= 2 + commands[i].least &&
        strcmp(argument[1], commands[i].name) == 0)
      return commands[i].run(argument + 2);
  die("usage: floor exchange|oneshot|digests|run|keep ARGUMENTS");
  return 2;
}
