/*
** What a pause is measured against: libcurl alone, in C, which posts the same
** bytes and decodes nothing.
**
**   floor oneshot URL REQUEST CA       one, easy interface, its defaults
**   floor exchange URL REQUEST CA N    N on one connection, multi interface
**   floor signed URL REQUEST CA N      the same, signed by libcurl itself
**   floor concurrent URL REQUEST CA N CONCURRENCY
**                                      so many at a time, by epoll
**   floor memory URL REQUEST CA N      N in flight
**
** REQUEST is a file that holds a whole request; URL says where it goes, and CA
** is a file of trusted certificates, or "-". WARM_UP in the environment is how
** many go before. All but oneshot and memory print the microseconds that one
** took: of the clock, and of the processor. memory prints "0 0", and the KiB
** that one in flight takes when the first of them ends.
*/
#define _GNU_SOURCE
#include <curl/curl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "clock.h"

#define MAX_CONNECTIONS 64L /* as the module's */

/* --- the request ---------------------------------------------------------
 */

struct target {
  const char *url, *ca;
  struct curl_slist *headers;
  char *body;
  size_t size;
  bool signs;
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

/* Whether libcurl writes this header itself. */
static bool is_libcurls(const char *line, bool signs) {
  static const char *const names[] = {
      "Host:", "Content-Length:", "Authorization:", "X-Amz-Date:"};
  for (int i = 0; i < (signs ? 4 : 2); i++)
    if (strncasecmp(line, names[i], strlen(names[i])) == 0) return true;
  return false;
}

static void read_target(char **argument, bool signs, struct target *t) {
  size_t size;
  char *text = read_file(argument[1], &size), *line = strstr(text, "\r\n");
  char *body = strstr(text, "\r\n\r\n");
  if (line == NULL || body == NULL) die("no whole request");
  *t = (struct target){argument[0],
                       argument[2],
                       curl_slist_append(NULL, "Accept:"),
                       body + 4,
                       size - (size_t)(body + 4 - text),
                       signs};
  body[2] = '\0';
  for (line += 2; *line != '\0';) {
    char *end = strstr(line, "\r\n");
    *end = '\0';
    if (!is_libcurls(line, signs))
      t->headers = need(curl_slist_append(t->headers, line));
    line = end + 2;
  }
}

/* --- one exchange --------------------------------------------------------
 */

struct slot {
  CURL *easy;
  char *text; /* the answer */
  size_t n;
};

static size_t on_body(char *p, size_t size, size_t n, void *data) {
  struct slot *slot = data;
  size *= n;
  slot->text = need(realloc(slot->text, slot->n + size));
  memcpy(slot->text + slot->n, p, size);
  slot->n += size;
  return size;
}

static void open_slot(struct slot *slot, const struct target *t) {
  CURL *easy = need(curl_easy_init());
  *slot = (struct slot){.easy = easy};
  curl_easy_setopt(easy, CURLOPT_URL, t->url);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, t->headers);
  curl_easy_setopt(easy, CURLOPT_POSTFIELDS, t->body);
  curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)t->size);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, slot);
  curl_easy_setopt(easy, CURLOPT_PRIVATE, slot);
  if (strcmp(t->ca, "-") != 0) curl_easy_setopt(easy, CURLOPT_CAINFO, t->ca);
  if (!t->signs) return;
  curl_easy_setopt(easy, CURLOPT_AWS_SIGV4, "aws:amz:us-east-1:apprunner");
  curl_easy_setopt(easy, CURLOPT_USERPWD,
                   "AKIDEXAMPLE:wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
}

static void check_answer(struct slot *slot, CURLcode result) {
  long status = 0;
  curl_easy_getinfo(slot->easy, CURLINFO_RESPONSE_CODE, &status);
  if (result != CURLE_OK) die(curl_easy_strerror(result));
  if (status != 200 || slot->n == 0) die("not the expected answer");
  free(slot->text);
  slot->text = NULL;
  slot->n = 0;
}

