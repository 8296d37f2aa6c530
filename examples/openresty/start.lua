-- usage: lua5.4 start.lua
--
-- Starts a simulator of App Runner, and nginx with the nginx.conf beside this
-- file against it, on a free port and in a folder that is removed in the end;
-- prints what to try. Ctrl-C ends it. Run it after `make` and
-- `make LUA=luajit`; nginx is OpenResty's, or Debian's with
-- libnginx-mod-http-lua.
--
-- What the environment has of pauser.lua's settings is used. So is
-- AWS_ENDPOINT_URL_APPRUNNER: then there is no simulator, and credentials are
-- needed.
local here = arg[0]:match "^(.*)/" or "."
local root = here .. "/../.."
package.path = ("%s/lua/?.lua;%s/lua/?/init.lua;%s"):format(root, root, package.path)
package.cpath = ("%s/build/lua5.4/?.so;%s"):format(root, package.cpath)

local simulator = require "apprunner.simulator"
local socket = require "socket"

local function quote(text) return "'" .. text:gsub("'", "'\\''") .. "'" end

local function output_of(command)
  local pipe = assert(io.popen(command))
  local text = pipe:read "*a"
  pipe:close()
  return (text:gsub("%s+$", ""))
end

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "*a"
  file:close()
  return text
end

local function write(path, text)
  local file = assert(io.open(path, "wb"))
  assert(file:write(text))
  file:close()
end

local function free_port()
  local listener = assert(socket.bind("127.0.0.1", 0))
  local _, port = listener:getsockname()
  listener:close()
  return port
end

local function random_token()
  local file = assert(io.open("/dev/urandom", "rb"))
  local bytes = file:read(16)
  file:close()
  return (bytes:gsub(".", function(byte) return ("%02x"):format(byte:byte()) end))
end

-- The configuration on another port; OpenResty has no modules to load.
local function configuration(program, port)
  local text = read(here .. "/nginx.conf"):gsub("127%.0%.0%.1:8080", "127.0.0.1:" .. port)
  return program:find "openresty$" and text:gsub("\nload_module [^\n]*", "") or text
end

local function find_nginx()
  local program = output_of "PATH=$PATH:/usr/local/openresty/bin:/usr/sbin; command -v openresty || command -v nginx"
  if program ~= "" then return program end
  io.stderr:write "there is neither openresty nor nginx\n"
  os.exit(1)
end

-- Words for `env`: the caller's environment with these.
local function environment(variables)
  local words = { "env -u AWS_PROFILE -u AWS_SESSION_TOKEN" }
  for name, value in pairs(variables) do words[#words + 1] = name .. "=" .. quote(value) end
  return table.concat(words, " ")
end

-- How LuaJIT finds this checkout and its build, and pauser.lua.
local function paths()
  local top, folder = output_of("cd " .. quote(root) .. " && pwd"), output_of("cd " .. quote(here) .. " && pwd")
  return {
    LUA_PATH = ("%s/lua/?.lua;%s/lua/?/init.lua;%s/?.lua;;"):format(top, top, folder),
    LUA_CPATH = top .. "/build/luajit/?.so;;",
  }
end

-- A simulator, and what nginx must be told to use it.
local function simulate(run, variables)
  local sim = assert(simulator.start { operation_seconds = 2 })
  write(run .. "/list", sim.services[2].ServiceArn .. "\n" .. sim.services[3].ServiceArn .. "\n")
  variables.PAUSE_LIST = os.getenv "PAUSE_LIST" or run .. "/list"
  variables.AWS_ENDPOINT_URL_APPRUNNER = sim.endpoint_url
  variables.AWS_ACCESS_KEY_ID = "AKIDEXAMPLE"
  variables.AWS_SECRET_ACCESS_KEY = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
  return sim
end

local function explain(run, port, token, services)
  print(("nginx runs in %s; what it logs is in error.log there. Try this in another shell:\n"):format(run))
  local request = "curl -i -X POST -H 'Authorization: Bearer %s' 'http://127.0.0.1:%d/pause?service=%s'"
  for _, service in ipairs(services) do print(request:format(token, port, service.ServiceArn)) end
  io.stdout:flush()
end

local program = find_nginx()
local run, port = output_of "mktemp -d", free_port()
local variables = paths()
variables.PAUSE_TOKEN = os.getenv "PAUSE_TOKEN" or random_token()
local sim = not os.getenv "AWS_ENDPOINT_URL_APPRUNNER" and simulate(run, variables)
write(run .. "/nginx.conf", configuration(program, port))
explain(run, port, variables.PAUSE_TOKEN, sim and sim.services or { { ServiceArn = "SERVICE_ARN" } })
-- As root, the workers stay root: they read the checkout, wherever that is.
local globals = "daemon off;" .. (output_of "id -u" == "0" and " user root;" or "")
local answer, _, status = os.execute(("%s %s -e error.log -p %s/ -c nginx.conf -g %s"):format(
  environment(variables), quote(program), quote(run), quote(globals)))
if answer ~= true then io.stderr:write("nginx ended:\n", read(run .. "/error.log")) end
if sim then sim:stop() end
os.execute("rm -rf " .. quote(run))
os.exit(answer == true and 0 or status or 1)
