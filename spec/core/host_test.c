/*
** Files and children, in a folder of its own under TMPDIR. What a child does
** is a function here: the program starts itself, with the function's name.
*/
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/prctl.h>
#endif

#include "../../src/host/child.h"
#include "../../src/host/file.h"
#include "kit.h"

#define DEADLINE 20000 /* milliseconds; only a broken child needs them */

static char folder[256];
static char *self; /* this program */

static int64_t now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Waits until `holds(of)`; false after the deadline. */
static bool comes_true(bool (*holds)(void *), void *of) {
  int64_t end = now_ms() + DEADLINE;
  while (!holds(of)) {
    if (now_ms() > end) return false;
    poll(NULL, 0, 1);
  }
  return true;
}

/*
** Files
*/

static const char *in_folder(const char *name) {
  static char path[512];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  return path;
}

static void put(const char *name, const char *text) {
  FILE *file = fopen(in_folder(name), "w");
  fputs(text, file);
  fclose(file);
}

struct taken {
  enum ar_file result;
  struct ar_buf buf;
  struct ar_err err;
};

static struct taken take(const char *path, size_t limit) {
  struct taken t = {.result = AR_FILE_MISSING};
  ar_buf_init(&t.buf, limit);
  t.result = ar_file_read(NULL, path, &t.buf, &t.err);
  return t;
}

static void check_read(const char *path, size_t limit, const char *expected) {
  struct taken t = take(path, limit);
  CHECK(t.result == AR_FILE_READ, "%s is read: %s", path, t.err.message);
  CHECK_STR(ar_buf_str(&t.buf), expected, path);
  ar_buf_free(&t.buf);
}

static void check_refused(const char *path, size_t limit,
                          enum ar_file expected, const char *reason) {
  struct taken t = take(path, limit);
  CHECK(t.result == expected, "%s is refused", path);
  CHECK_STR(ar_str_of(t.err.message), reason, path);
  ar_buf_free(&t.buf);
}

static void files_are_read(void) {
  put("ten", "0123456789");
  put("empty", "");
  check_read(in_folder("ten"), 100, "0123456789");
  check_read(in_folder("ten"), 10, "0123456789");
  check_read(in_folder("empty"), 0, "");
  check_read("/dev/null", 10, "");
  check_refused(in_folder("ten"), 9, AR_FILE_FAILED, "larger than 9 bytes");
  check_refused("/dev/zero", 10000, AR_FILE_FAILED, "larger than 10000 bytes");
  check_refused(in_folder("none"), 10, AR_FILE_MISSING, "");
  check_refused(in_folder("ten/none"), 10, AR_FILE_MISSING, "");
  check_refused("", 10, AR_FILE_MISSING, "");
  check_refused(folder, 10, AR_FILE_FAILED, "Is a directory");
}

static void a_file_is_added_to_what_is_there(void) {
  struct ar_buf buf;
  struct ar_err err;
  ar_buf_init(&buf, 14);
  ar_buf_addz(&buf, "old ");
  CHECK(ar_file_read(NULL, in_folder("ten"), &buf, &err) == AR_FILE_READ,
        "it fits beside what is there");
  CHECK_STR(ar_buf_str(&buf), "old 0123456789", "both");
  CHECK(ar_file_read(NULL, in_folder("ten"), &buf, &err) == AR_FILE_FAILED,
        "and no second time");
  CHECK_STR(ar_str_of(err.message), "larger than 0 bytes", "the room left");
  ar_buf_free(&buf);
}

static void a_large_file_is_read_whole(void) {
  char *text = malloc(1000001);
  for (size_t i = 0; i < 1000000; i++) text[i] = (char)('a' + i % 26);
  text[1000000] = '\0';
  put("large", text);
  check_read(in_folder("large"), 1000000, text);
  check_refused(in_folder("large"), 999999, AR_FILE_FAILED,
                "larger than 999999 bytes");
  free(text);
}

static void permissions_hold(void) {
  if (geteuid() == 0) return; /* who may do everything */
  put("secret", "x");
  chmod(in_folder("secret"), 0);
  check_refused(in_folder("secret"), 10, AR_FILE_FAILED, "Permission denied");
}

/* A FIFO that nobody writes into, one that is open and silent, a pipe that
   was written and closed. */
