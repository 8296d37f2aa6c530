/*
** One exchange of a pause by libcurl alone, for the C programs that are the
** floor: the same bytes are posted, and nothing is decoded.
*/
#ifndef bench_exchange_h
#define bench_exchange_h

#include <curl/curl.h>
#include <stdbool.h>
#include <string.h>

#include "clock.h"

/* --- the request ---------------------------------------------------------
 */

struct target {
  const char *url, *ca;
  struct curl_slist *headers;
  char *body;
  size_t size;
  bool signs;
};

static inline char *read_file(const char *path, size_t *size) {
  static char text[65536];
  FILE *file = fopen(path, "rb");
  if (file == NULL) die("no request");
  *size = fread(text, 1, sizeof text - 1, file);
  text[*size] = '\0';
  fclose(file);
  return text;
}

/* Whether libcurl writes this header itself. */
static inline bool is_libcurls(const char *line, bool signs) {
  static const char *const names[] = {
      "Host:", "Content-Length:", "Authorization:", "X-Amz-Date:"};
  for (int i = 0; i < (signs ? 4 : 2); i++)
    if (strncasecmp(line, names[i], strlen(names[i])) == 0) return true;
  return false;
}

static inline void read_target(char **argument, bool signs, struct target *t) {
  size_t size;
  char *text = read_file(argument[1], &size), *line = strstr(text, "\r\n");
  char *body = strstr(text, "\r\n\r\n");
  if (line == NULL || body == NULL) die("no whole request");
  *t = (struct target){argument[0],
                       argument[2],
                       curl_slist_append(NULL, "Accept:"),
                       body + 4,
                       size - (size_t)(body + 4 - text),
                       signs};
  body[2] = '\0';
  for (line += 2; *line != '\0';) {
    char *end = strstr(line, "\r\n");
    *end = '\0';
    if (!is_libcurls(line, signs))
      t->headers = need(curl_slist_append(t->headers, line));
    line = end + 2;
  }
}

/* --- one exchange --------------------------------------------------------
 */

struct slot {
  CURL *easy;
  char *text; /* the answer */
  size_t n;
};

static inline size_t on_body(char *p, size_t size, size_t n, void *data) {
  struct slot *slot = data;
  size *= n;
  slot->text = need(realloc(slot->text, slot->n + size));
  memcpy(slot->text + slot->n, p, size);
  slot->n += size;
  return size;
}

static inline void open_slot(struct slot *slot, const struct target *t) {
  CURL *easy = need(curl_easy_init());
  *slot = (struct slot){.easy = easy};
  curl_easy_setopt(easy, CURLOPT_URL, t->url);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, t->headers);
  curl_easy_setopt(easy, CURLOPT_POSTFIELDS, t->body);
  curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)t->size);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, slot);
  curl_easy_setopt(easy, CURLOPT_PRIVATE, slot);
  if (strcmp(t->ca, "-") != 0) curl_easy_setopt(easy, CURLOPT_CAINFO, t->ca);
  if (!t->signs) return;
  curl_easy_setopt(easy, CURLOPT_AWS_SIGV4, "aws:amz:us-east-1:apprunner");
  curl_easy_setopt(easy, CURLOPT_USERPWD,
                   "AKIDEXAMPLE:wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
}

static inline void check_answer(const struct slot *slot, CURLcode result) {
  long status = 0;
  curl_easy_getinfo(slot->easy, CURLINFO_RESPONSE_CODE, &status);
  if (result != CURLE_OK) die(curl_easy_strerror(result));
  if (status != 200 || slot->n == 0) die("not the expected answer");
}

static inline void drop_answer(struct slot *slot) {
  free(slot->text);
  slot->text = NULL;
  slot->n = 0;
}

static inline void close_slot(struct slot *slot) {
  curl_easy_cleanup(slot->easy);
}

/* The answer is then in the slot. */
static inline void exchange(CURLM *multi, struct slot *slot) {
  CURLMsg *message;
  int running = 1, left;
  curl_multi_add_handle(multi, slot->easy);
  for (;;) {
    curl_multi_perform(multi, &running);
    if (running == 0) break;
    curl_multi_poll(multi, NULL, 0, 1000, NULL);
  }
  message = curl_multi_info_read(multi, &left);
  if (message == NULL) die("an exchange without an end");
  check_answer(slot, message->data.result);
  curl_multi_remove_handle(multi, slot->easy);
}

#endif
