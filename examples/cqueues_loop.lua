-- The loop of a controller of cqueues as apprunner's, as one more than those it
-- knows: after dofile "cqueues_loop.lua"(controller), calls in the controller's
-- coroutines give way to the others, and callbacks are called in such ones.
local cqueues, condition = require "cqueues", require "cqueues.condition"
local pump = require "apprunner.pump"
local unpack = table.unpack or unpack -- luacheck: ignore 143

return function(controller)
  local loop, kicked, driving = pump.loop "cqueues", condition.new(), false

  local function drive()
    while true do
      local more = pump.step(2)
      for notify in pump.take, loop do notify() end
      if pump.idle(loop) then break end
      local ms = more and 0 or pump.timeout()
      cqueues.poll({ pollfd = pump.fd(), events = "r" }, kicked, ms >= 0 and ms / 1000 or nil)
    end
    driving = false
  end

  function loop.kick()
    if not driving then controller:wrap(drive) end
    driving = true
    kicked:signal()
  end

  function loop.suspend(job)
    local co, done = coroutine.running(), condition.new()
    pump.awaited[co] = job
    pump.watch(job, loop, function() done:signal() end)
    while not job:done() do done:wait() end
    pump.awaited[co] = nil
  end

  function loop.start(_, fn, ...)
    local n, arguments = select("#", ...), { ... }
    local co = coroutine.create(function() fn(unpack(arguments, 1, n)) end)
    controller:attach(co)
    return co
  end

  function loop.call(_, notify) loop.start(loop, notify) end

  function loop.drives()
    local running, directly = cqueues.running()
    return directly and running == controller
  end

  pump.host = loop
end
