-- ensure_paused, ensure_running and wait_for_operation against the simulator's services, on a clock that moves only
-- when somebody sleeps: every row of the state table, options, errors, progress, lost answers, throttling.

local apprunner = require "apprunner"
local lifecycle = require "apprunner.lifecycle"
local programs = require "spec.support.programs"
local simulator = require "apprunner.simulator"
local world = require "spec.support.world"

local unpack = table.unpack or unpack

after_each(world.restore)

local function ensure(w, options, method) return w.client[method or "ensure_paused"](w.client, w.params, options) end

local function lost(at) return { operation = "PauseService", kind = "close_after", at = at } end

local function refused(at, code)
  return { operation = "PauseService", kind = "error", code = code or "InvalidStateException", at = at }
end

local function failing(outcome) return { operation = "PauseService", kind = "fail", outcome = outcome } end

-- One scenario for each row of the state table, in its order: a world, what was asked of it, and how it ended.
local scenarios = {
  { "an unknown status is looked up", function() return world.of "PAUSED" end, "DescribeService", "PAUSED" },
  {
    "a lost pause that has come through is named",
    function() return world.of("RUNNING", { operation_seconds = 0, faults = { lost(1) } }) end,
    "DescribeService PauseService DescribeService ListOperations", "PAUSED",
  },
  {
    "a service that is so already is left alone", function() return world.of "PAUSED" end,
    "DescribeService", "PAUSED",
  },
  {
    "a deleted service cannot be paused", function() return world.of "DELETED" end,
    "DescribeService", "OperationFailedError",
  },
  {
    "an operation of ours that failed ends it",
    function() return world.of("RUNNING", { operation_seconds = 1, faults = { failing() } }) end,
    "DescribeService PauseService ListOperations DescribeService", "OperationFailedError",
  },
  {
    "an operation of ours that succeeded has the service described once more at once",
    function() return world.of("RUNNING", { operation_seconds = 1 }) end,
    "DescribeService PauseService ListOperations DescribeService", "PAUSED",
  },
  {
    "an operation of ours that runs is waited for, also while the status lags behind",
    function()
      local w = world.of("RUNNING", { operation_seconds = 11 })
      w:at(1, function() w.service.status = "RUNNING" end)
      return w
    end,
    "DescribeService PauseService ListOperations DescribeService ListOperations DescribeService", "PAUSED",
  },
  {
    "an operation of somebody else that runs is waited for, also while the status does not show it",
    function()
      local w = world.of("RUNNING", { operation_seconds = 5, faults = { refused { 1, 2 } } })
      w:act "deploy".status = "PENDING"
      w.service.status = "RUNNING"
      return w
    end,
    "DescribeService PauseService DescribeService ListOperations DescribeService ListOperations PauseService "
      .. "DescribeService ListOperations DescribeService PauseService ListOperations DescribeService", "PAUSED",
  },
  {
    "a lost pause that has come to nothing is sent again after a list",
    function()
      return world.of("RUNNING", {
        operation_seconds = 1, faults = { { operation = "PauseService", kind = "close_before", at = 1 } },
      })
    end,
    "DescribeService PauseService DescribeService ListOperations PauseService ListOperations DescribeService", "PAUSED",
  },
  {
    "a refusal has the operations listed",
    function() return world.of("RUNNING", { operation_seconds = 1, faults = { refused(1) } }) end,
    "DescribeService PauseService DescribeService ListOperations DescribeService PauseService ListOperations "
      .. "DescribeService", "PAUSED",
  },
  {
    "the third refusal that nothing explains is final",
    function() return world.of("RUNNING", { faults = { refused(nil, "InvalidRequestException") } }) end,
    "DescribeService PauseService DescribeService ListOperations DescribeService PauseService DescribeService "
      .. "ListOperations DescribeService PauseService DescribeService ListOperations", "InvalidRequestException",
  },
  {
    "a running service is paused", function() return world.of("RUNNING", { operation_seconds = 1 }) end,
    "DescribeService PauseService ListOperations DescribeService", "PAUSED",
  },
  {
    "a busy service has its operations listed",
    function()
      local w = world.of("RUNNING", { operation_seconds = 5 })
      w:act "pause"
      return w
    end,
    "DescribeService ListOperations DescribeService ListOperations DescribeService", "PAUSED",
  },
  {
    "maintenance is waited for",
    function()
      local w = world.of("RUNNING", { operation_seconds = 1 })
      w:act("maintain", { seconds = 5 })
      return w
    end,
    "DescribeService ListOperations DescribeService ListOperations DescribeService PauseService ListOperations "
      .. "DescribeService", "PAUSED",
  },
}

