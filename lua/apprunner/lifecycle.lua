-- The state that a service shall be in: ensure_paused, ensure_running, and
-- waiting for an operation. What is done next is a row of `rows`; each action
-- changes what is known, by one request at most, until a row ends it. Conflicts
-- are settled by what DescribeService and ListOperations tell, never by texts.
local core = require "apprunner.core"
local lists = require "apprunner.lists"
local options = require "apprunner.options"

local lifecycle = {}

-- Time and chance; a test puts its own here.
lifecycle.clock = {
  now = core.now,
  random = core.random,
  sleep = function(client, seconds) return getmetatable(client).sleep(client.loop, seconds) end,
}

local TIMEOUT = 900 -- seconds
local FIRST, SHORTEST, SPREAD = 2, 5, 10 -- seconds: the first look, and 5 to 15 between the others
local LAST = 1 -- seconds before the timeout, at most, for a last look
local LEAST = 0.01 -- seconds between two looks, whatever `interval` says
local RESERVE = 8 -- requests beside those that a pause has earned
local REFUSALS = 3 -- of the operation in a row with nothing to show for it
local FAILURES = 5 -- of a call in a row, other than throttling

local indices = {} -- method -> the number by which the core knows it
for index, method in ipairs(core.operations) do indices[method] = index end

local known = { timeout = options.seconds, interval = options.seconds, on_progress = options.callback }

-- ---------------------------------------------------------------------------
-- What is done next

-- The two directions.
local goals = {
  ensure_paused = {
    status = "PAUSED", from = "RUNNING", type = "PAUSE_SERVICE", method = "pause_service", operation = "PauseService",
  },
  ensure_running = {
    status = "RUNNING", from = "PAUSED", type = "RESUME_SERVICE", method = "resume_service",
    operation = "ResumeService",
  },
}

-- What a status means; any other is waited out.
local dead = { CREATE_FAILED = true, DELETED = true, DELETE_FAILED = true }

