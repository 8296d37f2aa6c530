/*
** Provider `process`: a program that prints credentials, a profile's
** credential_process. It is run without a shell; see words.h for how its line
** is split, and refresh.h for how long it may take.
*/
#include "document.h"
#include "json.h"
#include "providers.h"

#define MAX_QUOTED 200 /* of what it wrote to its standard error */

static const struct ar_document document = {
    .access_key_id = "AccessKeyId",
    .secret_access_key = "SecretAccessKey",
    .session_token = "SessionToken",
    .expiration = "Expiration",
    .account_id = "AccountId"};

static enum ar_step run(struct ar_chain *chain, const struct ar_frame *frame,
                        struct ar_err *err) {
  struct ar_str name = frame->profile->name;
  struct ar_str line = ar_profile_get(chain, frame, "credential_process");
  struct ar_err why;
  if (ar_words_split(&chain->command, line, &why) == AR_OK) return AR_STEP_RUN;
  return ar_broken(err, why.code, "profile %.*s: credential_process: %s",
                   (int)name.n, name.p, why.message);
}

/* Quotes the beginning of what the program wrote, on one line. */
static enum ar_step exited(const struct ar_chain *chain, const char *what,
                           struct ar_err *err) {
  struct ar_str text = ar_str_trim(ar_buf_str(&chain->output.err));
  char quoted[MAX_QUOTED + 1];
  size_t n = text.n < MAX_QUOTED ? text.n : MAX_QUOTED;
  while (n > 0 && n < text.n && ((unsigned char)text.p[n] & 0xC0u) == 0x80u)
    n--; /* to a character's border */
  for (size_t i = 0; i < n; i++)
    quoted[i] = (char)((unsigned char)text.p[i] < 0x20 ? ' ' : text.p[i]);
  quoted[n] = '\0';
  if (chain->output.status < 0)
    return ar_broken(err, AR_E_CREDENTIAL_RETRIEVAL,
                     "%s printed no credentials, but: %s", what, quoted);
  return ar_broken(err, AR_E_CREDENTIAL_RETRIEVAL,
                   "%s ended with status %d%s%s", what, chain->output.status,
                   n > 0 ? ": " : "", quoted);
}

/* The document must say that its version is 1. */
static bool is_version_1(struct ar_str doc) {
  struct ar_buf text;
  struct ar_json_field field = {"Version", true, &text, AR_JSON_ABSENT};
  bool good;
  ar_buf_init(&text, 16);
  good = ar_json_flat(doc, &field, 1, NULL) == AR_OK &&
         field.type == AR_JSON_NUMBER &&
         ar_str_eq(ar_buf_str(&text), AR_STR("1"));
  ar_buf_free(&text);
  return good;
}

static enum ar_step read(const struct ar_chain *chain, struct ar_frame *frame,
                         struct ar_err *err) {
  const struct ar_child_output *output = &chain->output;
  struct ar_str doc = ar_buf_str(&output->out);
  struct ar_str account = ar_profile_get(chain, frame, "aws_account_id");
  static const char what[] = "the credential_process";
  if (ar_buf_check(&output->out, NULL) == AR_E_MEMORY) {
    ar_fail_memory(err);
    return AR_STEP_FAIL;
  }
  if (output->too_much)
    return ar_broken(err, AR_E_CREDENTIAL_RETRIEVAL,
                     "%s printed more than %u bytes", what, AR_MAX_DOCUMENT);
  if (output->status > 0) return exited(chain, what, err);
  if (ar_document_read(doc, &document, what, &frame->found, err) != AR_OK)
    return output->status < 0 && output->err.n > 0 ? exited(chain, what, err)
                                                   : AR_STEP_FAIL;
  if (!is_version_1(doc))
    return ar_broken(err, AR_E_CREDENTIAL_RETRIEVAL,
                     "%s: the member Version is not 1", what);
  if (frame->found.account_id.n == 0)
    ar_buf_adds(&frame->found.account_id, account);
  ar_note_profile(chain, frame, "credential_process");
  return ar_found(frame, what, err);
}

AR_PROVIDER_STEP(ar_cred_process) {
  if (frame->state++ == 0) return run(chain, frame, err);
  return read(chain, frame, err);
}
