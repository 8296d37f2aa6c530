-- What the specs of the seam share: a scratch folder, programs that are started with a clean environment and always
-- end, nginx on ports that the system chose, and plain HTTP to it. Everything that a spec file starts through here is
-- gone after `hosts.clear()`.

local cjson = require "cjson"
local programs = require "spec.support.programs"
local socket = require "socket"

local hosts = {}

hosts.PATIENCE = 30 -- seconds after which a test fails instead of waiting on
hosts.memory = os.getenv "APPRUNNER_MEMORY" -- the memory checker that the specs run under, or nil
hosts.interpreter = programs.interpreter

local function shell(command) return (programs.output_of(command):gsub("%s+$", "")) end
hosts.shell = shell

hosts.root = shell "pwd"

-- Files --------------------------------------------------------------------------------------------------------------

local folder -- of this spec file, once it was asked for

-- The path of a file in the scratch folder.
function hosts.path(name)
  folder = folder or shell "mktemp -d"
  return folder .. "/" .. name
end

hosts.read = programs.read

function hosts.write(name, text)
  local path = hosts.path(name)
  local file = assert(io.open(path, "wb"))
  assert(file:write(text))
  file:close()
  return path
end

local function quote(text) return programs.quote(tostring(text)) end
hosts.quote = quote

-- Waits until `condition` holds, and returns what it returned; fails after PATIENCE.
function hosts.await(what, condition)
  local deadline = socket.gettime() + hosts.PATIENCE
  while true do
    local value = condition()
    if value then return value end
    if socket.gettime() > deadline then error("waited in vain for " .. what, 2) end
    socket.sleep(0.002)
  end
end

-- A line of the report of a suite that passes.
function hosts.note(...) io.stdout:write("\nnote: ", string.format(...), "\n") end

-- Programs -----------------------------------------------------------------------------------------------------------

-- Builds a helper of spec/support, and returns its path.
function hosts.helper(name)
  local said = shell(("make -s build/support/%s.so 2>&1 || echo failed"):format(name))
  if said ~= "" then error(said, 2) end
  return hosts.root .. "/build/support/" .. name .. ".so"
end

local function flavour(interpreter)
  return hosts.memory == "asan" and "sanitized" or interpreter
end

-- How Lua finds the checkout, the specs' own modules and a build.
function hosts.lua_path()
  return ("%s/lua/?.lua;%s/lua/?/init.lua;%s/spec/support/?.lua"):format(hosts.root, hosts.root, hosts.root)
end

function hosts.lua_cpath(interpreter)
  return ("%s/build/%s/?.so"):format(hosts.root, flavour(interpreter or hosts.interpreter))
end

-- Nothing of the developer's but where programs are found, and what a memory checker wants to know.
local function environment(more)
  local variables = {
    PATH = os.getenv "PATH", HOME = hosts.path "", LC_ALL = "C.UTF-8",
    LUA_PATH = hosts.lua_path() .. ";;", LUA_CPATH = hosts.lua_cpath() .. ";;",
    AWS_CONFIG_FILE = "/dev/null", AWS_SHARED_CREDENTIALS_FILE = "/dev/null", AWS_EC2_METADATA_DISABLED = "true",
    AWS_ACCESS_KEY_ID = "AKIDEXAMPLE", AWS_SECRET_ACCESS_KEY = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
  }
  for _, name in ipairs {"ASAN_OPTIONS", "LSAN_OPTIONS", "UBSAN_OPTIONS"} do variables[name] = os.getenv(name) end
  for name, value in pairs(more or {}) do variables[name] = value or nil end
  local words = {}
  for name, value in pairs(variables) do words[#words + 1] = name .. "=" .. quote(value) end
  return "env -i " .. table.concat(words, " ")
end

local Program = {}
Program.__index = Program

local started = 0

-- Starts a program by a shell's words. options: `env` (more variables, or false for one less), `before` (what stands
-- before the words, "exec" otherwise), `patience` (the seconds after which it is killed, PATIENCE otherwise).
function hosts.start(words, options)
  options = options or {}
  started = started + 1
  local out, err = hosts.path("out." .. started), hosts.path("err." .. started)
  local command = ("cd %s; timeout -k 1 %d %s sh -c %s >%s 2>%s </dev/null; echo $?"):format(
    quote(hosts.path ""), options.patience or hosts.PATIENCE, environment(options.env),
    quote((options.before or "exec") .. " " .. words), quote(out), quote(err))
  local program = {out = out, err = err, begun = socket.gettime(), pipe = assert(io.popen(command, "r"))}
  return setmetatable(program, Program)
