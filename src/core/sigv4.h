/*
** AWS Signature Version 4 in the Authorization header, as published under
** "Create a signed AWS API request" in the IAM User Guide: canonical request,
** string to sign, authorization. Every intermediate is kept, so that a test
** or a person who debugs can compare each with the service's own.
*/
#ifndef ar_sigv4_h
#define ar_sigv4_h

#include "cred.h"

AR_HIDDEN

/* More headers than this in one request are refused, Host among them. */
#define AR_MAX_HEADERS 129

struct ar_header {
  struct ar_str name, value;
};

/*
** What to sign. Slices stay the caller's. Every header is signed but those
** that the path may change (the list is botocore's) and those that the
** signature itself sets: Authorization, X-Amz-Date, X-Amz-Security-Token and,
** with `sign_body`, X-Amz-Content-Sha256, which are ignored here and are for
** the caller to replace. A Host header must be among them.
*/
struct ar_sign_request {
  struct ar_str method;
  struct ar_str path;  /* as it is sent, not encoded once more */
  struct ar_str query; /* without '?' */
  struct ar_str body;
  const struct ar_header *headers;
  size_t header_count;
  struct ar_str region, service;
  int64_t time;            /* epoch seconds, 0 to AR_MAX_EPOCH */
  bool keep_path;          /* do not remove dot segments and double slashes */
  bool sign_body;          /* X-Amz-Content-Sha256 is sent and signed */
  bool omit_session_token; /* the token is sent, but not signed */
};

/* The result; initialise once, use for any number of requests, free. */
struct ar_signature {
  struct ar_sha256 sha256;                /* that all digests are made in */
  char date[AR_DATE_SIZE];                /* X-Amz-Date */
  char body_hash[2 * AR_SHA256_SIZE + 1]; /* X-Amz-Content-Sha256 */
  char signature[2 * AR_SHA256_SIZE + 1];
  struct ar_buf path; /* normalised */
  struct ar_buf canonical_request;
  struct ar_buf signed_headers; /* names joined by ';' */
  struct ar_buf scope;          /* date/region/service/aws4_request */
  struct ar_buf string_to_sign;
  struct ar_buf authorization; /* the header's value */
};

void ar_signature_init(struct ar_signature *s);
void ar_signature_free(struct ar_signature *s);

/*
** Signs. The derived key is kept in `creds` and used again while day, region
** and service stay the same. AR_OK; AR_E_PARAM when something in the request
** cannot be sent as it is (the message names it); AR_E_TOO_LARGE; AR_E_MEMORY.
*/
int ar_sigv4_sign(struct ar_signature *s, const struct ar_sign_request *r,
                  struct ar_creds *creds, struct ar_err *err);

/*
** Whether `name` is one of the headers that the signature sets for `r`.
*/
bool ar_sigv4_sets(const struct ar_sign_request *r, struct ar_str name);

AR_HIDDEN_END

#endif
