-- ensure_paused and ensure_running in 2,000 seeded runs, in which others pause, resume, deploy, update, delete and
-- maintain the service, operations fail or are rolled back, answers are lost and requests throttled. Each run ends in
-- the desired state, or with an error that the world's log justifies, within its timeout and its requests. A run that
-- fails names its seed: APPRUNNER_SEED=N runs that one alone.

local dice = require "apprunner.simulator.dice"
local world = require "spec.support.world"

local RUNS = 2000
local SPARE = 10 -- requests beyond one for each interval: the reserve of 8, the last look, and a pause cut short

after_each(world.restore)

local goals = {
  ensure_paused = { status = "PAUSED", type = "PAUSE_SERVICE", operation = "PauseService" },
  ensure_running = { status = "RUNNING", type = "RESUME_SERVICE", operation = "ResumeService" },
}

local outcomes = { false, false, false, false, "FAILED", "ROLLBACK_FAILED", "ROLLBACK_SUCCEEDED" }
local acts = { "pause", "resume", "deploy", "update", "maintain", "delete" }

-- What others do: a few times on a schedule, or again and again by chance.
local function random_other(roll)
  local act = acts[roll(roll(6) == 0 and #acts or #acts - 1) + 1]
  local outcome = outcomes[roll(#outcomes) + 1] or nil
  local row = { act = act, seconds = roll(120), outcome = act ~= "maintain" and outcome or nil }
  if roll(8) == 0 then row.mean_seconds = 20 + roll(300) else row.at = roll(400) end
  return row
end

local function random_others(roll)
  local rows = {}
  for i = 1, roll(8) do rows[i] = random_other(roll) end
  return rows
end

local kinds = { "close_after", "close_before", "throttle", "internal", "garbage", "cut", "unavailable" }

local function random_faults(roll)
  local rows = {}
  for i = 1, roll(4) do
    rows[i] = { kind = kinds[roll(#kinds) + 1], probability = roll(30) / 100 }
  end
  if roll(3) == 0 then
    rows[#rows + 1] = { kind = "fail", outcome = outcomes[5 + roll(3)], probability = roll(100) / 100 }
  end
  return rows
end

local statuses = { "RUNNING", "RUNNING", "RUNNING", "PAUSED", "PAUSED", "OPERATION_IN_PROGRESS", "CREATE_FAILED" }

local function random_run(seed)
  local roll = dice.new(seed)
  local w = world.of(statuses[roll(#statuses) + 1], {
    seed = seed, operation_seconds = roll(90), faults = random_faults(roll), latency = roll(20) / 10,
    others = random_others(roll),
  })
  local slower = roll(120)
  if roll(3) == 0 then w:at(roll(400), function() w.sim.operation_seconds = slower end) end
  local method = roll(2) == 0 and "ensure_paused" or "ensure_running"
  local interval = roll(2) == 0 and 1 + roll(20) or nil
  local timeout = 1 + roll(900)
  local service, err, info = w.client[method](w.client, w.params, { timeout = timeout, interval = interval })
  return {
    seed = seed, world = w, goal = goals[method], interval = interval or 5, timeout = timeout, service = service,
    err = err, info = info,
  }
end

-- What the log must show for each error; whatever else is an error of the API that was the last answer.
local justified = {
  OperationFailedError = function(run)
    local status = run.world.service.status
    if not run.err.OperationId then return status == run.err.Status and status ~= run.goal.status end
    for _, operation in ipairs(run.world.service.operations) do
      if operation.id == run.err.OperationId then
        return operation.type == run.goal.type and operation.outcome ~= "SUCCEEDED"
          and (operation.status == run.err.OperationStatus or run.err.OperationStatus == "ROLLBACK_IN_PROGRESS")
      end
    end
  end,
  WaiterTimeoutError = function(run) return run.info.elapsed >= run.timeout - 0.001 end,
  ResourceNotFoundException = function(run) return run.world.service.status == "DELETED" end,
}

local function was_answered(run)
  local log = run.world.log
  return log[#log].code == run.err.code or log[#log].lost or run.err.kind == "response"
end

-- The operations that requests of ours began, by id.
local function begun(run)
  local ids = {}
  for _, entry in ipairs(run.world.log) do
    if entry.id then ids[entry.id] = entry.operation == run.goal.operation end
  end
  return ids
end

-- Whether there was a request of ours that may have begun one, as far as its answer told.
local function is_unclear(run)
  for _, entry in ipairs(run.world.log) do
    local unclear = entry.lost or entry.code == "InternalServiceErrorException"
    if entry.operation == run.goal.operation and unclear then return true end
  end
  return false
end

local function check(run)
  local w, info = run.world, run.info
  assert.is_true((run.service == nil) ~= (run.err == nil), "both or neither")
  assert.is_true(info.elapsed <= run.timeout + w.latency + 0.001, "past the timeout: " .. info.elapsed)
  assert.is_true(#w.log <= info.elapsed / run.interval + SPARE,
    ("%d requests in %g s"):format(#w.log, info.elapsed))
  if run.service then
    assert.equal(run.goal.status, run.service.Status)
    local ours = begun(run)
    if info.changed then
      assert.is_true(ours[info.OperationId] or is_unclear(run), "it did not change that")
    else
      assert.is_nil(ours[info.OperationId or ""], "it changed that")
    end
    return
  end
  local why = justified[run.err.code] or was_answered
  assert.is_true(why(run) or false, "not justified: " .. tostring(run.err))
end

local function describe_log(run)
  local lines = {}
  for i, entry in ipairs(run.world.log) do
    local what = entry.lost and "lost" or entry.code or ""
    lines[i] = ("%.1f %s %s"):format(entry.at - world.BEGIN, entry.operation, what)
  end
  return table.concat(lines, "\n")
end

local function must_hold(seed)
  local run = random_run(seed)
  local ok, problem = pcall(check, run)
  if ok then return run end
  local text = type(problem) == "table" and problem.message or problem
  error(("seed %d: %s\n%s"):format(seed, tostring(text), describe_log(run)), 0)
end

describe("whoever else works on the service", function()
  it("a run ends in the desired state, or with an error that the log justifies #slow", function()
    local only = tonumber(os.getenv "APPRUNNER_SEED")
    local ends, most = {}, 0
    for seed = only or 1, only or RUNS do
      local run = must_hold(seed)
      local name = run.err and run.err.code or "success"
      ends[name] = (ends[name] or 0) + 1
      most = math.max(most, #run.world.log)
    end
    if only then return end
    -- The runs reach what they are about.
    for _, name in ipairs { "success", "OperationFailedError", "WaiterTimeoutError" } do
      assert.is_true((ends[name] or 0) >= RUNS / 50, name .. ": " .. (ends[name] or 0))
    end
    assert.is_true(ends.success >= RUNS / 2, "success: " .. ends.success)
    assert.is_true(most > 20)
  end)
end)