static void what_would_wait_is_refused(void) {
  char path[32];
  int silent, ends[2];
  mkfifo(in_folder("fifo"), 0600);
  check_refused(in_folder("fifo"), 10, AR_FILE_FAILED,
                "is not a regular file");
  silent = open(in_folder("fifo"), O_RDWR | O_CLOEXEC);
  check_refused(in_folder("fifo"), 10, AR_FILE_FAILED,
                "is not a regular file");
  CHECK(write(silent, "x", 1) == 1, "written");
  check_refused(in_folder("fifo"), 10, AR_FILE_FAILED,
                "is not a regular file");
  close(silent);
  CHECK(pipe(ends) == 0 && write(ends[1], "piped", 5) == 5, "a pipe");
  close(ends[1]);
  snprintf(path, sizeof path, "/dev/fd/%d", ends[0]);
  check_read(path, 10, "piped");
  close(ends[0]);
}

static struct ar_err replace(const char *path, const char *text) {
  struct ar_err err = {.code = AR_OK};
  int result = ar_file_replace(NULL, path, ar_str_of(text), &err);
  CHECK(result == (int)err.code, "the error has the code that is returned");
  return err;
}

static void check_mode(const char *name) {
  struct stat about;
  CHECK(stat(in_folder(name), &about) == 0 && (about.st_mode & 07777) == 0600,
        "%s is its owner's alone", name);
}

static int entries(const char *name) {
  char command[600];
  int n = -1;
  FILE *list;
  snprintf(command, sizeof command, "ls -a '%s' | wc -l", in_folder(name));
  list = popen(command, "r");
  if (list == NULL || fscanf(list, "%d", &n) != 1) n = -1;
  if (list != NULL) pclose(list);
  return n - 2; /* . and .. */
}

static void files_are_replaced(void) {
  mode_t before;
  mkdir(in_folder("cache"), 0700);
  before = umask(0777);
  CHECK(replace(in_folder("cache/a"), "first").code == AR_OK, "made");
  umask(before);
  check_read(in_folder("cache/a"), 10, "first");
  check_mode("cache/a");
  chmod(in_folder("cache/a"), 0644);
  CHECK(replace(in_folder("cache/a"), "second").code == AR_OK, "replaced");
  check_read(in_folder("cache/a"), 10, "second");
  check_mode("cache/a");
  CHECK(replace(in_folder("cache/a"), "").code == AR_OK, "emptied");
  check_read(in_folder("cache/a"), 0, "");
  CHECK(entries("cache") == 1, "nothing else is in the folder");
}

/* Whoever has the old file open goes on reading it. */
static void a_reader_keeps_the_old_file(void) {
  char seen[6] = "";
  int fd;
  put("cache/a", "before");
  fd = open(in_folder("cache/a"), O_RDONLY | O_CLOEXEC);
  replace(in_folder("cache/a"), "after");
  CHECK(read(fd, seen, 6) == 6 && memcmp(seen, "before", 6) == 0,
        "the old file is whole");
  close(fd);
}

static void a_name_in_use_is_passed_over(void) {
  char name[64];
  snprintf(name, sizeof name, "cache/a.%ld-0.tmp", (long)getpid());
  put(name, "somebody's");
  CHECK(replace(in_folder("cache/a"), "third").code == AR_OK, "replaced");
  check_read(in_folder("cache/a"), 10, "third");
  check_read(in_folder(name), 20, "somebody's");
  unlink(in_folder(name));
}

static void a_failure_leaves_nothing(void) {
  CHECK_STR(ar_str_of(replace(in_folder("none/a"), "x").message),
            "No such file or directory", "no folder");
  mkdir(in_folder("cache/folder"), 0700);
  CHECK_STR(ar_str_of(replace(in_folder("cache/folder"), "x").message),
            "Is a directory", "a folder in its place");
  CHECK(entries("cache") == 2, "the new file is removed again");
  if (geteuid() == 0) return;
  chmod(in_folder("cache"), 0500);
  CHECK_STR(ar_str_of(replace(in_folder("cache/a"), "x").message),
            "Permission denied", "a folder that cannot be written");
  chmod(in_folder("cache"), 0700);
  check_read(in_folder("cache/a"), 10, "third");
}

/*
** Children: what they do
*/

static int do_megabytes(void) {
  static char block[1 << 16];
  memset(block, 'm', sizeof block);
  for (int i = 0; i < 64; i++)
    if (write(1, block, sizeof block) != (ssize_t)sizeof block) return 1;
  return write(2, "done", 4) == 4 ? 0 : 1;
}

/* Names every signal that is blocked or ignored. */
static int do_signals(void) {
  sigset_t blocked;
  struct sigaction action;
  sigprocmask(SIG_BLOCK, NULL, &blocked);
  for (int n = 1; n < 32; n++) {
    if (sigismember(&blocked, n) == 1) printf("blocked %d\n", n);
    if (sigaction(n, NULL, &action) == 0 && action.sa_handler == SIG_IGN)
      printf("ignored %d\n", n);
  }
  return 0;
}

