/*
** The places at servers: who is let in, in what order, and which exchanges
** are thought to go to one server.
*/
#include "../../src/curl/hosts.h"

#include "check.h"

#define LENGTH(array) (sizeof(array) / sizeof(array)[0])
#define SOME 3 /* more than are let in */

/* As many places at one server as are let in, and some that are held. */
struct row {
  struct ar_place places[AR_HOST_CONNECTIONS + SOME];
};

static bool enter(struct ar_hosts *hosts, struct ar_place *place,
                  const char *url, const char *proxy) {
  struct ar_exchange x = {.url = url, .proxy = proxy};
  return ar_hosts_enter(hosts, place, &x);
}

static void fill(struct ar_hosts *hosts, struct row *row, const char *url,
                 const char *proxy) {
  for (size_t i = 0; i < LENGTH(row->places); i++)
    CHECK(enter(hosts, &row->places[i], url, proxy), "there is a place");
}

static void leave_all(struct ar_hosts *hosts, struct row *row) {
  for (size_t i = 0; i < LENGTH(row->places); i++)
    ar_hosts_leave(hosts, &row->places[i]);
}

static bool nothing_is_left(const struct ar_hosts *hosts) {
  return ar_list_empty(&hosts->all) && ar_list_empty(&hosts->ready);
}

static void lets_in_so_many(struct ar_hosts *hosts) {
  struct row row;
  const struct ar_link *at;
  fill(hosts, &row, "http://h/", NULL);
  at = hosts->ready.next;
  for (size_t i = 0; i < LENGTH(row.places); i++) {
    CHECK(row.places[i].held == (i >= AR_HOST_CONNECTIONS),
          "%zu is held if the server has enough", i);
    if (i >= AR_HOST_CONNECTIONS) continue;
    CHECK(at == &row.places[i].link, "%zu is in turn", i);
    at = at->next;
  }
  CHECK(at == &hosts->ready, "no other is ready");
  leave_all(hosts, &row);
  CHECK(nothing_is_left(hosts), "a server without places is forgotten");
}

static void lets_in_the_first(struct ar_hosts *hosts) {
  struct row row;
  struct ar_place *first = &row.places[AR_HOST_CONNECTIONS], late;
  fill(hosts, &row, "http://h/", NULL);
  ar_hosts_leave(hosts, first + 1);
  CHECK(first[0].held && first[2].held, "a held one lets nobody in");
  ar_hosts_leave(hosts, &row.places[7]);
  CHECK(!first[0].held && first[2].held, "another lets in the first");
  CHECK(hosts->ready.previous == &first[0].link, "after all that are ready");
  ar_hosts_leave(hosts, &row.places[7]);
  CHECK(first[2].held, "once");
  CHECK(enter(hosts, &late, "http://h/", NULL) && late.held,
        "who comes later is held");
  ar_hosts_leave(hosts, &row.places[8]);
  CHECK(!first[2].held && late.held, "and does not overtake");
  ar_hosts_leave(hosts, &late);
  leave_all(hosts, &row);
  CHECK(nothing_is_left(hosts), "nothing is left");
}

/* An exchange is held by as many that go to its server, and no others. */
static void tells_servers_apart(struct ar_hosts *hosts) {
  static const struct {
    const char *url, *proxy, *other, *others_proxy;
    bool same;
  } rows[] = {
      {"http://h/", NULL, "http://h/a?b", NULL, true},
      {"http://h/", NULL, "HTTP://H?b", NULL, true},
      {"http://h/", NULL, "http://u:p@h#x", NULL, true},
      {"http://h/", NULL, "http://h/@i", NULL, true},
      {"http://h/", NULL, "http://hh/", NULL, false},
      {"http://h/", NULL, "http://h:81/", NULL, false},
      {"http://h/", NULL, "https://h/", NULL, false},
      {"http://[::1]:8/", NULL, "http://[::2]:8/", NULL, false},
      {"http://h/", "http://p:1", "http://i/", "http://p:1", true},
      {"http://h/", "http://p:1", "http://i/", "http://u:p@p:1", true},
      {"http://h/", "http://p:1", "http://h/", "http://p:2", false},
      {"http://h/", "http://p:1", "http://h/", NULL, false},
      {"https://h/", "http://p:1", "https://i/", "http://p:1", false},
      {"https://h/", "http://p:1", "https://h/", NULL, true},
  };
  for (size_t i = 0; i < LENGTH(rows); i++) {
    struct row row;
    struct ar_place other;
    fill(hosts, &row, rows[i].url, rows[i].proxy);
    CHECK(enter(hosts, &other, rows[i].other, rows[i].others_proxy) &&
              other.held == rows[i].same,
          "%zu: %s and %s", i, rows[i].url, rows[i].other);
    ar_hosts_leave(hosts, &other);
    leave_all(hosts, &row);
  }
  CHECK(nothing_is_left(hosts), "all are forgotten");
}

int main(void) {
  struct ar_hosts hosts;
  ar_hosts_init(&hosts);
  lets_in_so_many(&hosts);
  lets_in_the_first(&hosts);
  tells_servers_apart(&hosts);
  return checked();
}
