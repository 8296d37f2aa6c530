/*
** Job handles: what a waiter holds. A handle that is collected before its job
** is done cancels it, so that a waiter that was killed leaves nothing behind.
*/
#include "../core/json.h"
#include "binding.h"

#include <stdio.h>

/* What a decoded answer may grow to; the API's own is far below. */
#define MAX_DEPTH 64
#define MAX_MEMBERS 200000
#define MAX_KEPT_BODY 4096

struct ar_job **lar_new_job(lua_State *L) {
  struct ar_job **handle = lua_newuserdata(L, sizeof *handle);
  *handle = NULL;
  luaL_getmetatable(L, LAR_JOB);
  lua_setmetatable(L, -2);
  return handle;
}

struct ar_job *lar_check_job(lua_State *L, int index) {
  struct ar_job **handle = lar_check(L, index, LAR_JOB);
  if (*handle == NULL)
    luaL_argerror(L, index, "attempt to use a released job");
  return *handle;
}

static struct ar_job *check_job(lua_State *L) {
  return lar_check_job(L, 1);
}

/* The call behind the handle; a moment is none. */
static struct ar_call *check_call(lua_State *L) {
  struct ar_job *job = check_job(L);
  luaL_argcheck(L, ar_job_is_call(job), 1, "not a call");
  return (struct ar_call *)(void *)job;
}

/* job:release(): lets go of the job and its memory before the collector comes;
   then the handle is good for cancel alone */
static int job_release(lua_State *L) {
  struct ar_job **handle = lar_check(L, 1, LAR_JOB);
  struct ar_job *job = *handle;
  *handle = NULL;
  if (job == NULL) return 0;
  ar_job_end(job, AR_E_CANCELLED, "nobody waits for the call any more");
  ar_job_release(job);
  return 0;
}

static int job_id(lua_State *L) {
  lua_pushnumber(L, (lua_Number)check_job(L)->id);
  return 1;
}

/* job:watch() -> its id: finished() will tell its end */
static int job_watch(lua_State *L) {
  struct ar_job *job = check_job(L);
  luaL_argcheck(L, job->phase != AR_JOB_DONE, 1, "done already");
  job->told = true;
  return job_id(L);
}

/* job:start(hosted): the pump takes it up. `hosted`: a function of the host's
   performs its exchanges, and from now on those of its client's own jobs. */
static int job_start(lua_State *L) {
  struct ar_job *job = check_job(L);
  luaL_argcheck(L, job->jobs == NULL && job->phase == AR_JOB_READY, 1,
                "started already");
  job->hosted = lua_toboolean(L, 2);
  if (ar_job_is_call(job)) check_call(L)->client->hosted = job->hosted;
  ar_jobs_add(&lar_state(L)->jobs, job);
  return 0;
}

static int job_done(lua_State *L) {
  lua_pushboolean(L, check_job(L)->phase == AR_JOB_DONE);
  return 1;
}

/* job:cancel() -> true, or false when it was done already, released or not */
static int job_cancel(lua_State *L) {
  struct ar_job **handle = lar_check(L, 1, LAR_JOB);
  lua_pushboolean(L, *handle != NULL && ar_job_end(*handle, AR_E_CANCELLED,
                                                   "the call was cancelled"));
  return 1;
}

/* job:fail(code, message): ends it */
static int job_fail(lua_State *L) {
  struct ar_job *job = check_job(L);
  enum ar_code code = lar_check_code(L, 2);
  ar_job_end(job, code, luaL_checkstring(L, 3));
  return 0;
}

/* job:waits() -> the number of the client whose credentials it waits for, 0 */
static int job_waits(lua_State *L) {
  struct ar_job *job = check_job(L);
  bool waits = ar_job_is_call(job) && ar_call_waits(check_call(L));
  lua_pushnumber(L, waits ? (lua_Number)job->owner : 0);
  return 1;
}

