/*
** Endpoints: every partition in its four forms, and endpoints of the
** caller's own.
*/
#include "../../src/core/endpoint.h"

#include "kit.h"

static struct ar_endpoint endpoint;
static struct ar_err err;

static int resolve(const char *region, int form, const char *custom) {
  struct ar_endpoint_params params = {.service = "apprunner",
                                      .region = ar_str_of(region),
                                      .fips = form & 1,
                                      .dualstack = form & 2,
                                      .custom = ar_str_of(custom)};
  return ar_endpoint_resolve(&endpoint, &params, &err);
}

/* Regions with the two suffixes of their partition (partitions.json 1.1). */
static const struct {
  const char *region, *suffix, *dual;
} regions[] = {
    {"us-east-1", "amazonaws.com", "api.aws"},
    {"eu-west-3", "amazonaws.com", "api.aws"},
    {"ap-southeast-2", "amazonaws.com", "api.aws"},
    {"mx-central-1", "amazonaws.com", "api.aws"},
    {"aws-global", "amazonaws.com", "api.aws"},
    {"cn-north-1", "amazonaws.com.cn", "api.amazonwebservices.com.cn"},
    {"cn-new-17", "amazonaws.com.cn", "api.amazonwebservices.com.cn"},
    {"aws-cn-global", "amazonaws.com.cn", "api.amazonwebservices.com.cn"},
    {"eusc-de-east-1", "amazonaws.eu", "api.amazonwebservices.eu"},
    {"eusc-fr-east-1", "amazonaws.com", "api.aws"},
    {"us-iso-east-1", "c2s.ic.gov", "api.aws.ic.gov"},
    {"aws-iso-global", "c2s.ic.gov", "api.aws.ic.gov"},
    {"us-isob-west-1", "sc2s.sgov.gov", "api.aws.scloud"},
    {"aws-iso-b-global", "sc2s.sgov.gov", "api.aws.scloud"},
    {"eu-isoe-west-1", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk"},
    {"aws-iso-e-global", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk"},
    {"us-isof-south-1", "csp.hci.ic.gov", "api.aws.hci.ic.gov"},
    {"aws-iso-f-global", "csp.hci.ic.gov", "api.aws.hci.ic.gov"},
    {"us-gov-west-1", "amazonaws.com", "api.aws"},
    {"aws-us-gov-global", "amazonaws.com", "api.aws"},
    /* What no partition claims belongs to the first. */
    {"foo", "amazonaws.com", "api.aws"},
    {"cn-north", "amazonaws.com", "api.aws"},
    {"cn-north-1a", "amazonaws.com", "api.aws"},
    {"cn--1", "amazonaws.com", "api.aws"},
    {"xcn-north-1", "amazonaws.com", "api.aws"},
    {"us-isoc-east-1", "amazonaws.com", "api.aws"}};

static void partitions(void) {
  for (size_t i = 0; i < LENGTH(regions); i++) {
    for (int form = 0; form < 4; form++) {
      char url[300], host[256];
      snprintf(host, sizeof host, "apprunner%s.%s.%s", form & 1 ? "-fips" : "",
               regions[i].region,
               form & 2 ? regions[i].dual : regions[i].suffix);
      CHECK(resolve(regions[i].region, form, NULL) == AR_OK, "%s: %s",
            regions[i].region, err.message);
      snprintf(url, sizeof url, "https://%s", host);
      CHECK_STR(ar_buf_str(&endpoint.base), url, "base");
      snprintf(url, sizeof url, "https://%s/", host);
      CHECK_STR(ar_buf_str(&endpoint.url), url, "url");
      CHECK_STR(ar_buf_str(&endpoint.host), host, "host");
      CHECK_STR(ar_buf_str(&endpoint.path), "/", "path");
    }
  }
}

static void own(void) {
  static const struct {
    const char *custom, *url, *host, *path;
  } rows[] = {
      {"https://example.com", "https://example.com/", "example.com", "/"},
      {"http://A.B:80/", "http://a.b/", "a.b", "/"},
      {"http://localhost:8080/x", "http://localhost:8080/x/", "localhost:8080",
       "/x/"},
      {"HTTPS://[::1]:443/a//b/", "https://[::1]/a//b/", "[::1]", "/a//b/"},
      {"http://a/%20/", "http://a/%20/", "a", "/%20/"}};
  for (size_t i = 0; i < LENGTH(rows); i++) {
    CHECK(resolve(i % 2 ? "" : "us-east-1", 0, rows[i].custom) == AR_OK,
          "%s: %s", rows[i].custom, err.message);
    CHECK_STR(ar_buf_str(&endpoint.base), rows[i].custom, "base");
    CHECK_STR(ar_buf_str(&endpoint.url), rows[i].url, "url");
    CHECK_STR(ar_buf_str(&endpoint.host), rows[i].host, "host");
    CHECK_STR(ar_buf_str(&endpoint.path), rows[i].path, "path");
  }
}

static void refused(void) {
  static const struct {
    const char *region;
    int form;
    const char *custom;
    enum ar_code code;
  } rows[] = {{"", 0, "", AR_E_NO_REGION},
              {"us east 1", 0, "", AR_E_BAD_ENDPOINT},
              {"-a", 0, "", AR_E_BAD_ENDPOINT},
              {"a-", 0, "", AR_E_BAD_ENDPOINT},
              {"123", 0, "", AR_E_BAD_ENDPOINT},
              {"a.b", 0, "", AR_E_BAD_ENDPOINT},
              {"a/../b", 0, "", AR_E_BAD_ENDPOINT},
              {"us-east-1", 1, "http://a", AR_E_ENDPOINT_RULE},
              {"us-east-1", 2, "http://a", AR_E_ENDPOINT_RULE},
              {"", 3, "http://a", AR_E_ENDPOINT_RULE},
              {"us-east-1", 0, "a", AR_E_BAD_ENDPOINT},
              {"us-east-1", 0, "http://u@a", AR_E_BAD_ENDPOINT},
              {"us-east-1", 0, "http://a?b", AR_E_BAD_ENDPOINT},
              {"us-east-1", 0, "http://a#b", AR_E_BAD_ENDPOINT},
              {"us-east-1", 0, "http://a/b c", AR_E_BAD_ENDPOINT},
              {"us-east-1", 0, "http://a/\xc3\xa9", AR_E_BAD_ENDPOINT}};
  for (size_t i = 0; i < LENGTH(rows); i++)
    CHECK(resolve(rows[i].region, rows[i].form, rows[i].custom) ==
                  (int)rows[i].code &&
              err.code == rows[i].code,
          "'%s' with '%s': %s", rows[i].region, rows[i].custom, err.message);
}

static void labels(void) {
  char label[65];
  memset(label, 'a', sizeof label);
  CHECK(ar_is_region(ar_str_n(label, 63)), "63 letters are a label");
  CHECK(!ar_is_region(ar_str_n(label, 64)), "64 are not");
  CHECK(!ar_is_region(AR_STR("")) && !ar_is_region(AR_STR("a_b")) &&
            !ar_is_region(AR_STR("\xc3\xa9")) && ar_is_region(AR_STR("A1")),
        "what else is a label");
}

int main(void) {
  ar_endpoint_init(&endpoint);
  partitions();
  own();
  refused();
  labels();
  ar_endpoint_free(&endpoint);
  return checked();
}
