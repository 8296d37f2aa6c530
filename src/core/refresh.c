/*
** The provider chain of a client as a job: it gets what the chain asks for,
** each in its own way and none by waiting, and bounds all of it.
*/
#include "refresh.h"

#include <stdio.h>
#include <stdlib.h>

#include "chain.h"

/* Milliseconds. */
#define LONGEST INT64_C(300000)      /* the whole chain */
#define LONGEST_CHILD INT64_C(60000) /* one credential process */
#define FIRST_LOOK INT64_C(1)        /* at a child's output, then twice as */
#define LAST_LOOK INT64_C(20)        /* long each time, up to this */
#define NEXT_TRY INT64_C(60000)      /* after a renewal ahead of need failed */

struct refresh {
  struct ar_job job;
  struct ar_client *client;
  struct ar_chain chain;
  enum ar_step waits_for; /* what the last step said */
  bool answered;          /* the function has */
  struct ar_child *child;
  int64_t child_deadline, look; /* at the child */
  struct ar_err err;
};

static struct refresh *refresh_of(struct ar_job *job) {
  return AR_OWNER(struct refresh, job, job);
}

static void end_child(struct refresh *refresh) {
  const struct ar_env *env = &refresh->client->env;
  if (refresh->child != NULL) env->end_child(env->context, refresh->child);
  refresh->child = NULL;
}

/* --- waiters -------------------------------------------------------------
 */

void ar_waiter_init(struct ar_waiter *waiter, struct ar_job *job,
                    struct ar_err *err) {
  *waiter = (struct ar_waiter){.job = job, .err = err};
  ar_link_init(&waiter->link);
}

static void wake_waiters(struct ar_client *client, const struct ar_err *err) {
  while (!ar_list_empty(&client->waiters)) {
    struct ar_waiter *waiter =
        AR_OWNER(struct ar_waiter, link, client->waiters.next);
    ar_link_take(&waiter->link);
    if (err != NULL) *waiter->err = *err;
    waiter->served = err == NULL;
    ar_job_ready(waiter->job);
  }
}

/* --- the end -------------------------------------------------------------
 */

/*
** The client is free for the next one, and drops the files. An exchange may
** still be out there, so what it points to is not freed here.
*/
static void leave(struct refresh *refresh) {
  struct ar_client *client = refresh->client;
  end_child(refresh);
  if (client->refresh != &refresh->job) return;
  client->refresh = NULL;
  ar_profiles_free(&client->profiles);
  client->has_profiles = false;
}

static void succeed(struct refresh *refresh, struct ar_creds *found) {
  struct ar_client *client = refresh->client;
  ar_creds_move(&client->creds, found);
  client->generation++;
  ar_chain_free(&refresh->chain);
  leave(refresh);
  wake_waiters(client, NULL);
  ar_job_finish(&refresh->job);
}

/* Who has credentials that are still good keeps them. */
static void give_up(struct refresh *refresh, const struct ar_now *now) {
  struct ar_client *client = refresh->client;
  client->refresh_after = now->monotonic + NEXT_TRY;
  ar_chain_free(&refresh->chain);
  leave(refresh);
  wake_waiters(client, &refresh->err);
  ar_job_finish(&refresh->job);
}

/* --- what the chain waits for --------------------------------------------
 */

static void start_child(struct refresh *refresh, const struct ar_now *now) {
  const struct ar_env *env = &refresh->client->env;
  struct ar_child_output *output = &refresh->chain.output;
  struct ar_err why = {.message = "there are no children here"};
  ar_buf_reset(&output->out);
  ar_buf_reset(&output->err);
  output->ended = output->too_much = false;
  output->status = 0;
  refresh->look = FIRST_LOOK;
  refresh->child_deadline = now->monotonic + LONGEST_CHILD;
  if (env->start_child != NULL)
    refresh->child =
        env->start_child(env->context, refresh->chain.command.list, &why);
  if (refresh->child == NULL)
    ar_fail(&refresh->err, AR_E_CREDENTIAL_RETRIEVAL,
            "the credential_process cannot be run: %s: %s",
            refresh->chain.command.list[0], why.message);
}

