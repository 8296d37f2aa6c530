/*
** The exchange as a userdata, for whoever performs it in Lua: it holds a
** pointer and one reference.
*/
#include "binding.h"

static struct ar_exchange **check_exchange(lua_State *L) {
  return lar_check(L, 1, LAR_EXCHANGE);
}

static int exchange_gc(lua_State *L) {
  struct ar_exchange **x = check_exchange(L);
  struct ar_exchange *held = *x;
  *x = NULL;
  if (held != NULL) held->release(held);
  return 0;
}

static struct ar_exchange *check_open(lua_State *L) {
  struct ar_exchange *x = *check_exchange(L);
  if (x == NULL) luaL_argerror(L, 1, "attempt to use a closed exchange");
  return x;
}

/* exchange:sent(yes): whether the request may have reached the server */
static int exchange_sent(lua_State *L) {
  check_open(L)->sent = lua_toboolean(L, 2);
  return 0;
}

/*
** exchange:fail(code, message, how): no whole answer came. `how`, if given:
** status, of an answer that began; reused, on a connection that was kept; cut,
** a handshake that may go well the next time.
*/
static int exchange_fail(lua_State *L) {
  struct ar_exchange *x = check_open(L);
  struct ar_outcome outcome = {.failure = lar_check_code(L, 2)};
  struct ar_err err;
  ar_fail(&err, outcome.failure, "%s", luaL_checkstring(L, 3));
  memcpy(outcome.detail, err.message, sizeof outcome.detail - 1);
  if (lua_istable(L, 4)) {
    lua_getfield(L, 4, "status");
    lua_getfield(L, 4, "reused");
    lua_getfield(L, 4, "cut");
    outcome.status = (int)lua_tonumber(L, -3);
    outcome.reused = lua_toboolean(L, -2);
    if (lua_toboolean(L, -1)) outcome.failure = AR_E_TLS_CUT;
  }
  x->finish(x, &outcome);
  return 0;
}

static void push_headers(lua_State *L, const struct ar_exchange *x) {
  lua_createtable(L, (int)x->header_count, 0);
  for (size_t i = 0; i < x->header_count; i++) {
    const struct ar_header_line *h = &x->headers[i];
    lua_createtable(L, 2, 0);
    lua_pushlstring(L, h->line, h->name_length);
    lua_rawseti(L, -2, 1);
    lua_pushstring(L, h->line + h->name_length + 2);
    lua_rawseti(L, -2, 2);
    lua_rawseti(L, -2, (int)i + 1);
  }
}

/* exchange:request() -> what to send, as a table for a transport */
static int exchange_request(lua_State *L) {
  struct ar_exchange *x = check_open(L);
  x->sent = true; /* a transport does not say when */
  lua_createtable(L, 0, 10);
  lua_pushstring(L, x->method);
  lua_setfield(L, -2, "method");
  lua_pushstring(L, x->url);
  lua_setfield(L, -2, "url");
  push_headers(L, x);
  lua_setfield(L, -2, "headers");
  lar_push_str(L, x->body);
  lua_setfield(L, -2, "body");
  lua_pushnumber(L, (lua_Number)x->connect_timeout / 1000);
  lua_setfield(L, -2, "connect_timeout");
  lua_pushnumber(L, (lua_Number)x->read_timeout / 1000);
  lua_setfield(L, -2, "read_timeout");
  lua_pushboolean(L, x->verify);
  lua_setfield(L, -2, "verify");
  if (x->ca_bundle) {
    lua_pushstring(L, x->ca_bundle);
    lua_setfield(L, -2, "ca_bundle");
  }
  if (x->proxy) {
    lua_pushstring(L, x->proxy);
    lua_setfield(L, -2, "proxy");
  }
  return 1;
}

/* --- a transport's response -----------------------------------------------
 */

static int refuse(lua_State *L, const char *why) {
  lua_pushnil(L);
  lua_pushstring(L, why);
  return 2;
}

static bool append(struct ar_exchange *x, enum ar_part part, struct ar_str s) {
  return x->append(x, part, s.p, s.n);
}

/* Takes name and value from the two top places; false: they are none. */
static bool append_header(lua_State *L, struct ar_exchange *x, bool *fits) {
  struct ar_str name, value;
  if (lua_type(L, -2) != LUA_TSTRING ||
      (lua_type(L, -1) != LUA_TSTRING && lua_type(L, -1) != LUA_TNUMBER))
    return false;
  lua_pushvalue(L, -1); /* lua_tolstring may change it in place */
  name = lar_to_str(L, -3);
  value = lar_to_str(L, -1);
  lua_pop(L, 1);
  if (ar_str_has_control(name) || ar_str_has_control(value)) return false;
  *fits = *fits && append(x, AR_PART_HEAD, name) &&
          append(x, AR_PART_HEAD, AR_STR(": ")) &&
          append(x, AR_PART_HEAD, value) &&
          append(x, AR_PART_HEAD, AR_STR("\r\n"));
  return true;
}

