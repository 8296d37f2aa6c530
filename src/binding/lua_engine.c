/*
** apprunner.curl: the engine as a Lua object. It holds the engine and nothing
** else; the exchanges come from apprunner.core, in a userdata whose metatable
** carries the number of their ABI. No function here is called by libcurl.
*/
#define _GNU_SOURCE
#include "../core/base.h"

#include <dlfcn.h>
#include <lauxlib.h>
#include <limits.h>
#include <lua.h>

#include "../curl/engine.h"
#include "../curl/library.h"
#include "compat.h"

#define LAR_ENGINE "apprunner.engine"

AR_API int luaopen_apprunner_curl(lua_State *L);

static struct ar_engine *check_engine(lua_State *L) {
  struct ar_engine **e = luaL_checkudata(L, 1, LAR_ENGINE);
  if (*e == NULL) luaL_error(L, "attempt to use a closed engine");
  return *e;
}

static struct ar_exchange *check_exchange(lua_State *L) {
  struct ar_exchange **x = luaL_checkudata(L, 2, AR_EXCHANGE_TYPE);
  if (*x == NULL) luaL_argerror(L, 2, "the exchange is closed");
  if ((*x)->abi != AR_EXCHANGE_ABI || (*x)->size != sizeof **x)
    luaL_argerror(L, 2, "the exchange is of another version of apprunner");
  return *x;
}

/* Milliseconds, rounded up; nothing is -1, without a bound. */
static int opt_milliseconds(lua_State *L, int index) {
  lua_Number ms = luaL_optnumber(L, index, -1);
  if (!(ms >= 0)) return -1;
  if (ms >= INT_MAX) return INT_MAX;
  return (int)ms < ms ? (int)ms + 1 : (int)ms;
}

/* The same, of milliseconds with fractions. */
static int64_t opt_microseconds(lua_State *L, int index) {
  lua_Number ms = luaL_optnumber(L, index, -1);
  if (!(ms >= 0)) return -1;
  return ms < INT_MAX ? (int64_t)(ms * 1000) : INT_MAX * (int64_t)1000;
}

static int fail(lua_State *L, const struct ar_err *err) {
  lua_pushnil(L);
  lua_pushstring(L, err->message);
  return 2;
}

static int engine_fd(lua_State *L) {
  lua_pushinteger(L, ar_engine_fd(check_engine(L)));
  return 1;
}

static int engine_timeout(lua_State *L) {
  lua_pushinteger(L, ar_engine_timeout(check_engine(L)));
  return 1;
}

static int engine_add(lua_State *L) {
  struct ar_engine *e = check_engine(L);
  struct ar_exchange *x = check_exchange(L);
  struct ar_err err;
  if (ar_engine_add(e, x, &err) != AR_OK) return fail(L, &err);
  lua_pushboolean(L, 1);
  return 1;
}

static int engine_remove(lua_State *L) {
  struct ar_engine *e = check_engine(L);
  ar_engine_remove(e, check_exchange(L));
  return 0;
}

/* Gives back the exchanges that have ended; whether there was one. */
static bool finish_all(struct ar_engine *e) {
  bool any = false;
  while (ar_engine_next_done(e)) any = true;
  return any;
}

/* engine:step(ms) -> whether there is more to do at once, whether one ended */
static int engine_step(lua_State *L) {
  struct ar_engine *e = check_engine(L);
  lua_pushboolean(L, ar_engine_step(e, opt_microseconds(L, 2)));
  lua_pushboolean(L, finish_all(e));
  return 2;
}

/* engine:drive(ms) -> whether an exchange has ended */
static int engine_drive(lua_State *L) {
  struct ar_engine *e = check_engine(L);
  ar_engine_drive(e, opt_milliseconds(L, 2));
  lua_pushboolean(L, finish_all(e));
  return 1;
}

static int engine_wait(lua_State *L) {
  struct ar_engine *e = check_engine(L);
  ar_engine_wait(e, opt_milliseconds(L, 2));
  return 0;
}

static int engine_forked(lua_State *L) {
  lua_pushboolean(L, ar_engine_forked(check_engine(L)));
  return 1;
}

static void set_number(lua_State *L, const char *name, lua_Number value) {
#if LUA_VERSION_NUM >= 503
  lua_pushinteger(L, (lua_Integer)value);
#else
  lua_pushnumber(L, value);
#endif
  lua_setfield(L, -2, name);
}

static int engine_stats(lua_State *L) {
  const struct ar_engine_stats *s = ar_engine_stats(check_engine(L));
  lua_createtable(L, 0, 4);
  set_number(L, "steps", (lua_Number)s->steps);
  set_number(L, "longest_step_us", (lua_Number)s->longest_step_us);
  set_number(L, "connections", (lua_Number)s->connections);
  set_number(L, "in_flight", (lua_Number)s->in_flight);
  return 1;
}

static int engine_close(lua_State *L) {
  struct ar_engine **held = luaL_checkudata(L, 1, LAR_ENGINE);
  struct ar_engine *e = *held;
  *held = NULL;
  ar_engine_free(e);
  return 0;
}

static const luaL_Reg methods[] = {{"fd", engine_fd},
                                   {"timeout", engine_timeout},
                                   {"add", engine_add},
                                   {"remove", engine_remove},
                                   {"step", engine_step},
                                   {"drive", engine_drive},
                                   {"wait", engine_wait},
                                   {"forked", engine_forked},
                                   {"stats", engine_stats},
                                   {"close", engine_close},
                                   {NULL, NULL}};

static const luaL_Reg metamethods[] = {{"__gc", engine_close},
#if LUA_VERSION_NUM >= 504
                                       {"__close", engine_close},
#endif
                                       {NULL, NULL}};

/* Created closed and then filled, so that an error in between leaks none. */
static int module_engine(lua_State *L) {
  struct ar_engine **e = lua_newuserdata(L, sizeof *e);
  struct ar_err err;
  *e = NULL;
  luaL_getmetatable(L, LAR_ENGINE);
  lua_setmetatable(L, -2);
  *e = ar_engine_new(&err);
  return *e != NULL ? 1 : fail(L, &err);
}

static int module_init(lua_State *L) {
  struct ar_err err;
  if (ar_engine_global_init(&err) != AR_OK) return fail(L, &err);
  lua_pushboolean(L, 1);
  return 1;
}

static const luaL_Reg functions[] = {
    {"engine", module_engine}, {"init", module_init}, {NULL, NULL}};

/* libcurl's threads may run code after the Lua state has ended: whatever is
   loaded stays loaded. */
static void pin(void) {
  Dl_info self;
  if (dladdr(methods, &self) != 0)
    dlopen(self.dli_fname, RTLD_NOW | RTLD_NODELETE | RTLD_NOLOAD);
}

static void new_class(lua_State *L) {
  if (luaL_newmetatable(L, LAR_ENGINE)) {
    lar_setfuncs(L, metamethods, 0);
    lua_newtable(L);
    lar_setfuncs(L, methods, 0);
    lua_setfield(L, -2, "__index");
    lua_pushliteral(L, LAR_ENGINE);
    lua_setfield(L, -2, "__name");
    lua_pushliteral(L, "locked");
    lua_setfield(L, -2, "__metatable");
  }
  lua_pop(L, 1);
}

AR_API int luaopen_apprunner_curl(lua_State *L) {
  pin();
  new_class(L);
  lua_newtable(L);
  lar_setfuncs(L, functions, 0);
  lua_pushstring(L, ar_library_version());
  lua_setfield(L, -2, "version");
  return 1;
}
