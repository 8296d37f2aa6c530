/*
** Intrusive lists: rings with the list itself as a member. A link that is in
** no list points to itself, so taking it out twice does no harm.
*/
#ifndef ar_list_h
#define ar_list_h

#include "base.h"

struct ar_link {
  struct ar_link *next, *previous;
};

static inline void ar_link_init(struct ar_link *l) {
  l->next = l->previous = l;
}

static inline bool ar_list_empty(const struct ar_link *list) {
  return list->next == list;
}

static inline void ar_link_take(struct ar_link *l) {
  l->previous->next = l->next;
  l->next->previous = l->previous;
  ar_link_init(l);
}

/* Moves `l` from wherever it is to the end of `list`. */
static inline void ar_link_move(struct ar_link *list, struct ar_link *l) {
  ar_link_take(l);
  l->previous = list->previous;
  l->next = list;
  list->previous->next = l;
  list->previous = l;
}

#endif
