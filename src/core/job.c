/*
** The list of jobs.
*/
#include "job.h"

#include <stdlib.h>

static struct ar_job *job_at(struct ar_link *link) {
  return AR_OWNER(struct ar_job, link, link);
}

/* The job of the first of some orders. */
static struct ar_job *ordering(const struct ar_link *orders) {
  return AR_OWNER(struct ar_job, order_link, orders->next);
}

void ar_jobs_init(struct ar_jobs *jobs) {
  *jobs = (struct ar_jobs){.soonest = AR_NEVER};
  ar_link_init(&jobs->ready);
  ar_link_init(&jobs->waiting);
  ar_link_init(&jobs->done);
  ar_link_init(&jobs->untold);
  ar_link_init(&jobs->orders);
  ar_link_init(&jobs->hosted);
}

static void drop_order(struct ar_job *job) {
  if (job->order == AR_ORDER_NONE) return;
  ar_link_take(&job->order_link);
  job->order = AR_ORDER_NONE;
  ar_job_release(job);
}

static void free_ring(struct ar_link *ring) {
  while (!ar_list_empty(ring)) {
    struct ar_job *job = job_at(ring->next);
    ar_link_take(&job->link);
    job->jobs = NULL;
    ar_job_release(job);
  }
}

static void drop_orders(struct ar_link *orders) {
  while (!ar_list_empty(orders)) drop_order(ordering(orders));
}

/* Orders last: a job that goes may end another one, which orders then. */
void ar_jobs_free(struct ar_jobs *jobs) {
  free_ring(&jobs->ready);
  free_ring(&jobs->waiting);
  free_ring(&jobs->done);
  free_ring(&jobs->untold);
  drop_orders(&jobs->orders);
  drop_orders(&jobs->hosted);
}

void ar_job_init(struct ar_job *job, const struct ar_job_class *class) {
  *job = (struct ar_job){.class = class, .refs = 1};
  job->wake = job->deadline = AR_NEVER;
  ar_link_init(&job->link);
  ar_link_init(&job->order_link);
}

void ar_job_retain(struct ar_job *job) {
  job->refs++;
}

void ar_job_release(struct ar_job *job) {
  if (--job->refs == 0) job->class->free(job);
}

void ar_jobs_name(struct ar_jobs *jobs, struct ar_job *job) {
  job->id = ++jobs->last_id;
}

void ar_jobs_add(struct ar_jobs *jobs, struct ar_job *job) {
  ar_job_retain(job);
  job->jobs = jobs;
  jobs->unfinished++;
  if (job->deadline < jobs->soonest) jobs->soonest = job->deadline;
  ar_link_move(&jobs->ready, &job->link);
}

static void enter(struct ar_job *job, enum ar_phase phase,
                  struct ar_link *ring) {
  job->phase = phase;
  ar_link_move(ring, &job->link);
}

void ar_job_ready(struct ar_job *job) {
  if (job->jobs != NULL && job->phase == AR_JOB_WAITING)
    enter(job, AR_JOB_READY, &job->jobs->ready);
}

void ar_job_wait(struct ar_job *job, int64_t wake) {
  struct ar_jobs *jobs = job->jobs;
  job->wake = wake;
  if (wake < jobs->soonest) jobs->soonest = wake;
  if (job->deadline < jobs->soonest) jobs->soonest = job->deadline;
  enter(job, AR_JOB_WAITING, &jobs->waiting);
}

void ar_job_finish(struct ar_job *job) {
  if (job->jobs == NULL || job->phase == AR_JOB_DONE) return;
  job->jobs->unfinished--;
  enter(job, AR_JOB_DONE, job->told ? &job->jobs->done : &job->jobs->untold);
}

static void add_order(struct ar_job *job, enum ar_order order) {
  struct ar_jobs *jobs = job->jobs;
  bool hosted = job->hosted || order == AR_ORDER_ASK;
  job->order = order;
  ar_job_retain(job);
  ar_link_move(hosted ? &jobs->hosted : &jobs->orders, &job->order_link);
}

void ar_job_send(struct ar_job *job, struct ar_exchange *x) {
  job->exchange = x;
  add_order(job, AR_ORDER_SEND);
}

void ar_job_ask(struct ar_job *job) {
  add_order(job, AR_ORDER_ASK);
}

/* What was only ordered is not sent; what was sent is to be forgotten. */
static void forget(struct ar_job *job) {
  bool sent = job->exchange != NULL && job->order == AR_ORDER_NONE;
  drop_order(job);
  if (sent)
    add_order(job, AR_ORDER_FORGET);
  else
    job->exchange = NULL;
}

bool ar_job_end(struct ar_job *job, enum ar_code code, const char *why) {
  if (job->phase == AR_JOB_DONE || job->jobs == NULL) return false;
  ar_job_retain(job);
  forget(job);
  job->class->fail(job, code, why);
  ar_job_finish(job);
  ar_job_release(job);
  return true;
}

/*
** Moves what is due from waiting to ready, and ends what is too late. The end
** of one may move others, so the walk begins anew then.
*/
static void look_at_clock(struct ar_jobs *jobs, int64_t monotonic) {
  struct ar_link *next, *rings[] = {&jobs->waiting, &jobs->ready};
  if (monotonic < jobs->soonest) return;
  jobs->soonest = AR_NEVER;
  for (size_t i = 0; i < 2; i++) {
    for (struct ar_link *at = rings[i]->next; at != rings[i]; at = next) {
      struct ar_job *job = job_at(at);
      int64_t due = job->wake < job->deadline ? job->wake : job->deadline;
      next = at->next;
      if (monotonic >= job->deadline) {
        ar_job_end(job, AR_E_CALL_TIMEOUT, NULL);
        next = rings[i]->next;
      } else if (monotonic >= job->wake) {
        ar_job_ready(job);
      } else if (due < jobs->soonest) {
        jobs->soonest = due;
      }
    }
  }
}

