/*
** JSON: writing strings, bounding documents, reading flat ones.
*/
#include "../../src/core/json.h"

#include "kit.h"

#define MOST 4096

static void strings(void) {
  static const struct {
    const char *p;
    size_t n;
    const char *json;
  } rows[] = {{"", 0, "\"\""},
              {"a/b", 3, "\"a/b\""},
              {"\"\\", 2, "\"\\\"\\\\\""},
              {"\b\f\n\r\t", 5, "\"\\b\\f\\n\\r\\t\""},
              {"\0\x1f\x7f", 3, "\"\\u0000\\u001f\\u007f\""},
              {"\xc3\xa9\xff", 3, "\"\xc3\xa9\xff\""}};
  struct ar_buf out;
  ar_buf_init(&out, MOST);
  for (size_t i = 0; i < LENGTH(rows); i++) {
    ar_buf_reset(&out);
    ar_json_add_string(&out, ar_str_n(rows[i].p, rows[i].n));
    CHECK_STR(ar_buf_str(&out), rows[i].json, "a string");
  }
  ar_buf_free(&out);
}

static const struct sane_row {
  const char *doc;
  size_t depth, members;
  bool sane, nulls;
} sane_rows[] = {{"", 1, 1, true, false},
                 {"{}", 1, 1, true, false},
                 {"[[]]", 2, 9, true, false},
                 {"[[]]", 1, 9, false, false},
                 {"[1,2,3]", 1, 3, true, false},
                 {"[1,2,3]", 1, 2, false, false},
                 {"{\"[[[[\":\"{{{{\\\"[[[,,,\"}", 1, 1, true, false},
                 {"{\"a\":null}", 9, 9, true, true},
                 {"{\"null\":\"null\"}", 9, 9, true, false},
                 {"{\"a\":NaN}", 9, 9, false, false},
                 {"{\"a\":-Infinity}", 9, 9, false, false},
                 {"{\"a\":0x10}", 9, 9, false, false},
                 {"{\"a\":-1.5E+3}", 9, 9, true, false},
                 {"{\"a\":nullnull}", 9, 9, false, false},
                 {"[-0,0.5,1e-400,1E+307,nul]", 9, 9, false, false},
                 {"[-0,0.5,1e-400,1E+307,0]", 9, 9, true, false},
                 {"[1.]", 9, 9, false, false},
                 {"[1.e5]", 9, 9, false, false},
                 {"[1e]", 9, 9, false, false},
                 {"[1e+]", 9, 9, false, false},
                 {"[-]", 9, 9, false, false},
                 {"[01]", 9, 9, false, false},
                 {"[1e308]", 9, 9, false, false},
                 {"[10e307]", 9, 9, false, false},
                 {"[1e99999999999999999999]", 9, 9, false, false},
                 {"[1e18446744073709551617]", 9, 9, false, false},
                 {"[1x]", 9, 9, false, false},
                 {"\"\\\\\"[", 0, 0, false, false},
                 {"\"\\\"[", 0, 0, true, false},
                 {"\"\\\\\\\"[", 0, 0, true, false},
                 {"{\"a\":TRUE}", 9, 9, false, false},
                 {"]]]}{", 1, 9, true, false},
                 {"\"never ends [[[", 1, 9, true, false},
                 {"\"ends in \\", 1, 9, true, false}};

static void sanity(void) {
  for (size_t i = 0; i < LENGTH(sane_rows); i++) {
    const struct sane_row *row = &sane_rows[i];
    bool nulls = true;
    bool sane =
        ar_json_is_sane(ar_str_of(row->doc), row->depth, row->members, &nulls);
    CHECK(sane == row->sane, "'%s' is %ssane", row->doc,
          row->sane ? "" : "not ");
    CHECK(!sane || nulls == row->nulls, "'%s': nulls", row->doc);
  }
}

/* A byte that no text may have is found wherever it stands. */
static void text_bytes(void) {
  static const char bad[] = "\x01\x1f\n\x80\xc3\xff";
  char doc[] = "\"................................................\"";
  bool nulls;
  for (size_t i = 1; i < sizeof doc - 2; i++) {
    for (size_t k = 0; k < sizeof bad - 1; k++) {
      doc[i] = bad[k];
      CHECK(!ar_json_is_sane(ar_str_of(doc), 9, 9, &nulls),
            "byte %02x at %zu is refused", (unsigned char)bad[k], i);
    }
    doc[i] = '\x7f';
    CHECK(ar_json_is_sane(ar_str_of(doc), 9, 9, &nulls), "DEL at %zu", i);
  }
}

