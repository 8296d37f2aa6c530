-- The seam in plain programs: each test is a script on the interpreter that runs the specs, started with a clean
-- environment, against nginx or against a server in this very process.

local hosts = dofile "spec/support/hosts.lua"
local make_pki = dofile "spec/support/pki.lua"
local socket = require "socket"

-- A server in this process --------------------------------------------------------------------------------------------

local function listen()
  local server = assert(socket.bind("127.0.0.1", 0))
  server:settimeout(0.02)
  local _, port = server:getsockname()
  return server, "http://127.0.0.1:" .. port
end

-- The next connection of a script, or nil where it ended instead.
local function try_accept(server, script)
  local connection
  repeat connection = server:accept() until connection or hosts.read(script.result) or script:is_late()
  if connection then connection:settimeout(hosts.PATIENCE) end
  return connection
end

local function accept(server, script)
  local connection = try_accept(server, script)
  if connection then return connection end
  script:finish() -- which tells why
  error("the script ended without a connection", 2)
end

-- Reads one request; true, or nil where the connection ended before it did.
local function take_request(connection)
  local length = 0
  repeat
    local line = connection:receive "*l"
    if not line then return nil end
    length = tonumber(line:lower():match "^content%-length: *(%d+)") or length
  until line == ""
  return connection:receive(length) ~= nil
end

