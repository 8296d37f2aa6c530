-- Answers against two references: botocore's parser, for answers generated from the API's model, and the protocol's own
-- suite, where it applies. No socket is opened: a transport gives the answers.

local apprunner = require "apprunner"
local cjson = require "cjson"
local programs = require "spec.support.programs"

local reference = os.getenv "APPRUNNER_REFERENCE" or "../shared/reference"
local ARN = "arn:aws:apprunner:us-east-1:123456789012:service/x/0123456789abcdef0123456789abcdef"

local function read_json(path)
  local text = programs.read(reference .. "/" .. path)
  return text and cjson.decode(text)
end

local function client_that_gets(response, settings)
  settings = settings or {}
  if settings.region == nil then settings.region = "us-east-1" end
  settings.region = settings.region or nil
  settings.credentials = { access_key_id = "AKIDEXAMPLE", secret_access_key = "secret" }
  settings.transport = function(request)
    settings.seen = request
    return response
  end
  return assert(apprunner.client(settings)), settings
end

-- The API's name of an operation in the module's style.
local function method_of(operation)
  return (operation:gsub("(%l)(%u)", "%1_%2"):lower())
end

local PARAMS = {
  list_services = {},
  list_tags_for_resource = { ResourceArn = ARN },
}

local function answer_of(operation, response)
  local method = method_of(operation)
  local client = client_that_gets(response)
  return client[method](client, PARAMS[method] or { ServiceArn = ARN })
end

-- Why two values differ, or nil. Null stands for nothing.
local function difference(got, expected, path)
  if expected == cjson.null then expected = nil end
  if type(got) ~= type(expected) then return ("%s: got %s, expected %s"):format(path, type(got), type(expected)) end
  if type(got) ~= "table" then
    return got ~= expected and ("%s: got %s, expected %s"):format(path, tostring(got), tostring(expected)) or nil
  end
  for key in pairs(expected) do
    local why = difference(got[key], expected[key], path .. "." .. tostring(key))
    if why then return why end
  end
  for key in pairs(got) do
    if expected[key] == nil then return path .. "." .. tostring(key) .. ": not expected" end
  end
end

