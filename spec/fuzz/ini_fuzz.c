/*
** The shared files: what the parser hands out lies in its text, and what an
** event returns ends it.
*/
#include "../../src/core/ini.h"

#include "fuzz.h"

struct seen {
  struct ar_str text;
  size_t events, until; /* the event `until` fails; 0: none */
  unsigned line, lines;
  bool in_section;
};

static int event(struct seen *s) {
  HOLDS(s->until == 0 || s->events < s->until);
  return ++s->events == s->until ? AR_E_MEMORY : AR_OK;
}

static int section(void *context, enum ar_section_kind kind,
                   struct ar_str name, bool plain) {
  struct seen *s = context;
  HOLDS(kind < AR_SECTION_KINDS && (!plain || kind == AR_SECTION_PROFILE));
  HOLDS(name.n > 0 && !fuzz_has(name, '\n'));
  s->in_section = true;
  return event(s);
}

static void check_nested(struct ar_str block) {
  struct ar_str rest = block, name, value;
  for (size_t left = block.n; ar_ini_nested(&rest, &name, &value);) {
    HOLDS(rest.n < left);
    left = rest.n;
    HOLDS(fuzz_inside(name, block) && fuzz_inside(value, block));
    HOLDS(!fuzz_has(name, '\n') && !fuzz_has(value, '\n'));
    HOLDS(!fuzz_has(name, '='));
  }
}

static int property(void *context, struct ar_str name, struct ar_str value,
                    unsigned line) {
  struct seen *s = context;
  HOLDS(s->in_section);
  HOLDS(fuzz_inside(name, s->text) && fuzz_inside(value, s->text));
  HOLDS(name.n > 0 && !fuzz_has(name, '\n') && !fuzz_has(name, '='));
  for (size_t i = 0; i < name.n; i++) HOLDS(ar_lower(name.p[i]) == name.p[i]);
  HOLDS(line > s->line && line <= s->lines);
  s->line = line;
  if (value.n > 0 && value.p[0] == '\n') check_nested(value);
  return event(s);
}

static unsigned lines_of(struct ar_str text) {
  unsigned n = 1;
  for (size_t i = 0; i < text.n; i++) n += text.p[i] == '\n';
  return n;
}

/* Parses a copy; the event `until` fails. How many events there were. */
static size_t parse(const uint8_t *data, size_t size, enum ar_ini_file file,
                    size_t until) {
  struct seen s = {.text = fuzz_copy(data, size), .until = until};
  struct ar_ini_events events = {section, property, &s};
  struct ar_err err = {.code = AR_OK};
  int rc;
  s.lines = lines_of(s.text);
  rc = ar_ini_parse((char *)(uintptr_t)s.text.p, size, file, &events, &err);
  if (until > 0 && s.events == until)
    HOLDS(rc == AR_E_MEMORY);
  else
    HOLDS(rc == AR_OK ||
          (rc == AR_E_CONFIG_PARSE && err.code == AR_E_CONFIG_PARSE &&
           strncmp(err.message, "line ", 5) == 0));
  fuzz_free(s.text);
  return s.events;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  for (int file = 0; file < AR_INI_FILES; file++) {
    size_t events = parse(data, size, (enum ar_ini_file)file, 0);
    if (events > 0) parse(data, size, (enum ar_ini_file)file, events);
    if (events > 1) parse(data, size, (enum ar_ini_file)file, events / 2);
  }
  return 0;
}
