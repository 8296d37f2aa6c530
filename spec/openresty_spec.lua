-- The example of examples/openresty, started as its user would: start.lua with a simulator, and with an endpoint that
-- answers late or with errors.

local cjson = require "cjson"
local hosts = dofile "spec/support/hosts.lua"

local TOKEN = "0123456789abcdef0123456789abcdef"

describe("examples/openresty #hosts #once", function()
  local ENDPOINT = [[
    server {
      listen 127.0.0.1:@plain@;
      access_log @dir@/access.log exchange;
      lua_check_client_abort on;
      location / { content_by_lua_file @root@/spec/support/nginx_endpoint.lua; }
    }]]

  local endpoint, demo, faulty

  local function arn_of(name)
    return ("arn:aws:apprunner:us-east-1:123456789012:service/%s/0123456789abcdef0123456789abcdef"):format(name)
  end

  local function start(env)
    env.TMPDIR = hosts.path ""
    return hosts.start("lua5.4 " .. hosts.root .. "/examples/openresty/start.lua", {env = env})
  end

  -- Waits until it serves, and reads what it printed: `dir`, `port`, and `arns` by the services' names.
  local function await_start(program)
    local text = hosts.await("start.lua", function()
      local text = hosts.read(program.out) or ""
      return text:find "curl.*\n$" and text
    end)
    program.dir, program.port = text:match "nginx runs in (%S+);", tonumber(text:match "127%.0%.0%.1:(%d+)/pause")
    program.arns = {}
    for arn, name in text:gmatch "service=(arn:%S-:service/([^/]+)/%x+)'" do program.arns[name] = arn end
    hosts.await("its workers", function()
      return select(2, (hosts.read(program.dir .. "/error.log") or ""):gsub("start worker process ", "")) == 2
    end)
    return program
  end

  local function log_of(program) return hosts.read(program.dir .. "/error.log") end

  -- The time of day in so many seconds.
  local function clock(seconds) return (os.date("%H:%M:%S", os.time() + seconds)) end

  setup(function()
    endpoint = hosts.nginx {ports = {"plain"}, http = ENDPOINT}
    local list = hosts.write("list", "# tonight\n\n  " .. arn_of "fail404-ResourceNotFoundException" .. "\n")
    demo = start {PAUSE_TOKEN = TOKEN, PAUSE_AT = clock(3)}
    faulty = start {
      PAUSE_TOKEN_FILE = hosts.write("token", TOKEN .. "\n"), PAUSE_TIMEOUT = "0.5", PAUSE_LIST = list,
      PAUSE_AT = clock(2), AWS_MAX_ATTEMPTS = "1",
      AWS_ENDPOINT_URL_APPRUNNER = "http://127.0.0.1:" .. endpoint.port.plain,
    }
    await_start(demo)
    await_start(faulty)
  end)

  teardown(function()
    for _, program in ipairs {demo, faulty} do
      local pid = program.dir and hosts.read(program.dir .. "/nginx.pid")
      if pid then hosts.shell("kill -QUIT " .. pid) end
      program:finish()
    end
    hosts.clear()
  end)

  local function request(program, query, authorization, method)
    local header = authorization and ("Authorization: %s\r\n"):format(authorization) or ""
    return hosts.request(program.port, "/pause" .. query, method or "POST", header)
  end

  -- Asks to pause: the answer, with its JSON in `body`.
  local function ask(...)
    local answer = hosts.answers({request(...)})[1]
    assert.matches("Content%-Type: application/json\r\n", answer.head)
    answer.body = cjson.decode(answer.body)
    return answer
  end

  local function pause(program, arn) return ask(program, "?service=" .. arn, "Bearer " .. TOKEN) end

  it("answers 202 and the OperationId", function()
    local answer = pause(demo, demo.arns.storefront)
    assert.equal(202, answer.status)
    assert.equal("OPERATION_IN_PROGRESS", answer.body.Status)
    assert.matches("^%x+%-%x+%-%x+%-%x+%-%x+$", answer.body.OperationId)
  end)

  it("answers what App Runner refuses with a status and the error", function()
    local cases = {
      {demo, demo.arns["nightly-report"], 409, "InvalidStateException"},
      {demo, arn_of "nobodys", 404, "ResourceNotFoundException"},
      {faulty, arn_of "fail400-InvalidRequestException", 400, "InvalidRequestException"},
      {faulty, arn_of "fail400-AccessDeniedException", 403, "AccessDeniedException"},
      {faulty, arn_of "fail400-ThrottlingException", 429, "ThrottlingException"},
      {faulty, arn_of "fail500-InternalServiceErrorException", 502, "InternalServiceErrorException"},
      {faulty, arn_of "fail418-Teapot", 502, "Teapot"},
      {faulty, arn_of "wait20000late", 504, "CallTimeoutError"},
    }
    for _, case in ipairs(cases) do
      local program, arn, status, code = table.unpack(case)
      local answer = pause(program, arn)
      assert.same({status, code}, {answer.status, answer.body.error})
      assert.equal("string", type(answer.body.message))
      assert.equal(status == 429, answer.head:find("\r\nRetry-After: 10\r\n", 1, true) ~= nil)
      assert.equal(status == 504 or nil, answer.body.ambiguous)
      assert.equal(status >= 500, log_of(program):find(code .. ": ", 1, true) ~= nil)
    end
  end)

  it("answers 400 where no service is named, and 405 to another method", function()
    for _, query in ipairs {"", "?service", "?service=a&service=b", "?service=storefront", "?service=arn:aws:s3:::a"} do
      local answer = ask(demo, query, "Bearer " .. TOKEN)
      assert.same({400, "BadRequest"}, {answer.status, answer.body.error})
    end
    local answer = ask(demo, "?service=" .. arn_of "any", "Bearer " .. TOKEN, "GET")
    assert.equal(405, answer.status)
    assert.matches("\r\nAllow: POST\r\n", answer.head)
  end)

  it("answers 401 to whoever does not show the token", function()
    local others = {false, "", TOKEN, "Bearer", "Bearer ", "Bearer " .. TOKEN:sub(1, -2), "Bearer " .. TOKEN .. "0",
      "Bearer " .. TOKEN:upper(), "Basic " .. TOKEN}
    for _, program in ipairs {demo, faulty} do
      for _, authorization in ipairs(others) do
        local answer = ask(program, "?service=" .. arn_of "any", authorization)
        assert.equal(401, answer.status)
        assert.matches("\r\nWWW%-Authenticate: Bearer\r\n", answer.head)
      end
    end
  end)

  it("cancels the call of a client that goes away", function()
    local patient = await_start(start {
      PAUSE_TOKEN = TOKEN, PAUSE_TIMEOUT = "60",
      AWS_ENDPOINT_URL_APPRUNNER = "http://127.0.0.1:" .. endpoint.port.plain,
    })
    local gone = request(patient, "?service=" .. arn_of "wait20000gone", "Bearer " .. TOKEN)
    endpoint:await_request "wait20000gone"
    gone.connection:close()
    hosts.await("the end of the call", function()
      local served = endpoint:served().wait20000gone
      return served and served.status == 499
    end)
    hosts.await("the end of the request", function()
      return (hosts.read(patient.dir .. "/access.log") or ""):find('" 499 ', 1, true)
    end)
    assert.is_nil(log_of(patient):find("[error]", 1, true))
    hosts.shell("kill -QUIT " .. hosts.read(patient.dir .. "/nginx.pid"))
    assert.equal(0, patient:finish().status)
    assert.is_nil(hosts.read(patient.dir .. "/nginx.conf"))
  end)

  it("does not start with settings that are wrong", function()
    local cases = {
      ["PAUSE_TOKEN_FILE or PAUSE_TOKEN must give a token"] = {PAUSE_TOKEN = "short"},
      ["PAUSE_AT is not HH:MM: 24:00"] = {PAUSE_TOKEN = TOKEN, PAUSE_AT = "24:00"},
      ["PAUSE_TIMEOUT is not a number of seconds: soon"] = {PAUSE_TOKEN = TOKEN, PAUSE_TIMEOUT = "soon"},
      ["/nonexistent/token"] = {PAUSE_TOKEN_FILE = "/nonexistent/token"},
    }
    local programs = {}
    for message, env in pairs(cases) do programs[message] = start(env) end
    for message, program in pairs(programs) do
      local ended = program:finish()
      assert.equal(1, ended.status)
      assert.truthy(ended.err:find(message, 1, true), ended.err)
    end
  end)

  it("pauses its list every night, in one worker, and logs what became of each", function()
    hosts.await("the night", function()
      return select(2, log_of(demo):gsub(": paused arn:", "")) == 2 and log_of(faulty):find "not paused: arn:"
    end)
    for _, name in ipairs {"orders-api", "image-worker"} do
      local _, count = log_of(demo):gsub("paused " .. demo.arns[name]:gsub("%p", "%%%0"), "")
      assert.equal(1, count)
      assert.equal(409, pause(demo, demo.arns[name]).status)
    end
    local failed = "not paused: " .. arn_of "fail404-ResourceNotFoundException" .. ": ResourceNotFoundException: "
    assert.truthy(log_of(faulty):find(failed, 1, true))
    assert.equal(1, select(2, log_of(faulty):gsub("not paused", "")))
  end)
end)
