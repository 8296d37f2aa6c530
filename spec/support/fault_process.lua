-- The server of faults (fault_server.py) as a program of the specs uses it: `start(pki, seed)` runs one, `url(name)` is
-- an endpoint that fails in that way, `counts()` and `log()` are what it has seen, `drop()` ends its connections.

local cjson = require "cjson"
local programs = require "spec.support.programs"
local socket = require "socket"

local process = {}
process.__index = process

-- It lives until it is stopped, and no longer than its stdin: a fifo that this process holds open for writing.
function process.start(pki, seed)
  local fifo = os.tmpname()
  os.remove(fifo)
  os.execute("mkfifo " .. programs.quote(fifo))
  local pipe = assert(io.popen(("exec %s spec/support/fault_server.py %s %s < %s"):format(
    programs.python, programs.quote(pki), programs.quote(tostring(seed or 1)), programs.quote(fifo)), "r"))
  local lifeline = assert(io.open(fifo, "w"))
  os.remove(fifo)
  local line = assert(pipe:read "*l", "the server of faults said nothing")
  local told = cjson.decode(line)
  return setmetatable({ pipe = pipe, lifeline = lifeline, pid = told.pid, ports = told.ports }, process)
end

function process:stop()
  os.execute(("kill %d"):format(self.pid)) -- for another program may have inherited the lifeline
  self.lifeline:close()
  self.pipe:close()
end

function process:url(name, scheme)
  local base = scheme == "https" and "https://localhost:%d" or "http://127.0.0.1:%d"
  return base:format(assert(self.ports[name], name))
end

function process:ask(path)
  local connection = assert(socket.connect("127.0.0.1", ("%d"):format(self.ports.control)))
  assert(connection:send(("GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n"):format(path)))
  local text = assert(connection:receive "*a")
  connection:close()
  return cjson.decode(text:match "\r\n\r\n(.*)$")
end

-- {connections=, requests=} by name.
function process:counts() return self:ask "/" end

-- One {serial=, attempt=, fault=, status=, performed=} for each request to a chaos port.
function process:log() return self:ask "/log" end

function process:drop() self:ask "/drop" end

return process
