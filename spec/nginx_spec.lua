-- luacheck: std max+busted
-- The seam in nginx with its Lua module: a worker that goes on while its calls wait for a TLS endpoint that takes its
-- time. Asserted are answers, the engine's own longest step and what becomes of waiters that go away; what a machine's
-- load moves is printed.

local cjson = require "cjson"
local hosts = require "spec.support.hosts"
local make_pki = dofile "spec/support/pki.lua"
local reloads = require "spec.support.reloads"
local socket = require "socket"

local LONGEST_STEP = 10000 -- microseconds that the engine may keep a worker at a time
local LOOKS = 3 -- a step that the machine interrupted is looked at anew, so often

describe("in nginx #hosts #once #timing", function()
  local pki, endpoint, front

  local ENDPOINT = [[
    ssl_certificate_key @pki@/good.key;
    server {
      listen 127.0.0.1:@tls@ ssl;
      ssl_certificate @pki@/good.pem;
      access_log @dir@/access.log exchange;
      location / { content_by_lua_file @root@/spec/support/nginx_endpoint.lua; }
    }
    server {
      listen 127.0.0.1:@plain@;
      access_log @dir@/access.log exchange;
      lua_check_client_abort on; # which sees nothing on a connection of TLS
      location / { content_by_lua_file @root@/spec/support/nginx_endpoint.lua; }
    }
    server {
      listen 127.0.0.1:@unknown@ ssl;
      ssl_certificate @pki@/unknown.pem;
      ssl_certificate_key @pki@/unknown.key;
    }
    server {
      listen 127.0.0.1:@misnamed@ ssl;
      ssl_certificate @pki@/misnamed.pem;
      ssl_certificate_key @pki@/misnamed.key;
    }
    server {
      listen 127.0.0.1:@expired@ ssl;
      ssl_certificate @pki@/expired.pem;
      ssl_certificate_key @pki@/expired.key;
    }
    server {
      listen 127.0.0.1:@noise@;
      return 200 "not TLS";
    }]]

  local FRONT = [[
    lua_shared_dict told 1m;
    @limits@
    init_by_lua_block { @init@ }
    init_worker_by_lua_block {
      if @worker@ then
        require("nginx_front").pause_and_tell "init_worker"
        require("nginx_front").callback "init_worker.callback"
      end
    }
    exit_worker_by_lua_block {
      require("nginx_front").pause_and_tell "exit_worker"
      require("nginx_front").callback "exit_worker.callback"
    }
    upstream balanced {
      server 0.0.0.1;
      balancer_by_lua_block { require("nginx_front").balance() }
    }
    server {
      listen 127.0.0.1:@front@;
      listen 127.0.0.1:@tls@ ssl;
      ssl_certificate @pki@/good.pem;
      ssl_certificate_key @pki@/good.key;
      location / {
        access_by_lua_block { require("nginx_front").fail_and_pass_on() }
        content_by_lua_file @root@/spec/support/nginx_endpoint.lua;
      }
      location = /abort {
        lua_check_client_abort on;
        content_by_lua_block { require("nginx_front").pause_plainly() }
      }
      location = /access {
        access_by_lua_block { require("nginx_front").pause_early() }
        content_by_lua_block { require("nginx_front").answer_early() }
      }
      location = /rewrite {
        rewrite_by_lua_block { require("nginx_front").pause_early() }
        content_by_lua_block { require("nginx_front").answer_early() }
      }
      location = /set {
        set_by_lua_block $page { require("nginx_front").pause_and_tell(); return "page" }
        content_by_lua_block { ngx.print(ngx.var.page) }
      }
      location = /balancer { proxy_pass http://balanced/do/beat; }
      location = /header_filter {
        header_filter_by_lua_block { require("nginx_front").pause_and_tell() }
        content_by_lua_block { ngx.print "page" }
      }
      location = /body_filter {
        body_filter_by_lua_block { if ngx.arg[2] then require("nginx_front").pause_and_tell() end }
        content_by_lua_block { ngx.print "page" }
      }
      location = /log {
        log_by_lua_block { require("nginx_front").pause_and_tell() }
        content_by_lua_block { ngx.print "page" }
      }
      location = /log_callback {
        log_by_lua_block { require("nginx_front").callback() }
        content_by_lua_block { ngx.print "page" }
      }
      location = /log_sleep {
        log_by_lua_block { require("nginx_front").sleep() }
        content_by_lua_block { ngx.print "page" }
      }
      location ~ ^/do/(?<what>\w+)$ { content_by_lua_block { require("nginx_front")[ngx.var.what]() } }
    }]]

  local KEEP = "env ENDPOINT; env PLAIN; env BUNDLE; env REFUSED; thread_pool calls threads=2;"
  local CREDENTIALS = "env AWS_ACCESS_KEY_ID; env AWS_SECRET_ACCESS_KEY;"

  local function start_front(options)
    local refused = {endpoint.port.unknown, endpoint.port.misnamed, endpoint.port.expired, endpoint.port.noise}
    return hosts.nginx {
      ports = {"front", "tls"}, http = FRONT,
      main = KEEP .. (options.credentials and CREDENTIALS or "") .. (options.main or ""),
      values = {
        pki = pki, init = options.init or 'require("nginx_front").init()', worker = tostring(not options.init),
        limits = options.limits or "",
      },
      env = {
        ENDPOINT = "https://localhost:" .. endpoint.port.tls, BUNDLE = pki .. "/hashed",
        PLAIN = "http://127.0.0.1:" .. endpoint.port.plain, REFUSED = table.concat(refused, " "),
      },
    }
  end

  setup(function()
    pki = make_pki(hosts)
    endpoint = hosts.nginx {
      ports = {"tls", "unknown", "misnamed", "expired", "noise", "plain"}, http = ENDPOINT, values = {pki = pki},
    }
    front = start_front {credentials = true}
  end)

  teardown(hosts.clear)

  local function get(path, server)
    local answer = hosts.get((server or front).port.front, path)
    assert.are.equal(200, answer.status, path)
    return answer.body:find "^[%[{]" and cjson.decode(answer.body) or answer.body
  end

  local function stats(server) return get("/do/stats", server) end

  -- What a handler told under a name, as soon as it did.
  local function told(name, server)
    return cjson.decode(hosts.await("what " .. name .. " told", function()
      local text = hosts.get((server or front).port.front, "/do/told?name=" .. name).body
      return text ~= "" and text
    end))
  end

  local function check_paused(result, name, phase)
    assert.are.equal("OPERATION_IN_PROGRESS", result.status, result.message or result.raised)
    assert.truthy(result.arn:find("/" .. name .. "/", 1, true))
    if phase then assert.are.equal(phase, result.phase) end
  end

  local function check_refused(result)
    assert.are.equal("NotYieldableError", result.code, result.raised)
    assert.are.equal("settings", result.kind)
    assert.truthy(result.message:find(result.phase, 1, true), result.message)
  end

  -- A worker with a new Lua state.
  local function reload(server)
    local old = server:workers()[1]
    server:signal "HUP"
    hosts.await("another worker", function()
      local now = server:workers()
      return #now == 1 and now[1] ~= old
    end)
  end

  describe("fifty requests at once, each pausing a service", function()
    local function run(path, count)
      local worker, paths, beats = front:workers()[1], {}, {}
      for i = 1, count do paths[i] = path .. i end
      local cpu = hosts.cpu_ms(worker)
      local requests = {}
      for i, each in ipairs(paths) do requests[i] = hosts.request(front.port.front, each) end
      repeat
        local beat = hosts.get(front.port.front, "/do/beat")
        assert.are.equal("beat", beat.body)
        beats[#beats + 1] = beat.seconds * 1000
        socket.sleep(0.003)
      until socket.gettime() - requests[1].begun > 0.15
      hosts.answers(requests)
      local times = {}
      for i, request in ipairs(requests) do
        times[i] = request.seconds * 1000
        assert.are.equal(200, request.status)
        check_paused(cjson.decode(request.body), "wait200n" .. i, "content")
      end
      return times, beats, hosts.cpu_ms(worker) - cpu
    end

    local function look(what)
      local times, beats, cpu = run("/do/pause?name=wait200n", 50)
      local longest = stats().longest_step_us
      hosts.note("nginx, 50 pauses at once, %s: longest step %.1f ms; worker's CPU %.1f ms; done after p50 %.0f, max "
        .. "%.0f ms; %d heartbeats in %.1f ms p50, %.1f ms max", what, longest / 1000, cpu,
        hosts.quantile(times, 0.5), hosts.quantile(times, 1), #beats, hosts.quantile(beats, 0.5),
        hosts.quantile(beats, 1))
      return longest
    end

    it("get their own answers, and no step is long", function()
      local longest
      for _ = 1, LOOKS do
        reload(front)
        longest = look "new connections"
        if longest <= LONGEST_STEP then break end
      end
      assert.is_true(longest <= LONGEST_STEP, ("a step took %.1f ms"):format(longest / 1000))
      look "kept connections"
    end)
  end)

  describe("the phases that can wait", function()
    for _, phase in ipairs {"access", "rewrite"} do
      it(phase, function() check_paused(get("/" .. phase .. "?name=wait50" .. phase), "wait50" .. phase, phase) end)
    end

    it("a timer", function()
      get "/do/timer?name=wait50timer"
      check_paused(told "wait50timer", "wait50timer", "timer")
    end)

    it("light threads of one request, side by side", function()
      local begun = socket.gettime()
      local results = get "/do/threads?name=wait100threads&count=8"
      for i = 1, 8 do check_paused(results[i], "wait100threadsn" .. i, "content") end
      assert.is_true(socket.gettime() - begun < 0.7)
    end)

    it("coroutines of apprunner.spawn", function()
      get "/do/spawned?name=wait50spawned"
      for i = 1, 3 do
        local result = told("wait50spawned" .. i)
        check_paused(result, "wait50spawned" .. i)
        assert.are.equal("text " .. i, result.text)
      end
    end)

    it("the items of apprunner.map, side by side", function()
      local result = get "/do/map?name=wait100map"
      for item = 1, 8 do
        assert.are.equal(item ~= 7 and "OPERATION_IN_PROGRESS" or cjson.null, result.paused[item])
      end
      assert.are.equal("seven", result.raised)
      assert.is_true(result.seconds < 0.7)
    end)

    it("the items of apprunner.map, which ends them when it is told to", function()
      local result = get "/do/map_cancelled?name=wait20000map"
      assert.are.same({sleep = true}, result.outs)
      assert.are.same({call = "Cancelled", host = "Cancelled", late = "Cancelled"}, result.codes)
      assert.is_true(result.seconds < 5)
      hosts.await("an idle engine", function() return stats().in_flight == 0 end)
    end)

    it("apprunner.sleep; apprunner.run is misuse", function()
      get "/do/sleep?name=sleep"
      local result = told "sleep"
      assert.is_true(result.ok)
      assert.is_true(result.seconds >= 0.05)
      assert.is_false(result.run)
    end)
  end)

  describe("the phases that cannot wait say so at once", function()
    for _, phase in ipairs {"set", "balancer", "header_filter", "body_filter", "log"} do
      it(phase, function()
        get("/" .. phase .. "?name=wait20000" .. phase)
        check_refused(told("wait20000" .. phase))
      end)
    end

    it("init and init_worker", function()
      check_refused(told "init")
      check_refused(told "init_worker")
    end)

    it("exit_worker", function()
      reload(front)
      check_refused(told "exit_worker")
    end)

    it("apprunner.sleep", function()
      get "/log_sleep?name=log_sleep"
      assert.are.equal("NotYieldableError", told "log_sleep".err)
      assert.is_true(told "log_sleep".seconds < 0.04)
      assert.are.equal("NotYieldableError", told "init.sleep".code, told "init.sleep".raised)
    end)

    for _, phase in ipairs {"init", "exit_worker"} do
      it("a callback where there is no timer to be had: " .. phase, function()
        local result = told(phase .. ".callback")
        assert.is_nil(result.raised)
        assert.are.equal("NotYieldableError", result.code)
        assert.are.equal("settings", result.kind)
      end)
    end
  end)

  describe("callbacks", function()
    it("come from a timer, once", function()
      get "/do/callback?name=wait50callback"
      check_paused(told "wait50callback", "wait50callback", "timer")
      assert.are.equal(1, told "wait50callback".count)
    end)

    it("can be asked for where nothing can wait", function()
      get "/log_callback?name=wait50log"
      check_paused(told "wait50log", "wait50log", "timer")
      check_paused(told "init_worker.callback", "init_worker.callback", "timer")
    end)

    it("may wait in calls of their own, and one that raises harms none", function()
      get "/do/callbacks?name=wait50callbacks"
      check_paused(told "wait50callbacks", "wait50callbacks", "timer")
      hosts.await("the error", function() return front:log():find("a callback raises", 1, true) end)
    end)

    it("come where a request began the client's function, and has ended", function()
      assert.are.equal(204, hosts.get(front.port.front, "/do/end_early?name=early").status)
      assert.are.equal("timer", told "early".status)
    end)

    it("of a cancelled call get Cancelled at once, and the exchange ends", function()
      assert.are.same({first = true, again = false}, get "/do/cancel?name=wait20000cancel")
      assert.are.equal("Cancelled", told "wait20000cancel".code)
      hosts.await("an idle engine", function() return stats().in_flight == 0 end)
    end)

    it("of a closed client get Cancelled at once", function()
      get "/do/close?name=wait20000close"
      assert.are.equal("Cancelled", told "wait20000close".code)
      assert.is_true(told "wait20000close".seconds < 1)
    end)
  end)

  describe("a waiter that goes away gives up its call, once it is collected,", function()
    local function given_up(before)
      hosts.await("the request to be given up", function()
        get "/do/collect"
        local served = endpoint:served()
        for i = before + 1, #served do
          if served[i].status == 499 then return true end
        end
      end)
      hosts.await("an idle engine and no driver", function()
        local now = stats()
        return now.in_flight == 0 and now.threads == 0
      end)
    end

    it("when its light thread is killed", function()
      local before = #endpoint:served()
      local other = hosts.request(front.port.front, "/do/pause?name=wait500kill")
      assert.are.equal(2, get("/do/kill?name=wait20000kill").before)
      given_up(before)
      check_paused(cjson.decode(hosts.answers {other}[1].body), "wait500kill")
    end)

    it("when its client has gone", function()
      local before = #endpoint:served()
      local other = hosts.request(front.port.front, "/do/pause?name=wait500gone")
      local gone = hosts.request(front.port.front, "/abort?name=wait20000gone")
      endpoint:await_request "wait500gone"
      endpoint:await_request "wait20000gone"
      gone.connection:close()
      given_up(before)
      check_paused(cjson.decode(hosts.answers {other}[1].body), "wait500gone")
    end)

    it("and the driver ends when nothing is left", function()
      get "/do/pause?name=last"
      hosts.await("the driver's end", function() return stats().threads == 0 end)
    end)
  end)

  it("a reload lets the pauses that run come to their end, and the worker goes", function()
    local old, requests = front:workers()[1], {}
    for i = 1, 10 do requests[i] = hosts.request(front.port.front, "/do/pause?name=wait700reload" .. i) end
    get "/do/callback?name=wait700reloaded"
    get "/do/timer?name=wait700reloadedtimer"
    for i = 1, 10 do endpoint:await_request("wait700reload" .. i) end
    endpoint:await_request "wait700reloaded"
    endpoint:await_request "wait700reloadedtimer"
    local begun = socket.gettime()
    front:signal "HUP"
    hosts.await("a new worker", function() return stats().pid ~= old end)
    check_paused(get "/do/pause?name=reloaded", "reloaded")
    for i, request in ipairs(hosts.answers(requests)) do
      assert.are.equal(200, request.status)
      check_paused(cjson.decode(request.body), "wait700reload" .. i)
    end
    check_paused(told "wait700reloaded", "wait700reloaded", "timer")
    check_paused(told "wait700reloadedtimer", "wait700reloadedtimer", "timer")
    hosts.await("the old worker's end", function()
      for _, pid in ipairs(front:workers()) do
        if pid == old then return false end
      end
      return true
    end)
    hosts.note("nginx, reload with 12 pauses of 700 ms in flight: the old worker was gone after %.0f ms",
      (socket.gettime() - begun) * 1000)
  end)

  it("one driver pumps for all that wait in a worker", function()
    local requests = {}
    for i = 1, 5 do requests[i] = hosts.request(front.port.front, "/do/pause?name=wait200driver" .. i) end
    for i = 1, 5 do endpoint:await_request("wait200driver" .. i) end
    assert.are.equal(1, stats().threads)
    hosts.answers(requests)
  end)

  it("ngx.run_worker_thread blocks a thread of its own, and nobody else #once", function()
    local request = hosts.request(front.port.front, "/do/worker_thread?name=wait300thread")
    endpoint:await_request "wait300thread"
    assert.are.equal("beat", hosts.get(front.port.front, "/do/beat").body)
    local beaten = socket.gettime()
    hosts.answers {request}
    check_paused(cjson.decode(request.body), "wait300thread")
    assert.is_true(beaten < request.begun + request.seconds)
  end)

  it("two workers that are reloaded again and again pause all, and leave no descriptor and no worker #once", function()
    local report = reloads.run(endpoint, pki, {calls = 500, concurrency = 32, wait = 20, interval = 0.15})
    assert.are.same({}, report.failed)
    assert.is_true(report.reloads >= 2)
    assert.are.equal(report.before.descriptors, report.after.descriptors)
    assert.is_nil(report.log:find "%[alert%]" or report.log:find "%[crit%]" or report.log:find "%[error%]")
    hosts.note("nginx, 500 pauses of 20 ms with %d reloads in %.1f s: %+d KiB in the master", report.reloads,
      report.seconds, report.after.master - report.before.master)
  end)

  it("failures of TLS leave nothing behind for nginx's own TLS", function()
    local result = hosts.lua([[
      local client, codes, seen = child.client(), {}, {}
      for i = 1, 20 do
        local out, err = client:pause_service {ServiceArn = child.arn("n" .. i)}
        codes[i] = out and out.Service.Status or tostring(err)
      end
      child.tell(codes)
    ]], {env = {ENDPOINT = "https://localhost:" .. front.port.tls, AWS_CA_BUNDLE = pki .. "/hashed"}})
    for i = 1, 20 do assert.are.equal("OPERATION_IN_PROGRESS", result[i]) end
    assert.is_nil(front:log():find("stale global SSL error", 1, true))
  end)

  describe("calls come to their end where nginx", function()
    local function check(limits, occupy, what, init, finish)
      local busy = start_front {credentials = true, init = (init or "") .. 'require "nginx_front"', limits = limits}
      occupy(busy)
      local begun, requests = socket.gettime(), {}
      for i = 1, 3 do requests[i] = hosts.request(busy.port.front, "/do/pause?name=wait50busy" .. i) end
      for i, request in ipairs(hosts.answers(requests)) do
        check_paused(cjson.decode(request.body), "wait50busy" .. i)
      end
      hosts.note("nginx, %s: 3 pauses of 50 ms at once after %.0f ms", what, (socket.gettime() - begun) * 1000)
      check_paused(get("/do/pause?name=busy", busy), "busy")
      if finish then finish(busy) end
      busy:stop()
    end

    it("gives the driver no timer", function()
      check("lua_max_pending_timers 1;", function(busy) get("/do/pend", busy) end, "no timer for the driver")
    end)

    it("gives the driver a timer and does not run it", function()
      check("lua_max_running_timers 1;", function(busy)
        get("/do/occupy?name=occupied", busy)
        told("occupied", busy)
      end, "a timer for the driver that does not run", nil, function(busy)
        hosts.await("a timer that may run", function() return get("/do/stats", busy).threads == 0 end)
        hosts.await("a callback", function()
          get("/do/callback?name=later", busy)
          return told("later", busy).phase == "timer"
        end)
      end)
    end)

    it("has no ngx.semaphore #once", function()
      check("", function() end, "no semaphores",
        'package.preload["ngx.semaphore"] = function() error "there is none" end\n')
    end)
  end)

  it("an environment that nginx has emptied gives errors that say so", function()
    local stripped = start_front {credentials = false}
    local results = {NoCredentialsError = get("/do/pause?name=stripped", stripped), NoRegionError = get("/do/list")}
    for code, result in pairs(results) do
      assert.are.equal(code, result.code)
      assert.truthy(result.message:find('name what they need in nginx.conf, as in "env AWS_', 1, true), result.message)
    end
    stripped:stop()
  end)

  it("one process that is master and worker pauses as well #once", function()
    local alone = start_front {credentials = true, main = "master_process off;"}
    local begun = socket.gettime()
    local answers = hosts.get_all(alone.port.front, {"/do/pause?name=wait200one", "/do/pause?name=wait200other"})
    assert.is_true(socket.gettime() - begun < 0.4)
    check_paused(cjson.decode(answers[1].body), "wait200one")
    check_paused(cjson.decode(answers[2].body), "wait200other")
    alone:stop()
  end)

  it("workers that are forked from a process that has called use connections of their own", function()
    local before = endpoint:connections()
    local forked = start_front {credentials = true, init = 'require("nginx_front").init_blocking()'}
    check_paused(told("init", forked), "init", "init")
    check_paused(get("/do/pause?name=wait50fork", forked), "wait50fork", "content")
    check_paused(get("/do/pause?name=fork", forked), "fork", "content")
    assert.are.equal(before + 2, endpoint:connections())
    -- A crashed worker's successor is forked from the same parent.
    local old = forked:workers()[1]
    hosts.shell("kill -KILL " .. old)
    hosts.await("another worker", function() return forked:workers()[1] and forked:workers()[1] ~= old end)
    check_paused(get("/do/pause?name=wait50again", forked), "wait50again", "content")
    reload(forked)
    check_paused(get("/do/pause?name=wait50reloaded", forked), "wait50reloaded", "content")
    forked:stop()
    assert.is_nil(forked:log():find("stale global SSL error", 1, true))
  end)

  it("the error log has nothing that apprunner did not mean", function()
    for line in front:log():gmatch "[^\n]+" do
      local bad = line:find("[alert]", 1, true) or line:find("[crit]", 1, true) or line:find("[emerg]", 1, true)
        or line:find("exited on signal", 1, true) or line:find("stale global SSL error", 1, true)
        or line:find("without delayed events patch", 1, true)
      if line:find("[error]", 1, true) and not line:find("a callback raises", 1, true) then bad = true end
      assert.is_falsy(bad, line)
    end
  end)
end)
