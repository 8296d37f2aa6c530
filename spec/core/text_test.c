/*
** Slices, buffers, heads and errors.
*/
#include "../../src/core/fail.h"
#include "../../src/core/head.h"
#include "kit.h"

static void compares(void) {
  static const struct {
    const char *a, *b;
    int order; /* sign */
    bool same, alike;
  } rows[] = {
      {"", "", 0, true, true},           {"a", "a", 0, true, true},
      {"a", "b", -1, false, false},      {"b", "a", 1, false, false},
      {"a", "ab", -1, false, false},     {"ab", "a", 1, false, false},
      {"", "a", -1, false, false},       {"a", "A", 1, false, true},
      {"Host", "hOST", -1, false, true}, {"\xc3\xa9", "z", 1, false, false},
      {"[", "{", -1, false, false},      {"@", "`", -1, false, false}};
  for (size_t i = 0; i < LENGTH(rows); i++) {
    struct ar_str a = ar_str_of(rows[i].a), b = ar_str_of(rows[i].b);
    int order = ar_str_cmp(a, b);
    CHECK((order > 0) - (order < 0) == rows[i].order, "order of '%s', '%s'",
          rows[i].a, rows[i].b);
    CHECK(ar_str_eq(a, b) == rows[i].same, "equality of '%s', '%s'", rows[i].a,
          rows[i].b);
    CHECK(ar_str_ieq(a, b) == rows[i].alike, "likeness of '%s', '%s'",
          rows[i].a, rows[i].b);
  }
}

static void searches(void) {
  struct ar_str s = ar_str_n("a\0b,a", 5);
  CHECK(ar_str_find(s, 'a', 0) == 0 && ar_str_find(s, 'a', 1) == 4 &&
            ar_str_find(s, 'a', 5) == 5 && ar_str_find(s, 'a', 9) == 5 &&
            ar_str_find(s, '\0', 0) == 1 && ar_str_find(s, 'x', 0) == 5,
        "find");
  CHECK_STR(ar_str_from(AR_STR("abc"), 1), "bc", "from");
  CHECK_STR(ar_str_from(AR_STR("abc"), 3), "", "from the end");
  CHECK_STR(ar_str_from(AR_STR("abc"), 99), "", "from beyond the end");
  CHECK_STR(ar_str_trim(AR_STR(" \t\r\n a b \v\f")), "a b", "trim");
  CHECK_STR(ar_str_trim(AR_STR(" \t")), "", "trim to nothing");
  CHECK_STR(ar_str_of(NULL), "", "the slice of NULL");
}

static void controls(void) {
  for (int c = 0; c < 256; c++) {
    char text[3] = {'a', (char)c, 'b'};
    CHECK(ar_str_has_control(ar_str_n(text, 3)) == (c < 32 || c == 127),
          "control character %d", c);
  }
  for (int c = 0; c < 128; c++) {
    const char *digits = "0123456789abcdef0123456789ABCDEF", *at;
    at = c ? strchr(digits, c) : NULL;
    CHECK(ar_hex_value((char)c) == (at ? (int)(at - digits) % 16 : -1),
          "hexadecimal digit %d", c);
  }
  CHECK(ar_hex_value((char)0xB0) == -1, "a byte above 127 is no digit");
}

/* One character that counts, at every place of texts of every length. */
static void places(void) {
  char text[67];
  size_t wrong = 0;
  for (int c = 0; c < 256; c++) {
    bool control = c < 32 || c == 127, space = c == ' ' || (c > 8 && c < 14);
    for (size_t n = 1; n < sizeof text - 1; n++) {
      for (size_t at = 0; at < n; at += (size_t)check_stride()) {
        memset(text, 'a', sizeof text);
        text[0] = text[n + 1] = '\t'; /* around it */
        text[1 + at] = (char)c;
        wrong += ar_str_has_control(ar_str_n(text + 1, n)) != control;
        wrong += ar_str_has_space(ar_str_n(text + 1, n)) != space;
      }
    }
  }
  CHECK(wrong == 0, "control characters and whitespace are found, but for %zu",
        wrong);
  CHECK(!ar_str_has_control(AR_STR("")) && !ar_str_has_space(AR_STR("")),
        "nothing has neither");
}

