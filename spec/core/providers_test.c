/*
** The providers, step by step: what each asks for, and what becomes of the
** answers, which this program feeds in a performer's place.
*/
#include "../../src/core/providers.h"

#include "kit.h"

#define NOW INT64_C(1767323045000) /* 2026-01-02T03:04:05Z */
#define HOUR INT64_C(3600000)
#define IN_AN_HOUR "2026-01-02T04:04:05Z"
#define KEYS(more)                                                    \
  "{\"AccessKeyId\":\"I\",\"SecretAccessKey\":\"S\",\"Token\":\"T\"," \
  "\"Expiration\":\"" IN_AN_HOUR "\"" more "}"
#define CONFIG "/h/.aws/config"

static struct kit_world world;
static struct ar_env env;
static struct ar_settings settings;
static struct ar_profiles profiles;
static struct ar_chain chain;
static struct ar_jobs jobs;
static struct ar_job job;
static struct ar_creds out;
static struct ar_err err;

/* --- the driver ----------------------------------------------------------
 */

static void idle(struct ar_job *at, const struct ar_now *now) {
  (void)at, (void)now;
}

static void idle_fail(struct ar_job *at, enum ar_code code, const char *why) {
  (void)at, (void)code, (void)why;
}

static void idle_free(struct ar_job *at) {
  (void)at;
}

static const struct ar_job_class idle_class = {idle, idle_fail, idle_free};

/* A world with nothing in it but a home. */
static void fresh(void) {
  world = (struct kit_world){.status = 0};
  env = kit_world_env(&world);
  kit_set(world.variables, "HOME", "/h");
}

/* Goes on with the chain; an exchange that is ordered is taken. */
static enum ar_step go(void) {
  struct ar_exchange *x = NULL;
  int64_t id;
  enum ar_step step;
  err = (struct ar_err){.code = AR_OK};
  step = ar_chain_step(&chain, &out, &err);
  if (ar_jobs_order(&jobs, &x, &id, &id) == AR_ORDER_SEND) x->release(x);
  return step;
}

/* Begins a chain of one provider in this world, and steps it. */
static enum ar_step begin(enum ar_provider_row row) {
  static bool begun;
  struct ar_chain_inputs in = {
      .env = &env, .settings = &settings, .profiles = &profiles};
  size_t count;
  const struct ar_provider *rows = ar_providers(&count);
  if (begun) ar_chain_free(&chain);
  begun = true;
  job.exchange = NULL;
  ar_creds_free(&out);
  ar_settings_free(&settings);
  ar_settings_init(&settings);
  if (ar_profiles_read(&profiles, &env, NULL, NULL, &err) != AR_OK ||
      ar_settings_complete(&settings, &env, &profiles, &err) != AR_OK) {
    CHECK(false, "the world is in order: %s", err.message);
    return AR_STEP_FAIL;
  }
  ar_chain_init(&chain, &in, rows + row, 1, &job);
  chain.now = (struct ar_now){1000, NOW};
  return go();
}

/* Begins with the config file `text`, as the profile "p". */
static enum ar_step begin_profile(const char *text) {
  kit_set(world.files, CONFIG, text);
  kit_set(world.variables, "AWS_PROFILE", "p");
  return begin(AR_PROVIDER_PROFILE);
}

/* Ends the exchange with an answer, and goes on. */
static enum ar_step answer(int status, const char *body) {
  chain.http.outcome = (struct ar_outcome){.status = status};
  ar_buf_reset(&chain.http.answer_body);
  ar_buf_addz(&chain.http.answer_body, body);
  job.exchange = NULL;
  return go();
}

/* Ends it without one. */
static enum ar_step failure(enum ar_code code) {
  struct ar_outcome outcome = {.failure = code};
  snprintf(outcome.detail, sizeof outcome.detail, "the detail");
  chain.http.outcome = outcome;
  job.exchange = NULL;
  return go();
}

/* The value of a header line that was sent, or NULL. */
static const char *line(const char *name) {
  const struct ar_exchange *x = &chain.http.exchange;
  for (size_t i = 0; i < x->header_count; i++)
    if (x->headers[i].name_length == strlen(name) &&
        memcmp(x->headers[i].line, name, strlen(name)) == 0)
      return x->headers[i].line + strlen(name) + 2;
  return NULL;
}

static void check_line(const char *name, const char *expected) {
  const char *value = line(name);
  CHECK(expected && value ? strcmp(value, expected) == 0 : value == expected,
        "%s: %s", name, value ? value : "absent");
}

static void check_sent(enum ar_step step, const char *method,
                       const char *url) {
  const struct ar_exchange *x = &chain.http.exchange;
  CHECK(step == AR_STEP_SEND, "it sends, not %d: %s", step, err.message);
  CHECK(step == AR_STEP_SEND && strcmp(x->method, method) == 0 &&
            strcmp(x->url, url) == 0,
        "%s %s, not %s %s", method, url, x->method, x->url);
}

static void check_body(const char *expected) {
  CHECK_STR(ar_buf_str(&chain.http.body), expected, "the body");
}

static void check_err(enum ar_step step, enum ar_code code,
                      const char *message) {
  CHECK(step == AR_STEP_FAIL && err.code == code,
        "step %d, expected the error %s, got %s: %s", step, ar_code_name(code),
        ar_code_name(err.code), err.message);
  CHECK(strstr(err.message, message) != NULL, "expected '%s' in: %s", message,
        err.message);
}

static void check_have(enum ar_step step, const char *id, const char *provider,
                       const char *source) {
  CHECK(step == AR_STEP_HAVE, "credentials, not %d: %s", step, err.message);
  CHECK_STR(ar_buf_str(&out.access_key_id), id, "the id");
  CHECK_STR(ar_buf_str(&out.source), source, "the source");
  CHECK(out.provider && strcmp(out.provider->name, provider) == 0,
        "by %s, not %s", provider, out.provider ? out.provider->name : "-");
}

/* --- container -----------------------------------------------------------
 */

#define RELATIVE "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"
#define FULL "AWS_CONTAINER_CREDENTIALS_FULL_URI"
#define TOKEN "AWS_CONTAINER_AUTHORIZATION_TOKEN"
#define TOKEN_FILE "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"

static void container_urls(void) {
  static const struct {
    const char *relative, *full, *url; /* or, without a scheme, an error */
  } rows[] = {
      {"/c?id=1", NULL, "http://169.254.170.2/c?id=1"},
      {"/c", "https://x/", "http://169.254.170.2/c"},
      {"", "https://x/", "https://x/"},
      {NULL, "https://x.example:8443/a?b", "https://x.example:8443/a?b"},
      {NULL, "http://localhost:1/a", "http://localhost:1/a"},
      {NULL, "http://LOCALHOST/a", "http://LOCALHOST/a"},
      {NULL, "http://127.9.9.9/a", "http://127.9.9.9/a"},
      {NULL, "http://[::1]/a", "http://[::1]/a"},
      {NULL, "http://169.254.170.2/a", "http://169.254.170.2/a"},
      {NULL, "http://169.254.170.23/a", "http://169.254.170.23/a"},
      {NULL, "http://[fd00:ec2::23]/a", "http://[fd00:ec2::23]/a"},
      {NULL, "http://[FD00:EC2::23]/a", "http://[FD00:EC2::23]/a"},
      {NULL, "http://169.254.169.254/a", "not for 169.254.169.254"},
      {NULL, "http://example.com/a", "not for example.com"},
      {NULL, "http://127.0.0.1.example.com/", "not for 127.0.0.1.example.com"},
      {NULL, "http://localhost.example.com/", "not for"},
      {NULL, "http://127.1/", "not for 127.1"},
      {NULL, "http://127.0.0.1@example.com/", "user"},
      {NULL, "http://localhost/#a", "fragment"},
      {NULL, "http:///a", "host"},
      {NULL, "ftp://localhost/", "http:// or https://"},
      {NULL, "/c", "http:// or https://"},
      {"c", NULL, "begins with /"},
      {"@example.com/c", NULL, "begins with /"},
      {"/c\r\nX: y", NULL, "control character"}};
  for (size_t i = 0; i < LENGTH(rows); i++) {
    enum ar_step step;
    fresh();
    kit_set(world.variables, RELATIVE, rows[i].relative);
    kit_set(world.variables, FULL, rows[i].full);
    step = begin(AR_PROVIDER_CONTAINER);
    if (strncmp(rows[i].url, "http", 4) == 0 &&
        strstr(rows[i].url, " or ") == NULL)
      check_sent(step, "GET", rows[i].url);
    else
      check_err(step, AR_E_CREDENTIAL_RETRIEVAL, rows[i].url);
  }
}

