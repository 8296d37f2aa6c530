-- luacheck: globals ngx
-- A resty.http for the specs, where lua-resty-http is not to be had: the part of its interface (of version 0.17.2) that
-- the nginx loop uses, on nginx's own cosockets, so that TLS, kept connections and failures are real. It does what the
-- real one does where that is strange, too: the notes say where.

local http = {_VERSION = "0.17.2"}
http.__index = http

function http.new() -- luacheck: ignore 212
  local sock, err = ngx.socket.tcp()
  if not sock then return nil, err end
  return setmetatable({sock = sock, keepalive_supported = true, read = {ready = false, marks = true}}, http)
end

function http:set_timeouts(...) return self.sock:settimeouts(...) end

function http:get_reused_times() return self.sock:getreusedtimes() end

function http:close() return self.sock:close() end

function http:set_keepalive(...)
  if self.keepalive_supported then
    if not self.read.ready then return nil, "response not fully read" end
    return self.sock:setkeepalive(...)
  end
  local ok, err = self.sock:close()
  if not ok then return ok, err end
  return 2, "connection must be closed"
end

-- Connecting ---------------------------------------------------------------------------------------------------------

-- The proxy's host and port, or nil, err.
local function proxy_address(uri)
  local scheme, rest = uri:match "^(https?)://(.*)$"
  local host, port = (rest or ""):match "^([^%[%]:/?]+):?(%d*)"
  if not host then host, port = (rest or ""):match "^(%[.+%]):?(%d*)" end
  if not host then return nil, "uri parse error: bad uri: " .. uri end
  if scheme ~= "http" then return nil, "protocol " .. scheme .. " not supported for proxy connections" end
  return host, tonumber(port) or 80
end

local function tunnel(self, destination, authorization)
  local res, err = self:request {
    method = "CONNECT", path = destination,
    headers = {Host = destination, ["Proxy-Authorization"] = authorization},
  }
  if not res then return nil, "failed to issue CONNECT to proxy: " .. err end
  if res.status < 200 or res.status > 299 then
    return nil, "failed to establish a tunnel through a proxy: " .. res.status
  end
  return true
end

local function connect_by_proxy(self, options, uri, authorization, pool)
  local host, port = proxy_address(uri)
  if not host then return nil, port end
  local ok, err = self.sock:connect(host, port, {pool = pool})
  if not ok then return nil, "failed to connect to: " .. host .. ":" .. port .. ": " .. err end
  if options.scheme ~= "https" then
    self.http_proxy_auth = authorization
    self.path_prefix = "http://" .. options.host .. (options.port == 80 and "" or ":" .. options.port)
  elseif self.sock:getreusedtimes() == 0 then
    return tunnel(self, options.host .. ":" .. options.port, authorization)
  end
  return true
end

function http:connect(options)
  local tls = options.scheme == "https"
  local proxy, kind = options.proxy_opts or {}, tls and "https_proxy" or "http_proxy"
  local uri, authorization = proxy[kind], proxy[kind .. "_authorization"]
  local verify = options.ssl_verify ~= false
  local pool = table.concat({
    options.scheme, options.host, options.port, tostring(tls or nil), tls and options.ssl_server_name or "",
    tostring(tls and verify), uri or "", tls and authorization or "",
  }, ":")
  local ok, err
  if uri then
    ok, err = connect_by_proxy(self, options, uri, authorization, pool)
  else
    ok, err = self.sock:connect(options.host, options.port, {pool = pool})
  end
  if not ok then return nil, err end
  if tls and self.sock:getreusedtimes() == 0 then
    ok, err = self.sock:sslhandshake(options.ssl_reused_session, options.ssl_server_name, verify)
    if not ok then
      self:close()
      return nil, err
    end
  end
  self.host, self.port = options.host, options.port
  self.keepalive_supported, self.read.ready = true, true
  return true, nil, ok
end

-- The request --------------------------------------------------------------------------------------------------------

-- Names in any case, and with underscores; as they came when they are walked.
local function new_headers()
  local names = {}
  local function key(name) return (name:gsub("_", "-"):lower()) end
  return setmetatable({}, {
    __index = function(headers, name) return rawget(headers, names[key(name)]) end,
    __newindex = function(headers, name, value)
      local known = names[key(name)] or name:gsub("_", "-")
      names[key(name)] = known
      rawset(headers, known, value)
    end,
  })
end

local BODIES = {POST = true, PUT = true, PATCH = true}

local function complete(self, params)
  local headers, body = new_headers(), params.body
  for name, value in pairs(params.headers or {}) do headers[name] = value end
  headers["Proxy-Authorization"] = headers["Proxy-Authorization"] or self.http_proxy_auth
  if body or BODIES[params.method] then headers["Content-Length"] = headers["Content-Length"] or #(body or "") end
  headers["Host"] = headers["Host"] or self.host .. ":" .. self.port
  headers["User-Agent"] = headers["User-Agent"] or "lua-resty-http/" .. http._VERSION
  return headers