static void distances(void) {
  static const struct {
    const char *a, *b;
    size_t distance;
  } rows[] = {{"", "", 0},
              {"ServiceArn", "ServiceARN", 0}, /* in any case */
              {"ServiceArn", "ServiceArm", 1},
              {"ServiceArn", "ServicArn", 1},
              {"ServiceArn", "XServiceArn", 1},
              {"ServiceArn", "SreviceArn", 2},
              {"kitten", "sitting", 3},
              {"", "abc", 3}};
  char longest[65];
  for (size_t i = 0; i < LENGTH(rows); i++) {
    struct ar_str a = ar_str_of(rows[i].a), b = ar_str_of(rows[i].b);
    CHECK(ar_str_distance(a, b) == rows[i].distance &&
              ar_str_distance(b, a) == rows[i].distance,
          "distance of '%s', '%s'", rows[i].a, rows[i].b);
  }
  memset(longest, 'a', sizeof longest);
  CHECK(ar_str_distance(ar_str_n(longest, 64), AR_STR("")) == 64,
        "64 bytes are compared");
  CHECK(ar_str_distance(ar_str_n(longest, 65), AR_STR("a")) == SIZE_MAX &&
            ar_str_distance(AR_STR("a"), ar_str_n(longest, 65)) == SIZE_MAX,
        "65 bytes are not");
}

static void limits(void) {
  struct ar_buf b;
  struct ar_err err;
  ar_buf_init(&b, 5);
  CHECK(ar_buf_check(&b, &err) == AR_OK, "an empty buffer is fine");
  CHECK_STR(ar_buf_str(&b), "", "an empty buffer's contents");
  CHECK(ar_buf_z(&b)[0] == '\0', "an empty buffer as a text");
  CHECK(ar_buf_addz(&b, "abc") == AR_OK && ar_buf_addz(&b, "de") == AR_OK,
        "up to the limit");
  CHECK(ar_buf_add(&b, "", 0) == AR_OK, "nothing more fits");
  CHECK(ar_buf_addc(&b, 'f') == AR_E_TOO_LARGE, "one byte more does not");
  CHECK(ar_buf_add(&b, "", 0) == AR_E_TOO_LARGE, "the failure sticks");
  CHECK_STR(ar_buf_str(&b), "abcde", "what was there stays");
  CHECK(ar_buf_check(&b, &err) == AR_E_TOO_LARGE && err.code != AR_OK,
        "the failure is told");
  CHECK(ar_buf_check(&b, NULL) == AR_E_TOO_LARGE, "also to nobody");
  ar_buf_reset(&b);
  CHECK(ar_buf_check(&b, &err) == AR_OK && b.n == 0, "reset forgets");
  CHECK(ar_buf_add(&b, "abcdefgh", 8) == AR_E_TOO_LARGE && b.n == 0,
        "a piece is taken whole or not");
  ar_buf_reset(&b);
  CHECK(ar_buf_addhex(&b, (const unsigned char *)"abc", 3) == AR_E_TOO_LARGE &&
            b.n == 0,
        "digits too");
  ar_buf_reset(&b);
  CHECK(ar_buf_addlower(&b, AR_STR("ABCDEF")) == AR_E_TOO_LARGE && b.n == 0,
        "letters too");
  ar_buf_free(&b);
  CHECK(b.p == NULL && b.limit == 5 && ar_buf_addz(&b, "x") == AR_OK,
        "a freed buffer may be used again");
  ar_buf_free(&b);
  ar_buf_free(&b);
}

static void growth(void) {
  struct ar_buf b, copy;
  bool right = true;
  ar_buf_init(&b, 100000);
  for (int i = 0; i < 100000; i++) ar_buf_addc(&b, (char)('a' + i % 26));
  for (size_t i = 0; i < 100000 && right; i++)
    right = b.p[i] == (char)('a' + i % 26);
  CHECK(right && b.n == 100000 && b.p[b.n] == '\0', "100,000 single bytes");
  CHECK(ar_buf_addc(&b, 'x') == AR_E_TOO_LARGE, "and no more");
  ar_buf_init(&copy, 100000);
  CHECK(ar_buf_addb(&copy, &b) == AR_E_TOO_LARGE && copy.n == 0,
        "a failed buffer's failure is taken over");
  ar_buf_free(&b);
  ar_buf_free(&copy);
}

