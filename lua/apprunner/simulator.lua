-- An App Runner endpoint on loopback, to try and to test without AWS: `start` runs it in a process of its own, `serve`
-- in the foreground. This file checks the options and puts the parts together: the API (simulator/api.lua), HTTP
-- (simulator/http.lua), the process (simulator/process.lua). Needs LuaSocket and lua-cjson, in the process that serves;
-- `start` itself needs neither. Both return nil, message for an option that is unknown or ill-typed and for whatever
-- keeps the simulator from listening; neither raises an error.

local api = require "apprunner.simulator.api"

local simulator = {}

local default_services = {
  {ServiceName = "storefront", Status = "RUNNING"},
  {ServiceName = "orders-api", Status = "RUNNING"},
  {ServiceName = "image-worker", Status = "RUNNING"},
  {ServiceName = "nightly-report", Status = "PAUSED"},
}

-- The example key pair of the AWS documentation.
local default_credentials = {
  access_key_id = "AKIDEXAMPLE",
  secret_access_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
}

-- Options ------------------------------------------------------------------------------------------------------------

local function is_integer(value)
  return type(value) == "number" and value == math.floor(value) and math.abs(value) <= 2 ^ 53
end

local function is_port(value)
  return is_integer(value) and value >= 0 and value <= 65535
end

local function is_duration(value)
  return type(value) == "number" and value >= 0 and value < math.huge
end

local function matches(pattern)
  return function(value) return type(value) == "string" and value:find(pattern) ~= nil end
end

local function is_nonempty(value)
  return type(value) == "string" and value ~= ""
end

local credential_fields = {access_key_id = "required", secret_access_key = "required", session_token = "optional"}

local function is_credentials(value)
  if type(value) ~= "table" then return false end
  for name, need in pairs(credential_fields) do
    if not is_nonempty(value[name]) and (need == "required" or value[name] ~= nil) then return false end
  end
  for name in pairs(value) do
    if not credential_fields[name] then return false end
  end
  return true
end

-- A service keeps the status it is given until it is paused or resumed (OPERATION_IN_PROGRESS: for ever, as under
-- maintenance). `error`, a code of the API, is what it answers to every call instead.
local service_fields = {
  ServiceName = function(value) return matches("^%w[%w_-]+$")(value) and #value >= 4 and #value <= 40 end,
  Status = function(value) return api.statuses[value] end,
  error = function(value) return value == nil or api.errors[value] end,
}

-- → true | nil, what is wrong with it
local function check_service(row)
  if type(row) ~= "table" then return nil, "is not a table" end
  for name in pairs(row) do
    if not service_fields[name] then return nil, ("has an unknown field %s"):format(tostring(name)) end
  end
  for name, check in pairs(service_fields) do
    if row[name] == nil and name ~= "error" then return nil, ("has no %s"):format(name) end
    if not check(row[name]) then return nil, ("has no valid %s: %s"):format(name, tostring(row[name])) end
  end
  return true
end

local function is_services(list)
  if type(list) ~= "table" then return false end
  local seen = {}
  for i, row in ipairs(list) do
    local ok, problem = check_service(row)
    if not ok then return nil, ("service %d %s"):format(i, problem) end
    if seen[row.ServiceName] then return nil, ("service %d has the name of another"):format(i) end
    seen[row.ServiceName] = true
  end
  for key in pairs(list) do
    if not is_integer(key) or key < 1 or key > #list then return false end
  end
  return true
end

local function is_log(value)
  return type(value) == "string" or type(value) == "function" or io.type(value) == "file"
end

local function is_function(value)
  return type(value) == "function"
end

