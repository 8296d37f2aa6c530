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

/* Leaves room for the list on the stack. */
static struct checking check(lua_State *L, int index) {
  luaL_checkstack(L, 8, NULL);
  lua_pushnil(L);
  return (struct checking){L, index, lua_gettop(L)};
}

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

/* The known name that is most like `name`, if one is alike; or NULL. */
static const char *nearest(const struct lar_names *known, struct ar_str name) {
  const char *best = NULL;
  size_t least = 1 + name.n / 3;
  for (size_t i = 0; i < known->count; i++) {
    const char *candidate = known->name(known->of, i);
    size_t distance;
    if (candidate == NULL) continue;
    distance = ar_str_distance(name, ar_str_of(candidate));
    if (distance > least) continue;
    least = distance;
    best = candidate;
  }
  return best;
}

static bool is_known(const struct lar_names *known, struct ar_str name) {
  for (size_t i = 0; i < known->count; i++) {
    const char *candidate = known->name(known->of, i);
    if (candidate != NULL && ar_str_eq(name, ar_str_of(candidate)))
      return true;
  }
  return false;
}

bool lar_push_unknown(lua_State *L, int index, const struct lar_names *known) {
  const char *alike;
  if (lua_type(L, index) != LUA_TSTRING) {
    lua_pushfstring(L, "expected names of %ss, got a %s as a key", known->what,
                    luaL_typename(L, index));
    return true;
  }
  if (is_known(known, lar_to_str(L, index))) return false;
  alike = nearest(known, lar_to_str(L, index));
  if (alike)
    lua_pushfstring(L, "unknown %s %s (did you mean %s?)", known->what,
                    lua_tostring(L, index), alike);
  else
    lua_pushfstring(L, "unknown %s %s", known->what, lua_tostring(L, index));
  return true;
}

static void check_names(struct checking *c, const struct lar_names *known) {
  lua_State *L = c->L;
  for (lua_pushnil(L); lua_next(L, c->params); lua_pop(L, 1))
    if (lar_push_unknown(L, lua_gettop(L) - 1, known)) add_problem(c);
}

static const char *member_name(const void *shape, size_t i) {
  return ((const struct ar_shape *)shape)->members[i].name;
}

static const char *option_name(const void *names, size_t i) {
  return ((const char *const *)names)[i];
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
  const struct ar_shape *input = operation->input;
  const struct lar_names known = {"member", member_name, input, input->count};
  struct checking c = check(L, index);
  check_members(&c, input);
  check_names(&c, &known);
  if (!lua_isnil(L, -1)) return false;
  lua_pop(L, 1);
  write_members(L, index, input, body);
  return true;
}

int lar_check_options(lua_State *L, int index, const char *const *names,
                      size_t count) {
  const struct lar_names known = {"option", option_name, names, count};
  struct checking c = check(L, index);
  check_names(&c, &known);
  if (!lua_isnil(L, -1)) return lar_fail_params(L, NULL);
  lua_pop(L, 1);
  return 0;
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

int lar_fail_params(lua_State *L, const char *operation) {
  struct lar_error error = {.code = AR_E_PARAM, .operation = operation};
  int problems = lua_gettop(L);
  push_problems(L, problems);
  error.message = lar_to_str(L, -1);
  lar_fail_with(L, &error);
  lua_pushvalue(L, problems);
  lua_setfield(L, -2, "problems");
  return 2;
}
