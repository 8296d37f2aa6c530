/*
** Names that take their time: getaddrinfo of "slow.invalid" waits for twenty
** seconds, which is longer than any test, and creates the file that SLOW_MARK
** names when it begins. No other name under "invalid" exists. Preloaded.
*/
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void wait_long(void) {
  struct timespec left = {20, 0};
  const char *mark = getenv("SLOW_MARK");
  int fd =
      mark != NULL ? open(mark, O_CREAT | O_WRONLY | O_CLOEXEC, 0600) : -1;
  if (fd >= 0) close(fd);
  while (nanosleep(&left, &left) == -1 && errno == EINTR) {
  }
}

int getaddrinfo(const char *node, const char *service,
                const struct addrinfo *hints, struct addrinfo **result) {
  int (*usual)(const char *, const char *, const struct addrinfo *,
               struct addrinfo **);
  void *symbol = dlsym(RTLD_NEXT, "getaddrinfo");
  if (node != NULL && strcmp(node, "slow.invalid") == 0) {
    wait_long();
    return EAI_NONAME;
  }
  if (symbol == NULL) return EAI_SYSTEM;
  memcpy(&usual, &symbol, sizeof usual);
  return usual(node, service, hints, result);
}
