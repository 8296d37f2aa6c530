-- Calls that are tried again, over sockets: how often, with which settings, and whether botocore would have done so.

local apprunner = require "apprunner"
local cjson = require "cjson"
local programs = require "spec.support.programs"
local recorder = require "spec.support.recorder"
local simulator = require "apprunner.simulator"

local KEY, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
local ARN = "arn:aws:apprunner:eu-west-1:123456789012:service/python-app/8fe1e10304f84fd2b0df550fe98a71fa"
local PATIENCE = 20 -- seconds after which a test fails instead of waiting on

local server
local count = 0

setup(function() server = recorder.start() end)
teardown(function() server:stop() end)

-- A name that no other test has: the server counts requests by path.
local function unique()
  count = count + 1
  return "n" .. count
end

local function client_of(endpoint_url, more)
  local settings = {
    region = "eu-west-1", endpoint_url = endpoint_url, read_timeout = PATIENCE,
    credentials = {access_key_id = KEY, secret_access_key = SECRET},
  }
  for name, value in pairs(more or {}) do settings[name] = value end
  return assert(apprunner.client(settings))
end

local function pause(endpoint_url, more) return client_of(endpoint_url, more):pause_service {ServiceArn = ARN} end

-- An answer whose text no other test has.
local function answer(status, code, headers)
  local list = {{"X-Unique", unique()}}
  for _, header in ipairs(headers or {}) do list[#list + 1] = header end
  return recorder.response(status, list, code and ('{"__type":"%s","message":"told"}'):format(code) or "{}")
end

local INTERNAL = "InternalServiceErrorException"

-- All requests since the last time, by path; each path's in order.
local function requests()
  local last, by_path = unique(), {}
  assert.is_table(pause(server:url(last)))
  local request = server:next()
  while request.path ~= ("/%s/"):format(last) do
    local path = by_path[request.path] or {}
    by_path[request.path] = path
    path[#path + 1] = request
    request = server:next()
  end
  return by_path
end

local function requests_to(url) return requests()[url:match "^http://[^/]+(.*)$"] or {} end

local function http_date(seconds) return os.date("!%a, %d %b %Y %H:%M:%S GMT", os.time() + seconds) end

-- Attempts -----------------------------------------------------------------------------------------------------------

describe("a call that fails for a while", function()
  it("succeeds, and tells how often it was tried again", function()
    local sim = assert(simulator.start {
      region = "eu-west-1", faults = {{operation = "PauseService", kind = "internal", at = {1, 2}}},
    })
    local client = client_of(sim.endpoint_url)
    local out, err = client:pause_service {ServiceArn = sim.services[1].ServiceArn}
    sim:stop()
    assert.is_nil(err)
    assert.equal("OPERATION_IN_PROGRESS", out.Service.Status)
    assert.equal(2, out.ResponseMetadata.RetryAttempts)
  end)

  it("numbers its attempts, and signs each", function()
    local url = server:in_turn(answer(500, INTERNAL), answer(503, nil, {{"Date", http_date(0)}}), answer(200))
    assert.equal(2, assert(pause(url)).ResponseMetadata.RetryAttempts)
    local sent = requests_to(url)
    assert.equal(3, #sent)
    assert.equal("attempt=1; max=3", sent[1].header["amz-sdk-request"])
    assert.equal("attempt=2; max=3", sent[2].header["amz-sdk-request"])
    assert.matches("^ttl=%d%d%d%d%d%d%d%dT%d%d%d%d%d%dZ; attempt=3; max=3$", sent[3].header["amz-sdk-request"])
    for _, request in ipairs(sent) do
      assert.equal(sent[1].body, request.body)
      assert.equal(sent[1].header["amz-sdk-invocation-id"], request.header["amz-sdk-invocation-id"])
      assert.is_truthy(request.header.authorization)
      assert.is_nil(request.header.authorization:find("amz%-sdk"))
    end
  end)

  it("ends with the last error when its attempts are used up", function()
    local url = server:in_turn(answer(500, INTERNAL), "close", answer(503, "LastException"), answer(200))
    local out, err = pause(url)
    assert.is_nil(out)
    assert.equal("LastException", err.code)
    assert.equal(503, err.http_status)
    assert.equal(3, err.attempts)
    assert.is_true(err.retryable)
    assert.is_true(err.ambiguous)
    assert.equal(3, #requests_to(url))
  end)

  it("says that an earlier attempt may have been carried out", function()
    local _, err = pause(server:in_turn("close", answer(400, "InvalidStateException")))
    assert.equal("InvalidStateException", err.code)
    assert.equal(2, err.attempts)
    assert.is_false(err.retryable)
    assert.is_true(err.ambiguous)
  end)

  it("is sent again where a kept connection was closed", function()
    local url = server:in_turn(answer(200), "close", answer(200))
    local client = client_of(url)
    assert.equal(0, assert(client:pause_service {ServiceArn = ARN}).ResponseMetadata.RetryAttempts)
    assert.equal(1, assert(client:pause_service {ServiceArn = ARN}).ResponseMetadata.RetryAttempts)
    local sent = requests_to(url)
    assert.equal(3, #sent)
    assert.equal(sent[1].connection, sent[2].connection)
    assert.not_equal(sent[2].connection, sent[3].connection)
  end)

  it("is signed by the server's clock where ours is wrong", function()
    local url = server:in_turn(answer(403, "RequestTimeTooSkewed", {{"Date", http_date(86400)}}), answer(200))
    local client = client_of(url)
    assert.equal(1, assert(client:pause_service {ServiceArn = ARN}).ResponseMetadata.RetryAttempts)
    assert.equal(0, assert(client:pause_service {ServiceArn = ARN}).ResponseMetadata.RetryAttempts)
    local sent, tomorrow = requests_to(url), os.date("!^%Y%m%dT", os.time() + 86400)
    assert.is_nil(sent[1].header["x-amz-date"]:find(tomorrow))
    assert.matches(tomorrow, sent[2].header["x-amz-date"])
    assert.matches(tomorrow, sent[3].header["x-amz-date"])
  end)

  it("asks for other credentials where they have expired, once", function()
    local asked = 0
    local function credentials()
      asked = asked + 1
      return {access_key_id = "AKID" .. asked, secret_access_key = SECRET}
    end
    local expired = answer(403, "ExpiredTokenException")
    local url = server:in_turn(expired, answer(200))
    assert.equal(1, assert(pause(url, {credentials = credentials})).ResponseMetadata.RetryAttempts)
    local sent = requests_to(url)
    assert.matches("Credential=AKID1/", sent[1].header.authorization)
    assert.matches("Credential=AKID2/", sent[2].header.authorization)
    local _, err = pause(server:in_turn(expired), {credentials = credentials})
    assert.equal("ExpiredTokenException", err.code)
    assert.equal(2, err.attempts)
    assert.equal(4, asked)
    _, err = pause(server:in_turn(expired))
    assert.equal(1, err.attempts)
  end)
end)

-- Settings -----------------------------------------------------------------------------------------------------------

describe("the number of attempts", function()
  local SCRIPT = [[
    local apprunner = require "apprunner"
    local client, err = apprunner.client(%s)
    if not client then return print(err.code) end
    local info = assert(client:resolve())
    local _, failure = client:pause_service {ServiceArn = %q}
    print(info.retry_mode, info.sources.retry_mode, info.max_attempts, info.sources.max_attempts, failure.attempts)]]

  -- What a process with these variables and a profile of these lines says.
  local function said(url, settings, variables, profile)
    local file = programs.temporary("[default]\n" .. (profile or ""))
    local all = {
      AWS_ACCESS_KEY_ID = KEY, AWS_SECRET_ACCESS_KEY = SECRET, AWS_ENDPOINT_URL = url, AWS_REGION = "eu-west-1",
      AWS_CONFIG_FILE = file,
    }
    for name, value in pairs(variables or {}) do all[name] = value end
    local text = programs.run(SCRIPT:format(settings, ARN), all)
    os.remove(file)
    return text
  end

  local IN_FILE = "profile default in the config file"
  local cases = {
    {"is 3", "{}", {}, "", {"standard", "default", 3, "default"}},
    {"is the argument", "{max_attempts = 1}", {AWS_MAX_ATTEMPTS = "2"}, "max_attempts = 2",
      {"standard", "default", 1, "argument"}},
    {"is AWS_MAX_ATTEMPTS", "{}", {AWS_MAX_ATTEMPTS = "2"}, "max_attempts = 1",
      {"standard", "default", 2, "AWS_MAX_ATTEMPTS"}},
    {"is the profile's", "{}", {AWS_MAX_ATTEMPTS = ""}, "max_attempts = 2", {"standard", "default", 2, IN_FILE}},
    {"is 3 in the adaptive mode", "{}", {AWS_RETRY_MODE = "adaptive"}, "retry_mode = legacy",
      {"adaptive", "AWS_RETRY_MODE", 3, "default"}},
    {"is 5 in the legacy mode", "{}", {}, "retry_mode = legacy", {"legacy", IN_FILE, 5, "default"}},
    {"is what is said in the legacy mode too", "{}", {AWS_MAX_ATTEMPTS = "1", AWS_RETRY_MODE = "legacy"}, "",
      {"legacy", "AWS_RETRY_MODE", 1, "AWS_MAX_ATTEMPTS"}},
  }
  for _, case in ipairs(cases) do
    it(case[1], function()
      local url, expected = server:in_turn(answer(500, INTERNAL)), case[5]
      if expected[1] == "adaptive" then url = server:in_turn(answer(400, "InvalidStateException")) end
      local attempts = expected[1] == "adaptive" and 1 or expected[3]
      assert.equal(("%s\t%s\t%d\t%s\t%d\n"):format(expected[1], expected[2], expected[3], expected[4], attempts),
        said(url, case[2], case[3], case[4]))
      assert.equal(attempts, #requests_to(url))
    end)
  end

  it("is refused where it is none, and so is a mode", function()
    for _, variables in ipairs {
      {AWS_MAX_ATTEMPTS = "0"}, {AWS_MAX_ATTEMPTS = "many"}, {AWS_RETRY_MODE = "Standard"}, {AWS_RETRY_MODE = "off"},
    } do
      assert.equal("InvalidConfigError\n", said(server:url(), "{}", variables))
    end
  end)
end)

-- The end during a wait ----------------------------------------------------------------------------------------------

describe("a call that waits for its next attempt", function()
  -- Throttles, and asks for the longest wait that there is.
  local function throttled_url()
    return server:in_turn(answer(400, "ThrottlingException", {{"x-amz-retry-after", "60000"}}), answer(200))
  end

  it("ends when its time is up", function()
    local url = throttled_url()
    local out, err = pause(url, {timeout = 0.5})
    assert.is_nil(out)
    assert.equal("CallTimeoutError", err.code)
    assert.equal("timeout", err.kind)
    assert.equal(1, err.attempts)
    assert.is_nil(err.ambiguous)
    assert.equal(1, #requests_to(url))
  end)

  -- Begins a call whose first attempt is throttled, runs `fn` of it and its client while it waits, and returns its
  -- error and how many requests there were.
  local function interrupted(fn)
    local sent, errors = 0, {}
    local function transport()
      sent = sent + 1
      return {status = 400, headers = {["x-amz-retry-after"] = "60000"}, body = '{"__type":"ThrottlingException"}'}
    end
    local client = client_of("http://127.0.0.1", {transport = transport})
    local call = client:pause_service({ServiceArn = ARN}, function(_, err) errors[#errors + 1] = err end)
    apprunner.spawn(function()
      repeat apprunner.sleep(0.001) until sent > 0
      fn(call, client)
    end)
    apprunner.run()
    assert.equal(1, #errors)
    return errors[1], sent
  end

  it("can be cancelled", function()
    local err, sent = interrupted(function(call) assert.is_true(call:cancel()) end)
    assert.equal("Cancelled", err.code)
    assert.equal(1, err.attempts)
    assert.is_nil(err.ambiguous)
    assert.equal(1, sent)
  end)

  it("ends with its client", function()
    local err, sent = interrupted(function(_, client) client:close() end)
    assert.equal("Cancelled", err.code)
    assert.equal(1, sent)
  end)
end)

-- The adaptive mode --------------------------------------------------------------------------------------------------

describe("the adaptive mode", function()
  -- Of 20 calls at once after one that was throttled: how many are sent before their time is up.
  local function sent_after_throttling(retry_mode, timeout)
    local sent = 0
    local function transport()
      sent = sent + 1
      if sent == 1 then return {status = 400, headers = {}, body = '{"__type":"ThrottlingException"}'} end
      return {status = 200, headers = {}, body = "{}"}
    end
    local client = client_of("http://127.0.0.1", {
      retry_mode = retry_mode, timeout = timeout, max_attempts = 1, transport = transport,
    })
    local _, err = client:pause_service {ServiceArn = ARN}
    assert.equal("ThrottlingException", err.code)
    local codes = {}
    for _ = 1, 20 do
      client:pause_service({ServiceArn = ARN}, function(_, failure) codes[failure and failure.code or "ok"] = true end)
    end
    apprunner.run()
    return sent - 1, codes
  end

  it("slows its client down after an answer that throttles", function()
    local sent, codes = sent_after_throttling("adaptive", 0.3)
    assert.is_true(sent <= 3, sent .. " calls were sent")
    assert.is_true(codes.CallTimeoutError)
    assert.same({20, {ok = true}}, {sent_after_throttling("standard", PATIENCE)})
  end)
end)

-- botocore -----------------------------------------------------------------------------------------------------------

-- What an endpoint does at each attempt: closes, or answers: a status, with a code or without. After the third it would
-- answer well. Left out is what is different on purpose: status 429 throttles whatever its code; a certificate that
-- does not verify is final; the quota's numbers and the waits are those of 2026; clock skew and expired credentials are
-- mended. And an answer that is cut short, which this botocore's HTTP library may take for a whole one.
local SCRIPTS = {
  "200", "close 200", "close close 200", "close close close", "close 500 close",
  "500 200", "502 200", "503 200", "504 200", "500 502 200", "503 504 500", "501", "505", "507", "500 501",
  "400", "401", "402", "403", "404", "405", "409", "413", "307", "308", "400 200", "500 404", "close 400",
  "500:InternalServiceErrorException 200", "500:InternalServiceErrorException 500:InternalServiceErrorException 200",
  "500:A 502:B 503:C", "400:InvalidRequestException", "400:InvalidStateException", "400:ResourceNotFoundException",
  "402:ServiceQuotaExceededException", "403:AccessDeniedException", "close 400:InvalidStateException",
  "500:A close 400:InvalidStateException", "500:A 400:InvalidStateException", "400:RequestTimeout 200",
  "400:RequestTimeoutException 200", "400:RequestTimeout close 500:C", "400:RequestExpired", "400:InternalFailure",
  "403:ExpiredTokenException", "403:UnrecognizedClientException", "403:InvalidSignatureException",
  "403:RequestTimeTooSkewed", "400:ThrottlingException 200", "400:Throttling 400:InvalidStateException",
  "429:TooManyRequestsException 200", "400:RequestLimitExceeded 200", "503:SlowDown 200", "400:SlowDown close 200",
  "400:LimitExceededException 200", "400:PriorRequestNotComplete 200", "400:BandwidthLimitExceeded 404",
  "400:ProvisionedThroughputExceededException 200", "400:throttlingexception", "500:a#Name:uri 200",
  "500:A 400:ThrottlingException 200", "400:ThrottlingException 400:ThrottlingException 400:ThrottlingException",
}

local function url_of(script)
  local steps = {}
  for step in script:gmatch "%S+" do
    local status, code = step:match "^(%d+):?(.*)$"
    steps[#steps + 1] = status and answer(tonumber(status), code ~= "" and code or nil) or step
  end
  for _ = #steps + 1, 4 do steps[#steps + 1] = answer(200) end
  return server:in_turn((unpack or table.unpack)(steps)) -- luacheck: ignore 143
end

local function urls_of_scripts()
  local urls = {}
  for i, script in ipairs(SCRIPTS) do urls[i] = url_of(script) end
  return urls
end

local function number(value) return value and ("%d"):format(value) or "none" end

-- An outcome in one text: which attempts the server saw, and how the call ended.
local function told(sent, outcome)
  local numbers = {}
  for i, request in ipairs(sent or {}) do numbers[i] = request.header["amz-sdk-request"]:match "attempt=(%d+)" end
  return ("attempts %s: %s, status %s, retries %s"):format(
    table.concat(numbers, " "), outcome.Code or "ok", number(outcome.HTTPStatusCode), number(outcome.RetryAttempts))
end

local function all_told(urls, outcomes)
  local texts, by_path = {}, requests()
  for i, script in ipairs(SCRIPTS) do
    texts[i] = script .. " -> " .. told(by_path[urls[i]:match "^http://[^/]+(.*)$"], outcomes[i])
  end
  return texts
end

local function of_botocore()
  local urls = urls_of_scripts()
  local printed = programs.filter(
    programs.environment() .. " " .. programs.python .. " spec/support/retry_client.py", cjson.encode(urls))
  return all_told(urls, cjson.decode(printed))
end

local function of_ours()
  local urls, outcomes = urls_of_scripts(), {}
  for i, url in ipairs(urls) do
    apprunner.spawn(function()
      local out, err = pause(url)
      outcomes[i] = out and out.ResponseMetadata or {
        Code = err.code, HTTPStatusCode = err.kind == "service" and err.http_status or nil,
        RetryAttempts = err.kind == "service" and err.attempts - 1 or nil,
      }
    end)
  end
  apprunner.run()
  return all_told(urls, outcomes)
end

describe("whatever an endpoint answers", function()
  it("a call makes the attempts that botocore makes, and ends as it does", function()
    assert.is_true(#SCRIPTS >= 40)
    local expected, got = of_botocore(), of_ours()
    for i in ipairs(SCRIPTS) do assert.equal(expected[i], got[i]) end
  end)
end)
