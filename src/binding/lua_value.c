/*
** Answers: shapes over a table that lua-cjson has decoded, and the
** ResponseMetadata. Nothing here holds memory of C.
*/
#include "../core/head.h"
#include "binding.h"

/* 2^53: beyond it a double is no exact integer any more. */
#define EXACT 9007199254740992.0

static bool is_number(const struct ar_shape *shape) {
  return shape->type == AR_INTEGER || shape->type == AR_TIMESTAMP;
}

/* Whether values of this shape are looked at: other scalars than the numbers
   that may become integers are passed on as they are. */
static bool is_shaped(const struct ar_shape *shape) {
  if (is_number(shape)) return LAR_HAS_INTEGERS;
  return shape->type != AR_STRING && shape->type != AR_BOOLEAN;
}

/* The structure that a value is, or is a list of; or NULL. */
static const struct ar_shape *structure_in(const struct ar_shape *shape) {
  if (shape->type == AR_LIST) shape = shape->element;
  return shape->type == AR_STRUCTURE ? shape : NULL;
}

/*
** Pushes the names of the structure's members that are looked at, as strings
** of Lua's: looking a member up by them takes half of what it takes by C's.
** They are a list in the order of the members; behind it, `count` places
** further, stand the names of the structures in them. Nil where there is
** nothing to be looked at.
*/
static void push_names(lua_State *L, const struct ar_shape *shape) {
  int count = (int)shape->count;
  luaL_checkstack(L, 3, NULL);
  lua_pushnil(L);
  for (int i = 0; i < count; i++) {
    const struct ar_member *member = &shape->members[i];
    const struct ar_shape *inner = structure_in(member->shape);
    if (!is_shaped(member->shape)) continue;
    if (lua_isnil(L, -1)) {
      lua_pop(L, 1);
      lua_createtable(L, 2 * count, 0);
    }
    lua_pushstring(L, member->name);
    lua_rawseti(L, -2, i + 1);
    if (inner == NULL) continue;
    push_names(L, inner);
    lua_rawseti(L, -2, count + i + 1);
  }
}

/* A table that is being shaped, and its names: the two upper places of the
   stack. */
struct shaping {
  lua_State *L;
  int value, names;
};

/* The number on top, of the i-th member: a whole one becomes an integer. */
static void make_integer(const struct shaping *s, int i) {
#if LAR_HAS_INTEGERS
  lua_State *L = s->L;
  lua_Number n = lua_tonumber(L, -1);
  if (lua_isinteger(L, -1) || !(n >= -EXACT && n <= EXACT) ||
      n != (lua_Number)(lua_Integer)n)
    return;
  lua_rawgeti(L, s->names, i + 1);
  lua_pushinteger(L, (lua_Integer)n);
  lua_rawset(L, s->value);
#else
  (void)s, (void)i;
#endif
}

static const char *shape_members(const struct shaping *s,
                                 const struct ar_shape *shape);

/* A table as a structure called `name`: no list; an empty one looks the same.
 */
static const char *shape_structure(const struct shaping *s, const char *name,
                                   const struct ar_shape *shape) {
  if (lua_rawlen(s->L, s->value) != 0) return name;
  return lua_isnil(s->L, s->names) ? NULL : shape_members(s, shape);
}

/* A list of such structures. */
static const char *shape_elements(const struct shaping *s, const char *name,
                                  const struct ar_shape *element) {
  lua_State *L = s->L;
  struct shaping each = {L, lua_gettop(L) + 1, s->names};
  const char *wrong = NULL;
  int n = (int)lua_rawlen(L, s->value);
  for (int i = 1; i <= n && wrong == NULL; i++) {
    lua_rawgeti(L, s->value, i);
    wrong = lua_istable(L, -1) ? shape_structure(&each, name, element) : name;
    lua_pop(L, 1);
  }
  return wrong;
}