end

-- Waits for its end: {status=, out=, err=, seconds=}.
function Program:finish()
  if self.pipe then
    self.status = tonumber(self.pipe:read "*l")
    self.seconds = socket.gettime() - self.begun
    self.pipe:close()
    self.pipe = nil
  end
  return {status = self.status, out = hosts.read(self.out), err = hosts.read(self.err), seconds = self.seconds}
end

-- A script that uses spec/support/child.lua ---------------------------------------------------------------------------

local Script = {}
Script.__index = Script

local function script(words, text, options)
  options = options or {}
  local name = "script." .. started + 1
  local result = hosts.path(name .. ".result")
  local env = {RESULT = result}
  for key, value in pairs(options.env or {}) do env[key] = value end
  local source = hosts.write(name .. ".lua", "local child = require 'child'\nchild.main(function()\n" .. text
    .. "\nend)\n")
  local program = hosts.start(words .. " " .. quote(source), {env = env, before = options.before})
  return setmetatable({program = program, result = result}, Script)
end

-- Waits for its end: what it told by child.tell, or an error that shows what it said instead; and how it ended.
function Script:finish()
  local ended = self.program:finish()
  local text = hosts.read(self.result)
  local told = text and cjson.decode(text)
  if not told or told.script_raised then
    error(("the script ended with status %s after %.1f s\n%s\n%s\n%s"):format(
      ended.status, ended.seconds, told and told.script_raised or "", ended.out, ended.err), 2)
  end
  return told, ended
end

-- Whether it should have ended by now.
function Script:is_late() return socket.gettime() - self.program.begun > hosts.PATIENCE end

-- Starts a script on the interpreter that runs the specs, below a memory checker where they are.
function hosts.start_lua(text, options)
  return script((os.getenv "RUNNER" or "") .. " " .. hosts.interpreter, text, options)
end

function hosts.lua(text, options) return hosts.start_lua(text, options):finish() end

-- The same in Neovim. options: `arguments`, for an editor that is not bare, too.
function hosts.start_nvim(text, options)
  options = options or {}
  local env = {LUA_CPATH = hosts.lua_cpath "luajit" .. ";;"}
  for key, value in pairs(options.env or {}) do env[key] = value end
  local words = ("nvim --headless %s -i NONE -n -S"):format(options.arguments or "-u NONE")
  return script(words, text, {env = env, before = options.before})
end

function hosts.nvim(text, options) return hosts.start_nvim(text, options):finish() end

-- nginx --------------------------------------------------------------------------------------------------------------

local SKELETON = [[
@user@
daemon off;
worker_processes @workers@;
pid @dir@/nginx.pid;
error_log @dir@/error.log info;
load_module /usr/lib/nginx/modules/ndk_http_module.so;
load_module /usr/lib/nginx/modules/ngx_http_lua_module.so;
@main@
events { worker_connections 2048; }
http {
  access_log off;
  client_body_temp_path @dir@/body;
  proxy_temp_path @dir@/proxy;
  fastcgi_temp_path @dir@/fastcgi;
  uwsgi_temp_path @dir@/uwsgi;
  scgi_temp_path @dir@/scgi;
  keepalive_requests 1000000;
  log_format exchange "$connection $status $sent_http_x_service";
  lua_package_path "@lua_path@;;";
  lua_package_cpath "@lua_cpath@;;";
@http@
}
]]

-- The supervisor ends nginx when its own stdin ends, so that nginx lives no longer than the specs do.
local SUPERVISOR = "%s nginx -e %s -p %s -c %s/nginx.conf >/dev/null 2>&1 </dev/null & "
  .. "read _; kill -TERM $! 2>/dev/null; wait $!"

local Nginx = {}
Nginx.__index = Nginx
local running = {}
local instances = 0

local function free_port()
  local listener = assert(socket.bind("127.0.0.1", 0))
  local _, port = listener:getsockname()
  listener:close()
  return tonumber(port)
end

local function accepts(port)
  local connection = socket.connect("127.0.0.1", port)
  if connection then connection:close() end
  return connection ~= nil
end

