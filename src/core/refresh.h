/*
** Getting the credentials of a client: one provider chain as a job. It belongs
** to the client, so that however many calls wait there is one at a time, and a
** waiter that is cancelled ends it for nobody else.
*/
#ifndef ar_refresh_h
#define ar_refresh_h

#include "client.h"

AR_HIDDEN

/*
** Somebody who waits for credentials: a job, and where it is told why there
** are none. Linked while it waits.
*/
struct ar_waiter {
  struct ar_link link;
  struct ar_job *job;
  struct ar_err *err; /* its code is AR_OK until the chain has failed */
  bool takes_expired; /* wants to know them, not to use them */
  bool served;        /* the chain has just got them for it */
};

void ar_waiter_init(struct ar_waiter *waiter, struct ar_job *job,
                    struct ar_err *err);

/*
** Sees to it that client->creds can be used. AR_STEP_HAVE: they can;
** credentials that expire soon are renewed meanwhile. AR_STEP_NONE: `waiter`'s
** job is made ready when they are there, or have failed. AR_STEP_FAIL, with
** err: out of memory, or they have expired although they are new.
*/
enum ar_step ar_client_want(struct ar_client *client, struct ar_jobs *jobs,
                            struct ar_waiter *waiter, const struct ar_now *now,
                            struct ar_err *err);

/* Waits no more; the chain ends when nobody does. */
void ar_client_unwant(struct ar_client *client, struct ar_waiter *waiter);

/* Ends a renewal that no call waits for, when no call will come. */
void ar_client_idle(struct ar_client *client);

/*
** Drops the credentials that a call was refused with, unless they were
** replaced meanwhile, or are the caller's own.
*/
void ar_client_distrust(struct ar_client *client, unsigned generation);

/*
** After the order AR_ORDER_ASK of the job `id`: where the credentials go that
** the caller's function gives, or NULL when nobody asks any more; and that
** they are there (AR_OK), or by which `code` and `why` there are none.
*/
struct ar_creds *ar_refresh_asked(struct ar_jobs *jobs, int64_t id);
void ar_refresh_answered(struct ar_jobs *jobs, int64_t id, enum ar_code code,
                         const char *why);

AR_HIDDEN_END

#endif
