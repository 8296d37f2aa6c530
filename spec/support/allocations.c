/*
** Preloaded by memory_spec.lua: makes allocations fail on demand and counts
** what the module's own shared objects hold. It is spoken to through getenv,
** which every Lua can call without a module:
**   "allocations fail core N"  the N-th from now on by core.so or curl.so
*fails
**   "allocations fail lua N"   the N-th by the interpreter and all after it
**   "allocations stop"         nothing fails any more; how many were asked for
**   "allocations live"         how many blocks of core.so and curl.so live
*/
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCKS (1u << 16)

enum owner { OTHERS, CORE, LUA };

static void *(*real_malloc)(size_t);
static void *(*real_calloc)(size_t, size_t);
static void *(*real_realloc)(void *, size_t);
static void (*real_free)(void *);
static char *(*real_getenv)(const char *);

static enum owner failing = OTHERS;
static long countdown, asked;
static void *live[BLOCKS]; /* open addressing; (void *)1 was taken out */
static long live_count;

/* What dlsym itself wants before the real functions are known. */
static char early[8192];
static size_t early_used;

static void find_real(void) {
  if (real_free != NULL) return;
  *(void **)&real_malloc = dlsym(RTLD_NEXT, "malloc");
  *(void **)&real_calloc = dlsym(RTLD_NEXT, "calloc");
  *(void **)&real_realloc = dlsym(RTLD_NEXT, "realloc");
  *(void **)&real_getenv = dlsym(RTLD_NEXT, "getenv");
  *(void **)&real_free = dlsym(RTLD_NEXT, "free");
}

static bool is_early(const void *p) {
  return (const char *)p >= early && (const char *)p < early + sizeof early;
}

static void *take_early(size_t n) {
  void *p = early + early_used;
  early_used += (n + 15) & ~(size_t)15;
  return early_used <= sizeof early ? p : NULL;
}

/* "lua5.4", as it was called, or Debian's "liblua5.4.so.0". */
static bool is_interpreter(const char *path) {
  const char *slash = strrchr(path, '/');
  const char *name = slash != NULL ? slash + 1 : path;
  return strncmp(name, "lua5", 4) == 0 ||
         (strncmp(name, "liblua5", 7) == 0 && strchr(name, '-') == NULL);
}

/* Whose code called; the answer is the same for a whole page of code. */
static enum owner owner_of(void *caller) {
  static uintptr_t last_page;
  static enum owner last_owner;
  uintptr_t page = (uintptr_t)caller >> 12;
  Dl_info info;
  if (page == last_page) return last_owner;
  last_page = page;
  last_owner = OTHERS;
  if (dladdr(caller, &info) == 0 || info.dli_fname == NULL) return last_owner;
  if (strstr(info.dli_fname, "apprunner/") != NULL)
    last_owner = CORE;
  else if (is_interpreter(info.dli_fname))
    last_owner = LUA;
  return last_owner;
}

/* Whether this allocation is to fail. */
static bool fails(enum owner owner) {
  if (owner == OTHERS || owner != failing) return false;
  asked++;
  if (failing == LUA) return countdown > 0 ? --countdown == 0 : true;
  return countdown > 0 && --countdown == 0;
}

static size_t place(const void *p) {
  return (size_t)(((uintptr_t)p >> 4) * 2654435761u) % BLOCKS;
}

static void *note(enum owner owner, void *p) {
  size_t i = place(p);
  if (p == NULL || owner != CORE) return p;
  while (live[i] > (void *)1) i = (i + 1) % BLOCKS;
  live[i] = p;
  live_count++;
  return p;
}

static void forget(const void *p) {
  for (size_t i = place(p); live[i] != NULL; i = (i + 1) % BLOCKS) {
    if (live[i] != p) continue;
    live[i] = (void *)1;
    live_count--;
    return;
  }
}

void *malloc(size_t n) {
  enum owner owner;
  find_real();
  if (real_malloc == NULL) return take_early(n);
  owner = owner_of(__builtin_return_address(0));
  return fails(owner) ? NULL : note(owner, real_malloc(n));
}

void *calloc(size_t n, size_t size) {
  enum owner owner;
  if (real_calloc == NULL) return take_early(n * size);
  owner = owner_of(__builtin_return_address(0));
  return fails(owner) ? NULL : note(owner, real_calloc(n, size));
}

void *realloc(void *p, size_t n) {
  enum owner owner = owner_of(__builtin_return_address(0));
  find_real();
  if (fails(owner)) return NULL;
  if (p != NULL) forget(p);
  return note(owner, real_realloc(p, n));
}

void free(void *p) {
  find_real();
  if (p == NULL || is_early(p)) return;
  forget(p);
  real_free(p);
}

static char *answer(long value) {
  static char text[32];
  snprintf(text, sizeof text, "%ld", value);
  return text;
}

char *getenv(const char *name) {
  find_real();
  if (strncmp(name, "allocations ", 12) != 0) return real_getenv(name);
  name += 12;
  if (strcmp(name, "live") == 0) return answer(live_count);
  failing = OTHERS;
  if (strcmp(name, "stop") == 0) return answer(asked);
  asked = 0;
  countdown = atol(strrchr(name, ' '));
  failing = strncmp(name, "fail core", 9) == 0 ? CORE : LUA;
  return NULL;
}
