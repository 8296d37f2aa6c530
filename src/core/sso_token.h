/*
** The token that a login to IAM Identity Center leaves in
** ~/.aws/sso/cache/SHA1.json, and its renewal by CreateToken of SSO OIDC.
*/
#ifndef ar_sso_token_h
#define ar_sso_token_h

#include "env.h"

AR_HIDDEN

/* The members of the file. */
enum ar_sso_member {
  AR_SSO_ACCESS_TOKEN,
  AR_SSO_EXPIRES_AT,
  AR_SSO_REFRESH_TOKEN,
  AR_SSO_CLIENT_ID,
  AR_SSO_CLIENT_SECRET,
  AR_SSO_REGISTRATION_EXPIRES_AT,
  AR_SSO_REGION,
  AR_SSO_START_URL,
  AR_SSO_MEMBERS
};

struct ar_sso_token {
  struct ar_buf members[AR_SSO_MEMBERS]; /* texts; empty: not there */
  int64_t expires, registration_expires; /* epoch milliseconds; 0: unknown */
};

void ar_sso_token_init(struct ar_sso_token *token);
void ar_sso_token_free(struct ar_sso_token *token);

struct ar_str ar_sso_token_get(const struct ar_sso_token *token,
                               enum ar_sso_member which);

/*
** Reads the file that is named after `key`, a session's name or a start URL.
** AR_OK; AR_E_SSO_TOKEN with the path where it is missing, cannot be read or
** is no such document; AR_E_MEMORY.
*/
int ar_sso_token_read(struct ar_sso_token *token, const struct ar_env *env,
                      struct ar_str key, struct ar_err *err);

/* Writes it back. AR_OK or why not. */
int ar_sso_token_write(const struct ar_sso_token *token,
                       const struct ar_env *env, struct ar_str key,
                       struct ar_err *err);

/*
** At `now`, epoch milliseconds: whether it is past its time; whether less than
** 15 minutes are left (botocore's window), so that it should be renewed; and
** whether it can be.
*/
bool ar_sso_token_is_expired(const struct ar_sso_token *token, int64_t now);
bool ar_sso_token_is_old(const struct ar_sso_token *token, int64_t now);
bool ar_sso_token_is_renewable(const struct ar_sso_token *token, int64_t now);

/* Adds the body of CreateToken. */
void ar_sso_token_request(const struct ar_sso_token *token,
                          struct ar_buf *out);

/*
** Takes over what CreateToken has answered; without a new refresh token the
** old one stays. AR_OK, AR_E_RESPONSE or AR_E_MEMORY.
*/
int ar_sso_token_renew(struct ar_sso_token *token, struct ar_str answer,
                       int64_t now);

AR_HIDDEN_END

#endif