-- name → what it is, how it is checked, what it is when it is not given.
local known = {
  port = {is = "an integer from 0 to 65535", check = is_port, default = 0},
  region = {is = "the name of a region", check = matches("^%l[%l%d-]+$"), default = "us-east-1"},
  account_id = {is = "a string of 12 digits", check = matches("^" .. ("%d"):rep(12) .. "$"), default = "123456789012"},
  credentials = {
    is = "a table of access_key_id, secret_access_key and, where there is one, session_token",
    check = is_credentials, default = default_credentials,
  },
  services = {is = "a list of {ServiceName=, Status=, error=}", check = is_services, default = default_services},
  operation_seconds = {is = "a number, 0 or more", check = is_duration, default = 2},
  seed = {is = "an integer", check = is_integer},
  log = {is = "a function, a path or a file", check = is_log},
  on_listening = {is = "a function", check = is_function},
}

local function names(rows)
  local list = {}
  for name in pairs(rows) do list[#list + 1] = name end
  table.sort(list)
  return list
end

local function check_option(name, value)
  local row = known[name]
  if not row then return nil, ("unknown option %s"):format(tostring(name)) end
  local ok, problem = row.check(value)
  if ok then return true end
  local message = ("option %s: expected %s, got a %s"):format(name, row.is, type(value))
  return nil, problem and message .. ": " .. problem or message
end

-- → the options with the defaults filled in | nil, message
local function settle(options)
  if options ~= nil and type(options) ~= "table" then
    return nil, ("options: expected a table, got a %s"):format(type(options))
  end
  local settings = {}
  for name, value in pairs(options or {}) do
    local ok, problem = check_option(name, value)
    if not ok then return nil, problem end
    settings[name] = value
  end
  for _, name in ipairs(names(known)) do
    if settings[name] == nil then settings[name] = known[name].default end
  end
  return settings
end

-- Serving ------------------------------------------------------------------------------------------------------------

local function open_log(log)
  if log == nil or type(log) == "function" then return log or function() end end
  local file, problem = log, nil
  if type(log) == "string" then file, problem = io.open(log, "a") end
  if not file then return nil, ("option log: %s"):format(problem) end
  return function(line)
    file:write(line, "\n")
    file:flush()
  end
end

local function log_line(request, response)
  local what = response.operation or ("%s %s"):format(request.method or "-", request.path or "-")
  return ("%s %s %d %s %s"):format(
    os.date("!%Y-%m-%dT%H:%M:%SZ"), what, response.status, response.code or "-", response.request_id)
end

local function load_parts()
  for name, rock in pairs {socket = "luasocket", cjson = "lua-cjson"} do
    if not pcall(require, name) then
      return nil, ("the simulator needs the Lua module %s (luarocks install %s)"):format(name, rock)
    end
  end
  return require "apprunner.simulator.http", require("socket").gettime
end

local function print_url(url)
  io.write("App Runner simulator: ", url, "\n")
  io.flush()
end

-- Runs the simulator in the foreground: blocks until the process is killed. `on_listening(url, services)` is called
-- once it listens (default: prints the URL); `watch` belongs to `start`.
function simulator.serve(options, watch)
  local settings, problem = settle(options)
  if not settings then return nil, problem end
  local http, clock = load_parts()
  if not http then return nil, clock end
  local log, listener, url
  log, problem = open_log(settings.log)
  if not log then return nil, problem end
  listener, url = http.listen(settings.port)
  if not listener then return nil, url end
  settings.now, settings.seed = clock, settings.seed or math.floor(clock() * 1e6)
  local world = api.new(settings);
  (settings.on_listening or print_url)(url, api.summaries(world))
  http.serve(listener, function(request)
    local response = api.answer(world, request)
    log(log_line(request, response))
    return response
  end, watch)
end

-- Runs the simulator in a process of its own, which ends with this one → {endpoint_url=, services=}, a list of
-- {ServiceName=, ServiceId=, ServiceArn=, ServiceUrl=, Status=}, with the method stop, which waits for its end and may
-- be called again.
function simulator.start(options)
  local settings, problem = settle(options)
  if not settings then return nil, problem end
  if settings.log ~= nil and type(settings.log) ~= "string" then
    return nil, "option log: expected a path, for a function or a file does not reach the simulator's own process"
  elseif settings.on_listening then
    return nil, "option on_listening: belongs to serve; start returns once the simulator listens"
  end
  return require("apprunner.simulator.process").start(settings)
end

return simulator
