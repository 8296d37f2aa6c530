/*
** apprunner.curl: the engine as a Lua object, which the core takes as its
** performer (exchange.h). No function here is called by libcurl.
*/
#define _GNU_SOURCE
#include "../core/base.h"

#include <dlfcn.h>
#include <lauxlib.h>
#include <lua.h>

#include "../curl/engine.h"
#include "../curl/library.h"
#include "compat.h"

AR_API int luaopen_apprunner_curl(lua_State *L);

/* The userdata. A closed one does nothing. */
struct handle {
  struct ar_performer performer;
  struct ar_engine *engine; /* NULL: closed */
};

/* --- as a performer -------------------------------------------------------
 */

static struct ar_engine *engine_of(struct ar_performer *p) {
  return AR_OWNER(struct handle, performer, p)->engine;
}

static int add(struct ar_performer *p, struct ar_exchange *x,
               struct ar_err *err) {
  if (engine_of(p) == NULL)
    return ar_fail(err, AR_E_HTTP, "the engine is closed");
  return ar_engine_add(engine_of(p), x, err);
}

static void drop(struct ar_performer *p, struct ar_exchange *x) {
  if (engine_of(p) != NULL) ar_engine_remove(engine_of(p), x);
}

static void finish_all(struct ar_engine *e) {
  while (ar_engine_next_done(e)) continue;
}

static bool step(struct ar_performer *p, int64_t budget_us) {
  struct ar_engine *e = engine_of(p);
  bool more = e != NULL && ar_engine_step(e, budget_us);
  if (e != NULL) finish_all(e);
  return more;
}

static void drive(struct ar_performer *p, int ms) {
  struct ar_engine *e = engine_of(p);
  if (e == NULL) return;
  ar_engine_drive(e, ms);
  finish_all(e);
}

static int timeout(struct ar_performer *p) {
  return engine_of(p) != NULL ? ar_engine_timeout(engine_of(p)) : -1;
}

static bool is_foreign(struct ar_performer *p) {
  return engine_of(p) != NULL && ar_engine_forked(engine_of(p));
}

static const struct ar_performer performer = {AR_EXCHANGE_ABI,
                                              sizeof(struct ar_exchange),
                                              add,
                                              drop,
                                              step,
                                              drive,
                                              timeout,
                                              is_foreign};

/* --- as an object ---------------------------------------------------------
 */

static struct handle *check_handle(lua_State *L) {
  return luaL_checkudata(L, 1, AR_PERFORMER_TYPE);
}

static struct ar_engine *check_engine(lua_State *L) {
  struct ar_engine *e = check_handle(L)->engine;
  if (e == NULL) luaL_error(L, "attempt to use a closed engine");
  return e;
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
  struct handle *handle = check_handle(L);
  struct ar_engine *e = handle->engine;
  handle->engine = NULL;
  ar_engine_free(e);
  return 0;
}

static const luaL_Reg methods[] = {
    {"fd", engine_fd}, {"stats", engine_stats}, {NULL, NULL}};

/* Created closed and then filled, so that an error in between leaks none. */
static int module_engine(lua_State *L) {
  struct handle *handle = lua_newuserdata(L, sizeof *handle);
  struct ar_err err;
  *handle = (struct handle){performer, NULL};
  luaL_getmetatable(L, AR_PERFORMER_TYPE);
  lua_setmetatable(L, -2);
  handle->engine = ar_engine_new(&err);
  return handle->engine != NULL ? 1 : fail(L, &err);
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
  if (luaL_newmetatable(L, AR_PERFORMER_TYPE)) {
    lua_pushcfunction(L, engine_close);
    lua_setfield(L, -2, "__gc");
    lua_newtable(L);
    lar_setfuncs(L, methods, 0);
    lua_setfield(L, -2, "__index");
    lua_pushliteral(L, "apprunner.engine");
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
