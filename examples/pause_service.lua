-- usage: lua pause_service.lua SERVICE_ARN
--
-- Pauses an AWS App Runner service, prints its description and follows it
-- until it is paused. The region is the ARN's; credentials are found where the
-- AWS CLI finds them (see whoami.lua).
local apprunner = require "apprunner"

local arn = arg[1]
if not arn then
  io.stderr:write "usage: lua pause_service.lua SERVICE_ARN\n"
  os.exit(2)
end

local function check(value, err)
  if value then return value end
  io.stderr:write(tostring(err), "\n")
  os.exit(1)
end

local function describe(service)
  local instance, url = service.InstanceConfiguration, service.ServiceUrl
  print("ServiceName  " .. service.ServiceName)
  print("ServiceId    " .. service.ServiceId)
  print("ServiceUrl   " .. (url or "-"))
  print("CreatedAt    " .. os.date("!%Y-%m-%dT%H:%M:%SZ", math.floor(service.CreatedAt)))
  print("Instance     " .. (instance.Cpu or "?") .. " CPU units, " .. (instance.Memory or "?") .. " MB")
  print("Status       " .. service.Status)
end

local client = check(apprunner.client())
local paused = check(client:pause_service { ServiceArn = arn })
describe(paused.Service)
print("OperationId  " .. (paused.OperationId or "-"))

local status = paused.Service.Status
while status == "OPERATION_IN_PROGRESS" do
  apprunner.sleep(1)
  status = check(client:describe_service { ServiceArn = arn }).Service.Status
  print("Status       " .. status)
end
client:close()
os.exit(status == "PAUSED" and 0 or 1)
