/*
** The token of a login to IAM Identity Center.
*/
#include "sso_token.h"

#include "date.h"
#include "digest.h"
#include "json.h"

#define MAX_FILE (64u * 1024u)
#define WINDOW INT64_C(900000)
#define LONGEST_SECONDS INT64_C(9999999999) /* that a token may last */

static const char *const names[AR_SSO_MEMBERS] = {
    [AR_SSO_ACCESS_TOKEN] = "accessToken",
    [AR_SSO_EXPIRES_AT] = "expiresAt",
    [AR_SSO_REFRESH_TOKEN] = "refreshToken",
    [AR_SSO_CLIENT_ID] = "clientId",
    [AR_SSO_CLIENT_SECRET] = "clientSecret",
    [AR_SSO_REGISTRATION_EXPIRES_AT] = "registrationExpiresAt",
    [AR_SSO_REGION] = "region",
    [AR_SSO_START_URL] = "startUrl"};

void ar_sso_token_init(struct ar_sso_token *token) {
  *token = (struct ar_sso_token){.expires = 0};
  for (size_t i = 0; i < AR_SSO_MEMBERS; i++)
    ar_buf_init(&token->members[i], AR_MAX_SECRET);
}

void ar_sso_token_free(struct ar_sso_token *token) {
  for (size_t i = 0; i < AR_SSO_MEMBERS; i++) ar_buf_free(&token->members[i]);
}

struct ar_str ar_sso_token_get(const struct ar_sso_token *token,
                               enum ar_sso_member which) {
  return ar_buf_str(&token->members[which]);
}

static int add_path(struct ar_buf *path, const struct ar_env *env,
                    struct ar_str key, struct ar_err *err) {
  unsigned char hash[AR_SHA1_SIZE];
  struct ar_str home = ar_env_get(env, "HOME");
  if (home.n == 0) return ar_fail(err, AR_E_SSO_TOKEN, "HOME is not set");
  if (ar_sha1(key, hash) != AR_OK) return ar_fail_memory(err);
  ar_buf_adds(path, home);
  ar_buf_addz(path, "/.aws/sso/cache/");
  ar_buf_addhex(path, hash, sizeof hash);
  ar_buf_addz(path, ".json");
  return ar_buf_check(path, err);
}

static int64_t time_of(const struct ar_sso_token *token,
                       enum ar_sso_member which) {
  int64_t time;
  return ar_date_parse(ar_sso_token_get(token, which), &time) ? time : 0;
}

static int parse(struct ar_sso_token *token, struct ar_str doc,
                 struct ar_err *err) {
  struct ar_json_field fields[AR_SSO_MEMBERS];
  int rc;
  for (size_t i = 0; i < AR_SSO_MEMBERS; i++)
    fields[i] = (struct ar_json_field){names[i], true, &token->members[i],
                                       AR_JSON_ABSENT};
  rc = ar_json_flat(doc, fields, AR_SSO_MEMBERS, err);
  if (rc != AR_OK) return rc;
  token->expires = time_of(token, AR_SSO_EXPIRES_AT);
  token->registration_expires = time_of(token, AR_SSO_REGISTRATION_EXPIRES_AT);
  if (token->expires > 0 && ar_sso_token_get(token, AR_SSO_ACCESS_TOKEN).n > 0)
    return AR_OK;
  return ar_fail(err, AR_E_RESPONSE, "accessToken or expiresAt is missing");
}

static int read_file(struct ar_buf *doc, const struct ar_env *env,
                     const char *path, struct ar_err *err) {
  enum ar_file result = ar_env_read(env, path, doc, err);
  if (result == AR_FILE_MISSING)
    ar_fail(err, AR_E_SSO_TOKEN, "No such file or directory");
  return result == AR_FILE_READ ? AR_OK : AR_E_SSO_TOKEN;
}

int ar_sso_token_read(struct ar_sso_token *token, const struct ar_env *env,
                      struct ar_str key, struct ar_err *err) {
  struct ar_buf path, doc;
  struct ar_err why;
  int rc;
  ar_buf_init(&path, AR_MAX_URL);
  ar_buf_init(&doc, MAX_FILE);
  rc = add_path(&path, env, key, &why);
  if (rc == AR_OK) rc = read_file(&doc, env, ar_buf_z(&path), &why);
  if (rc == AR_OK) rc = parse(token, ar_buf_str(&doc), &why);
  if (rc != AR_OK)
    rc = ar_fail(err, AR_E_SSO_TOKEN, "%s: %s", ar_buf_z(&path), why.message);
  ar_buf_free(&path);
  ar_buf_free(&doc);
  return rc;
}

