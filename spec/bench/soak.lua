-- Many thousand pauses in one process, one after another and 32 at a time,
-- against nginx on loopback. Prints memory, connections and descriptors after
-- the first 1,000 and at the end; the exit status says whether memory is flat.
package.path = "./?.lua;" .. package.path
if rawget(_G, "jit") then package.cpath = "build/luajit/?.so;" .. package.cpath end
local apprunner = require "apprunner"
local hosts = require "spec.support.hosts"
local report = require "spec.bench.report"
local server = require "spec.bench.server"

local CALLS = tonumber(os.getenv "CALLS") or 20000
local FIRST = 1000
local CONCURRENCY = 32
-- A leak of the smallest piece of memory that malloc gives, in each call after
-- the first 1,000, is 594 KiB.
local BOUND = 512

local arn = "arn:aws:apprunner:us-east-1:123456789012:service/python-app/8fe1e10304f84fd2b0df550fe98a71fa"

local function own_pid() return hosts.read("/proc/self/stat"):match "^%d+" end

local function descriptors() return tonumber(hosts.shell(("ls /proc/%s/fd | wc -l"):format(own_pid()))) end

local function look(nginx, calls)
  collectgarbage()
  collectgarbage()
  return {
    calls = calls, resident = hosts.resident "self", lua = collectgarbage "count", descriptors = descriptors(),
    connections = nginx:connections(),
  }
end

local function pause(client)
  local out = assert(client:pause_service { ServiceArn = arn })
  assert(out.Service.ServiceArn == arn, "the answer is not the expected one")
end

local function in_sequence(client, n)
  for _ = 1, n do pause(client) end
end

local function at_once(client, n)
  local left = n
  for _ = 1, CONCURRENCY do
    apprunner.spawn(function()
      while left > 0 do
        left = left - 1
        pause(client)
      end
    end)
  end
  apprunner.run()
end

local runs = {
  { name = "in sequence", work = in_sequence, connections = 1 },
  { name = CONCURRENCY .. " at a time", work = at_once, connections = CONCURRENCY },
}

-- Whether a run kept its promises, and the line that says so.
local function verdict(run, before, first, last)
  local grown = last.resident - first.resident
  local opened = last.connections - before
  local more = last.descriptors - first.descriptors
  local flat = grown <= BOUND and opened <= run.connections and more <= 0
  return flat, ("%s: %s: %+d KiB after the first %d (bound %d), %d connections (bound %d), %+d descriptors"):format(
    run.name, flat and "flat" or "NOT FLAT", grown, FIRST, BOUND, opened, run.connections, more)
end

local function soak(nginx, run)
  local client = assert(apprunner.client {
    endpoint_url = nginx.plain,
    credentials = { access_key_id = "AKIDEXAMPLE", secret_access_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" },
  })
  local before = nginx:connections()
  run.work(client, FIRST)
  local first = look(nginx, FIRST)
  run.work(client, CALLS - FIRST)
  local last = look(nginx, CALLS)
  client:close()
  local lines = { { run.name, "calls", "resident KiB", "in Lua KiB", "descriptors", "connections" } }
  for i, at in ipairs { first, last } do
    lines[i + 1] = {
      "", tostring(at.calls), tostring(at.resident), ("%.0f"):format(at.lua), tostring(at.descriptors),
      tostring(at.connections - before),
    }
  end
  report.print(lines, { false, true, true, true, true, true })
  local flat, line = verdict(run, before, first, last)
  print(line)
  return flat
end

local flat = hosts.main(function()
  local nginx, all = server.start(), true
  for _, run in ipairs(runs) do all = soak(nginx, run) and all end
  return all
end)
os.exit(flat and 0 or 1)
