/*
** libcurl's one initialisation, and the look at the system's certificates.
*/
#define _GNU_SOURCE
#include "library.h"

#include <curl/curl.h>
#include <dirent.h>
#include <pthread.h>

#include "../core/str.h"
#include "guard.h"

#define OLDEST 0x075000 /* 7.80.0: CURLOPT_PREREQFUNCTION */

static pthread_once_t once = PTHREAD_ONCE_INIT;
static CURLcode result; /* these two are written once, under `once` */
static struct ar_authorities authorities;

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

static void initialise(void) {
  const curl_version_info_data *info;
  struct ar_guard guard;
  ar_guard_enter(&guard);
  result = curl_global_init(CURL_GLOBAL_DEFAULT);
  ar_guard_leave(&guard);
  info = curl_version_info(CURLVERSION_NOW);
  if (is_hashed(info->capath))
    authorities.directory = info->capath;
  else
    authorities.file = info->cainfo;
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

const struct ar_authorities *ar_library_authorities(void) {
  return &authorities;
}
