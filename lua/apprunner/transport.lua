-- Exchanges performed by a function of the user's, the `transport` setting,
-- instead of by libcurl. The function runs in a coroutine of the loop that the
-- call waits in, so it may yield where that loop, or its host, resumes it.
local pump = require "apprunner.pump"

local transport = {}

-- PUC Lua 5.1 alone cannot yield across pcall; what a transport raises there
-- after it has yielded goes to whoever resumed it.
local can_yield_in_pcall = _VERSION ~= "Lua 5.1" or jit ~= nil

local function protect(fn, ...)
  if can_yield_in_pcall then return pcall(fn, ...) end
  return true, fn(...)
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
  elseif err then
    finish(exchange, false, err)
  end
end

return transport
