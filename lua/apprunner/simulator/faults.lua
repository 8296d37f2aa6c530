-- What goes wrong on request: the option `faults`, a list of rows. A row says when and what:
--
--   operation    the name of one operation, such as "PauseService"; none: all of them
--   at           a list of integers: the first, the third … request of that kind, counted from 1, or one integer
--   every        an integer n: each n-th request
--   probability  a number from 0 to 1: by chance, the same chance for the same `seed`
--                (at most one of these three; none: every request)
--   kind         a row of `kinds` below, with the fields that it takes
--
-- Counted are requests that are signed as they should be and not throttled by the option `throttle`, a client's retries
-- too, for each row by itself. If several rows want the same request, the first in the list has it.
--
--   throttle          ThrottlingException, 400; not performed, as are all errors
--   internal          InternalServiceErrorException, 500
--   unavailable       ServiceUnavailableException, 503
--   error             the error of `code` with, if given, `message` and `status`
--   unavailable_html  503 with a page of HTML and no request id, as a proxy sends it; not performed
--   status            `status` with `body` (none: empty); not performed
--   close_before      not performed, and the connection ends without an answer
--   close_after       performed, and the connection ends without an answer: a lost answer
--   delay             performed, and answered after `seconds`
--   cut               performed; the body ends before its Content-Length, and the connection with it
--   garbage           performed; the body is no JSON
--   empty             performed; there is no body
--   fail              a pause or resume that starts and, when its time is up, ends as `outcome` (none: FAILED) with the
--                     service in its former state

local dice = require "apprunner.simulator.dice"
local errors = require "apprunner.simulator.errors"
local rows = require "apprunner.simulator.rows"
local services = require "apprunner.simulator.services"

local faults = {}

local HTML = "<html>\r\n<head><title>503 Service Temporarily Unavailable</title></head>\r\n<body>\r\n"
  .. "<center><h1>503 Service Temporarily Unavailable</h1></center>\r\n</body>\r\n</html>\r\n"

-- Fields of a row: what they are, and how that is checked ------------------------------------------------------------

local fields = {
  at = {is = "a positive integer or a list of them", check = rows.one_or_more(rows.is_count)},
  every = {is = "a positive integer", check = rows.is_count},
  probability = {is = "a number from 0 to 1", check = rows.is_between(0, 1)},
  seconds = {is = "a number from 0 to 3600", check = rows.is_between(0, 3600)},
  status = {
    is = "an HTTP status from 200 to 599",
    check = function(value) return rows.is_count(value) and rows.is_between(200, 599)(value) end,
  },
  code = {
    is = "an error code that the simulator knows",
    check = function(value) return errors.rows[value] ~= nil end,
  },
  body = {is = "a string", check = rows.is_text},
  message = {is = "a string", check = rows.is_text},
  outcome = {
    is = "FAILED, ROLLBACK_FAILED or ROLLBACK_SUCCEEDED",
    check = function(value) return services.failures[value] end,
  },
}

-- Kinds --------------------------------------------------------------------------------------------------------------

local function refuses(code, message)
  return function() return errors.fault(code, message) end
end

-- Stands in the place of an answer that `after` makes.
local skip = refuses("InternalFailure", "This answer is replaced.")

local function refuse_by_row(row)
  local problem = errors.fault(row.code, row.message or "The simulator answers so on request.")
  problem.status = row.status
  return problem
end

local function become_html(response)
  response.status, response.body, response.headers = 503, HTML, {{"Content-Type", "text/html"}}
end

local function become_status(response, row)
  response.status, response.body = row.status, row.body or ""
end

local function drop(response)
  response.dropped = true
end

-- kind → fields it needs and takes; before: the fault instead of performing; after: what becomes of the response.
local kinds = {
  throttle = {before = refuses("ThrottlingException", "Rate exceeded")},
  internal = {before = refuses("InternalServiceErrorException", "An internal service error occurred.")},
  unavailable = {before = refuses("ServiceUnavailableException", "Service is unavailable. Try again later.")},
  error = {needs = "code", takes = {message = true, status = true}, before = refuse_by_row},
  unavailable_html = {before = skip, after = become_html},
  status = {needs = "status", takes = {body = true}, before = skip, after = become_status},
  close_before = {before = skip, after = drop},
  close_after = {after = drop},
  delay = {needs = "seconds", after = function(response, row) response.delay = row.seconds end},
  cut = {after = function(response) response.sent_bytes = math.floor(#response.body / 2) end},
  garbage = {after = function(response) response.body = "}{ not JSON \1\255" end},
  empty = {after = function(response) response.body = "" end},
  fail = {takes = {outcome = true}},
}

-- The option ---------------------------------------------------------------------------------------------------------

local always = {operation = true, kind = true, at = true, every = true, probability = true}

local function field_problem(kind, name, value)
  local taken = always[name] or kind.needs == name or (kind.takes or {})[name]
  if not taken then return ("has an unknown field %s"):format(tostring(name)) end
  return rows.problem(fields, name, value)
end

local function choices(row)
  local count = 0
  for _, name in ipairs {"at", "every", "probability"} do
    if row[name] ~= nil then count = count + 1 end
  end
  return count
end

local function row_problem(row, operations)
  if type(row) ~= "table" then return "is not a table" end
  local kind = kinds[row.kind]
  if not kind then return ("has an unknown kind %s"):format(tostring(row.kind)) end
  if row.operation ~= nil and not operations[row.operation] then
    return ("has an unknown operation %s"):format(tostring(row.operation))
  end
  for name, value in pairs(row) do
    local problem = field_problem(kind, name, value)
    if problem then return problem end
  end
  if kind.needs and row[kind.needs] == nil then return ("of kind %s has no %s"):format(row.kind, kind.needs) end
  if choices(row) > 1 then return "has more than one of at, every and probability" end
end

-- operations: the set of their names. → true | false | nil, what is wrong.
function faults.check(list, operations)
  return rows.check(list, "fault", row_problem, operations)
end

-- Choosing -----------------------------------------------------------------------------------------------------------

local FINE = 1000000 -- steps of a probability

local function is_at(at, count)
  if type(at) == "number" then return at == count end
  for _, number in ipairs(at) do
    if number == count then return true end
  end
  return false
end

local function strikes(entry)
  local row = entry.row
  entry.count = entry.count + 1
  if row.at then return is_at(row.at, entry.count) end
  if row.every then return entry.count % row.every == 0 end
  if row.probability then return entry.roll(FINE) < row.probability * FINE end
  return true
end

-- list: checked before. → what `faults.choose` needs.
function faults.new(list, seed)
  local state = {}
  for i, row in ipairs(list) do
    state[i] = {row = row, count = 0, roll = dice.new(seed + i * 7919)}
  end
  return state
end

-- The row for the next request of an operation, or nil. Each row counts, whichever is chosen.
function faults.choose(state, operation)
  local chosen
  for _, entry in ipairs(state) do
    local meant = (entry.row.operation or operation) == operation
    if meant and strikes(entry) then chosen = chosen or entry.row end
  end
  return chosen
end

-- The fault with which a row keeps a request from being performed, or nil.
function faults.before(row)
  local kind = row and kinds[row.kind]
  return kind and kind.before and kind.before(row) or nil
end

-- Does to the response what the row wants.
function faults.after(row, response)
  local kind = row and kinds[row.kind]
  if kind and kind.after then kind.after(response, row) end
end

-- How an operation that the row is for will end, or nil: as it should.
function faults.outcome(row)
  return row and row.kind == "fail" and (row.outcome or "FAILED") or nil
end

return faults
