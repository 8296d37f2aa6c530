/*
** The table of providers, in chain order.
*/
#include "providers.h"

static const struct ar_provider providers[] = {
    {"static", "e", ar_cred_argument},
    {"environment", "g", ar_cred_environment}};

const struct ar_provider *ar_providers(size_t *count) {
  *count = sizeof providers / sizeof *providers;
  return providers;
}
