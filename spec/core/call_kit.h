/*
** What the programs that drive whole calls share: one list of jobs, a clock
** and a die of their own, and the part of the performer, who sees what is
** ordered and feeds the answers.
*/
#ifndef call_kit_h
#define call_kit_h

#include "../../src/core/call.h"
#include "kit.h"

static const struct ar_host_facts facts = {"linux#6", "x86_64", "lua#5.4",
                                           "libcurl#8"};
static struct ar_jobs jobs;
static struct ar_now now = {1000, INT64_C(1767323045999)};
static uint32_t dice = UINT32_C(0x80000000); /* half of all there is */

static inline const struct ar_operation *pause_service(void) {
  size_t n;
  const struct ar_operation *rows = ar_operations(&n);
  while (strcmp(rows->name, "PauseService") != 0) rows++;
  return rows;
}

static inline bool throw_dice(void *context, void *out, size_t n) {
  (void)context;
  memcpy(out, &dice, n);
  return true;
}

static inline struct ar_client *client_of(const char *const *env) {
  struct ar_env e = kit_env(env);
  struct ar_client *client;
  e.random = throw_dice;
  client = ar_client_new(&e);
  ar_settings_set_number(&client->settings, AR_SET_MAX_RESPONSE_BYTES, 1000,
                         AR_SOURCE_ARGUMENT, NULL);
  ar_client_configure(client, NULL);
  return client;
}

/* A call of `client`, on the list. */
static inline struct ar_call *call_of(struct ar_client *client) {
  static const unsigned char random[16] = {0,    1, 2,  3,  4,  5,  0xff, 7,
                                           0xff, 9, 10, 11, 12, 13, 14,   15};
  struct ar_call *call = ar_call_new(client, pause_service(), random, &facts);
  ar_buf_addz(&call->http.body,
              "{\"ServiceArn\":\"arn:aws:apprunner:us-east-1:123456789012:"
              "service/python-app/8fe1e10304f84fd2b0df550fe98a71fa\"}");
  ar_call_set_region(call, AR_STR("arn:aws:apprunner:us-east-1:1:s"), NULL);
  call->job.hosted = call->job.told = client->hosted = true;
  ar_jobs_name(&jobs, &call->job);
  ar_jobs_add(&jobs, &call->job);
  ar_client_release(client);
  return call;
}

/* Steps, and takes the exchange that is ordered, or NULL. */
static inline struct ar_exchange *sent(void) {
  struct ar_exchange *x = NULL;
  int64_t id;
  ar_jobs_step(&jobs, &now);
  if (ar_jobs_order(&jobs, &x, &id, &id) != AR_ORDER_SEND) return NULL;
  x->sent = true;
  return x;
}

static inline bool feed(struct ar_exchange *x, enum ar_part part,
                        const char *text) {
  return x->append(x, part, text, strlen(text));
}

/* Ends the exchange as a performer does, and steps the call. */
static inline void end(struct ar_exchange *x, int status,
                       enum ar_code failure) {
  struct ar_outcome outcome = {.failure = failure, .status = status};
  snprintf(outcome.detail, sizeof outcome.detail, "the detail");
  x->finish(x, &outcome);
  x->release(x);
  ar_jobs_step(&jobs, &now);
}

static inline void forget(struct ar_call *call) {
  int64_t told;
  CHECK(call->job.phase == AR_JOB_DONE, "the call is done");
  while ((told = ar_jobs_take_done(&jobs)) != 0 && told != call->job.id)
    continue; /* the end of the chain that it waited for */
  CHECK(told == call->job.id, "its end is told");
  ar_job_release(&call->job);
}

/* The value of a header line that is sent, or NULL. */
static inline const char *line_of(const struct ar_exchange *x,
                                  const char *name) {
  for (size_t i = 0; i < x->header_count; i++)
    if (x->headers[i].name_length == strlen(name) &&
        memcmp(x->headers[i].line, name, strlen(name)) == 0)
      return x->headers[i].line + strlen(name) + 2;
  return NULL;
}

static inline void check_line(const struct ar_exchange *x, const char *name,
                              const char *expected) {
  const char *value = line_of(x, name);
  CHECK(value && strcmp(value, expected) == 0, "%s: %s", name,
        value ? value : "absent");
}

#endif
