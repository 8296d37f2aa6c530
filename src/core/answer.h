/*
** Errors in the answers of AWS JSON services (AWS JSON 1.0 protocol of Smithy,
** "Operation error serialization").
*/
#ifndef ar_answer_h
#define ar_answer_h

#include "http.h"

AR_HIDDEN

/*
** Reads the error's code and message into buffers that are empty or were used
** for this before: the code from the header, `code` or `__type`, without its
** namespace and URI; else the status stands for it. `*document`: the body was
** a JSON object. AR_OK or AR_E_MEMORY.
*/
int ar_answer_error(const struct ar_http *http, struct ar_buf *code,
                    struct ar_buf *message, bool *document,
                    struct ar_err *err);

AR_HIDDEN_END

#endif
