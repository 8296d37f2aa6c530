/*
** The grammar of the shared files, one line at a time. A property waits until
** a line comes that cannot continue it; then the caller is told.
*/
#include "ini.h"

#include "fail.h"

struct parser {
  char *text; /* what all slices point into */
  enum ar_ini_file file;
  const struct ar_ini_events *events;
  unsigned line;
  bool begun; /* a section has begun, be it one that is ignored */
  bool told;  /* it is one that the caller knows of */
  /* The property that waits; its name is empty where it is ignored. */
  bool waits, nested;
  struct ar_str name, value;
  unsigned property_line;
  struct ar_err *err;
};

static bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

/* The grammar knows less whitespace than ar_str_trim. */
static struct ar_str trim(struct ar_str s) {
  while (s.n > 0 && is_blank(s.p[0])) s.p++, s.n--;
  while (s.n > 0 && is_blank(s.p[s.n - 1])) s.n--;
  return s;
}

/* Takes the text up to the next line feed; false at the end. */
static bool next_line(struct ar_str *rest, struct ar_str *line) {
  size_t end = ar_str_find(*rest, '\n', 0);
  if (rest->n == 0) return false;
  *line = ar_str_n(rest->p, end);
  if (end < rest->n && end > 0 && line->p[end - 1] == '\r') line->n--;
  *rest = ar_str_from(*rest, end + 1);
  return true;
}

static bool begins_comment(char c) {
  return c == '#' || c == ';';
}

/* Without a comment; `spaced`: only what follows whitespace is one. */
static struct ar_str without_comment(struct ar_str s, bool spaced) {
  for (size_t i = 0; i < s.n; i++)
    if (begins_comment(s.p[i]) && (!spaced || (i > 0 && is_blank(s.p[i - 1]))))
      return trim(ar_str_n(s.p, i));
  return trim(s);
}

/* What names of sections and properties are made of. */
static bool is_name(struct ar_str s) {
  for (size_t i = 0; i < s.n; i++)
    if (!ar_is_alpha(s.p[i]) && !ar_is_digit(s.p[i]) &&
        memchr("_-/.%@:+", s.p[i], 8) == NULL)
      return false;
  return s.n > 0;
}

static int fail(struct parser *s, const char *message) {
  return ar_fail(s->err, AR_E_CONFIG_PARSE, "line %u: %s", s->line, message);
}

/* --- properties -----------------------------------------------------------
 */

/* Tells of the property that waits. */
static int end_property(struct parser *s) {
  bool told = s->waits && s->told && s->name.n > 0;
  s->waits = false;
  if (!told) return AR_OK;
  return s->events->property(s->events->context, s->name, s->value,
                             s->property_line);
}

/* Splits "name = value # comment". */
static int split(struct parser *s, struct ar_str line, bool nested,
                 struct ar_str *name, struct ar_str *value) {
  struct ar_str pair = without_comment(line, true);
  size_t sign = ar_str_find(pair, '=', 0);
  *name = trim(ar_str_n(pair.p, sign));
  *value = trim(ar_str_from(pair, sign + 1));
  if (sign == pair.n)
    return fail(s, nested ? "Expected an '=' sign defining a sub-property"
                          : "Expected an '=' sign defining a property");
  if (name->n == 0)
    return fail(s, nested ? "Sub-property did not have a name"
                          : "Property did not have a name");
  return AR_OK;
}

static char *writable(const struct parser *s, const char *p) {
  return s->text + (p - s->text);
}

static void to_lower(const struct parser *s, struct ar_str name) {
  char *p = writable(s, name.p);
  for (size_t i = 0; i < name.n; i++) p[i] = ar_lower(p[i]);
}

static int read_property(struct parser *s, struct ar_str line) {
  int rc;
  if (!s->begun) return fail(s, "Expected a profile definition");
  rc = split(s, line, false, &s->name, &s->value);
  if (rc != AR_OK) return rc;
  if (is_name(s->name))
    to_lower(s, s->name);
  else
    s->name.n = 0;
  s->waits = true;
  s->nested = s->value.n == 0;
  s->property_line = s->line;
  return AR_OK;
}

