-- The `transport` and `logger` settings, dump and iso8601. No socket is opened.

local apprunner = require "apprunner"

local ARN = "arn:aws:apprunner:eu-west-1:123456789012:service/x/0123456789abcdef0123456789abcdef"
local SECRET, TOKEN = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "SESSIONTOKENEXAMPLE"
local GOOD = { status = 200, body = '{"Service": {"Status": "PAUSED"}}' }

local function client_with(transport, settings)
  local all = {
    transport = transport, region = "us-east-1",
    credentials = { access_key_id = "AKIDEXAMPLE", secret_access_key = SECRET, session_token = TOKEN },
  }
  for name, value in pairs(settings or {}) do all[name] = value end
  return assert(apprunner.client(all))
end

local function pause(client) return client:pause_service { ServiceArn = ARN } end

describe("a transport", function()
  it("is given the whole request, ready to be sent", function()
    local seen
    local client = client_with(function(request)
      seen = request
      return GOOD
    end, { connect_timeout = 1.5, read_timeout = 2.5, verify = false, ca_bundle = "/a/b.pem" })
    assert.equal("PAUSED", assert(pause(client)).Service.Status)
    assert.equal("POST", seen.method)
    assert.equal("https://apprunner.us-east-1.amazonaws.com/", seen.url)
    assert.equal('{"ServiceArn":"' .. ARN .. '"}', seen.body)
    assert.same({ 1.5, 2.5, false, "/a/b.pem" },
      { seen.connect_timeout, seen.read_timeout, seen.verify, seen.ca_bundle })
    local headers = {}
    for _, header in ipairs(seen.headers) do headers[header[1]:lower()] = header[2] end
    assert.equal("apprunner.us-east-1.amazonaws.com", headers.host)
    assert.equal("AppRunner.PauseService", headers["x-amz-target"])
    assert.equal(TOKEN, headers["x-amz-security-token"])
    assert.matches("^AWS4%-HMAC%-SHA256 Credential=AKIDEXAMPLE/%d+/us%-east%-1/apprunner/aws4_request,",
      headers.authorization)
  end)

  it("may give headers as a list or as a map", function()
    local function metadata(headers)
      local client = client_with(function() return { status = 200, headers = headers, body = "{}" } end)
      return assert(client:list_services()).ResponseMetadata
    end
    local list = metadata { { "X-Amzn-RequestId", "id" }, { "Via", "a" }, { "via", "b" } }
    assert.same({ "id", "a, b" }, { list.RequestId, list.HTTPHeaders.via })
    local map = metadata { ["X-Amzn-RequestId"] = "id", Age = 5 }
    assert.same({ "id", "5" }, { map.RequestId, map.HTTPHeaders.age })
  end)

  it("loads no libcurl", function()
    local programs = require "spec.support.programs"
    assert.equal("no\n", programs.run([[
      local apprunner = require "apprunner"
      local client = assert(apprunner.client { region = "us-east-1",
        credentials = { access_key_id = "a", secret_access_key = "b" },
        transport = function() return { status = 200, body = "{}" } end })
      assert(client:list_services())
      local maps = assert(io.open "/proc/self/maps"):read "*a"
      print(maps:find "libcurl" and "yes" or "no")
    ]]))
  end)

  local nonsense = {
    { "raises", function() error "down" end, "raised an error: .*down" },
    { "raises a table", function() error {} end, "raised an error: table" },
    { "returns nothing", function() end, "failed: nil" },
    { "returns nil and a message", function() return nil, "no route" end, "failed: no route" },
    { "returns a number", function() return 5 end, "expected a table" },
    { "returns no status", function() return {} end, "status: expected a number" },
    { "returns a status of 0", function() return { status = 0 } end, "status: expected a number" },
    { "returns a status of 99999", function() return { status = 99999 } end, "status: expected a number" },
    { "returns a table as body", function() return { status = 200, body = {} } end, "body: expected a string" },
    { "returns a text as headers", function() return { status = 200, headers = "x" } end, "headers: expected a table" },
    { "returns headers without values", function() return { status = 200, headers = { { "a" } } } end,
      "names and values" },
    { "returns a header with a line feed", function() return { status = 200, headers = { a = "b\nc: d" } } end,
      "names and values" },
  }
  for _, case in ipairs(nonsense) do
    it(("that %s fails the call, and the next one works"):format(case[1]), function()
      local act = case[2]
      local client = client_with(function() return act() end)
      local out, err = pause(client)
      assert.is_nil(out)
      assert.same({ "transport", "HTTPClientError" }, { err.kind, err.code })
      assert.matches(case[3], err.message)
      act = function() return GOOD end
      assert(pause(client))
    end)
  end

  it("that yields is an error of the settings where no loop can resume it #plain", function()
    local client = client_with(function() coroutine.yield "mine" end)
    local function check(out, err)
      assert.is_nil(out)
      assert.same({ "settings", "InvalidConfigError" }, { err.kind, err.code })
    end
    check(pause(client))
    check(coroutine.wrap(function() return pause(client) end)())
    local result
    apprunner.spawn(function() result = { pause(client) } end)
    apprunner.run()
    check(result[1], result[2])
  end)

  it("may wait by apprunner's own means, blocking or in a coroutine", function()
    local client = client_with(function()
      assert(apprunner.sleep(0.001))
      return GOOD
    end)
    assert(pause(client))
    local ended = 0
    for _ = 1, 3 do
      apprunner.spawn(function()
        assert(pause(client))
        ended = ended + 1
      end)
    end
    apprunner.run()
    assert.equal(3, ended)
  end)

  it("that raises after it has waited fails the call", function()
    local client, told = client_with(function()
      assert(apprunner.sleep(0.001))
      error "down"
    end), nil
    apprunner.spawn(function() told = select(2, pause(client)) end)
    apprunner.run()
    assert.same({ "transport", "HTTPClientError" }, { told.kind, told.code })
  end)

  it("that answers too much is stopped at max_response_bytes", function()
    local function long() return { status = 200, body = ("x"):rep(11) } end
    local client = client_with(long, { max_response_bytes = 10 })
    local _, err = pause(client)
    assert.same({ "response", "ResponseTooLargeError" }, { err.kind, err.code })
    client = client_with(function() return { status = 200, headers = { a = ("x"):rep(70000) } } end)
    _, err = pause(client)
    assert.equal("ResponseTooLargeError", err.code)
  end)

  it("is not called for parameters or credentials that are wrong", function()
    local called = false
    local client = client_with(function()
      called = true
      return GOOD
    end)
    assert.is_nil((client:pause_service {}))
    assert.is_false(called)
  end)

  it("must be a function", function()
    local client, err = apprunner.client { transport = "curl" }
    assert.is_nil(client)
    assert.same({ "settings", "transport: expected function, got string" }, { err.kind, err.message })
  end)
end)

