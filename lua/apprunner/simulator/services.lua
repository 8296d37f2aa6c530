-- The services of the simulated account: their states, their operations, their tags, and how the API describes them. No
-- clock of its own: `world.now()` tells the time. An operation in progress ends when somebody looks after its time is
-- up, so nothing here runs in the background. Functions that can fail return nil and a fault of errors.lua.

local dice = require "apprunner.simulator.dice"
local errors = require "apprunner.simulator.errors"
local json = require "apprunner.simulator.json"

local services = {}

services.statuses = {
  CREATE_FAILED = true, RUNNING = true, DELETED = true, DELETE_FAILED = true, PAUSED = true,
  OPERATION_IN_PROGRESS = true,
}

-- How an operation can end but SUCCEEDED.
services.failures = {FAILED = true, ROLLBACK_FAILED = true, ROLLBACK_SUCCEEDED = true}

-- What can be done to a service: the type of its operation (none: nothing is listed), the statuses that it begins from,
-- the status that it leads to, and the one where it fails; none: the one of before.
services.acts = {
  pause = {type = "PAUSE_SERVICE", from = {RUNNING = true}, to = "PAUSED"},
  resume = {type = "RESUME_SERVICE", from = {PAUSED = true}, to = "RUNNING"},
  deploy = {type = "START_DEPLOYMENT", from = {RUNNING = true}},
  update = {type = "UPDATE_SERVICE", from = {RUNNING = true}},
  delete = {
    type = "DELETE_SERVICE", from = {RUNNING = true, PAUSED = true, CREATE_FAILED = true, DELETE_FAILED = true},
    to = "DELETED", failed = "DELETE_FAILED",
  },
  maintain = {from = {RUNNING = true, PAUSED = true}},
}

-- Making them --------------------------------------------------------------------------------------------------------

local function milliseconds(time)
  return math.floor(time * 1000 + 0.5) / 1000
end

local function touch(service, time)
  service.updated_at = math.max(milliseconds(time), milliseconds(service.updated_at + 0.001))
end

