/*
** Limits, the version, and the visibility of symbols.
**
** Every other header of the project includes this one first, and declares
** its functions between AR_HIDDEN and AR_HIDDEN_END, so that a shared object
** exports nothing: LuaRocks passes no compiler flags, so the rule stands in
** the code. AR_API marks the exceptions, the luaopen_* functions.
*/
#ifndef ar_base_h
#define ar_base_h

#if defined(__GNUC__) || defined(__clang__)
#define AR_API __attribute__((visibility("default")))
#define AR_PRINTF(f, a) __attribute__((format(printf, f, a)))
#define AR_HIDDEN _Pragma("GCC visibility push(hidden)")
#define AR_HIDDEN_END _Pragma("GCC visibility pop")
#else
#define AR_API
#define AR_PRINTF(f, a)
#define AR_HIDDEN
#define AR_HIDDEN_END
#endif

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The struct of `type` whose field `field` is at the address `at`. */
#define AR_OWNER(type, field, at) \
  ((type *)(void *)((char *)(void *)(at)-offsetof(type, field)))

#define AR_VERSION "0.1.0"

/* Bounds, in bytes. What goes beyond one is an error, never memory. */
#define AR_MAX_REQUEST_HEAD (256u * 1024u)
#define AR_MAX_RESPONSE_HEAD (64u * 1024u)
#define AR_MAX_SECRET (64u * 1024u)
#define AR_MAX_URL (8u * 1024u)

/* A moment that never comes, in milliseconds of any clock. */
#define AR_NEVER INT64_MAX

#endif
