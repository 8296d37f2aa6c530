/*
** The few places where the APIs of Lua 5.1 and of 5.3 and 5.4 differ. The
** 5.1 build uses PUC 5.1's symbols alone, because it is loaded by LuaJIT,
** Neovim and nginx too. No name of Lua's own is defined as a function.
*/
#ifndef lar_compat_h
#define lar_compat_h

#include "../core/base.h"

#include <lauxlib.h>
#include <lua.h>

#if LUA_VERSION_NUM < 502
#define lua_rawlen(L, index) lua_objlen(L, index)
#endif

#define LAR_HAS_INTEGERS (LUA_VERSION_NUM >= 503)

/*
** Registers `functions` in the table below the `upvalues` values on the top
** of the stack, which they share and which are popped.
*/
static inline void lar_setfuncs(lua_State *L, const luaL_Reg *functions,
                                int upvalues) {
#if LUA_VERSION_NUM < 502
  luaL_checkstack(L, upvalues + 2, NULL);
  for (; functions->name != NULL; functions++) {
    for (int i = 0; i < upvalues; i++) lua_pushvalue(L, -upvalues);
    lua_pushcclosure(L, functions->func, upvalues);
    lua_setfield(L, -(upvalues + 2), functions->name);
  }
  lua_pop(L, upvalues);
#else
  luaL_setfuncs(L, functions, upvalues);
#endif
}

#endif
