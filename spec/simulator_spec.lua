-- The simulator as its users meet it: its services, its HTTP, its options, its process. Everything runs on ports that
-- the system chooses; what has to take time is waited for by its effect, never by sleeping.

local cjson = require "cjson"
local programs = require "spec.support.programs"
local raw = require "spec.support.simulator_client"
local simulator = require "apprunner.simulator"
local socket = require "socket"

local PATIENCE, uuid = raw.PATIENCE, raw.uuid
local start, connect, connect_url = raw.start, raw.connect, raw.connect_url
local request_text, read_response, exchange, call =
  raw.request_text, raw.read_response, raw.exchange, raw.call
local by_arn, status_of, await, error_of = raw.by_arn, raw.status_of, raw.await, raw.error_of
local temporary, output_of = raw.temporary, programs.output_of

after_each(raw.close_all)

local interpreter = output_of("readlink /proc/$PPID/exe"):match("%S+")

-- Runs a script in another interpreter, which finds what this one finds by `require` → the pipe of its output, the
-- first line of which is its pid.
local function run_host(script, environment)
  local path = temporary(("package.path, package.cpath = %q, %q\nio.stdout:setvbuf('line')\n%s"):format(
    package.path, package.cpath, script))
  return assert(io.popen(("echo $$; exec env %s %s %s 2>&1"):format(environment or "", interpreter, path), "r"))
end

local function kill(pid, signal)
  os.execute(("kill -%s %d"):format(signal, tonumber(pid)))
end

-- Waits until the other side of an open connection is gone.
local function ended(client)
  local _, problem = client:receive(1)
  return problem == "closed"
end

local function refuses(url)
  local client, problem = socket.connect("127.0.0.1", tonumber(url:match(":(%d+)$")))
  if client then client:close() end
  return problem == "connection refused"
end

-- The behaviour ------------------------------------------------------------------------------------------------------

describe("a simulated service", function()
  it("is found by its ARN and described", function()
    local sim = start {region = "eu-central-1", account_id = "210987654321"}
    local response = call(sim, "DescribeService", by_arn(sim))
    assert.equal(200, response.status)
    local service = response.data.Service
    assert.equal("storefront", service.ServiceName)
    assert.equal("RUNNING", service.Status)
    assert.matches("^arn:aws:apprunner:eu%-central%-1:210987654321:service/storefront/%x+$", service.ServiceArn)
    assert.equal("info", service.SourceConfiguration.ImageRepository.ImageConfiguration
      .RuntimeEnvironmentVariables.LOG_LEVEL)
  end)

  it("is paused by way of OPERATION_IN_PROGRESS", function()
    local sim = start {operation_seconds = 0.2}
    local response = call(sim, "PauseService", by_arn(sim))
    assert.equal(200, response.status)
    assert.matches(uuid, response.data.OperationId)
    assert.equal("OPERATION_IN_PROGRESS", response.data.Service.Status)
    assert.equal("PAUSED", await(sim, 1, "PAUSED"))
  end)

  it("is resumed by way of OPERATION_IN_PROGRESS", function()
    local sim = start {operation_seconds = 0.2}
    local response = call(sim, "ResumeService", by_arn(sim, 4))
    assert.equal("OPERATION_IN_PROGRESS", response.data.Service.Status)
    assert.equal("RUNNING", await(sim, 4, "RUNNING"))
  end)

  it("has reached its state at the next look when operations take no time", function()
    local sim = start {operation_seconds = 0}
    assert.equal("OPERATION_IN_PROGRESS", call(sim, "PauseService", by_arn(sim)).data.Service.Status)
    assert.equal("PAUSED", status_of(sim))
    assert.equal(200, call(sim, "ResumeService", by_arn(sim)).status)
    assert.equal("RUNNING", status_of(sim))
  end)

  it("is not paused, and says its state, while an operation runs", function()
    local sim = start {operation_seconds = 3600}
    call(sim, "PauseService", by_arn(sim))
    local response = call(sim, "PauseService", by_arn(sim))
    assert.same({"InvalidStateException", 400}, {error_of(response)})
    assert.matches("OPERATION_IN_PROGRESS", response.data.Message)
    assert.equal("OPERATION_IN_PROGRESS", status_of(sim))
  end)

  it("is not paused twice nor resumed while it runs", function()
    local sim = start()
    assert.same({"InvalidStateException", 400}, {error_of(call(sim, "PauseService", by_arn(sim, 4)))})
    assert.same({"InvalidStateException", 400}, {error_of(call(sim, "ResumeService", by_arn(sim, 1)))})
  end)

  it("changes its UpdatedAt with each change of state, and nothing else does", function()
    local sim = start {operation_seconds = 0}
    local function updated_at() return call(sim, "DescribeService", by_arn(sim)).data.Service.UpdatedAt end
    local before = updated_at()
    assert.equal(before, updated_at())
    local during = call(sim, "PauseService", by_arn(sim)).data.Service.UpdatedAt
    assert.is_true(during > before)
    assert.is_true(updated_at() > during)
    assert.is_true(math.abs(updated_at() - socket.gettime()) < 60)
  end)

  it("keeps a status given to it, maintenance too", function()
    local sim = start {operation_seconds = 0, services = {
      {ServiceName = "maintained", Status = "OPERATION_IN_PROGRESS"}, {ServiceName = "deleted", Status = "DELETED"},
    }}
    assert.equal("OPERATION_IN_PROGRESS", status_of(sim))
    assert.equal("number", type(call(sim, "DescribeService", by_arn(sim, 2)).data.Service.DeletedAt))
  end)

  it("answers every call with the error in its row", function()
    local sim = start {services = {
      {ServiceName = "broken", Status = "RUNNING", error = "InternalServiceErrorException"},
      {ServiceName = "sound", Status = "RUNNING"},
    }}
    for _, operation in ipairs {"DescribeService", "PauseService", "ResumeService"} do
      assert.same({"InternalServiceErrorException", 500}, {error_of(call(sim, operation, by_arn(sim)))})
    end
    assert.equal("RUNNING", status_of(sim, 2))
  end)

  it("gets the same identifiers from the same seed", function()
    local first, second, third = start {seed = 7}, start {seed = 7}, start {seed = 8}
    assert.same(first.services, second.services)
    assert.not_equal(first.services[1].ServiceId, third.services[1].ServiceId)
    call(second, "DescribeService", by_arn(second))
    assert.equal(call(first, "PauseService", by_arn(first)).data.OperationId,
      call(second, "PauseService", by_arn(second)).data.OperationId)
  end)
end)

