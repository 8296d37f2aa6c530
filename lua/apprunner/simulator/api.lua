-- The App Runner API as the simulator plays it: services, their states, the operations, the errors. No sockets and no
-- clock of its own: `api.new(settings)` makes a world, `api.answer(world, request)` turns a request into a response,
-- `world.now()` tells the time. An operation in progress ends when somebody looks after its time is up, so nothing here
-- runs in the background. A new operation is a row of `operations`, a new error a row of `errors`.
-- Functions that can fail return `nil, fault`; a fault is {code=, message=}, with a status if not its row's.

local api = {}

local SERVICE, COMMON = "com.amazonaws.apprunner#", "com.amazon.coral.service#"

-- code → HTTP status, namespace in __type, member that carries the text. The first five are the service's own, the
-- others what any AWS JSON service answers before the operation is reached.
local errors = {
  InternalServiceErrorException = {status = 500, namespace = SERVICE, member = "Message"},
  InvalidRequestException = {status = 400, namespace = SERVICE, member = "Message"},
  InvalidStateException = {status = 400, namespace = SERVICE, member = "Message"},
  ResourceNotFoundException = {status = 400, namespace = SERVICE, member = "Message"},
  ServiceQuotaExceededException = {status = 402, namespace = SERVICE, member = "Message"},
  IncompleteSignatureException = {status = 400, namespace = COMMON, member = "message"},
  InternalFailure = {status = 500, namespace = COMMON, member = "message"},
  MissingAuthenticationTokenException = {status = 400, namespace = COMMON, member = "message"},
  SerializationException = {status = 400, namespace = COMMON, member = "message"},
  UnknownOperationException = {status = 400, namespace = COMMON, member = "message"},
  UnrecognizedClientException = {status = 400, namespace = COMMON, member = "message"},
}
api.errors = errors

api.statuses = {
  CREATE_FAILED = true, RUNNING = true, DELETED = true, DELETE_FAILED = true, PAUSED = true,
  OPERATION_IN_PROGRESS = true,
}

local function fault(code, message, ...)
  return {code = code, message = select("#", ...) > 0 and message:format(...) or message}
end

-- A request's own bytes, fit to be quoted in a message.
local function quotable(text)
  return (text:sub(1, 200):gsub("[^\32-\126]", "?"))
end

-- Identifiers --------------------------------------------------------------------------------------------------------

-- A generator of its own: the same seed gives the same identifiers on every Lua, and the host's math.random is left
-- alone.
local function dice(seed)
  local state = seed % 2147483646 + 1
  local function roll(sides)
    state = state * 16807 % 2147483647
    return math.floor(state / 2147483647 * sides)
  end
  for _ = 1, 8 do roll(2) end -- small seeds begin with small numbers
  return roll
end

