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

/* Pops to the mark that was set before `ok` was found out. */
static int code_of(bool ok) {
  ERR_pop_to_mark();
  return ok ? AR_OK : AR_E_MEMORY;
}

/* Begins the digest `*which`; a state that is there is used again. */
static bool begin(EVP_MD_CTX **state, EVP_MD *const *which) {
  if (*state == NULL) {
    if (!CRYPTO_THREAD_run_once(&fetch_once, fetch) || *which == NULL)
      return false;
    *state = EVP_MD_CTX_new();
  }
  return *state != NULL && EVP_DigestInit_ex2(*state, *which, NULL);
}

static bool end(EVP_MD_CTX *state, struct ar_str data, unsigned char *out) {
  return EVP_DigestUpdate(state, data.p, data.n) &&
         EVP_DigestFinal_ex(state, out, NULL);
}

/* OpenSSL wipes the states that it frees. */
static void drop(EVP_MD_CTX **state) {
  EVP_MD_CTX_free(*state);
  *state = NULL;
}

void ar_sha256_free(struct ar_sha256 *kept) {
  drop(&kept->state);
}

int ar_sha256(struct ar_sha256 *kept, struct ar_str data,
              unsigned char out[AR_SHA256_SIZE]) {
  ERR_set_mark();
  return code_of(begin(&kept->state, &sha256) && end(kept->state, data, out));
}

int ar_sha1(struct ar_str data, unsigned char out[AR_SHA1_SIZE]) {
  EVP_MD_CTX *state = NULL;
  bool ok;
  ERR_set_mark();
  ok = begin(&state, &sha1) && end(state, data, out);
  drop(&state);
  return code_of(ok);
}

void ar_hmac_key_free(struct ar_hmac_key *key) {
  drop(&key->inner);
  drop(&key->outer);
}

static bool add_pad(EVP_MD_CTX **state, struct ar_str key,
                    unsigned char with) {
  unsigned char block[BLOCK];
  bool ok;
  for (size_t i = 0; i < BLOCK; i++)
    block[i] =
        (unsigned char)((i < key.n ? (unsigned char)key.p[i] : 0) ^ with);
  ok = begin(state, &sha256) && EVP_DigestUpdate(*state, block, BLOCK);
  ar_wipe(block, sizeof block);
  return ok;
}

static struct ar_str hash_str(const unsigned char hash[AR_SHA256_SIZE]) {
  return ar_str_n((const char *)hash, AR_SHA256_SIZE);
}

int ar_hmac_key_set(struct ar_hmac_key *key, struct ar_str bytes) {
  unsigned char short_key[AR_SHA256_SIZE];
  bool ok = true;
  ERR_set_mark();
  if (bytes.n > BLOCK) {
    ok = begin(&key->inner, &sha256) && end(key->inner, bytes, short_key);
    bytes = hash_str(short_key);
  }
  ok = ok && add_pad(&key->inner, bytes, 0x36) &&
       add_pad(&key->outer, bytes, 0x5c);
  ar_wipe(short_key, sizeof short_key);
  return code_of(ok);
}

/* Ends in `kept` the digest that `from` has begun and keeps. */
static bool end_copy(struct ar_sha256 *kept, const EVP_MD_CTX *from,
                     struct ar_str data, unsigned char *out) {
  if (kept->state == NULL) kept->state = EVP_MD_CTX_new();
  return kept->state != NULL && EVP_MD_CTX_copy_ex(kept->state, from) &&
         end(kept->state, data, out);
}

int ar_hmac_sha256(struct ar_sha256 *kept, const struct ar_hmac_key *key,
                   struct ar_str data, unsigned char out[AR_SHA256_SIZE]) {
  unsigned char inner[AR_SHA256_SIZE];
  ERR_set_mark();
  return code_of(end_copy(kept, key->inner, data, inner) &&
                 end_copy(kept, key->outer, hash_str(inner), out));
}
