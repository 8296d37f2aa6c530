/*
** Provider `assume_role`: a profile's role_arn, upon the credentials of its
** source_profile or credential_source, by AssumeRole of STS.
*/
#include "providers.h"
#include "sts.h"

enum { SOURCE, REQUEST, ANSWER };

static const struct {
  const char *name;
  enum ar_provider_row row;
} sources[] = {{"Environment", AR_PROVIDER_ENVIRONMENT},
               {"Ec2InstanceMetadata", AR_PROVIDER_IMDS},
               {"EcsContainer", AR_PROVIDER_CONTAINER}};

static enum ar_step bad_profile(const struct ar_frame *frame,
                                enum ar_code code, const char *why,
                                struct ar_err *err) {
  struct ar_str name = frame->profile->name;
  return ar_broken(err, code, "profile %.*s: %s", (int)name.n, name.p, why);
}

static enum ar_step push_credential_source(struct ar_chain *chain,
                                           const struct ar_frame *frame,
                                           struct ar_str source,
                                           struct ar_err *err) {
  for (size_t i = 0; i < sizeof sources / sizeof *sources; i++)
    if (ar_str_ieq(source, ar_str_of(sources[i].name)))
      return ar_push(chain, sources[i].row, NULL, 0);
  return bad_profile(frame, AR_E_BAD_CONFIG,
                     "credential_source: expected Environment, "
                     "Ec2InstanceMetadata or EcsContainer",
                     err);
}

/* Whether a frame below is for `profile` already. */
static bool is_below(const struct ar_chain *chain,
                     const struct ar_section *profile) {
  for (size_t i = 0; i < chain->depth; i++)
    if (chain->frames[i].profile == profile) return true;
  return false;
}

/* A profile may stand on itself, on its own keys then, but on no other that
   stands on it. */
static enum ar_step push_source_profile(struct ar_chain *chain,
                                        const struct ar_frame *frame,
                                        struct ar_str name,
                                        struct ar_err *err) {
  const struct ar_section *source =
      ar_profiles_find(chain->in.profiles, AR_SECTION_PROFILE, name);
  struct ar_str own = frame->profile->name;
  if (source == NULL)
    return ar_broken(err, AR_E_BAD_CONFIG,
                     "profile %.*s: there is no source_profile %.*s",
                     (int)own.n, own.p, (int)name.n, name.p);
  if (source != frame->profile && is_below(chain, source))
    return bad_profile(frame, AR_E_BAD_CONFIG,
                       "its source_profile leads back to itself, in an "
                       "infinite loop",
                       err);
  return ar_push(chain, AR_PROVIDER_PROFILE, source,
                 source == frame->profile ? AR_PROFILE_BASE : 0);
}

static enum ar_step push_source(struct ar_chain *chain, struct ar_frame *frame,
                                struct ar_err *err) {
  struct ar_str profile = ar_profile_get(chain, frame, "source_profile");
  struct ar_str source = ar_profile_get(chain, frame, "credential_source");
  frame->state = REQUEST;
  if (ar_profile_get(chain, frame, "mfa_serial").n > 0)
    return bad_profile(frame, AR_E_BAD_CONFIG,
                       "mfa_serial asks for a code that nobody can enter "
                       "here; use \"aws sts get-session-token\" and its keys",
                       err);
  if (profile.n > 0 && source.n > 0)
    return bad_profile(frame, AR_E_BAD_CONFIG,
                       "both source_profile and credential_source are set",
                       err);
  if (profile.n > 0) return push_source_profile(chain, frame, profile, err);
  if (source.n > 0) return push_credential_source(chain, frame, source, err);
  return bad_profile(frame, AR_E_PARTIAL_CREDENTIALS,
                     "role_arn needs a source_profile or credential_source",
                     err);
}

static bool is_number(struct ar_str text) {
  for (size_t i = 0; i < text.n; i++)
    if (!ar_is_digit(text.p[i])) return false;
  return true;
}

static enum ar_step request(struct ar_chain *chain, struct ar_frame *frame,
                            struct ar_err *err) {
  struct ar_sts_request request = {
      .action = AR_STS_ASSUME_ROLE,
      .role_arn = ar_profile_get(chain, frame, "role_arn"),
      .role_session_name = ar_profile_get(chain, frame, "role_session_name"),
      .external_id = ar_profile_get(chain, frame, "external_id"),
      .duration_seconds = ar_profile_get(chain, frame, "duration_seconds")};
  if (!is_number(request.duration_seconds))
    return bad_profile(frame, AR_E_BAD_CONFIG,
                       "duration_seconds: expected a number", err);
  frame->state = ANSWER;
  return ar_sts_send(chain, frame, &request, &frame->base, err);
}

AR_PROVIDER_STEP(ar_cred_assume_role) {
  if (frame->state == SOURCE) return push_source(chain, frame, err);
  if (frame->state == REQUEST) return request(chain, frame, err);
  frame->state = REQUEST;
  ar_note_profile(chain, frame, "role_arn");
  return ar_sts_read(chain, frame, AR_STS_ASSUME_ROLE, err);
}
