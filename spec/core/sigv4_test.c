/*
** The signer's inside: digests, the derived key and its cache.
*/
#include "../../src/core/sigv4.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/sha.h>

#include "../../src/core/digest.h"
#include "kit.h"

#define SECRET "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"

/* OpenSSL's memory, each block behind its size. */
static size_t states_freed, states_not_wiped;

#define BEFORE 16

static void *allocate(size_t n, const char *file, int line) {
  char *p = malloc(BEFORE + n);
  (void)file, (void)line;
  if (p == NULL) return NULL;
  memcpy(p, &n, sizeof n);
  return p + BEFORE;
}

static size_t size_of(const void *block) {
  size_t n;
  memcpy(&n, (const char *)block - BEFORE, sizeof n);
  return n;
}

static void release(void *block, const char *file, int line) {
  static const char zero[sizeof(SHA256_CTX)];
  (void)file, (void)line;
  if (block == NULL) return;
  if (size_of(block) == sizeof zero) {
    states_freed++;
    states_not_wiped += memcmp(block, zero, sizeof zero) != 0;
  }
  free((char *)block - BEFORE);
}

static void *reallocate(void *block, size_t n, const char *file, int line) {
  void *p = allocate(n, file, line);
  size_t old = block ? size_of(block) : 0;
  if (p == NULL) return NULL;
  if (block) memcpy(p, block, old < n ? old : n);
  release(block, file, line);
  return p;
}

static const char *hex_of(const unsigned char *p, size_t n) {
  static char out[2 * AR_SHA256_SIZE + 1];
  for (size_t i = 0; i < n; i++) snprintf(out + 2 * i, 3, "%02x", p[i]);
  return out;
}

static const char *hex(const unsigned char *p) {
  return hex_of(p, AR_SHA256_SIZE);
}

/* FIPS 180-2 and RFC 4231, one after the other in the same states. */
static void digests(void) {
  struct ar_sha256 kept = {NULL};
  struct ar_hmac_key key = {NULL, NULL};
  unsigned char out[AR_SHA256_SIZE];
  char long_key[131];
  memset(long_key, 0xaa, sizeof long_key);
  ar_sha256(&kept, AR_STR(""), out);
  CHECK_STR(ar_str_of(hex(out)),
            "e3b0c44298fc1c149afbf4c8996fb924"
            "27ae41e4649b934ca495991b7852b855",
            "SHA-256 of nothing");
  ar_hmac_key_set(&key, AR_STR("Jefe"));
  for (int i = 0; i < 2; i++) {
    ar_hmac_sha256(&kept, &key, AR_STR("what do ya want for nothing?"), out);
    CHECK_STR(ar_str_of(hex(out)),
              "5bdcc146bf60754e6a042426089575c7"
              "5a003f089d2739839dec58b964ec3843",
              i ? "the same key again" : "HMAC, test case 2");
  }
  ar_hmac_key_set(&key, ar_str_n(long_key, sizeof long_key));
  ar_hmac_sha256(
      &kept, &key,
      AR_STR("Test Using Larger Than Block-Size Key - Hash Key First"), out);
  CHECK_STR(ar_str_of(hex(out)),
            "60e431591ee0b67f0d8a26aacbf5b77f"
            "8e0bc6213728c5140546040f0ee37f54",
            "HMAC, test case 6");
  ar_hmac_key_free(&key);
  ar_sha256_free(&kept);
}

/* FIPS 180-2, and the name of a file in the AWS CLI's cache. */
static void sha1(void) {
  unsigned char out[AR_SHA1_SIZE];
  CHECK(ar_sha1(AR_STR("abc"), out) == AR_OK, "SHA-1 is there");
  CHECK_STR(ar_str_of(hex_of(out, sizeof out)),
            "a9993e364706816aba3e25717850c26c9cd0d89d", "SHA-1 of abc");
  ar_sha1(AR_STR(""), out);
  CHECK_STR(ar_str_of(hex_of(out, sizeof out)),
            "da39a3ee5e6b4b0d3255bfef95601890afd80709", "SHA-1 of nothing");
  ar_sha1(AR_STR("my-sso"), out);
  CHECK_STR(ar_str_of(hex_of(out, sizeof out)),
            "0ad374308c5a4e22f723adf10145eafad7c4031c", "SHA-1 of a session");
}

