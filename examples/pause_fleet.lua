-- usage: lua pause_fleet.lua (--name GLOB | --tag KEY=VALUE)... [OPTION]...
--
-- Pauses the services whose name fits one of the patterns and that have all of
-- the tags; --name '*' are all. The exit status is 0 only when each is paused.
--   --region REGION        may be given several times; else the configured one
--   --profile PROFILE      may be given several times; else the default one
--   --protect NAME         never pause it: a name, a pattern or an ARN
--   --protect @FILE        the same, one a line
--   --dry-run              print what would be done, and change nothing
--   --receipt FILE         append what this run has paused, for resume_fleet.lua
--   --json                 the report as JSON lines instead of a table
--   --concurrency N        services at a time; 50
--   --timeout SECONDS      for each service; 900
--   --interval SECONDS     between two looks at a service; else 5 to 15
--   --endpoint-url URL     of all regions, or REGION=URL of one
local apprunner = require "apprunner"
local here = arg[0]:match "^.*/" or "./"
local tool = dofile(here .. "tool.lua")

local FIELDS = {
  "Region", "ServiceName", "Status", "Result", "Elapsed", "Detail", "Profile", "ServiceArn", "OperationId", "Changed",
}
local SHOWN = 6
local RECEIPT = { "ServiceArn", "OperationId", "PausedAt", "Profile" }

local options = tool.options {
  name = "list", tag = "list", region = "list", profile = "list", protect = "list", ["endpoint-url"] = "list",
  ["dry-run"] = "flag", json = "flag", receipt = "text",
  concurrency = "count", timeout = "seconds", interval = "seconds",
}
local concurrency = options.concurrency or 50

if options[1] then tool.usage("unexpected argument " .. options[1]) end
local rows = dofile(here .. "selection.lua")(tool, options, concurrency)

local function undecided()
  local list = {}
  for _, row in ipairs(rows) do
    if not row.Result then list[#list + 1] = row end
  end
  return list
end

-- ---------------------------------------------------------------------------
-- Pausing

local receipt, receipt_problem

local function last_byte(path)
  local file = io.open(path, "rb")
  if not file then return nil end
  local byte = (file:seek "end" or 0) > 0 and file:seek("end", -1) and file:read(1)
  file:close()
  return byte or nil
end

-- It is added to: what an earlier run has paused may still wait to be resumed.
-- A line that such a run could not end must not swallow the first of this one.
local function open_receipt()
  local problem
  receipt, problem = io.open(options.receipt, "a")
  if not receipt then tool.usage("--receipt: " .. problem) end
  receipt:setvbuf "no"
  if (last_byte(options.receipt) or "\n") ~= "\n" then receipt:write "\n" end
end

-- A line as soon as it is known that a request was carried out: a run that is
-- killed while it waits has told what it began. Only between a request and the
-- first answer that shows it can a kill lose one.
local function record(row, id)
  if not receipt or row.recorded == (id or true) then return end
  row.recorded = id or true
  local line = { ServiceArn = row.ServiceArn, OperationId = id, PausedAt = os.time(), Profile = row.Profile }
  local ok, problem = receipt:write(tool.encode(line, RECEIPT) .. "\n") -- at once: runs may share a receipt
  if ok then return end
  receipt_problem = ("--receipt: %s; not in it: %s"):format(problem, row.ServiceArn)
  io.stderr:write(receipt_problem, "\n")
end

local function pause(row)
  if receipt_problem then return nil, receipt_problem end
  local function on_progress(event)
    row.Status = event.Status
    -- A later operation may be another's. One without a status is the answer to a further request of ours.
    local ours = event.OperationId and not event.OperationStatus
    if event.changed and (ours or not row.recorded) then record(row, event.OperationId) end
  end
  local service, err, info = row.client:ensure_paused({ ServiceArn = row.ServiceArn },
    { timeout = options.timeout, interval = options.interval, on_progress = on_progress })
  if info then
    row.Changed, row.OperationId, row.Elapsed = info.changed, info.OperationId, tool.round(info.elapsed)
    if info.changed then record(row, info.OperationId) end
  end
  if not service then return nil, err end
  row.Status, row.Result = service.Status, info.changed and "paused" or "already paused"
  return service
end

local function pause_all(list)
  local failed = 0
  local _, errs = apprunner.map(tool.in_turns(list), pause, {
    concurrency = concurrency,
    on_progress = function(done, total, row, _, err)
      if err then failed = failed + 1 end
      tool.progress(("%d of %d, %d failed: %s %s"):format(done, total, failed, row.ServiceName, err or row.Result))
    end,
  })
  for row, err in pairs(errs) do row.Result, row.Detail = "failed", tostring(err) end
  tool.end_progress()
end

local plans = {
  PAUSED = "already paused", OPERATION_IN_PROGRESS = "would wait and pause", CREATE_FAILED = "would fail",
  DELETE_FAILED = "would fail",
}

local function plan(list)
  for _, row in ipairs(list) do row.Result = plans[row.Status] or "would pause" end
end

if options["dry-run"] then
  plan(undecided())
else
  if options.receipt then open_receipt() end
  pause_all(undecided())
end
tool.report(rows, FIELDS, SHOWN, options.json)
if #rows == 0 then io.stderr:write "no service is selected\n" end

local ok = #rows > 0 and not receipt_problem
for _, row in ipairs(rows) do ok = ok and row.Result ~= "failed" end
os.exit(ok and 0 or 1)
