/*
** The strict, bounded reader of flat documents: a recursive descent that
** goes at most MAX_DEPTH deep and copies only what was asked for.
*/
#include "json.h"

#define MAX_DEPTH 32

struct reader {
  struct ar_str doc;
  size_t at;
  struct ar_json_field *fields;
  size_t count;
  struct ar_str outer; /* name of the object that is being read, or empty */
  enum ar_code failed;
};

static bool read_value(struct reader *r, unsigned depth,
                       struct ar_json_field *to);

static char peek(const struct reader *r) {
  return (char)(r->at < r->doc.n ? r->doc.p[r->at] : '\0');
}

static void skip_space(struct reader *r) {
  while (r->at < r->doc.n && strchr(" \t\r\n", r->doc.p[r->at]) != NULL &&
         r->doc.p[r->at] != '\0')
    r->at++;
}

/* Takes `c`, with the whitespace around it, if it stands here. */
static bool take(struct reader *r, char c) {
  skip_space(r);
  if (peek(r) != c || r->at == r->doc.n) return false;
  r->at++;
  skip_space(r);
  return true;
}

static bool take_word(struct reader *r, const char *word) {
  size_t n = strlen(word);
  if (r->doc.n - r->at < n || memcmp(r->doc.p + r->at, word, n) != 0)
    return false;
  r->at += n;
  return true;
}

static bool add(struct reader *r, struct ar_buf *out, const char *p,
                size_t n) {
  if (out == NULL || ar_buf_add(out, p, n) == AR_OK) return true;
  r->failed = out->failed;
  return false;
}

static bool read_hex4(struct reader *r, unsigned *code) {
  *code = 0;
  if (r->doc.n - r->at < 4) return false;
  for (int i = 0; i < 4; i++) {
    int digit = ar_hex_value(r->doc.p[r->at++]);
    if (digit < 0) return false;
    *code = *code * 16 + (unsigned)digit;
  }
  return true;
}

static bool add_utf8(struct reader *r, struct ar_buf *out, unsigned code) {
  char utf8[4];
  size_t n = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  static const unsigned char lead[] = {0, 0, 0xC0, 0xE0, 0xF0};
  for (size_t i = n; i-- > 1; code >>= 6)
    utf8[i] = (char)(0x80 | (code & 0x3F));
  utf8[0] = (char)(lead[n] | code);
  return add(r, out, utf8, n);
}

/* What follows "\u"; surrogates must come in pairs. */
static bool read_unicode(struct reader *r, struct ar_buf *out) {
  unsigned code, low;
  if (!read_hex4(r, &code) || (code >= 0xDC00 && code <= 0xDFFF)) return false;
  if (code >= 0xD800 && code <= 0xDBFF) {
    if (!take_word(r, "\\u") || !read_hex4(r, &low) || low < 0xDC00 ||
        low > 0xDFFF)
      return false;
    code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
  }
  return add_utf8(r, out, code);
}

static bool read_escape(struct reader *r, struct ar_buf *out) {
  static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
  char c = peek(r);
  const char *at = c == '\0' ? NULL : strchr(from, c);
  r->at++;
  if (at != NULL) return add(r, out, &to[at - from], 1);
  return c == 'u' && read_unicode(r, out);
}

/* A string from its opening quote on; `out` may be NULL. */
static bool read_string(struct reader *r, struct ar_buf *out) {
  if (peek(r) != '"') return false;
  r->at++;
  while (r->at < r->doc.n && peek(r) != '"') {
    size_t from = r->at;
    while (r->at < r->doc.n && peek(r) != '"' && peek(r) != '\\') {
      if ((unsigned char)peek(r) < 0x20) return false;
      r->at++;
    }
    if (!add(r, out, r->doc.p + from, r->at - from)) return false;
    if (peek(r) == '\\' && (r->at++, !read_escape(r, out))) return false;
  }
  if (r->at == r->doc.n) return false;
  r->at++;
  return true;
}

static size_t skip_digits(struct reader *r) {
  size_t from = r->at;
  while (ar_is_digit(peek(r))) r->at++;
  return r->at - from;
}

static bool skip_number(struct reader *r) {
  bool zero;
  if (peek(r) == '-') r->at++;
  zero = peek(r) == '0';
  if (zero ? (r->at++, false) : skip_digits(r) == 0) return false;
  if (peek(r) == '.' && (r->at++, skip_digits(r) == 0)) return false;
  if (peek(r) == 'e' || peek(r) == 'E') {
    r->at++;
    if (peek(r) == '+' || peek(r) == '-') r->at++;
    if (skip_digits(r) == 0) return false;
  }
  return true;
}