/* Reads member `path` of `doc`; the result stays in `text`. */
static int read_one(const char *doc, size_t n, const char *path,
                    struct ar_buf *text, enum ar_json_type *type) {
  struct ar_json_field field = {.path = path, .text = text};
  struct ar_err err;
  int rc = ar_json_flat(ar_str_n(doc, n), &field, 1, &err);
  *type = field.type;
  return rc;
}

static const struct member_row {
  const char *doc, *path;
  enum ar_json_type type;
  const char *text;
} members[] = {
    {"{}", "a", AR_JSON_ABSENT, ""},
    {" {\t\"a\"\r\n:\n\"b\" } ", "a", AR_JSON_STRING, "b"},
    {"{\"a\":\"\"}", "a", AR_JSON_STRING, ""},
    {"{\"a\":null}", "a", AR_JSON_ABSENT, ""},
    {"{\"a\":true}", "a", AR_JSON_BOOLEAN, "true"},
    {"{\"a\":-0.5e+10}", "a", AR_JSON_NUMBER, "-0.5e+10"},
    {"{\"a\":0}", "a", AR_JSON_NUMBER, "0"},
    {"{\"a\":[1,{\"a\":2}]}", "a", AR_JSON_OTHER, ""},
    {"{\"a\":{\"b\":1}}", "a", AR_JSON_OTHER, ""},
    {"{\"a\":1,\"a\":\"last\"}", "a", AR_JSON_STRING, "last"},
    {"{\"a\":\"first\",\"a\":null}", "a", AR_JSON_ABSENT, ""},
    {"{\"a\":\"first\",\"a\":{}}", "a", AR_JSON_OTHER, ""},
    {"{\"A\":\"x\"}", "a", AR_JSON_ABSENT, ""},
    {"{\"\\u0061\":\"x\"}", "a", AR_JSON_STRING, "x"},
    {"{\"b\":{\"a\":\"deep\"}}", "a", AR_JSON_ABSENT, ""},
    {"{\"b\":[{\"a\":\"deep\"}]}", "b.a", AR_JSON_ABSENT, ""},
    {"{\"b\":{\"a\":\"x\"}}", "b.a", AR_JSON_STRING, "x"},
    {"{\"b\":{\"c\":{\"a\":\"x\"}}}", "b.a", AR_JSON_ABSENT, ""},
    {"{\"c\":{\"a\":\"x\"}}", "b.a", AR_JSON_ABSENT, ""},
    {"{\"b\":{\"a\":\"x\"},\"b\":{\"a\":\"y\"}}", "b.a", AR_JSON_STRING, "y"},
    {"{\"b\":{\"a\":\"x\"},\"b\":{}}", "b.a", AR_JSON_ABSENT, ""},
    {"{\"b\":{\"a\":\"x\"},\"b\":null}", "b.a", AR_JSON_ABSENT, ""},
    {"{\"b.a\":\"x\"}", "b.a", AR_JSON_ABSENT, ""},
    {"{\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"}", "a", AR_JSON_STRING,
     "\"\\/\b\f\n\r\t"},
    {"{\"a\":\"\\u00e9\\u20AC\\ud83d\\ude00\"}", "a", AR_JSON_STRING,
     "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"},
    {"{\"a\":\"\xc3\xa9\x7f\"}", "a", AR_JSON_STRING, "\xc3\xa9\x7f"}};

static void good_documents(void) {
  struct ar_buf text;
  ar_buf_init(&text, MOST);
  for (size_t i = 0; i < LENGTH(members); i++) {
    const struct member_row *row = &members[i];
    enum ar_json_type type;
    int rc = read_one(row->doc, strlen(row->doc), row->path, &text, &type);
    CHECK(rc == AR_OK, "%s is read", row->doc);
    CHECK(type == row->type, "%s: type %d, not %d", row->doc, row->type, type);
    CHECK_STR(ar_buf_str(&text), row->text, row->doc);
  }
  ar_buf_free(&text);
}

