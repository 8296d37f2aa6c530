-- usage: lua resume_fleet.lua RECEIPT [OPTION]...
--
-- Resumes what a receipt of pause_fleet.lua says, and nothing else. It tells
-- which operations are newer than the pause, such as a deployment that waits; a
-- service that somebody has paused anew since is left alone. The exit status is
-- 0 only when every service of the receipt runs.
--   --dry-run              print what would be done, and change nothing
--   --json                 the report as JSON lines instead of a table
--   --concurrency N        services at a time; 50
--   --timeout SECONDS      for each service; 900
--   --interval SECONDS     between two looks at a service; else 5 to 15
--   --endpoint-url URL     of all regions, or REGION=URL of one
local apprunner = require "apprunner"
local tool = dofile((arg[0]:match "^.*/" or "./") .. "tool.lua")

local FIELDS = {
  "Region", "ServiceName", "Status", "Result", "Elapsed", "Newer", "Detail", "Profile", "ServiceArn", "OperationId",
  "Changed",
}
local SHOWN = 7

local options = tool.options {
  ["endpoint-url"] = "list", ["dry-run"] = "flag", json = "flag",
  concurrency = "count", timeout = "seconds", interval = "seconds",
}
if #options ~= 1 then tool.usage "expected one receipt" end

local ARN = "^arn:[^:]*:apprunner:([^:]+):[^:]*:service/([^/]+)"

local function is_entry(entry)
  return entry and type(entry.ServiceArn) == "string" and entry.ServiceArn:find(ARN)
    and type(entry.PausedAt) == "number" and (entry.Profile == nil or type(entry.Profile) == "string")
end

-- The last line of each service, in the order of their first ones; and how many
-- lines cannot be understood.
local function read_receipt(path)
  local lines, problem = tool.lines(path)
  if not lines then tool.usage(problem) end
  local rows, of, at, bad = {}, {}, 0, 0
  for line in lines do
    local entry = tool.decode(line)
    at = at + 1
    if not is_entry(entry) then
      bad = bad + 1
      io.stderr:write(("%s:%d: no entry of a receipt\n"):format(path, at))
    elseif of[entry.ServiceArn] then
      of[entry.ServiceArn].entry = entry
    else
      local arn = entry.ServiceArn
      local region, name = arn:match(ARN)
      local row = { ServiceArn = arn, ServiceName = name, Region = region, Profile = entry.Profile, entry = entry }
      of[arn], rows[#rows + 1] = row, row
    end
  end
  return rows, bad
end

-- The operations that began after the one of the receipt, newest first.
local function newer_operations(row)
  local newer, by_time = {}, {}
  for operation in row.client:each_operation { ServiceArn = row.ServiceArn } do
    if operation.Id == row.entry.OperationId then return newer end
    newer[#newer + 1] = operation
    if (operation.StartedAt or 0) > row.entry.PausedAt then by_time[#by_time + 1] = operation end
  end
  return by_time
end

local ended_in_vain = { FAILED = true, ROLLBACK_FAILED = true, ROLLBACK_SUCCEEDED = true }

-- Puts into the row what is newer, and returns a pause among it.
local function look_for_newer(row)
  local texts, pause = {}, nil
  for _, operation in ipairs(newer_operations(row)) do
    texts[#texts + 1] = ("%s %s"):format(operation.Type, operation.Status)
    if operation.Type == "PAUSE_SERVICE" and not ended_in_vain[operation.Status] then pause = pause or operation end
  end
  row.Newer = #texts > 0 and table.concat(texts, ", ") or nil
  return pause
end

local plans = {
  RUNNING = "already running", OPERATION_IN_PROGRESS = "would wait and resume", CREATE_FAILED = "would fail",
  DELETED = "would fail", DELETE_FAILED = "would fail",
}

local function plan(row)
  local out, err = row.client:describe_service { ServiceArn = row.ServiceArn }
  if not out then return nil, err end
  row.Status = out.Service.Status
  row.Result = plans[row.Status] or "would resume"
  return true
end

local function resume(row)
  if not row.client then return nil, row.problem end
  local pause = look_for_newer(row)
  local out, err = plan(row)
  if not out then return nil, err end
  if pause and row.Status ~= "RUNNING" then
    row.Result, row.Detail = "left alone", "somebody has paused it since, by operation " .. pause.Id
    return true
  end
  if options["dry-run"] then return true end
  local service, info
  service, err, info = row.client:ensure_running({ ServiceArn = row.ServiceArn },
    { timeout = options.timeout, interval = options.interval })
  if info then
    row.Changed, row.OperationId, row.Elapsed = info.changed, info.OperationId, tool.round(info.elapsed)
  end
  if not service then return nil, err end
  row.Status, row.Result = service.Status, info.changed and "resumed" or "already running"
  return true
end

local rows, bad = read_receipt(options[1])
-- Wrong options are told before anything is begun.
for _, row in ipairs(rows) do row.client, row.problem = tool.client(options, row.entry.Profile, row.Region) end
local _, errs = apprunner.map(tool.in_turns(rows), resume, {
  concurrency = options.concurrency or 50,
  on_progress = function(done, total, row, _, err)
    tool.progress(("%d of %d: %s %s"):format(done, total, row.ServiceName or row.ServiceArn, err or row.Result))
  end,
})
tool.end_progress()
local ok = bad == 0
for _, row in ipairs(rows) do
  if errs[row] then row.Result, row.Detail = "failed", tostring(errs[row]) end
  ok = ok and row.Result ~= "failed" and row.Result ~= "left alone"
end
tool.report(rows, FIELDS, SHOWN, options.json)
os.exit(ok and 0 or 1)
