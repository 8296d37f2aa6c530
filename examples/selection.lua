-- Which services pause_fleet.lua is about: every profile with every region,
-- listed over all pages, then by name, then by tags. Returns a function from the
-- options to the rows of the report. A row with a Result is settled: protected,
-- or failed, where a region or a service's tags cannot be read.
local apprunner = require "apprunner"

-- The patterns of --protect, from the command line and from @FILEs.
local function read_protected(tool, values)
  local names = {}
  for _, value in ipairs(values) do
    local path = value:match "^@(.*)$"
    local lines, problem = value:gmatch ".+", nil
    if path then lines, problem = tool.lines(path) end
    if not lines then tool.usage("--protect: " .. problem) end
    for line in lines do
      line = line:gsub("#.*", ""):match "^%s*(.-)%s*$"
      if line ~= "" then names[#names + 1] = line end
    end
  end
  return tool.globs(names)
end

local function read_tags(tool, values)
  local tags = {}
  for _, value in ipairs(values) do
    local key, wanted = value:match "^([^=]+)=(.*)$"
    if not key then tool.usage("--tag: expected KEY=VALUE, got " .. value) end
    tags[#tags + 1] = { Key = key, Value = wanted }
  end
  return tags
end

-- false stands for what is configured.
local function new_targets(tool, options)
  local targets = {}
  for _, profile in ipairs(#options.profile > 0 and options.profile or { false }) do
    for _, region in ipairs(#options.region > 0 and options.region or { false }) do
      local target = { Profile = profile or nil, Region = region or nil }
      target.client, target.problem = tool.client(options, target.Profile, target.Region)
      targets[#targets + 1] = target
    end
  end
  return targets
end

-- What cannot be listed to its end is a failure, and left alone.
local function list_services(target)
  if not target.client then return nil, target.problem end
  local services = {}
  for service in target.client:each_service() do services[#services + 1] = service end
  return services
end

local function new_row(target, service)
  local arn = service.ServiceArn
  return {
    ServiceArn = arn, ServiceName = service.ServiceName, Status = service.Status, Profile = target.Profile,
    Region = arn:match "^arn:[^:]*:apprunner:([^:]*)", client = target.client,
  }
end

local function fail(row, err)
  row.Result, row.Detail = "failed", tostring(err)
end

-- A service that two profiles see is taken once.
local function select_named(targets, is_named, limits)
  local rows, seen = {}, {}
  local found, errs = apprunner.map(targets, list_services, limits)
  for _, target in ipairs(targets) do
    for _, service in ipairs(found[target] or {}) do
      if not seen[service.ServiceArn] and service.Status ~= "DELETED" and is_named(service.ServiceName) then
        rows[#rows + 1] = new_row(target, service)
        seen[service.ServiceArn] = true
      end
    end
    if errs[target] then
      rows[#rows + 1] = target
      fail(target, errs[target])
    end
  end
  return rows
end

local function has_tags(row, tags)
  local out, err = row.client:list_tags_for_resource { ResourceArn = row.ServiceArn }
  if not out then return nil, err end
  local found = {}
  for _, tag in ipairs(out.Tags or {}) do found[tag.Key] = tag.Value end
  for _, tag in ipairs(tags) do
    if found[tag.Key] ~= tag.Value then return false end
  end
  return true
end

-- Settled rows stay as they are.
local function select_tagged(tool, rows, tags, limits)
  local kept = {}
  local fits, errs = apprunner.map(tool.in_turns(rows), function(row)
    if row.Result then return true end
    return has_tags(row, tags)
  end, limits)
  for _, row in ipairs(rows) do
    if errs[row] then fail(row, errs[row]) end
    if fits[row] ~= false then kept[#kept + 1] = row end
  end
  return kept
end

return function(tool, options, concurrency)
  if #options.name + #options.tag == 0 then tool.usage "which services? Give --name or --tag" end
  local is_named = tool.globs(#options.name > 0 and options.name or { "*" })
  local is_protected = read_protected(tool, options.protect)
  local tags, limits = read_tags(tool, options.tag), { concurrency = concurrency }
  local rows = select_named(new_targets(tool, options), is_named, limits)
  for _, row in ipairs(rows) do
    if not row.Result and (is_protected(row.ServiceName) or is_protected(row.ServiceArn)) then
      row.Result = "protected"
    end
  end
  return #tags > 0 and select_tagged(tool, rows, tags, limits) or rows
end
