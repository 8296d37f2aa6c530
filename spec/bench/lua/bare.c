/*
** The parts of the floor in one program: a Lua module that posts the bytes of
** a pause by libcurl and makes three digests, for a script that decodes the
** answer by lua-cjson. What such a program takes beyond the parts, each by
** itself, no module could do without.
**
**   bare.open(url, request, ca, body, canonical, string)
**                        the arguments of `floor` and of `digests`
**   bare.exchange()      one; the answer's bytes
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

int luaopen_bare(lua_State *L) {
  lua_newtable(L);
  lua_pushcfunction(L, bare_open);
  lua_setfield(L, -2, "open");
  lua_pushcfunction(L, bare_exchange);
  lua_setfield(L, -2, "exchange");
  lua_pushcfunction(L, bare_many);
  lua_setfield(L, -2, "many");
  return 1;
}
