-- Puts the tables of the latest run (build/bench/results.json) into BENCHMARKS.md, each between its two marks, and
-- draws the plot of rate over concurrency.
package.path = "./?.lua;" .. package.path
local cjson = require "cjson"
local programs = require "spec.support.programs"
local report = require "spec.bench.report"
local tables = require "spec.bench.tables"

local PAGE, PLOT, DATA = "BENCHMARKS.md", "spec/bench/rate.svg", "build/bench/rate.dat"

local function write(path, text)
  local file = assert(io.open(path, "wb"))
  assert(file:write(text))
  file:close()
end

local results = cjson.decode(assert(programs.read "build/bench/results.json"))
local page = assert(programs.read(PAGE))

local function put(name, text)
  local from, to = ("<!-- %s -->\n"):format(name), ("\n<!-- end of %s -->"):format(name)
  local _, a = page:find(from, 1, true)
  local b = page:find(to, 1, true)
  assert(a and b, "no place for " .. name)
  page = page:sub(1, a) .. text .. page:sub(b)
end

local function machine()
  local lines = { results.machine .. "." }
  lines[2] = ("%d rounds, %.0f minutes."):format(#results.rounds, results.seconds / 60)
  for _, reason in ipairs(results.absent) do lines[#lines + 1] = "Left out: " .. reason .. "." end
  return table.concat(lines, "\n")
end

put("machine", machine())
for _, name in ipairs { "bars", "ratios", "instructions", "calls", "server" } do
  local list = tables[name](results)
  if list then put(name, report.markdown(list)) end
end
write(PAGE, page)

local lines = {}
for i, row in ipairs(tables.sweep(results)) do lines[i] = table.concat(row, " ") end
write(DATA, table.concat(lines, "\n") .. "\n")
local drawn = os.execute(("gnuplot -e \"data='%s'; plot_file='%s'\" spec/bench/rate.gnuplot"):format(DATA, PLOT))
if drawn ~= true and drawn ~= 0 then io.stderr:write("the plot was not drawn: is gnuplot installed?\n") end
