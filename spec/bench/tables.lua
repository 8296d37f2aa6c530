-- The figures of a run as tables: of the ratios, of the bars, of where the rest goes, and of the server. Each function
-- returns rows of texts, the heads first.
local report = require "spec.bench.report"
local rows = require "spec.bench.rows"

local unpack = table.unpack or unpack

local tables = {}

local titles = { ["5.4"] = "Lua 5.4", jit = "LuaJIT" }

local function summary(results, row, lua, against)
  local list = rows.ratios(row, lua, against, results.rounds, results.place)
  return list and report.summary(list) or nil
end

-- Whether a row is the same in every interpreter.
local function is_bare(row) return not row.ours[1]:find("%s", 1, true) end

local function ratio_row(results, row, lua)
  local cells, found = { row.title, is_bare(row) and "C" or titles[lua] }, false
  for i, column in ipairs(rows.against) do
    local s = summary(results, row, lua, column.key)
    found = found or s ~= nil
    cells[i + 2] = report.cell(s)
  end
  return found and cells or nil
end

function tables.ratios(results)
  local list = { { "measure", "of" } }
  for i, column in ipairs(rows.against) do list[1][i + 2] = "against " .. column.title end
  for _, row in ipairs(rows.list) do
    for i, lua in ipairs(results.interpreters) do
      if i == 1 or not is_bare(row) then list[#list + 1] = ratio_row(results, row, lua) end
    end
  end
  return list
end

local signs = { ["<="] = "≤", [">="] = "≥" }

local function bar_cell(results, row, lua, against, bar)
  local s = summary(results, row, lua, against)
  if not s then return "not measured" end
  return ("%s, %s"):format(report.cell(s), rows.meets(bar, lua, s.median) and "met" or "not met")
end

local function bound_text(results, bar)
  local texts = {}
  for _, lua in ipairs(results.interpreters) do
    local text = signs[bar[1]] .. " " .. report.ratio(rows.bound(bar, lua))
    if text ~= texts[#texts] then texts[#texts + 1] = text end
  end
  return table.concat(texts, ", ")
end

function tables.bars(results)
  local list = { { "measure", "against", "bar" } }
  for _, lua in ipairs(results.interpreters) do list[1][#list[1] + 1] = titles[lua] end
  for _, row in ipairs(rows.list) do
    for _, column in ipairs(rows.against) do
      local bar = row.bars and row.bars[column.key]
      if bar then
        local cells = { row.title, column.title, bound_text(results, bar) }
        for _, lua in ipairs(results.interpreters) do
          cells[#cells + 1] = bar_cell(results, row, lua, column.key, bar)
        end
        list[#list + 1] = cells
      end
    end
  end
  return list
end

-- Instructions a pause, in parts of the floor's.
function tables.instructions(results)
  if not results.profiles then return nil end
  local list = { { "instructions of a pause, the floor's = 100" } }
  for _, lua in ipairs(results.interpreters) do
    list[1][#list[1] + 1] = titles[lua]
    list[1][#list[1] + 1] = "its floor"
    local groups = results.profiles[lua].instructions
    local whole = groups[#groups][3]
    for i, group in ipairs(groups) do
      list[i + 1] = list[i + 1] or { group[1] }
      for k = 2, 3 do table.insert(list[i + 1], ("%.1f"):format(math.max(0, 100 * group[k] / whole))) end
    end
  end
  return list
end

local function calls_text(profiles, lua, name)
  local count = profiles[lua].calls[name]
  return count and ("%.1f"):format(count) or ""
end

-- System calls a pause.
function tables.calls(results)
  local profiles = results.profiles
  if not profiles then return nil end
  local names, list = {}, { { "system calls of a pause" } }
  for _, of in pairs(profiles) do
    for name in pairs(of.calls) do names[name] = true end
  end
  local order, columns = {}, { unpack(results.interpreters) }
  columns[#columns + 1] = "C"
  for name in pairs(names) do order[#order + 1] = name end
  table.sort(order, function(a, b) return (a == "all" and "~" or a) < (b == "all" and "~" or b) end)
  for _, key in ipairs(columns) do list[1][#list[1] + 1] = titles[key] or "bare C" end
  for _, name in ipairs(order) do
    local cells = { name }
    for _, key in ipairs(columns) do cells[#cells + 1] = calls_text(profiles, key, name) end
    list[#list + 1] = cells
  end
  return list
end

-- How busy the server was with 32 at a time: where it is near 1, it is what is measured.
function tables.server(results)
  local list = { { "the server's one process, 32 at a time", "busy" } }
  for _, place in ipairs { "one", "free" } do
    for _, who in ipairs { "C", "5.4", "jit" } do
      local busy = {}
      for _, at in ipairs(results.rounds) do
        local took = at[("%s concurrent %s"):format(place, who)]
        busy[#busy + 1] = took and took.busy
      end
      if #busy > 0 then
        list[#list + 1] = {
          ("with %s, on %s"):format(titles[who] or "bare C", place == "one" and "one processor" or "any"),
          ("%.2f"):format(report.summary(busy).median),
        }
      end
    end
  end
  return list
end

-- The plot's data: rate over concurrency, bare C's one after another = 1; a column each client.
function tables.sweep(results)
  local clients = { "C", "5.4", "jit", "curl", "boto3", "sdk" }
  local list = {
    {
      "concurrency", "\"bare C on libcurl\"", "\"Lua 5.4\"", "LuaJIT", "\"curl --aws-sigv4\"", "boto3",
      "\"JavaScript SDK\"",
    },
  }
  for i, concurrency in ipairs(results.sweep) do
    list[i + 1] = { tostring(concurrency) }
    for k, who in ipairs(clients) do
      local ratios = {}
      for _, at in ipairs(results.rounds) do
        local base, took = at["free at 1 C"], at[("free at %d %s"):format(concurrency, who)]
        ratios[#ratios + 1] = base and took and base.wall / took.wall
      end
      list[i + 1][k + 1] = #ratios > 0 and ("%.4f"):format(report.summary(ratios).median) or "?"
    end
  end
  return list
end

function tables.print(results)
  for _, name in ipairs { "ratios", "bars", "instructions", "calls", "server" } do
    local list = tables[name](results)
    if list then
      report.print(list)
      print()
    end
  end
  print(("%d rounds, %.0f s in all; a ratio is taken within a round; shown is the median, and the quartiles."):format(
    #results.rounds, results.seconds))
  print(results.machine)
  for _, reason in ipairs(results.absent) do print("left out: " .. reason) end
end

return tables
