-- The server of the benchmarks: nginx on loopback, which gives every POST the
-- answer in answer.json, plain and over TLS, from a folder of its own and with
-- certificates made for the occasion. It ends with the process that started
-- it, however that ends.
local socket = require "socket"

local server = {}

local here = "spec/bench/"
local keeper = "build/bench/floor"
local system_store = "/etc/ssl/certs"

local function lines_of(command)
  local pipe = assert(io.popen(command))
  local list = {}
  for line in pipe:lines() do list[#list + 1] = line end
  pipe:close()
  return list
end

-- Runs a command; what it says is shown only where it fails.
local function run(command)
  local said = lines_of("( " .. command .. " ) 2>&1 || echo failed")
  if said[#said] == "failed" then error(command .. "\n" .. table.concat(said, "\n"), 0) end
end

function server.read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "*a"
  file:close()
  return text
end

function server.write(path, text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
end

-- A port that nobody listens on.
local function free_port()
  local listener = assert(socket.bind("127.0.0.1", 0))
  local _, port = listener:getsockname()
  listener:close()
  return tonumber(port)
end

local certificates = [[
cd %s &&
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
  -subj "/CN=apprunner bench CA" -keyout ca.key -out ca.pem &&
openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
  -subj /CN=localhost -keyout server.key -out server.csr &&
printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\n' > extensions &&
openssl x509 -req -days 2 -in server.csr -CA ca.pem -CAkey ca.key \
  -CAcreateserial -extfile extensions -out server.pem]]

-- The system's certificates and the test's, once as a hashed directory and
-- once as a bundle.
local stores = [[
cd %s && mkdir store && ln -s %s/*.[0-9] store/ &&
ln -s "$PWD/ca.pem" "store/$(openssl x509 -hash -noout -in ca.pem).0" &&
cat %s/ca-certificates.crt ca.pem > bundle.pem]]

local configuration = [[
daemon off;
master_process off;
pid nginx.pid;
error_log error.log;
events { worker_connections 1024; }
http {
  access_log off;
  default_type application/x-amz-json-1.0;
  keepalive_requests 1000000000;
  keepalive_timeout 1h;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  server {
    listen 127.0.0.1:%d;
    listen 127.0.0.1:%d ssl;
    ssl_certificate server.pem;
    ssl_certificate_key server.key;
    add_header x-amzn-RequestId 4c5ca6c5-6b0a-4b5e-9d5e-0a8f1f4e2d11;
    location / { return 200 '%s'; }
    location = /status { stub_status; }
  }
}
]]

-- The pipe to this ends with us; an interrupt is for the benchmark alone.
local keep = "trap '' INT; %s keep nginx -p %s -c nginx.conf -e error.log > %s/output 2>&1; rm -rf %s"

local function answers(port)
  local connection = socket.connect("127.0.0.1", port)
  if connection then connection:close() end
  return connection ~= nil
end

local function wait_for(port, folder)
  for _ = 1, 200 do
    if answers(port) then return end
    socket.sleep(0.02)
  end
  error("nginx did not start:\n" .. server.read(folder .. "/error.log"), 0)
end

local Server = {}
Server.__index = Server

-- Starts it: `folder`, `plain` and `tls` (URLs), `ca` (the test's certificate
-- alone), `store` and `bundle` (with the system's; nil without any).
function server.start()
  local folder = assert(lines_of("mktemp -d")[1], "no temporary folder")
  local self = setmetatable({ folder = folder, ca = folder .. "/ca.pem" }, Server)
  run(certificates:format(folder))
  if pcall(run, stores:format(folder, system_store, system_store)) then
    self.store, self.bundle = folder .. "/store", folder .. "/bundle.pem"
  end
  local answer = server.read(here .. "answer.json")
  self.port = free_port()
  local tls_port = free_port()
  server.write(folder .. "/nginx.conf", configuration:format(self.port, tls_port, answer))
  self.plain = "http://127.0.0.1:" .. self.port
  self.tls = "https://localhost:" .. tls_port
  self.process = assert(io.popen(keep:format(keeper, folder, folder, folder), "w"))
  wait_for(self.port, folder)
  return self
end

-- How many connections it accepted, this look's own not counted.
function Server:connections()
  local connection = assert(socket.connect("127.0.0.1", self.port))
  connection:send "GET /status HTTP/1.0\r\n\r\n"
  local text = connection:receive "*a"
  connection:close()
  self.looks = (self.looks or 1) + 1
  return tonumber(text:match "\n%s*(%d+) %d+ %d+") - self.looks
end

function Server:pid() return server.read(self.folder .. "/nginx.pid"):match "%d+" end

-- Ends it and removes its folder.
function Server:stop() self.process:close() end

server.lines_of = lines_of

return server
