/*
** module.profiles: the shared files as tables. What is secret in them never
** becomes a Lua string.
*/
#include "../core/profiles.h"
#include "binding.h"

/* In a userdata, so that an error frees and wipes it. */
static int profiles_gc(lua_State *L) {
  ar_profiles_free(luaL_checkudata(L, 1, LAR_PROFILES));
  return 0;
}

static struct ar_profiles *new_profiles(lua_State *L) {
  struct ar_profiles *p = lua_newuserdata(L, sizeof *p);
  ar_profiles_init(p);
  luaL_getmetatable(L, LAR_PROFILES);
  lua_setmetatable(L, -2);
  return p;
}

/* --- options --------------------------------------------------------------
 */

/*
** Reads a path of the table at 1, NULL if there is none, and leaves it on the
** stack. 0, or 2 with nil and an error.
*/
static int read_path(lua_State *L, const char *name, const char **path) {
  struct ar_err err;
  *path = NULL;
  lua_getfield(L, 1, name);
  if (lua_isnil(L, -1)) return 0;
  if (lua_type(L, -1) != LUA_TSTRING)
    ar_fail(&err, AR_E_BAD_CONFIG, "%s: expected string, got %s", name,
            luaL_typename(L, -1));
  else if (ar_str_has_control(lar_to_str(L, -1)))
    ar_fail(&err, AR_E_BAD_CONFIG,
            "%s: expected a text without control characters", name);
  else
    *path = lua_tostring(L, -1);
  return *path ? 0 : lar_fail(L, &err);
}

/* --- values ---------------------------------------------------------------
 */

static bool ends_with(struct ar_str s, struct ar_str end) {
  return s.n >= end.n && ar_str_ieq(ar_str_from(s, s.n - end.n), end);
}

static bool contains(struct ar_str s, struct ar_str part) {
  for (; s.n >= part.n; s = ar_str_from(s, 1))
    if (ar_str_ieq(ar_str_n(s.p, part.n), part)) return true;
  return false;
}

/*
** Whether a value of this name may be a secret: aws_secret_access_key,
** aws_session_token, aws_security_token, what is nearly spelt so, and what
** other tools keep there. Paths (web_identity_token_file) and commands
** (credential_process) are none.
*/
static bool is_secret(struct ar_str name) {
  static const char *const parts[] = {"secret_", "_secret", "secretkey",
                                      "password", "private_key"};
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
    if (contains(name, ar_str_of(parts[i]))) return true;
  return ends_with(name, AR_STR("token"));
}

static void push_text(lua_State *L, struct ar_str name, struct ar_str value) {
  bool hidden = value.n > 0 && is_secret(name);
  lar_push_str(L, hidden ? AR_STR("***") : value);
}

static void push_block(lua_State *L, struct ar_str block) {
  struct ar_str name, value;
  lua_newtable(L);
  while (ar_ini_nested(&block, &name, &value)) {
    lar_push_str(L, name);
    push_text(L, name, value);
    lua_rawset(L, -3);
  }
}

static void push_value(lua_State *L, const struct ar_property *property) {
  struct ar_str value = property->value;
  if (value.n > 0 && value.p[0] == '\n' && !is_secret(property->name))
    push_block(L, value);
  else
    push_text(L, property->name, value);
}

/* Sets the properties in the table on top; the newest of a name stays. */
static void set_properties(lua_State *L, const struct ar_profiles *p,
                           const struct ar_section *section) {
  const struct ar_property *property;
  for (uint32_t at = section->newest; at != 0; at = property->next) {
    property = &p->properties[at - 1];
    lar_push_str(L, property->name);
    lua_pushvalue(L, -1);
    lua_rawget(L, -3);
    if (lua_isnil(L, -1)) {
      lua_pop(L, 1);
      push_value(L, property);
      lua_rawset(L, -3);
    } else {
      lua_pop(L, 2);
    }
  }
}

static void push_sections(lua_State *L, const struct ar_profiles *p,
                          enum ar_section_kind kind) {
  lua_newtable(L);
  for (size_t i = 0; i < p->section_count; i++) {
    if (p->sections[i].kind != kind) continue;
    lar_push_str(L, p->sections[i].name);
    lua_newtable(L);
    set_properties(L, p, &p->sections[i]);
    lua_rawset(L, -3);
  }
}

int lar_profiles(lua_State *L) {
  static const char *const options[] = {"config_file", "credentials_file"};
  static const char *const names[AR_SECTION_KINDS] = {
      [AR_SECTION_PROFILE] = "profiles",
      [AR_SECTION_SSO_SESSION] = "sso_sessions",
      [AR_SECTION_SERVICES] = "services"};
  const char *config, *credentials;
  struct ar_profiles *p;
  struct ar_err err;
  int failed;
  if (lua_isnoneornil(L, 1)) {
    lua_settop(L, 0);
    lua_newtable(L);
  }
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  failed = lar_check_options(L, 1, options, sizeof options / sizeof *options);
  if (!failed) failed = read_path(L, "config_file", &config);
  if (!failed) failed = read_path(L, "credentials_file", &credentials);
  if (failed) return failed;
  p = new_profiles(L);
  if (ar_profiles_read(p, &lar_state(L)->env, config, credentials, &err) !=
      AR_OK)
    return lar_fail(L, &err);
  lua_createtable(L, 0, AR_SECTION_KINDS);
  for (int i = 0; i < AR_SECTION_KINDS; i++) {
    push_sections(L, p, (enum ar_section_kind)i);
    lua_setfield(L, -2, names[i]);
  }
  ar_profiles_free(p);
  return 1;
}

void lar_open_profiles(lua_State *L) {
  luaL_newmetatable(L, LAR_PROFILES);
  lua_pushcfunction(L, profiles_gc);
  lua_setfield(L, -2, "__gc");
  lua_pop(L, 1);
}
