/*
** What cannot be left out of a signature: three digests, of the body, of the
** canonical request, and an HMAC.
*/
#ifndef bench_digest_h
#define bench_digest_h

#include <openssl/evp.h>

#include "clock.h"

static inline void digest(EVP_MD_CTX *ctx, const EVP_MD *md, const void *head,
                          size_t head_size, const void *text, size_t size,
                          unsigned char *out) {
  if (!EVP_DigestInit_ex2(ctx, md, NULL) ||
      !EVP_DigestUpdate(ctx, head, head_size) ||
      !EVP_DigestUpdate(ctx, text, size) ||
      !EVP_DigestFinal_ex(ctx, out, NULL))
    die("no digest");
}

/* The HMAC is in its two passes. */
static inline void three_digests(EVP_MD_CTX *ctx, const EVP_MD *md,
                                 const unsigned char *text,
                                 const size_t *sizes) {
  static const unsigned char pad[64];
  unsigned char out[EVP_MAX_MD_SIZE];
  digest(ctx, md, "", 0, text, sizes[0], out);
  digest(ctx, md, "", 0, text, sizes[1], out);
  digest(ctx, md, pad, sizeof pad, text, sizes[2], out);
  digest(ctx, md, pad, sizeof pad, out, 32, out);
}

#endif
