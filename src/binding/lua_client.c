/*
** Clients: settings from a Lua table, and the start of a call.
*/
#define _DEFAULT_SOURCE /* getentropy */

#include "binding.h"

#include <unistd.h>
#if defined(__APPLE__)
#include <sys/random.h>
#endif

struct ar_client *lar_check_client(lua_State *L, int index) {
  struct ar_client **handle = luaL_checkudata(L, index, LAR_CLIENT);
  if (*handle == NULL)
    luaL_argerror(L, index, "attempt to use a closed client");
  return *handle;
}

/* Calls that are under way keep what they need. */
static int client_gc(lua_State *L) {
  struct ar_client **handle = luaL_checkudata(L, 1, LAR_CLIENT);
  struct ar_client *client = *handle;
  *handle = NULL;
  if (client != NULL) ar_client_release(client);
  return 0;
}

/* client:close(): cancels its calls, wipes its credentials; idempotent */
static int client_close(lua_State *L) {
  struct ar_client **handle = luaL_checkudata(L, 1, LAR_CLIENT);
  if (*handle != NULL) {
    ar_calls_cancel(&lar_state(L)->jobs, *handle);
    ar_client_close(*handle);
  }
  return client_gc(L);
}

static int fail_setting(lua_State *L, const char *name, const char *expected,
                        int index) {
  struct ar_err err;
  ar_fail(&err, AR_E_BAD_CONFIG, "%s: expected %s, got %s", name, expected,
          luaL_typename(L, index));
  return lar_fail(L, &err);
}

/* --- credentials ----------------------------------------------------------
 */

static const struct {
  const char *name;
  size_t offset;
} key_fields[] = {
    {"access_key_id", offsetof(struct ar_creds, access_key_id)},
    {"secret_access_key", offsetof(struct ar_creds, secret_access_key)},
    {"session_token", offsetof(struct ar_creds, session_token)}};

int lar_read_creds(lua_State *L, int index, struct ar_creds *creds) {
  if (!lua_istable(L, index))
    return fail_setting(L, "credentials", "table", index);
  for (size_t i = 0; i < sizeof key_fields / sizeof *key_fields; i++) {
    struct ar_buf *to = (void *)((char *)creds + key_fields[i].offset);
    lua_getfield(L, index, key_fields[i].name);
    if (lua_type(L, -1) == LUA_TSTRING) {
      ar_buf_adds(to, lar_to_str(L, -1));
    } else if (!lua_isnil(L, -1)) {
      lua_pushfstring(L, "credentials.%s", key_fields[i].name);
      return fail_setting(L, lua_tostring(L, -1), "string", -2);
    }
    lua_pop(L, 1);
  }
  return 0;
}

/* --- settings -------------------------------------------------------------
 */

/* Reads the value on top of the stack; 0, or 2 with nil and an error. */
static int read_setting(lua_State *L, struct ar_settings *settings,
                        enum ar_setting which) {
  static const struct {
    int type;
    const char *name;
  } wanted[] = {[AR_VALUE_TEXT] = {LUA_TSTRING, "string"},
                [AR_VALUE_BOOLEAN] = {LUA_TBOOLEAN, "boolean"},
                [AR_VALUE_SECONDS] = {LUA_TNUMBER, "number"},
                [AR_VALUE_COUNT] = {LUA_TNUMBER, "number"},
                [AR_VALUE_LOOP] = {LUA_TSTRING, "string"}};
  enum ar_setting_type type = ar_setting_type(which);
  struct ar_err err;
  int rc;
  if (lua_type(L, -1) != wanted[type].type)
    return fail_setting(L, ar_setting_name(which), wanted[type].name, -1);
  if (wanted[type].type == LUA_TSTRING)
    rc = ar_settings_set(settings, which, lar_to_str(L, -1),
                         AR_SOURCE_ARGUMENT, &err);
  else
    rc = ar_settings_set_number(settings, which,
                                wanted[type].type == LUA_TBOOLEAN
                                    ? (double)lua_toboolean(L, -1)
                                    : (double)lua_tonumber(L, -1),
                                AR_SOURCE_ARGUMENT, &err);
  return rc == AR_OK ? 0 : lar_fail(L, &err);
}

static int read_settings(lua_State *L, int index, struct ar_client *client) {
  for (int i = 0; i < AR_SETTINGS; i++) {
    int failed = 0;
    lua_getfield(L, index, ar_setting_name((enum ar_setting)i));
    if (!lua_isnil(L, -1))
      failed = read_setting(L, &client->settings, (enum ar_setting)i);
    if (failed) return failed;
    lua_pop(L, 1);
  }
  lua_getfield(L, index, "credentials");
  if (!lua_isnil(L, -1)) {
    int failed = lar_read_creds(L, lua_gettop(L), &client->argument);
    client->has_argument = true;
    if (failed) return failed;
  }
  lua_pop(L, 1);
  return 0;
}

static bool is_known(struct ar_str name) {
  if (ar_str_eq(name, AR_STR("credentials"))) return true;
  for (int i = 0; i < AR_SETTINGS; i++)
    if (ar_str_eq(name, ar_str_of(ar_setting_name((enum ar_setting)i))))
      return true;
  return false;
}