describe("the answer", function()
  it("is decoded as botocore does, whatever member of the model is there, left out or null", function()
    local model = reference .. "/apprunner/service-2.json"
    if not io.open(model) then return pending("the reference data is not there: " .. reference) end
    local cases = programs.output_of(
      ("%s spec/support/decode_cases.py %s"):format(programs.python, programs.quote(model)))
    local count = 0
    for line in cases:gmatch "[^\n]+" do
      local case = cjson.decode(line)
      local out = assert(answer_of(case.operation, { status = 200, body = case.body }))
      out.ResponseMetadata = nil
      local why = difference(out, case.expected, case.operation)
      assert.is_nil(why, why)
      count = count + 1
    end
    assert.is_true(count > 150, count .. " cases")
  end)

  it("has integers where the model says so and the Lua has them", function()
    if not math.type then return pending "this Lua has no integers" end
    local out = assert(answer_of("DescribeService", { status = 200, body = [[{"Service": {
      "CreatedAt": 1700000000, "UpdatedAt": 1700000000.5, "DeletedAt": 1.7E9,
      "HealthCheckConfiguration": {"Interval": 5, "Timeout": 2.0, "HealthyThreshold": 1e1},
      "AutoScalingConfigurationSummary": {"AutoScalingConfigurationRevision": 3, "CreatedAt": -1}}}]] })).Service
    assert.equal("integer", math.type(out.CreatedAt))
    assert.equal("float", math.type(out.UpdatedAt))
    assert.equal(1700000000, out.DeletedAt)
    assert.equal("integer", math.type(out.DeletedAt))
    for _, value in pairs(out.HealthCheckConfiguration) do assert.equal("integer", math.type(value)) end
    assert.equal("integer", math.type(out.AutoScalingConfigurationSummary.AutoScalingConfigurationRevision))
    assert.equal(-1, out.AutoScalingConfigurationSummary.CreatedAt)
    assert.equal("2023-11-14", os.date("!%Y-%m-%d", out.CreatedAt))
  end)

  it("keeps members that are newer than the model, without their nulls", function()
    local out = assert(answer_of("PauseService", {
      status = 200,
      body = [[{"Service": {"Status": "HIBERNATING", "New": {"a": [1, null, "x"], "b": null}}, "More": true}]],
    }))
    assert.same({ Status = "HIBERNATING", New = { a = { 1, "x" } } }, out.Service)
    assert.is_true(out.More)
    assert.is_nil(out.OperationId)
  end)

  it("gives empty lists and maps as empty tables", function()
    local out = assert(answer_of("ListServices", { status = 200, body = [[{"ServiceSummaryList": []}]] }))
    assert.same({}, out.ServiceSummaryList)
    assert.is_nil(out.NextToken)
  end)

  for _, case in ipairs {
    { "PauseService", '{"Service": []}' }, { "PauseService", '{"Service": [1]}', "Service" },
    { "PauseService", '{"Service": "x"}', "Service" },
    { "PauseService", '{"Service": {"NetworkConfiguration": {"IngressConfiguration": true}}}', "IngressConfiguration" },
    { "PauseService", '{"Service": {"SourceConfiguration": {"ImageRepository": {"ImageConfiguration": '
      .. '{"RuntimeEnvironmentVariables": 1}}}}}', "RuntimeEnvironmentVariables" },
    { "PauseService", '{"Service": {"CreatedAt": "then"}}' },
    { "ListServices", '{"ServiceSummaryList": "x"}', "ServiceSummaryList" },
    { "ListServices", '{"ServiceSummaryList": [{}, 1]}', "ServiceSummaryList" },
    { "ListServices", '{"ServiceSummaryList": [[1]]}', "ServiceSummaryList" },
  } do
    local operation, body, wrong = case[1], case[2], case[3]
    it((wrong and "is refused for the type of " .. wrong or "is taken") .. " in " .. body, function()
      local out, err = answer_of(operation, { status = 200, body = body })
      if not wrong then return assert.is_table(out, tostring(err)) end
      assert.is_nil(out)
      assert.equal("ResponseParserError", err.code)
      assert.matches("member " .. wrong .. " has the wrong type", err.message, 1, true)
    end)
  end

  local unusable = {
    ["nothing"] = "", ["HTML"] = "<html></html>", ["half an object"] = [[{"Service": {]], ["null"] = "null",
    ["a list"] = "[]", ["a text"] = '"x"', ["an object and more"] = "{} {}", ["a byte order mark"] = "\239\187\191{}",
    ["NaN"] = [[{"Service": {"CreatedAt": NaN}}]], ["Infinity"] = [[{"Service": {"CreatedAt": -Infinity}}]],
    ["a hexadecimal number"] = [[{"Service": {"CreatedAt": 0x10}}]], ["a number in octal style"] = [[{"a": 010x}]],
    ["too deep"] = ("[["):rep(500) .. ("]]"):rep(500),
    ["too deep an object"] = ('{"a":'):rep(65) .. "1" .. ("}"):rep(65),
    ["too many members"] = '{"a": [' .. ("1,"):rep(200001) .. "1]}",
  }
  for what, body in pairs(unusable) do
    it("is a ResponseParserError when it holds " .. what, function()
      local out, err = answer_of("PauseService", { status = 200, body = body })
      assert.is_nil(out)
      assert.equal("ResponseParserError", err.code)
      assert.equal("response", err.kind)
      assert.equal(200, err.http_status)
      if #body > 0 then assert.equal(body:sub(1, 4096), err.http_body) end
    end)
  end
end)

describe("the protocol's suite", function()
  -- Of the outputs, those that do not need a shape of the suite's own.
  it("finds the codes and the outputs that aws-json prescribes", function()
    local suites = read_json "protocol/json_1_0-output.json"
    if not suites then return pending("the reference data is not there: " .. reference) end
    local count = 0
    for _, suite in ipairs(suites) do
      for _, case in ipairs(suite.cases) do
        local response = {
          status = case.response.status_code, headers = case.response.headers, body = case.response.body or "",
        }
        local out, err = answer_of("PauseService", response)
        if case.errorCode then
          assert.is_nil(out)
          assert.equal(case.errorCode, err.code, case.id)
          assert.equal("service", err.kind, case.id)
          assert.equal(case.response.status_code, err.http_status, case.id)
          count = count + 1
        elseif next(case.result) == nil and #response.body > 0 then
          assert.is_table(out, case.id)
          count = count + 1
        end
      end
    end
    assert.is_true(count >= 8, count .. " cases")
  end)

  it("sends an empty object where there are no parameters", function()
    local client, settings = client_that_gets { status = 200, body = "{}" }
    assert(client:list_services())
    assert.equal("{}", settings.seen.body)
  end)

  it("posts to a custom endpoint's path", function()
    local client, settings = client_that_gets(
      { status = 200, body = "{}" }, { endpoint_url = "https://example.com/custom" })
    assert(client:list_services())
    assert.equal("https://example.com/custom/", settings.seen.url)
  end)
end)

describe("the endpoint", function()
  local function endpoint(params)
    local client, settings = client_that_gets({ status = 200, body = "{}" }, {
      region = params.Region or false, endpoint_url = params.Endpoint, use_fips_endpoint = params.UseFIPS,
      use_dualstack_endpoint = params.UseDualStack,
    })
    local out, err = client:list_services()
    return out and settings.seen.url, err
  end

  it("is that of the endpoint rules' own tests", function()
    local cases = read_json "apprunner/endpoint-tests.json"
    if not cases then return pending("the reference data is not there: " .. reference) end
    for _, case in ipairs(cases.testCases or cases) do
      local params = case.params or {}
      -- Signing needs a region even where the rules need none; and none may come from the ARN or the environment.
      if params.Endpoint and not params.Region then params.Region = "us-east-1" end
      local url, err = endpoint(params)
      if case.expect.endpoint then
        assert.equal(case.expect.endpoint.url .. "/", url, case.documentation)
      else
        assert.is_nil(url, case.documentation)
        assert.equal("settings", err.kind)
        if err.code == "EndpointProviderError" then assert.equal(case.expect.error, err.message) end
      end
    end
  end)

  for _, case in ipairs {
    { "http://localhost:4566/aws", "http://localhost:4566/aws/" },
    { "https://EXAMPLE.com:443", "https://example.com/" },
    { "http://[::1]:8080", "http://[::1]:8080/" }, { "http://127.0.0.1:80/", "http://127.0.0.1/" },
  } do
    it("is " .. case[2] .. " where it is set to " .. case[1], function()
      assert.equal(case[2], (endpoint { Region = "us-east-1", Endpoint = case[1] }))
    end)
  end

  for _, url in ipairs {
    "ftp://example.com", "example.com", "https://user:secret@example.com", "https://example.com/?a=b",
    "https://example.com/#x", "https://", "https://exa mple.com", "https://[fe80::1%25eth0]/",
    "http://example.com:99999",
    "https://-\1.example.com", "http://a..b", "https://" .. ("a"):rep(64) .. ".com",
  } do
    it(("is refused where it is set to %q"):format(url), function()
      local client, err = apprunner.client {
        region = "us-east-1", endpoint_url = url, transport = function() return { status = 200, body = "{}" } end,
        credentials = { access_key_id = "a", secret_access_key = "b" },
      }
      local out
      if client then out, err = client:list_services() end
      assert.is_nil(out)
      assert.equal("settings", err.kind)
      assert.is_nil(tostring(err):find("secret", 1, true))
    end)
  end
end)
