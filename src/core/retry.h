/*
** Which failures may go away by themselves.
*/
#ifndef ar_retry_h
#define ar_retry_h

#include "fail.h"
#include "str.h"

AR_HIDDEN

enum ar_retry_class {
  AR_RETRY_NEVER,
  AR_RETRY_TRANSIENT,
  AR_RETRY_THROTTLING
};

/* Of a failure without an answer (a row of fail.def). */
enum ar_retry_class ar_retry_failure(enum ar_code code);

/* Of an answer that is an error: its status and its error code. */
enum ar_retry_class ar_retry_answer(int status, struct ar_str code);

AR_HIDDEN_END

#endif