static void container_request(void) {
  fresh();
  kit_set(world.variables, "HTTP_PROXY", "http://proxy:1");
  kit_set(world.variables, RELATIVE, "/c");
  begin(AR_PROVIDER_CONTAINER);
  check_line("Host", "169.254.170.2");
  check_line("Accept", "application/json");
  check_line("Authorization", NULL);
  CHECK(chain.http.exchange.proxy == NULL, "never by a proxy");
  CHECK(chain.http.exchange.connect_timeout == 2000 &&
            chain.http.exchange.read_timeout == 5000,
        "2 and 5 seconds");
  check_body("");
  check_have(answer(200, KEYS(",\"AccountId\":\"1\",\"RoleArn\":\"a\"")), "I",
             "container", RELATIVE);
  CHECK_STR(ar_buf_str(&out.secret_access_key), "S", "the secret");
  CHECK_STR(ar_buf_str(&out.session_token), "T", "the token");
  CHECK_STR(ar_buf_str(&out.account_id), "1", "the account");
  CHECK(out.expiration == NOW + HOUR && out.good_until == NOW + HOUR,
        "the expiry");
  kit_set(world.variables, RELATIVE, NULL);
  check_err(begin(AR_PROVIDER_CONTAINER), AR_E_NO_CREDENTIALS, "are not set");
}

/* A token, or the file of one, and the line that it makes; NULL: an error. */
static void container_tokens(void) {
  static const struct {
    const char *token, *file, *line;
  } rows[] = {{"Basic abc", NULL, "Basic abc"},
              {"abc\n", NULL, "abc"},
              {"", NULL, NULL},
              {"env", "  file \r\n", "file"},
              {"a\r\nX: y", NULL, "control"},
              {"a\nb", NULL, "control"},
              {NULL, "a\nb", "control"},
              {NULL,
               "a\x7f"
               "b",
               "control"},
              {"env", kit_unreadable, "Permission denied"}};
  for (size_t i = 0; i < LENGTH(rows); i++) {
    enum ar_step step;
    fresh();
    kit_set(world.variables, RELATIVE, "/c");
    kit_set(world.variables, TOKEN, rows[i].token);
    if (rows[i].file) kit_set(world.variables, TOKEN_FILE, "/token");
    kit_set(world.files, "/token", rows[i].file);
    step = begin(AR_PROVIDER_CONTAINER);
    if (rows[i].line && (rows[i].line[0] == 'c' || rows[i].line[0] == 'P')) {
      check_err(step, AR_E_CREDENTIAL_RETRIEVAL, rows[i].line);
      CHECK(strstr(err.message, "a\n") == NULL, "no token is told");
    } else {
      CHECK(step == AR_STEP_SEND, "token %zu: %s", i, err.message);
      check_line("Authorization", rows[i].line);
    }
  }
}

static void container_token_file(void) {
  fresh();
  kit_set(world.variables, FULL, "http://localhost/");
  kit_set(world.variables, TOKEN, "env");
  kit_set(world.variables, TOKEN_FILE, "/token");
  check_err(begin(AR_PROVIDER_CONTAINER), AR_E_CREDENTIAL_RETRIEVAL,
            TOKEN_FILE ": /token: No such file or directory");
  kit_set(world.files, "/token", "one");
  begin(AR_PROVIDER_CONTAINER);
  check_line("Authorization", "one");
  kit_set(world.files, "/token", "two");
  CHECK(answer(503, "") == AR_STEP_AGAIN, "again");
  CHECK(go() == AR_STEP_SEND, "it is sent again");
  check_line("Authorization", "two");
}

/* What an answer becomes, `message` in its error. */
static void container_answers(void) {
  static const struct {
    int status;
    const char *body;
    enum ar_step step;
    const char *message;
  } rows[] = {{500, "", AR_STEP_AGAIN, ""},
              {503, "", AR_STEP_AGAIN, ""},
              {429, "", AR_STEP_AGAIN, ""},
              {200, "no json", AR_STEP_AGAIN, ""},
              {200, "", AR_STEP_AGAIN, ""},
              {200, "{\"AccessKeyId\":\"I\"}", AR_STEP_AGAIN, ""},
              {200, KEYS(",\"Expiration\":null"), AR_STEP_AGAIN, ""},
              {404, KEYS(""), AR_STEP_FAIL, "status 404"},
              {403, "", AR_STEP_FAIL, "status 403"},
              {302, "", AR_STEP_FAIL, "status 302"},
              {200, KEYS(",\"AccessKeyId\":\"a\\nb\""), AR_STEP_AGAIN, ""},
              {200, KEYS(",\"Unknown\":[{}]"), AR_STEP_HAVE, ""}};
  for (size_t i = 0; i < LENGTH(rows); i++) {
    enum ar_step step;
    fresh();
    kit_set(world.variables, RELATIVE, "/c");
    begin(AR_PROVIDER_CONTAINER);
    step = answer(rows[i].status, rows[i].body);
    CHECK(step == rows[i].step && strstr(err.message, rows[i].message),
          "container %zu: %d, %s", i, step, err.message);
    if (step == AR_STEP_FAIL)
      CHECK(err.code == AR_E_CREDENTIAL_RETRIEVAL, "its code");
  }
}

static void container_attempts(void) {
  fresh();
  kit_set(world.variables, RELATIVE, "/c");
  begin(AR_PROVIDER_CONTAINER);
  for (int i = 0; i < 2; i++) {
    CHECK(failure(AR_E_CONNECT) == AR_STEP_AGAIN, "attempt %d", i + 1);
    CHECK(go() == AR_STEP_SEND, "is followed by another");
  }
  check_err(failure(AR_E_CONNECT), AR_E_CREDENTIAL_RETRIEVAL, "the detail");
  begin(AR_PROVIDER_CONTAINER);
  check_err(failure(AR_E_TLS), AR_E_CREDENTIAL_RETRIEVAL, "the detail");
}

/* --- IMDS ----------------------------------------------------------------
 */

#define IMDS "http://169.254.169.254"
#define ROLES "/latest/meta-data/iam/security-credentials/"

static void imds_sequence(void) {
  fresh();
  kit_set(world.variables, "http_proxy", "http://proxy:1");
  check_sent(begin(AR_PROVIDER_IMDS), "PUT", IMDS "/latest/api/token");
  check_line("x-aws-ec2-metadata-token-ttl-seconds", "21600");
  check_line("Host", "169.254.169.254");
  CHECK(chain.http.exchange.connect_timeout == 1000 &&
            chain.http.exchange.read_timeout == 1000 &&
            chain.http.exchange.proxy == NULL,
        "a second each, no proxy");
  check_sent(answer(200, "TOKEN\n"), "GET", IMDS ROLES);
  check_line("x-aws-ec2-metadata-token", "TOKEN");
  check_line("x-aws-ec2-metadata-token-ttl-seconds", NULL);
  check_sent(answer(200, "a role\nanother\n"), "GET", IMDS ROLES "a%20role");
  check_line("x-aws-ec2-metadata-token", "TOKEN");
  check_have(answer(200, KEYS(",\"Code\":\"Success\",\"Type\":\"AWS-HMAC\"")),
             "I", "imds", "the instance metadata service");
  CHECK(out.expiration == NOW + HOUR && out.good_until == NOW + HOUR,
        "good until they expire");
}

/* Begins and goes on to the first, second or third exchange. */
static void imds_until(int exchange) {
  static const char *const answers[] = {"TOKEN", "role"};
  begin(AR_PROVIDER_IMDS);
  for (int i = 0; i < exchange; i++) answer(200, answers[i]);
}

/* One answer at one of the three exchanges. */
static void imds_answers(void) {
  static const struct {
    int exchange, status;
    const char *body;
    enum ar_step step;
    const char *message;
  } rows[] = {
      {0, 403, "", AR_STEP_FAIL, "disabled (403)"},
      {0, 404, "", AR_STEP_FAIL, "status 404"},
      {0, 400, "", AR_STEP_FAIL, "status 400"},
      {0, 401, "", AR_STEP_FAIL, "status 401"},
      {0, 500, "", AR_STEP_AGAIN, ""},
      {0, 200, "", AR_STEP_FAIL, "gave no token"},
      {0, 200, "a\rb", AR_STEP_FAIL, "gave no token"},
      {1, 401, "", AR_STEP_AGAIN, ""},
      {1, 404, "", AR_STEP_FAIL, "has no role"},
      {1, 200, "\n", AR_STEP_FAIL, "has no role"},
      {1, 502, "", AR_STEP_AGAIN, ""},
      {2, 401, "", AR_STEP_AGAIN, ""},
      {2, 404, "", AR_STEP_FAIL, "status 404"},
      {2, 503, "", AR_STEP_AGAIN, ""},
      {2, 200, "no json", AR_STEP_AGAIN, ""},
      {2, 200, KEYS(",\"SecretAccessKey\":null"), AR_STEP_AGAIN, ""},
      {2, 200, KEYS(",\"Token\":\"\""), AR_STEP_AGAIN, ""},
      {2, 200, KEYS(",\"Expiration\":\"soon\""), AR_STEP_AGAIN, ""},
      {2, 200, KEYS(",\"Code\":\"AssumeRoleUnauthorizedAccess\""),
       AR_STEP_FAIL, "with Code AssumeRoleUnauthorizedAccess"},
      {2, 200, KEYS(",\"Code\":\"success\""), AR_STEP_FAIL, "with Code"},
      {2, 200, KEYS(""), AR_STEP_HAVE, ""}};
  for (size_t i = 0; i < LENGTH(rows); i++) {
    enum ar_step step;
    fresh();
    imds_until(rows[i].exchange);
    step = answer(rows[i].status, rows[i].body);
    CHECK(step == rows[i].step && strstr(err.message, rows[i].message),
          "IMDS %zu: %d, %s", i, step, err.message);
    if (step == AR_STEP_FAIL)
      CHECK(err.code == AR_E_NO_CREDENTIALS, "it had nothing");
    if (step == AR_STEP_AGAIN)
      check_sent(go(), "PUT", IMDS "/latest/api/token");
  }
}

