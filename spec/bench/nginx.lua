-- What pauses do to a worker of nginx, in turns: wrk on a trivial location of
-- the only worker, with and without 50 pauses under way; and how long a pause
-- takes there, through the engine and with a client that blocks. Prints medians
-- over the rounds and asserts nothing. ROUNDS changes their number.
if rawget(_G, "jit") then package.cpath = "build/luajit/?.so;" .. package.cpath end
package.path = "./?.lua;spec/bench/?.lua;" .. package.path
local hosts = require "spec.support.hosts"
local make_pki = require "spec.support.pki"
local reloads = require "spec.support.reloads"
local report = require "report"

local ROUNDS = tonumber(os.getenv "ROUNDS") or 15
local SECONDS = 1 -- of wrk in each turn
local CONNECTIONS = 50
local PAUSES = 50
local WAITS = { 200, 1000 } -- milliseconds that the endpoint takes for a pause
local LATENCY_WAITS = { 0, 20, 200 } -- the same, where one pause is timed
local SAMPLES = 20

-- The worker has a processor to itself, where there are two: what it loses is measured, not what the scheduler does.
local wrk = "wrk"
local function bind(front, endpoint)
  local allowed = hosts.read("/proc/self/status"):match "Cpus_allowed_list:%s*(%S+)"
  local first, last = allowed:match "^%d+", allowed:match "%d+$"
  if first == last or hosts.shell "command -v taskset" == "" then return end
  for _, pid in ipairs(front:workers()) do hosts.shell(("taskset -cp %s %d"):format(first, pid)) end
  for _, pid in ipairs(endpoint:workers()) do hosts.shell(("taskset -cp %s %d"):format(last, pid)) end
  wrk = "taskset -c " .. last .. " wrk"
end

local units = { us = 0.001, ms = 1, s = 1000 }

-- Requests a second and the 99th percentile in milliseconds.
local function load(front)
  local said = hosts.shell(("%s -t1 -c%d -d%d --latency http://127.0.0.1:%d/trivial 2>&1"):format(
    wrk, CONNECTIONS, SECONDS, front.port.front))
  local p99, unit = said:match "99%%%s+([%d.]+)(%a+)"
  local rate = said:match "Requests/sec:%s+([%d.]+)"
  assert(p99 and rate and not said:find "Non%-2xx", said)
  return { rate = tonumber(rate), p99 = tonumber(p99) * units[unit] }
end

local function tell(front, what, query) assert(hosts.get(front.port.front, "/do/" .. what .. query).status == 200) end

local function load_with_pauses(front, wait)
  local query = ("?name=wait%dbusy&count=%d"):format(wait, PAUSES)
  tell(front, "keep_pausing", query)
  hosts.await("the pauses", function()
    return tonumber(hosts.get(front.port.front, "/do/stats").body:match '"in_flight":(%d+)') == PAUSES
  end)
  local result = load(front)
  tell(front, "stop_pausing", query)
  hosts.await("the end of the pauses", function()
    return tonumber(hosts.get(front.port.front, "/do/stats").body:match '"in_flight":(%d+)') == 0
  end)
  return result
end

local function print_loads(front)
  local idle, ratios = { rate = {}, p99 = {} }, {}
  for _, wait in ipairs(WAITS) do ratios[wait] = { rate = {}, p99 = {} } end
  for round = 1, ROUNDS do
    local alone = load(front)
    for _, of in ipairs { "rate", "p99" } do idle[of][round] = alone[of] end
    for _, wait in ipairs(WAITS) do
      local with = load_with_pauses(front, wait)
      for _, of in ipairs { "rate", "p99" } do ratios[wait][of][round] = with[of] / alone[of] end
    end
  end
  local title = ("a trivial location, with %d pauses under way / without"):format(PAUSES)
  local lines = { { title, "ratio", "quartiles", "bar" } }
  for _, wait in ipairs(WAITS) do
    for _, row in ipairs { { "rate", "requests a second", ">= 0.9" }, { "p99", "99th percentile", "<= 1.5" } } do
      local s = report.summary(ratios[wait][row[1]])
      lines[#lines + 1] = {
        ("pauses of %d ms: %s"):format(wait, row[2]), ("%.2f"):format(s.median),
        ("%.2f-%.2f"):format(s.low, s.high), row[3],
      }
    end
  end
  report.print(lines, { [2] = true, [3] = true, [4] = true })
  print(("(without: %.0f requests a second, 99th percentile %.2f ms; %d rounds of %d s each; %s)\n"):format(
    report.summary(idle.rate).median, report.summary(idle.p99).median, ROUNDS, SECONDS, wrk))
end

local function print_latencies(front)
  local lines = { { "one pause", "blocking", "engine", "longer by", "bar" } }
  for _, wait in ipairs(LATENCY_WAITS) do
    local query, took = ("?name=wait%done"):format(wait), { pause = {}, pause_blocking = {} }
    for i = 1, SAMPLES do
      for what, list in pairs(took) do
        local answer = hosts.get(front.port.front, "/do/" .. what .. query)
        assert(answer.status == 200 and answer.body:find "OPERATION_IN_PROGRESS", answer.body)
        list[i] = answer.seconds * 1000
      end
    end
    local engine, blocking = report.summary(took.pause).median, report.summary(took.pause_blocking).median
    lines[#lines + 1] = {
      ("of %d ms"):format(wait), ("%.2f ms"):format(blocking), ("%.2f ms"):format(engine),
      ("%.2f ms"):format(engine - blocking), ("<= %.1f ms"):format(math.max(5, blocking / 10)),
    }
  end
  report.print(lines, { [2] = true, [3] = true, [4] = true, [5] = true })
end

if hosts.shell "command -v wrk" == "" then
  print "left out: nginx under load: wrk is not installed (apt-get install wrk)"
  os.exit(0)
end
hosts.shell "make -s LUA=luajit all"
hosts.main(function()
  local pki = make_pki(hosts)
  local endpoint = reloads.endpoint(pki)
  local front = reloads.front(endpoint, pki, 1)
  bind(front, endpoint)
  print_loads(front)
  print_latencies(front)
end)
