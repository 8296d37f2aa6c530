-- Programs that a spec runs: commands with their input and output, and scripts in another interpreter of the same kind
-- under an environment that the spec chooses.

local programs = {}

programs.python = "/usr/bin/python3"
programs.interpreter = jit and "luajit" or "lua" .. _VERSION:match "%d%.%d"

-- What a memory checker needs to be passed on.
local kept = {
  "PATH", "LD_PRELOAD", "LD_LIBRARY_PATH", "ASAN_OPTIONS", "LSAN_OPTIONS", "UBSAN_OPTIONS",
}

function programs.quote(text) return "'" .. text:gsub("'", "'\\''") .. "'" end

-- What a file holds; nil where there is none.
function programs.read(path)
  local file = io.open(path, "rb")
  if not file then return nil end
  local text = file:read "*a"
  file:close()
  return text
end

-- A new file with this text; the caller removes it.
function programs.temporary(text)
  local path = os.tmpname()
  local file = assert(io.open(path, "wb"))
  assert(file:write(text))
  file:close()
  return path
end

-- A socket that keeps a port of loopback and refuses connections to it, until it is closed; and the port.
function programs.refuser()
  local holder = assert(require("socket").tcp())
  assert(holder:bind("127.0.0.1", 0))
  local _, port = holder:getsockname()
  return holder, port
end

-- What a command prints, its stderr apart.
function programs.output_of(command)
  local pipe = assert(io.popen(command, "r"))
  local text = pipe:read "*a"
  pipe:close()
  return text
end

-- What a command prints that is given `input`.
function programs.filter(command, input)
  local path = programs.temporary(input)
  local text = programs.output_of(command .. " < " .. programs.quote(path))
  os.remove(path)
  return text
end

-- Starts a server: a command that lives no longer than its stdin, a fifo that this process, and whatever it started
-- meanwhile, holds open for writing. Returns a handle for `programs.stop`, and the first line that it prints, or nil.
function programs.serve(command)
  local fifo = os.tmpname()
  os.remove(fifo)
  os.execute("mkfifo " .. programs.quote(fifo))
  local pipe = assert(io.popen(("exec %s < %s"):format(command, programs.quote(fifo)), "r"))
  local lifeline = assert(io.open(fifo, "w"))
  os.remove(fifo)
  return { pipe = pipe, lifeline = lifeline }, pipe:read "*l"
end

-- Stops it by its number too, for another program may have inherited the lifeline.
function programs.stop(server, pid)
  os.execute("kill " .. pid)
  server.lifeline:close()
  server.pipe:close()
end

-- "env -i NAME=value ..." with nothing of the developer's configuration in it.
function programs.environment(variables)
  local words = { "env -i" }
  local function add(name, value) words[#words + 1] = name .. "=" .. programs.quote(value) end
  for _, name in ipairs(kept) do
    local value = os.getenv(name)
    if value then add(name, value) end
  end
  add("HOME", "/nonexistent")
  add("AWS_CONFIG_FILE", "/dev/null")
  add("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
  add("AWS_EC2_METADATA_DISABLED", "true")
  for name, value in pairs(variables or {}) do add(name, value) end
  return table.concat(words, " ")
end

-- Runs a Lua script in another interpreter, which finds what this one finds by `require`, and returns what it prints,
-- errors among it.
function programs.run(script, variables)
  local path = programs.temporary(
    ("package.path, package.cpath = %q, %q\n%s"):format(package.path, package.cpath, script))
  local text = programs.output_of(("%s %s %s 2>&1"):format(
    programs.environment(variables), programs.interpreter, programs.quote(path)))
  os.remove(path)
  return text
end

return programs
