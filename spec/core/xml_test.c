/*
** XML: the answers of STS and what is refused. The program is linked with
** --wrap for malloc and free, to see that all memory is wiped and that no
** failed allocation does harm.
*/
#define _GNU_SOURCE
#include "../../src/core/xml.h"

#include <malloc.h>
#include <stdlib.h>

#include "kit.h"

#define MOST 4096

/* Reads `path` of `doc`; the result stays in `text`. */
static int read_one(const char *doc, size_t n, const char *path,
                    struct ar_buf *text, bool *found, struct ar_err *err) {
  struct ar_xml_field field = {.path = path, .text = text};
  int rc = ar_xml_flat(ar_str_n(doc, n), &field, 1, err);
  *found = field.found;
  return rc;
}

/* The form of STS's documentation. */
static const char role[] =
    "<AssumeRoleResponse "
    "xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\n"
    "  <AssumeRoleResult>\n"
    "    <AssumedRoleUser>\n"
    "      <Arn>arn:aws:sts::123456789012:assumed-role/demo/x</Arn>\n"
    "    </AssumedRoleUser>\n"
    "    <Credentials>\n"
    "      <AccessKeyId>ASIAEXAMPLE</AccessKeyId>\n"
    "      <SecretAccessKey>wJalr/+=EXAMPLEKEY</SecretAccessKey>\n"
    "      <SessionToken>\n"
    "       AQoDYXdzEPT//////////wEXAMPLE==\n"
    "      </SessionToken>\n"
    "      <Expiration>2026-01-02T03:04:05Z</Expiration>\n"
    "    </Credentials>\n"
    "  </AssumeRoleResult>\n"
    "  <ResponseMetadata><RequestId>c6104cbe</RequestId></ResponseMetadata>\n"
    "</AssumeRoleResponse>\n";

#define RESULT "AssumeRoleResponse/AssumeRoleResult/"

static void an_answer(void) {
  static const struct {
    const char *path, *text;
    bool found;
  } rows[] = {
      {RESULT "Credentials/AccessKeyId", "ASIAEXAMPLE", true},
      {RESULT "Credentials/SecretAccessKey", "wJalr/+=EXAMPLEKEY", true},
      {RESULT "Credentials/SessionToken",
       "\n       AQoDYXdzEPT//////////wEXAMPLE==\n      ", true},
      {RESULT "Credentials/Expiration", "2026-01-02T03:04:05Z", true},
      {RESULT "AssumedRoleUser/Arn",
       "arn:aws:sts::123456789012:assumed-role/demo/x", true},
      {"AssumeRoleResponse/ResponseMetadata/RequestId", "c6104cbe", true},
      {"ErrorResponse/Error/Code", "", false},
      {RESULT "AccessKeyId", "", false},
      {"AccessKeyId", "", false}};
  struct ar_buf texts[LENGTH(rows)];
  struct ar_xml_field fields[LENGTH(rows)];
  struct ar_err err;
  for (size_t i = 0; i < LENGTH(rows); i++) {
    ar_buf_init(&texts[i], MOST);
    ar_buf_addz(&texts[i], "old");
    fields[i] = (struct ar_xml_field){rows[i].path, &texts[i], true};
  }
  CHECK(ar_xml_flat(ar_str_of(role), fields, LENGTH(rows), &err) == AR_OK,
        "an answer of STS is read");
  for (size_t i = 0; i < LENGTH(rows); i++) {
    CHECK(fields[i].found == rows[i].found, "%s is %sfound", rows[i].path,
          rows[i].found ? "" : "not ");
    CHECK_STR(ar_buf_str(&texts[i]), rows[i].text, rows[i].path);
    ar_buf_free(&texts[i]);
  }
}

static const struct element_row {
  const char *doc, *path, *text; /* text NULL: not found */
} elements[] = {
    {"<a>x</a>", "a", "x"},
    {"<a></a>", "a", ""},
    {"<a/>", "a", ""},
    {"<a> x\n</a>", "a", " x\n"},
    {"<a><b>x</b></a>", "a/b", "x"},
    {"<a><b>x</b></a>", "a", ""},
    {"<a><b>x</b></a>", "b", NULL},
    {"<a><b>x</b></a>", "a/", NULL},
    {"<a><b>x</b></a>", "a/b/c", NULL},
    {"<a><bc>x</bc></a>", "a/b", NULL},
    {"<a><B>x</B></a>", "a/b", NULL},
    {"<a>x<b>inner</b>y</a>", "a", "xy"},
    {"<a><b>1</b><b>last</b></a>", "a/b", "last"},
    {"<a><b>1</b><b/></a>", "a/b", ""},
    {"<a><c><b>1</b></c><c><b>2</b></c></a>", "a/c/b", "2"},
    {"<a><c><b>1</b></c><c/></a>", "a/c/b", NULL},
    {"<a><c><b>1</b></c><d/></a>", "a/c/b", "1"},
    {"<a><c><b>1</b></c><b>2</b></a>", "a/b", "2"},
    {"<a>&amp;&lt;&gt;&quot;&apos;&#65;&#x42;</a>", "a", "&<>\"'AB"},
    {"<a>x<![CDATA[<&]]>y</a>", "a", "x<&y"},
    {"<a>x<!-- no -->y<?no no?>z</a>", "a", "xyz"},
    {"<a>x\r\ny\rz</a>", "a", "x\ny\nz"},
    {"<?xml version=\"1.0\"?>\n<a>x</a>\n", "a", "x"},
    {"<?xml version='1.0' encoding='ISO-8859-1'?><a>\xe9</a>", "a",
     "\xc3\xa9"},
    {"\xef\xbb\xbf<a>\xe2\x82\xac</a>", "a", "\xe2\x82\xac"},
    {"<s:a xmlns:s=\"urn:x\"><s:b>x</s:b></s:a>", "a/b", "x"},
    {"<a b=\"y\">x</a>", "a", "x"}};

