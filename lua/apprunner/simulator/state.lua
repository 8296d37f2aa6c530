-- The simulated world as a test or a person wants to see it: the services, their operations, and how many requests
-- there were. `curl URL/_simulator/state`, or the method `state` of what `start` returns; no client of AWS ever asks
-- for that path. Costs no token, wants no signature, and is no request of the API: nothing of it is counted.

local actors = require "apprunner.simulator.actors"
local json = require "apprunner.simulator.json"
local services = require "apprunner.simulator.services"

local state = {PATH = "/_simulator/state"}

local PATIENCE = 10 -- seconds

-- What `world.counts` has to be.
function state.new()
  return {requests = {}, throttled = {}}
end

-- which: "requests" (signed as they should be) or "throttled" (those of them that were answered so).
function state.count(world, which, operation)
  local counts = world.counts[which]
  counts[operation] = (counts[operation] or 0) + 1
end

local function show_service(service)
  local operations = json.list()
  for i, item in ipairs(services.history(service)) do operations[i] = item.summary end
  return {
    ServiceName = service.name, ServiceArn = service.arn, Status = service.status, Tags = service.tags,
    operations = operations,
  }
end

function state.show(world)
  actors.play(world)
  local list = json.list()
  for i, service in ipairs(services.all(world)) do list[i] = show_service(service) end
  return {services = list, requests = world.counts.requests, throttled = world.counts.throttled}
end

-- What a simulator elsewhere shows, as a table | nil, message. Needs LuaSocket and lua-cjson.
function state.fetch(endpoint_url)
  local has_socket, socket = pcall(require, "socket")
  local has_json, cjson = pcall(require, "cjson")
  if not has_socket or not has_json then return nil, "the state is read with LuaSocket and lua-cjson" end
  local connection, problem = socket.connect("127.0.0.1", tonumber(endpoint_url:match ":(%d+)$"))
  if not connection then return nil, problem end
  connection:settimeout(PATIENCE)
  connection:send(("GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"):format(state.PATH))
  local text
  text, problem = connection:receive "*a"
  connection:close()
  local body = text and text:match "^HTTP/1%.1 200 .-\r\n\r\n(.*)$"
  if not body then return nil, problem or "the simulator does not show its state" end
  return cjson.decode(body)
end

return state
