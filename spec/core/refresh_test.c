/*
** Getting a client's credentials: one chain for however many wait, when it is
** begun, what ends it, and what it does with children and with the caller's
** function. Who waits here are jobs that want credentials and nothing else.
*/
#include "../../src/core/refresh.h"

#include <stdlib.h>

#include "kit.h"

#define EPOCH INT64_C(1767323045000) /* 2026-01-02T03:04:05Z */
#define MINUTE INT64_C(60000)
#define CONFIG "/h/.aws/config"

static struct kit_world world;
static struct ar_jobs jobs;
static struct ar_client *client;
static struct ar_now now;

/* --- who waits -----------------------------------------------------------
 */

struct toy {
  struct ar_job job;
  struct ar_waiter waiter;
  struct ar_err err;
  struct ar_client *client;
  enum ar_step step; /* what it was told; NONE: it waits */
};

static int alive; /* toys that were not freed */

static struct toy *toy_of(struct ar_job *job) {
  return AR_OWNER(struct toy, job, job);
}

static void toy_step(struct ar_job *job, const struct ar_now *at) {
  struct toy *t = toy_of(job);
  t->step = AR_STEP_FAIL;
  if (t->err.code == AR_OK)
    t->step = ar_client_want(t->client, &jobs, &t->waiter, at, &t->err);
  if (t->step == AR_STEP_NONE)
    ar_job_wait(job, AR_NEVER);
  else
    ar_job_finish(job);
}

static void toy_fail(struct ar_job *job, enum ar_code code, const char *why) {
  struct toy *t = toy_of(job);
  ar_client_unwant(t->client, &t->waiter);
  t->step = AR_STEP_FAIL;
  ar_fail(&t->err, code, "%s", why ? why : "");
}

static void toy_free(struct ar_job *job) {
  struct toy *t = toy_of(job);
  ar_client_unwant(t->client, &t->waiter);
  ar_client_release(t->client);
  alive--;
  free(t);
}

static const struct ar_job_class toy_class = {toy_step, toy_fail, toy_free};

/* --- the driver ----------------------------------------------------------
 */

static void step(void) {
  ar_jobs_step(&jobs, &now);
}

static void pass(int64_t milliseconds) {
  now.monotonic += milliseconds;
  now.epoch += milliseconds;
  step();
}

/* Somebody who wants credentials from now on. */
static struct toy *wanting(void) {
  struct toy *t = calloc(1, sizeof *t);
  if (t == NULL) exit(1);
  alive++;
  ar_job_init(&t->job, &toy_class);
  t->job.told = true;
  t->client = client;
  ar_client_retain(client);
  ar_waiter_init(&t->waiter, &t->job, &t->err);
  ar_jobs_name(&jobs, &t->job);
  ar_jobs_add(&jobs, &t->job);
  step();
  return t;
}

/* Forgets it; what it was told. */
static enum ar_step told(struct toy *t) {
  enum ar_step what = t->step;
  ar_job_end(&t->job, AR_E_CANCELLED, "forgotten");
  ar_job_release(&t->job);
  while (ar_jobs_take_done(&jobs) != 0) continue;
  return what;
}

/* The next order; `x` comes with a reference. */
static enum ar_order order(struct ar_exchange **x, int64_t *id) {
  int64_t owner;
  *x = NULL;
  return ar_jobs_order(&jobs, x, id, &owner);
}

/* The exchange that is to be sent, or NULL. */
static struct ar_exchange *sent(void) {
  struct ar_exchange *x;
  int64_t id;
  return order(&x, &id) == AR_ORDER_SEND ? x : NULL;
}

/* Ends an exchange with a status and a body, as a performer does. */
static void answer(struct ar_exchange *x, int status, const char *body) {
  struct ar_outcome outcome = {.status = status};
  x->append(x, AR_PART_BODY, body, strlen(body));
  x->finish(x, &outcome);
  x->release(x);
  step();
}

