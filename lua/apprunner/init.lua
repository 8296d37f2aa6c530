-- apprunner: AWS App Runner for Lua. The C core (apprunner.core) computes, this module arranges and waits, and yields
-- where the host's loop can go on. _meta.lua describes the whole public API. No I/O happens at require.
local core = require "apprunner.core"
local pump = require "apprunner.pump"

local apprunner = { _VERSION = "apprunner " .. core.version }

-- lua-cjson, an instance of our own; Neovim has it as vim.json.
local decode, marks_tables
local function new_decoder()
  local ok, cjson = pcall(require, "cjson")
  if ok then
    decode = cjson.new().decode
  elseif vim and vim.json then
    decode, marks_tables = vim.json.decode, true
  end
  return decode
end

-- The output of a job that is done, or nil, err. An instance of lua-cjson knows the locale that it was made in: where
-- the host has changed it since, numbers with fractions fail, and a new one is made.
local function output(job)
  local out, err = job:finish(decode, marks_tables)
  if out == false then return job:finish(new_decoder(), marks_tables, true) end
  return out, err
end

-- ---------------------------------------------------------------------------
-- Which loop a call waits in, decided at the call.

local loops = {} -- name -> module, of those that were wanted

local function loop(name)
  local found = loops[name] or require("apprunner.loop." .. name)
  loops[name] = found
  return found
end

-- Whether calls in this program are driven by libuv.
local function on_luv(setting)
  if setting ~= "auto" then return setting == "luv" end
  if vim then return (vim.uv or vim.loop) ~= nil end
  local luv = package.loaded.luv
  return luv ~= nil and luv.loop_mode() ~= nil
end

-- Whether they are driven by nginx: a Lua state of ngx.run_worker_thread has no timers, and may block.
local function on_nginx(setting)
  if setting ~= "auto" then return setting == "nginx" end
  return ngx ~= nil and ngx.timer ~= nil
end

-- Whether this coroutine can yield here, as far as this Lua can tell.
local function can_yield() return not coroutine.isyieldable or coroutine.isyieldable() end

-- The loop in which a caller waits here, or nil, err.
local function waiter(setting)
  local co, is_main = coroutine.running()
  if pump.cancelled[co or pump] then return core.fail("Cancelled", "the coroutine was cancelled") end
  local driver = pump.spawned[co or pump]
  if driver and not driver.blocks and not can_yield() then
    return core.fail("NotYieldableError", "the coroutine cannot yield inside a function of C's")
  elseif driver then
    return driver
  end
  if setting == "auto" and pump.host and pump.host.drives() then return pump.host end
  if setting ~= "blocking" then
    if on_nginx(setting) then
      local nginx = loop "nginx"
      if not nginx.can_wait() then return nginx.cannot_wait() end
      return nginx
    elseif co and not is_main and on_luv(setting) then
      return loop "luv"
    end
  end
  return loop("blocking").alone
end

-- ---------------------------------------------------------------------------
-- Calls

-- Tells the client's logger, if it has one. What the logger raises or yields
-- changes nothing.
local function log(client, level, message, fields)
  local logger = client.logger
  if logger then coroutine.resume(coroutine.create(function() logger(level, message, fields) end)) end
end

local function tell(client, method, out, err)
  if not client.logger then return end
  if out then
    local meta = out.ResponseMetadata
    log(client, "debug", method .. " succeeded", {
      http_status = meta.HTTPStatusCode, request_id = meta.RequestId, attempts = meta.RetryAttempts + 1,
    })
  else
    log(client, "warn", method .. " failed: " .. tostring(err), {
      kind = err.kind, code = err.code, http_status = err.http_status, request_id = err.request_id,
      attempts = err.attempts,
    })
  end
end

-- Passes a result on; of what nginx may have hidden, its loop can tell more.
local function explained(value, err)
  if not value and on_nginx "auto" then loop("nginx").explain(err) end
  return value, err
end

-- The outcome of a job that is done.
local function outcome(client, method, job)
  local out, err = explained(output(job))
  job:release()
  tell(client, method, out, err)
  return out, err
end

local spare -- the handle of a call that has ended, and that nobody but wait() had

-- One operation, the index-th of the core, waits here: at most `seconds`, if given, and no longer than `timeout`.
local function wait(client, index, params, seconds)
  local driver, refused = waiter(client.loop)
  if not driver then return nil, refused end
  local handle = spare
  spare = nil
  local job, err = explained(client.core:call(index, params, seconds, handle))
  if not job then
    tell(client, core.operations[index], nil, err)
    return nil, err
  end
  pump.begin(job, client, driver)
  driver.suspend(job)
  local out
  out, err = outcome(client, core.operations[index], job)
  spare = job
  return out, err
end

-- What goes on while its caller does is loaded when it is first wanted: a single pause does not need it.
local background
local function in_background()
  background = background or require "apprunner.background" {
    loop = loop, on_luv = on_luv, on_nginx = on_nginx, outcome = outcome, tell = tell,
  }
  return background
end

-- The same with a callback returns at once.
local function invoke(client, index, params, callback)
  if callback == nil then return wait(client, index, params) end
  local job, err = explained(client.core:call(index, params))
  return in_background().call(client, core.operations[index], job, err, callback)
end

local function sleep(setting, seconds)
  local driver, err = waiter(setting)
  if not driver then return nil, err end
  local moment = core.moment(seconds)
  moment:start()
  driver.suspend(moment)
  if pump.cancelled[coroutine.running() or pump] then return core.fail("Cancelled", "the wait was cancelled") end
  return true
