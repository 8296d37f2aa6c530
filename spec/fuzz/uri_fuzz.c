/*
** Percent-encoding and the canonical forms: decoding takes encoding back, and
** what is canonical stays as it is.
*/
#include "../../src/core/uri.h"

#include "fuzz.h"

static void encoding(struct ar_str s) {
  struct ar_buf encoded, decoded;
  ar_buf_init(&encoded, 3 * s.n);
  ar_buf_init(&decoded, s.n);
  for (int keep = 0; keep < 2; keep++) {
    ar_buf_reset(&encoded);
    ar_buf_reset(&decoded);
    ar_uri_encode(&encoded, s, keep);
    HOLDS(!encoded.failed);
    HOLDS(keep || !fuzz_has(ar_buf_str(&encoded), '/'));
    ar_uri_decode(&decoded, ar_buf_str(&encoded));
    HOLDS(!decoded.failed && ar_str_eq(ar_buf_str(&decoded), s));
  }
  ar_buf_reset(&decoded);
  ar_uri_decode(&decoded, s);
  HOLDS(!decoded.failed);
  ar_buf_free(&encoded);
  ar_buf_free(&decoded);
}

static void paths(struct ar_str path) {
  struct ar_buf once, twice;
  ar_buf_init(&once, path.n + 1);
  ar_buf_init(&twice, path.n + 1);
  ar_uri_normalize_path(&once, path);
  HOLDS(!once.failed && once.n > 0 && once.p[0] == '/');
  for (size_t i = 1; i < once.n; i++)
    HOLDS(once.p[i] != '/' || once.p[i - 1] != '/');
  ar_uri_normalize_path(&twice, ar_buf_str(&once));
  HOLDS(ar_str_eq(ar_buf_str(&once), ar_buf_str(&twice)));
  ar_buf_free(&once);
  ar_buf_free(&twice);
}

static void queries(struct ar_str query) {
  struct ar_buf once, twice;
  ar_buf_init(&once, 4 * query.n);
  ar_buf_init(&twice, 4 * query.n);
  HOLDS(ar_uri_canonical_query(&once, query, NULL) == AR_OK);
  HOLDS(ar_uri_canonical_query(&twice, ar_buf_str(&once), NULL) == AR_OK);
  HOLDS(ar_str_eq(ar_buf_str(&once), ar_buf_str(&twice)));
  ar_buf_free(&once);
  ar_buf_free(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct ar_str text = fuzz_copy(data, size);
  encoding(text);
  paths(text);
  queries(text);
  fuzz_free(text);
  return 0;
}