static void add_member(struct ar_buf *out, const char *name,
                       struct ar_str value) {
  if (value.n == 0) return;
  ar_buf_addz(out, out->n == 0 ? "{" : ", ");
  ar_json_add_string(out, ar_str_of(name));
  ar_buf_addz(out, ": ");
  ar_json_add_string(out, value);
}

int ar_sso_token_write(const struct ar_sso_token *token,
                       const struct ar_env *env, struct ar_str key,
                       struct ar_err *err) {
  struct ar_buf path, doc;
  int rc;
  ar_buf_init(&path, AR_MAX_URL);
  ar_buf_init(&doc, MAX_FILE);
  for (size_t i = 0; i < AR_SSO_MEMBERS; i++)
    add_member(&doc, names[i], ar_buf_str(&token->members[i]));
  ar_buf_addc(&doc, '}');
  rc = ar_buf_check(&doc, err);
  if (rc == AR_OK) rc = add_path(&path, env, key, err);
  if (rc == AR_OK && env->replace_file != NULL)
    rc = env->replace_file(env->context, ar_buf_z(&path), ar_buf_str(&doc),
                           err);
  ar_buf_free(&path);
  ar_buf_free(&doc);
  return rc;
}

bool ar_sso_token_is_expired(const struct ar_sso_token *token, int64_t now) {
  return token->expires <= now;
}

bool ar_sso_token_is_old(const struct ar_sso_token *token, int64_t now) {
  return token->expires - now < WINDOW;
}

bool ar_sso_token_is_renewable(const struct ar_sso_token *token, int64_t now) {
  return token->members[AR_SSO_REFRESH_TOKEN].n > 0 &&
         token->members[AR_SSO_CLIENT_ID].n > 0 &&
         token->members[AR_SSO_CLIENT_SECRET].n > 0 &&
         token->registration_expires > now;
}

void ar_sso_token_request(const struct ar_sso_token *token,
                          struct ar_buf *out) {
  static const enum ar_sso_member sent[] = {
      AR_SSO_CLIENT_ID, AR_SSO_CLIENT_SECRET, AR_SSO_REFRESH_TOKEN};
  add_member(out, "grantType", AR_STR("refresh_token"));
  for (size_t i = 0; i < sizeof sent / sizeof *sent; i++)
    add_member(out, names[sent[i]], ar_sso_token_get(token, sent[i]));
  ar_buf_addc(out, '}');
}

/* Sets the expiry to `seconds` after now. */
static int set_expiry(struct ar_sso_token *token, struct ar_str seconds,
                      int64_t now, struct ar_err *err) {
  struct ar_buf *text = &token->members[AR_SSO_EXPIRES_AT];
  char date[AR_DATE_ISO_SIZE];
  int64_t n;
  if (!ar_str_to_int(seconds, &n) || n > LONGEST_SECONDS) return AR_E_RESPONSE;
  token->expires = (now / 1000 + n) * 1000;
  ar_date_iso(token->expires, date);
  ar_buf_reset(text);
  ar_buf_addz(text, date);
  return ar_buf_check(text, err);
}

static void replace(struct ar_buf *member, const struct ar_buf *by) {
  if (by->n == 0) return;
  ar_buf_reset(member);
  ar_buf_addb(member, by);
}

int ar_sso_token_renew(struct ar_sso_token *token, struct ar_str answer,
                       int64_t now) {
  struct ar_buf access, refresh, seconds;
  struct ar_json_field fields[] = {{.path = "accessToken", .text = &access},
                                   {.path = "refreshToken", .text = &refresh},
                                   {.path = "expiresIn", .text = &seconds}};
  int rc;
  ar_buf_init(&access, AR_MAX_SECRET);
  ar_buf_init(&refresh, AR_MAX_SECRET);
  ar_buf_init(&seconds, 64);
  rc = ar_json_flat(answer, fields, 3, NULL);
  if (rc == AR_OK &&
      (access.n == 0 || fields[0].type != AR_JSON_STRING ||
       fields[1].type == AR_JSON_OTHER || fields[2].type != AR_JSON_NUMBER))
    rc = AR_E_RESPONSE;
  if (rc == AR_OK) rc = set_expiry(token, ar_buf_str(&seconds), now, NULL);
  if (rc == AR_OK) {
    replace(&token->members[AR_SSO_ACCESS_TOKEN], &access);
    replace(&token->members[AR_SSO_REFRESH_TOKEN], &refresh);
    rc = ar_buf_check(&token->members[AR_SSO_ACCESS_TOKEN], NULL);
  }
  if (rc == AR_OK)
    rc = ar_buf_check(&token->members[AR_SSO_REFRESH_TOKEN], NULL);
  ar_buf_free(&access);
  ar_buf_free(&refresh);
  ar_buf_free(&seconds);
  return rc;
}
