/*
** The provider chain: who is asked for credentials, in which order, as a
** stack of frames over a constant table of providers. It blocks for nothing
** and opens nothing; it is stepped until it has an answer.
*/
#ifndef ar_chain_h
#define ar_chain_h

#include "cred.h"
#include "settings.h"

AR_HIDDEN

#define AR_MAX_FRAMES 8    /* roles that stand on roles */
#define AR_MAX_PROVIDERS 8 /* rows of a table */

enum ar_step {
  AR_STEP_HAVE, /* the frame's `found` is filled */
  AR_STEP_NONE, /* nothing here: the next row is asked; the reason is in err */
  AR_STEP_PUSH, /* first a frame for chain->push; its finds go to `base` */
  AR_STEP_NEED, /* something from outside; step again when it is there */
  AR_STEP_FAIL  /* the chain ends; the error is in err */
};

struct ar_chain;

/* One asking of one provider. */
struct ar_frame {
  const struct ar_provider *provider;
  int state;             /* the provider's own; 0 at first */
  struct ar_creds base;  /* what the frame pushed last has found */
  struct ar_creds found; /* its answer */
};

struct ar_provider {
  const char *name;    /* as client:resolve() tells it */
  const char *feature; /* its id in the User-Agent */
  enum ar_step (*step)(struct ar_chain *chain, struct ar_frame *frame,
                       struct ar_err *err);
};

struct ar_chain {
  /* What providers may look at; the maker's. */
  const struct ar_creds *argument; /* NULL when none was given */
  struct ar_env env;
  /* The table, and the row that is being asked. */
  const struct ar_provider *rows;
  size_t row_count, row;
  struct ar_frame frames[AR_MAX_FRAMES];
  size_t depth;
  const struct ar_provider *push;
  char reasons[AR_MAX_PROVIDERS][160]; /* why a row had nothing */
};

/* The providers that there are, in chain order. */
const struct ar_provider *ar_providers(size_t *count);

/* A chain over `rows`, at its first row. Free it with ar_chain_free. */
void ar_chain_init(struct ar_chain *chain, const struct ar_creds *argument,
                   const struct ar_env *env, const struct ar_provider *rows,
                   size_t row_count);
void ar_chain_free(struct ar_chain *chain);

/*
** Goes on until the chain has credentials (HAVE: moved to `out`), needs
** something (NEED), or has failed (FAIL: `err` says what was tried and why
** it had nothing, or what broke).
*/
enum ar_step ar_chain_step(struct ar_chain *chain, struct ar_creds *out,
                           struct ar_err *err);

AR_HIDDEN_END

#endif
