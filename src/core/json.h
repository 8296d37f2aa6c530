/*
** The little JSON that the core itself needs (RFC 8259): writing a string,
** bounding a document before somebody builds it in memory, and reading flat
** documents.
**
** The reader serves errors, and later credentials: what it reads stays in
** buffers of the core, that are wiped, and never becomes a Lua string. It is
** strict on syntax, but fetches only text from the top level and from one
** level of objects below; what stands deeper is checked and passed over.
*/
#ifndef ar_json_h
#define ar_json_h

#include "buf.h"

AR_HIDDEN

/* Adds `s` as a JSON string, quotes and all. Bytes above 127 stay. */
void ar_json_add_string(struct ar_buf *out, struct ar_str s);

/*
** Whether `doc` may be given to a lenient decoder: it nests at most
** `max_depth` deep, holds at most `max_members` members and elements, and
** outside its strings are punctuation, whitespace, true, false, null and
** numbers of JSON alone, so no NaN, no hexadecimal, and no infinity (1e308 and
** above is refused); its texts are UTF-8 without control characters. A scan
** over the bytes that trusts nothing and leaves the rest of the syntax, the
** order, to the decoder. `*nulls` tells whether null was among the words.
*/
bool ar_json_is_sane(struct ar_str doc, size_t max_depth, size_t max_members,
                     bool *nulls);

enum ar_json_type {
  AR_JSON_ABSENT, /* or null */
  AR_JSON_STRING,
  AR_JSON_NUMBER,  /* text as written */
  AR_JSON_BOOLEAN, /* "true" or "false" */
  AR_JSON_OTHER    /* an object or an array: text is empty */
};

/* A member that is asked for. */
struct ar_json_field {
  const char *path;    /* "Name" or "Outer.Name" */
  bool any_case;       /* letters of the name may be in any case */
  struct ar_buf *text; /* receives the value; the caller's, initialised */
  enum ar_json_type type;
};

/*
** Reads `doc`, one JSON object. Of a member that stands twice the last one
** counts. AR_OK; AR_E_RESPONSE with the offset when `doc` is no JSON object;
** AR_E_MEMORY.
*/
int ar_json_flat(struct ar_str doc, struct ar_json_field *fields, size_t count,
                 struct ar_err *err);

AR_HIDDEN_END

#endif
