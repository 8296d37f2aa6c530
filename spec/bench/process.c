/*
** A whole process: process N COMMAND... runs it, its output thrown away, and
** prints what one of the N things that it does took: microseconds of the clock
** and of the processor; and the process's peak of memory in KiB.
*/
#define _DEFAULT_SOURCE
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"

static pid_t start(char **command) {
  pid_t child = fork();
  int nowhere;
  if (child < 0) die("no process");
  if (child > 0) return child;
  nowhere = open("/dev/null", O_WRONLY);
  if (nowhere < 0 || dup2(nowhere, STDOUT_FILENO) < 0) die("no /dev/null");
  execvp(command[0], command);
  die(command[0]);
  return 0;
}

static double of_timeval(struct timeval t) {
  return (double)t.tv_sec * 1e6 + (double)t.tv_usec;
}

int main(int count, char **argument) {
  struct rusage usage;
  double begin, took;
  pid_t child;
  long n;
  int status;
  if (count < 3) die("usage: process N COMMAND...");
  n = count_of(argument[1]);
  begin = microseconds(CLOCK_MONOTONIC);
  child = start(argument + 2);
  if (wait4(child, &status, 0, &usage) != child) die("no child");
  took = microseconds(CLOCK_MONOTONIC) - begin;
  if (status != 0) die("the process failed");
  printf("%.2f %.2f %ld\n", took / (double)n,
         (of_timeval(usage.ru_utime) + of_timeval(usage.ru_stime)) / (double)n,
         usage.ru_maxrss);
  return 0;
}
