-- The App Runner API as the simulator plays it, from a request to a response: routing, signature, parameters, the
-- operations, the shape of an error. No sockets and no clock of its own: `api.new(settings)` makes a world,
-- `api.answer(world, request)` turns a request into a response, `world.now()` tells the time. A new operation is a row
-- of `operations`. Functions that can fail return nil and a fault of errors.lua.

local actors = require "apprunner.simulator.actors"
local bucket = require "apprunner.simulator.bucket"
local dice = require "apprunner.simulator.dice"
local errors = require "apprunner.simulator.errors"
local faults = require "apprunner.simulator.faults"
local json = require "apprunner.simulator.json"
local pages = require "apprunner.simulator.pages"
local services = require "apprunner.simulator.services"
local signature = require "apprunner.simulator.signature"
local state = require "apprunner.simulator.state"

local api = {errors = errors.rows, statuses = services.statuses}

local fault, quotable = errors.fault, errors.quotable

-- Operations: each gets the world, its parameters and the row of `faults` for the request ----------------------------

local function describe_service(world, params)
  local service, problem = services.find(world, params.ServiceArn)
  return service and {Service = services.describe(world, service)}, problem
end

-- An operation that takes a service from one state to another, by way of OPERATION_IN_PROGRESS.
local function transition(act, done)
  return function(world, params, fault_row)
    local service, problem = services.find(world, params.ServiceArn)
    if not service then return nil, problem end
    local operation = services.begin(world, service, act, {outcome = faults.outcome(fault_row)})
    if operation then return {Service = services.describe(world, service), OperationId = operation.id} end
    return nil, fault("InvalidStateException", "Service cannot be %s in the current state: %s.", done, service.status)
  end
end

local function list_services(world, params)
  local page, token = pages.cut(world, "ListServices", params, services.all(world), {
    gap = world.empty_pages, shows = services.is_listed,
  })
  if not page then return nil, token end
  local list = json.list()
  for i, service in ipairs(page) do list[i] = services.summary(service) end
  return {ServiceSummaryList = list, NextToken = token}
end

local function list_operations(world, params)
  local service, problem = services.find(world, params.ServiceArn)
  if not service then return nil, problem end
  local page, token = pages.cut(world, "ListOperations", params, services.history(service))
  if not page then return nil, token end
  local list = json.list()
  for i, item in ipairs(page) do list[i] = item.summary end
  return {OperationSummaryList = list, NextToken = token}
end

local function list_tags(world, params)
  local service, problem = services.find(world, params.ResourceArn)
  return service and {Tags = service.tags}, problem
end

-- Constraints: each gets a value and says what it fails to satisfy, or nil -------------------------------------------

local ARN_PATTERN =
  [[arn:aws(-[\w]+)*:[a-z0-9-\\.]{0,63}:[a-z0-9-\\.]{0,63}:[0-9]{12}:(\w|\/|-){1,1011}]]

local function is_arn(text)
  local partition, service, region, account =
    text:match("^arn:(aws[%w_%-]*):([%l%d%.\\%-]*):([%l%d%.\\%-]*):(%d+):[%w_/%-]+$")
  return partition and (partition .. "-"):find("^aws%-") and not partition:find("%-%-") and #service <= 63
    and #region <= 63 and #account == 12
end

local function arn_constraint(text)
  if #text > 1011 then return "Member must have length less than or equal to 1011" end
  if not is_arn(text) then return "Member must satisfy regular expression pattern: " .. ARN_PATTERN end
end

local function page_constraint(number)
  if number < 1 then return "Member must have value greater than or equal to 1" end
  if number > 20 then return "Member must have value less than or equal to 20" end
end

local function token_constraint(text)
  if #text > 51200 then return "Member must have length less than or equal to 51200" end
end

local service_arn = {name = "ServiceArn", type = "string", required = true, constraint = arn_constraint}
local resource_arn = {name = "ResourceArn", type = "string", required = true, constraint = arn_constraint}
local max_results = {name = "MaxResults", type = "integer", constraint = page_constraint}
local next_token = {name = "NextToken", type = "string", constraint = token_constraint}

local operations = {
  DescribeService = {input = {service_arn}, run = describe_service},
  ListOperations = {input = {service_arn, next_token, max_results}, run = list_operations},
  ListServices = {input = {next_token, max_results}, run = list_services},
  ListTagsForResource = {input = {resource_arn}, run = list_tags},
  PauseService = {input = {service_arn}, run = transition("pause", "paused")},
  ResumeService = {input = {service_arn}, run = transition("resume", "resumed")},
}
api.operations = operations

-- Parameters ---------------------------------------------------------------------------------------------------------

local function decode(world, body)
  if not body:find("^%s*{") then return nil, fault("SerializationException", "The body is not a JSON object.") end
  local ok, params = pcall(world.json.decode, body)
  if not ok then return nil, fault("SerializationException", "The body is not well-formed JSON.") end
  for name, value in pairs(params) do
    if value == world.json.null then params[name] = nil end
  end
  return params
end

local function is_of_type(value, name)
  if name == "integer" then return type(value) == "number" and value == math.floor(value) end
  return type(value) == name
end

local function type_fault(input, params)
  for _, member in ipairs(input) do
    local value = params[member.name]
    if value ~= nil and not is_of_type(value, member.type) then
      return fault("SerializationException",
        "%s: a %s can not be converted to a %s", member.name, type(value), member.type)
    end
  end
