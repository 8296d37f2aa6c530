/*
** The little XML that the core needs, by libexpat.
*/
#include "xml.h"

#include <expat.h>
#include <limits.h>
#include <stdlib.h>

#define MAX_DEPTH 32

struct reader {
  XML_Parser parser;
  struct ar_xml_field *fields;
  size_t count;
  struct ar_buf path; /* of the open element: "Root/Child" */
  unsigned depth;
  const char *refused; /* why the parser was stopped, or NULL */
  enum ar_code failed; /* of a buffer */
};

/* What stands before each block that the parser is given. */
union head {
  size_t size; /* of the block after it */
  max_align_t align;
};

static void *allocate(size_t size) {
  union head *head = NULL;
  if (size <= SIZE_MAX - sizeof *head) head = malloc(sizeof *head + size);
  if (head == NULL) return NULL;
  head->size = size;
  return head + 1;
}

static void release(void *block) {
  union head *head = block;
  if (head == NULL) return;
  head--;
  ar_wipe(block, head->size);
  free(head);
}

/* Always a new block: realloc would leave the old bytes behind. */
static void *reallocate(void *block, size_t size) {
  void *grown = allocate(size);
  if (grown == NULL || block == NULL) return grown;
  const union head *head = (const union head *)block - 1;
  memcpy(grown, block, head->size < size ? head->size : size);
  release(block);
  return grown;
}

static const XML_Memory_Handling_Suite wiping = {allocate, reallocate,
                                                 release};

/* The parser may call a handler once more after it was stopped. */
static void stop(struct reader *r, const char *why) {
  r->refused = why;
  XML_StopParser(r->parser, XML_FALSE);
}

static void check(struct reader *r, const struct ar_buf *b) {
  if (!b->failed) return;
  r->failed = b->failed;
  stop(r, "too long a text");
}

static void clear(struct ar_xml_field *field) {
  ar_buf_reset(field->text);
  field->found = false;
}

/* Whether `path` leads to the open element or to one inside it. */
static bool leads_inside(const struct reader *r, const char *path) {
  struct ar_str open = ar_buf_str(&r->path);
  return strncmp(path, ar_buf_z(&r->path), open.n) == 0 &&
         (path[open.n] == '\0' || path[open.n] == '/');
}

static bool is_open(const struct reader *r, const struct ar_xml_field *field) {
  return ar_str_eq(ar_str_of(field->path), ar_buf_str(&r->path));
}

static void XMLCALL open_element(void *context, const XML_Char *name,
                                 const XML_Char **attributes) {
  struct reader *r = context;
  const char *prefix = strrchr(name, ':');
  (void)attributes;
  if (r->refused) return;
  if (++r->depth > MAX_DEPTH) {
    stop(r, "elements nest too deep");
    return;
  }
  if (r->depth > 1) ar_buf_addc(&r->path, '/');
  ar_buf_addz(&r->path, prefix ? prefix + 1 : name);
  check(r, &r->path);
  for (size_t i = 0; i < r->count && !r->refused; i++) {
    if (!leads_inside(r, r->fields[i].path)) continue;
    clear(&r->fields[i]);
    r->fields[i].found = is_open(r, &r->fields[i]);
  }
}

static void XMLCALL close_element(void *context, const XML_Char *name) {
  struct reader *r = context;
  (void)name;
  if (r->refused) return;
  r->depth--;
  while (r->path.n > 0 && r->path.p[--r->path.n] != '/') continue;
  if (r->path.p) r->path.p[r->path.n] = '\0';
}

static void XMLCALL add_text(void *context, const XML_Char *text, int n) {
  struct reader *r = context;
  for (size_t i = 0; i < r->count && !r->refused; i++) {
    if (!is_open(r, &r->fields[i])) continue;
    ar_buf_add(r->fields[i].text, text, (size_t)n);
    check(r, r->fields[i].text);
  }
}

static void XMLCALL refuse_doctype(void *context, const XML_Char *name,
                                   const XML_Char *system,
                                   const XML_Char *public, int has_subset) {
  (void)name, (void)system, (void)public, (void)has_subset;
  stop(context, "a document type is declared");
}

static int run(struct reader *r, struct ar_str doc, struct ar_err *err) {
  enum XML_Error error;
  XML_SetUserData(r->parser, r);
  XML_SetElementHandler(r->parser, open_element, close_element);
  XML_SetCharacterDataHandler(r->parser, add_text);
  XML_SetStartDoctypeDeclHandler(r->parser, refuse_doctype);
  if (XML_Parse(r->parser, doc.p, (int)doc.n, XML_TRUE) == XML_STATUS_OK)
    return AR_OK;
  error = XML_GetErrorCode(r->parser);
  if (error == XML_ERROR_NO_MEMORY || r->failed == AR_E_MEMORY)
    return ar_fail_memory(err);
  return ar_fail(err, AR_E_RESPONSE, "not XML to be read, line %llu: %s",
                 (unsigned long long)XML_GetCurrentLineNumber(r->parser),
                 r->refused ? r->refused : XML_ErrorString(error));
}

int ar_xml_flat(struct ar_str doc, struct ar_xml_field *fields, size_t count,
                struct ar_err *err) {
  struct reader r = {.fields = fields, .count = count};
  int rc;
  for (size_t i = 0; i < count; i++) clear(&fields[i]);
  if (doc.n > INT_MAX)
    return ar_fail(err, AR_E_RESPONSE, "XML of %zu bytes", doc.n);
  r.parser = XML_ParserCreate_MM(NULL, &wiping, NULL);
  if (r.parser == NULL) return ar_fail_memory(err);
  /* Latin-1 doubles where the parser makes UTF-8 of it. */
  ar_buf_init(&r.path, 2 * doc.n + MAX_DEPTH);
  rc = run(&r, doc, err);
  ar_buf_free(&r.path);
  XML_ParserFree(r.parser);
  return rc;
}
