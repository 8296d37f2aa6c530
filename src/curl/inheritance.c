/*
** Keeping descriptors of libcurl's from programs that the host starts.
*/
#define _GNU_SOURCE
#include "inheritance.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

static bool is_open(int fd) {
  return fcntl(fd, F_GETFD) != -1;
}

static bool is_local_socket(int fd) {
  struct sockaddr_storage address;
  socklen_t size = sizeof address;
  return getsockname(fd, (struct sockaddr *)&address, &size) == 0 &&
         address.ss_family == AF_UNIX;
}

void ar_inheritance_begin(struct ar_inheritance *i) {
  int lowest = open("/dev/null", O_RDONLY | O_CLOEXEC);
  i->n = 0;
  if (lowest < 0) return;
  close(lowest);
  for (int fd = lowest; i->n < AR_WATCHED && fd < lowest + 256; fd++)
    if (!is_open(fd)) i->free[i->n++] = fd;
}

void ar_inheritance_end(const struct ar_inheritance *i) {
  for (int k = 0; k < i->n; k++) {
    int fd = i->free[k], flags = fcntl(fd, F_GETFD);
    if (flags != -1 && !(flags & FD_CLOEXEC) && is_local_socket(fd))
      fcntl(fd, F_SETFD, flags | FD_CLOEXEC);
  }
}