/* The host's own errors are still there, and no other. */
static void error_queue(void) {
  struct ar_sha256 kept = {NULL};
  struct ar_hmac_key key = {NULL, NULL};
  unsigned char out[AR_SHA256_SIZE];
  ERR_clear_error();
  ERR_raise(ERR_LIB_USER, 42);
  ar_sha256(&kept, AR_STR("abc"), out);
  ar_hmac_key_set(&key, AR_STR("key"));
  ar_hmac_sha256(&kept, &key, AR_STR("abc"), out);
  ar_sha1(AR_STR("abc"), out);
  CHECK(ERR_clear_last_mark() == 0, "no mark is left on it");
  CHECK(ERR_GET_REASON(ERR_get_error()) == 42 && ERR_get_error() == 0,
        "OpenSSL's error queue is left as found");
  ar_hmac_key_free(&key);
  ar_sha256_free(&kept);
}

static const struct ar_header host = {{"host", 4}, {"h", 1}};

static struct ar_sign_request request_of(const char *region, int64_t time) {
  return (struct ar_sign_request){.method = AR_STR("POST"),
                                  .path = AR_STR("/"),
                                  .query = AR_STR(""),
                                  .body = AR_STR("{}"),
                                  .headers = &host,
                                  .header_count = 1,
                                  .region = ar_str_of(region),
                                  .service = AR_STR("apprunner"),
                                  .time = time};
}

static void signing_key(void) {
  /* e6dfdd98a6a657a4b710b98198b3795ec6a369f7bcce11715fcfedbb92c0daab */
  static const char known[] =
      "\xe6\xdf\xdd\x98\xa6\xa6\x57\xa4\xb7\x10\xb9\x81\x98\xb3\x79\x5e"
      "\xc6\xa3\x69\xf7\xbc\xce\x11\x71\x5f\xcf\xed\xbb\x92\xc0\xda\xab";
  struct ar_sign_request r = request_of("us-east-1", 1767323045);
  struct ar_hmac_key key = {NULL, NULL};
  unsigned char by_known[AR_SHA256_SIZE], by_kept[AR_SHA256_SIZE];
  struct ar_signature s;
  struct ar_creds creds;
  ar_signature_init(&s);
  ar_creds_init(&creds);
  kit_creds(&creds, "AKIDEXAMPLE", SECRET, NULL);
  CHECK(ar_sigv4_sign(&s, &r, &creds, NULL) == AR_OK, "signs");
  ar_hmac_key_set(&key, ar_str_n(known, AR_SHA256_SIZE));
  ar_hmac_sha256(&s.sha256, &key, AR_STR("a text"), by_known);
  ar_hmac_sha256(&s.sha256, &creds.key.key, AR_STR("a text"), by_kept);
  CHECK(memcmp(by_known, by_kept, AR_SHA256_SIZE) == 0, "the signing key");
  ar_hmac_key_free(&key);
  CHECK_STR(ar_buf_str(&s.scope), "20260102/us-east-1/apprunner/aws4_request",
            "the scope");
  ar_creds_free(&creds);
  ar_signature_free(&s);
}