static void good_documents(void) {
  struct ar_buf text;
  struct ar_err err;
  bool found;
  ar_buf_init(&text, MOST);
  for (size_t i = 0; i < LENGTH(elements); i++) {
    const struct element_row *row = &elements[i];
    CHECK(read_one(row->doc, strlen(row->doc), row->path, &text, &found,
                   &err) == AR_OK,
          "%s is read", row->doc);
    CHECK(found == (row->text != NULL), "%s: %s", row->doc, row->path);
    CHECK_STR(ar_buf_str(&text), row->text ? row->text : "", row->doc);
  }
  ar_buf_free(&text);
}

static const struct {
  const char *doc, *message;
} bad[] = {{"", "line 1: no element found"},
           {"  \n ", "line 2: no element found"},
           {"x", "line 1"},
           {"{\"a\":1}", "line 1"},
           {"<a>", "line 1: no element found"},
           {"<a>\n<b>\n</a>", "line 3: mismatched tag"},
           {"<a/><b/>", "junk after document element"},
           {"<a>x</a>y", "junk after document element"},
           {"<a>\xff</a>", "not well-formed"},
           {"<a>&copy;</a>", "undefined entity"},
           {"<a>&</a>", "not well-formed"},
           {"<a b=1/>", "not well-formed"},
           {"<html><br></html>", "mismatched tag"},
           {"<!DOCTYPE a><a>x</a>", "line 1: a document type is declared"},
           {"\n<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>",
            "line 2: a document type is declared"},
           {"<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>",
            "a document type is declared"},
           {"<!DOCTYPE a [<!ENTITY e SYSTEM '/etc/passwd'>]><a>&e;</a>",
            "a document type is declared"}};

static void bad_documents(void) {
  struct ar_buf text;
  struct ar_err err;
  bool found;
  ar_buf_init(&text, MOST);
  for (size_t i = 0; i < LENGTH(bad); i++) {
    CHECK(read_one(bad[i].doc, strlen(bad[i].doc), "a", &text, &found, &err) ==
              AR_E_RESPONSE,
          "'%s' is refused", bad[i].doc);
    CHECK(strstr(err.message, bad[i].message), "%s: '%s' does not say '%s'",
          bad[i].doc, err.message, bad[i].message);
  }
  CHECK(read_one("<a>x\0y</a>", 10, "a", &text, &found, &err) == AR_E_RESPONSE,
        "a NUL is refused");
  CHECK(read_one(NULL, 0, "a", &text, &found, &err) == AR_E_RESPONSE,
        "an empty slice of nothing is refused");
  ar_buf_free(&text);
}

/* Every beginning of a good document is refused, and read within bounds. */
static void cut_document(void) {
  struct ar_buf text;
  struct ar_err err;
  bool found;
  size_t wrong = 0;
  ar_buf_init(&text, MOST);
  for (size_t n = 0; n + 2 < sizeof role; n++)
    wrong += read_one(role, n, "a", &text, &found, &err) != AR_E_RESPONSE;
  CHECK(wrong == 0, "every beginning of an answer is refused");
  ar_buf_free(&text);
}

/* `depth` nested elements with `text` in the innermost. */
static void nest(struct ar_buf *doc, int depth, const char *text) {
  ar_buf_reset(doc);
  for (int i = 0; i < depth; i++) ar_buf_addz(doc, "<a>");
  ar_buf_addz(doc, text);
  for (int i = 0; i < depth; i++) ar_buf_addz(doc, "</a>");
}

static int read_nested(const struct ar_buf *doc, struct ar_buf *text,
                       bool *found) {
  static const char path[] =
      "a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a";
  struct ar_err err;
  return read_one(ar_buf_z(doc), doc->n, path, text, found, &err);
}