end

-- ---------------------------------------------------------------------------
-- Clients

local methods = {}
local Client = { __name = "apprunner.client", __index = methods, wait = wait, sleep = sleep, waiter = waiter }

local function check_client(client, method)
  if getmetatable(client) ~= Client then
    error(("bad self of %s (client expected, got %s); call it with a colon"):format(method, type(client)), 3)
  end
  if client.closed and method ~= "close" then error("attempt to use a closed client", 3) end
end

local function check_table(value, what, method)
  if value ~= nil and type(value) ~= "table" then
    error(("bad %s of %s (table expected, got %s)"):format(what, method, type(value)), 3)
  end
end

for index, name in ipairs(core.operations) do
  methods[name] = function(client, params, callback)
    check_client(client, name)
    check_table(params, "parameters", name)
    if callback ~= nil and not core.callable(callback) then
      error(("bad callback of %s (function expected, got %s)"):format(name, type(callback)), 2)
    end
    return invoke(client, index, params or {}, callback)
  end
end

-- What goes on from call to call is loaded at its first use.
for module, names in pairs {
  ["apprunner.lists"] = { "each_service", "each_operation" },
  ["apprunner.lifecycle"] = { "ensure_paused", "ensure_running", "wait_for_operation" },
} do
  for _, name in ipairs(names) do
    methods[name] = function(client, params, options)
      check_client(client, name)
      check_table(params, "parameters", name)
      check_table(options, "options", name)
      return require(module)[name](client, params or {}, options or {})
    end
  end
end

-- What a call would use, and where it was found; nothing is sent to App Runner.
function methods.resolve(client)
  check_client(client, "resolve")
  local driver, refused = waiter(client.loop)
  if not driver then return nil, refused end
  local job, err = explained(client.core:resolve())
  if not job then return nil, err end
  pump.begin(job, client, driver)
  driver.suspend(job)
  return explained(job:info())
end

function methods.close(client)
  check_client(client, "close")
  client.closed = true
  client.core:close()
  pump.kick()
end

Client.__close = methods.close

-- Whether there is what the setting `loop` asks for; true, or false and why.
local function has_loop(setting)
  if setting == "nginx" then return on_nginx "auto", "this program is not nginx" end
  if setting == "luv" then return pcall(loop, "luv") end
  return true
end

-- Settings that are functions stay here; the core knows all the others.
local function take_functions(settings)
  local functions, others = {}, {}
  for name, value in pairs(settings) do others[name] = value end
  if core.callable(others.credentials) then functions.credentials, others.credentials = others.credentials, nil end
  for _, name in ipairs { "transport", "logger" } do
    local value = others[name]
    functions[name], others[name] = value, nil
    if value ~= nil and not core.callable(value) then
      return core.fail("InvalidConfigError", ("%s: expected function, got %s"):format(name, type(value)))
    end
  end
  return functions, others
end

function apprunner.client(settings)
  if settings ~= nil and type(settings) ~= "table" then
    error(("bad settings of client (table expected, got %s)"):format(type(settings)), 2)
  end
  if not (decode or new_decoder()) then
    return core.fail("InvalidConfigError", "lua-cjson is not installed, and there is no vim.json")
  end
  local functions, others = take_functions(settings or {})
  if not functions then return nil, others end
  local handle, err = core.client(others, functions.credentials ~= nil)
  if not handle then return nil, err end
  local there, why = has_loop(handle:setting "loop")
  if not there then
    return core.fail("InvalidConfigError", ("loop: no %s here: %s"):format(handle:setting "loop", tostring(why)))
  end
  local client = setmetatable({ -- false, not nil: what is absent is looked for among the methods, too
    core = handle, loop = handle:setting "loop", closed = false, transport = functions.transport or false,
    credentials = functions.credentials or false, logger = functions.logger or false,
  }, Client)
  if handle:setting "verify" == 0 then
    log(client, "warn", "certificates are not checked: verify = false")
  end
  return client
end

-- ---------------------------------------------------------------------------
-- Coroutines

function apprunner.spawn(fn, ...)
  if type(fn) ~= "function" then
    error(("bad argument #1 to 'spawn' (function expected, got %s)"):format(type(fn)), 2)
  end
  return in_background().spawn(fn, ...)
end

function apprunner.run()
  if on_nginx "auto" then error("apprunner.run: nginx runs the loop already", 2) end
  if vim and (vim.uv or vim.loop) then error("apprunner.run: Neovim runs the loop already", 2) end
  in_background().run()
end

function apprunner.sleep(seconds)
  local n = tonumber(seconds)
  if not n then error(("bad argument #1 to 'sleep' (number expected, got %s)"):format(type(seconds)), 2) end
  if not (n >= 0 and n <= 1e9) then error("bad argument #1 to 'sleep' (expected seconds, 0 to 1e9)", 2) end
  return sleep("auto", n)
end

function apprunner.map(items, fn, options)
  local driver, err = waiter "auto"
  local outs, errs = require "apprunner.map"(driver, err, items, fn, options) -- no tail call: errors name our caller
  return outs, errs
end

-- ---------------------------------------------------------------------------
-- Helpers

apprunner.sign = core.sign
apprunner.profiles = core.profiles
apprunner.iso8601 = core.iso8601

function apprunner.dump(value, options) return require "apprunner.dump"(value, options) end

return apprunner
