/*
** A command line split into words as Python's shlex.split(s) does it.
*/
#include "words.h"

struct splitter {
  struct ar_str line;
  size_t at;
  struct ar_buf *out;
};

static bool at_end(const struct splitter *s) {
  return s->at == s->line.n;
}

static char next(struct splitter *s) {
  return s->line.p[s->at++];
}

/* shlex's whitespace: no vertical tab, no form feed. */
static bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* What follows a backslash; inside a quotation it escapes little. */
static const char *take_escape(struct splitter *s, char quote) {
  char c;
  if (at_end(s)) return "No escaped character";
  c = next(s);
  if (quote && c != quote && c != '\\') ar_buf_addc(s->out, '\\');
  ar_buf_addc(s->out, c);
  return NULL;
}

/* A quotation after its opening mark. */
static const char *take_quoted(struct splitter *s, char quote) {
  const char *wrong = NULL;
  while (!wrong) {
    char c;
    if (at_end(s)) return "No closing quotation";
    c = next(s);
    if (c == quote) break;
    if (c == '\\' && quote == '"')
      wrong = take_escape(s, quote);
    else
      ar_buf_addc(s->out, c);
  }
  return wrong;
}

/* A word that begins here, up to the whitespace after it. */
static const char *take_word(struct splitter *s) {
  const char *wrong = NULL;
  while (!wrong && !at_end(s) && !is_blank(s->line.p[s->at])) {
    char c = next(s);
    if (c == '\'' || c == '"')
      wrong = take_quoted(s, c);
    else if (c == '\\')
      wrong = take_escape(s, 0);
    else
      ar_buf_addc(s->out, c);
  }
  ar_buf_addc(s->out, '\0');
  return wrong;
}

/* NULL, or what is wrong with the line. */
static const char *take_words(struct splitter *s, size_t *count) {
  const char *wrong = NULL;
  if (ar_str_find(s->line, '\0', 0) < s->line.n) return "a NUL byte";
  while (!wrong) {
    while (!at_end(s) && is_blank(s->line.p[s->at])) s->at++;
    if (at_end(s)) break;
    if (*count == AR_MAX_WORDS) return "too many words";
    wrong = take_word(s);
    ++*count;
  }
  return !wrong && *count == 0 ? "no word" : wrong;
}

/* Only now, when the text no longer moves. */
static void point(struct ar_words *w, size_t count) {
  char *at = w->text.p;
  for (size_t i = 0; i < count; i++, at += strlen(at) + 1) w->list[i] = at;
  w->list[count] = NULL;
  w->count = count;
}

void ar_words_init(struct ar_words *w) {
  *w = (struct ar_words){.count = 0};
}

void ar_words_free(struct ar_words *w) {
  ar_buf_free(&w->text);
  ar_words_init(w);
}

int ar_words_split(struct ar_words *w, struct ar_str line,
                   struct ar_err *err) {
  struct splitter s = {.line = line, .out = &w->text};
  size_t count = 0;
  const char *wrong;
  int rc;
  ar_words_free(w);
  /* Each word stands for itself and for what ends it. */
  w->text.limit = line.n + 1;
  wrong = take_words(&s, &count);
  rc = wrong ? ar_fail(err, AR_E_BAD_CONFIG, "%s in a command line", wrong)
             : ar_buf_check(&w->text, err);
  if (rc == AR_OK)
    point(w, count);
  else
    ar_words_free(w);
  return rc;
}
