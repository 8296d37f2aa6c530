-- The public API of clients and calls: against the simulator, against a server that answers as a test says, and in
-- processes of their own where the environment matters.

local apprunner = require "apprunner"
local cjson = require "cjson"
local core = require "apprunner.core"
local programs = require "spec.support.programs"
local pump = require "apprunner.pump"
local recorder = require "spec.support.recorder"
local simulator = require "apprunner.simulator"

local KEY, SECRET, TOKEN = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "SESSIONTOKENEXAMPLE"
local ARN = "arn:aws:apprunner:eu-west-1:123456789012:service/python-app/8fe1e10304f84fd2b0df550fe98a71fa"
local JSON = { { "Content-Type", "application/x-amz-json-1.0" }, { "x-amzn-RequestId", "id-1" } }
local UUID = "^" .. ("%x"):rep(8) .. ("%-%x%x%x%x"):rep(3) .. "%-" .. ("%x"):rep(12) .. "$"

local PATIENCE = 20 -- seconds after which a test fails instead of waiting on
local ONCE = { max_attempts = 1 } -- for tests that are about one attempt

-- Integers are a type of their own from Lua 5.3 on.
local number_type = math.type or function() return "integer" end

local server, sim

setup(function()
  server = recorder.start()
  sim = assert(simulator.start {
    operation_seconds = 0, region = "eu-west-1",
    services = {
      { ServiceName = "first", Status = "RUNNING" },
      { ServiceName = "second", Status = "RUNNING" },
      { ServiceName = "asleep", Status = "PAUSED" },
      { ServiceName = "broken", Status = "RUNNING", error = "InternalServiceErrorException" },
    },
  })
end)

teardown(function()
  server:stop()
  sim:stop()
end)

-- No test leaves anything behind: no job, no exchange in the engine.
after_each(function()
  apprunner.run()
  collectgarbage()
  collectgarbage()
  pump.step()
  assert.equal(0, core.unfinished())
  local stats = pump.stats()
  if stats then assert.equal(0, stats.in_flight) end
end)

local function credentials() return { access_key_id = KEY, secret_access_key = SECRET } end

-- A client of an endpoint; more settings may follow. No call of it hangs, for what is wrong shall fail.
local function client_of(endpoint_url, more)
  local settings = {
    region = "eu-west-1", endpoint_url = endpoint_url, credentials = credentials(), read_timeout = PATIENCE,
  }
  for name, value in pairs(more or {}) do settings[name] = value end
  return assert(apprunner.client(settings))
end

local function pause(endpoint_url, more) return client_of(endpoint_url, more):pause_service { ServiceArn = ARN } end

-- What a pause makes of an answer of the service.
local function answered(status, headers, body) return pause(server:answering(status, headers, body), ONCE) end

local function arn_of(index) return { ServiceArn = sim.services[index].ServiceArn } end

local refusing = {} -- sockets that keep their ports from other programs

