/*
** Which proxy a request goes through, by the rules of botocore (its
** get_environ_proxies and should_bypass_proxies) and no others.
*/
#ifndef ar_proxy_h
#define ar_proxy_h

#include "buf.h"

AR_HIDDEN

/*
** Whether `no_proxy` exempts a host: a list with commas; "*" is every host; an
** entry is the host, or a suffix of it at a dot, in any case; leading dots and
** spaces around it do not count; "host:port" asks for the port too. No CIDR.
** `host` is without port; an IPv6 literal may have its brackets, here and
** there. `port` is the URL's, also where it is the scheme's own.
*/
bool ar_proxy_exempts(struct ar_str no_proxy, struct ar_str host,
                      unsigned port);

/*
** Adds the URL of the proxy `proxy` as a performer takes it: "http://" stands
** before one without a scheme. AR_OK; AR_E_BAD_CONFIG, that never repeats the
** user and password which may be in it, when it is no http or https URL with a
** host, has a path other than "/", a query, a fragment, or a control
** character; AR_E_MEMORY.
*/
int ar_proxy_url(struct ar_buf *out, struct ar_str proxy, struct ar_err *err);

AR_HIDDEN_END

#endif
