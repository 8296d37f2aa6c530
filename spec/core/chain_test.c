/*
** The provider chain: its loop with providers made up for it, and the two
** providers that need nothing but what they are given, the caller's keys and
** the environment.
*/
#include "../../src/core/chain.h"

#include "kit.h"

static struct ar_creds out;
static struct ar_err err;
static char asked[64]; /* the names of who was stepped, in order */

#define STEP(name)                                                         \
  static enum ar_step name(struct ar_chain *chain, struct ar_frame *frame, \
                           struct ar_err *why)

static void note(const struct ar_frame *frame) {
  strncat(asked, frame->provider->name, sizeof asked - strlen(asked) - 1);
}

STEP(have) {
  (void)chain, (void)why;
  note(frame);
  kit_creds(&frame->found, frame->provider->name, "secret", "token");
  return AR_STEP_HAVE;
}

STEP(none) {
  (void)chain;
  note(frame);
  ar_fail(why, AR_E_NO_CREDENTIALS, "%s has nothing", frame->provider->name);
  return AR_STEP_NONE;
}

STEP(broken) {
  (void)chain;
  note(frame);
  ar_fail(why, AR_E_CREDENTIAL_RETRIEVAL, "%s broke", frame->provider->name);
  return AR_STEP_FAIL;
}

/* Waits for each of the three things that there are, then has. */
STEP(slow) {
  static const enum ar_step waits[] = {AR_STEP_SEND, AR_STEP_RUN, AR_STEP_ASK};
  if (frame->state == 3) return have(chain, frame, why);
  note(frame);
  return waits[frame->state++];
}

/* Sends, and finds each answer of no use. */
STEP(ill) {
  (void)chain;
  note(frame);
  if (frame->state++ % 2 == 0) return AR_STEP_SEND;
  ar_fail(why, AR_E_CREDENTIAL_RETRIEVAL, "%s is ill", frame->provider->name);
  return AR_STEP_AGAIN;
}

/* As `ill`, but its second exchange brings what it wants. */
STEP(recovers) {
  return frame->state == 3 ? have(chain, frame, why) : ill(chain, frame, why);
}

STEP(over_slow);
STEP(over_none);
STEP(over_ill);
STEP(over_broken);
STEP(endless);

static const struct ar_provider
    H = {"H", "h", have, 0, 0, 0, false, AR_STEP_FAIL},
    N = {"N", "n", none, 0, 0, 0, false, AR_STEP_FAIL},
    F = {"F", "f", broken, 0, 0, 0, false, AR_STEP_FAIL},
    S = {"S", "s", slow, 0, 0, 0, false, AR_STEP_FAIL},
    I = {"I", "i", ill, 2, 0, 0, false, AR_STEP_FAIL},
    J = {"J", "j", ill, 3, 0, 0, false, AR_STEP_NONE},
    A = {"A", "a", recovers, 2, 0, 0, false, AR_STEP_FAIL},
    RS = {"R", "r", over_slow, 0, 0, 0, false, AR_STEP_FAIL},
    RN = {"Q", "q", over_none, 0, 0, 0, false, AR_STEP_FAIL},
    RI = {"P", "p", over_ill, 0, 0, 0, false, AR_STEP_FAIL},
    RF = {"O", "o", over_broken, 0, 0, 0, false, AR_STEP_FAIL},
    E = {"E", "e", endless, 0, 0, 0, false, AR_STEP_FAIL};

/* First the frame above, then its own answer made of what that found. */
static enum ar_step over(struct ar_chain *chain, struct ar_frame *frame,
                         const struct ar_provider *source) {
  note(frame);
  if (frame->state++ == 0) {
    chain->push.provider = source;
    chain->push.profile = NULL;
    chain->push.state = 0;
    return AR_STEP_PUSH;
  }
  kit_creds(&frame->found, ar_buf_z(&frame->base.access_key_id), "role", NULL);
  return AR_STEP_HAVE;
}

STEP(over_slow) {
  (void)why;
  return over(chain, frame, &S);
}

STEP(over_none) {
  (void)why;
  return over(chain, frame, &N);
}

STEP(over_ill) {
  (void)why;
  return over(chain, frame, &J);
}

STEP(over_broken) {
  (void)why;
  return over(chain, frame, &F);
}

STEP(endless) {
  (void)why;
  return over(chain, frame, &E);
}

static const struct ar_chain_inputs nothing;
static struct ar_job job; /* never ordered anything by these providers */

