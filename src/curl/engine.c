/*
** The engine around one multi handle. libcurl's two hooks only record: which
** descriptor to watch for what, and when it wants to be called. A step goes
** through phases, in units that are as small as libcurl allows; one that runs
** out of its budget stops between two units, and the next goes on there.
** A flight is in one list at a time: held by its server, ready, running or
** done. It has a transfer from when it runs until it is taken out.
*/
#define _GNU_SOURCE
#include "engine.h"

#include <limits.h>
#include <stdlib.h>

#include "birthmark.h"
#include "guard.h"
#include "hosts.h"
#include "inheritance.h"
#include "library.h"
#include "outcome.h"
#include "transfer.h"

#define BATCH 64           /* events taken from the poller at a time */
#define SPARE_TRANSFERS 64 /* kept for the next exchanges */
#define KEPT_CONNECTIONS 128L

struct ar_engine {
  CURLM *multi;
  struct ar_birthmark mark;
  struct ar_shared shared;
  int64_t curl_wants; /* when libcurl wants its timer to fire, or AR_NEVER */
  struct ar_hosts hosts;
  struct ar_link running, done, spare;
  size_t spares;
  struct ar_ready ready[BATCH]; /* what the poller said, from `at` to `n` */
  int ready_at, ready_n;
  unsigned phase; /* where the next step begins */
  struct ar_engine_stats stats;
};

/* An exchange that was added; its performer. */
struct flight {
  struct ar_place place;
  struct ar_engine *owner;
  struct ar_exchange *x;        /* one reference */
  struct ar_transfer *transfer; /* NULL: not started, or it could not be */
};

static struct flight *flight_of(struct ar_link *link) {
  return AR_OWNER(struct flight, place.link, link);
}

static struct ar_transfer *transfer_of(struct ar_link *link) {
  return AR_OWNER(struct ar_transfer, link, link);
}

static void look_at_clock(struct ar_engine *e) {
  e->shared.now = ar_clock();
}

/*
** libcurl's hooks
*/

/* What the poller said of a descriptor that is no longer watched is void. */
static void forget_readiness(struct ar_engine *e, int fd) {
  for (int i = e->ready_at; i < e->ready_n; i++)
    if (e->ready[i].fd == fd) e->ready[i].what = 0;
}

static int on_socket(CURL *easy, curl_socket_t s, int what, void *data,
                     void *of_socket) {
  struct ar_engine *e = data;
  unsigned wanted = 0;
  (void)easy, (void)of_socket;
  if (what == CURL_POLL_IN || what == CURL_POLL_INOUT) wanted |= AR_POLL_IN;
  if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT) wanted |= AR_POLL_OUT;
  ar_watch_want(&e->shared.watch, s, wanted);
  if (wanted == 0) forget_readiness(e, s);
  return 0;
}

static int on_timer(CURLM *multi, long ms, void *data) {
  struct ar_engine *e = data;
  (void)multi;
  e->curl_wants = AR_NEVER;
  if (ms >= 0) e->curl_wants = ms > 0 ? ar_clock() + (int64_t)ms * 1000 : 0;
  return 0;
}

static bool set_options(struct ar_engine *e) {
  int bad = 0;
#define SET(option, value) \
  (bad |= (int)curl_multi_setopt(e->multi, option, value))
  SET(CURLMOPT_SOCKETFUNCTION, on_socket);
  SET(CURLMOPT_SOCKETDATA, e);
  SET(CURLMOPT_TIMERFUNCTION, on_timer);
  SET(CURLMOPT_TIMERDATA, e);
  SET(CURLMOPT_MAX_HOST_CONNECTIONS, (long)AR_HOST_CONNECTIONS);
  SET(CURLMOPT_MAXCONNECTS, KEPT_CONNECTIONS);
#undef SET
  return bad == 0;
}

/*
** Transfers, from the spares and back
*/

static struct ar_transfer *take_transfer(struct ar_engine *e) {
  struct ar_transfer *t;
  if (!ar_timers_reserve(&e->shared.timers, e->stats.in_flight)) return NULL;
  if (ar_list_empty(&e->spare)) return ar_transfer_new(&e->shared, NULL);
  t = transfer_of(e->spare.previous);
  ar_link_take(&t->link);
  e->spares--;
  return t;
}