-- The first row that fits says what is done next.
--   status: of the service: goal (what it shall be), source (what the operation
--     starts from), busy (OPERATION_IN_PROGRESS), dead, unknown (look again)
--   operation: unlisted (it was not looked for yet), none (nothing runs), ours
--     (sent or joined by us), other (somebody's that runs)
--   progress: of that operation: running, succeeded, failed
--   answer: to what we sent last: refused (a conflict), lost (no clear answer)
-- An absent column fits anything; answer = "none" is no such answer.
lifecycle.rows = {
  { status = "unknown", action = "look", why = "nothing is known, or a request may have changed it" },
  { status = "goal", operation = "unlisted", answer = "lost", action = "list",
    why = "the operation whose answer was lost is to be named" },
  { status = "goal", action = "finish", why = "it is so, whoever did it" },
  { status = "dead", action = "give up", why = "no operation leads from here to the goal" },
  { operation = "ours", progress = "failed", action = "fail", why = "FAILED or ROLLBACK_*; one more look" },
  { operation = "ours", progress = "succeeded", action = "look again", why = "it is over; what counts is the status" },
  { operation = "ours", action = "wait", why = "it runs" },
  { operation = "other", action = "wait", why = "only one operation can run at a time" },
  { status = "source", operation = "unlisted", answer = "lost", action = "list", why = "was it carried out?" },
  { status = "source", operation = "unlisted", answer = "refused", action = "list", why = "what stands in its way?" },
  { status = "source", operation = "none", answer = "refused", action = "wait and retry",
    why = "nothing does any more; the third refusal in a row is final" },
  { status = "source", action = "send", why = "nothing stands in its way" },
  { status = "busy", operation = "unlisted", action = "list", why = "what is being done?" },
  { status = "busy", action = "wait", why = "maintenance: no operation is listed" },
}

local function status_class(run)
  local status, goal = run.Status, run.goal
  if status == goal.status then return "goal" end
  if status == goal.from then return "source" end
  return dead[status] and "dead" or "busy"
end

local function progress_class(status)
  if status == "SUCCEEDED" then return "succeeded" end
  if status == "FAILED" or tostring(status):find "^ROLLBACK_" then return "failed" end
  return "running"
end

local function next_action(run)
  local progress = run.watched and progress_class(run.watched.Status)
  for _, row in ipairs(lifecycle.rows) do
    if (row.status or run.class) == run.class and (row.operation or run.operation) == run.operation
      and (row.progress or progress) == progress and (row.answer or run.answer) == run.answer then
      return row.action
    end
  end
end

-- ---------------------------------------------------------------------------
-- Time, and requests

local function elapsed(run) return lifecycle.clock.now() - run.began end

-- The error that ends it, with what was seen last.
local function failure(run, code, message)
  local _, err = core.fail(code, message)
  local watched = run.watched or {}
  err.operation, err.Status = run.goal.operation, run.Status
  err.OperationId, err.OperationStatus = watched.Id, watched.Status
  return nil, err
end

local function last_seen(run)
  local watched = run.watched
  local seen = { run.Status }
  if watched then
    seen[#seen + 1] = ("operation %s %s"):format(tostring(watched.Id), tostring(watched.Status or "not listed yet"))
  end
  seen[#seen + 1] = run.problem and tostring(run.problem)
  return #seen > 0 and table.concat(seen, ", ") or "nothing"
end

local function time_out(run)
  local _, err = failure(run, "WaiterTimeoutError",
    ("not %s within %g s; last seen: %s"):format(run.goal.status, run.timeout, last_seen(run)))
  err.retryable = true
  if run.answer == "lost" then err.ambiguous = true end
  return nil, err
end

-- Seconds until the next look.
local function interval(run)
  run.pauses = run.pauses + 1
  if run.interval then return math.max(run.interval, LEAST) end
  return run.pauses == 1 and FIRST or SHORTEST + SPREAD * lifecycle.clock.random()
end

-- Waits for the next look, which earns a request; nil, err when time is up. The
-- last look comes a little before that.
local function pause(run)
  local left = run.timeout - elapsed(run)
  local last = math.min(LAST, run.timeout / 10)
  local ending = left <= last
  local seconds = ending and left or math.min(interval(run), left - last)
  local ok, err = lifecycle.clock.sleep(run.client, math.max(seconds, 0))
  if not ok then return nil, err end
  if ending then return time_out(run) end
  run.credit = run.credit + 1
  return true
end

local function tell(run)
  if not run.on_progress then return end
  local watched = run.watched or {}
  run.on_progress {
    Status = run.Status, OperationStatus = watched.Status, OperationId = watched.Id, changed = run.changed or nil,
    elapsed = elapsed(run),
  }
end

-- One call, for which there is a request to spend, within the time that is left.
local function request(run, method, params)
  if run.client.closed then return core.fail("Cancelled", "the client was closed") end
  if run.credit < 1 then
    local ok, err = pause(run)
    if not ok then return nil, err end
  end
  run.credit = run.credit - 1
  local left = math.max(run.timeout - elapsed(run), 0)
  local out, err = getmetatable(run.client).wait(run.client, indices[method], params, left)
  if out then run.answered = true end
  run.problem = err
  if err and err.ambiguous and method == run.goal.method then run.answer = "lost" end
  if err and err.code == "CallTimeoutError" and elapsed(run) >= run.timeout then return time_out(run) end
  return out, err
end

local throttling = { TooManyRequestsException = true, RequestLimitExceeded = true, SlowDown = true }

local function is_throttling(err)
  return err.http_status == 429 or throttling[err.code] or err.code:find "Throttl" ~= nil
end

-- Whether the same request may do better, or has done its work unseen.
local function is_unclear(err)
  if err.kind == "cancelled" then return false end
  return err.retryable or err.ambiguous or err.kind == "response" or err.code == "CallTimeoutError"
end

-- Whether one more failure of this sort (looks, sends) is borne.
local function is_borne(run, sort, err)
  if err.code == "WaiterTimeoutError" then return false end
  if is_throttling(err) then return true end
  run.failures[sort] = run.failures[sort] + 1
  return run.answered and is_unclear(err) and run.failures[sort] < FAILURES
end

-- A call that only looks, again and again while its failures can be borne.
local function ask(run, method, params)
  while true do
    local out, err = request(run, method, params)
    if out then
      run.failures.looks = 0
      return out
    end
    if not is_borne(run, "looks", err) then return nil, err end
    local ok
    ok, err = pause(run)
    if not ok then return nil, err end
  end
end

-- ---------------------------------------------------------------------------
-- What is known

local function is_ours(run) return run.operation == "ours" end

local function watch(run, operation, summary)
  run.operation, run.watched = operation, summary
  if operation == "ours" then run.OperationId = summary.Id end
end

-- A status that has changed makes stale what was listed of others.
local function see(run, service)
  local before, status = run.seen, type(service) == "table" and service.Status
  if type(status) ~= "string" then
    run.class = "unknown"
    return
  end
  run.service, run.Status = service, status
  run.class = status_class(run)
  run.seen = run.class
  if before ~= run.class and not is_ours(run) then watch(run, "unlisted") end
end

-- By the service's clock, whatever ours says: nothing that starts from now on
-- can have started earlier.
local function server_time(out)
  local date = out.ResponseMetadata.HTTPHeaders.date
  local updated = type(out.Service) == "table" and out.Service.UpdatedAt
  return math.max(date and core.http_date(date) or 0, type(updated) == "number" and updated or 0)
end

local function find_id(page, id)
  for _, summary in ipairs(page) do
    if summary.Id == id then return summary end
  end
end

local function is_running(summary)
  return summary.Status == "PENDING" or summary.Status == "IN_PROGRESS" or summary.Status == "ROLLBACK_IN_PROGRESS"
end

-- The operation of a request whose answer was lost: of our type, and it runs,
-- has led to the goal, or started since the last look before that request.
local function find_lost(run, page)
  for _, summary in ipairs(page) do
    local started = type(summary.StartedAt) == "number" and summary.StartedAt or 0
    local fresh = is_running(summary) or run.class == "goal" or started >= run.sent
    if summary.Type == run.goal.type and fresh then return summary end
  end
end

local function find_running(page)
  for _, summary in ipairs(page) do
    if is_running(summary) then return summary end
  end
end

-- Whose operation runs, of one that we know nothing of.
local function take_running(run, page)
  local summary = find_running(page)
  if summary then
    local joined = summary.Type == run.goal.type and summary.Status ~= "ROLLBACK_IN_PROGRESS"
    watch(run, joined and "ours" or "other", summary)
    run.answer, run.refusals = "none", 0
    return
  end
  watch(run, "none")
  if run.class == "source" and run.answer == "lost" then run.answer = run.refusals > 0 and "refused" or "none" end
  if run.class == "busy" and run.answer == "refused" then run.answer, run.refusals = "none", 0 end -- maintenance
end

local function take_list(run, page)
  local lost = run.answer == "lost" and find_lost(run, page)
  if is_ours(run) then
    run.watched = find_id(page, run.watched.Id) or run.watched
  elseif lost then
    watch(run, "ours", lost)
    run.answer, run.changed = "none", true
  else
    take_running(run, page)
  end
end

-- ---------------------------------------------------------------------------
-- Actions: nothing to go on, true and the service at the end, nil and an error

local actions = {}

-- pause, as an action.
local function rest(run)
  local ok, err = pause(run)
  if not ok then return nil, err end
end

-- `perform`: ask, or request for one try.
function actions.look(run, perform)
  local out, err = (perform or ask)(run, "describe_service", run.params)
  if not out then return nil, err end
  run.since = server_time(out)
  run.last = "look"
  see(run, out.Service)
  tell(run)
end

actions["look again"] = function(run)
  watch(run, "unlisted")
  return actions.look(run)
end

-- The newest operations. One that runs is among them.
function actions.list(run)
  local pages = lists.pages(lists.operations, { ServiceArn = run.params.ServiceArn, MaxResults = 20 },
    function(method, params) return ask(run, method, params) end)
  local page, err
  repeat page, err = pages() until err or not page or #page > 0
  if err and run.class == "goal" then
    page = {}
  elseif err then
    return nil, err
  end
  run.last = "list"
  take_list(run, page or {})
  if run.class == "goal" and run.answer == "lost" then run.answer, run.changed = "none", true end
  tell(run)
end

-- Describes and lists by turns, so that both are watched by one request a pause.
function actions.wait(run)
  local _, err = rest(run)
  if err then return nil, err end
  return actions[run.last == "list" and "look" or "list"](run)
end

local conflicts = { InvalidStateException = true, InvalidRequestException = true }

local function take_sent(run, out)
  run.answer, run.refusals, run.failures.sends = "none", 0, 0
  see(run, out.Service)
  if out.OperationId then
    run.changed = true
    watch(run, "ours", { Id = out.OperationId })
  elseif run.class ~= "goal" then
    run.answer = "lost" -- it was taken up, and did not say as what
  end
  tell(run)
end

function actions.send(run)
  watch(run, "unlisted")
  run.last, run.sent = nil, run.since
  local out, err = request(run, run.goal.method, run.params)
  if out then return take_sent(run, out) end
  run.class = "unknown"
  if conflicts[err.code] then
    run.refusal, run.refusals = err, run.refusals + 1
    run.answer = err.ambiguous and "lost" or "refused"
    return
  end
  if not is_borne(run, "sends", err) then return nil, err end
  run.answer = is_throttling(err) and not err.ambiguous and "none" or "lost"
  return rest(run)
end

actions["wait and retry"] = function(run)
  if run.refusals >= REFUSALS then return nil, run.refusal end
  run.answer = "none"
  local _, err = rest(run)
  if err then return nil, err end
  return actions["look again"](run)
end

function actions.finish(run) return true, run.service end

actions["give up"] = function(run)
  return failure(run, "OperationFailedError",
    ("the service is %s and cannot become %s"):format(run.Status, run.goal.status))
end

function actions.fail(run)
  local watched = run.watched
  actions.look(run, request)
  run.watched = watched
  if run.class == "goal" then return true, run.service end
  return failure(run, "OperationFailedError", ("the operation %s %s ended as %s; the service is %s"):format(
    run.goal.type, tostring(watched.Id), watched.Status, run.Status))
end

-- ---------------------------------------------------------------------------
-- The public functions

local function new_run(client, goal, params, given)
  return {
    client = client, goal = goal, params = params, timeout = given.timeout or TIMEOUT, interval = given.interval,
    on_progress = given.on_progress, began = lifecycle.clock.now(), credit = RESERVE, pauses = 0,
    failures = { looks = 0, sends = 0 },
    class = "unknown", operation = "unlisted", answer = "none", refusals = 0,
    since = 0, sent = 0, changed = false,
  }
end

local function info(run)
  return { changed = run.changed, OperationId = run.OperationId, elapsed = elapsed(run) }
end

local function drive(run)
  while true do
    local done, result = actions[next_action(run)](run)
    if done then return result, nil, info(run) end
    if result ~= nil then return nil, result, info(run) end
  end
end

-- The problems of the parameters, as the core sees them, and of the options.
local function check(client, goal, params, given)
  local _, err = client.core:call(indices[goal.method], params)
  if err and not err.problems then return nil, err end
  local problems = err and err.problems or {}
  options.check(given, known, problems)
  if #problems > 0 then return options.refuse(problems, goal.operation) end
  return true
end

for name, goal in pairs(goals) do
  lifecycle[name] = function(client, params, given)
    local ok, err = check(client, goal, params, given)
    if not ok then return nil, err end
    return drive(new_run(client, goal, { ServiceArn = params.ServiceArn }, given))
  end
end

-- ---------------------------------------------------------------------------
-- Waiting for an operation

-- Its parameters but OperationId are those of DescribeService.
local waiting = { status = "SUCCEEDED", method = "describe_service", operation = "ListOperations" }

local function check_operation(client, params, given)
  local others = {}
  for name, value in pairs(params) do others[name] = value end
  others.OperationId = nil
  local ok, err = check(client, waiting, others, given)
  if err and not err.problems then return nil, err end
  local problems = err and err.problems or {}
  local id = params.OperationId
  if id == nil then
    problems[#problems + 1] = "missing required member OperationId"
  elseif type(id) ~= "string" then
    problems[#problems + 1] = "OperationId: expected string, got " .. type(id)
  end
  if #problems > 0 then return options.refuse(problems, waiting.operation) end
  return ok, err
end

-- The operation in the pages of one look; nil where it is not listed; nil, err.
local function find_operation(run, id)
  local pages = lists.pages(lists.operations, run.params, function(method, params) return ask(run, method, params) end)
  while true do
    local page, err = pages()
    local summary = page and find_id(page, id)
    if summary or not page then return summary, err end
  end
end

local ends = {
  succeeded = function(_, summary) return summary end,
  failed = function(run, summary)
    return failure(run, "OperationFailedError",
      ("the operation %s %s ended as %s"):format(tostring(summary.Type), summary.Id, summary.Status))
  end,
}

local function wait_for(run, id)
  while true do
    local summary, err = find_operation(run, id)
    if err then return nil, err end
    run.watched = summary or run.watched
    tell(run)
    local finish = summary and ends[progress_class(summary.Status)]
    if finish then return finish(run, summary) end
    local ok
    ok, err = pause(run)
    if not ok then return nil, err end
  end
end

function lifecycle.wait_for_operation(client, params, given)
  local ok, err = check_operation(client, params, given)
  if not ok then return nil, err end
  local run = new_run(client, waiting, { ServiceArn = params.ServiceArn }, given)
  run.credit, run.watched = math.huge, { Id = params.OperationId }
  local operation
  operation, err = wait_for(run, params.OperationId)
  return operation, err, { elapsed = elapsed(run), OperationId = params.OperationId }
end

return lifecycle
