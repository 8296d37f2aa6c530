/*
** Credentials at the border to Lua: what the caller's function gives, and what
** client:resolve() tells, which is never a secret.
*/
#include "binding.h"

/*
** The table that the function gave is the user's, and looking at it may run
** code of his, which may end the refresh: so it is copied before anything of
** the refresh is held.
*/
int lar_answer(lua_State *L) {
  struct ar_jobs *jobs = &lar_state(L)->jobs;
  int64_t id = (int64_t)luaL_checknumber(L, 1);
  struct ar_creds *room;
  lua_settop(L, 4);
  if (lua_istable(L, 2)) lar_copy_creds(L, 2);
  room = ar_refresh_asked(jobs, id);
  if (room == NULL) return 0; /* nobody asks any more */
  if (lua_isnil(L, 2)) {
    ar_refresh_answered(jobs, id, lar_check_code(L, 3),
                        luaL_checkstring(L, 4));
  } else if (lar_read_creds(L, 2, room) == 0) {
    ar_refresh_answered(jobs, id, AR_OK, NULL);
  } else {
    lua_getfield(L, -1, "message");
    ar_refresh_answered(jobs, id, AR_E_CREDENTIAL_RETRIEVAL,
                        lua_tostring(L, -1));
  }
  return 0;
}

/* --- what client:resolve() tells -----------------------------------------
 */

/* Sets info[name] to the value on top, and info.sources[name]. */
static void set(lua_State *L, int info, const char *name,
                struct ar_str source) {
  if (lua_isnil(L, -1)) {
    lua_pop(L, 1);
    return;
  }
  lua_setfield(L, info, name);
  lar_push_str(L, source);
  lua_setfield(L, info + 1, name);
}

static void push_text(lua_State *L, struct ar_str text) {
  if (text.n > 0)
    lar_push_str(L, text);
  else
    lua_pushnil(L);
}

static void set_setting(lua_State *L, int info, const char *name,
                        const struct ar_settings *settings,
                        enum ar_setting which) {
  const struct ar_setting_value *value = &settings->values[which];
  if (value->number >= 0)
    lua_pushinteger(L, (lua_Integer)value->number);
  else
    push_text(L, ar_buf_str(&value->text));
  set(L, info, name, ar_str_of(value->source));
}

static void set_endpoint(lua_State *L, int info,
                         const struct ar_client *client) {
  const char *source = client->settings.values[AR_SET_ENDPOINT_URL].source;
  push_text(L, ar_buf_str(&client->endpoint.base));
  set(L, info, "endpoint_url", ar_str_of(source ? source : AR_SOURCE_DEFAULT));
}

static void set_credentials(lua_State *L, int info,
                            const struct ar_creds *creds) {
  struct ar_str source = ar_buf_str(&creds->source);
  push_text(L, ar_buf_str(&creds->access_key_id));
  set(L, info, "access_key_id", source);
  lua_pushstring(L, creds->provider->name);
  set(L, info, "credential_provider", source);
  push_text(L, ar_buf_str(&creds->account_id));
  set(L, info, "account_id", source);
  if (creds->expiration == AR_NEVER)
    lua_pushnil(L);
  else if (creds->expiration % 1000 == 0)
    lua_pushinteger(L, (lua_Integer)(creds->expiration / 1000));
  else
    lua_pushnumber(L, (lua_Number)creds->expiration / 1000);
  set(L, info, "expiration", source);
}

void lar_push_info(lua_State *L, const struct ar_call *call) {
  const struct ar_client *client = call->client;
  const struct ar_settings *settings = &client->settings;
  int info;
  lua_createtable(L, 0, 11);
  info = lua_gettop(L);
  lua_createtable(L, 0, 10);
  set_setting(L, info, "profile", settings, AR_SET_PROFILE);
  set_setting(L, info, "region", settings, AR_SET_REGION);
  set_setting(L, info, "signing_region", settings, AR_SET_REGION);
  set_setting(L, info, "retry_mode", settings, AR_SET_RETRY_MODE);
  set_setting(L, info, "max_attempts", settings, AR_SET_MAX_ATTEMPTS);
  if (call->region.n > 0 ||
      client->settings.values[AR_SET_ENDPOINT_URL].source)
    set_endpoint(L, info, client);
  set_credentials(L, info, &client->creds);
  lua_setfield(L, info, "sources");
}
