-- The bytes that a pause sends: what the module writes to a listener of our own, and how long the texts are that its
-- signature digests.
local hosts = require "spec.support.hosts"
local socket = require "socket"

local request = {}

local function receive(connection)
  local lines = {}
  repeat
    lines[#lines + 1] = assert(connection:receive "*l")
  until lines[#lines] == ""
  local head = table.concat(lines, "\r\n") .. "\r\n"
  return head, assert(connection:receive(tonumber(head:lower():match "content%-length: *(%d+)")))
end

-- Lets a command, in which %s stands for the URL, pause a service. Returns the whole request and its body.
function request.record(command)
  local listener = assert(socket.bind("127.0.0.1", 0))
  local _, port = listener:getsockname()
  local process = assert(io.popen(command:format("http://127.0.0.1:" .. port)))
  listener:settimeout(10)
  local connection = assert(listener:accept())
  connection:settimeout(10)
  local head, body = receive(connection)
  local answer = hosts.read "spec/bench/answer.json"
  connection:send(("HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s"):format(#answer, answer))
  connection:close()
  listener:close()
  process:close()
  return head .. body, body
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
