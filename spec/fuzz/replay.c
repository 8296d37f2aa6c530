/*
** Runs a harness on the files of its corpus: NAME_fuzz reads
** spec/fuzz/corpus/NAME, or the files that its arguments name. Each file that
** does not end the program is a passed check.
*/
#define _POSIX_C_SOURCE 200809L
#include <dirent.h>

#include "fuzz.h"

#define MOST (1u << 20)

static int passed, failed;

static void replay(const char *path) {
  static uint8_t data[MOST];
  FILE *file = fopen(path, "rb");
  size_t n = file ? fread(data, 1, sizeof data, file) : 0;
  if (file == NULL || ferror(file) || n == sizeof data) {
    failed++;
    printf("not so: %s can be read\n", path);
  } else {
    printf("%s\n", path);
    fflush(stdout); /* the last line tells which file ended the program */
    LLVMFuzzerTestOneInput(data, n);
    passed++;
  }
  if (file) fclose(file);
}

/* "ini" of "build/lua5.4/unit/ini_fuzz". */
static struct ar_str name_of(const char *program) {
  const char *slash = strrchr(program, '/');
  struct ar_str name = ar_str_of(slash ? slash + 1 : program);
  return ar_str_n(name.p, ar_str_find(name, '_', 0));
}

static void replay_corpus(struct ar_str name) {
  char folder[256], path[1024];
  struct dirent **entries = NULL;
  int n;
  snprintf(folder, sizeof folder, "spec/fuzz/corpus/%.*s", (int)name.n,
           name.p);
  n = scandir(folder, &entries, NULL, alphasort);
  for (int i = 0; i < n; i++) {
    snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
    if (entries[i]->d_name[0] != '.') replay(path);
    free(entries[i]);
  }
  free(entries);
}

int main(int argc, char **argv) {
  for (int i = 1; i < argc; i++) replay(argv[i]);
  if (argc == 1) replay_corpus(name_of(argv[0]));
  if (passed == 0) failed++;
  printf("%d passed, %d failed\n", passed, failed);
  return failed > 0;
}
