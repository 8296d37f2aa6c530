-- A world of services without sockets, and a clock that only moves when somebody sleeps: the simulator's own services
-- behind a client's `transport`. `world.new` puts its clock into the lifecycle; `world.restore` takes it out.

local actors = require "apprunner.simulator.actors"
local api = require "apprunner.simulator.api"
local apprunner = require "apprunner"
local errors = require "apprunner.simulator.errors"
local faults = require "apprunner.simulator.faults"
local lifecycle = require "apprunner.lifecycle"
local options = require "apprunner.simulator.options"
local services = require "apprunner.simulator.services"

local world = {}
world.__index = world

world.BEGIN = 1700000000 -- when every world begins
local real = lifecycle.clock

function world.restore() lifecycle.clock = real end

local function answer(self, call)
  local problem = api.perform(self.sim, call)
  local status, body = 200, call.output
  if problem then status, body = errors.render(problem) end
  local response = { status = status, body = self.sim.json.encode(body), headers = { { "x-amzn-requestid", "id" } } }
  faults.after(call.fault_row, response)
  return response, problem
end

local function perform(self, request)
  local target
  for _, header in ipairs(request.headers) do
    if header[1] == "X-Amz-Target" then target = header[2]:match "%.(%w+)$" end
  end
  local call = { operation = target, request = request }
  local response, problem = answer(self, call)
  self.log[#self.log + 1] = {
    at = self.time, operation = target, id = call.output and call.output.OperationId, code = problem and problem.code,
    lost = response.dropped, params = call.params,
  }
  self.time = self.time + self.latency
  if response.dropped then return nil, "the connection was closed" end
  return response
end

-- options: those of simulator.lua's that matter, and `latency`, seconds that a request takes.
function world.new(given)
  local self = setmetatable({ time = world.BEGIN, log = {}, sleeps = {}, latency = given.latency or 0 }, world)
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

function world:at(seconds, fn) actors.add(self.sim.agenda, world.BEGIN + seconds, fn) end

-- The service as it is now.
function world:look()
  actors.play(self.sim)
  return (services.find(self.sim, self.service.arn))
end

-- What another actor does now, one of the simulator's acts → the operation; nil where the service is busy or gone.
function world:act(name, how)
  services.find(self.sim, self.service.arn)
  return services.begin(self.sim, self.service, name, how or {})
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
