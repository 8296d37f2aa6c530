-- The caller's own functions, called in a coroutine of the loop that the call
-- waits in, so that they may yield where that loop, or its host, resumes them:
-- `transport`, which performs exchanges instead of libcurl, and `credentials`.
local core = require "apprunner.core"
local pump = require "apprunner.pump"

local hooks = {}

local FAILED = "CredentialRetrievalError"

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

-- What the caller's function has returned may raise when it is looked at.
local function deliver(finish, ...)
  local ok, raised = pcall(finish, ...)
  if not ok then finish(false, raised) end
end

-- Calls `finish(ok, ...)` with what `fn(...)` has returned or raised, and
-- `refuse(message)` when it yields where nobody can resume it.
local function run(loop, fn, finish, refuse, argument, id, client)
  local _, err = (loop.serve or loop.start)(loop, function(given)
    deliver(finish, protect(fn, given))
    loop.kick()
  end, argument, id, client)
  if err == pump.STRANDED then
    refuse()
  elseif err then -- out of memory
    finish(false, err)
  end
end

-- Performs one exchange by `fn`, of the job `id`; `client`: as for nginx.perform.
function hooks.perform(fn, loop, exchange, id, client)
  local function finish(ok, response, message)
    if not ok then
      exchange:fail("HTTPClientError", "the transport raised an error: " .. describe(response))
    elseif response == nil then
      exchange:fail("HTTPClientError", "the transport failed: " .. describe(message))
    else
      local good, problem = exchange:respond(response)
      if not good then exchange:fail("HTTPClientError", "the transport's response is unusable: " .. problem) end
    end
  end
  local function refuse()
    exchange:fail("InvalidConfigError", "the transport yielded where no loop can resume it")
  end
  run(loop, fn, finish, refuse, exchange:request(), id, client)
end

-- The functions that are being asked: number of the client -> { loop, coroutine }.
local asked = {}

local function refuse_wait(job)
  job:fail("NotYieldableError", "the client's credentials function is at work and cannot go on while this waits")
end

-- Who blocks cannot wait for a function that runs in a loop which stands still
-- meanwhile, and nobody can from inside that function. `job`: what is blocked
-- for, if anything is.
function pump.before_wait(job)
  local entry = job and asked[job:waits()]
  if entry and (not entry.loop.blocks or entry.coroutine == coroutine.running()) then refuse_wait(job) end
  for owner, one in pairs(asked) do
    local own = pump.awaited[one.coroutine]
    if own and own:waits() == owner then refuse_wait(own) end
  end
end

-- Asks `fn` for credentials, for the job `id` of the client `owner`.
function hooks.ask(fn, id, owner, loop)
  local entry = { loop = loop }
  asked[owner] = entry
  local function asking()
    entry.coroutine = coroutine.running()
    return fn()
  end
  local function finish(ok, credentials, message)
    if asked[owner] == entry then asked[owner] = nil end
    if not ok then
      core.answer(id, nil, FAILED, "the credentials function raised an error: " .. describe(credentials))
    elseif credentials == nil then
      core.answer(id, nil, FAILED, "the credentials function failed: " .. describe(message))
    else
      core.answer(id, credentials)
    end
  end
  local function refuse()
    asked[owner] = nil
    core.answer(id, nil, "InvalidConfigError", "the credentials function yielded where no loop can resume it")
  end
  run(loop, asking, finish, refuse, nil, id, owner)
end

return hooks