local function fill(roll, template, alphabet)
  return (template:gsub("x", function()
    local at = roll(#alphabet) + 1
    return alphabet:sub(at, at)
  end))
end

local function hex(roll, length)
  return fill(roll, ("x"):rep(length), "0123456789abcdef")
end

local function uuid(roll)
  local variant = fill(roll, "x", "89ab")
  return fill(roll, "xxxxxxxx-xxxx-4xxx-" .. variant .. "xxx-xxxxxxxxxxxx", "0123456789abcdef")
end

-- Services -----------------------------------------------------------------------------------------------------------

local function milliseconds(time)
  return math.floor(time * 1000 + 0.5) / 1000
end

local function touch(service, time)
  service.updated_at = math.max(milliseconds(time), milliseconds(service.updated_at + 0.001))
end

local function new_service(world, row)
  local id = hex(world.roll, 32)
  local created_at = milliseconds(world.now() - 86400 * (1 + world.roll(90)) - world.roll(86400000) / 1000)
  return {
    name = row.ServiceName, id = id, status = row.Status, error = row.error,
    arn = ("arn:aws:apprunner:%s:%s:service/%s/%s"):format(world.region, world.account_id, row.ServiceName, id),
    url = ("%s.%s.awsapprunner.com"):format(
      fill(world.roll, "xxxxxxxxxx", "abcdefghijkmnpqrstuvwxyz23456789"), world.region),
    created_at = created_at,
    updated_at = milliseconds(created_at + 180 + world.roll(60000) / 1000),
  }
end

local function settle(service, now)
  local operation = service.operation
  if operation and now >= operation.ends_at then
    service.operation, service.status = nil, operation.becomes
    touch(service, operation.ends_at)
  end
end

local function source_configuration(world, service)
  local image = "%s.dkr.ecr.%s.amazonaws.com/%s:latest"
  return {
    ImageRepository = {
      ImageIdentifier = image:format(world.account_id, world.region, service.name:lower()),
      ImageRepositoryType = "ECR",
      ImageConfiguration = {
        Port = "8080",
        RuntimeEnvironmentVariables = {LOG_LEVEL = "info", SERVICE_NAME = service.name},
        RuntimeEnvironmentSecrets = {
          DATABASE_URL = ("arn:aws:ssm:%s:%s:parameter/%s/database-url"):format(
            world.region, world.account_id, service.name),
        },
      },
    },
    AutoDeploymentsEnabled = false,
    AuthenticationConfiguration = {
      AccessRoleArn = ("arn:aws:iam::%s:role/service-role/AppRunnerECRAccessRole"):format(world.account_id),
    },
  }
end

local function auto_scaling(world)
  return {
    AutoScalingConfigurationArn =
      ("arn:aws:apprunner:%s:%s:autoscalingconfiguration/DefaultConfiguration/1/%s"):format(
        world.region, world.account_id, ("0"):rep(31) .. "1"),
    AutoScalingConfigurationName = "DefaultConfiguration",
    AutoScalingConfigurationRevision = 1,
    Status = "ACTIVE",
    HasAssociatedService = true,
    IsDefault = true,
  }
end

-- The Service shape of the model.
local function describe(world, service)
  return {
    ServiceName = service.name,
    ServiceId = service.id,
    ServiceArn = service.arn,
    ServiceUrl = service.url,
    CreatedAt = service.created_at,
    UpdatedAt = service.updated_at,
    DeletedAt = service.status == "DELETED" and service.updated_at or nil,
    Status = service.status,
    SourceConfiguration = source_configuration(world, service),
    InstanceConfiguration = {Cpu = "1024", Memory = "2048"},
    HealthCheckConfiguration = {
      Protocol = "TCP", Path = "/", Interval = 5, Timeout = 2, HealthyThreshold = 1, UnhealthyThreshold = 5,
    },
    AutoScalingConfigurationSummary = auto_scaling(world),
    NetworkConfiguration = {
      EgressConfiguration = {EgressType = "DEFAULT"},
      IngressConfiguration = {IsPubliclyAccessible = true},
      IpAddressType = "IPV4",
    },
    ObservabilityConfiguration = {ObservabilityEnabled = false},
  }
end

-- What a test wants to know about the services before it begins.
function api.summaries(world)
  local list = {}
  for i, service in ipairs(world.services) do
    list[i] = {
      ServiceName = service.name, ServiceId = service.id, ServiceArn = service.arn, ServiceUrl = service.url,
      Status = service.status,
    }
  end
  return list
end

local function find_service(world, arn)
  local service = world.by_arn[arn]
  if not service then
    return nil, fault("ResourceNotFoundException", "Service cannot be found for resource: %s", arn)
  elseif service.error then
    return nil, fault(service.error, "The simulated service %s answers every call with this error.", service.name)
  end
  settle(service, world.now())
  return service
end

-- Operations ---------------------------------------------------------------------------------------------------------

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

local function describe_service(world, params)
  local service, problem = find_service(world, params.ServiceArn)
  if not service then return nil, problem end
  return {Service = describe(world, service)}
end

local function begin(world, service, becomes)
  local now = world.now()
  service.operation = {id = uuid(world.roll), becomes = becomes, ends_at = now + world.operation_seconds}
  service.status = "OPERATION_IN_PROGRESS"
  touch(service, now)
  return {Service = describe(world, service), OperationId = service.operation.id}
end

-- An operation that takes a service from one state to another, by way of OPERATION_IN_PROGRESS.
local function transition(done, from, to)
  return function(world, params)
    local service, problem = find_service(world, params.ServiceArn)
    if not service then return nil, problem end
    if service.status ~= from then
      return nil, fault("InvalidStateException",
        "Service cannot be %s in the current state: %s.", done, service.status)
    end
    return begin(world, service, to)
  end
end

local one_service = {{name = "ServiceArn", type = "string", required = true, constraint = arn_constraint}}

local operations = {
  DescribeService = {input = one_service, run = describe_service},
  PauseService = {input = one_service, run = transition("paused", "RUNNING", "PAUSED")},
  ResumeService = {input = one_service, run = transition("resumed", "PAUSED", "RUNNING")},
}

-- From a request to an operation and its parameters ------------------------------------------------------------------

local function route(request)
  if request.method ~= "POST" or request.path ~= "/" then
    return nil, {code = "UnknownOperationException", message = "The API has one address: POST /.", status = 404}
  end
  local name = (request.headers["x-amz-target"] or ""):match("^AppRunner%.(%w+)$")
  if not operations[name or ""] then
    return nil, fault("UnknownOperationException", "The operation that X-Amz-Target names is not known here.")
  end
  return name
end

local function authorization_parts(header)
  local algorithm, rest = header:match("^(%S+)%s+(.*)$")
  if algorithm ~= "AWS4-HMAC-SHA256" then return nil, "Authorization header requires algorithm AWS4-HMAC-SHA256." end
  local parts = {}
  for part in (rest .. ","):gmatch("%s*(.-)%s*,") do
    local name, value = part:match("^([^=]+)=(.*)$")
    if not name then
      return nil, ("'%s' not a valid key=value pair (missing equal-sign)."):format(quotable(part))
    end
    parts[name] = value
  end
  return parts
end

local function missing_parts(parts, headers)
  local missing = {}
  for _, name in ipairs {"Credential", "Signature", "SignedHeaders"} do
    if (parts[name] or "") == "" then
      missing[#missing + 1] = ("Authorization header requires '%s' parameter."):format(name)
    end
  end
  if not (headers["x-amz-date"] or headers.date) then
    missing[#missing + 1] =
      "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header."
  end
  return #missing > 0 and table.concat(missing, " ") or nil
end

-- The fault of a request that does not carry the key it should, or nil. The signature itself is not looked at.
local function authorization_fault(world, headers)
  local header = headers.authorization
  if not header then
    return fault("MissingAuthenticationTokenException", "Request is missing Authentication Token")
  end
  local parts, problem = authorization_parts(header)
  problem = problem or missing_parts(parts, headers)
  if problem then return fault("IncompleteSignatureException", problem) end
  local key = parts.Credential:match("^([^/]+)/%d%d%d%d%d%d%d%d/[^/]+/[^/]+/aws4_request$")
  if not key then
    return fault("IncompleteSignatureException",
      "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term.")
  end
  local expected = world.credentials
  if key ~= expected.access_key_id or headers["x-amz-security-token"] ~= expected.session_token then
    return fault("UnrecognizedClientException", "The security token included in the request is invalid.")
  end
end

local function decode(world, body)
  if not body:find("^%s*{") then return nil, fault("SerializationException", "The body is not a JSON object.") end
  local ok, params = pcall(world.json.decode, body)
  if not ok then return nil, fault("SerializationException", "The body is not well-formed JSON.") end
  for name, value in pairs(params) do
    if value == world.json.null then params[name] = nil end
  end
  return params
end

local function member_fault(member, value)
  if value == nil then
    return member.required and fault("InvalidRequestException",
      "1 validation error detected: Value null at '%s' failed to satisfy constraint: Member must not be null",
      member.name)
  elseif type(value) ~= member.type then
    return fault("SerializationException",
      "%s: a %s can not be converted to a %s", member.name, type(value), member.type)
  end
  local constraint = member.constraint(value)
  return constraint and fault("InvalidRequestException",
    "1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: %s",
    quotable(value), member.name, constraint)
end

local function read_params(world, operation, body)
  local params, problem = decode(world, body)
  if not params then return nil, problem end
  for _, member in ipairs(operation.input) do
    problem = member_fault(member, params[member.name])
    if problem then return nil, problem end
  end
  return params
end

-- Returns the output or nil, the fault, and the name of the operation when it is known.
local function perform(world, request)
  local name, problem = route(request)
  if not name then return nil, problem end
  problem = authorization_fault(world, request.headers)
  if problem then return nil, problem, name end
  local params
  params, problem = read_params(world, operations[name], request.body)
  if not params then return nil, problem, name end
  local output
  output, problem = operations[name].run(world, params)
  return output, problem, name
end

local function perform_or_fail(world, request)
  local ok, output, problem, name = pcall(perform, world, request)
  if ok then return output, problem, name end
  return nil, fault("InternalFailure", "The simulator failed: %s", tostring(output))
end

-- A response that is an error: a fault of the API, or a request that HTTP itself refuses and no operation ever saw.
local function failure(world, request, problem)
  if request.refused then
    return request.refused, world.json.encode {message = request.reason}
  end
  local row = errors[problem.code]
  local body = world.json.encode {["__type"] = row.namespace .. problem.code, [row.member] = problem.message}
  return problem.status or row.status, body
end

-- request: {method=, path=, headers={lower-case name = value}, body=} or {refused=status, reason=}.
-- → {status=, headers={{name, value}…}, body=, operation=, code=}; the last two, where there are any, for a log.
function api.answer(world, request)
  local output, problem, name, status, body
  if not request.refused then output, problem, name = perform_or_fail(world, request) end
  if output then
    status, body = 200, world.json.encode(output)
  else
    status, body = failure(world, request, problem)
  end
  local request_id = uuid(world.roll_request)
  return {
    status = status, body = body, operation = name, code = problem and problem.code, request_id = request_id,
    headers = {{"x-amzn-requestid", request_id}, {"Content-Type", "application/x-amz-json-1.0"}},
  }
end

local function new_json()
  local json = require("cjson").new()
  json.decode_invalid_numbers(false)
  json.decode_max_depth(32)
  return json
end

-- settings: region, account_id, credentials, services, operation_seconds, seed, now: all of them, checked before.
function api.new(settings)
  local world = {
    region = settings.region, account_id = settings.account_id, credentials = settings.credentials,
    operation_seconds = settings.operation_seconds, now = settings.now, json = new_json(),
    roll = dice(settings.seed), roll_request = dice(settings.seed + 1000003),
    services = {}, by_arn = {},
  }
  for i, row in ipairs(settings.services) do
    local service = new_service(world, row)
    world.services[i], world.by_arn[service.arn] = service, service
  end
  return world
end

return api
