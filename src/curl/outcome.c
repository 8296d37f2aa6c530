/*
** The table of libcurl's results.
*/
#include "../core/base.h"

#include "outcome.h"

#include "hosts.h"

/*
** What a result means before the request could be sent and after; and the
** words that stand before the host's name. A result that is missing here is
** the last row's.
*/
static const struct row {
  CURLcode result;
  enum ar_code unsent, sent;
  const char *words;
} rows[] = {
#define CLOSED AR_E_CONNECT, AR_E_CONNECTION_CLOSED
#define BOTH(code) AR_E_##code, AR_E_##code
    {CURLE_COULDNT_RESOLVE_HOST, BOTH(CONNECT), "unknown host"},
    {CURLE_COULDNT_CONNECT, BOTH(CONNECT), "no connection to"},
    {CURLE_INTERFACE_FAILED, BOTH(CONNECT), "no connection to"},
    {CURLE_GOT_NOTHING, CLOSED, "no answer, the connection was closed by"},
    {CURLE_SEND_ERROR, CLOSED, "could not send to"},
    {CURLE_RECV_ERROR, CLOSED, "could not receive from"},
    {CURLE_PARTIAL_FILE, CLOSED, "the answer was cut short by"},
    {CURLE_ABORTED_BY_CALLBACK, CLOSED, "the kept connection was closed by"},
    {CURLE_COULDNT_RESOLVE_PROXY, BOTH(PROXY), "unknown proxy for"},
    {CURLE_PROXY, BOTH(PROXY), "the proxy failed for"},
    {CURLE_SSL_CONNECT_ERROR, BOTH(TLS), "no TLS connection to"},
    {CURLE_PEER_FAILED_VERIFICATION, BOTH(TLS), "no trust in"},
    {CURLE_SSL_CACERT_BADFILE, BOTH(TLS), "no trusted certificates for"},
    {CURLE_SSL_ISSUER_ERROR, BOTH(TLS), "no trust in"},
    {CURLE_SSL_CRL_BADFILE, BOTH(TLS), "no trust in"},
    {CURLE_SSL_INVALIDCERTSTATUS, BOTH(TLS), "no trust in"},
    {CURLE_SSL_PINNEDPUBKEYNOTMATCH, BOTH(TLS), "no trust in"},
    {CURLE_SSL_CIPHER, BOTH(TLS), "no common cipher with"},
    {CURLE_SSL_CERTPROBLEM, BOTH(TLS), "no TLS connection to"},
    {CURLE_SSL_CLIENTCERT, BOTH(TLS), "no TLS connection to"},
    {CURLE_SSL_ENGINE_NOTFOUND, BOTH(TLS), "no TLS connection to"},
    {CURLE_SSL_ENGINE_SETFAILED, BOTH(TLS), "no TLS connection to"},
    {CURLE_SSL_ENGINE_INITFAILED, BOTH(TLS), "no TLS connection to"},
    {CURLE_USE_SSL_FAILED, BOTH(TLS), "no TLS connection to"},
    {CURLE_SSL_SHUTDOWN_FAILED, BOTH(TLS), "no TLS connection to"},
    {CURLE_OUT_OF_MEMORY, BOTH(MEMORY), "not enough memory for"},
    {CURLE_WRITE_ERROR, BOTH(TOO_LARGE), "the answer was refused from"},
#if LIBCURL_VERSION_NUM >= 0x080600
    {CURLE_TOO_LARGE, BOTH(TOO_LARGE), "the answer was refused from"},
#endif
    {CURLE_UNSUPPORTED_PROTOCOL, BOTH(HTTP), "not HTTP/1.1 with"},
    {CURLE_WEIRD_SERVER_REPLY, AR_E_PROXY, AR_E_HTTP,
     "not an HTTP answer from"},
    {CURLE_OK, BOTH(HTTP), "no exchange with"},
#undef CLOSED
#undef BOTH
};

static const struct row *find(CURLcode result) {
  const struct row *row = rows;
  while (row->result != CURLE_OK && row->result != result) row++;
  return row;
}

/* Puts the first bytes of `text` into `detail`, cut at a character's border
   and without control characters. */
static void tell(struct ar_outcome *outcome, const char *text) {
  size_t n = strlen(text), most = sizeof outcome->detail - 1;
  if (n > most)
    for (n = most; n > 0 && ((unsigned char)text[n] & 0xC0u) == 0x80u;) n--;
  for (size_t i = 0; i < n; i++) {
    unsigned char c = (unsigned char)text[i];
    outcome->detail[i] = (char)(c < 0x20 || c == 0x7f ? ' ' : c);
  }
  outcome->detail[n] = '\0';
}

void ar_outcome_timeout(struct ar_outcome *outcome,
                        const struct ar_exchange *x) {
  struct ar_str host = ar_hosts_authority(x->url);
  struct ar_err text;
  outcome->failure = x->sent ? AR_E_READ_TIMEOUT : AR_E_CONNECT_TIMEOUT;
  ar_fail(&text, outcome->failure, "%s %.*s within %lld ms",
          x->sent ? "no answer from" : "no connection to", (int)host.n, host.p,
          (long long)(x->sent ? x->read_timeout : x->connect_timeout));
  tell(outcome, text.message);
}

/* OpenSSL's words for a handshake that was cut, which may go well later; what
   else fails in a handshake does not. */
static bool is_cut(const char *text) {
  static const char *const words[] = {"SSL_ERROR_SYSCALL", "unexpected eof",
                                      "reset by peer"};
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (strstr(text, words[i]) != NULL) return true;
  return false;
}

/* What fails before the request is sent is the proxy's fault, but for the TLS
   of the server behind a tunnel. */
static enum ar_code failure(const struct row *row, const struct ar_exchange *x,
                            bool tunnelled) {
  if (x->sent) return row->sent;
  if (x->proxy == NULL) return row->unsent;
  if (row->unsent == AR_E_CONNECT) return AR_E_PROXY;
  return row->unsent == AR_E_TLS && !tunnelled ? AR_E_PROXY : row->unsent;
}

/* libcurl's text, unless there is none, or a proxy's URL may be in it. */
static const char *safe_text(const struct ar_exchange *x, CURLcode result,
                             const char *text) {
  bool quotes = strstr(text, "://") != NULL || strchr(text, '@') != NULL;
  if (text[0] == '\0' || (x->proxy != NULL && quotes))
    return curl_easy_strerror(result);
  return text;
}

void ar_outcome_of(struct ar_outcome *outcome, const struct ar_exchange *x,
                   CURLcode result, const char *text, bool tunnelled) {
  const struct row *row = find(result);
  struct ar_str host = ar_hosts_authority(x->url), proxy;
  struct ar_err line;
  if (result == CURLE_OPERATION_TIMEDOUT) {
    ar_outcome_timeout(outcome, x);
    return;
  }
  outcome->failure = failure(row, x, tunnelled);
  if (outcome->failure == AR_E_TLS && is_cut(text))
    outcome->failure = AR_E_TLS_CUT;
  text = safe_text(x, result, text);
  if (outcome->failure == AR_E_PROXY && x->proxy != NULL) {
    proxy = ar_hosts_authority(x->proxy);
    ar_fail(&line, AR_E_PROXY, "the proxy %.*s failed for %.*s: %s",
            (int)proxy.n, proxy.p, (int)host.n, host.p, text);
  } else {
    ar_fail(&line, outcome->failure, "%s %.*s: %s", row->words, (int)host.n,
            host.p, text);
  }
  tell(outcome, line.message);
}
