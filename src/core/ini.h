/*
** One of the shared files (~/.aws/config, ~/.aws/credentials), whose grammar
** the cross-SDK test suite (smithy-rs, profile-parser-tests.json) defines.
**
** The parser works in place: names are lower-cased, comments and folds cut out
** of the text that it was given, and what it hands out are slices of it. It is
** linear in the size of the text, keeps nothing and allocates nothing: each
** property goes to the caller as it is found.
*/
#ifndef ar_ini_h
#define ar_ini_h

#include "fail.h"
#include "str.h"

AR_HIDDEN

/* Which of the two files: the headers of their sections differ. */
enum ar_ini_file { AR_INI_CONFIG, AR_INI_CREDENTIALS, AR_INI_FILES };

enum ar_section_kind {
  AR_SECTION_PROFILE,
  AR_SECTION_SSO_SESSION,
  AR_SECTION_SERVICES,
  AR_SECTION_KINDS
};

/* What the parser found, in the order of the text. */
struct ar_ini_events {
  /*
  ** A section begins. `plain`: it is "[default]" of the config file, which
  ** counts for nothing if "[profile default]" stands anywhere in the file.
  ** Sections that are to be ignored are not told. AR_OK or AR_E_MEMORY.
  */
  int (*section)(void *context, enum ar_section_kind kind, struct ar_str name,
                 bool plain);
  /*
  ** A property of that section: name in lower case, value unfolded. A value
  ** that begins with a line feed is a nested block, one trimmed line each.
  */
  int (*property)(void *context, struct ar_str name, struct ar_str value,
                  unsigned line);
  void *context;
};

/*
** Parses `text`, which it changes. AR_OK; AR_E_CONFIG_PARSE with the line's
** number ("line 3: Expected an '=' sign defining a property"); or what an
** event has returned, with err as that left it.
*/
int ar_ini_parse(char *text, size_t size, enum ar_ini_file file,
                 const struct ar_ini_events *events, struct ar_err *err);

/*
** Takes the next "name = value" of a nested block from `*rest`; false at the
** end. Names are as written, comments stay in values, a name may come twice.
*/
bool ar_ini_nested(struct ar_str *rest, struct ar_str *name,
                   struct ar_str *value);

AR_HIDDEN_END

#endif
