/*
** Provider `web_identity`: a token of somebody else's in a file, and the role
** that it is good for, by AssumeRoleWithWebIdentity of STS. A profile names
** both, or the environment does; what one leaves out is never taken from the
** other. The file is read again each time.
*/
#include "providers.h"
#include "sts.h"

#define MAX_TOKEN 20000 /* of STS */

struct source {
  const char *token_file, *role_arn, *session_name;
};

static const struct source of_profile = {"web_identity_token_file", "role_arn",
                                         "role_session_name"};
static const struct source of_environment = {
    "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN", "AWS_ROLE_SESSION_NAME"};

static struct ar_str get(const struct ar_chain *chain,
                         const struct ar_frame *frame, const char *name) {
  return frame->profile != NULL ? ar_profile_get(chain, frame, name)
                                : ar_env_get(chain->in.env, name);
}

/* Reads the token into frame->text. */
static enum ar_file read_token(const struct ar_chain *chain,
                               struct ar_frame *frame, struct ar_str path,
                               struct ar_err *err) {
  struct ar_buf name;
  enum ar_file result;
  ar_buf_free(&frame->text);
  ar_buf_init(&frame->text, MAX_TOKEN);
  ar_buf_init(&name, AR_MAX_SECRET);
  ar_buf_adds(&name, path);
  result = ar_env_read(chain->in.env, ar_buf_z(&name), &frame->text, err);
  if (result == AR_FILE_MISSING)
    ar_fail(err, AR_E_CREDENTIAL_RETRIEVAL, "No such file or directory");
  ar_buf_free(&name);
  return result;
}

static struct ar_str without_end(struct ar_str s) {
  while (s.n > 0 && ar_is_space(s.p[s.n - 1])) s.n--;
  return s;
}

static enum ar_step request(struct ar_chain *chain, struct ar_frame *frame,
                            const struct source *from, struct ar_err *err) {
  struct ar_str path = get(chain, frame, from->token_file);
  struct ar_sts_request request = {.action = AR_STS_WITH_WEB_IDENTITY};
  struct ar_err why;
  if (get(chain, frame, from->role_arn).n == 0)
    return ar_broken(err, AR_E_BAD_CONFIG, "%s is set, but %s is missing",
                     from->token_file, from->role_arn);
  if (read_token(chain, frame, path, &why) != AR_FILE_READ)
    return ar_broken(err, AR_E_CREDENTIAL_RETRIEVAL, "%s: %.*s: %s",
                     from->token_file, (int)path.n, path.p, why.message);
  request.web_identity_token = without_end(ar_buf_str(&frame->text));
  request.role_arn = get(chain, frame, from->role_arn);
  request.role_session_name = get(chain, frame, from->session_name);
  return ar_sts_send(chain, frame, &request, NULL, err);
}

AR_PROVIDER_STEP(ar_cred_web_identity) {
  const struct source *from =
      frame->profile != NULL ? &of_profile : &of_environment;
  if (frame->profile == NULL &&
      ar_settings_explicit(chain->in.settings, AR_SET_PROFILE))
    return ar_nothing(err, "passed over, since a profile was given");
  if (get(chain, frame, from->token_file).n == 0)
    return ar_nothing(err, "AWS_WEB_IDENTITY_TOKEN_FILE is not set");
  if (frame->state++ == 0) return request(chain, frame, from, err);
  frame->state = 0;
  if (frame->profile != NULL)
    ar_note_profile(chain, frame, from->token_file);
  else
    ar_note(frame, from->token_file);
  return ar_sts_read(chain, frame, AR_STS_WITH_WEB_IDENTITY, err);
}
