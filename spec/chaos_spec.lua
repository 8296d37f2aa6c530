-- The short form of `make chaos`: pauses at once against a server that fails at random (spec/support/chaos.lua).

local chaos = require "spec.support.chaos"
local hosts = require "spec.support.hosts"
local make_pki = require "spec.support.pki"

describe("many pauses at once, against a server that fails in every way, #slow #once", function()
  local report

  setup(function() report = chaos.run(make_pki(hosts), { calls = 600, concurrency = 32, seed = 1 }) end)

  teardown(hosts.clear)

  local function none(list) assert.is_true(#list == 0, table.concat(list, "\n")) end

  it("each end exactly once", function() none(report.ends) end)

  it("end within their timeout, but for what a busy machine needs", function() none(report.late) end)

  it("are sent once for each attempt that the caller is told of", function() none(report.attempts) end)

  it("are told what the server knows", function() none(report.lies) end)

  it("are told of what may have been carried out, when they are ended from outside too", function()
    none(report.forgotten)
  end)

  it("succeed and fail in many ways", function()
    local ways = 0
    for _ in pairs(report.told) do ways = ways + 1 end
    assert.is_true(ways >= 20)
    assert.is_true(report.told.success >= 100)
  end)

  it("leave no descriptor, no job, no exchange and little memory", function()
    assert.same({ 0, 0, 0 }, { report.descriptors, report.unfinished, report.in_flight })
    assert.is_true(report.memory < 1024, ("%.0f KiB"):format(report.memory))
  end)
end)
