-- HTTP exchanges by lua-resty-http, for the nginx loop: TLS, names and kept connections are nginx's own, by its
-- directives. Each is performed in a light thread, and ends in exchange:done() or exchange:fail() as by libcurl.
--
-- What libcurl's path avoids: requests and answers pass through Lua strings here, tokens and secrets that providers
-- answer with among them, and strings stay in memory until they are collected, and are not wiped then.
local ngx = ngx

local cosockets = {}

local OLDEST = 0.16 -- the lua-resty-http whose connect() takes a table

-- resty.http, or nil where it is missing or too old.
function cosockets.library()
  local ok, http = pcall(require, "resty.http")
  local version = ok and type(http) == "table" and tostring(http._VERSION):match "^%d+%.%d+"
  return version and tonumber(version) >= OLDEST and http or nil
end

local SLICE = 16384 -- bytes of a body that are asked for at a time
local MOST_HEAD = 65536 -- bytes of heads in one answer, as in the core
local LONGEST = 2147483647 -- milliseconds: nginx counts no further

local TRUST = " (lua_ssl_trusted_certificate says whom nginx trusts, lua_ssl_verify_depth how far)"
local RESOLVER = " (nginx asks the name servers of its directive `resolver`)"

-- A failure: the arguments of exchange:fail(). The message may quote what a server said.
local function failure(code, message, how)
  return { code = code, message = (message:gsub("%c", " ")), how = how or {} }
end

local function malformed(task, what)
  return failure("HTTPClientError", ("not an HTTP answer from %s: %s"):format(task.authority, what))
end

-- The request --------------------------------------------------------------------------------------------------------

-- A URL's scheme, authority, host, port and path; the query is the path's.
local function split(url)
  local scheme, authority, path = url:match "^(%a+)://([^/?#]*)([^#]*)"
  authority = authority:match "[^@]*$"
  local host, port = authority:match "^(.-):(%d+)$"
  scheme = scheme:lower()
  if path:sub(1, 1) ~= "/" then path = "/" .. path end
  return scheme, authority, host or authority, tonumber(port) or scheme == "https" and 443 or 80, path
end

local function decoded(text)
  return (text:gsub("%%(%x%x)", function(digits) return string.char(tonumber(digits, 16)) end))
end

-- resty.http's options for the proxy, if there is one; user and password stay out of its URL.
local function proxy_options(proxy)
  if not proxy then return nil end
  local userinfo, authority = proxy:match "^%a+://(.-)@?([^@/]*)/?$"
  local url, authorization = "http://" .. authority, nil
  if userinfo ~= "" then
    if not userinfo:find(":", 1, true) then userinfo = userinfo .. ":" end
    authorization = "Basic " .. ngx.encode_base64(decoded(userinfo))
  end
  return {
    http_proxy = url, http_proxy_authorization = authorization,
    https_proxy = url, https_proxy_authorization = authorization,
  }, authority
end

local function headers_of(request)
  local headers = {}
  for _, header in ipairs(request.headers) do headers[header[1]] = header[2] end
  return headers
end

-- What is asked for and cosockets cannot do; nil if there is nothing.
local function unsupported(task, request)
  if task.scheme == "https" and request.verify and request.ca_bundle then
    return "ca_bundle cannot be used with resty.http: nginx trusts what lua_ssl_trusted_certificate names"
  elseif request.proxy and not request.proxy:lower():find "^http://" then
    return "proxy: resty.http can use an http proxy only"
  end
end

-- The socket ---------------------------------------------------------------------------------------------------------

-- From now on the other side must be heard of within its time.
local function heard(task) task.deadline = ngx.now() + task.read_timeout end

-- What of a line may come before it: "HTTP/1" or its beginning.
local function may_be_status(text) return ("HTTP/1."):find(text:sub(1, 7), 1, true) == 1 end

local function check_line(task, line)
  if task.body then return end
  task.head_bytes = task.head_bytes + #line
  if task.head_bytes > MOST_HEAD then task.too_large = true end
  if task.at_status and not line:find "^HTTP/1%.[01] %d%d%d%f[%D]" then task.malformed = "its status line" end
  task.at_status = false
end

-- One line without its end, as of receive "*l", but of a bounded length.
local function receive_line(task, socket)
  local line, err, partial = socket:receiveuntil("\n", { inclusive = true })(MOST_HEAD)
  task.err = err
  if not line then
    if task.at_status and not may_be_status(partial or "") then task.malformed = "its status line" end
    return nil, err, partial
  end
  if line:sub(-1) ~= "\n" then task.too_large = true end
  check_line(task, line)
  if task.too_large or task.malformed then return nil, task.malformed or "the head is too large" end
  if task.sent and not task.body then heard(task) end
  task.line = line:gsub("\r?\n$", "")
  return task.line