/* The table on top, the i-th member of a structure `shape`. */
static const char *shape_inner(const struct shaping *s, int i,
                               const struct ar_shape *shape) {
  const struct ar_member *member = &shape->members[i];
  const struct ar_shape *inner = structure_in(member->shape);
  int top = s->value > s->names ? s->value : s->names;
  struct shaping each = {s->L, top + 1, top + 2};
  const char *wrong;
  if (inner == NULL) return NULL;
  lua_rawgeti(s->L, s->names, (int)shape->count + i + 1);
  if (member->shape->type == AR_LIST)
    wrong = shape_elements(&each, member->name, inner);
  else
    wrong = shape_structure(&each, member->name, inner);
  lua_pop(s->L, 1);
  return wrong;
}

/* The value on top, the i-th member of a structure `shape`. */
static const char *shape_member(const struct shaping *s, int i,
                                const struct ar_shape *shape) {
  const struct ar_member *member = &shape->members[i];
  int type = lua_type(s->L, -1);
  if (is_number(member->shape)) {
    if (type == LUA_TNUMBER) make_integer(s, i);
    return NULL;
  }
  if (type == LUA_TNIL) return NULL;
  return type == LUA_TTABLE ? shape_inner(s, i, shape) : member->name;
}

/*
** Makes the whole numbers of a structure integers. NULL, or the name of a
** member that is no table though the model has it as one.
*/
static const char *shape_members(const struct shaping *s,
                                 const struct ar_shape *shape) {
  const char *wrong = NULL;
  luaL_checkstack(s->L, 6, "the answer nests too deep");
  for (int i = 0; i < (int)shape->count && wrong == NULL; i++) {
    if (!is_shaped(shape->members[i].shape)) continue;
    lua_rawgeti(s->L, s->names, i + 1);
    lua_rawget(s->L, s->value);
    wrong = shape_member(s, i, shape);
    lua_pop(s->L, 1);
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

/* Pushes the names in an operation's output, which are kept at its place in
   the metatable of jobs, the second upvalue here. */
static void push_kept_names(lua_State *L,
                            const struct ar_operation *operation) {
  size_t count;
  int place = (int)(operation - ar_operations(&count)) + 1;
  lua_rawgeti(L, lua_upvalueindex(2), place);
  if (!lua_isnil(L, -1)) return;
  lua_pop(L, 1);
  push_names(L, operation->output);
  lua_pushvalue(L, -1);
  lua_rawseti(L, lua_upvalueindex(2), place);
}

const char *lar_apply_shape(lua_State *L, const struct ar_operation *operation,
                            bool nulls) {
  struct shaping s = {L, lua_gettop(L), lua_gettop(L) + 1};
  const char *wrong;
  if (nulls) drop_nulls(L);
  push_kept_names(L, operation);
  wrong = shape_structure(&s, "output", operation->output);
  lua_pop(L, 1);
  return wrong;
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

/* A bit that names which are the same but for their case have in common. */
static uint64_t bit_of(struct ar_str name) {
  return (uint64_t)1 << ((name.n ^ (name.n << 3) ^
                          (unsigned char)ar_lower(name.p[name.n - 1])) &
                         63u);
}

/* Pushes a value whose name is on top, and perhaps in the table below. */
static void push_joined(lua_State *L, struct ar_str value) {
  lua_pushvalue(L, -1);
  lua_rawget(L, -3);
  if (lua_isnil(L, -1)) {
    lua_pop(L, 1);
    lar_push_str(L, value);
    return;
  }
  lua_pushliteral(L, ", ");
  lar_push_str(L, value);
  lua_concat(L, 3);
}

/* Pushes the headers by lower-case name; repeats are joined by ", ". */
static void push_headers(lua_State *L, struct ar_str head) {
  struct ar_str name, value;
  uint64_t seen = 0;
  lua_createtable(L, 0, 8); /* as many as there are, as a rule */
  while (ar_head_next(&head, &name, &value)) {
    push_lower(L, name);
    if (seen & bit_of(name))
      push_joined(L, value);
    else
      lar_push_str(L, value);
    seen |= bit_of(name);
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
