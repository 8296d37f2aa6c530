-- What the providers of credentials make of services, files and programs that fail. Each row: what goes wrong, how;
-- the error's code and some of its message, and how often what failed was asked. Nothing is asked for ever.

local programs = require "spec.support.programs"
local providers = dofile "spec/support/providers.lua"
local scripted = require "spec.support.scripted"

local hosts = providers.hosts
local unpack = table.unpack or unpack -- luacheck: ignore 143

describe("credentials #hosts #once", function()
  local server

  setup(function() server = scripted.start() end)

  teardown(function()
    server:stop()
    hosts.clear()
  end)

  local function play(...) return providers.play(server, ...) end

  -- What became of resolving, and the child processes that there are then.
  local RESOLVE = [[
    local client, err = child.apprunner.client(SETTINGS)
    local info
    if client then info, err = client:resolve() end
    local pid = child.proc("stat", "^%d+")
    child.tell {
      id = info and info.access_key_id, error = err and child.brief(nil, err), text = err and tostring(err),
      children = child.proc("task/" .. pid .. "/children", "^%d* *"),
    }]]

  local function assert_refused(told, code, message)
    assert.is_nil(told.id)
    assert.equal(code, told.error.code, told.error.message)
    assert.equal(code == "CallTimeoutError" and "timeout" or "credentials", told.error.kind)
    assert.is_truthy(told.error.message:find(message, 1, true), told.error.message)
    assert.is_nil(told.text:find "[%z\1-\9\11-\31]")
  end

  -- Each row of `rows`: {what, answer or list of answers, code or the id that is found, message, how often}. `routes`
  -- makes routes of the answers, `asked` stands in the requests that are counted.
  local function refuses(setup, rows, routes, asked)
    for _, row in ipairs(rows) do
      local what, answers, code, message, times = unpack(row, 1, 5)
      it(("of %s: %s"):format(setup.name, what), function()
        local told, stage = play(setup, RESOLVE, {routes = routes(answers[1] and answers or {answers})})
        if message then assert_refused(told, code, message) else assert.equal(code, told.id, told.text) end
        assert.equal(times, #stage.scene:asked(asked))
      end)
    end
  end

  local function route(text)
    return function(answers) return {{text, unpack(answers)}} end
  end

  local HTML = "<!DOCTYPE html><html><body>It works!</body></html>"
  local REDIRECT = {status = 302, headers = {Location = "/elsewhere"}}
  local CUT = {raw = "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"AccessKeyId\": \"ASIA"}
  local SLOW = {silent = true}

  -- An instance ------------------------------------------------------------------------------------------------------

  local instance = providers.named "an instance"
  instance.env.AWS_METADATA_SERVICE_TIMEOUT = "0.1"
  local NONE, OK = "NoCredentialsError", {body = "imds/token"}

  local function document(id) return {body = providers.document(id)} end

  refuses(instance, {
    {"no answer to the token", SLOW, NONE, "imds: the instance metadata service: ", 4},
    {"token 400", {status = 400}, NONE, "imds: the instance metadata service: status 400", 1},
    {"token 403", {status = 403}, NONE, "imds: the instance metadata service is disabled (403)", 1},
    {"token 404", {status = 404}, NONE, "imds: the instance metadata service: status 404", 1},
    {"token 500", {status = 500}, NONE, "imds: the instance metadata service: status 500", 4},
    {"token 500, once", {{status = 500}, OK}, "ASIAIMDS1", nil, 2},
    {"token 302", REDIRECT, NONE, "imds: the instance metadata service: status 302", 1},
    {"an empty token", {body = " \n"}, NONE, "imds: the instance metadata service gave no token", 1},
    {"a token with a line break", {body = "a\r\nX: b"}, NONE, "imds: the instance metadata service gave no token", 1},
    {"a token of 100 kB", {fill = 100000}, NONE, "imds: the instance metadata service: the answer's body is larger", 1},
  }, route "/latest/api/token", "/latest/api/token")

  refuses(instance, {
    {"roles 404", {status = 404}, NONE, "imds: the instance has no role", 1},
    {"roles 401, once", {{status = 401}, {body = "the-role"}}, "ASIAIMDS1", nil, 2},
    {"roles 401", {status = 401}, NONE, "imds: the instance metadata service: status 401", 4},
    {"roles 500", {status = 500}, NONE, "imds: the instance metadata service: status 500", 4},
    {"no roles", {body = "\n"}, NONE, "imds: the instance has no role", 1},
  }, route "/security-credentials/ ", "/security-credentials/ ")

  refuses(instance, {
    {"keys 404", {status = 404}, NONE, "imds: the instance metadata service: status 404", 1},
    {"keys 500", {status = 500}, NONE, "imds: the instance metadata service: status 500", 4},
    {"keys 500, once", {{status = 500}, document "ASIA"}, "ASIA", nil, 2},
    {"no JSON", {body = HTML}, NONE, "imds: the instance metadata service: not a JSON object", 4},
    {"no JSON, once", {{body = HTML}, document "ASIA"}, "ASIA", nil, 2},
    {"a member is missing", {body = '{"Code": "Success", "AccessKeyId": "A"}'}, NONE,
      "imds: the instance metadata service: the member SecretAccessKey is missing", 4},
    {"another code", {body = '{"Code": "AssumeRoleUnauthorizedAccess", "Message": "no"}'}, NONE,
      "imds: the instance metadata service answered with Code AssumeRoleUnauthorizedAccess", 1},
    {"expired keys", {body = providers.document("ASIA", -60)}, "ASIA", nil, 1},
  }, route "/security-credentials/the-role ", "/security-credentials/the-role ")

  it("of an instance that is not there", function()
    local holder, port = programs.refuser()
    local told = play({env = {
      AWS_EC2_METADATA_DISABLED = false, AWS_EC2_METADATA_SERVICE_ENDPOINT = "http://127.0.0.1:" .. port,
    }}, RESOLVE)
    holder:close()
    assert_refused(told, "NoCredentialsError", "imds: the instance metadata service: ")
  end)

  it("of an instance that have expired sign calls all the same, and are asked for again later", function()
    local told, stage = play(instance, [[
      local client = child.client(SETTINGS)
      child.tell {child.pause(client, "any").status, child.pause(client, "any").status}]],
      {routes = route "/the-role " {{body = providers.document("ASIA", -60)}}})
    assert.same({"OPERATION_IN_PROGRESS", "OPERATION_IN_PROGRESS"}, told)
    assert.equal(1, #stage.scene:asked "/the-role ")
  end)

  -- A container ------------------------------------------------------------------------------------------------------

  local container = providers.named "a container"
  local RETRIEVAL, ENDPOINT = "CredentialRetrievalError", "the container credentials endpoint: "

  refuses(container, {
    {"400", {status = 400}, RETRIEVAL, ENDPOINT .. "status 400", 1},
    {"403", {status = 403}, RETRIEVAL, ENDPOINT .. "status 403", 1},
    {"404", {status = 404}, RETRIEVAL, ENDPOINT .. "status 404", 1},
    {"302", REDIRECT, RETRIEVAL, ENDPOINT .. "status 302", 1},
    {"500", {status = 500}, RETRIEVAL, ENDPOINT .. "status 500", 3},
    {"503, once", {{status = 503}, document "ASIA"}, "ASIA", nil, 2},
    {"429, twice", {{status = 429}, {status = 429}, document "ASIA"}, "ASIA", nil, 3},
    {"garbage", {body = HTML}, RETRIEVAL, ENDPOINT .. "not a JSON object", 3},
    {"garbage, once", {{body = "\0\255{"}, document "ASIA"}, "ASIA", nil, 2},
    {"half a document, once", {{body = '{"AccessKeyId": "AAA"}'}, document "ASIA"}, "ASIA", nil, 2},
    {"nulls", {body = '{"AccessKeyId": null, "SecretAccessKey": null}'}, RETRIEVAL, "AccessKeyId is missing", 3},
    {"no expiration", {body = '{"AccessKeyId": "A", "SecretAccessKey": "s", "Token": "t"}'}, RETRIEVAL,
      "Expiration is missing or no time", 3},
    {"a key with a line break", {body = providers.document "A\\nB"}, RETRIEVAL, "contains a control character", 3},
    {"an answer of 100 kB", {fill = 100000}, RETRIEVAL, ENDPOINT .. "the answer's body is larger than 65536 bytes", 1},
    {"a cut answer", CUT, RETRIEVAL, ENDPOINT, 3},
    {"a closed connection", {close = true}, RETRIEVAL, ENDPOINT, 3},
    {"no HTTP", {raw = "what?\r\n"}, RETRIEVAL, ENDPOINT, 3},
  }, route "/container", " /")

  local PLAIN = "plain http is for loopback addresses"

  for what, row in pairs {
    ["plain http to another host"] = {{AWS_CONTAINER_CREDENTIALS_FULL_URI = "http://192.0.2.1/keys"}, PLAIN},
    ["a host that only begins like a loopback address"] = {
      {AWS_CONTAINER_CREDENTIALS_FULL_URI = "http://127.0.0.1.example.org/keys"}, PLAIN},
    ["a host that only ends like one"] = {
      {AWS_CONTAINER_CREDENTIALS_FULL_URI = "http://example.org.localhost./keys"}, PLAIN},
    ["a user in the URL"] = {
      {AWS_CONTAINER_CREDENTIALS_FULL_URI = "http://user:Secret%2Fof@127.0.0.1/"}, "must not contain a user"},
    ["no URL"] = {{AWS_CONTAINER_CREDENTIALS_FULL_URI = "keys"}, "AWS_CONTAINER_CREDENTIALS_FULL_URI: "},
    ["a relative URI without its slash"] = {
      {AWS_CONTAINER_CREDENTIALS_RELATIVE_URI = "@evil.example.org/"}, "a path that begins with /"},
    ["no token file"] = {
      {AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE = "@home@/none"}, "/none: No such file or directory"},
    ["a folder as token file"] = {{AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE = "@home@"}, "Is a directory"},
    ["a token with a line break"] = {
      {AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE = false, AWS_CONTAINER_AUTHORIZATION_TOKEN = "a\r\nX-Evil: b"},
      "contains a control character"},
  } do
    it("of a container: " .. what, function()
      local env = {AWS_CONTAINER_CREDENTIALS_FULL_URI = "@url@/container"}
      for name, value in pairs(row[1]) do env[name] = value end
      local told, stage = play({env = env}, RESOLVE)
      assert_refused(told, RETRIEVAL, row[2])
      assert.is_nil(told.text:find("Secret", 1, true))
      assert.equal(0, #stage.scene:asked())
    end)
  end

  -- STS --------------------------------------------------------------------------------------------------------------

  local role = providers.named "a role upon the environment"
  local web = providers.named "a web identity of the environment"

  local function sts_error(status, code, message)
    return {status = status, body = ([[<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error>
<Type>Sender</Type><Code>%s</Code><Message>%s</Message></Error><RequestId>1</RequestId></ErrorResponse>]]):format(
      code, message)}
  end

  local GOOD = providers.sts("AssumeRole", "ASIASTS")

  -- Each entity is ten of the one before.
  local entities = {[[<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">]]}
  for name in ("bcdefgh"):gmatch "." do
    local before = string.char(name:byte() - 1)
    entities[#entities + 1] = ('<!ENTITY %s "%s">'):format(name, ("&%s;"):format(before):rep(10))
  end
  local BOMB = table.concat(entities, "\n") .. '<!ENTITY file SYSTEM "file:///etc/passwd">]>'

  refuses(role, {
    {"403", sts_error(403, "AccessDenied", "User is not\nauthorized"), RETRIEVAL,
      "AssumeRole: AccessDenied: User is not", 1},
    {"an expired source", sts_error(400, "ExpiredToken", "expired"), RETRIEVAL, "AssumeRole: ExpiredToken: expired", 1},
    {"throttling", sts_error(400, "Throttling", "Rate exceeded"), RETRIEVAL,
      "AssumeRole: Throttling: Rate exceeded", 3},
    {"throttling, once", {sts_error(400, "Throttling", "Rate exceeded"), {body = GOOD}}, "ASIASTS", nil, 2},
    {"500 in HTML", {status = 500, body = HTML}, RETRIEVAL, "AssumeRole: status 500", 3},
    {"404 in HTML", {status = 404, body = HTML}, RETRIEVAL, "AssumeRole: status 404", 1},
    {"200 in HTML", {body = HTML}, RETRIEVAL, "AssumeRole: the answer is no XML document", 1},
    {"nothing", {body = ""}, RETRIEVAL, "AssumeRole: the answer is no XML document", 1},
    {"half a document", {body = GOOD:sub(1, -30)}, RETRIEVAL, "AssumeRole: the answer is no XML document", 1},
    {"more than a document", {body = GOOD .. GOOD}, RETRIEVAL, "AssumeRole: the answer is no XML document", 1},
    {"a document type", {body = "<!DOCTYPE x>" .. GOOD}, RETRIEVAL, "AssumeRole: the answer is no XML document", 1},
    {"a bomb of entities", {body = BOMB .. GOOD:gsub("ASIASTS", "&h;")}, RETRIEVAL,
      "AssumeRole: the answer is no XML document", 1},
    {"a bomb of entities in an error", {status = 400, body = BOMB .. sts_error(400, "&h;", "&file;").body}, RETRIEVAL,
      "AssumeRole: status 400", 1},
    {"an unknown entity", {body = (GOOD:gsub("ASIASTS", "&passwd;"))}, RETRIEVAL,
      "AssumeRole: the answer is no XML document", 1},
    {"nested too deep", {body = ("<a>"):rep(20000)}, RETRIEVAL, "AssumeRole: the answer is no XML document", 1},
    {"the answer to another question", {body = providers.sts("GetSessionToken", "ASIASTS")}, RETRIEVAL,
      "AssumeRole: the answer has no AccessKeyId", 1},
    {"no secret", {body = (GOOD:gsub("<SecretAccessKey>.-</SecretAccessKey>", ""))}, RETRIEVAL,
      "AssumeRole: the answer has no SecretAccessKey", 1},
    {"no time", {body = (GOOD:gsub("<Expiration>.-</Expiration>", "<Expiration>soon</Expiration>"))}, RETRIEVAL,
      "AssumeRole: the answer has no Expiration", 1},
    {"an answer of 100 kB", {fill = 100000}, RETRIEVAL, "AssumeRole: the answer's body is larger than 65536 bytes", 1},
    {"a cut answer", CUT, RETRIEVAL, "AssumeRole: ", 3},
    {"a closed connection, once", {{close = true}, {body = GOOD}}, "ASIASTS", nil, 2},
  }, route "Action=AssumeRole&", "Action=AssumeRole&")

  refuses(web, {
    {"a token that is none", sts_error(400, "InvalidIdentityToken", "no JWT"), RETRIEVAL,
      "AssumeRoleWithWebIdentity: InvalidIdentityToken: no JWT", 1},
    {"its provider cannot be reached", sts_error(400, "IDPCommunicationError", "later"), RETRIEVAL,
      "AssumeRoleWithWebIdentity: IDPCommunicationError: later", 3},
    {"500", {status = 500}, RETRIEVAL, "AssumeRoleWithWebIdentity: status 500", 3},
  }, route "Action=AssumeRoleWithWebIdentity", "Action=AssumeRoleWithWebIdentity")

  -- SSO --------------------------------------------------------------------------------------------------------------

  local sso = providers.named "an SSO session"
  local ROLES = "GetRoleCredentials of SSO: "
  local LOG_IN = "aws sso login --profile default"

  refuses(sso, {
    {"401", {status = 401, body = '{"message": "Session token not found or invalid"}'}, "UnauthorizedSSOTokenError",
      LOG_IN, 1},
    {"400", {status = 400}, RETRIEVAL, ROLES .. "status 400", 1},
    {"403", {status = 403}, RETRIEVAL, ROLES .. "status 403", 1},
    {"404", {status = 404}, RETRIEVAL, ROLES .. "status 404", 1},
    {"429", {status = 429}, RETRIEVAL, ROLES .. "status 429", 3},
    {"429, once", {{status = 429}, {body = providers.sso "ASIASSO"}}, "ASIASSO", nil, 2},
    {"500", {status = 500}, RETRIEVAL, ROLES .. "status 500", 3},
    {"garbage", {body = HTML}, RETRIEVAL, ROLES .. "not a JSON object", 1},
    {"no keys", {body = '{"roleCredentials": {}}'}, RETRIEVAL, "accessKeyId is missing", 1},
    {"a list", {body = '{"roleCredentials": []}'}, RETRIEVAL, "accessKeyId is missing", 1},
    {"a time as text", {body = (providers.sso "ASIASSO":gsub('@ms%+3600@', '"soon"'))}, RETRIEVAL,
      "expiration is missing or no time", 1},
    {"302", REDIRECT, RETRIEVAL, ROLES .. "status 302", 1},
  }, route "/federation/credentials", " /")

  local SESSION, OLD = providers.sso_cache "corp", providers.renewable(-60)

  for what, row in pairs {
    ["no login"] = {{}, "No such file or directory"},
    ["a login that is no JSON"] = {{[SESSION] = "{"}, "not a JSON object"},
    ["a login without a token"] = {{[SESSION] = '{"expiresAt": "2999-01-01T00:00:00Z"}'}, "accessToken or expiresAt"},
    ["a login without a time"] = {{[SESSION] = '{"accessToken": "a"}'}, "accessToken or expiresAt"},
    ["an expired login"] = {{[SESSION] = providers.login(-60)}, "the token has expired"},
    ["a login of 100 kB"] = {{[SESSION] = ("x"):rep(100000)}, "larger than 65536 bytes"},
    ["a token with a line break"] = {
      {[SESSION] = providers.login(3600, {accessToken = "a\\nb"})}, "the cached token cannot be used"},
  } do
    it("of an SSO session: " .. what, function()
      local told, stage = play({config = providers.SSO_SESSION, files = row[1]}, RESOLVE)
      assert_refused(told, "UnauthorizedSSOTokenError", row[2])
      assert.is_truthy(told.error.message:find(LOG_IN, 1, true), told.error.message)
      assert.equal(0, #stage.scene:asked())
    end)
  end

  for what, row in pairs {
    ["400"] = {{status = 400, body = '{"error": "invalid_grant"}'}, 1},
    ["500"] = {{status = 500}, 3},
    ["garbage"] = {{body = HTML}, 1},
    ["no time"] = {{body = '{"accessToken": "Renewed/access/token"}'}, 1},
  } do
    local answers = {{"refresh_token", row[1]}, {"/federation/credentials", {body = providers.sso "ASIASSO"}}}

    it(("of an SSO session whose renewal is answered with %s are got while the token lasts"):format(what), function()
      local told, stage = play({
        config = providers.SSO_SESSION, files = {[SESSION] = providers.renewable(60)}, routes = answers,
      }, RESOLVE)
      assert.equal("ASIASSO", told.id, told.text)
      assert.equal(row[2], #stage.scene:asked "refresh_token")
    end)

    it(("of an SSO session whose renewal is answered with %s are not got after it"):format(what), function()
      local told, stage = play({config = providers.SSO_SESSION, files = {[SESSION] = OLD}, routes = answers}, RESOLVE)
      assert_refused(told, "UnauthorizedSSOTokenError", LOG_IN)
      assert.same({row[2], 0}, {#stage.scene:asked "refresh_token", #stage.scene:asked "/federation/"})
    end)
  end

  -- Processes --------------------------------------------------------------------------------------------------------

  -- A program of the shell's that runs as credential_process.
  local function process(program)
    return {
      name = "a credential process", config = "[default]\ncredential_process = sh @home@/program\n",
      files = {program = program, printed = providers.printed "ASIAPROCESS"},
    }
  end

  -- 70,000 bytes, without an end.
  local NOISE = "head -c 70000 /dev/zero | tr '\\0' x"

  for what, row in pairs {
    ["it fails"] = {"echo 'no\nsession' >&2; exit 3", "ended with status 3: no session"},
    ["it fails silently"] = {"exit 3", "ended with status 3"},
    ["it fails at length"] = {NOISE .. " | head -c 2000 >&2; exit 3", "ended with status 3: xxxx"},
    ["it fails after it has printed"] = {"cat ${0%/*}/printed; exit 3", "ended with status 3"},
    ["it is killed"] = {"kill -9 $$", "ended with status 137"},
    ["it prints nothing"] = {":", "not a JSON object"},
    ["it prints garbage"] = {"echo hello", "not a JSON object"},
    ["it prints two documents"] = {"cat ${0%/*}/printed ${0%/*}/printed", "not a JSON object"},
    ["it prints another version"] = {"sed 's/: 1/: 2/' ${0%/*}/printed", "the member Version is not 1"},
    ["it prints no secret"] = {[[echo '{"Version": 1, "AccessKeyId": "A"}']], "SecretAccessKey is missing"},
    ["it prints megabytes"] = {"while :; do " .. NOISE .. "; done", "printed more than 65536 bytes"},
  } do
    it("of a credential process: " .. what, function()
      local told = play(process(row[1]), RESOLVE)
      assert_refused(told, RETRIEVAL, row[2])
      assert.is_true(#told.error.message < 400)
      assert.equal("", told.children)
    end)
  end

  for what, program in pairs {
    ["also writes to its stderr"] = "echo warning >&2; cat ${0%/*}/printed",
    ["also writes much to its stderr"] = NOISE .. " >&2; cat ${0%/*}/printed",
    ["leaves another behind that holds its output"] = "(sleep 30; touch ${0%/*}/late) & cat ${0%/*}/printed",
    ["reads its stdin"] = "cat; cat ${0%/*}/printed",
    ["prints in pieces"] = "head -c 20 ${0%/*}/printed; sleep 0.05; tail -c +21 ${0%/*}/printed",
  } do
    it("of a credential process that " .. what .. " are found", function()
      local told = play(process(program), RESOLVE)
      assert.equal("ASIAPROCESS", told.id, told.text)
      assert.equal("", told.children)
    end)
  end

  for what, row in pairs {
    ["is not there"] = {"@home@/none", "No such file or directory"},
    ["is no program"] = {"@home@/printed", "Permission denied"},
    ["is a folder"] = {"@home@", "Permission denied"},
    ["has an open quote"] = {"cat '@home@/printed", "credential_process"},
  } do
    it("of a credential process that " .. what, function()
      local setup = process ":"
      setup.config = "[default]\ncredential_process = " .. row[1] .. "\n"
      local told = play(setup, RESOLVE)
      assert.is_nil(told.id)
      assert.is_truthy(told.error.message:find(row[2], 1, true), told.error.message)
      assert.equal("", told.children)
    end)
  end

  -- Names itself in the file `pid`, to be looked for later.
  local NAMED = "echo $$ > ${0%/*}/pid; "

  -- Those of its group that live. Its own children, once killed, are init's to reap.
  local function alive(stage)
    local group = hosts.read(stage.home .. "/pid"):match "%d+"
    return hosts.shell(("for pid in $(pgrep -g %s); do grep -q 'State:.Z' /proc/$pid/status || echo $pid; done"):format(
      group))
  end

  for what, program in pairs {
    ["hangs"] = "sleep 60",
    ["closes its output and lives on"] = "exec >&- 2>&-; sleep 60",
    ["hangs with a child of its own"] = "sleep 60 & wait",
    ["ignores signals"] = "trap '' TERM INT HUP; sleep 60; sleep 60",
  } do
    it("of a credential process that " .. what .. " are given up in the client's time, and it is killed", function()
      local setup = process(NAMED .. program)
      setup.settings = "{timeout = 0.3}"
      local told, stage = play(setup, RESOLVE)
      assert_refused(told, "CallTimeoutError", "0.3")
      assert.equal("", told.children)
      assert.equal("", alive(stage))
    end)
  end

  it("of a credential process that hangs are given up when the client is closed", function()
    local told, stage = play(process(NAMED .. "sleep 60"), [[
      local client, told = child.client(), {}
      client:pause_service({ServiceArn = child.arn "any"}, function(...) told = child.brief(...) end)
      child.apprunner.spawn(function()
        repeat child.apprunner.sleep(0.005) until io.open(os.getenv "HOME" .. "/pid")
        client:close()
      end)
      child.apprunner.run()
      local pid = child.proc("stat", "^%d+")
      child.tell {code = told.code, children = child.proc("task/" .. pid .. "/children", "^%d* *")}]])
    assert.same({code = "Cancelled", children = ""}, told)
    assert.equal("", alive(stage))
  end)

  -- Slow services ----------------------------------------------------------------------------------------------------

  for name, profile in pairs {
    ["a container"] = false, ["a role upon the environment"] = "default", ["a web identity of the environment"] = false,
    ["an SSO session"] = "default", ["an SSO session whose token is renewed"] = "default",
  } do
    it("of " .. name .. " that does not answer are given up in the client's time", function()
      local told, stage = play(providers.named(name), RESOLVE, {
        routes = {{"", SLOW}}, settings = ("{timeout = 0.3, profile = %s}"):format(profile and "'default'" or "nil"),
      })
      assert_refused(told, "CallTimeoutError", "0.3")
      assert.equal(1, #stage.scene:asked())
    end)
  end

  it("that one call has given up are got by the next", function()
    local told = play(container, [[
      local client = child.client {timeout = 0.5}
      child.tell {child.pause(client, "any"), child.pause(client, "any")}]], {
      routes = {{"/container", SLOW, document "ASIA"}},
    })
    assert.same({"CallTimeoutError", "OPERATION_IN_PROGRESS"}, {told[1].code, told[2].status or told[2].message})
  end)

  -- Files that vanish ------------------------------------------------------------------------------------------------

  local VANISH = [[
    local client = child.client(SETTINGS)
    local first = child.pause(client, "any")
    assert(os.remove(os.getenv "HOME" .. "/" .. os.getenv "VANISHING"))
    local info, err = client:resolve()
    child.tell {
      first = first.status or first.message, id = info and info.access_key_id, error = err and child.brief(nil, err),
      text = err and tostring(err),
    }]]
  local SOON = 300 -- seconds that are too few to be used

  for what, row in pairs {
    ["a container's token"] = {
      "a container", "container.token", {"/container", {body = providers.document("ASIA", SOON)}},
      RETRIEVAL, "No such file or directory"},
    ["a web identity's token"] = {
      "a web identity of the environment", "web.jwt",
      {"AssumeRole", {body = providers.sts("AssumeRoleWithWebIdentity", "ASIA", SOON)}},
      RETRIEVAL, "No such file or directory"},
    ["the SSO login"] = {
      "an SSO session", SESSION, {"/federation/", {body = providers.sso("ASIA", SOON)}},
      "UnauthorizedSSOTokenError", LOG_IN},
    ["the config file"] = {
      "a chain of two roles", "config", {"Action=AssumeRole&", {body = providers.sts("AssumeRole", "ASIA", SOON)}},
      NONE, "there is no profile top"},
  } do
    it(what .. " vanishes before they are renewed", function()
      local one = providers.named(row[1])
      local env = {VANISHING = row[2]}
      for name, value in pairs(one.env or {}) do env[name] = value end
      local told = play(one, VANISH, {env = env, routes = {row[3]}})
      assert.equal("OPERATION_IN_PROGRESS", told.first)
      assert_refused(told, row[4], row[5])
    end)
  end
end)
