/*
** The list of jobs: phases, orders, deadlines, and the end of a job in every
** phase. The jobs here do what a test tells them and count what happens.
*/
#include "../../src/core/job.h"

#include <stdlib.h>

#include "check.h"

enum plan { WAIT, SEND, FINISH };

struct toy {
  struct ar_job job;
  struct ar_exchange exchange;
  enum plan plan; /* what the next step does */
  int64_t wake;
  int steps, fails;
  enum ar_code code;
  int finished; /* its exchange */
  char why[256];
};

static struct ar_jobs jobs;
static int alive; /* toys that were not freed */

static struct toy *toy_of(struct ar_job *job) {
  return AR_OWNER(struct toy, job, job);
}

static void toy_step(struct ar_job *job, const struct ar_now *now) {
  struct toy *t = toy_of(job);
  (void)now;
  t->steps++;
  if (t->plan == FINISH) {
    ar_job_finish(job);
    return;
  }
  if (t->plan == SEND) ar_job_send(job, &t->exchange);
  ar_job_wait(job, t->wake);
}

static void toy_fail(struct ar_job *job, enum ar_code code, const char *why) {
  (void)why;
  toy_of(job)->fails++;
  toy_of(job)->code = code;
}

static void toy_free(struct ar_job *job) {
  alive--;
  free(toy_of(job));
}

static const struct ar_job_class toy_class = {toy_step, toy_fail, toy_free};

static void retain(struct ar_exchange *x) {
  ar_job_retain(&AR_OWNER(struct toy, exchange, x)->job);
}

static void release(struct ar_exchange *x) {
  ar_job_release(&AR_OWNER(struct toy, exchange, x)->job);
}

static void finish(struct ar_exchange *x, const struct ar_outcome *outcome) {
  struct toy *t = AR_OWNER(struct toy, exchange, x);
  t->finished++;
  t->code = outcome->failure;
  snprintf(t->why, sizeof t->why, "%s", outcome->detail);
  t->job.exchange = NULL;
  ar_job_ready(&t->job);
}

static struct toy *toy(enum plan plan, int64_t deadline) {
  struct toy *t = calloc(1, sizeof *t);
  if (t == NULL) exit(1);
  alive++;
  ar_job_init(&t->job, &toy_class);
  t->exchange.retain = retain;
  t->exchange.release = release;
  t->plan = plan;
  t->wake = AR_NEVER;
  t->job.deadline = deadline;
  t->job.hosted = t->job.told = true;
  ar_jobs_name(&jobs, &t->job);
  ar_jobs_add(&jobs, &t->job);
  return t;
}

static void step(int64_t monotonic) {
  struct ar_now now = {monotonic, 0};
  ar_jobs_step(&jobs, &now);
}

static enum ar_order take(struct ar_exchange **x) {
  int64_t id;
  *x = NULL;
  return ar_jobs_order(&jobs, x, &id, &id);
}

/* Nothing is left on the list, and `t`, whose last reference this drops, is
   freed. */
static void over(struct toy *t, const char *what) {
  struct ar_exchange *x;
  ar_job_release(&t->job);
  CHECK(ar_jobs_take_done(&jobs) == 0 && take(&x) == AR_ORDER_NONE,
        "%s: nothing is left to tell or to do", what);
  CHECK(jobs.unfinished == 0 && alive == 0, "%s: %d alive", what, alive);
}

static void a_life(void) {
  struct toy *t = toy(WAIT, AR_NEVER);
  int64_t id = t->job.id;
  CHECK(ar_jobs_timeout(&jobs, 0) == 0, "a new job is due");
  step(0);
  CHECK(t->steps == 1 && t->job.phase == AR_JOB_WAITING, "it waits");
  CHECK(ar_jobs_timeout(&jobs, 0) == -1, "until something happens");
  step(1000);
  CHECK(t->steps == 1, "time alone does not step it");
  t->plan = FINISH;
  ar_job_ready(&t->job);
  ar_job_ready(&t->job);
  CHECK(ar_jobs_timeout(&jobs, 0) == 0, "ready, it is due");
  step(1000);
  CHECK(t->steps == 2 && t->job.phase == AR_JOB_DONE && t->fails == 0,
        "it is done");
  CHECK(ar_jobs_timeout(&jobs, 0) == 0, "its end is to be told");
  CHECK(ar_jobs_take_done(&jobs) == id && ar_jobs_take_done(&jobs) == 0,
        "once");
  ar_job_ready(&t->job);
  ar_job_finish(&t->job);
  CHECK(!ar_job_end(&t->job, AR_E_CANCELLED, "late"), "it cannot end twice");
  CHECK(t->fails == 0, "and nothing changes it any more");
  over(t, "a life");
}

