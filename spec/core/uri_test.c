/*
** URLs: encoding and decoding, canonical paths and queries, parsing.
*/
#include "../../src/core/uri.h"

#include "kit.h"

#define MOST (64u * 1024u)

static void codes(void) {
  struct ar_buf encoded, decoded;
  char all[256];
  for (int c = 0; c < 256; c++) all[c] = (char)c;
  ar_buf_init(&encoded, MOST);
  ar_buf_init(&decoded, MOST);
  ar_uri_encode(&encoded, ar_str_n(all, sizeof all), false);
  CHECK(encoded.n == 66 + 3 * (256 - 66), "66 bytes stay as they are");
  ar_uri_decode(&decoded, ar_buf_str(&encoded));
  CHECK(ar_str_eq(ar_buf_str(&decoded), ar_str_n(all, sizeof all)),
        "decoding takes encoding back");
  ar_buf_reset(&encoded);
  ar_uri_encode(&encoded, AR_STR("/a b/%2F~*"), true);
  CHECK_STR(ar_buf_str(&encoded), "/a%20b/%252F~%2A", "slashes kept");
  ar_buf_reset(&decoded);
  ar_uri_decode(&decoded, AR_STR("%41%4a%6A+%%2%zz%2"));
  CHECK_STR(ar_buf_str(&decoded), "AJj+%%2%zz%2", "what is no code stays");
  ar_buf_free(&encoded);
  ar_buf_free(&decoded);
}

static void paths(void) {
  static const struct {
    const char *path, *normal;
  } rows[] = {{"", "/"},
              {"/", "/"},
              {"//", "/"},
              {"/..", "/"},
              {"/a/..", "/"},
              {"/a/../", "/"},
              {"/a/b/..", "/a"},
              {"/a/b/../", "/a/"},
              {"/./a/.", "/a"},
              {"//a//b//", "/a/b/"},
              {"/a/../../b", "/b"},
              {"/...", "/..."},
              {"/%2e", "/%2e"},
              {"a", "/a"}};
  struct ar_buf out;
  ar_buf_init(&out, MOST);
  for (size_t i = 0; i < LENGTH(rows); i++) {
    ar_buf_reset(&out);
    ar_uri_normalize_path(&out, ar_str_of(rows[i].path));
    CHECK_STR(ar_buf_str(&out), rows[i].normal, rows[i].path);
  }
  ar_buf_reset(&out);
  ar_buf_addz(&out, "/kept");
  ar_uri_normalize_path(&out, AR_STR("/../../a"));
  CHECK_STR(ar_buf_str(&out), "/kept/a", "what stood before stays");
  ar_buf_free(&out);
}

static void queries(void) {
  static const struct {
    const char *query, *canonical;
  } rows[] = {
      {"", ""},
      {"a", "a="},
      {"b=2&a=1", "a=1&b=2"},
      {"a=2&a=1&a=", "a=&a=1&a=2"},
      {"Param-3=V&Param=V&%E1%88%B4=V", "%E1%88%B4=V&Param=V&Param-3=V"},
      {"=v", "=v"},
      {"a=b=c", "a=b%3Dc"},
      {"%61=%7E&b=%c3%a9", "a=~&b=%C3%A9"}};
  struct ar_buf out;
  ar_buf_init(&out, MOST);
  for (size_t i = 0; i < LENGTH(rows); i++) {
    ar_buf_reset(&out);
    CHECK(
        ar_uri_canonical_query(&out, ar_str_of(rows[i].query), NULL) == AR_OK,
        "the query '%s'", rows[i].query);
    CHECK_STR(ar_buf_str(&out), rows[i].canonical, rows[i].query);
  }
  ar_buf_free(&out);
  ar_buf_init(&out, 10);
  CHECK(ar_uri_canonical_query(&out, AR_STR("a=\x01\x02\x03\x04"), NULL) ==
            AR_E_TOO_LARGE,
        "a query beyond the limit");
  ar_buf_free(&out);
}

