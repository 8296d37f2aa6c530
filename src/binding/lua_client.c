/*
** Clients: settings from a Lua table, and the start of a call.
*/
#include "binding.h"

struct ar_client *lar_check_client(lua_State *L, int index) {
  struct ar_client **handle = lar_check(L, index, LAR_CLIENT);
  if (*handle == NULL)
    luaL_argerror(L, index, "attempt to use a closed client");
  return *handle;
}

/* Calls that are under way keep what they need. */
static int client_gc(lua_State *L) {
  struct ar_client **handle = lar_check(L, 1, LAR_CLIENT);
  struct ar_client *client = *handle;
  *handle = NULL;
  if (client == NULL) return 0;
  ar_client_idle(client);
  ar_client_release(client);
  return 0;
}

/* client:close(): cancels its calls, wipes its credentials; idempotent */
static int client_close(lua_State *L) {
  struct ar_client **handle = lar_check(L, 1, LAR_CLIENT);
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
    {"session_token", offsetof(struct ar_creds, session_token)},
    {"account_id", offsetof(struct ar_creds, account_id)}};

/* Epoch seconds in the field `expiration`, if it is there. */
static int read_expiration(lua_State *L, int index, struct ar_creds *creds) {
  lua_Number seconds;
  lua_getfield(L, index, "expiration");
  if (lua_isnil(L, -1)) return 0;
  seconds = lua_tonumber(L, -1);
  if (lua_type(L, -1) != LUA_TNUMBER || !(seconds >= 0) ||
      !(seconds <= (lua_Number)AR_MAX_EPOCH))
    return fail_setting(L, "credentials.expiration", "epoch seconds", -1);
  creds->expiration = (int64_t)(seconds * 1000);
  lua_pop(L, 1);
  return 0;
}

int lar_read_creds(lua_State *L, int index, struct ar_creds *creds) {
  if (!lua_istable(L, index))
    return fail_setting(L, "credentials", "table or function", index);
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
  return read_expiration(L, index, creds);
}

void lar_copy_creds(lua_State *L, int index) {
  size_t n = sizeof key_fields / sizeof *key_fields;
  lua_createtable(L, 0, (int)n + 1);
  for (size_t i = 0; i <= n; i++) {
    const char *name = i < n ? key_fields[i].name : "expiration";
    lua_getfield(L, index, name);
    lua_setfield(L, -2, name);
  }
  lua_replace(L, index);
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
                [AR_VALUE_TYPES] = {LUA_TSTRING, "string"}};
  enum ar_setting_type type = ar_setting_type(which);
  struct ar_err err;
  int rc;
  if (wanted[type].name == NULL) type = AR_VALUE_TYPES; /* one of some words */
  if (lua_type(L, -1) != wanted[type].type)
    return fail_setting(L, ar_setting_name(which), wanted[type].name, -1);
  if (wanted[type].type == LUA_TSTRING && lar_to_str(L, -1).n == 0)
    return 0; /* an empty one counts as unset, here as everywhere */
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
    const char *name = ar_setting_name((enum ar_setting)i);
    int failed = 0;
    if (name == NULL) continue;
    lua_getfield(L, index, name);
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

/* The setting whose argument is called `name`, or AR_SETTINGS. */
static enum ar_setting find_setting(struct ar_str name) {
  for (int i = 0; i < AR_SETTINGS; i++) {
    const char *argument = ar_setting_name((enum ar_setting)i);
    if (argument != NULL && ar_str_eq(name, ar_str_of(argument)))
      return (enum ar_setting)i;
  }
  return AR_SETTINGS;
}

/* The names of settings: the last ones are no rows of settings.def. */
static const char *setting_name(const void *of, size_t i) {
  static const char *const others[] = {"credentials", "logger", "transport"};
  (void)of;
  return i < AR_SETTINGS ? ar_setting_name((enum ar_setting)i)
                         : others[i - AR_SETTINGS];
}

/* 0, or 2 with nil and an error for a key that is no setting. */
static int refuse_unknown(lua_State *L, int index) {
  static const struct lar_names known = {"setting", setting_name, NULL,
                                         AR_SETTINGS + 3};
  struct ar_err err;
  for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
    if (!lar_push_unknown(L, lua_gettop(L) - 1, &known)) continue;
    ar_fail(&err, AR_E_BAD_CONFIG, "%s", lua_tostring(L, -1));
    return lar_fail(L, &err);
  }
  return 0;
}

/* module.client(settings, whether there is a credentials function) */
int lar_client(lua_State *L) {
  struct lar_state *state = lar_state(L);
  struct ar_client **handle, *client;
  struct ar_err err;
  int failed;
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 2);
  handle = lua_newuserdata(L, sizeof *handle);
  *handle = NULL;
  luaL_getmetatable(L, LAR_CLIENT);
  lua_setmetatable(L, -2);
  client = *handle = ar_client_new(&state->env);
  if (client == NULL) return luaL_error(L, "not enough memory");
  client->id = ++state->last_client;
  client->has_function = lua_toboolean(L, 2);
  failed = read_settings(L, 1, client);
  if (!failed) failed = refuse_unknown(L, 1);
  if (failed) return failed;
  if (ar_client_configure(client, &err) != AR_OK) return lar_fail(L, &err);
  lua_settop(L, 3);
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

