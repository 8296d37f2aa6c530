/*
** SHA-256, HMAC-SHA256 and SHA-1 by OpenSSL's EVP interface.
*/
#include "digest.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include "buf.h"

#define BLOCK 64 /* bytes that SHA-256 takes at a time; HMAC pads to it */

static CRYPTO_ONCE fetch_once = CRYPTO_ONCE_STATIC_INIT;
static EVP_MD *sha256, *sha1; /* written once, under fetch_once */

static void fetch(void) {
  ERR_set_mark();
  sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
  sha1 = EVP_MD_fetch(NULL, "SHA1", NULL);
  ERR_pop_to_mark();
}

/* The digest `*which` of `a` followed by `b`. */
static int hash(EVP_MD *const *which, struct ar_str a, struct ar_str b,
                unsigned char *out) {
  EVP_MD_CTX *ctx;
  bool ok;
  if (!CRYPTO_THREAD_run_once(&fetch_once, fetch) || *which == NULL)
    return AR_E_MEMORY;
  ERR_set_mark();
  ctx = EVP_MD_CTX_new();
  ok = ctx && EVP_DigestInit_ex2(ctx, *which, NULL) &&
       EVP_DigestUpdate(ctx, a.p, a.n) && EVP_DigestUpdate(ctx, b.p, b.n) &&
       EVP_DigestFinal_ex(ctx, out, NULL);
  EVP_MD_CTX_free(ctx);
  ERR_pop_to_mark();
  return ok ? AR_OK : AR_E_MEMORY;
}

int ar_sha256(struct ar_str data, unsigned char out[AR_SHA256_SIZE]) {
  return hash(&sha256, data, AR_STR(""), out);
}

int ar_sha1(struct ar_str data, unsigned char out[AR_SHA1_SIZE]) {
  return hash(&sha1, data, AR_STR(""), out);
}

static void pad(unsigned char *block, struct ar_str key, unsigned char with) {
  for (size_t i = 0; i < BLOCK; i++)
    block[i] =
        (unsigned char)((i < key.n ? (unsigned char)key.p[i] : 0) ^ with);
}

static struct ar_str bytes(const unsigned char *p, size_t n) {
  return ar_str_n((const char *)p, n);
}

int ar_hmac_sha256(struct ar_str key, struct ar_str data,
                   unsigned char out[AR_SHA256_SIZE]) {
  unsigned char block[BLOCK], short_key[AR_SHA256_SIZE];
  unsigned char inner[AR_SHA256_SIZE];
  int rc = AR_OK;
  if (key.n > BLOCK) {
    rc = ar_sha256(key, short_key);
    key = bytes(short_key, sizeof short_key);
  }
  pad(block, key, 0x36);
  if (rc == AR_OK) rc = hash(&sha256, bytes(block, BLOCK), data, inner);
  pad(block, key, 0x5c);
  if (rc == AR_OK)
    rc = hash(&sha256, bytes(block, BLOCK), bytes(inner, sizeof inner), out);
  ar_wipe(block, sizeof block);
  ar_wipe(short_key, sizeof short_key);
  return rc;
}