end

-- Follows an exchange through its socket: resty.http itself bounds no head, takes a line that is no header for the
-- head's end, ends a body alike where it was cut, and does not tell a failed handshake from a failed connection. It
-- reads bodies in coroutines of its own, and what waits there nginx does not let go of when the thread is killed: so
-- they hand what they want to the thread, by next_piece().
local function watch(task, socket)
  local receive, shake = socket.receive, socket.sslhandshake
  function socket.sslhandshake(self, ...)
    task.shaking = true
    local session, err = shake(self, ...)
    -- A handshake that was over without a wait, and ended in distrust, nginx calls a success; it has closed the socket.
    if session and not self:getreusedtimes() then return nil, "the certificate was refused" end
    return session, err
  end
  function socket.receive(self, what, ...)
    if coroutine.running() ~= task.thread[1] then return coroutine.yield(task, what) end
    if what == "*l" then return receive_line(task, self) end
    local data, err, partial = receive(self, what, ...)
    task.err = err
    return data, err, partial
  end
end

-- Connecting ---------------------------------------------------------------------------------------------------------

-- nginx calls a handshake that is cut and one that goes wrong by one name, before which the number of an earlier
-- failure may stand.
local CUT = { ["handshake failed"] = true, closed = true, ["connection reset by peer"] = true }

local function shake_failure(task, err)
  local bare = err:gsub("^%d+: ", "")
  if CUT[bare] then
    return failure("SSLError", ("no TLS connection to %s: %s"):format(task.authority, bare), { cut = true })
  end
  return failure("SSLError", ("no trust in %s: %s%s"):format(task.authority, err, TRUST))
end

local function connect_failure(task, err)
  if err:find "timeout$" then
    return cosockets.late(task)
  elseif task.shaking then
    return shake_failure(task, err)
  elseif task.proxy then
    return failure("ProxyConnectionError", ("the proxy %s failed for %s: %s"):format(task.proxy, task.authority, err))
  end
  local hint = err:find "resolve" and RESOLVER or ""
  return failure("EndpointConnectionError", ("no connection to %s: %s%s"):format(task.authority, err, hint))
end

local function connect(task, request)
  local options
  options, task.proxy = proxy_options(request.proxy)
  watch(task, task.httpc.sock)
  local ms = math.min(request.connect_timeout * 1000, LONGEST)
  local silence = math.min(request.read_timeout * 1000, LONGEST)
  task.httpc:set_timeouts(ms, silence, silence)
  local ok, err = task.httpc:connect {
    scheme = task.scheme, host = task.host, port = task.port, proxy_opts = options,
    ssl_verify = request.verify, ssl_server_name = task.host:match "^%[?(.-)%]?$", ssl_reused_session = false,
  }
  if not ok then return connect_failure(task, tostring(err)) end
  task.reused = (task.httpc:get_reused_times() or 0) > 0
end

-- The answer ---------------------------------------------------------------------------------------------------------

local function answer_failure(task, words, err)
  if task.too_large then
    return failure("ResponseTooLargeError", "the answer's head is too large")
  elseif task.malformed then
    return malformed(task, task.malformed)
  elseif err == "timeout" or task.err == "timeout" then
    return cosockets.late(task)
  end
  return failure("ConnectionClosedError", ("%s %s: %s"):format(words, task.authority, tostring(err)))
end

local function begin_head(task)
  task.at_status, task.line = true, ""
end

-- The answer's head, after those that only tell that one will come; or nil, failure.
local function receive_head(task, params)
  task.head_bytes, task.err, task.sent = 0, nil, true
  task.exchange:sent(true)
  heard(task)
  begin_head(task)
  local res, err = task.httpc:request(params)
  while res and res.status < 200 and task.line == "" do
    begin_head(task)
    res, err = task.httpc:read_response(params)
  end
  if not res then return nil, answer_failure(task, "no answer from", err) end
  if task.line ~= "" then return nil, malformed(task, "its headers") end
  return res
end

