/*
** module.sign: the signer alone, for a host that sends requests itself.
*/
#include "../core/uri.h"
#include "binding.h"

/* All that a signing holds, in a userdata, so that an error frees it. */
struct signer {
  struct ar_signature signature;
  struct ar_creds creds;
  struct ar_buf host; /* derived from the URL */
  struct ar_sign_request request;
  struct ar_header headers[AR_MAX_HEADERS];
};

static int signer_gc(lua_State *L) {
  struct signer *s = luaL_checkudata(L, 1, LAR_SIGNER);
  ar_signature_free(&s->signature);
  ar_creds_free(&s->creds);
  ar_buf_free(&s->host);
  return 0;
}

static struct signer *new_signer(lua_State *L) {
  struct signer *s = lua_newuserdata(L, sizeof *s);
  memset(s, 0, sizeof *s);
  ar_signature_init(&s->signature);
  ar_creds_init(&s->creds);
  ar_buf_init(&s->host, AR_MAX_URL);
  luaL_getmetatable(L, LAR_SIGNER);
  lua_setmetatable(L, -2);
  return s;
}

static int fail_argument(lua_State *L, const char *name, const char *expected,
                         const char *got) {
  struct ar_err err;
  ar_fail(&err, AR_E_PARAM, "%s: expected %s, got %s", name, expected, got);
  return lar_fail(L, &err);
}

/*
** Reads the text `name` of the table at `index` and leaves it on the stack,
** which keeps it alive: a metamethod may have made it. 0, or 2 with nil and an
** error.
*/
static int read_text(lua_State *L, int index, const char *name,
                     struct ar_str *to) {
  lua_getfield(L, index, name);
  if (lua_type(L, -1) == LUA_TSTRING)
    *to = lar_to_str(L, -1);
  else if (!lua_isnil(L, -1))
    return fail_argument(L, name, "string", luaL_typename(L, -1));
  return 0;
}

static int read_flag(lua_State *L, int index, const char *name, bool *to) {
  lua_getfield(L, index, name);
  if (lua_isboolean(L, -1))
    *to = lua_toboolean(L, -1);
  else if (!lua_isnil(L, -1))
    return fail_argument(L, name, "boolean", luaL_typename(L, -1));
  lua_pop(L, 1);
  return 0;
}

/* One {name, value} on top of the stack; name and value take its place. */
static bool read_header(lua_State *L, struct ar_header *to) {
  if (!lua_istable(L, -1)) return false;
  lua_rawgeti(L, -1, 1);
  lua_rawgeti(L, -2, 2);
  lua_remove(L, -3);
  if (lua_type(L, -2) != LUA_TSTRING || lua_type(L, -1) != LUA_TSTRING)
    return false;
  *to = (struct ar_header){lar_to_str(L, -2), lar_to_str(L, -1)};
  return true;
}

static int read_headers(lua_State *L, struct signer *s) {
  size_t n = 0;
  int list;
  lua_getfield(L, 1, "headers");
  list = lua_gettop(L);
  if (!lua_isnil(L, -1) && !lua_istable(L, -1))
    return fail_argument(L, "headers", "table", luaL_typename(L, -1));
  if (lua_istable(L, -1)) n = lua_rawlen(L, -1);
  if (lua_istable(L, -1) && n == 0) {
    lua_pushnil(L);
    if (lua_next(L, list) != 0)
      return fail_argument(L, "headers", "a list of {name, value}",
                           "something else");
  }
  if (n >= AR_MAX_HEADERS) /* there may be a Host to add */
    return fail_argument(L, "headers", "at most 128", "more");
  for (size_t i = 0; i < n; i++) {
    lua_rawgeti(L, list, (int)i + 1);
    if (!read_header(L, &s->headers[i]))
      return fail_argument(L, "headers", "a list of {name, value}",
                           "something else");
  }
  s->request.header_count = n;
  return 0;
}

static bool has_header(const struct signer *s, struct ar_str name) {
  for (size_t i = 0; i < s->request.header_count; i++)
    if (ar_str_ieq(s->headers[i].name, name)) return true;
  return false;
}

/* Puts a Host header first. */
static void add_host(struct signer *s, struct ar_str host) {
  size_t n = s->request.header_count++;
  memmove(s->headers + 1, s->headers, n * sizeof *s->headers);
  s->headers[0] = (struct ar_header){AR_STR("Host"), host};
}

/* Where it goes: from `url`, or from `host`, `path` and `query`. */
static int read_target(lua_State *L, struct signer *s) {
  struct ar_str url = AR_STR(""), host = AR_STR("");
  struct ar_url parts;
  struct ar_err err;
  size_t mark;
  int failed = read_text(L, 1, "url", &url);
  if (!failed) failed = read_text(L, 1, "host", &host);
  if (!failed) failed = read_text(L, 1, "path", &s->request.path);
  if (!failed) failed = read_text(L, 1, "query", &s->request.query);
  if (failed) return failed;
  if (url.n > 0) {
    if (ar_url_parse(url, &parts, &err) != AR_OK) {
      err.code = AR_E_PARAM;
      return lar_fail(L, &err);
    }
    s->request.path = parts.path;
    s->request.query = parts.query;
    ar_url_host(&s->host, &parts);
    host = ar_buf_str(&s->host);
  }
  mark = ar_str_find(s->request.path, '?', 0);
  if (mark < s->request.path.n) {
    if (s->request.query.n > 0)
      return fail_argument(L, "query", "none beside that of the path", "both");
    s->request.query = ar_str_from(s->request.path, mark + 1);
  }
  s->request.path.n = mark;
  if (!has_header(s, AR_STR("host"))) {
    if (host.n == 0)
      return fail_argument(L, "request", "url, host or a Host header", "none");
    add_host(s, host);
  }
  return 0;
}

