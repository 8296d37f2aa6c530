/*
** What the calls of one client share: its settings, its credentials, the
** endpoint and the room for a signature. Reference counted: a call keeps its
** client alive.
*/
#ifndef ar_client_h
#define ar_client_h

#include "chain.h"
#include "endpoint.h"
#include "http_date.h"
#include "job.h"
#include "limiter.h"
#include "retry.h"
#include "settings.h"
#include "sigv4.h"

AR_HIDDEN

/* What the User-Agent tells of the host; the binding's to find out. */
struct ar_host_facts {
  char os[64];     /* "linux#6.1.0" */
  char arch[32];   /* "x86_64" */
  char lua[32];    /* "lua#5.4" */
  char engine[32]; /* "libcurl#7.88.1", or empty */
};

/* The User-Agent, and what of it is not the client's settings. */
struct ar_user_agent {
  struct ar_buf text; /* empty: not made yet */
  struct ar_host_facts facts;
  const struct ar_provider *provider;
};

struct ar_client {
  unsigned refs;
  int64_t id; /* as the maker numbers clients */
  bool closed;
  bool hosted; /* a function of the host's performs its exchanges */
  struct ar_settings settings;
  struct ar_env env;
  /* The shared files, from making the client until credentials are found. */
  struct ar_profiles profiles;
  bool has_profiles;
  /* Credentials: what the caller gave, and what was found. */
  struct ar_creds argument;
  bool has_argument, has_function;
  struct ar_creds creds;  /* provider is NULL until they were found */
  unsigned generation;    /* of `creds`, counted up */
  struct ar_job *refresh; /* under way, see refresh.h; or NULL */
  struct ar_link waiters; /* for it */
  int64_t refresh_after;  /* monotonic: no renewal ahead of need before */
  /* What the calls have learned of the service. */
  struct ar_quota quota;
  struct ar_limiter limiter;
  int64_t skew; /* of the server's clock, in milliseconds; see skew.h */
  struct ar_http_date last_date; /* of an answer */
  struct ar_endpoint endpoint;
  struct ar_buf endpoint_region; /* the region that `endpoint` is for */
  struct ar_signature signature;
  struct ar_user_agent user_agent;
  struct ar_job *spare; /* a call that has ended, for its memory; or NULL */
};

/* A client without settings and with one reference, or NULL. */
struct ar_client *ar_client_new(const struct ar_env *env);
void ar_client_retain(struct ar_client *client);
void ar_client_release(struct ar_client *client);

/*
** Completes the settings from the environment and the shared files. AR_OK, or
** what ar_profiles_read and ar_settings_complete answer.
*/
int ar_client_configure(struct ar_client *client, struct ar_err *err);

/* What the setting retry_mode stands for. */
const struct ar_retry_plan *ar_client_retries(const struct ar_client *client);

/* Wipes what is secret in it; calls on it fail from now on. */
void ar_client_close(struct ar_client *client);

/* Sees to it that client->endpoint is that of `region`. AR_OK or why not. */
int ar_client_endpoint(struct ar_client *client, struct ar_str region,
                       struct ar_err *err);

/*
** The region of a call: an argument, else that of `arn` (an ARN or empty),
** else what the environment or the profile say; or empty. A slice of the
** client or of `arn`.
*/
struct ar_str ar_client_region(const struct ar_client *client,
                               struct ar_str arn);

/* The value of the User-Agent header; kept until it changes. */
const struct ar_buf *ar_client_user_agent(struct ar_client *client,
                                          const struct ar_host_facts *facts);

AR_HIDDEN_END

#endif
