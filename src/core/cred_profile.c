/*
** Provider `profile`: what the selected profile says, or the profile that a
** role stands on (source_profile). As in the Rust SDK a role_arn makes a
** profile a role upon another source; without one the profile is a base, and
** the first kind of base whose keys are there is taken. A profile that others
** stand on gives its own keys first, if it has them.
*/
#include "providers.h"

static bool has(const struct ar_chain *chain, const struct ar_frame *frame,
                const char *key) {
  return ar_profile_get(chain, frame, key).n > 0;
}

static enum ar_step empty(const struct ar_frame *frame, struct ar_err *err) {
  struct ar_str name = frame->profile->name;
  ar_fail(err, AR_E_NO_CREDENTIALS, "profile %.*s contains no credentials",
          (int)name.n, name.p);
  return AR_STEP_NONE;
}

static enum ar_step static_keys(struct ar_chain *chain, struct ar_frame *frame,
                                struct ar_err *err) {
  struct ar_creds *found = &frame->found;
  const struct {
    const char *key;
    struct ar_buf *to;
  } keys[] = {{"aws_access_key_id", &found->access_key_id},
              {"aws_secret_access_key", &found->secret_access_key},
              {"aws_session_token", &found->session_token},
              {"aws_account_id", &found->account_id}};
  if (!has(chain, frame, keys[0].key) && !has(chain, frame, keys[1].key))
    return empty(frame, err);
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
    ar_buf_adds(keys[i].to, ar_profile_get(chain, frame, keys[i].key));
  if (found->session_token.n == 0)
    ar_buf_adds(&found->session_token,
                ar_profile_get(chain, frame, "aws_security_token"));
  ar_note_profile(chain, frame, keys[0].key);
  return ar_found(frame, ar_buf_z(&found->source), err);
}

static enum ar_step pushed(struct ar_chain *chain, struct ar_frame *frame,
                           enum ar_provider_row row) {
  frame->state = AR_PROFILE_READY;
  return ar_push(chain, row, frame->profile, 0);
}

/* Not supported, and never to be passed over silently. */
static enum ar_step login_session(const struct ar_frame *frame,
                                  struct ar_err *err) {
  struct ar_str name = frame->profile->name;
  return ar_broken(
      err, AR_E_CREDENTIAL_RETRIEVAL,
      "profile %.*s uses login_session, which is not supported; run \"aws "
      "configure export-credentials --profile %.*s\" and use what it prints",
      (int)name.n, name.p, (int)name.n, name.p);
}

static bool is_sso(const struct ar_chain *chain,
                   const struct ar_frame *frame) {
  return has(chain, frame, "sso_account_id") ||
         has(chain, frame, "sso_role_name") ||
         has(chain, frame, "sso_session");
}

static enum ar_step base(struct ar_chain *chain, struct ar_frame *frame,
                         struct ar_err *err) {
  if (has(chain, frame, "web_identity_token_file"))
    return pushed(chain, frame, AR_PROVIDER_WEB_IDENTITY);
  if (is_sso(chain, frame)) return pushed(chain, frame, AR_PROVIDER_SSO);
  if (has(chain, frame, "login_session")) return login_session(frame, err);
  if (has(chain, frame, "credential_process"))
    return pushed(chain, frame, AR_PROVIDER_PROCESS);
  return static_keys(chain, frame, err);
}

static enum ar_step whole(struct ar_chain *chain, struct ar_frame *frame,
                          struct ar_err *err) {
  bool source = chain->depth > 1;
  if (source && has(chain, frame, "aws_access_key_id") &&
      has(chain, frame, "aws_secret_access_key"))
    return static_keys(chain, frame, err);
  if (has(chain, frame, "role_arn") &&
      !has(chain, frame, "web_identity_token_file"))
    return pushed(chain, frame, AR_PROVIDER_ASSUME_ROLE);
  return base(chain, frame, err);
}

/* At the bottom of the stack: the profile that the settings select. */
static const struct ar_section *selected(const struct ar_chain *chain) {
  return ar_profiles_find(
      chain->in.profiles, AR_SECTION_PROFILE,
      ar_settings_text(chain->in.settings, AR_SET_PROFILE));
}

static enum ar_step not_there(const struct ar_chain *chain,
                              struct ar_err *err) {
  struct ar_str name = ar_settings_text(chain->in.settings, AR_SET_PROFILE);
  ar_fail(err, AR_E_NO_CREDENTIALS, "there is no profile %.*s", (int)name.n,
          name.p);
  return AR_STEP_NONE;
}

AR_PROVIDER_STEP(ar_cred_profile) {
  if (frame->profile == NULL) frame->profile = selected(chain);
  if (frame->profile == NULL) return not_there(chain, err);
  if (frame->state == AR_PROFILE_BASE) return base(chain, frame, err);
  if (frame->state == AR_PROFILE_WHOLE) return whole(chain, frame, err);
  ar_creds_move(&frame->found, &frame->base);
  return AR_STEP_HAVE;
}
