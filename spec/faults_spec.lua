-- What fails between the caller and the service: each row of spec/support/faults.lua, played by a server that counts.
-- All are played at once, before the tests, which look at how each went.

local apprunner = require "apprunner"
local core = require "apprunner.core"
local faults = require "spec.support.faults"
local hosts = require "spec.support.hosts"
local make_pki = require "spec.support.pki"
local play = require "spec.support.fault_play"
local process = require "spec.support.fault_process"
local pump = require "apprunner.pump"
local socket = require "socket"

local AT_ONCE = 16
local SLOWNESS = hosts.memory and 4 or 1 -- a memory checker takes its time

describe("where there is a failure of the network or of a server", function()
  local results, counts = {}, nil

  setup(function()
    local pki = make_pki(hosts)
    local server = process.start(pki)
    local left = #faults
    local function work()
      while left > 0 do
        local row = faults[left]
        left = left - 1
        local client = play.client(apprunner, server.ports, row, pki .. "/ca.pem", SLOWNESS)
        results[row.name] = play.call(client, row, socket.gettime)
      end
    end
    for _ = 1, AT_ONCE do apprunner.spawn(work) end
    apprunner.run()
    counts = server:counts()
    server:stop()
  end)

  teardown(hosts.clear)

  for _, row in ipairs(faults) do
    it(("(%s) %s: %s"):format(row.level, row.what, row.code or "success"), function()
      local result = results[row.name]
      assert.same(play.expected(row), play.brief(row, result), tostring(result.err))
      assert.equal(row.attempts, play.counted(row, counts), "attempts that the server counted")
      assert.is_true(result.seconds <= row.longest * SLOWNESS, ("it took %.3f s"):format(result.seconds))
    end)
  end

  it("there are 60 failures and more, each in one row", function()
    local seen, failures = {}, 0
    for _, row in ipairs(faults) do
      assert.is_nil(seen[row.name], row.name)
      seen[row.name] = true
      if row.kind then failures = failures + 1 end
    end
    assert.is_true(failures >= 60)
  end)

  it("nobody goes where a redirect leads", function() assert.equal(0, counts.elsewhere.connections) end)

  it("nothing is left over", function()
    collectgarbage()
    collectgarbage()
    pump.step()
    assert.equal(0, core.unfinished())
    assert.equal(0, pump.stats().in_flight)
  end)
end)

it("the README has the table of failures", function()
  local text = hosts.read "README.md"
  local filled = faults.fill(text)
  if not filled then return pending "the README has no place for it" end
  assert.is_true(text == filled, "lua5.4 .ci/faults.lua changes it")
end)