end

-- What is wrong with one member, or nil.
local function violation(member, value)
  if value == nil then
    return member.required
      and ("Value null at '%s' failed to satisfy constraint: Member must not be null"):format(member.name) or nil
  end
  local constraint = member.constraint(value)
  local shown = type(value) == "number" and ("%.0f"):format(value) or quotable(value)
  return constraint
    and ("Value '%s' at '%s' failed to satisfy constraint: %s"):format(shown, member.name, constraint)
end

local function validation_fault(input, params)
  local found = {}
  for _, member in ipairs(input) do found[#found + 1] = violation(member, params[member.name]) end
  return #found > 0 and fault("InvalidRequestException", "%d validation error%s detected: %s",
    #found, #found > 1 and "s" or "", table.concat(found, "; ")) or nil
end

-- From a request to its output: steps, each of which may end it with a fault -----------------------------------------

local function route(_, call)
  local request = call.request
  if request.method ~= "POST" or request.path ~= "/" then
    return {code = "UnknownOperationException", message = "The API has one address: POST /.", status = 404}
  end
  local name = (request.headers["x-amz-target"] or ""):match("^AppRunner%.(%w+)$")
  if not operations[name or ""] then
    return fault("UnknownOperationException", "The operation that X-Amz-Target names is not known here.")
  end
  call.operation = name
end

local function check_signature(world, call)
  return signature.fault(world, call.request)
end

local function meet_others(world)
  actors.play(world)
end

local function slow_down(world, call)
  state.count(world, "requests", call.operation)
  if world.bucket and not bucket.take(world.bucket, world.now()) then
    return fault("ThrottlingException", "Rate exceeded")
  end
end

local function go_wrong(world, call)
  call.fault_row = faults.choose(world.faults, call.operation)
  return faults.before(call.fault_row)
end

local function read_params(world, call)
  local params, problem = decode(world, call.request.body)
  if not params then return problem end
  call.params = params
  local input = operations[call.operation].input
  return type_fault(input, params) or validation_fault(input, params)
end

local function run(world, call)
  local problem
  call.output, problem = operations[call.operation].run(world, call.params, call.fault_row)
  return problem
end

local function first_problem(steps, world, call)
  for _, step in ipairs(steps) do
    local problem = step(world, call)
    if problem then return problem end
  end
end

local admission = {route, check_signature}
local work = {meet_others, slow_down, go_wrong, read_params, run}

-- What follows once a request is known to be genuine. call: {operation=, request={body=}}, which gets `output`, and
-- `fault_row` where a row of `faults` wants the request. → a fault or nil
function api.perform(world, call)
  local problem = first_problem(work, world, call)
  if problem and problem.code == "ThrottlingException" then state.count(world, "throttled", call.operation) end
  return problem
end

local function admit_and_perform(world, call)
  return first_problem(admission, world, call) or api.perform(world, call)
end

-- → a fault or nil
local function perform_or_fail(world, call)
  local ok, problem = pcall(admit_and_perform, world, call)
  if ok then return problem end
  return fault("InternalFailure", "The simulator failed: %s", tostring(problem))
end

-- Responses ----------------------------------------------------------------------------------------------------------

-- The status and the body of what HTTP itself refuses and no operation ever sees, of the state, or of what is answered.
local function outcome(world, call)
  local request = call.request
  if request.refused then return request.refused, {message = request.reason} end
  if request.method == "GET" and request.path == state.PATH then return 200, state.show(world) end
  call.problem = perform_or_fail(world, call)
  if call.problem then return errors.render(call.problem) end
  return 200, call.output
end

-- request: {method=, path=, query=, headers={lower-case name = value}, body=} or {refused=status, reason=}.
-- → {status=, headers={{name, value}…}, body=, request_id=} and, as a row of `faults` wants it, what http.lua does to
-- the answer; also operation, code and fault for a log, where there are any.
function api.answer(world, request)
  local call = {request = request}
  local status, body = outcome(world, call)
  local request_id = dice.uuid(world.roll_request)
  local response = {
    status = status, body = world.json.encode(body), request_id = request_id, operation = call.operation,
    code = call.problem and call.problem.code, fault = call.fault_row and call.fault_row.kind,
    headers = {{"x-amzn-requestid", request_id}, {"Content-Type", "application/x-amz-json-1.0"}},
  }
  faults.after(call.fault_row, response)
  return response
end

-- What a test wants to know about the services before it begins.
function api.summaries(world)
  local list = {}
  for i, service in ipairs(services.all(world)) do list[i] = services.summary(service) end
  return list
end

-- settings: those of simulator.lua that concern the API, checked before, and now and sign, both functions.
function api.new(settings)
  local seed, begin = settings.seed, settings.now()
  local world = {
    region = settings.region, account_id = settings.account_id, credentials = settings.credentials,
    operation_seconds = settings.operation_seconds, page_size = settings.page_size,
    empty_pages = settings.empty_pages, sign = settings.sign, json = json.new(),
    roll = dice.new(seed), roll_request = dice.new(seed + 1000003), pages = pages.new(seed + 2000003),
    faults = faults.new(settings.faults, seed), agenda = actors.new(settings.others, seed + 3000017, begin),
    bucket = settings.throttle and bucket.new(settings.throttle, begin), counts = state.new(),
  }
  function world.now() return world.moment or settings.now() end
  services.populate(world, settings.services)
  return world
end

return api
