/*
** The grammar of the shared files: what is told of a text, what is refused,
** and that it is read in place, in one go. The parser is compiled into this
** program once more, with its work counted; an allocation in it would not
** compile.
*/
#include <stdlib.h>

#include "kit.h"

static size_t bytes_moved, bytes_searched;

static void *counted_memmove(void *to, const void *from, size_t n) {
  bytes_moved += n;
  return memmove(to, from, n);
}

static size_t counted_find(struct ar_str s, char c, size_t from) {
  size_t at = ar_str_find(s, c, from);
  bytes_searched += at - from;
  return at;
}

#define ar_ini_parse counted_parse
#define ar_ini_nested counted_nested
#define ar_str_find counted_find
#define memmove counted_memmove
#define malloc(n) the_parser_allocates_nothing
#define calloc(n, size) the_parser_allocates_nothing
#define realloc(p, n) the_parser_allocates_nothing
/* The prototypes are those of the real names. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmissing-prototypes"
#include "../../src/core/ini.c"
#pragma GCC diagnostic pop
#undef malloc
#undef calloc
#undef realloc

/* --- a text and what is told of it ----------------------------------------
 */

struct telling {
  struct ar_buf out;
  size_t sections, properties, fail_at;
};

static int tell_section(void *context, enum ar_section_kind kind,
                        struct ar_str name, bool plain) {
  static const char *const marks[] = {"profile ", "sso ", "services "};
  struct telling *t = context;
  ar_buf_addz(&t->out, "[");
  ar_buf_addz(&t->out, plain ? "plain " : marks[kind]);
  ar_buf_adds(&t->out, name);
  ar_buf_addz(&t->out, "]");
  return ++t->sections + t->properties == t->fail_at ? AR_E_MEMORY : AR_OK;
}

static int tell_property(void *context, struct ar_str name,
                         struct ar_str value, unsigned line) {
  struct telling *t = context;
  ar_buf_addi(&t->out, line);
  ar_buf_addz(&t->out, " ");
  ar_buf_adds(&t->out, name);
  ar_buf_addz(&t->out, "=");
  ar_buf_adds(&t->out, value);
  ar_buf_addz(&t->out, "|");
  return t->sections + ++t->properties == t->fail_at ? AR_E_MEMORY : AR_OK;
}

static struct ar_err err;

/* Parses a copy that ends where the text does, for the checkers to watch. */
static int parse(const char *p, size_t n, enum ar_ini_file file,
                 struct telling *t) {
  struct ar_ini_events events = {tell_section, tell_property, t};
  char *text = malloc(n ? n : 1);
  int rc;
  memcpy(text, p, n);
  ar_buf_reset(&t->out);
  t->sections = t->properties = 0;
  err.message[0] = '\0';
  rc = counted_parse(text, n, file, &events, &err);
  free(text);
  return rc;
}

