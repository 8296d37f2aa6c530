-- Exchanges performed by a function of the user's, the `transport` setting,
-- instead of by libcurl. The function runs in a coroutine of the loop that the
-- call waits in, so it may yield where that loop, or its host, resumes it.
local pump = require "apprunner.pump"

local transport = {}

-- pcall, also where PUC Lua 5.1 cannot yield across it: there a coroutine in
-- between catches what `fn` raises and passes on what it yields.
local function protect(fn, ...)
  if _VERSION ~= "Lua 5.1" or jit then return pcall(fn, ...) end
  local inner = coroutine.create(fn)
  local function relay(ok, ...)
    if coroutine.status(inner) == "dead" then return ok, ... end
    return relay(coroutine.resume(inner, coroutine.yield(...)))
  end
  return relay(coroutine.resume(inner, ...))
end

-- tostring, for values whose own __tostring raises.
local function describe(value)
  local ok, text = pcall(tostring, value)
  return ok and text or type(value)
end

local function finish(exchange, ok, response, message)
  if not ok then
    exchange:fail("HTTPClientError", "the transport raised an error: " .. describe(response))
  elseif response == nil then
    exchange:fail("HTTPClientError", "the transport failed: " .. describe(message))
  else
    local good, problem = exchange:respond(response)
    if not good then exchange:fail("HTTPClientError", "the transport's response is unusable: " .. problem) end
  end
end

-- Performs one exchange by `fn` in a coroutine of `loop`.
function transport.perform(fn, exchange, loop)
  local request = exchange:request()
  local _, err = loop.start(loop, function()
    finish(exchange, protect(fn, request))
    loop.kick()
  end)
  if err == pump.STRANDED then
    exchange:fail("InvalidConfigError", "the transport yielded where no loop can resume it")
  elseif err then -- out of memory, where what it returned was read
    finish(exchange, false, err)
  end
end

return transport