static const struct ar_operation *check_operation(lua_State *L, int index) {
  size_t count;
  const struct ar_operation *operations = ar_operations(&count);
  lua_Integer i = luaL_checkinteger(L, index);
  luaL_argcheck(L, i >= 1 && (size_t)i <= count, index, "no such operation");
  return &operations[i - 1];
}

/* Milliseconds from now; negative: none. */
static void limit(struct ar_call *call, int64_t timeout) {
  if (timeout >= 0) ar_call_limit(call, timeout, lar_monotonic());
}

/* A closed job handle on top of the stack: the value there, or a new one. */
static struct ar_job **need_handle(lua_State *L) {
  struct ar_job **handle;
  if (lua_isnil(L, -1)) return lar_new_job(L);
  handle = luaL_checkudata(L, -1, LAR_JOB);
  luaL_argcheck(L, *handle == NULL, 5, "the handle is in use");
  return handle;
}

/*
** Random bytes for an id, fetched several at a time. A forked child must not
** use its parent's: they are kept only where an engine can tell it.
*/
static bool take_random(struct lar_state *state,
                        unsigned char out[AR_ID_SIZE]) {
  const struct ar_env *env = &state->env;
  struct ar_performer *p = state->performer;
  if (p == NULL || p->is_foreign(p))
    return env->random(env->context, out, AR_ID_SIZE);
  if (state->random_left == 0) {
    if (!env->random(env->context, state->random, sizeof state->random))
      return false;
    state->random_left = sizeof state->random;
  }
  state->random_left -= AR_ID_SIZE;
  memcpy(out, state->random + state->random_left, AR_ID_SIZE);
  return true;
}

/*
** A new call, to be named and started, in the closed handle on top of the
** stack, or in a new one where nil is there. Without an operation it is for
** client:resolve().
*/
static struct ar_call *new_call(lua_State *L, struct ar_client *client,
                                const struct ar_operation *operation) {
  struct lar_state *state = lar_state(L);
  struct ar_job **handle = need_handle(L);
  unsigned char random[AR_ID_SIZE];
  struct ar_call *call;
  if (!take_random(state, random))
    luaL_error(L, "the system has no random bytes");
  call = ar_call_new(client, operation, random, &state->facts);
  if (call == NULL) luaL_error(L, "not enough memory");
  *handle = &call->job;
  limit(call, ar_settings_number(&client->settings, AR_SET_TIMEOUT));
  ar_jobs_name(&state->jobs, &call->job);
  return call;
}

/*
** client:call(operation, params [, seconds [, handle]]) -> job, to be started
**   | nil, err
** `seconds`: what is left for it, beside the client's own timeout; `handle`: a
** job that was released, and that nobody else has, to be used again
*/
static int client_call(lua_State *L) {
  struct ar_client *client = lar_check_client(L, 1);
  const struct ar_operation *operation = check_operation(L, 2);
  lua_Number seconds = luaL_optnumber(L, 4, -1);
  struct ar_call *call;
  struct ar_err err;
  luaL_checktype(L, 3, LUA_TTABLE);
  luaL_argcheck(L, seconds <= 1e9, 4, "too many seconds");
  lua_settop(L, 5);
  call = new_call(L, client, operation);
  limit(call, (int64_t)(seconds * 1000));
  if (!lar_write_params(L, 3, operation, &call->http.body))
    return lar_fail_params(L, operation->name);
  if (ar_buf_check(&call->http.body, &err) != AR_OK ||
      ar_call_set_region(call, arn_of(L, 3, operation), &err) != AR_OK)
    return lar_fail(L, &err);
  return 1;
}

/* client:resolve() -> job, to be started, that knows what a call would use */
static int client_resolve(lua_State *L) {
  struct ar_client *client = lar_check_client(L, 1);
  struct ar_call *call;
  struct ar_err err;
  lua_settop(L, 1);
  lua_pushnil(L);
  call = new_call(L, client, NULL);
  if (ar_call_set_region(call, AR_STR(""), &err) != AR_OK)
    return lar_fail(L, &err);
  return 1;
}

/* client:id() -> the number that orders name it by */
static int client_id(lua_State *L) {
  lua_pushnumber(L, (lua_Number)lar_check_client(L, 1)->id);
  return 1;
}

/* client:setting(name) -> text, number of the core, or nil when unset */
static int client_setting(lua_State *L) {
  struct ar_client *client = lar_check_client(L, 1);
  enum ar_setting which = find_setting(ar_str_of(luaL_checkstring(L, 2)));
  const struct ar_setting_value *value;
  luaL_argcheck(L, which != AR_SETTINGS, 2, "no such setting");
  value = &client->settings.values[which];
  if (value->source == NULL)
    lua_pushnil(L);
  else if (value->number >= 0)
    lua_pushnumber(L, (lua_Number)value->number);
  else
    lar_push_str(L, ar_buf_str(&value->text));
  return 1;
}

static const luaL_Reg client_methods[] = {
    {"call", client_call},   {"resolve", client_resolve},
    {"id", client_id},       {"setting", client_setting},
    {"close", client_close}, {NULL, NULL}};

void lar_open_client(lua_State *L) {
  lar_new_class(L, LAR_CLIENT, client_methods, client_gc);
}
