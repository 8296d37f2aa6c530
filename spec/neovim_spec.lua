-- The seam in Neovim: a headless editor whose own loop drives the calls, against a TLS endpoint that takes its time.
-- Asserted are answers, the engine's own longest step and clean exits; what a machine's load moves is printed.

local hosts = dofile "spec/support/hosts.lua"
local make_pki = dofile "spec/support/pki.lua"

local LONGEST_STEP = 10000 -- microseconds that the engine may keep a loop at a time
local LOOKS = 3 -- a step that the machine interrupted is looked at anew, so often

describe("in Neovim #hosts #once #timing", function()
  local pki, endpoint, url, has_mounts

  setup(function()
    pki = make_pki(hosts)
    local mount = ("unshare -m mount --bind %s /etc/ssl/certs 2>&1 || echo no"):format(hosts.quote(pki .. "/hashed"))
    has_mounts = hosts.shell(mount) == ""
    endpoint = hosts.nginx {
      ports = {"tls", "plain"}, values = {pki = pki},
      http = [[
        server {
          listen 127.0.0.1:@tls@ ssl;
          ssl_certificate @pki@/good.pem;
          ssl_certificate_key @pki@/good.key;
          access_log @dir@/access.log exchange;
          location / { content_by_lua_file @root@/spec/support/nginx_endpoint.lua; }
        }
        server {
          listen 127.0.0.1:@plain@;
          access_log @dir@/access.log exchange;
          location /container {
            content_by_lua_block {
              ngx.sleep(tonumber(ngx.var.arg_wait))
              ngx.header["X-Service"] = ngx.var.arg_id
              ngx.print '{"AccessKeyId": "ASIACOLD", "SecretAccessKey": "Secret", "Token": "Token", \
                "Expiration": "2099-01-01T00:00:00Z"}'
            }
          }
        }]],
    }
    url = "https://localhost:" .. endpoint.port.tls
  end)

  teardown(hosts.clear)

  local function nvim(text, env, before)
    local variables = {ENDPOINT = url, AWS_CA_BUNDLE = pki .. "/hashed"}
    for name, value in pairs(env or {}) do variables[name] = value end
    return hosts.nvim(text, {env = variables, before = before})
  end

  -- Fifty pauses at once, each started by `START(i, finish)`.
  local FIFTY = [[
    local apprunner, uv = child.apprunner, vim.loop
    local client = child.client()
    local answers, times, calls, pending = {}, {}, {}, 50
    local beat, begun = child.heartbeat(), child.now()
    local function done()
      beat.stop()
      -- Once more round the loop and a while, for a callback that came twice.
      uv.new_timer():start(50, 0, function()
        child.tell {answers = answers, times = times, calls = calls, gaps = beat.gaps, stats = child.stats()}
        child.quit()
      end)
    end
    local function finish(i, out, err)
      answers[i], times[i], calls[i] = child.brief(out, err), (child.now() - begun) * 1000, (calls[i] or 0) + 1
      pending = pending - 1
      if pending == 0 then done() end
    end
    for i = 1, 50 do START(i, finish) end
  ]]

  local STARTS = {
    ["spawned coroutines"] = [[
      apprunner.spawn(function()
        finish(i, client:pause_service {ServiceArn = child.arn("wait200n" .. i)})
      end)]],
    ["callbacks"] = [[
      client:pause_service({ServiceArn = child.arn("wait200n" .. i)}, function(out, err) finish(i, out, err) end)]],
  }

  local function fifty(style)
    local start = STARTS[style]
    return (FIFTY:gsub("START%(i, finish%)", function() return start end))
  end

  -- Of a list of gaps: how many there are, how many are longer than so many milliseconds, and the longest.
  local function distribution(gaps)
    local words = {("%d heartbeat gaps, p50 %.1f"):format(#gaps, hosts.quantile(gaps, 0.5))}
    for _, bound in ipairs {2, 5, 10, 15} do
      local count = 0
      for _, gap in ipairs(gaps) do count = count + (gap > bound and 1 or 0) end
      words[#words + 1] = ("%d > %d"):format(count, bound)
    end
    return ("%s, max %.1f ms"):format(table.concat(words, ", "), hosts.quantile(gaps, 1))
  end

  local function print_figures(what, told)
    hosts.note("Neovim, 50 pauses at once, %s: longest step %.1f ms; %s; done after p50 %.0f, max %.0f ms", what,
      told.stats.longest_step_us / 1000, distribution(told.gaps), hosts.quantile(told.times, 0.5),
      hosts.quantile(told.times, 1))
  end

  local function check_fifty(told)
    for i = 1, 50 do
      assert.are.equal("OPERATION_IN_PROGRESS", told.answers[i].status, told.answers[i].message)
      assert.truthy(told.answers[i].arn:find("/wait200n" .. i .. "/", 1, true))
      assert.are.equal(1, told.calls[i])
    end
    assert.are.equal(0, told.stats.in_flight)
  end

  -- Runs until a step was short enough, or LOOKS times; returns the last.
  local function look(what, run)
    local told
    for _ = 1, LOOKS do
      told = run()
      print_figures(what, told)
      check_fifty(told)
      if told.stats.longest_step_us <= LONGEST_STEP then break end
    end
    assert.is_true(told.stats.longest_step_us <= LONGEST_STEP,
      ("a step took %.1f ms"):format(told.stats.longest_step_us / 1000))
  end

  for style in pairs(STARTS) do
    it("fifty pauses by " .. style .. " get their own answers once, and no step is long", function()
      look(style .. ", hashed directory", function()
        local told, ended = nvim(fifty(style))
        assert.are.equal(0, ended.status)
        assert.are.equal("", ended.err)
        return told
      end)
    end)
  end

  it("fifty pauses with a whole bundle as ca_bundle get their answers", function()
    local told = nvim(fifty "spawned coroutines", {AWS_CA_BUNDLE = pki .. "/bundle.pem"})
    print_figures("spawned coroutines, bundle file (parsed once)", told)
    check_fifty(told)
  end)

  -- Runs it where the system's own directory of certificates has the authority too.
  local function nvim_in_system(text, env)
    local variables = {AWS_CA_BUNDLE = false, HASHED = pki .. "/hashed"}
    for name, value in pairs(env or {}) do variables[name] = value end
    return nvim(text, variables, [[exec unshare -m sh -c 'mount --bind "$HASHED" /etc/ssl/certs && exec "$@"' sh]])
  end

  local NO_MOUNTS = "no mount namespace is to be had, in which the system's directory could be another"

  it("fifty pauses without a ca_bundle find the system's hashed directory, and no step is long", function()
    if not has_mounts then return pending(NO_MOUNTS) end
    look("callbacks, the system's directory", function() return (nvim_in_system(fifty "callbacks")) end)
  end)

  for style in pairs(STARTS) do
    it("fifty pauses by " .. style .. " wait for one answer of a slow container endpoint", function()
      local run, times = has_mounts and nvim_in_system or nvim, 0
      look(style .. ", cold credentials of a container" .. (has_mounts and ", the system's directory" or ""), function()
        times = times + 1
        local name = style:gsub(" ", "") .. times
        local told, ended = run(fifty(style), {
          AWS_ACCESS_KEY_ID = false, AWS_SECRET_ACCESS_KEY = false,
          AWS_CONTAINER_CREDENTIALS_FULL_URI = ("http://127.0.0.1:%d/container?wait=0.3&id=%s"):format(
            endpoint.port.plain, name),
        })
        assert.are.same({0, ""}, {ended.status, ended.err})
        assert.is_true(hosts.quantile(told.times, 0) >= 500, "one did not wait for its credentials")
        assert.are.equal(1, endpoint:count(name))
        return told
      end)
    end)
  end

  it("libcurl is loaded, initialised and made to connect in separate turns of the loop", function()
    local told = nvim [[
      local uv, turn, turns, times = vim.loop, 1, {}, {}
      child.watch_engine(function(stage, ms) turns[stage], times[stage] = turn, ms end)
      uv.new_prepare():start(function()
        if (child.stats().steps or 0) > 0 then turns.connect = turns.connect or turn end
        turn = turn + 1
      end)
      local beat = child.heartbeat()
      child.client():pause_service({ServiceArn = child.arn "cold"}, function(out, err)
        child.tell {turns = turns, times = times, gaps = beat.gaps, answer = child.brief(out, err)}
        child.quit()
      end)
    ]]
    assert.are.equal("OPERATION_IN_PROGRESS", told.answer.status)
    hosts.note("Neovim, the first call: libcurl is loaded in %.1f ms, initialised in %.1f, its engine made in %.1f; %s",
      told.times.load, told.times.init, told.times.engine, distribution(told.gaps))
    local turns = told.turns
    assert.is_true(turns.load < turns.init and turns.init < turns.engine and turns.engine < turns.connect)
  end)

  it("the system's own certificates refuse the endpoint, fifty times at once", function()
    local told = nvim(fifty "callbacks", {AWS_CA_BUNDLE = false})
    print_figures("refused, the system's directory", told)
    for i = 1, 50 do
      assert.are.equal("SSLError", told.answers[i].code)
      assert.are.equal(1, told.calls[i])
    end
  end)

  it("maps in a coroutine beside its own loop, and in the main one without it", function()
    local told, ended = nvim [[
      local apprunner, client = child.apprunner, child.client()
      local function map(concurrency, more)
        local items, begun = {}, child.now()
        for i = 1, 20 do items[i] = i end
        local outs, errs = apprunner.map(items, function(i)
          local out, err = client:pause_service {ServiceArn = child.arn("wait100n" .. i)}
          return out and out.Service.Status, err
        end, {concurrency = concurrency, on_progress = more})
        local codes = {}
        for item, err in pairs(errs) do codes[#codes + 1] = err.code end
        return {outs = outs, codes = codes, seconds = child.now() - begun}
      end
      local main = map(10)
      coroutine.wrap(function()
        local beat = child.heartbeat()
        local inside = map(10)
        local host = apprunner.map({1}, function()
          local co = coroutine.running()
          vim.loop.new_timer():start(10, 0, function() coroutine.resume(co) end)
          coroutine.yield "for a reason of its own"
          return "resumed"
        end)
        local cut = map(10, function() return false end)
        beat.stop()
        child.tell {main = main, inside = inside, cut = #cut.codes, host = host[1], beats = #beat.gaps,
          stats = child.stats()}
        child.quit()
      end)()
    ]]
    assert.are.equal(0, ended.status)
    for _, result in ipairs {told.main, told.inside} do
      for i = 1, 20 do assert.are.equal("OPERATION_IN_PROGRESS", result.outs[i]) end
      assert.are.same({}, result.codes)
      assert.is_true(result.seconds >= 0.2 and result.seconds < 1.5, result.seconds)
    end
    assert.is_true(told.beats > 50)
    assert.is_true(told.cut >= 10)
    assert.are.same({"resumed", 0}, {told.host, told.stats.in_flight})
  end)

  it("works without lua-cjson, by vim.json", function()
    local told = nvim([[
      local absent = not pcall(require, "cjson")
      child.tell {absent = absent, answer = child.pause(child.client(), "plain")}
      child.quit()
    ]], {LUA_CPATH = hosts.lua_cpath "luajit", LUA_PATH = hosts.lua_path()})
    assert.is_true(told.absent)
    assert.are.equal("OPERATION_IN_PROGRESS", told.answer.status)
  end)

  it("a call on the main coroutine waits for its answer", function()
    local told, ended = nvim [[
      local begun = child.now()
      local answer = child.pause(child.client(), "wait200")
      child.tell {answer = answer, seconds = child.now() - begun}
      child.quit()
    ]]
    assert.are.equal("OPERATION_IN_PROGRESS", told.answer.status)
    assert.is_true(told.seconds >= 0.2)
    assert.are.equal(0, ended.status)
  end)

  -- What the callbacks are told stays in their queue until the loop is at its own again.
  it("a call that blocks inside a timer's callback delivers nobody else's callback, and harms none", function()
    local told, ended = nvim [[
      local uv, blocking = vim.loop, child.client {loop = "blocking"}
      local client = child.client()
      local inside, early, calls, answers, pending = false, 0, {}, {}, 10
      for i = 1, 10 do
        client:pause_service({ServiceArn = child.arn("wait" .. 50 + i)}, function(out, err)
          if inside then early = early + 1 end
          calls[i], answers[i], pending = (calls[i] or 0) + 1, child.brief(out, err), pending - 1
        end)
      end
      local deep = {}
      uv.new_timer():start(20, 0, function()
        inside = true
        for i = 1, 3 do deep[i] = child.pause(blocking, "wait60") end
        -- On the main coroutine, a client that decides by itself blocks here as well.
        deep[4] = child.pause(client, "quick")
        inside = false
      end)
      local check = uv.new_timer()
      check:start(5, 5, function()
        if pending > 0 or #deep < 4 then return end
        check:close()
        child.tell {early = early, calls = calls, answers = answers, deep = deep, stats = child.stats()}
        child.quit()
      end)
    ]]
    assert.are.equal(0, ended.status)
    assert.are.equal(0, told.early)
    for i = 1, 10 do
      assert.are.equal(1, told.calls[i])
      assert.truthy(told.answers[i].arn:find("wait" .. 50 + i, 1, true))
    end
    for i = 1, 4 do assert.are.equal("OPERATION_IN_PROGRESS", told.deep[i].status) end
    assert.are.equal(0, told.stats.in_flight)
  end)

  it("a coroutine that is resumed by code that is no loop raises, and its later calls are right", function()
    local told, ended = nvim [[
      local client = child.client()
      local first, raised, second
      local iterator = coroutine.wrap(function()
        local ok, problem = pcall(client.pause_service, client, {ServiceArn = child.arn "wait50"})
        raised = {ok = ok, text = tostring(problem)}
        second = child.pause(client, "wait150second")
        child.tell {first = first, raised = raised, second = second, stats = child.stats()}
        child.quit()
      end)
      first = tostring(iterator())
      iterator "something else"
    ]]
    assert.are.equal(0, ended.status)
    assert.truthy(told.first:find("apprunner waits here", 1, true))
    assert.is_false(told.raised.ok)
    assert.truthy(told.raised.text:find("resumed by code that is not a loop", 1, true))
    assert.are.equal("OPERATION_IN_PROGRESS", told.second.status, told.second.raised)
    assert.truthy(told.second.arn:find("wait150second", 1, true))
  end)

  it("apprunner.run is misuse", function()
    local told = nvim [[
      local ok, problem = pcall(child.apprunner.run)
      child.tell {ok = ok, problem = tostring(problem)}
      child.quit()
    ]]
    assert.is_false(told.ok)
    assert.truthy(told.problem:find("Neovim", 1, true))
  end)

  it("closing the client ends its calls at once, not when the network says something", function()
    local told = nvim [[
      local client = child.client()
      local begun
      client:pause_service({ServiceArn = child.arn "wait5000"}, function(out, err)
        child.tell {answer = child.brief(out, err), seconds = child.now() - begun}
        child.quit()
      end)
      -- Late enough that no timer of the connection's set-up is left to wake the loop.
      vim.loop.new_timer():start(500, 0, function()
        begun = child.now()
        client:close()
      end)
    ]]
    assert.are.equal("Cancelled", told.answer.code)
    assert.is_true(told.seconds < 1, ("Cancelled came after %.1f s"):format(told.seconds))
  end)

  it("cancel from a callback, and of a call that is done", function()
    local told = nvim [[
      local client = child.client()
      local calls, codes, returned, inside = 0, {}, {}, false
      local slow = client:pause_service({ServiceArn = child.arn "wait5000"}, function(_, err)
        calls = calls + 1
        if inside then codes.inside = true end
        codes.slow = err and err.code
      end)
      local quick
      quick = client:pause_service({ServiceArn = child.arn "quick"}, function(out)
        codes.quick = out and out.Service.Status
        inside = true
        returned.slow, returned.again, returned.quick = slow:cancel(), slow:cancel(), quick:cancel()
        inside = false
        vim.loop.new_timer():start(100, 0, function()
          child.tell {calls = calls, codes = codes, returned = returned, stats = child.stats()}
          child.quit()
        end)
      end)
    ]]
    assert.are.same({slow = true, again = false, quick = false}, told.returned)
    assert.are.same({slow = "Cancelled", quick = "OPERATION_IN_PROGRESS"}, told.codes)
    assert.are.equal(1, told.calls)
    assert.are.equal(0, told.stats.in_flight)
  end)

  it("a callback that raises and a coroutine that raises harm no other call", function()
    local told, ended = nvim [[
      local client = child.client()
      local calls, pending = {}, 9
      local function count(i)
        calls[i], pending = (calls[i] or 0) + 1, pending - 1
      end
      for i = 1, 9 do
        if i % 3 == 0 then
          child.apprunner.spawn(function()
            client:pause_service {ServiceArn = child.arn "wait50"}
            count(i)
            error "a coroutine raises"
          end)
        else
          client:pause_service({ServiceArn = child.arn "wait50"}, function()
            count(i)
            if i % 3 == 1 then error "a callback raises" end
          end)
        end
      end
      local check = vim.loop.new_timer()
      check:start(5, 5, function()
        if pending > 0 then return end
        check:close()
        vim.loop.new_timer():start(50, 0, function()
          child.tell {calls = calls}
          child.quit()
        end)
      end)
    ]]
    for i = 1, 9 do assert.are.equal(1, told.calls[i]) end
    local _, callbacks = ended.err:gsub("a callback raises", "")
    local _, coroutines = ended.err:gsub("a coroutine raises", "")
    assert.is_true(callbacks >= 1 and coroutines >= 1, "the editor showed none: " .. ended.err)
  end)

  it("an error that is no text, as each_service raises it, is shown and harms nothing", function()
    local told, ended = nvim([[
      local client = child.client()
      child.apprunner.spawn(function()
        for _ in child.client({region = "us-east-1"}):each_service() do end
      end)
      vim.loop.new_timer():start(200, 0, function()
        client:pause_service({ServiceArn = child.arn "next"}, function(out, err)
          child.tell(child.brief(out, err))
          child.quit()
        end)
      end)
    ]])
    assert.are.equal("OPERATION_IN_PROGRESS", told.status)
    assert.truthy(ended.err:find("InvalidRequestException", 1, true), ended.err)
  end)

  describe("the editor ends in bounded time and with status 0", function()
    -- Ends when the endpoint has the requests: a quick one was answered on the way there.
    local LEAVE = [[
      local client = child.client()
      for i = 1, 10 do
        client:pause_service({ServiceArn = child.arn "wait20000"}, function() end)
        child.apprunner.spawn(function() client:pause_service {ServiceArn = child.arn "wait20000"} end)
      end
      client:pause_service({ServiceArn = child.arn "quick"}, function(out, err)
        child.tell {answer = child.brief(out, err)}
        LEAVING
      end)
    ]]

    for name, leaving in pairs {
      ["qa!"] = 'child.quit "qa!"',
      ["os.exit"] = "vim.schedule(function() os.exit(0) end)",
      ["qa! before a call that blocks"] = [[
        child.quit "qa!"
        child.pause(child.client {loop = "blocking"}, "wait100")]],
    } do
      it("in the middle of calls, by " .. name, function()
        local told, ended = nvim((LEAVE:gsub("LEAVING", function() return leaving end)))
        assert.are.equal("OPERATION_IN_PROGRESS", told.answer.status)
        assert.are.equal(0, ended.status, ended.err)
        assert.is_true(ended.seconds < 5, ("it took %.1f s"):format(ended.seconds))
      end)
    end

    it("at the moment after a call was started", function()
      local _, ended = nvim [[
        child.client():pause_service({ServiceArn = child.arn "wait20000"}, function() end)
        child.tell {}
        vim.cmd "qa!"
      ]]
      assert.are.equal(0, ended.status, ended.err)
      assert.is_true(ended.seconds < 5)
    end)

    for _, stage in ipairs {"load", "init", "engine"} do
      for name, leaving in pairs {
        ["qa!"] = "vim.schedule(function() vim.cmd 'qa!' end)", ["os.exit"] = "os.exit(0)",
      } do
        it(("in the midst of bringing up libcurl (%s), by %s"):format(stage, name), function()
          local told, ended = nvim(([[
            child.watch_engine(function(stage)
              if stage ~= %q then return end
              child.tell {stage = stage}
              %s
            end)
            child.client():pause_service({ServiceArn = child.arn "wait20000"}, function() end)
          ]]):format(stage, leaving))
          assert.are.equal(stage, told.stage)
          assert.are.same({0, ""}, {ended.status, ended.err})
          assert.is_true(ended.seconds < 5)
        end)
      end
    end

    it("while a container endpoint keeps its calls waiting", function()
      local told, ended = nvim([[
        local client = child.client()
        for i = 1, 10 do
          client:pause_service({ServiceArn = child.arn "never"}, function() end)
          child.apprunner.spawn(function() client:pause_service {ServiceArn = child.arn "never"} end)
        end
        local check = vim.loop.new_timer()
        check:start(1, 1, function()
          if not child.is_waiting() then return end
          check:close()
          child.tell(child.stats())
          child.quit()
        end)
      ]], {
        AWS_ACCESS_KEY_ID = false, AWS_SECRET_ACCESS_KEY = false,
        AWS_CONTAINER_CREDENTIALS_FULL_URI = ("http://127.0.0.1:%d/container?wait=20"):format(endpoint.port.plain),
      })
      assert.are.equal(1, told.in_flight)
      assert.are.same({0, ""}, {ended.status, ended.err})
      assert.is_true(ended.seconds < 5, ("it took %.1f s"):format(ended.seconds))
    end)

    it("while a name server keeps a call waiting", function()
      local told, ended = nvim([[
        local client = child.client {endpoint_url = "https://slow.invalid"}
        local beat = child.heartbeat()
        client:pause_service({ServiceArn = child.arn "never"}, function() end)
        local check = vim.loop.new_timer()
        check:start(5, 5, function()
          local mark = io.open(os.getenv "SLOW_MARK")
          if not mark then return end
          mark:close()
          check:close()
          beat.stop()
          child.tell {gaps = beat.gaps}
          child.quit()
        end)
      ]], {LD_PRELOAD = hosts.helper "slow_names", SLOW_MARK = hosts.path "resolving"})
      assert.are.equal(0, ended.status, ended.err)
      assert.is_true(ended.seconds < 5, ("it took %.1f s"):format(ended.seconds))
      hosts.note("Neovim, a name server that is slow: longest heartbeat gap %.1f ms", hosts.quantile(told.gaps, 1))
    end)
  end)
end)
