-- usage: lua pause_service.lua SERVICE_ARN
--
-- Pauses an AWS App Runner service, waits until it is paused, whatever it is
-- doing now, and prints its description. The exit status is 0 only when it is
-- PAUSED. The region is the ARN's; credentials are found where the AWS CLI finds
-- them (see whoami.lua).
local apprunner = require "apprunner"

local arn = arg[1]
if not arn or arg[2] or arn:find "^%-" then
  io.stderr:write "usage: lua pause_service.lua SERVICE_ARN\n"
  os.exit(2)
end

-- One line that is rewritten on a terminal, a line for each look elsewhere.
local answer = os.execute "test -t 2"
local is_terminal = answer == true or answer == 0

local function show(event)
  local line = ("%4d s  %s"):format(math.floor(event.elapsed), event.Status or "?")
  if event.OperationId then
    line = ("%s, operation %s %s"):format(line, event.OperationId, event.OperationStatus or "begun")
  end
  io.stderr:write(is_terminal and "\r" or "", line, is_terminal and "\27[K" or "\n")
end

local function describe(service)
  local instance, url = service.InstanceConfiguration, service.ServiceUrl
  print("ServiceName  " .. service.ServiceName)
  print("ServiceId    " .. service.ServiceId)
  print("ServiceUrl   " .. (url or "-"))
  print("CreatedAt    " .. apprunner.iso8601(math.floor(service.CreatedAt)))
  print("Instance     " .. (instance.Cpu or "?") .. " CPU units, " .. (instance.Memory or "?") .. " MB")
  print("Status       " .. service.Status)
end

local client, service, err, info
client, err = apprunner.client()
if client then
  service, err, info = client:ensure_paused({ ServiceArn = arn }, { interval = 1, on_progress = show })
  client:close()
end
if is_terminal then io.stderr:write "\r\27[K" end
if not service then
  io.stderr:write(tostring(err), "\n")
  os.exit(1)
end
describe(service)
print("OperationId  " .. (info.OperationId or "-"))