static void give_back(struct ar_engine *e, struct ar_transfer *t) {
  if (e->spares < SPARE_TRANSFERS) {
    ar_link_move(&e->spare, &t->link);
    e->spares++;
  } else {
    ar_transfer_free(t);
  }
}

/*
** Flights
*/

/* False for want of memory. */
static bool start(struct ar_engine *e, struct flight *f) {
  struct ar_transfer *t = take_transfer(e);
  if (t == NULL) return false;
  t->owner = f;
  if (!ar_transfer_begin(t, f->x) ||
      curl_multi_add_handle(e->multi, t->easy) != CURLM_OK) {
    ar_transfer_end(t);
    give_back(e, t);
    return false;
  }
  f->transfer = t;
  return true;
}

static bool is_running(const struct flight *f) {
  return f->transfer != NULL && f->place.host != NULL;
}

/* Ends the transfer's part in the multi handle. */
static void stop(struct ar_engine *e, struct flight *f) {
  if (!is_running(f)) return;
  e->stats.connections += (uint64_t)ar_transfer_connections(f->transfer);
  curl_multi_remove_handle(e->multi, f->transfer->easy);
  ar_timers_disarm(&e->shared.timers, &f->transfer->timer);
}

static void set_done(struct ar_engine *e, struct flight *f) {
  stop(e, f);
  ar_hosts_leave(&e->hosts, &f->place);
  ar_link_move(&e->done, &f->place.link);
}

/* Takes the exchange out of the engine; its reference is the caller's. In a
   forked child the transfer is abandoned: its sockets are the parent's. */
static struct ar_exchange *detach(struct ar_engine *e, struct flight *f) {
  struct ar_exchange *x = f->x;
  ar_hosts_leave(&e->hosts, &f->place);
  if (f->transfer != NULL) {
    ar_transfer_end(f->transfer);
    if (!ar_engine_forked(e)) give_back(e, f->transfer);
  }
  free(f);
  x->performer = NULL;
  e->stats.in_flight--;
  return x;
}

static struct ar_outcome outcome_of(const struct flight *f) {
  struct ar_outcome outcome = {.failure = AR_OK};
  if (f->transfer != NULL) return f->transfer->outcome;
  ar_outcome_of(&outcome, f->x, CURLE_OUT_OF_MEMORY, "", false);
  return outcome;
}

/*
** The phases of a step. Each function does one unit of work, and tells
** whether it found one.
*/

static bool look(struct ar_engine *e) {
  if (e->ready_at < e->ready_n) return false;
  /* The first of a row: libcurl looks at the connection that it takes. */
  if (ar_list_empty(&e->running) && !ar_list_empty(&e->hosts.ready))
    return false;
  e->ready_at = 0;
  e->ready_n = ar_watch_wait(&e->shared.watch, e->ready, BATCH, 0);
  return false;
}

static bool serve_descriptor(struct ar_engine *e) {
  struct ar_ready ready;
  int running, what = 0;
  if (e->ready_at == e->ready_n) return false;
  ready = e->ready[e->ready_at++];
  if (ready.what & AR_POLL_IN) what |= CURL_CSELECT_IN;
  if (ready.what & AR_POLL_OUT) what |= CURL_CSELECT_OUT;
  if (what != 0) curl_multi_socket_action(e->multi, ready.fd, what, &running);
  return true;
}

static bool serve_timer(struct ar_engine *e) {
  int running;
  if (e->curl_wants > e->shared.now) return false;
  e->curl_wants = AR_NEVER;
  curl_multi_socket_action(e->multi, CURL_SOCKET_TIMEOUT, 0, &running);
  return false;
}

/* Starts one transfer alone, for libcurl does all that are new in one go. */
static bool start_ready(struct ar_engine *e) {
  struct flight *f;
  if (ar_list_empty(&e->hosts.ready)) return false;
  f = flight_of(e->hosts.ready.next);
  if (!start(e, f)) {
    set_done(e, f);
    return true;
  }
  ar_link_move(&e->running, &f->place.link);
  serve_timer(e);
  return true;
}

