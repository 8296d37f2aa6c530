-- 5,000 pauses, 32 at a time, against a server that fails at random in every
-- way of spec/support/faults.lua. CALLS and SEED change that. Prints what the
-- callers were told and each promise that was broken; the exit status says
-- whether there was one.
if rawget(_G, "jit") then package.cpath = "build/luajit/?.so;" .. package.cpath end
package.path = "./?.lua;" .. package.path
local chaos = require "spec.support.chaos"
local hosts = require "spec.support.hosts"
local make_pki = require "spec.support.pki"

local CALLS = tonumber(os.getenv "CALLS") or 5000
local SEED = tonumber(os.getenv "SEED") or 1
local CONCURRENCY = 32
local SHOWN = 10 -- of each list

local promises = {
  { "ends", "ended not once" }, { "late", "ended too late" }, { "attempts", "were sent more often than was told" },
  { "lies", "were told what is not so" }, { "forgotten", "were told that what was carried out was not" },
}

local function show(report)
  local names = {}
  for name in pairs(report.told) do names[#names + 1] = name end
  table.sort(names)
  for _, name in ipairs(names) do print(("%6d %s"):format(report.told[name], name)) end
  print(("%d calls with seed %d in %.1f s, the latest %.2f s after its timeout"):format(
    CALLS, SEED, report.seconds, report.longest))
end

-- Whether every promise was kept.
local function verdict(report)
  local kept = true
  for _, promise in ipairs(promises) do
    local list = report[promise[1]]
    if #list > 0 then kept = false end
    print(("%6d %s"):format(#list, promise[2]))
    for i = 1, math.min(#list, SHOWN) do print("       " .. list[i]) end
  end
  print(("%+6.0f KiB in Lua"):format(report.memory))
  for _, name in ipairs { "descriptors", "unfinished", "in_flight" } do
    if report[name] ~= 0 then kept = false end
    print(("%6d left: %s"):format(report[name], name))
  end
  return kept
end

local report = hosts.main(function()
  return chaos.run(make_pki(hosts), { calls = CALLS, concurrency = CONCURRENCY, seed = SEED })
end)
show(report)
os.exit(verdict(report) and 0 or 1)
