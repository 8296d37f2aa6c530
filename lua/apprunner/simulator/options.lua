-- The simulator's options: what each may be, and what it is when it is not given. `options.settle(table)` gives all of
-- them or nil and a message that names the option; it raises no error and never shows a secret.

local actors = require "apprunner.simulator.actors"
local api = require "apprunner.simulator.api"
local faults = require "apprunner.simulator.faults"
local rows = require "apprunner.simulator.rows"

local options = {}

local default_services = {
  {ServiceName = "storefront", Status = "RUNNING", Tags = {environment = "production", team = "shop"}},
  {ServiceName = "orders-api", Status = "RUNNING", Tags = {environment = "production"}},
  {ServiceName = "image-worker", Status = "RUNNING", Tags = {environment = "staging"}},
  {ServiceName = "nightly-report", Status = "PAUSED"},
}

-- The example key pair of the AWS documentation.
local default_credentials = {
  access_key_id = "AKIDEXAMPLE",
  secret_access_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
}

-- Checks of a value: → true | false, or nil and what is wrong with it ------------------------------------------------

local function is_integer(value)
  return type(value) == "number" and value == math.floor(value) and math.abs(value) <= 2 ^ 53
end

local function is_between(low, high)
  return function(value) return is_integer(value) and value >= low and value <= high end
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

local function is_a(name)
  return function(value) return type(value) == name end
end

local function is_log(value)
  return type(value) == "string" or type(value) == "function" or io.type(value) == "file"
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

local function is_tag(key, value)
  return type(key) == "string" and #key >= 1 and #key <= 128 and not key:find("^aws:")
    and type(value) == "string" and #value <= 256
end

-- A list of {Key=, Value=} or a map.
local function is_tags(value)
  if value == nil then return true end
  if type(value) ~= "table" then return false end
  for key, item in pairs(value) do
    if type(key) == "number" and type(item) == "table" then key, item = item.Key, item.Value end
    if not is_tag(key, item) then return false end
  end
  return true
end

-- A service keeps the status it is given until it is paused or resumed (OPERATION_IN_PROGRESS: for ever, as under
-- maintenance). `error`, a code of the API, is what it answers to every call instead.
local service_fields = {
  ServiceName = function(value) return matches("^%w[%w_-]+$")(value) and #value >= 4 and #value <= 40 end,
  Status = function(value) return api.statuses[value] end,
  Tags = is_tags,
  error = function(value) return value == nil or api.errors[value] end,
}
local optional = {error = true, Tags = true}

local function check_service(row)
  if type(row) ~= "table" then return nil, "is not a table" end
  for name in pairs(row) do
    if not service_fields[name] then return nil, ("has an unknown field %s"):format(tostring(name)) end
  end
  for name, check in pairs(service_fields) do
    if row[name] == nil and not optional[name] then return nil, ("has no %s"):format(name) end
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

local throttle_fields = {
  rate = {is = "requests a second, from 0.01 to 100000", check = rows.is_between(0.01, 100000)},
  burst = {is = "a positive integer", check = rows.is_count},
}

local function is_throttle(value)
  if type(value) ~= "table" then return false end
  for name in pairs(value) do
    if not throttle_fields[name] then return nil, ("it has an unknown field %s"):format(tostring(name)) end
  end
  for name in pairs(throttle_fields) do
    local problem = rows.problem(throttle_fields, name, value[name])
    if problem then return nil, "it " .. problem end
  end
  return true
end

-- The options --------------------------------------------------------------------------------------------------------

-- name → what it is, how it is checked, what it is when it is not given.
local known = {
  port = {is = "an integer from 0 to 65535", check = is_between(0, 65535), default = 0},
  region = {is = "the name of a region", check = matches("^%l[%l%d-]+$"), default = "us-east-1"},
  account_id = {is = "a string of 12 digits", check = matches("^" .. ("%d"):rep(12) .. "$"), default = "123456789012"},
  credentials = {
    is = "a table of access_key_id, secret_access_key and, where there is one, session_token",
    check = is_credentials, default = default_credentials,
  },
  services = {is = "a list of {ServiceName=, Status=, Tags=, error=}", check = is_services, default = default_services},
  operation_seconds = {is = "a number, 0 or more", check = is_duration, default = 2},
  -- Items in a page when the request does not say; without it, all.
  page_size = {is = "an integer from 1 to 20", check = is_between(1, 20)},
  -- Whether a page of ListServices that is not the last is followed by an empty one with a token.
  empty_pages = {is = "a boolean", check = is_a("boolean"), default = true},
  faults = {
    is = "a list of {kind=, …}", default = {},
    check = function(value) return faults.check(value, api.operations) end,
  },
  -- What others do meanwhile.
  others = {is = "a list of {act=, …}", check = actors.check, default = {}},
  -- Requests a second that are served, and how many at once after a pause; without it, all.
  throttle = {is = "a table of rate and burst", check = is_throttle},
  seed = {is = "an integer", check = is_integer},
  log = {is = "a function, a path or a file", check = is_log},
  on_listening = {is = "a function", check = is_a("function")},
}

local function names(set)
  local list = {}
  for name in pairs(set) do list[#list + 1] = name end
  table.sort(list)
  return list
end

options.names = names(known)

local function check_option(name, value)
  local row = known[name]
  if not row then return nil, ("unknown option %s"):format(tostring(name)) end
  local ok, problem = row.check(value)
  if ok then return true end
  local message = ("option %s: expected %s, got a %s"):format(name, row.is, type(value))
  return nil, problem and message .. ": " .. problem or message
end

local function service_names(list)
  local set = {}
  for _, row in ipairs(list) do set[row.ServiceName] = true end
  return set
end

-- → the options with the defaults filled in | nil, message
function options.settle(given)
  if given ~= nil and type(given) ~= "table" then
    return nil, ("options: expected a table, got a %s"):format(type(given))
  end
  local settings = {}
  for name, value in pairs(given or {}) do
    local ok, problem = check_option(name, value)
    if not ok then return nil, problem end
    settings[name] = value
  end
  for _, name in ipairs(options.names) do
    if settings[name] == nil then settings[name] = known[name].default end
  end
  local stranger = actors.stranger(settings.others, service_names(settings.services))
  if stranger then return nil, "option others: " .. stranger end
  return settings
end

return options