static bool expire(struct ar_engine *e) {
  struct ar_timer *first = ar_timers_first(&e->shared.timers);
  struct ar_transfer *t;
  if (first == NULL || first->at > e->shared.now) return false;
  t = AR_OWNER(struct ar_transfer, timer, first);
  if (ar_transfer_expire(t)) set_done(e, t->owner);
  return true;
}

static bool reap(struct ar_engine *e) {
  struct ar_transfer *t;
  char *owner = NULL;
  CURLcode result;
  int left;
  CURLMsg *message = curl_multi_info_read(e->multi, &left);
  if (message == NULL) return false;
  result = message->data.result;
  curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &owner);
  t = (struct ar_transfer *)(void *)owner;
  ar_transfer_conclude(t, result);
  set_done(e, t->owner);
  return true;
}

static bool (*const phases[])(struct ar_engine *) = {
    look, serve_descriptor, start_ready, serve_timer, reap, expire};

#define PHASES (sizeof phases / sizeof phases[0])

/* True when the time was up first. */
static bool go_through_phases(struct ar_engine *e, int64_t until) {
  while (e->phase < PHASES) {
    bool worked = phases[e->phase](e);
    if (!worked) {
      e->phase++;
      continue;
    }
    look_at_clock(e);
    if (e->shared.now >= until) return true;
  }
  e->phase = 0;
  return e->ready_n == BATCH;
}

/*
** What a loop calls
*/

int ar_engine_global_init(struct ar_err *err) {
  return ar_library_init(err);
}

static bool open_multi(struct ar_engine *e, struct ar_err *err) {
  struct ar_inheritance inheritance;
  struct ar_guard guard;
  ar_guard_enter(&guard);
  ar_inheritance_begin(&inheritance);
  e->multi = curl_multi_init();
  ar_inheritance_end(&inheritance);
  ar_guard_leave(&guard);
  if (e->multi != NULL && set_options(e)) return true;
  ar_fail_memory(err);
  return false;
}

/* The first transfer, too, so that a libcurl that is not fit is told of. */
static bool open_engine(struct ar_engine *e, struct ar_err *err) {
  struct ar_transfer *t;
  if (ar_library_init(err) != AR_OK) return false;
  if (!ar_watch_open(&e->shared.watch)) {
    ar_fail(err, AR_E_HTTP, "no descriptor is left for an event queue");
    return false;
  }
  if (!open_multi(e, err)) return false;
  t = ar_transfer_new(&e->shared, err);
  if (t != NULL) give_back(e, t);
  return t != NULL;
}

struct ar_engine *ar_engine_new(struct ar_err *err) {
  struct ar_engine *e = calloc(1, sizeof *e);
  if (e == NULL) {
    ar_fail_memory(err);
    return NULL;
  }
  e->shared.watch.poller = -1;
  ar_birthmark_set(&e->mark);
  e->curl_wants = AR_NEVER;
  ar_hosts_init(&e->hosts);
  ar_link_init(&e->running);
  ar_link_init(&e->done);
  ar_link_init(&e->spare);
  if (open_engine(e, err)) return e;
  ar_engine_free(e);
  return NULL;
}

static void release_all(struct ar_engine *e, struct ar_link *list) {
  while (!ar_list_empty(list)) {
    struct flight *f = flight_of(list->next);
    struct ar_exchange *x;
    if (!ar_engine_forked(e)) stop(e, f);
    x = detach(e, f);
    x->release(x);
  }
}

static void free_spares(struct ar_engine *e) {
  while (!ar_list_empty(&e->spare)) {
    struct ar_transfer *t = transfer_of(e->spare.next);
    ar_link_take(&t->link);
    ar_transfer_free(t);
  }
}

void ar_engine_free(struct ar_engine *e) {
  struct ar_guard guard;
  if (e == NULL) return;
  ar_guard_enter(&guard);
  release_all(e, &e->running);
  release_all(e, &e->hosts.ready); /* and those that this lets in */
  release_all(e, &e->done);
  if (!ar_engine_forked(e)) {
    free_spares(e);
    curl_multi_cleanup(e->multi);
  }
  ar_guard_leave(&guard);
  ar_watch_close(&e->shared.watch);
  ar_timers_free(&e->shared.timers);
  ar_proxies_free(&e->shared.proxies);
  ar_birthmark_free(&e->mark);
  free(e);
}

