-- An HTTP/1.1 server on LuaSocket: one select loop, many connections, keep-alive, pipelining, bodies by Content-Length.
-- It knows nothing of App Runner: `http.serve(listener, answer)` hands each complete request to `answer` and sends what
-- comes back, in order. What breaks HTTP, or one of the limits below, reaches `answer` as {refused=status, reason=}, is
-- answered, and its connection is closed. Every buffer and the number of connections are bounded. A response can ask
-- for an accident: `delay` (seconds until it is sent), `dropped` (the connection ends instead), `sent_bytes` (of the
-- body, then the connection ends).

local socket = require "socket"

local http = {}

local HEAD_LIMIT = 16 * 1024
local BODY_LIMIT = 1024 * 1024
local PIECE = 64 * 1024 -- bytes read at a time
local OUTBOX_LIMIT = 64 * 1024 -- bytes not yet sent at which the next pipelined request waits
local CONNECTION_LIMIT = 500 -- select has room for 1024 descriptors
local IDLE_SECONDS = 75
local LINGER_SECONDS = 2 -- how long a refused client may go on sending before it loses the answer
local TICK = 0.5

local reasons = {
  [200] = "OK", [400] = "Bad Request", [402] = "Payment Required", [403] = "Forbidden", [404] = "Not Found",
  [411] = "Length Required", [413] = "Payload Too Large", [429] = "Too Many Requests",
  [431] = "Request Header Fields Too Large", [500] = "Internal Server Error", [502] = "Bad Gateway",
  [503] = "Service Unavailable", [504] = "Gateway Timeout", [505] = "HTTP Version Not Supported",
}

-- Reading: from bytes to requests ------------------------------------------------------------------------------------

local function refusal(status, reason)
  return {refused = status, reason = reason, headers = {}, last = true}
end

local function parse_headers(lines)
  local headers = {}
  for line in lines:gmatch("(.-)\r?\n") do
    if line == "" then break end
    local name, value = line:match("^([%w!#$%%&'*+.^_`|~-]+):[ \t]*(.-)[ \t]*$")
    if not name or value:gsub("\t", ""):find("%c") then return nil end
    name = name:lower()
    headers[name] = headers[name] and headers[name] .. "," .. value or value -- as a signature joins them
  end
  return headers
end

local function is_last(minor, headers)
  local connection = (headers.connection or ""):lower()
  if minor == "0" then return not connection:find("keep-alive", 1, true) end
  return connection:find("close", 1, true) ~= nil
end

