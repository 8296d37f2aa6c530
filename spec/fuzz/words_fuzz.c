/*
** Command lines: the words lie in their text, and quoted again they are the
** same.
*/
#include "../../src/core/words.h"

#include "fuzz.h"

/* In single quotes; one of these itself stands in double quotes. */
static void add_quoted(struct ar_buf *line, const char *word) {
  ar_buf_addc(line, '\'');
  for (; *word; word++) {
    if (*word == '\'')
      ar_buf_addz(line, "'\"'\"'");
    else
      ar_buf_addc(line, *word);
  }
  ar_buf_addz(line, "' ");
}

/* With a backslash before each byte. */
static void add_escaped(struct ar_buf *line, const char *word) {
  if (*word == '\0') ar_buf_addz(line, "\"\"");
  for (; *word; word++) {
    ar_buf_addc(line, '\\');
    ar_buf_addc(line, *word);
  }
  ar_buf_addc(line, '\n');
}

static void round_trip(const struct ar_words *w,
                       void add(struct ar_buf *line, const char *word)) {
  struct ar_words again;
  struct ar_buf line;
  ar_words_init(&again);
  ar_buf_init(&line, 5 * w->text.n + 3 * w->count);
  for (size_t i = 0; i < w->count; i++) add(&line, w->list[i]);
  HOLDS(ar_words_split(&again, ar_buf_str(&line), NULL) == AR_OK);
  HOLDS(again.count == w->count);
  HOLDS(ar_str_eq(ar_buf_str(&again.text), ar_buf_str(&w->text)));
  ar_buf_free(&line);
  ar_words_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct ar_str line = fuzz_copy(data, size);
  struct ar_err err = {.code = AR_OK};
  struct ar_words w;
  int rc;
  ar_words_init(&w);
  rc = ar_words_split(&w, line, &err);
  HOLDS(rc == AR_OK || (rc == AR_E_BAD_CONFIG && err.code == AR_E_BAD_CONFIG));
  HOLDS(w.count <= AR_MAX_WORDS && w.list[w.count] == NULL);
  HOLDS((rc == AR_OK) == (w.count > 0) && w.text.n <= size + 1);
  for (size_t i = 0; i < w.count; i++)
    HOLDS(fuzz_inside(ar_str_of(w.list[i]), ar_buf_str(&w.text)));
  if (rc == AR_OK) {
    round_trip(&w, add_quoted);
    round_trip(&w, add_escaped);
  }
  ar_words_free(&w);
  fuzz_free(line);
  return 0;
}
