-- The nginx loop, of OpenResty: one driver per worker pumps in a zero-delay
-- timer, which outlives any request; waiters sleep on a semaphore. Where there
-- is no timer or no semaphore to be had, a waiter pumps for itself. Who pumps
-- starts the light threads in which resty.http performs exchanges, if it is there.
local cosockets = require "apprunner.loop.cosockets"
local pump = require "apprunner.pump"

local ngx = ngx

local nginx = pump.loop "nginx"

local BUDGET = 2 -- milliseconds of I/O in one turn of the worker
local SHORTEST, LONGEST = 0.001, 0.004 -- seconds between two turns
local LONGEST_ALONE = 0.008 -- the same, where each waiter pumps
local LOOK_AGAIN = 0.5 -- seconds after which a waiter sees whether a driver lives

local semaphores, semaphore = pcall(require, "ngx.semaphore")
local MOST_THREADS = 500 -- that one driver starts: nginx keeps them until it ends

local driving = false
local threads = 0 -- started since the driver began
local asked -- when a timer was asked for that has not begun to drive

-- The phases in which Lua code may yield.
local yieldable = {
  rewrite = true, server_rewrite = true, access = true, content = true, timer = true, preread = true,
  ssl_cert = true, ssl_session_fetch = true, ssl_client_hello = true,
}

-- Whether this code runs where it may wait.
function nginx.can_wait() return yieldable[ngx.get_phase()] or false end

-- Exchanges by resty.http -----------------------------------------------------

local begun = {} -- tasks that wait for a thread
local tasks = {} -- id of a job -> the task that performs its exchange
-- Of who pumps: `mine`, a task -> its thread. None but the starter of a thread may kill it.

local function perform(exchange, id)
  local task = cosockets.task(exchange)
  task.id, tasks[id] = id, task
  begun[#begun + 1] = task
  nginx.kick()
end

-- A thread that ends with the request of its starter leaves nothing but this, once it is collected.
local function sentinel(task)
  local object = newproxy(true) -- luacheck: ignore 113
  getmetatable(object).__gc = function()
    if not task.over then pcall(cosockets.fail, task, cosockets.lost(task)) end
  end
  return object
end

local function run(task, mine)
  local held = sentinel(task)
  cosockets.perform(task)
  mine[task] = nil
  if tasks[task.id] == task then tasks[task.id] = nil end
  return held
end

local function start_tasks(mine)
  local list
  list, begun = begun, {}
  for _, task in ipairs(list) do
    if not task.over then
      mine[task] = true
      local thread = nginx.start(nil, run, task, mine)
      if mine[task] then mine[task] = thread end
    end
  end
end

-- Ends the threads whose exchange nobody wants any more, or that take too long.
local function end_tasks(mine)
  local now = ngx.now()
  for task, thread in pairs(mine) do
    if not task.over and task.deadline and task.deadline < now then cosockets.fail(task, cosockets.late(task)) end
    if task.over then
      ngx.thread.kill(thread)
      mine[task] = nil
    end
  end
end

function pump.forget(id)
  if tasks[id] then tasks[id].over = true end
  tasks[id] = nil
end

if cosockets.library() then nginx.perform = perform end

-- Pumping ---------------------------------------------------------------------

-- One turn: pumps, delivers, and sleeps; returns the next pause.
local function turn(pause, longest, mine)
  local more, moved = pump.step(BUDGET)
  end_tasks(mine)
  start_tasks(mine)
  for notify in pump.take, nginx do notify() end
  pause = moved and SHORTEST or math.min(pause * 2, longest)
  ngx.sleep(more and 0 or pause)
  return pause
end

local function is_idle() return pump.idle(nginx) and #begun == 0 end

local function drive(mine)
  local pause = SHORTEST
  while not (is_idle() and not next(mine)) and threads < MOST_THREADS do pause = turn(pause, LONGEST, mine) end
end

-- A driver that has started enough leaves the pumping to another, and stays
-- for the exchanges in its own threads.
local function driver()
  local mine = {}
  driving, asked, threads = true, nil, 0
  local ok, err = pcall(drive, mine)
  driving = false
  if not ok then ngx.log(ngx.ERR, "apprunner: ", err) end
  if not is_idle() then nginx.kick() end
  while next(mine) do
    end_tasks(mine)
    ngx.sleep(LONGEST)
  end
end

-- nginx may take a timer and drop it (lua_max_running_timers): one that has not
-- begun for so long is not counted on any more.
local function was_dropped()
  ngx.update_time()
  return ngx.now() - asked > LOOK_AGAIN
end

-- Sees to it that there is a driver; false where nginx gives no timer.
function nginx.kick()
  if driving then return true end
  if asked then return not was_dropped() end
  local ok, created = pcall(ngx.timer.at, 0, driver)
  if not (ok and created) then return false end
  ngx.update_time()
  asked = ngx.now()
  return true
end

-- Pumps in the waiter's own thread.
local function wait_alone(job)
  local pause, mine = SHORTEST, {}
  while not job:done() do pause = turn(pause, LONGEST_ALONE, mine) end
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
function nginx.start(_, fn, ...)
  threads = threads + 1
  return ngx.thread.spawn(fn, ...)
end

-- A light thread each, so that a callback may wait, and raise, by itself.
function nginx.call(loop, notify)
  pump.defer(loop, function() nginx.start(loop, notify) end)
end

return nginx
