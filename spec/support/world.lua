-- A world of services without sockets, and a clock that only moves when somebody sleeps: the simulator's own services
-- behind a client's `transport`. `world.new` puts its clock into the lifecycle; `world.restore` takes it out.

local api = require "apprunner.simulator.api"
local apprunner = require "apprunner"
local errors = require "apprunner.simulator.errors"
local faults = require "apprunner.simulator.faults"
local lifecycle = require "apprunner.lifecycle"
local options = require "apprunner.simulator.options"
local services = require "apprunner.simulator.services"

local world = {}
world.__index = world

local BEGIN = 1700000000
local real = lifecycle.clock

function world.restore() lifecycle.clock = real end

-- Actors: {at=, act=function(world)}, each done when its time has come.
local function act(self)
  table.sort(self.events, function(a, b) return a.at < b.at end)
  while self.events[1] and self.events[1].at <= self.time do
    local event = table.remove(self.events, 1)
    local now = self.time
    self.time = event.at
    event.act(self)
    self.time = now
  end
end

local function answer(self, operation, params)
  local row = faults.choose(self.sim.faults, operation)
  local problem = faults.before(row)
  local output
  if not problem then output, problem = api.operations[operation].run(self.sim, params, row) end
  local status, body = 200, output
  if problem then status, body = errors.render(problem) end
  local response = { status = status, body = self.sim.json.encode(body), headers = { { "x-amzn-requestid", "id" } } }
  faults.after(row, response)
  return response, output, problem
end

local function perform(self, request)
  local target
  for _, header in ipairs(request.headers) do
    if header[1] == "X-Amz-Target" then target = header[2]:match "%.(%w+)$" end
  end
  act(self)
  local params = self.sim.json.decode(request.body)
  local response, output, problem = answer(self, target, params)
  self.log[#self.log + 1] = {
    at = self.time, operation = target, id = output and output.OperationId, code = problem and problem.code,
    lost = response.dropped, params = params,
  }
  self.time = self.time + self.latency
  if response.dropped then return nil, "the connection was closed" end
  return response
end

-- options: those of simulator.lua's that matter, and `latency`, seconds that a request takes.
function world.new(given)
  local self = setmetatable({ time = BEGIN, events = {}, log = {}, sleeps = {}, latency = given.latency or 0 }, world)
  given.latency = nil
  local settings = assert(options.settle(given))
  settings.seed = settings.seed or 1
  settings.now = function() return self.time end
  self.sim = api.new(settings)
  self.service = self.sim.services[1]
  self.params = self.service and { ServiceArn = self.service.arn }
  self.client = assert(apprunner.client {
    region = "us-east-1", max_attempts = 1, transport = function(request) return perform(self, request) end,
    credentials = { access_key_id = "AKIDEXAMPLE", secret_access_key = "secret" },
  })
  lifecycle.clock = {
    now = function() return self.time end,
    random = function() return self.sim.roll(1000) / 1000 end,
    sleep = function(_, seconds)
      self.sleeps[#self.sleeps + 1] = seconds
      self.time = self.time + seconds
      return true
    end,
  }
  return self
end

-- A service in this state alone.
function world.of(status, more)
  local given = { services = { { ServiceName = "one-service", Status = status } }, operation_seconds = 30 }
  for name, value in pairs(more or {}) do given[name] = value end
  return world.new(given)
end

function world:at(seconds, fn) self.events[#self.events + 1] = { at = BEGIN + seconds, act = fn } end

-- The service as it is now.
function world:look()
  act(self)
  return (services.find(self.sim, self.service.arn))
end

-- What another actor does: an operation that ends in `to`; nil where the service is busy or gone.
function world:operate(operation_type, to, outcome)
  local service = services.find(self.sim, self.service.arn)
  if service.status ~= "RUNNING" and service.status ~= "PAUSED" then return nil end
  return services.begin(self.sim, service, operation_type, to or service.status,
    outcome and { kind = "fail", outcome = outcome })
end

function world:maintain(seconds)
  local service = services.find(self.sim, self.service.arn)
  if service.status == "RUNNING" or service.status == "PAUSED" then services.maintain(self.sim, service, seconds) end
end

-- How often an operation of the API was asked for; of any without a name.
function world:requests(operation)
  local count = 0
  for _, entry in ipairs(self.log) do
    if not operation or entry.operation == operation then count = count + 1 end
  end
  return count
end

-- "DescribeService PauseService ..."
function world:story()
  local names = {}
  for i, entry in ipairs(self.log) do names[i] = entry.operation end
  return table.concat(names, " ")
end

return world
