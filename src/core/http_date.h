/*
** Times as HTTP headers write them (RFC 7231, 7.1.1.1).
*/
#ifndef ar_http_date_h
#define ar_http_date_h

#include "str.h"

AR_HIDDEN

/*
** Reads "Sun, 06 Nov 1994 08:49:37 GMT", and what servers wrote long ago:
** "Sunday, 06-Nov-94 08:49:37 GMT" (years 1970 to 2069) and
** "Sun Nov  6 08:49:37 1994". `*epoch_ms` is in milliseconds since 1970. False
** for anything else, also for days and times that do not exist; which day of
** the week it names is not looked at.
*/
bool ar_http_date_parse(struct ar_str text, int64_t *epoch_ms);

/* A text that was read, and what it says; all zero: none. */
struct ar_http_date {
  char text[32];
  size_t n;
  int64_t epoch_ms;
};

/* The same, but for free where `text` is that of `last`, which it becomes. */
bool ar_http_date_next(struct ar_http_date *last, struct ar_str text,
                       int64_t *epoch_ms);

AR_HIDDEN_END

#endif
