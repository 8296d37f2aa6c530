-- The recording HTTP server (http_recorder.py) as a spec uses it. `start()` runs one; `url(kind, argument)` is an
-- endpoint that is answered in that way; `next()` is the request that came next, and waits for it.

local cjson = require "cjson"
local programs = require "spec.support.programs"

local recorder = {}
recorder.__index = recorder

function recorder.start()
  local server, line = programs.serve(programs.python .. " spec/support/http_recorder.py")
  local port, pid = (line or ""):match "^(%d+) (%d+)$"
  assert(port, "the recording server said no port")
  return setmetatable({ server = server, port = tonumber(port), pid = pid }, recorder)
end

function recorder:stop() programs.stop(self.server, self.pid) end

local function hex(text) return (text:gsub(".", function(c) return ("%02x"):format(c:byte()) end)) end

local function unhex(text) return (text:gsub("..", function(c) return string.char(tonumber(c, 16)) end)) end

-- An HTTP response in one text.
function recorder.response(status, headers, body)
  local lines = { ("HTTP/1.1 %d Reason"):format(status) }
  for _, header in ipairs(headers or {}) do lines[#lines + 1] = header[1] .. ": " .. header[2] end
  lines[#lines + 1] = "Content-Length: " .. #(body or "")
  return table.concat(lines, "\r\n") .. "\r\n\r\n" .. (body or "")
end

function recorder:url(kind, argument)
  local base = "http://127.0.0.1:" .. self.port
  if not kind then return base end
  if type(argument) == "string" then argument = hex(argument) end
  return ("%s/%s/%s"):format(base, kind, argument and argument .. "/" or "")
end

-- An endpoint that answers every request with this response.
function recorder:answering(status, headers, body)
  return self:url("answer", recorder.response(status, headers, body))
end

-- An endpoint that answers as each of these responses in turn, or, where one is "close", closes.
function recorder:in_turn(...)
  local steps = {}
  for i, response in ipairs { ... } do steps[i] = response == "close" and response or hex(response) end
  return ("%s/sequence/%s/"):format(self:url(), table.concat(steps, "-"))
end

-- {connection=, method=, path=, headers=, header=, body=}: `headers` is the list as it came, `header` a table by
-- lower-case name of what came under that name, joined by " | ".
function recorder:next()
  local line = assert(self.server.pipe:read "*l", "the recording server is gone")
  local request = cjson.decode(line)
  request.method, request.path = request.line:match "^(%S+) (%S+) HTTP/1%.1$"
  request.body = unhex(request.body)
  request.header = {}
  for _, header in ipairs(request.headers) do
    local name = header[1]:lower()
    request.header[name] = request.header[name] and request.header[name] .. " | " .. header[2] or header[2]
  end
  return request
end

return recorder
