/*
** Endpoint rules over a table of partitions.
*/
#include "endpoint.h"

/*
** A region is a partition's when it reads PREFIX-WORD-NUMBER, or is its
** global pseudo-region. Whatever no row claims belongs to the first one.
*/
static const struct partition {
  const char *prefix, *global, *suffix, *dualstack_suffix;
} partitions[] = {
    {"us", "aws-global", "amazonaws.com", "api.aws"},
    {"cn", "aws-cn-global", "amazonaws.com.cn",
     "api.amazonwebservices.com.cn"},
    {"eusc-de", "", "amazonaws.eu", "api.amazonwebservices.eu"},
    {"us-iso", "aws-iso-global", "c2s.ic.gov", "api.aws.ic.gov"},
    {"us-isob", "aws-iso-b-global", "sc2s.sgov.gov", "api.aws.scloud"},
    {"eu-isoe", "aws-iso-e-global", "cloud.adc-e.uk",
     "api.cloud-aws.adc-e.uk"},
    {"us-isof", "aws-iso-f-global", "csp.hci.ic.gov", "api.aws.hci.ic.gov"},
    {"us-gov", "aws-us-gov-global", "amazonaws.com", "api.aws"}};

void ar_endpoint_init(struct ar_endpoint *endpoint) {
  ar_buf_init(&endpoint->base, AR_MAX_URL);
  ar_buf_init(&endpoint->url, AR_MAX_URL);
  ar_buf_init(&endpoint->path, AR_MAX_URL);
  ar_buf_init(&endpoint->host, AR_MAX_URL);
}

void ar_endpoint_free(struct ar_endpoint *endpoint) {
  ar_buf_free(&endpoint->base);
  ar_buf_free(&endpoint->url);
  ar_buf_free(&endpoint->path);
  ar_buf_free(&endpoint->host);
}

static size_t skip_word(struct ar_str s, size_t i) {
  while (i < s.n &&
         (ar_is_alpha(s.p[i]) || ar_is_digit(s.p[i]) || s.p[i] == '_'))
    i++;
  return i;
}

/* Whether `region` reads PREFIX-WORD-NUMBER. */
static bool has_prefix(struct ar_str region, struct ar_str prefix) {
  struct ar_str rest = ar_str_from(region, prefix.n + 1);
  size_t dash = skip_word(rest, 0), i = dash + 1;
  if (region.n <= prefix.n || region.p[prefix.n] != '-' ||
      memcmp(region.p, prefix.p, prefix.n) != 0 || dash == 0 || i >= rest.n ||
      rest.p[dash] != '-')
    return false;
  while (i < rest.n && ar_is_digit(rest.p[i])) i++;
  return i == rest.n;
}

static const struct partition *partition_of(struct ar_str region) {
  for (size_t i = 1; i < sizeof partitions / sizeof *partitions; i++)
    if (has_prefix(region, ar_str_of(partitions[i].prefix)) ||
        ar_str_eq(region, ar_str_of(partitions[i].global)))
      return &partitions[i];
  return &partitions[0];
}

bool ar_is_region(struct ar_str region) {
  bool only_digits = true;
  if (region.n == 0 || region.n > 63 || region.p[0] == '-' ||
      region.p[region.n - 1] == '-')
    return false;
  for (size_t i = 0; i < region.n; i++) {
    char c = region.p[i];
    if (!ar_is_alpha(c) && !ar_is_digit(c) && c != '-') return false;
    only_digits = only_digits && ar_is_digit(c);
  }
  return !only_digits;
}

int ar_region_check(struct ar_str region, struct ar_err *err) {
  if (region.n == 0)
    return ar_fail(err, AR_E_NO_REGION, "You must specify a region.");
  if (!ar_is_region(region))
    return ar_fail(err, AR_E_BAD_ENDPOINT, "invalid region");
  return AR_OK;
}

static int regional_base(struct ar_buf *base,
                         const struct ar_endpoint_params *params,
                         struct ar_err *err) {
  const struct partition *partition = partition_of(params->region);
  int rc = ar_region_check(params->region, err);
  if (rc != AR_OK) return rc;
  ar_buf_addz(base, "https://");
  ar_buf_addz(base, params->service);
  ar_buf_addz(base, params->fips ? "-fips." : ".");
  ar_buf_adds(base, params->region);
  ar_buf_addc(base, '.');
  ar_buf_addz(base, params->dualstack ? partition->dualstack_suffix
                                      : partition->suffix);
  return ar_buf_check(base, err);
}

static int custom_base(struct ar_buf *base,
                       const struct ar_endpoint_params *params,
                       struct ar_err *err) {
  if (params->fips)
    return ar_fail(err, AR_E_ENDPOINT_RULE,
                   "Invalid Configuration: FIPS and custom endpoint are not "
                   "supported");
  if (params->dualstack)
    return ar_fail(err, AR_E_ENDPOINT_RULE,
                   "Invalid Configuration: Dualstack and custom endpoint are "
                   "not supported");
  ar_buf_adds(base, params->custom);
  return ar_buf_check(base, err);
}

/* What a URL may carry, but an endpoint may not. */
static int check_plain(const struct ar_url *url, struct ar_err *err) {
  if (url->userinfo.p != NULL)
    return ar_fail(err, AR_E_BAD_ENDPOINT,
                   "an endpoint URL must not contain a user or a password");
  if (url->query.n > 0 || url->has_fragment)
    return ar_fail(err, AR_E_BAD_ENDPOINT,
                   "an endpoint URL must not contain a query or a fragment");
  for (size_t i = 0; i < url->path.n; i++)
    if (url->path.p[i] == ' ' || (unsigned char)url->path.p[i] >= 0x80)
      return ar_fail(err, AR_E_BAD_ENDPOINT,
                     "the path of an endpoint URL must be percent-encoded");
  return AR_OK;
}

static int split_base(struct ar_endpoint *endpoint, struct ar_err *err) {
  struct ar_url url;
  int rc = ar_url_parse(ar_buf_str(&endpoint->base), &url, err);
  if (rc == AR_OK) rc = check_plain(&url, err);
  if (rc != AR_OK) return rc;
  ar_buf_adds(&endpoint->path, url.path);
  if (url.path.n == 0 || url.path.p[url.path.n - 1] != '/')
    ar_buf_addc(&endpoint->path, '/');
  ar_url_host(&endpoint->host, &url);
  ar_buf_addz(&endpoint->url, url.tls ? "https://" : "http://");
  ar_buf_addb(&endpoint->url, &endpoint->host);
  ar_buf_addb(&endpoint->url, &endpoint->path);
  rc = ar_buf_check(&endpoint->path, err);
  return rc == AR_OK ? ar_buf_check(&endpoint->url, err) : rc;
}

int ar_endpoint_resolve(struct ar_endpoint *endpoint,
                        const struct ar_endpoint_params *params,
                        struct ar_err *err) {
  int rc;
  ar_buf_reset(&endpoint->base);
  ar_buf_reset(&endpoint->url);
  ar_buf_reset(&endpoint->path);
  ar_buf_reset(&endpoint->host);
  rc = (params->custom.n > 0 ? custom_base : regional_base)(&endpoint->base,
                                                            params, err);
  return rc == AR_OK ? split_base(endpoint, err) : rc;
}
