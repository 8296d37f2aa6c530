/*
** Error tables: one function builds them all.
*/
#include "binding.h"

static void set_str(lua_State *L, const char *field, struct ar_str value) {
  if (value.n == 0) return;
  lar_push_str(L, value);
  lua_setfield(L, -2, field);
}

static void set_count(lua_State *L, const char *field, int value) {
  if (value == 0) return;
  lua_pushinteger(L, value);
  lua_setfield(L, -2, field);
}

static void push_error(lua_State *L, const struct lar_error *error) {
  bool service = error->code == AR_E_SERVICE;
  lua_createtable(L, 0, 10);
  set_str(L, "kind", ar_str_of(ar_code_kind(error->code)));
  set_str(
      L, "code",
      service ? error->service_code : ar_str_of(ar_code_name(error->code)));
  lar_push_str(L, error->message);
  lua_setfield(L, -2, "message");
  set_str(L, "operation", ar_str_of(error->operation));
  set_count(L, "http_status", error->http_status);
  set_str(L, "request_id", error->request_id);
  set_count(L, "attempts", error->attempts);
  set_str(L, "http_body", error->http_body);
  lua_pushboolean(L, error->retryable);
  lua_setfield(L, -2, "retryable");
  if (error->ambiguous) {
    lua_pushboolean(L, true);
    lua_setfield(L, -2, "ambiguous");
  }
  luaL_getmetatable(L, LAR_ERROR);
  lua_setmetatable(L, -2);
}

int lar_fail_with(lua_State *L, const struct lar_error *error) {
  lua_pushnil(L);
  push_error(L, error);
  return 2;
}

int lar_fail(lua_State *L, const struct ar_err *err) {
  struct lar_error error = {.code = err->code,
                            .message = ar_str_of(err->message)};
  return lar_fail_with(L, &error);
}

/* Replaces the text on top by one without control characters, which a server
   may have put there: they become spaces. */
static void flatten(lua_State *L) {
  struct ar_str text = lar_to_str(L, -1);
  luaL_Buffer b;
  if (!ar_str_has_control(text)) return;
  luaL_buffinit(L, &b);
  for (size_t i = 0; i < text.n; i++) {
    unsigned char c = (unsigned char)text.p[i];
    luaL_addchar(&b, (char)(c < 0x20 || c == 0x7F ? ' ' : c));
  }
  luaL_pushresult(&b);
  lua_remove(L, -2);
}

/* Pushes the field if it is a text and not empty; true if so. */
static bool get_text(lua_State *L, const char *field) {
  lua_getfield(L, 1, field);
  if (lua_isstring(L, -1) && lua_tostring(L, -1)[0] != 0) {
    flatten(L);
    return true;
  }
  lua_pop(L, 1);
  return false;
}

/* "Code: message (PauseService, HTTP 400, request id ...)" */
static int error_tostring(lua_State *L) {
  static const struct {
    const char *field, *label;
  } details[] = {{"operation", ""},
                 {"http_status", "HTTP "},
                 {"request_id", "request id "}};
  const char *before = " (";
  int parts = 0;
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  luaL_checkstack(L, 20, NULL);
  if (get_text(L, "code")) parts++;
  if (get_text(L, "message")) {
    lua_pushliteral(L, ": ");
    lua_insert(L, -2);
    parts += 2;
  }
  for (size_t i = 0; i < sizeof details / sizeof *details; i++) {
    lua_pushfstring(L, "%s%s", before, details[i].label);
    if (!get_text(L, details[i].field)) {
      lua_pop(L, 1);
      continue;
    }
    before = ", ";
    parts += 2;
  }
  if (before[0] == ',') {
    lua_pushliteral(L, ")");
    parts++;
  }
  lua_concat(L, parts);
  return 1;
}

void lar_open_error(lua_State *L) {
  luaL_newmetatable(L, LAR_ERROR);
  lua_pushcfunction(L, error_tostring);
  lua_setfield(L, -2, "__tostring");
  lua_pushliteral(L, LAR_ERROR);
  lua_setfield(L, -2, "__name");
  lua_pop(L, 1);
}
