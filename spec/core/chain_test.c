/*
** The provider chain: its loop with providers made up for it, and the
** providers that there are.
*/
#include "../../src/core/chain.h"

#include "kit.h"

static struct ar_creds out;
static struct ar_err err;
static char asked[64]; /* the names of who was stepped, in order */

static void note(const struct ar_frame *frame) {
  strncat(asked, frame->provider->name, sizeof asked - strlen(asked) - 1);
}

static enum ar_step have(struct ar_chain *chain, struct ar_frame *frame,
                         struct ar_err *why) {
  (void)chain, (void)why;
  note(frame);
  kit_creds(&frame->found, frame->provider->name, "secret", "token");
  return AR_STEP_HAVE;
}

static enum ar_step none(struct ar_chain *chain, struct ar_frame *frame,
                         struct ar_err *why) {
  (void)chain;
  note(frame);
  ar_fail(why, AR_E_NO_CREDENTIALS, "%s has nothing", frame->provider->name);
  return AR_STEP_NONE;
}

static enum ar_step broken(struct ar_chain *chain, struct ar_frame *frame,
                           struct ar_err *why) {
  (void)chain;
  note(frame);
  ar_fail(why, AR_E_CREDENTIAL_RETRIEVAL, "%s broke", frame->provider->name);
  return AR_STEP_FAIL;
}

/* Needs something twice, then has. */
static enum ar_step slow(struct ar_chain *chain, struct ar_frame *frame,
                         struct ar_err *why) {
  if (frame->state++ < 2) {
    note(frame);
    return AR_STEP_NEED;
  }
  return have(chain, frame, why);
}

static enum ar_step over_have(struct ar_chain *, struct ar_frame *,
                              struct ar_err *);
static enum ar_step over_none(struct ar_chain *, struct ar_frame *,
                              struct ar_err *);
static enum ar_step endless(struct ar_chain *, struct ar_frame *,
                            struct ar_err *);

static const struct ar_provider H = {"H", "h", have}, N = {"N", "n", none},
                                F = {"F", "f", broken}, S = {"S", "s", slow},
                                RH = {"R", "r", over_have},
                                RN = {"Q", "q", over_none},
                                E = {"E", "e", endless};

/* First the frame below, then its own answer made of what that found. */
static enum ar_step over(struct ar_chain *chain, struct ar_frame *frame,
                         const struct ar_provider *source) {
  note(frame);
  if (frame->state++ == 0) {
    chain->push = source;
    return AR_STEP_PUSH;
  }
  kit_creds(&frame->found, ar_buf_z(&frame->base.access_key_id), "role", NULL);
  return AR_STEP_HAVE;
}

static enum ar_step over_have(struct ar_chain *chain, struct ar_frame *frame,
                              struct ar_err *why) {
  (void)why;
  return over(chain, frame, &S);
}

static enum ar_step over_none(struct ar_chain *chain, struct ar_frame *frame,
                              struct ar_err *why) {
  (void)why;
  return over(chain, frame, &N);
}

static enum ar_step endless(struct ar_chain *chain, struct ar_frame *frame,
                            struct ar_err *why) {
  (void)frame, (void)why;
  chain->push = &E;
  return AR_STEP_PUSH;
}

static const char *const no_variables[] = {NULL};

/* Runs a chain over `rows` to its end; counts the needs into `*needs`. */
static enum ar_step run(const struct ar_provider *rows, size_t n, int *needs) {
  struct ar_env env = kit_env(no_variables);
  struct ar_chain chain;
  enum ar_step step;
  *needs = 0;
  asked[0] = '\0';
  ar_creds_free(&out);
  ar_creds_init(&out);
  err = (struct ar_err){.code = AR_OK};
  ar_chain_init(&chain, NULL, &env, rows, n);
  while ((step = ar_chain_step(&chain, &out, &err)) == AR_STEP_NEED) ++*needs;
  ar_chain_free(&chain);
  return step;
}

static void loop(void) {
  const struct {
    struct ar_provider rows[3];
    enum ar_step end;
    int needs;
    const char *asked, *id, *provider;
  } cases[] = {{{H, F, F}, AR_STEP_HAVE, 0, "H", "H", "H"},
               {{N, N, H}, AR_STEP_HAVE, 0, "NNH", "H", "H"},
               {{N, F, H}, AR_STEP_FAIL, 0, "NF", "", NULL},
               {{N, N, N}, AR_STEP_FAIL, 0, "NNN", "", NULL},
               {{N, S, F}, AR_STEP_HAVE, 2, "NSSS", "S", "S"},
               {{N, RH, F}, AR_STEP_HAVE, 2, "NRSSSR", "S", "R"},
               {{RN, H, F}, AR_STEP_HAVE, 0, "QNH", "H", "H"}};
  for (size_t i = 0; i < LENGTH(cases); i++) {
    int needs;
    enum ar_step end = run(cases[i].rows, 3, &needs);
    CHECK(end == cases[i].end && needs == cases[i].needs,
          "case %zu ends by %d after %d needs", i, end, needs);
    CHECK(strcmp(asked, cases[i].asked) == 0, "case %zu asked %s", i, asked);
    CHECK_STR(ar_buf_str(&out.access_key_id), cases[i].id, "the found id");
    CHECK(cases[i].provider ? out.provider && strcmp(out.provider->name,
                                                     cases[i].provider) == 0
                            : out.provider == NULL,
          "case %zu: who gave them", i);
  }
}

