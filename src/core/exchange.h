/*
** One HTTP exchange as a plain struct: what to send, and where the answer
** goes; and who performs such. This is all that crosses between the core and
** the engine of src/curl; nothing in it belongs to Lua or to libcurl.
**
** The core fills an exchange in and owns it. A performer retains it while it
** is in flight, and speaks to it through the function pointers alone, so that
** allocation, limits and wiping stay in the core. They are called on the
** thread of the Lua state that made it and never call Lua.
*/
#ifndef ar_exchange_h
#define ar_exchange_h

#include "fail.h"
#include "str.h"

AR_HIDDEN

#define AR_EXCHANGE_ABI 3 /* of both structs */
#define AR_PERFORMER_TYPE "apprunner.performer/3"

/* A header line "Name: value" with a NUL after it. */
struct ar_header_line {
  const char *line;
  size_t name_length; /* the value starts at name_length + 2 */
};

enum ar_part {
  AR_PART_HEAD, /* one line of the answer's head, status line first, CRLF
                   and all; a new status line starts the answer anew */
  AR_PART_BODY
};

/* How an exchange ended. */
struct ar_outcome {
  enum ar_code failure; /* AR_OK when a whole answer came */
  int status;           /* HTTP status; 0 when none came */
  bool reused;          /* on a connection that was kept from before */
  char detail[256];     /* for `failure`: text for a person, no secrets */
};

struct ar_exchange {
  /* What to send; unchanged from `add` until `finish`. */
  const char *method;
  const char *url; /* absolute, http or https, no control characters */
  const struct ar_header_line *headers; /* Host among them */
  size_t header_count;
  struct ar_str body;

  /* How. Milliseconds, at least 1. */
  int64_t connect_timeout; /* until the request can be sent: DNS, TCP, TLS */
  int64_t read_timeout;    /* longest silence from then on */
  bool verify;             /* check the server's certificate and name */
  const char *ca_bundle;   /* a PEM file or a hashed directory, or NULL for
                              the system's store */
  const char *proxy;       /* http or https URL, user and password in it
                              percent-encoded; NULL: none, whatever the
                              environment says */

  /* The performer's own; both are to be zero before. */
  void *performer; /* NULL again afterwards */
  bool sent;       /* the request may have reached the server */

  void (*retain)(struct ar_exchange *x);
  void (*release)(struct ar_exchange *x);
  /* Takes a piece of the answer; false means: stop, it is refused. */
  bool (*append)(struct ar_exchange *x, enum ar_part part, const char *p,
                 size_t n);
  /* Called once, when it ended by itself; not after a removal. */
  void (*finish)(struct ar_exchange *x, const struct ar_outcome *outcome);
};

/*
** Who performs exchanges. The core receives one at the start of a Lua userdata
** whose metatable is named AR_PERFORMER_TYPE, and checks the first two before
** it touches anything else. Milliseconds: -1 is without a bound.
*/
struct ar_performer {
  unsigned abi;         /* AR_EXCHANGE_ABI */
  size_t exchange_size; /* sizeof(struct ar_exchange) */

  /* Takes up an exchange and retains it. AR_OK, or an error, after which it
     is as it was. */
  int (*add)(struct ar_performer *p, struct ar_exchange *x,
             struct ar_err *err);
  /* Releases an exchange, whose `finish` is not called then. */
  void (*remove)(struct ar_performer *p, struct ar_exchange *x);
  /* Does what can be done in about `budget_us` microseconds, without waiting,
     and finishes what has ended. True when more could be done at once. */
  bool (*step)(struct ar_performer *p, int64_t budget_us);
  /* The same, and waits at most `ms` where there is nothing to do. */
  void (*drive)(struct ar_performer *p, int ms);
  /* Milliseconds until a step is due. */
  int (*timeout)(struct ar_performer *p);
  /* Whether it belongs to the process that this one was forked from. */
  bool (*is_foreign)(struct ar_performer *p);
};

AR_HIDDEN_END

#endif