/*
** Moves the line up behind the value. There is room, since a line feed and
** whitespace stood between the two.
*/
static void append(struct parser *s, struct ar_str line) {
  char *end = writable(s, s->value.p) + s->value.n;
  *end = '\n';
  memmove(end + 1, line.p, line.n);
  s->value.n += 1 + line.n;
}

static int read_continuation(struct parser *s, struct ar_str line) {
  struct ar_str name, value;
  int rc = AR_OK;
  if (!s->begun) return fail(s, "Expected a profile definition");
  if (!s->waits)
    return fail(s, "Expected a property definition, found continuation");
  line = trim(line);
  if (s->nested) rc = split(s, line, true, &name, &value);
  if (rc == AR_OK) append(s, line);
  return rc;
}

/* --- sections -------------------------------------------------------------
 */

/* The kind that a header in the config file begins with, or none. */
static enum ar_section_kind kind_of(struct ar_str prefix) {
  static const char *const prefixes[AR_SECTION_KINDS] = {
      [AR_SECTION_PROFILE] = "profile",
      [AR_SECTION_SSO_SESSION] = "sso-session",
      [AR_SECTION_SERVICES] = "services"};
  int kind = 0;
  while (kind < AR_SECTION_KINDS &&
         !ar_str_eq(prefix, ar_str_of(prefixes[kind])))
    kind++;
  return (enum ar_section_kind)kind;
}

/* Begins the section whose header has this text between its brackets. */
static int begin_section(struct parser *s, struct ar_str header) {
  size_t end = 0;
  struct ar_str name;
  enum ar_section_kind kind = AR_SECTION_KINDS;
  bool prefixed;
  while (end < header.n && !is_blank(header.p[end])) end++;
  prefixed = end < header.n;
  name = prefixed ? trim(ar_str_from(header, end)) : header;
  if (prefixed && s->file == AR_INI_CONFIG)
    kind = kind_of(ar_str_n(header.p, end));
  else if (!prefixed && (s->file == AR_INI_CREDENTIALS ||
                         ar_str_eq(name, AR_STR("default"))))
    kind = AR_SECTION_PROFILE;
  s->begun = true;
  s->told = kind != AR_SECTION_KINDS && is_name(name);
  if (!s->told) return AR_OK;
  return s->events->section(s->events->context, kind, name,
                            !prefixed && s->file == AR_INI_CONFIG);
}

static int read_header(struct parser *s, struct ar_str line) {
  line = without_comment(line, false);
  if (line.p[line.n - 1] != ']')
    return fail(s, "Profile definition must end with ']'");
  return begin_section(s, trim(ar_str_n(line.p + 1, line.n - 2)));
}

static int read_line(struct parser *s, struct ar_str line) {
  int rc;
  if (ar_str_find(line, '\0', 0) < line.n)
    return fail(s, "Unexpected NUL byte");
  if (trim(line).n == 0 || begins_comment(line.p[0])) return AR_OK;
  if (is_blank(line.p[0])) return read_continuation(s, line);
  rc = end_property(s);
  if (rc != AR_OK) return rc;
  return line.p[0] == '[' ? read_header(s, line) : read_property(s, line);
}

int ar_ini_parse(char *text, size_t size, enum ar_ini_file file,
                 const struct ar_ini_events *events, struct ar_err *err) {
  struct parser s = {.text = text, .file = file, .events = events, .err = err};
  struct ar_str rest = ar_str_n(text, size), line;
  int rc = AR_OK;
  while (rc == AR_OK && next_line(&rest, &line)) {
    s.line++;
    rc = read_line(&s, line);
  }
  return rc == AR_OK ? end_property(&s) : rc;
}

bool ar_ini_nested(struct ar_str *rest, struct ar_str *name,
                   struct ar_str *value) {
  struct ar_str line;
  size_t sign;
  do {
    if (!next_line(rest, &line)) return false;
  } while (line.n == 0);
  sign = ar_str_find(line, '=', 0);
  *name = trim(ar_str_n(line.p, sign));
  *value = trim(ar_str_from(line, sign + 1));
  return true;
}