/* Pushes nil and the error that ended the call. */
static int fail_call(lua_State *L, const struct ar_call *call) {
  bool service = call->err.code == AR_E_SERVICE;
  bool response = call->err.code == AR_E_RESPONSE;
  struct ar_str body = ar_buf_str(&call->http.answer_body);
  struct lar_error error = {
      .code = call->err.code,
      .service_code = ar_buf_str(&call->service_code),
      .message = service ? ar_buf_str(&call->service_message)
                         : ar_str_of(call->err.message),
      .operation = call->operation ? call->operation->name : NULL,
      .http_status = call->http.outcome.status,
      .request_id = ar_call_request_id(call),
      .attempts = call->attempts,
      .retryable = call->retryable,
      .ambiguous = call->ambiguous};
  if (response || (service && !call->service_document))
    error.http_body =
        ar_str_n(body.p, body.n < MAX_KEPT_BODY ? body.n : MAX_KEPT_BODY);
  return lar_fail_with(L, &error);
}

/* An answer that said success and cannot be understood. */
static int fail_answer(lua_State *L, struct ar_call *call, const char *why) {
  ar_fail(&call->err, AR_E_RESPONSE, "%s", why);
  return fail_call(L, call);
}

static int fail_member(lua_State *L, struct ar_call *call, const char *name) {
  char why[120];
  snprintf(why, sizeof why, "the answer's member %.60s has the wrong type",
           name);
  return fail_answer(L, call, why);
}

/* Pushes what the function at `index` makes of the answer; nil, and false, if
   it raises for another reason than memory. */
static bool decode(lua_State *L, int index, const struct ar_call *call) {
  int status;
  lua_pushvalue(L, index);
  lar_push_str(L, ar_buf_str(&call->http.answer_body));
  status = lua_pcall(L, 1, 1, 0);
  if (status == LUA_ERRMEM) lua_error(L);
  if (status == 0) return true;
  lua_pop(L, 1);
  lua_pushnil(L);
  return false;
}

/* The answer as it was decoded is on top of the stack. */
static int finish(lua_State *L, struct ar_call *call, bool marked) {
  struct ar_str start = ar_str_trim(ar_buf_str(&call->http.answer_body));
  const char *wrong;
  if (!lua_istable(L, -1) || start.n == 0 || start.p[0] != '{')
    return fail_answer(L, call, "the answer is no JSON object");
  wrong = lar_apply_shape(L, call->operation, call->answer_nulls || marked);
  if (wrong != NULL) return fail_member(L, call, wrong);
  lar_push_metadata(L, call);
  lua_setfield(L, -2, "ResponseMetadata");
  return 1;
}

/*
** job:finish(decode, marked, last) -> output | nil, err: how the call ended.
** `decode` makes tables of an answer, which it may have `marked`, as Neovim's
** does. Where it raises, false is returned, unless it is the `last` to be had.
*/
static int job_finish(lua_State *L) {
  struct ar_call *call = check_call(L);
  struct ar_str body = ar_buf_str(&call->http.answer_body);
  luaL_argcheck(L, call->job.phase == AR_JOB_DONE, 1, "not done yet");
  lua_settop(L, 4);
  if (call->err.code != AR_OK) return fail_call(L, call);
  if (!ar_json_is_sane(body, MAX_DEPTH, MAX_MEMBERS, &call->answer_nulls))
    return fail_answer(L, call, "the answer is no JSON, or nests too deep");
  if (decode(L, 2, call) || lua_toboolean(L, 4))
    return finish(L, check_call(L), lua_toboolean(L, 3));
  lua_pushboolean(L, 0);
  return 1;
}

/* job:info() -> what client:resolve() tells | nil, err */
static int job_info(lua_State *L) {
  struct ar_call *call = check_call(L);
  luaL_argcheck(L, call->job.phase == AR_JOB_DONE, 1, "not done yet");
  if (call->err.code == AR_OK && call->client->creds.provider == NULL)
    ar_fail(&call->err, AR_E_CANCELLED,
            "the credentials that were found have been dropped since");
  if (call->err.code == AR_OK) ar_call_endpoint(call);
  if (call->err.code != AR_OK) return fail_call(L, call);
  lar_push_info(L, call);
  return 1;
}

static const luaL_Reg job_methods[] = {{"id", job_id},
                                       {"watch", job_watch},
                                       {"start", job_start},
                                       {"done", job_done},
                                       {"cancel", job_cancel},
                                       {"finish", job_finish},
                                       {"fail", job_fail},
                                       {"waits", job_waits},
                                       {"info", job_info},
                                       {"release", job_release},
                                       {NULL, NULL}};

void lar_open_job(lua_State *L) {
  lar_new_class(L, LAR_JOB, job_methods, job_release);
}