static int do_descriptors(void) {
  for (int fd = 0; fd < 1024; fd++)
    if (fcntl(fd, F_GETFD) >= 0) printf("%d ", fd);
  return 0;
}

static int do_input(void) {
  char c;
  printf("%d %d", (int)read(0, &c, 1), getpgrp() == getpid());
  return 0;
}

static int do_death(void) {
  return raise(SIGTERM);
}

static int do_hang(void) {
  signal(SIGTERM, SIG_IGN);
  while (pause() < 0) continue;
  return 0;
}

/* Ends, and leaves the pipe in the hands of one that hangs. */
static int do_orphan(void) {
  pid_t pid = fork();
  if (pid == 0) return do_hang();
  printf("%ld\n", (long)pid);
  return 7;
}

/* Closes both pipes, and goes on. */
static int do_close(void) {
  close(1);
  close(2);
  return do_hang();
}

static const struct {
  const char *name;
  int (*act)(void);
} acts[] = {{"megabytes", do_megabytes},
            {"signals", do_signals},
            {"descriptors", do_descriptors},
            {"input", do_input},
            {"death", do_death},
            {"hang", do_hang},
            {"orphan", do_orphan},
            {"close", do_close}};

static int act(const char *name) {
  for (size_t i = 0; i < LENGTH(acts); i++)
    if (strcmp(acts[i].name, name) == 0) return acts[i].act();
  return 99;
}

/*
** Children: how they are seen
*/

struct seen {
  struct ar_child *child;
  struct ar_child_output output;
};

static struct seen start(char *const argv[], size_t limit) {
  struct ar_err err = {.code = AR_OK};
  struct seen s = {.child = ar_child_start(NULL, argv, &err)};
  CHECK(s.child != NULL, "%s starts: %s", argv[0], err.message);
  ar_buf_init(&s.output.out, limit);
  ar_buf_init(&s.output.err, limit);
  return s;
}

static struct seen start_act(const char *name, size_t limit) {
  char *argv[] = {self, (char *)(uintptr_t)name, NULL};
  return start(argv, limit);
}

static struct seen start_shell(const char *script) {
  char shell[] = "sh", option[] = "-c";
  char *argv[] = {shell, option, (char *)(uintptr_t)script, NULL};
  return start(argv, 1000);
}

static void finish(struct seen *s) {
  ar_child_end(NULL, s->child);
  ar_buf_free(&s->output.out);
  ar_buf_free(&s->output.err);
}

static bool has_ended(void *of) {
  struct seen *s = of;
  ar_child_poll(NULL, s->child, &s->output);
  return s->output.ended;
}

static bool has_line(void *of) {
  struct seen *s = of;
  has_ended(s);
  return s->output.out.n > 0 && s->output.out.p[s->output.out.n - 1] == '\n';
}

static void check_end(struct seen s, const char *out, const char *err,
                      int status) {
  CHECK(comes_true(has_ended, &s), "it ends");
  CHECK_STR(ar_buf_str(&s.output.out), out, "output");
  CHECK_STR(ar_buf_str(&s.output.err), err, "error output");
  CHECK(s.output.status == status, "status %d, not %d", status,
        s.output.status);
  CHECK(!s.output.too_much, "within the limits");
  finish(&s);
}

static void children_are_read(void) {
  check_end(start_shell("echo out; echo err >&2"), "out\n", "err\n", 0);
  check_end(start_shell("exit 3"), "", "", 3);
  check_end(start_act("death", 10), "", "", 128 + SIGTERM);
  check_end(start_act("input", 10), "0 1", "", 0);
}

static void check_no_start(const char *program, const char *reason) {
  char *argv[] = {(char *)(uintptr_t)program, NULL};
  struct ar_err err = {.code = AR_OK};
  CHECK(ar_child_start(NULL, argv, &err) == NULL &&
            err.code == AR_E_CREDENTIAL_RETRIEVAL,
        "'%s' does not start", program);
  CHECK_STR(ar_str_of(err.message), reason, program);
  CHECK(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD,
        "and leaves no child");
}

/* Valgrind forks where the program spawns, and so loses the error. */
static bool spawn_is_replaced(void) {
  const char *preload = getenv("LD_PRELOAD");
  return preload != NULL && strstr(preload, "vgpreload") != NULL;
}