/* 0, or 2 with nil and an error for a key that is no setting. */
static int refuse_unknown(lua_State *L, int index) {
  struct ar_err err;
  for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
    if (lua_type(L, -2) != LUA_TSTRING)
      ar_fail(&err, AR_E_BAD_CONFIG,
              "settings: expected names as keys, got a %s",
              luaL_typename(L, -2));
    else if (!is_known(lar_to_str(L, -2)))
      ar_fail(&err, AR_E_BAD_CONFIG, "unknown setting %s",
              lua_tostring(L, -2));
    else
      continue;
    return lar_fail(L, &err);
  }
  return 0;
}

int lar_client(lua_State *L) {
  struct lar_state *state = lar_state(L);
  struct ar_client **handle;
  struct ar_err err;
  int failed;
  if (lua_isnoneornil(L, 1)) {
    lua_settop(L, 0);
    lua_newtable(L);
  }
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  handle = lua_newuserdata(L, sizeof *handle);
  *handle = NULL;
  luaL_getmetatable(L, LAR_CLIENT);
  lua_setmetatable(L, -2);
  *handle = ar_client_new(&state->env);
  if (*handle == NULL) return luaL_error(L, "not enough memory");
  failed = read_settings(L, 1, *handle);
  if (!failed) failed = refuse_unknown(L, 1);
  if (failed) return failed;
  if (ar_settings_complete(&(*handle)->settings, &state->env, &err) != AR_OK)
    return lar_fail(L, &err);
  lua_settop(L, 2);
  return 1;
}

/* --- calls ----------------------------------------------------------------
 */

/* The ARN whose region counts, or empty. The parameters keep it alive. */
static struct ar_str arn_of(lua_State *L, int params,
                            const struct ar_operation *operation) {
  struct ar_str arn;
  if (operation->arn == NULL) return AR_STR("");
  lua_getfield(L, params, operation->arn);
  arn = lar_to_str(L, -1);
  lua_pop(L, 1);
  return arn;
}

/* Pushes the problems of the list at `index` as one text. */
static void push_problems(lua_State *L, int index) {
  int n = (int)lua_rawlen(L, index);
  luaL_Buffer b;
  luaL_buffinit(L, &b);
  luaL_addstring(&b, "Parameter validation failed: ");
  for (int i = 1; i <= n; i++) {
    if (i > 1) luaL_addstring(&b, "; ");
    lua_rawgeti(L, index, i);
    luaL_addvalue(&b);
  }
  luaL_pushresult(&b);
}

/* One error for the list of problems on top of the stack. */
static int fail_params(lua_State *L, const struct ar_operation *operation) {
  struct lar_error error = {.code = AR_E_PARAM, .operation = operation->name};
  int problems = lua_gettop(L);
  push_problems(L, problems);
  error.message = lar_to_str(L, -1);
  lar_fail_with(L, &error);
  lua_pushvalue(L, problems);
  lua_setfield(L, -2, "problems");
  return 2;
}

static const struct ar_operation *check_operation(lua_State *L, int index) {
  size_t count;
  const struct ar_operation *operations = ar_operations(&count);
  lua_Integer i = luaL_checkinteger(L, index);
  luaL_argcheck(L, i >= 1 && (size_t)i <= count, index, "no such operation");
  return &operations[i - 1];
}

/* client:call(operation, params) -> job, to be started | nil, err */
static int client_call(lua_State *L) {
  struct lar_state *state = lar_state(L);
  struct ar_client *client = lar_check_client(L, 1);
  const struct ar_operation *operation = check_operation(L, 2);
  unsigned char random[16];
  struct ar_job **handle;
  struct ar_call *call;
  struct ar_err err;
  int64_t timeout = ar_settings_number(&client->settings, AR_SET_TIMEOUT);
  luaL_checktype(L, 3, LUA_TTABLE);
  lua_settop(L, 3);
  if (getentropy(random, sizeof random) != 0)
    return luaL_error(L, "the system has no random bytes");
  handle = lar_new_job(L);
  call = ar_call_new(client, operation, random, &state->facts);
  if (call == NULL) return luaL_error(L, "not enough memory");
  *handle = &call->job;
  if (!lar_write_params(L, 3, operation, &call->body))
    return fail_params(L, operation);
  if (ar_buf_check(&call->body, &err) != AR_OK ||
      ar_call_set_region(call, arn_of(L, 3, operation), &err) != AR_OK)
    return lar_fail(L, &err);
  if (timeout >= 0) call->job.deadline = lar_now().monotonic + timeout;
  ar_jobs_name(&state->jobs, &call->job);
  return 1;
}

/* client:setting(name) -> text, number of the core, or nil when unset */
static int client_setting(lua_State *L) {
  struct ar_client *client = lar_check_client(L, 1);
  struct ar_str name = ar_str_of(luaL_checkstring(L, 2));
  for (int i = 0; i < AR_SETTINGS; i++) {
    enum ar_setting which = (enum ar_setting)i;
    if (!ar_str_eq(name, ar_str_of(ar_setting_name(which)))) continue;
    if (client->settings.values[i].source == NULL)
      lua_pushnil(L);
    else if (client->settings.values[i].number >= 0)
      lua_pushnumber(L, (lua_Number)client->settings.values[i].number);
    else
      lar_push_str(L, ar_settings_text(&client->settings, which));
    return 1;
  }
  return luaL_argerror(L, 2, "no such setting");
}

static const luaL_Reg client_methods[] = {{"call", client_call},
                                          {"setting", client_setting},
                                          {"close", client_close},
                                          {NULL, NULL}};

void lar_open_client(lua_State *L) {
  lar_new_class(L, LAR_CLIENT, client_methods, client_gc);
}
