/*
** The two shared files together: where they are looked for, how they merge,
** what cannot be read, and how much work that is. The file under test is
** compiled into this program once more, with its allocations and comparisons
** counted.
*/
#include <stdlib.h>

#include "kit.h"

static size_t allocations, fail_at, comparisons;

static bool allocation_fails(void) {
  return ++allocations == fail_at;
}

static void *counted_calloc(size_t n, size_t size) {
  return allocation_fails() ? NULL : calloc(n, size);
}

static void *counted_realloc(void *p, size_t n) {
  return allocation_fails() ? NULL : realloc(p, n);
}

static bool counted_eq(struct ar_str a, struct ar_str b) {
  comparisons++;
  return ar_str_eq(a, b);
}

#define ar_profiles_init counted_init
#define ar_profiles_free counted_free
#define ar_profiles_read counted_read
#define ar_profiles_find counted_lookup
#define ar_profiles_property counted_property
#define ar_profiles_get counted_get
#define ar_profiles_place counted_place
#define ar_str_eq counted_eq
#define calloc counted_calloc
#define realloc counted_realloc
/* The prototypes are those of the real names. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmissing-prototypes"
#include "../../src/core/profiles.c"
#pragma GCC diagnostic pop
#undef ar_str_eq
#undef calloc
#undef realloc

/* --- an environment with files --------------------------------------------
 */

#define CONFIG "/h/.aws/config"
#define CREDENTIALS "/h/.aws/credentials"

struct file {
  const char *path, *contents;
  const char *why; /* not NULL: cannot be read */
  enum ar_code code;
};

struct machine {
  const char *const *variables;
  const struct file *files; /* the last one has no path */
  char asked[64];           /* where the last answer stands */
};

/* Answers stand in one place, as those of getenv may. */
static const char *machine_get(void *context, const char *name) {
  struct machine *m = context;
  const char *value = kit_get((void *)(uintptr_t)m->variables, name);
  if (value == NULL) return NULL;
  snprintf(m->asked, sizeof m->asked, "%s", value);
  return m->asked;
}

static enum ar_file machine_read(void *context, const char *path,
                                 struct ar_buf *to, struct ar_err *why) {
  const struct machine *m = context;
  const struct file *file = m->files;
  while (file->path != NULL && strcmp(file->path, path) != 0) file++;
  if (file->path == NULL) return AR_FILE_MISSING;
  ar_buf_addz(to, file->contents);
  if (file->why == NULL) return AR_FILE_READ;
  ar_fail(why, file->code, "%s", file->why);
  return AR_FILE_FAILED;
}

static const char *const home[] = {"HOME", "/h", NULL};
static struct ar_profiles p;
static struct ar_err err;

static int read_from(const char *const *variables, const struct file *files,
                     const char *config, const char *credentials) {
  struct machine m = {.variables = variables, .files = files};
  struct ar_env env = {
      .get = machine_get, .read_file = machine_read, .context = &m};
  err = (struct ar_err){.code = AR_OK};
  return ar_profiles_read(&p, &env, config, credentials, &err);
}

/* Reads these two texts from the usual places. */
static int read_texts(const char *config, const char *credentials) {
  struct file files[] = {{.path = CONFIG, .contents = config},
                         {.path = CREDENTIALS, .contents = credentials},
                         {.path = NULL}};
  return read_from(home, files, NULL, NULL);
}

static const struct ar_section *profile(const char *name) {
  return ar_profiles_find(&p, AR_SECTION_PROFILE, ar_str_of(name));
}

static struct ar_str get(const char *section, const char *name) {
  return ar_profiles_get(&p, profile(section), name);
}

static bool is_empty(void) {
  bool empty = p.sections == NULL && p.properties == NULL && p.index == NULL &&
               p.section_count + p.property_count + p.index_size == 0;
  for (int i = 0; i < AR_INI_FILES; i++)
    empty = empty && p.texts[i].p == NULL && p.paths[i].p == NULL;
  return empty && profile("default") == NULL;
}

/* --- merging --------------------------------------------------------------
 */