-- A port that nobody listens on.
local function refused_url()
  local holder, port = programs.refuser()
  refusing[#refusing + 1] = holder
  return "http://127.0.0.1:" .. port
end

-- Runs `fn` in a coroutine once the server has a request to its /silent/ID/.
local function when_sent(id, fn)
  apprunner.spawn(function()
    assert.is_table(client_of(server:url("when", id)):pause_service { ServiceArn = ARN })
    fn()
  end)
end

-- Every text in an error, its tostring among them.
local function texts_of(err)
  local texts = { tostring(err) }
  for name, value in pairs(err) do
    texts[#texts + 1] = tostring(name)
    texts[#texts + 1] = type(value) == "table" and table.concat(value, "\n") or tostring(value)
  end
  return table.concat(texts, "\n")
end

-- Success ------------------------------------------------------------------------------------------------------------

describe("a pause that succeeds", function()
  it("gives the service, the operation and the metadata as the API names them", function()
    local client = client_of(sim.endpoint_url)
    local out, err = client:pause_service(arn_of(1))
    assert.is_nil(err)
    assert.equal("first", out.Service.ServiceName)
    assert.equal(sim.services[1].ServiceArn, out.Service.ServiceArn)
    assert.equal("OPERATION_IN_PROGRESS", out.Service.Status)
    assert.equal("1024", out.Service.InstanceConfiguration.Cpu)
    assert.equal("info",
      out.Service.SourceConfiguration.ImageRepository.ImageConfiguration.RuntimeEnvironmentVariables.LOG_LEVEL)
    assert.is_false(out.Service.SourceConfiguration.AutoDeploymentsEnabled)
    assert.is_true(out.Service.AutoScalingConfigurationSummary.IsDefault)
    assert.is_nil(out.Service.DeletedAt)
    assert.matches(UUID, out.OperationId)
    assert.equal(200, out.ResponseMetadata.HTTPStatusCode)
    assert.equal(0, out.ResponseMetadata.RetryAttempts)
    assert.matches(UUID, out.ResponseMetadata.RequestId)
    assert.equal("PAUSED", client:describe_service(arn_of(1)).Service.Status)
    out = assert(client:resume_service(arn_of(1)))
    assert.equal("OPERATION_IN_PROGRESS", out.Service.Status)
  end)

  it("has its headers by lower-case name, repeats joined", function()
    local out = assert(answered(200,
      { { "X-Amzn-RequestId", "id-9" }, { "X-Twice", "a" }, { "x-tWICE", " b " } }, "{}"))
    assert.equal("id-9", out.ResponseMetadata.RequestId)
    assert.same({ ["x-amzn-requestid"] = "id-9", ["x-twice"] = "a, b", ["content-length"] = "2" },
      out.ResponseMetadata.HTTPHeaders)
  end)

  it("has the request id of one header, or else of the other", function()
    local function request_id(...) return assert(answered(200, { ... }, "{}")).ResponseMetadata.RequestId end
    local first, second = { "x-amzn-RequestId", "id-1" }, { "X-Amz-Request-Id", "id-2" }
    assert.equal("id-1", request_id(second, first))
    assert.equal("id-2", request_id(second))
    assert.equal("id-2", request_id({ "x-amzn-RequestId", "" }, second))
    assert.is_nil(request_id { "x-amzn-RequestId", "" })
  end)

  it("may lack the request id and the operation id", function()
    local out = assert(answered(200, {}, '{"Service":{"Status":"PAUSED"}}'))
    assert.is_nil(out.OperationId)
    assert.is_nil(out.ResponseMetadata.RequestId)
    assert.equal("PAUSED", out.Service.Status)
  end)

  it("has integers where the model has them", function()
    local out = assert(answered(200, JSON, cjson.encode {
      Service = { HealthCheckConfiguration = { Interval = 5, Timeout = 2 },
        AutoScalingConfigurationSummary = { AutoScalingConfigurationRevision = 7 } },
    }))
    local check = out.Service.HealthCheckConfiguration
    assert.equal(5, check.Interval)
    assert.equal("integer", number_type(check.Interval))
    assert.equal("integer", number_type(out.Service.AutoScalingConfigurationSummary.AutoScalingConfigurationRevision))
    assert.equal("integer", number_type(out.ResponseMetadata.HTTPStatusCode))
    assert.equal("integer", number_type(out.ResponseMetadata.RetryAttempts))
    assert.equal("5", tostring(check.Interval))
  end)

  it("has timestamps as seconds, integers where they are whole", function()
    local out = assert(answered(200, JSON,
      '{"Service":{"CreatedAt":1700000000,"UpdatedAt":1.7E9,"DeletedAt":1700000000.125,'
        .. '"AutoScalingConfigurationSummary":{"CreatedAt":-1.0}}}'))
    local service = out.Service
    assert.equal(1700000000, service.CreatedAt)
    assert.equal("integer", number_type(service.CreatedAt))
    assert.equal("integer", number_type(service.UpdatedAt))
    assert.equal("2023-11-14", os.date("!%Y-%m-%d", service.UpdatedAt))
    assert.equal(1700000000.125, service.DeletedAt)
    assert.equal(-1, service.AutoScalingConfigurationSummary.CreatedAt)
    assert.equal("integer", number_type(service.AutoScalingConfigurationSummary.CreatedAt))
  end)

  it("lacks what is null and keeps what is newer than the model", function()
    local out = assert(answered(200, JSON,
      '{"OperationId":null,"Novel":[1,{"a":null,"b":"null"}],"Service":{"ServiceUrl":null,"Status":"HIBERNATING",'
        .. '"SourceConfiguration":{"ImageRepository":null},"Quantum":{"Deep":{"Deeper":true}}}}'))
    assert.is_nil(out.OperationId)
    assert.is_nil(out.Service.ServiceUrl)
    assert.same({}, out.Service.SourceConfiguration)
    assert.equal("HIBERNATING", out.Service.Status)
    assert.is_true(out.Service.Quantum.Deep.Deeper)
    assert.same({ 1, { b = "null" } }, out.Novel)
  end)

  it("has texts with every escape", function()
    local out = assert(answered(200, JSON, [[{"Service":{"ServiceName":"\u00e9\ud83d\ude00\"\\\/\n\u0000."}}]]))
    assert.equal("\195\169\240\159\152\128\"\\/\n\0.", out.Service.ServiceName)
  end)

  it("may come after an interim answer", function()
    local out, err = pause(server:url("answer", "HTTP/1.1 100 Continue\r\nX-Interim: 1\r\n\r\n"
      .. recorder.response(200, JSON, '{"OperationId":"x"}')))
    assert.is_nil(err)
    assert.equal("x", out.OperationId)
    assert.is_nil(out.ResponseMetadata.HTTPHeaders["x-interim"])
  end)

  it("may come in chunks, and with another success status", function()
    local out = assert(pause(server:url("answer", "HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\n"
      .. '4\r\n{"Op\r\n10\r\nerationId":"ab"}\r\n0\r\n\r\n')))
    assert.equal("ab", out.OperationId)
    assert.equal(202, out.ResponseMetadata.HTTPStatusCode)
  end)
end)

-- Errors of the service ----------------------------------------------------------------------------------------------

describe("an error of the service", function()
  local modelled = {
    { code = "InvalidRequestException", status = 400, retryable = false, params = function()
      return { ServiceArn = "storefront" }
    end },
    { code = "ResourceNotFoundException", status = 400, retryable = false, params = function()
      return { ServiceArn = sim.services[1].ServiceArn:gsub("%x%x%x%x$", "none") .. "" }
    end },
    { code = "InvalidStateException", status = 400, retryable = false, params = function() return arn_of(3) end },
    { code = "InternalServiceErrorException", status = 500, retryable = true, params = function()
      return arn_of(4)
    end },
  }
  for _, case in ipairs(modelled) do
    it(("%s has its code, message, status and request id"):format(case.code), function()
      local out, err = client_of(sim.endpoint_url):pause_service(case.params())
      assert.is_nil(out)
      assert.equal("service", err.kind)
      assert.equal(case.code, err.code)
      assert.is_true(#err.message > 0)
      assert.equal("PauseService", err.operation)
      assert.equal(case.status, err.http_status)
      assert.matches(UUID, err.request_id)
      assert.equal(case.retryable and 3 or 1, err.attempts)
      assert.equal(case.retryable, err.retryable)
      assert.is_nil(err.ambiguous)
      assert.is_nil(err.http_body)
      local text = tostring(err)
      for _, part in ipairs { case.code, err.message, "PauseService", err.request_id } do
        assert.is_truthy(text:find(part, 1, true), text)
      end
    end)
  end

  local TYPE = "X-Amzn-Errortype"
  local URI = ":http://internal.amazon.com/coral/com.amazon.coral.validate/"
  local forms = {
    { "in the header", { { TYPE, "FooError" } }, "{}" },
    { "in the header with a URI", { { TYPE, "FooError" .. URI } }, "{}" },
    { "in the header with a namespace and a URI", { { TYPE, "aws.protocoltests.json10#FooError" .. URI } }, "{}" },
    { "in code", {}, '{"code":"FooError"}' },
    { "in code with a namespace", {}, '{"code":"aws.protocoltests.json10#FooError"}' },
    { "in code with a namespace and a URI", {}, '{"code":"aws.protocoltests.json10#FooError' .. URI .. '"}' },
    { "in __type", {}, '{"__type":"FooError"}' },
    { "in __type with a namespace", {}, '{"__type":"com.amazonaws.apprunner#FooError"}' },
    { "in __type with a namespace and a URI", {}, '{"__type":"a#FooError' .. URI .. '"}' },
    { "in the header rather than in the body", { { TYPE, "FooError" } }, '{"code":"Bar","__type":"Baz"}' },
    { "in code rather than in __type", {}, '{"__type":"Baz","code":"FooError"}' },
    { "in __type where code is no text", {}, '{"code":400,"__type":"a#FooError"}' },
    { "in the header of a body that is no JSON", { { TYPE, "FooError" } }, "<html>" },
  }
  for _, form in ipairs(forms) do
    it("may have its code " .. form[1], function()
      local _, err = answered(400, form[2], form[3])
      assert.equal("service", err.kind)
      assert.equal("FooError", err.code)
      assert.equal(400, err.http_status)
    end)
  end

  it("has the status as its code where it has no other", function()
    for _, body in ipairs { "{}", '{"ErrorDetails":[{"__type":"Foo"}]}', "[]", "", "null", '"x"' } do
      local _, err = answered(418, {}, body)
      assert.equal("418", err.code, body)
      assert.equal("service", err.kind)
    end
  end)

  it("has its message under any of three names", function()
    for _, name in ipairs { "message", "Message", "errorMessage" } do
      local _, err = answered(400, {}, ('{"__type":"X","%s":"t\\u00e9xt"}'):format(name))
      assert.equal("t\195\169xt", err.message)
    end
    local _, err = answered(400, {}, '{"__type":"X","Message":null}')
    assert.equal("", err.message)
  end)

  it("that is an HTML page keeps the page", function()
    local page = "<html><body>" .. ("Service Unavailable "):rep(3) .. "</body></html>"
    local _, err = answered(503, { { "Content-Type", "text/html" } }, page)
    assert.equal("service", err.kind)
    assert.equal("503", err.code)
    assert.equal(503, err.http_status)
    assert.equal(page, err.http_body)
    assert.is_true(err.retryable)
    assert.is_nil(err.request_id)
    assert.matches("503", tostring(err))
  end)

  it("that is a long page keeps its first 4 KiB", function()
    local _, err = pause(server:url("page", 9000), ONCE)
    assert.equal("500", err.code)
    assert.equal(("x"):rep(4096), err.http_body)
  end)

  it("is retryable where waiting may help", function()
    local cases = {
      { 400, "ThrottlingException", true }, { 400, "TooManyRequestsException", true }, { 429, "Whatever", true },
      { 500, "Whatever", true }, { 502, "Whatever", true }, { 503, "Whatever", true }, { 504, "Whatever", true },
      { 400, "RequestTimeout", true }, { 501, "Whatever", false }, { 400, "AccessDeniedException", false },
      { 403, "InvalidSignatureException", false }, { 402, "ServiceQuotaExceededException", false },
    }
    for _, case in ipairs(cases) do
      local _, err = answered(case[1], {}, ('{"__type":"%s"}'):format(case[2]))
      assert.equal(case[3], err.retryable, case[1] .. " " .. case[2])
    end
  end)

  it("may be a redirect, which is not followed", function()
    local _, err = answered(307, { { "Location", server:url() .. "/elsewhere/" } }, "")
    assert.equal("service", err.kind)
    assert.equal("307", err.code)
    assert.equal(307, err.http_status)
    assert.is_false(err.retryable)
  end)
end)

-- Answers that cannot be understood ----------------------------------------------------------------------------------

describe("an answer of 200", function()
  local bodies = {
    { "that is empty", "" },
    { "that is HTML", "<html>hello</html>" },
    { "that is broken JSON", '{"Service":{' },
    { "that is JSON with more behind it", "{} {}" },
    { "that is a list", '[{"Service":{}}]' },
    { "that is null", "null" },
    { "that is a text", '"{}"' },
    { "that is a number", "12" },
    { "that begins with a byte order mark", "\239\187\191{}" },
    { "that nests without end", '{"a":' .. ("["):rep(900) .. ("]"):rep(900) .. "}" },
    { "with a number that JSON does not have", '{"Service":{"CreatedAt":NaN}}' },
    { "with an infinite number", '{"Service":{"CreatedAt":-Infinity}}' },
    { "with a hexadecimal number", '{"Service":{"CreatedAt":0x10}}' },
  }
  for _, case in ipairs(bodies) do
    it(case[1] .. " is no success", function()
      local out, err = answered(200, JSON, case[2])
      assert.is_nil(out)
      assert.equal("response", err.kind)
      assert.equal("ResponseParserError", err.code)
      assert.equal(200, err.http_status)
      assert.equal("id-1", err.request_id)
      assert.equal("PauseService", err.operation)
      assert.equal(1, err.attempts)
      if case[2] ~= "" then assert.equal(case[2]:sub(1, 4096), err.http_body) end
    end)
  end

  it("that is too large is an error, and the next call works", function()
    local client = client_of(
      server:in_turn(recorder.response(200, JSON, '{"a":"' .. ("x"):rep(1000) .. '"}'),
        recorder.response(200, JSON, '{"OperationId":"next"}')),
      { max_response_bytes = 100 })
    local out, err = client:pause_service { ServiceArn = ARN }
    assert.is_nil(out)
    assert.equal("response", err.kind)
    assert.equal("ResponseTooLargeError", err.code)
    assert.equal(1, err.attempts)
    assert.matches("100", err.message)
    assert.equal("next", assert(client:pause_service { ServiceArn = ARN }).OperationId)
  end)

  it("of exactly the largest size is fine", function()
    local body = '{"a":"' .. ("x"):rep(91) .. '" }'
    assert.equal(100, #body)
    local url = server:answering(200, {}, body)
    assert.is_table(pause(url, { max_response_bytes = 100 }))
    local _, err = pause(url, { max_response_bytes = 99 })
    assert.equal("ResponseTooLargeError", err.code)
  end)

  it("of 9 MiB is too large where nothing is said", function()
    local out, err = pause(server:url("large", 9 * 1024 * 1024))
    assert.is_nil(out)
    assert.equal("ResponseTooLargeError", err.code)
  end)

  it("with a head of more than 64 KiB is too large", function()
    assert.is_table(pause(server:url("head", 60)))
    local _, err = pause(server:url("head", 80))
    assert.equal("ResponseTooLargeError", err.code)
  end)
end)

-- No answer ----------------------------------------------------------------------------------------------------------

describe("a call without an answer", function()
  -- `urls` is a function, for the servers run only within tests.
  local cases = {
    { "refused", refused_url, nil, "transport", "EndpointConnectionError", nil },
    { "to an unknown host", function() return "http://nobody.invalid/" end, { connect_timeout = 20 },
      "transport", "EndpointConnectionError", nil },
    { "that is closed", function() return server:url "close" end, nil, "transport", "ConnectionClosedError", true },
    { "that is cut short", function()
      return server:url("cut", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}")
    end, nil, "transport", "ConnectionClosedError", true },
    { "whose head is cut short", function() return server:url("cut", "HTTP/1.1 200 OK\r\nContent-Le") end, nil,
      "transport", "ConnectionClosedError", true },
    { "within read_timeout", function() return server:url "silent" end, { read_timeout = 0.1 },
      "timeout", "ReadTimeoutError", true },
    { "within timeout", function() return server:url "silent" end, { timeout = 0.1 },
      "timeout", "CallTimeoutError", true },
    { "but with one that is no HTTP", function() return server:url("cut", "SSH-2.0-OpenSSH_9.2\r\n") end, nil,
      "transport", "HTTPClientError", true },
  }
  for _, case in ipairs(cases) do
    it(("%s fails by %s"):format(case[1], case[5]), function()
      local out, err = pause(case[2](), case[3])
      assert.is_nil(out)
      assert.equal(case[5], err.code)
      assert.equal(case[4], err.kind)
      assert.equal("PauseService", err.operation)
      assert.equal(case[5] == "CallTimeoutError" and 1 or 3, err.attempts)
      assert.equal(case[6], err.ambiguous)
      assert.equal(case[5] ~= "CallTimeoutError", err.retryable)
      assert.is_nil(err.request_id)
      assert.is_true(#err.message > 0)
      assert.is_truthy(tostring(err):find(err.code, 1, true))
    end)
  end

  it("fails by CallTimeoutError, and was not sent, while others have all the connections of its server", function()
    local url = server:url "silent"
    local crowd, late, ended = client_of(url), client_of(url, { timeout = 0.1 }), 0
    for _ = 1, 64 do crowd:pause_service({ ServiceArn = ARN }, function() ended = ended + 1 end) end
    local out, err = late:pause_service { ServiceArn = ARN }
    assert.is_nil(out)
    assert.same({ "timeout", "CallTimeoutError", 1 }, { err.kind, err.code, err.attempts })
    assert.is_nil(err.ambiguous)
    assert.equal(0, ended)
    crowd:close()
    apprunner.run()
    assert.equal(64, ended)
  end)

  it("leaves a client that works", function()
    local client = client_of(server:in_turn("close", recorder.response(200, JSON, '{"OperationId":"next"}')), ONCE)
    local _, err = client:pause_service { ServiceArn = ARN }
    assert.equal("ConnectionClosedError", err.code)
    assert.equal("next", assert(client:pause_service { ServiceArn = ARN }).OperationId)
  end)

  it("was sent once only, on a connection that was kept too", function()
    local client = client_of(server:in_turn(recorder.response(200, JSON, "{}"), "close",
      recorder.response(200, JSON, '{"OperationId":"third"}')), ONCE)
    assert.is_table(client:pause_service { ServiceArn = ARN })
    local out, err = client:pause_service { ServiceArn = ARN }
    assert.is_nil(out)
    assert.equal("ConnectionClosedError", err.code)
    assert.is_true(err.ambiguous)
    assert.equal(1, err.attempts)
    assert.equal("third", assert(client:pause_service { ServiceArn = ARN }).OperationId)
  end)
end)

-- Parameters ---------------------------------------------------------------------------------------------------------

describe("parameters that are wrong", function()
  local cases = {
    { "are missing", {}, { "missing required member ServiceArn" } },
    { "are misspelt", { ServiceARN = ARN }, {
      "missing required member ServiceArn", "unknown member ServiceARN (did you mean ServiceArn?)",
    } },
    { "are unknown", { ServiceArn = ARN, Colour = "red" }, { "unknown member Colour" } },
    { "are a number", { ServiceArn = 12 }, { "ServiceArn: expected string, got number" } },
    { "are a boolean", { ServiceArn = false }, { "ServiceArn: expected string, got boolean" } },
    { "are a table", { ServiceArn = { ARN } }, { "ServiceArn: expected string, got table" } },
    { "are a function", { ServiceArn = print }, { "ServiceArn: expected string, got function" } },
  }
  for _, case in ipairs(cases) do
    it(case[1], function()
      local out, err = client_of(sim.endpoint_url):pause_service(case[2])
      assert.is_nil(out)
      assert.equal("validation", err.kind)
      assert.equal("ParamValidationError", err.code)
      assert.equal("PauseService", err.operation)
      assert.is_false(err.retryable)
      assert.is_nil(err.attempts)
      assert.same(case[3], err.problems)
      for _, problem in ipairs(case[3]) do
        assert.is_truthy(err.message:find(problem, 1, true))
        assert.is_truthy(tostring(err):find(problem, 1, true))
      end
    end)
  end

  local function problems(params)
    local out, err = client_of(sim.endpoint_url):pause_service(params)
    assert.is_nil(out)
    assert.equal("ParamValidationError", err.code)
    return err.problems
  end

  it("are too short", function()
    local found = problems { ServiceArn = "" }
    assert.equal(1, #found)
    assert.matches("^ServiceArn: .*1", found[1])
  end)

  it("are too long from 1,012 characters on", function()
    local found = problems { ServiceArn = ("a"):rep(1012) }
    assert.equal(1, #found)
    assert.matches("^ServiceArn: .*1011", found[1])
    local out, err = pause(server:url())
    assert.is_table(out, tostring(err))
    assert.is_table(client_of(server:url()):pause_service { ServiceArn = ("a"):rep(1011) })
    assert.is_table(client_of(server:url()):pause_service { ServiceArn = ("\195\169"):rep(1011) })
  end)

  it("contain control characters", function()
    for _, text in ipairs { "a\nb", "a\r", "\0", "\127", "\27[2J" } do
      local found = problems { ServiceArn = ARN .. text }
      assert.equal(1, #found)
      assert.matches("^ServiceArn: .*control character", found[1])
    end
  end)

  it("are told all at once", function()
    local found = problems { ServiceARN = "", Other = 1, [1] = "x", [true] = "y" }
    assert.equal(5, #found)
    local all = table.concat(found, "\n")
    assert.is_truthy(all:find("missing required member ServiceArn", 1, true))
    assert.is_truthy(all:find("unknown member ServiceARN (did you mean ServiceArn?)", 1, true))
    assert.is_truthy(all:find("unknown member Other", 1, true))
    assert.matches("number", all)
    assert.matches("boolean", all)
  end)

  it("may be many thousand", function()
    local params = { ServiceArn = ARN }
    for i = 1, 20000 do params["Member" .. i] = i end
    assert.equal(20000, #problems(params))
  end)

  it("may be nothing at all", function() assert.same({ "missing required member ServiceArn" }, problems(nil)) end)

  it("are not sent", function()
    local client = client_of(server:url "unsent")
    client:pause_service {}
    client:pause_service { ServiceArn = ARN }
    local request
    repeat request = server:next() until request.path == "/unsent/"
    assert.same({ ServiceArn = ARN }, cjson.decode(request.body))
  end)

  it("are left as they were", function()
    local params = { ServiceArn = ARN }
    client_of(server:url()):pause_service(params)
    assert.same({ ServiceArn = ARN }, params)
  end)
end)

-- Settings -----------------------------------------------------------------------------------------------------------

describe("settings that are wrong", function()
  local nan = 0 / 0
  local cases = {
    { "one that is spelt wrongly", { regoin = "eu-west-1" }, "unknown setting regoin (did you mean region?)" },
    { "a function that is spelt wrongly", { loger = print }, "unknown setting loger (did you mean logger?)" },
    { "an unknown one", { colour = "red" }, "unknown setting colour" },
    { "a key that is no name", { "eu-west-1" }, "expected names of settings, got a number as a key" },
    { "a number as region", { region = 5 }, "region: expected string, got number" },
    { "a text as a flag", { use_fips_endpoint = "true" }, "use_fips_endpoint: expected boolean, got string" },
    { "a text as dual-stack flag", { use_dualstack_endpoint = "no" }, "use_dualstack_endpoint" },
    { "a number as verify", { verify = 0 }, "verify: expected boolean, got number" },
    { "a text as a timeout", { timeout = "5" }, "timeout: expected number, got string" },
    { "no time at all", { timeout = 0 }, "timeout" },
    { "a negative read_timeout", { read_timeout = -1 }, "read_timeout" },
    { "a connect_timeout that is no number", { connect_timeout = nan }, "connect_timeout" },
    { "an endless connect_timeout", { connect_timeout = math.huge }, "connect_timeout" },
    { "no room for an answer", { max_response_bytes = 0 }, "max_response_bytes" },
    { "half a byte", { max_response_bytes = 1.5 }, "max_response_bytes" },
    { "a room that is no number", { max_response_bytes = nan }, "max_response_bytes" },
    { "an unknown loop", { loop = "libev" }, "loop" },
    { "nginx as loop where there is none #plain", { loop = "nginx" }, "loop: no nginx here" },
    { "a boolean as loop", { loop = true }, "loop: expected string, got boolean" },
    { "a number as endpoint_url", { endpoint_url = 8080 }, "endpoint_url" },
    { "a line feed in user_agent_extra", { user_agent_extra = "a\r\nEvil: 1" }, "user_agent_extra" },
    { "a NUL in ca_bundle", { ca_bundle = "/etc/ssl\0" }, "ca_bundle" },
    { "a line feed in app_id", { app_id = "a\n" }, "app_id" },
    { "a text as credentials", { credentials = SECRET }, "credentials" },
    { "a table as secret", { credentials = { access_key_id = KEY, secret_access_key = { SECRET } } },
      "credentials.secret_access_key: expected string, got table" },
    { "a number as session token",
      { credentials = { access_key_id = KEY, secret_access_key = SECRET, session_token = 1 } },
      "credentials.session_token: expected string, got number" },
  }
  for _, case in ipairs(cases) do
    it(("are refused: %s"):format(case[1]), function()
      local client, err = apprunner.client(case[2])
      assert.is_nil(client)
      assert.equal("settings", err.kind)
      assert.equal("InvalidConfigError", err.code)
      assert.is_truthy(err.message:find(case[3], 1, true), err.message)
      assert.is_nil(texts_of(err):find(SECRET, 1, true))
    end)
  end

  -- What shows at the first call.
  local at_call = {
    { "an endpoint of another scheme", { endpoint_url = "ftp://localhost/" }, "InvalidEndpointError" },
    { "an endpoint without a scheme", { endpoint_url = "localhost:8080" }, "InvalidEndpointError" },
    { "an endpoint without a host", { endpoint_url = "http:///a" }, "InvalidEndpointError" },
    { "an endpoint with a user", { endpoint_url = "http://a:b@localhost/" }, "InvalidEndpointError" },
    { "an endpoint with a query", { endpoint_url = "http://localhost/?a=b" }, "InvalidEndpointError" },
    { "an endpoint with a fragment", { endpoint_url = "http://localhost/#a" }, "InvalidEndpointError" },
    { "an endpoint with a space in its path", { endpoint_url = "http://localhost/a b" }, "InvalidEndpointError" },
    { "an endpoint with a bad port", { endpoint_url = "http://localhost:99999/" }, "InvalidEndpointError" },
    { "FIPS beside an endpoint", { endpoint_url = "http://localhost/", use_fips_endpoint = true },
      "EndpointProviderError" },
    { "dual-stack beside an endpoint", { endpoint_url = "http://localhost/", use_dualstack_endpoint = true },
      "EndpointProviderError" },
    { "a region that is no host label", { region = "eu_west.1/x" }, "InvalidEndpointError" },
    { "a region that is a number", { region = "12345" }, "InvalidEndpointError" },
  }
  for _, case in ipairs(at_call) do
    it(("fail the call: %s"):format(case[1]), function()
      local settings = { region = "eu-west-1", credentials = credentials() }
      for name, value in pairs(case[2]) do settings[name] = value end
      local client, err = apprunner.client(settings)
      if client then client, err = client:pause_service { ServiceArn = ARN } end
      assert.is_nil(client)
      assert.equal(case[3], err.code)
      assert.equal("settings", err.kind)
      assert.is_nil(err.attempts)
    end)
  end

  it("fail the call where a region cannot be signed for, though the endpoint does not need it", function()
    local out, err = pause(server:url(), { region = "eu west 1" })
    assert.is_nil(out)
    assert.equal("settings", err.kind)
  end)

  it("are misuse where they are no table", function()
    assert.has_error(function() apprunner.client "eu-west-1" end)
    assert.has_error(function() apprunner.client(5) end)
  end)

  it("are copied: later changes of the caller's table change nothing", function()
    local settings = { region = "eu-west-1", endpoint_url = server:url "copied", credentials = credentials() }
    local client = assert(apprunner.client(settings))
    settings.region, settings.credentials.access_key_id, settings.endpoint_url = "xx", "yy", "zz"
    assert.is_table(client:pause_service { ServiceArn = ARN })
    local request
    repeat request = server:next() until request.path == "/copied/"
    assert.matches("Credential=" .. KEY .. "/%d+/eu%-west%-1/", request.header.authorization)
  end)
end)

-- Credentials as arguments -------------------------------------------------------------------------------------------

describe("credentials as an argument", function()
  local cases = {
    { "without a secret", { access_key_id = KEY }, "PartialCredentialsError" },
    { "without a key id", { secret_access_key = SECRET }, "PartialCredentialsError" },
    { "with an empty secret", { access_key_id = KEY, secret_access_key = "" }, "PartialCredentialsError" },
    { "with nothing in them", {}, "PartialCredentialsError" },
    { "with a line feed in the secret", { access_key_id = KEY, secret_access_key = SECRET .. "\n" },
      "CredentialRetrievalError" },
    { "with a line feed in the key id", { access_key_id = KEY .. "\r\nEvil: 1", secret_access_key = SECRET },
      "CredentialRetrievalError" },
    { "with a NUL in the token", { access_key_id = KEY, secret_access_key = SECRET, session_token = TOKEN .. "\0" },
      "CredentialRetrievalError" },
    { "with a token without end",
      { access_key_id = KEY, secret_access_key = SECRET, session_token = TOKEN .. ("x"):rep(70000) },
      "CredentialRetrievalError" },
  }
  for _, case in ipairs(cases) do
    it(case[1] .. " fail the call and show nothing", function()
      local out, err = pause(server:url(), { credentials = case[2] })
      assert.is_nil(out)
      assert.equal("credentials", err.kind)
      assert.equal(case[3], err.code)
      assert.is_nil(err.attempts)
      assert.is_nil(texts_of(err):find(SECRET, 1, true))
      assert.is_nil(texts_of(err):find(TOKEN, 1, true))
    end)
  end
end)

describe("a secret", function()
  it("shows in no error and in no tostring", function()
    local secret = { credentials = { access_key_id = KEY, secret_access_key = SECRET, session_token = TOKEN } }
    local texts = {}
    local function note(_, err) texts[#texts + 1] = texts_of(err) end
    for _, url in ipairs {
      server:url "close", server:answering(500, {}, "{}"), server:answering(200, {}, ""), refused_url(), "http://a:b@c",
    } do
      note(pause(url, secret))
    end
    note(pause(server:url "silent", { credentials = secret.credentials, read_timeout = 0.05 }))
    local client = client_of(server:url(), secret)
    note(client:pause_service {})
    texts[#texts + 1] = tostring(client)
    for name, value in pairs(client) do texts[#texts + 1] = tostring(name) .. tostring(value) end
    local call = client:pause_service({ ServiceArn = ARN }, note)
    texts[#texts + 1] = tostring(call)
    call:cancel()
    apprunner.run()
    client:close()
    note(nil, { select(2, pcall(client.pause_service, client, {})) })
    assert.is_true(#texts >= 11)
    local all = table.concat(texts, "\n")
    assert.is_nil(all:find(SECRET, 1, true))
    assert.is_nil(all:find(TOKEN, 1, true))
  end)
end)

-- Callbacks ----------------------------------------------------------------------------------------------------------

describe("a call with a callback", function()
  it("returns at once and calls back once, from run", function()
    local client, calls = client_of(server:url()), {}
    local call = client:pause_service({ ServiceArn = ARN }, function(...) calls[#calls + 1] = { ... } end)
    assert.is_function(call.cancel)
    assert.same({}, calls)
    apprunner.run()
    assert.equal(1, #calls)
    assert.is_table(calls[1][1])
    assert.is_nil(calls[1][2])
    apprunner.run()
    assert.equal(1, #calls)
    assert.is_false(call:cancel())
  end)

  it("gets the errors of the service, of the parameters and of the settings", function()
    local codes = {}
    local function note(out, err) codes[#codes + 1] = tostring(out) .. " " .. err.code end
    client_of(server:answering(400, {}, '{"__type":"x#Foo"}')):pause_service({ ServiceArn = ARN }, note)
    client_of(server:url()):pause_service({}, note)
    client_of("ftp://x"):pause_service({ ServiceArn = ARN }, note)
    client_of(refused_url()):pause_service({ ServiceArn = ARN }, note)
    assert.same({}, codes)
    apprunner.run()
    table.sort(codes)
    assert.same({
      "nil EndpointConnectionError", "nil Foo", "nil InvalidEndpointError", "nil ParamValidationError",
    }, codes)
  end)

  it("may start other calls from its callback #plain", function()
    local client, seen = client_of(server:url()), {}
    client:pause_service({ ServiceArn = ARN }, function()
      seen[#seen + 1] = "first"
      client:pause_service({ ServiceArn = ARN }, function() seen[#seen + 1] = "second" end)
      assert.is_table(client:describe_service { ServiceArn = ARN }) -- blocks
      seen[#seen + 1] = "blocking"
    end)
    apprunner.run()
    assert.same({ "first", "blocking", "second" }, seen)
  end)

  it("goes on where nobody holds the call or the client any more", function()
    local seen = 0
    for _ = 1, 3 do
      client_of(server:url()):pause_service({ ServiceArn = ARN }, function(out) seen = seen + (out and 1 or 0) end)
    end
    collectgarbage()
    collectgarbage()
    apprunner.run()
    assert.equal(3, seen)
  end)

  it("takes anything that can be called", function()
    local seen
    local callable = setmetatable({}, { __call = function(_, out) seen = out end })
    client_of(server:url()):pause_service({ ServiceArn = ARN }, callable)
    apprunner.run()
    assert.is_table(seen)
  end)

  it("that is waited for by another, blocking call is called back from run alone #plain", function()
    local client, seen = client_of(server:url()), 0
    client:pause_service({ ServiceArn = ARN }, function() seen = seen + 1 end)
    for _ = 1, 3 do assert.is_table(client:pause_service { ServiceArn = ARN }) end
    assert.equal(0, seen)
    apprunner.run()
    assert.equal(1, seen)
  end)
end)

describe("a cancelled call", function()
  it("gets Cancelled, once, from run and not from cancel", function()
    local client, seen = client_of(server:url "silent"), {}
    local call = client:pause_service({ ServiceArn = ARN }, function(out, err) seen[#seen + 1] = { out, err } end)
    assert.is_true(call:cancel())
    assert.same({}, seen)
    apprunner.run()
    assert.equal(1, #seen)
    assert.is_nil(seen[1][1])
    assert.equal("Cancelled", seen[1][2].code)
    assert.equal("cancelled", seen[1][2].kind)
    assert.is_false(call:cancel())
    apprunner.run()
    assert.equal(1, #seen)
  end)

  it("was perhaps carried out if it was sent, and not if it was not", function()
    local client, errors = client_of(server:url("silent", "cancelled")), {}
    local unsent = client:pause_service({ ServiceArn = ARN }, function(_, err) errors.unsent = err end)
    unsent:cancel()
    local sent = client:pause_service({ ServiceArn = ARN }, function(_, err) errors.sent = err end)
    when_sent("cancelled", function() sent:cancel() end)
    apprunner.run()
    assert.equal("Cancelled", errors.sent.code)
    assert.is_true(errors.sent.ambiguous)
    assert.equal("Cancelled", errors.unsent.code)
    assert.is_nil(errors.unsent.ambiguous)
  end)

  it("disturbs no other call", function()
    local client, seen = client_of(server:url()), {}
    local calls = {}
    for i = 1, 6 do
      calls[i] = client:pause_service({ ServiceArn = ARN }, function(out, err) seen[i] = out and "out" or err.code end)
    end
    assert.is_true(calls[2]:cancel())
    assert.is_true(calls[5]:cancel())
    apprunner.run()
    assert.same({ "out", "Cancelled", "out", "out", "Cancelled", "out" }, seen)
  end)

  it("may be cancelled from the callback of another", function()
    local silent, seen = client_of(server:url "silent"), nil
    local call = silent:pause_service({ ServiceArn = ARN }, function(_, err) seen = err.code end)
    client_of(server:url()):pause_service({ ServiceArn = ARN }, function()
      assert.is_true(call:cancel())
      assert.is_nil(seen)
    end)
    apprunner.run()
    assert.equal("Cancelled", seen)
  end)
end)

describe("a callback that raises", function()
  it("is re-raised by run, and the others are still delivered #plain", function()
    local client, seen = client_of(server:url()), 0
    for i = 1, 5 do
      client:pause_service({ ServiceArn = ARN }, function()
        seen = seen + 1
        if i % 2 == 0 then error({ number = i }, 0) end
      end)
    end
    local raised = {}
    for _ = 1, 10 do
      local ok, err = pcall(apprunner.run)
      if ok then break end
      raised[#raised + 1] = err.number
    end
    table.sort(raised)
    assert.same({ 2, 4 }, raised)
    assert.equal(5, seen)
    assert.has_no_error(apprunner.run)
  end)
end)

-- Coroutines ---------------------------------------------------------------------------------------------------------

describe("spawned coroutines", function()
  it("overlap: the server has all requests before it answers one", function()
    local client, outs = client_of(server:url("barrier", 30)), {}
    for i = 1, 30 do
      apprunner.spawn(function(number) outs[number] = client:pause_service { ServiceArn = ARN } end, i)
    end
    apprunner.run()
    assert.equal(30, #outs)
  end)

  it("get their arguments, and start at once", function()
    local got
    local co = apprunner.spawn(function(...) got = { n = select("#", ...), ... } end, 1, nil, "x", nil)
    assert.same({ n = 4, 1, nil, "x", nil }, got)
    assert.equal("thread", type(co))
    apprunner.run()
  end)

  it("may spawn others, sleep, and call one after the other", function()
    local client, seen = client_of(server:url()), {}
    apprunner.spawn(function()
      apprunner.spawn(function()
        assert.is_true(apprunner.sleep(0))
        seen[#seen + 1] = "inner"
      end)
      assert.is_table(client:pause_service { ServiceArn = ARN })
      assert.is_table(client:describe_service { ServiceArn = ARN })
      seen[#seen + 1] = "outer"
    end)
    apprunner.run()
    table.sort(seen)
    assert.same({ "inner", "outer" }, seen)
  end)

  it("sleep beside each other, the shortest first", function()
    local seen = {}
    for _, seconds in ipairs { 0.06, 0.03, 0 } do
      apprunner.spawn(function()
        apprunner.sleep(seconds)
        seen[#seen + 1] = seconds
      end)
    end
    apprunner.run()
    assert.same({ 0, 0.03, 0.06 }, seen)
  end)

  it("get errors as results, timeouts among them", function()
    local codes = {}
    for _, case in ipairs {
      { server:url "silent", { timeout = 0.05 } }, { server:url "close" },
      { server:url "silent", { read_timeout = 0.05 } },
    } do
      apprunner.spawn(function()
        local _, err = pause(case[1], case[2])
        codes[#codes + 1] = err.code
      end)
    end
    apprunner.run()
    table.sort(codes)
    assert.same({ "CallTimeoutError", "ConnectionClosedError", "ReadTimeoutError" }, codes)
  end)

  it("that raise are re-raised by run, and the others go on #plain", function()
    local client, seen = client_of(server:url()), 0
    apprunner.spawn(function() error("at once", 0) end)
    apprunner.spawn(function()
      client:pause_service { ServiceArn = ARN }
      error("later", 0)
    end)
    apprunner.spawn(function()
      client:pause_service { ServiceArn = ARN }
      seen = seen + 1
    end)
    local raised = {}
    for _ = 1, 10 do
      local ok, err = pcall(apprunner.run)
      if ok then break end
      raised[#raised + 1] = err
    end
    table.sort(raised)
    assert.same({ "at once", "later" }, raised)
    assert.equal(1, seen)
  end)

  it("that yield for a reason of their own are an error of run, not a hang #plain", function()
    apprunner.spawn(function() coroutine.yield "mine" end)
    local ok, err = pcall(apprunner.run)
    assert.is_false(ok)
    assert.matches("yielded", tostring(err))
    apprunner.run()
  end)

  it("that are resumed by foreign code are told so #plain", function()
    local client = client_of(server:url())
    local co = apprunner.spawn(function() client:pause_service { ServiceArn = ARN } end)
    assert.equal("suspended", coroutine.status(co))
    local ok, err = coroutine.resume(co, "something")
    assert.is_false(ok)
    assert.matches("resumed by code that is not a loop", tostring(err))
    apprunner.run()
  end)

  -- PUC 5.1 cannot yield across pcall.
  if _VERSION ~= "Lua 5.1" or jit then
    it("that were resumed by foreign code and go on get the answer to what they ask then #plain", function()
      local slow, client, seen = client_of(server:url("barrier", 2)), client_of(server:url()), {}
      local co = apprunner.spawn(function()
        seen.ok = pcall(slow.pause_service, slow, { ServiceArn = ARN })
        seen.slept = apprunner.sleep(0.05)
        seen.out, seen.err = slow:pause_service { ServiceArn = ARN }
        seen.last = client:pause_service { ServiceArn = ARN }
      end)
      coroutine.resume(co)
      apprunner.run()
      assert.is_false(seen.ok)
      assert.is_true(seen.slept)
      assert.is_table(seen.last)
    end)
  end

  it("can be waited for by nobody: run returns when nothing is left", function()
    apprunner.run()
    apprunner.run()
  end)
end)

describe("a plain coroutine", function()
  it("blocks, and gets its answer without a yield #plain", function()
    local client = client_of(server:url())
    local step = coroutine.wrap(function()
      local out = client:pause_service { ServiceArn = ARN }
      assert.is_true(apprunner.sleep(0))
      coroutine.yield(type(out))
      return "end"
    end)
    assert.equal("table", step())
    assert.equal("end", step())
  end)

  it("blocks inside a spawned one too #plain", function()
    local client, seen = client_of(server:url()), nil
    apprunner.spawn(function()
      seen = coroutine.wrap(function() return type(client:pause_service { ServiceArn = ARN }) end)()
    end)
    apprunner.run()
    assert.equal("table", seen)
  end)
end)

-- Misuse -------------------------------------------------------------------------------------------------------------

describe("misuse", function()
  local function raises(pattern, fn, ...)
    local ok, err = pcall(fn, ...)
    assert.is_false(ok)
    assert.matches(pattern, tostring(err))
  end

  it("is raised for parameters that are no table", function()
    local client = client_of(server:url())
    raises("table expected, got string", client.pause_service, client, ARN)
    raises("table expected, got number", client.pause_service, client, 5)
    raises("table expected, got boolean", client.describe_service, client, false)
  end)

  it("is raised for a method without a client", function()
    local client = client_of(server:url())
    raises("client expected", client.pause_service, { ServiceArn = ARN })
    raises("client expected", client.pause_service)
    raises("client expected", client.close, "x")
    raises("client expected", client.close, setmetatable({}, {}))
  end)

  it("is raised for a callback that cannot be called, and nothing is sent", function()
    local client = client_of(server:url())
    raises("function expected, got string", client.pause_service, client, { ServiceArn = ARN }, "done")
    raises("function expected, got boolean", client.pause_service, client, { ServiceArn = ARN }, false)
    raises("function expected, got table", client.pause_service, client, { ServiceArn = ARN }, {})
  end)

  it("is raised for run inside a callback and inside a spawned coroutine #plain", function()
    local errors = {}
    client_of(server:url()):pause_service({ ServiceArn = ARN }, function()
      errors[#errors + 1] = tostring(select(2, pcall(apprunner.run)))
    end)
    apprunner.spawn(function()
      apprunner.sleep(0)
      errors[#errors + 1] = tostring(select(2, pcall(apprunner.run)))
    end)
    apprunner.run()
    assert.equal(2, #errors)
    for _, err in ipairs(errors) do assert.matches("apprunner%.run", err) end
  end)

  it("is raised for what cannot be spawned, and a sleep that is no time", function()
    raises("'spawn' %(function expected, got table%)", apprunner.spawn, {})
    raises("'sleep' %(number expected, got string%)", apprunner.sleep, "soon")
    raises("'sleep' %(number expected, got nil%)", apprunner.sleep)
    raises("'sleep' %(expected seconds, 0 to 1e9%)", apprunner.sleep, -1)
    raises("'sleep' %(expected seconds, 0 to 1e9%)", apprunner.sleep, 0 / 0)
  end)
end)

-- Closing ------------------------------------------------------------------------------------------------------------

describe("a closed client", function()
  it("has cancelled its calls, and those of no other", function()
    local client, other = client_of(server:url("silent", "closed")), client_of(server:url("silent", "open"))
    local seen, rest = {}, nil
    client:pause_service({ ServiceArn = ARN }, function(_, err) seen[#seen + 1] = err.code end)
    apprunner.spawn(function()
      local _, err = client:pause_service { ServiceArn = ARN }
      seen[#seen + 1] = err.code
    end)
    local call = other:pause_service({ ServiceArn = ARN }, function(_, err) rest = err.message end)
    when_sent("closed", function()
      client:pause_service({ ServiceArn = ARN }, function(_, err) seen[#seen + 1] = err.code end) -- not yet sent
      client:close()
      assert.same({}, seen)
      when_sent("open", function()
        assert.is_nil(rest)
        call:cancel()
      end)
    end)
    apprunner.run()
    assert.same({ "Cancelled", "Cancelled", "Cancelled" }, seen)
    assert.matches("the call was cancelled", rest)
  end)

  it("may be closed again, and raises where it is used", function()
    local client = client_of(server:url())
    client:close()
    assert.has_no_error(function() client:close() end)
    local ok, err = pcall(client.pause_service, client, { ServiceArn = ARN })
    assert.is_false(ok)
    assert.matches("closed", tostring(err))
    ok, err = pcall(client.pause_service, client, { ServiceArn = ARN }, function() end)
    assert.is_false(ok)
    assert.matches("closed", tostring(err))
    apprunner.run()
  end)

  it("may be closed in a callback of its own", function()
    local client, seen = client_of(server:url("barrier", 2)), {}
    for i = 1, 2 do
      client:pause_service({ ServiceArn = ARN }, function(out, err)
        seen[i] = out and "out" or err.code
        client:close()
      end)
    end
    apprunner.run()
    assert.equal(2, #seen)
  end)

  if _VERSION == "Lua 5.4" then
    it("is what the end of a <close> variable's scope leaves", function()
      local closed = assert(load [[
        local client = ...
        do local c <close> = client end
        return pcall(client.pause_service, client, {})
      ]])
      local ok, err = closed(client_of(server:url()))
      assert.is_false(ok)
      assert.matches("closed", tostring(err))
    end)
  end
end)

-- The environment ----------------------------------------------------------------------------------------------------

-- Runs a script with `client`, made of the settings text, in a process with these variables and no others of AWS's.
local function in_environment(variables, script)
  return programs.run(("local apprunner = require 'apprunner'\nlocal ARN = %q\n%s"):format(ARN, script), variables)
end

local function code_of(variables, settings)
  return in_environment(variables, ([[
    local out, err = apprunner.client(%s)
    if out then out, err = out:pause_service { ServiceArn = ARN } end
    print(out and "ok" or err.kind .. " " .. err.code)
    if err then print(err.message) end
  ]]):format(settings or "{}"))
end

-- The next request under this path.
local function request_to(path)
  local request
  repeat request = server:next() until request.path == path
  return request
end

local function with_keys(variables)
  local all = { AWS_ACCESS_KEY_ID = KEY, AWS_SECRET_ACCESS_KEY = SECRET }
  for name, value in pairs(variables or {}) do all[name] = value end
  return all
end

describe("the region", function()
  local NOWHERE = "arn:aws:apprunner::123456789012:service/x"
  local cases = {
    { "is the argument, whatever else there is", "us-west-2", ARN, "eu-north-1", "eu-south-1", "us-west-2" },
    { "is the ARN's without an argument", nil, ARN, "eu-north-1", "eu-south-1", "eu-west-1" },
    { "is AWS_REGION where the ARN has none", nil, NOWHERE, "eu-north-1", "eu-south-1", "eu-north-1" },
    { "is AWS_REGION where there is no ARN at all", nil, "x", "eu-north-1", "eu-south-1", "eu-north-1" },
    { "is AWS_DEFAULT_REGION last", nil, "x", nil, "eu-south-1", "eu-south-1" },
    { "is AWS_DEFAULT_REGION where AWS_REGION is empty", nil, "x", "", "eu-south-1", "eu-south-1" },
    { "is not an ARN's that is no region", nil, "arn:aws:apprunner:a/b:1:x", "eu-north-1", nil, "eu-north-1" },
  }
  for i, case in ipairs(cases) do
    it(case[1], function()
      local said = in_environment(with_keys { AWS_REGION = case[4], AWS_DEFAULT_REGION = case[5] }, ([[
        local client = assert(apprunner.client { endpoint_url = %q, region = %s })
        assert(client:pause_service { ServiceArn = %q })
        print "ok"
      ]]):format(server:url("region" .. i), case[2] and ("%q"):format(case[2]) or "nil", case[3]))
      assert.equal("ok\n", said)
      local request = request_to(("/region%d/"):format(i))
      assert.equal(case[6], request.header.authorization:match "Credential=[^/]+/%d+/([^/]+)/")
    end)
  end

  it("that nobody names is NoRegionError", function()
    local said = in_environment(with_keys(), ([[
      for _, settings in ipairs { {}, { endpoint_url = %q } } do
        local out, err = apprunner.client(settings):pause_service { ServiceArn = "x" }
        print(out, err.kind, err.code, err.attempts)
      end
    ]]):format(server:url()))
    assert.equal(("nil\tsettings\tNoRegionError\tnil\n"):rep(2), said)
  end)
end)

describe("credentials from the environment", function()
  local cases = {
    { "are both keys", { AWS_ACCESS_KEY_ID = "AKIDENV", AWS_SECRET_ACCESS_KEY = SECRET }, "AKIDENV", nil },
    { "are a token too", { AWS_ACCESS_KEY_ID = "AKIDENV", AWS_SECRET_ACCESS_KEY = SECRET, AWS_SESSION_TOKEN = TOKEN },
      "AKIDENV", TOKEN },
    { "are a token under its old name",
      { AWS_ACCESS_KEY_ID = "AKIDENV", AWS_SECRET_ACCESS_KEY = SECRET, AWS_SECURITY_TOKEN = "OLD" }, "AKIDENV", "OLD" },
    { "are not an empty token",
      { AWS_ACCESS_KEY_ID = "AKIDENV", AWS_SECRET_ACCESS_KEY = SECRET, AWS_SESSION_TOKEN = "" }, "AKIDENV", nil },
  }
  for i, case in ipairs(cases) do
    it(case[1], function()
      case[2].AWS_ENDPOINT_URL = server:url("env" .. i)
      assert.equal("ok\n", code_of(case[2]))
      local request = request_to(("/env%d/"):format(i))
      assert.equal(case[3], request.header.authorization:match "Credential=([^/]+)/")
      assert.equal(case[4], request.header["x-amz-security-token"])
    end)
  end

  it("give way to the argument", function()
    local said = code_of({ AWS_ACCESS_KEY_ID = "AKIDENV", AWS_SECRET_ACCESS_KEY = "x", AWS_SESSION_TOKEN = TOKEN },
      ("{ endpoint_url = %q, credentials = { access_key_id = %q, secret_access_key = %q } }"):format(
        server:url "arg", KEY, SECRET))
    assert.equal("ok\n", said)
    local request = request_to "/arg/"
    assert.matches("Credential=" .. KEY .. "/", request.header.authorization)
    assert.is_nil(request.header["x-amz-security-token"])
  end)

  local failures = {
    { "that are missing", {}, "NoCredentialsError", "environment" },
    { "with a secret alone", { AWS_SECRET_ACCESS_KEY = SECRET }, "NoCredentialsError", "AWS_ACCESS_KEY_ID" },
    { "with a key id alone", { AWS_ACCESS_KEY_ID = KEY }, "PartialCredentialsError", "secret" },
    { "with an empty secret", { AWS_ACCESS_KEY_ID = KEY, AWS_SECRET_ACCESS_KEY = "" }, "PartialCredentialsError",
      "secret" },
    { "with an empty key id", { AWS_ACCESS_KEY_ID = "", AWS_SECRET_ACCESS_KEY = SECRET }, "NoCredentialsError",
      "AWS_ACCESS_KEY_ID" },
    { "with a line feed in the secret", { AWS_ACCESS_KEY_ID = KEY, AWS_SECRET_ACCESS_KEY = SECRET .. "\n" },
      "CredentialRetrievalError", "control character" },
  }
  for _, case in ipairs(failures) do
    it(("%s are %s"):format(case[1], case[3]), function()
      case[2].AWS_ENDPOINT_URL = server:url()
      local said = code_of(case[2])
      assert.equal("credentials " .. case[3], said:match "^[^\n]*")
      assert.is_truthy(said:find(case[4], 1, true), said)
      assert.is_nil(said:find(SECRET, 1, true))
    end)
  end

  it("that are missing are told with every place that was looked at", function()
    local said = code_of({ AWS_ENDPOINT_URL = server:url() })
    assert.matches("static", said)
    assert.matches("environment: AWS_ACCESS_KEY_ID is not set", said)
  end)
end)

describe("other variables", function()
  it("name the endpoint: the service's own first, an argument before both", function()
    local own, any = server:url "own", server:url "any"
    assert.equal("ok\n", code_of(with_keys { AWS_ENDPOINT_URL_APPRUNNER = own, AWS_ENDPOINT_URL = any }))
    request_to "/own/"
    assert.equal("ok\n", code_of(with_keys { AWS_ENDPOINT_URL_APPRUNNER = "", AWS_ENDPOINT_URL = any }))
    request_to "/any/"
    assert.equal("ok\n", code_of(with_keys { AWS_ENDPOINT_URL_APPRUNNER = own, AWS_ENDPOINT_URL = any },
      ("{ endpoint_url = %q }"):format(server:url "argument")))
    request_to "/argument/"
  end)

  for _, name in ipairs { "AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT" } do
    local setting = name:lower():gsub("^aws_", "")

    it(name .. " is true or false, in any case", function()
      for _, value in ipairs { "yes", "1", "0", "on", " true", "truee" } do
        local said = code_of(with_keys { [name] = value })
        assert.equal("settings InvalidConfigError", said:match "^[^\n]*", value)
        assert.is_truthy(said:find(name, 1, true), said)
      end
      local url = server:url()
      assert.equal("ok\n", code_of(with_keys { [name] = "False", AWS_ENDPOINT_URL = url }))
      assert.equal("ok\n", code_of(with_keys { [name] = "", AWS_ENDPOINT_URL = url }))
      assert.equal("settings EndpointProviderError",
        code_of(with_keys { [name] = "tRuE", AWS_ENDPOINT_URL = url }):match "^[^\n]*")
    end)

    it(name .. " gives way to the argument", function()
      assert.equal("ok\n",
        code_of(with_keys { [name] = "true" }, ("{ endpoint_url = %q, %s = false }"):format(server:url(), setting)))
      assert.equal("ok\n",
        code_of(with_keys { [name] = "bad" }, ("{ endpoint_url = %q, %s = false }"):format(server:url(), setting)))
    end)
  end

  it("AWS_SDK_UA_APP_ID goes into the user agent", function()
    assert.equal("ok\n", code_of(with_keys { AWS_SDK_UA_APP_ID = "night shift", AWS_ENDPOINT_URL = server:url "app" }))
    assert.matches(" app/night%-shift", request_to("/app/").header["user-agent"])
  end)

end)

describe("a variable of proxies", function()
  -- What a call of the endpoint says that makes one attempt, with these variables.
  local function said_by(variables, endpoint_url)
    variables.AWS_ENDPOINT_URL, variables.AWS_MAX_ATTEMPTS = endpoint_url, "1"
    return (code_of(with_keys(variables)):match "^[^\n]*")
  end

  for _, name in ipairs { "http_proxy", "HTTP_PROXY" } do
    it(name .. " is honoured for an endpoint of http", function()
      local endpoint_url = ("http://nobody.invalid/%s/"):format(name)
      assert.equal("ok", said_by({ [name] = server:url() }, endpoint_url))
      assert.equal("nobody.invalid", request_to(endpoint_url).header.host)
      assert.equal("transport ProxyConnectionError", said_by({ [name] = refused_url() }, server:url()))
    end)
  end

  for _, name in ipairs { "https_proxy", "HTTPS_PROXY" } do
    it(name .. " is honoured for an endpoint of https alone", function()
      local proxy, https = refused_url(), refused_url():gsub("^http:", "https:") .. ""
      assert.equal("transport ProxyConnectionError", said_by({ [name] = proxy }, https))
      assert.equal("transport EndpointConnectionError", said_by({ [name] = proxy, NO_PROXY = "127.0.0.1" }, https))
      assert.equal("ok", said_by({ [name] = proxy }, server:url()))
    end)
  end

  it("in lower case wins", function()
    assert.equal("ok", said_by({ http_proxy = server:url(), HTTP_PROXY = refused_url() }, "http://nobody.invalid/"))
  end)

  it("is not honoured for a host that no_proxy exempts", function()
    for _, exempt in ipairs { "127.0.0.1", "*", "example.com, 127.0.0.1", "127.0.0.1:" .. server.port } do
      for _, name in ipairs { "no_proxy", "NO_PROXY" } do
        assert.equal("ok", said_by({ http_proxy = refused_url(), [name] = exempt }, server:url()), exempt)
      end
    end
    for _, exempt in ipairs { "127.0.0.2", "27.0.0.1", "127.0.0.1:1", "" } do
      assert.equal("transport ProxyConnectionError",
        said_by({ http_proxy = refused_url(), NO_PROXY = exempt }, server:url()), exempt)
    end
  end)

  it("is not all_proxy, which is libcurl's", function()
    assert.equal("ok", said_by({ all_proxy = refused_url(), ALL_PROXY = refused_url() }, server:url()))
  end)
end)

-- What is loaded -----------------------------------------------------------------------------------------------------

describe("the module", function()
  local MAPS = [[
    local function mapped(what)
      local file = assert(io.open "/proc/self/maps")
      local text = file:read "*a"
      file:close()
      return text:find(what, 1, true) ~= nil
    end
  ]]

  it("maps libcurl at the first exchange, and no earlier", function()
    local said = in_environment(with_keys { AWS_ENDPOINT_URL = server:url() }, MAPS .. [[
      print(mapped "libcurl")
      local client = assert(apprunner.client())
      client:pause_service {}
      apprunner.sign({ host = "h" }, {
        credentials = { access_key_id = "a", secret_access_key = "b" }, region = "r", service = "s" })
      print(mapped "libcurl")
      assert(client:pause_service { ServiceArn = ARN })
      print(mapped "libcurl")
    ]])
    assert.equal("false\nfalse\ntrue\n", said)
  end)

  it("loads at most 700 lines of Lua for one pause", function()
    local said = in_environment(with_keys { AWS_ENDPOINT_URL = server:url() }, [[
      assert(apprunner.client():pause_service { ServiceArn = ARN })
      local lines = 0
      for name in pairs(package.loaded) do
        for template in package.path:gmatch "[^;]+" do
          local file = name:find "^apprunner" and io.open((template:gsub("%?", (name:gsub("%.", "/")))))
          if file then
            for _ in file:lines() do lines = lines + 1 end
            file:close()
            break
          end
        end
      end
      print(lines)
    ]])
    local lines = tonumber(said)
    assert.is_number(lines, said)
    assert.is_true(lines > 100 and lines <= 700, said)
  end)

  it("sets no global variable", function()
    local said = in_environment(with_keys { AWS_ENDPOINT_URL = server:url() }, [[
      setmetatable(_G, { __newindex = function(_, name) print("global " .. tostring(name)) end })
      assert(apprunner.client():pause_service { ServiceArn = ARN })
      print "ok"
    ]])
    assert.equal("ok\n", said)
  end)

  it("exports nothing but its openers", function()
    if os.getenv "APPRUNNER_MEMORY" == "asan" then return end -- the sanitizer exports names of its own
    for _, name in ipairs { "core", "curl" } do
      local found
      for template in package.cpath:gmatch "[^;]+" do
        local path = template:gsub("%?", "apprunner/" .. name)
        local file = not found and io.open(path, "rb")
        if file then
          file:close()
          found = path
        end
      end
      local symbols = {}
      for line in programs.output_of("nm -D --defined-only " .. programs.quote(found)):gmatch "[^\n]+" do
        symbols[#symbols + 1] = line:match "(%S+)$"
      end
      assert.same({ "luaopen_apprunner_" .. name }, symbols)
    end
  end)

  it("says its version", function() assert.matches("^apprunner %d+%.%d+%.%d+", apprunner._VERSION) end)

  it("leaves a process that ends in the middle of a call at peace", function()
    local said = in_environment(with_keys { AWS_ENDPOINT_URL = server:url "silent" }, [[
      local client = assert(apprunner.client())
      client:pause_service({ ServiceArn = ARN }, print)
      apprunner.spawn(function() client:pause_service { ServiceArn = ARN } end)
      apprunner.spawn(function() apprunner.sleep(0.01) error("enough", 0) end)
      print(pcall(apprunner.run))
    ]])
    assert.equal("false\tenough\n", said)
  end)
end)
