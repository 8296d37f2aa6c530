/*
** Answers: shapes over a table that lua-cjson has decoded, and the
** ResponseMetadata. Nothing here holds memory of C.
*/
#include "../core/head.h"
#include "binding.h"

/* 2^53: beyond it a double is no exact integer any more. */
#define EXACT 9007199254740992.0

/* Field `name` of the table on top, a whole number, becomes an integer. */
static void make_integer(lua_State *L, const char *name) {
#if LUA_VERSION_NUM >= 503
  lua_Number n = lua_tonumber(L, -1);
  if (lua_isinteger(L, -1) || !(n >= -EXACT && n <= EXACT) ||
      n != (lua_Number)(lua_Integer)n)
    return;
  lua_pushinteger(L, (lua_Integer)n);
  lua_setfield(L, -3, name);
#else
  (void)L, (void)name;
#endif
}

static const char *shape_members(lua_State *L, const struct ar_shape *shape);

/* A structure is a table, and no list; an empty one of those looks the same.
 */
static bool is_structure(lua_State *L) {
  return lua_istable(L, -1) && lua_rawlen(L, -1) == 0;
}

/* The list on top, of structures or of others. */
static const char *shape_elements(lua_State *L, const char *name,
                                  const struct ar_shape *element) {
  int n = (int)lua_rawlen(L, -1);
  if (element->type != AR_STRUCTURE) return NULL;
  for (int i = 1; i <= n; i++) {
    const char *wrong = name;
    lua_rawgeti(L, -1, i);
    if (is_structure(L)) wrong = shape_members(L, element);
    lua_pop(L, 1);
    if (wrong != NULL) return wrong;
  }
  return NULL;
}

/* The value on top, which is there. */
static const char *shape_value(lua_State *L, const struct ar_member *member) {
  switch (member->shape->type) {
    case AR_STRUCTURE:
      return is_structure(L) ? shape_members(L, member->shape) : member->name;
    case AR_LIST:
      return lua_istable(L, -1)
                 ? shape_elements(L, member->name, member->shape->element)
                 : member->name;
    case AR_MAP:
      return lua_istable(L, -1) ? NULL : member->name;
    default:
      if (lua_type(L, -1) == LUA_TNUMBER) make_integer(L, member->name);
      return NULL;
  }
}

/*
** Makes the whole numbers of the structure on top integers. NULL, or the name
** of a member that is no table though the model has it as one; scalars are
** passed on as they are.
*/
static const char *shape_members(lua_State *L, const struct ar_shape *shape) {
  const char *wrong = NULL;
  luaL_checkstack(L, 4, "the answer nests too deep");
  for (size_t i = 0; i < shape->count && wrong == NULL; i++) {
    const struct ar_member *member = &shape->members[i];
    enum ar_type type = member->shape->type;
    if (type == AR_STRING || type == AR_BOOLEAN) continue;
    lua_getfield(L, -1, member->name);
    if (!lua_isnil(L, -1)) wrong = shape_value(L, member);
    lua_pop(L, 1);
  }
  return wrong;
}

/* Null is a light userdata of lua-cjson and a full one in Neovim; nothing else
   that either decodes is one. */
static bool is_null(lua_State *L, int index) {
  return lua_isuserdata(L, index);
}

/* Closes the holes that nulls left in the list on top, `n` long. */
static void close_holes(lua_State *L, int n) {
  int to = 0;
  for (int from = 1; from <= n; from++) {
    lua_rawgeti(L, -1, from);
    if (lua_isnil(L, -1)) {
      lua_pop(L, 1);
      continue;
    }
    lua_rawseti(L, -2, ++to);
    if (to < from) {
      lua_pushnil(L);
      lua_rawseti(L, -2, from);
    }
  }
}

/* Takes the nulls out of the table on top, at every depth, and the metatables
   with which Neovim marks empty objects. */
static void drop_nulls(lua_State *L) {
  int n = (int)lua_rawlen(L, -1);
  bool dropped = false;
  luaL_checkstack(L, 4, "the answer nests too deep");
  if (lua_getmetatable(L, -1)) {
    lua_pushnil(L);
    lua_setmetatable(L, -3);
    lua_pop(L, 1);
  }
  for (lua_pushnil(L); lua_next(L, -2);) {
    if (is_null(L, -1)) {
      dropped = true;
      lua_pop(L, 1);
      lua_pushvalue(L, -1);
      lua_pushnil(L);
      lua_rawset(L, -4);
      continue;
    }
    if (lua_istable(L, -1)) drop_nulls(L);
    lua_pop(L, 1);
  }
  if (dropped && n > 0) close_holes(L, n);
}

const char *lar_apply_shape(lua_State *L, const struct ar_shape *shape,
                            bool nulls) {
  if (nulls) drop_nulls(L);
  return shape_members(L, shape);
}

/* Pushes `name` in lower case. */
static void push_lower(lua_State *L, struct ar_str name) {
  char small[64];
  luaL_Buffer b;
  if (name.n <= sizeof small) {
    for (size_t i = 0; i < name.n; i++) small[i] = ar_lower(name.p[i]);
    lua_pushlstring(L, small, name.n);
    return;
  }
  luaL_buffinit(L, &b);
  for (size_t i = 0; i < name.n; i++) luaL_addchar(&b, ar_lower(name.p[i]));
  luaL_pushresult(&b);
}

/* Pushes the headers by lower-case name; repeats are joined by ", ". */
static void push_headers(lua_State *L, struct ar_str head) {
  struct ar_str name, value;
  lua_createtable(L, 0, 8); /* as many as there are, as a rule */
  while (ar_head_next(&head, &name, &value)) {
    push_lower(L, name);
    lua_pushvalue(L, -1);
    lua_rawget(L, -3);
    if (lua_isnil(L, -1)) {
      lua_pop(L, 1);
      lar_push_str(L, value);
    } else {
      lua_pushliteral(L, ", ");
      lar_push_str(L, value);
      lua_concat(L, 3);
    }
    lua_rawset(L, -3);
  }
}

void lar_push_metadata(lua_State *L, const struct ar_call *call) {
  struct ar_str request_id = ar_call_request_id(call);
  lua_createtable(L, 0, 4);
  if (request_id.n > 0) {
    lar_push_str(L, request_id);
    lua_setfield(L, -2, "RequestId");
  }
  lua_pushinteger(L, call->http.outcome.status);
  lua_setfield(L, -2, "HTTPStatusCode");
  lua_pushinteger(L, call->attempts - 1);
  lua_setfield(L, -2, "RetryAttempts");
  push_headers(L, ar_buf_str(&call->http.answer_head));
  lua_setfield(L, -2, "HTTPHeaders");
}
