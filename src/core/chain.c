/*
** The loop that drives the providers, and the attempts at their exchanges.
*/
#include "chain.h"

#include <stdio.h>

#include "retry.h"

void ar_chain_init(struct ar_chain *chain, const struct ar_chain_inputs *in,
                   const struct ar_provider *rows, size_t row_count,
                   struct ar_job *job) {
  *chain = (struct ar_chain){.in = *in, .rows = rows};
  chain->row_count = row_count;
  ar_http_init(&chain->http, job, AR_MAX_DOCUMENT);
  ar_words_init(&chain->command);
  ar_buf_init(&chain->output.out, AR_MAX_DOCUMENT);
  ar_buf_init(&chain->output.err, AR_MAX_DOCUMENT);
  ar_creds_init(&chain->answer);
  ar_endpoint_init(&chain->endpoint);
  ar_signature_init(&chain->signature);
}

/* The frame that is on top now makes its first attempt. */
static void count_anew(struct ar_chain *chain) {
  chain->attempt = 1;
  chain->again = false;
}

static void push(struct ar_chain *chain, const struct ar_provider *provider,
                 const struct ar_section *profile, int state) {
  struct ar_frame *frame = &chain->frames[chain->depth++];
  count_anew(chain);
  *frame = (struct ar_frame){.provider = provider, .profile = profile};
  frame->state = state;
  ar_buf_init(&frame->text, AR_MAX_SECRET);
  ar_creds_init(&frame->base);
  ar_creds_init(&frame->found);
}

static void pop(struct ar_chain *chain) {
  struct ar_frame *frame = &chain->frames[--chain->depth];
  count_anew(chain);
  ar_buf_free(&frame->text);
  ar_creds_free(&frame->base);
  ar_creds_free(&frame->found);
}

void ar_chain_free(struct ar_chain *chain) {
  while (chain->depth > 0) pop(chain);
  ar_http_free(&chain->http);
  ar_words_free(&chain->command);
  ar_buf_free(&chain->output.out);
  ar_buf_free(&chain->output.err);
  ar_creds_free(&chain->answer);
  ar_endpoint_free(&chain->endpoint);
  ar_signature_free(&chain->signature);
}

/* Gives what the top frame found to the frame below, or to `out`. */
static void hand_down(struct ar_chain *chain, struct ar_creds *out) {
  struct ar_frame *top = &chain->frames[chain->depth - 1];
  if (top->found.provider == NULL) top->found.provider = top->provider;
  ar_creds_move(chain->depth > 1 ? &top[-1].base : out, &top->found);
  pop(chain);
}

/* Notes why the row had nothing and goes on to the next. */
static void next_row(struct ar_chain *chain, const struct ar_err *why) {
  snprintf(chain->reasons[chain->row], sizeof *chain->reasons, "%.*s",
           (int)sizeof *chain->reasons - 1, why->message);
  pop(chain);
  chain->row++;
}

/* A source that somebody named has nothing: there is no next one. */
static enum ar_step empty_source(const struct ar_chain *chain,
                                 const struct ar_err *why,
                                 struct ar_err *err) {
  const struct ar_frame *top = &chain->frames[chain->depth - 1];
  ar_fail(err,
          top->profile != NULL ? AR_E_BAD_CONFIG : AR_E_CREDENTIAL_RETRIEVAL,
          "the source %s has no credentials: %s", top->provider->name,
          why->message);
  return AR_STEP_FAIL;
}

static enum ar_step nothing_found(const struct ar_chain *chain,
                                  struct ar_err *err) {
  struct ar_buf text;
  ar_buf_init(&text, sizeof err->message - 1);
  for (size_t i = 0; i < chain->row_count; i++) {
    if (i > 0) ar_buf_addz(&text, "; ");
    ar_buf_addz(&text, chain->rows[i].name);
    ar_buf_addz(&text, ": ");
    ar_buf_addz(&text, chain->reasons[i]);
  }
  ar_fail(err, AR_E_NO_CREDENTIALS,
          "Unable to locate credentials (\"aws configure\" or "
          "\"aws configure sso\" sets them up). Tried: %s",
          ar_buf_z(&text));
  ar_buf_free(&text);
  return AR_STEP_FAIL;
}

/* The error of the frame on top, with its profile's name, unless it has that
   already. */
static void tell_profile(const struct ar_chain *chain,
                         const struct ar_err *why, struct ar_err *err) {
  const struct ar_section *profile = chain->frames[chain->depth - 1].profile;
  *err = *why;
  if (profile == NULL || strstr(why->message, "profile") != NULL) return;
  ar_fail(err, why->code, "profile %.*s: %s", (int)profile->name.n,
          profile->name.p, why->message);
  err->transient = why->transient;
}

static enum ar_step too_deep(struct ar_err *err) {
  ar_fail(err, AR_E_BAD_CONFIG, "more than %d credential sources in a row",
          AR_MAX_FRAMES);
  return AR_STEP_FAIL;
}

static int64_t attempts_of(const struct ar_chain *chain,
                           const struct ar_provider *provider) {
  return provider->attempts > 0
             ? provider->attempts
             : ar_settings_number(chain->in.settings, AR_SET_IMDS_ATTEMPTS);
}

/* Steps the top frame; after its last attempt AGAIN is what its row says. */
static enum ar_step step_top(struct ar_chain *chain, struct ar_err *err) {
  struct ar_frame *top = &chain->frames[chain->depth - 1];
  enum ar_step step = top->provider->step(chain, top, err);
  if (step == AR_STEP_SEND && chain->again) chain->attempt++;
  chain->again = step == AR_STEP_AGAIN;
  if (!chain->again || chain->attempt < attempts_of(chain, top->provider))
    return step;
  err->transient = true;
  return top->provider->exhausted;
}

enum ar_step ar_chain_step(struct ar_chain *chain, struct ar_creds *out,
                           struct ar_err *err) {
  while (chain->row < chain->row_count) {
    struct ar_err why = {.code = AR_OK};
    enum ar_step step;
    if (chain->depth == 0) push(chain, &chain->rows[chain->row], NULL, 0);
    step = step_top(chain, &why);
    if (step == AR_STEP_HAVE) {
      hand_down(chain, out);
      if (chain->depth == 0) return AR_STEP_HAVE;
    } else if (step == AR_STEP_NONE) {
      if (chain->depth > 1) return empty_source(chain, &why, err);
      next_row(chain, &why);
    } else if (step == AR_STEP_PUSH) {
      if (chain->depth == AR_MAX_FRAMES) return too_deep(err);
      push(chain, chain->push.provider, chain->push.profile,
           chain->push.state);
    } else {
      if (step == AR_STEP_FAIL) tell_profile(chain, &why, err);
      return step;
    }
  }
  return nothing_found(chain, err);
}

int64_t ar_chain_pause(const struct ar_chain *chain, double random) {
  return ar_retry_delay(ar_retry_rules(false), AR_RETRY_TRANSIENT,
                        chain->attempt, random, AR_STR(""), AR_STR(""));
}