static void imds_failures(void) {
  fresh();
  imds_until(0);
  check_err(failure(AR_E_CONNECT_TIMEOUT), AR_E_NO_CREDENTIALS, "the detail");
  imds_until(0);
  CHECK(failure(AR_E_READ_TIMEOUT) == AR_STEP_AGAIN, "slow: again");
  imds_until(1);
  CHECK(failure(AR_E_CONNECTION_CLOSED) == AR_STEP_AGAIN, "cut off: again");
}

/* How often the exchange is made that always fails; never without end. */
static int imds_tries(int exchange, int status) {
  int tries = 0;
  enum ar_step step = AR_STEP_AGAIN;
  while (step == AR_STEP_AGAIN && tries < 100) {
    if (tries++ == 0)
      begin(AR_PROVIDER_IMDS);
    else
      go();
    if (exchange > 0) answer(200, "TOKEN");
    if (exchange > 1) answer(200, "role");
    step = answer(status, "");
  }
  CHECK(step == AR_STEP_FAIL && err.code == AR_E_NO_CREDENTIALS,
        "IMDS had nothing: %s", err.message);
  return tries;
}

static void imds_attempts(void) {
  for (int exchange = 0; exchange < 3; exchange++) {
    fresh();
    CHECK(imds_tries(exchange, 503) == 4, "four attempts at exchange %d",
          exchange);
    kit_set(world.variables, "AWS_METADATA_SERVICE_NUM_ATTEMPTS", "1");
    CHECK(imds_tries(exchange, 503) == 1, "one attempt at exchange %d",
          exchange);
  }
  fresh();
  CHECK(imds_tries(2, 401) == 4, "a token that is always refused");
}

/* botocore's rule for what has expired, or will in a moment. */
static void imds_expired(void) {
  static const char *const dates[] = {
      "2020-01-02T03:04:05Z", "2026-01-02T03:04:05Z", "2026-01-02T03:19:04Z"};
  for (size_t i = 0; i < LENGTH(dates); i++) {
    char body[256];
    int64_t left;
    fresh();
    imds_until(2);
    snprintf(body, sizeof body, KEYS(",\"Expiration\":\"%s\""), dates[i]);
    CHECK(answer(200, body) == AR_STEP_HAVE, "they are taken");
    left = out.good_until - NOW;
    CHECK(out.expiration <= NOW + HOUR / 4, "their expiry is as told");
    CHECK(left >= 17 * HOUR / 60 && left < 25 * HOUR / 60, "%s: good for %d s",
          dates[i], (int)(left / 1000));
    CHECK(ar_creds_freshness(&out, NOW) == AR_CREDS_GOOD,
          "and not renewed at once");
  }
}

