/*
** A name server that takes its time: getaddrinfo of "slow.invalid" answers
** after three seconds, "counted.invalid" is this host. No other name under
** "invalid" exists (RFC 2606), which is answered without asking the network;
** the rest goes the usual way.
** Preloaded as a shared object, or included by a program.
*/
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

static atomic_int slow_dns_waiting; /* how many wait in it now */
static atomic_int slow_dns_counted; /* how often "counted.invalid" was asked */
static atomic_int slow_dns_unguarded; /* how often without SIGPIPE blocked */

static void slow_dns_look_at_mask(void) {
  sigset_t mask;
  pthread_sigmask(SIG_BLOCK, NULL, &mask);
  if (sigismember(&mask, SIGPIPE) == 0) slow_dns_unguarded++;
}

static void slow_dns_wait(void) {
  struct timespec left = {3, 0};
  slow_dns_waiting++;
  while (nanosleep(&left, &left) == -1 && errno == EINTR) {
  }
  slow_dns_waiting--;
}

static int slow_dns_ends_in(const char *name, const char *end) {
  size_t n = strlen(name), m = strlen(end);
  return n >= m && strcmp(name + n - m, end) == 0;
}

int getaddrinfo(const char *node, const char *service,
                const struct addrinfo *hints, struct addrinfo **result) {
  int (*usual)(const char *, const char *, const struct addrinfo *,
               struct addrinfo **);
  void *symbol = dlsym(RTLD_NEXT, "getaddrinfo");
  slow_dns_look_at_mask();
  if (node != NULL && strcmp(node, "slow.invalid") == 0) slow_dns_wait();
  if (symbol == NULL) return EAI_SYSTEM;
  if (node != NULL && strcmp(node, "counted.invalid") == 0) {
    slow_dns_counted++;
    node = "127.0.0.1";
  }
  if (node != NULL && slow_dns_ends_in(node, ".invalid")) return EAI_NONAME;
  memcpy(&usual, &symbol, sizeof usual);
  return usual(node, service, hints, result);
}
