/*
** The table of watched descriptors over socket pairs: what is kept, and what
** is never mistaken for it.
*/
#define _GNU_SOURCE
#include "../../src/curl/watch.h"

#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

#define ALL 8

struct pair {
  int ours, theirs;
};

/* A pair whose one end has the number `fd`, or any below 0. */
static struct pair new_pair(int fd) {
  int both[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, both) != 0) exit(1);
  if (fd >= 0 && fd != both[0]) {
    if (dup2(both[0], fd) != fd) exit(1);
    close(both[0]);
    both[0] = fd;
  }
  return (struct pair){both[0], both[1]};
}

static void say(struct pair p) {
  if (write(p.theirs, "x", 1) != 1) exit(1);
}

static void hear(struct pair p) {
  char c;
  if (read(p.ours, &c, 1) != 1) exit(1);
}

static void close_pair(struct pair p) {
  close(p.ours);
  close(p.theirs);
}

/* How many descriptors are ready; the first is `fd`, if any is. */
static int ready(struct ar_watch *w, int fd) {
  struct ar_ready found[ALL];
  int n = ar_watch_wait(w, found, ALL, 0);
  return n > 0 && found[0].fd != fd ? -1 : n;
}

static void keeps(struct ar_watch *w, struct pair p) {
  ar_watch_begin(w, p.ours);
  ar_watch_want(w, p.ours, AR_POLL_IN);
  CHECK(ready(w, p.ours) == 0, "a silent socket is not ready");
  say(p);
  CHECK(ready(w, p.ours) == 1, "one with a byte is");
  hear(p);
  ar_watch_want(w, p.ours, 0);
  CHECK(ready(w, p.ours) == 0, "nobody wants it, and nothing happens");
  ar_watch_want(w, p.ours, AR_POLL_IN);
  say(p);
  CHECK(ready(w, p.ours) == 1, "it is wanted again, and ready");
  ar_watch_want(w, p.ours, 0);
  CHECK(ready(w, p.ours) == 0, "what happens unwanted is not told");
  CHECK(ready(w, p.ours) == 0, "nor is it twice");
  ar_watch_want(w, p.ours, AR_POLL_IN);
  CHECK(ready(w, p.ours) == 1, "and told when it is wanted after all");
  ar_watch_want(w, p.ours, AR_POLL_OUT);
  hear(p);
  CHECK(ready(w, p.ours) == 1, "for writing, too");
  ar_watch_end(w, p.ours);
  CHECK(ready(w, p.ours) == 0, "its end is the end of it");
}

/* The poller itself becomes readable, where it shall not, and a loop turns. */
static void sleeps(struct ar_watch *w) {
  struct pair p = new_pair(-1);
  struct ar_ready found[ALL];
  ar_watch_begin(w, p.ours);
  ar_watch_want(w, p.ours, AR_POLL_IN);
  ar_watch_want(w, p.ours, 0);
  close(p.theirs);
  CHECK(ready(w, p.ours) == 0, "a kept socket that its peer closes is silent");
  CHECK(ar_poller_wait(w->poller, found, ALL, 0) == 0,
        "and the poller forgets it then");
  ar_watch_end(w, p.ours);
  close(p.ours);
}

/* A new socket gets the number of one that was kept. */
static void is_not_mistaken(struct ar_watch *w, bool told) {
  struct pair p = new_pair(-1), next;
  pid_t child;
  ar_watch_begin(w, p.ours);
  ar_watch_want(w, p.ours, AR_POLL_IN);
  ar_watch_want(w, p.ours, 0);
  child = fork(); /* it holds the socket for as long as it lives */
  if (child == 0) {
    char c;
    close(p.theirs);
    _exit(read(p.ours, &c, 1) == 0 ? 0 : 1);
  }
  ar_watch_end(w, p.ours);
  close(p.ours);
  next = new_pair(p.ours);
  if (told) ar_watch_begin(w, next.ours);
  ar_watch_want(w, next.ours, AR_POLL_IN);
  CHECK(ready(w, next.ours) == 0, "the new socket is silent");
  say(next);
  CHECK(ready(w, next.ours) == 1, "and then it is ready");
  ar_watch_want(w, next.ours, 0);
  ar_watch_end(w, next.ours);
  close_pair(next);
  close(p.theirs);
  waitpid(child, NULL, 0);
}

/* Of some sockets libcurl does not tell the end. */
static void forgets_what_has_no_end(struct ar_watch *w) {
  struct pair p = new_pair(-1), next;
  struct ar_ready found[ALL];
  ar_watch_want(w, p.ours, AR_POLL_IN);
  ar_watch_want(w, p.ours, 0);
  say(p);
  CHECK(ar_poller_wait(w->poller, found, ALL, 0) == 0,
        "one whose end nobody tells is not kept");
  close_pair(p);
  next = new_pair(p.ours);
  ar_watch_want(w, next.ours, AR_POLL_IN);
  say(next);
  CHECK(ready(w, next.ours) == 1, "so the next of that number is watched");
  ar_watch_want(w, next.ours, 0);
  close_pair(next);
}

int main(void) {
  struct ar_watch w;
  struct pair p = new_pair(-1);
  alarm(60);
  if (!ar_watch_open(&w)) return 1;
  keeps(&w, p);
  close_pair(p);
  p = new_pair(900);
  keeps(&w, p);
  close_pair(p);
  sleeps(&w);
  is_not_mistaken(&w, true);
  is_not_mistaken(&w, false);
  forgets_what_has_no_end(&w);
  ar_watch_close(&w);
  ar_watch_close(&w);
  CHECK(w.poller == -1, "closing it once more does no harm");
  return checked();
}
