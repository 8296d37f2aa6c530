/*
** The system's own words for what it refuses.
*/
#ifndef ar_host_system_h
#define ar_host_system_h

#include "../core/fail.h"

AR_HIDDEN

/*
** Fills `err` with `code` and the text of errno `number` ("Permission
** denied"), and returns the code: AR_E_MEMORY in its place for ENOMEM.
*/
int ar_fail_system(struct ar_err *err, enum ar_code code, int number);

AR_HIDDEN_END

#endif
