-- What is timed inside an interpreter: worker.lua WHAT N ARGUMENTS prints the
-- microseconds that one took, of the clock and of the processor.
local socket = require "socket"

local WARM_UP = 200
local arn = "arn:aws:apprunner:us-east-1:123456789012:service/python-app/8fe1e10304f84fd2b0df550fe98a71fa"

local function answer()
  local file = assert(io.open("spec/bench/answer.json", "rb"))
  local text = file:read "*a"
  file:close()
  return text
end

local function client_of(url, ca)
  return assert(require("apprunner").client { endpoint_url = url, ca_bundle = ca ~= "-" and ca or nil })
end

local function pauses(client)
  return function() assert(client:pause_service { ServiceArn = arn }) end
end

-- Each makes the function to be timed.
local works = {}

-- One pause after another, on one connection.
function works.pause(url, ca) return pauses(client_of(url, ca)) end

-- The same with credentials given as an argument, and with a profile's.
function works.given(url)
  local credentials = { access_key_id = "AKIDEXAMPLE", secret_access_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" }
  return pauses(assert(require("apprunner").client { endpoint_url = url, credentials = credentials }))
end

function works.profile(url, name)
  local client = assert(require("apprunner").client { endpoint_url = url, profile = name })
  assert(assert(client:resolve()).credential_provider == name)
  return pauses(client)
end

-- A client of a profile: reads the shared files.
function works.client(name)
  local apprunner = require "apprunner"
  return function() assert(apprunner.client { profile = name }):close() end
end

-- lua-cjson and nothing else.
function works.cjson()
  local decode, text = require("cjson").new().decode, answer()
  return function() decode(text) end
end

-- From the bytes of an answer to what the caller gets, as a pause does it: on
-- a call that is done already.
function works.decode(url)
  local decode = require("cjson").new().decode
  local call = assert(client_of(url):pause_service({ ServiceArn = arn }, function(_, err) assert(not err, err) end))
  require("apprunner").run()
  local job = call.job
  return function() assert(job:finish(decode(job:answer()))) end
end

local name, n = arg[1], tonumber(arg[2])
local work = works[name](arg[3], arg[4])
for _ = 1, math.min(WARM_UP, n) do work() end
collectgarbage()
local clock, processor = socket.gettime(), os.clock()
for _ = 1, n do work() end
clock, processor = socket.gettime() - clock, os.clock() - processor
print(("%.4f %.4f"):format(clock * 1e6 / n, processor * 1e6 / n))