/* What one key and one room give for many requests is what fresh ones give. */
static void cache(void) {
  static const char *const names[] = {"us-east-1", "us-east-11", "us-east"};
  static const char *const secrets[] = {SECRET, "another"};
  struct ar_signature kept, fresh;
  struct ar_creds creds, new_creds;
  size_t wrong = 0;
  ar_signature_init(&kept);
  ar_creds_init(&creds);
  for (int i = 0; i < 60; i++) {
    struct ar_sign_request r =
        request_of(names[i % 3], 1767323045 + i / 7 * 43200);
    ar_creds_init(&new_creds);
    ar_signature_init(&fresh);
    kit_creds(&new_creds, "ID", secrets[i / 20 % 2], i % 5 ? NULL : "T");
    if (i % 20 == 0) { /* new credentials of the same id */
      ar_creds_free(&creds);
      kit_creds(&creds, "ID", secrets[i / 20 % 2], NULL);
    }
    ar_buf_reset(&creds.session_token);
    if (i % 5 == 0) ar_buf_addz(&creds.session_token, "T");
    wrong += ar_sigv4_sign(&kept, &r, &creds, NULL) != AR_OK;
    wrong += ar_sigv4_sign(&fresh, &r, &new_creds, NULL) != AR_OK;
    wrong += strcmp(kept.signature, fresh.signature) != 0;
    wrong += !ar_str_eq(ar_buf_str(&kept.authorization),
                        ar_buf_str(&fresh.authorization));
    ar_creds_free(&new_creds);
    ar_signature_free(&fresh);
  }
  CHECK(wrong == 0, "the kept key is never another's: %zu wrong", wrong);
  ar_creds_free(&creds);
  ar_signature_free(&kept);
}

/* The key is wiped with its credentials, and does not follow new ones. */
static void wiped(void) {
  struct ar_sign_request r = request_of("us-east-1", 0);
  struct ar_signature s;
  struct ar_creds from, to;
  ar_signature_init(&s);
  ar_creds_init(&from);
  ar_creds_init(&to);
  kit_creds(&from, "ID", SECRET, "T");
  ar_sigv4_sign(&s, &r, &from, NULL);
  ar_creds_move(&to, &from);
  CHECK(from.access_key_id.n == 0 && from.secret_access_key.n == 0 &&
            from.session_token.n == 0 && from.key.scope.n == 0 &&
            from.key.key.inner == NULL && from.key.key.outer == NULL,
        "what was moved leaves nothing behind");
  CHECK_STR(ar_buf_str(&to.secret_access_key), SECRET, "it arrived");
  ar_creds_free(&to);
  CHECK(to.key.scope.n == 0 && to.key.key.inner == NULL &&
            to.key.key.outer == NULL,
        "what was freed keeps no key");
  ar_creds_free(&from);
  states_freed = states_not_wiped = 0;
  kit_creds(&to, "ID", SECRET, "T");
  ar_sigv4_sign(&s, &r, &to, NULL);
  ar_creds_free(&to);
  ar_signature_free(&s);
  CHECK(states_freed >= 3, "the states of SHA-256 were freed: %zu",
        states_freed);
  CHECK(states_not_wiped == 0, "each was wiped before, but for %zu",
        states_not_wiped);
}

/* A failure leaves no signature of the request before. */
static void failures(void) {
  struct ar_sign_request r = request_of("us-east-1", 0);
  struct ar_signature s;
  struct ar_creds creds;
  struct ar_err err;
  ar_signature_init(&s);
  ar_creds_init(&creds);
  kit_creds(&creds, "ID", SECRET, NULL);
  ar_sigv4_sign(&s, &r, &creds, &err);
  r.method = AR_STR("PO ST");
  CHECK(ar_sigv4_sign(&s, &r, &creds, &err) == AR_E_PARAM, "a bad method");
  CHECK(s.authorization.n == 0 && s.canonical_request.n == 0,
        "nothing is left of the last one");
  r = request_of("us-east-1", 0);
  r.header_count = 0;
  CHECK(ar_sigv4_sign(&s, &r, &creds, &err) == AR_E_PARAM, "no Host");
  ar_creds_free(&creds);
  ar_signature_free(&s);
}

int main(void) {
  CRYPTO_set_mem_functions(allocate, reallocate, release);
  error_queue();
  digests();
  sha1();
  signing_key();
  cache();
  wiped();
  failures();
  return checked();
}
