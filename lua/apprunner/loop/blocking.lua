-- The blocking loop, of a plain interpreter: the caller waits in the engine.
-- Jobs of other loops move meanwhile; what their owners are to be told stays
-- in their queues. Callbacks and spawned coroutines are driven by run().
local pump = require "apprunner.pump"

local blocking = pump.loop "blocking"
blocking.strict = true -- a foreign yield would never be resumed

local running = false

function blocking.kick() end

function blocking.suspend(job) pump.suspend(job, blocking) end

blocking.start = pump.start
blocking.call = pump.defer

-- The caller's own turn: waits for `job` and steps for everybody.
local alone = { name = "blocking", strict = true, blocks = true, kick = blocking.kick, start = pump.start }
blocking.alone = alone

function alone.call(_, notify) pump.defer(blocking, notify) end

function alone.suspend(job)
  repeat until pump.drive(job)
  pump.kick() -- what others wait for may be due sooner now than their loops know
end

local function drive()
  while not pump.idle(blocking) do
    local notify = pump.take(blocking)
    if notify then notify() else pump.drive() end
  end
end

-- Drives callbacks and spawned coroutines to their end. What one of them
-- raises is raised here; calling run() again goes on with the others.
function blocking.run()
  if running then error("apprunner.run: called inside a callback of itself", 4) end
  running = true
  local ok, err = pcall(drive)
  running = false
  if not ok then error(err, 0) end
end

return blocking