static void close_slot(struct slot *slot) {
  curl_easy_cleanup(slot->easy);
}

static long warm_up(void) {
  const char *text = getenv("WARM_UP");
  return text != NULL ? count_of(text) : 0;
}

/* --- one after another ---------------------------------------------------
 */

static void exchange(CURLM *multi, struct slot *slot) {
  CURLMsg *message;
  int running = 1, left;
  curl_multi_add_handle(multi, slot->easy);
  for (;;) {
    curl_multi_perform(multi, &running);
    if (running == 0) break;
    curl_multi_poll(multi, NULL, 0, 1000, NULL);
  }
  message = curl_multi_info_read(multi, &left);
  if (message == NULL) die("an exchange without an end");
  check_answer(slot, message->data.result);
  curl_multi_remove_handle(multi, slot->easy);
}

static void sequence(struct target *t, char **argument) {
  long n = count_of(argument[3]), first = warm_up();
  CURLM *multi = need(curl_multi_init());
  struct slot slot;
  struct moment begin;
  open_slot(&slot, t);
  for (long i = 0; i < first; i++) exchange(multi, &slot);
  begin = now();
  for (long i = 0; i < n; i++) exchange(multi, &slot);
  tell(begin, n);
  close_slot(&slot);
  curl_multi_cleanup(multi);
}

static void oneshot(struct target *t, char **argument) {
  struct slot slot;
  (void)argument;
  open_slot(&slot, t);
  check_answer(&slot, curl_easy_perform(slot.easy));
  close_slot(&slot);
}

/* --- many at a time ------------------------------------------------------
 */

struct loop {
  CURLM *multi;
  int epoll;
  long timeout; /* milliseconds; -1: none */
  long left;    /* exchanges to be started yet */
  long ended;
};

static int on_socket(CURL *easy, curl_socket_t s, int what, void *data,
                     void *known) {
  struct loop *loop = data;
  struct epoll_event event = {.data.fd = s};
  (void)easy;
  if (what == CURL_POLL_REMOVE)
    return epoll_ctl(loop->epoll, EPOLL_CTL_DEL, s, NULL), 0;
  if (what & CURL_POLL_IN) event.events |= EPOLLIN;
  if (what & CURL_POLL_OUT) event.events |= EPOLLOUT;
  epoll_ctl(loop->epoll, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, s, &event);
  curl_multi_assign(loop->multi, s, loop);
  return 0;
}

static int on_timer(CURLM *multi, long ms, void *data) {
  (void)multi;
  ((struct loop *)data)->timeout = ms;
  return 0;
}

static void open_loop(struct loop *loop) {
  *loop = (struct loop){need(curl_multi_init()), epoll_create1(0), -1, 0, 0};
  if (loop->epoll < 0) die("no epoll");
  curl_multi_setopt(loop->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
  curl_multi_setopt(loop->multi, CURLMOPT_SOCKETDATA, loop);
  curl_multi_setopt(loop->multi, CURLMOPT_TIMERFUNCTION, on_timer);
  curl_multi_setopt(loop->multi, CURLMOPT_TIMERDATA, loop);
  curl_multi_setopt(loop->multi, CURLMOPT_MAX_HOST_CONNECTIONS,
                    MAX_CONNECTIONS);
}

static void start_one(struct loop *loop, struct slot *slot) {
  loop->left--;
  curl_multi_add_handle(loop->multi, slot->easy);
}

/* Takes what has ended; a slot that is free takes what is left. */
static void reap(struct loop *loop) {
  CURLMsg *message;
  int more;
  while ((message = curl_multi_info_read(loop->multi, &more)) != NULL) {
    CURLcode result = message->data.result;
    struct slot *slot;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&slot);
    check_answer(slot, result);
    curl_multi_remove_handle(loop->multi, slot->easy);
    loop->ended++;
    if (loop->left > 0) start_one(loop, slot);
  }
}