/* Runs a chain over `rows` to its end; counts into `*waits`. */
static enum ar_step run(const struct ar_provider *rows, size_t n, int *waits) {
  struct ar_chain chain;
  enum ar_step step;
  *waits = 0;
  asked[0] = '\0';
  ar_creds_free(&out);
  err = (struct ar_err){.code = AR_OK};
  ar_chain_init(&chain, &nothing, rows, n, &job);
  do {
    step = ar_chain_step(&chain, &out, &err);
    ++*waits;
  } while (step != AR_STEP_HAVE && step != AR_STEP_FAIL);
  --*waits;
  ar_chain_free(&chain);
  return step;
}

static void loop(void) {
  const struct {
    struct ar_provider rows[3];
    enum ar_step end;
    int waits;
    const char *asked, *id, *provider;
  } cases[] = {{{H, F, F}, AR_STEP_HAVE, 0, "H", "H", "H"},
               {{N, N, H}, AR_STEP_HAVE, 0, "NNH", "H", "H"},
               {{N, F, H}, AR_STEP_FAIL, 0, "NF", "", NULL},
               {{N, N, N}, AR_STEP_FAIL, 0, "NNN", "", NULL},
               {{N, S, F}, AR_STEP_HAVE, 3, "NSSSS", "S", "S"},
               {{N, RS, F}, AR_STEP_HAVE, 3, "NRSSSSR", "S", "R"},
               /* attempts, and what comes after the last one */
               {{A, H, H}, AR_STEP_HAVE, 3, "AAAA", "A", "A"},
               {{I, H, H}, AR_STEP_FAIL, 3, "IIII", "", NULL},
               {{J, H, H}, AR_STEP_HAVE, 5, "JJJJJJH", "H", "H"},
               {{I, N, N}, AR_STEP_FAIL, 3, "IIII", "", NULL},
               /* a source that was named has nothing, or breaks */
               {{RN, H, F}, AR_STEP_FAIL, 0, "QN", "", NULL},
               {{RF, H, F}, AR_STEP_FAIL, 0, "OF", "", NULL},
               {{RI, H, F}, AR_STEP_FAIL, 5, "PJJJJJJ", "", NULL}};
  for (size_t i = 0; i < LENGTH(cases); i++) {
    int waits;
    enum ar_step end = run(cases[i].rows, 3, &waits);
    CHECK(end == cases[i].end && waits == cases[i].waits,
          "case %zu ends by %d after %d waits", i, end, waits);
    CHECK(strcmp(asked, cases[i].asked) == 0, "case %zu asked %s", i, asked);
    CHECK_STR(ar_buf_str(&out.access_key_id), cases[i].id, "the found id");
    CHECK(cases[i].provider ? out.provider && strcmp(out.provider->name,
                                                     cases[i].provider) == 0
                            : out.provider == NULL,
          "case %zu: who gave them", i);
  }
}

static void reasons(void) {
  const struct {
    struct ar_provider rows[3];
    enum ar_code code;
    const char *message;
  } cases[] = {{{N, J, N},
                AR_E_NO_CREDENTIALS,
                "Tried: N: N has nothing; J: J is ill; N: N has nothing"},
               {{N, F, N}, AR_E_CREDENTIAL_RETRIEVAL, "F broke"},
               {{N, I, N}, AR_E_CREDENTIAL_RETRIEVAL, "I is ill"},
               {{RN, H, H},
                AR_E_CREDENTIAL_RETRIEVAL,
                "the source N has no credentials: N has nothing"},
               {{RI, H, H},
                AR_E_CREDENTIAL_RETRIEVAL,
                "the source J has no credentials: J is ill"}};
  for (size_t i = 0; i < LENGTH(cases); i++) {
    int waits;
    size_t n = strlen(cases[i].message);
    run(cases[i].rows, 3, &waits);
    CHECK(err.code == cases[i].code && strlen(err.message) >= n &&
              strcmp(err.message + strlen(err.message) - n,
                     cases[i].message) == 0,
          "case %zu tells '%s': %s", i, cases[i].message, err.message);
  }
}

STEP(talks) {
  char text[300];
  (void)chain, (void)frame;
  memset(text, 'x', sizeof text);
  text[sizeof text - 1] = '\0';
  ar_fail(why, AR_E_NO_CREDENTIALS, "%s", text);
  return AR_STEP_NONE;
}

