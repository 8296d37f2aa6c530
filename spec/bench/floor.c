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
#include "many.h"

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

static void nothing(struct slot *slot, void *data) {
  (void)slot, (void)data;
}

static void concurrent(struct target *t, char **argument) {
  long n = count_of(argument[3]), count = count_of(argument[4]);
  struct slot *slots = open_slots(t, count);
  struct loop loop;
  struct moment begin;
  open_loop(&loop, nothing, nothing, NULL);
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
  open_loop(&loop, nothing, nothing, NULL);
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
