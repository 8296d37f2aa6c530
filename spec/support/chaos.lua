-- Many pauses at once against a server that fails at random in every way that it knows, and what must hold of them
-- afterwards: each call has ended once and in time, what each caller was told agrees with what the server knows, and
-- nothing is left. The server's draws depend on the seed, the call and the attempt.

local apprunner = require "apprunner"
local core = require "apprunner.core"
local process = require "spec.support.fault_process"
local pump = require "apprunner.pump"
local socket = require "socket"

local chaos = {}

local LATE = 3 -- seconds that a call may end after its timeout, on a machine that is busy
local PATIENCE = 20 -- seconds until closed connections must be gone

-- The clients among which each call draws. All have a timeout, for there are answers without end.
local CLIENTS = {
  { weight = 5, endpoint = "chaos", timeout = 3 },
  { weight = 3, endpoint = "chaos_tls", scheme = "https", timeout = 3 },
  { weight = 2, endpoint = "chaos_tls", scheme = "https", proxy = "chaos_proxy", timeout = 3 },
  { weight = 2, endpoint = "chaos", timeout = 0.3 },
  { weight = 1, endpoint = "chaos", timeout = 1, retry_mode = "adaptive" },
}
local CANCELLED = 0.04 -- of the calls are cancelled after a while

-- Numbers in [0, 1), the same on every Lua.
local function new_dice(seed)
  local state = seed % 2147483646 + 1
  return function()
    state = state * 16807 % 2147483647
    return (state - 1) / 2147483646
  end
end