static const struct row {
  const char *text, *told;
} configs[] = {
    {"", ""},
    {"\n \n\t\n\r\n", ""},
    {"# only\n; comments\n#\n;", ""},
    {"[profile foo]", "[profile foo]"},
    {"[profile foo]\n", "[profile foo]"},
    {"[profile foo]\r\nname = value\r\nb = c\r\n",
     "[profile foo]2 name=value|3 b=c|"},
    {"[profile foo]\nname = value\r", "[profile foo]2 name=value\r|"},
    {"[profile foo]\nname = va\rlue", "[profile foo]2 name=va\rlue|"},
    /* headers */
    {"[default]", "[plain default]"},
    {"[ \tdefault\t ]", "[plain default]"},
    {"[Default]", ""},
    {"[profile default]", "[profile default]"},
    {"[   profile \t foo   ]", "[profile foo]"},
    {"[profile\tfoo]", "[profile foo]"},
    {"[profile foo]# x", "[profile foo]"},
    {"[profile foo]; x", "[profile foo]"},
    {"[profile foo] \t# x ]", "[profile foo]"},
    {"[profile foo] \t ", "[profile foo]"},
    {"[profile Foo][profile foo]", ""},
    {"[profile a]b]", ""},
    {"[foo]\na = b", ""},
    {"[profilefoo]\na = b\n[profile bar]\nc = d", "[profile bar]4 c=d|"},
    {"[profile]\na = b", ""},
    {"[profile ]\na = b", ""},
    {"[Profile foo]\na = b", ""},
    {"[]\na = b", ""},
    {"[ ]\na = b", ""},
    {"[profile in valid]\na = b\n c\n[profile x]", "[profile x]"},
    {"[profile foo!bar]\na = b\n[profile x]", "[profile x]"},
    {"[profile \"foo\"]", ""},
    {"[profile caf\xc3\xa9]", ""},
    {"[profile azAZ09_-/.%@:+]", "[profile azAZ09_-/.%@:+]"},
    {"[sso-session foo]\na = b", "[sso foo]2 a=b|"},
    {"[sso-session\tdefault]", "[sso default]"},
    {"[services foo]\na = b", "[services foo]2 a=b|"},
    {"[sso-sesion foo]\na = b", ""},
    {"[sso-sessionfoo]", ""},
    {"[sso-session]", ""},
    {"[profile a]\n[profile a]\nx = 1", "[profile a][profile a]3 x=1|"},
    {"[profile a]\nx = 1\n[profile b]\ny = 2",
     "[profile a]2 x=1|[profile b]4 y=2|"},
    /* properties */
    {"[default]\nname=value", "[plain default]2 name=value|"},
    {"[default]\nname \t=\t value \t", "[plain default]2 name=value|"},
    {"[default]\nNaMe = VaLue", "[plain default]2 name=VaLue|"},
    {"[default]\nname = a=b==", "[plain default]2 name=a=b==|"},
    {"[default]\nname =", "[plain default]2 name=|"},
    {"[default]\nname = value # c ; d", "[plain default]2 name=value|"},
    {"[default]\nname = value\t;c", "[plain default]2 name=value|"},
    {"[default]\nname = value#c", "[plain default]2 name=value#c|"},
    {"[default]\nname = value; c", "[plain default]2 name=value; c|"},
    {"[default]\nname =#c", "[plain default]2 name=#c|"},
    {"[default]\nname = # c", "[plain default]2 name=|"},
    {"[default]\nname = \"a b\" \\n", "[plain default]2 name=\"a b\" \\n|"},
    {"[default]\nname = \xf0\x9f\x98\x80",
     "[plain default]2 name=\xf0\x9f\x98\x80|"},
    {"[default]\nname = \xff\xc3", "[plain default]2 name=\xff\xc3|"},
    {"[default]\nname = a\vb \f", "[plain default]2 name=a\vb \f|"},
    {"[default]\nin valid = 1\nb = 2", "[plain default]3 b=2|"},
    {"[default]\nna\xc3\xafve = 1\n more\nb = 2", "[plain default]4 b=2|"},
    {"[default]\naZ09_-/.%@:+ = 1", "[plain default]2 az09_-/.%@:+=1|"},
    {"[default]\na = 1\na = 2\nA = 3", "[plain default]2 a=1|3 a=2|4 a=3|"},
    {"\n\n# x\n[default]\n\n# x\na = 1\n ; \n\nb = 2",
     "[plain default]7 a=1\n;|10 b=2|"},
    {"[default]\n[x] = y", NULL},
    /* continuations */
    {"[default]\na = b\n c", "[plain default]2 a=b\nc|"},
    {"[default]\na = b\r\n \t c \t \r\n\td\r\n",
     "[plain default]2 a=b\nc\nd|"},
    {"[default]\na = b # x\n c # y\n ;z", "[plain default]2 a=b\nc # y\n;z|"},
    {"[default]\na = b\n\n \t\n# x\n c", "[plain default]2 a=b\nc|"},
    {"[default]\na = b\n # c", "[plain default]2 a=b\n# c|"},
    {"[default]\na = b\n c = d\ne = f", "[plain default]2 a=b\nc = d|4 e=f|"},
    {"[default]\na = b\n [x]", "[plain default]2 a=b\n[x]|"},
    {"[foo]\na = b\n c", ""},
    /* nested blocks */
    {"[default]\ns3 =\n a = b", "[plain default]2 s3=\na = b|"},
    {"[default]\ns3=\n a=b\n\n \t\n c =\nd = e",
     "[plain default]2 s3=\na=b\nc =|7 d=e|"},
    {"[default]\ns3 = # c\n A = b ", "[plain default]2 s3=\nA = b|"},
    {"[default]\ns3 =    \t\n in valid! = # b ; c",
     "[plain default]2 s3=\nin valid! = # b ; c|"},
    {"[default]\ns3 =\n a = b\n# x\n c = d # e",
     "[plain default]2 s3=\na = b\nc = d # e|"},
    {"[default]\ns3 =\n # a = b", "[plain default]2 s3=\n# a = b|"}};

static const struct row credentials[] = {
    {"[default]\na = b", "[profile default]2 a=b|"},
    {"[foo]\na = b", "[profile foo]2 a=b|"},
    {"[   foo    ]\na = b", "[profile foo]2 a=b|"},
    {"[profile foo]\na = b\n[foo]\nc = d", "[profile foo]4 c=d|"},
    {"[profile default]", ""},
    {"[sso-session foo]\na = b", ""},
    {"[services foo]\na = b", ""},
    {"[unknown foo]\na = b", ""},
    {"[profilefoo]", "[profile profilefoo]"},
    {"[sso-sessionfoo]", "[profile sso-sessionfoo]"},
    {"[profile]", "[profile profile]"},
    {"[in valid]\na = b", ""},
    {"[foo!bar]\na = b\n[x]", "[profile x]"},
    {"[]\na = b", ""}};

