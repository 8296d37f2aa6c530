/*
** URLs: percent-encoding, the canonical path and query of SigV4, and the
** parts of an absolute URL.
*/
#ifndef ar_uri_h
#define ar_uri_h

#include "buf.h"

AR_HIDDEN

/* The parts of an absolute URL, slices of the text that was parsed. */
struct ar_url {
  struct ar_str scheme;   /* as written */
  bool tls;               /* the scheme is https */
  struct ar_str userinfo; /* before '@'; p is NULL when there is none */
  struct ar_str host;     /* without port; an IPv6 literal in its brackets */
  struct ar_str port;     /* digits; empty when there is none */
  struct ar_str path;     /* may be empty */
  struct ar_str query;    /* without '?' */
  bool has_fragment;
};

/*
** Splits an http or https URL. Refused with AR_E_BAD_ENDPOINT: other
** schemes, control characters, a host that is no name, IPv4 address or
** bracketed IPv6 literal (RFC 3986; names as botocore checks them: labels of
** up to 63 of A-Z a-z 0-9 _ -, 255 in all), a port beyond 65535.
*/
int ar_url_parse(struct ar_str text, struct ar_url *url, struct ar_err *err);

/*
** Adds the Host header's value: the host in lower case, with its port unless
** that is the scheme's own.
*/
void ar_url_host(struct ar_buf *out, const struct ar_url *url);

/*
** Adds `s` with all but RFC 3986's unreserved characters as %XX, upper case.
** With `keep_slash`, '/' stays too.
*/
void ar_uri_encode(struct ar_buf *out, struct ar_str s, bool keep_slash);

/* Adds `s` with every valid %XX as its byte. '+' is no space. */
void ar_uri_decode(struct ar_buf *out, struct ar_str s);

/*
** Adds `path` without dot segments and without repeated slashes (RFC 3986,
** 5.2.4, and SigV4's own rule on slashes). It begins with a slash then.
*/
void ar_uri_normalize_path(struct ar_buf *out, struct ar_str path);

/*
** Adds the canonical query string of SigV4: each name and value decoded and
** encoded anew, sorted by encoded name, then by encoded value.
*/
int ar_uri_canonical_query(struct ar_buf *out, struct ar_str query,
                           struct ar_err *err);

AR_HIDDEN_END

#endif
