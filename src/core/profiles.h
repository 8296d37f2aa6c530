/*
** The two shared files, read and merged: profiles, sso-sessions and services.
** What they hold may be secret: all of it is wiped when it is freed.
*/
#ifndef ar_profiles_h
#define ar_profiles_h

#include "env.h"
#include "ini.h"

AR_HIDDEN

/* The larger ones are refused, never memory. */
#define AR_MAX_CONFIG (16u * 1024u * 1024u)

struct ar_property {
  struct ar_str name;    /* lower case */
  struct ar_str value;   /* "\nname = value\n..." for a nested block */
  enum ar_ini_file file; /* where it was found */
  unsigned line;
  uint32_t next; /* index + 1, the one defined before; 0: none */
};

struct ar_section {
  enum ar_section_kind kind;
  struct ar_str name;
  uint32_t newest; /* property, index + 1; of one name the newest counts */
};

struct ar_profiles {
  struct ar_buf paths[AR_INI_FILES]; /* as opened */
  struct ar_buf texts[AR_INI_FILES]; /* what the slices point into */
  struct ar_section *sections; /* in the order of their first appearance */
  struct ar_property *properties;
  uint32_t *index; /* hash table over sections */
  size_t section_count, section_room, property_count, property_room;
  size_t index_size; /* a power of two, or 0 */
};

/* Empty; cannot fail. Initialise once, read any number of times, free. */
void ar_profiles_init(struct ar_profiles *p);
void ar_profiles_free(struct ar_profiles *p);

/*
** Reads both files anew. Paths: `config_path` and `credentials_path` where
** they are not NULL, else AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE,
** else ~/.aws/config and ~/.aws/credentials, where ~ is $HOME; a leading "~/"
** is expanded everywhere, and names no file where HOME is unset. A missing
** file is an empty one. AR_OK; AR_E_CONFIG_PARSE with the path, and the line
** where there is one, also for a file that cannot be read; AR_E_MEMORY. After
** an error `p` is empty.
*/
int ar_profiles_read(struct ar_profiles *p, const struct ar_env *env,
                     const char *config_path, const char *credentials_path,
                     struct ar_err *err);

/* The section, or NULL. */
const struct ar_section *ar_profiles_find(const struct ar_profiles *p,
                                          enum ar_section_kind kind,
                                          struct ar_str name);

/*
** The property `name` (lower case) of `section`, or NULL, also where the
** section is NULL or the value is empty: an empty value counts as unset.
*/
const struct ar_property *ar_profiles_property(
    const struct ar_profiles *p, const struct ar_section *section,
    const char *name);

/* Its value; empty when unset. */
struct ar_str ar_profiles_get(const struct ar_profiles *p,
                              const struct ar_section *section,
                              const char *name);

/* Adds "line 3 of /home/a/.aws/config", where `property` stands. */
void ar_profiles_place(const struct ar_profiles *p,
                       const struct ar_property *property, struct ar_buf *out);

AR_HIDDEN_END

#endif
