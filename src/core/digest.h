/*
** SHA-256, HMAC-SHA256 and SHA-1, the only user of OpenSSL in the core. The
** digests are fetched once a process (an implicit fetch costs three times the
** digest itself). OpenSSL's error queue is left as it was found, since hosts
*read
** their own errors from it.
*/
#ifndef ar_digest_h
#define ar_digest_h

#include "fail.h"
#include "str.h"

AR_HIDDEN

#define AR_SHA256_SIZE 32

/* AR_OK, or AR_E_MEMORY, also where OpenSSL offers no SHA-256. */
int ar_sha256(struct ar_str data, unsigned char out[AR_SHA256_SIZE]);

/* RFC 2104. AR_OK or AR_E_MEMORY, as above. */
int ar_hmac_sha256(struct ar_str key, struct ar_str data,
                   unsigned char out[AR_SHA256_SIZE]);

#define AR_SHA1_SIZE 20

/*
** SHA-1, which names the files of the SSO cache and guards nothing. AR_OK, or
** AR_E_MEMORY, also where OpenSSL offers none.
*/
int ar_sha1(struct ar_str data, unsigned char out[AR_SHA1_SIZE]);

AR_HIDDEN_END

#endif