describe("a request that App Runner refuses", function()
  local sim
  setup(function() sim = assert(simulator.start()) end)
  teardown(function() sim:stop() end)

  local function refused(body, changes, operation)
    return {error_of(call(sim, operation or "DescribeService", body, changes))}
  end

  it("names a service that is not there, here or in this region", function()
    local arn = sim.services[1].ServiceArn
    for part, other in pairs {["%x$"] = "x", ["us%-east%-1"] = "us-west-2", ["123456789012"] = "999999999999"} do
      assert.same({"ResourceNotFoundException", 400}, refused {ServiceArn = (arn:gsub(part, other))})
    end
  end)

  it("has an ARN that is none, or none at all", function()
    local long = "arn:aws:apprunner:us-east-1:123456789012:service/" .. ("x"):rep(1000)
    for _, arn in ipairs {"", "storefront", "arn:aws:apprunner:us-east-1:12:service/a", long, "arn:aws:x\n"} do
      assert.same({"InvalidRequestException", 400}, refused {ServiceArn = arn})
    end
    assert.same({"InvalidRequestException", 400}, refused {ServiceArn = cjson.null})
    assert.same({"InvalidRequestException", 400}, refused("{}"))
  end)

  it("quotes nothing that would break the answer", function()
    local response = call(sim, "DescribeService", '{"ServiceArn":"\195\\u0000\255"}')
    assert.matches("^[\32-\126]+$", response.body)
    assert.same({"InvalidRequestException", 400}, {error_of(response)})
  end)

  it("has a body that is no JSON object, or a member of another type", function()
    for _, body in ipairs {"", "{", "[]", "null", '{"ServiceArn":}', "{} x", '{"ServiceArn":12}', '{"a":NaN}'} do
      assert.same({"SerializationException", 400}, refused(body), body)
    end
    assert.same({"SerializationException", 400}, refused(("["):rep(5000)))
    assert.same({"SerializationException", 400}, refused('{"a":' .. ("["):rep(5000)))
  end)

  it("has a target that is unknown, missing or another service's", function()
    for _, target in ipairs {"AppRunner.StopService", "AppRunner.", "ECS.DescribeService", false} do
      assert.same({"UnknownOperationException", 400}, refused("{}", {headers = {["X-Amz-Target"] = target}}))
    end
  end)

  it("goes to another path or comes by another method", function()
    assert.same({"UnknownOperationException", 404}, refused("{}", {path = "/services"}))
    assert.same({"UnknownOperationException", 404}, refused("{}", {method = "GET"}))
  end)

  it("is answered with a request id, a date and the content type of the API, as a success is", function()
    for _, body in ipairs {by_arn(sim), "{"} do
      local headers = call(sim, "DescribeService", body).headers
      assert.matches(uuid, headers["x-amzn-requestid"])
      assert.matches("^%u%l%l, %d%d %u%l%l %d%d%d%d %d%d:%d%d:%d%d GMT$", headers.date)
      assert.equal("application/x-amz-json-1.0", headers["content-type"])
    end
  end)
end)

