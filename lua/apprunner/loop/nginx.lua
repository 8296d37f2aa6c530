-- The nginx loop, of OpenResty: one driver per worker pumps in a zero-delay
-- timer, which outlives any request; waiters sleep on a semaphore. Where there
-- is no timer or no semaphore to be had, a waiter pumps for itself. Where
-- resty.http is to be had, it performs the exchanges.
local core = require "apprunner.core"
local pump = require "apprunner.pump"
local tasks = require "apprunner.loop.tasks"

local ngx = ngx

local nginx = pump.loop "nginx"

-- What one turn of the worker may take, so that other requests hardly wait for it.
local BUDGET = 0.25 -- milliseconds of I/O
local DELIVERIES = 2 -- waiters that go on, each of which may decode an answer and sign the next request
local SHORTEST, LONGEST = 0.001, 0.004 -- seconds between two turns
local LONGEST_ALONE = 0.008 -- the same, where each waiter pumps
local LOOK_AGAIN = 0.5 -- seconds after which a waiter sees whether a driver lives

local semaphores, semaphore = pcall(require, "ngx.semaphore")
local MOST_THREADS = 500 -- that one driver starts: nginx keeps them until it ends

local driving = false
local threads = 0 -- started since the driver began
local asked -- when a timer was asked for that has not begun to drive
local starved = false -- whether nginx has dropped one since a driver began
local owed = {} -- { fn, argument, id of a job, client }: what is to be called in a thread, as by nginx.serve

-- The phases in which Lua code may yield.
local yieldable = {
  rewrite = true, server_rewrite = true, access = true, content = true, timer = true, preread = true,
  ssl_cert = true, ssl_session_fetch = true, ssl_client_hello = true,
}

-- Whether this code runs where it may wait.
function nginx.can_wait() return yieldable[ngx.get_phase()] or false end

function nginx.cannot_wait()
  return core.fail(
    "NotYieldableError",
    "nginx cannot wait in the phase " .. ngx.get_phase() .. "; use ngx.timer.at, or loop = \"blocking\""
  )
end

local hidden = { NoCredentialsError = true, NoRegionError = true }

-- Adds to an error what nginx may have to do with it.
function nginx.explain(err)
  if not hidden[err.code] then return end
  err.message = err.message .. "; nginx hides the environment from its workers: name what they need in nginx.conf, "
    .. "as in \"env AWS_ACCESS_KEY_ID;\""
end

-- Calls at most so many that are to be called; true if there are more.
local function deliver(most)
  for _ = 1, most do
    local notify = pump.take(nginx)
    if not notify then return false end
    notify()
  end
  return nginx.first <= nginx.last
end

local function spawn(fn, ...)
  threads = threads + 1
  return ngx.thread.spawn(fn, ...)
end

-- Whether who pumps is to start this in a thread of its own. The driver starts all; who waits alone for `job` starts
-- what that needs, for its threads end with its request, and keep it until then.
local function wants(job, entry)
  return not job or entry.id == job:id() or entry.client and entry.client == job:waits()
end

-- What is owed counts as what the loop waits for.
local function take_owed(i)
  nginx.pending = nginx.pending - 1
  return table.remove(owed, i)
end

-- Starts at most so many of what is owed; true if there are more.
local function serve(most, job)
  local i = 1
  while owed[i] and most > 0 do
    if wants(job, owed[i]) then
      local entry = take_owed(i)
      spawn(entry.fn, entry.argument)
      most = most - 1
    else
      i = i + 1
    end
  end
  return owed[i] ~= nil
end

-- One turn: pumps, delivers, and sleeps; returns the next pause. Without a patch
-- of OpenResty's, nginx attends to nothing else before it ends a sleep of 0.
-- `mine`: the threads of who pumps, as in tasks.start; `job`: what it waits for alone, if it does.
local function turn(pause, longest, deliveries, mine, job)
  local more, moved = pump.step(BUDGET)
  tasks.finish(mine)
  tasks.start(mine, spawn, wants, job)
  more = serve(deliveries, job) or more
  more = deliver(deliveries) or more
  pause = moved and SHORTEST or math.min(pause * 2, longest)
  ngx.sleep(more and SHORTEST or pause)
  return pause
