-- What is timed inside an interpreter: worker.lua WHAT N ARGUMENTS prints the microseconds that one took, of the clock
-- and of the processor; and of `memory`, "0 0" and the KiB of one. WARM_UP in the environment is how many go before.
local socket = require "socket"

local arn = "arn:aws:apprunner:us-east-1:123456789012:service/python-app/8fe1e10304f84fd2b0df550fe98a71fa"
local params = { ServiceArn = arn }

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "*a"
  file:close()
  return text
end

local function client_of(url, ca, more)
  local settings = { endpoint_url = url, ca_bundle = ca ~= "-" and ca or nil }
  for name, value in pairs(more or {}) do settings[name] = value end
  return assert(require("apprunner").client(settings))
end

local function repeated(fn)
  return function(n)
    for _ = 1, n do fn() end
  end
end

local function pauses(client)
  return repeated(function() assert(client:pause_service { ServiceArn = arn }) end)
end

-- Each makes the function that does it so many times.
local works = {}

-- One pause after another, on one connection.
function works.pause(url, ca) return pauses(client_of(url, ca)) end

-- The same with credentials given as an argument, and with a profile's.
function works.given(url)
  return pauses(client_of(url, "-", {
    credentials = { access_key_id = "AKIDEXAMPLE", secret_access_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" },
  }))
end

function works.profile(url, name)
  local client = client_of(url, "-", { profile = name })
  assert(assert(client:resolve()).credential_provider == name)
  return pauses(client)
end

-- So many at a time, in coroutines that go on from one to the next.
function works.concurrent(url, ca, concurrency)
  local apprunner, client = require "apprunner", client_of(url, ca)
  return function(n)
    local left = n
    local function work()
      while left > 0 do
        left = left - 1
        assert(client:pause_service(params))
      end
    end
    for _ = 1, tonumber(concurrency) do apprunner.spawn(work) end
    apprunner.run()
  end
end

-- Items of a map.
function works.map(url, ca, concurrency)
  local apprunner, client = require "apprunner", client_of(url, ca)
  return function(n)
    local items = {}
    for i = 1, n do items[i] = i end
    local _, errs = apprunner.map(items, function() return client:pause_service(params) end,
      { concurrency = tonumber(concurrency) })
    assert(next(errs) == nil)
  end
end

-- A client of a profile: reads the shared files.
function works.client(name)
  local apprunner = require "apprunner"
  return repeated(function() assert(apprunner.client { profile = name }):close() end)
end

-- lua-cjson and nothing else.
function works.cjson()
  local decode, text = require("cjson").new().decode, read "spec/bench/answer.json"
  return repeated(function() decode(text) end)
end

-- The same table, but for what is checked, made by C that does nothing else.
function works.answer()
  local bare, decode = require "spec.bench.bare".module(), require("cjson").new().decode
  local text = read "spec/bench/answer.json"
  assert(bare.answer(decode, text).Service.SourceConfiguration.ImageRepository)
  return repeated(function() bare.answer(decode, text) end)
end

-- What the floor of a pause has in it, in one program; and so many of them at a time.
function works.bare(...) return repeated((require "spec.bench.bare".open(...))) end

function works.bare_many(url, ca, concurrency, ...)
  local _, many = require "spec.bench.bare".open(url, ca, ...)
  return function(n) many(n, tonumber(concurrency)) end
end

-- From the bytes of an answer to what the caller gets, as a pause does it: on a call that is done already, and whose
-- memory is kept.
function works.decode(url)
  local decode = require("cjson").new().decode
  local client, loop = client_of(url), require("apprunner.loop.blocking").alone
  local PAUSE = 5 -- the place of pause_service in core.operations
  assert(require("apprunner.core").operations[PAUSE] == "pause_service")
  local job = assert(client.core:call(PAUSE, params))
  require("apprunner.pump").begin(job, client, loop)
  loop.suspend(job)
  return repeated(function() assert(job:finish(decode)) end)
end

local function resident() return tonumber(read("/proc/self/status"):match "VmRSS:%s*(%d+) kB") end

-- What a call takes that is in flight, when the first of them ends.
local function memory(n, url)
  local client = client_of(url)
  assert(client:pause_service(params))
  collectgarbage()
  collectgarbage()
  local before, took = resident(), nil
  for _ = 1, n do
    client:pause_service(params, function(_, err)
      assert(not err, err)
      took = took or resident() - before
    end)
  end
  require("apprunner").run()
  print(("0 0 %.4f"):format(took / n))
end

local name, n = arg[1], tonumber(arg[2])
if name == "memory" then return memory(n, arg[3]) end
local run = works[name]((table.unpack or unpack)(arg, 3))
run(tonumber(os.getenv "WARM_UP" or 0))
collectgarbage()
local clock, processor = socket.gettime(), os.clock()
run(n)
clock, processor = socket.gettime() - clock, os.clock() - processor
print(("%.4f %.4f"):format(clock * 1e6 / n, processor * 1e6 / n))
