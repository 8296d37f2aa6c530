-- The server of faults (fault_server.py) as a program of the specs uses it: `start(pki, seed)` runs one, `url(name)` is
-- an endpoint that fails in that way, `counts()`, `log()` and `open()` are what it sees, `drop()` ends its connections.

local cjson = require "cjson"
local play = require "spec.support.fault_play"
local programs = require "spec.support.programs"
local socket = require "socket"

local process = {}
process.__index = process

function process.start(pki, seed)
  local server, line = programs.serve(("%s spec/support/fault_server.py %s %s"):format(
    programs.python, programs.quote(pki), programs.quote(tostring(seed or 1))))
  assert(line, "the server of faults said nothing")
  local told = cjson.decode(line)
  return setmetatable({ server = server, pid = told.pid, ports = told.ports }, process)
end

function process:stop() programs.stop(self.server, ("%d"):format(self.pid)) end

function process:url(name, scheme) return play.url(self.ports, name, scheme) end

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

-- How many connections stand, but the control's.
function process:open() return self:ask "/open".connections end

function process:drop() self:ask "/drop" end

return process
