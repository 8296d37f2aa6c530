/*
** The floor of a signature: digests N BODY CANONICAL STRING prints what three
** digests of texts of these lengths take, N times, with a digest that was
** fetched before: of the body, of the canonical request, and an HMAC.
*/
#define _POSIX_C_SOURCE 200809L
#include "digest.h"

int main(int count, char **argument) {
  static unsigned char text[65536];
  EVP_MD *md = need(EVP_MD_fetch(NULL, "SHA256", NULL));
  EVP_MD_CTX *ctx = need(EVP_MD_CTX_new());
  size_t sizes[3];
  struct moment begin;
  long n;
  if (count != 5) die("usage: digests N BODY CANONICAL STRING");
  n = count_of(argument[1]);
  for (int i = 0; i < 3; i++) {
    sizes[i] = (size_t)count_of(argument[2 + i]);
    if (sizes[i] > sizeof text) die("a text is too long");
  }
  begin = now();
  for (long i = 0; i < n; i++) {
    text[0] = (unsigned char)i;
    three_digests(ctx, md, text, sizes);
  }
  tell(begin, n);
  EVP_MD_CTX_free(ctx);
  EVP_MD_free(md);
  return 0;
}