-- The length of the body, or nil and the refusal.
local function body_length(headers, method)
  local length = headers["content-length"]
  if headers["transfer-encoding"] or (not length and method == "POST") then
    return nil, refusal(411, "A body needs a Content-Length.")
  elseif length and not length:find("^%d+$") then
    return nil, refusal(400, "The Content-Length is not one number.")
  elseif length and (#length > 9 or tonumber(length) > BODY_LIMIT) then
    return nil, refusal(413, "The body is longer than " .. BODY_LIMIT .. " bytes.")
  end
  return tonumber(length or 0)
end

local function parse_head(head)
  local method, target, major, minor, lines = head:match("^(%u+) (%S+) HTTP/(%d)%.(%d)\r?\n(.*)$")
  if not method then return refusal(400, "The request line is malformed.") end
  if major ~= "1" then return refusal(505, "This server speaks HTTP/1.1.") end
  local headers = parse_headers(lines)
  if not headers then return refusal(400, "A header is malformed.") end
  if minor ~= "0" and not headers.host then return refusal(400, "A request needs a Host.") end
  local length, refused = body_length(headers, method)
  if not length then return refused end
  local path, query = target:gsub("^http://[^/?]*", ""):match("^([^?]*)%??(.*)$")
  return {
    method = method, path = path, query = query, headers = headers, length = length, last = is_last(minor, headers),
  }
end

-- Takes the head of the next request off the inbox; nil while more bytes are needed.
local function take_head(connection)
  local inbox = connection.inbox:gsub("^[\r\n]+", "")
  connection.inbox = inbox
  local _, stop = inbox:find("\r?\n\r?\n")
  if not stop then
    return #inbox > HEAD_LIMIT and refusal(431, "The head is longer than " .. HEAD_LIMIT .. " bytes.") or nil
  elseif stop > HEAD_LIMIT then
    return refusal(431, "The head is longer than " .. HEAD_LIMIT .. " bytes.")
  end
  connection.inbox = inbox:sub(stop + 1)
  return parse_head(inbox:sub(1, stop))
end

local function wants_continue(request)
  return (request.headers.expect or ""):lower() == "100-continue"
end

-- Takes the next complete request off the inbox; nil while more bytes are needed.
-- What begins like no method, as TLS does, is refused before a line has ended.
local function is_http(connection) return not connection.inbox:find "^[^%u\r\n]" end

local function take_request(connection)
  if not connection.request and not is_http(connection) then
    connection.inbox = ""
    return refusal(400, "This is no HTTP request.")
  end
  local request = connection.request or take_head(connection)
  connection.request = request
  if not request then return nil end
  local length = request.length or 0
  if #connection.inbox < length then
    if wants_continue(request) and not request.continued then
      request.continued, connection.outbox = true, connection.outbox .. "HTTP/1.1 100 Continue\r\n\r\n"
    end
    return nil
  end
  request.body, connection.inbox = connection.inbox:sub(1, length), connection.inbox:sub(length + 1)
  connection.request = nil
  return request
end

-- Writing ------------------------------------------------------------------------------------------------------------

local days = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"}
local months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"}

-- os.date would name days and months in the language of the host.
local function http_date(time)
  local t = os.date("!*t", math.floor(time))
  return ("%s, %02d %s %d %02d:%02d:%02d GMT"):format(
    days[t.wday], t.day, months[t.month], t.year, t.hour, t.min, t.sec)
end

local function render(response, request)
  local lines = {("HTTP/1.1 %d %s"):format(response.status, reasons[response.status] or "Error")}
  for _, header in ipairs(response.headers) do lines[#lines + 1] = header[1] .. ": " .. header[2] end
  lines[#lines + 1] = "Content-Length: " .. #response.body
  lines[#lines + 1] = "Date: " .. http_date(socket.gettime())
  if request.last then lines[#lines + 1] = "Connection: close" end
  local head = table.concat(lines, "\r\n") .. "\r\n\r\n"
  return request.method == "HEAD" and head or head .. response.body:sub(1, response.sent_bytes or -1)
end

-- Connections --------------------------------------------------------------------------------------------------------

local function open_connection(server, client)
  client:settimeout(0)
  client:setoption("tcp-nodelay", true)
  server.connections[client] = {
    socket = client, inbox = "", outbox = "", deadline = socket.gettime() + IDLE_SECONDS,
  }
  server.count = server.count + 1
end

local function close_connection(server, connection)
  connection.socket:close()
  server.connections[connection.socket] = nil
  server.count = server.count - 1
end

local function accept_all(server)
  while server.count < CONNECTION_LIMIT do
    local client = server.listener:accept()
    if not client then return end
    open_connection(server, client)
  end
end

-- Puts an answer into the outbox, or keeps it until its time.
local function reply(connection, request, response)
  local bytes = response.dropped and "" or render(response, request)
  connection.last = request.last or response.dropped or response.sent_bytes ~= nil
  if response.delay then
    connection.held = {at = socket.gettime() + response.delay, bytes = bytes}
  else
    connection.outbox = connection.outbox .. bytes
  end
end

-- Releases the answer that was kept, if its time has come.
local function release(connection, now)
  local held = connection.held
  if not held or now < held.at then return end
  connection.held, connection.outbox = nil, connection.outbox .. held.bytes
end

-- Answers every complete request that has arrived, unless the client is slow to take the answers or one is kept back.
local function advance(server, connection)
  while not connection.last and not connection.held and #connection.outbox < OUTBOX_LIMIT do
    local request = take_request(connection)
    if not request then return end
    reply(connection, request, server.answer(request))
  end
end

local function receive(connection)
  local data, problem, partial = connection.socket:receive(PIECE)
  connection.ended = connection.ended or (problem ~= nil and problem ~= "timeout")
  if not connection.last then connection.inbox = connection.inbox .. (data or partial or "") end
end

-- Sends what can be sent now.
local function send(connection)
  local sent, problem, partial = connection.socket:send(connection.outbox)
  connection.outbox = connection.outbox:sub((sent or partial or 0) + 1)
  if problem and problem ~= "timeout" then connection.outbox, connection.ended, connection.last = "", true, true end
end

-- After the last answer the sending side is shut and what still comes in is thrown away for a moment, for a connection
-- closed with unread bytes is reset, and the client would lose the answer.
local function finish(connection)
  local over = connection.last and not connection.held and connection.outbox == "" and not connection.ended
  if over and not connection.lingering then
    connection.socket:shutdown("send")
    connection.lingering = true
  end
end

local function serve_connection(server, connection, readable)
  local now = socket.gettime()
  if readable then receive(connection) end
  release(connection, now)
  repeat
    advance(server, connection)
    local waiting = #connection.outbox
    if waiting > 0 then send(connection) end
  until #connection.outbox == waiting or connection.last
  finish(connection)
  if connection.ended and connection.outbox == "" and not connection.held then
    return close_connection(server, connection)
  end
  if not connection.lingering then
    connection.deadline = (connection.held and connection.held.at or now) + IDLE_SECONDS
  else
    connection.deadline = math.min(connection.deadline, now + LINGER_SECONDS)
  end
end

local function close_overdue(server, now)
  local overdue = {}
  for _, connection in pairs(server.connections) do
    if now >= connection.deadline then overdue[#overdue + 1] = connection end
  end
  for _, connection in ipairs(overdue) do close_connection(server, connection) end
end

-- The loop -----------------------------------------------------------------------------------------------------------

-- A client that does not take its answers is not read from, nor is one whose answer is kept back, lest what it sends
-- meanwhile heap up.
local function is_read_from(connection)
  return not connection.ended and not connection.held and #connection.outbox < OUTBOX_LIMIT
end

-- What to wait for, and how long at most.
local function interests(server)
  local readers, writers, wait = {server.watch}, {}, TICK
  if server.count < CONNECTION_LIMIT then readers[#readers + 1] = server.listener end
  for client, connection in pairs(server.connections) do
    if is_read_from(connection) then readers[#readers + 1] = client end
    if connection.outbox ~= "" then writers[#writers + 1] = client end
    if connection.held then wait = math.min(wait, math.max(0, connection.held.at - socket.gettime())) end
  end
  return readers, writers, wait
end

local function is_ready(connection, readable, writable, now)
  local client, held = connection.socket, connection.held
  return readable[client] or writable[client] or held and now >= held.at
end

local function ready_connections(server, readable, writable)
  local ready, now = {}, socket.gettime()
  for _, connection in pairs(server.connections) do
    if is_ready(connection, readable, writable, now) then ready[#ready + 1] = connection end
  end
  return ready
end

local function step(server)
  local readers, writers, wait = interests(server)
  local readable, writable = socket.select(readers, writers, wait)
  if server.watch and readable[server.watch] then return false end
  for _, connection in ipairs(ready_connections(server, readable, writable)) do
    serve_connection(server, connection, readable[connection.socket])
  end
  if readable[server.listener] then accept_all(server) end
  return true
end

-- Every TICK: what select cannot tell.
local function look_around(server)
  local now = socket.gettime()
  if now < server.next_look then return true end
  server.next_look = now + TICK
  close_overdue(server, now)
  return not (server.watch and server.watch.over())
end

-- Serves until watch, where there is one, says it is over: by its descriptor (getfd) becoming readable, or by over().
function http.serve(listener, answer, watch)
  listener:settimeout(0)
  local server = {
    listener = listener, answer = answer, watch = watch, connections = {}, count = 0, next_look = 0,
  }
  while step(server) and look_around(server) do end
  listener:close() -- first: a client that sees its connection end finds nobody there any more
  for _, connection in pairs(server.connections) do connection.socket:close() end
end

-- → listener, url | nil, message
function http.listen(port)
  local listener, problem = socket.bind("127.0.0.1", port, 128)
  if not listener then return nil, ("cannot listen on port %d: %s"):format(port, problem) end
  local _, bound = listener:getsockname()
  return listener, ("http://127.0.0.1:%d"):format(bound)
end

return http