local function new_clients(server, pki)
  local clients, drawn = {}, {}
  for i, row in ipairs(CLIENTS) do
    clients[i] = assert(apprunner.client {
      region = "us-east-1", credentials = { access_key_id = "AKIDEXAMPLE", secret_access_key = "secret" },
      endpoint_url = server:url(row.endpoint, row.scheme), proxy = row.proxy and server:url(row.proxy),
      ca_bundle = pki .. "/ca.pem", connect_timeout = 0.3, read_timeout = 0.3, timeout = row.timeout,
      retry_mode = row.retry_mode, max_response_bytes = 1048576,
    })
    for _ = 1, row.weight do drawn[#drawn + 1] = i end
  end
  return clients, drawn
end

-- The calls -----------------------------------------------------------------------------------------------------------

local function finish(call, out, err)
  call.ends = call.ends + 1
  call.seconds = socket.gettime() - call.begun
  call.out, call.err = out, err
end

local function cancel_later(handle, seconds)
  apprunner.spawn(function()
    apprunner.sleep(seconds)
    handle:cancel()
  end)
end

-- Starts call `serial`; `done` is called when it has ended.
local function start(world, serial, done)
  local which = world.drawn[math.floor(world.dice() * #world.drawn) + 1]
  local call = { ends = 0, begun = socket.gettime(), timeout = CLIENTS[which].timeout }
  world.calls[serial] = call
  local arn = ("arn:aws:apprunner:us-east-1:123456789012:service/call-%d/0123456789abcdef0123456789abcdef")
    :format(serial)
  local handle = world.clients[which]:pause_service({ ServiceArn = arn }, function(out, err)
    finish(call, out, err)
    if call.ends == 1 then done() end
  end)
  local cancelled, moment = world.dice() < CANCELLED, world.dice() * 0.4
  if cancelled then cancel_later(handle, moment) end
end

local function start_all(world, count, concurrency)
  local serial = 0
  local function next_one()
    if serial == count then return end
    serial = serial + 1
    start(world, serial, next_one)
  end
  for _ = 1, concurrency do next_one() end
  apprunner.run()
end

-- What must hold of one ----------------------------------------------------------------------------------------------

-- What the server did for each call: its requests by attempt.
local function requests_of(log)
  local requests = {}
  for _, request in ipairs(log) do
    local list = requests[request.serial] or {}
    requests[request.serial] = list
    list[#list + 1] = request
  end
  return requests
end

local function find(requests, attempt)
  for _, request in ipairs(requests) do
    if request.attempt == attempt then return request end
  end
  return {}
end

local function is_any_performed(requests)
  for _, request in ipairs(requests) do
    if request.performed then return true end
  end
  return false
end

local function attempts_of(call)
  return call.out and call.out.ResponseMetadata.RetryAttempts + 1 or call.err.attempts or 0
end

-- Each attempt came at most once, and none beyond those that the caller was told of.
local function has_honest_attempts(call, requests)
  local seen, attempts = {}, attempts_of(call)
  for _, request in ipairs(requests) do
    if seen[request.attempt] or request.attempt > attempts then return false end
    seen[request.attempt] = true
  end
  return true
end

-- By the error's kind: whether it agrees with the request of the last attempt, and with all of them.
local agrees = {}

function agrees.service(err, last) return last.status == err.http_status and not last.performed end

function agrees.response(err, last)
  return last.attempt ~= nil and (last.status == nil and err.ambiguous == true or last.performed)
end

function agrees.transport(err, _, requests) return err.ambiguous or not is_any_performed(requests) end

agrees.timeout, agrees.cancelled = agrees.transport, agrees.transport

local function agrees_with_server(call, requests)
  local last = find(requests, attempts_of(call))
  if call.out then return last.performed == true and (last.status or 0) >= 200 end
  local rule = agrees[call.err.kind]
  return rule ~= nil and rule(call.err, last, requests)
end

-- The report ---------------------------------------------------------------------------------------------------------

local function told(call)
  if call.ends == 0 then return "nothing" end
  return call.out and "success" or call.err.code
end

local function describe(serial, call, requests)
  local words = {}
  for _, request in ipairs(requests) do
    words[#words + 1] = ("%d %s%s"):format(
      request.attempt, request.fault, request.performed and ", performed" or "")
  end
  return ("call %d: ended %d times, after %.2f s of %.1f, by %s; the server: %s"):format(
    serial, call.ends, call.seconds or -1, call.timeout, tostring(call.err or told(call)), table.concat(words, "; "))
end

-- Lists of what does not hold: `ends`, `late`, `attempts`, `lies`, and `forgotten`, which are the lies of calls that
-- were ended from outside.
local function judge(calls, requests)
  local report = { ends = {}, late = {}, attempts = {}, lies = {}, forgotten = {}, told = {}, longest = 0 }
  for serial, call in ipairs(calls) do
    local mine = requests[serial] or {}
    local function note(list) list[#list + 1] = describe(serial, call, mine) end
    report.told[told(call)] = (report.told[told(call)] or 0) + 1
    if call.ends ~= 1 then
      note(report.ends)
    else
      local from_outside = call.err and (call.err.code == "CallTimeoutError" or call.err.kind == "cancelled")
      if call.seconds > call.timeout + LATE then note(report.late) end
      if not has_honest_attempts(call, mine) then note(report.attempts) end
      if not agrees_with_server(call, mine) then note(from_outside and report.forgotten or report.lies) end
      report.longest = math.max(report.longest, call.seconds - call.timeout)
    end
  end
  return report
end

-- Descriptors --------------------------------------------------------------------------------------------------------

local function descriptors()
  local own = assert(io.open "/proc/self/stat"):read "*n"
  local pipe, count = assert(io.popen(("ls /proc/%d/fd"):format(own))), 0
  for _ in pipe:lines() do count = count + 1 end
  pipe:close()
  return count
end

local function lua_memory()
  collectgarbage()
  collectgarbage()
  return collectgarbage "count"
end

-- A call to a server of one answer: the engine looks after the connections that it keeps.
local function look_after(server)
  local client = assert(apprunner.client {
    region = "us-east-1", credentials = { access_key_id = "AKIDEXAMPLE", secret_access_key = "secret" },
    endpoint_url = server:url "good", timeout = PATIENCE,
  })
  assert(client:list_services())
  client:close()
end

-- How many descriptors there are more than `before` once the engine has closed what the server has ended.
local function left_open(server, before)
  local deadline = socket.gettime() + PATIENCE
  server:drop()
  local more
  repeat
    look_after(server)
    collectgarbage()
    more = descriptors() - before
  until more <= 0 or socket.gettime() > deadline
  return math.max(more, 0)
end

local function play(server, pki, options)
  local begun = socket.gettime()
  local world = { dice = new_dice(options.seed), calls = {} }
  world.clients, world.drawn = new_clients(server, pki)
  start_all(world, options.calls, options.concurrency)
  local seconds = socket.gettime() - begun
  for _, client in ipairs(world.clients) do client:close() end
  local report = judge(world.calls, requests_of(server:log()))
  report.seconds = seconds
  world.calls, world.clients = nil, nil -- what LuaJIT has compiled may refer to the world
  return report
end

-- Runs `options.calls` pauses, `options.concurrency` at a time, with `options.seed`; `pki` is the folder of
-- certificates. Returns what judge found, and `seconds`, `descriptors` (left open), `unfinished`, `in_flight`,
-- `memory` (more KiB in Lua than before).
function chaos.run(pki, options)
  local server = process.start(pki, options.seed)
  look_after(server)
  local before, memory = descriptors(), lua_memory()
  local report = play(server, pki, options)
  report.memory = lua_memory() - memory
  report.descriptors = left_open(server, before)
  report.unfinished, report.in_flight = core.unfinished(), pump.stats().in_flight
  server:stop()
  return report
end

return chaos
