-- The benchmarks still run: every measurement of ours and of the floor once, with next to nothing to do, and what is
-- made of the figures. How fast anything is, is not looked at.

local callgrind = require "spec.bench.callgrind"
local cjson = require "cjson"
local programs = require "spec.support.programs"
local report = require "spec.bench.report"
local rows = require "spec.bench.rows"
local tables = require "spec.bench.tables"

-- Two functions of one object call into another, which calls back.
local PROFILE = [[
version: 1
events: Ir

ob=(1) /usr/bin/program
fl=(1) main.c
fn=(1) main
10 100
cob=(2) /usr/lib/library.so
cfi=(2) library.c
cfn=(2) serve
calls=3 20
+1 70
fi=(3) inlined.h
* 5

ob=(2)
fl=(2)
fn=(2)
20 40
cob=(1)
cfi=(1)
cfn=(3) back
calls=2 30
* 30
]]

local function profile_of(text)
  local path = programs.temporary(text)
  local profile = callgrind.read(path)
  os.remove(path)
  return profile
end

describe("what callgrind wrote", function()
  it("is read by function, and by who called whom", function()
    local profile = profile_of(PROFILE)
    assert.equal(145, profile.total)
    assert.same({ ["program:main.c:main"] = 105, ["library.so:library.c:serve"] = 40 }, profile.own)
    assert.equal(175, profile.all["program:main.c:main"])
    assert.same({ ["program > library.so"] = 70, ["library.so > program"] = 30 }, profile.into)
  end)

  it("tells what one more of something took", function()
    local each = callgrind.per(4, profile_of((PROFILE:gsub("10 100", "10 500"))), profile_of(PROFILE))
    assert.equal(100, each.total)
    assert.equal(100, each.own["program:main.c:main"])
    assert.equal(0, each.own["library.so:library.c:serve"])
  end)
end)

describe("a ratio", function()
  local row = {
    ours = { "ours %s", "-start %s" }, floor = { "bare", 5 }, unit = "cpu", as = "rate",
    bars = { floor = { ">=", 0.9 } },
  }
  local rounds = {
    { ["ours 5.4"] = { cpu = 60 }, ["start 5.4"] = { cpu = 10 }, bare = { cpu = 35 } },
    { ["ours 5.4"] = { cpu = 30 }, ["start 5.4"] = { cpu = 10 }, bare = { cpu = 15 } },
  }

  it("is taken within each round, of sums", function()
    assert.same({ 0.8, 1 }, rows.ratios(row, "5.4", "floor", rounds, "one"))
  end)

  it("is left out where something was not measured", function()
    assert.is_nil(rows.ratios(row, "jit", "floor", rounds, "one"))
    assert.is_nil(rows.ratios(row, "5.4", "boto3", rounds, "one"))
  end)

  it("meets its bar, or does not", function()
    assert.is_true(rows.meets(row.bars.floor, "5.4", 0.9))
    assert.is_false(rows.meets(row.bars.floor, "5.4", 0.89))
    assert.is_true(rows.meets({ "<=", { ["5.4"] = 1.1, jit = 1 } }, "5.4", 1.05))
    assert.is_false(rows.meets({ "<=", { ["5.4"] = 1.1, jit = 1 } }, "jit", 1.05))
  end)

  it("is shown with its quartiles, a small one as a part", function()
    assert.equal("1.50 (1.25 to 1.75)", report.cell(report.summary { 2, 1 }))
    assert.equal("1/12.5", report.ratio(0.08))
    assert.equal("1/57", report.ratio(1 / 57))
    assert.equal("24", report.ratio(24.2))
  end)
end)

describe("make bench #hosts #once", function()
  it("measures everything of ours and of the floor", function()
    local path = os.tmpname()
    local said = programs.output_of(("QUICK=2 RESULTS=%s %s spec/bench/bench.lua 2>&1"):format(
      programs.quote(path), programs.interpreter))
    local text = programs.read(path)
    os.remove(path)
    local ok, results = pcall(cjson.decode, text)
    assert.is_true(ok, said)
    assert.same({ "counts of instructions and system calls: the run is to be short" }, results.absent)
    assert.same({ "5.4", "jit" }, results.interpreters)
    for _, row in ipairs(rows.list) do
      for _, lua in ipairs(row.floor and not row.title:find "instructions" and results.interpreters or {}) do
        local ratio = (rows.ratios(row, lua, "floor", results.rounds, results.place) or {})[1]
        assert.is_true(ratio ~= nil and ratio == ratio and math.abs(ratio) < math.huge, row.title)
      end
    end
    assert.equal(#results.sweep + 1, #tables.sweep(results))
    assert.truthy(said:find("one process, one pause: wall time", 1, true))
  end)
end)
