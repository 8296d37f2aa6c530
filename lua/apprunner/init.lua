-- apprunner: AWS App Runner for Lua. The C core (apprunner.core) computes,
-- this module arranges and waits, and yields where the host's loop can go on.
-- _meta.lua describes the whole public API. No I/O happens at require.
local core = require "apprunner.core"
local pump = require "apprunner.pump"

local apprunner = { _VERSION = "apprunner " .. core.version }

-- lua-cjson, an instance of our own; Neovim has it as vim.json.
local decode
local function decoder()
  if not decode then
    local ok, cjson = pcall(require, "cjson")
    if ok then
      decode = cjson.new().decode
    elseif vim and vim.json then
      decode = vim.json.decode
    end
  end
  return decode
end

-- ---------------------------------------------------------------------------
-- Which loop a call waits in, decided at the call.

local function loop(name) return require("apprunner.loop." .. name) end

-- Whether calls in this program are driven by libuv.
local function on_luv(setting)
  if setting ~= "auto" then return setting == "luv" end
  if vim then return (vim.uv or vim.loop) ~= nil end
  local luv = package.loaded.luv
  return luv ~= nil and luv.loop_mode() ~= nil
end

local function on_nginx(setting)
  if setting ~= "auto" then return setting == "nginx" end
  return ngx ~= nil and ngx.get_phase ~= nil
end

local function cannot_wait()
  return core.fail(
    "NotYieldableError",
    "nginx cannot wait in the phase " .. ngx.get_phase() .. "; use ngx.timer.at, or loop = \"blocking\""
  )
end

-- The function that waits for a job here, or nil, err.
local function waiter(setting)
  local driver = pump.spawned_by()
  if driver then return driver.suspend end
  if setting ~= "blocking" then
    local co, is_main = coroutine.running()
    if on_nginx(setting) then
      local nginx = loop "nginx"
      if not nginx.can_wait() then return cannot_wait() end
      return nginx.suspend
    elseif co and not is_main and on_luv(setting) then
      return loop("luv").suspend
    end
  end
  return loop("blocking").block
end

-- The loop that callbacks are called from, or nil, err.
local function owner(setting)
  if setting == "blocking" then
    return loop "blocking"
  elseif on_nginx(setting) then
    local nginx = loop "nginx"
    if not nginx.kick() then return cannot_wait() end
    return nginx
  end
  return loop(on_luv(setting) and "luv" or "blocking")
end

-- ---------------------------------------------------------------------------
-- Calls

local Call = { __name = "apprunner.call" }
Call.__index = Call

function Call:cancel()
  local cancelled = self.job ~= nil and self.job:cancel()
  if cancelled then self.loop.kick() end
  return cancelled
end

-- The outcome of a job that is done.
local function outcome(job)
  local body, err = job:answer()
  if not body then return nil, err end
  local ok, answer = pcall(decode, body)
  return job:finish(ok and answer or nil)
end

local function call_back(client, job, err, callback)
  local driver, refused = owner(client.loop)
  if not driver then return nil, refused end
  if not job then
    driver.call(driver, function() callback(nil, err) end)
    return setmetatable({ loop = driver }, Call)
  end
  local call = setmetatable({ job = job, loop = driver }, Call)
  pump.watch(job, driver, function()
    driver.call(driver, function() callback(outcome(call.job)) end)
  end)
  return call
end

local function check_callback(callback)
  if type(callback) == "function" then return end
  local meta = getmetatable(callback)
  if not (meta and meta.__call) then error("bad callback (function expected, got " .. type(callback) .. ")", 4) end
end

-- One operation: plain, it waits here; with a callback, it returns at once.
local function invoke(client, operation, params, callback)
  if callback ~= nil then check_callback(callback) end
  local wait, job, err
  if callback == nil then
    wait, err = waiter(client.loop)
    if not wait then return nil, err end
  end
  pump.want_engine()
  job, err = client.core:call(operation, params == nil and {} or params)
  if callback ~= nil then return call_back(client, job, err, callback) end
  if not job then return nil, err end
  wait(job)
  return outcome(job)
end

-- ---------------------------------------------------------------------------
-- Clients

local methods = {}
local Client = { __name = "apprunner.client", __index = methods }

local function check_client(client, method)
  if getmetatable(client) ~= Client then
    error(("bad self of %s (client expected, got %s); call it with a colon"):format(method, type(client)), 3)
  end
  if client.closed and method ~= "close" then error("attempt to use a closed client", 3) end
end

for index, name in ipairs(core.operations) do
  methods[name] = function(client, params, callback)
    check_client(client, name)
    if params ~= nil and type(params) ~= "table" then
      error(("bad parameters of %s (table expected, got %s)"):format(name, type(params)), 2)
    end
    return invoke(client, index, params, callback)
  end
end

function methods.close(client)
  check_client(client, "close")
  client.closed = true
  client.core:close()
end

Client.__close = methods.close

function apprunner.client(settings)
  if not decoder() then
    return core.fail("InvalidConfigError", "lua-cjson is not installed, and there is no vim.json")
  end
  local handle, err = core.client(settings)
  if not handle then return nil, err end
  return setmetatable({ core = handle, loop = handle:setting "loop" }, Client)
end

-- ---------------------------------------------------------------------------
-- Coroutines

function apprunner.spawn(fn, ...)
  local driver = pump.spawned_by()
  if not driver then
    local err
    driver, err = owner "auto"
    if not driver then error(err, 2) end
  end
  return driver.spawn(fn, ...)
end

function apprunner.run()
  if ngx and ngx.get_phase then error("apprunner.run: nginx runs the loop already", 2) end
  if vim and (vim.uv or vim.loop) then error("apprunner.run: Neovim runs the loop already", 2) end
  local luv = package.loaded["apprunner.loop.luv"]
  if luv then luv.run() end
  loop("blocking").run()
end

function apprunner.sleep(seconds)
  local wait, err = waiter "auto"
  if not wait then return nil, err end
  wait(core.moment(seconds))
  return true
end

apprunner.sign = core.sign

return apprunner
