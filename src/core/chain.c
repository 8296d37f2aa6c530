/*
** The loop that drives the providers.
*/
#include "chain.h"

#include <stdio.h>

void ar_chain_init(struct ar_chain *chain, const struct ar_creds *argument,
                   const struct ar_env *env, const struct ar_provider *rows,
                   size_t row_count) {
  *chain = (struct ar_chain){.argument = argument, .env = *env, .rows = rows};
  chain->row_count = row_count;
}

static void push(struct ar_chain *chain, const struct ar_provider *provider) {
  struct ar_frame *frame = &chain->frames[chain->depth++];
  frame->provider = provider;
  frame->state = 0;
  ar_creds_init(&frame->base);
  ar_creds_init(&frame->found);
}

static void pop(struct ar_chain *chain) {
  struct ar_frame *frame = &chain->frames[--chain->depth];
  ar_creds_free(&frame->base);
  ar_creds_free(&frame->found);
}

void ar_chain_free(struct ar_chain *chain) {
  while (chain->depth > 0) pop(chain);
}

/* Gives what the top frame found to the frame below, or to `out`. */
static void hand_down(struct ar_chain *chain, struct ar_creds *out) {
  struct ar_frame *top = &chain->frames[chain->depth - 1];
  top->found.provider = top->provider;
  ar_creds_move(chain->depth > 1 ? &top[-1].base : out, &top->found);
  pop(chain);
}

/* Notes why the row had nothing and goes on to the next. */
static void next_row(struct ar_chain *chain, const struct ar_err *why) {
  snprintf(chain->reasons[chain->row], sizeof *chain->reasons, "%.*s",
           (int)sizeof *chain->reasons - 1, why->message);
  while (chain->depth > 0) pop(chain);
  chain->row++;
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
  ar_fail(err, AR_E_NO_CREDENTIALS, "Unable to locate credentials. Tried: %s",
          ar_buf_z(&text));
  ar_buf_free(&text);
  return AR_STEP_FAIL;
}

static enum ar_step too_deep(struct ar_err *err) {
  ar_fail(err, AR_E_BAD_CONFIG, "more than %d credential sources in a row",
          AR_MAX_FRAMES);
  return AR_STEP_FAIL;
}

enum ar_step ar_chain_step(struct ar_chain *chain, struct ar_creds *out,
                           struct ar_err *err) {
  while (chain->row < chain->row_count) {
    struct ar_frame *top;
    struct ar_err why = {.code = AR_OK};
    enum ar_step step;
    if (chain->depth == 0) push(chain, &chain->rows[chain->row]);
    top = &chain->frames[chain->depth - 1];
    step = top->provider->step(chain, top, &why);
    if (step == AR_STEP_HAVE) {
      hand_down(chain, out);
      if (chain->depth == 0) return AR_STEP_HAVE;
    } else if (step == AR_STEP_NONE) {
      next_row(chain, &why);
    } else if (step == AR_STEP_PUSH) {
      if (chain->depth == AR_MAX_FRAMES) return too_deep(err);
      push(chain, chain->push);
    } else {
      if (step == AR_STEP_FAIL) *err = why;
      return step;
    }
  }
  return nothing_found(chain, err);
}
