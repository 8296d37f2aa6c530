-- usage: lua cqueues.lua ARN...
--
-- Pauses services beside each other in an event loop that apprunner does not
-- know: that of cqueues, whose own timer goes on meanwhile. The exit status is
-- 0 only when each is paused.
local apprunner = require "apprunner"
local cqueues = require "cqueues"
local here = arg[0]:match "^.*/" or "./"

local controller = cqueues.new()
dofile(here .. "cqueues_loop.lua")(controller)

local client = assert(apprunner.client())
local pending, failed = #arg, #arg == 0

for _, arn in ipairs(arg) do
  controller:wrap(function()
    local service, err = client:ensure_paused { ServiceArn = arn }
    print(arn, service and service.Status or err)
    pending, failed = pending - 1, failed or not service
  end)
end

controller:wrap(function()
  while pending > 0 do
    io.stderr:write "."
    cqueues.sleep(0.2)
  end
end)

assert(controller:loop())
os.exit(failed and 1 or 0)
