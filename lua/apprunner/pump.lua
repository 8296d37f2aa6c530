-- The pump: one list of jobs and one engine a Lua state, and the one function that moves them all.
-- Whoever waits watches a job; nobody drives another's.
--
-- A loop is what pump.loop(name) makes, and these:
--   kick()                 sees to it that a turn comes soon: something is to be pumped or delivered
--   suspend(job)           gives way until job:done(), for which pump.watch(job, loop, notify) calls; meanwhile
--                          pump.awaited[coroutine] is the job
--   start(loop, fn, ...)   starts a coroutine that this loop drives, now or soon, and returns it
--   call(loop, notify)     has `notify`, which may raise, called from the loop
--   perform, serve         if it has them, as in loop/nginx.lua: for the engine; for start(), of callers' functions
--   drives()               whether this loop drives the running coroutine; of pump.host alone
-- In a turn it calls pump.step(budget), then every function that pump.take(loop) gives. The next turn is due at once
-- where step said so, else when pump.fd() is readable or after pump.timeout(); pump.idle(loop): until it is kicked.
-- A program's own loop becomes pump.host: where a client's loop is "auto", calls in coroutines that it drives wait in
-- it, and callbacks are called from it. Examples: loop/*.lua, and examples/cqueues_loop.lua of another than ours.
local core = require "apprunner.core"

local pump = {}

local waiting = {} -- id of a job -> { loop, notify }
local performers = {} -- id of a job -> the function that performs its exchanges, if not the engine
local clients = setmetatable({}, { __mode = "v" }) -- number of a client -> it, if it has functions or a performer
pump.spawned = setmetatable({}, { __mode = "k" }) -- coroutine -> its loop, if apprunner started it
local awaited = setmetatable({}, { __mode = "kv" }) -- coroutine -> the job it waits for
local catchers = setmetatable({}, { __mode = "k" }) -- coroutine -> who is told what it raises, or that it is stranded
-- For map.lua; in `cancelled` is a coroutine that must not wait any more.
pump.awaited, pump.catchers, pump.cancelled = awaited, catchers, setmetatable({}, { __mode = "k" })

-- What a waiting coroutine yields, and must be handed back.
local token = setmetatable({}, {
  __name = "apprunner.wait",
  __tostring = function() return "apprunner waits here: only the loop may resume this coroutine" end,
})

-- The stages of bringing up an engine. Loading libcurl takes 6 to 10 ms and
-- its initialisation up to 1 ms, so an event loop spends a turn on each.
local curl
local function load_curl()
  local search = rawget(package, "searchpath") -- PUC 5.1 has none
  local path = search and search("apprunner.curl", package.cpath)
  if path and not package.loaded["apprunner.curl"] then core.map(path) end
  curl = require "apprunner.curl"
end

local stages = {
  load_curl,
  function() assert(curl.init()) end,
  function() core.attach(assert(curl.engine()), "libcurl#" .. curl.version) end,
}
local stage = 1

-- The next of them, or what wants the engine is told that there is none to be had.
local function bring_up()
  local ok, err = pcall(stages[stage])
  if not ok then
    core.refuse("the HTTP engine is not available: " .. tostring(err))
  elseif stage < #stages then
    stage = stage + 1
  end
end

-- The client's own jobs have the performer that its latest call had.
local function send(exchange, id, owner)
  local client = clients[owner]
  local perform = performers[id] or client and client.perform
  if not perform then return exchange:fail("Cancelled", "the client is gone") end
  perform(exchange, id, not performers[id] and owner or nil)
end

local function forget(_, id)
  if pump.forget then pump.forget(id) end
end

local function ask(_, id, owner)
  local client = clients[owner]
  if not client then return core.answer(id, nil, "Cancelled", "the client is gone") end
  require("apprunner.hooks").ask(client.credentials, id, owner, client.driver)
end

local carry_out = { send = send, forget = forget, ask = ask }

-- Steps the jobs and carries out what they order of Lua, until they want no more: what a function of the caller's
-- returns at once lets them go on at once. Whether they want the engine, and there is none.
local function step_jobs()
  local orders, lacks_engine = core.step()
  while orders do
    for order, exchange, id, owner in core.order do carry_out[order](exchange, id, owner) end
    orders, lacks_engine = core.step()
  end
  return lacks_engine
end

-- The same, until there is an engine for what wants it.
local function settle()
  while step_jobs() do bring_up() end
end

-- Puts what waits for finished jobs on its loop's queue; true if any was.
local function report()
  local moved = false
  for id in core.finished do
    local entry = waiting[id]
    waiting[id], performers[id] = nil, nil
    moved = true
    if entry then
      entry.loop.pending = entry.loop.pending - 1
      pump.defer(entry.loop, entry.notify)
    end
  end
  return moved
end

-- One turn of an event loop: moves whatever can move in `budget` milliseconds of I/O. Returns whether there is more to
-- do at once, and whether something has ended.
function pump.step(budget)
  if step_jobs() then
    bring_up()
    return true, false
  end
  if pump.before_wait then pump.before_wait() end
  local more, ended = core.perform(budget)
  if ended then step_jobs() end
  return more, report() or ended
end

-- One turn of a blocking caller, who waits for `job` or for anything: moves whatever can move, and waits where nothing
-- could. Whether the job is done.
function pump.drive(job)
  local looks = pump.before_wait
  if looks then -- at what waits now: nothing may begin to wait after it
    settle()
    looks(job)
  end
  local done, more = core.wait(job, looks ~= nil)
  if more then
    settle()
    report()
  end
  return done
end

-- Milliseconds until a step is due; 0: now; -1: when something happens.
pump.timeout = core.timeout

-- The descriptor that is readable when a step is due, once there is one.
function pump.fd()
  local engine = core.engine()
  return engine and engine:fd()
end

-- Starts a call of `client`. The client's functions, if it has any, are called
-- in coroutines of `loop`. Its exchanges are its transport's, the loop's or the engine's.
function pump.begin(job, client, loop)
  local transport, perform = client.transport, loop.perform
  if transport then
    function perform(...) require("apprunner.hooks").perform(transport, loop, ...) end
  end
  if perform or client.credentials then
    clients[client.core:id()], client.driver, client.perform = client, loop, perform
  end
  if perform then performers[job:watch()] = perform end
  job:start(perform ~= nil)
end

-- Has every loop that waits for something take a turn soon: for ends that come from outside, not from the engine.
function pump.kick()
  if not next(waiting) then return end
  local kicked = {}
  for _, entry in pairs(waiting) do
    if not kicked[entry.loop] then
      kicked[entry.loop] = true
      entry.loop.kick()
    end
  end
end

-- The engine's own figures, for tests and benchmarks; nil without one.
function pump.stats()
  local engine = core.engine()
  return engine and engine:stats()
end

-- A new loop: `pending` counts the jobs that are watched for it, `queue` holds what is to be called from it.
function pump.loop(name)
  return { name = name, pending = 0, queue = {}, first = 1, last = 0 }
end

-- Has the loop call `notify` soon.
function pump.defer(loop, notify)
  loop.last = loop.last + 1
  loop.queue[loop.last] = notify
  loop.kick()
end

-- Takes the next function that the loop is to call, or nil.
function pump.take(loop)
  if loop.first > loop.last then return nil end
  local notify = loop.queue[loop.first]
  loop.queue[loop.first] = nil
  loop.first = loop.first + 1
  return notify
end

-- Whether the loop has nothing to call and nothing to wait for.
function pump.idle(loop) return loop.pending == 0 and loop.first > loop.last end

-- Has the loop call `notify` when `job` is done.
function pump.watch(job, loop, notify)
  local entry = { loop = loop, notify = notify }
  waiting[job:watch()] = entry
  loop.pending = loop.pending + 1
  loop.kick()
end

-- What becomes of a coroutine that yields where nobody can resume it.
pump.STRANDED = "a coroutine of apprunner yielded for a reason of its own, and nobody will resume it"

-- Resumes a coroutine; its error goes to its catcher, else to the loop's caller.
local function resume(loop, co, ...)
  local ok, value = coroutine.resume(co, ...)
  if ok and not (loop.strict and coroutine.status(co) == "suspended" and value ~= token) then return end
  if ok then value = pump.STRANDED end
  local catcher = catchers[co]
  if not catcher then error(value, 0) end
  catchers[co] = nil
  catcher(value)
end

-- Waits in a coroutine that `loop` drives, or that the host's loop does.
function pump.suspend(job, loop)
  local co = coroutine.running()
  awaited[co] = job
  pump.watch(job, loop, function()
    -- A wait that has ended otherwise is nobody's to end again.
    if awaited[co] ~= job or coroutine.status(co) == "dead" then return end
    awaited[co] = nil
    resume(loop, co, token)
  end)
  local handed = coroutine.yield(token)
  awaited[co] = nil
  if handed ~= token then
    error("a coroutine that waits for apprunner was resumed by code that is not a loop", 0)
  end
end

-- Starts `fn` at once in a coroutine that `loop` drives. Returns it, and what it has raised.
function pump.start(loop, fn, ...)
  local co = coroutine.create(fn)
  pump.spawned[co] = loop
  local ok, err = pcall(resume, loop, co, ...)
  return co, not ok and err or nil
end

return pump
