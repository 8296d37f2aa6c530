-- The option faults: what goes wrong, when, and what of it has happened nevertheless.

local raw = require "spec.support.simulator_client"
local simulator = require "apprunner.simulator"
local socket = require "socket"

local start, call, by_arn, error_of = raw.start, raw.call, raw.by_arn, raw.error_of

after_each(raw.close_all)

local function pause_with(row)
  row.operation = "PauseService"
  local sim = start {operation_seconds = 3600, faults = {row}}
  local response, problem = call(sim, "PauseService", by_arn(sim))
  return sim, response, problem
end

local function performed(sim)
  return raw.status_of(sim) == "OPERATION_IN_PROGRESS"
end

describe("a fault", function()
  local errors = {
    {{kind = "throttle"}, "ThrottlingException", 400},
    {{kind = "internal"}, "InternalServiceErrorException", 500},
    {{kind = "unavailable"}, "ServiceUnavailableException", 503},
    {{kind = "error", code = "AccessDeniedException", message = "No."}, "AccessDeniedException", 400},
    {{kind = "error", code = "ServiceQuotaExceededException"}, "ServiceQuotaExceededException", 402},
    {{kind = "error", code = "ExpiredTokenException", status = 403}, "ExpiredTokenException", 403},
  }
  for _, case in ipairs(errors) do
    it(("of kind %s answers %s, and nothing is performed"):format(case[1].kind, case[2]), function()
      local sim, response = pause_with(case[1])
      assert.same({case[2], case[3]}, {error_of(response)})
      assert.is_false(performed(sim))
    end)
  end

  it("of kind unavailable_html is the page of a proxy", function()
    local sim, response = pause_with {kind = "unavailable_html"}
    assert.equal(503, response.status)
    assert.equal("text/html", response.headers["content-type"])
    assert.is_nil(response.headers["x-amzn-requestid"])
    assert.matches("^<html>", response.body)
    assert.is_false(performed(sim))
  end)

  it("of kind status has that status and body", function()
    local sim, response = pause_with {kind = "status", status = 429, body = "slow down"}
    assert.same({429, "slow down"}, {response.status, response.body})
    assert.is_false(performed(sim))
    assert.same({502, ""}, {select(2, pause_with {kind = "status", status = 502}).status, ""})
  end)

  it("of kind close_before ends the connection with nothing performed", function()
    local sim, response, problem = pause_with {kind = "close_before"}
    assert.same({nil, "closed"}, {response, problem})
    assert.is_false(performed(sim))
  end)

  it("of kind close_after ends the connection when all is performed", function()
    local sim, response, problem = pause_with {kind = "close_after"}
    assert.same({nil, "closed"}, {response, problem})
    assert.is_true(performed(sim))
  end)

  it("of kind cut ends the body before its time", function()
    local sim, response = pause_with {kind = "cut"}
    assert.equal("closed", response.cut)
    assert.is_true(#response.body > 0 and #response.body < tonumber(response.headers["content-length"]))
    assert.is_true(performed(sim))
  end)

  it("of kind garbage or empty performs, and says nothing that is JSON", function()
    local sim, response = pause_with {kind = "garbage"}
    assert.same({200, nil}, {response.status, response.data})
    assert.is_true(performed(sim) and #response.body > 0)
    sim, response = pause_with {kind = "empty"}
    assert.same({200, ""}, {response.status, response.body})
    assert.is_true(performed(sim))
  end)

  it("of kind delay keeps its answer back, and nobody else's #timing", function()
    local sim = start {faults = {{operation = "PauseService", kind = "delay", seconds = 1}}}
    local slow, begin = raw.connect(sim), socket.gettime()
    assert(slow:send(raw.request_text("PauseService", by_arn(sim)) .. raw.request_text("ListServices", "{}")))
    assert.equal("OPERATION_IN_PROGRESS", raw.await(sim, 1, "OPERATION_IN_PROGRESS"))
    assert.is_true(socket.gettime() - begin < 1)
    assert.equal("OPERATION_IN_PROGRESS", raw.read_response(slow).data.Service.Status)
    local took = socket.gettime() - begin
    assert.is_true(took >= 1 and took < raw.PATIENCE)
    assert.equal(4, #raw.read_response(slow).data.ServiceSummaryList)
  end)

  it("of kind fail starts the operation, which ends without having changed the service", function()
    for _, outcome in ipairs {"FAILED", "ROLLBACK_SUCCEEDED"} do
      local sim = start {operation_seconds = 0, faults = {{kind = "fail", at = 1, outcome = outcome}}}
      assert.equal("OPERATION_IN_PROGRESS", call(sim, "PauseService", by_arn(sim)).data.Service.Status)
      assert.equal("RUNNING", raw.status_of(sim))
      local list = call(sim, "ListOperations", by_arn(sim)).data.OperationSummaryList
      assert.same({"PAUSE_SERVICE", outcome}, {list[1].Type, list[1].Status})
      assert.equal(200, call(sim, "PauseService", by_arn(sim)).status)
      assert.equal("PAUSED", raw.status_of(sim))
    end
  end)
end)

describe("a fault strikes", function()
  -- T for each of the requests that is throttled, - for each that is not.
  local function strikes(faults, count, seed)
    local sim, marks = start {faults = faults, seed = seed}, {}
    local connection = raw.connect(sim)
    for i = 1, count do
      local response = raw.exchange(connection, raw.request_text("ListServices", "{}"))
      marks[i] = response.status == 400 and "T" or response.status == 500 and "I" or "-"
    end
    return table.concat(marks)
  end

  it("at the requests named, at each n-th, or always", function()
    assert.equal("T-T--", strikes({{kind = "throttle", at = {1, 3}}}, 5))
    assert.equal("-T---", strikes({{kind = "throttle", at = 2}}, 5))
    assert.equal("--T--T-", strikes({{kind = "throttle", every = 3}}, 7))
    assert.equal("TTT", strikes({{kind = "throttle"}}, 3))
  end)

  it("by chance, and by the same chance for the same seed", function()
    local row = {kind = "throttle", probability = 0.3}
    local first = strikes({row}, 60, 5)
    assert.equal(first, strikes({row}, 60, 5))
    assert.not_equal(first, strikes({row}, 60, 6))
    local _, count = first:gsub("T", "")
    assert.is_true(count > 5 and count < 35, first)
    assert.equal("---", strikes({{kind = "throttle", probability = 0}}, 3))
    assert.equal("TTT", strikes({{kind = "throttle", probability = 1}}, 3))
  end)

  it("by the first row that wants the request, while each counts", function()
    assert.equal("T-II", strikes({{kind = "throttle", at = 1}, {kind = "internal", at = {1, 3, 4}}}, 4))
  end)

  it("its own operation alone, and no request that is not signed as it should be", function()
    local sim = start {faults = {{operation = "PauseService", at = 1, kind = "throttle"}}}
    assert.equal(200, call(sim, "DescribeService", by_arn(sim)).status)
    local unsigned = {headers = {Authorization = false}}
    assert.equal("MissingAuthenticationTokenException", (error_of(call(sim, "PauseService", by_arn(sim), unsigned))))
    assert.equal("ThrottlingException", (error_of(call(sim, "PauseService", by_arn(sim)))))
    assert.equal(200, call(sim, "PauseService", by_arn(sim)).status)
  end)

  it("and is named in the log", function()
    local log = raw.temporary("")
    local sim = start {log = log, faults = {{kind = "close_after"}}}
    call(sim, "ListServices", "{}")
    sim:stop()
    assert.matches(" ListServices 200 %- %S+ fault=close_after$", io.open(log):read("*l"))
  end)
end)

describe("the option faults", function()
  local refused = {
    {"all", "faults"}, {{"throttle"}, "fault 1 is not a table"}, {{{kind = "meteor"}}, "unknown kind meteor"},
    {{{}}, "unknown kind nil"}, {{{kind = "throttle", operation = "StopService"}}, "unknown operation StopService"},
    {{{kind = "throttle"}, {kind = "throttle", colour = 1}}, "fault 2 has an unknown field colour"},
    {{{kind = "throttle", seconds = 1}}, "unknown field seconds"}, {{{kind = "delay"}}, "kind delay has no seconds"},
    {{{kind = "delay", seconds = -1}}, "no valid seconds"}, {{{kind = "error"}}, "no code"},
    {{{kind = "error", code = "Oops"}}, "no valid code"}, {{{kind = "status", status = 99}}, "no valid status"},
    {{{kind = "throttle", at = 0}}, "no valid at"}, {{{kind = "throttle", at = {}}}, "no valid at"},
    {{{kind = "throttle", every = 1.5}}, "no valid every"}, {{{kind = "fail", outcome = "SUCCEEDED"}}, "outcome"},
    {{{kind = "throttle", probability = 2}}, "no valid probability"}, {{first = {kind = "throttle"}}, "faults"},
    {{{kind = "throttle", at = 1, every = 2}}, "more than one of at, every and probability"},
  }

  it("is refused by name when something in it is unknown or ill-typed", function()
    for _, case in ipairs(refused) do
      local ok, message = simulator.start {faults = case[1]}
      assert.is_nil(ok)
      assert.is_truthy(message:find(case[2], 1, true), message)
    end
  end)
end)
