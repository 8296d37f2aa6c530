/*
** Many exchanges of a pause at a time by libcurl's multi interface and epoll,
** for the C programs that are the floor.
*/
#ifndef bench_many_h
#define bench_many_h

#include <sys/epoll.h>
#include <unistd.h>

#include "exchange.h"

#define MAX_CONNECTIONS 64L /* as the module's */

/* What is done of a slot whose exchange begins, or has its answer. */
typedef void on_slot(struct slot *slot, void *data);

struct loop {
  CURLM *multi;
  int epoll;
  long timeout; /* milliseconds; -1: none */
  long left;    /* exchanges to be started yet */
  long ended;
  on_slot *begins, *answered; /* of a slot, with `data` */
  void *data;
};

static inline int on_socket(CURL *easy, curl_socket_t s, int what, void *data,
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

static inline int on_timer(CURLM *multi, long ms, void *data) {
  (void)multi;
  ((struct loop *)data)->timeout = ms;
  return 0;
}

static inline void open_loop(struct loop *loop, on_slot *begins,
                             on_slot *ended, void *data) {
  *loop = (struct loop){.multi = need(curl_multi_init()),
                        .epoll = epoll_create1(0),
                        .timeout = -1,
                        .begins = begins,
                        .answered = ended,
                        .data = data};
  if (loop->epoll < 0) die("no epoll");
  curl_multi_setopt(loop->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
  curl_multi_setopt(loop->multi, CURLMOPT_SOCKETDATA, loop);
  curl_multi_setopt(loop->multi, CURLMOPT_TIMERFUNCTION, on_timer);
  curl_multi_setopt(loop->multi, CURLMOPT_TIMERDATA, loop);
  curl_multi_setopt(loop->multi, CURLMOPT_MAX_HOST_CONNECTIONS,
                    MAX_CONNECTIONS);
}

static inline void start_one(struct loop *loop, struct slot *slot) {
  loop->left--;
  loop->begins(slot, loop->data);
  curl_multi_add_handle(loop->multi, slot->easy);
}

/* Takes what has ended; a slot that is free takes what is left. */
static inline void reap(struct loop *loop) {
  CURLMsg *message;
  int more;
  while ((message = curl_multi_info_read(loop->multi, &more)) != NULL) {
    CURLcode result = message->data.result;
    struct slot *slot;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&slot);
    check_answer(slot, result);
    loop->answered(slot, loop->data);
    drop_answer(slot);
    curl_multi_remove_handle(loop->multi, slot->easy);
    loop->ended++;
    if (loop->left > 0) start_one(loop, slot);
  }
}

static inline void act(struct loop *loop, curl_socket_t s, int what) {
  int running;
  if (s == CURL_SOCKET_TIMEOUT) loop->timeout = -1;
  curl_multi_socket_action(loop->multi, s, what, &running);
}

static inline void turn(struct loop *loop) {
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
static inline void begin_batch(struct loop *loop, struct slot *slots,
                               long count, long n) {
  loop->left = n;
  loop->ended = 0;
  for (long i = 0; i < count && loop->left > 0; i++)
    start_one(loop, slots + i);
}

static inline void batch(struct loop *loop, struct slot *slots, long count,
                         long n) {
  begin_batch(loop, slots, count, n);
  while (loop->ended < n) turn(loop);
}

static inline struct slot *open_slots(const struct target *t, long count) {
  struct slot *slots = need(calloc((size_t)count, sizeof *slots));
  for (long i = 0; i < count; i++) open_slot(slots + i, t);
  return slots;
}

static inline void close_all(struct loop *loop, struct slot *slots,
                             long count) {
  for (long i = 0; i < count; i++) close_slot(slots + i);
  curl_multi_cleanup(loop->multi);
  close(loop->epoll);
  free(slots);
}

#endif