int ar_engine_fd(const struct ar_engine *e) {
  return e->shared.watch.poller;
}

int ar_engine_timeout(const struct ar_engine *e) {
  const struct ar_timer *first = ar_timers_first(&e->shared.timers);
  int64_t at = e->curl_wants, left;
  if (e->phase > 0 || e->ready_at < e->ready_n ||
      !ar_list_empty(&e->hosts.ready))
    return 0;
  if (first != NULL && first->at < at) at = first->at;
  if (at == AR_NEVER) return -1;
  left = at - ar_clock();
  if (left <= 0) return 0;
  return left / 1000 < INT_MAX ? (int)((left + 999) / 1000) : INT_MAX;
}

int ar_engine_add(struct ar_engine *e, struct ar_exchange *x,
                  struct ar_err *err) {
  struct flight *f;
  if (ar_engine_forked(e))
    return ar_fail(err, AR_E_HTTP, "the engine is another process's");
  if (x->performer != NULL)
    return ar_fail(err, AR_E_HTTP, "the exchange is in flight already");
  f = malloc(sizeof *f);
  if (f == NULL || !ar_hosts_enter(&e->hosts, &f->place, x)) {
    free(f);
    return ar_fail_memory(err);
  }
  f->owner = e;
  f->x = x;
  f->transfer = NULL;
  x->retain(x);
  x->performer = f;
  x->sent = false;
  e->stats.in_flight++;
  return AR_OK;
}

void ar_engine_remove(struct ar_engine *e, struct ar_exchange *x) {
  struct flight *f = x->performer;
  struct ar_guard guard;
  if (f == NULL || f->owner != e) return;
  if (is_running(f) && !ar_engine_forked(e)) {
    ar_guard_enter(&guard);
    stop(e, f);
    ar_guard_leave(&guard);
  }
  detach(e, f);
  x->release(x);
}

static void count_step(struct ar_engine *e, int64_t took) {
  e->stats.steps++;
  if (took > e->stats.longest_step_us) e->stats.longest_step_us = took;
}

bool ar_engine_step(struct ar_engine *e, int64_t budget_us) {
  struct ar_guard *guard = &e->shared.guard;
  int64_t begin;
  bool more;
  if (ar_engine_forked(e)) return false;
  look_at_clock(e);
  begin = e->shared.now;
  ar_guard_begin(guard);
  if (!ar_library_is_silent()) ar_guard_block(guard);
  more = go_through_phases(e, budget_us < 0 ? AR_NEVER : begin + budget_us);
  ar_guard_leave(guard);
  count_step(e, ar_clock() - begin);
  return more;
}

bool ar_engine_next_done(struct ar_engine *e) {
  struct ar_outcome outcome;
  struct ar_exchange *x;
  struct flight *f;
  if (ar_list_empty(&e->done)) return false;
  f = flight_of(e->done.next);
  outcome = outcome_of(f);
  x = detach(e, f);
  x->finish(x, &outcome);
  x->release(x);
  return true;
}

void ar_engine_wait(struct ar_engine *e, int ms) {
  int due = ar_engine_timeout(e);
  if (ms < 0 || (due >= 0 && due < ms)) ms = due;
  if (ms <= 0 || !ar_list_empty(&e->done) || ar_engine_forked(e)) return;
  e->ready_at = 0;
  e->ready_n = ar_watch_wait(&e->shared.watch, e->ready, BATCH, ms);
}

void ar_engine_drive(struct ar_engine *e, int ms) {
  ar_engine_step(e, -1);
  if (ms == 0 || !ar_list_empty(&e->done)) return;
  ar_engine_wait(e, ms);
  ar_engine_step(e, -1);
}

bool ar_engine_forked(const struct ar_engine *e) {
  return ar_birthmark_is_foreign(&e->mark);
}

const struct ar_engine_stats *ar_engine_stats(const struct ar_engine *e) {
  return &e->stats;
}
