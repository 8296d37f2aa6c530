-- The simulator as its specs drive it: raw HTTP with requests signed by the module's own signer. `start` and `connect`
-- are closed by `close_all`, which a spec calls after each test.

local apprunner = require "apprunner"
local cjson = require "cjson"
local programs = require "spec.support.programs"
local simulator = require "apprunner.simulator"
local socket = require "socket"

local client = {PATIENCE = 20} -- seconds after which a test fails instead of waiting on

client.credentials = {access_key_id = "AKIDEXAMPLE", secret_access_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}
client.uuid = "^" .. ("%x"):rep(8) .. ("%-%x%x%x%x"):rep(3) .. "%-" .. ("%x"):rep(12) .. "$"

local open = {}

function client.close_later(close)
  open[#open + 1] = close
end

function client.close_all()
  while #open > 0 do table.remove(open)() end
end

function client.start(options)
  local sim = assert(simulator.start(options))
  client.close_later(function() sim:stop() end)
  return sim
end

function client.connect_url(url)
  local connection = assert(socket.connect("127.0.0.1", tonumber(url:match(":(%d+)$"))))
  connection:settimeout(client.PATIENCE)
  client.close_later(function() connection:close() end)
  return connection
end

function client.connect(sim)
  return client.connect_url(sim.endpoint_url)
end

-- Requests -----------------------------------------------------------------------------------------------------------

-- Headers of the connection, which no client signs.
local unsigned = {Authorization = true, Connection = true, ["Content-Length"] = true, Expect = true}

-- A list of {name, value} without the unsigned ones.
local function signed_part(headers)
  local list = {}
  for name, value in pairs(headers) do
    if value and not unsigned[name] then list[#list + 1] = {name, value} end
  end
  return list
end

local function sign(request, changes)
  local options = {
    credentials = client.credentials, region = "us-east-1", service = "apprunner", time = math.floor(socket.gettime()),
  }
  for name, value in pairs(changes.sign or {}) do options[name] = value end
  return assert(apprunner.sign(request, options)).headers
end

-- The text of a request. `changes`: method, path; headers that replace others (false: leaves one out); sign, options of
-- the signer; signed_body, what is signed in place of the body.
function client.request_text(operation, body, changes)
  changes = changes or {}
  body = type(body) == "table" and cjson.encode(body) or body
  local headers = {
    Host = "127.0.0.1", ["X-Amz-Target"] = "AppRunner." .. operation, ["Content-Type"] = "application/x-amz-json-1.0",
    ["Content-Length"] = #body,
  }
  local method, path = changes.method or "POST", changes.path or "/"
  local signed = sign({
    method = method, path = path, host = "127.0.0.1", headers = signed_part(headers),
    body = changes.signed_body or body,
  }, changes)
  for _, header in ipairs(signed) do headers[header[1]] = header[2] end
  for name, value in pairs(changes.headers or {}) do headers[name] = value end
  local lines = {("%s %s HTTP/1.1"):format(method, path)}
  for name, value in pairs(headers) do
    if value then lines[#lines + 1] = name .. ": " .. value end
  end
  return table.concat(lines, "\r\n") .. "\r\n\r\n" .. body
end

-- Responses ----------------------------------------------------------------------------------------------------------

function client.read_response(connection)
  local line, problem = connection:receive("*l")
  if not line then return nil, problem end
  local response = {status = tonumber(line:match("^HTTP/1%.1 (%d%d%d) ")), headers = {}}
  for header in function() return assert(connection:receive("*l")) end do
    if header == "" then break end
    local name, value = header:match("^([^:]+): (.*)$")
    response.headers[name:lower()] = value
  end
  local length = tonumber(response.headers["content-length"] or 0)
  local whole, cut, part = "", nil, nil -- LuaSocket waits for data even when asked for none
  if length > 0 then whole, cut, part = connection:receive(length) end
  response.body, response.cut = whole or part, cut
  local ok, data = pcall(cjson.decode, response.body)
  response.data = ok and data or nil
  return response
end

-- → the response | nil, what the socket says
function client.exchange(connection, text)
  assert(connection:send(text))
  return client.read_response(connection)
end

local function region_of(sim)
  local first = sim.services[1]
  return first and first.ServiceArn:match("^arn:aws:apprunner:([^:]+)") or "us-east-1"
end

function client.call(sim, operation, body, changes)
  changes = changes or {}
  changes.sign = changes.sign or {region = region_of(sim)}
  local connection = client.connect(sim)
  local response, problem = client.exchange(connection, client.request_text(operation, body or {}, changes))
  connection:close()
  return response, problem
end

function client.by_arn(sim, index)
  return {ServiceArn = sim.services[index or 1].ServiceArn}
end

function client.status_of(sim, index)
  return client.call(sim, "DescribeService", client.by_arn(sim, index)).data.Service.Status
end

-- Asks until the service has the status, or until the test has waited long enough.
function client.await(sim, index, status)
  local deadline = socket.gettime() + client.PATIENCE
  local seen
  repeat seen = client.status_of(sim, index) until seen == status or socket.gettime() > deadline
  return seen
end

-- The code of an error and the status it came with.
function client.error_of(response)
  return (response.data.__type or ""):match("#(.*)$"), response.status
end

-- A file that is removed after the test.
function client.temporary(text)
  local path = programs.temporary(text)
  client.close_later(function() os.remove(path) end)
  return path
end

return client
