-- An App Runner endpoint on loopback, to try and to test without AWS: `start` runs it in a process of its own, `serve`
-- in the foreground. This file puts the parts together: the options (simulator/options.lua), the API
-- (simulator/api.lua), HTTP (simulator/http.lua), the process (simulator/process.lua). Needs LuaSocket, lua-cjson and
-- the module's own signer, in the process that serves; `start` itself needs none of them. Both return nil, message for
-- an option that is unknown or ill-typed and for whatever keeps the simulator from listening; neither raises an error.

local api = require "apprunner.simulator.api"
local options = require "apprunner.simulator.options"

local simulator = {}

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
  local fault = response.fault and " fault=" .. response.fault or ""
  return ("%s %s %d %s %s%s"):format(
    os.date("!%Y-%m-%dT%H:%M:%SZ"), what, response.status, response.code or "-", response.request_id, fault)
end

-- → the HTTP server, the clock and the signer | nil, message
local function load_parts()
  for name, rock in pairs {socket = "luasocket", cjson = "lua-cjson"} do
    if not pcall(require, name) then
      return nil, ("the simulator needs the Lua module %s (luarocks install %s)"):format(name, rock)
    end
  end
  local ok, apprunner = pcall(require, "apprunner")
  if not ok then return nil, ("the simulator needs the module's own signer: %s"):format(apprunner) end
  return require "apprunner.simulator.http", require("socket").gettime, apprunner.sign
end

local function print_url(url)
  io.write("App Runner simulator: ", url, "\n")
  io.flush()
end

-- Runs the simulator in the foreground: blocks until the process is killed. `on_listening(url, services)` is called
-- once it listens (default: prints the URL); `watch` belongs to `start`.
function simulator.serve(given, watch)
  local settings, problem = options.settle(given)
  if not settings then return nil, problem end
  local http, clock, sign = load_parts()
  if not http then return nil, clock end
  local log, listener, url
  log, problem = open_log(settings.log)
  if not log then return nil, problem end
  listener, url = http.listen(settings.port)
  if not listener then return nil, url end
  settings.now, settings.sign = clock, sign
  settings.seed = settings.seed or math.floor(clock() * 1e6)
  local world = api.new(settings);
  (settings.on_listening or print_url)(url, api.summaries(world))
  http.serve(listener, function(request)
    local response = api.answer(world, request)
    log(log_line(request, response))
    return response
  end, watch)
end

-- Runs the simulator in a process of its own, which ends with this one → {endpoint_url=, services=}, a list of
-- {ServiceName=, ServiceId=, ServiceArn=, ServiceUrl=, Status=}, with two methods: state tells what the services are
-- now and what was asked for (simulator/state.lua); stop waits for its end and may be called again.
function simulator.start(given)
  local settings, problem = options.settle(given)
  if not settings then return nil, problem end
  if settings.log ~= nil and type(settings.log) ~= "string" then
    return nil, "option log: expected a path, for a function or a file does not reach the simulator's own process"
  elseif settings.on_listening then
    return nil, "option on_listening: belongs to serve; start returns once the simulator listens"
  end
  return require("apprunner.simulator.process").start(settings)
end

return simulator