-- How a body ends: "chunks", "close" or "length"; for the last how long it is, and whether resty.http sees that too.
-- Nil and what is wrong, where it cannot be told.
local function framing(headers)
  local transfer, length = headers["Transfer-Encoding"], headers["Content-Length"]
  if transfer then
    if type(transfer) == "string" and transfer:lower():find "^%s*chunked%s*$" then return "chunks" end
    return nil, "its Transfer-Encoding"
  elseif not length then
    return "close"
  end
  local single = type(length) == "string"
  length = single and length or length[#length]
  local digits, rest = length:match "^%s*(%d+)%s*(.*)$"
  if not digits or #digits > 15 then return nil, "its Content-Length" end
  return "length", tonumber(digits), single and rest == ""
end

-- Whether a body ended where it should.
local function is_whole(ending, err, task_err)
  if ending == "close" then return task_err == "closed" end
  return err == nil
end

-- What res.body_reader() returns.
local function next_piece(task, res, most)
  local piece, more = res.body_reader(most)
  while piece == task do piece, more = res.body_reader(task.httpc.sock:receive(more)) end
  return piece, more
end

-- Takes the body: true if it all came by resty.http's own count; nil, failure.
local function receive_body(task, res, ending, length, counted)
  local left = ending == "length" and not counted and length or nil
  task.body, task.err = true, nil
  while left ~= 0 do
    local piece, err = next_piece(task, res, math.min(left or SLICE, SLICE))
    if piece and not task.exchange:take(piece) then
      return nil, failure("ResponseTooLargeError", "the answer's body is too large")
    end
    if err or not piece then
      if is_whole(ending, err, task.err) then break end
      return nil, answer_failure(task, "the answer was cut short by", err or task.err)
    end
    if left then left = left - #piece end
  end
  return not left and ending ~= "close"
end

-- The whole answer; or nil, failure.
local function receive(task, request)
  local body = (#request.body > 0 or request.method ~= "GET") and request.body or nil
  local res, problem = receive_head(task, {
    method = request.method, path = task.path, headers = headers_of(request), body = body,
  })
  if not res then return nil, problem end
  task.status = res.status
  local fits, wrong = task.exchange:begin(res)
  if fits == nil then return nil, malformed(task, wrong) end
  if not fits then return nil, failure("ResponseTooLargeError", "the answer's head is too large") end
  if not res.has_body then
    task.keep = true
    return res
  end
  local ending, length, counted = framing(res.headers)
  if not ending then return nil, malformed(task, length) end
  task.deadline = nil -- resty.http waits for whole slices: nginx sees to each silence
  task.keep, problem = receive_body(task, res, ending, length, counted)
  if problem then return nil, problem end
  return res
end

-- An exchange --------------------------------------------------------------------------------------------------------

-- A task for cosockets.perform(): `deadline` is when it must be given up; nil: nginx sees to that.
function cosockets.task(exchange)
  local request = exchange:request()
  exchange:sent(false)
  local task = {
    exchange = exchange, request = request, head_bytes = 0, deadline = ngx.now() + request.connect_timeout,
    connect_timeout = request.connect_timeout, read_timeout = request.read_timeout,
  }
  task.scheme, task.authority, task.host, task.port, task.path = split(request.url)
  return task
end

-- The failure of a task that took too long to connect, or to answer.
function cosockets.late(task)
  local code = task.sent and "ReadTimeoutError" or "ConnectTimeoutError"
  local seconds = task.sent and task.read_timeout or task.connect_timeout
  return failure(code, ("no %s %s within %d ms"):format(
    task.sent and "answer from" or "connection to", task.authority, seconds * 1000))
end

-- The failure of a task whose thread has ended before it.
function cosockets.lost(task)
  return failure("ConnectionClosedError", "the request that waited for " .. task.authority .. " has ended")
end

-- Tells the exchange that it failed; once, as also cosockets.perform() does.
function cosockets.fail(task, problem)
  problem.how.status, problem.how.reused = task.status, task.reused
  task.over = true
  task.exchange:fail(problem.code, problem.message, problem.how)
end

-- Returns the answer, or nil, failure.
local function attempt(task)
  local request = task.request
  local why = unsupported(task, request)
  if why then return nil, failure("InvalidConfigError", why) end
  local err
  task.httpc, err = cosockets.library().new()
  if not task.httpc then return nil, failure("HTTPClientError", "resty.http cannot be used: " .. tostring(err)) end
  local problem = connect(task, request)
  if problem then return nil, problem end
  return receive(task, request)
end

-- Keeps the connection, or closes it.
local function part(task)
  if task.httpc and not (task.keep and task.httpc:set_keepalive()) then task.httpc:close() end
end

-- Performs the exchange, in a light thread, and tells it how it went, unless it was given up meanwhile.
function cosockets.perform(task)
  task.thread = setmetatable({ coroutine.running() }, { __mode = "v" }) -- a task keeps no thread that is killed
  local ok, res, problem = pcall(attempt, task)
  if not ok then res, problem = nil, failure("HTTPClientError", "resty.http raised an error: " .. tostring(res)) end
  pcall(part, task)
  if task.over then return end
  if not res then return cosockets.fail(task, problem) end
  task.over = true
  task.exchange:done(res)
end

return cosockets
