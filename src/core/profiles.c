/*
** The two shared files: found, read, merged and looked up in.
**
** A section's properties are a list, the newest first, so that one which is
** defined again is found before the older one without a search for that; the
** credentials file is read last. Sections stand in a hash table.
*/
#include "profiles.h"

#include <stdlib.h>

#define MAX_PATH 4096u

static const struct {
  const char *variable, *path;
} places[AR_INI_FILES] = {
    [AR_INI_CONFIG] = {"AWS_CONFIG_FILE", "~/.aws/config"},
    [AR_INI_CREDENTIALS] = {"AWS_SHARED_CREDENTIALS_FILE",
                            "~/.aws/credentials"}};

void ar_profiles_init(struct ar_profiles *p) {
  *p = (struct ar_profiles){0};
  for (int i = 0; i < AR_INI_FILES; i++) {
    ar_buf_init(&p->paths[i], MAX_PATH);
    ar_buf_init(&p->texts[i], AR_MAX_CONFIG);
  }
}

void ar_profiles_free(struct ar_profiles *p) {
  for (int i = 0; i < AR_INI_FILES; i++) {
    ar_buf_free(&p->paths[i]);
    ar_buf_free(&p->texts[i]);
  }
  free(p->sections);
  free(p->properties);
  free(p->index);
  ar_profiles_init(p);
}

/* --- sections and properties ----------------------------------------------
 */

/* FNV-1a */
static size_t hash(enum ar_section_kind kind, struct ar_str name) {
  uint32_t h = UINT32_C(2166136261) ^ (uint32_t)kind;
  for (size_t i = 0; i < name.n; i++)
    h = (h ^ (unsigned char)name.p[i]) * UINT32_C(16777619);
  return h;
}

/* Where the section is in the table, or the free place for it. */
static uint32_t *slot_of(const struct ar_profiles *p,
                         enum ar_section_kind kind, struct ar_str name) {
  size_t mask = p->index_size - 1, i = hash(kind, name) & mask;
  for (; p->index[i] != 0; i = (i + 1) & mask) {
    const struct ar_section *section = &p->sections[p->index[i] - 1];
    if (section->kind == kind && ar_str_eq(section->name, name)) break;
  }
  return &p->index[i];
}

/* Keeps half of the table free. */
static bool grow_index(struct ar_profiles *p) {
  size_t size = p->index_size ? 2 * p->index_size : 64;
  uint32_t *index;
  if (2 * (p->section_count + 1) <= p->index_size) return true;
  index = calloc(size, sizeof *index);
  if (index == NULL) return false;
  free(p->index);
  p->index = index;
  p->index_size = size;
  for (uint32_t i = 0; i < p->section_count; i++)
    *slot_of(p, p->sections[i].kind, p->sections[i].name) = i + 1;
  return true;
}

/*
** The array with room for one more, or NULL. The files' limit keeps counts
** far below what would overflow.
*/
static void *with_room(void *array, size_t count, size_t *room, size_t size) {
  size_t more = *room ? 2 * *room : 32;
  if (count < *room) return array;
  array = realloc(array, more * size);
  if (array != NULL) *room = more;
  return array;
}

/* The index + 1 of the section, which is added if need be; 0: no memory. */
static uint32_t open_section(struct ar_profiles *p, enum ar_section_kind kind,
                             struct ar_str name) {
  struct ar_section *sections;
  uint32_t *slot;
  if (!grow_index(p)) return 0;
  slot = slot_of(p, kind, name);
  if (*slot != 0) return *slot;
  sections = with_room(p->sections, p->section_count, &p->section_room,
                       sizeof *sections);
  if (sections == NULL) return 0;
  p->sections = sections;
  sections[p->section_count++] =
      (struct ar_section){.kind = kind, .name = name};
  return *slot = (uint32_t)p->section_count;
}

/* --- what the parser tells ------------------------------------------------
 */

struct reading {
  struct ar_profiles *p;
  enum ar_ini_file file;
  uint32_t section;      /* index + 1; 0: one that is dropped */
  bool prefixed_default; /* "[profile default]" was in the config file */
};

static int on_section(void *context, enum ar_section_kind kind,
                      struct ar_str name, bool plain) {
  struct reading *r = context;
  bool prefixed_default = r->file == AR_INI_CONFIG && !plain &&
                          kind == AR_SECTION_PROFILE &&
                          ar_str_eq(name, AR_STR("default"));
  r->section = 0;
  if (plain && r->prefixed_default) return AR_OK;
  r->section = open_section(r->p, kind, name);
  if (r->section == 0) return AR_E_MEMORY;
  if (prefixed_default && !r->prefixed_default) {
    r->p->sections[r->section - 1].newest = 0; /* all of it is "[default]"'s */
    r->prefixed_default = true;
  }
  return AR_OK;
}

static int on_property(void *context, struct ar_str name, struct ar_str value,
                       unsigned line) {
  struct reading *r = context;
  struct ar_profiles *p = r->p;
  struct ar_property *properties;
  struct ar_section *section;
  if (r->section == 0) return AR_OK;
  properties = with_room(p->properties, p->property_count, &p->property_room,
                         sizeof *properties);
  if (properties == NULL) return AR_E_MEMORY;
  section = &p->sections[r->section - 1];
  p->properties = properties;
  properties[p->property_count++] =
      (struct ar_property){.name = name,
                           .value = value,
                           .file = r->file,
                           .line = line,
                           .next = section->newest};
  section->newest = (uint32_t)p->property_count;
  return AR_OK;
}

