-- 10,000 pauses through two workers of nginx, with a reload every second.
-- CALLS changes that. Prints what failed and what the processes hold before and
-- after; the exit status says whether nothing failed and nothing was left.
if rawget(_G, "jit") then package.cpath = "build/luajit/?.so;" .. package.cpath end
package.path = "./?.lua;" .. package.path
local hosts = require "spec.support.hosts"
local make_pki = require "spec.support.pki"
local reloads = require "spec.support.reloads"

local CALLS = tonumber(os.getenv "CALLS") or 10000
local CONCURRENCY, WAIT, INTERVAL = 32, 100, 1
local BOUND = 512 -- KiB that the master may have grown by
local SHOWN = 10

-- Prints a promise; whether it was kept.
local function check(kept, ...)
  print((kept and "kept: " or "BROKEN: ") .. string.format(...))
  return kept
end

local function verdict(report)
  local before, after = report.before, report.after
  print(("%d pauses of %d ms through two workers, %d at a time: %.1f s, %d reloads"):format(
    CALLS, WAIT, CONCURRENCY, report.seconds, report.reloads))
  print(("a worker held %d KiB before, %d after"):format(before.worker, after.worker))
  for i = 1, math.min(#report.failed, SHOWN) do print("  " .. report.failed[i]) end
  local grown = after.master - before.master
  local promises = {
    check(#report.failed == 0, "%d pauses failed", #report.failed),
    check(after.descriptors == before.descriptors, "%d descriptors in a worker before, %d after",
      before.descriptors, after.descriptors),
    check(grown <= BOUND, "%+d KiB in the master (bound %d)", grown, BOUND),
  }
  return promises[1] and promises[2] and promises[3]
end

os.execute "make -s LUA=luajit all"
local report = hosts.main(function()
  local pki = make_pki(hosts)
  local endpoint = reloads.endpoint(pki)
  return reloads.run(endpoint, pki, { calls = CALLS, concurrency = CONCURRENCY, wait = WAIT, interval = INTERVAL })
end)
os.exit(verdict(report) and 0 or 1)