static void imds_endpoints(void) {
  static const struct {
    const char *variables[5];
    const char *url;
  } rows[] = {{{"AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "ipV6"},
               "http://[fd00:ec2::254]/latest/api/token"},
              {{"AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "IPv4"},
               IMDS "/latest/api/token"},
              {{"AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://x:1/"},
               "http://x:1/latest/api/token"},
              {{"AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://x:1/a"},
               "http://x:1/a/latest/api/token"},
              {{"AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://x",
                "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "IPv6"},
               "http://x/latest/api/token"}};
  for (size_t i = 0; i < LENGTH(rows); i++) {
    fresh();
    for (size_t k = 0; rows[i].variables[k]; k += 2)
      kit_set(world.variables, rows[i].variables[k], rows[i].variables[k + 1]);
    check_sent(begin(AR_PROVIDER_IMDS), "PUT", rows[i].url);
  }
}

static void imds_settings(void) {
  static char role[AR_MAX_URL - sizeof ROLES + 1];
  fresh();
  kit_set(world.variables, "AWS_EC2_METADATA_SERVICE_ENDPOINT", "not a uri");
  check_err(begin(AR_PROVIDER_IMDS), AR_E_BAD_CONFIG,
            "(from AWS_EC2_METADATA_SERVICE_ENDPOINT)");
  fresh();
  kit_set(world.variables, "AWS_EC2_METADATA_DISABLED", "TRUE");
  check_err(begin(AR_PROVIDER_IMDS), AR_E_NO_CREDENTIALS,
            "AWS_EC2_METADATA_DISABLED is true");
  fresh();
  kit_set(world.variables, "AWS_METADATA_SERVICE_TIMEOUT", "2.5");
  begin(AR_PROVIDER_IMDS);
  CHECK(chain.http.exchange.connect_timeout == 2500 &&
            chain.http.exchange.read_timeout == 2500,
        "its timeout");
  fresh();
  memset(role, 'r', sizeof role - 1);
  imds_until(1);
  CHECK(
      answer(200, role) == AR_STEP_FAIL && strstr(err.message, "null") == NULL,
      "a role's name of 8 KiB: %s", err.message);
}

/* --- AssumeRole ----------------------------------------------------------
 */

#define ROLE "arn:aws:iam::123456789012:role/r"
#define ROLE_FORM                                                   \
  "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A" \
  "%3A123456789012%3Arole%2Fr&RoleSessionName="
#define CREDENTIALS(action)                                              \
  "<" action                                                             \
  "Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/"           \
  "\"><" action                                                          \
  "Result><AssumedRoleUser><AssumedRoleId>x</AssumedRoleId"              \
  "><Arn>arn:aws:sts::123456789012:assumed-role/r/s</Arn>"               \
  "</AssumedRoleUser><Credentials><AccessKeyId>RI</AccessKeyId>"         \
  "<SecretAccessKey>RS</SecretAccessKey><SessionToken>RT</SessionToken>" \
  "<Expiration>" IN_AN_HOUR "</Expiration></Credentials></" action       \
  "Result></" action "Response>"
#define ERROR(code, message)                             \
  "<ErrorResponse><Error><Type>Sender</Type><Code>" code \
  "</Code><Message>" message                             \
  "</Message></Error><RequestId>1</RequestId></ErrorResponse>"
#define BASE                 \
  "[profile base]\n"         \
  "aws_access_key_id = BI\n" \
  "aws_secret_access_key = BS\n"
#define PROFILE "[profile p]\nrole_arn = " ROLE "\nsource_profile = base\n"

static void in_region(const char *region) {
  fresh();
  kit_set(world.variables, "AWS_REGION", region);
}

static void role_request(void) {
  in_region("eu-west-1");
  check_sent(begin_profile(PROFILE BASE), "POST",
             "https://sts.eu-west-1.amazonaws.com/");
  check_body(ROLE_FORM "apprunner-lua-1767323045000");
  check_line("Host", "sts.eu-west-1.amazonaws.com");
  check_line("Content-Type",
             "application/x-www-form-urlencoded; charset=utf-8");
  check_line("X-Amz-Date", "20260102T030405Z");
  check_line("X-Amz-Security-Token", NULL);
  CHECK(line("Authorization") &&
            strstr(line("Authorization"),
                   "Credential=BI/20260102/eu-west-1/sts/aws4_request, "
                   "SignedHeaders=content-type;host;x-amz-date, "),
        "signed for STS: %s", line("Authorization"));
  CHECK(chain.http.exchange.connect_timeout == 60000, "the client's timeout");
  check_have(answer(200, CREDENTIALS("AssumeRole")), "RI", "assume_role",
             "profile p in the config file");
  CHECK_STR(ar_buf_str(&out.secret_access_key), "RS", "the secret");
  CHECK_STR(ar_buf_str(&out.session_token), "RT", "the token");
  CHECK_STR(ar_buf_str(&out.account_id), "123456789012", "the account");
  CHECK(out.expiration == NOW + HOUR && out.good_until == NOW + HOUR,
        "the expiry");
}

static void role_parameters(void) {
  in_region("eu-west-1");
  begin_profile(PROFILE
                "role_session_name = a b&c=+\nexternal_id = x/y\n"
                "duration_seconds = 900\n" BASE "aws_session_token = BT\n");
  check_body(ROLE_FORM "a%20b%26c%3D%2B&ExternalId=x%2Fy&DurationSeconds=900");
  check_line("X-Amz-Security-Token", "BT");
  CHECK(strstr(line("Authorization"), "x-amz-security-token") != NULL,
        "the token is signed");
}

/* What the variables make of the endpoint, and the region of the signature. */
static void sts_endpoints(void) {
  static const struct {
    const char *region, *variables[5], *url, *signed_for;
  } rows[] = {
      {NULL, {NULL}, "sts.amazonaws.com", "us-east-1"},
      {"us-west-2",
       {"AWS_STS_REGIONAL_ENDPOINTS", "legacy"},
       "sts.amazonaws.com",
       "us-east-1"},
      {"eu-south-1",
       {"AWS_STS_REGIONAL_ENDPOINTS", "legacy"},
       "sts.eu-south-1.amazonaws.com",
       "eu-south-1"},
      {"us-west-2",
       {"AWS_STS_REGIONAL_ENDPOINTS", "regional"},
       "sts.us-west-2.amazonaws.com",
       "us-west-2"},
      {"us-west-2",
       {"AWS_STS_REGIONAL_ENDPOINTS", "legacy", "AWS_USE_FIPS_ENDPOINT",
        "true"},
       "sts-fips.us-west-2.amazonaws.com",
       "us-west-2"},
      {"us-west-2",
       {"AWS_USE_DUALSTACK_ENDPOINT", "true"},
       "sts.us-west-2.api.aws",
       "us-west-2"},
      {"us-gov-west-1",
       {"AWS_USE_FIPS_ENDPOINT", "true"},
       "sts.us-gov-west-1.amazonaws.com",
       "us-gov-west-1"},
      {"us-gov-west-1",
       {"AWS_USE_FIPS_ENDPOINT", "true", "AWS_USE_DUALSTACK_ENDPOINT", "true"},
       "sts-fips.us-gov-west-1.api.aws",
       "us-gov-west-1"},
      {"cn-north-1", {NULL}, "sts.cn-north-1.amazonaws.com.cn", "cn-north-1"},
      {"us-west-2",
       {"AWS_ENDPOINT_URL", "https://x:1", "AWS_STS_REGIONAL_ENDPOINTS",
        "legacy"},
       "x:1",
       "us-west-2"},
      {"us-west-2",
       {"AWS_ENDPOINT_URL", "https://x", "AWS_ENDPOINT_URL_STS", "https://y"},
       "y",
       "us-west-2"}};
  for (size_t i = 0; i < LENGTH(rows); i++) {
    char url[128], scope[64];
    in_region(rows[i].region);
    for (size_t k = 0; rows[i].variables[k]; k += 2)
      kit_set(world.variables, rows[i].variables[k], rows[i].variables[k + 1]);
    snprintf(url, sizeof url, "https://%s/", rows[i].url);
    snprintf(scope, sizeof scope, "/%s/sts/aws4_request", rows[i].signed_for);
    check_sent(begin_profile(PROFILE BASE), "POST", url);
    CHECK(line("Authorization") && strstr(line("Authorization"), scope),
          "signed for %s: %s", rows[i].signed_for, line("Authorization"));
  }
}

static void sts_endpoint_errors(void) {
  in_region("us-west-2");
  kit_set(world.variables, "AWS_ENDPOINT_URL_STS", "http://x");
  kit_set(world.variables, "AWS_USE_FIPS_ENDPOINT", "true");
  check_err(begin_profile(PROFILE BASE), AR_E_ENDPOINT_RULE, "FIPS");
  in_region(NULL);
  kit_set(world.variables, "AWS_ENDPOINT_URL_STS", "http://x");
  check_err(begin_profile(PROFILE BASE), AR_E_NO_REGION, "region");
  in_region(NULL);
  kit_set(world.variables, "AWS_USE_FIPS_ENDPOINT", "true");
  check_err(begin_profile(PROFILE BASE), AR_E_NO_REGION, "region");
}

/* An answer of STS, and what it becomes. */
static void sts_answers(void) {
  static const struct {
    int status;
    const char *body;
    enum ar_step step;
    const char *message;
  } rows[] = {
      {400, ERROR("IDPCommunicationError", "x"), AR_STEP_AGAIN, ""},
      {400, ERROR("Throttling", "x"), AR_STEP_AGAIN, ""},
      {500, "", AR_STEP_AGAIN, ""},
      {503, ERROR("ServiceUnavailable", "x"), AR_STEP_AGAIN, ""},
      {400, ERROR("ExpiredTokenException", "the why"), AR_STEP_FAIL,
       "AssumeRole: ExpiredTokenException: the why"},
      {403, ERROR("AccessDenied", "a &amp; b"), AR_STEP_FAIL,
       "AssumeRole: AccessDenied: a & b"},
      {403, "{\"not\":\"xml\"}", AR_STEP_FAIL, "AssumeRole: status 403"},
      {403, "<!DOCTYPE a><a/>", AR_STEP_FAIL, "AssumeRole: status 403"},
      {200, "", AR_STEP_FAIL, "no XML document"},
      {200, "<a>", AR_STEP_FAIL, "no XML document"},
      {200, "<AssumeRoleResponse/>", AR_STEP_FAIL, "no AccessKeyId"},
      {200, CREDENTIALS("AssumeRoleWithWebIdentity"), AR_STEP_FAIL,
       "no AccessKeyId"},
      {200,
       "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>I"
       "</AccessKeyId><SecretAccessKey>S</SecretAccessKey><SessionToken>T"
       "</SessionToken><Expiration>soon</Expiration></Credentials>"
       "</AssumeRoleResult></AssumeRoleResponse>",
       AR_STEP_FAIL, "no Expiration"},
      {200,
       "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>I"
       "&#10;</AccessKeyId><SecretAccessKey>S</SecretAccessKey><SessionToken>"
       "T</SessionToken><Expiration>" IN_AN_HOUR
       "</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>",
       AR_STEP_FAIL, "control character"}};
  for (size_t i = 0; i < LENGTH(rows); i++) {
    enum ar_step step;
    in_region("eu-west-1");
    begin_profile(PROFILE BASE);
    step = answer(rows[i].status, rows[i].body);
    CHECK(step == rows[i].step && strstr(err.message, rows[i].message),
          "STS %zu: %d, %s", i, step, err.message);
    if (step == AR_STEP_FAIL)
      CHECK(err.code == AR_E_CREDENTIAL_RETRIEVAL, "its code");
    if (step == AR_STEP_AGAIN) {
      chain.now.epoch += 1000;
      check_sent(go(), "POST", "https://sts.eu-west-1.amazonaws.com/");
      check_line("X-Amz-Date", "20260102T030406Z");
    }
  }
}

static void sts_attempts(void) {
  in_region("eu-west-1");
  begin_profile(PROFILE BASE);
  for (int i = 0; i < 2; i++) {
    CHECK(answer(500, "") == AR_STEP_AGAIN, "attempt %d", i + 1);
    go();
  }
  check_err(answer(500, ""), AR_E_CREDENTIAL_RETRIEVAL, "status 500");
}

/* --- web identity --------------------------------------------------------
 */

#define WEB_FORM                                                          \
  "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn%3Aaws" \
  "%3Aiam%3A%3A123456789012%3Arole%2Fr&RoleSessionName="

static void web_environment(void) {
  in_region("eu-west-1");
  check_err(begin(AR_PROVIDER_WEB_IDENTITY), AR_E_NO_CREDENTIALS,
            "AWS_WEB_IDENTITY_TOKEN_FILE is not set");
  kit_set(world.variables, "AWS_WEB_IDENTITY_TOKEN_FILE", "/jwt");
  check_err(begin(AR_PROVIDER_WEB_IDENTITY), AR_E_BAD_CONFIG,
            "AWS_ROLE_ARN is missing");
  kit_set(world.variables, "AWS_ROLE_ARN", ROLE);
  check_err(begin(AR_PROVIDER_WEB_IDENTITY), AR_E_CREDENTIAL_RETRIEVAL,
            "/jwt: No such file or directory");
  kit_set(world.files, "/jwt", kit_unreadable);
  check_err(begin(AR_PROVIDER_WEB_IDENTITY), AR_E_CREDENTIAL_RETRIEVAL,
            "/jwt: Permission denied");
  kit_set(world.files, "/jwt", " a.b=\r\n\t ");
  check_sent(begin(AR_PROVIDER_WEB_IDENTITY), "POST",
             "https://sts.eu-west-1.amazonaws.com/");
  check_body(WEB_FORM
             "apprunner-lua-1767323045000&WebIdentityToken=%20a.b%3D");
  check_line("Authorization", NULL);
  check_line("X-Amz-Date", NULL);
  kit_set(world.files, "/jwt", "two");
  CHECK(answer(400, ERROR("IDPCommunicationError", "x")) == AR_STEP_AGAIN,
        "its provider could not be reached");
  go();
  check_body(WEB_FORM "apprunner-lua-1767323045000&WebIdentityToken=two");
  check_have(answer(200, CREDENTIALS("AssumeRoleWithWebIdentity")), "RI",
             "web_identity", "AWS_WEB_IDENTITY_TOKEN_FILE");
}

static void web_profile(void) {
  static const char text[] =
      "[profile p]\nweb_identity_token_file = /jwt\nrole_arn = " ROLE
      "\nrole_session_name = s\nsource_profile = nobody\n";
  in_region("eu-west-1");
  kit_set(world.files, "/jwt", "one");
  kit_set(world.variables, "AWS_ROLE_SESSION_NAME", "of-the-environment");
  check_sent(begin_profile(text), "POST",
             "https://sts.eu-west-1.amazonaws.com/");
  check_body(WEB_FORM "s&WebIdentityToken=one");
  check_err(answer(400, ERROR("InvalidIdentityToken", "bad")),
            AR_E_CREDENTIAL_RETRIEVAL,
            "AssumeRoleWithWebIdentity: InvalidIdentityToken: bad");
  begin_profile(text);
  check_have(answer(200, CREDENTIALS("AssumeRoleWithWebIdentity")), "RI",
             "web_identity", "profile p in the config file");
  /* What the profile leaves out is not taken from the environment. */
  kit_set(world.variables, "AWS_ROLE_ARN", ROLE);
  check_err(begin_profile("[profile p]\nweb_identity_token_file = /jwt\n"),
            AR_E_BAD_CONFIG, "role_arn is missing");
}

/* --- SSO -----------------------------------------------------------------
 */

#define CACHE "/h/.aws/sso/cache/"
/* SHA-1 of "my-sso" and of "https://start". */
#define SESSION_FILE CACHE "0ad374308c5a4e22f723adf10145eafad7c4031c.json"
#define START_FILE CACHE "6ad0e7e61d1f47e491ea32c2031add41ef92e07d.json"
#define ROLE_KEYS "sso_account_id = 1\nsso_role_name = a b\n"
#define LEGACY                                                \
  "[profile p]\nsso_start_url = https://start\nsso_region = " \
  "us-west-2\n" ROLE_KEYS
#define SESSION_SECTION                                                \
  "[sso-session my-sso]\nsso_start_url = https://start\nsso_region = " \
  "us-west-2\n"
#define SESSION "[profile p]\nsso_session = my-sso\n" ROLE_KEYS SESSION_SECTION
#define PORTAL                                                              \
  "https://portal.sso.us-west-2.amazonaws.com/federation/credentials?role_" \
  "name=a%20b&account_id=1"
#define OIDC "https://oidc.us-west-2.amazonaws.com/token"
#define ROLE_ANSWER                                                        \
  "{\"roleCredentials\":{\"accessKeyId\":\"I\",\"secretAccessKey\":\"S\"," \
  "\"sessionToken\":\"T\",\"expiration\":1767326645000}}"
#define TOKEN_OF(expires)                                                    \
  "{\"accessToken\":\"A\",\"expiresAt\":\"" expires                          \
  "\",\"refreshToken\":\"R\",\"clientId\":\"C\",\"clientSecret\":\"\\\"S\"," \
  "\"registrationExpiresAt\":\"2026-02-01T00:00:00Z\",\"region\":"           \
  "\"us-west-2\",\"startUrl\":\"https://start\"}"
#define IN_TEN_MINUTES "2026-01-02T03:14:05Z"
#define AN_HOUR_AGO "2026-01-02T02:04:05Z"

static void sso_role(const char *config, const char *file) {
  fresh();
  kit_set(world.files, file, TOKEN_OF(IN_AN_HOUR));
  check_sent(begin_profile(config), "GET", PORTAL);
  check_line("x-amz-sso_bearer_token", "A");
  check_line("Authorization", NULL);
  check_line("Host", "portal.sso.us-west-2.amazonaws.com");
  check_have(answer(200, ROLE_ANSWER), "I", "sso",
             "profile p in the config file");
  CHECK_STR(ar_buf_str(&out.session_token), "T", "the token");
  CHECK_STR(ar_buf_str(&out.account_id), "1", "the account");
  CHECK(out.expiration == NOW + HOUR, "the expiry");
  CHECK(world.replaced == 0, "nothing is written");
}

static void sso_keys(void) {
  static const struct {
    const char *config, *message;
  } rows[] = {
      {"[profile p]\nsso_account_id = 1\n", "sso_role_name"},
      {"[profile p]\nsso_role_name = 1\n", "sso_account_id"},
      {"[profile p]\n" ROLE_KEYS, "sso_start_url"},
      {"[profile p]\nsso_start_url = x\n" ROLE_KEYS, "sso_region"},
      {"[profile p]\nsso_session = nobody\n" ROLE_KEYS,
       "no section [sso-session nobody]"},
      {"[profile p]\nsso_session = my-sso\nsso_region = us-west-2\n" ROLE_KEYS
           SESSION_SECTION,
       "belong into the sso-session"},
      {"[profile p]\nsso_session = my-sso\nsso_start_url = x\n" ROLE_KEYS
           SESSION_SECTION,
       "belong into the sso-session"},
      {"[profile p]\nsso_session = my-sso\n" SESSION_SECTION,
       "it gives a token and no credentials"},
      {"[profile p]\nsso_session = s\n" ROLE_KEYS
       "[sso-session s]\nsso_region = us-west-2\n",
       "sso_start_url"}};
  for (size_t i = 0; i < LENGTH(rows); i++) {
    fresh();
    check_err(begin_profile(rows[i].config), AR_E_BAD_CONFIG, rows[i].message);
  }
  fresh();
  check_err(begin_profile("[profile p]\nsso_start_url = x\nsso_region = "
                          "evil.example/\n" ROLE_KEYS),
            AR_E_BAD_ENDPOINT, "region");
}

/* What stands in the cache, and what is said of it. */
static void sso_cache(void) {
  static const struct {
    const char *contents, *message;
  } rows[] = {
      {NULL, START_FILE ": No such file or directory"},
      {kit_unreadable, START_FILE ": Permission denied"},
      {"no json", START_FILE ": not a JSON object"},
      {"{}", "accessToken or expiresAt is missing"},
      {"{\"accessToken\":\"A\"}", "accessToken or expiresAt is missing"},
      {"{\"accessToken\":\"A\",\"expiresAt\":\"soon\"}",
       "accessToken or expiresAt is missing"},
      {"{\"accessToken\":\"\",\"expiresAt\":\"" IN_AN_HOUR "\"}",
       "accessToken or expiresAt is missing"},
      {"{\"accessToken\":\"a\\r\\nb\",\"expiresAt\":\"" IN_AN_HOUR "\"}",
       "cannot be used"},
      {TOKEN_OF(AN_HOUR_AGO), "the token has expired"}};
  for (size_t i = 0; i < LENGTH(rows); i++) {
    fresh();
    kit_set(world.files, START_FILE, rows[i].contents);
    check_err(begin_profile(LEGACY), AR_E_SSO_TOKEN, rows[i].message);
    CHECK(strstr(err.message, "run \"aws sso login --profile p\"") != NULL,
          "and what mends it: %s", err.message);
  }
  /* Legacy tokens are used to their end; old caches write UTC, and keys in
     any case. */
  fresh();
  kit_set(world.files, START_FILE,
          "{\"AccessToken\":\"A\",\"EXPIRESAT\":\"2026-01-02T03:14:05UTC\"}");
  check_sent(begin_profile(LEGACY), "GET", PORTAL);
}

static void sso_answers(void) {
  static const struct {
    int status;
    const char *body;
    enum ar_step step;
    enum ar_code code;
    const char *message;
  } rows[] = {
      {401, "{}", AR_STEP_FAIL, AR_E_SSO_TOKEN, "aws sso login --profile p"},
      {404, "{}", AR_STEP_FAIL, AR_E_CREDENTIAL_RETRIEVAL, "status 404"},
      {429, "", AR_STEP_AGAIN, AR_OK, ""},
      {503, "", AR_STEP_AGAIN, AR_OK, ""},
      {200, "no json", AR_STEP_FAIL, AR_E_CREDENTIAL_RETRIEVAL, "JSON"},
      {200, "{\"roleCredentials\":{}}", AR_STEP_FAIL,
       AR_E_CREDENTIAL_RETRIEVAL, "roleCredentials.accessKeyId is missing"},
      {200,
       "{\"roleCredentials\":{\"accessKeyId\":\"I\",\"secretAccessKey\":"
       "\"S\",\"sessionToken\":\"T\",\"expiration\":\"" IN_AN_HOUR "\"}}",
       AR_STEP_FAIL, AR_E_CREDENTIAL_RETRIEVAL, "roleCredentials.expiration"},
      {200,
       "{\"roleCredentials\":{\"accessKeyId\":\"I\",\"secretAccessKey\":"
       "\"S\",\"sessionToken\":\"T\",\"expiration\":"
       "99999999999999999999999}}",
       AR_STEP_FAIL, AR_E_CREDENTIAL_RETRIEVAL, "roleCredentials.expiration"}};
  for (size_t i = 0; i < LENGTH(rows); i++) {
    enum ar_step step;
    fresh();
    kit_set(world.files, START_FILE, TOKEN_OF(IN_AN_HOUR));
    begin_profile(LEGACY);
    step = answer(rows[i].status, rows[i].body);
    CHECK(step == rows[i].step && err.code == rows[i].code &&
              strstr(err.message, rows[i].message),
          "SSO %zu: %d, %s", i, step, err.message);
    if (step == AR_STEP_AGAIN) {
      check_sent(go(), "GET", PORTAL);
      check_line("x-amz-sso_bearer_token", "A");
    }
  }
}

static void sso_renewal(void) {
  fresh();
  kit_set(world.files, SESSION_FILE, TOKEN_OF(IN_TEN_MINUTES));
  check_sent(begin_profile(SESSION), "POST", OIDC);
  check_line("Content-Type", "application/json");
  check_line("Authorization", NULL);
  check_body(
      "{\"grantType\": \"refresh_token\", \"clientId\": \"C\", "
      "\"clientSecret\": \"\\\"S\", \"refreshToken\": \"R\"}");
  check_sent(answer(200,
                    "{\"accessToken\":\"A2\",\"tokenType\":\"Bearer\","
                    "\"expiresIn\":3600,\"refreshToken\":\"R2\"}"),
             "GET", PORTAL);
  check_line("x-amz-sso_bearer_token", "A2");
  check_body("");
  CHECK(world.replaced == 1 && strcmp(world.path, SESSION_FILE) == 0,
        "written back to %s", world.path);
  CHECK(strcmp(world.contents,
               "{\"accessToken\": \"A2\", \"expiresAt\": \"" IN_AN_HOUR
               "\", \"refreshToken\": \"R2\", \"clientId\": \"C\", "
               "\"clientSecret\": \"\\\"S\", \"registrationExpiresAt\": "
               "\"2026-02-01T00:00:00Z\", \"region\": \"us-west-2\", "
               "\"startUrl\": \"https://start\"}") == 0,
        "its contents: %s", world.contents);
  CHECK(answer(200, ROLE_ANSWER) == AR_STEP_HAVE, "and used");
}

static void sso_renewal_keeps(void) {
  fresh();
  world.read_only = true;
  kit_set(world.files, SESSION_FILE, TOKEN_OF(AN_HOUR_AGO));
  begin_profile(SESSION);
  answer(200, "{\"accessToken\":\"A2\",\"expiresIn\":3600}");
  check_line("x-amz-sso_bearer_token", "A2");
  world.read_only = false;
  begin_profile(SESSION);
  answer(200, "{\"accessToken\":\"A2\",\"expiresIn\":3600}");
  CHECK(strstr(world.contents, "\"refreshToken\": \"R\"") != NULL,
        "without a new refresh token the old one stays: %s", world.contents);
}

/* Who may not renew, and when it is not tried. */
static void sso_not_renewable(void) {
  static const struct {
    const char *contents;
    bool expired;
  } rows[] = {
      {"{\"accessToken\":\"A\",\"expiresAt\":\"" IN_TEN_MINUTES "\"}", false},
      {"{\"accessToken\":\"A\",\"expiresAt\":\"" IN_TEN_MINUTES
       "\",\"refreshToken\":\"R\",\"clientId\":\"C\",\"clientSecret\":\"S\","
       "\"registrationExpiresAt\":\"" AN_HOUR_AGO "\"}",
       false},
      {"{\"accessToken\":\"A\",\"expiresAt\":\"" AN_HOUR_AGO
       "\",\"refreshToken\":\"R\",\"clientId\":\"C\",\"clientSecret\":\"S\"}",
       true},
      {TOKEN_OF("2026-01-02T03:19:05Z"), false}};
  for (size_t i = 0; i < LENGTH(rows); i++) {
    enum ar_step step;
    fresh();
    kit_set(world.files, SESSION_FILE, rows[i].contents);
    step = begin_profile(SESSION);
    if (rows[i].expired)
      check_err(step, AR_E_SSO_TOKEN, "the token has expired");
    else
      check_sent(step, "GET", PORTAL);
  }
}

/* Renewals that fail, with a token that is still good and one that is not. */
static void sso_renewal_fails(void) {
  static const struct {
    int status;
    const char *body;
  } rows[] = {{400, "{\"error\":\"invalid_grant\"}"},
              {200, "no json"},
              {200, "{\"accessToken\":\"A2\"}"},
              {200, "{\"accessToken\":\"A2\",\"expiresIn\":\"3600\"}"},
              {200, "{\"accessToken\":\"A2\",\"expiresIn\":-1}"},
              {200, "{\"accessToken\":\"\",\"expiresIn\":3600}"},
              {200, "{\"accessToken\":7,\"expiresIn\":3600}"}};
  for (size_t i = 0; i < LENGTH(rows); i++) {
    fresh();
    kit_set(world.files, SESSION_FILE, TOKEN_OF(IN_TEN_MINUTES));
    begin_profile(SESSION);
    check_sent(answer(rows[i].status, rows[i].body), "GET", PORTAL);
    check_line("x-amz-sso_bearer_token", "A");
    kit_set(world.files, SESSION_FILE, TOKEN_OF(AN_HOUR_AGO));
    begin_profile(SESSION);
    check_err(answer(rows[i].status, rows[i].body), AR_E_SSO_TOKEN,
              "has expired and refresh failed");
    CHECK(world.replaced == 0, "nothing is written");
  }
}

static void sso_renewal_again(void) {
  fresh();
  kit_set(world.files, SESSION_FILE, TOKEN_OF(IN_TEN_MINUTES));
  begin_profile(SESSION);
  for (int i = 0; i < 2; i++) {
    CHECK(answer(503, "") == AR_STEP_AGAIN, "attempt %d", i + 1);
    check_sent(go(), "POST", OIDC);
  }
  check_sent(answer(503, ""), "GET", PORTAL);
  check_line("x-amz-sso_bearer_token", "A");
  for (int i = 0; i < 2; i++) {
    CHECK(answer(503, "") == AR_STEP_AGAIN, "the portal's attempt %d", i + 1);
    check_sent(go(), "GET", PORTAL);
  }
  check_err(answer(503, ""), AR_E_CREDENTIAL_RETRIEVAL, "status 503");
}

static void sso_endpoints(void) {
  fresh();
  kit_set(world.files, SESSION_FILE, TOKEN_OF(IN_TEN_MINUTES));
  kit_set(world.variables, "AWS_ENDPOINT_URL_SSO_OIDC", "http://x:1/a");
  kit_set(world.variables, "AWS_ENDPOINT_URL_SSO", "http://y/");
  check_sent(begin_profile(SESSION), "POST", "http://x:1/a/token");
  check_sent(answer(400, ""), "GET",
             "http://y/federation/credentials?role_name=a%20b&account_id=1");
  fresh();
  kit_set(world.files, START_FILE, TOKEN_OF(IN_AN_HOUR));
  kit_set(world.variables, "AWS_USE_FIPS_ENDPOINT", "true");
  kit_set(world.variables, "AWS_USE_DUALSTACK_ENDPOINT", "true");
  check_sent(begin_profile(LEGACY), "GET",
             "https://portal.sso-fips.us-west-2.api.aws/federation/"
             "credentials?role_name=a%20b&account_id=1");
}

/* --- process -------------------------------------------------------------
 */

#define PROCESS "[profile p]\ncredential_process = "
#define PRINTED(more) \
  "{\"Version\":1,\"AccessKeyId\":\"I\",\"SecretAccessKey\":\"S\"" more "}"

/* The words that were found, "|" after each. */
static void check_words(const char *expected) {
  char words[128] = "";
  for (size_t i = 0; i < chain.command.count; i++) {
    strncat(words, chain.command.list[i], sizeof words - strlen(words) - 1);
    strncat(words, "|", sizeof words - strlen(words) - 1);
  }
  CHECK(strcmp(words, expected) == 0, "%s, not %s", expected, words);
}

static enum ar_step printed(const char *text, const char *error, int status) {
  ar_buf_reset(&chain.output.out);
  ar_buf_reset(&chain.output.err);
  ar_buf_addz(&chain.output.out, text);
  ar_buf_addz(&chain.output.err, error);
  chain.output.ended = true;
  chain.output.too_much = false;
  chain.output.status = status;
  return go();
}

static void process_line(void) {
  fresh();
  CHECK(begin_profile(PROCESS "/opt/my\\ tool -a 'b c' \"$HOME\" \"\"\n") ==
            AR_STEP_RUN,
        "it is to be run: %s", err.message);
  check_words("/opt/my tool|-a|b c|$HOME||");
  check_have(printed(PRINTED(""), "a warning", 0), "I", "process",
             "profile p in the config file");
  CHECK(out.expiration == AR_NEVER && out.good_until == AR_NEVER,
        "they do not expire");
  check_err(begin_profile(PROCESS "'a\n"), AR_E_BAD_CONFIG,
            "profile p: credential_process: No closing quotation");
}

static void process_members(void) {
  fresh();
  begin_profile(PROCESS "a\naws_account_id = 2\n");
  check_have(printed(PRINTED(",\"SessionToken\":\"T\",\"Expiration\":"
                             "\"" IN_AN_HOUR "\",\"AccountId\":\"1\""),
                     "", -1),
             "I", "process", "profile p in the config file");
  CHECK_STR(ar_buf_str(&out.session_token), "T", "the token");
  CHECK_STR(ar_buf_str(&out.account_id), "1", "its account comes first");
  CHECK(out.expiration == NOW + HOUR && out.good_until == NOW + HOUR,
        "the expiry");
  begin_profile(PROCESS "a\naws_account_id = 2\n");
  printed(PRINTED(",\"SessionToken\":null"), "", 0);
  CHECK_STR(ar_buf_str(&out.account_id), "2", "else the profile's");
}

static void process_failures(void) {
  static const struct {
    const char *out, *err;
    int status;
    const char *message;
  } rows[] = {
      {PRINTED(""), "no\nway\x1b!", 3,
       "the credential_process ended with status 3: no way !"},
      {"", "", 137, "ended with status 137"},
      {"", "", 0, "not a JSON object"},
      {"keys", "", 0, "not a JSON object"},
      {"{\"Version\":1,\"AccessKeyId\":\"I\"}", "", 0,
       "the member SecretAccessKey is missing"},
      {"{\"Version\":1,\"SecretAccessKey\":\"I\"}", "", 0,
       "the member AccessKeyId is missing"},
      {PRINTED(",\"AccessKeyId\":\"\""), "", 0, "AccessKeyId is missing"},
      {PRINTED(",\"AccessKeyId\":5"), "", 0, "AccessKeyId is missing"},
      {PRINTED(",\"SessionToken\":5"), "", 0, "SessionToken is missing"},
      {PRINTED(",\"Expiration\":\"soon\""), "", 0, "Expiration is missing"},
      {PRINTED(",\"Expiration\":1767326645"), "", 0, "Expiration is missing"},
      {PRINTED(",\"Version\":2"), "", 0, "Version is not 1"},
      {PRINTED(",\"Version\":\"1\""), "", 0, "Version is not 1"},
      {PRINTED(",\"Version\":null"), "", 0, "Version is not 1"},
      {PRINTED(",\"SecretAccessKey\":\"S\\u0000\""), "", 0,
       "the secret access key from the credential_process contains a"}};
  for (size_t i = 0; i < LENGTH(rows); i++) {
    fresh();
    begin_profile(PROCESS "a\n");
    check_err(printed(rows[i].out, rows[i].err, rows[i].status),
              AR_E_CREDENTIAL_RETRIEVAL, rows[i].message);
  }
}

static void process_limits(void) {
  char text[1000];
  size_t n;
  fresh();
  memset(text, 'x', sizeof text);
  text[sizeof text - 1] = '\0';
  begin_profile(PROCESS "a\n");
  check_err(printed("", text, 1), AR_E_CREDENTIAL_RETRIEVAL, "status 1: xxx");
  n = strlen(err.message);
  CHECK(n < 300, "what it wrote is shortened: %zu", n);
  for (size_t i = 0; i + 1 < sizeof text; i += 3)
    memcpy(text + i, "\xE2\x82\xAC", 3); /* the sign of the euro */
  begin_profile(PROCESS "a\n");
  printed("", text, 1);
  n = strlen(err.message);
  CHECK(n > 3 && memcmp(err.message + n - 3, "\xE2\x82\xAC", 3) == 0,
        "and cut at a character's border");
  begin_profile(PROCESS "a\n");
  chain.output.too_much = true;
  check_err(go(), AR_E_CREDENTIAL_RETRIEVAL, "more than 65536 bytes");
}

/* --- the profile ---------------------------------------------------------
 */

/*
** What a config file makes of the profile "p" at its first step: `step`, and
** for HAVE the id that was found, for FAIL a piece of the error's text.
*/
struct kind {
  const char *config;
  enum ar_step step;
  enum ar_code code;
  const char *text;
};

static void check_kinds(const struct kind *rows, size_t count) {
  for (size_t i = 0; i < count; i++) {
    enum ar_step step;
    in_region("eu-west-1");
    step = begin_profile(rows[i].config);
    CHECK(step == rows[i].step && err.code == rows[i].code &&
              strstr(err.message, step == AR_STEP_FAIL ? rows[i].text : ""),
          "profile %zu: %d, %s: %s", i, step, ar_code_name(err.code),
          err.message);
    if (step == AR_STEP_HAVE)
      CHECK_STR(ar_buf_str(&out.access_key_id), rows[i].text, "the id");
  }
}

static void profile_bases(void) {
  static const struct kind rows[] = {
      /* bases, in their order */
      {"[profile p]\naws_access_key_id=I\naws_secret_access_key=S\n",
       AR_STEP_HAVE, AR_OK, "I"},
      {"[profile p]\ncredential_process=a\naws_access_key_id=I\n"
       "aws_secret_access_key=S\n",
       AR_STEP_RUN, AR_OK, ""},
      {"[profile p]\nlogin_session=a\ncredential_process=a\n"
       "aws_access_key_id=I\naws_secret_access_key=S\n",
       AR_STEP_FAIL, AR_E_CREDENTIAL_RETRIEVAL,
       "aws configure export-credentials --profile p"},
      {"[profile p]\nsso_account_id=1\nlogin_session=a\n", AR_STEP_FAIL,
       AR_E_BAD_CONFIG, "SSO needs"},
      {"[profile p]\nweb_identity_token_file=/x\nsso_account_id=1\n",
       AR_STEP_FAIL, AR_E_BAD_CONFIG, "role_arn is missing"},
      /* keys */
      {"[profile p]\naws_access_key_id=I\n", AR_STEP_FAIL,
       AR_E_PARTIAL_CREDENTIALS, "secret access key"},
      {"[profile p]\naws_secret_access_key=S\n", AR_STEP_FAIL,
       AR_E_PARTIAL_CREDENTIALS, "access key id"},
      {"[profile p]\nregion=us-east-1\n", AR_STEP_FAIL, AR_E_NO_CREDENTIALS,
       "profile p contains no credentials"},
      {"[profile p]\naws_access_key_id=\naws_secret_access_key=\n",
       AR_STEP_FAIL, AR_E_NO_CREDENTIALS, "contains no credentials"},
      {"[profile q]\n", AR_STEP_FAIL, AR_E_NO_CREDENTIALS,
       "there is no profile p"},
      {"", AR_STEP_FAIL, AR_E_NO_CREDENTIALS, "there is no profile p"}};
  check_kinds(rows, LENGTH(rows));
}

static void profile_roles(void) {
  static const struct kind rows[] = {
      {"[profile p]\nrole_arn=r\n", AR_STEP_FAIL, AR_E_PARTIAL_CREDENTIALS,
       "needs a source_profile or credential_source"},
      {"[profile p]\nrole_arn=r\nsource_profile=base\n"
       "credential_source=Environment\n" BASE,
       AR_STEP_FAIL, AR_E_BAD_CONFIG, "both"},
      {"[profile p]\nrole_arn=r\nsource_profile=q\n", AR_STEP_FAIL,
       AR_E_BAD_CONFIG, "no source_profile q"},
      {"[profile p]\nrole_arn=r\ncredential_source=Nowhere\n", AR_STEP_FAIL,
       AR_E_BAD_CONFIG, "expected Environment"},
      {PROFILE "mfa_serial=m\n" BASE, AR_STEP_FAIL, AR_E_BAD_CONFIG,
       "mfa_serial"},
      {PROFILE "duration_seconds=an hour\n" BASE, AR_STEP_FAIL,
       AR_E_BAD_CONFIG, "duration_seconds: expected a number"},
      {PROFILE "[profile base]\nregion=x\n", AR_STEP_FAIL, AR_E_BAD_CONFIG,
       "profile base contains no credentials"},
      {PROFILE "[profile base]\naws_access_key_id=I\n", AR_STEP_FAIL,
       AR_E_PARTIAL_CREDENTIALS, "profile base"},
      {PROFILE "[profile base]\naws_secret_access_key=I\n", AR_STEP_FAIL,
       AR_E_PARTIAL_CREDENTIALS, "profile base"},
      {PROFILE "[profile base]\nlogin_session=a\n", AR_STEP_FAIL,
       AR_E_CREDENTIAL_RETRIEVAL, "login_session"},
      {"[profile p]\nrole_arn=r\nsource_profile=p\n", AR_STEP_FAIL,
       AR_E_BAD_CONFIG, "profile p contains no credentials"},
      {PROFILE "[profile base]\nrole_arn=r\nsource_profile=p\n", AR_STEP_FAIL,
       AR_E_BAD_CONFIG, "infinite loop"},
      {PROFILE "aws_access_key_id=I\naws_secret_access_key=S\n"
               "[profile base]\nrole_arn=r\nsource_profile=p\n",
       AR_STEP_FAIL, AR_E_BAD_CONFIG, "infinite loop"},
      {PROFILE "[profile base]\nrole_arn=r\nsource_profile=c\n[profile c]\n"
               "role_arn=r\nsource_profile=base\n",
       AR_STEP_FAIL, AR_E_BAD_CONFIG, "infinite loop"}};
  check_kinds(rows, LENGTH(rows));
}

static void profile_keys(void) {
  fresh();
  kit_set(world.files, "/h/.aws/credentials",
          "[p]\naws_access_key_id=CI\naws_secret_access_key=CS\n"
          "aws_security_token=CT\naws_account_id=1\n");
  check_have(begin_profile("[profile p]\nAWS_ACCESS_KEY_ID=I\n"
                           "aws_secret_access_key=S\n"),
             "CI", "profile", "profile p in the credentials file");
  CHECK_STR(ar_buf_str(&out.session_token), "CT", "the older name's token");
  CHECK_STR(ar_buf_str(&out.account_id), "1", "the account");
  kit_set(world.files, "/h/.aws/credentials", NULL);
  begin_profile(
      "[profile p]\naws_access_key_id=I\naws_secret_access_key=S\n"
      "aws_session_token=T\naws_security_token=U\n");
  CHECK_STR(ar_buf_str(&out.session_token), "T", "the newer name's token");
}

/* Whose keys sign the first AssumeRole, and for which role; then the next. */
static void check_signer(const char *id, const char *role) {
  char credential[64], form[96];
  snprintf(credential, sizeof credential, "Credential=%s/", id);
  snprintf(form, sizeof form, "RoleArn=%s&", role);
  CHECK(line("Authorization") && strstr(line("Authorization"), credential),
        "%s signs: %s", id, line("Authorization"));
  CHECK(strstr(ar_buf_z(&chain.http.body), form) != NULL, "%s: %s", form,
        ar_buf_z(&chain.http.body));
}

static void profile_chains(void) {
  static const char a_b_c[] =
      "[profile p]\nrole_arn=ra\nsource_profile=b\naws_access_key_id=PI\n"
      "aws_secret_access_key=PS\n[profile b]\nrole_arn=rb\n"
      "source_profile=base\nregion=us-east-2\n" BASE;
  static const char stops_at_b[] =
      "[profile p]\nrole_arn=ra\nsource_profile=b\n[profile b]\nrole_arn=rb\n"
      "source_profile=nobody\naws_access_key_id=I\naws_secret_access_key=S\n";
  static const char own_keys[] =
      "[profile p]\nrole_arn=ra\nsource_profile=p\naws_access_key_id=I\n"
      "aws_secret_access_key=S\n";
  in_region("eu-west-1");
  begin_profile(a_b_c);
  check_signer("BI", "rb");
  CHECK(answer(200, CREDENTIALS("AssumeRole")) == AR_STEP_SEND,
        "b first, then p: %s", err.message);
  check_signer("RI", "ra");
  check_line("X-Amz-Security-Token", "RT");
  check_have(answer(200, CREDENTIALS("AssumeRole")), "RI", "assume_role",
             "profile p in the config file");
  begin_profile(stops_at_b);
  check_signer("I", "ra");
  begin_profile(own_keys);
  check_signer("I", "ra");
}

static void credential_sources(void) {
  static const char environment[] =
      "[profile p]\nrole_arn=r\ncredential_source=environment\n";
  in_region("eu-west-1");
  check_err(begin_profile(environment), AR_E_CREDENTIAL_RETRIEVAL,
            "the source environment has no credentials");
  kit_set(world.variables, "AWS_ACCESS_KEY_ID", "EI");
  kit_set(world.variables, "AWS_SECRET_ACCESS_KEY", "ES");
  begin_profile(environment);
  check_signer("EI", "r");
  check_sent(begin_profile("[profile p]\nrole_arn=r\n"
                           "credential_source=Ec2InstanceMetadata\n"),
             "PUT", IMDS "/latest/api/token");
  answer(200, "TOKEN");
  answer(200, "role");
  answer(200, KEYS(""));
  check_signer("I", "r");
  begin_profile(
      "[profile p]\nrole_arn=r\n"
      "credential_source=Ec2InstanceMetadata\n");
  check_err(answer(403, ""), AR_E_CREDENTIAL_RETRIEVAL,
            "the source imds has no credentials");
  kit_set(world.variables, RELATIVE, "/c");
  check_sent(begin_profile("[profile p]\nrole_arn=r\n"
                           "credential_source=EcsContainer\n"),
             "GET", "http://169.254.170.2/c");
  answer(200, KEYS(""));
  check_signer("I", "r");
}

/* A profile that was given as an argument takes away the environment, but
   not the environment that the profile itself asks for. */
static void credential_source_with_argument(void) {
  struct ar_chain_inputs in = {
      .env = &env, .settings = &settings, .profiles = &profiles};
  size_t count;
  const struct ar_provider *rows = ar_providers(&count);
  in_region("eu-west-1");
  kit_set(world.variables, "AWS_ACCESS_KEY_ID", "EI");
  kit_set(world.variables, "AWS_SECRET_ACCESS_KEY", "ES");
  begin_profile("[profile p]\nrole_arn=r\ncredential_source=Environment\n");
  ar_chain_free(&chain);
  ar_settings_set(&settings, AR_SET_PROFILE, AR_STR("p"), AR_SOURCE_ARGUMENT,
                  NULL);
  ar_chain_init(&chain, &in, rows, count, &job);
  chain.now = (struct ar_now){1000, NOW};
  CHECK(go() == AR_STEP_SEND, "it is sent: %s", err.message);
  check_signer("EI", "r");
}

/* Other bases below a role. */
static void sources_of_roles(void) {
  in_region("eu-west-1");
  CHECK(begin_profile(PROFILE "[profile base]\ncredential_process = a\n") ==
            AR_STEP_RUN,
        "a process as the source");
  printed(PRINTED(""), "", 0);
  check_signer("I", "arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fr");
  kit_set(world.files, START_FILE, TOKEN_OF(IN_AN_HOUR));
  check_sent(
      begin_profile(PROFILE "[profile base]\nsso_start_url = https://start\n"
                            "sso_region = us-west-2\n" ROLE_KEYS),
      "GET", PORTAL);
  answer(200, ROLE_ANSWER);
  check_signer("I", "arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fr");
  kit_set(world.files, "/jwt", "token");
  begin_profile(PROFILE
                "[profile base]\nweb_identity_token_file = /jwt\n"
                "role_arn = rb\n");
  check_line("Authorization", NULL);
  answer(200, CREDENTIALS("AssumeRoleWithWebIdentity"));
  check_signer("RI", "arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fr");
}

/* The attempts at a role's own exchange are not those at its source's. */
static void attempts_of_frames(void) {
  in_region("eu-west-1");
  kit_set(world.variables, RELATIVE, "/c");
  begin_profile("[profile p]\nrole_arn=r\ncredential_source=EcsContainer\n");
  for (int i = 0; i < 2; i++) {
    CHECK(answer(500, "") == AR_STEP_AGAIN, "the source's attempt %d", i + 1);
    go();
  }
  check_sent(answer(200, KEYS("")), "POST",
             "https://sts.eu-west-1.amazonaws.com/");
  for (int i = 0; i < 2; i++) {
    CHECK(answer(500, "") == AR_STEP_AGAIN, "the role's attempt %d", i + 1);
    go();
  }
  check_err(answer(500, ""), AR_E_CREDENTIAL_RETRIEVAL, "status 500");
}

/* Neither SDK minds a duration that is no number: it is left out. */
static void container(void) {
  container_urls();
  container_request();
  container_tokens();
  container_token_file();
  container_answers();
  container_attempts();
}

static void imds(void) {
  imds_sequence();
  imds_answers();
  imds_failures();
  imds_attempts();
  imds_expired();
  imds_endpoints();
  imds_settings();
}

static void roles(void) {
  role_request();
  role_parameters();
  sts_endpoints();
  sts_endpoint_errors();
  sts_answers();
  sts_attempts();
  web_environment();
  web_profile();
}

static void sso(void) {
  sso_role(LEGACY, START_FILE);
  sso_role(SESSION, SESSION_FILE);
  sso_keys();
  sso_cache();
  sso_answers();
  sso_renewal();
  sso_renewal_keeps();
  sso_not_renewable();
  sso_renewal_fails();
  sso_renewal_again();
  sso_endpoints();
}

static void process(void) {
  process_line();
  process_members();
  process_failures();
  process_limits();
}

static void profile(void) {
  profile_bases();
  profile_roles();
  profile_keys();
  profile_chains();
  credential_sources();
  credential_source_with_argument();
  sources_of_roles();
  attempts_of_frames();
}

int main(void) {
  ar_jobs_init(&jobs);
  ar_job_init(&job, &idle_class);
  job.hosted = true;
  ar_jobs_name(&jobs, &job);
  ar_jobs_add(&jobs, &job);
  ar_settings_init(&settings);
  ar_profiles_init(&profiles);
  ar_creds_init(&out);
  container();
  imds();
  roles();
  sso();
  process();
  profile();
  ar_chain_free(&chain);
  ar_creds_free(&out);
  ar_profiles_free(&profiles);
  ar_settings_free(&settings);
  ar_jobs_free(&jobs);
  return checked();
}
