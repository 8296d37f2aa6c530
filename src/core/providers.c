/*
** The table of providers, and what they share. Timeouts and attempts are those
** of the Rust SDK; the ids of the User-Agent are the SDKs' common ones.
*/
#include "providers.h"

#include <stdarg.h>
#include <stdio.h>

#define CHAIN_ROWS (AR_PROVIDER_IMDS + 1)

static const struct ar_provider providers[AR_PROVIDERS] = {
    [AR_PROVIDER_STATIC] = {.name = "static",
                            .feature = "e",
                            .step = ar_cred_argument},
    [AR_PROVIDER_FUNCTION] = {.name = "function",
                              .feature = "e",
                              .step = ar_cred_function},
    [AR_PROVIDER_ENVIRONMENT] = {.name = "environment",
                                 .feature = "g",
                                 .step = ar_cred_environment},
    [AR_PROVIDER_PROFILE] = {.name = "profile",
                             .feature = "n",
                             .step = ar_cred_profile},
    [AR_PROVIDER_WEB_IDENTITY] = {.name = "web_identity",
                                  .feature = "k",
                                  .step = ar_cred_web_identity,
                                  .attempts = 3,
                                  .exhausted = AR_STEP_FAIL},
    [AR_PROVIDER_CONTAINER] = {.name = "container",
                               .feature = "z",
                               .step = ar_cred_container,
                               .attempts = 3,
                               .connect_timeout = 2000,
                               .read_timeout = 5000,
                               .direct = true,
                               .exhausted = AR_STEP_FAIL},
    [AR_PROVIDER_IMDS] = {.name = "imds",
                          .feature = "0",
                          .step = ar_cred_imds,
                          .direct = true,
                          .exhausted = AR_STEP_NONE},
    [AR_PROVIDER_ASSUME_ROLE] = {.name = "assume_role",
                                 .feature = "i",
                                 .step = ar_cred_assume_role,
                                 .attempts = 3,
                                 .exhausted = AR_STEP_FAIL},
    [AR_PROVIDER_SSO] = {.name = "sso",
                         .feature = "s",
                         .step = ar_cred_sso,
                         .attempts = 3,
                         .exhausted = AR_STEP_FAIL},
    [AR_PROVIDER_PROCESS] = {
        .name = "process", .feature = "w", .step = ar_cred_process}};

const struct ar_provider *ar_providers(size_t *count) {
  *count = CHAIN_ROWS;
  return providers;
}

enum ar_step ar_push(struct ar_chain *chain, enum ar_provider_row row,
                     const struct ar_section *profile, int state) {
  chain->push.provider = &providers[row];
  chain->push.profile = profile;
  chain->push.state = state;
  return AR_STEP_PUSH;
}

enum ar_step ar_nothing(struct ar_err *err, const char *why) {
  ar_fail(err, AR_E_NO_CREDENTIALS, "%s", why);
  return AR_STEP_NONE;
}

enum ar_step ar_broken(struct ar_err *err, enum ar_code code,
                       const char *format, ...) {
  char text[sizeof err->message];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof text, format, args);
  va_end(args);
  ar_fail(err, code, "%s", text);
  return AR_STEP_FAIL;
}

enum ar_step ar_found(struct ar_frame *frame, const char *where,
                      struct ar_err *err) {
  if (frame->found.good_until == AR_NEVER)
    frame->found.good_until = frame->found.expiration;
  return ar_creds_check(&frame->found, where, err) == AR_OK ? AR_STEP_HAVE
                                                            : AR_STEP_FAIL;
}

struct ar_str ar_profile_get(const struct ar_chain *chain,
                             const struct ar_frame *frame, const char *key) {
  return ar_profiles_get(chain->in.profiles, frame->profile, key);
}

void ar_note(struct ar_frame *frame, const char *source) {
  ar_buf_reset(&frame->found.source);
  ar_buf_addz(&frame->found.source, source);
}

void ar_note_profile(const struct ar_chain *chain, struct ar_frame *frame,
                     const char *key) {
  const struct ar_property *property =
      ar_profiles_property(chain->in.profiles, frame->profile, key);
  bool config = property == NULL || property->file == AR_INI_CONFIG;
  struct ar_buf *source = &frame->found.source;
  ar_note(frame, "profile ");
  ar_buf_adds(source, frame->profile->name);
  ar_buf_addz(source,
              config ? " in the config file" : " in the credentials file");
}