static void numbers(void) {
  static const struct {
    int64_t value;
    const char *text;
  } rows[] = {{0, "0"},
              {-1, "-1"},
              {1234567890, "1234567890"},
              {INT64_MAX, "9223372036854775807"},
              {INT64_MIN, "-9223372036854775808"}};
  static const unsigned char bytes[] = {0x00, 0x0f, 0xa5, 0xff};
  struct ar_buf b;
  ar_buf_init(&b, 100);
  for (size_t i = 0; i < LENGTH(rows); i++) {
    ar_buf_reset(&b);
    ar_buf_addi(&b, rows[i].value);
    CHECK_STR(ar_buf_str(&b), rows[i].text, "a number");
  }
  ar_buf_reset(&b);
  ar_buf_addhex(&b, bytes, sizeof bytes);
  CHECK_STR(ar_buf_str(&b), "000fa5ff", "hexadecimal");
  ar_buf_reset(&b);
  ar_buf_addlower(&b, AR_STR("@AZ[az-\xC9"));
  CHECK_STR(ar_buf_str(&b), "@az[az-\xC9", "lower case");
  ar_buf_free(&b);
}

static void heads(void) {
  struct ar_str head = AR_STR(
      "HTTP/1.1 200 OK\r\nContent-Type:  a/b \r\nX-EMPTY:\nx-two: 1\r\n"
      " folded: away\r\n: nameless\r\nno colon\r\nX-Two: 2\r\n\r\n");
  struct ar_str rest = head, name, value;
  size_t count = 0;
  while (ar_head_next(&rest, &name, &value)) count++;
  CHECK(count == 4, "four headers, not %zu", count);
  CHECK_STR(ar_head_find(head, AR_STR("content-type")), "a/b", "a header");
  CHECK_STR(ar_head_find(head, AR_STR("x-empty")), "", "an empty header");
  CHECK_STR(ar_head_find(head, AR_STR("X-TWO")), "1", "the first of two");
  CHECK_STR(ar_head_find(head, AR_STR("folded")), "", "no folded line");
  CHECK_STR(ar_head_find(head, AR_STR("absent")), "", "an absent header");
  CHECK_STR(
      ar_head_find(AR_STR("HTTP/1.1 200 a: b"), AR_STR("http/1.1 200 a")), "b",
      "a status line with a colon is harmless");
  CHECK(ar_head_find(ar_str_n("Date: now", 4), AR_STR("date")).p[0] == '\0',
        "nothing behind the end of a head");
  rest = AR_STR("");
  CHECK(!ar_head_next(&rest, &name, &value), "nothing in an empty head");
}

/* An error's text is cut at a character's border. */
static void failures(void) {
  struct ar_err err;
  char text[2100];
  for (size_t shift = 0; shift < 4; shift++) {
    memset(text, 'x', shift);
    for (size_t i = shift; i + 4 <= 2080; i += 4)
      memcpy(text + i, "\xf0\x9f\x98\x80", 4);
    text[2080 - 2080 % 4] = '\0';
    ar_fail(&err, AR_E_RESPONSE, "%s", text);
    CHECK((strlen(err.message) - shift) % 4 == 0 && strlen(err.message) > 1000,
          "no half character at the end, shifted by %zu", shift);
  }
  CHECK(ar_fail(NULL, AR_E_RESPONSE, "nobody listens") == AR_E_RESPONSE,
        "an error to nobody");
  for (int i = 1; i < AR_CODES; i++) {
    const char *kind = ar_code_kind((enum ar_code)i);
    CHECK(kind != NULL && kind[0] != '\0' &&
              ar_code_name((enum ar_code)i) != NULL,
          "code %d has a kind and a name", i);
  }
}

static void integers(void) {
  static const struct {
    const char *text;
    int64_t value; /* -1: refused */
  } rows[] = {{"0", 0},
              {"007", 7},
              {"999999999999999", INT64_C(999999999999999)},
              {"1000000000000000", -1},
              {"99999999999999999999999999999999", -1},
              {"", -1},
              {"-1", -1},
              {"1.5", -1},
              {" 1", -1},
              {"1e3", -1}};
  for (size_t i = 0; i < LENGTH(rows); i++) {
    int64_t value = -1;
    bool good = ar_str_to_int(ar_str_of(rows[i].text), &value);
    CHECK(good == (rows[i].value >= 0) && value == rows[i].value,
          "'%s' is %lld", rows[i].text, (long long)value);
  }
}

int main(void) {
  compares();
  searches();
  controls();
  places();
  distances();
  integers();
  limits();
  growth();
  numbers();
  heads();
  failures();
  return checked();
}
