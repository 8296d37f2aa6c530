/*
** The providers, one file each; chain.h says what their steps answer. Those
** of the chain's own rows, and those that a profile may name, are the same.
*/
#ifndef ar_providers_h
#define ar_providers_h

#include "chain.h"

AR_HIDDEN

/* One row each; the order of the first seven is the chain's. */
enum ar_provider_row {
  AR_PROVIDER_STATIC,
  AR_PROVIDER_FUNCTION,
  AR_PROVIDER_ENVIRONMENT,
  AR_PROVIDER_PROFILE,
  AR_PROVIDER_WEB_IDENTITY,
  AR_PROVIDER_CONTAINER,
  AR_PROVIDER_IMDS,
  AR_PROVIDER_ASSUME_ROLE,
  AR_PROVIDER_SSO,
  AR_PROVIDER_PROCESS,
  AR_PROVIDERS
};

/* The states of a frame of AR_PROVIDER_PROFILE. */
enum {
  AR_PROFILE_WHOLE, /* a role, or a base */
  AR_PROFILE_BASE,  /* only a base: it named itself as its source */
  AR_PROFILE_READY  /* the pushed frame has found something */
};

#define AR_PROVIDER_STEP(name)                                      \
  enum ar_step name(struct ar_chain *chain, struct ar_frame *frame, \
                    struct ar_err *err)

AR_PROVIDER_STEP(ar_cred_argument);
AR_PROVIDER_STEP(ar_cred_function);
AR_PROVIDER_STEP(ar_cred_environment);
AR_PROVIDER_STEP(ar_cred_profile);
AR_PROVIDER_STEP(ar_cred_web_identity);
AR_PROVIDER_STEP(ar_cred_container);
AR_PROVIDER_STEP(ar_cred_imds);
AR_PROVIDER_STEP(ar_cred_assume_role);
AR_PROVIDER_STEP(ar_cred_sso);
AR_PROVIDER_STEP(ar_cred_process);

/* Asks for a frame of another provider first; returns AR_STEP_PUSH. */
enum ar_step ar_push(struct ar_chain *chain, enum ar_provider_row row,
                     const struct ar_section *profile, int state);

/* Fill err and return AR_STEP_NONE or AR_STEP_FAIL. */
enum ar_step ar_nothing(struct ar_err *err, const char *why);
enum ar_step ar_broken(struct ar_err *err, enum ar_code code,
                       const char *format, ...) AR_PRINTF(3, 4);

/*
** AR_STEP_HAVE when `found` is whole (see ar_creds_check), else FAIL. They are
** good until they expire, unless the provider has said otherwise.
*/
enum ar_step ar_found(struct ar_frame *frame, const char *where,
                      struct ar_err *err);

/* The value of a key of the frame's profile; empty when unset. */
struct ar_str ar_profile_get(const struct ar_chain *chain,
                             const struct ar_frame *frame, const char *key);

/* Set the source of what was found: a text; the file that `key` stands in. */
void ar_note(struct ar_frame *frame, const char *source);
void ar_note_profile(const struct ar_chain *chain, struct ar_frame *frame,
                     const char *key);

AR_HIDDEN_END

#endif
