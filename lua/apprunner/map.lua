-- map: a function for many items, each in a coroutine of its own, some at a
-- time. The caller starts them and takes what they leave; where it is alone it
-- drives them too, in a loop of their own. Cancelling ends what a coroutine
-- waits for and refuses what it would wait for later.
local core = require "apprunner.core"
local options = require "apprunner.options"
local pump = require "apprunner.pump"

local known = { concurrency = options.count, on_progress = options.callback }

local NOTHING = "the function returned nil and no error"
local FOREVER = 1e9 -- seconds

local function cancelled_error()
  local _, err = core.fail("Cancelled", "the item was cancelled")
  return err
end

-- ---------------------------------------------------------------------------
-- Ways to wait for the next item that ends

-- For a caller that blocks: a loop that only this map drives.
local function own_loop()
  local loop = pump.loop "map"
  loop.strict, loop.start, loop.call = true, pump.start, pump.defer
  function loop.kick() end
  function loop.suspend(job) pump.suspend(job, loop) end
  return loop
end

-- One turn of it. What a coroutine raises that an item has spawned is kept.
local function turn(batch)
  local notify = pump.take(batch.loop)
  if not notify then return pump.drive() end
  local ok, err = pcall(notify)
  if not ok then batch.raised = batch.raised or { err } end
end

-- For a caller that yields: a job without an end, which `wake` ends.
local function sleep(batch)
  batch.gate = core.moment(FOREVER)
  batch.gate:start()
  batch.loop.suspend(batch.gate)
  batch.gate = nil
end

local function wake(batch)
  if batch.gate and batch.gate:cancel() then pump.kick() end
end

-- ---------------------------------------------------------------------------
-- One item

-- Takes note of what pcall says of the function, once.
local function settle(batch, entry, ok, ...)
  if entry.settled then return end
  local out, err = ...
  if not ok then
    out, err = nil, out == nil and NOTHING or out
  elseif select("#", ...) == 0 and not entry.cancelled then
    out = true
  end
  if out == nil and err == nil then err = entry.cancelled and cancelled_error() or NOTHING end
  if entry.co then pump.catchers[entry.co] = nil end
  entry.settled, entry.out, entry.err = true, out, err
  batch.finished[#batch.finished + 1] = entry
  wake(batch)
end

-- The body of an item's coroutine. Where the host resumes it, pcall catches.
local function work(batch, entry)
  if entry.settled then return end -- cancelled before the loop began it
  entry.co = coroutine.running()
  if not pump.spawned[entry.co] then return settle(batch, entry, pcall(batch.fn, entry.item)) end
  pump.catchers[entry.co] = function(raised) settle(batch, entry, false, raised) end
  settle(batch, entry, true, batch.fn(entry.item))
end

local function start(batch)
  local entry = { item = batch.items[batch.next] }
  batch.next = batch.next + 1
  batch.running[entry] = true
  batch.count = batch.count + 1
  local co = batch.loop.start(batch.loop, work, batch, entry)
  entry.co = entry.co or co
end

-- ---------------------------------------------------------------------------
-- All of them

local function record(batch, item, out, err)
  batch.outs[item], batch.errs[item] = out, err
  if out ~= nil then batch.errs[item] = nil end
end

-- Cancels what runs and what has not begun. What waits for something of the
-- host's is left to itself.
local function stop(batch)
  if batch.stopped then return end
  batch.stopped = true
  for entry in pairs(batch.running) do
    if not entry.settled then
      local job = pump.awaited[entry.co]
      entry.cancelled, pump.cancelled[entry.co] = true, true
      if not job then
        settle(batch, entry, true)
      elseif job:cancel() then
        pump.kick()
      end
    end
  end
  for i = batch.next, #batch.items do record(batch, batch.items[i], nil, cancelled_error()) end
  batch.next = #batch.items + 1
end

local function tell(batch, entry)
  if batch.stopped or not batch.on_progress then return end
  local ok, answer = pcall(batch.on_progress, batch.done, #batch.items, entry.item, entry.out, entry.err)
  if not ok then batch.raised = batch.raised or { answer } end
  if not ok or answer == false then stop(batch) end
end

-- Takes what the items that have ended left, in the order of their ends.
local function take_finished(batch)
  local at = 1
  while batch.finished[at] do
    local entry = batch.finished[at]
    batch.running[entry], batch.count, batch.done = nil, batch.count - 1, batch.done + 1
    record(batch, entry.item, entry.out, entry.err)
    tell(batch, entry)
    at = at + 1
  end
  batch.finished = {}
end

local function run(batch, wait)
  while batch.count > 0 or batch.next <= #batch.items do
    while batch.next <= #batch.items and batch.count < batch.limit do start(batch) end
    if #batch.finished == 0 then wait(batch) end
    if pump.cancelled[coroutine.running() or batch] then stop(batch) end
    take_finished(batch)
  end
end

local function check(items, fn, given)
  if type(items) ~= "table" then error(("bad items of map (table expected, got %s)"):format(type(items)), 4) end
  if not options.callback.check(fn) then
    error(("bad function of map (function expected, got %s)"):format(type(fn)), 4)
  end
  if given ~= nil and type(given) ~= "table" then
    error(("bad options of map (table expected, got %s)"):format(type(given)), 4)
  end
  local problems = {}
  options.check(given or {}, known, problems)
  for key, item in pairs(items) do
    if type(key) ~= "number" or key < 1 or key > #items or key % 1 ~= 0 then
      problems[#problems + 1] = ("items: expected a list, found the key %s"):format(tostring(key))
    elseif item ~= item then
      problems[#problems + 1] = ("item %d is not a number that equals itself"):format(key)
    end
  end
  return problems
end

-- `driver`: the loop in which the caller waits, or nil and why it cannot.
return function(driver, refused, items, fn, given)
  local problems = check(items, fn, given)
  if #problems > 0 then return options.refuse(problems) end
  if not driver then return nil, refused end
  local batch = {
    loop = driver.blocks and own_loop() or driver, items = items, fn = fn, next = 1, count = 0, done = 0,
    limit = given and given.concurrency or 4, on_progress = given and given.on_progress,
    outs = {}, errs = {}, running = {}, finished = {},
  }
  run(batch, driver.blocks and turn or sleep)
  while driver.blocks and not pump.idle(batch.loop) do turn(batch) end
  if driver.blocks then pump.kick() end -- as after any call that blocks
  if batch.raised then error(batch.raised[1], 0) end
  return batch.outs, batch.errs
end
