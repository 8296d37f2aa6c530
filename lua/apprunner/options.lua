-- Tables of options: checked against rows, every problem at once, as the core
-- checks parameters. A row is { is = what is expected, check = function(value) }.
local core = require "apprunner.core"

local options = {}

local function is_number(value) return type(value) == "number" and value >= 0 and value <= 1e9 end

options.seconds = { is = "a number of seconds, 0 to 1e9", check = is_number }
options.count = {
  is = "an integer, 1 or more",
  check = function(value) return is_number(value) and value >= 1 and value == math.floor(value) end,
}
options.callback = { is = "a function", check = core.callable }

local function sorted(names)
  table.sort(names)
  return names
end

local function problem(row, name, value)
  if not row then return ("unknown option %s"):format(tostring(name)) end
  if row.check(value) then return nil end
  local got = type(value) == "number" and ("%g"):format(value) or type(value)
  return ("option %s: expected %s, got %s"):format(tostring(name), row.is, got)
end

-- Adds what is wrong with `given` to the list `problems`, in the names' order.
function options.check(given, rows, problems)
  local found = {}
  for name, value in pairs(given) do found[#found + 1] = problem(rows[name], name, value) end
  for _, text in ipairs(sorted(found)) do problems[#problems + 1] = text end
end

-- nil, and the error that tells all of the problems.
function options.refuse(problems, operation)
  local _, err = core.fail("ParamValidationError", "Parameter validation failed: " .. table.concat(problems, "; "))
  err.problems, err.operation = problems, operation
  return nil, err
end

return options