static int read_request(lua_State *L, struct signer *s) {
  int failed;
  s->request.method = AR_STR("GET");
  failed = read_text(L, 1, "method", &s->request.method);
  if (!failed) failed = read_text(L, 1, "body", &s->request.body);
  if (!failed) failed = read_headers(L, s);
  if (!failed) failed = read_target(L, s);
  s->request.headers = s->headers;
  return failed;
}

static int read_time(lua_State *L, struct ar_sign_request *request) {
  lua_Number seconds;
  lua_getfield(L, 2, "time");
  request->time = lar_now().epoch / 1000;
  if (!lua_isnil(L, -1)) {
    if (lua_type(L, -1) != LUA_TNUMBER)
      return fail_argument(L, "time", "number", luaL_typename(L, -1));
    seconds = lua_tonumber(L, -1);
    request->time =
        seconds >= 0 && seconds <= 1e12 ? (int64_t)seconds : INT64_C(-1);
  }
  lua_pop(L, 1);
  return 0;
}

static int read_options(lua_State *L, struct signer *s) {
  static const char *const names[] = {
      "credentials",    "region",    "service",           "time",
      "normalize_path", "sign_body", "omit_session_token"};
  struct ar_sign_request *request = &s->request;
  bool normalize = true;
  struct ar_err err;
  int failed = lar_check_options(L, 2, names, sizeof names / sizeof *names);
  if (!failed) failed = read_text(L, 2, "region", &request->region);
  if (!failed) failed = read_text(L, 2, "service", &request->service);
  if (!failed) failed = read_flag(L, 2, "normalize_path", &normalize);
  if (!failed) failed = read_flag(L, 2, "sign_body", &request->sign_body);
  if (!failed)
    failed =
        read_flag(L, 2, "omit_session_token", &request->omit_session_token);
  if (!failed) failed = read_time(L, request);
  if (failed) return failed;
  request->keep_path = !normalize;
  lua_getfield(L, 2, "credentials");
  if (lua_isnil(L, -1)) return fail_argument(L, "credentials", "table", "nil");
  failed = lar_read_creds(L, lua_gettop(L), &s->creds);
  if (failed) return failed;
  lua_pop(L, 1);
  if (ar_creds_check(&s->creds, "the credentials option", &err) != AR_OK)
    return lar_fail(L, &err);
  return 0;
}

/* Appends {name, value} to the list on top of the stack. */
static void append(lua_State *L, struct ar_str name, struct ar_str value) {
  lua_createtable(L, 2, 0);
  lar_push_str(L, name);
  lua_rawseti(L, -2, 1);
  lar_push_str(L, value);
  lua_rawseti(L, -2, 2);
  lua_rawseti(L, -2, (int)lua_rawlen(L, -2) + 1);
}

static void push_headers(lua_State *L, const struct signer *s) {
  const struct ar_sign_request *request = &s->request;
  struct ar_str token = ar_buf_str(&s->creds.session_token);
  lua_newtable(L);
  for (size_t i = 0; i < request->header_count; i++)
    if (!ar_sigv4_sets(request, s->headers[i].name))
      append(L, s->headers[i].name, s->headers[i].value);
  if (token.n > 0 && !request->omit_session_token)
    append(L, AR_STR("X-Amz-Security-Token"), token);
  append(L, AR_STR("X-Amz-Date"), ar_str_of(s->signature.date));
  if (request->sign_body)
    append(L, AR_STR("x-amz-content-sha256"),
           ar_str_of(s->signature.body_hash));
  append(L, AR_STR("Authorization"), ar_buf_str(&s->signature.authorization));
  if (token.n > 0 && request->omit_session_token)
    append(L, AR_STR("X-Amz-Security-Token"), token);
}

static int push_signed(lua_State *L, const struct signer *s) {
  const struct ar_signature *signature = &s->signature;
  lua_createtable(L, 0, 5);
  push_headers(L, s);
  lua_setfield(L, -2, "headers");
  lar_push_str(L, ar_buf_str(&signature->authorization));
  lua_setfield(L, -2, "authorization");
  lua_pushstring(L, signature->signature);
  lua_setfield(L, -2, "signature");
  lar_push_str(L, ar_buf_str(&signature->canonical_request));
  lua_setfield(L, -2, "canonical_request");
  lar_push_str(L, ar_buf_str(&signature->string_to_sign));
  lua_setfield(L, -2, "string_to_sign");
  return 1;
}

int lar_sign(lua_State *L) {
  struct signer *s;
  struct ar_err err;
  int failed;
  luaL_checktype(L, 1, LUA_TTABLE);
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_settop(L, 2);
  luaL_checkstack(L, 2 * AR_MAX_HEADERS + 32, NULL);
  s = new_signer(L);
  failed = read_request(L, s);
  if (!failed) failed = read_options(L, s);
  if (failed) return failed;
  if (ar_sigv4_sign(&s->signature, &s->request, &s->creds, &err) != AR_OK)
    return lar_fail(L, &err);
  return push_signed(L, s);
}

void lar_open_sign(lua_State *L) {
  luaL_newmetatable(L, LAR_SIGNER);
  lua_pushcfunction(L, signer_gc);
  lua_setfield(L, -2, "__gc");
  lua_pop(L, 1);
}
