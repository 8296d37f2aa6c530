-- luacheck: globals ngx
-- The handlers of an nginx that uses apprunner, for spec/nginx_spec.lua. The module is loaded by init_by_lua, so its
-- client is made before the workers are. What happens where no answer can be sent is kept in the shared dictionary
-- `told`, under the name of the request, and can be asked for with /told?name=.

local apprunner = require "apprunner"
local cjson = require "cjson"
local pump = require "apprunner.pump"

local front = {}

local credentials = {access_key_id = "AKIDEXAMPLE", secret_access_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}
local endpoint, bundle = os.getenv "ENDPOINT", os.getenv "BUNDLE"

local function client_of(settings)
  settings.endpoint_url = settings.endpoint_url or endpoint
  settings.ca_bundle = bundle
  return assert(apprunner.client(settings))
end

-- Without a credentials setting: those of the environment, if nginx leaves them there.
local client = client_of {}
local plain = client_of {endpoint_url = os.getenv "PLAIN", credentials = credentials}
local blocking = client_of {loop = "blocking", credentials = credentials}

local function params(name)
  return {ServiceArn = ("arn:aws:apprunner:us-east-1:123456789012:service/%s/0123456789abcdef0123456789abcdef")
    :format(name)}
end

local function brief(out, err)
  if out then return {arn = out.Service.ServiceArn, status = out.Service.Status} end
  if type(err) ~= "table" then return {raised = tostring(err)} end
  return {kind = err.kind, code = err.code, message = tostring(err), attempts = err.attempts}
end

-- What a call gives, or raises, with the phase that it was made in.
local function attempt(fn, ...)
  local result
  local ok, out, err = pcall(fn, ...)
  if ok then result = brief(out, err) else result = {raised = tostring(out)} end
  result.phase = ngx.get_phase()
  return result
end

local function name() return ngx.var.arg_name end

local function tell(key, result)
  local _, err = ngx.shared.told:set(key, cjson.encode(result))
  if err then ngx.log(ngx.ERR, "told: ", err) end
end

local function answer(result)
  ngx.header["Content-Type"] = "application/json"
  ngx.print(cjson.encode(result))
end

function front.told() ngx.print(ngx.shared.told:get(name()) or "") end

function front.beat() ngx.print "beat" end

function front.stats()
  local stats = pump.stats() or {}
  stats.pid, stats.threads = ngx.worker.pid(), ngx.timer.running_count()
  answer(stats)
end

function front.collect()
  collectgarbage()
  collectgarbage()
  answer(pump.stats() or {})
end

-- Plain calls, in whatever phase. ------------------------------------------------------------------------------------

function front.pause()
  local result = attempt(client.pause_service, client, params(name()))
  result.pid = ngx.worker.pid()
  answer(result)
end

function front.pause_plainly() answer(attempt(plain.pause_service, plain, params(name()))) end

function front.pause_early() ngx.ctx.result = attempt(client.pause_service, client, params(name())) end

function front.answer_early() answer(ngx.ctx.result) end

function front.pause_and_tell(key)
  key = key or name()
  tell(key, attempt(client.pause_service, client, params(key)))
end

-- Lets a request for /balancer go on to /do/beat.
function front.balance()
  front.pause_and_tell()
  assert(require "ngx.balancer".set_current_peer("127.0.0.1", tonumber(ngx.var.server_port)))
end

function front.sleep()
  local begun = ngx.now()
  local ok, err = apprunner.sleep(0.05)
  ngx.update_time()
  tell(name(), {ok = ok, err = err and err.code, seconds = ngx.now() - begun, run = pcall(apprunner.run)})
end

function front.timer()
  local key = name()
  assert(ngx.timer.at(0, function() tell(key, attempt(client.pause_service, client, params(key))) end))
end

-- In a thread of nginx's pool, where waiting blocks nobody else.
function front.worker_thread()
  local ok, result = ngx.run_worker_thread("calls", "nginx_thread", "pause", params(name()).ServiceArn)
  answer(ok and result or {raised = tostring(result)})
end

function front.pause_blocking() answer(attempt(blocking.pause_service, blocking, params(name()))) end

-- Keeps `count` pauses under way, until it is told to stop.
function front.keep_pausing()
  local key, told = name(), ngx.shared.told
  told:set(key, true)
  local function go_on()
    while told:get(key) do assert(client:pause_service(params(key))) end
  end
  for _ = 1, tonumber(ngx.var.arg_count) do assert(ngx.timer.at(0, go_on)) end
end

function front.stop_pausing() ngx.shared.told:delete(name()) end

-- What needs a region that there is none.
function front.list() answer(attempt(client.list_services, client)) end

-- Keeps a timer pending for long.
function front.pend() assert(ngx.timer.at(600, function() end)) end

-- Keeps a timer running for two seconds.
function front.occupy()
  local key = name()
  assert(ngx.timer.at(0, function()
    tell(key, true)
    ngx.sleep(2)
  end))
end

