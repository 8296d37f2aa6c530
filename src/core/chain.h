/*
** The provider chain: who is asked for credentials, in which order, as a
** stack of frames over a constant table of providers. It blocks for nothing
** and opens nothing; it is stepped until it has an answer, and says in between
** what it waits for: see refresh.h, which gets it.
*/
#ifndef ar_chain_h
#define ar_chain_h

#include "cred.h"
#include "endpoint.h"
#include "http.h"
#include "settings.h"
#include "sigv4.h"
#include "words.h"

AR_HIDDEN

#define AR_MAX_FRAMES 16   /* a role is two of them */
#define AR_MAX_PROVIDERS 8 /* rows of a table */

/* An answer with credentials; botocore's and Rust's are far below. */
#define AR_MAX_DOCUMENT (64u * 1024u)

enum ar_step {
  AR_STEP_HAVE, /* the frame's `found` is filled */
  AR_STEP_NONE, /* nothing here: the next row is asked; the reason is in err */
  AR_STEP_PUSH, /* first a frame as chain->push says; it fills `base` */
  AR_STEP_SEND, /* chain->http was ordered; step again with its outcome */
  AR_STEP_RUN,  /* run chain->command; step again with chain->output */
  AR_STEP_ASK,  /* the caller's function; step again with chain->answer */
  AR_STEP_AGAIN, /* the exchange failed as err says, and may go well later */
  AR_STEP_FAIL   /* the chain ends; the error is in err */
};

struct ar_chain;

/* One asking of one provider. */
struct ar_frame {
  const struct ar_provider *provider;
  const struct ar_section *profile; /* whose keys it reads; NULL: none */
  int state;                        /* the provider's own; 0 at first */
  struct ar_buf text;    /* the provider's own: a token between exchanges */
  struct ar_creds base;  /* what the frame pushed last has found */
  struct ar_creds found; /* its answer */
};

struct ar_provider {
  const char *name;    /* as client:resolve() tells it */
  const char *feature; /* its id in the User-Agent */
  enum ar_step (*step)(struct ar_chain *chain, struct ar_frame *frame,
                       struct ar_err *err);
  /* Its exchanges. Timeouts in milliseconds; 0: the client's. */
  int attempts;
  int64_t connect_timeout, read_timeout;
  bool direct;            /* never by a proxy */
  enum ar_step exhausted; /* what AGAIN becomes after the last attempt */
};

/* What a provider may look at; all of it is the caller's. */
struct ar_chain_inputs {
  const struct ar_creds *argument; /* NULL when none were given */
  bool has_function;               /* the caller gave a function */
  const struct ar_env *env;
  const struct ar_settings *settings;
  const struct ar_profiles *profiles;
};

struct ar_chain {
  struct ar_chain_inputs in;
  struct ar_now now; /* of this step */
  /* The table, and the row that is being asked. */
  const struct ar_provider *rows;
  size_t row_count, row;
  struct ar_frame frames[AR_MAX_FRAMES];
  size_t depth;
  struct {
    const struct ar_provider *provider;
    const struct ar_section *profile;
    int state;
  } push;
  char reasons[AR_MAX_PROVIDERS][160]; /* why a row had nothing */
  int attempt; /* of the exchange that the top frame makes, from 1 */
  bool again;  /* the last step said AGAIN */

  /* What a step has asked for, and was given. */
  struct ar_http http;
  struct ar_words command;
  struct ar_child_output output;
  struct ar_creds answer;   /* of the caller's function */
  enum ar_code answer_code; /* AR_OK where there is one; else answer_error */
  char answer_error[160];

  /* Room for a request. */
  struct ar_endpoint endpoint;
  struct ar_signature signature;
};

/* The providers that there are, in chain order. */
const struct ar_provider *ar_providers(size_t *count);

/*
** A chain over `rows`, at its first row, whose exchanges belong to `job`.
** Free it with ar_chain_free.
*/
void ar_chain_init(struct ar_chain *chain, const struct ar_chain_inputs *in,
                   const struct ar_provider *rows, size_t row_count,
                   struct ar_job *job);
void ar_chain_free(struct ar_chain *chain);

/*
** Goes on until the chain has credentials (HAVE: moved to `out`), has failed
** (FAIL: `err` says what was tried and why it had nothing, or what broke), or
** waits: for an exchange that was ordered (SEND), a child (RUN), the function
** (ASK), or until ar_chain_pause has passed (AGAIN).
*/
enum ar_step ar_chain_step(struct ar_chain *chain, struct ar_creds *out,
                           struct ar_err *err);

/*
** Milliseconds until the next attempt after AGAIN. `random` is uniform from 0
** to below 1.
*/
int64_t ar_chain_pause(const struct ar_chain *chain, double random);

AR_HIDDEN_END

#endif