describe("a logger", function()
  local function logged(transport, settings)
    local lines = {}
    settings = settings or {}
    settings.logger = function(level, message, fields) lines[#lines + 1] = { level, message, fields } end
    local client = client_with(transport, settings)
    pause(client)
    client:pause_service {}
    return lines
  end

  it("is told how each call ended", function()
    local lines = logged(function() return GOOD end)
    assert.equal("debug", lines[1][1])
    assert.equal("pause_service succeeded", lines[1][2])
    assert.same({ http_status = 200, attempts = 1 }, lines[1][3])
    assert.equal("warn", lines[2][1])
    assert.equal("ParamValidationError", lines[2][3].code)
  end)

  it("is warned where certificates are not checked", function()
    local lines = logged(function() return GOOD end, { verify = false })
    assert.same({ "warn", "certificates are not checked: verify = false" }, { lines[1][1], lines[1][2] })
  end)

  it("never learns a secret", function()
    for _, transport in ipairs {
      function() return GOOD end,
      function() return nil, "no route" end,
      function() return { status = 403, body = '{"__type": "AccessDeniedException", "Message": "no"}' } end,
    } do
      for _, line in ipairs(logged(transport)) do
        local text = apprunner.dump(line, { sensitive = true })
        assert.is_nil(text:find(SECRET, 1, true))
        assert.is_nil(text:find(TOKEN, 1, true))
      end
    end
  end)

  it("that raises or yields changes nothing", function()
    for _, logger in ipairs { function() error "full disk" end, function() coroutine.yield() end } do
      assert(pause(client_with(function() return GOOD end, { logger = logger })))
    end
  end)
end)

describe("dump", function()
  local service = {
    SourceConfiguration = { ImageRepository = { ImageConfiguration = {
      RuntimeEnvironmentVariables = { KEY = "hunter2" }, StartCommand = "run --password hunter2", Port = "8080",
    } } },
    CreatedAt = 1, Tags = { "b", "a" },
  }

  it("hides what may hold secrets unless it is asked for", function()
    local text = apprunner.dump(service)
    assert.is_nil(text:find("hunter2", 1, true))
    assert.matches('Port = "8080"', text)
    assert.matches('RuntimeEnvironmentVariables = "%*%*%*"', text)
    assert.matches("hunter2", apprunner.dump(service, { sensitive = true }))
  end)

  it("gives Lua back what it was given", function()
    local load = loadstring or load
    assert.same(service, load("return " .. apprunner.dump(service, { sensitive = true }))())
    local odd = { ['a"b\\c'] = "line\nbreak\0\1", [true] = 1.5, [-1] = {}, ["end"] = "x" }
    local text = apprunner.dump(odd):gsub("%[true%]", "[true]")
    assert.same(odd["end"], load("return " .. text)()["end"])
  end)

  it("renders any value, and a table in itself", function()
    assert.equal("nil", apprunner.dump(nil))
    assert.equal('"a\\"b"', apprunner.dump 'a"b')
    local loop = {}
    loop.self = loop
    assert.matches("contains itself", apprunner.dump(loop))
  end)
end)

describe("iso8601", function()
  for seconds, text in pairs {
    [0] = "1970-01-01T00:00:00Z", [1700000000] = "2023-11-14T22:13:20Z", [951782400] = "2000-02-29T00:00:00Z",
    [-1] = "1969-12-31T23:59:59Z", [1398796238.123] = "2014-04-29T18:30:38.123Z",
    [253402300799] = "9999-12-31T23:59:59Z", [-0.5] = "1969-12-31T23:59:59.500Z",
  } do
    it(("renders %s as %s"):format(tostring(seconds), text), function()
      assert.equal(text, apprunner.iso8601(seconds))
    end)
  end

  it("raises on what is no time", function()
    for _, value in ipairs { "x", {}, 0 / 0, 1 / 0, 1e15 } do
      assert.has_error(function() apprunner.iso8601(value) end)
    end
  end)
end)
