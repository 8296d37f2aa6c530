/*
** SHA-256, HMAC-SHA256 and SHA-1, the only user of OpenSSL in the core. The
** digests are fetched once a process (an implicit fetch costs three times the
** digest itself). OpenSSL's error queue is left as it was found, since hosts
** read their own errors from it.
*/
#ifndef ar_digest_h
#define ar_digest_h

#include "fail.h"
#include "str.h"

AR_HIDDEN

#define AR_SHA256_SIZE 32

struct evp_md_ctx_st; /* OpenSSL's EVP_MD_CTX */

/*
** What SHA-256 works in, kept from one digest to the next: making it costs as
** much as a short digest does. All zero: not made yet.
*/
struct ar_sha256 {
  struct evp_md_ctx_st *state;
};

/* Wipes and frees; may be used again. */
void ar_sha256_free(struct ar_sha256 *kept);

/* AR_OK, or AR_E_MEMORY, also where OpenSSL offers no SHA-256. */
int ar_sha256(struct ar_sha256 *kept, struct ar_str data,
              unsigned char out[AR_SHA256_SIZE]);

/*
** A key of HMAC, as the two states that SHA-256 is in after its pads: each use
** costs two blocks less. All zero: no key.
*/
struct ar_hmac_key {
  struct evp_md_ctx_st *inner, *outer;
};

/* Wipes and frees; there is no key then. */
void ar_hmac_key_free(struct ar_hmac_key *key);

/* Replaces the key. AR_OK or AR_E_MEMORY, as above: there may be none then. */
int ar_hmac_key_set(struct ar_hmac_key *key, struct ar_str bytes);

/* RFC 2104, with a key that was set. AR_OK or AR_E_MEMORY, as above. */
int ar_hmac_sha256(struct ar_sha256 *kept, const struct ar_hmac_key *key,
                   struct ar_str data, unsigned char out[AR_SHA256_SIZE]);

#define AR_SHA1_SIZE 20

/*
** SHA-1, which names the files of the SSO cache and guards nothing. AR_OK, or
** AR_E_MEMORY, also where OpenSSL offers none.
*/
int ar_sha1(struct ar_str data, unsigned char out[AR_SHA1_SIZE]);

AR_HIDDEN_END

#endif