/* Ends it with the credentials `id`, good for so many minutes. */
static void give(struct ar_exchange *x, const char *id, int minutes) {
  char body[256], date[AR_DATE_ISO_SIZE];
  ar_date_iso(now.epoch + minutes * MINUTE, date);
  snprintf(body, sizeof body,
           "{\"AccessKeyId\":\"%s\",\"SecretAccessKey\":\"S\",\"Token\":\"T\","
           "\"Expiration\":\"%s\"}",
           id, date);
  answer(x, 200, body);
}

static void check_id(const char *id) {
  CHECK_STR(ar_buf_str(&client->creds.access_key_id), id, "the client's id");
}

static void new_client(void) {
  struct ar_env env = kit_world_env(&world);
  client = ar_client_new(&env);
  client->hosted = true;
  client->id = 7;
  CHECK(ar_client_configure(client, NULL) == AR_OK, "it is configured");
}

/* A client of a container, which is asked by one exchange. */
static void in_container(void) {
  world = (struct kit_world){.random = UINT32_C(0x80000000)};
  now = (struct ar_now){1000, EPOCH};
  kit_set(world.variables, "HOME", "/h");
  kit_set(world.variables, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/c");
  new_client();
}

/* A client with a credential_process. */
static void with_process(void) {
  world = (struct kit_world){.random = 0};
  now = (struct ar_now){1000, EPOCH};
  kit_set(world.variables, "HOME", "/h");
  kit_set(world.files, CONFIG, "[default]\ncredential_process = tool 'a b'\n");
  new_client();
}

/* A client with a function. */
static void with_function(void) {
  world = (struct kit_world){.random = 0};
  now = (struct ar_now){1000, EPOCH};
  new_client();
  client->has_function = true;
}

/* Nothing is left of a test. */
static void over(const char *what) {
  struct ar_exchange *x;
  int64_t id;
  while (ar_jobs_take_done(&jobs) != 0) continue;
  ar_jobs_step(&jobs, &now);
  CHECK(client->refs == 1 && client->refresh == NULL, "%s: only the client",
        what);
  ar_client_release(client);
  CHECK(order(&x, &id) == AR_ORDER_NONE && jobs.unfinished == 0 && alive == 0,
        "%s: nothing is left", what);
}

/* --- many who wait -------------------------------------------------------
 */

static void single_flight(void) {
  struct toy *all[5];
  struct ar_exchange *x;
  in_container();
  for (size_t i = 0; i < LENGTH(all); i++) all[i] = wanting();
  x = sent();
  CHECK(x != NULL && sent() == NULL, "five wait, one asks");
  CHECK(client->refresh->owner == 7, "for its client");
  give(x, "I", 60);
  check_id("I");
  CHECK(client->generation == 1, "the first ones");
  for (size_t i = 0; i < LENGTH(all); i++)
    CHECK(told(all[i]) == AR_STEP_HAVE, "each is told");
  CHECK(told(wanting()) == AR_STEP_HAVE && sent() == NULL,
        "who comes later has them at once");
  over("single flight");
}

static void failed_for_all(void) {
  struct toy *one, *other;
  in_container();
  one = wanting(), other = wanting();
  answer(sent(), 403, "");
  CHECK(one->err.code == AR_E_CREDENTIAL_RETRIEVAL &&
            other->err.code == AR_E_CREDENTIAL_RETRIEVAL &&
            strstr(other->err.message, "status 403"),
        "each is told why: %s", other->err.message);
  CHECK(told(one) == AR_STEP_FAIL && told(other) == AR_STEP_FAIL, "both");
  one = wanting();
  give(sent(), "I", 60);
  CHECK(told(one) == AR_STEP_HAVE, "the next one tries anew");
  over("failed for all");
}

/* Cancelled waiters, at first one of two, then the last. */
static void cancelled(void) {
  struct toy *one, *other;
  struct ar_exchange *x, *forgotten;
  int64_t id;
  in_container();
  one = wanting(), other = wanting();
  x = sent();
  CHECK(told(one) == AR_STEP_NONE && client->refresh != NULL,
        "one who waits no more ends nothing");
  CHECK(told(other) == AR_STEP_NONE && client->refresh == NULL,
        "the last one ends it");
  CHECK(order(&forgotten, &id) == AR_ORDER_FORGET && forgotten == x,
        "what is in flight is to be forgotten");
  CHECK(!x->append(x, AR_PART_BODY, "x", 1), "its answer is refused");
  x->finish(x, &(struct ar_outcome){.status = 200});
  forgotten->release(forgotten);
  x->release(x);
  step();
  CHECK(client->creds.provider == NULL, "and changes nothing");
  one = wanting();
  give(sent(), "I", 60);
  CHECK(told(one) == AR_STEP_HAVE, "who comes later begins a new one");
  over("cancelled");
}

static void survivors(void) {
  struct toy *one, *other;
  struct ar_exchange *x;
  in_container();
  one = wanting(), other = wanting();
  x = sent();
  told(one);
  give(x, "I", 60);
  CHECK(told(other) == AR_STEP_HAVE, "the other one is served");
  over("survivors");
}

static void deadline(void) {
  struct toy *t;
  struct ar_exchange *x, *forgotten;
  int64_t id;
  in_container();
  t = wanting();
  x = sent();
  pass(299999);
  CHECK(t->step == AR_STEP_NONE, "five minutes have not passed");
  pass(1);
  CHECK(t->err.code == AR_E_CREDENTIAL_RETRIEVAL &&
            strstr(t->err.message, "300 s"),
        "then it is too late: %s", t->err.message);
  CHECK(order(&forgotten, &id) == AR_ORDER_FORGET && forgotten == x,
        "and forgotten");
  forgotten->release(forgotten);
  x->release(x);
  told(t);
  over("deadline");
}

/*
** What the clock ends is not alone in the list: the chain that a waiter was
** the last to want stands behind it, and behind a chain who came later.
*/
static void deadlines_in_a_row(void) {
  struct toy *one, *other, *third;
  struct ar_exchange *x, *forgotten;
  int64_t id;
  in_container();
  one = wanting();
  x = sent();
  one->job.deadline = now.monotonic + 10;
  ar_job_wait(&one->job, AR_NEVER);
  ar_job_wait(client->refresh, AR_NEVER);
  pass(10);
  CHECK(one->step == AR_STEP_FAIL && client->refresh == NULL,
        "who is too late ends the chain that nobody wants now");
  CHECK(order(&forgotten, &id) == AR_ORDER_FORGET && forgotten == x,
        "it is forgotten");
  forgotten->release(forgotten);
  x->release(x);
  told(one);
  one = wanting(), other = wanting(), third = wanting();
  x = sent();
  pass(300000);
  CHECK(one->step == AR_STEP_FAIL && other->step == AR_STEP_FAIL &&
            third->step == AR_STEP_FAIL,
        "a chain that is too late fails for who came before and after");
  if (order(&forgotten, &id) == AR_ORDER_FORGET) forgotten->release(forgotten);
  x->release(x);
  told(one), told(other), told(third);
  over("deadlines in a row");
}

/* In a child of the process the exchange's performer is gone. */
static void forked(void) {
  struct toy *one, *other;
  struct ar_exchange *x;
  in_container();
  one = wanting();
  x = sent();
  other = wanting();
  ar_jobs_abandon(&jobs);
  step();
  CHECK(one->step == AR_STEP_FAIL && other->step == AR_STEP_FAIL &&
            strstr(other->err.message, "forked"),
        "whoever waits is told: %s", other->err.message);
  x->release(x);
  told(one), told(other);
  over("forked");
}

static void attempts(void) {
  struct toy *t;
  in_container();
  t = wanting();
  answer(sent(), 500, "");
  CHECK(sent() == NULL && ar_jobs_timeout(&jobs, now.monotonic) == 25,
        "half of 50 ms before the second attempt, by the random bytes: %d",
        (int)ar_jobs_timeout(&jobs, now.monotonic));
  pass(24);
  CHECK(sent() == NULL, "not yet");
  pass(1);
  answer(sent(), 500, "");
  CHECK(ar_jobs_timeout(&jobs, now.monotonic) == 50, "then half of 100 ms");
  pass(50);
  give(sent(), "I", 60);
  CHECK(told(t) == AR_STEP_HAVE, "the third brings them");
  over("attempts");
}

static void client_closed(void) {
  struct toy *t;
  struct ar_exchange *x, *forgotten;
  int64_t id;
  in_container();
  t = wanting();
  x = sent();
  ar_client_close(client);
  step();
  CHECK(t->step == AR_STEP_FAIL && t->err.code == AR_E_CANCELLED,
        "who waits is told: %s", t->err.message);
  CHECK(order(&forgotten, &id) == AR_ORDER_FORGET, "forgotten");
  forgotten->release(forgotten);
  give(x, "I", 60);
  CHECK(client->creds.provider == NULL, "nothing comes in any more");
  ar_client_close(client);
  told(t);
  over("client closed");
}

/* The list goes while one waits and the exchange is still out there. */
static void list_gone(void) {
  struct toy *t;
  struct ar_exchange *x;
  in_container();
  t = wanting();
  x = sent();
  ar_job_release(&t->job);
  ar_jobs_free(&jobs);
  ar_jobs_init(&jobs);
  x->release(x);
  CHECK(alive == 0, "who waited is freed");
  over("list gone");
}

/* --- when they are renewed -----------------------------------------------
 */

static void freshness(void) {
  static const struct {
    int64_t left;
    enum ar_freshness expected;
  } rows[] = {{15 * MINUTE + 1, AR_CREDS_GOOD},
              {15 * MINUTE, AR_CREDS_RENEW_SOON},
              {10 * MINUTE + 1, AR_CREDS_RENEW_SOON},
              {10 * MINUTE, AR_CREDS_RENEW_FIRST},
              {1, AR_CREDS_RENEW_FIRST},
              {0, AR_CREDS_EXPIRED},
              {-1, AR_CREDS_EXPIRED}};
  struct ar_creds creds;
  ar_creds_init(&creds);
  CHECK(ar_creds_freshness(&creds, INT64_MAX - 1) == AR_CREDS_GOOD,
        "what never expires is good");
  for (size_t i = 0; i < LENGTH(rows); i++) {
    creds.good_until = EPOCH + rows[i].left;
    CHECK(ar_creds_freshness(&creds, EPOCH) == rows[i].expected,
          "%d ms before", (int)rows[i].left);
  }
}

/* The client gets `id`, good for so many minutes. */
static void obtain(const char *id, int minutes) {
  struct toy *t = wanting();
  give(sent(), id, minutes);
  CHECK(told(t) == AR_STEP_HAVE, "it has %s", id);
}

static void advisory(void) {
  struct ar_exchange *x;
  in_container();
  obtain("I", 60);
  pass(44 * MINUTE);
  CHECK(told(wanting()) == AR_STEP_HAVE && sent() == NULL,
        "with 16 minutes left nothing happens");
  pass(MINUTE);
  CHECK(told(wanting()) == AR_STEP_HAVE, "with 15 left they are used");
  x = sent();
  CHECK(x != NULL, "and renewed");
  CHECK(told(wanting()) == AR_STEP_HAVE && sent() == NULL, "once");
  check_id("I");
  give(x, "J", 60);
  check_id("J");
  CHECK(client->generation == 2, "they are new");
  over("advisory");
}

static void advisory_fails(void) {
  struct ar_exchange *x;
  in_container();
  obtain("I", 14);
  told(wanting());
  answer(sent(), 403, "");
  CHECK(client->refresh == NULL, "it has failed");
  check_id("I");
  pass(59999);
  CHECK(told(wanting()) == AR_STEP_HAVE && sent() == NULL,
        "no other try within a minute");
  pass(1);
  CHECK(told(wanting()) == AR_STEP_HAVE, "then");
  x = sent();
  CHECK(x != NULL, "it is tried again");
  give(x, "J", 60);
  check_id("J");
  over("advisory fails");
}

/* Its own deadline is such a failure, too. */
static void advisory_too_slow(void) {
  struct ar_exchange *x, *forgotten;
  int64_t id;
  in_container();
  obtain("I", 14);
  client->creds.good_until += 5 * MINUTE;
  pass(5 * MINUTE);
  told(wanting());
  x = sent();
  client->creds.good_until += 5 * MINUTE;
  pass(5 * MINUTE);
  CHECK(client->refresh == NULL, "it was too slow");
  if (order(&forgotten, &id) == AR_ORDER_FORGET) forgotten->release(forgotten);
  x->release(x);
  CHECK(told(wanting()) == AR_STEP_HAVE && client->refresh == NULL,
        "it is not tried again at once");
  if (client->refresh != NULL) ar_client_close(client);
  over("advisory too slow");
}

static void mandatory(void) {
  struct toy *t;
  in_container();
  obtain("I", 60);
  pass(50 * MINUTE);
  t = wanting();
  CHECK(t->step == AR_STEP_NONE, "with 10 minutes left it waits");
  answer(sent(), 403, "");
  CHECK(told(t) == AR_STEP_FAIL, "and hears of the failure");
  check_id("I");
  t = wanting();
  CHECK(t->step == AR_STEP_NONE, "the next one tries at once");
  give(sent(), "J", 60);
  CHECK(told(t) == AR_STEP_HAVE, "with success");
  check_id("J");
  over("mandatory");
}

/* What is new is used, though it will expire in a moment. */
static void short_lived(void) {
  struct toy *t;
  in_container();
  t = wanting();
  give(sent(), "I", 1);
  CHECK(told(t) == AR_STEP_HAVE && sent() == NULL, "for a minute");
  t = wanting();
  CHECK(t->step == AR_STEP_NONE, "the next one renews first");
  give(sent(), "J", 0);
  CHECK(t->err.code == AR_E_CREDENTIAL_RETRIEVAL &&
            strstr(t->err.message, "still expired (container)"),
        "expired although new: %s", t->err.message);
  CHECK(told(t) == AR_STEP_FAIL && sent() == NULL, "that is not tried again");
  over("short lived");
}

static void takes_expired(void) {
  struct toy *t;
  in_container();
  t = wanting();
  t->waiter.takes_expired = true;
  give(sent(), "I", 0);
  CHECK(told(t) == AR_STEP_HAVE, "who only looks takes expired ones");
  over("takes expired");
}

static void distrust(void) {
  struct toy *t;
  in_container();
  obtain("I", 60);
  ar_client_distrust(client, 0);
  check_id("I");
  ar_client_distrust(client, client->generation);
  check_id("");
  CHECK(client->creds.provider == NULL, "they are gone");
  t = wanting();
  CHECK(t->step == AR_STEP_NONE, "and new ones are asked for");
  give(sent(), "J", 60);
  CHECK(told(t) == AR_STEP_HAVE && client->generation == 2, "which come");
  ar_client_distrust(client, 1);
  check_id("J");
  over("distrust");
}

/* Between being served and looking, somebody else may have distrusted. */
static void distrusted_when_served(void) {
  struct toy *t;
  struct ar_outcome outcome = {.status = 200};
  static const char body[] =
      "{\"AccessKeyId\":\"I\",\"SecretAccessKey\":\"S\",\"Token\":\"T\","
      "\"Expiration\":\"2026-01-02T05:04:05Z\"}";
  struct ar_exchange *x;
  in_container();
  t = wanting();
  x = sent();
  x->append(x, AR_PART_BODY, body, sizeof body - 1);
  x->finish(x, &outcome);
  x->release(x);
  client->refresh->class->step(client->refresh, &now);
  ar_client_distrust(client, client->generation);
  step();
  CHECK(t->step == AR_STEP_NONE, "it asks once more");
  give(sent(), "J", 60);
  CHECK(told(t) == AR_STEP_HAVE, "and has the new ones");
  over("distrusted when served");
}

/* The caller's own keys are all that there is: they stay. */
static void own_keys_stay(void) {
  in_container();
  kit_creds(&client->argument, "A", "S", NULL);
  client->has_argument = true;
  CHECK(told(wanting()) == AR_STEP_HAVE, "it has the caller's");
  ar_client_distrust(client, client->generation);
  check_id("A");
  over("own keys stay");
}

/* --- children ------------------------------------------------------------
 */

#define PRINTED \
  "{\"Version\":1,\"AccessKeyId\":\"I\",\"SecretAccessKey\":\"S\"}"

static void child(void) {
  struct toy *t;
  int looks = 0;
  with_process();
  world.out = PRINTED;
  world.looks = 8;
  t = wanting();
  CHECK(world.started == 1 && strcmp(world.command, "tool|a b|") == 0,
        "started: %s", world.command);
  while (t->step == AR_STEP_NONE && looks < 100) {
    int64_t wait = ar_jobs_timeout(&jobs, now.monotonic);
    CHECK(wait >= 1 && wait <= 20, "looked at again after %d ms", (int)wait);
    pass(wait);
    looks++;
  }
  CHECK(looks == 8 && world.ended == 1, "%d looks, %d ended", looks,
        world.ended);
  CHECK(told(t) == AR_STEP_HAVE, "it has what was printed");
  check_id("I");
  over("child");
}

static void child_too_slow(void) {
  struct toy *t;
  with_process();
  world.looks = -1;
  t = wanting();
  for (int i = 0; i < 2999; i++) pass(20);
  CHECK(t->step == AR_STEP_NONE, "a minute has not passed");
  for (int i = 0; i < 2; i++) pass(20);
  CHECK(t->err.code == AR_E_CREDENTIAL_RETRIEVAL &&
            strstr(t->err.message, "did not end in 60 s"),
        "after a minute it is over: %s", t->err.message);
  CHECK(world.ended == 1, "it is killed, once");
  told(t);
  over("child too slow");
}

static void child_troubles(void) {
  struct toy *t;
  with_process();
  world.no_child = true;
  t = wanting();
  CHECK(t->err.code == AR_E_CREDENTIAL_RETRIEVAL &&
            strstr(t->err.message, "tool: No such file or directory"),
        "it cannot be started: %s", t->err.message);
  told(t);
  world.no_child = false;
  world.too_much = true;
  t = wanting();
  CHECK(strstr(t->err.message, "more than 65536 bytes") && world.ended == 1,
        "it printed too much: %s", t->err.message);
  told(t);
  world.too_much = false;
  world.looks = -1;
  world.ended = 0;
  t = wanting();
  told(t);
  CHECK(world.ended == 1, "nobody waits: it is killed");
  t = wanting();
  ar_client_close(client);
  CHECK(world.ended == 2, "the client is closed: it is killed");
  told(t);
  over("child troubles");
}

/* The shared files are read anew for each chain. */
static void files_anew(void) {
  struct toy *t;
  with_process();
  world.out = PRINTED;
  CHECK(told(wanting()) == AR_STEP_HAVE, "by the process");
  ar_client_distrust(client, client->generation);
  kit_set(world.files, CONFIG,
          "[default]\naws_access_key_id = K\naws_secret_access_key = S\n");
  CHECK(told(wanting()) == AR_STEP_HAVE, "by the keys");
  check_id("K");
  ar_client_distrust(client, client->generation);
  kit_set(world.files, CONFIG, "no grammar\n");
  t = wanting();
  CHECK(t->err.code == AR_E_CONFIG_PARSE && strstr(t->err.message, CONFIG),
        "or not at all: %s", t->err.message);
  told(t);
  over("files anew");
}

/* --- the caller's function -----------------------------------------------
 */

static int64_t asked(void) {
  struct ar_exchange *x;
  int64_t id = 0;
  CHECK(order(&x, &id) == AR_ORDER_ASK && x == NULL, "it is asked");
  return id;
}

static void function(void) {
  struct toy *one, *other;
  struct ar_creds *to;
  int64_t id;
  with_function();
  one = wanting(), other = wanting();
  id = asked();
  to = ar_refresh_asked(&jobs, id);
  CHECK(to != NULL, "there is somewhere to put them");
  if (to == NULL) return;
  kit_creds(to, "F", "S", NULL);
  to->expiration = EPOCH + 60 * MINUTE;
  step();
  CHECK(one->step == AR_STEP_NONE, "it waits until it is told");
  ar_refresh_answered(&jobs, id, AR_OK, NULL);
  CHECK(ar_refresh_asked(&jobs, id) == NULL, "it answers once");
  step();
  CHECK(told(one) == AR_STEP_HAVE && told(other) == AR_STEP_HAVE, "both have");
  check_id("F");
  CHECK(client->creds.expiration == EPOCH + 60 * MINUTE &&
            client->creds.good_until == EPOCH + 60 * MINUTE,
        "with their expiry");
  pass(45 * MINUTE);
  CHECK(told(wanting()) == AR_STEP_HAVE, "they are used until");
  id = asked();
  kit_creds(ar_refresh_asked(&jobs, id), "G", "S", NULL);
  ar_refresh_answered(&jobs, id, AR_OK, NULL);
  step();
  check_id("G");
  over("function");
}

/* Its refusals; the last says nothing at all. */
static void function_refuses(void) {
  static const struct {
    const char *why, *id;
    enum ar_code code;
  } rows[] = {{"no vault", NULL, AR_E_CREDENTIAL_RETRIEVAL},
              {NULL, NULL, AR_E_PARTIAL_CREDENTIALS},
              {NULL, "a\nb", AR_E_CREDENTIAL_RETRIEVAL},
              {"", NULL, AR_E_CREDENTIAL_RETRIEVAL}};
  for (size_t i = 0; i < LENGTH(rows); i++) {
    struct toy *t;
    int64_t id;
    with_function();
    t = wanting();
    id = asked();
    if (rows[i].id) kit_creds(ar_refresh_asked(&jobs, id), rows[i].id, "S", 0);
    ar_refresh_answered(&jobs, id,
                        rows[i].why ? AR_E_CREDENTIAL_RETRIEVAL : AR_OK,
                        rows[i].why);
    step();
    CHECK(t->err.code == rows[i].code &&
              strstr(t->err.message, rows[i].why ? rows[i].why : ""),
          "refusal %zu: %s: %s", i, ar_code_name(t->err.code), t->err.message);
    told(t);
    over("function refuses");
  }
}

static void function_too_late(void) {
  struct toy *t;
  int64_t id;
  with_function();
  t = wanting();
  id = asked();
  told(t);
  CHECK(ar_refresh_asked(&jobs, id) == NULL, "nobody asks any more");
  ar_refresh_answered(&jobs, id, AR_OK, NULL);
  ar_refresh_answered(&jobs, id, AR_E_CREDENTIAL_RETRIEVAL, "why");
  ar_refresh_answered(&jobs, 4711, AR_OK, NULL);
  step();
  CHECK(client->creds.provider == NULL, "it changes nothing");
  t = wanting();
  CHECK(ar_refresh_asked(&jobs, t->job.id) == NULL,
        "a job that is no chain asks for nothing");
  ar_client_close(client);
  CHECK(told(t) == AR_STEP_NONE, "closed meanwhile");
  over("function too late");
}

static void waiting(void) {
  single_flight();
  failed_for_all();
  cancelled();
  survivors();
  deadline();
  deadlines_in_a_row();
  forked();
  attempts();
  client_closed();
  list_gone();
}

static void renewing(void) {
  freshness();
  advisory();
  advisory_fails();
  advisory_too_slow();
  mandatory();
  short_lived();
  takes_expired();
  distrust();
  distrusted_when_served();
  own_keys_stay();
}

int main(void) {
  ar_jobs_init(&jobs);
  waiting();
  renewing();
  child();
  child_too_slow();
  child_troubles();
  files_anew();
  function();
  function_refuses();
  function_too_late();
  ar_jobs_free(&jobs);
  return checked();
}