static bool is_called(const struct ar_json_field *field, struct ar_str name,
                      struct ar_str given) {
  return field->any_case ? ar_str_ieq(name, given) : ar_str_eq(name, given);
}

/* The field that a member `name` of the object being read fills, or NULL. */
static struct ar_json_field *field_for(struct reader *r, struct ar_str name,
                                       unsigned depth) {
  for (size_t i = 0; i < r->count; i++) {
    struct ar_str path = ar_str_of(r->fields[i].path);
    size_t dot = ar_str_find(path, '.', 0);
    bool nested = dot < path.n;
    if (depth != (nested ? 2u : 1u)) continue;
    if (nested && !is_called(&r->fields[i], ar_str_n(path.p, dot), r->outer))
      continue;
    if (is_called(&r->fields[i], nested ? ar_str_from(path, dot + 1) : path,
                  name))
      return &r->fields[i];
  }
  return NULL;
}

static void clear(struct ar_json_field *field) {
  ar_buf_reset(field->text);
  field->type = AR_JSON_ABSENT;
}

/* Begins the member `name` of the top level; of two the last one counts. */
static void enter_outer(struct reader *r, struct ar_str name) {
  r->outer = name;
  for (size_t i = 0; i < r->count; i++) {
    struct ar_str path = ar_str_of(r->fields[i].path);
    size_t dot = ar_str_find(path, '.', 0);
    if (dot < path.n && is_called(&r->fields[i], ar_str_n(path.p, dot), name))
      clear(&r->fields[i]);
  }
}

static bool read_member(struct reader *r, unsigned depth) {
  struct ar_buf name;
  struct ar_json_field *to = NULL;
  bool ok;
  ar_buf_init(&name, AR_MAX_SECRET);
  ok = read_string(r, &name) && take(r, ':');
  if (ok) {
    to = field_for(r, ar_buf_str(&name), depth);
    if (depth == 1) enter_outer(r, ar_buf_str(&name));
    ok = read_value(r, depth, to);
  }
  ar_buf_free(&name);
  return ok;
}

/* An object or an array from its bracket on; `depth` counts it. */
static bool read_nested(struct reader *r, unsigned depth, char close) {
  if (depth > MAX_DEPTH) return false;
  r->at++;
  if (take(r, close)) return true;
  do {
    skip_space(r);
    if (close == '}' ? !read_member(r, depth) : !read_value(r, depth, NULL))
      return false;
  } while (take(r, ','));
  return take(r, close);
}

static bool read_scalar(struct reader *r, struct ar_json_field *to,
                        enum ar_json_type *type) {
  struct ar_buf *out = to ? to->text : NULL;
  size_t from = r->at;
  if (peek(r) == '"') {
    *type = AR_JSON_STRING;
    return read_string(r, out);
  }
  if (take_word(r, "null")) return true;
  if (take_word(r, "true") || take_word(r, "false")) {
    *type = AR_JSON_BOOLEAN;
  } else {
    *type = AR_JSON_NUMBER;
    if (!skip_number(r)) return false;
  }
  return add(r, out, r->doc.p + from, r->at - from);
}

/* A value inside an object or array of the given depth. */
static bool read_value(struct reader *r, unsigned depth,
                       struct ar_json_field *to) {
  enum ar_json_type type = AR_JSON_ABSENT;
  bool ok;
  if (to) ar_buf_reset(to->text);
  if (peek(r) == '{' || peek(r) == '[') {
    type = AR_JSON_OTHER;
    ok = read_nested(r, depth + 1, peek(r) == '{' ? '}' : ']');
  } else {
    ok = read_scalar(r, to, &type);
  }
  if (to) to->type = type;
  return ok;
}

int ar_json_flat(struct ar_str doc, struct ar_json_field *fields, size_t count,
                 struct ar_err *err) {
  struct reader r = {.doc = doc, .fields = fields, .count = count};
  for (size_t i = 0; i < count; i++) clear(&fields[i]);
  skip_space(&r);
  if (peek(&r) == '{' && read_nested(&r, 1, '}')) {
    skip_space(&r);
    if (r.at == doc.n) return AR_OK;
  }
  if (r.failed == AR_E_MEMORY) return ar_fail_memory(err);
  return ar_fail(err, AR_E_RESPONSE, "not a JSON object, at byte %zu", r.at);
}
