/*
** The heap of timers: heap[i] is never later than heap[2i + 1] and
** heap[2i + 2], and every armed timer knows its place.
*/
#define _GNU_SOURCE
#include "timers.h"

#include <stdlib.h>
#include <time.h>

int64_t ar_clock(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

bool ar_timers_reserve(struct ar_timers *set, size_t n) {
  size_t capacity = set->capacity ? set->capacity : 16;
  struct ar_timer **heap;
  if (n <= set->capacity) return true;
  while (capacity < n) capacity *= 2;
  heap = realloc(set->heap, capacity * sizeof *heap);
  if (heap == NULL) return false;
  set->heap = heap;
  set->capacity = capacity;
  return true;
}

static void put(struct ar_timers *set, struct ar_timer *timer, size_t i) {
  set->heap[i] = timer;
  timer->place = i + 1;
}

/* Brings what stands at `i` up to where it belongs. */
static size_t rise(struct ar_timers *set, size_t i) {
  struct ar_timer *timer = set->heap[i];
  while (i > 0 && set->heap[(i - 1) / 2]->at > timer->at) {
    put(set, set->heap[(i - 1) / 2], i);
    i = (i - 1) / 2;
  }
  put(set, timer, i);
  return i;
}

static void sink(struct ar_timers *set, size_t i) {
  struct ar_timer *timer = set->heap[i];
  for (size_t child = 2 * i + 1; child < set->n; child = 2 * i + 1) {
    if (child + 1 < set->n && set->heap[child + 1]->at < set->heap[child]->at)
      child++;
    if (set->heap[child]->at >= timer->at) break;
    put(set, set->heap[child], i);
    i = child;
  }
  put(set, timer, i);
}

void ar_timers_arm(struct ar_timers *set, struct ar_timer *timer, int64_t at) {
  if (timer->place == 0) put(set, timer, set->n++);
  timer->at = at;
  sink(set, rise(set, timer->place - 1));
}

void ar_timers_disarm(struct ar_timers *set, struct ar_timer *timer) {
  size_t i = timer->place;
  if (i-- == 0) return;
  timer->place = 0;
  if (i == --set->n) return;
  put(set, set->heap[set->n], i);
  sink(set, rise(set, i));
}

struct ar_timer *ar_timers_first(const struct ar_timers *set) {
  return set->n > 0 ? set->heap[0] : NULL;
}

void ar_timers_free(struct ar_timers *set) {
  free(set->heap);
  *set = (struct ar_timers){0};
}
