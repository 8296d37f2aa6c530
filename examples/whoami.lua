-- usage: lua whoami.lua [PROFILE]
--
-- Prints what a call would use, and where each value was found: the region,
-- the endpoint, the credentials and who gave them. Nothing is sent to App
-- Runner, and no secret is printed. When there are no credentials it says what
-- was tried, and the exit status is 1.
local apprunner = require "apprunner"

local client, err = apprunner.client { profile = arg[1] }
local info
if client then
  info, err = client:resolve()
end
if not info then
  io.stderr:write(tostring(err), "\n")
  os.exit(1)
end

local names = {}
for name in pairs(info.sources) do names[#names + 1] = name end
table.sort(names)
for _, name in ipairs(names) do
  local value = info[name]
  if name == "expiration" then value = apprunner.iso8601(value) end
  print(("%-20s %-50s %s"):format(name, value, info.sources[name]))
end
client:close()
