/*
** The little XML that the core needs: the answers of STS, by libexpat. Like
** the JSON reader it fetches text only, into buffers of the core. All memory
** of the parser is wiped when it is given back, for these are credentials.
*/
#ifndef ar_xml_h
#define ar_xml_h

#include "buf.h"

AR_HIDDEN

/* An element that is asked for. */
struct ar_xml_field {
  const char *path;    /* "AssumeRoleResponse/AssumeRoleResult/Credentials/
                          AccessKeyId", from the root, without namespaces */
  struct ar_buf *text; /* receives its text; the caller's, initialised */
  bool found;
};

/*
** Reads `doc`. The text of an element is what stands in it directly, nothing
** trimmed. Of an element that stands twice the last one counts, with what is
** in it. Refused are documents that declare a document type, and so entities,
** and ones that nest deeper than 32. AR_OK; AR_E_RESPONSE with the line when
** `doc` is no XML, not whole, or refused, or a text goes beyond its buffer's
** limit; AR_E_MEMORY.
*/
int ar_xml_flat(struct ar_str doc, struct ar_xml_field *fields, size_t count,
                struct ar_err *err);

AR_HIDDEN_END

#endif