static void good_texts(const struct row *rows, size_t count,
                       enum ar_ini_file file, struct telling *t) {
  for (size_t i = 0; i < count; i++) {
    const struct row *row = &rows[i];
    int rc = parse(row->text, strlen(row->text), file, t);
    if (row->told == NULL) {
      CHECK(rc == AR_E_CONFIG_PARSE, "'%s' is refused", row->text);
      continue;
    }
    CHECK(rc == AR_OK, "'%s' is read: %s", row->text, err.message);
    CHECK_STR(ar_buf_str(&t->out), row->told, row->text);
  }
}

/* --- what is refused ------------------------------------------------------
 */

#define NO_PROFILE "Expected a profile definition"
#define NO_BRACKET "Profile definition must end with ']'"
#define NO_SIGN "Expected an '=' sign defining a property"
#define NO_SUB_SIGN "Expected an '=' sign defining a sub-property"
#define NO_NAME "Property did not have a name"
#define NO_SUB_NAME "Sub-property did not have a name"
#define NO_PROPERTY "Expected a property definition, found continuation"
#define NUL "Unexpected NUL byte"

static const struct {
  const char *text;
  size_t n; /* 0: up to its NUL */
  const char *message;
} bad[] = {{"name = value", 0, "line 1: " NO_PROFILE},
           {"\n# x\nname", 0, "line 3: " NO_PROFILE},
           {"= value", 0, "line 1: " NO_PROFILE},
           {" -continued", 0, "line 1: " NO_PROFILE},
           {"\xef\xbb\xbf[default]", 0, "line 1: " NO_PROFILE},
           {"\r[default]", 0, "line 1: " NO_PROFILE},
           {" [default]", 0, "line 1: " NO_PROFILE},
           {"[profile foo", 0, "line 1: " NO_BRACKET},
           {"[", 0, "line 1: " NO_BRACKET},
           {"[# ]", 0, "line 1: " NO_BRACKET},
           {"[profile a#b]", 0, "line 1: " NO_BRACKET},
           {"[profile a;b]", 0, "line 1: " NO_BRACKET},
           {"[profile foo] x", 0, "line 1: " NO_BRACKET},
           {"[foo\n[default]", 0, "line 1: " NO_BRACKET},
           {"[default]\r", 0, "line 1: " NO_BRACKET},
           {"[default]\r\n\r\nkey : value\r\n", 0, "line 3: " NO_SIGN},
           {"[default]\nkey # = value", 0, "line 2: " NO_SIGN},
           {"[ignored]\nkey", 0, "line 2: " NO_SIGN},
           {"[default]\n = value", 0, "line 2: " NO_PROPERTY},
           {"[default]\n= value", 0, "line 2: " NO_NAME},
           {"[default]\n=", 0, "line 2: " NO_NAME},
           {"[ignored]\n= value", 0, "line 2: " NO_NAME},
           {"[default]\n -continued", 0, "line 2: " NO_PROPERTY},
           {"[default]\n # x", 0, "line 2: " NO_PROPERTY},
           {"[default]\na = b\n[default]\n -c", 0, "line 4: " NO_PROPERTY},
           {"[ignored]\n x", 0, "line 2: " NO_PROPERTY},
           {"[default]\ns3 =\n invalid", 0, "line 3: " NO_SUB_SIGN},
           {"[default]\ns3 =\n a = b\n\n # c", 0, "line 5: " NO_SUB_SIGN},
           {"[default]\ns3 =\n a # = b", 0, "line 3: " NO_SUB_SIGN},
           {"[default]\ns3 = # c\n invalid", 0, "line 3: " NO_SUB_SIGN},
           {"[default]\nin valid =\n x", 0, "line 3: " NO_SUB_SIGN},
           {"[default]\ns3 =\n = value", 0, "line 3: " NO_SUB_NAME},
           {"[ignored]\ns3 =\n =", 0, "line 3: " NO_SUB_NAME},
           {"\0", 1, "line 1: " NUL},
           {"[default]\na = b\0c\n", 16, "line 2: " NUL},
           {"[default]\na = b\n\n# \0", 20, "line 4: " NUL},
           {"[default]\na = b\n \0", 18, "line 3: " NUL}};

static void bad_texts(struct telling *t) {
  for (size_t i = 0; i < LENGTH(bad); i++) {
    size_t n = bad[i].n ? bad[i].n : strlen(bad[i].text);
    int rc = parse(bad[i].text, n, AR_INI_CONFIG, t);
    CHECK(rc == AR_E_CONFIG_PARSE && err.code == AR_E_CONFIG_PARSE,
          "'%s' is refused", bad[i].text);
    CHECK_STR(ar_str_of(err.message), bad[i].message, bad[i].text);
  }
}

