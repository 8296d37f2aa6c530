-- What goes on while its caller does: calls with a callback, spawned coroutines, and run(), which drives both to their
-- end. Loaded when it is first wanted. `kit` is what init.lua shares: loop, on_luv, on_nginx, outcome, tell.
local pump = require "apprunner.pump"

return function(kit)
  local background = {}

  -- The loop that callbacks are called from, or nil, err.
  local function owner(setting)
    if setting == "blocking" then
      return kit.loop "blocking"
    elseif setting == "auto" and pump.host then
      return pump.host
    elseif kit.on_nginx(setting) then
      local nginx = kit.loop "nginx"
      if not nginx.kick() then return nginx.cannot_wait() end
      return nginx
    end
    return kit.loop(kit.on_luv(setting) and "luv" or "blocking")
  end

  local Call = { __name = "apprunner.call" }
  Call.__index = Call

  function Call:cancel()
    local cancelled = self.job ~= nil and self.job:cancel()
    if cancelled then self.loop.kick() end
    return cancelled
  end

  -- Starts a call whose job is given, or tells `callback` why there is none.
  function background.call(client, method, job, err, callback)
    local driver, refused = owner(client.loop)
    if not driver then return nil, refused end
    if not job then
      driver.call(driver, function()
        kit.tell(client, method, nil, err)
        callback(nil, err)
      end)
      return setmetatable({ loop = driver }, Call)
    end
    local call = setmetatable({ job = job, loop = driver }, Call)
    pump.watch(job, driver, function()
      driver.call(driver, function() callback(kit.outcome(client, method, call.job)) end)
    end)
    pump.begin(job, client, driver)
    return call
  end

  function background.spawn(fn, ...)
    local driver = pump.spawned[coroutine.running() or pump]
    if not driver then
      local err
      driver, err = owner "auto"
      if not driver then error(err, 0) end
    end
    local co, raised = driver.start(driver, fn, ...)
    if raised ~= nil then driver.call(driver, function() error(raised, 0) end) end
    return co
  end

  function background.run()
    local luv
    repeat -- what one loop drives may start something in the other
      luv = package.loaded["apprunner.loop.luv"]
      if luv then luv.run() end
      kit.loop("blocking").run()
      luv = package.loaded["apprunner.loop.luv"]
    until not luv or pump.idle(luv)
  end

  return background
end