static void reasons(void) {
  const struct ar_provider rows[] = {N, RN, N};
  int needs;
  run(rows, 3, &needs);
  CHECK(err.code == AR_E_NO_CREDENTIALS, "nobody had anything");
  CHECK(strstr(err.message,
               "N: N has nothing; Q: N has nothing; N: N has "
               "nothing"),
        "every reason is told: %s", err.message);
  run(&F, 1, &needs);
  CHECK(err.code == AR_E_CREDENTIAL_RETRIEVAL &&
            strcmp(err.message, "F broke") == 0,
        "a failure is told as it is: %s", err.message);
}

static void depth(void) {
  int needs;
  CHECK(run(&E, 1, &needs) == AR_STEP_FAIL && err.code == AR_E_BAD_CONFIG,
        "roles without end are an error: %s", err.message);
}

/* Freed in the middle, a chain leaks nothing. */
static void abandoned(void) {
  struct ar_env env = kit_env(no_variables);
  struct ar_chain chain;
  ar_chain_init(&chain, NULL, &env, &RH, 1);
  CHECK(ar_chain_step(&chain, &out, &err) == AR_STEP_NEED && chain.depth == 2,
        "waits two frames deep");
  ar_chain_free(&chain);
  ar_chain_free(&chain);
}

static enum ar_step real(const struct ar_creds *argument,
                         const char *const *variables) {
  struct ar_env env = kit_env(variables);
  struct ar_chain chain;
  size_t count;
  const struct ar_provider *rows = ar_providers(&count);
  enum ar_step step;
  CHECK(count <= AR_MAX_PROVIDERS, "there is room for every reason");
  ar_creds_free(&out);
  ar_creds_init(&out);
  ar_chain_init(&chain, argument, &env, rows, count);
  step = ar_chain_step(&chain, &out, &err);
  ar_chain_free(&chain);
  return step;
}

static void environment(void) {
  static const struct {
    const char *variables[7];
    enum ar_code code;
    const char *token;
  } rows[] = {
      {{"AWS_ACCESS_KEY_ID", "I", "AWS_SECRET_ACCESS_KEY", "S"}, AR_OK, ""},
      {{"AWS_ACCESS_KEY_ID", "I", "AWS_SECRET_ACCESS_KEY", "S",
        "AWS_SECURITY_TOKEN", "T"},
       AR_OK,
       "T"},
      {{"AWS_ACCESS_KEY_ID", "I"}, AR_E_PARTIAL_CREDENTIALS, ""},
      {{"AWS_ACCESS_KEY_ID", "", "AWS_SECRET_ACCESS_KEY", "S"},
       AR_E_NO_CREDENTIALS,
       ""},
      {{"AWS_ACCESS_KEY_ID", "I", "AWS_SECRET_ACCESS_KEY", "S\n"},
       AR_E_CREDENTIAL_RETRIEVAL,
       ""}};
  for (size_t i = 0; i < LENGTH(rows); i++) {
    enum ar_step step = real(NULL, rows[i].variables);
    CHECK(step == (rows[i].code == AR_OK ? AR_STEP_HAVE : AR_STEP_FAIL) &&
              (step == AR_STEP_HAVE || err.code == rows[i].code),
          "environment %zu: %s", i, err.message);
    if (step == AR_STEP_HAVE)
      CHECK_STR(ar_buf_str(&out.session_token), rows[i].token, "the token");
  }
}

static void argument(void) {
  static const char *const variables[] = {"AWS_ACCESS_KEY_ID", "I",
                                          "AWS_SECRET_ACCESS_KEY", "S", NULL};
  struct ar_creds given;
  ar_creds_init(&given);
  CHECK(real(&given, variables) == AR_STEP_FAIL &&
            err.code == AR_E_PARTIAL_CREDENTIALS,
        "half an argument does not fall back to the environment");
  kit_creds(&given, "G", "GS", "GT");
  CHECK(real(&given, variables) == AR_STEP_HAVE, "an argument comes first");
  CHECK_STR(ar_buf_str(&out.access_key_id), "G", "its id");
  CHECK_STR(ar_buf_str(&given.session_token), "GT", "it keeps its own");
  for (size_t i = 0; i < AR_MAX_SECRET; i++)
    ar_buf_addc(&given.session_token, 'x');
  CHECK(real(&given, variables) == AR_STEP_FAIL &&
            err.code == AR_E_CREDENTIAL_RETRIEVAL,
        "a token that did not fit is no token that was not there");
  ar_creds_free(&given);
}

int main(void) {
  ar_creds_init(&out);
  loop();
  reasons();
  depth();
  abandoned();
  environment();
  argument();
  ar_creds_free(&out);
  return checked();
}
