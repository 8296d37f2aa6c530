/*
** Where requests for a region go: App Runner's endpoint rules and the
** partitions of AWS (botocore's endpoint-rule-set-1.json and
** partitions.json 1.1).
*/
#ifndef ar_endpoint_h
#define ar_endpoint_h

#include "uri.h"

AR_HIDDEN

struct ar_endpoint_params {
  const char *service;  /* first part of the host name: "apprunner" */
  struct ar_str region; /* may be empty where `custom` is not */
  bool fips, dualstack;
  struct ar_str custom; /* endpoint_url, or empty */
};

/* Initialise once, resolve any number of times, free. */
struct ar_endpoint {
  struct ar_buf base; /* what the rules answer; a custom one verbatim */
  struct ar_buf url;  /* what requests are sent to; ends with a slash */
  struct ar_buf path; /* the path of `url` */
  struct ar_buf host; /* the Host header's value */
};

void ar_endpoint_init(struct ar_endpoint *endpoint);
void ar_endpoint_free(struct ar_endpoint *endpoint);

/*
** Whether `region` is one label of a host name and not a mere number, as
** botocore has it: (?![0-9]+$)(?!-)[a-zA-Z0-9-]{,63}(?<!-).
*/
bool ar_is_region(struct ar_str region);

/* AR_OK for a region; AR_E_NO_REGION when empty, else AR_E_BAD_ENDPOINT. */
int ar_region_check(struct ar_str region, struct ar_err *err);

/*
** AR_OK; AR_E_NO_REGION; AR_E_ENDPOINT_RULE with the rules' own text;
** AR_E_BAD_ENDPOINT for a custom URL that cannot be used, or a region that is
** no host label (botocore's rule); AR_E_MEMORY.
*/
int ar_endpoint_resolve(struct ar_endpoint *endpoint,
                        const struct ar_endpoint_params *params,
                        struct ar_err *err);

AR_HIDDEN_END

#endif