static void limits(void) {
  struct ar_buf doc, text;
  struct ar_err err;
  bool found;
  ar_buf_init(&doc, 1u << 24);
  ar_buf_init(&text, 4);
  nest(&doc, 32, "abcd");
  CHECK(read_nested(&doc, &text, &found) == AR_OK && found, "32 deep is read");
  CHECK_STR(ar_buf_str(&text), "abcd", "the text at the bottom");
  nest(&doc, 33, "abcd");
  CHECK(read_nested(&doc, &text, &found) == AR_E_RESPONSE, "33 is too deep");
  nest(&doc, 1000000, "");
  CHECK(read_nested(&doc, &text, &found) == AR_E_RESPONSE,
        "a million elements are refused, and overflow nothing");
  CHECK(
      read_one("<a>abcde</a>", 12, "a", &text, &found, &err) == AR_E_RESPONSE,
      "a text beyond its buffer's limit is refused");
  ar_buf_free(&doc);
  ar_buf_free(&text);
}

/* Longer than any buffer inside the parser, in many pieces. */
static void long_texts(void) {
  struct ar_buf doc, text, expected;
  struct ar_err err;
  bool found;
  ar_buf_init(&doc, 1u << 22);
  ar_buf_init(&text, 1u << 22);
  ar_buf_init(&expected, 1u << 22);
  ar_buf_addz(&doc, "<a>");
  for (int i = 0; i < 20000; i++) {
    ar_buf_addz(&doc, "token&amp;\n");
    ar_buf_addz(&expected, "token&\n");
  }
  ar_buf_addz(&doc, "</a>");
  CHECK(read_one(ar_buf_z(&doc), doc.n, "a", &text, &found, &err) == AR_OK &&
            ar_str_eq(ar_buf_str(&text), ar_buf_str(&expected)),
        "a text in many pieces is joined");
  ar_buf_reset(&doc);
  ar_buf_addz(&doc, "<?xml version='1.0' encoding='ISO-8859-1'?><a><");
  for (int i = 0; i < 5000; i++) ar_buf_addc(&doc, '\xe9');
  ar_buf_addz(&doc, "/></a>");
  CHECK(read_one(ar_buf_z(&doc), doc.n, "a", &text, &found, &err) == AR_OK &&
            found && text.n == 0,
        "a name that grows in UTF-8 is no failure");
  ar_buf_free(&doc);
  ar_buf_free(&text);
  ar_buf_free(&expected);
}

#define TOKEN "AQoDYXdzEPT"

static long until_failure = -1; /* allocations that are still granted */
static long live, dirty;        /* blocks; those freed with TOKEN in them */

void *__wrap_malloc(size_t size);
void __wrap_free(void *block);
void __real_free(void *block);

void *__wrap_malloc(size_t size) {
  if (until_failure == 0) return NULL;
  until_failure -= until_failure > 0;
  live++;
  return calloc(1, size); /* so that no byte is undefined in free */
}

void __wrap_free(void *block) {
  if (block != NULL) {
    live--;
    dirty += memmem(block, malloc_usable_size(block), TOKEN,
                    sizeof TOKEN - 1) != NULL;
  }
  __real_free(block);
}

static void wiping(void) {
  struct ar_buf text;
  struct ar_err err;
  bool found;
  ar_buf_init(&text, MOST);
  live = dirty = 0;
  CHECK(read_one(role, sizeof role - 1, RESULT "Credentials/SessionToken",
                 &text, &found, &err) == AR_OK &&
            strstr(ar_buf_z(&text), TOKEN),
        "the token is read");
  ar_buf_free(&text);
  CHECK(live == 0, "no block is left: %ld", live);
  CHECK(dirty == 0, "%ld blocks were freed with the token in them", dirty);
}

/* Each allocation in turn fails, and all after it. */
static void failing(void) {
  struct ar_buf text;
  struct ar_err err;
  bool found;
  int rc = AR_E_MEMORY;
  long wrong = 0, n;
  live = dirty = 0;
  ar_buf_init(&text, MOST);
  for (n = 0; rc != AR_OK && n < 1000; n++) {
    until_failure = n;
    rc = read_one(role, sizeof role - 1, RESULT "Credentials/SessionToken",
                  &text, &found, &err);
    wrong += rc != AR_OK && (rc != AR_E_MEMORY || err.code != AR_E_MEMORY);
    ar_buf_free(&text);
    wrong += live != 0 || dirty != 0;
  }
  until_failure = -1;
  CHECK(n > 10 && rc == AR_OK, "each of %ld allocations has failed", n - 1);
  CHECK(wrong == 0, "a failed allocation is AR_E_MEMORY, and nothing is left");
}

int main(void) {
  an_answer();
  good_documents();
  bad_documents();
  cut_document();
  limits();
  long_texts();
  wiping();
  failing();
  return checked();
}
