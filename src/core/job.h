/*
** What is in flight in one Lua state: a list of jobs, each a state machine
** that is stepped when something has changed for it. One pump steps them all;
** whoever waits for a job holds a reference and looks at its phase, and drives
** nobody.
**
** A job never performs anything. It puts an order on the list (send this
** exchange; forget that one), for the performer in C or, where the job is
** hosted, for the pump to carry out. All of this happens on the thread of the
** Lua state.
*/
#ifndef ar_job_h
#define ar_job_h

#include "exchange.h"
#include "list.h"

AR_HIDDEN

/* The two clocks, in milliseconds; the core has none of its own. */
struct ar_now {
  int64_t monotonic; /* for timeouts and waits */
  int64_t epoch;     /* since 1970, UTC */
};

enum ar_phase {
  AR_JOB_READY,   /* to be stepped */
  AR_JOB_WAITING, /* for its exchange, for its moment */
  AR_JOB_DONE
};

enum ar_order {
  AR_ORDER_NONE,
  AR_ORDER_SEND,
  AR_ORDER_FORGET,
  AR_ORDER_ASK /* the caller's function for credentials */
};

struct ar_job;

struct ar_job_class {
  /* Goes on as far as possible; ends in ar_job_wait or ar_job_finish. */
  void (*step)(struct ar_job *job, const struct ar_now *now);
  /* Its end from outside: the result shall say `code` and `why`. */
  void (*fail)(struct ar_job *job, enum ar_code code, const char *why);
  void (*free)(struct ar_job *job);
};

struct ar_job {
  const struct ar_job_class *class;
  struct ar_jobs *jobs; /* NULL when the list is gone */
  struct ar_link link;  /* in the list of its phase */
  struct ar_link order_link;
  unsigned refs;
  int64_t id;    /* unique in its list, from 1 */
  int64_t owner; /* the client that it belongs to, as the maker numbers them */
  enum ar_phase phase;
  bool hosted;         /* a function of the host's performs its exchanges */
  bool told;           /* its end is told by ar_jobs_take_done */
  enum ar_order order; /* not yet carried out */
  struct ar_exchange *exchange; /* ordered or in flight; NULL: none */
  int64_t wake;                 /* monotonic; AR_NEVER */
  int64_t deadline;             /* monotonic; AR_NEVER */
};

struct ar_jobs {
  struct ar_link ready, waiting;
  struct ar_link done, untold;   /* until their end is told; until a step */
  struct ar_link orders, hosted; /* for the performer; for the host */
  int64_t last_id;
  int64_t soonest; /* no wake and no deadline is earlier */
  size_t unfinished;
};

void ar_jobs_init(struct ar_jobs *jobs);

/* Lets go of every job; those that are referenced live on, off the list. */
void ar_jobs_free(struct ar_jobs *jobs);

/* Fills a new job, with one reference that is the caller's. */
void ar_job_init(struct ar_job *job, const struct ar_job_class *class);
void ar_job_retain(struct ar_job *job);
void ar_job_release(struct ar_job *job);

/*
** Gives a new job its id, by which its end is told; and puts it on the list,
** which takes a reference until then. Apart, so that whoever is to be told can
** be noted before anything happens.
*/
void ar_jobs_name(struct ar_jobs *jobs, struct ar_job *job);
void ar_jobs_add(struct ar_jobs *jobs, struct ar_job *job);

/* For the job itself: wants to be stepped; waits; is done. */
void ar_job_ready(struct ar_job *job);
void ar_job_wait(struct ar_job *job, int64_t wake);
void ar_job_finish(struct ar_job *job);

/* Orders that `x` be sent. It must be the job's own, and prepared. */
void ar_job_send(struct ar_job *job, struct ar_exchange *x);

/* Orders that the caller's function be asked; see refresh.h. */
void ar_job_ask(struct ar_job *job);

/*
** Ends a job from outside by its class's `fail`; what it has in flight is
** ordered to be forgotten. False when it was done already.
*/
bool ar_job_end(struct ar_job *job, enum ar_code code, const char *why);

/* Steps every job that is ready, or whose moment or deadline has come. */
void ar_jobs_step(struct ar_jobs *jobs, const struct ar_now *now);

/* Milliseconds until a step is due; 0: now; -1: until something happens. */
int64_t ar_jobs_timeout(const struct ar_jobs *jobs, int64_t monotonic);

/* Whether the performer has orders to carry out. */
bool ar_jobs_want_performer(const struct ar_jobs *jobs);

/* Has the performer carry out its orders. What it refuses has failed. */
void ar_jobs_perform(struct ar_jobs *jobs, struct ar_performer *performer);

/* Fails what is to be sent, by `why`: there is no performer to be had. */
void ar_jobs_refuse(struct ar_jobs *jobs, const char *why);

/* What ar_jobs_order will take; AR_ORDER_NONE: nothing. */
enum ar_order ar_jobs_next_order(const struct ar_jobs *jobs);

/*
** Takes the next order that the host is to carry out, or AR_ORDER_NONE. `*x`
** comes with a reference that is the caller's, or is NULL for AR_ORDER_ASK;
** `*id` is the job's, `*owner` its client's.
*/
enum ar_order ar_jobs_order(struct ar_jobs *jobs, struct ar_exchange **x,
                            int64_t *id, int64_t *owner);

/* The job that is not done and has this id, or NULL. */
struct ar_job *ar_jobs_find(const struct ar_jobs *jobs, int64_t id);

/* The id of the next finished job that is told, each once; 0: none. */
int64_t ar_jobs_take_done(struct ar_jobs *jobs);

/*
** Ends every job that has something in flight, whose performer is gone, in a
** child of the process that began them.
*/
void ar_jobs_abandon(struct ar_jobs *jobs);

/* A job that is done when `monotonic` has come, or NULL without memory. */
struct ar_job *ar_moment_new(int64_t monotonic);

AR_HIDDEN_END

#endif