/* Whether the child has ended; else when to look again. */
static bool look_at_child(struct refresh *refresh, const struct ar_now *now) {
  const struct ar_env *env = &refresh->client->env;
  struct ar_child_output *output = &refresh->chain.output;
  env->poll_child(env->context, refresh->child, output);
  if (output->ended || output->too_much) {
    end_child(refresh);
    return true;
  }
  if (now->monotonic >= refresh->child_deadline) {
    end_child(refresh);
    ar_fail(&refresh->err, AR_E_CREDENTIAL_RETRIEVAL,
            "the credential_process did not end in %d s",
            (int)(LONGEST_CHILD / 1000));
    return true;
  }
  ar_job_wait(&refresh->job, now->monotonic + refresh->look);
  refresh->look *= 2;
  if (refresh->look > LAST_LOOK) refresh->look = LAST_LOOK;
  return false;
}

static void pause_before_again(struct refresh *refresh,
                               const struct ar_now *now) {
  double random = ar_env_uniform(&refresh->client->env);
  ar_job_wait(&refresh->job,
              now->monotonic + ar_chain_pause(&refresh->chain, random));
}

/* False when the chain must still wait. */
static bool has_arrived(struct refresh *refresh, const struct ar_now *now) {
  bool arrived = true;
  if (refresh->waits_for == AR_STEP_SEND)
    arrived = refresh->job.exchange == NULL;
  else if (refresh->waits_for == AR_STEP_ASK)
    arrived = refresh->answered;
  else if (refresh->waits_for == AR_STEP_RUN)
    return look_at_child(refresh, now);
  if (!arrived) ar_job_wait(&refresh->job, AR_NEVER);
  return arrived;
}

static void step_chain(struct refresh *refresh, const struct ar_now *now) {
  struct ar_creds found;
  ar_creds_init(&found);
  refresh->chain.now = *now;
  refresh->waits_for = ar_chain_step(&refresh->chain, &found, &refresh->err);
  switch (refresh->waits_for) {
    case AR_STEP_HAVE:
      succeed(refresh, &found);
      break;
    case AR_STEP_FAIL:
      give_up(refresh, now);
      break;
    case AR_STEP_RUN:
      start_child(refresh, now);
      break;
    case AR_STEP_ASK:
      refresh->answered = false;
      ar_job_ask(&refresh->job);
      break;
    case AR_STEP_AGAIN:
      pause_before_again(refresh, now);
      break;
    default: /* SEND, which is ordered already */
      break;
  }
  ar_creds_free(&found);
}

static void step(struct ar_job *job, const struct ar_now *now) {
  struct refresh *refresh = refresh_of(job);
  job->hosted = refresh->client->hosted; /* as that of the latest call */
  while (job->phase == AR_JOB_READY && has_arrived(refresh, now)) {
    if (refresh->err.code == AR_OK) step_chain(refresh, now);
    if (refresh->err.code != AR_OK && job->phase == AR_JOB_READY)
      give_up(refresh, now);
  }
}

/* --- the job -------------------------------------------------------------
 */

static void end(struct ar_job *job, enum ar_code code, const char *why) {
  struct refresh *refresh = refresh_of(job);
  if (why == NULL) {
    refresh->client->refresh_after = job->deadline + NEXT_TRY;
    ar_fail(&refresh->err, AR_E_CREDENTIAL_RETRIEVAL,
            "no credentials were found in %d s", (int)(LONGEST / 1000));
  } else {
    ar_fail(&refresh->err, code, "%s", why);
  }
  leave(refresh);
  wake_waiters(refresh->client, &refresh->err);
}

static void free_refresh(struct ar_job *job) {
  struct refresh *refresh = refresh_of(job);
  leave(refresh);
  ar_chain_free(&refresh->chain);
  ar_client_release(refresh->client);
  free(refresh);
}

static const struct ar_job_class refresh_class = {step, end, free_refresh};

