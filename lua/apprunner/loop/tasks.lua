-- The light threads in which resty.http performs exchanges, for the nginx loop. Whoever pumps starts them, so that no
-- request's end takes the exchange of another's call along; and ends those that nobody wants or that take too long.
local cosockets = require "apprunner.loop.cosockets"

local ngx = ngx

local tasks = {}

local begun = {} -- tasks that wait for a thread
local by_job = {} -- id of a job -> the task that performs its exchange

-- Whether lua-resty-http is to be had.
function tasks.can_perform() return cosockets.library() ~= nil end

-- Whether there are exchanges that wait for a thread.
function tasks.waiting() return #begun > 0 end

-- `client`: its number, where the job `id` is not a call but finds its credentials.
function tasks.add(exchange, id, client)
  local task = cosockets.task(exchange)
  task.id, task.client, by_job[id] = id, client, task
  begun[#begun + 1] = task
end

-- The exchange of that job is not wanted any more.
function tasks.forget(id)
  if by_job[id] then by_job[id].over = true end
  by_job[id] = nil
end

-- A thread that ends with the request of its starter leaves nothing but this, once it is collected.
local function sentinel(task)
  local object = newproxy(true) -- luacheck: ignore 113
  getmetatable(object).__gc = function()
    if not task.over then pcall(cosockets.fail, task, cosockets.lost(task)) end
  end
  return object
end

local function drop(mine, task)
  mine[task] = nil
  if by_job[task.id] == task then by_job[task.id] = nil end
end

local function run(task, mine)
  local held = sentinel(task)
  cosockets.perform(task)
  drop(mine, task)
  return held
end

-- Starts what waits and wants(job, task), by spawn(fn, ...). `mine`: of who pumps, a task -> its thread; none but a
-- thread's starter may kill it.
function tasks.start(mine, spawn, wants, job)
  local list
  list, begun = begun, {}
  for _, task in ipairs(list) do
    if not task.over and not wants(job, task) then
      begun[#begun + 1] = task
    elseif not task.over then
      mine[task] = true
      local thread = spawn(run, task, mine)
      if mine[task] then mine[task] = thread end
    end
  end
end

-- Ends the threads whose exchange nobody wants any more, or that take too long.
function tasks.finish(mine)
  local now = ngx.now()
  for task, thread in pairs(mine) do
    if not task.over and task.deadline and task.deadline < now then cosockets.fail(task, cosockets.late(task)) end
    if task.over then
      ngx.thread.kill(thread)
      drop(mine, task)
    end
  end
end

-- Ends all threads of who pumps no more.
function tasks.give_up(mine)
  for task in pairs(mine) do
    if not task.over then cosockets.fail(task, cosockets.lost(task)) end
  end
  tasks.finish(mine)
end

return tasks
