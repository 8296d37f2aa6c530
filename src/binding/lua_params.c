/*
** Parameters: checked against the model, every problem at once, and written
** as the request's JSON.
*/
#include "../core/json.h"
#include "binding.h"

#include <stdio.h>

/* A list of problems that is made when the first one is found. */
struct checking {
  lua_State *L;
  int params;   /* index of the parameters */
  int problems; /* index of the list; its place holds nil at first */
};

/* Takes the text on top of the stack as one more problem. */
static void add_problem(struct checking *c) {
  lua_State *L = c->L;
  if (lua_isnil(L, c->problems)) {
    lua_newtable(L);
    lua_replace(L, c->problems);
  }
  lua_rawseti(L, c->problems, (int)lua_rawlen(L, c->problems) + 1);
}

static size_t count_characters(struct ar_str s) {
  size_t n = 0;
  for (size_t i = 0; i < s.n; i++)
    n += ((unsigned char)s.p[i] & 0xC0u) != 0x80u;
  return n;
}

/* Checks a value or a length, whole and named by `unit`, for its bounds. */
static void check_bounds(struct checking *c, const struct ar_member *member,
                         lua_Number n, const char *unit) {
  const struct ar_shape *shape = member->shape;
  bool few = n < (lua_Number)shape->min;
  char got[32];
  if (!few && (shape->max == 0 || n <= (lua_Number)shape->max)) return;
  snprintf(got, sizeof got, "%.0f", (double)n);
  lua_pushfstring(c->L, "%s: expected at %s %d%s, got %s", member->name,
                  few ? "least" : "most", (int)(few ? shape->min : shape->max),
                  unit, got);
  add_problem(c);
}

static void check_string(struct checking *c, const struct ar_member *member) {
  struct ar_str value = lar_to_str(c->L, -1);
  check_bounds(c, member, (lua_Number)count_characters(value), " characters");
  if (!ar_str_has_control(value)) return;
  lua_pushfstring(c->L, "%s: contains a control character", member->name);
  add_problem(c);
}

/* A double holds all whole numbers up to 2^53. */
static bool is_whole(lua_Number n) {
  return n >= -9007199254740992.0 && n <= 9007199254740992.0 &&
         n == (lua_Number)(int64_t)n;
}

/* Checks the value on top of the stack. */
static void check_value(struct checking *c, const struct ar_member *member) {
  lua_State *L = c->L;
  bool text = member->shape->type == AR_STRING;
  if (lua_type(L, -1) != (text ? LUA_TSTRING : LUA_TNUMBER)) {
    lua_pushfstring(L, "%s: expected %s, got %s", member->name,
                    text ? "string" : "integer", luaL_typename(L, -1));
    add_problem(c);
  } else if (text) {
    check_string(c, member);
  } else if (is_whole(lua_tonumber(L, -1))) {
    check_bounds(c, member, lua_tonumber(L, -1), "");
  } else {
    lua_pushfstring(L, "%s: expected integer, got %f", member->name,
                    lua_tonumber(L, -1));
    add_problem(c);
  }
}

static void check_members(struct checking *c, const struct ar_shape *shape) {
  for (size_t i = 0; i < shape->count; i++) {
    const struct ar_member *member = &shape->members[i];
    lua_getfield(c->L, c->params, member->name);
    if (!lua_isnil(c->L, -1)) {
      check_value(c, member);
    } else if (member->required) {
      lua_pushfstring(c->L, "missing required member %s", member->name);
      add_problem(c);
    }
    lua_pop(c->L, 1);
  }
}

/* The member whose name is most like `name`, if one is alike; or NULL. */
static const char *nearest(const struct ar_shape *shape, struct ar_str name) {
  const char *best = NULL;
  size_t least = 1 + name.n / 3;
  for (size_t i = 0; i < shape->count; i++) {
    size_t distance = ar_str_distance(name, ar_str_of(shape->members[i].name));
    if (distance > least) continue;
    least = distance;
    best = shape->members[i].name;
  }
  return best;
}

static void add_unknown(struct checking *c, const struct ar_shape *shape) {
  lua_State *L = c->L;
  const char *alike;
  if (lua_type(L, -2) != LUA_TSTRING) {
    lua_pushfstring(L, "expected names of members, got a %s as a key",
                    luaL_typename(L, -2));
    add_problem(c);
    return;
  }
  alike = nearest(shape, lar_to_str(L, -2));
  if (alike)
    lua_pushfstring(L, "unknown member %s (did you mean %s?)",
                    lua_tostring(L, -2), alike);
  else
    lua_pushfstring(L, "unknown member %s", lua_tostring(L, -2));
  add_problem(c);
}

static void check_names(struct checking *c, const struct ar_shape *shape) {
  lua_State *L = c->L;
  for (lua_pushnil(L); lua_next(L, c->params); lua_pop(L, 1))
    if (lua_type(L, -2) != LUA_TSTRING ||
        !ar_member_find(shape, lar_to_str(L, -2)))
      add_unknown(c, shape);
}

static void write_members(lua_State *L, int params,
                          const struct ar_shape *shape, struct ar_buf *body) {
  ar_buf_addc(body, '{');
  for (size_t i = 0; i < shape->count; i++) {
    const char *name = shape->members[i].name;
    lua_getfield(L, params, name);
    if (!lua_isnil(L, -1)) {
      if (body->n > 1) ar_buf_addc(body, ',');
      ar_json_add_string(body, ar_str_of(name));
      ar_buf_addc(body, ':');
      if (shape->members[i].shape->type == AR_STRING)
        ar_json_add_string(body, lar_to_str(L, -1));
      else
        ar_buf_addi(body, (int64_t)lua_tonumber(L, -1));
    }
    lua_pop(L, 1);
  }
  ar_buf_addc(body, '}');
}

bool lar_write_params(lua_State *L, int index,
                      const struct ar_operation *operation,
                      struct ar_buf *body) {
  struct checking c = {L, index, 0};
  luaL_checkstack(L, 8, NULL);
  lua_pushnil(L);
  c.problems = lua_gettop(L);
  check_members(&c, operation->input);
  check_names(&c, operation->input);
  if (!lua_isnil(L, -1)) return false;
  lua_pop(L, 1);
  write_members(L, index, operation->input, body);
  return true;
}