-- Tags as the API lists them, from such a list or from a map.
local function tag_list(tags)
  local list = {}
  for key, value in pairs(tags or {}) do
    list[#list + 1] = type(key) == "number" and {Key = value.Key, Value = value.Value} or {Key = key, Value = value}
  end
  table.sort(list, function(a, b) return a.Key < b.Key end)
  return json.list(list)
end

-- The operation by which the service came about.
local function creation(world, service)
  return {
    id = dice.uuid(world.roll), type = "CREATE_SERVICE", started_at = service.created_at,
    ended_at = service.updated_at, status = service.status == "CREATE_FAILED" and "FAILED" or "SUCCEEDED",
  }
end

local function new_service(world, row)
  local roll = world.roll
  local id = dice.hex(roll, 32)
  local created_at = milliseconds(world.now() - 86400 * (1 + roll(90)) - roll(86400000) / 1000)
  local service = {
    name = row.ServiceName, key = row.ServiceName, id = id, status = row.Status, error = row.error,
    arn = ("arn:aws:apprunner:%s:%s:service/%s/%s"):format(world.region, world.account_id, row.ServiceName, id),
    url = ("%s.%s.awsapprunner.com"):format(
      dice.fill(roll, "xxxxxxxxxx", "abcdefghijkmnpqrstuvwxyz23456789"), world.region),
    created_at = created_at,
    updated_at = milliseconds(created_at + 180 + roll(60000) / 1000),
    tags = tag_list(row.Tags),
  }
  service.operations = {creation(world, service)}
  return service
end

-- rows: of the option services, checked before. Fills world.services, a list, and world.by_arn.
function services.populate(world, rows)
  world.services, world.by_arn = {}, {}
  for i, row in ipairs(rows) do
    local service = new_service(world, row)
    world.services[i], world.by_arn[service.arn] = service, service
  end
end

-- Changing them ------------------------------------------------------------------------------------------------------

-- An operation that is rolled back spends the second half of its time on that.
local function settle(service, now)
  local operation = service.running
  if not operation then return end
  local halfway = operation.started_at + (operation.ends_at - operation.started_at) / 2
  if operation.outcome:find("^ROLLBACK_") and now >= halfway then operation.status = "ROLLBACK_IN_PROGRESS" end
  if now >= operation.ends_at then
    service.running, service.status = nil, operation.becomes
    operation.status, operation.ended_at = operation.outcome, milliseconds(operation.ends_at)
    touch(service, operation.ends_at)
  end
end

-- → the service, brought up to now | nil, fault
function services.find(world, arn)
  local service = world.by_arn[arn]
  if not service then
    return nil, errors.fault("ResourceNotFoundException", "Service cannot be found for resource: %s", arn)
  elseif service.error then
    return nil,
      errors.fault(service.error, "The simulated service %s answers every call with this error.", service.name)
  end
  settle(service, world.now())
  return service
end

-- All services, deleted ones too, brought up to now.
function services.all(world)
  for _, service in ipairs(world.services) do settle(service, world.now()) end
  return world.services
end

-- Whether ListServices shows a service. One that is deleted can still be described.
function services.is_listed(service)
  return service.status ~= "DELETED"
end

-- Begins one of services.acts. how: `seconds` that it takes, the `outcome` where it fails, `roll` for its identifier.
-- → the operation | nil, where the service is in no status for that.
function services.begin(world, service, name, how)
  local act, now = services.acts[name], world.now()
  if not act.from[service.status] then return nil end
  local operation = {
    type = act.type, status = "IN_PROGRESS", started_at = milliseconds(now),
    ends_at = now + (how.seconds or world.operation_seconds), outcome = how.outcome or "SUCCEEDED",
    becomes = how.outcome and (act.failed or service.status) or act.to or service.status,
  }
  if act.type then
    operation.id = dice.uuid(how.roll or world.roll)
    table.insert(service.operations, operation)
  end
  service.running, service.status = operation, "OPERATION_IN_PROGRESS"
  touch(service, now)
  return operation
end

-- Describing them ----------------------------------------------------------------------------------------------------

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

-- The ServiceSummary shape of the model.
function services.summary(service)
  return {
    ServiceName = service.name, ServiceId = service.id, ServiceArn = service.arn, ServiceUrl = service.url,
    CreatedAt = service.created_at, UpdatedAt = service.updated_at, Status = service.status,
  }
end

-- The Service shape of the model.
function services.describe(world, service)
  local description = services.summary(service)
  description.DeletedAt = service.status == "DELETED" and service.updated_at or nil
  description.SourceConfiguration = source_configuration(world, service)
  description.InstanceConfiguration = {Cpu = "1024", Memory = "2048"}
  description.HealthCheckConfiguration = {
    Protocol = "TCP", Path = "/", Interval = 5, Timeout = 2, HealthyThreshold = 1, UnhealthyThreshold = 5,
  }
  description.AutoScalingConfigurationSummary = auto_scaling(world)
  description.NetworkConfiguration = {
    EgressConfiguration = {EgressType = "DEFAULT"},
    IngressConfiguration = {IsPubliclyAccessible = true},
    IpAddressType = "IPV4",
  }
  description.ObservabilityConfiguration = {ObservabilityEnabled = false}
  return description
end

-- The OperationSummary shape of the model, and the key by which a page finds it.
local function operation_summary(service, operation)
  return {
    Id = operation.id, Type = operation.type, Status = operation.status, TargetArn = service.arn,
    StartedAt = operation.started_at, EndedAt = operation.ended_at,
    UpdatedAt = operation.ended_at or operation.started_at,
  }
end

-- The operations of a service, newest first: a list of {key=, summary=}.
function services.history(service)
  local list = {}
  for i = #service.operations, 1, -1 do
    local operation = service.operations[i]
    list[#list + 1] = {key = operation.id, summary = operation_summary(service, operation)}
  end
  return list
end

return services
