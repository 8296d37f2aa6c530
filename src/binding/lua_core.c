/*
** The module apprunner.core: the state that belongs to one Lua state, small
** functions of its own, and what the other files register.
*/
#define _GNU_SOURCE /* dladdr, clock_gettime, getentropy under -std=c11 */

#include "../core/http_date.h"
#include "../host/child.h"
#include "../host/file.h"
#include "binding.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>
#if defined(__APPLE__)
#include <sys/random.h>
#endif

struct lar_state *lar_state(lua_State *L) {
  return lua_touserdata(L, lua_upvalueindex(1));
}

static int64_t clock_ms(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t lar_monotonic(void) {
  return clock_ms(CLOCK_MONOTONIC);
}

struct ar_now lar_now(void) {
  return (struct ar_now){lar_monotonic(), clock_ms(CLOCK_REALTIME)};
}

void lar_push_str(lua_State *L, struct ar_str s) {
  lua_pushlstring(L, s.p, s.n);
}

struct ar_str lar_to_str(lua_State *L, int index) {
  size_t n;
  const char *p = lua_tolstring(L, index, &n);
  return ar_str_n(p, n);
}

void lar_new_class(lua_State *L, const char *name, const luaL_Reg *methods,
                   lua_CFunction gc) {
  luaL_newmetatable(L, name);
  lua_newtable(L);
  lua_pushvalue(L, -3);
  lua_pushvalue(L, -3);
  lar_setfuncs(L, methods, 2);
  lua_setfield(L, -2, "__index");
  lua_pushcfunction(L, gc);
  lua_setfield(L, -2, "__gc");
  lua_pushstring(L, name);
  lua_pushvalue(L, -1);
  lua_setfield(L, -3, "__name");
  lua_setfield(L, -2, "__metatable");
  lua_pop(L, 1);
}

void *lar_check(lua_State *L, int index, const char *name) {
  void *object = lua_touserdata(L, index);
  if (object != NULL && lua_getmetatable(L, index)) {
    bool same = lua_rawequal(L, -1, lua_upvalueindex(2));
    lua_pop(L, 1);
    if (same) return object;
  }
  return luaL_checkudata(L, index, name);
}

/* --- the state ------------------------------------------------------------
 */

static const char *read_environment(void *context, const char *name) {
  (void)context;
  return getenv(name);
}

/*
** getentropy takes at most 256 bytes at once, and more are never asked for.
*/
static bool read_random(void *context, void *out, size_t n) {
  (void)context;
  return getentropy(out, n) == 0;
}

/* "lua#5.4", or "luajit#2.1.0" where `jit` says so. */
static void name_lua(lua_State *L, char *out, size_t size) {
  lua_getglobal(L, "jit");
  if (lua_istable(L, -1)) {
    lua_getfield(L, -1, "version");
    snprintf(
        out, size, "luajit#%.20s",
        lua_isstring(L, -1) ? lua_tostring(L, -1) + strlen("LuaJIT ") : "");
    lua_pop(L, 2);
    return;
  }
  lua_getglobal(L, "_VERSION");
  snprintf(out, size, "lua#%.20s",
           lua_isstring(L, -1) ? lua_tostring(L, -1) + strlen("Lua ") : "");
  lua_pop(L, 2);
}

static void find_facts(lua_State *L, struct ar_host_facts *facts) {
  struct utsname name;
  name_lua(L, facts->lua, sizeof facts->lua);
  if (uname(&name) != 0) return;
  snprintf(facts->os, sizeof facts->os, "%s#%.40s",
           strcmp(name.sysname, "Darwin") == 0 ? "macos" : "linux",
           name.release);
  snprintf(facts->arch, sizeof facts->arch, "%.31s", name.machine);
}

static int state_gc(lua_State *L) {
  struct lar_state *state = luaL_checkudata(L, 1, LAR_STATE);
  if (state->open) ar_jobs_free(&state->jobs);
  state->open = false;
  return 0;
}

void lar_new_state(lua_State *L) {
  struct lar_state *state = lua_newuserdata(L, sizeof *state);
  *state = (struct lar_state){.env = {.get = read_environment,
                                      .read_file = ar_file_read,
                                      .replace_file = ar_file_replace,
                                      .start_child = ar_child_start,
                                      .poll_child = ar_child_poll,
                                      .end_child = ar_child_end,
                                      .random = read_random}};
  luaL_newmetatable(L, LAR_STATE);
  lua_pushcfunction(L, state_gc);
  lua_setfield(L, -2, "__gc");
  lua_setmetatable(L, -2);
  ar_jobs_init(&state->jobs);
  state->open = true;
  find_facts(L, &state->facts);
}

/* --- small things ---------------------------------------------------------
 */

/* moment(seconds) -> a job, to be started, that is done then */
static int core_moment(lua_State *L) {
  lua_Number seconds = luaL_checknumber(L, 1);
  struct ar_job **handle;
  luaL_argcheck(L, seconds >= 0 && seconds <= 1e9, 1,
                "expected seconds, 0 to 1e9");
  handle = lar_new_job(L);
  /* The clock is cut to milliseconds: one more, lest it end too early. */
  *handle = ar_moment_new(lar_monotonic() + (seconds > 0) +
                          (int64_t)(seconds * 1000 + 0.999));
  if (*handle == NULL) return luaL_error(L, "not enough memory");
  ar_jobs_name(&lar_state(L)->jobs, *handle);
  return 1;
}

/* now() -> seconds of a clock that only goes forward */
static int core_now(lua_State *L) {
  lua_pushnumber(L, (lua_Number)lar_monotonic() / 1000);
  return 1;
}

/* random() -> a number from 0 to below 1; the host's sequence stays its own */
static int core_random(lua_State *L) {
  uint32_t bits = 0;
  if (!read_random(NULL, &bits, sizeof bits))
    return luaL_error(L, "the system has no random bytes");
  lua_pushnumber(L, bits / 4294967296.0);
  return 1;
}

/* callable(value) -> whether it is a function, or can be called like one */
static int core_callable(lua_State *L) {
  luaL_checkany(L, 1);
  lua_pushboolean(L,
                  lua_isfunction(L, 1) || luaL_getmetafield(L, 1, "__call"));
  return 1;
}

/* http_date(text) -> epoch seconds, or nil */
static int core_http_date(lua_State *L) {
  int64_t time;
  luaL_checkstring(L, 1);
  if (!ar_http_date_parse(lar_to_str(L, 1), &time)) return 0;
  lua_pushnumber(L, (lua_Number)time / 1000);
  return 1;
}

enum ar_code lar_check_code(lua_State *L, int index) {
  struct ar_str name = ar_str_of(luaL_checkstring(L, index));
  for (int i = 1; i < AR_CODES; i++)
    if (ar_str_eq(name, ar_str_of(ar_code_name((enum ar_code)i))))
      return (enum ar_code)i;
  luaL_argerror(L, index, "no such code");
  return AR_OK;
}

/* fail(code, message) -> nil, err: an error of the Lua layer's own */
static int core_fail(lua_State *L) {
  struct lar_error error = {.code = lar_check_code(L, 1),
                            .message = ar_str_of(luaL_checkstring(L, 2))};
  return lar_fail_with(L, &error);
}

/* iso8601(seconds) -> text; milliseconds stay, the rest is cut off */
static int core_iso8601(lua_State *L) {
  lua_Number seconds = luaL_checknumber(L, 1), ms;
  char text[AR_DATE_ISO_SIZE];
  luaL_argcheck(L,
                seconds >= (lua_Number)AR_MIN_EPOCH &&
                    seconds <= (lua_Number)AR_MAX_EPOCH,
                1, "a time between the years 0 and 9999 expected");
  ms = seconds * 1000 + (seconds < 0 ? -1e-3 : 1e-3); /* 0.123 is 122.99 */
  ar_date_iso((int64_t)ms, text);
  lua_pushstring(L, text);
  return 1;
}

/*
** map(path): maps a shared object before `require` does. Lua's own loader has
** every symbol of every library below resolved at once, which for libcurl's
** thirty costs up to a fifth of the time; this leaves it to the first use, as
** the linker does in programs.
*/
static int core_map(lua_State *L) {
  dlopen(luaL_checkstring(L, 1), RTLD_LAZY | RTLD_LOCAL | RTLD_NODELETE);
  return 0;
}

/* Sets the name of every member of `shape` that is sensitive to true. */
static void set_sensitive(lua_State *L, const struct ar_shape *shape) {
  for (size_t i = 0; i < shape->count; i++) {
    const struct ar_member *member = &shape->members[i];
    if (member->shape->sensitive) {
      lua_pushboolean(L, 1);
      lua_setfield(L, -2, member->name);
    }
    set_sensitive(L, member->shape);
  }
}

/* sensitive() -> the set of the members that may hold secrets */
static int core_sensitive(lua_State *L) {
  size_t count;
  const struct ar_operation *operations = ar_operations(&count);
  lua_newtable(L);
  for (size_t i = 0; i < count; i++) set_sensitive(L, operations[i].output);
  return 1;
}

static const luaL_Reg functions[] = {
    {"client", lar_client},    {"answer", lar_answer},
    {"sign", lar_sign},        {"profiles", lar_profiles},
    {"moment", core_moment},   {"now", core_now},
    {"random", core_random},   {"http_date", core_http_date},
    {"fail", core_fail},       {"callable", core_callable},
    {"iso8601", core_iso8601}, {"sensitive", core_sensitive},
    {"map", core_map},         {NULL, NULL}};

/* Pushes the names of the operations' methods, in the order of the model. */
static void push_operations(lua_State *L) {
  size_t count;
  const struct ar_operation *operations = ar_operations(&count);
  lua_createtable(L, (int)count, 0);
  for (size_t i = 0; i < count; i++) {
    lua_pushstring(L, operations[i].method);
    lua_rawseti(L, -2, (int)i + 1);
  }
}

/*
** Keeps this shared object mapped after lua_close: OpenSSL and threads of
** other libraries may hold pointers into it.
*/
static void stay_loaded(void) {
  Dl_info info;
  if (dladdr((void *)(uintptr_t)stay_loaded, &info) != 0 && info.dli_fname)
    dlopen(info.dli_fname, RTLD_NOW | RTLD_NODELETE | RTLD_NOLOAD);
}

AR_API int luaopen_apprunner_core(lua_State *L);

int luaopen_apprunner_core(lua_State *L) {
  stay_loaded();
  lua_settop(L, 0);
  lar_new_state(L);
  lar_open_error(L);
  lar_open_exchange(L);
  lar_open_client(L);
  lar_open_job(L);
  lar_open_sign(L);
  lar_open_profiles(L);
  lua_newtable(L);
  lua_pushvalue(L, 1);
  lar_setfuncs(L, functions, 1);
  lua_pushvalue(L, 1);
  luaL_getmetatable(L, LAR_JOB);
  lar_setfuncs(L, lar_pump, 2);
  lua_pushliteral(L, AR_VERSION);
  lua_setfield(L, -2, "version");
  push_operations(L);
  lua_setfield(L, -2, "operations");
  return 1;
}
