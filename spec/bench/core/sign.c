/*
** Signing alone, as a pause does it: sign N BODY prints the microseconds that
** one signature took, of the clock and of the processor. Linked with the
** core's own objects.
*/
#define _POSIX_C_SOURCE 200809L
#include "../clock.h"

#include "../../../src/core/sigv4.h"

int main(int count, char **argument) {
  const struct ar_header headers[] = {
      {AR_STR("host"), AR_STR("127.0.0.1:40000")},
      {AR_STR("x-amz-target"), AR_STR("AppRunner.PauseService")},
      {AR_STR("content-type"), AR_STR("application/x-amz-json-1.0")}};
  static struct ar_signature signature;
  static struct ar_creds creds;
  struct ar_sign_request request = {.method = AR_STR("POST"),
                                    .path = AR_STR("/"),
                                    .headers = headers,
                                    .header_count = 3,
                                    .region = AR_STR("us-east-1"),
                                    .service = AR_STR("apprunner"),
                                    .time = 1700000000};
  struct moment begin;
  struct ar_err err;
  long n;
  if (count != 3) die("usage: sign N BODY");
  n = count_of(argument[1]);
  request.body = ar_str_of(argument[2]);
  ar_signature_init(&signature);
  ar_creds_init(&creds);
  ar_buf_addz(&creds.access_key_id, "AKIDEXAMPLE");
  ar_buf_addz(&creds.secret_access_key,
              "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
  if (ar_sigv4_sign(&signature, &request, &creds, &err) != AR_OK) return 1;
  begin = now();
  for (long i = 0; i < n; i++) {
    request.time = 1700000000 + i % 3600; /* of one day: the key is kept */
    if (ar_sigv4_sign(&signature, &request, &creds, &err) != AR_OK) return 1;
  }
  tell(begin, n);
  ar_signature_free(&signature);
  ar_creds_free(&creds);
  return 0;
}
