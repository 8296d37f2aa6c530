-- The scripted services (scripted_server.py) as a spec uses them. `scripted.start()` runs the server;
-- `server:scene(routes)` begins a scene with a URL of its own, and `scene:asked(text)` is what came to it.

local cjson = require "cjson"
local http = require "socket.http"
local ltn12 = require "ltn12"
local programs = require "spec.support.programs"

local unpack = table.unpack or unpack -- luacheck: ignore 143

local scripted = {}
scripted.__index = scripted

function scripted.start()
  local server, line = programs.serve(programs.python .. " -B spec/support/scripted_server.py")
  local port, pid = (line or ""):match "^(%d+) (%d+)$"
  assert(port, "the scripted server said no port")
  return setmetatable({server = server, port = tonumber(port), pid = pid, scenes = 0}, scripted)
end

function scripted:stop() programs.stop(self.server, self.pid) end

local Scene = {}
Scene.__index = Scene

local function request(url, method, body)
  local parts = {}
  local _, status = assert(http.request {
    url = url, method = method, source = body and ltn12.source.string(body), sink = ltn12.sink.table(parts),
    headers = body and {["content-length"] = #body},
  })
  assert(status == 200, status)
  return cjson.decode(table.concat(parts))
end

-- routes: a list of {when, answer, answer, ...}, see scripted_server.py.
function scripted:scene(routes)
  self.scenes = self.scenes + 1
  local base, name, list = "http://127.0.0.1:" .. self.port, "scene" .. self.scenes, {}
  for i, route in ipairs(routes or {}) do
    list[i] = {when = route[1], answers = {unpack(route, 2)}}
  end
  local scene = setmetatable({url = base .. "/" .. name, control = base .. "/~" .. name}, Scene)
  request(scene.control, "PUT", #list > 0 and cjson.encode(list) or "[]")
  return scene
end

-- The requests so far in whose "METHOD PATH TARGET BODY" `text` stands; all of them without it.
function Scene:asked(text)
  local found = {}
  for _, one in ipairs(request(self.control, "GET")) do
    if one.text:find(text or "", 1, true) then
      if one.signer == cjson.null then one.signer = nil end
      found[#found + 1] = one
    end
  end
  return found
end

return scripted