local function answer(connection)
  local body = '{"Service":{"ServiceArn":"arn","Status":"OPERATION_IN_PROGRESS"}}'
  assert(connection:send(("HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: %d\r\n\r\n%s")
    :format(#body, body)))
end

-- The requests on connections that were opened meanwhile.
local function count_further_requests(server)
  server:settimeout(0)
  local count = 0
  for connection in function() return (server:accept()) end do
    connection:settimeout(hosts.PATIENCE)
    if take_request(connection) then count = count + 1 end
    connection:close()
  end
  return count
end

describe("in a plain program", function()
  teardown(hosts.clear)

  it("an attempt on a kept connection that the server closes instead of answering is sent once", function()
    local server, url = listen()
    local script = hosts.start_lua([[
      local client = child.client {read_timeout = 5, max_attempts = 1}
      child.tell {child.pause(client, "first"), child.pause(client, "second")}
    ]], {env = {ENDPOINT = url}})
    local connection, requests = accept(server, script), 0
    if take_request(connection) then requests = requests + 1 end
    answer(connection)
    if take_request(connection) then requests = requests + 1 end
    connection:close()
    local told = script:finish()
    requests = requests + count_further_requests(server)
    server:close()
    assert.are.equal("OPERATION_IN_PROGRESS", told[1].status, told[1].message)
    assert.are.equal("ConnectionClosedError", told[2].code)
    assert.are.equal("transport", told[2].kind)
    assert.is_true(told[2].ambiguous)
    assert.is_true(told[2].retryable)
    assert.are.equal(requests, told[1].attempts + told[2].attempts)
    assert.are.equal(2, requests)
  end)

  it("an endpoint may be an IPv6 address", function()
    local server = socket.tcp6()
    if not (server and server:bind("::1", 0) and server:listen(8)) then return pending "there is no IPv6 here" end
    server:settimeout(0.02)
    local _, port = server:getsockname()
    local script = hosts.start_lua([[child.tell(child.pause(child.client(), "six"))]],
      {env = {ENDPOINT = "http://[::1]:" .. port}})
    local connection = accept(server, script)
    assert.is_true(take_request(connection))
    answer(connection)
    assert.are.equal("OPERATION_IN_PROGRESS", script:finish().status)
    server:close()
  end)

  it("a kept connection that the server has closed meanwhile is replaced without a word", function()
    local server, url = listen()
    local closed = hosts.path "closed"
    local script = hosts.start_lua([[
      local client = child.client {read_timeout = 5}
      local first, mark = child.pause(client, "first"), nil
      repeat mark = io.open(os.getenv "CLOSED") until mark
      child.tell {first, child.pause(client, "second")}
    ]], {env = {ENDPOINT = url, CLOSED = closed}})
    for i = 1, 2 do
      local connection = accept(server, script)
      assert.is_true(take_request(connection))
      answer(connection)
      connection:close()
      if i == 1 then hosts.write("closed", "") end
    end
    local told = script:finish()
    server:close()
    for i = 1, 2 do
      assert.are.equal("OPERATION_IN_PROGRESS", told[i].status, told[i].message)
      assert.are.equal(1, told[i].attempts)
    end
  end)

  it("servers that close early kill no program, and its signals stay as they were", function()
    local server, url = listen()
    local script = hosts.start_lua([[
      local function signals()
        return {child.proc("status", "SigBlk:%s*(%x+)"), child.proc("status", "SigIgn:%s*(%x+)"),
          child.proc("status", "SigCgt:%s*(%x+)")}
      end
      local before, codes = signals(), {}
      local client = child.client {read_timeout = 5, user_agent_extra = ("x"):rep(5000)}
      for i = 1, 60 do codes[i] = child.pause(client, "n" .. i).code or "paused" end
      child.tell {before = before, after = signals(), codes = codes}
    ]], {env = {ENDPOINT = url}, before = "exec env --default-signal=PIPE"})
    -- Each connection is ended in one of six ways, until the script has told its result.
    local ends = {
      function(connection) connection:setoption("linger", {on = true, timeout = 0}) end, -- a reset
      function(connection) connection:receive(10) end, -- the same, for the rest was not read
      function(connection) take_request(connection) end,
      function(connection) -- on a kept connection, without a word
        if take_request(connection) then answer(connection) end
        take_request(connection)
      end,
      function(connection) -- on a kept connection, by a reset
        if take_request(connection) then answer(connection) end
        take_request(connection)
        connection:setoption("linger", {on = true, timeout = 0})
      end,
      function(connection)
        if take_request(connection) then answer(connection) end
      end,
    }
    local count = 0
    for connection in function() return try_accept(server, script) end do
      count = count + 1
      ends[count % #ends + 1](connection)
      connection:close()
    end
    server:close()
    local told, ended = script:finish()
    assert.are.equal(0, ended.status)
    assert.are.same(told.before, told.after)
    local seen = {}
    for i = 1, 60 do seen[told.codes[i]] = true end
    seen.EndpointConnectionError = nil -- a reset can come before the connection was seen to stand
    assert.are.same({paused = true, ConnectionClosedError = true}, seen)
  end)

  it("more than 1,024 open descriptors are no hindrance", function()
    local server, url = listen()
    local script = hosts.start_lua([[
      local files = {}
      for i = 1, 1100 do files[i] = assert(io.open "/dev/null") end
      child.tell {child.pause(child.client {read_timeout = 5}, "first"), open = #files}
    ]], {env = {ENDPOINT = url}, before = "ulimit -n 4096; exec"})
    local connection = accept(server, script)
    assert.is_true(take_request(connection))
    answer(connection)
    local told = script:finish()
    connection:close()
    server:close()
    assert.are.equal("OPERATION_IN_PROGRESS", told["1"].status, told["1"].message)
    assert.are.equal(1100, told.open)
  end)

  describe("and cqueues, as examples/cqueues_loop.lua brings them together #hosts", function()
    local CQUEUES = ([[
      local apprunner, cqueues = child.apprunner, require "cqueues"
      local controller = cqueues.new()
      dofile %q (controller)
      local client, answers = child.client(), {}
      local function task(name)
        controller:wrap(function() answers[name] = child.pause(client, name) end)
      end
      local function problem_of(ok, problem)
        assert(not ok)
        return tostring(problem)
      end
    ]]):format(hosts.root .. "/examples/cqueues_loop.lua")

    local function start(text, env) return hosts.start_lua(CQUEUES .. text, {env = env}) end

    -- One that is not reached.
    local nowhere = {ENDPOINT = "http://127.0.0.1:1"}

    it("two tasks and a callback wait at the same time, and a timer goes on", function()
      local server, url = listen()
      local script = start([[
        task "first"
        task "second"
        client:pause_service({ServiceArn = child.arn "third"}, function(...)
          answers.third = child.brief(...)
          apprunner.sleep(0.001) -- a callback may wait as well
        end)
        controller:wrap(function()
          repeat cqueues.sleep(0.001) until (child.stats().in_flight or 0) == 3
          for _ = 1, 20 do cqueues.sleep(0.001) end
          io.open(os.getenv "TICKED", "w"):close()
        end)
        assert(controller:loop())
        child.tell {answers = answers, stats = child.stats(), pending = require("apprunner.pump").host.pending}
      ]], {ENDPOINT = url, TICKED = hosts.path "ticked"})
      local connections = {}
      for i = 1, 3 do
        connections[i] = accept(server, script)
        assert.is_true(take_request(connections[i]))
      end
      hosts.await("the timer", function() return hosts.read(hosts.path "ticked") or script:is_late() end)
      for i = 1, 3 do answer(connections[i]) end
      local told, ended = script:finish()
      for i = 1, 3 do connections[i]:close() end
      server:close()
      for _, name in ipairs {"first", "second", "third"} do
        assert.are.equal("OPERATION_IN_PROGRESS", told.answers[name].status, told.answers[name].message)
      end
      assert.are.equal(0, told.stats.in_flight)
      assert.are.equal(0, told.pending)
      assert.are.same({0, ""}, {ended.status, ended.err})
    end)

    it("a task cancels another's call, and closes the client of a third", function()
      local server, url = listen()
      local script = start([[
        local other = child.client()
        controller:wrap(function() answers.closed = child.pause(other, "closed") end)
        local call = client:pause_service({ServiceArn = child.arn "cancelled"}, function(...)
          answers.cancelled = child.brief(...)
        end)
        controller:wrap(function()
          repeat cqueues.sleep(0.001) until (child.stats().in_flight or 0) == 2
          call:cancel()
          cqueues.sleep(0.01)
          other:close()
        end)
        assert(controller:loop())
        child.tell(answers)
      ]], {ENDPOINT = url})
      local told = script:finish()
      server:close()
      assert.are.equal("Cancelled", told.cancelled.code)
      assert.are.equal("Cancelled", told.closed.code)
    end)

    it("what a task and a callback raise is raised by the controller, and the others go on", function()
      local told = start([[
        local problems = {}
        controller:wrap(function()
          apprunner.sleep(0.001)
          error "raised in a task"
        end)
        problems[1] = problem_of(controller:loop())
        client:pause_service({}, function() error "raised in a callback" end)
        problems[2] = problem_of(controller:loop())
        task "last"
        assert(controller:loop())
        child.tell {problems = problems, last = answers.last}
      ]], nowhere):finish()
      assert.matches("raised in a task", told.problems[1])
      assert.matches("raised in a callback", told.problems[2])
      assert.are.equal("EndpointConnectionError", told.last.code)
    end)

    it("map runs in it, its items wait by means of cqueues, and it is cancelled", function()
      local told = start([[
        controller:wrap(function()
          local outs, errs = apprunner.map({1, 2, 3}, function(i)
            cqueues.sleep(0.001)
            apprunner.sleep(0.001)
            if i == 2 then error "the second" end
            return i
          end)
          answers = {outs[1], tostring(errs[2]), outs[3]}
          local begun = 0
          local _, cut = apprunner.map({1, 2, 3, 4, 5}, function(i)
            begun = begun + 1
            apprunner.sleep(i < 3 and 0.001 or 60)
          end, {concurrency = 2, on_progress = function() return false end})
          answers.cut, answers.begun = cut[5].code, begun
          -- Where a loop begins its coroutines late, the third item is cancelled before it has begun.
          local host, told, ran = require("apprunner.pump").host, 0, {}
          local start = host.start
          function host.start(loop, fn, ...)
            return start(loop, function(...)
              cqueues.sleep(0.1)
              fn(...)
            end, ...)
          end
          local _, late = apprunner.map({1, 2, 3}, function(i)
            ran[i] = true
            if i == 2 then apprunner.sleep(0.01) end
          end, {concurrency = 2, on_progress = function()
            told = told + 1
            return told < 2
          end})
          cqueues.sleep(0.2)
          answers.late, answers.ran = late[3].code, ran[3] or false
        end)
        assert(controller:loop())
        child.tell {outs = {answers[1], answers[3]}, problem = answers[2], cut = answers.cut, begun = answers.begun,
          late = answers.late, ran = answers.ran}
      ]], nowhere):finish()
      assert.are.same({1, 3}, told.outs)
      assert.matches("the second", told.problem)
      assert.are.equal("Cancelled", told.cut)
      assert.are.equal(2, told.begun)
      assert.are.same({"Cancelled", false}, {told.late, told.ran})
    end)

    it("a client whose loop is another, and the main program, wait as they would without it", function()
      local told = start([[
        local ticked
        answers.main = child.pause(client, "main")
        controller:wrap(function()
          controller:wrap(function() ticked = true end)
          answers.blocking = child.pause(child.client {loop = "blocking"}, "blocking")
          answers.ticked = ticked or false
        end)
        assert(controller:loop())
        child.tell(answers)
      ]], nowhere):finish()
      assert.are.equal("EndpointConnectionError", told.main.code)
      assert.are.equal("EndpointConnectionError", told.blocking.code)
      assert.is_false(told.ticked)
    end)
  end)

  describe("a name server that keeps everybody waiting #timing", function()
    local function slow(text, env)
      env.LD_PRELOAD, env.SLOW_MARK = hosts.helper "slow_names", hosts.path "resolving"
      os.remove(env.SLOW_MARK)
      local told, ended = hosts.lua(text, {env = env})
      assert.are.equal(0, ended.status)
      assert.is_true(ended.seconds < 5, ("the program ended after %.1f s"):format(ended.seconds))
      return told, ended
    end

    for name, code in pairs {connect_timeout = "ConnectTimeoutError", timeout = "CallTimeoutError"} do
      it("is given up after " .. name, function()
        local told, ended = slow(([[
          local begun = child.now()
          local answer = child.pause(child.client {endpoint_url = "https://slow.invalid", %s = 0.2}, "slow")
          child.tell {answer = answer, seconds = child.now() - begun}
        ]]):format(name), {})
        hosts.note("%s, slow name server: %s of 200 ms after %.0f ms, the program's end after %.0f ms",
          hosts.interpreter, name, told.seconds * 1000, ended.seconds * 1000)
        assert.are.equal(code, told.answer.code)
        assert.are.equal("timeout", told.answer.kind)
        assert.is_falsy(told.answer.ambiguous and told.answer.code == "ConnectTimeoutError")
        assert.is_true(told.seconds > 0.19 and told.seconds < 2)
      end)
    end

    it("holds up neither other calls nor a cancel", function()
      local server, url = listen()
      local env = {ENDPOINT = url, LD_PRELOAD = hosts.helper "slow_names", SLOW_MARK = hosts.path "resolving"}
      os.remove(env.SLOW_MARK)
      local script = hosts.start_lua([[
        local apprunner = child.apprunner
        local good, slow = child.client(), child.client {endpoint_url = "https://slow.invalid"}
        local cancelled, returned, begun, others, took = nil, nil, nil, {}, {}
        local call = slow:pause_service({ServiceArn = child.arn "slow"}, function(out, err)
          cancelled = child.brief(out, err)
          cancelled.seconds = child.now() - begun
        end)
        apprunner.spawn(function()
          local mark
          repeat
            apprunner.sleep(0.005)
            mark = io.open(os.getenv "SLOW_MARK")
          until mark
          for i = 1, 5 do
            begun = child.now()
            others[i] = child.pause(good, "n" .. i)
            took[i] = child.now() - begun
          end
          begun = child.now() -- cancelling included
          returned = call:cancel()
        end)
        apprunner.run()
        child.tell {cancelled = cancelled, returned = returned, others = others, took = took}
      ]], {env = env})
      local connection = accept(server, script)
      for _ = 1, 5 do
        assert.is_true(take_request(connection))
        answer(connection)
      end
      local told, ended = script:finish()
      connection:close()
      server:close()
      for i = 1, 5 do
        assert.are.equal("OPERATION_IN_PROGRESS", told.others[i].status, told.others[i].message)
        assert.is_true(told.took[i] < 1)
      end
      assert.is_true(told.returned)
      assert.are.equal("Cancelled", told.cancelled.code)
      assert.is_true(told.cancelled.seconds < 1)
      assert.is_true(ended.seconds < 5, ("the program ended after %.1f s"):format(ended.seconds))
      hosts.note("%s, slow name server: other calls within %.1f ms, cancel after %.1f ms", hosts.interpreter,
        hosts.quantile(told.took, 1) * 1000, told.cancelled.seconds * 1000)
    end)
  end)

  describe("with nginx #hosts", function()
    local pki, endpoint

    setup(function()
      pki = make_pki(hosts)
      endpoint = hosts.nginx {
        ports = {"tls", "plain"}, values = {pki = pki},
        http = [[
          server {
            listen 127.0.0.1:@tls@ ssl;
            listen 127.0.0.1:@plain@;
            ssl_certificate @pki@/good.pem;
            ssl_certificate_key @pki@/good.key;
            access_log @dir@/access.log exchange;
            location / { content_by_lua_file @root@/spec/support/nginx_endpoint.lua; }
          }]],
      }
    end)

    local function lua(text, options)
      options = options or {}
      local env = {
        ENDPOINT = "https://localhost:" .. endpoint.port.tls, AWS_CA_BUNDLE = pki .. "/hashed",
        PLAIN = "http://127.0.0.1:" .. endpoint.port.plain,
      }
      for name, value in pairs(options.env or {}) do env[name] = value end
      return hosts.lua(text, {env = env, before = options.before})
    end

    local function check_paused(brief, name)
      assert.are.equal("OPERATION_IN_PROGRESS", brief.status, brief.message or brief.raised)
      assert.truthy(brief.arn:find("/" .. name .. "/", 1, true))
    end

    describe("and libuv", function()
      local LUV = [[
        local uv = require "luv"
        local apprunner = child.apprunner
        local client = child.client {loop = "luv"}
        local calls, answers, early, inside = {}, {}, 0, false
        local function callback(key)
          return function(out, err)
            if inside then early = early + 1 end
            calls[key], answers[key] = (calls[key] or 0) + 1, child.brief(out, err)
          end
        end
        local function start(key, from) (from or client):pause_service({ServiceArn = child.arn(key)}, callback(key)) end
        local function block(key)
          inside = true
          answers[key] = child.pause(child.client {loop = "blocking"}, key)
          inside = false
        end
        local function tell(more)
          more.calls, more.answers, more.early = calls, answers, early
          child.tell(more)
        end
      ]]

      -- Every one of `names` was answered, and called back once if it is listed there.
      local function check(told, called, blocked)
        assert.are.equal(0, told.early)
        for _, name in ipairs(called) do
          assert.are.equal(1, told.calls[name], name)
          check_paused(told.answers[name], name)
        end
        for _, name in ipairs(blocked or {}) do check_paused(told.answers[name], name) end
      end

      it("a program ends by itself when nothing is left to do", function()
        local told, ended = lua(LUV .. [[
          start "wait50end"
          uv.run()
          tell {alive = uv.loop_alive()}
          uv.run() -- returns at once
        ]])
        check(told, {"wait50end"})
        assert.is_false(told.alive)
        assert.is_true(ended.seconds < 5)
      end)

      it("a cancelled call and a closed client keep no program alive", function()
        local told = lua(LUV .. [[
          local kept = {}
          local timer, begun = uv.new_timer(), nil
          local other = child.client {loop = "luv"}
          local call = client:pause_service({ServiceArn = child.arn "wait9000"}, callback "cancelled")
          other:pause_service({ServiceArn = child.arn "wait9000"}, callback "closed")
          timer:start(500, 0, function()
            timer:close()
            begun = child.now()
            kept.returned = call:cancel()
            -- In a turn of its own: the cancel's turn must not be what wakes this one.
            local again = uv.new_timer()
            again:start(100, 0, function()
              again:close()
              other:close()
            end)
          end)
          uv.run()
          tell {seconds = child.now() - begun, returned = kept.returned}
        ]])
        assert.is_true(told.returned)
        for _, name in ipairs {"cancelled", "closed"} do
          assert.are.equal(1, told.calls[name])
          assert.are.equal("Cancelled", told.answers[name].code)
        end
        assert.is_true(told.seconds < 2, ("the loop ended after %.1f s"):format(told.seconds))
      end)

      it("a coroutine yields, and the loop's timers go on", function()
        local told = lua(LUV .. [[
          local ticks, timer = 0, uv.new_timer()
          timer:start(1, 10, function() ticks = ticks + 1 end)
          local starter = uv.new_timer()
          starter:start(1, 0, function()
            starter:close()
            coroutine.wrap(function()
              local before = ticks
              answers.wait200co = child.pause(child.client(), "wait200co") -- decides by itself
              ticks = ticks - before
              timer:close()
            end)()
          end)
          uv.run()
          tell {ticks = ticks}
        ]])
        check(told, {}, {"wait200co"})
        assert.is_true(told.ticks >= 5, told.ticks .. " ticks")
      end)

      it("waits of no time at all, one after the other, hold up no timer of the loop's", function()
        local told = lua(LUV .. [[
          local waits, stop, timer, starter = 0, false, uv.new_timer(), uv.new_timer()
          timer:start(20, 0, function()
            timer:close()
            stop = true
          end)
          starter:start(0, 0, function()
            starter:close()
            coroutine.wrap(function()
              while not stop do
                apprunner.sleep(0)
                waits = waits + 1
              end
            end)()
          end)
          uv.run()
          tell {waits = waits}
        ]])
        assert.is_true(told.waits > 1)
      end)

      it("a program that leaves the loop in the midst of its calls ends with status 0", function()
        local told, ended = lua(LUV .. [[
          local timer, left = uv.new_timer(), nil
          start "wait9000callback"
          coroutine.wrap(function() child.pause(client, "wait9000coroutine") end)()
          timer:start(1, 1, function()
            if (child.stats().in_flight or 0) < 2 then return end
            left = true
            uv.stop()
          end)
          uv.run()
          tell {left = left}
        ]])
        assert.is_true(told.left)
        assert.are.same({0, ""}, {ended.status, ended.err})
        assert.is_true(ended.seconds < 5)
      end)

      it("a credentials function that waits for its own client's call is refused at once", function()
        local told = lua(LUV .. [[
          local own
          own = child.client {loop = "luv", credentials = function()
            answers.inside = child.pause(own, "inside")
            return {access_key_id = "AKIDEXAMPLE", secret_access_key = "secret"}
          end}
          start("outside", own)
          uv.run()
          tell {}
        ]])
        assert.are.equal("NotYieldableError", told.answers.inside.code, told.answers.inside.raised)
        check(told, {"outside"})
      end)

      it("a call that blocks in a callback delivers nobody else's, and harms none", function()
        local told = lua(LUV .. [[
          for i = 1, 10 do start("wait" .. 50 + i) end
          local timer = uv.new_timer()
          timer:start(20, 0, function()
            timer:close()
            block "wait100deep"
            block "quick"
          end)
          apprunner.run()
          tell {}
        ]])
        local names = {}
        for i = 1, 10 do names[i] = "wait" .. 50 + i end
        check(told, names, {"wait100deep", "quick"})
      end)

      it("a call that blocks leaves no other to wait for longer than it must", function()
        -- While something blocks, the answer to the first attempt comes: the second is due soon after.
        local told = lua(LUV .. [[
          local core = require "apprunner.core"
          local function is_backing_off() return core.timeout() >= 0 and core.timeout() < 2000 end
          local name = "wait400fail503-InternalServiceErrorException"
          start(name, child.client {loop = "luv", max_attempts = 2})
          local timer, kept = uv.new_timer(), {}
          timer:start(300, 0, function()
            kept.early = is_backing_off()
            local moment = core.moment(0)
            moment:start()
            repeat require "apprunner.pump".drive() until is_backing_off()
            require "apprunner.loop.blocking".alone.suspend(moment)
            timer:start(5000, 0, function() uv.stop() end)
            uv.unref(timer)
          end)
          uv.run()
          tell {was_early = kept.early, answer = answers[name]}
        ]])
        assert.is_false(told.was_early)
        assert.are.equal(2, told.answer and told.answer.attempts)
      end)

      it("two owners and a call that blocks share one engine", function()
        local told = lua(LUV .. [[
          local blocking = child.client {loop = "blocking"}
          for i = 1, 5 do
            start("wait50luv" .. i)
            start("wait50own" .. i, blocking)
          end
          block "wait150both"
          apprunner.run()
          tell {stats = child.stats()}
        ]])
        local names = {}
        for i = 1, 5 do
          names[#names + 1], names[#names + 2] = "wait50luv" .. i, "wait50own" .. i
        end
        check(told, names, {"wait150both"})
        assert.are.equal(0, told.stats.in_flight)
      end)

      it("apprunner.run drives to its end what one owner's callback starts for the other", function()
        local told = lua(LUV .. [[
          local blocking = child.client {loop = "blocking"}
          start "quickluv"
          blocking:pause_service({ServiceArn = child.arn "wait50own"}, function(...)
            callback "wait50own" (...)
            start "wait50fromown"
          end)
          client:pause_service({ServiceArn = child.arn "wait50luv"}, function(...)
            callback "wait50luv" (...)
            start("wait50fromluv", blocking)
          end)
          apprunner.run()
          tell {}
        ]])
        check(told, {"quickluv", "wait50own", "wait50luv", "wait50fromluv", "wait50fromown"})
      end)

      it("apprunner.run in a callback is misuse, whose ever it is", function()
        local told = lua(LUV .. [[
          local own, luvs = {}, {}
          client:pause_service({ServiceArn = child.arn "quickluv"}, function()
            luvs.ok, luvs.problem = pcall(apprunner.run)
          end)
          child.client {loop = "blocking"}:pause_service({ServiceArn = child.arn "quickown"}, function()
            own.ok, own.problem = pcall(apprunner.run)
          end)
          apprunner.run()
          tell {own = own, luvs = luvs}
        ]])
        assert.is_false(told.own.ok)
        assert.is_false(told.luvs.ok)
      end)

      it("a coroutine that its own code resumed raises, and what it left behind disturbs no later call", function()
        local told, ended = lua(LUV .. [[
          local raised
          local iterator = coroutine.wrap(function()
            local ok, problem = pcall(client.pause_service, client, {ServiceArn = child.arn "wait50first"})
            raised = {ok = ok, problem = tostring(problem)}
            answers.wait150second = child.pause(client, "wait150second")
          end)
          iterator()
          iterator "something else"
          apprunner.run()
          tell {raised = raised}
        ]])
        assert.is_false(told.raised.ok)
        assert.truthy(told.raised.problem:find("resumed by code that is not a loop", 1, true))
        assert.are.equal("", ended.err)
        check(told, {}, {"wait150second"})
      end)
    end)

    describe("after a fork", function()
      local FORK = [[
        local library = os.getenv "PROCESSES"
        local function process(name) return assert(package.loadlib(library, "process_" .. name)) end
        local function pid() return child.proc("stat", "^%d+") end
        local parent = pid()
        -- Whether this is the child.
        local function fork()
          process "fork" ()
          return pid() ~= parent
        end
        local function tell_in_child(told)
          local file = assert(io.open(os.getenv "RESULT" .. ".child", "w"))
          file:write(require "cjson".encode(told))
          file:close()
        end
        -- Waits for the child, and reads what it told.
        local function told_by_child()
          process "wait" ()
          local file = io.open(os.getenv "RESULT" .. ".child")
          if not file then return "nothing" end
          local told = require "cjson".decode(file:read "*a")
          file:close()
          return told
        end
        local client = child.client {read_timeout = 10}
      ]]

      local function forking(text)
        return lua(FORK .. text, {env = {PROCESSES = hosts.helper "processes"}})
      end

      for name, leave in pairs {
        ["closes its Lua state"] = "os.exit(true, true)", ["leaves it"] = "os.exit(true)",
        ["ends at once"] = 'process "leave" ()',
      } do
        it("a child that " .. name .. " has a connection of its own and leaves its parent's alone", function()
          local names, by = {}, name:gsub("%W", "")
          for i, who in ipairs {"first", "child", "again", "second"} do names[i] = who .. by end
          local told, ended = forking(([[
            local first = child.pause(client, "first%s")
            if fork() then
              collectgarbage()
              local mine = child.pause(client, "child%s")
              collectgarbage()
              tell_in_child {mine, child.pause(child.client(), "again%s")}
              %s
            end
            local childs = told_by_child()
            local second = child.pause(client, "second%s")
            child.tell {paused = {first, childs[1], childs[2], second}, stats = child.stats()}
          ]]):format(by, by, by, leave, by))
          assert.are.equal("", ended.err)
          for i = 1, 4 do check_paused(told.paused[i], names[i]) end
          assert.are.equal(1, told.stats.connections)
          local connections = {}
          local served = hosts.await("the endpoint's log", function()
            local all = endpoint:served() -- nginx writes a line once its answer is out
            for i = 1, 4 do
              if not all[names[i]] then return nil end
            end
            return all
          end)
          for i = 1, 4 do connections[i] = served[names[i]].connection end
          assert.are.equal(connections[1], connections[4])
          assert.are.equal(connections[2], connections[3])
          assert.are_not.equal(connections[1], connections[2])
        end)
      end

      it("a call in flight ends in the child with an error, and in the parent with its answer", function()
        local told = forking [[
          local answer, calls = nil, 0
          child.pause(client, "warm") -- so that the next request is sent at once, on this connection
          client:pause_service({ServiceArn = child.arn "wait300flight"}, function(out, err)
            answer, calls = child.brief(out, err), calls + 1
          end)
          child.pause(client, "quick")
          if fork() then
            local own = child.pause(client, "wait20child")
            child.apprunner.run()
            tell_in_child {own = own, answer = answer, calls = calls}
            os.exit(true, true)
          end
          local childs = told_by_child()
          child.apprunner.run()
          child.tell {childs = childs, answer = answer, calls = calls}
        ]]
        check_paused(told.childs.own, "wait20child")
        assert.are.equal("ConnectionClosedError", told.childs.answer.code)
        assert.is_true(told.childs.answer.ambiguous)
        assert.are.equal(1, told.childs.calls)
        check_paused(told.answer, "wait300flight")
        assert.are.equal(1, told.calls)
      end)

      it("no invocation id of a child's is its parent's, before and after it has an engine", function()
        local ids = forking [[
          local function id_of_a_call()
            local id
            child.client({max_attempts = 1, transport = function(request)
              for _, header in ipairs(request.headers) do
                if header[1] == "amz-sdk-invocation-id" then id = header[2] end
              end
              return nil, "no answer"
            end}):pause_service {ServiceArn = child.arn "id"}
            return assert(id)
          end
          child.pause(client, "first")
          local before = id_of_a_call()
          if fork() then
            local without = id_of_a_call()
            child.pause(client, "child")
            tell_in_child {without, id_of_a_call()}
            os.exit(true, true)
          end
          local childs = told_by_child()
          child.tell {before, childs[1], childs[2], id_of_a_call(), id_of_a_call()}
        ]]
        local seen = {}
        for _, id in ipairs(ids) do
          assert.is_nil(seen[id])
          seen[id] = true
        end
        assert.equal(5, #ids)
      end)

      it("a child of a program that has loaded the module and not used it can call", function()
        local told = forking [[
          if fork() then
            tell_in_child {child.pause(client, "child")}
            os.exit(true, true)
          end
          local childs = told_by_child()
          child.tell {childs = childs, own = child.pause(client, "parent")}
        ]]
        check_paused(told.childs[1], "child")
        check_paused(told.own, "parent")
      end)
    end)

    it("more calls at once than connections to a host come to their end, however short connect_timeout is", function()
      local told = lua([[
        local client, codes = child.client {endpoint_url = os.getenv "PLAIN", connect_timeout = 0.3}, {}
        for i = 1, 200 do
          client:pause_service({ServiceArn = child.arn("wait200n" .. i)}, function(out, err)
            local key = out and out.Service.Status or err.code .. ": " .. err.message
            codes[key] = (codes[key] or 0) + 1
          end)
        end
        child.apprunner.run()
        child.tell {codes = codes, stats = child.stats()}
      ]])
      assert.are.same({OPERATION_IN_PROGRESS = 200}, told.codes)
      assert.is_true(told.stats.connections <= 64)
    end)

    -- What a thread of luv runs in a Lua state of its own, which it closes at its end.
    local STATE = [[
      local uv = require "luv"
      local function state(url, path, cpath, arn, pauses)
        package.path, package.cpath = path, cpath
        local client = assert(require("apprunner").client {endpoint_url = url})
        for _ = 1, pauses do assert(client:pause_service {ServiceArn = arn}) end
        client:close()
      end
      local function thread(pauses)
        return uv.new_thread(state, os.getenv "PLAIN", package.path, package.cpath, child.arn "state", pauses)
      end
    ]]

    it("several Lua states in several threads call at once, each by an engine of its own", function()
      local before = endpoint:connections()
      local told = lua(STATE .. [[
        local threads, well = {}, 0
        for i = 1, 8 do threads[i] = thread(50) end
        for _, one in ipairs(threads) do well = well + (one:join() and 1 or 0) end
        child.tell {well = well}
      ]])
      assert.are.equal(8, told.well)
      assert.are.equal(before + 8, endpoint:connections())
    end)

    it("Lua states that come and go leave no descriptor and no memory", function()
      local told = lua(STATE .. [[
        local function measured()
          local pipe, fds = io.popen("ls /proc/" .. uv.os_getpid() .. "/fd"), 0
          for _ in pipe:lines() do fds = fds + 1 end
          pipe:close()
          return {fds = fds, rss = tonumber(child.proc("statm", "^%d+ (%d+)")) * 4}
        end
        for _ = 1, 20 do thread(1):join() end
        local first = measured()
        for _ = 1, 100 do thread(1):join() end
        child.tell {first = first, last = measured()}
      ]])
      assert.are.equal(told.first.fds, told.last.fds)
      -- An engine that is left behind would be 100 KiB each time.
      assert.is_true(told.last.rss - told.first.rss < 2048, told.last.rss - told.first.rss .. " KiB more")
    end)

    it("a map of 1,000 pauses of 50 ms, 64 at a time, takes one thread and no longer than it must #timing", function()
      local told = lua [[
        local client, arns = child.client {endpoint_url = os.getenv "PLAIN"}, {}
        for i = 1, 1000 do arns[i] = child.arn("wait50-" .. i) end
        local function pause(arn) return client:pause_service {ServiceArn = arn} end
        local begun = child.now()
        local outs, errs = child.apprunner.map(arns, pause, {concurrency = 64})
        local seconds, paused = child.now() - begun, 0
        for i = 1, 1000 do
          if outs[arns[i] ].Service.ServiceArn == arns[i] then paused = paused + 1 end
        end
        child.tell {seconds = seconds, paused = paused, failed = next(errs) ~= nil,
          threads = tonumber(child.proc("status", "Threads:%s*(%d+)"))}
      ]]
      local least = 1000 / 64 * 0.05
      hosts.note("%s, a map of 1,000 pauses of 50 ms, 64 at a time: %.2f times what that takes", hosts.interpreter,
        told.seconds / least)
      assert.same({1000, false, 1}, {told.paused, told.failed, told.threads})
      assert.is_true(told.seconds <= 1.25 * least, told.seconds / least)
    end)

    it("20,000 pauses take one connection and no more memory #slow", function()
      local before = endpoint:connections()
      local told = lua [[
        local client = child.client {endpoint_url = os.getenv "PLAIN"}
        local params, rss, bad = {ServiceArn = child.arn "many"}, {}, 0
        local begun = child.now()
        for i = 1, 20000 do
          local out = client:pause_service(params)
          if not out or out.Service.ServiceArn ~= params.ServiceArn then bad = bad + 1 end
          if i == 1000 or i == 20000 then
            collectgarbage()
            collectgarbage()
            rss[#rss + 1] = tonumber(child.proc("statm", "^%d+ (%d+)")) * 4
          end
        end
        child.tell {bad = bad, rss = rss, seconds = child.now() - begun, stats = child.stats()}
      ]]
      hosts.note("%s, 20,000 pauses: %.1f s, resident %d KiB after 1,000 and %d KiB after all", hosts.interpreter,
        told.seconds, told.rss[1], told.rss[2])
      assert.are.equal(0, told.bad)
      assert.are.equal(before + 1, endpoint:connections())
      assert.are.equal(1, told.stats.connections)
      -- One allocation of 32 bytes lost in each call would be 590 KiB and more.
      assert.is_true(told.rss[2] - told.rss[1] < 512, told.rss[2] - told.rss[1] .. " KiB more")
    end)
  end)
end)
