-- What others do to the services meanwhile: the option `others`, a list of rows. A row says what, to whom and when:
--
--   act           pause, resume, deploy, update, delete; or maintain, App Runner's own work, of which nothing is listed
--   ServiceName   of one service; none: of one by chance, each time anew
--   at            seconds since the simulator began: a number, or a list of them
--   mean_seconds  by chance, with so much time between two acts in the mean, the same chance for the same `seed`
--                 (one of these two)
--   seconds       how long it takes; none: `operation_seconds`
--   outcome       FAILED, ROLLBACK_FAILED or ROLLBACK_SUCCEEDED: how it ends, with the service in its former state, but
--                 DELETE_FAILED where it was to be deleted; none: SUCCEEDED
--
-- Nothing comes of an act that finds the service in a state in which the API would refuse it. What has been due is done
-- when the next request comes, as of the time at which it was due.

local dice = require "apprunner.simulator.dice"
local rows = require "apprunner.simulator.rows"
local services = require "apprunner.simulator.services"

local actors = {}

-- The option ---------------------------------------------------------------------------------------------------------

local is_time = rows.is_between(0, 86400)

local fields = {
  act = {
    is = "pause, resume, deploy, update, delete or maintain",
    check = function(name) return services.acts[name] end,
  },
  ServiceName = {is = "the name of a service", check = rows.is_text},
  at = {is = "a number from 0 to 86400 or a list of them", check = rows.one_or_more(is_time)},
  mean_seconds = {is = "a number from 0.01 to 86400", check = rows.is_between(0.01, 86400)},
  seconds = {is = "a number from 0 to 86400", check = is_time},
  outcome = {
    is = "FAILED, ROLLBACK_FAILED or ROLLBACK_SUCCEEDED",
    check = function(name) return services.failures[name] end,
  },
}

local function row_problem(row)
  if type(row) ~= "table" then return "is not a table" end
  for name, value in pairs(row) do
    if not fields[name] then return ("has an unknown field %s"):format(tostring(name)) end
    local problem = rows.problem(fields, name, value)
    if problem then return problem end
  end
  if row.act == nil then return "has no act" end
  if (row.at == nil) == (row.mean_seconds == nil) then return "needs one of at and mean_seconds" end
  if row.act == "maintain" and row.outcome then return "is maintenance, which has no outcome" end
end

-- → true | false | nil, what is wrong.
function actors.check(list)
  return rows.check(list, "act", row_problem)
end

-- names: the set of the services' names. → nil, or what is wrong.
function actors.stranger(list, names)
  for i, row in ipairs(list) do
    if row.ServiceName and not names[row.ServiceName] then
      return ("act %d has a ServiceName of no service: %s"):format(i, row.ServiceName)
    end
  end
end

-- Acting -------------------------------------------------------------------------------------------------------------

local FINE = 1000000 -- steps of a chance

local function find_named(world, name)
  for _, service in ipairs(world.services) do
    if service.name == name then return service end
  end
end

local function act_by_row(row, roll)
  return function(world)
    local service = find_named(world, row.ServiceName) or world.services[roll(#world.services) + 1]
    if service and services.find(world, service.arn) then
      services.begin(world, service, row.act, {seconds = row.seconds, outcome = row.outcome, roll = roll})
    end
  end
end

-- At `time` something is done: act(world).
function actors.add(agenda, time, act)
  agenda[#agenda + 1] = {at = time, act = act}
end

local function add_by_chance(agenda, begin, row, roll)
  local function after(time) return time - row.mean_seconds * math.log(1 - roll(FINE) / FINE) end
  agenda[#agenda + 1] = {at = after(begin), act = act_by_row(row, roll), after = after}
end

-- list: checked before. begin: the time that the rows count from. → what `world.agenda` has to be.
function actors.new(list, seed, begin)
  local agenda = {}
  for i, row in ipairs(list) do
    local roll = dice.new(seed + i * 104729)
    local times = type(row.at) == "table" and row.at or {row.at}
    for _, time in ipairs(times) do actors.add(agenda, begin + time, act_by_row(row, roll)) end
    if row.mean_seconds then add_by_chance(agenda, begin, row, roll) end
  end
  return agenda
end

-- The index of the first that is due.
local function first_due(agenda, now)
  local first
  for i, entry in ipairs(agenda) do
    if entry.at <= now and (not first or entry.at < agenda[first].at) then first = i end
  end
  return first
end

-- Does all that is due, in its order, each as of its time: world.now() tells that time meanwhile.
function actors.play(world)
  local agenda, now = world.agenda, world.now()
  local index = first_due(agenda, now)
  while index do
    local entry = agenda[index]
    world.moment = entry.at
    entry.act(world)
    if entry.after then entry.at = entry.after(entry.at) else table.remove(agenda, index) end
    index = first_due(agenda, now)
  end
  world.moment = nil
end

return actors