static void wakes(void) {
  struct toy *t = toy(WAIT, AR_NEVER);
  t->wake = 100;
  step(0);
  CHECK(ar_jobs_timeout(&jobs, 40) == 60, "60 ms to its wake");
  CHECK(ar_jobs_timeout(&jobs, 100) == 0 && ar_jobs_timeout(&jobs, 101) == 0,
        "then it is due");
  step(99);
  CHECK(t->steps == 1, "not before");
  t->plan = FINISH;
  step(100);
  CHECK(t->steps == 2 && ar_jobs_take_done(&jobs) != 0, "woken");
  over(t, "wakes");
}

static void deadlines(void) {
  struct toy *ready = toy(WAIT, 50), *waiting, *other;
  step(50);
  CHECK(ready->steps == 0 && ready->code == AR_E_CALL_TIMEOUT,
        "a job that is too late is not begun");
  CHECK(ar_jobs_take_done(&jobs) == ready->job.id, "its end is told");
  over(ready, "a deadline when ready");
  waiting = toy(WAIT, 200);
  other = toy(WAIT, 300);
  waiting->wake = 120;
  step(100);
  CHECK(ar_jobs_timeout(&jobs, 100) == 20, "its wake is first");
  waiting->wake = AR_NEVER;
  step(120);
  CHECK(waiting->steps == 2 && ar_jobs_timeout(&jobs, 120) == 80,
        "then its deadline");
  step(200);
  CHECK(waiting->fails == 1 && waiting->code == AR_E_CALL_TIMEOUT &&
            other->fails == 0,
        "it alone is too late");
  CHECK(ar_jobs_take_done(&jobs) == waiting->job.id, "told");
  CHECK(ar_jobs_timeout(&jobs, 200) == 100, "the other one's is next");
  step(1000);
  CHECK(ar_jobs_take_done(&jobs) == other->job.id, "told as well");
  ar_job_release(&other->job);
  over(waiting, "deadlines");
}

/* In every phase, by cancellation and by deadline. */
static void ends(bool late) {
  struct ar_exchange *x, *sent;
  const char *how = late ? "late" : "cancelled";
  for (int phase = 0; phase < 3; phase++) {
    struct toy *t = toy(phase == 0 ? WAIT : SEND, late ? 100 : AR_NEVER);
    sent = NULL;
    if (phase > 0) step(0);
    if (phase == 2)
      CHECK(take(&sent) == AR_ORDER_SEND && sent == &t->exchange,
            "it orders its exchange to be sent");
    if (late)
      step(100);
    else
      CHECK(ar_job_end(&t->job, AR_E_CANCELLED, "cancelled"), "it ends");
    CHECK(t->fails == 1 && t->job.phase == AR_JOB_DONE, "%s in phase %d", how,
          phase);
    CHECK(!ar_job_end(&t->job, AR_E_CANCELLED, "again"), "but once");
    if (phase == 2) {
      CHECK(take(&x) == AR_ORDER_FORGET && x == sent,
            "%s in flight: it is to be forgotten", how);
      x->release(x);
      sent->release(sent);
    }
    CHECK(take(&x) == AR_ORDER_NONE, "%s in phase %d: no order stays", how,
          phase);
    CHECK(ar_jobs_take_done(&jobs) == t->job.id, "its end is told");
    over(t, how);
  }
}

