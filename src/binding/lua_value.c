/*
** Answers: shapes over a table that lua-cjson has decoded, and the
** ResponseMetadata. Nothing here holds memory of C.
*/
#include "../core/head.h"
#include "binding.h"

/* 2^53: beyond it a double is no exact integer any more. */
#define EXACT 9007199254740992.0

/* The number on top, field `name` of the table below: a whole one becomes an
   integer. */
static void make_integer(lua_State *L, const char *name) {
#if LAR_HAS_INTEGERS
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

/* The table on top as a structure: no list; an empty one looks the same. */
static const char *shape_structure(lua_State *L, const char *name,
                                   const struct ar_shape *shape) {
  return lua_rawlen(L, -1) == 0 ? shape_members(L, shape) : name;
}

/* The list on top, of structures or of others. */
static const char *shape_elements(lua_State *L, const char *name,
                                  const struct ar_shape *element) {
  const char *wrong = NULL;
  int n = element->type == AR_STRUCTURE ? (int)lua_rawlen(L, -1) : 0;
  for (int i = 1; i <= n && wrong == NULL; i++) {
    lua_rawgeti(L, -1, i);
    wrong = lua_istable(L, -1) ? shape_structure(L, name, element) : name;
    lua_pop(L, 1);
  }
  return wrong;
}

static bool is_number(const struct ar_shape *shape) {
  return shape->type == AR_INTEGER || shape->type == AR_TIMESTAMP;
}

/* Whether values of this shape are looked at: other scalars than the numbers
   that may become integers are passed on as they are. */
static bool is_shaped(const struct ar_shape *shape) {
  if (is_number(shape)) return LAR_HAS_INTEGERS;
  return shape->type != AR_STRING && shape->type != AR_BOOLEAN;
}

/* The value on top, of the Lua type `type`. */
static const char *shape_value(lua_State *L, const struct ar_member *member,
                               int type) {
  const struct ar_shape *shape = member->shape;
  if (is_number(shape) && type == LUA_TNUMBER) make_integer(L, member->name);
  if (is_number(shape) || type == LUA_TNIL) return NULL;
  if (type != LUA_TTABLE) return member->name;
  if (shape->type == AR_STRUCTURE)
    return shape_structure(L, member->name, shape);
  if (shape->type == AR_LIST)
    return shape_elements(L, member->name, shape->element);
  return NULL;
}

/*
** Makes the whole numbers of the structure on top integers. NULL, or the name
** of a member that is no table though the model has it as one.
*/
static const char *shape_members(lua_State *L, const struct ar_shape *shape) {
  const char *wrong = NULL;
  luaL_checkstack(L, 4, "the answer nests too deep");
  for (size_t i = 0; i < shape->count && wrong == NULL; i++) {
    const struct ar_member *member = &shape->members[i];
    if (!is_shaped(member->shape)) continue;
    wrong = shape_value(L, member, lar_getfield(L, -1, member->name));
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

/* Sets the request id of the table below the headers on top, which have it
   already: the head is read once. */
static void set_request_id(lua_State *L) {
  lua_getfield(L, -1, AR_REQUEST_ID);
  if (lua_rawlen(L, -1) == 0) {
    lua_pop(L, 1);
    lua_getfield(L, -1, AR_REQUEST_ID_ELSE);
  }
  if (lua_rawlen(L, -1) > 0)
    lua_setfield(L, -3, "RequestId");
  else
    lua_pop(L, 1);
}

void lar_push_metadata(lua_State *L, const struct ar_call *call) {
  lua_createtable(L, 0, 4);
  lua_pushinteger(L, call->http.outcome.status);
  lua_setfield(L, -2, "HTTPStatusCode");
  lua_pushinteger(L, call->attempts - 1);
  lua_setfield(L, -2, "RetryAttempts");
  push_headers(L, ar_buf_str(&call->http.answer_head));
  set_request_id(L);
  lua_setfield(L, -2, "HTTPHeaders");
}