static int begin(struct ar_client *client, struct ar_jobs *jobs,
                 const struct ar_now *now, struct ar_err *err) {
  struct ar_chain_inputs in = {
      .argument = client->has_argument ? &client->argument : NULL,
      .has_function = client->has_function,
      .env = &client->env,
      .settings = &client->settings,
      .profiles = &client->profiles};
  size_t count;
  const struct ar_provider *rows = ar_providers(&count);
  struct refresh *refresh = calloc(1, sizeof *refresh);
  if (refresh == NULL) return ar_fail_memory(err);
  ar_job_init(&refresh->job, &refresh_class);
  refresh->client = client;
  ar_client_retain(client);
  ar_chain_init(&refresh->chain, &in, rows, count, &refresh->job);
  if (!client->has_profiles)
    ar_profiles_read(&client->profiles, &client->env, NULL, NULL,
                     &refresh->err);
  client->has_profiles = true;
  client->refresh = &refresh->job;
  refresh->job.owner = client->id;
  refresh->job.deadline = now->monotonic + LONGEST;
  ar_jobs_name(jobs, &refresh->job);
  ar_jobs_add(jobs, &refresh->job);
  ar_job_release(&refresh->job);
  return AR_OK;
}

/* --- for calls -----------------------------------------------------------
 */

static enum ar_freshness freshness(const struct ar_client *client,
                                   const struct ar_now *now) {
  return client->creds.provider == NULL
             ? AR_CREDS_EXPIRED
             : ar_creds_freshness(&client->creds, now->epoch);
}

/* What the chain has just brought is not asked for again. */
static enum ar_step take_served(const struct ar_client *client,
                                const struct ar_waiter *waiter,
                                const struct ar_now *now, struct ar_err *err) {
  if (waiter->takes_expired || freshness(client, now) != AR_CREDS_EXPIRED)
    return AR_STEP_HAVE;
  ar_fail(err, AR_E_CREDENTIAL_RETRIEVAL,
          "Credentials were refreshed, but the refreshed credentials are "
          "still expired (%s)",
          client->creds.provider->name);
  return AR_STEP_FAIL;
}

enum ar_step ar_client_want(struct ar_client *client, struct ar_jobs *jobs,
                            struct ar_waiter *waiter, const struct ar_now *now,
                            struct ar_err *err) {
  enum ar_freshness fresh = freshness(client, now);
  bool served = waiter->served && client->creds.provider != NULL;
  waiter->served = false;
  if (served) return take_served(client, waiter, now, err);
  if (fresh == AR_CREDS_RENEW_SOON && client->refresh == NULL &&
      now->monotonic >= client->refresh_after)
    begin(client, jobs, now, NULL);
  if (fresh == AR_CREDS_GOOD || fresh == AR_CREDS_RENEW_SOON)
    return AR_STEP_HAVE;
  if (client->refresh == NULL && begin(client, jobs, now, err) != AR_OK)
    return AR_STEP_FAIL;
  ar_link_move(&client->waiters, &waiter->link);
  return AR_STEP_NONE;
}

void ar_client_idle(struct ar_client *client) {
  if (ar_list_empty(&client->waiters) && client->refresh != NULL)
    ar_job_end(client->refresh, AR_E_CANCELLED, "nobody waits any more");
}

void ar_client_unwant(struct ar_client *client, struct ar_waiter *waiter) {
  if (ar_list_empty(&waiter->link)) return;
  ar_link_take(&waiter->link);
  ar_client_idle(client);
}

void ar_client_distrust(struct ar_client *client, unsigned generation) {
  if (client->generation == generation && !client->has_argument)
    ar_creds_free(&client->creds);
}

/* The job, if it has asked and was not answered yet. */
static struct refresh *find_asking(struct ar_jobs *jobs, int64_t id) {
  struct ar_job *job = ar_jobs_find(jobs, id);
  struct refresh *refresh;
  if (job == NULL || job->class != &refresh_class) return NULL;
  refresh = refresh_of(job);
  return refresh->waits_for == AR_STEP_ASK && !refresh->answered ? refresh
                                                                 : NULL;
}

struct ar_creds *ar_refresh_asked(struct ar_jobs *jobs, int64_t id) {
  struct refresh *refresh = find_asking(jobs, id);
  return refresh != NULL ? &refresh->chain.answer : NULL;
}

void ar_refresh_answered(struct ar_jobs *jobs, int64_t id, enum ar_code code,
                         const char *why) {
  struct refresh *refresh = find_asking(jobs, id);
  if (refresh == NULL) return;
  if (why == NULL || why[0] == '\0') why = "it gave no reason";
  refresh->answered = true;
  refresh->chain.answer_code = code;
  snprintf(refresh->chain.answer_error, sizeof refresh->chain.answer_error,
           "%s", why);
  ar_job_ready(&refresh->job);
}
