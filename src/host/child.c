/*
** Child processes by posix_spawn, which is the one way to start one from a
** process with threads, and which tells of a program that cannot be run.
**
** Every descriptor of ours is closed on exec. Those of the host that are not
** are closed in the child where the system can do it (glibc 2.34, FreeBSD
** 13.1, macOS); elsewhere the child inherits them.
*/
#define _GNU_SOURCE
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "system.h"

#if defined(__APPLE__)
#include <crt_externs.h>
#define environ (*_NSGetEnviron()) /* a shared library has no other */
#endif

#if defined(__GLIBC_PREREQ)
#if __GLIBC_PREREQ(2, 34)
#define CLOSES_FROM 1
#endif
#elif defined(__FreeBSD__)
#include <sys/param.h>
#if __FreeBSD_version >= 1301000
#define CLOSES_FROM 1
#endif
#endif

#if !defined(POSIX_SPAWN_CLOEXEC_DEFAULT)
#define POSIX_SPAWN_CLOEXEC_DEFAULT 0
#endif

#define PIECE 4096
#define PIECES_AT_ONCE 64
#define FAREWELL 100 /* milliseconds for a killed child to be reaped */

struct ar_child {
  pid_t pid;
  pid_t parent; /* who started it; a fork of that must leave it alone */
  int out, err; /* our ends of the pipes; -1 when closed */
  bool reaped;
  int status; /* see ar_child_output, once it is reaped */
};

/*
** Pipes
*/

static void close_fd(int *fd) {
  if (*fd >= 0) close(*fd);
  *fd = -1;
}

static bool new_pipe(int ends[2]) {
#if defined(__linux__) || defined(__FreeBSD__)
  return pipe2(ends, O_CLOEXEC) == 0;
#else
  if (pipe(ends) != 0) return false;
  fcntl(ends[0], F_SETFD, FD_CLOEXEC);
  fcntl(ends[1], F_SETFD, FD_CLOEXEC);
  return true;
#endif
}

/* 0, or an errno; then what is open is in `ends`, the rest is -1. */
static int open_pipe(int ends[2]) {
  if (new_pipe(ends) && fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0) return 0;
  return errno;
}

/*
** Starting. The functions answer 0, or an errno.
*/

/* The child's descriptors: /dev/null, the two pipes, and no others. */
static int plan_descriptors(posix_spawn_file_actions_t *plan, int out,
                            int err) {
  int bad =
      posix_spawn_file_actions_addopen(plan, 0, "/dev/null", O_RDONLY, 0);
  if (bad == 0) bad = posix_spawn_file_actions_adddup2(plan, out, 1);
  if (bad == 0) bad = posix_spawn_file_actions_adddup2(plan, err, 2);
#if defined(CLOSES_FROM)
  if (bad == 0) bad = posix_spawn_file_actions_addclosefrom_np(plan, 3);
#endif
  return bad;
}

static int set_attributes(posix_spawnattr_t *attributes) {
  sigset_t none, all;
  int bad;
  sigemptyset(&none);
  sigfillset(&all);
  bad = posix_spawnattr_setflags(
      attributes,
      (short)(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
              POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_CLOEXEC_DEFAULT));
  if (bad == 0) bad = posix_spawnattr_setpgroup(attributes, 0);
  if (bad == 0) bad = posix_spawnattr_setsigmask(attributes, &none);
  if (bad == 0) bad = posix_spawnattr_setsigdefault(attributes, &all);
  return bad;
}

static int spawn_with(const posix_spawn_file_actions_t *plan, pid_t *pid,
                      char *const argv[]) {
  posix_spawnattr_t attributes;
  int bad = posix_spawnattr_init(&attributes);
  if (bad != 0) return bad;
  bad = set_attributes(&attributes);
  if (bad == 0)
    bad = posix_spawnp(pid, argv[0], plan, &attributes, argv, environ);
  posix_spawnattr_destroy(&attributes);
  return bad;
}

static int spawn(struct ar_child *child, int out, int err,
                 char *const argv[]) {
  posix_spawn_file_actions_t plan;
  int bad = posix_spawn_file_actions_init(&plan);
  if (bad != 0) return bad;
  bad = plan_descriptors(&plan, out, err);
  if (bad == 0) bad = spawn_with(&plan, &child->pid, argv);
  posix_spawn_file_actions_destroy(&plan);
  return bad;
}

