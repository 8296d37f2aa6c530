/*
** Child processes for the core (credential_process): started without a shell
** by posix_spawn, read without waiting, killed with all that they started.
** The functions have the signatures that struct ar_env asks for.
**
** A child is the leader of a process group of its own, has /dev/null as its
** standard input, an empty signal mask and default dispositions, and inherits
** no descriptor beside its three. The host's SIGCHLD handler (nginx has one)
** may reap it first; then its status is unknown, and no other process is ever
** waited for or killed in its place.
*/
#ifndef ar_host_child_h
#define ar_host_child_h

#include "../core/env.h"

AR_HIDDEN

/*
** See ar_env.start_child. AR_E_CREDENTIAL_RETRIEVAL in err with the system's
** words ("No such file or directory") where the program cannot be run.
*/
struct ar_child *ar_child_start(void *context, char *const argv[],
                                struct ar_err *err);

/*
** See ar_env.poll_child. When the limit of `out` is reached the child is
*killed
** and `too_much` set; what is beyond that of `err` is dropped. It has ended
*when both pipes are closed and it
** was reaped, or when it was reaped and something that it started keeps a pipe
** open without writing (what had been written by then is read first).
*/
void ar_child_poll(void *context, struct ar_child *child,
                   struct ar_child_output *output);

/*
** See ar_env.end_child. Kills the group if it has not ended, and reaps it;
** waits at most 100 ms for that, after which a child that even SIGKILL does
** not end is left to the system.
*/
void ar_child_end(void *context, struct ar_child *child);

AR_HIDDEN_END

#endif