/* A pair {name, value} of a list, on top. */
static bool append_pair(lua_State *L, struct ar_exchange *x, bool *fits) {
  bool ok;
  lua_rawgeti(L, -1, 1);
  lua_rawgeti(L, -2, 2);
  ok = append_header(L, x, fits);
  lua_pop(L, 2);
  return ok;
}

/* The values on top, of the name below: a header that was repeated. */
static bool append_values(lua_State *L, struct ar_exchange *x, bool *fits) {
  int n = (int)lua_rawlen(L, -1);
  bool ok = n > 0;
  for (int i = 1; ok && i <= n; i++) {
    lua_pushvalue(L, -2);
    lua_rawgeti(L, -2, i);
    ok = append_header(L, x, fits);
    lua_pop(L, 2);
  }
  return ok;
}

/* The headers on top of the stack: a list of pairs, or a map of names to a
   value or a list of values. */
static bool append_headers(lua_State *L, struct ar_exchange *x, bool *fits) {
  for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
    bool ok;
    if (!lua_istable(L, -1))
      ok = append_header(L, x, fits);
    else if (lua_type(L, -2) == LUA_TNUMBER)
      ok = append_pair(L, x, fits);
    else
      ok = append_values(L, x, fits);
    if (!ok) return false;
  }
  return true;
}

/* The status of the response at 2; 0: it has none. */
static int status_of(lua_State *L) {
  lua_Number status;
  lua_getfield(L, 2, "status");
  status = lua_type(L, -1) == LUA_TNUMBER ? lua_tonumber(L, -1) : 0;
  lua_pop(L, 1);
  return status >= 100 && status < 600 ? (int)status : 0;
}

/* Takes the head of the response at 2. NULL, or what is wrong with it. */
static const char *take_head(lua_State *L, struct ar_exchange *x, bool *fits) {
  bool ok = true;
  if (!lua_istable(L, 2)) return "expected a table";
  if (status_of(L) == 0) return "status: expected a number from 100 to 599";
  lua_getfield(L, 2, "headers");
  if (!lua_isnil(L, -1) && !lua_istable(L, -1))
    return "headers: expected a table";
  append(x, AR_PART_HEAD, AR_STR("HTTP/1.1\r\n")); /* begins an answer */
  if (lua_istable(L, -1)) ok = append_headers(L, x, fits);
  return ok ? NULL : "headers: expected names and values";
}

/* exchange:respond(response) -> true | nil, what is wrong with it */
static int exchange_respond(lua_State *L) {
  struct ar_exchange *x = check_open(L);
  struct ar_outcome outcome = {.failure = AR_OK};
  bool fits = true;
  const char *wrong;
  lua_settop(L, 2);
  wrong = take_head(L, x, &fits);
  if (wrong != NULL) return refuse(L, wrong);
  lua_getfield(L, 2, "body");
  if (!lua_isnil(L, -1) && lua_type(L, -1) != LUA_TSTRING)
    return refuse(L, "body: expected a string");
  if (fits && lua_isstring(L, -1))
    fits = append(x, AR_PART_BODY, lar_to_str(L, -1));
  if (!fits) outcome.failure = AR_E_TOO_LARGE;
  outcome.status = status_of(L);
  x->finish(x, &outcome);
  lua_pushboolean(L, 1);
  return 1;
}

/* For who has an answer piece by piece: its head, as for respond(), then the
   pieces, then done(). */

/* exchange:begin(response) -> whether it fits | nil, what is wrong with it */
static int exchange_begin(lua_State *L) {
  struct ar_exchange *x = check_open(L);
  bool fits = true;
  const char *wrong;
  lua_settop(L, 2);
  wrong = take_head(L, x, &fits);
  if (wrong != NULL) return refuse(L, wrong);
  lua_pushboolean(L, fits);
  return 1;
}

/* exchange:take(piece) -> whether it fits */
static int exchange_take(lua_State *L) {
  struct ar_exchange *x = check_open(L);
  luaL_checktype(L, 2, LUA_TSTRING);
  lua_pushboolean(L, append(x, AR_PART_BODY, lar_to_str(L, 2)));
  return 1;
}

/* exchange:done(response): all of it was taken */
static int exchange_done(lua_State *L) {
  struct ar_exchange *x = check_open(L);
  struct ar_outcome outcome = {.failure = AR_OK};
  luaL_checktype(L, 2, LUA_TTABLE);
  outcome.status = status_of(L);
  x->finish(x, &outcome);
  return 0;
}

static const luaL_Reg exchange_methods[] = {
    {"begin", exchange_begin},     {"done", exchange_done},
    {"fail", exchange_fail},       {"request", exchange_request},
    {"respond", exchange_respond}, {"sent", exchange_sent},
    {"take", exchange_take},       {NULL, NULL}};

void lar_open_exchange(lua_State *L) {
  lua_pushnil(L);
  lar_new_class(L, LAR_EXCHANGE, exchange_methods, exchange_gc);
  lua_pop(L, 1);
}

void lar_push_exchange(lua_State *L, struct ar_exchange *x) {
  struct ar_exchange **handle = lua_newuserdata(L, sizeof(void *));
  *handle = NULL;
  luaL_getmetatable(L, LAR_EXCHANGE);
  lua_setmetatable(L, -2);
  *handle = x;
}
