-- What the scripts of spec/support/hosts.lua begin with; in a plain interpreter and in Neovim. A script tells its
-- result once, as JSON, in the file that RESULT names.

local child = {apprunner = require "apprunner"}

local json = vim and vim.json or require "cjson"
local uv = vim and vim.loop

function child.tell(result)
  local file = assert(io.open(os.getenv "RESULT", "wb"))
  assert(file:write(json.encode(result)))
  file:close()
end

-- Ends Neovim from wherever this is called.
function child.quit(command)
  vim.schedule(function() vim.cmd(command or "qa!") end)
end

-- Runs a script; what it raises is its result.
function child.main(script)
  local ok, raised = xpcall(script, debug.traceback)
  if ok then return end
  child.tell {script_raised = raised}
  if vim then child.quit "cq" else os.exit(1) end
end

-- Seconds of a clock.
function child.now()
  if uv then return uv.hrtime() / 1e9 end
  return require("socket").gettime()
end

-- A service whose name tells the endpoint what to do (nginx_endpoint.lua).
function child.arn(name)
  return ("arn:aws:apprunner:us-east-1:123456789012:service/%s/0123456789abcdef0123456789abcdef"):format(name)
end

function child.client(settings)
  settings = settings or {}
  settings.endpoint_url = settings.endpoint_url or os.getenv "ENDPOINT"
  return assert(child.apprunner.client(settings))
end

-- What a call returned, in terms of JSON.
function child.brief(out, err)
  if out then
    local meta = out.ResponseMetadata
    return {
      arn = out.Service.ServiceArn, status = out.Service.Status, id = out.OperationId,
      attempts = meta.RetryAttempts + 1,
    }
  elseif type(err) ~= "table" then
    return {raised = tostring(err)}
  end
  return {
    kind = err.kind, code = err.code, message = err.message, attempts = err.attempts, retryable = err.retryable,
    ambiguous = err.ambiguous,
  }
end

-- Pauses a service and tells how that went.
function child.pause(client, name)
  return child.brief(client:pause_service {ServiceArn = child.arn(name)})
end

-- What a file of /proc/self says.
function child.proc(name, pattern)
  local file = assert(io.open("/proc/self/" .. name))
  local text = file:read "*a"
  file:close()
  return text:match(pattern)
end

-- The engine's figures.
function child.stats() return require("apprunner.pump").stats() or {} end

-- Has `reached(stage, milliseconds)` called when libcurl was loaded ("load"), initialised ("init") and has an engine
-- ("engine"), in the midst of that.
function child.watch_engine(reached)
  local clock = (uv or require "luv").hrtime
  local function timed(stage, fn)
    return function(...)
      local begun = clock()
      local result = fn(...)
      reached(stage, (clock() - begun) / 1e6)
      return result
    end
  end
  local core = require "apprunner.core"
  local path = assert(package.searchpath("apprunner.curl", package.cpath))
  core.map = timed("load", core.map)
  package.preload["apprunner.curl"] = function()
    local curl = assert(package.loadlib(path, "luaopen_apprunner_curl"))()
    return setmetatable({init = timed("init", curl.init), engine = timed("engine", curl.engine)}, {__index = curl})
  end
end

-- Whether credentials are waited for: a request is out, or a program has made the file `started` in the home.
function child.is_waiting()
  local file = io.open(os.getenv "HOME" .. "/started")
  if file then file:close() end
  return file ~= nil or (child.stats().in_flight or 0) > 0
end

-- A timer of 1 ms in libuv's loop, and the gaps between its ticks in milliseconds. `tick` is called at each.
function child.heartbeat(tick)
  local loop = uv or require "luv"
  local gaps, timer, last = {}, loop.new_timer(), loop.hrtime()
  timer:start(1, 1, function()
    local now = loop.hrtime()
    gaps[#gaps + 1], last = (now - last) / 1e6, now
    if tick then tick() end
  end)
  return {gaps = gaps, stop = function() timer:close() end}
end

return child
