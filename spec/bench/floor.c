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
#include <sys/epoll.h>
#include <unistd.h>

#include "exchange.h"

#define MAX_CONNECTIONS 64L /* as the module's */

static long warm_up(void) {
  const char *text = getenv("WARM_UP");
  return text != NULL ? count_of(text) : 0;
}

/* --- one after another ---------------------------------------------------
 */

static void sequence(struct target *t, char **argument) {
  long n = count_of(argument[3]), first = warm_up();
  CURLM *multi = need(curl_multi_init());
  struct slot slot;
  struct moment begin;
  open_slot(&slot, t);
  for (long i = 0; i < first; i++) exchange(multi, &slot), drop_answer(&slot);
  begin = now();
  for (long i = 0; i < n; i++) exchange(multi, &slot), drop_answer(&slot);
  tell(begin, n);
  close_slot(&slot);
  curl_multi_cleanup(multi);
}

static void oneshot(struct target *t, char **argument) {
  struct slot slot;
  (void)argument;
  open_slot(&slot, t);
  check_answer(&slot, curl_easy_perform(slot.easy));
  drop_answer(&slot);
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
    drop_answer(slot);
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
