-- Pauses through two workers of nginx that are reloaded all the while, for spec/nginx_spec.lua and `make soak`.

local cjson = require "cjson"
local hosts = require "spec.support.hosts"
local socket = require "socket"

local reloads = {}

local MAIN = "env ENDPOINT; env BUNDLE; env AWS_ACCESS_KEY_ID; env AWS_SECRET_ACCESS_KEY;"
local HTTP = [[
  lua_shared_dict told 1m;
  init_by_lua_block { require "nginx_front" }
  server {
    listen 127.0.0.1:@front@;
    location = /trivial { return 200 "trivial"; }
    location ~ ^/do/(?<what>\w+)$ { content_by_lua_block { require("nginx_front")[ngx.var.what]() } }
  }]]

local ENDPOINT = [[
  server {
    listen 127.0.0.1:@tls@ ssl;
    ssl_certificate @pki@/good.pem;
    ssl_certificate_key @pki@/good.key;
    location / { content_by_lua_file @root@/spec/support/nginx_endpoint.lua; }
  }]]

-- An endpoint that speaks TLS.
function reloads.endpoint(pki) return hosts.nginx {ports = {"tls"}, http = ENDPOINT, values = {pki = pki}} end

-- Starts so many workers before an endpoint.
function reloads.front(endpoint, pki, workers)
  return hosts.nginx {
    ports = {"front"}, http = HTTP, main = MAIN, workers = workers,
    env = {ENDPOINT = "https://localhost:" .. endpoint.port.tls, BUNDLE = pki .. "/hashed"},
  }
end

-- The endpoint takes so many milliseconds.
local function pause(front, i, wait)
  return hosts.request(front.port.front, ("/do/pause?name=wait%dservice%d"):format(wait, i))
end

-- What is wrong with the answer to the i-th request, or nil.
local function problem_of(request, i)
  local told = request.status == 200 and cjson.decode(request.body) or {}
  if told.status == "OPERATION_IN_PROGRESS" and told.arn:find("service" .. i .. "/", 1, true) then return nil end
  return ("%d: %s %s"):format(i, request.status or "no answer", request.body or "")
end

-- What the processes hold when nothing is under way; each worker has paused.
local function look(front, endpoint)
  local workers = front:workers()
  local paused = {}
  hosts.await("a pause in each worker", function()
    paused[cjson.decode(hosts.answers({pause(front, 0, 0)})[1].body).pid] = true
    return paused[workers[1]] and paused[workers[2]]
  end)
  local found = {master = hosts.resident(front:pid()), worker = 0, descriptors = 0}
  for _, pid in ipairs(workers) do
    found.worker = math.max(found.worker, hosts.resident(pid))
    found.descriptors = math.max(found.descriptors, hosts.descriptors(pid, endpoint.port.tls))
  end
  return found
end

-- Signals a reload every so many seconds; `seen` has each worker that there was.
local function reloader(front, interval)
  local next_time, state = socket.gettime() + interval, {count = 0, seen = {}}
  function state.go_on()
    if socket.gettime() < next_time then return end
    for _, pid in ipairs(front:workers()) do state.seen[pid] = true end
    front:signal "HUP"
    state.count, next_time = state.count + 1, socket.gettime() + interval
  end
  return state
end

local function await_successors(front, seen)
  hosts.await("the end of the old workers", function()
    local workers = front:workers()
    return #workers == 2 and not seen[workers[1]] and not seen[workers[2]]
  end)
end

-- Pauses `calls` services, `concurrency` at a time, each of which takes `wait` milliseconds, with a reload every
-- `interval` seconds. Returns what failed, how many reloads there were, and what the processes held before and after:
-- of workers that have been reloaded, so that they are alike.
function reloads.run(endpoint, pki, options)
  local front = reloads.front(endpoint, pki, 2)
  local state = reloader(front, 0)
  state.go_on()
  await_successors(front, state.seen)
  local report = {failed = {}, before = look(front, endpoint)}
  state = reloader(front, options.interval)
  local begun = socket.gettime()
  local requests = hosts.stream(options.calls, options.concurrency, function(i)
    return pause(front, i, options.wait)
  end, state.go_on)
  report.seconds, report.reloads = socket.gettime() - begun, state.count
  for i, request in ipairs(requests) do report.failed[#report.failed + 1] = problem_of(request, i) end
  await_successors(front, state.seen)
  report.after = look(front, endpoint)
  report.log = front:log()
  front:stop()
  return report
end

return reloads
