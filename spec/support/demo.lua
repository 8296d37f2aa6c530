-- `make demo`: starts the simulator and runs the example against it, as a user
-- would in a shell: prints each command, then does it. Ends with the example's
-- exit status. Run it from the top of the checkout, after `make`.
package.path = "./lua/?.lua;./lua/?/init.lua;" .. package.path
package.cpath = "./build/lua5.4/?.so;" .. package.cpath

local simulator = require "apprunner.simulator"

local function quote(s)
  return s:find "[^%w_%-./:@=]" and "'" .. s:gsub("'", "'\\''") .. "'" or s
end

local function running(services)
  for _, service in ipairs(services) do
    if service.Status == "RUNNING" then return service.ServiceArn end
  end
  error "the simulator has no running service"
end

local sim = assert(simulator.start { operation_seconds = 2 })
local arn = running(sim.services)

-- What a shell of the user may hold and the demonstration must not use.
local unset = "unset AWS_PROFILE AWS_SESSION_TOKEN AWS_ENDPOINT_URL LUA_PATH_5_4 LUA_CPATH_5_4"
local commands = {
  "export AWS_ENDPOINT_URL_APPRUNNER=" .. quote(sim.endpoint_url),
  "export AWS_REGION=" .. quote(arn:match "^arn:[^:]*:apprunner:([^:]*)"),
  "export AWS_ACCESS_KEY_ID=AKIDEXAMPLE",
  "export AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
  "export LUA_PATH='./lua/?.lua;./lua/?/init.lua;;' LUA_CPATH='./build/lua5.4/?.so;;'",
  "lua5.4 examples/pause_service.lua " .. quote(arn),
}
print "\nThe simulator plays App Runner on this machine. With your own credentials"
print "and ARN, the last line pauses the real service.\n"
for _, command in ipairs(commands) do print("$ " .. command) end
io.stdout:flush()

local _, _, status = os.execute(unset .. "\n" .. table.concat(commands, "\n"))
sim:stop()
os.exit(status)
