-- The bytes that a pause sends, a program's first one and those after it, which know the engine and the server's clock:
-- what the module writes to a listener of our own; and how long the texts are that its signature digests.
local hosts = require "spec.support.hosts"
local socket = require "socket"

local request = {}

local DATE = "!%a, %d %b %Y %H:%M:%S GMT"

local function receive(connection)
  local lines = {}
  repeat
    lines[#lines + 1] = assert(connection:receive "*l")
  until lines[#lines] == ""
  local head = table.concat(lines, "\r\n") .. "\r\n"
  return head, assert(connection:receive(tonumber(head:lower():match "content%-length: *(%d+)")))
end

local function answer(connection)
  local body = hosts.read "spec/bench/answer.json"
  connection:send(("HTTP/1.1 200 OK\r\nDate: %s\r\nContent-Length: %d\r\n\r\n%s"):format(os.date(DATE), #body, body))
end

-- Lets a command, in which %s stands for the URL, pause a service twice on one connection. Returns both requests whole,
-- and their body.
function request.record(command)
  local listener = assert(socket.bind("127.0.0.1", 0))
  local _, port = listener:getsockname()
  local process = assert(io.popen(command:format("http://127.0.0.1:" .. port)))
  listener:settimeout(10)
  local connection = assert(listener:accept())
  connection:settimeout(10)
  local first, body = receive(connection)
  answer(connection)
  local second = receive(connection)
  answer(connection)
  connection:close()
  listener:close()
  process:close()
  return first .. body, second .. body, body
end

-- The lengths of the body, the canonical request and the string to sign.
function request.lengths(body)
  local signed = assert(require("apprunner").sign({
    method = "POST", url = "http://127.0.0.1:40000/", body = body,
    headers = { { "X-Amz-Target", "AppRunner.PauseService" }, { "Content-Type", "application/x-amz-json-1.0" } },
  }, {
    region = "us-east-1", service = "apprunner",
    credentials = { access_key_id = "AKIDEXAMPLE", secret_access_key = "secret" },
  }))
  return #body, #signed.canonical_request, #signed.string_to_sign
end

return request