local function fill(text, values)
  return (text:gsub("@([%w_]+)@", function(name) return values[name] and tostring(values[name]) or nil end))
end

local function launch(options)
  instances = instances + 1
  local self = setmetatable({dir = hosts.path("nginx." .. instances), port = {}}, Nginx)
  self.alone = (options.main or ""):find("master_process off;", 1, true) ~= nil
  shell("mkdir " .. quote(self.dir))
  local values = {
    dir = self.dir, root = hosts.root, lua_path = hosts.lua_path(), lua_cpath = hosts.lua_cpath "luajit",
    user = shell "id -u" == "0" and "user root;" or "", main = options.main or "", workers = options.workers or 1,
  }
  for _, name in ipairs(options.ports) do
    self.port[name] = free_port()
    values[name] = self.port[name]
  end
  for name, value in pairs(options.values or {}) do values[name] = value end
  values.http = fill(options.http, values)
  local file = assert(io.open(self.dir .. "/nginx.conf", "wb"))
  file:write(fill(SKELETON, values))
  file:close()
  self.pipe = assert(io.popen(SUPERVISOR:format(
    environment(options.env), quote(self.dir .. "/error.log"), quote(self.dir), quote(self.dir)), "w"))
  running[#running + 1] = self
  local first = self.port[options.ports[1]]
  hosts.await("nginx", function()
    return self:log():find("[emerg]", 1, true) or self:pid() and #self:workers() > 0 and accepts(first)
  end)
  return self
end

-- Starts nginx. options: `ports`, a list of names; `http` and `main`, configuration in which @name@ stands for a port,
-- @dir@ for a folder of this nginx, and every key of `values` for its value; `workers`, how many, 1; `env`. Returns an
-- object with `port` (name → number) and `dir`.
function hosts.nginx(options)
  for _ = 1, 3 do -- a port that was free may be taken by another program meanwhile
    local self = launch(options)
    local log = self:log()
    if not log:find("[emerg]", 1, true) then return self end
    self:stop()
    if not log:find("Address already in use", 1, true) then error(log, 2) end
  end
  error("no port is free for nginx", 2)
end

function Nginx:log() return hosts.read(self.dir .. "/error.log") or "" end

-- Waits until the endpoint (nginx_endpoint.lua) waits before it answers for the service of that name.
function Nginx:await_request(name)
  hosts.await(name, function() return self:log():find("waiting for " .. name, 1, true) end)
end

function Nginx:pid() return tonumber((hosts.read(self.dir .. "/nginx.pid") or ""):match "%d+") end

function Nginx:signal(name) shell(("kill -%s %d"):format(name, self:pid())) end

-- The processes that the master has now, or itself where it works alone.
function Nginx:workers()
  if self.alone then return {self:pid()} end
  local list = {}
  local path = ("/proc/%d/task/%d/children"):format(self:pid(), self:pid())
  for pid in (hosts.read(path) or ""):gmatch "%d+" do list[#list + 1] = tonumber(pid) end
  return list
end

-- What the endpoint served: one {connection=, status=, service=} a request, by order and by the service's name.
function Nginx:served()
  local list = {}
  for connection, status, service in (hosts.read(self.dir .. "/access.log") or ""):gmatch "(%d+) (%d+) (%S+)\n" do
    list[#list + 1] = {connection = connection, status = tonumber(status), service = service}
    list[service] = list[#list]
  end
  return list
end

-- How many requests of that name it has served.
function Nginx:count(name)
  local count = 0
  for _, request in ipairs(self:served()) do count = count + (request.service == name and 1 or 0) end
  return count
end

function Nginx:connections()
  local seen, count = {}, 0
  for _, request in ipairs(self:served()) do
    if not seen[request.connection] then count = count + 1 end
    seen[request.connection] = true
  end
  return count
end

function Nginx:stop()
  if not self.pipe then return end
  self.pipe:close()
  self.pipe = nil
end

-- The inodes, as text, of the sockets that are connected to a port of loopback.
local function sockets_to(port)
  local inodes, remote = {}, ("0100007F:%04X"):format(port)
  for line in io.lines "/proc/net/tcp" do
    local to, inode = line:match "^%s*%d+: %S+ (%S+) %S+ %S+ %S+ %S+%s+%d+%s+%d+ (%d+)"
    if to == remote then inodes[inode] = true end
  end
  return inodes
end

-- How many descriptors a process has open, but for connections to a port.
function hosts.descriptors(pid, port)
  local connected, count = sockets_to(port), 0
  for inode in shell(("ls -l /proc/%d/fd"):format(pid)):gmatch "%-> ([^\n]*)" do
    if not connected[inode:match "^socket:%[(%d+)%]$" or ""] then count = count + 1 end
  end
  return count
end

-- KiB of memory that a process has in use.
function hosts.resident(pid)
  return tonumber(hosts.read("/proc/" .. pid .. "/status"):match "VmRSS:%s*(%d+)")
end

-- Milliseconds of processor time that a process had.
function hosts.cpu_ms(pid)
  return tonumber(hosts.read("/proc/" .. pid .. "/schedstat"):match "^%d+") / 1e6
end

-- HTTP ---------------------------------------------------------------------------------------------------------------

-- Opens a connection and sends a request for `path`; the answer ends with the connection. `method` is GET where none is
-- given, `header` the text of more header lines.
function hosts.request(port, path, method, header)
  local connection = assert(socket.connect("127.0.0.1", port))
  connection:settimeout(0)
  local text = ("%s %s HTTP/1.0\r\nHost: localhost\r\n%s\r\n"):format(method or "GET", path, header or "")
  assert(connection:send(text) == #text)
  return {connection = connection, parts = {}, begun = socket.gettime()}
end

local function receive(request)
  local whole, problem, part = request.connection:receive(65536)
  request.parts[#request.parts + 1] = whole or part
  if not problem or problem == "timeout" then return false end
  request.seconds = socket.gettime() - request.begun
  request.connection:close()
  local text = table.concat(request.parts)
  request.status = tonumber(text:match "^HTTP/1%.1 (%d+)")
  request.head, request.body = text:match "^(.-\r\n)\r\n(.*)$"
  return true
end

-- Receives what has come for some of the requests; takes those that are answered out of the list. False where nothing
-- came in time.
local function receive_some(open, seconds)
  local connections = {}
  for i, request in ipairs(open) do connections[i] = request.connection end
  local ready = socket.select(connections, nil, seconds)
  for i = #open, 1, -1 do
    if ready[open[i].connection] and receive(open[i]) then table.remove(open, i) end
  end
  return #ready > 0
end

-- Waits for the answers to `requests`, in which `status`, `head`, `body` and `seconds` are set.
function hosts.answers(requests)
  local deadline, open = socket.gettime() + hosts.PATIENCE, {}
  for i, request in ipairs(requests) do open[i] = request end
  while #open > 0 do
    if not receive_some(open, deadline - socket.gettime()) then error(#open .. " requests were not answered", 2) end
  end
  return requests
end

-- Has `concurrency` requests under way until `count` were; `make(i)` makes the i-th, `meanwhile()` is called between.
-- Returns all, answered.
function hosts.stream(count, concurrency, make, meanwhile)
  local all, open = {}, {}
  while #all < count or #open > 0 do
    while #all < count and #open < concurrency do
      all[#all + 1] = make(#all + 1)
      open[#open + 1] = all[#all]
    end
    if not receive_some(open, hosts.PATIENCE) then error(#open .. " requests were not answered", 2) end
    meanwhile()
  end
  return all
end

-- GETs one path, or all of a list at once.
function hosts.get(port, path) return hosts.answers({hosts.request(port, path)})[1] end

function hosts.get_all(port, paths)
  local requests = {}
  for i, path in ipairs(paths) do requests[i] = hosts.request(port, path) end
  return hosts.answers(requests)
end

-- Figures ------------------------------------------------------------------------------------------------------------

-- The p-th part of a list of numbers: 0.5 is the median, 1 the largest.
function hosts.quantile(list, p)
  local sorted = {}
  for i, value in ipairs(list) do sorted[i] = value end
  table.sort(sorted)
  return sorted[math.max(1, math.ceil(p * #sorted))] or 0
end

-- Ends and removes everything.
function hosts.clear()
  for i = #running, 1, -1 do running[i]:stop() end
  running = {}
  if folder then shell("rm -rf " .. quote(folder)) end
  folder = nil
end

-- What `main` returned, of a program of its own: everything is gone then, and an error is shown and ends it.
function hosts.main(main)
  local ok, result = xpcall(main, debug.traceback)
  hosts.clear()
  if ok then return result end
  io.stderr:write(result, "\n")
  os.exit(1)
end

return hosts