end

local function is_idle() return pump.idle(nginx) and not tasks.waiting() end

local function drive(mine)
  local pause = SHORTEST
  while not (is_idle() and not next(mine)) and threads < MOST_THREADS do
    pause = turn(pause, LONGEST, DELIVERIES, mine)
  end
end

-- A driver that has started enough leaves the pumping to another, and stays for
-- the exchanges in its own threads.
local function driver()
  if driving then return end -- one that was late, and not dropped
  local mine = {}
  starved = false
  repeat
    driving, asked, threads = true, nil, 0
    local ok, err = pcall(drive, mine)
    driving = false
    if not ok then ngx.log(ngx.ERR, "apprunner: ", err) end
  until is_idle() or nginx.kick() or not ok
  while next(mine) do
    tasks.finish(mine)
    ngx.sleep(LONGEST)
  end
end

-- nginx may take a timer and drop it (lua_max_running_timers): one that has not
-- begun for so long is not counted on any more.
local function was_dropped()
  ngx.update_time()
  return ngx.now() - asked > LOOK_AGAIN
end

local function ask()
  local ok, created = pcall(ngx.timer.at, 0, driver)
  if not (ok and created) then return false end
  ngx.update_time()
  asked = ngx.now()
  return true
end

-- Sees to it that there is a driver; false where nginx gives no timer. After one that was dropped none is counted on
-- until a driver begins, but asked for.
function nginx.kick()
  if driving then return true end
  if not asked then return ask() end
  if was_dropped() then
    starved = true
    ask()
  end
  return not starved
end

-- Pumps in the waiter's own thread, and leaves nothing behind in the queue.
local function wait_alone(job)
  local pause, mine = SHORTEST, {}
  while not job:done() do
    if #owed > 0 or tasks.waiting() then nginx.kick() end
    pause = turn(pause, LONGEST_ALONE, math.huge, mine, job)
  end
  tasks.give_up(mine)
  if not is_idle() then nginx.kick() end
end

-- The driver posts. This closure holds the semaphore alone: not the job, so
-- that a waiter that is killed lets go of it, and no variable of the waiter's
-- stack, which nginx uses again.
local function poster(semaphore_of_waiter)
  return function() semaphore_of_waiter:post(1) end
end

local function wait(job)
  local waiter = semaphores and semaphore.new()
  if not waiter or not nginx.kick() then return wait_alone(job) end
  pump.watch(job, nginx, poster(waiter))
  while not job:done() do
    waiter:wait(LOOK_AGAIN)
    if not job:done() and not nginx.kick() then return wait_alone(job) end
  end
end

function nginx.suspend(job)
  local co = coroutine.running()
  pump.awaited[co] = job
  wait(job)
  pump.awaited[co] = nil
end

-- nginx logs what a light thread raises.
function nginx.start(_, fn, ...) return spawn(fn, ...) end

-- Calls fn(argument) in a thread of the driver's, whoever pumps now: a function that is called for the job `id`, or
-- for the credentials of `client`, or a callback; so that each may wait, and raise, by itself.
function nginx.serve(_, fn, argument, id, client)
  owed[#owed + 1] = { fn = fn, argument = argument, id = id, client = client }
  nginx.pending = nginx.pending + 1
  nginx.kick()
end

function nginx.call(loop, notify) nginx.serve(loop, notify) end

-- The exchange of that job is not wanted any more.
function pump.forget(id)
  for i = #owed, 1, -1 do
    if owed[i].id == id then take_owed(i) end
  end
  tasks.forget(id)
end

-- Performs an exchange of the job `id`, which is a call or, where `client` is its number, finds its credentials.
if tasks.can_perform() then
  function nginx.perform(exchange, id, client)
    tasks.add(exchange, id, client)
    nginx.kick()
  end
end

return nginx
