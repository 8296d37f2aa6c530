/*
** The pump's half of the list of jobs: steps them, hands their exchanges to
** the engine, and waits. What only Lua can do, to perform an exchange by a
** function or to ask one for credentials, is left for the pump in order().
*/
#include <poll.h>
#include <stdio.h>

#include "binding.h"

/* --- the engine -----------------------------------------------------------
 */

static void detach(lua_State *L, struct lar_state *state) {
  luaL_unref(L, LUA_REGISTRYINDEX, state->performer_ref);
  state->performer = NULL;
}

/* In a forked child the parent's engine is left alone: its sockets are
   shared. What it performs has failed. */
static void leave_parents_engine(lua_State *L, struct lar_state *state) {
  struct ar_performer *p = state->performer;
  if (p == NULL || !p->is_foreign(p)) return;
  detach(L, state);
  ar_jobs_abandon(&state->jobs);
}

/*
** attach(engine, name): has it perform exchanges from now on; the name is for
** the User-Agent
*/
static int core_attach(lua_State *L) {
  struct lar_state *state = lar_state(L);
  struct ar_performer *p = luaL_checkudata(L, 1, AR_PERFORMER_TYPE);
  const char *name = luaL_checkstring(L, 2);
  luaL_argcheck(L,
                p->abi == AR_EXCHANGE_ABI &&
                    p->exchange_size == sizeof(struct ar_exchange),
                1, "the engine is of another version of apprunner");
  luaL_argcheck(L, state->performer == NULL, 1, "there is an engine already");
  snprintf(state->facts.engine, sizeof state->facts.engine, "%s", name);
  lua_pushvalue(L, 1);
  state->performer_ref = luaL_ref(L, LUA_REGISTRYINDEX);
  state->performer = p;
  state->random_left = 0; /* what is left may be a parent's */
  return 0;
}

/* engine() -> the one that was attached | nil */
static int core_engine(lua_State *L) {
  struct lar_state *state = lar_state(L);
  leave_parents_engine(L, state);
  if (state->performer == NULL) return 0;
  lua_rawgeti(L, LUA_REGISTRYINDEX, state->performer_ref);
  return 1;
}

/* refuse(why): there is no engine to be had, for what wants it now */
static int core_refuse(lua_State *L) {
  ar_jobs_refuse(&lar_state(L)->jobs, luaL_checkstring(L, 1));
  return 0;
}

/* --- steps ----------------------------------------------------------------
 */

/* Every job goes on as far as it can, and the engine gets its orders: what it
   refuses goes on as well. */
static void step(lua_State *L, struct lar_state *state) {
  struct ar_now now = lar_now();
  leave_parents_engine(L, state);
  do {
    ar_jobs_step(&state->jobs, &now);
    if (state->performer != NULL)
      ar_jobs_perform(&state->jobs, state->performer);
  } while (!ar_list_empty(&state->jobs.ready));
}

static bool has_orders(const struct lar_state *state) {
  return ar_jobs_next_order(&state->jobs) != AR_ORDER_NONE;
}

/* step(): every job goes on -> whether there are orders, whether it lacks an
   engine */
static int core_step(lua_State *L) {
  struct lar_state *state = lar_state(L);
  step(L, state);
  lua_pushboolean(L, has_orders(state));
  lua_pushboolean(L, ar_jobs_want_performer(&state->jobs));
  return 2;
}

/*
** perform(ms): what the engine can do in this time -> whether there is more to
** do at once, whether an exchange has ended; its job is to be stepped
*/
static int core_perform(lua_State *L) {
  struct lar_state *state = lar_state(L);
  struct ar_performer *p = state->performer;
  lua_Number ms = luaL_optnumber(L, 1, -1);
  int64_t budget = ms >= 0 && ms < INT32_MAX ? (int64_t)(ms * 1000) : -1;
  lua_pushboolean(L, p != NULL && p->step(p, budget));
  lua_pushboolean(L, !ar_list_empty(&state->jobs.ready));
  return 2;
}

/* Milliseconds as poll takes them; -1: no bound. */
static int bounded(int64_t ms) {
  return ms < INT32_MAX ? (int)ms : INT32_MAX;
}

