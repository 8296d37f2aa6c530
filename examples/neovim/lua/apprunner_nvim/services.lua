-- What the plugin asks App Runner, each time in a coroutine that the editor's loop drives: nothing here waits. Answers
-- are handed over by vim.schedule, for inside libuv's callbacks most of vim.api is forbidden.
local apprunner = require "apprunner"

local services = {}

local FRESH = 10 -- seconds until completion asks for a list anew

-- What a client takes from the environment when it is made, beside vim.g.apprunner.
local VARIABLES = { "AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION" }

local clients = {} -- by what they were made from; kept, for the credentials that they hold
local listed = {} -- region, "" for the one that is configured -> its services
local asked -- when completion asked for a list

-- Told of every status that an operation reports: function(arn, status).
function services.on_status() end

function services.region_of(target) return target:match "^arn:[^:]*:apprunner:([^:]+):" end

-- The settings of a client, and the options of what waits for an operation.
function services.settings(region)
  local settings = vim.g.apprunner or {}
  local wait = settings.wait or {}
  settings.wait, settings.region = nil, region or settings.region
  return settings, wait
end

local function client_of(region)
  local settings = services.settings(region)
  local parts = { vim.inspect(settings) }
  for i, name in ipairs(VARIABLES) do parts[i + 1] = vim.env[name] or "" end
  local key, err = table.concat(parts, "\n"), nil
  if not clients[key] then clients[key], err = apprunner.client(settings) end
  return clients[key], err
end

-- Has work(client) run in a coroutine, and done(...) called with what it returns, or with nil and what it raises.
local function start(region, work, done)
  local client, problem = client_of(region)
  if not client then return done(nil, problem) end
  apprunner.spawn(function()
    local ok, out, err, info = pcall(work, client)
    if not ok then out, err = nil, out end
    vim.schedule(function() done(out, err, info) end)
  end)
end

-- What is deleted is listed for a while, and its name may be another's by then.
local function exists(service) return service.Status ~= "DELETED" end

-- All services of a region, by name: done(list) or done(nil, err).
function services.list(region, done)
  start(region, function(client)
    local list = {}
    for service in client:each_service() do list[#list + 1] = service end
    table.sort(list, function(a, b) return a.ServiceName < b.ServiceName end)
    return list
  end, function(list, err)
    if list then listed[region or ""] = list end
    done(list, err)
  end)
end

-- The names that were listed last, of any region. Asks for a list of the configured one, unless that was just done;
-- what fails in this is no answer to anything that the user has asked.
function services.known()
  local now = os.time()
  if not asked or now - asked >= FRESH then
    asked = now
    services.list(nil, function() end)
  end
  local names = {}
  for _, list in pairs(listed) do
    for _, service in ipairs(list) do
      if exists(service) then names[service.ServiceName] = true end
    end
  end
  names = vim.tbl_keys(names)
  table.sort(names)
  return names
end

-- The ARN of a target. A name is looked up anew: the service that had it when it was listed may be gone.
local function find(client, target)
  if services.region_of(target) then return target end
  for service in client:each_service() do
    if service.ServiceName == target and exists(service) then return service.ServiceArn end
  end
  return nil, "there is no such service in this region"
end

-- done(service) or done(nil, err).
function services.describe(target, region, done)
  start(services.region_of(target) or region, function(client)
    local arn, problem = find(client, target)
    if not arn then return nil, problem end
    local out, err = client:describe_service { ServiceArn = arn }
    return out and out.Service, err
  end, done)
end

-- Takes a service to a state by `method`, ensure_paused or ensure_running: tell(event) after each look, and
-- done(service, nil, info) or done(nil, err, info).
function services.ensure(method, target, region, tell, done)
  local _, wait = services.settings()
  start(services.region_of(target) or region, function(client)
    local arn, problem = find(client, target)
    if not arn then return nil, problem end
    wait.on_progress = vim.schedule_wrap(function(event)
      services.on_status(arn, event.Status)
      tell(event)
    end)
    return client[method](client, { ServiceArn = arn }, wait)
  end, done)
end

return services
