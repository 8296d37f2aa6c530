/*
** Signing alone, as a pause does it: sign N BODY prints the microseconds that
** one signature took, of the clock and of the processor. Linked with the
** core's own objects.
*/
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "../../../src/core/sigv4.h"

static double microseconds(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

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
  long n = count > 2 ? strtol(argument[1], NULL, 10) : 0;
  double clock, processor;
  struct ar_err err;
  if (n < 1) return 2;
  request.body = ar_str_of(argument[2]);
  ar_signature_init(&signature);
  ar_creds_init(&creds);
  ar_buf_addz(&creds.access_key_id, "AKIDEXAMPLE");
  ar_buf_addz(&creds.secret_access_key,
              "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
  if (ar_sigv4_sign(&signature, &request, &creds, &err) != AR_OK) return 1;
  clock = microseconds(CLOCK_MONOTONIC);
  processor = microseconds(CLOCK_PROCESS_CPUTIME_ID);
  for (long i = 0; i < n; i++) {
    request.time = 1700000000 + i % 3600; /* of one day: the key is kept */
    if (ar_sigv4_sign(&signature, &request, &creds, &err) != AR_OK) return 1;
  }
  printf("%.4f %.4f\n", (microseconds(CLOCK_MONOTONIC) - clock) / (double)n,
         (microseconds(CLOCK_PROCESS_CPUTIME_ID) - processor) / (double)n);
  ar_signature_free(&signature);
  ar_creds_free(&creds);
  return 0;
}