static int start(struct ar_child *child, char *const argv[]) {
  int out[2] = {-1, -1}, err[2] = {-1, -1};
  int bad = open_pipe(out);
  if (bad == 0) bad = open_pipe(err);
  if (bad == 0) bad = spawn(child, out[1], err[1], argv);
  close_fd(&out[1]);
  close_fd(&err[1]);
  child->out = out[0];
  child->err = err[0];
  return bad;
}

static void free_child(struct ar_child *child) {
  close_fd(&child->out);
  close_fd(&child->err);
  free(child);
}

struct ar_child *ar_child_start(void *context, char *const argv[],
                                struct ar_err *err) {
  struct ar_child *child = calloc(1, sizeof *child);
  int bad;
  (void)context;
  if (child == NULL) {
    ar_fail_memory(err);
    return NULL;
  }
  child->parent = getpid();
  bad = start(child, argv);
  if (bad == 0) return child;
  ar_fail_system(err, AR_E_CREDENTIAL_RETRIEVAL, bad);
  free_child(child);
  return NULL;
}

/*
** The end of a child
*/

static int status_of(int how) {
  return WIFSIGNALED(how) ? 128 + WTERMSIG(how) : WEXITSTATUS(how);
}

/* Whether it is gone. ECHILD: somebody else reaped it, or the process ignores
   SIGCHLD; from then on the number may be another process's. */
static bool reap(struct ar_child *child) {
  int how;
  pid_t pid;
  if (child->reaped) return true;
  do pid = waitpid(child->pid, &how, WNOHANG);
  while (pid < 0 && errno == EINTR);
  if (pid == 0) return false;
  child->reaped = true;
  child->status = pid > 0 ? status_of(how) : -1;
  return true;
}

/* The group, or the child alone where it left its group. */
static void kill_it(struct ar_child *child) {
  if (reap(child)) return;
  if (kill(-child->pid, SIGKILL) != 0) kill(child->pid, SIGKILL);
}

/*
** Reading
*/

static ssize_t read_some(int fd, char *piece) {
  ssize_t n;
  do n = read(fd, piece, PIECE);
  while (n < 0 && errno == EINTR);
  return n;
}

/*
** Takes what there is, but at most so much in one go that the host is not kept
** from its own work. False when the buffer takes no more: at its limit, or for
** want of memory, which stays in the buffer.
*/
static bool drain(int *fd, struct ar_buf *to) {
  char piece[PIECE];
  bool fits = true;
  for (int i = 0; i < PIECES_AT_ONCE && *fd >= 0; i++) {
    ssize_t n = read_some(*fd, piece);
    size_t room = to->limit - to->n;
    if (n < 0 && errno == EAGAIN) break;
    if (n <= 0) {
      close_fd(fd);
      break;
    }
    if ((size_t)n > room) fits = false;
    if (ar_buf_add(to, piece, fits ? (size_t)n : room) != AR_OK) fits = false;
  }
  ar_wipe(piece, sizeof piece);
  return fits;
}

static void refuse_more(struct ar_child *child,
                        struct ar_child_output *output) {
  output->too_much = true;
  close_fd(&child->out);
  close_fd(&child->err);
  kill_it(child);
}

/* Reaped first, then read: what it wrote is in the pipes by then, and whoever
   else holds them is not waited for. */
void ar_child_poll(void *context, struct ar_child *child,
                   struct ar_child_output *output) {
  bool ended, fits;
  (void)context;
  if (child->parent != getpid()) {
    output->ended = true;
    output->status = -1;
    return;
  }
  ended = reap(child);
  fits = drain(&child->out, &output->out);
  drain(&child->err, &output->err);
  if (!fits || output->err.failed == AR_E_MEMORY) refuse_more(child, output);
  output->ended = ended;
  if (ended) output->status = child->status;
}

void ar_child_end(void *context, struct ar_child *child) {
  (void)context;
  if (child->parent != getpid()) {
    free_child(child);
    return;
  }
  kill_it(child);
  for (int waited = 0; !reap(child) && waited < FAREWELL; waited++)
    poll(NULL, 0, 1);
  free_child(child);
}