static const char *const bad[] = {"",
                                  " ",
                                  "null",
                                  "[]",
                                  "\"a\"",
                                  "1",
                                  "{",
                                  "}",
                                  "{}}",
                                  "{} x",
                                  "{,}",
                                  "{\"a\"}",
                                  "{\"a\":}",
                                  "{\"a\":1,}",
                                  "{a:1}",
                                  "{'a':1}",
                                  "{\"a\" 1}",
                                  "{\"a\":1 \"b\":2}",
                                  "{\"a\":01}",
                                  "{\"a\":-}",
                                  "{\"a\":+1}",
                                  "{\"a\":1.}",
                                  "{\"a\":.5}",
                                  "{\"a\":1e}",
                                  "{\"a\":1e+}",
                                  "{\"a\":0x1}",
                                  "{\"a\":NaN}",
                                  "{\"a\":nul}",
                                  "{\"a\":True}",
                                  "{\"a\":tru",
                                  "{\"a\":\"",
                                  "{\"a\":\"\\",
                                  "{\"a\":\"\\x\"}",
                                  "{\"a\":\"\\u12\"}",
                                  "{\"a\":\"\\u12g4\"}",
                                  "{\"a\":\"\\ud800\"}",
                                  "{\"a\":\"\\ud800\\u0041\"}",
                                  "{\"a\":\"\\udc00\"}",
                                  "{\"a\":\"\\ud800\\",
                                  "{\"a\":\"x\ny\"}",
                                  "{\"a\":\"x\x1fy\"}",
                                  "{\"a\":[1,]}",
                                  "{\"a\":[1}",
                                  "{\"a\":{]}",
                                  "\xef\xbb\xbf{}",
                                  "{\"a\":[}",
                                  "{\"a\":\"b\"]",
                                  "\v{}",
                                  "{\"a\":1\f}"};

static void bad_documents(void) {
  struct ar_buf text;
  enum ar_json_type type;
  ar_buf_init(&text, MOST);
  for (size_t i = 0; i < LENGTH(bad); i++)
    CHECK(read_one(bad[i], strlen(bad[i]), "a", &text, &type) == AR_E_RESPONSE,
          "'%s' is refused", bad[i]);
  CHECK(read_one("{\"a\":\"x\0y\"}", 11, "a", &text, &type) == AR_E_RESPONSE,
        "a NUL in a string is refused");
  CHECK(read_one("{}\0", 3, "a", &text, &type) == AR_E_RESPONSE,
        "a NUL after the document is refused");
  CHECK(read_one("{\"a\":\"x\\u0000y\"}", 16, "a", &text, &type) == AR_OK &&
            text.n == 3 && memcmp(text.p, "x\0y", 3) == 0,
        "an escaped NUL is read");
  ar_buf_free(&text);
}

/* Every beginning of a good document is refused, and read within bounds. */
static void cut_documents(void) {
  struct ar_buf text;
  enum ar_json_type type;
  ar_buf_init(&text, MOST);
  for (size_t i = 0; i < LENGTH(members); i++) {
    const char *doc = members[i].doc, *end = strrchr(doc, '}');
    size_t wrong = 0;
    for (size_t n = 0; n < (size_t)(end - doc); n++)
      wrong += read_one(doc, n, "a", &text, &type) != AR_E_RESPONSE;
    CHECK(wrong == 0, "every beginning of %s is refused", doc);
  }
  ar_buf_free(&text);
}

static void depths(void) {
  struct ar_buf doc, text;
  enum ar_json_type type;
  ar_buf_init(&doc, 1u << 22);
  ar_buf_init(&text, 4);
  ar_buf_addz(&doc, "{\"a\":");
  for (int i = 0; i < 1000000; i++) ar_buf_addc(&doc, '[');
  CHECK(read_one(ar_buf_z(&doc), doc.n, "a", &text, &type) == AR_E_RESPONSE,
        "a million brackets are refused, and overflow nothing");
  ar_buf_reset(&doc);
  ar_buf_addz(&doc, "{\"b\":");
  for (int i = 0; i < 31; i++) ar_buf_addc(&doc, '[');
  for (int i = 0; i < 31; i++) ar_buf_addc(&doc, ']');
  ar_buf_addz(&doc, ",\"a\":\"abcd\"}");
  CHECK(read_one(ar_buf_z(&doc), doc.n, "a", &text, &type) == AR_OK &&
            text.n == 4,
        "31 brackets are passed over");
  ar_buf_reset(&doc);
  ar_buf_addz(&doc, "{\"a\":\"abcde\"}");
  CHECK(read_one(ar_buf_z(&doc), doc.n, "a", &text, &type) != AR_OK,
        "a text beyond its buffer's limit is no success");
  ar_buf_free(&doc);
  ar_buf_free(&text);
}

int main(void) {
  strings();
  sanity();
  text_bytes();
  good_documents();
  bad_documents();
  cut_documents();
  depths();
  return checked();
}
