/*
** Command lines against Python's shlex.
*/
#include "../../src/core/words.h"

#include "kit.h"

/*
** What Python 3.11 answers: for each line s, words = shlex.split(s) gives
** len(words) and "|".join(words); -1 and the text of the ValueError where it
** raises one.
*/
static const struct {
  const char *line;
  int count;
  const char *joined;
} rows[] = {{"true", 1, "true"},
            {"a b", 2, "a|b"},
            {" a\t b\r\nc ", 3, "a|b|c"},
            {"a\vb\fc", 1, "a\vb\fc"},
            {"a  b", 2, "a|b"},
            {"'a b'", 1, "a b"},
            {"\"a b\"", 1, "a b"},
            {"a'b'c\"d\"e", 1, "abcde"},
            {"''", 1, ""},
            {"\"\"", 1, ""},
            {"a '' b", 3, "a||b"},
            {"'' ''", 2, "|"},
            {"a''", 1, "a"},
            {"'a''b'", 1, "ab"},
            {"'\\'", 1, "\\"},
            {"'a\\b'", 1, "a\\b"},
            {"'\"'", 1, "\""},
            {"\"'\"", 1, "'"},
            {"\"a\\\"b\"", 1, "a\"b"},
            {"\"a\\\\b\"", 1, "a\\b"},
            {"\"a\\b\"", 1, "a\\b"},
            {"\"a\\'b\"", 1, "a\\'b"},
            {"\"a\\$b\"", 1, "a\\$b"},
            {"\"a\\\nb\"", 1, "a\\\nb"},
            {"\"\\\\\\\"\"", 1, "\\\""},
            {"\\a", 1, "a"},
            {"a\\ b", 1, "a b"},
            {"\\'", 1, "'"},
            {"\\\"", 1, "\""},
            {"\\\\", 1, "\\"},
            {"a\\\nb", 1, "a\nb"},
            {"\\ ", 1, " "},
            {"'a\nb'", 1, "a\nb"},
            {"a#b", 1, "a#b"},
            {"# a", 2, "#|a"},
            {"a;b|c&d>e<f", 1, "a;b|c&d>e<f"},
            {"$HOME ~ *.txt `x`", 4, "$HOME|~|*.txt|`x`"},
            {"a=b", 1, "a=b"},
            {"caf\xc3"
             "\xa9"
             " \xc2"
             "\xa0"
             "x",
             2,
             "caf\xc3"
             "\xa9"
             "|\xc2"
             "\xa0"
             "x"},
            {"\xe3"
             "\x80"
             "\x80",
             1,
             "\xe3"
             "\x80"
             "\x80"},
            {"/opt/tool --profile 'my profile' --json \"{\\\"a\\\": 1}\"", 5,
             "/opt/tool|--profile|my profile|--json|{\"a\": 1}"},
            {"aws-vault exec --no-session dev -j", 5,
             "aws-vault|exec|--no-session|dev|-j"},
            {"", 0, ""},
            {"  \t\n", 0, ""},
            {"'", -1, "No closing quotation"},
            {"\"", -1, "No closing quotation"},
            {"a 'b", -1, "No closing quotation"},
            {"a \"b", -1, "No closing quotation"},
            {"a'", -1, "No closing quotation"},
            {"\"a\\\"", -1, "No closing quotation"},
            {"\\", -1, "No escaped character"},
            {"a \\", -1, "No escaped character"},
            {"\"a\\", -1, "No escaped character"},
            {"'a\\", -1, "No closing quotation"}};

static struct ar_str joined(struct ar_buf *out, const struct ar_words *w) {
  ar_buf_reset(out);
  for (size_t i = 0; i < w->count; i++) {
    if (i > 0) ar_buf_addc(out, '|');
    ar_buf_addz(out, w->list[i]);
  }
  return ar_buf_str(out);
}

static void like_python(void) {
  struct ar_words w;
  struct ar_buf out;
  struct ar_err err;
  ar_words_init(&w);
  ar_buf_init(&out, 4096);
  for (size_t i = 0; i < LENGTH(rows); i++) {
    int rc = ar_words_split(&w, ar_str_of(rows[i].line), &err);
    CHECK(rc == (rows[i].count > 0 ? AR_OK : AR_E_BAD_CONFIG), "<%s>: %d",
          rows[i].line, rc);
    CHECK((int)w.count == (rows[i].count > 0 ? rows[i].count : 0),
          "<%s>: %zu words", rows[i].line, w.count);
    CHECK(w.list[w.count] == NULL, "<%s>: the list ends", rows[i].line);
    if (rc == AR_OK)
      CHECK_STR(joined(&out, &w), rows[i].joined, rows[i].line);
    else
      CHECK(strstr(err.message, rows[i].joined), "<%s>: %s", rows[i].line,
            err.message);
  }
  ar_buf_free(&out);
  ar_words_free(&w);
}

static void bounds(void) {
  struct ar_words w;
  struct ar_err err;
  char line[2 * AR_MAX_WORDS + 1];
  for (size_t i = 0; i < sizeof line; i++) line[i] = i % 2 ? ' ' : 'x';
  ar_words_init(&w);
  CHECK(ar_words_split(&w, ar_str_n(line, sizeof line - 1), &err) == AR_OK &&
            w.count == AR_MAX_WORDS && w.list[AR_MAX_WORDS] == NULL,
        "64 words are split");
  CHECK(
      ar_words_split(&w, ar_str_n(line, sizeof line), &err) == AR_E_BAD_CONFIG,
      "65 are refused");
  CHECK(w.count == 0 && w.list[0] == NULL, "none is left after an error");
  CHECK(ar_words_split(&w, ar_str_n("a\0b", 3), &err) == AR_E_BAD_CONFIG,
        "a NUL is refused, for no argument can hold one");
  CHECK(ar_words_split(&w, ar_str_n("a'b", 2), &err) == AR_E_BAD_CONFIG,
        "what follows the line is not read");
  CHECK(ar_words_split(&w, ar_str_n("a b", 1), &err) == AR_OK &&
            w.count == 1 && strcmp(w.list[0], "a") == 0,
        "words may be split again");
  ar_words_free(&w);
  CHECK(w.count == 0 && w.text.p == NULL, "freed words are none");
  ar_words_free(&w);
}

int main(void) {
  like_python();
  bounds();
  return checked();
}
