-- What the options that are lists of rows (faults.lua, actors.lua) share: how a list, a row's fields and their values
-- are checked, and what is said of those that are wrong.

local rows = {}

-- Checks of a value --------------------------------------------------------------------------------------------------

function rows.is_count(value)
  return type(value) == "number" and value >= 1 and value == math.floor(value)
end

function rows.is_text(value)
  return type(value) == "string"
end

function rows.is_between(low, high)
  return function(value) return type(value) == "number" and value >= low and value <= high end
end

-- A value that fits, or a list of them.
function rows.one_or_more(check)
  return function(value)
    if type(value) ~= "table" then return check(value) end
    for _, item in ipairs(value) do
      if not check(item) then return false end
    end
    return #value > 0
  end
end

-- Checks of a list ---------------------------------------------------------------------------------------------------

-- fields: name → {is=, check=}. → what is wrong with a row's field, or nil.
function rows.problem(fields, name, value)
  local field = fields[name]
  if field and not field.check(value) then return ("has no valid %s: expected %s"):format(name, field.is) end
end

-- what: what a row is called. row_problem(row, …) tells what is wrong with one. → true | false, where it is no list |
-- nil, what is wrong.
function rows.check(list, what, row_problem, ...)
  if type(list) ~= "table" then return false end
  for key in pairs(list) do
    if not rows.is_count(key) or key > #list then return false end
  end
  for i, row in ipairs(list) do
    local problem = row_problem(row, ...)
    if problem then return nil, ("%s %d %s"):format(what, i, problem) end
  end
  return true
end

return rows