describe("the simulator's HTTP", function()
  local sim
  setup(function() sim = assert(simulator.start()) end)
  teardown(function() sim:stop() end)

  local function described(response, index)
    return response.status == 200 and response.data.Service.ServiceArn == sim.services[index or 1].ServiceArn
  end

  it("serves many requests on one connection", function()
    local client = connect(sim)
    for i = 1, 4 do
      assert.is_true(described(exchange(client, request_text("DescribeService", by_arn(sim, i))), i))
    end
  end)

  it("answers requests that come in one packet, in their order", function()
    local client, texts = connect(sim), {}
    for i = 1, 4 do texts[i] = request_text("DescribeService", by_arn(sim, i)) end
    assert(client:send(table.concat(texts)))
    for i = 1, 4 do assert.is_true(described(read_response(client), i)) end
  end)

  it("answers a request that comes in pieces of one byte", function()
    local client = connect(sim)
    client:setoption("tcp-nodelay", true)
    for byte in request_text("DescribeService", by_arn(sim)):gmatch(".") do assert(client:send(byte)) end
    assert.is_true(described(read_response(client)))
  end)

  it("answers a pipeline that is longer than what it is willing to buffer, once its answers are read", function()
    local client, count = connect(sim), 400
    local text = request_text("DescribeService", by_arn(sim))
    client:settimeout(0)
    local unsent, answers = text:rep(count), ""
    local deadline = socket.gettime() + PATIENCE
    while select(2, answers:gsub("HTTP/1.1 200 OK", "")) < count and socket.gettime() < deadline do
      local sent, _, partial = client:send(unsent)
      unsent = unsent:sub((sent or partial or 0) + 1)
      local readable = socket.select({client}, unsent ~= "" and {client} or nil, 0.5)
      if readable[client] and unsent == "" then
        local data, _, rest = client:receive(1048576)
        answers = answers .. (data or rest)
      elseif readable[client] then
        answers = answers .. (select(3, client:receive(65536)) or "")
      end
    end
    assert.equal(count, select(2, answers:gsub("HTTP/1.1 200 OK", "")))
  end)

  it("serves a connection while others stand half-way", function()
    local text = request_text("DescribeService", by_arn(sim))
    local halves = {}
    for i = 1, 40 do
      halves[i] = connect(sim)
      assert(halves[i]:send(text:sub(1, i * 5)))
    end
    assert.is_true(described(call(sim, "DescribeService", by_arn(sim))))
    for i = 1, 40 do
      assert(halves[i]:send(text:sub(i * 5 + 1)))
      assert.is_true(described(read_response(halves[i])))
    end
  end)

  it("closes after the answer when asked to, and answers a client that has closed its side", function()
    local text = request_text("DescribeService", by_arn(sim), {headers = {Connection = "close"}})
    local client = connect(sim)
    assert.equal("close", exchange(client, text).headers.connection)
    assert.is_true(ended(client))
    client = connect(sim)
    assert(client:send(request_text("DescribeService", by_arn(sim))))
    client:shutdown("send")
    assert.is_true(described(read_response(client)))
    assert.is_true(ended(client))
  end)

  it("asks for the body when the client waits for that", function()
    local text = request_text("DescribeService", by_arn(sim), {headers = {Expect = "100-continue"}})
    local head, body = text:match("^(.-\r\n\r\n)(.*)$")
    local client = connect(sim)
    assert(client:send(head))
    assert.equal("HTTP/1.1 100 Continue", client:receive("*l"))
    assert.equal("", client:receive("*l"))
    assert.is_true(described(exchange(client, body)))
  end)

  it("sends no body to HEAD", function()
    local client = connect(sim)
    assert(client:send(request_text("DescribeService", "", {method = "HEAD", headers = {Connection = "close"}})))
    local all = client:receive("*a")
    assert.matches("^HTTP/1%.1 404 .*\r\n\r\n$", all)
  end)

  -- What the client sends, and the status of the answer after which the connection is closed.
  local broken = {
    ["a request line that is none"] = {"nonsense\r\n\r\n", 400},
    ["a header that is none"] = {"POST / HTTP/1.1\r\nHost: a\r\nno header\r\n\r\n", 400},
    ["a header that is continued"] = {"POST / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n", 400},
    ["a header with a control character"] = {"POST / HTTP/1.1\r\nHost: a\rb: c\r\nContent-Length: 0\r\n\r\n", 400},
    ["no Host"] = {"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n", 400},
    ["no Content-Length"] = {"POST / HTTP/1.1\r\nHost: a\r\n\r\n", 411},
    ["a chunked body"] = {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 411},
    ["two lengths"] = {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}", 400},
    ["a negative length"] = {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400},
    ["an enormous length"] = {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " .. ("9"):rep(40) .. "\r\n\r\n", 413},
    ["a body that is too long"] = {
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1048577\r\n\r\n" .. (" "):rep(1048577), 413},
    ["a head that is too long"] = {"POST / HTTP/1.1\r\nHost: " .. ("a"):rep(200000) .. "\r\n\r\n", 431},
    ["a head without end"] = {"POST / HTTP/1.1\r\nHost: " .. ("a"):rep(20000), 431},
    ["another protocol"] = {"POST / HTTP/2.0\r\nHost: a\r\n\r\n", 505},
    ["a TLS handshake"] = {"\22\3\1\2\0\1\0\1\252\3\3\r\n\r\n", 400},
  }
  for what, case in pairs(broken) do
    it("refuses " .. what .. " and goes on serving others", function()
      local client = connect(sim)
      client:send(case[1])
      local response = read_response(client)
      assert.equal(case[2], response.status)
      assert.matches(uuid, response.headers["x-amzn-requestid"])
      assert.is_true(ended(client))
      assert.is_true(described(call(sim, "DescribeService", by_arn(sim))))
    end)
  end

  it("takes a body of just the length it allows", function()
    local body = cjson.encode(by_arn(sim))
    assert.is_true(described(call(sim, "DescribeService", body .. (" "):rep(1048576 - #body))))
  end)
end)

describe("the options", function()
  -- Options that are refused, and what the message names.
  local refused = {
    {{colour = "red"}, "colour"}, {{port = "80"}, "port"}, {{port = 70000}, "port"}, {{port = 1.5}, "port"},
    {{region = "Nowhere"}, "region"}, {{account_id = 123456789012}, "account_id"}, {{account_id = "1"}, "account_id"},
    {{credentials = {}}, "credentials"}, {{credentials = "key"}, "credentials"}, {{services = "all"}, "services"},
    {{services = {{ServiceName = "web", Status = "RUNNING"}}}, "service 1 has no valid ServiceName"},
    {{services = {{ServiceName = "storefront"}}}, "service 1 has no Status"},
    {{services = {{ServiceName = "storefront", Status = "ASLEEP"}}}, "ASLEEP"},
    {{services = {{ServiceName = "storefront", Status = "RUNNING", error = "Oops"}}}, "Oops"},
    {{services = {{ServiceName = "storefront", Status = "RUNNING", Colour = 1}}}, "Colour"},
    {{services = {{ServiceName = "same", Status = "RUNNING"}, {ServiceName = "same", Status = "PAUSED"}}}, "service 2"},
    {{services = {storefront = "RUNNING"}}, "services"}, {{operation_seconds = -1}, "operation_seconds"},
    {{operation_seconds = 0 / 0}, "operation_seconds"}, {{operation_seconds = math.huge}, "operation_seconds"},
    {{page_size = 0}, "page_size"}, {{page_size = 21}, "page_size"}, {{empty_pages = 1}, "empty_pages"},
    {{services = {{ServiceName = "storefront", Status = "RUNNING", Tags = {["aws:x"] = "y"}}}}, "Tags"},
    {{seed = "x"}, "seed"}, {{log = 1}, "log"}, {"all", "options"},
  }

  it("are refused by name when they are unknown or ill-typed", function()
    for _, case in ipairs(refused) do
      for _, entry in ipairs {"start", "serve"} do
        local ok, message = simulator[entry](case[1])
        assert.is_nil(ok)
        assert.is_truthy(message:find(case[2], 1, true), message)
      end
    end
  end)

  it("never show a secret", function()
    local _, message = simulator.start {credentials = {access_key_id = "a", secret_access_key = "hush", x = "hush"}}
    assert.is_nil(message:find("hush"))
  end)

  it("of serve that cannot cross into another process are refused by start", function()
    assert.matches("log", select(2, simulator.start {log = print}))
    assert.matches("on_listening", select(2, simulator.start {on_listening = print}))
  end)

  it("pass into the process unharmed", function()
    local log = temporary("")
    local sim = start {
      log = log, operation_seconds = 0.25, services = {{ServiceName = "it-works_1", Status = "CREATE_FAILED"}},
      credentials = {access_key_id = "AKIDEXAMPLE", secret_access_key = "'\"\\$(false)`%d%%~"},
    }
    local response = call(sim, "DescribeService", by_arn(sim), {
      sign = {credentials = {access_key_id = "AKIDEXAMPLE", secret_access_key = "'\"\\$(false)`%d%%~"}},
    })
    assert.equal("CREATE_FAILED", response.data.Service.Status)
    assert.equal(1, #sim.services)
  end)

  it("name a log that gets a line for each request, without credentials", function()
    local log = temporary("")
    local sim = start {log = log, seed = 3}
    call(sim, "PauseService", by_arn(sim))
    local response = call(sim, "PauseService", by_arn(sim))
    call(sim, "PauseService", "{}", {method = "GET", path = "/x"})
    sim:stop()
    local lines = {}
    for line in io.lines(log) do lines[#lines + 1] = line end
    assert.equal(3, #lines)
    assert.matches(" PauseService 200 %- ", lines[1])
    assert.matches(" PauseService 400 InvalidStateException ", lines[2])
    assert.is_truthy(lines[2]:find(response.headers["x-amzn-requestid"], 1, true))
    assert.matches(" GET /x 404 UnknownOperationException ", lines[3])
    assert.is_nil(table.concat(lines):find("AKID"))
  end)

  it("name a port, which only one simulator can have", function()
    local sim = start()
    local port = tonumber(sim.endpoint_url:match("(%d+)$"))
    local second, message = simulator.start {port = port}
    assert.is_nil(second)
    assert.matches("port " .. port .. ": address already in use", message)
    sim:stop()
    assert.equal(sim.endpoint_url, start({port = port}).endpoint_url)
  end)
end)

describe("the simulator's process #hosts", function()
  it("is gone when stop returns, and stop may be called again", function()
    local sim = start()
    local client = connect(sim)
    sim:stop()
    assert.is_true(ended(client))
    assert.is_true(refuses(sim.endpoint_url))
    sim:stop()
  end)

  it("ends with the scope of a to-be-closed variable, where Lua has them", function()
    local scope = (loadstring or load)("local sim <close> = ... return sim.endpoint_url")
    if not scope then return end
    assert.is_true(refuses(scope(simulator.start())))
  end)

  it("leaves no file behind", function()
    local directory = temporary("")
    os.remove(directory)
    os.execute("mkdir " .. directory)
    local host = run_host([[
      os.tmpname = function() return "]] .. directory .. [[/options" end
      local sim = require("apprunner.simulator").start()
      sim:stop()
    ]])
    host:read("*a")
    host:close()
    assert.equal("", output_of("ls " .. directory))
    os.execute("rmdir " .. directory)
  end)

  it("is not disturbed by another that starts and stops", function()
    local first, second = start(), start()
    assert.not_equal(first.endpoint_url, second.endpoint_url)
    call(second, "PauseService", by_arn(second))
    assert.equal("RUNNING", status_of(first))
    first:stop()
    assert.equal("OPERATION_IN_PROGRESS", status_of(second))
    local third = start()
    second:stop()
    assert.equal("RUNNING", status_of(third))
  end)

  it("runs on when its handle is forgotten", function()
    local url = start().endpoint_url
    collectgarbage()
    collectgarbage()
    local client = connect_url(url)
    assert.equal(400, exchange(client, request_text("StopService", "{}")).status)
  end)

  it("needs neither LuaSocket nor lua-cjson in the parent", function()
    local host = run_host([[
      package.preload.socket, package.preload.cjson = error, error
      local sim = assert(require("apprunner.simulator").start())
      print(#sim.services, package.loaded.socket, package.loaded.cjson)
      sim:stop()
    ]])
    host:read("*l")
    assert.equal("4\tnil\tnil\n", host:read("*a"))
    host:close()
  end)

  it("that cannot start says why, without hanging", function()
    local host = run_host([[print(require("apprunner.simulator").start())]], "PATH=/nonexistent")
    host:read("*l")
    assert.matches("^nil\t.*no Lua interpreter.*LuaSocket and lua%-cjson", host:read("*a"))
    host:close()
  end)

  local two = [[
    local simulator = require "apprunner.simulator"
    for _ = 1, 2 do print(simulator.start().endpoint_url) end
  ]]

  it("ends with its parent", function()
    local host = run_host(two)
    host:read("*l")
    local first, second = host:read("*l"), host:read("*l")
    host:close()
    assert.is_true(refuses(first) and refuses(second))
  end)

  -- A child of the parent's own inherits the descriptors of both simulators and outlives the parent.
  local heir = [[
    os.execute("sleep 600 >/dev/null 2>&1 </dev/null & echo $!")
  ]]

  it("ends with a parent whose other children live on", function()
    local host = run_host(two .. heir)
    host:read("*l")
    local first, second, sleeper = host:read("*l"), host:read("*l"), host:read("*l")
    raw.close_later(function() kill(sleeper, "KILL") end)
    host:close()
    assert.is_true(refuses(first) and refuses(second))
  end)

  for what, more in pairs {["a parent"] = "print()", ["a parent with other children"] = heir} do
    it("ends with " .. what .. " that is killed", function()
      local host = run_host(two .. more .. " require('socket').sleep(600)")
      local pid, first, second, sleeper = host:read("*l"), host:read("*l"), host:read("*l"), host:read("*l")
      if sleeper ~= "" then raw.close_later(function() kill(sleeper, "KILL") end) end
      local clients = {connect_url(first), connect_url(second)}
      kill(pid, "KILL")
      assert.is_true(ended(clients[1]) and ended(clients[2]))
      assert.is_true(refuses(first) and refuses(second))
      host:close()
    end)
  end
end)

describe("the simulator in the foreground #hosts", function()
  it("prints its address and serves until it is interrupted", function()
    local host = run_host([[require("apprunner.simulator").serve {seed = 1}]])
    local pid, url = host:read("*l"), host:read("*l"):match("^App Runner simulator: (http://127%.0%.0%.1:%d+)$")
    local client = connect_url(url)
    assert.equal(400, exchange(client, request_text("StopService", "{}")).status)
    kill(pid, "INT")
    assert.is_true(ended(client))
    host:close()
  end)

  it("tells its address and services to on_listening and each request to log", function()
    local host = run_host([[
      require("apprunner.simulator").serve {
        on_listening = function(url, services) print(url) print(services[4].ServiceName, services[4].Status) end,
        log = print,
      }
    ]])
    local pid, url, service = host:read("*l"), host:read("*l"), host:read("*l")
    assert.equal("nightly-report\tPAUSED", service)
    local client = connect_url(url)
    exchange(client, request_text("StopService", "{}"))
    assert.matches(" POST / 400 UnknownOperationException ", host:read("*l"))
    kill(pid, "KILL")
    host:close()
  end)

  it("says which module it lacks", function()
    local host = run_host([[
      package.preload.cjson = function() error("absent") end
      print(require("apprunner.simulator").serve())
    ]])
    host:read("*l")
    assert.matches("^nil\t.*needs the Lua module cjson .luarocks install lua%-cjson", host:read("*a"))
    host:close()
  end)
end)
