/*
** libcurl's one initialisation, and the look at the system's certificates.
*/
#define _GNU_SOURCE
#include "library.h"

#include <curl/curl.h>
#include <dirent.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <stdlib.h>

#include "../core/str.h"
#include "guard.h"
#include "wiping.h"

#define OLDEST 0x075000 /* 7.80.0: CURLOPT_PREREQFUNCTION */

static pthread_once_t once = PTHREAD_ONCE_INIT;
static CURLcode result; /* these three are written once, under `once` */
static bool speaks_our_tls, is_silent;

static pthread_once_t look_once = PTHREAD_ONCE_INIT;
static struct ar_authorities authorities; /* written once, under that */

static bool is_hash_link(const char *name) {
  struct ar_str s = ar_str_of(name);
  if (s.n != 10 || s.p[8] != '.' || s.p[9] != '0') return false;
  for (size_t i = 0; i < 8; i++)
    if (ar_hex_value(s.p[i]) < 0) return false;
  return true;
}

static bool is_hashed(const char *path) {
  DIR *directory = path ? opendir(path) : NULL;
  bool found = false;
  if (directory == NULL) return false;
  for (struct dirent *d; !found && (d = readdir(directory)) != NULL;)
    found = is_hash_link(d->d_name);
  closedir(directory);
  return found;
}

/* Whether libcurl's TLS is the libssl that we are linked with, alone and of
   the same version, so that its SSL_CTX is one of ours. */
static bool is_our_tls(const char *name) {
  struct ar_str text = ar_str_of(name), own = AR_STR("OpenSSL/");
  return text.n > own.n && ar_str_eq(ar_str_n(text.p, own.n), own) &&
         ar_str_eq(ar_str_from(text, own.n),
                   ar_str_of(OpenSSL_version(OPENSSL_VERSION_STRING)));
}

/*
** The versions that were read through: each writes to a connection, its TLS by
** OpenSSL and the end of that included, by send with MSG_NOSIGNAL alone. Older
** ones had OpenSSL write by itself. c-ares writes by itself, too.
*/
static bool raises_no_sigpipe(const curl_version_info_data *info) {
#if defined(__linux__)
  static const unsigned versions[] = {0x075801, 0x080E01};
  if (info->ares != NULL || !speaks_our_tls) return false;
  for (size_t i = 0; i < sizeof versions / sizeof *versions; i++)
    if (info->version_num == versions[i]) return true;
#endif
  (void)info;
  return false;
}

/*
** libcurl takes allocators once a process, so where the host initialised it
** before us they stay the host's, and what libcurl frees is not wiped.
*/
static void initialise(void) {
  const curl_version_info_data *info;
  struct ar_guard guard;
  ar_guard_enter(&guard);
  result = curl_global_init_mem(CURL_GLOBAL_DEFAULT, malloc, ar_wiping_free,
                                ar_wiping_realloc, strdup, calloc);
  ar_guard_leave(&guard);
  info = curl_version_info(CURLVERSION_NOW);
  speaks_our_tls = info->ssl_version != NULL && is_our_tls(info->ssl_version);
  is_silent = raises_no_sigpipe(info);
}

int ar_library_init(struct ar_err *err) {
  if (curl_version_info(CURLVERSION_NOW)->version_num < OLDEST)
    return ar_fail(err, AR_E_HTTP, "libcurl %s is too old: 7.80 is needed",
                   ar_library_version());
  pthread_once(&once, initialise);
  if (result != CURLE_OK)
    return ar_fail(err, AR_E_HTTP, "libcurl cannot be initialised: %s",
                   curl_easy_strerror(result));
  return AR_OK;
}

const char *ar_library_version(void) {
  return curl_version_info(CURLVERSION_NOW)->version;
}

static void look_for_authorities(void) {
  const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
  if (is_hashed(info->capath))
    authorities.directory = info->capath;
  else
    authorities.file = info->cainfo;
}

const struct ar_authorities *ar_library_authorities(void) {
  pthread_once(&look_once, look_for_authorities);
  return &authorities;
}

bool ar_library_speaks_our_tls(void) {
  return speaks_our_tls;
}

bool ar_library_is_silent(void) {
  return is_silent;
}
