/*
** The exchange as a userdata, for whoever performs it: it holds a pointer
** and one reference. The engine, in a shared object of its own, finds the
** struct through the metatable's name, which carries the ABI's number.
*/
#include "binding.h"

static struct ar_exchange **check_exchange(lua_State *L) {
  return luaL_checkudata(L, 1, AR_EXCHANGE_TYPE);
}

static int exchange_gc(lua_State *L) {
  struct ar_exchange **x = check_exchange(L);
  struct ar_exchange *held = *x;
  *x = NULL;
  if (held != NULL) held->release(held);
  return 0;
}

/* exchange:fail(message): it could not be performed, nothing was sent. */
static int exchange_fail(lua_State *L) {
  struct ar_exchange *x = *check_exchange(L);
  struct ar_str message = ar_str_of(luaL_checkstring(L, 2));
  struct ar_outcome outcome = {.failure = AR_E_HTTP};
  size_t n = sizeof outcome.detail - 1;
  if (x == NULL) return 0;
  memcpy(outcome.detail, message.p, message.n < n ? message.n : n);
  x->finish(x, &outcome);
  return 0;
}

static const luaL_Reg exchange_methods[] = {{"fail", exchange_fail},
                                            {NULL, NULL}};

void lar_open_exchange(lua_State *L) {
  lua_pushnil(L);
  lar_new_class(L, AR_EXCHANGE_TYPE, exchange_methods, exchange_gc);
  lua_pop(L, 1);
}

void lar_push_exchange(lua_State *L, struct ar_exchange *x) {
  struct ar_exchange **handle = lua_newuserdata(L, sizeof(void *));
  *handle = NULL;
  luaL_getmetatable(L, AR_EXCHANGE_TYPE);
  lua_setmetatable(L, -2);
  *handle = x;
}