static void act(struct loop *loop, curl_socket_t s, int what) {
  int running;
  if (s == CURL_SOCKET_TIMEOUT) loop->timeout = -1;
  curl_multi_socket_action(loop->multi, s, what, &running);
}

static void turn(struct loop *loop) {
  struct epoll_event events[64];
  long before = loop->ended;
  int n;
  while (loop->timeout == 0) act(loop, CURL_SOCKET_TIMEOUT, 0);
  reap(loop);
  if (loop->ended > before) return;
  n = epoll_wait(loop->epoll, events, 64, (int)loop->timeout);
  if (n == 0) act(loop, CURL_SOCKET_TIMEOUT, 0);
  for (int i = 0; i < n; i++) {
    uint32_t is = events[i].events;
    act(loop, events[i].data.fd,
        (is & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
            (is & ~(uint32_t)EPOLLOUT ? CURL_CSELECT_IN : 0));
  }
  reap(loop);
}

/* Starts `n` exchanges in as many of `count` slots as it takes. */
static void begin_batch(struct loop *loop, struct slot *slots, long count,
                        long n) {
  loop->left = n;
  loop->ended = 0;
  for (long i = 0; i < count && loop->left > 0; i++)
    start_one(loop, slots + i);
}

static void batch(struct loop *loop, struct slot *slots, long count, long n) {
  begin_batch(loop, slots, count, n);
  while (loop->ended < n) turn(loop);
}

static struct slot *open_slots(const struct target *t, long count) {
  struct slot *slots = need(calloc((size_t)count, sizeof *slots));
  for (long i = 0; i < count; i++) open_slot(slots + i, t);
  return slots;
}

static void close_all(struct loop *loop, struct slot *slots, long count) {
  for (long i = 0; i < count; i++) close_slot(slots + i);
  curl_multi_cleanup(loop->multi);
  close(loop->epoll);
  free(slots);
}

static void concurrent(struct target *t, char **argument) {
  long n = count_of(argument[3]), count = count_of(argument[4]);
  struct slot *slots = open_slots(t, count);
  struct loop loop;
  struct moment begin;
  open_loop(&loop);
  batch(&loop, slots, count, warm_up());
  begin = now();
  batch(&loop, slots, count, n);
  tell(begin, n);
  close_all(&loop, slots, count);
}

static long resident(void) { /* KiB */
  FILE *file = fopen("/proc/self/statm", "r");
  long size = 0, pages = 0;
  if (file == NULL || fscanf(file, "%ld %ld", &size, &pages) != 2)
    die("no /proc/self/statm");
  fclose(file);
  return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static void memory(struct target *t, char **argument) {
  long n = count_of(argument[3]), before;
  struct slot *slots = open_slots(t, 1);
  struct loop loop;
  open_loop(&loop);
  batch(&loop, slots, 1, 1);
  close_slot(slots);
  free(slots);
  before = resident();
  slots = open_slots(t, n);
  begin_batch(&loop, slots, n, n);
  while (loop.ended == 0) turn(&loop);
  printf("0 0 %.4f\n", (double)(resident() - before) / (double)n);
  while (loop.ended < n) turn(&loop);
  close_all(&loop, slots, n);
}

static const struct {
  const char *name;
  int arguments;
  bool signs;
  void (*run)(struct target *t, char **argument);
} commands[] = {{"oneshot", 3, false, oneshot},
                {"exchange", 4, false, sequence},
                {"signed", 4, true, sequence},
                {"concurrent", 5, false, concurrent},
                {"memory", 4, false, memory}};

int main(int count, char **argument) {
  struct target target;
  for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
    if (count != 2 + commands[i].arguments ||
        strcmp(argument[1], commands[i].name) != 0)
      continue;
    curl_global_init(CURL_GLOBAL_DEFAULT);
    read_target(argument + 2, commands[i].signs, &target);
    commands[i].run(&target, argument + 2);
    curl_slist_free_all(target.headers);
    return 0;
  }
  die("usage: floor oneshot|exchange|signed|concurrent|memory ARGUMENTS");
  return 2;
}