void ar_jobs_step(struct ar_jobs *jobs, const struct ar_now *now) {
  look_at_clock(jobs, now->monotonic);
  while (!ar_list_empty(&jobs->ready)) {
    struct ar_job *job = job_at(jobs->ready.next);
    job->wake = AR_NEVER;
    job->class->step(job, now);
  }
  free_ring(&jobs->untold);
}

int64_t ar_jobs_timeout(const struct ar_jobs *jobs, int64_t monotonic) {
  if (!ar_list_empty(&jobs->ready) || !ar_list_empty(&jobs->orders) ||
      !ar_list_empty(&jobs->hosted) || !ar_list_empty(&jobs->done) ||
      monotonic >= jobs->soonest)
    return 0;
  return jobs->soonest == AR_NEVER ? -1 : jobs->soonest - monotonic;
}

bool ar_jobs_want_performer(const struct ar_jobs *jobs) {
  return !ar_list_empty(&jobs->orders);
}

static void refuse(struct ar_exchange *x, enum ar_code code, const char *why) {
  struct ar_outcome outcome = {.failure = code};
  struct ar_err text;
  ar_fail(&text, code, "%s", why);
  memcpy(outcome.detail, text.message, sizeof outcome.detail - 1);
  x->finish(x, &outcome);
}

static void carry_out(struct ar_job *job, struct ar_performer *performer) {
  struct ar_exchange *x = job->exchange;
  struct ar_err err;
  if (job->order == AR_ORDER_FORGET)
    performer->remove(performer, x);
  else if (performer->add(performer, x, &err) != AR_OK)
    refuse(x, err.code, err.message);
}

void ar_jobs_perform(struct ar_jobs *jobs, struct ar_performer *performer) {
  while (!ar_list_empty(&jobs->orders)) {
    struct ar_job *job = ordering(&jobs->orders);
    carry_out(job, performer);
    drop_order(job);
  }
}

void ar_jobs_refuse(struct ar_jobs *jobs, const char *why) {
  while (!ar_list_empty(&jobs->orders)) {
    struct ar_job *job = ordering(&jobs->orders);
    if (job->order == AR_ORDER_SEND) refuse(job->exchange, AR_E_HTTP, why);
    drop_order(job);
  }
}

enum ar_order ar_jobs_next_order(const struct ar_jobs *jobs) {
  return ar_list_empty(&jobs->hosted) ? AR_ORDER_NONE
                                      : ordering(&jobs->hosted)->order;
}

enum ar_order ar_jobs_order(struct ar_jobs *jobs, struct ar_exchange **x,
                            int64_t *id, int64_t *owner) {
  enum ar_order order = ar_jobs_next_order(jobs);
  struct ar_job *job;
  *x = NULL;
  if (order == AR_ORDER_NONE) return order;
  job = ordering(&jobs->hosted);
  *x = job->exchange;
  *id = job->id;
  *owner = job->owner;
  if (*x != NULL) (*x)->retain(*x);
  drop_order(job);
  return order;
}

struct ar_job *ar_jobs_find(const struct ar_jobs *jobs, int64_t id) {
  const struct ar_link *rings[] = {&jobs->waiting, &jobs->ready};
  for (size_t i = 0; i < 2; i++)
    for (struct ar_link *at = rings[i]->next; at != rings[i]; at = at->next)
      if (job_at(at)->id == id) return job_at(at);
  return NULL;
}

int64_t ar_jobs_take_done(struct ar_jobs *jobs) {
  struct ar_job *job;
  int64_t id;
  if (ar_list_empty(&jobs->done)) return 0;
  job = job_at(jobs->done.next);
  id = job->id;
  ar_link_take(&job->link);
  job->jobs = NULL;
  ar_job_release(job);
  return id;
}

void ar_jobs_abandon(struct ar_jobs *jobs) {
  struct ar_link *next;
  for (struct ar_link *at = jobs->waiting.next; at != &jobs->waiting;
       at = next) {
    struct ar_job *job = job_at(at);
    next = at->next;
    if (job->exchange == NULL || job->order != AR_ORDER_NONE) continue;
    job->exchange = NULL;
    ar_job_end(job, AR_E_CONNECTION_CLOSED,
               "the process was forked while the call was in flight");
    next = jobs->waiting.next; /* others may have moved */
  }
}

/* A moment's deadline ends it. */
static void moment_step(struct ar_job *job, const struct ar_now *now) {
  (void)now;
  ar_job_wait(job, AR_NEVER);
}

static void moment_fail(struct ar_job *job, enum ar_code code,
                        const char *why) {
  (void)job, (void)code, (void)why;
}

static void moment_free(struct ar_job *job) {
  free(job);
}

static const struct ar_job_class moment_class = {moment_step, moment_fail,
                                                 moment_free};

struct ar_job *ar_moment_new(int64_t monotonic) {
  struct ar_job *job = malloc(sizeof *job);
  if (job == NULL) return NULL;
  ar_job_init(job, &moment_class);
  job->deadline = monotonic;
  return job;
}