static const struct {
  const char *config, *credentials;
  const char *section, *name;
  const char *value; /* NULL: there is no such section */
} merges[] = {
    {"[default]\na = 1", "", "default", "a", "1"},
    {"[default]\na = 1", "", "default", "b", ""},
    {"[default]\na =", "", "default", "a", ""},
    {"[default]", "", "default", "a", ""},
    {"", "", "default", "a", NULL},
    {"[profile foo]\na = 1", "", "default", "a", NULL},
    {"[profile foo]\na = 1", "", "Foo", "a", NULL},
    {"[profile foo]\nA = 1", "", "foo", "a", "1"},
    {"[profile foo]\ns3 =\n a = 1\n b = 2", "", "foo", "s3", "\na = 1\nb = 2"},
    /* the last one counts */
    {"[default]\na = 1\na = 2", "", "default", "a", "2"},
    {"[default]\na = 1\nA = 2", "", "default", "a", "2"},
    {"[default]\na = 1\n[profile b]\n[default]\na = 2", "", "default", "a",
     "2"},
    {"[default]\na = 1\n[profile b]\n[default]\nb = 2", "", "default", "a",
     "1"},
    {"[default]\na = 1\na =", "", "default", "a", ""},
    /* two files */
    {"[profile foo]\na = 1", "[foo]\nb = 2", "foo", "a", "1"},
    {"[profile foo]\na = 1", "[foo]\nb = 2", "foo", "b", "2"},
    {"[profile foo]\na = 1", "[foo]\na = 2", "foo", "a", "2"},
    /* an empty one counts as unset */
    {"[profile foo]\na = 1", "[foo]\nA =", "foo", "a", "1"},
    {"[default]\na = 1", "[default]\na = 2", "default", "a", "2"},
    {"[foo]\na = 1", "[profile foo]\na = 2", "foo", "a", NULL},
    {"[sso-session foo]\na = 1", "", "foo", "a", NULL},
    /* the two names of the default profile */
    {"[profile default]\na = 1\n[default]\nb = 2", "", "default", "a", "1"},
    {"[profile default]\na = 1\n[default]\nb = 2", "", "default", "b", ""},
    {"[default]\nb = 2\n[profile default]\na = 1", "", "default", "a", "1"},
    {"[default]\nb = 2\n[profile default]\na = 1", "", "default", "b", ""},
    {"[default]\na = 2\n[profile default]", "", "default", "a", ""},
    {"[profile default]\na = 1\n[default]\na = 2\n[profile default]\nb = 3",
     "", "default", "a", "1"},
    {"[profile default]\na = 1\n[default]\na = 2\n[profile default]\nb = 3",
     "", "default", "b", "3"},
    {"[default]\na = 2\n[sso-session default]", "", "default", "a", "2"},
    {"[sso-session default]\n[default]\na = 2", "", "default", "a", "2"},
    {"[profile default]\na = 1\n[default]\nb = 2", "[default]\nb = 3",
     "default", "b", "3"},
    {"[default]\na = 1", "[profile default]\n[default]\nb = 3", "default", "a",
     "1"},
    {"[default]\na = 1", "[default]\nb = 3\n[default]\nc = 4", "default", "b",
     "3"}};

static void merging(void) {
  for (size_t i = 0; i < LENGTH(merges); i++) {
    const char *value = merges[i].value;
    CHECK(read_texts(merges[i].config, merges[i].credentials) == AR_OK,
          "'%s' is read: %s", merges[i].config, err.message);
    CHECK((profile(merges[i].section) != NULL) == (value != NULL),
          "'%s' and '%s': profile %s is there or not", merges[i].config,
          merges[i].credentials, merges[i].section);
    CHECK_STR(get(merges[i].section, merges[i].name), value ? value : "",
              merges[i].config);
  }
}

static void kinds(void) {
  static const struct {
    enum ar_section_kind kind;
    const char *value;
  } rows[] = {{AR_SECTION_PROFILE, "1"},
              {AR_SECTION_SSO_SESSION, "2"},
              {AR_SECTION_SERVICES, "3"}};
  CHECK(read_texts("[profile foo]\na = 1\n[sso-session foo]\na = 2\n"
                   "[services foo]\na = 3\n[profile bar]",
                   "") == AR_OK,
        "three kinds are read");
  for (size_t i = 0; i < LENGTH(rows); i++)
    CHECK_STR(ar_profiles_get(
                  &p, ar_profiles_find(&p, rows[i].kind, AR_STR("foo")), "a"),
              rows[i].value, "a kind");
  CHECK(p.section_count == 4, "four sections");
  CHECK_STR(p.sections[0].name, "foo", "the first one");
  CHECK_STR(p.sections[3].name, "bar", "the last one");
  CHECK(ar_profiles_property(&p, NULL, "a") == NULL,
        "no section, no property");
}

