/*
** The parts of the floor in one program: a Lua module that posts the bytes of
** a pause by libcurl and makes three digests, for a script that decodes the
** answer by lua-cjson. What such a program takes beyond the parts, each by
** itself, no module could do without.
**
**   bare.open(url, request, ca, body, canonical, string)
**                        the arguments of `floor` and of `digests`
**   bare.exchange()      one; the answer's bytes
**   bare.answer(decode, bytes)
**                        the table that decode() makes of an answer, with its
**                        members looked up and metadata in it
**   bare.many(n, concurrency, take)
**                        so many, each answer's bytes given to take(); the
**                        concurrency is the same each time
*/
#define _GNU_SOURCE
#include <lauxlib.h>
#include <lua.h>

#include "../digest.h"
#include "../many.h"

int luaopen_bare(lua_State *L);

static struct target target;
static struct slot slot;
static CURLM *multi;
static struct loop loop;
static struct slot *slots;
static EVP_MD_CTX *ctx;
static EVP_MD *md;
static size_t sizes[3];

static int bare_open(lua_State *L) {
  char *arguments[3];
  for (int i = 0; i < 3; i++) {
    arguments[i] = need(strdup(luaL_checkstring(L, i + 1)));
    sizes[i] = (size_t)luaL_checkinteger(L, i + 4);
  }
  read_target(arguments, false, &target);
  md = need(EVP_MD_fetch(NULL, "SHA256", NULL));
  ctx = need(EVP_MD_CTX_new());
  multi = need(curl_multi_init());
  open_slot(&slot, &target);
  return 0;
}

static void sign(struct slot *of, void *data) {
  static unsigned char text[65536];
  (void)of, (void)data;
  text[0]++;
  three_digests(ctx, md, text, sizes);
}

static int bare_exchange(lua_State *L) {
  sign(&slot, NULL);
  exchange(multi, &slot);
  lua_pushlstring(L, slot.text, slot.n);
  drop_answer(&slot);
  return 1;
}

static void take(struct slot *of, void *data) {
  lua_State *L = data;
  lua_pushvalue(L, 3);
  lua_pushlstring(L, of->text, of->n);
  lua_call(L, 1, 0);
}

static int bare_many(lua_State *L) {
  long n = (long)luaL_checkinteger(L, 1),
       count = (long)luaL_checkinteger(L, 2);
  luaL_checktype(L, 3, LUA_TFUNCTION);
  if (slots == NULL) {
    slots = open_slots(&target, count);
    open_loop(&loop, sign, take, L);
  }
  loop.data = L;
  batch(&loop, slots, count, n);
  return 0;
}

/* --- what a user gets of an answer -----------------------------------------
 */

/* Members of answer.json that the model has as structures, ">" before each and
   "<" after it, and the numbers in them, which may be integers. */
static const char members[] =
    ">Service\0>AutoScalingConfigurationSummary\0"
    "AutoScalingConfigurationRevision\0CreatedAt\0<\0CreatedAt\0UpdatedAt\0"
    "DeletedAt\0>EncryptionConfiguration\0<\0>HealthCheckConfiguration\0"
    "Interval\0Timeout\0HealthyThreshold\0UnhealthyThreshold\0<\0"
    ">InstanceConfiguration\0<\0>NetworkConfiguration\0"
    ">EgressConfiguration\0<\0>IngressConfiguration\0<\0<\0"
    ">ObservabilityConfiguration\0<\0>SourceConfiguration\0"
    ">AuthenticationConfiguration\0<\0>ImageRepository\0"
    ">ImageConfiguration\0<\0<\0<\0<\0";

static void look_at_number(lua_State *L, const char *name) {
  lua_getfield(L, -1, name);
#if LUA_VERSION_NUM >= 503
  lua_Number n = lua_tonumber(L, -1);
  if (lua_isnumber(L, -1) && n == (lua_Number)(lua_Integer)n) {
    lua_pushinteger(L, (lua_Integer)n);
    lua_setfield(L, -3, name);
  }
#endif
  lua_pop(L, 1);
}

static void look_at_members(lua_State *L) {
  for (const char *name = members; *name != '\0'; name += strlen(name) + 1) {
    if (*name == '>')
      lua_getfield(L, -1, name + 1);
    else if (*name == '<')
      lua_pop(L, 1);
    else if (LUA_VERSION_NUM >= 503) /* else all numbers are the same */
      look_at_number(L, name);
  }
}

static const struct {
  const char *name, *value;
} headers[] = {{"server", "nginx/1.22.1"},
               {"date", "Mon, 30 Nov 2026 22:31:00 GMT"},
               {"content-type", "application/x-amz-json-1.0"},
               {"content-length", "2116"},
               {"connection", "keep-alive"},
               {"x-amzn-requestid", "4c5ca6c5-6b0a-4b5e-9d5e-0a8f1f4e2d11"}};

static void add_metadata(lua_State *L) {
  lua_createtable(L, 0, 4);
  lua_pushinteger(L, 200);
  lua_setfield(L, -2, "HTTPStatusCode");
  lua_pushinteger(L, 0);
  lua_setfield(L, -2, "RetryAttempts");
  lua_createtable(L, 0, sizeof headers / sizeof *headers);
  for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
    lua_pushstring(L, headers[i].value);
    lua_setfield(L, -2, headers[i].name);
  }
  lua_getfield(L, -1, "x-amzn-requestid");
  lua_setfield(L, -3, "RequestId");
  lua_setfield(L, -2, "HTTPHeaders");
  lua_setfield(L, -2, "ResponseMetadata");
}

static int bare_answer(lua_State *L) {
  static char bytes[65536]; /* not a string of Lua's yet */
  size_t n;
  const char *text = luaL_checklstring(L, 2, &n);
  if (n > sizeof bytes) return luaL_error(L, "too long an answer");
  memcpy(bytes, text, n);
  lua_pushvalue(L, 1);
  lua_pushlstring(L, bytes, n);
  lua_call(L, 1, 1);
  look_at_members(L);
  add_metadata(L);
  return 1;
}

int luaopen_bare(lua_State *L) {
  lua_newtable(L);
  lua_pushcfunction(L, bare_answer);
  lua_setfield(L, -2, "answer");
  lua_pushcfunction(L, bare_open);
  lua_setfield(L, -2, "open");
  lua_pushcfunction(L, bare_exchange);
  lua_setfield(L, -2, "exchange");
  lua_pushcfunction(L, bare_many);
  lua_setfield(L, -2, "many");
  return 1;
}
