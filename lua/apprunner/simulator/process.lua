-- Runs the simulator in a process of its own that ends with its parent, with nothing but the Lua standard library in
-- the parent, unless that asks for the state. The child runs a file that the parent wrote: its options, as Lua. It
-- tells its address and services on its stdout, a pipe to the parent, and then lives as long as three things hold:
-- somebody can read that pipe (the end of the parent shows at once), the file is there (`stop` and a garbage collection
-- remove it, so that a descriptor that another child of the parent inherited keeps nothing alive), and, where /proc
-- tells, its parent is the same.

local process = {}

local TAG = "apprunner.simulator "
local FIELDS = {"ServiceName", "ServiceId", "ServiceArn", "ServiceUrl", "Status"}

-- What the parent writes ---------------------------------------------------------------------------------------------

local literal

local function table_literal(value)
  local parts = {}
  for key, member in pairs(value) do
    parts[#parts + 1] = ("[%s] = %s"):format(literal(key), literal(member))
  end
  return "{" .. table.concat(parts, ", ") .. "}"
end

-- A Lua expression for a string, a number, a boolean or a table of these. No locale puts its comma into a number.
function literal(value)
  if type(value) == "table" then return table_literal(value) end
  if type(value) == "string" then return ("%q"):format(value) end
  if type(value) == "number" then return (("%.17g"):format(value):gsub(",", ".")) end
  return tostring(value)
end

local BOOT = [[
local parent = ...
local home = %s
if _VERSION == home.version then package.path, package.cpath = home.path, home.cpath end
table.insert(package.searchers or package.loaders, 2, function(name)
  local file = (name .. "."):match("^apprunner%%.[%%w_.]*$") and home.root .. name:gsub("%%.", "/")
  return file and (loadfile(file .. ".lua") or loadfile(file .. "/init.lua")) or nil
end)
require "socket"
require "cjson"
require "apprunner"
if parent ~= "probe" then require("apprunner.simulator.process").child(home.options, home.file, parent) end
]]

local function root()
  local source = debug.getinfo(1, "S").source
  return source:match("^@(.*)apprunner[/\\]simulator[/\\]process%.lua$") or ""
end

-- → the path of a new file, readable by its owner alone | nil, message
local function write_boot(options)
  local named, path = pcall(os.tmpname)
  if not named then return nil, path end
  local file, problem = io.open(path, "w")
  if not file then return nil, problem end
  file:write(BOOT:format(literal {
    version = _VERSION, path = package.path, cpath = package.cpath, root = root(), file = path, options = options,
  }))
  file:close()
  return path
end

-- The host's own interpreter where the host is one (and not an editor or a web server that embeds Lua), else the first
-- that loads what the simulator needs.
local COMMAND = [[
host=$(readlink "/proc/$PPID/exe" 2>/dev/null)
case "${host##*/}" in lua|lua[0-9-]*|luajit*) ;; *) host= ;; esac
for lua in "$host" lua5.4 luajit lua5.1 lua5.3 lua; do
  if [ -n "$lua" ] && "$lua" FILE probe </dev/null >/dev/null 2>&1; then exec "$lua" FILE "$PPID" </dev/null 2>&1; fi
done
echo "found no Lua interpreter that loads LuaSocket and lua-cjson (luarocks install luasocket lua-cjson) and apprunner"
]]

local function shell_quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

local function open_pipe(path)
  local quoted = shell_quote(path):gsub("%%", "%%%%")
  local ok, pipe, problem = pcall(io.popen, (COMMAND:gsub("FILE", quoted)), "r")
  if not ok then return nil, tostring(pipe) end
  return pipe, problem
end

-- What the parent reads ----------------------------------------------------------------------------------------------

local function read_service(text)
  local service, at = {}, 0
  for value in text:gmatch("[^\t]+") do
    at = at + 1
    service[FIELDS[at]] = value
  end
  return service
end

-- → {endpoint_url=, services=} | nil, what the child said instead
local function read_announcement(pipe)
  local services, said = {}, {}
  for line in pipe:lines() do
    local kind, text = line:match("^" .. TAG .. "(%l+) (.*)$")
    if kind == "listening" then return {endpoint_url = text, services = services} end
    local list = kind and services or said
    list[#list + 1] = kind and read_service(text) or line
  end
  return nil, #said > 0 and table.concat(said, "\n") or "the simulator's process ended without a word"
end

-- The parent's handle ------------------------------------------------------------------------------------------------

local running = {} -- handle → its pipe, file and sentinel: a simulator runs on when its handle is forgotten

local function stop(handle)
  local state = running[handle]
  if not state then return end
  running[handle] = nil
  os.remove(state.file)
  state.pipe:close()
end

local function state(handle)
  return require("apprunner.simulator.state").fetch(handle.endpoint_url)
end

local metatable = {__name = "apprunner.simulator", __index = {state = state, stop = stop}, __close = stop}

-- Calls `run` when the Lua state closes. Finalizers run in the reverse order of creation, so this one runs before that
-- of the pipe, which waits for the child.
local function sentinel(run)
  local newproxy = rawget(_G, "newproxy")
  if not newproxy then return setmetatable({}, {__gc = run}) end
  local object = newproxy(true)
  getmetatable(object).__gc = run
  return object
end

local function adopt(handle, pipe, file)
  running[handle] = {pipe = pipe, file = file, sentinel = sentinel(function() os.remove(file) end)}
  return setmetatable(handle, metatable)
end

-- → a handle with endpoint_url, services and the methods state and stop | nil, message. Returns when the child listens.
function process.start(options)
  local file, problem = write_boot(options)
  if not file then return nil, problem end
  local pipe, handle
  pipe, problem = open_pipe(file)
  if pipe then
    handle, problem = read_announcement(pipe)
    if handle then return adopt(handle, pipe, file) end
    pipe:close()
  end
  os.remove(file)
  return nil, problem
end

-- The child ----------------------------------------------------------------------------------------------------------

local function announce(url, services)
  for _, service in ipairs(services) do
    local values = {}
    for i, field in ipairs(FIELDS) do values[i] = service[field] end
    io.write(TAG, "service ", table.concat(values, "\t"), "\n")
  end
  io.write(TAG, "listening ", url, "\n")
  io.flush()
end

local function exists(path)
  local file = io.open(path)
  if file then file:close() end
  return file ~= nil
end

-- The parent of this process, or nil where there is no /proc.
local function current_parent()
  local file = io.open("/proc/self/stat")
  if not file then return nil end
  local stat = file:read("*a")
  file:close()
  return stat:match("^.*%) %a (%d+)")
end

-- The write end of a pipe counts as readable once nobody can read from it.
local function watch(file, parent)
  return {
    getfd = function() return 1 end,
    over = function() return not exists(file) or (current_parent() or parent) ~= parent end,
  }
end

local function run(options, file, parent)
  options.on_listening = announce
  local _, problem = require("apprunner.simulator").serve(options, watch(file, parent))
  return problem
end

-- What the file that the parent wrote calls. Does not return.
function process.child(options, file, parent)
  local ok, problem = xpcall(function() return run(options, file, parent) end, debug.traceback)
  os.remove(file)
  if problem then io.write(tostring(problem), "\n") end
  os.exit(ok and not problem and 0 or 1)
end

return process