/* Many sections of each kind with the same names, so that places clash. */
static void many_kinds(void) {
  static const char *const prefixes[] = {"profile", "sso-session", "services"};
  struct ar_buf text;
  size_t right = 0;
  ar_buf_init(&text, AR_MAX_CONFIG);
  for (int i = 0; i < 3000; i++) {
    char section[64];
    snprintf(section, sizeof section, "[%s n%d]\na = %d\n", prefixes[i % 3],
             i / 3, i);
    ar_buf_addz(&text, section);
  }
  CHECK(read_texts(ar_buf_z(&text), "") == AR_OK && p.section_count == 3000,
        "a thousand sections of each kind are read");
  for (int i = 0; i < 3000; i++) {
    char name[16], value[16];
    snprintf(name, sizeof name, "n%d", i / 3);
    snprintf(value, sizeof value, "%d", i);
    right += ar_str_eq(
        ar_profiles_get(&p,
                        ar_profiles_find(&p, (enum ar_section_kind)(i % 3),
                                         ar_str_of(name)),
                        "a"),
        ar_str_of(value));
  }
  CHECK(right == 3000, "%zu of 3000 have their own value", right);
  ar_buf_free(&text);
}

static void empty_values(void) {
  read_texts("[default]\na =\nb = # c\nc = 1\nc =", "");
  for (const char *name = "a\0b\0c\0"; *name != '\0'; name += 2)
    CHECK(ar_profiles_property(&p, profile("default"), name) == NULL,
          "%s counts as unset", name);
}

static void places_of_properties(void) {
  static const struct {
    const char *name, *place;
  } rows[] = {{"a", "line 3 of " CONFIG}, {"b", "line 5 of " CREDENTIALS}};
  struct ar_buf out;
  ar_buf_init(&out, 256);
  read_texts("[default]\n\na = 1\n c\nb = 2", "[default]\n\n#\n#\nb = 3");
  for (size_t i = 0; i < LENGTH(rows); i++) {
    ar_buf_reset(&out);
    ar_profiles_place(
        &p, ar_profiles_property(&p, profile("default"), rows[i].name), &out);
    CHECK_STR(ar_buf_str(&out), rows[i].place, rows[i].name);
  }
  ar_buf_free(&out);
}

/* --- where the files are --------------------------------------------------
 */

/* Every file holds its own path. */
static const struct file everywhere[] = {
    {.path = "/h/.aws/config", .contents = "[default]\nc = home"},
    {.path = "/h/.aws/credentials", .contents = "[default]\nk = home"},
    {.path = "/.aws/config", .contents = "[default]\nc = root"},
    {.path = "~/.aws/config", .contents = "[default]\nc = tilde"},
    {.path = "/e/c", .contents = "[default]\nc = variable"},
    {.path = "/e/k", .contents = "[default]\nk = variable"},
    {.path = "/h/e/c", .contents = "[default]\nc = variable at home"},
    {.path = "/a/c", .contents = "[default]\nc = argument"},
    {.path = "/h/a/k", .contents = "[default]\nk = argument at home"},
    {.path = "~h/c", .contents = "[default]\nc = as it is"},
    {.path = NULL}};

static const struct {
  const char *variables[8];
  const char *config, *credentials; /* arguments */
  const char *c, *k;                /* what was read */
  const char *path;                 /* of the config file */
} locations[] = {
    {{"HOME", "/h"}, NULL, NULL, "home", "home", "/h/.aws/config"},
    {{"HOME", "/h/"}, NULL, NULL, "home", "home", "/h/.aws/config"},
    {{"HOME", "/"}, NULL, NULL, "root", "", "/.aws/config"},
    {{"HOME", ""}, NULL, NULL, "", "", "~/.aws/config"},
    {{NULL}, NULL, NULL, "", "", "~/.aws/config"},
    {{"USERPROFILE", "/h"}, NULL, NULL, "", "", "~/.aws/config"},
    {{"HOME", "/h", "AWS_CONFIG_FILE", "/e/c"},
     NULL,
     NULL,
     "variable",
     "home",
     "/e/c"},
    {{"HOME", "/h", "AWS_SHARED_CREDENTIALS_FILE", "/e/k"},
     NULL,
     NULL,
     "home",
     "variable",
     "/h/.aws/config"},
    {{"AWS_CONFIG_FILE", "/e/c"}, NULL, NULL, "variable", "", "/e/c"},
    {{"HOME", "/h", "AWS_CONFIG_FILE", "~/e/c"},
     NULL,
     NULL,
     "variable at home",
     "home",
     "/h/e/c"},
    {{"HOME", "/h", "AWS_CONFIG_FILE", "~h/c"},
     NULL,
     NULL,
     "as it is",
     "home",
     "~h/c"},
    {{"HOME", "/h", "AWS_CONFIG_FILE", ""},
     NULL,
     NULL,
     "home",
     "home",
     "/h/.aws/config"},
    {{"HOME", "/h", "AWS_CONFIG_FILE", "/none"},
     NULL,
     NULL,
     "",
     "home",
     "/none"},
    {{"HOME", "/h", "AWS_CONFIG_FILE", "/e/c"},
     "/a/c",
     "~/a/k",
     "argument",
     "argument at home",
     "/a/c"},
    {{"HOME", "/h"}, "/none", NULL, "", "home", "/none"},
    {{"HOME", "/h", "AWS_CONFIG_FILE", "/e/c"}, "", NULL, "", "home", ""}};