/* Nothing reads or writes past the end, wherever a text is cut. */
static void cut_texts(struct telling *t) {
  for (size_t i = 0; i < LENGTH(configs); i++) {
    size_t wrong = 0;
    for (size_t n = 0; n <= strlen(configs[i].text); n++) {
      int rc = parse(configs[i].text, n, AR_INI_CONFIG, t);
      wrong += rc != AR_OK && rc != AR_E_CONFIG_PARSE;
    }
    CHECK(wrong == 0, "every beginning of '%s' is read or refused",
          configs[i].text);
  }
  CHECK(ar_ini_parse(NULL, 0, AR_INI_CONFIG, NULL, &err) == AR_OK,
        "no text at all is an empty one");
}

static void failing_events(struct telling *t) {
  static const char text[] = "[default]\na = 1\nb = 2\n[profile c]\nd = 3";
  for (t->fail_at = 1; t->fail_at <= 5; t->fail_at++) {
    CHECK(parse(text, strlen(text), AR_INI_CONFIG, t) == AR_E_MEMORY &&
              t->sections + t->properties == t->fail_at,
          "what event %zu returns ends the parsing", t->fail_at);
    CHECK(err.message[0] == '\0', "and leaves the error alone");
  }
  CHECK(parse(text, strlen(text), AR_INI_CONFIG, t) == AR_OK, "5 events");
  t->fail_at = 0;
}

/* --- nested blocks --------------------------------------------------------
 */

static void nested_blocks(void) {
  static const struct {
    const char *block, *told;
  } rows[] = {
      {"", ""},
      {"\na = b", "a=b|"},
      {"\na=b\nC\t=\t\nin valid = x=y # z", "a=b|C=|in valid=x=y # z|"},
      {"\na = 1\na = 2", "a=1|a=2|"}};
  struct ar_buf out;
  ar_buf_init(&out, 256);
  for (size_t i = 0; i < LENGTH(rows); i++) {
    struct ar_str rest = ar_str_of(rows[i].block), name, value;
    ar_buf_reset(&out);
    while (ar_ini_nested(&rest, &name, &value)) {
      ar_buf_adds(&out, name);
      ar_buf_addz(&out, "=");
      ar_buf_adds(&out, value);
      ar_buf_addz(&out, "|");
    }
    CHECK_STR(ar_buf_str(&out), rows[i].told, rows[i].block);
  }
  ar_buf_free(&out);
}

/* --- work -----------------------------------------------------------------
 */

#define MANY 100000u

static const struct {
  const char *what, *head, *line;
  size_t sections, properties;
} large[] = {
    {"properties", "[default]\n", "name = value # comment\n", 1, MANY},
    {"sections", "", "[profile same]\n", MANY, 0},
    {"continuations", "[default]\na = b\n", "\t  more # \n", 1, 1},
    {"lines of a block", "[default]\ns3 =\n", "  a = b # c\n", 1, 1},
    {"comments", "[default]\na = b\n", "# a = b\n", 1, 1},
    {"blank lines", "[default]\na = b\n", " \t \r\n", 1, 1},
    {"ignored properties", "[default]\n", "in valid = value\n", 1, 0}};

static void one_pass(struct telling *t) {
  struct ar_buf text;
  ar_buf_init(&text, 1u << 23);
  for (size_t i = 0; i < LENGTH(large); i++) {
    ar_buf_reset(&text);
    ar_buf_addz(&text, large[i].head);
    for (size_t n = 0; n < MANY; n++) ar_buf_addz(&text, large[i].line);
    bytes_moved = bytes_searched = 0;
    CHECK(parse(ar_buf_z(&text), text.n, AR_INI_CONFIG, t) == AR_OK &&
              t->sections == large[i].sections &&
              t->properties == large[i].properties,
          "%u %s are read", MANY, large[i].what);
    CHECK(bytes_moved <= text.n, "%u %s: each byte is moved once at most",
          MANY, large[i].what);
    CHECK(bytes_searched <= 4 * text.n, "%u %s: %zu bytes searched of %zu",
          MANY, large[i].what, bytes_searched, text.n);
  }
  ar_buf_free(&text);
}

int main(void) {
  struct telling t = {.fail_at = 0};
  ar_buf_init(&t.out, 1u << 23);
  good_texts(configs, LENGTH(configs), AR_INI_CONFIG, &t);
  good_texts(credentials, LENGTH(credentials), AR_INI_CREDENTIALS, &t);
  bad_texts(&t);
  cut_texts(&t);
  failing_events(&t);
  nested_blocks();
  one_pass(&t);
  ar_buf_free(&t.out);
  return checked();
}