/* An exchange that ends after its job did changes nothing. */
static void too_late(void) {
  struct toy *t = toy(SEND, AR_NEVER);
  struct ar_exchange *x, *y;
  step(0);
  take(&x);
  ar_job_end(&t->job, AR_E_CANCELLED, "cancelled");
  ar_job_ready(&t->job);
  step(1);
  CHECK(t->steps == 1 && t->fails == 1, "no step after the end");
  CHECK(take(&y) == AR_ORDER_FORGET && y == x, "it is still to be forgotten");
  y->release(y);
  x->release(x);
  ar_jobs_take_done(&jobs);
  over(t, "too late");
}

static void abandons(void) {
  struct toy *flying = toy(SEND, AR_NEVER), *ordered, *waiting;
  struct ar_exchange *x, *y;
  step(0);
  take(&x);
  ordered = toy(SEND, AR_NEVER);
  waiting = toy(WAIT, AR_NEVER);
  step(0);
  ar_jobs_abandon(&jobs);
  CHECK(flying->code == AR_E_CONNECTION_CLOSED && flying->fails == 1,
        "what is in flight ends");
  CHECK(ordered->fails == 0 && waiting->fails == 0, "what is not goes on");
  CHECK(take(&y) == AR_ORDER_SEND && y == &ordered->exchange,
        "what was ordered can be sent");
  CHECK(take(&x) == AR_ORDER_NONE, "nothing is to be forgotten");
  flying->exchange.release(&flying->exchange);
  y->release(y);
  ar_job_end(&ordered->job, AR_E_CANCELLED, "");
  take(&y);
  y->release(y);
  ar_job_end(&waiting->job, AR_E_CANCELLED, "");
  while (ar_jobs_take_done(&jobs)) continue;
  ar_job_release(&flying->job);
  ar_job_release(&ordered->job);
  over(waiting, "abandons");
}

/* The list goes while jobs are in every phase; those held live on. */
static void the_list_goes(void) {
  struct toy *held[4];
  struct ar_exchange *x;
  for (int i = 0; i < 4; i++) {
    held[i] = toy(i == 1 ? SEND : i == 2 ? FINISH : WAIT, AR_NEVER);
    if (i < 3) step(0);
    if (i == 1) take(&x);
  }
  toy(SEND, AR_NEVER)->job.refs--; /* held by the list alone */
  ar_jobs_free(&jobs);
  CHECK(alive == 4, "what nobody holds is freed");
  for (int i = 0; i < 4; i++) {
    CHECK(held[i]->job.jobs == NULL, "the others are on no list");
    CHECK(!ar_job_end(&held[i]->job, AR_E_CANCELLED, "") || i == 2,
          "and cannot be ended");
    ar_job_ready(&held[i]->job);
    ar_job_finish(&held[i]->job);
    ar_job_release(&held[i]->job);
  }
  x->release(x);
  CHECK(alive == 0, "until they are let go");
  ar_jobs_init(&jobs);
}

/* --- by a performer ------------------------------------------------------
 */

struct recorder {
  struct ar_performer performer;
  enum ar_code refuses;
  struct ar_exchange *added, *removed;
};

static int record_add(struct ar_performer *p, struct ar_exchange *x,
                      struct ar_err *err) {
  struct recorder *r = AR_OWNER(struct recorder, performer, p);
  if (r->refuses != AR_OK) return ar_fail(err, r->refuses, "no room");
  x->retain(x);
  r->added = x;
  return AR_OK;
}

static void record_remove(struct ar_performer *p, struct ar_exchange *x) {
  AR_OWNER(struct recorder, performer, p)->removed = x;
  x->release(x);
}

static struct recorder recorder(enum ar_code refuses) {
  return (struct recorder){
      {.add = record_add, .remove = record_remove}, refuses, NULL, NULL};
}

static struct toy *sending(void) {
  struct toy *t = toy(SEND, AR_NEVER);
  t->job.hosted = false;
  t->exchange.finish = finish;
  step(0);
  CHECK(ar_jobs_want_performer(&jobs) && ar_jobs_timeout(&jobs, 0) == 0,
        "a performer is wanted");
  CHECK(ar_jobs_next_order(&jobs) == AR_ORDER_NONE, "and not the host");
  return t;
}

