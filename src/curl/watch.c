/*
** The table of watched descriptors. One that finds no room in it is watched
** all the same, and is not kept.
*/
#include "watch.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LEAST 64 /* descriptors that the table has room for at first */

struct ar_watched {
  unsigned char wanted, set; /* AR_POLL_*: by libcurl, in the poller */
  bool told;                 /* its end will be */
};

bool ar_watch_open(struct ar_watch *w) {
  *w = (struct ar_watch){.poller = ar_poller_open()};
  return w->poller >= 0;
}

void ar_watch_close(struct ar_watch *w) {
  if (w->poller >= 0) close(w->poller);
  free(w->sockets);
  *w = (struct ar_watch){.poller = -1};
}

static void make_room(struct ar_watch *w, size_t fd) {
  size_t size = w->size > 0 ? w->size : LEAST;
  struct ar_watched *sockets;
  while (size <= fd) size *= 2;
  sockets =
      size > w->size ? realloc(w->sockets, size * sizeof *sockets) : NULL;
  if (sockets == NULL) return;
  memset(sockets + w->size, 0, (size - w->size) * sizeof *sockets);
  w->sockets = sockets;
  w->size = size;
}

static struct ar_watched *find(struct ar_watch *w, int fd) {
  return fd >= 0 && (size_t)fd < w->size ? &w->sockets[fd] : NULL;
}

static void set(struct ar_watch *w, struct ar_watched *socket, int fd,
                unsigned what) {
  if (socket->set == what) return;
  if (ar_poller_watch(w->poller, fd, what, socket->set != 0))
    socket->set = (unsigned char)what;
}

void ar_watch_begin(struct ar_watch *w, int fd) {
  if (fd < 0) return;
  make_room(w, (size_t)fd);
  if (find(w, fd) != NULL) w->sockets[fd] = (struct ar_watched){.told = true};
}

void ar_watch_end(struct ar_watch *w, int fd) {
  struct ar_watched *socket = find(w, fd);
  if (socket == NULL) return;
  set(w, socket, fd, 0);
  *socket = (struct ar_watched){.told = false};
}

void ar_watch_want(struct ar_watch *w, int fd, unsigned what) {
  struct ar_watched *socket = find(w, fd);
  if (socket == NULL || !socket->told) {
    ar_poller_watch(w->poller, fd, what, false);
    return;
  }
  socket->wanted = (unsigned char)what;
  if (what != 0) set(w, socket, fd, what);
}

/* Takes from the poller what happens where nobody wants to know. */
static bool is_wanted(struct ar_watch *w, int fd) {
  struct ar_watched *socket = find(w, fd);
  if (socket == NULL || !socket->told || socket->wanted != 0) return true;
  set(w, socket, fd, 0);
  return false;
}

int ar_watch_wait(struct ar_watch *w, struct ar_ready *ready, int max,
                  int ms) {
  int n = ar_poller_wait(w->poller, ready, max, ms), wanted = 0;
  for (int i = 0; i < n; i++)
    if (is_wanted(w, ready[i].fd)) ready[wanted++] = ready[i];
  return wanted;
}
