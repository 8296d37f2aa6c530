/*
** The API as constant tables: operations and the shapes of what they take
** and give (service-2.json of botocore, API version 2020-05-15). An operation
** more is a row more.
*/
#ifndef ar_model_h
#define ar_model_h

#include "str.h"

AR_HIDDEN

#define AR_SIGNING_NAME "apprunner"
#define AR_CONTENT_TYPE "application/x-amz-json-1.0"

enum ar_type {
  AR_STRING,
  AR_BOOLEAN,
  AR_INTEGER,
  AR_TIMESTAMP, /* seconds since 1970, perhaps with a fraction */
  AR_STRUCTURE,
  AR_LIST,
  AR_MAP /* from strings */
};

struct ar_member;

struct ar_shape {
  enum ar_type type;
  bool sensitive;                  /* hidden by apprunner.dump */
  int64_t min, max;                /* of a length or a value; max 0: none */
  const struct ar_member *members; /* of a structure */
  size_t count;
  const struct ar_shape *element; /* of a list or a map */
};

struct ar_member {
  const char *name;
  const struct ar_shape *shape;
  bool required;
};

struct ar_operation {
  const char *name;     /* the API's: "PauseService" */
  struct ar_str target; /* of the X-Amz-Target header */
  const char *method;   /* the Lua method's: "pause_service" */
  const char *arn;      /* the input member whose region counts, or NULL */
  const struct ar_shape *input, *output;
};

/* All operations; the count is in `*count`. */
const struct ar_operation *ar_operations(size_t *count);

AR_HIDDEN_END

#endif