static void what_cannot_be_run_is_told(void) {
  if (spawn_is_replaced()) return;
  put("plain", "no program");
  check_no_start("/nonexistent/program", "No such file or directory");
  check_no_start("no-program-has-this-name", "No such file or directory");
  check_no_start("", "No such file or directory");
  check_no_start(in_folder("plain"), "Permission denied");
  chmod(in_folder("plain"), 0700);
  check_no_start(in_folder("plain"), "Exec format error");
}

static void megabytes_come_whole(void) {
  struct seen s = start_act("megabytes", 64 << 16);
  CHECK(comes_true(has_ended, &s), "it ends");
  CHECK(
      s.output.out.n == 64 << 16 && s.output.status == 0 && !s.output.too_much,
      "all of it came");
  CHECK_STR(ar_buf_str(&s.output.err), "done", "the other pipe");
  finish(&s);
}

static void too_much_kills(void) {
  struct seen s = start_act("megabytes", (64 << 16) - 1);
  CHECK(comes_true(has_ended, &s), "it ends");
  CHECK(s.output.too_much && s.output.out.n == (64 << 16) - 1,
        "what fits is there");
  finish(&s);
  s = start_shell("echo too much for ten bytes; exec sleep 1000");
  s.output.out.limit = 10;
  CHECK(comes_true(has_ended, &s), "it ends");
  CHECK(s.output.too_much && s.output.status == 128 + SIGKILL,
        "a child that writes too much is killed");
  CHECK_STR(ar_buf_str(&s.output.out), "too much f", "what fits");
  finish(&s);
}

static bool is_gone(void *of) {
  return kill(*(pid_t *)of, 0) != 0 && errno == ESRCH;
}

static pid_t number_in(const struct seen *s) {
  return (pid_t)strtol(ar_buf_z(&s->output.out), NULL, 10);
}

/* An orphan is this program's child where it could ask for that, so that it
   does not depend on who else reaps orphans, and when. */
static bool is_gone_or_ours(void *of) {
  pid_t pid = *(pid_t *)of;
  return waitpid(pid, NULL, WNOHANG) == pid || is_gone(of);
}

/* Also a grandchild, and both ignore SIGTERM. A machine that is too busy to
   end them in the time that the end waits proves nothing. */
static void the_end_kills_the_group(void) {
  struct seen s = start_shell("trap '' TERM; sleep 1000 & echo $! $$; wait");
  int64_t begin, took;
  pid_t pid, child;
  CHECK(comes_true(has_line, &s), "it says its grandchild's number");
  CHECK(!s.output.ended, "it runs");
  pid = number_in(&s);
  child = (pid_t)strtol(strchr(ar_buf_z(&s.output.out), ' '), NULL, 10);
  begin = now_ms();
  finish(&s);
  took = now_ms() - begin;
  CHECK(took < 5000, "the end does not wait for it");
  CHECK(pid > 1 && comes_true(is_gone_or_ours, &pid),
        "the grandchild is killed too");
  CHECK((waitpid(child, NULL, WNOHANG) < 0 && errno == ECHILD) || took >= 100,
        "the child is reaped");
}

static void an_orphan_at_the_pipe_is_not_waited_for(void) {
  struct seen s = start_act("orphan", 100);
  int how = 0;
  pid_t pid;
  CHECK(comes_true(has_ended, &s), "it has ended while the pipe is open");
  CHECK(s.output.status == 7, "with its status");
  pid = number_in(&s);
  finish(&s);
  CHECK(pid > 1 && kill(pid, 0) == 0, "the orphan lives, and held the pipe");
  if (pid <= 1) return;
  kill(pid, SIGUSR1); /* the orphan dies of the first that it got */
#if defined(__linux__)
  CHECK(waitpid(pid, &how, 0) == pid && WTERMSIG(how) == SIGUSR1,
        "what a child left behind is not killed once that has ended");
#endif
}

static void closed_pipes_are_no_end(void) {
  struct seen s = start_act("close", 100);
  struct pollfd none = {.fd = -1};
  for (int i = 0; i < 50 && !has_ended(&s); i++) poll(&none, 1, 1);
  CHECK(!s.output.ended, "a child without pipes still runs");
  finish(&s);
}

/* Whatever the host blocks, ignores or has open. */
static void a_child_inherits_nothing(void) {
  sigset_t all, before;
  int extra = fcntl(1, F_DUPFD, 100);
  void (*ignored)(int) = signal(SIGUSR2, SIG_IGN);
  void (*pipes)(int) = signal(SIGPIPE, SIG_IGN);
  sigfillset(&all);
  sigprocmask(SIG_BLOCK, &all, &before);
  check_end(start_act("signals", 1000), "", "", 0);
  check_end(start_act("descriptors", 1000), "0 1 2 ", "", 0);
  sigprocmask(SIG_SETMASK, &before, NULL);
  signal(SIGUSR2, ignored);
  signal(SIGPIPE, pipes);
  close(extra);
}