/* Long reasons are cut, and what does not fit is left out. */
static void long_reasons(void) {
  const struct ar_provider T = {"T", "t", talks, 0, 0, 0, false, AR_STEP_FAIL};
  const struct ar_provider rows[AR_MAX_PROVIDERS] = {T, T, T, T, T, T, T, N};
  int waits;
  CHECK(run(rows, AR_MAX_PROVIDERS, &waits) == AR_STEP_FAIL &&
            err.code == AR_E_NO_CREDENTIALS,
        "reasons too long to be told are no other error");
  CHECK(strlen(err.message) < sizeof err.message &&
            strstr(err.message, "T: xxx"),
        "the first ones are told: %s", err.message);
}

static void depth(void) {
  int waits;
  CHECK(run(&E, 1, &waits) == AR_STEP_FAIL && err.code == AR_E_BAD_CONFIG,
        "roles without end are an error: %s", err.message);
  CHECK(strlen(asked) == AR_MAX_FRAMES, "after %zu of them", strlen(asked));
}

/* Freed in the middle, a chain leaks nothing; nor when freed twice. */
static void abandoned(void) {
  struct ar_chain chain;
  ar_chain_init(&chain, &nothing, &RS, 1, &job);
  for (int i = 0; i < 3; i++)
    CHECK(
        ar_chain_step(&chain, &out, &err) != AR_STEP_HAVE && chain.depth == 2,
        "waits two frames deep");
  kit_creds(&chain.answer, "I", "S", "T");
  ar_buf_addz(&chain.frames[1].text, "a token");
  ar_buf_addz(&chain.http.answer_body, "a body");
  ar_chain_free(&chain);
  ar_chain_free(&chain);
  CHECK(chain.depth == 0, "it is empty");
}

static void pauses(void) {
  static const struct {
    int attempt;
    double random;
    int64_t pause;
  } rows[] = {{1, 0, 0},        {1, 0.5, 25},      {1, 0.999, 49},
              {2, 0.5, 50},     {3, 0.5, 100},     {9, 0.5, 6400},
              {10, 0.5, 10000}, {1000, 0.5, 10000}};
  struct ar_chain chain = {.depth = 0};
  for (size_t i = 0; i < LENGTH(rows); i++) {
    int64_t pause;
    chain.attempt = rows[i].attempt;
    pause = ar_chain_pause(&chain, rows[i].random);
    CHECK(pause == rows[i].pause, "after attempt %d: %d ms", rows[i].attempt,
          (int)pause);
  }
}

/* --- the providers that there are ----------------------------------------
 */

static struct ar_settings settings;

/* One step of the real chain, with the profile as an argument or without. */
static enum ar_step real(const struct ar_creds *argument,
                         const char *const *variables, const char *profile) {
  struct ar_env env = kit_env(variables);
  struct ar_profiles profiles;
  struct ar_chain_inputs in = {.argument = argument,
                               .env = &env,
                               .settings = &settings,
                               .profiles = &profiles};
  struct ar_chain chain;
  size_t count;
  const struct ar_provider *rows = ar_providers(&count);
  enum ar_step step;
  CHECK(count <= AR_MAX_PROVIDERS, "there is room for every reason");
  ar_profiles_init(&profiles);
  ar_settings_free(&settings);
  ar_settings_init(&settings);
  ar_settings_complete(&settings, &env, NULL, NULL);
  if (profile)
    ar_settings_set(&settings, AR_SET_PROFILE, ar_str_of(profile),
                    AR_SOURCE_ARGUMENT, NULL);
  ar_creds_free(&out);
  err = (struct ar_err){.code = AR_OK};
  ar_chain_init(&chain, &in, rows, count, &job);
  step = ar_chain_step(&chain, &out, &err);
  ar_chain_free(&chain);
  return step;
}

#define NO_IMDS "AWS_EC2_METADATA_DISABLED", "true"
#define KEYS "AWS_ACCESS_KEY_ID", "I", "AWS_SECRET_ACCESS_KEY", "S"