/* Milliseconds until a job is due; -1: no telling. */
static int64_t jobs_timeout(const struct lar_state *state) {
  return ar_jobs_timeout(&state->jobs, lar_monotonic());
}

/* Until an exchange moves or a job is due. */
static void wait(struct lar_state *state) {
  struct ar_performer *p = state->performer;
  int ms = bounded(jobs_timeout(state));
  if (p != NULL)
    p->drive(p, ms);
  else
    poll(NULL, 0, ms < 0 ? 3600000 : ms);
}

/* Whether something is to be done by Lua: orders, an engine, ends to be told.
 */
static bool wants_lua(const struct lar_state *state) {
  return has_orders(state) || ar_jobs_want_performer(&state->jobs) ||
         !ar_list_empty(&state->jobs.done);
}

static bool is_done(const struct ar_job *job) {
  return job != NULL && job->phase == AR_JOB_DONE;
}

/*
** wait([job [, stepped]]): every job goes on, unless the caller has `stepped`
** them; then, unless the job is done or something is to be done by Lua, waits
** until something moves, and they go on again
** -> whether the job is done, whether something is to be done by Lua
*/
static int core_wait(lua_State *L) {
  struct lar_state *state = lar_state(L);
  struct ar_job *job = lua_isnoneornil(L, 1) ? NULL : lar_check_job(L, 1);
  if (!lua_toboolean(L, 2)) step(L, state);
  if (!is_done(job) && !wants_lua(state)) {
    wait(state);
    step(L, state);
  }
  lua_pushboolean(L, is_done(job));
  lua_pushboolean(L, wants_lua(state));
  return 2;
}

/* timeout() -> milliseconds until a step is due, 0: now, -1: no telling */
static int core_timeout(lua_State *L) {
  struct lar_state *state = lar_state(L);
  struct ar_performer *p = state->performer;
  int64_t jobs = jobs_timeout(state), io = p != NULL ? p->timeout(p) : -1;
  lua_pushnumber(L,
                 (lua_Number)(jobs < 0 || (io >= 0 && io < jobs) ? io : jobs));
  return 1;
}

/* --- what is left for Lua -------------------------------------------------
 */

/*
** order() -> "send" or "forget", an exchange, the job's id, its client's | nil
**         -> "ask", nil, id, client: its function is to be asked
*/
static int core_order(lua_State *L) {
  static const char *const names[] = {[AR_ORDER_SEND] = "send",
                                      [AR_ORDER_FORGET] = "forget",
                                      [AR_ORDER_ASK] = "ask"};
  struct ar_exchange *x;
  enum ar_order order;
  int64_t id, owner;
  order = ar_jobs_next_order(&lar_state(L)->jobs);
  if (order == AR_ORDER_NONE) return 0;
  lua_pushstring(L, names[order]); /* first, so that a failure loses nothing */
  lar_push_exchange(L, NULL);
  ar_jobs_order(&lar_state(L)->jobs, &x, &id, &owner);
  *(struct ar_exchange **)lua_touserdata(L, -1) = x;
  if (x == NULL) lua_pushnil(L), lua_replace(L, -2);
  lua_pushnumber(L, (lua_Number)id);
  lua_pushnumber(L, (lua_Number)owner);
  return 4;
}

/* finished() -> the id of a job that is done and told, each once | nil */
static int core_finished(lua_State *L) {
  int64_t id = ar_jobs_take_done(&lar_state(L)->jobs);
  if (id == 0) return 0;
  lua_pushnumber(L, (lua_Number)id);
  return 1;
}

/* unfinished() -> how many jobs are not done */
static int core_unfinished(lua_State *L) {
  lua_pushnumber(L, (lua_Number)lar_state(L)->jobs.unfinished);
  return 1;
}

const luaL_Reg lar_pump[] = {{"attach", core_attach},
                             {"engine", core_engine},
                             {"refuse", core_refuse},
                             {"step", core_step},
                             {"perform", core_perform},
                             {"wait", core_wait},
                             {"timeout", core_timeout},
                             {"order", core_order},
                             {"finished", core_finished},
                             {"unfinished", core_unfinished},
                             {NULL, NULL}};
