-- Every allocation fails in turn, of the module's own shared objects and of the interpreter, through a whole pause.
-- What fails must be said, nothing of ours may leak, and the state must go on working. lua-cjson's own leaks when the
-- interpreter's allocations fail under it are not counted: only blocks of core.so and curl.so are.

local cjson = require "cjson"
local programs = require "spec.support.programs"

local PRELOADED = "build/support/allocations.so"

-- Runs in an interpreter of its own; prints JSON. `WHAT` is core or lua, `ANSWER` a response of a transport.
local SWEEP = [[
local apprunner, json = require "apprunner", require "cjson"
local function pause()
  local client, refused = apprunner.client {
    region = "us-east-1", endpoint_url = "http://127.0.0.1:1/path", user_agent_extra = "x",
    credentials = { access_key_id = "AKIDEXAMPLE", secret_access_key = "secret", session_token = "token" },
    transport = function() return ANSWER end,
  }
  if not client then return nil, refused end
  local out, err = client:pause_service { ServiceArn = "arn:aws:apprunner:us-east-1:1:service/x" }
  client:close()
  return out, err
end
local function settle()
  collectgarbage() collectgarbage()
  pause() -- the pump lets go of what was collected
  collectgarbage() collectgarbage()
  return tonumber(os.getenv "allocations live")
end
local _, usual = pause()
usual = usual and usual.code or "success"
local result = { before = settle(), usual = usual, outcomes = {}, leaks = {} }
local n, asked = 0, nil
repeat
  n = n + 1
  os.getenv("allocations fail WHAT " .. n)
  local ok, out, err = pcall(pause)
  asked = tonumber(os.getenv "allocations stop")
  local what = not ok and tostring(out) or out and "success" or err.code
  if n <= asked then result.outcomes[what] = (result.outcomes[what] or 0) + 1 end
  out, err = nil, nil
  local after, again = pause()
  if (again and again.code or "success") ~= usual then result.unusable = n end
  again, after = nil, nil
  if settle() > result.before then result.leaks[#result.leaks + 1] = n end
until n > asked
result.points = n - 1
print(json.encode(result))
]]

local function sweep(what, answer)
  local script = SWEEP:gsub("WHAT", what):gsub("ANSWER", function() return answer end)
  local preloaded = programs.output_of("readlink -f " .. PRELOADED):match "[^\n]+"
  local text = programs.run(script, { LD_PRELOAD = preloaded })
  local ok, result = pcall(cjson.decode, text)
  assert(ok, text)
  return result
end

local SUCCESS = [[{ status = 200, headers = { ["x-amzn-requestid"] = "id", other = "x" }, body =
  '{"Service":{"ServiceName":"x","CreatedAt":5.5,"HealthCheckConfiguration":{"Interval":5,"Path":null}}}' }]]
local FAILURE = [[{ status = 400, headers = { ["x-amzn-requestid"] = "id" }, body =
  '{"__type":"com.amazonaws.apprunner#InvalidStateException","Message":"no"}' }]]

describe("an allocation that fails", function()
  local function skip()
    if os.getenv "APPRUNNER_MEMORY" then
      return pending "a memory checker has its own allocator"
    elseif not io.open(PRELOADED) then
      return pending(PRELOADED .. " is not built: make helpers")
    end
    return false
  end

  for name, answer in pairs { ["a success"] = SUCCESS, ["an error"] = FAILURE } do
    it("in the core is an error, leaks nothing and leaves the state usable, where the answer is " .. name, function()
      if skip() ~= false then return end
      local result = sweep("core", answer)
      assert.is_true(result.points > 20, result.points .. " allocations")
      assert.same({}, result.leaks)
      assert.is_nil(result.unusable)
      assert.is_nil(result.outcomes[result.usual], "a failure went unnoticed")
      for what in pairs(result.outcomes) do
        assert.is_truthy(what == "MemoryError" or what:find("not enough memory", 1, true), what)
      end
    end)

    it("in the interpreter is a memory error, leaks nothing of ours and leaves the state usable, where the answer is "
      .. name, function()
      if skip() ~= false then return end
      if jit then return pending "LuaJIT has an allocator of its own, which no library can make fail" end
      local result = sweep("lua", answer)
      assert.is_true(result.points > 50, result.points .. " allocations")
      assert.same({}, result.leaks)
      assert.is_nil(result.unusable)
      assert.is_nil(result.outcomes[result.usual], "a failure went unnoticed")
    end)
  end
end)