-- What was asked, and how it ended.
local function play(scenario, options)
  local w = scenario[2]()
  local service, err, info = ensure(w, options or { interval = 4 })
  return w:story(), service and service.Status or err.code, info.elapsed
end

describe("the state table", function()
  it("has a scenario for every row", function() assert.equal(#lifecycle.rows, #scenarios) end)

  for i, scenario in ipairs(scenarios) do
    it(("row %d: %s"):format(i, scenario[1]), function()
      local story, outcome = play(scenario)
      assert.same({ scenario[3], scenario[4] }, { story, outcome })
    end)

    it(("row %d is needed"):format(i), function()
      local all, others = lifecycle.rows, {}
      local options = { interval = 4, timeout = 60 } -- what goes astray ends soon
      local usual = { play(scenario, options) }
      assert.equal(scenario[4], usual[2])
      finally(function() lifecycle.rows = all end)
      for j, row in ipairs(all) do
        if j ~= i then others[#others + 1] = row end
      end
      lifecycle.rows = others
      assert.are_not.same({ true, unpack(usual) }, { pcall(play, scenario, options) })
    end)
  end

  it("leaves no situation without an action", function()
    for _, class in ipairs { "unknown", "goal", "source", "busy", "dead" } do
      for _, operation in ipairs { "unlisted", "none", "ours", "other" } do
        local found = 0
        for _, row in ipairs(lifecycle.rows) do
          local fits = (row.status or class) == class and (row.operation or operation) == operation
          if fits and not row.progress and not row.answer then found = found + 1 end
        end
        assert.is_true(found > 0, class .. " " .. operation)
      end
    end
  end)
end)

describe("ensure_running", function()
  it("is the mirror of ensure_paused", function()
    local w = world.of("PAUSED", { operation_seconds = 1 })
    local service, err, info = ensure(w, nil, "ensure_running")
    assert.same({ "RUNNING", nil, true }, { service.Status, err, info.changed })
    assert.equal("DescribeService ResumeService ListOperations DescribeService", w:story())
    assert.equal("RESUME_SERVICE", w.service.operations[2].type)
    assert.equal(w.service.operations[2].id, info.OperationId)
  end)

  it("leaves a running service alone, and waits for a pause to end before it resumes", function()
    local w = world.of "RUNNING"
    assert.equal("RUNNING", assert(ensure(w, nil, "ensure_running")).Status)
    assert.equal(1, w:requests())
    w = world.of("RUNNING", { operation_seconds = 8 })
    w:act "pause"
    assert.equal("RUNNING", assert(ensure(w, nil, "ensure_running")).Status)
    assert.equal(1, w:requests "ResumeService")
  end)
end)

describe("ensure_paused", function()
  it("tells that it changed something, by which operation, and how long it took", function()
    local w = world.of("RUNNING", { operation_seconds = 20 })
    local service, err, info = ensure(w, { interval = 5 })
    assert.is_nil(err)
    assert.equal("PAUSED", service.Status)
    assert.same({ true, w.service.operations[2].id, 20 }, { info.changed, info.OperationId, info.elapsed })
  end)

  it("changes nothing where it finds a pause", function()
    local w = world.of("RUNNING", { operation_seconds = 5 })
    local operation = w:act "pause"
    local _, _, info = ensure(w)
    assert.same({ false, operation.id }, { info.changed, info.OperationId })
    assert.equal(0, w:requests "PauseService")
    w = world.of "PAUSED"
    _, _, info = ensure(w)
    assert.same({ changed = false, elapsed = 0 }, info)
  end)

  it("takes a success without an OperationId for what the service then is", function()
    local w = world.of("RUNNING", { operation_seconds = 1 })
    local run = w.sim.json.encode
    w.sim.json.encode = function(output)
      output.OperationId = nil
      return run(output)
    end
    local service, _, info = ensure(w)
    assert.same({ "PAUSED", true, w.service.operations[2].id }, { service.Status, info.changed, info.OperationId })
  end)

  it("takes a refusal by either code for success once the service is paused", function()
    for _, code in ipairs { "InvalidStateException", "InvalidRequestException" } do
      local w = world.of("RUNNING", { operation_seconds = 0, faults = { refused(1, code) } })
      local send = w.client.transport
      w.client.transport = function(request) -- somebody else is quicker
        if w:requests() == 1 then w:act "pause" end
        return send(request)
      end
      local service, err, info = ensure(w)
      assert.is_nil(err)
      assert.same({ "PAUSED", false }, { service.Status, info.changed })
      assert.equal(1, w:requests "PauseService")
    end
  end)

  for _, seconds in ipairs { 0, 1, 30 } do
    it(("recognises a pause whose answer was lost and that took %d s"):format(seconds), function()
      local w = world.of("RUNNING", { operation_seconds = seconds, faults = { lost(1) } })
      local service, err, info = ensure(w)
      assert.is_nil(err)
      assert.same({ "PAUSED", true, w.service.operations[2].id }, { service.Status, info.changed, info.OperationId })
      assert.equal(1, w:requests "PauseService")
    end)
  end

  for _, kind in ipairs { "cut", "garbage", "empty", "internal", "unavailable_html" } do
    it(("bears one answer of kind %s to its pause"):format(kind), function()
      local w = world.of("RUNNING", { faults = { { operation = "PauseService", kind = kind, at = 1 } } })
      local service, err, info = ensure(w)
      assert.is_nil(err)
      assert.same({ "PAUSED", true, w.service.operations[2].id }, { service.Status, info.changed, info.OperationId })
    end)
  end

  it("recognises a lost pause that failed, and not one of yesterday", function()
    local w = world.of("RUNNING", { operation_seconds = 1, faults = { lost(1) } })
    w:at(1, function() w.service.running.outcome, w.service.running.becomes = "FAILED", "RUNNING" end)
    w:at(1, function() w.sim.operation_seconds = 1 end)
    local service, err, info = ensure(w)
    assert.is_nil(service)
    assert.same({ "OperationFailedError", true }, { err.code, info.changed })
    w = world.of("RUNNING", {
      operation_seconds = 1, faults = { { operation = "PauseService", kind = "close_before", at = 1 } },
    })
    w:act("pause", { outcome = "FAILED" })
    w.time = w.time + 100
    service = assert(ensure(w))
    assert.equal("PAUSED", service.Status)
  end)

  for _, outcome in ipairs { "FAILED", "ROLLBACK_FAILED", "ROLLBACK_SUCCEEDED" } do
    it("ends when its pause ends as " .. outcome, function()
      local w = world.of("RUNNING", { operation_seconds = 10, faults = { failing(outcome) } })
      local service, err, info = ensure(w, { interval = 3 })
      assert.is_nil(service)
      assert.same({ "service", "OperationFailedError", "PauseService", false },
        { err.kind, err.code, err.operation, err.retryable })
      assert.equal(w.service.operations[2].id, err.OperationId)
      assert.is_true(err.OperationStatus == outcome or err.OperationStatus == "ROLLBACK_IN_PROGRESS")
      assert.is_truthy(err.message:find(err.OperationStatus, 1, true))
      assert.is_true(info.elapsed <= 16)
    end)
  end

  it("ends while the rollback of its pause is still in progress", function()
    local w = world.of("RUNNING", { operation_seconds = 1000, faults = { failing "ROLLBACK_SUCCEEDED" } })
    local _, err, info = ensure(w)
    assert.same({ "OperationFailedError", "ROLLBACK_IN_PROGRESS", "OPERATION_IN_PROGRESS" },
      { err.code, err.OperationStatus, err.Status })
    assert.is_true(info.elapsed < 540)
  end)

  it("succeeds where its own pause failed and another's did not", function()
    local w = world.of("RUNNING", { operation_seconds = 1, faults = { failing() } })
    w:at(1.5, function()
      w.sim.operation_seconds = 0
      w:act "pause"
    end)
    assert.equal("PAUSED", assert(ensure(w)).Status)
  end)

  it("waits for a deployment that is rolled back, and then pauses", function()
    local w = world.of("RUNNING", { operation_seconds = 20 })
    w:act("deploy", { outcome = "ROLLBACK_SUCCEEDED" })
    local service, _, info = ensure(w)
    assert.same({ "PAUSED", true }, { service.Status, info.changed })
  end)

  it("pauses again what somebody has resumed meanwhile", function()
    local w = world.of("RUNNING", { operation_seconds = 1 })
    w:at(1.2, function()
      w.sim.operation_seconds = 0
      w:act "resume"
    end)
    assert.equal("PAUSED", assert(ensure(w)).Status)
    assert.equal(2, w:requests "PauseService")
  end)

  for _, status in ipairs { "CREATE_FAILED", "DELETED", "DELETE_FAILED" } do
    it("says that a service cannot be paused that is " .. status, function()
      local w = world.of(status)
      local _, err = ensure(w)
      assert.same({ "service", "OperationFailedError", status, "PauseService" },
        { err.kind, err.code, err.Status, err.operation })
      assert.equal(("the service is %s and cannot become PAUSED"):format(status), err.message)
    end)
  end

  it("ends when the service is deleted meanwhile, and when it is gone", function()
    local w = world.of "RUNNING"
    w:act "delete"
    local _, err = ensure(w)
    assert.same({ "OperationFailedError", "DELETED" }, { err.code, err.Status })
    w = world.of("RUNNING", { faults = { { kind = "error", code = "ResourceNotFoundException", at = 3 } } })
    _, err = ensure(w)
    assert.same({ "ResourceNotFoundException", 3 }, { err.code, w:requests() })
  end)

  it("tells a refusal that no state explains at once", function()
    local w = world.of("RUNNING", { faults = { refused(1, "AccessDeniedException") } })
    local _, err, info = ensure(w)
    assert.same({ "AccessDeniedException", 2, false }, { err.code, w:requests(), info.changed })
  end)

  it("bears throttling of every kind of request, however often", function()
    local w = world.of("RUNNING", { faults = { { kind = "throttle", probability = 0.6 } } })
    local service, err = ensure(w)
    assert.is_nil(err)
    assert.equal("PAUSED", service.Status)
    assert.equal(1, #w.service.operations - 1)
  end)

  it("bears four failures of a look in a row, and no fifth; none before the first answer", function()
    local function down(first, last)
      local at = {}
      for i = first, last do at[#at + 1] = i end
      return world.of("RUNNING", { operation_seconds = 5, faults = { { kind = "unavailable", at = at } } })
    end
    assert(ensure(down(3, 6)))
    local w = down(3, 7)
    local _, err = ensure(w)
    assert.same({ "ServiceUnavailableException", 7 }, { err.code, w:requests() })
    w = down(1, 1)
    _, err = ensure(w)
    assert.same({ "ServiceUnavailableException", 1 }, { err.code, w:requests() })
  end)

  it("ends after five pauses in a row that the service could not take", function()
    local w = world.of("RUNNING", { faults = { { operation = "PauseService", kind = "internal" } } })
    local _, err = ensure(w)
    assert.same({ "InternalServiceErrorException", 5 }, { err.code, w:requests "PauseService" })
  end)

  it("pauses as soon as the maintenance is over that refused it", function()
    local w = world.of("RUNNING", { operation_seconds = 1 })
    local send = w.client.transport
    w.client.transport = function(request)
      if w:requests() == 1 then w:act("maintain", { seconds = 5 }) end
      return send(request)
    end
    assert(ensure(w, { interval = 4 }))
    assert.equal("DescribeService PauseService DescribeService ListOperations DescribeService ListOperations "
      .. "DescribeService PauseService ListOperations DescribeService", w:story())
  end)

  it("asks no more often than it should of a service that others resume as soon as it is paused", function()
    local w = world.of("RUNNING", { operation_seconds = 0 })
    local send = w.client.transport
    w.client.transport = function(request)
      w:act "resume"
      return send(request)
    end
    local _, err = ensure(w, { interval = 10, timeout = 300 })
    assert.equal("WaiterTimeoutError", err.code)
    assert.is_true(w:requests "PauseService" > 5)
    assert.is_true(w:requests() > 300 / 10 and w:requests() <= 300 / 10 + 10, w:story())
  end)

  it("understands answers without a service, and of the wrong types", function()
    for body, code in pairs {
      ["{}"] = "WaiterTimeoutError", ['{"Service":5}'] = "ResponseParserError",
      ['{"Service":{"Status":7}}'] = "WaiterTimeoutError", ['{"Service":{"Status":{}}}'] = "WaiterTimeoutError",
      ['{"Service":{"Status":"OPERATION_IN_PROGRESS","UpdatedAt":"x"},"OperationSummaryList":[{"Id":{},"Status":2}]}'] =
        "WaiterTimeoutError",
      ['{"Service":{"Status":"OPERATION_IN_PROGRESS"},"OperationSummaryList":7}'] = "ResponseParserError",
    } do
      local w = world.of "RUNNING"
      w.client.transport = function() return { status = 200, body = body } end
      local _, err, info = ensure(w, { timeout = 60 })
      assert.equal(code, err.code, body)
      if code == "WaiterTimeoutError" then assert.equal(60, info.elapsed, body) end
    end
  end)

  it("finds the operation behind an empty page with a token", function()
    local w = world.of("RUNNING", { operation_seconds = 5 })
    w:act "pause"
    local send, gaps = w.client.transport, 0
    w.client.transport = function(request)
      local listing = request.body:find("MaxResults", 1, true)
      if listing and not request.body:find("NextToken", 1, true) then
        gaps = gaps + 1
        return { status = 200, body = '{"OperationSummaryList":[],"NextToken":"next"}' }
      end
      request.body = request.body:gsub('"NextToken":"next",?', ""):gsub(",}", "}")
      return send(request)
    end
    local events = {}
    assert(ensure(w, { on_progress = function(event) events[#events + 1] = event end }))
    assert.equal("IN_PROGRESS", events[2].OperationStatus)
    assert.is_true(gaps > 0)
  end)
end)

describe("the timeout", function()
  it("ends it after 900 s by default, and tells what was seen last", function()
    local w = world.of "OPERATION_IN_PROGRESS"
    local service, err, info = ensure(w)
    assert.is_nil(service)
    assert.same({ "timeout", "WaiterTimeoutError", "PauseService", "OPERATION_IN_PROGRESS", true },
      { err.kind, err.code, err.operation, err.Status, err.retryable })
    assert.equal(900, info.elapsed)
  end)

  it("keeps the operation that it waited for", function()
    local w = world.of("RUNNING", { operation_seconds = 3600 })
    local _, err, info = ensure(w, { timeout = 30 })
    assert.same({ "OPERATION_IN_PROGRESS", "IN_PROGRESS", w.service.operations[2].id },
      { err.Status, err.OperationStatus, err.OperationId })
    assert.same({ true, w.service.operations[2].id, 30 }, { info.changed, info.OperationId, info.elapsed })
    assert.is_truthy(tostring(err):find(err.OperationId, 1, true))
  end)

  it("looks once more just before it", function()
    local w = world.of("RUNNING", { operation_seconds = 18 })
    assert(ensure(w, { timeout = 20, interval = 11 }))
    assert.equal(19, w.time - world.BEGIN)
  end)

  it("of 0 ends it at once", function()
    local _, err = ensure(world.of "RUNNING", { timeout = 0 })
    assert.equal("WaiterTimeoutError", err.code)
  end)

  it("cuts off a call that hangs, and says that the pause may have happened", function()
    if _VERSION == "Lua 5.1" and not jit then return pending "a transport that waits; PUC Lua 5.1 has none" end
    world.restore()
    local client = assert(apprunner.client {
      region = "us-east-1", credentials = { access_key_id = "a", secret_access_key = "b" },
      transport = function(request)
        for _, header in ipairs(request.headers) do
          if header[2] == "AppRunner.PauseService" then apprunner.sleep(0.5) end
        end
        return { status = 200, body = '{"Service":{"Status":"RUNNING"}}' }
      end,
    })
    local out, errs
    apprunner.spawn(function()
      out, errs = apprunner.map({ 1 }, function()
        return client:ensure_paused({ ServiceArn = "arn:aws:apprunner:us-east-1:123456789012:service/x/1" },
          { timeout = 0.2 })
      end)
    end)
    apprunner.run()
    assert.same({}, out)
    assert.same({ "WaiterTimeoutError", "RUNNING", true }, { errs[1].code, errs[1].Status, errs[1].ambiguous })
  end)
end)

describe("the pauses between looks", function()
  it("are 2 s and then 5 to 15 s, by chance", function()
    local w = world.of("RUNNING", { operation_seconds = 600 })
    assert(ensure(w))
    assert.equal(2, w.sleeps[1])
    local least, most = math.huge, 0
    for i = 2, #w.sleeps do least, most = math.min(least, w.sleeps[i]), math.max(most, w.sleeps[i]) end
    assert.is_true(least >= 5 and most <= 15 and most - least > 5)
  end)

  it("are the interval, where one is given", function()
    local w = world.of("RUNNING", { operation_seconds = 60 })
    assert(ensure(w, { interval = 7 }))
    for _, seconds in ipairs(w.sleeps) do assert.equal(7, seconds) end
  end)

  it("leave room for one request each and ten more", function()
    local w = world.of("RUNNING", { operation_seconds = 60, faults = { { kind = "throttle", probability = 0.5 } } })
    assert(ensure(w, { interval = 5 }))
    assert.is_true(w:requests() <= (w.time - world.BEGIN) / 5 + 10)
  end)
end)

describe("on_progress", function()
  it("is told of every answer", function()
    local events = {}
    local w = world.of("RUNNING", { operation_seconds = 10 })
    assert(ensure(w, { interval = 4, on_progress = function(event) events[#events + 1] = event end }))
    local function event(status, elapsed)
      return {
        Status = "OPERATION_IN_PROGRESS", OperationId = w.service.operations[2].id, OperationStatus = status,
        changed = true, elapsed = elapsed,
      }
    end
    assert.same({
      { Status = "RUNNING", elapsed = 0 },
      event(nil, 0), event("IN_PROGRESS", 4), event("IN_PROGRESS", 8), event("SUCCEEDED", 12),
      { Status = "PAUSED", changed = true, elapsed = 12 },
    }, events)
  end)

  it("is told that something was changed once that is known, and not of what others do", function()
    local function first_change(w)
      local first
      assert(ensure(w, { on_progress = function(event) first = first or event.changed and event end }))
      return first
    end
    local w = world.of("RUNNING", { operation_seconds = 10, faults = { lost(1) } })
    local event = first_change(w)
    assert.same({ w.service.operations[2].id, "IN_PROGRESS" }, { event.OperationId, event.OperationStatus })
    w = world.of("RUNNING", { operation_seconds = 10 })
    assert(w.client:pause_service(w.params))
    assert.is_nil(first_change(w))
  end)
end)

describe("parameters and options", function()
  it("are checked together, and nothing is sent", function()
    local w = world.of "RUNNING"
    local service, err = w.client:ensure_paused({ ServiceARN = "x" },
      { timeout = -1, interval = "5", on_progress = true, retries = 3 })
    assert.is_nil(service)
    assert.same({ "validation", "ParamValidationError", "PauseService" }, { err.kind, err.code, err.operation })
    assert.same({
      "missing required member ServiceArn", "unknown member ServiceARN (did you mean ServiceArn?)",
      "option interval: expected a number of seconds, 0 to 1e9, got string",
      "option on_progress: expected a function, got boolean",
      "option timeout: expected a number of seconds, 0 to 1e9, got -1", "unknown option retries",
    }, err.problems)
    for _, problem in ipairs(err.problems) do assert.is_truthy(tostring(err):find(problem, 1, true)) end
    assert.equal(0, w:requests())
  end)

  it("may be no numbers that are none", function()
    for _, value in ipairs { 0 / 0, math.huge, -1e-9 } do
      local _, err = ensure(world.of "RUNNING", { timeout = value })
      assert.equal("ParamValidationError", err.code)
    end
  end)

  it("that are no tables are misuse", function()
    local w = world.of "RUNNING"
    for _, method in ipairs { "ensure_paused", "ensure_running", "wait_for_operation" } do
      assert.has_error(function() w.client[method](w.client, "arn") end,
        ("bad parameters of %s (table expected, got string)"):format(method))
      assert.has_error(function() w.client[method](w.client, {}, 5) end,
        ("bad options of %s (table expected, got number)"):format(method))
    end
  end)
end)

describe("wait_for_operation", function()
  local function wait(w, id, options)
    return w.client:wait_for_operation({ ServiceArn = w.params.ServiceArn, OperationId = id }, options)
  end

  it("returns an operation when it has succeeded, behind newer ones on later pages too", function()
    local w = world.of("RUNNING", { operation_seconds = 10, page_size = 1 })
    local id = w:act("deploy").id
    w:at(10, function() w:act "update" end)
    local operation, err, info = wait(w, id, { interval = 4 })
    assert.is_nil(err)
    assert.same({ id, "SUCCEEDED", 12 }, { operation.Id, operation.Status, info.elapsed })
  end)

  it("waits for one that is not listed yet", function()
    local w = world.of("RUNNING", { operation_seconds = 0 })
    local statuses = {}
    w:at(20, function() w:act("deploy").id = "the-id" end)
    local operation = assert(wait(w, "the-id", {
      interval = 15, on_progress = function(event) statuses[#statuses + 1] = event.OperationStatus or "none" end,
    }))
    assert.equal("the-id", operation.Id)
    assert.same({ "none", "none", "SUCCEEDED" }, statuses)
  end)

  it("ends when it failed or was rolled back", function()
    for _, outcome in ipairs { "FAILED", "ROLLBACK_FAILED", "ROLLBACK_SUCCEEDED" } do
      local w = world.of("RUNNING", { operation_seconds = 1 })
      local id = w:act("update", { outcome = outcome }).id
      local operation, err = wait(w, id)
      assert.is_nil(operation)
      assert.same({ "OperationFailedError", "ListOperations", id, outcome },
        { err.code, err.operation, err.OperationId, err.OperationStatus })
    end
  end)

  it("ends when its time is up", function()
    local w = world.of "RUNNING"
    local _, err, info = wait(w, "never", { timeout = 50 })
    assert.same({ "WaiterTimeoutError", "never", 50 }, { err.code, err.OperationId, info.elapsed })
  end)

  it("tells every problem at once", function()
    local w = world.of "RUNNING"
    local _, err = w.client:wait_for_operation({ OperationId = 5, NextToken = "x" }, { timeout = {} })
    assert.same({
      "missing required member ServiceArn", "unknown member NextToken",
      "option timeout: expected a number of seconds, 0 to 1e9, got table", "OperationId: expected string, got number",
    }, err.problems)
  end)
end)

describe("waiting", function()
  it("by the real clock, in spawned coroutines, takes its turns with others", function()
    local real_world = world.of("RUNNING", { operation_seconds = 0 })
    world.restore()
    local service
    local ticks = 0
    apprunner.spawn(function() service = assert(ensure(real_world, { interval = 0.01 })) end)
    apprunner.spawn(function()
      repeat
        ticks = ticks + 1
        apprunner.sleep(0.001)
      until service
    end)
    apprunner.run()
    assert.equal("PAUSED", service.Status)
    assert.is_true(ticks >= 2)
  end)

  it("on sockets recognises a pause whose answer was lost, which the client sends again", function()
    for _, seconds in ipairs { 0, 0.2 } do
      local sim = assert(simulator.start { operation_seconds = seconds, faults = { lost(1) } })
      finally(function() sim:stop() end)
      local client = assert(apprunner.client {
        endpoint_url = sim.endpoint_url, region = "us-east-1",
        credentials = { access_key_id = "AKIDEXAMPLE", secret_access_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" },
      })
      local params = { ServiceArn = sim.services[1].ServiceArn }
      local service, err, info = client:ensure_paused(params, { interval = 0.05, timeout = 20 })
      assert.is_nil(err)
      local operation = client:each_operation(params)()
      assert.same({ "PAUSED", true, operation.Id }, { service.Status, info.changed, info.OperationId })
      assert.equal("PAUSE_SERVICE", operation.Type)
      sim:stop()
    end
  end)

  it("ends when the client is closed meanwhile", function()
    local w = world.of("RUNNING", { operation_seconds = 3600 })
    world.restore()
    local err
    apprunner.spawn(function() err = select(2, ensure(w, { interval = 0.01 })) end)
    apprunner.spawn(function()
      apprunner.sleep(0.03)
      w.client:close()
    end)
    apprunner.run()
    assert.same({ "cancelled", "Cancelled" }, { err.kind, err.code })
  end)

  it("is loaded by its first use, not by a pause", function()
    assert.equal("false true\n", programs.run [[
      local apprunner = require "apprunner"
      local client = assert(apprunner.client { region = "us-east-1",
        credentials = { access_key_id = "a", secret_access_key = "b" },
        transport = function() return { status = 200, body = '{"Service":{"Status":"PAUSED"}}' } end })
      local params = { ServiceArn = "arn:aws:apprunner:us-east-1:123456789012:service/x/1" }
      assert(client:pause_service(params))
      local before = package.loaded["apprunner.lifecycle"] ~= nil
      assert(client:ensure_paused(params))
      print(tostring(before) .. " " .. tostring(package.loaded["apprunner.lifecycle"] ~= nil))
    ]])
  end)
end)

describe("the README", function()
  it("has the state table as it is in the code", function()
    local readme = programs.read "README.md"
    for _, row in ipairs(lifecycle.rows) do
      local line = ("| %s | %s | %s | %s | %s | %s |"):format(row.status or "", row.operation or "", row.progress or "",
        row.answer or "", row.action, row.why)
      assert.is_truthy(readme:find(line, 1, true), line)
    end
  end)
end)
