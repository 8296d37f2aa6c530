-- The annotations in _meta.lua and the README against what there is.

local apprunner = require "apprunner"
local programs = require "spec.support.programs"
local simulator = require "apprunner.simulator"
local simulator_options = require "apprunner.simulator.options"

local function read(path) return assert(programs.read(path)) end

local meta = read "lua/apprunner/_meta.lua"
local readme = read "README.md"

local function names(text, pattern)
  local set = {}
  for name in text:gmatch(pattern) do set[name] = true end
  return set
end

-- The fields of a class.
local function fields_of(class)
  local text = meta:match("%-%-%-@class apprunner%." .. class .. "\n(.-)\n\n")
  return names(text, "%-%-%-@field ([%w_]+)%?")
end

local function functions_of(t)
  local set = {}
  for name, value in pairs(t) do
    if type(value) == "function" then set[name] = true end
  end
  return set
end

local function client()
  local function transport() return { status = 200, body = "{}" } end
  return assert(apprunner.client { region = "us-east-1", transport = transport })
end

-- The names of the core's settings, and those that the Lua layer keeps.
local function settings()
  local set = names(read "src/core/settings.def", 'X%([%u_]+, "([%w_]+)"')
  for _, name in ipairs { "credentials", "transport", "logger" } do set[name] = true end
  return set
end

describe("the annotations", function()
  it("name every function of the module, and no other", function()
    assert.same(functions_of(apprunner), names(meta, "function apprunner%.([%w_]+)%("))
  end)

  it("name every method of a client, and no other", function()
    assert.same(functions_of(getmetatable(client()).__index), names(meta, "function Client:([%w_]+)%("))
  end)

  it("name every method of a call, and no other", function()
    local call = client():list_services({}, function() end)
    assert.same({ cancel = true }, functions_of(getmetatable(call).__index))
    assert.same({ cancel = true }, names(meta, "function Call:([%w_]+)%("))
    apprunner.run()
  end)

  it("name every setting, and no other", function()
    assert.same(settings(), fields_of "Settings")
  end)

  it("name every option and function of the simulator, and every method of what it starts, and no other", function()
    local set = {}
    for _, name in ipairs(simulator_options.names) do set[name] = true end
    assert.same(set, fields_of "SimulatorOptions")
    assert.same(functions_of(simulator), names(meta, "function SimulatorModule%.([%w_]+)%("))
    local sim = assert(simulator.start())
    local methods = functions_of(getmetatable(sim).__index)
    sim:stop()
    assert.same(methods, names(meta, "function Simulator:([%w_]+)%("))
  end)

  it("are valid Lua", function()
    assert(loadfile "lua/apprunner/_meta.lua")
  end)
end)

describe("the README", function()
  it("names every setting", function()
    for name in pairs(settings()) do assert.is_truthy(readme:find("`" .. name .. "`", 1, true), name) end
  end)

  it("names every error code", function()
    for code in pairs(names(read "src/core/fail.def", 'X%([%u_]+, [%u_]+, "(%w+)"%)')) do
      assert.is_truthy(readme:find("`" .. code .. "`", 1, true), code)
    end
  end)

  it("names every option of the simulator", function()
    for _, name in ipairs(simulator_options.names) do
      assert.is_truthy(readme:find("`" .. name .. "`", 1, true), name)
    end
  end)

  it("names every operation", function()
    for name in pairs(functions_of(getmetatable(client()).__index)) do
      assert.is_truthy(readme:find(name, 1, true), name)
    end
  end)
end)

describe("the version", function()
  it("stands in one place", function()
    assert.equal("apprunner " .. read("src/core/base.h"):match '#define AR_VERSION "([^"]+)"', apprunner._VERSION)
  end)
end)