static void good_urls(void) {
  static const struct {
    const char *url, *host, *path, *query;
    bool tls;
  } rows[] = {{"http://a", "a", "", "", false},
              {"HTTPS://A.B:443/p?q", "a.b", "/p", "q", true},
              {"https://a:8080?q#f", "a:8080", "", "q", true},
              {"http://u:p@w@a:80/", "a", "/", "", false},
              {"http://[::1]:99/x", "[::1]:99", "/x", "", false},
              {"https://[2001:DB8::A]", "[2001:db8::a]", "", "", true},
              {"http://a_b-c.d.", "a_b-c.d.", "", "", false},
              {"http://a:/", "a", "/", "", false},
              {"http://a/b?c?d#e?f", "a", "/b", "c?d", false}};
  struct ar_url url;
  struct ar_err err;
  struct ar_buf host;
  ar_buf_init(&host, MOST);
  for (size_t i = 0; i < LENGTH(rows); i++) {
    CHECK(ar_url_parse(ar_str_of(rows[i].url), &url, &err) == AR_OK,
          "%s is a URL: %s", rows[i].url, err.message);
    ar_buf_reset(&host);
    ar_url_host(&host, &url);
    CHECK_STR(ar_buf_str(&host), rows[i].host, rows[i].url);
    CHECK_STR(url.path, rows[i].path, rows[i].url);
    CHECK_STR(url.query, rows[i].query, rows[i].url);
    CHECK(url.tls == rows[i].tls, "%s: TLS", rows[i].url);
  }
  ar_buf_free(&host);
}

static void bad_urls(void) {
  static const char *const rows[] = {"",
                                     "http",
                                     "http:",
                                     "http:/",
                                     "http://",
                                     "https:///a",
                                     "ftp://a/",
                                     "//a/",
                                     "a",
                                     "http:a",
                                     "httpss://a",
                                     " http://a",
                                     "http://a b/",
                                     "http://a\n/",
                                     "http://a/\x7f",
                                     "http://a/\x01",
                                     "http://.a",
                                     "http://a..b",
                                     "http://a:b",
                                     "http://a:65536",
                                     "http://a:0",
                                     "http://a:-1",
                                     "http://a:99999999999999999999",
                                     "http://[::1",
                                     "http://[]",
                                     "http://[a]",
                                     "http://[::1%25eth0]",
                                     "http://::1/",
                                     "http://a%41/",
                                     "http://\xc3\xa9/",
                                     "http://a:1:2",
                                     "http://a@",
                                     "http://[::1]x/",
                                     "http://a,b/"};
  struct ar_url url;
  struct ar_err err;
  char longest[300] = "http://";
  for (size_t i = 0; i < LENGTH(rows); i++)
    CHECK(ar_url_parse(ar_str_of(rows[i]), &url, &err) == AR_E_BAD_ENDPOINT &&
              err.code == AR_E_BAD_ENDPOINT && err.message[0] != '\0',
          "'%s' is no URL", rows[i]);
  memset(longest + 7, 'a', 64);
  CHECK(ar_url_parse(ar_str_of(longest), &url, &err) != AR_OK,
        "a label of 64 letters");
  longest[7 + 63] = '\0';
  CHECK(ar_url_parse(ar_str_of(longest), &url, &err) == AR_OK,
        "a label of 63 letters");
  for (int i = 7; i < 7 + 256; i++) longest[i] = i % 2 ? 'a' : '.';
  CHECK(ar_url_parse(ar_str_n(longest, 7 + 256), &url, &err) != AR_OK &&
            ar_url_parse(ar_str_n(longest, 7 + 255), &url, &err) == AR_OK,
        "a name of 256 bytes, and of 255");
}

int main(void) {
  codes();
  paths();
  queries();
  good_urls();
  bad_urls();
  return checked();
}