/* In a host that closed its standard descriptors the pipes get their
   numbers. */
static void no_standard_descriptor_is_needed(void) {
  int kept[3];
  struct seen s;
  bool ended;
  fflush(stdout);
  for (int fd = 0; fd < 3; fd++) {
    kept[fd] = fcntl(fd, F_DUPFD_CLOEXEC, 10);
    close(fd);
  }
  s = start_shell("echo out; echo err >&2; cat");
  ended = comes_true(has_ended, &s);
  for (int fd = 0; fd < 3; fd++) {
    dup2(kept[fd], fd);
    close(kept[fd]);
  }
  CHECK(ended, "it ends");
  check_end(s, "out\n", "err\n", 0);
}

static int open_descriptors(void) {
  int n = 0;
  for (int fd = 0; fd < 1024; fd++) n += fcntl(fd, F_GETFD) >= 0;
  return n;
}

static int inherited_descriptors(void) {
  int n = 0;
  for (int fd = 0; fd < 1024; fd++) n += fcntl(fd, F_GETFD) == 0;
  return n;
}

/* What the host starts itself does not get our ends of the pipes. */
static void ours_are_closed_on_exec(void) {
  int open = open_descriptors(), inherited = inherited_descriptors();
  struct seen s = start_act("hang", 10);
  CHECK(open_descriptors() == open + 2, "two of ours are open");
  CHECK(inherited_descriptors() == inherited, "and closed on exec");
  finish(&s);
}

static volatile sig_atomic_t reaped_by_host;

static void reap_all(int number) {
  int kept = errno;
  (void)number;
  while (waitpid(-1, NULL, WNOHANG) > 0) reaped_by_host = 1;
  errno = kept;
}

static bool host_reaped(void *of) {
  (void)of;
  return reaped_by_host == 1;
}

/* The host's own handler is faster: the output counts all the same. */
static void a_host_that_reaps_is_borne(void) {
  struct sigaction action = {.sa_handler = reap_all}, before;
  struct seen s;
  sigaction(SIGCHLD, &action, &before);
  s = start_shell("echo out; exit 3");
  CHECK(comes_true(host_reaped, NULL), "the host reaps it");
  check_end(s, "out\n", "", -1);
  s = start_act("hang", 100);
  finish(&s); /* whoever reaps it */
  sigaction(SIGCHLD, &before, NULL);
  signal(SIGCHLD, SIG_IGN);
  check_end(start_shell("echo out; exit 3"), "out\n", "", -1);
  s = start_act("hang", 100);
  finish(&s);
  sigaction(SIGCHLD, &before, NULL);
}

/* Somebody else's child is left alone. */
static void no_other_child_is_waited_for(void) {
  pid_t other = fork();
  int how;
  if (other == 0) _exit(42);
  check_end(start_shell("exit 1"), "", "", 1);
  CHECK(waitpid(other, &how, 0) == other && WEXITSTATUS(how) == 42,
        "the other child's status is there");
}

int main(int argc, char **argv) {
  char command[300];
  int before;
  if (argc > 1) return act(argv[1]);
  self = argv[0];
  snprintf(folder, sizeof folder, "%s/host_test.XXXXXX",
           getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
  if (mkdtemp(folder) == NULL) return 1;
#if defined(__linux__)
  prctl(PR_SET_CHILD_SUBREAPER, 1);
#endif
  setenv("PATH", "/usr/bin:/bin", 1);
  before = open_descriptors();
  files_are_read();
  a_file_is_added_to_what_is_there();
  a_large_file_is_read_whole();
  permissions_hold();
  what_would_wait_is_refused();
  files_are_replaced();
  a_reader_keeps_the_old_file();
  a_name_in_use_is_passed_over();
  a_failure_leaves_nothing();
  children_are_read();
  what_cannot_be_run_is_told();
  megabytes_come_whole();
  too_much_kills();
  the_end_kills_the_group();
  an_orphan_at_the_pipe_is_not_waited_for();
  closed_pipes_are_no_end();
  a_child_inherits_nothing();
  no_standard_descriptor_is_needed();
  ours_are_closed_on_exec();
  a_host_that_reaps_is_borne();
  no_other_child_is_waited_for();
  CHECK(open_descriptors() == before, "every descriptor is closed again");
  snprintf(command, sizeof command, "rm -rf '%s'", folder);
  CHECK(system(command) == 0, "cleaned up");
  return checked();
}
