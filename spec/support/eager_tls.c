/*
** TLS handshakes that never have to wait: preloaded, a write of handshake
** records returns when the other side has answered, as it may where the two
** take turns on a busy processor.
*/
#define _GNU_SOURCE
#include <dlfcn.h>
#include <poll.h>
#include <unistd.h>

#define HANDSHAKE 0x16 /* the content type of a record (RFC 5246, A.1) */
#define PATIENCE 10000 /* milliseconds */

ssize_t write(int fd, const void *p, size_t n) {
  static ssize_t (*real)(int, const void *, size_t);
  struct pollfd answer = {.fd = fd, .events = POLLIN};
  ssize_t written;
  if (!real) *(void **)&real = dlsym(RTLD_NEXT, "write");
  written = real(fd, p, n);
  if (n > 5 && written == (ssize_t)n && *(const unsigned char *)p == HANDSHAKE)
    poll(&answer, 1, PATIENCE);
  return written;
}
