/*
** fork and wait for scripts, by package.loadlib and without Lua's headers:
** each is a lua_CFunction that takes and returns nothing. Which process it is
** a script sees in /proc/self/stat.
*/
#include <sys/wait.h>
#include <unistd.h>

int process_fork(void *L);
int process_wait(void *L);
int process_leave(void *L);

int process_fork(void *L) {
  (void)L;
  return fork() < 0 ? -1 : 0;
}

/* Until every child has ended. */
int process_wait(void *L) {
  (void)L;
  while (wait(NULL) > 0) {
  }
  return 0;
}

/* Ends a child at once, without any cleaning up. */
int process_leave(void *L) {
  (void)L;
  _exit(0);
}