static void performs(void) {
  struct recorder r = recorder(AR_OK);
  struct toy *t = sending();
  ar_jobs_perform(&jobs, &r.performer);
  CHECK(r.added == &t->exchange && !ar_jobs_want_performer(&jobs),
        "the performer has the exchange");
  CHECK(ar_jobs_timeout(&jobs, 0) == -1 && t->finished == 0, "in flight");
  ar_job_end(&t->job, AR_E_CANCELLED, "cancelled");
  CHECK(ar_jobs_want_performer(&jobs), "one is in flight that nobody wants");
  ar_jobs_perform(&jobs, &r.performer);
  CHECK(r.removed == &t->exchange && t->finished == 0, "it is removed");
  ar_jobs_take_done(&jobs);
  over(t, "performed");
}

/* Neither is an exchange that no performer takes left in flight. */
static void refuses(void) {
  struct recorder r = recorder(AR_E_MEMORY);
  struct toy *t = sending();
  ar_jobs_perform(&jobs, &r.performer);
  CHECK(t->finished == 1 && t->code == AR_E_MEMORY &&
            strcmp(t->why, "no room") == 0,
        "what the performer refuses has failed");
  CHECK(t->job.phase == AR_JOB_READY && t->job.exchange == NULL, "goes on");
  t->plan = FINISH;
  step(0);
  ar_jobs_take_done(&jobs);
  over(t, "refused by the performer");
  t = sending();
  ar_jobs_refuse(&jobs, "none here");
  CHECK(t->finished == 1 && t->code == AR_E_HTTP &&
            strcmp(t->why, "none here") == 0,
        "without a performer it has failed");
  CHECK(!ar_jobs_want_performer(&jobs), "and waits for none");
  t->plan = FINISH;
  step(0);
  ar_jobs_take_done(&jobs);
  over(t, "refused");
}

/* The end of a job that nobody is to be told of is not kept. */
static void untold(void) {
  struct toy *t = toy(FINISH, AR_NEVER);
  t->job.told = false;
  step(0);
  CHECK(t->job.phase == AR_JOB_DONE && t->job.refs == 1, "the list let go");
  CHECK(ar_jobs_timeout(&jobs, 0) == -1, "nothing is due");
  over(t, "untold");
}

static void moments(void) {
  struct ar_job *moment = ar_moment_new(500);
  moment->told = true;
  ar_jobs_name(&jobs, moment);
  ar_jobs_add(&jobs, moment);
  step(0);
  CHECK(ar_jobs_timeout(&jobs, 100) == 400, "a moment is waited for");
  step(499);
  CHECK(moment->phase == AR_JOB_WAITING, "to the millisecond");
  step(500);
  CHECK(moment->phase == AR_JOB_DONE, "and it is done");
  CHECK(ar_jobs_take_done(&jobs) == moment->id, "told");
  ar_job_release(moment);
  moment = ar_moment_new(0);
  ar_jobs_name(&jobs, moment);
  ar_jobs_add(&jobs, moment);
  step(1000);
  CHECK(moment->phase == AR_JOB_DONE, "a moment that is over is done");
  ar_jobs_take_done(&jobs);
  ar_job_release(moment);
}

/* Many jobs are told in the order of their ends, each once. */
static void many(void) {
  int64_t last = 0, id;
  int told = 0;
  for (int i = 0; i < 1000; i++) ar_job_release(&toy(FINISH, AR_NEVER)->job);
  step(0);
  while ((id = ar_jobs_take_done(&jobs)) != 0) {
    told += id > last;
    last = id;
  }
  CHECK(told == 1000 && alive == 0, "a thousand ends are told in order");
}

int main(void) {
  ar_jobs_init(&jobs);
  a_life();
  wakes();
  deadlines();
  ends(false);
  ends(true);
  too_late();
  abandons();
  the_list_goes();
  performs();
  refuses();
  untold();
  moments();
  many();
  ar_jobs_free(&jobs);
  return checked();
}