end

function http:send_request(params)
  self.read.ready = false
  params.headers = complete(self, params)
  local text = {params.method:upper() .. " " .. (self.path_prefix or "") .. params.path .. " HTTP/1.1\r\n"}
  for name, value in pairs(params.headers) do
    for _, one in ipairs(type(value) == "table" and value or {value}) do
      text[#text + 1] = name .. ": " .. tostring(one) .. "\r\n"
    end
  end
  text[#text + 1] = "\r\n"
  local sent, err = self.sock:send(table.concat(text))
  if sent and params.body then sent, err = self.sock:send(params.body) end
  if not sent then return nil, err end
  return true
end

-- The answer ---------------------------------------------------------------------------------------------------------

-- Whatever stands where the status should, and the first three digits of it.
local function receive_status(sock)
  local line, err = sock:receive "*l"
  if not line then return nil, err end
  local version, status = tonumber(line:sub(6, 8)), tonumber(line:sub(10, 12))
  if not version then return nil, "couldn't parse HTTP version from response status line: " .. line end
  if not status then return nil, "couldn't parse status code from response status line: " .. line end
  return status, version
end

-- A line that is no header ends the head.
local function receive_headers(sock)
  local headers = new_headers()
  while true do
    local line, err = sock:receive "*l"
    if not line then return nil, err end
    local name, value = line:match "([^:%s]+):%s*(.*)"
    if not name then return headers end
    local before = headers[name]
    if type(before) == "table" then
      before[#before + 1] = value
    elseif before then
      headers[name] = {before, value}
    else
      headers[name] = value
    end
  end
end

-- A reader, which goes on where it gave something, even an error; nil after its end.
local function reader(fn)
  local co = coroutine.create(fn)
  return function(...)
    local status = coroutine.status(co)
    if status ~= "suspended" then return nil, "can't resume a " .. status .. " coroutine" end
    return select(2, coroutine.resume(co, ...))
  end
end

local function mark(state)
  if state.marks then state.ready = true end
end

-- Neither extensions of a chunk nor trailers are known.
local function chunked(state, sock)
  return reader(function(most)
    local left, length = 0 -- luacheck: ignore 311
    repeat
      if left == 0 then
        local line, err = sock:receive "*l"
        if not line then coroutine.yield(nil, err) end
        left = tonumber(line, 16)
        if not left then coroutine.yield(nil, "unable to read chunksize") end
      end
      length = math.min(left, most)
      left = left - length
      if length > 0 then
        local piece, err = sock:receive(length)
        if not piece then coroutine.yield(nil, err) end
        most = coroutine.yield(piece)
      end
      if left == 0 then sock:receive(2) end
    until length == 0
    mark(state)
  end)
end

-- What came before an end that is not the close is lost, and the error with it.
local function to_the_close(sock)
  return reader(function(most)
    local piece, err, partial
    repeat
      piece, err, partial = sock:receive(most)
      if not piece and err == "closed" then coroutine.yield(partial, err) end
      most = coroutine.yield(piece)
    until not piece
  end)
end

local function counted(state, sock, left)
  return reader(function(most)
    while left ~= 0 do -- a negative length has no end
      local length = math.min(left, most)
      if length > 0 then
        local piece, err = sock:receive(length)
        if not piece then coroutine.yield(nil, err) end
        left = left - length
        most = coroutine.yield(piece)
      end
    end
    mark(state)
  end)
end

local function body_reader(self, headers, version)
  local transfer = headers["Transfer-Encoding"]
  if type(transfer) == "table" then transfer = table.concat(transfer, ",") end
  if version == 1.1 and transfer and transfer:lower():find("chunked", 1, true) then
    return chunked(self.read, self.sock)
  end
  local length = tonumber(headers["Content-Length"]) -- none where it is repeated
  return length and counted(self.read, self.sock, length) or to_the_close(self.sock)
end

-- Whether the connection may be kept.
local function follow_connection(self, connection, version)
  local said = type(connection) == "string" and connection:lower()
  if version == 1.1 and said and said:find("close", 1, true)
    or version == 1.0 and not (said and said:find("keep-alive", 1, true)) then
    self.keepalive_supported = false
  end
end

-- An answer that only tells that another will come is an answer.
function http:read_response(params)
  local status, version = receive_status(self.sock)
  if not status then return nil, version end
  local headers, err = receive_headers(self.sock)
  if not headers then return nil, err end
  follow_connection(self, headers.Connection, version)
  self.read.marks = headers.Trailer == nil
  local bare = params.method == "HEAD" or status == 204 or status == 304 or status < 200
  if bare then mark(self.read) end
  return {
    status = status, headers = headers, has_body = not bare,
    body_reader = bare and function() end or body_reader(self, headers, version),
  }
end

function http:request(params)
  local copy = {}
  for name, value in pairs(params) do copy[name] = value end
  local ok, err = self:send_request(copy)
  if not ok then return nil, err end
  return self:read_response(copy)
end

return http