static void environment(void) {
  static const struct {
    const char *variables[11];
    enum ar_code code;
    const char *token;
  } rows[] = {
      {{KEYS}, AR_OK, ""},
      {{KEYS, "AWS_SECURITY_TOKEN", "T"}, AR_OK, "T"},
      {{KEYS, "AWS_SECURITY_TOKEN", "T", "AWS_SESSION_TOKEN", "U"},
       AR_OK,
       "U"},
      {{KEYS, "AWS_SECURITY_TOKEN", "T", "AWS_SESSION_TOKEN", ""}, AR_OK, "T"},
      {{"AWS_ACCESS_KEY_ID", "I"}, AR_E_PARTIAL_CREDENTIALS, ""},
      {{"AWS_ACCESS_KEY_ID", "I", "AWS_SECRET_ACCESS_KEY", " \t"},
       AR_E_PARTIAL_CREDENTIALS,
       ""},
      {{NO_IMDS, "AWS_SECRET_ACCESS_KEY", "S"}, AR_E_NO_CREDENTIALS, ""},
      {{NO_IMDS, "AWS_ACCESS_KEY_ID", "", "AWS_SECRET_ACCESS_KEY", "S"},
       AR_E_NO_CREDENTIALS,
       ""},
      {{NO_IMDS, "AWS_ACCESS_KEY_ID", "  ", "AWS_SECRET_ACCESS_KEY", "S"},
       AR_E_NO_CREDENTIALS,
       ""},
      {{"AWS_ACCESS_KEY_ID", "I", "AWS_SECRET_ACCESS_KEY", "S\n"},
       AR_E_CREDENTIAL_RETRIEVAL,
       ""},
      {{KEYS, "AWS_CREDENTIAL_EXPIRATION", "tomorrow"},
       AR_E_CREDENTIAL_RETRIEVAL,
       ""}};
  for (size_t i = 0; i < LENGTH(rows); i++) {
    enum ar_step step = real(NULL, rows[i].variables, NULL);
    CHECK(step == (rows[i].code == AR_OK ? AR_STEP_HAVE : AR_STEP_FAIL) &&
              (step == AR_STEP_HAVE || err.code == rows[i].code),
          "environment %zu: %s", i, err.message);
    CHECK(strstr(err.message, "S\n") == NULL, "no secret is told");
    if (step == AR_STEP_HAVE)
      CHECK_STR(ar_buf_str(&out.session_token), rows[i].token, "the token");
  }
}

static void companions(void) {
  static const char *const variables[] = {KEYS,
                                          "AWS_ACCOUNT_ID",
                                          "123456789012",
                                          "AWS_CREDENTIAL_EXPIRATION",
                                          "2026-01-02T03:04:05Z",
                                          NULL};
  CHECK(real(NULL, variables, NULL) == AR_STEP_HAVE, "all of them");
  CHECK_STR(ar_buf_str(&out.account_id), "123456789012", "the account");
  CHECK_STR(ar_buf_str(&out.source), "AWS_ACCESS_KEY_ID", "the source");
  CHECK(out.expiration == INT64_C(1767323045000) &&
            out.good_until == out.expiration,
        "the time of their expiry");
  CHECK(strcmp(out.provider->name, "environment") == 0, "the provider");
}

static void named_profile(void) {
  static const char *const variables[] = {NO_IMDS, KEYS, NULL};
  CHECK(real(NULL, variables, "p") == AR_STEP_FAIL &&
            err.code == AR_E_NO_CREDENTIALS &&
            strstr(err.message,
                   "environment: passed over, since a profile "
                   "was given"),
        "a profile as an argument passes the environment over: %s",
        err.message);
  CHECK(strstr(err.message, "profile: there is no profile p") != NULL,
        "and tells that it is not there: %s", err.message);
}

static void argument(void) {
  static const char *const variables[] = {KEYS, NULL};
  struct ar_creds given;
  ar_creds_init(&given);
  CHECK(real(&given, variables, NULL) == AR_STEP_FAIL &&
            err.code == AR_E_PARTIAL_CREDENTIALS,
        "half an argument does not fall back to the environment");
  kit_creds(&given, "G", "GS", "GT");
  CHECK(real(&given, variables, "p") == AR_STEP_HAVE,
        "an argument comes first");
  CHECK_STR(ar_buf_str(&out.access_key_id), "G", "its id");
  CHECK_STR(ar_buf_str(&out.source), "argument", "its source");
  CHECK_STR(ar_buf_str(&given.session_token), "GT", "it keeps its own");
  for (size_t i = 0; i < AR_MAX_SECRET; i++)
    ar_buf_addc(&given.session_token, 'x');
  CHECK(real(&given, variables, NULL) == AR_STEP_FAIL &&
            err.code == AR_E_CREDENTIAL_RETRIEVAL,
        "a token that did not fit is no token that was not there");
  ar_creds_free(&given);
}

int main(void) {
  ar_creds_init(&out);
  ar_settings_init(&settings);
  loop();
  reasons();
  long_reasons();
  depth();
  abandoned();
  pauses();
  environment();
  companions();
  named_profile();
  argument();
  ar_creds_free(&out);
  ar_settings_free(&settings);
  return checked();
}