/* --- files ----------------------------------------------------------------
 */

/* "PATH: why", unless it is for want of memory. */
static int fail_file(const struct ar_buf *path, const struct ar_err *why,
                     struct ar_err *err) {
  if (why->code == AR_E_MEMORY) return ar_fail_memory(err);
  return ar_fail(err, AR_E_CONFIG_PARSE, "%.640s: %s", ar_buf_z(path),
                 why->message);
}

/*
** Finds the path of a file; false where that is in a home and there is none,
** or `to` has failed. HOME is asked first: `path` may live until the next
** question alone.
*/
static bool find_path(struct ar_buf *to, const struct ar_env *env,
                      enum ar_ini_file file, const char *argument) {
  struct ar_str path = ar_str_of(argument);
  bool has_home;
  if (ar_buf_adds(to, ar_env_get(env, "HOME")) != AR_OK) return false;
  has_home = to->n > 0;
  if (argument == NULL) path = ar_env_get(env, places[file].variable);
  if (argument == NULL && path.n == 0) path = ar_str_of(places[file].path);
  if (path.n < 2 || path.p[0] != '~' || path.p[1] != '/') {
    ar_buf_reset(to);
    ar_buf_adds(to, path);
    return true;
  }
  if (has_home && to->p[to->n - 1] == '/')
    path = ar_str_from(path, 2);
  else if (has_home)
    path = ar_str_from(path, 1);
  ar_buf_adds(to, path);
  return has_home;
}

/* Reads the contents of a file, none if there is no such file. */
static int read_contents(struct ar_profiles *p, const struct ar_env *env,
                         enum ar_ini_file file, const char *argument,
                         struct ar_err *err) {
  struct ar_buf *path = &p->paths[file], *text = &p->texts[file];
  bool there = find_path(path, env, file, argument) && env->read_file != NULL;
  struct ar_err why = {.code = AR_OK};
  enum ar_file what = AR_FILE_MISSING;
  if (path->failed == AR_E_MEMORY) return ar_fail_memory(err);
  if (path->failed)
    return ar_fail(err, AR_E_CONFIG_PARSE, "%s: a path of over %u bytes",
                   places[file].path, MAX_PATH);
  if (there) what = env->read_file(env->context, ar_buf_z(path), text, &why);
  if (what == AR_FILE_FAILED) return fail_file(path, &why, err);
  if (ar_buf_check(text, &why) != AR_OK) return fail_file(path, &why, err);
  return AR_OK;
}

static int read_file(struct ar_profiles *p, const struct ar_env *env,
                     enum ar_ini_file file, const char *argument,
                     struct ar_err *err) {
  struct reading r = {.p = p, .file = file};
  struct ar_ini_events events = {on_section, on_property, &r};
  struct ar_err why;
  int rc = read_contents(p, env, file, argument, err);
  if (rc != AR_OK) return rc;
  rc = ar_ini_parse(p->texts[file].p, p->texts[file].n, file, &events, &why);
  if (rc == AR_E_MEMORY) return ar_fail_memory(err);
  return rc == AR_OK ? AR_OK : fail_file(&p->paths[file], &why, err);
}

int ar_profiles_read(struct ar_profiles *p, const struct ar_env *env,
                     const char *config_path, const char *credentials_path,
                     struct ar_err *err) {
  int rc;
  ar_profiles_free(p);
  rc = read_file(p, env, AR_INI_CONFIG, config_path, err);
  if (rc == AR_OK)
    rc = read_file(p, env, AR_INI_CREDENTIALS, credentials_path, err);
  if (rc != AR_OK) ar_profiles_free(p);
  return rc;
}

/* --- looking up -----------------------------------------------------------
 */

const struct ar_section *ar_profiles_find(const struct ar_profiles *p,
                                          enum ar_section_kind kind,
                                          struct ar_str name) {
  uint32_t at = p->index_size ? *slot_of(p, kind, name) : 0;
  return at ? &p->sections[at - 1] : NULL;
}

/* The newest one of the file that is asked first; if that is empty, of the
   other. */
const struct ar_property *ar_profiles_property(
    const struct ar_profiles *p, const struct ar_section *section,
    const char *name) {
  struct ar_str wanted = ar_str_of(name);
  const struct ar_property *empty = NULL;
  for (uint32_t at = section ? section->newest : 0; at != 0;) {
    const struct ar_property *property = &p->properties[at - 1];
    at = property->next;
    if (!ar_str_eq(property->name, wanted)) continue;
    if (empty != NULL && empty->file == property->file) continue;
    if (property->value.n > 0) return property;
    empty = property;
  }
  return NULL;
}

struct ar_str ar_profiles_get(const struct ar_profiles *p,
                              const struct ar_section *section,
                              const char *name) {
  const struct ar_property *property = ar_profiles_property(p, section, name);
  return property ? property->value : AR_STR("");
}

void ar_profiles_place(const struct ar_profiles *p,
                       const struct ar_property *property,
                       struct ar_buf *out) {
  ar_buf_addz(out, "line ");
  ar_buf_addi(out, property->line);
  ar_buf_addz(out, " of ");
  ar_buf_addb(out, &p->paths[property->file]);
}
