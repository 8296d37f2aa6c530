/*
** libcurl as a whole: initialised once a process, never cleaned up, since
** its resolver threads and other users may outlive us. What was found out
** then is constant.
*/
#ifndef ar_library_h
#define ar_library_h

#include "../core/fail.h"

AR_HIDDEN

/* Where libcurl looks for certificate authorities. Both may be NULL. */
struct ar_authorities {
  const char *file;      /* a PEM bundle */
  const char *directory; /* a hashed directory */
};

/*
** Initialises libcurl; at once when that was done. May take a millisecond.
** AR_OK; AR_E_HTTP when libcurl refuses or is older than what is needed.
*/
int ar_library_init(struct ar_err *err);

/* libcurl's version, such as "7.88.1". Static. */
const char *ar_library_version(void);

/*
** The system's authorities, one of the two at most: a hashed directory where
** there is one, which is read a certificate at a time, else the bundle alone,
** because libcurl parses a bundle anew for each connection while it has a
** directory too. The first call reads the directory. Static.
*/
const struct ar_authorities *ar_library_authorities(void);

/*
** Whether an SSL_CTX that libcurl shows is of the libssl that we are linked
** with. Valid after ar_library_init.
*/
bool ar_library_speaks_our_tls(void);

/*
** Whether libcurl's own writes raise no SIGPIPE. Those of the system's
** resolver still may. Valid after ar_library_init.
*/
bool ar_library_is_silent(void);

AR_HIDDEN_END

#endif
