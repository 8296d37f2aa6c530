-- The server of the benchmarks: nginx on loopback, which gives every POST the answer in answer.json, plain, over TLS,
-- and 50 ms later. What it takes is gone after hosts.clear().
local hosts = require "spec.support.hosts"
local make_pki = require "spec.support.pki"
local socket = require "socket"

local server = { DELAY = 0.05 } -- seconds

local HTTP = [[
  default_type application/x-amz-json-1.0;
  keepalive_timeout 1h;
  add_header x-amzn-RequestId 4c5ca6c5-6b0a-4b5e-9d5e-0a8f1f4e2d11;
  server {
    listen 127.0.0.1:@plain@;
    listen 127.0.0.1:@tls@ ssl;
    ssl_certificate @pki@/good.pem;
    ssl_certificate_key @pki@/good.key;
    location / { return 200 '@answer@'; }
    keepalive_requests 1000000000;
    location = /status { stub_status; }
  }
  server {
    listen 127.0.0.1:@slow@;
    location / {
      content_by_lua_block {
        ngx.header["Content-Length"] = @length@
        ngx.sleep(@delay@)
        ngx.print('@answer@')
      }
    }
  }
]]

local Server = {}
Server.__index = Server

-- Starts it: `plain`, `tls` and `slow` (URLs), `ca` (the test's certificate alone), `store` and `bundle` (with the
-- system's: a hashed directory, a file), `worker` (the process that answers).
function server.start()
  local pki = make_pki(hosts)
  local answer = assert(hosts.read "spec/bench/answer.json")
  local nginx = hosts.nginx {
    ports = { "plain", "tls", "slow" }, http = HTTP,
    values = { pki = pki, answer = answer, length = #answer, delay = server.DELAY },
  }
  return setmetatable({
    nginx = nginx, worker = nginx:workers()[1], ca = pki .. "/ca.pem", store = pki .. "/hashed",
    bundle = pki .. "/bundle.pem", looks = 0, plain = "http://127.0.0.1:" .. nginx.port.plain,
    tls = "https://localhost:" .. nginx.port.tls, slow = "http://127.0.0.1:" .. nginx.port.slow,
  }, Server)
end

-- How many connections it accepted; to be compared, since these looks are not counted, but that of the start is.
function Server:connections()
  local connection = assert(socket.connect("127.0.0.1", self.nginx.port.plain))
  connection:send "GET /status HTTP/1.0\r\n\r\n"
  local text = connection:receive "*a"
  connection:close()
  self.looks = self.looks + 1
  return tonumber(text:match "\n%s*(%d+) %d+ %d+") - self.looks
end

-- Microseconds of a processor that it had so far.
function Server:busy() return hosts.cpu_ms(self.worker) * 1000 end

return server