static void finding(void) {
  for (size_t i = 0; i < LENGTH(locations); i++) {
    CHECK(read_from(locations[i].variables, everywhere, locations[i].config,
                    locations[i].credentials) == AR_OK,
          "location %zu is read: %s", i, err.message);
    CHECK_STR(get("default", "c"), locations[i].c, "the config file");
    CHECK_STR(get("default", "k"), locations[i].k, "the credentials file");
    CHECK_STR(ar_buf_str(&p.paths[AR_INI_CONFIG]), locations[i].path,
              "the config file's path");
  }
}

static void without_files(void) {
  struct ar_env env = kit_env(home);
  CHECK(ar_profiles_read(&p, &env, NULL, NULL, &err) == AR_OK &&
            p.section_count == 0,
        "where nothing can be read, there are no profiles");
}

/* --- what is refused ------------------------------------------------------
 */

static const struct {
  struct file config, credentials;
  enum ar_code code;
  const char *message;
} failures[] = {
    {{CONFIG, "[default]\nx", NULL, AR_OK},
     {CREDENTIALS, "", NULL, AR_OK},
     AR_E_CONFIG_PARSE,
     CONFIG ": line 2: Expected an '=' sign defining a property"},
    {{CONFIG, "[default]\na = b", NULL, AR_OK},
     {CREDENTIALS, "\n[x", NULL, AR_OK},
     AR_E_CONFIG_PARSE,
     CREDENTIALS ": line 2: Profile definition must end with ']'"},
    {{CONFIG, "[default]\na = b", "Permission denied", AR_E_BAD_CONFIG},
     {CREDENTIALS, "", NULL, AR_OK},
     AR_E_CONFIG_PARSE,
     CONFIG ": Permission denied"},
    {{CONFIG, "[default]\na = b", NULL, AR_OK},
     {CREDENTIALS, "", "is a directory", AR_E_BAD_CONFIG},
     AR_E_CONFIG_PARSE,
     CREDENTIALS ": is a directory"},
    {{CONFIG, "", "not enough memory", AR_E_MEMORY},
     {CREDENTIALS, "", NULL, AR_OK},
     AR_E_MEMORY,
     "not enough memory"}};

static void failing(void) {
  for (size_t i = 0; i < LENGTH(failures); i++) {
    struct file files[] = {
        failures[i].config, failures[i].credentials, {.path = NULL}};
    read_texts("[default]\nold = 1", "");
    CHECK(read_from(home, files, NULL, NULL) == (int)failures[i].code &&
              err.code == failures[i].code,
          "failure %zu has its code", i);
    CHECK_STR(ar_str_of(err.message), failures[i].message, "the message");
    CHECK(is_empty(), "after failure %zu nothing is left", i);
  }
}

static void limits(void) {
  struct ar_buf text;
  char path[MAX_PATH + 2];
  static const struct file none[] = {{.path = NULL}};
  ar_buf_init(&text, 2 * AR_MAX_CONFIG);
  ar_buf_addz(&text, "[default]\na = b\n");
  while (text.n < AR_MAX_CONFIG) ar_buf_addz(&text, "################\n");
  text.p[AR_MAX_CONFIG] = '\0';
  CHECK(read_texts(ar_buf_z(&text), "") == AR_OK, "16 MiB are read");
  text.p[AR_MAX_CONFIG] = '\n';
  CHECK(read_texts(ar_buf_z(&text), "") == AR_E_CONFIG_PARSE && is_empty(),
        "one byte more is refused");
  CHECK_STR(ar_str_of(err.message), CONFIG ": more than 16777216 bytes",
            "the message");
  ar_buf_free(&text);
  memset(path, 'x', sizeof path);
  path[MAX_PATH] = '\0';
  CHECK(read_from(home, none, path, NULL) == AR_OK, "a long path");
  path[MAX_PATH] = 'x';
  path[MAX_PATH + 1] = '\0';
  CHECK(read_from(home, none, path, NULL) == AR_E_CONFIG_PARSE && is_empty(),
        "a longer one is refused");
}