-- A light thread for each of `count` pauses.
function front.threads()
  local threads, results = {}, {}
  for i = 1, tonumber(ngx.var.arg_count) do
    threads[i] = ngx.thread.spawn(attempt, client.pause_service, client, params(name() .. "n" .. i))
  end
  for i, thread in ipairs(threads) do
    local _, result = ngx.thread.wait(thread)
    results[i] = result
  end
  answer(results)
end

function front.spawned()
  local key, left = name(), 3
  for i = 1, 3 do
    apprunner.spawn(function(text)
      local result = attempt(client.pause_service, client, params(key .. i))
      result.text = text
      tell(key .. i, result)
      left = left - 1
    end, "text " .. i)
  end
  answer {left = left}
end

-- Maps: eight pauses, one of which raises and one of which waits by nginx itself; and one that is cancelled.
function front.map()
  local begun, items = ngx.now(), {}
  for i = 1, 8 do items[i] = i end
  local outs, errs = apprunner.map(items, function(item)
    if item == 7 then error("seven", 0) end
    if item == 8 then ngx.sleep(0.05) end
    local out, err = client:pause_service(params(name() .. "n" .. item))
    return out and out.Service.Status, err
  end, {concurrency = 8})
  ngx.update_time()
  answer {paused = outs, raised = errs[7], seconds = ngx.now() - begun}
end

function front.map_cancelled()
  local begun = ngx.now()
  local outs, errs = apprunner.map({"sleep", "call", "host", "late"}, function(item)
    if item == "sleep" then return apprunner.sleep(0.02) end
    if item == "host" then return ngx.sleep(0.3) end
    return client:pause_service(params(name()))
  end, {concurrency = 3, on_progress = function() return false end})
  ngx.update_time()
  local codes = {}
  for item, err in pairs(errs) do codes[item] = err.code end
  answer {outs = outs, codes = codes, seconds = ngx.now() - begun}
end

-- Callbacks. ---------------------------------------------------------------------------------------------------------

function front.callback(key)
  key = key or name()
  local ok, call, err = pcall(client.pause_service, client, params(key), function(out, problem)
    local result = brief(out, problem)
    result.phase, result.count = ngx.get_phase(), (ngx.shared.told:incr(key .. ".count", 1, 0))
    tell(key, result)
  end)
  if not ok then return tell(key, {raised = tostring(call)}) end
  if not call then tell(key, brief(nil, err)) end
end

-- One callback raises, another waits in a call of its own.
function front.callbacks()
  local key = name()
  client:pause_service(params(key), function() error "a callback raises" end)
  client:pause_service(params(key), function() tell(key, attempt(client.pause_service, client, params(key))) end)
end

-- What a client's function waits for goes on, though a call that blocks begins it, whose request then ends at once.
local transported = client_of {credentials = credentials, transport = function()
  ngx.sleep(0.05)
  return {status = 200, headers = {}, body = '{"Service":{"Status":"' .. ngx.get_phase() .. '"}}'}
end}

-- Holds no variable of a handler's, whose stack nginx uses again.
local function teller(key)
  return function(out, err) tell(key, brief(out, err)) end
end

function front.end_early()
  transported:pause_service(params(name()), teller(name()))
  blocking:pause_service(params "early")
  ngx.exit(ngx.HTTP_NO_CONTENT)
end

function front.cancel()
  local key = name()
  local call = client:pause_service(params(key), function(out, err) tell(key, brief(out, err)) end)
  ngx.sleep(0.1)
  answer {first = call:cancel(), again = call:cancel()}
end

function front.close()
  local key, mine = name(), client_of {credentials = credentials}
  local begun = ngx.now()
  mine:pause_service(params(key), function(out, err)
    local result = brief(out, err)
    ngx.update_time()
    result.seconds = ngx.now() - begun
    tell(key, result)
  end)
  ngx.sleep(0.1)
  mine:close()
end

-- Waiters that go away. ----------------------------------------------------------------------------------------------

function front.kill()
  local thread = ngx.thread.spawn(function() return plain:pause_service(params(name())) end)
  ngx.sleep(0.1)
  local before = pump.stats().in_flight
  ngx.thread.kill(thread)
  thread = nil -- luacheck: ignore 311
  answer {before = before}
end

-- Failures of TLS between requests that are themselves TLS. ----------------------------------------------------------

local refused = {}
for port in (os.getenv "REFUSED" or ""):gmatch "%d+" do
  refused[#refused + 1] = client_of {endpoint_url = "https://localhost:" .. port, credentials = credentials}
end

function front.fail_and_pass_on()
  local codes = {}
  for i, other in ipairs(refused) do codes[i] = attempt(other.pause_service, other, params "refused").code end
  ngx.header["x-amzn-RequestId"] = table.concat(codes, " ")
end

-- Before the workers are. --------------------------------------------------------------------------------------------

function front.init()
  tell("init", attempt(client.pause_service, client, params "init"))
  front.callback "init.callback"
  tell("init.sleep", attempt(apprunner.sleep, 0.01))
end

function front.init_blocking()
  tell("init", attempt(blocking.pause_service, blocking, params "init"))
end

return front
