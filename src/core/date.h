/*
** Times as AWS writes them. Pure arithmetic on the Gregorian calendar in
** UTC: no locale, no time zone, no clock.
*/
#ifndef ar_date_h
#define ar_date_h

#include "str.h"

AR_HIDDEN

/* The latest second that four digits of a year can say, 9999-12-31. */
#define AR_MAX_EPOCH INT64_C(253402300799)
/* The first second of the year 0. */
#define AR_MIN_EPOCH INT64_C(-62167219200)

/* "YYYYMMDDTHHMMSSZ" and a NUL. */
#define AR_DATE_SIZE 17

/* "YYYY-MM-DDTHH:MM:SS.mmmZ" and a NUL. */
#define AR_DATE_ISO_SIZE 25

/*
** Writes the basic ISO 8601 form of `epoch`, seconds since 1970 from
** AR_MIN_EPOCH to AR_MAX_EPOCH, which SigV4 calls the X-Amz-Date value.
*/
void ar_date_basic(int64_t epoch, char out[AR_DATE_SIZE]);

/*
** Writes the extended form of `epoch`, in milliseconds and within the same
** bounds, with a fraction where there is one.
*/
void ar_date_iso(int64_t epoch_ms, char out[AR_DATE_ISO_SIZE]);

/*
** Reads a time as AWS documents write one: "2026-01-02T03:04:05Z", with a
** fraction, with an offset ("+00:00", "-0130"), with "UTC" for "Z" (old SSO
** caches), or in the basic form "20260102T030405Z". `*epoch_ms` is in
** milliseconds; what is finer is cut off. False for anything else, also for
** days, hours and seconds (60) that do not exist, and for what an offset moves
** out of the years 0 to 9999.
*/
bool ar_date_parse(struct ar_str text, int64_t *epoch_ms);

AR_HIDDEN_END

#endif
