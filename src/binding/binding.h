/*
** What the files of the binding share. Every function takes the lua_State
** that it was called with and keeps none; a handle is created closed, has its
** metatable, and is filled then, so that an error in between leaks nothing.
*/
#ifndef lar_binding_h
#define lar_binding_h

#include "../core/base.h"

#include <lauxlib.h>
#include <lua.h>

#include "../core/call.h"
#include "../core/chain.h"
#include "compat.h"

AR_HIDDEN

#define LAR_STATE "apprunner.state"
#define LAR_CLIENT "apprunner.client"
#define LAR_JOB "apprunner.job"
#define LAR_EXCHANGE "apprunner.exchange"
#define LAR_ERROR "apprunner.error"
#define LAR_SIGNER "apprunner.signer"
#define LAR_PROFILES "apprunner.profiles"

/* One a Lua state; the first upvalue of every function of the module. */
struct lar_state {
  struct ar_jobs jobs;
  struct ar_env env;
  struct ar_host_facts facts;
  int64_t last_client;                   /* the number of the newest */
  unsigned char random[16 * AR_ID_SIZE]; /* fetched ahead by this process; */
  size_t random_left;             /* the first so many are not used yet */
  struct ar_performer *performer; /* the engine, or NULL; and its userdata's */
  int performer_ref;              /* place in the registry */
  bool open;
};

/* What an error table is made of. Texts may be empty. */
struct lar_error {
  enum ar_code code;
  struct ar_str service_code; /* where `code` is AR_E_SERVICE */
  struct ar_str message;
  const char *operation; /* or NULL */
  int http_status;       /* 0: none */
  struct ar_str request_id;
  int attempts; /* 0: none */
  bool retryable, ambiguous;
  struct ar_str http_body;
};

struct lar_state *lar_state(lua_State *L);
int64_t lar_monotonic(void);
struct ar_now lar_now(void);

/* Metatables; each leaves the stack as it was. */
void lar_new_state(lua_State *L); /* pushes the state */
void lar_open_error(lua_State *L);
void lar_open_exchange(lua_State *L);
/* These two take the state on the top of the stack as their upvalue. */
void lar_open_client(lua_State *L);
void lar_open_job(lua_State *L);

/*
** Makes a metatable: `methods` under __index, with the value on top of the
** stack, which stays, and the metatable as upvalues; `gc` under __gc;
** __metatable locked.
*/
void lar_new_class(lua_State *L, const char *name, const luaL_Reg *methods,
                   lua_CFunction gc);

/* luaL_checkudata, quicker for the class that is the second upvalue of the
   running function. */
void *lar_check(lua_State *L, int index, const char *name);

/* Push nil and the error table; return 2, so that a function can end so. */
int lar_fail_with(lua_State *L, const struct lar_error *error);
int lar_fail(lua_State *L, const struct ar_err *err);

/* The error whose code is the text at `index`; raises a Lua error if none. */
enum ar_code lar_check_code(lua_State *L, int index);

/* Pushes a slice. */
void lar_push_str(lua_State *L, struct ar_str s);

/* The string at `index`; luaL_checktype must have seen it. */
struct ar_str lar_to_str(lua_State *L, int index);

/* The client at `index`; raises a Lua error on anything else. */
struct ar_client *lar_check_client(lua_State *L, int index);

/*
** Fills `creds` from the table at `index`. 0, or 2 with nil and an error
** pushed.
*/
int lar_read_creds(lua_State *L, int index, struct ar_creds *creds);

/* Puts a plain copy in the place of the table of credentials at `index`. */
void lar_copy_creds(lua_State *L, int index);

/* module.client(settings, has_function) -> client | nil, err */
int lar_client(lua_State *L);

/*
** module.answer(id, credentials | nil, code, message): what the function of
** the caller's has given to the order "ask" of a job.
*/
int lar_answer(lua_State *L);

/* Pushes what client:resolve() tells; the call has ended well. */
void lar_push_info(lua_State *L, const struct ar_call *call);

/* module.sign(request, options) -> signed | nil, err */
int lar_sign(lua_State *L);
void lar_open_sign(lua_State *L);

/* module.profiles(options) -> {profiles, sso_sessions, services} | nil, err */
int lar_profiles(lua_State *L);
void lar_open_profiles(lua_State *L);

/* Creates a closed job handle on the stack. */
struct ar_job **lar_new_job(lua_State *L);

/* The job at `index`; raises a Lua error on anything else. */
struct ar_job *lar_check_job(lua_State *L, int index);

/* The functions of the module that the pump alone calls. */
extern const luaL_Reg lar_pump[];

/* Pushes a userdata for `x` and takes over the caller's reference. */
void lar_push_exchange(lua_State *L, struct ar_exchange *x);

/*
** Adds the parameters at `index`, checked against `operation`'s input, as a
** JSON object to `body`. True, or false with a list of the problems pushed.
*/
bool lar_write_params(lua_State *L, int index,
                      const struct ar_operation *operation,
                      struct ar_buf *body);

/* Known names: name(of, i) for each i below count, where it is not NULL. */
struct lar_names {
  const char *what; /* such as "option" */
  const char *(*name)(const void *of, size_t i);
  const void *of;
  size_t count;
};

/* Pushes what is wrong with the key at `index`; false: nothing is. */
bool lar_push_unknown(lua_State *L, int index, const struct lar_names *known);

/*
** 0, or 2 with nil and an error for the keys of the table at `index` that are
** none of the `names`.
*/
int lar_check_options(lua_State *L, int index, const char *const *names,
                      size_t count);

/* Ends as lar_fail: one error for the list of problems on top of the stack. */
int lar_fail_params(lua_State *L, const char *operation);

/*
** Applies the shape of an operation's output to the decoded table on top of
** the stack: integers and whole timestamps become integers where Lua has them,
** and, if `nulls`, null members go. NULL, or the name of a member that should
** be a structure, a list or a map, and is none. To be called by methods of
** LAR_JOB.
*/
const char *lar_apply_shape(lua_State *L, const struct ar_operation *operation,
                            bool nulls);

/* Pushes the ResponseMetadata of a call. */
void lar_push_metadata(lua_State *L, const struct ar_call *call);

AR_HIDDEN_END

#endif
