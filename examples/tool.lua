-- What the fleet examples share: options, clients by profile and region, a
-- progress line, tables and JSON lines. It lies beside them: dofile loads it.
local apprunner = require "apprunner"
local json = require "cjson".new()

local tool = {}

-- ---------------------------------------------------------------------------
-- Options

-- Prints the comment at the head of the script that runs. With a problem: on
-- stderr, and the exit status is 2.
function tool.usage(problem)
  local file = problem and io.stderr or io.stdout
  if problem then file:write(problem, "\n\n") end
  for line in io.lines(arg[0]) do
    local text = line:match "^%-%- ?(.*)"
    if not text then break end
    file:write(text, "\n")
  end
  os.exit(problem and 2 or 0)
end

local function text(value) return value ~= "" and value or nil end

local function number(value)
  local n = tonumber(value)
  return n and n >= 0 and n < math.huge and n or nil
end

local function count(value)
  local n = number(value)
  return n and n >= 1 and n % 1 == 0 and n or nil
end

local kinds = { text = text, list = text, seconds = number, count = count }

-- Reads the command line. `known`: option -> "flag", "text", "seconds", "count",
-- or "list", which may be given several times. The rest has integer keys.
function tool.options(known)
  local options, at = {}, 1
  for name, kind in pairs(known) do options[name] = kind == "list" and {} or nil end
  while arg[at] do
    local name, value = arg[at]:match "^%-%-([%w-]+)=?(.*)$"
    if arg[at] == "--help" then tool.usage() end
    if not name and arg[at]:find "^%-" or name and not known[name] then tool.usage("unknown option " .. arg[at]) end
    local kind = name and known[name]
    if not name then
      options[#options + 1] = arg[at]
    elseif kind == "flag" then
      if arg[at]:find "=" then tool.usage(("--%s takes no value"):format(name)) end
      options[name] = true
    else
      if not arg[at]:find "=" then
        at = at + 1
        value = arg[at] or ""
      end
      value = kinds[kind](value)
      if not value then tool.usage(("--%s needs a value: %s"):format(name, kind == "list" and "text" or kind)) end
      if kind == "list" then table.insert(options[name], value) else options[name] = value end
    end
    at = at + 1
  end
  return options
end

-- The lines of a file, as io.lines gives them; nil and the problem.
function tool.lines(path)
  local file, problem = io.open(path)
  if not file then return nil, problem end
  local all
  all, problem = file:read "*a" -- a directory can be opened, and not read
  file:close()
  if not all then return nil, ("%s: %s"):format(path, problem) end
  return all:gsub("([^\n])$", "%1\n"):gmatch "([^\n]*)\n"
end

-- A function that tells whether a name fits one of the patterns: * and ?.
function tool.globs(list)
  local patterns = {}
  for i, glob in ipairs(list) do
    patterns[i] = "^" .. glob:gsub("[%^%$%(%)%%%.%[%]%+%-]", "%%%0"):gsub("%*", ".*"):gsub("%?", ".") .. "$"
  end
  return function(name)
    for _, pattern in ipairs(patterns) do
      if name:find(pattern) then return true end
    end
    return false
  end
end

-- ---------------------------------------------------------------------------
-- Clients

-- --endpoint-url URL, or REGION=URL for that region alone. A region that has
-- none where others do is a mistake: it must not reach the real service.
local function endpoint_of(list, region)
  local common
  for _, value in ipairs(list) do
    local of, url = value:match "^([%w-]+)=(.+)$"
    if of and of == region then return url end
    if not of then common = value end
  end
  if #list > 0 and not common then
    tool.usage(("--endpoint-url: there is none for the region %s"):format(region or "that is the default"))
  end
  return common
end

local clients = {}

-- One client a profile and region; either may be nil. The clients of a fleet
-- share what the service grants, so they slow down where it throttles.
function tool.client(options, profile, region)
  local key = (profile or "") .. "\n" .. (region or "")
  if clients[key] then return clients[key] end
  local client, err = apprunner.client {
    profile = profile, region = region, endpoint_url = endpoint_of(options["endpoint-url"], region),
    retry_mode = "adaptive", max_attempts = 8,
  }
  clients[key] = client
  return client, err
end

-- The rows in turns: the first of each region, then the second of each. A
-- region grants requests of its own, so all are worked on from the beginning.
function tool.in_turns(rows)
  local counts, places, list = {}, {}, {}
  for i, row in ipairs(rows) do
    local region = row.Region or ""
    counts[region] = (counts[region] or 0) + 1
    places[row], list[i] = counts[region] * #rows + i, row
  end
  table.sort(list, function(a, b) return places[a] < places[b] end)
  return list
end

-- ---------------------------------------------------------------------------
-- What people and programs read

local answer = os.execute "test -t 2"
local is_terminal = answer == true or answer == 0

-- One line on stderr: rewritten on a terminal, a line of its own elsewhere.
function tool.progress(line)
  if is_terminal then io.stderr:write("\r", line:sub(1, 79), "\27[K") else io.stderr:write(line, "\n") end
end

function tool.end_progress()
  if is_terminal then io.stderr:write "\r\27[K" end
end

-- One JSON object in one line, with the fields in this order.
function tool.encode(record, fields)
  local parts = {}
  for _, field in ipairs(fields) do
    if record[field] ~= nil then
      parts[#parts + 1] = ("%s:%s"):format(json.encode(field), (json.encode(record[field]):gsub("\\/", "/")))
    end
  end
  return "{" .. table.concat(parts, ",") .. "}"
end

-- A table, or nil where the line holds no JSON object.
function tool.decode(line)
  local ok, value = pcall(json.decode, line)
  return ok and type(value) == "table" and value or nil
end

-- Records as JSON lines, or as a table with the first `shown` of the fields.
function tool.report(records, fields, shown, as_json)
  local rows, widths = { fields }, {}
  for i, record in ipairs(records) do
    rows[i + 1] = {}
    for at = 1, shown do rows[i + 1][at] = tostring(record[fields[at]] or "-") end
    if as_json then print(tool.encode(record, fields)) end
  end
  if as_json then return end
  for _, row in ipairs(rows) do
    for at = 1, shown do widths[at] = math.max(widths[at] or 0, #row[at]) end
  end
  for _, row in ipairs(rows) do
    local cells = {}
    for at = 1, shown do cells[at] = row[at] .. (" "):rep(widths[at] - #row[at]) end
    print((table.concat(cells, "  "):gsub("%s+$", "")))
  end
end

function tool.round(seconds) return math.floor(seconds * 10 + 0.5) / 10 end

return tool
