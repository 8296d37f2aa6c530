/*
** How the requests of a client travel: timeouts, trust, proxy.
*/
#ifndef ar_route_h
#define ar_route_h

#include "http.h"
#include "settings.h"

AR_HIDDEN

/*
** Sets in the exchange what `settings` say, and the proxy for http->url, which
** stands already. AR_OK, or AR_E_BAD_CONFIG for a proxy that cannot be used.
*/
int ar_route(struct ar_http *http, const struct ar_settings *settings,
             struct ar_err *err);

/* The same, but for a request that must not pass a proxy. */
void ar_route_direct(struct ar_http *http, const struct ar_settings *settings);

AR_HIDDEN_END

#endif
