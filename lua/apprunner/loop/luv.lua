-- The luv loop, of Neovim and of scripts on libuv: one uv_poll on the engine's
-- descriptor, one uv_timer and one uv_idle, all unreferenced while nothing is
-- pending, so that they keep no program alive. Coroutines yield; the main one
-- blocks.
local pump = require "apprunner.pump"

local uv = vim and (vim.uv or vim.loop) or require "luv"

local luv = pump.loop "luv"

local BUDGET = 2 -- milliseconds of I/O in one turn of the host's loop

local poll, polled, timer, idle, turn

-- Milliseconds of libuv's timer that stand for "no telling".
local LATER = 3600000

-- Follows the engine's descriptor, which is new after a fork.
local function follow_engine()
  local fd = pump.fd()
  if fd == polled then return end
  if poll then poll:close() end
  poll, polled = fd and uv.new_poll(fd), fd
  if poll then poll:start("r", turn) end
end

local function set_referenced(handle)
  if not handle then return end
  if pump.idle(luv) then uv.unref(handle) else uv.ref(handle) end
end

-- Asks for the next turn in `ms` milliseconds, or when it is due. At once is in
-- the loop's next round: a timer of 0 that is set in its own callback would run
-- again before anybody else's, until libuv 1.46.
local function arm(ms)
  follow_engine()
  timer, idle = timer or uv.new_timer(), idle or uv.new_idle()
  ms = ms or pump.timeout()
  if ms == 0 then
    timer:stop()
    idle:start(turn)
  else
    idle:stop()
    timer:start(ms < 0 and LATER or ms, 0, turn)
  end
  set_referenced(timer)
  set_referenced(idle)
  set_referenced(poll)
end

-- What a callback raises goes to the host's own error handling, as text: of
-- anything else luv shows nothing, and Neovim dies.
local function deliver(notify)
  local ok, raised = pcall(notify)
  if not ok then error(tostring(raised), 0) end
end

-- The next turn is asked for before each callback, so that the others are
-- delivered where one raises.
function turn()
  local more = pump.step(BUDGET)
  for notify in pump.take, luv do
    arm(0)
    deliver(notify)
  end
  arm(more and 0 or nil)
end

function luv.kick() arm(0) end

function luv.suspend(job) pump.suspend(job, luv) end

luv.start = pump.start
luv.call = pump.defer

-- uv.run() for a script on plain luv.
function luv.run()
  if uv.loop_mode() then error("apprunner.run: luv's loop is running already", 4) end
  uv.run()
end

return luv
