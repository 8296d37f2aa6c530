/*
** Credentials in a JSON document.
*/
#include "document.h"

#include "json.h"

#define MAX_TEXT 64 /* of a date or a number */

/* The members, in this order. */
enum {
  ACCESS_KEY_ID,
  SECRET_ACCESS_KEY,
  SESSION_TOKEN,
  ACCOUNT_ID,
  EXPIRATION
};
#define MEMBERS 5

const struct ar_document ar_host_document = {
    .access_key_id = "AccessKeyId",
    .secret_access_key = "SecretAccessKey",
    .session_token = "Token",
    .expiration = "Expiration",
    .account_id = "AccountId",
    .temporary = true};

static int missing(const char *what, const char *path, struct ar_err *err) {
  return ar_fail(err, AR_E_CREDENTIAL_RETRIEVAL,
                 "%s: the member %s is missing or no text", what, path);
}

static int read_expiration(const struct ar_json_field *field,
                           const struct ar_document *names, const char *what,
                           struct ar_creds *found, struct ar_err *err) {
  struct ar_str text = ar_buf_str(field->text);
  bool good;
  if (field->type == AR_JSON_ABSENT && !names->temporary) return AR_OK;
  good = names->milliseconds ? field->type == AR_JSON_NUMBER &&
                                   ar_str_to_int(text, &found->expiration)
                             : field->type == AR_JSON_STRING &&
                                   ar_date_parse(text, &found->expiration);
  if (good) return AR_OK;
  found->expiration = AR_NEVER;
  return ar_fail(err, AR_E_CREDENTIAL_RETRIEVAL,
                 "%s: the member %s is missing or no time", what,
                 names->expiration);
}

static int check_texts(const struct ar_json_field *fields,
                       const struct ar_document *names, const char *what,
                       struct ar_err *err) {
  const bool required[] = {true, true, names->temporary, false};
  for (size_t i = 0; i < sizeof required / sizeof *required; i++) {
    bool text = fields[i].type == AR_JSON_STRING && fields[i].text->n > 0;
    bool absent = fields[i].type == AR_JSON_ABSENT ||
                  (fields[i].type == AR_JSON_STRING && !text);
    if (!text && (required[i] || !absent))
      return missing(what, fields[i].path, err);
  }
  return AR_OK;
}

/* A path of NULL matches no member. */
static struct ar_json_field field(const char *path, struct ar_buf *text) {
  return (struct ar_json_field){
      .path = path ? path : "", .any_case = true, .text = text};
}

int ar_document_read(struct ar_str doc, const struct ar_document *names,
                     const char *what, struct ar_creds *found,
                     struct ar_err *err) {
  struct ar_buf expiration;
  struct ar_json_field fields[MEMBERS];
  int rc;
  ar_buf_init(&expiration, MAX_TEXT);
  fields[ACCESS_KEY_ID] = field(names->access_key_id, &found->access_key_id);
  fields[SECRET_ACCESS_KEY] =
      field(names->secret_access_key, &found->secret_access_key);
  fields[SESSION_TOKEN] = field(names->session_token, &found->session_token);
  fields[ACCOUNT_ID] = field(names->account_id, &found->account_id);
  fields[EXPIRATION] = field(names->expiration, &expiration);
  rc = ar_json_flat(doc, fields, MEMBERS, err);
  if (rc == AR_E_RESPONSE)
    rc =
        ar_fail(err, AR_E_CREDENTIAL_RETRIEVAL, "%s: not a JSON object", what);
  if (rc == AR_OK) rc = check_texts(fields, names, what, err);
  if (rc == AR_OK)
    rc = read_expiration(&fields[EXPIRATION], names, what, found, err);
  ar_buf_free(&expiration);
  return rc == AR_OK ? ar_creds_check(found, what, err) : rc;
}