static void rereading(void) {
  read_texts("[profile a]\nx = 1", "");
  read_texts("[profile b]\ny = 1", "");
  CHECK(profile("a") == NULL && profile("b") != NULL && p.section_count == 1,
        "reading again forgets what was read");
}

/* --- work -----------------------------------------------------------------
 */

#define MANY 100000u

static void add_many(struct ar_buf *text, const char *before,
                     const char *after) {
  for (unsigned n = 0; n < MANY; n++) {
    ar_buf_addz(text, before);
    ar_buf_addi(text, n);
    ar_buf_addz(text, after);
  }
}

/* Reads a text and looks at what that cost. */
static void read_many(const char *what, const struct ar_buf *text,
                      size_t sections, size_t properties) {
  allocations = comparisons = 0;
  CHECK(read_texts(ar_buf_z(text), "") == AR_OK &&
            p.section_count == sections && p.property_count == properties,
        "%s are read", what);
  CHECK(comparisons <= 6 * (size_t)MANY, "%s: %zu names compared", what,
        comparisons);
  CHECK(allocations <= 64, "%s: %zu allocations", what, allocations);
}

static void linear(void) {
  struct ar_buf text;
  size_t found = 0;
  ar_buf_init(&text, AR_MAX_CONFIG);
  add_many(&text, "[profile p", "]\nregion = r\n");
  read_many("100,000 profiles", &text, MANY, MANY);
  comparisons = 0;
  for (unsigned n = 0; n < MANY; n++) {
    char name[16];
    snprintf(name, sizeof name, "p%u", n);
    found += profile(name) == &p.sections[n];
  }
  CHECK(found == MANY, "%zu of 100,000 profiles are found", found);
  CHECK(comparisons <= 3 * (size_t)MANY, "%zu names compared to find them",
        comparisons);
  ar_buf_reset(&text);
  ar_buf_addz(&text, "[default]\n");
  add_many(&text, "name", " = value\n");
  read_many("100,000 properties", &text, 1, MANY);
  CHECK_STR(get("default", "name0"), "value", "the first one");
  ar_buf_reset(&text);
  ar_buf_addz(&text, "[default]\n");
  add_many(&text, "same = ", "\n");
  read_many("100,000 values of one property", &text, 1, MANY);
  comparisons = 0;
  CHECK_STR(get("default", "same"), "99999", "the last one");
  CHECK(comparisons == 2, "the section's name is compared, and one other");
  ar_buf_reset(&text);
  add_many(&text, "[profile same]\na = ", "\n");
  read_many("100,000 sections of one name", &text, 1, MANY);
  ar_buf_free(&text);
}

static void out_of_memory(void) {
  struct ar_buf text;
  size_t all;
  ar_buf_init(&text, 4096);
  for (int n = 0; n < 100; n++) {
    ar_buf_addz(&text, "[profile p");
    ar_buf_addi(&text, n);
    ar_buf_addz(&text, "]\na = b\n");
  }
  allocations = 0;
  read_texts(ar_buf_z(&text), "");
  all = allocations;
  for (size_t n = 1; n <= all; n++) {
    allocations = 0;
    fail_at = n;
    CHECK(read_texts(ar_buf_z(&text), "") == AR_E_MEMORY &&
              err.code == AR_E_MEMORY && is_empty(),
          "allocation %zu of %zu fails, and nothing is left", n, all);
  }
  fail_at = 0;
  CHECK(all > 5, "there are allocations: %zu", all);
  ar_buf_free(&text);
}

int main(void) {
  ar_profiles_init(&p);
  CHECK(is_empty(), "at first there is nothing");
  merging();
  kinds();
  many_kinds();
  empty_values();
  places_of_properties();
  finding();
  without_files();
  failing();
  limits();
  rereading();
  linear();
  out_of_memory();
  ar_profiles_free(&p);
  ar_profiles_free(&p);
  CHECK(is_empty(), "freed twice, there is nothing");
  return checked();
}
