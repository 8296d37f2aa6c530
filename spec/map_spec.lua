-- apprunner.map: what stands in its two tables, in which order things happen, how it is cancelled, and where it runs.

local apprunner = require "apprunner"
local core = require "apprunner.core"
local pump = require "apprunner.pump"
local programs = require "spec.support.programs"
local socket = require "socket"

local unpack = table.unpack or unpack
local puc51 = _VERSION == "Lua 5.1" and not jit

-- No test leaves anything behind.
after_each(function()
  collectgarbage()
  collectgarbage()
  pump.step()
  assert.equal(0, core.unfinished())
end)

-- Runs `fn` in the main coroutine, then in a spawned one.
local function everywhere(fn)
  fn()
  local done
  apprunner.spawn(function()
    fn()
    done = true
  end)
  apprunner.run()
  assert.is_true(done)
end

-- A map of numbers by `fn`, each of which waits a little first.
local function map(items, fn, options)
  return apprunner.map(items, function(item)
    apprunner.sleep(0.001)
    return fn(item)
  end, options)
end

local function codes(errs)
  local list = {}
  for item, err in pairs(errs) do list[item] = err.code end
  return list
end

describe("map", function()
  it("gives what the function returns by item, and errors apart", function()
    everywhere(function()
      local outs, errs = map({ "a", "b", "c", "d", "e", "f" }, function(item)
        if item == "a" then return 1 end
        if item == "b" then return nil, "an error" end
        if item == "c" then error("raised", 0) end
        if item == "d" then return end
        if item == "e" then return false, "no error" end
        if item == "f" then error({ code = "mine" }) end
      end)
      assert.same({ a = 1, d = true, e = false }, outs)
      assert.same({ b = "an error", c = "raised", f = { code = "mine" } }, errs)
    end)
  end)

  it("takes nil for a failure, with or without an error", function()
    local outs, errs = map({ 1, 2 }, function(item)
      if item == 1 then return nil end
      error()
    end)
    assert.same({}, outs)
    assert.matches("returned nil", errs[1])
    assert.is_truthy(errs[2])
  end)

  it("has nothing in errs when all went well, and nothing at all to do for no items", function()
    local outs, errs = map({ 1, 2, 3 }, function(item) return item end)
    assert.same({ 1, 2, 3 }, outs)
    assert.is_nil(next(errs))
    assert.same({ {}, {} }, { apprunner.map({}, error) })
  end)

  it("takes any value as an item", function()
    local items = { "text", 5, true, {}, print }
    local outs = assert(map(items, tostring))
    for _, item in ipairs(items) do assert.equal(tostring(item), outs[item]) end
  end)

  it("runs an item twice that is given twice; the last result stands", function()
    local count, seen = 0, 0
    local outs, errs = apprunner.map({ "x", "x" }, function()
      count = count + 1
      apprunner.sleep(count == 1 and 0.001 or 0.02)
      if count == 2 and seen == 1 then return nil, "the second" end
      return "the first"
    end, { on_progress = function() seen = seen + 1 end })
    assert.same({ 2, 2 }, { count, seen })
    assert.same({ {}, { x = "the second" } }, { outs, errs })
    outs, errs = apprunner.map({ "y", "y" }, function()
      count = count + 1
      if count == 3 then return nil, "no" end
      return "yes"
    end, { concurrency = 1 })
    assert.same({ { y = "yes" }, {} }, { outs, errs })
  end)

  it("runs four at a time, or as many as it is told", function()
    for _, case in ipairs { { nil, 4 }, { { concurrency = 1 }, 1 }, { { concurrency = 3 }, 3 },
      { { concurrency = 100 }, 20 } } do
      local running, most, items = 0, 0, {}
      for i = 1, 20 do items[i] = i end
      apprunner.map(items, function()
        running = running + 1
        most = math.max(most, running)
        apprunner.sleep(0.002)
        running = running - 1
      end, case[1])
      assert.equal(case[2], most)
    end
  end)

  it("begins the items in their order", function()
    local begun = {}
    apprunner.map({ 1, 2, 3, 4, 5, 6, 7 }, function(item)
      begun[#begun + 1] = item
      apprunner.sleep(0.001 * (8 - item))
    end, { concurrency = 2 })
    assert.same({ 1, 2, 3, 4, 5, 6, 7 }, begun)
  end)

  it("goes on while one item takes its time", function()
    local ended = {}
    apprunner.map({ "slow", 1, 2, 3, 4, 5 }, function(item)
      apprunner.sleep(item == "slow" and 0.1 or 0.001)
      ended[#ended + 1] = item
    end, { concurrency = 2 })
    assert.same({ 1, 2, 3, 4, 5, "slow" }, ended)
  end)

  it("tells its progress of each item, in the order of their ends", function()
    everywhere(function()
      local seen = {}
      apprunner.map({ 3, 1, 2 }, function(item)
        apprunner.sleep(item * 0.02)
        if item == 2 then return nil, "two" end
        return item * 10
      end, { on_progress = function(...) seen[#seen + 1] = { ... } end })
      assert.same({ { 1, 3, 1, 10 }, { 2, 3, 2, nil, "two" }, { 3, 3, 3, 30 } }, seen)
    end)
  end)

  it("works with functions that never wait, however many", function()
    local items = {}
    for i = 1, 5000 do items[i] = i end
    everywhere(function()
      local outs, errs = apprunner.map(items, function(item) return item + 1 end)
      assert.equal(5001, outs[5000])
      assert.is_nil(next(errs))
    end)
  end)

  it("takes callable tables", function()
    local callable = setmetatable({}, { __call = function(_, item) return item end })
    assert.same({ [5] = 5 }, apprunner.map({ 5 }, callable, { on_progress = callable }))
  end)
end)

describe("on_progress", function()
  it("that returns false cancels what is left, and is not called again", function()
    everywhere(function()
      local calls, begun = 0, {}
      local clock = core.now()
      local outs, errs = apprunner.map({ 1, 2, 3, 4, 5, 6 }, function(item)
        begun[#begun + 1] = item
        return apprunner.sleep(item == 1 and 0.01 or 60)
      end, {
        concurrency = 3,
        on_progress = function()
          calls = calls + 1
          return false
        end,
      })
      assert.is_true(core.now() - clock < 10)
      assert.same({ { true }, 1, { 1, 2, 3 } }, { outs, calls, begun })
      local cancelled = "Cancelled"
      assert.same({ [2] = cancelled, [3] = cancelled, [4] = cancelled, [5] = cancelled, [6] = cancelled }, codes(errs))
      for _, err in pairs(errs) do assert.equal("cancelled", err.kind) end
    end)
  end)

  it("that returns false ends the calls of items, and refuses their later ones", function()
    local silent = assert(socket.bind("127.0.0.1", 0))
    finally(function() silent:close() end)
    local client = assert(apprunner.client {
      region = "us-east-1", credentials = { access_key_id = "a", secret_access_key = "b" },
      endpoint_url = "http://127.0.0.1:" .. select(2, silent:getsockname()), read_timeout = 20,
    })
    local later = {}
    local begin = core.now()
    local outs, errs = apprunner.map({ 1, 2 }, function(item)
      if item == 1 then return apprunner.sleep(0.05) end
      local out, err = client:list_services()
      later[1], later[2] = select(2, client:list_services()), select(2, apprunner.sleep(20))
      return out, err
    end, { on_progress = function() return false end })
    assert.same({ { true }, { [2] = "Cancelled" } }, { outs, codes(errs) })
    assert.same({ "Cancelled", "Cancelled" }, { later[1].code, later[2].code })
    assert.is_true(core.now() - begin < 10)
    pump.step()
    assert.equal(0, pump.stats().in_flight)
  end)

  it("that returns anything else, nil among it, goes on", function()
    local answers = { nil, 0, "false", true }
    local _, errs = map({ 1, 2, 3, 4 }, function() return 1 end,
      { on_progress = function(done) return answers[done] end })
    assert.is_nil(next(errs))
  end)

  it("that raises has the rest cancelled and its error raised", function()
    everywhere(function()
      local ended = 0
      local function run()
        apprunner.map({ 1, 2, 3 }, function(item)
          apprunner.sleep(item == 1 and 0.001 or 60)
          ended = ended + 1
        end, { concurrency = 2, on_progress = function() error("mine", 0) end })
      end
      if puc51 and coroutine.running() then return end -- no coroutine can yield inside pcall there
      local ok, err = pcall(run)
      assert.same({ false, "mine", 2 }, { ok, err, ended })
    end)
  end)
end)

describe("an item", function()
  it("that yields for a reason of its own has a clear error, and the others go on #plain", function()
    everywhere(function()
      local outs, errs = apprunner.map({ 1, 2, 3, 4 }, function(item)
        if item == 2 then coroutine.yield(item) end
        apprunner.sleep(0.001)
        if item == 3 then coroutine.yield() end
        return item
      end)
      assert.same({ [1] = 1, [4] = 4 }, outs)
      assert.matches("yielded for a reason of its own", errs[2])
      assert.equal(errs[2], errs[3])
    end)
  end)

  it("may map, and so may its items", function()
    everywhere(function()
      local outs, errs = apprunner.map({ 1, 2, 3 }, function(x)
        local inner = assert(apprunner.map({ 10, 20 }, function(y)
          apprunner.sleep(0.001)
          return assert(apprunner.map({ 100 }, function(z) return x + y + z end))[100]
        end))
        return inner[10] + inner[20]
      end)
      assert.same({ { 232, 234, 236 }, {} }, { outs, errs })
    end)
  end)

  it("that maps is cancelled with all of its own", function()
    everywhere(function()
      local inner
      local outs, errs = apprunner.map({ "quick", "map" }, function(item)
        if item == "quick" then return apprunner.sleep(0.001) end
        inner = { apprunner.map({ 1, 2, 3 }, function() return apprunner.sleep(60) end, { concurrency = 2 }) }
        return nil, inner[2][1]
      end, { on_progress = function() return false end })
      assert.same({ { quick = true }, { map = "Cancelled" } }, { outs, codes(errs) })
      assert.same({ {}, { "Cancelled", "Cancelled", "Cancelled" } }, { inner[1], codes(inner[2]) })
    end)
  end)

  it("that returns nothing once it was cancelled is not taken for a success", function()
    local outs, errs = apprunner.map({ 1, 2 }, function(item) apprunner.sleep(item == 1 and 0 or 60) end,
      { on_progress = function() return false end })
    assert.same({ { true }, { [2] = "Cancelled" } }, { outs, codes(errs) })
  end)

  it("may spawn: what it has spawned in a caller that blocks has ended when map returns #plain", function()
    local ended
    apprunner.map({ 1 }, function()
      apprunner.spawn(function()
        apprunner.sleep(0.02)
        ended = true
      end)
    end)
    assert.is_true(ended)
    local ok, err = pcall(apprunner.map, { 1 }, function()
      apprunner.spawn(function()
        apprunner.sleep(0.01)
        error("of the spawned", 0)
      end)
    end)
    assert.same({ false, "of the spawned" }, { ok, err })
  end)
end)

describe("wrong arguments of map", function()
  it("are an error that tells all of them, and nothing runs", function()
    local outs, err = apprunner.map({ 1 }, error, { concurrency = 0, on_progress = 5, workers = 3 })
    assert.is_nil(outs)
    assert.same({ "validation", "ParamValidationError" }, { err.kind, err.code })
    assert.same({
      "option concurrency: expected an integer, 1 or more, got 0", "option on_progress: expected a function, got 5",
      "unknown option workers",
    }, err.problems)
    for _, value in ipairs { 1.5, -1, "4", 0 / 0, math.huge } do
      outs, err = apprunner.map({ 1 }, error, { concurrency = value })
      assert.same({ nil, "ParamValidationError" }, { outs, err.code })
    end
    outs, err = apprunner.map({ "arn", name = "arn" }, error)
    assert.same({ nil, "items: expected a list, found the key name" }, { outs, err.problems[1] })
    outs, err = apprunner.map({ 0 / 0 }, error)
    assert.same({ nil, "ParamValidationError" }, { outs, err.code })
  end)

  it("of the wrong type are misuse", function()
    local cases = {
      { { nil, print }, "bad items of map (table expected, got nil)" },
      { { "arn", print }, "bad items of map (table expected, got string)" },
      { { {} }, "bad function of map (function expected, got nil)" },
      { { {}, print, 4 }, "bad options of map (table expected, got number)" },
    }
    for _, case in ipairs(cases) do
      local ok, err = pcall(function()
        local outs = apprunner.map(unpack(case[1], 1, 3))
        return outs
      end)
      assert.is_false(ok)
      assert.is_truthy(err:find("map_spec.lua:%d+: ") and err:find(case[2], 1, true), err)
    end
  end)
end)

describe("a map of calls", function()
  it("of items that are no ARNs has the error of each", function()
    local client = assert(apprunner.client {
      region = "us-east-1", credentials = { access_key_id = "a", secret_access_key = "b" },
      transport = function() return { status = 200, body = "{}" } end,
    })
    local outs, errs = apprunner.map({ 5, "", "arn" }, function(item)
      return client:pause_service { ServiceArn = item }
    end)
    assert.is_table(outs.arn)
    assert.equal("ServiceArn: expected string, got number", errs[5].problems[1])
    assert.equal("ServiceArn: expected at least 1 characters, got 0", errs[""].problems[1])
  end)

  it("that are no ARNs, by a client without a region, says that they name none", function()
    local client = assert(apprunner.client { credentials = { access_key_id = "a", secret_access_key = "b" } })
    local _, errs = apprunner.map({ "arn", "arn:aws:s3:::bucket" }, function(item)
      return client:ensure_paused { ServiceArn = item }
    end)
    for _, item in ipairs { "arn", "arn:aws:s3:::bucket" } do
      assert.equal("NoRegionError", errs[item].code)
      assert.matches("^You must specify a region%. The ARN that was given names none%.", errs[item].message)
    end
    local _, err = client:list_services {}
    assert.is_nil(err.message:find("ARN", 1, true))
  end)

  it("is not loaded by a program that does not map", function()
    assert.equal("nil nil\n", programs.run [[
      require("apprunner").sleep(0)
      print(tostring(package.loaded["apprunner.map"]) .. " " .. tostring(package.loaded["apprunner.options"]))
    ]])
  end)
end)
