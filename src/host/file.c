/*
** Files, read and replaced by the system's calls alone: stdio would keep a
** copy of what passes through it. The one copy beside the caller's buffer is
** a piece on the stack, and is wiped.
*/
#define _GNU_SOURCE
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "system.h"

#define PIECE 4096
#define ATTEMPTS 100 /* names tried for the new file */

static enum ar_file failed(struct ar_err *err, int number) {
  ar_fail_system(err, AR_E_BAD_CONFIG, number);
  return AR_FILE_FAILED;
}

static ssize_t read_some(int fd, char *piece) {
  ssize_t n;
  do n = read(fd, piece, PIECE);
  while (n < 0 && errno == EINTR);
  return n;
}

static enum ar_file not_regular(struct ar_err *err) {
  ar_fail(err, AR_E_BAD_CONFIG, "is not a regular file");
  return AR_FILE_FAILED;
}

/*
** A device (/dev/null) and a pipe whose writer has finished (/dev/fd/3, a
** process substitution) are read as a file is. What is not ready at once is
** refused: O_NONBLOCK alone is not enough where opening /dev/fd/3 gives the
** descriptor that there was.
*/
static bool is_ready(int fd, bool regular) {
  struct pollfd one = {.fd = fd, .events = POLLIN};
  return regular || poll(&one, 1, 0) > 0;
}

static enum ar_file read_pieces(int fd, bool regular, struct ar_buf *to,
                                struct ar_err *err) {
  size_t room = to->limit - to->n;
  char piece[PIECE];
  ssize_t n = 0;
  int result = AR_OK;
  bool ready;
  while ((ready = is_ready(fd, regular)) && (n = read_some(fd, piece)) > 0) {
    result = ar_buf_add(to, piece, (size_t)n);
    if (result != AR_OK) break;
  }
  ar_wipe(piece, sizeof piece);
  if (result == AR_E_TOO_LARGE) {
    ar_fail(err, AR_E_BAD_CONFIG, "larger than %zu bytes", room);
    return AR_FILE_FAILED;
  }
  if (result != AR_OK) return failed(err, ENOMEM);
  if (!ready || (n < 0 && errno == EAGAIN)) return not_regular(err);
  return n < 0 ? failed(err, errno) : AR_FILE_READ;
}

static enum ar_file read_open(int fd, struct ar_buf *to, struct ar_err *err) {
  struct stat about;
  if (fstat(fd, &about) != 0) return failed(err, errno);
  if (S_ISDIR(about.st_mode)) return failed(err, EISDIR);
  return read_pieces(fd, S_ISREG(about.st_mode), to, err);
}

enum ar_file ar_file_read(void *context, const char *path, struct ar_buf *to,
                          struct ar_err *err) {
  enum ar_file result;
  int fd;
  (void)context;
  do fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  while (fd < 0 && errno == EINTR);
  if (fd < 0 && (errno == ENOENT || errno == ENOTDIR)) return AR_FILE_MISSING;
  if (fd < 0) return failed(err, errno);
  result = read_open(fd, to, err);
  close(fd);
  return result;
}

/*
** Replacing. The functions below answer 0, or an errno.
*/

static int write_all(int fd, struct ar_str rest) {
  while (rest.n > 0) {
    ssize_t n = write(fd, rest.p, rest.n);
    if (n < 0 && errno != EINTR) return errno;
    if (n > 0) rest = ar_str_from(rest, (size_t)n);
  }
  return 0;
}

/* Opens a new file beside `path`; its name goes to `name`. The umask may have
   taken away what mode 0600 gives. */
static int open_beside(struct ar_buf *name, const char *path, int *fd) {
  char suffix[48];
  for (int i = 0; i < ATTEMPTS; i++) {
    snprintf(suffix, sizeof suffix, ".%ld-%d.tmp", (long)getpid(), i);
    ar_buf_reset(name);
    ar_buf_addz(name, path);
    ar_buf_addz(name, suffix);
    if (name->failed)
      return name->failed == AR_E_MEMORY ? ENOMEM : ENAMETOOLONG;
    *fd = open(name->p, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (*fd >= 0 || errno != EEXIST) break;
  }
  return *fd < 0 ? errno : 0;
}

static int fill(int fd, struct ar_str contents) {
  int number = fchmod(fd, 0600) == 0 ? 0 : errno;
  if (number == 0) number = write_all(fd, contents);
  if (number == 0 && fsync(fd) != 0) number = errno;
  if (close(fd) != 0 && errno != EINTR && number == 0) number = errno;
  return number;
}

static int replace(struct ar_buf *name, const char *path,
                   struct ar_str contents) {
  int fd = -1, number = open_beside(name, path, &fd);
  if (number != 0) return number;
  number = fill(fd, contents);
  if (number == 0 && rename(name->p, path) != 0) number = errno;
  if (number != 0) unlink(name->p);
  return number;
}

int ar_file_replace(void *context, const char *path, struct ar_str contents,
                    struct ar_err *err) {
  struct ar_buf name;
  int number;
  (void)context;
  ar_buf_init(&name, AR_MAX_URL);
  number = replace(&name, path, contents);
  ar_buf_free(&name);
  return number == 0 ? AR_OK : ar_fail_system(err, AR_E_BAD_CONFIG, number);
}
