-- luacheck: std max+busted
-- Exchanges by resty.http, in nginx: what a caller gets is what libcurl gives, for each failure of faults.lua and for
-- what goes well; and libcurl is never loaded. The library is a fake of the same interface, on nginx's own cosockets;
-- where the real one is installed, it meets the failures, too.

local cjson = require "cjson"
local faults = require "spec.support.faults"
local hosts = require "spec.support.hosts"
local make_pki = require "spec.support.pki"
local play = require "spec.support.fault_play"
local process = require "spec.support.fault_process"

-- Where the real library would be.
local LIBRARIES = {
  os.getenv "RESTY_HTTP" or "", "/usr/share/lua/5.1", "/usr/local/share/lua/5.1", "/usr/local/openresty/lualib",
  "/usr/local/openresty/site/lualib",
}

-- The rows of faults.lua that go otherwise than by libcurl, and why.
local CUT = {kind = "transport", code = "SSLError", retryable = true, ambiguous = false, attempts = 3}
local REFUSED = {kind = "transport", code = "HTTPClientError", retryable = true, ambiguous = true, attempts = 3}
local OTHERWISE = {
  -- nginx says of each "handshake failed", which may be a connection that was cut, and that may go well the next time.
  tls_plain = CUT, tls_garbage = CUT, tls_alert = CUT,
  -- nginx speaks TLS 1.2 here, in which that is found in the handshake.
  tls_demands = CUT,
  -- resty.http takes the folded line for the head's end.
  header_folded = REFUSED,
  -- resty.http would wait for that many bytes.
  length_overflow = REFUSED,
  -- A line is bounded before it is silent for too long.
  chunk_extension_endless = {
    kind = "response", code = "ResponseTooLargeError", retryable = false, ambiguous = true, attempts = 1,
  },
  -- resty.http reads no trailers; the connection is not used again.
  trailers_endless = {attempts = 1, as_it_says = true},
}

describe("by resty.http in nginx #hosts #once", function()
  local pki, endpoint, server, front, bare

  local ENDPOINT = [[
    ssl_certificate @pki@/good.pem;
    ssl_certificate_key @pki@/good.key;
    server {
      listen 127.0.0.1:@plain@;
      listen 127.0.0.1:@tls@ ssl;
      access_log @dir@/access.log exchange;
      lua_check_client_abort on;
      location / { content_by_lua_file @root@/spec/support/nginx_endpoint.lua; }
      location = /raw/ {
        content_by_lua_block {
          ngx.req.read_body()
          local told = {OperationId = ngx.req.raw_header() .. ngx.req.get_body_data()}
          ngx.print(require "cjson".encode(told))
        }
      }
      location = /credentials {
        content_by_lua_block {
          ngx.print('{"AccessKeyId":"ASIACONTAINER","SecretAccessKey":"s","Token":"t",'
            .. '"Expiration":"2099-01-01T00:00:00Z"}')
        }
      }
    }]]

  local FRONT = [[
    lua_shared_dict told 1m;
    lua_socket_log_errors off;
    @directives@
    server {
      listen 127.0.0.1:@front@;
      location = /abort {
        lua_check_client_abort on;
        content_by_lua_block { require("nginx_front").pause_plainly() }
      }
      location ~ ^/do/(?<what>\w+)$ { content_by_lua_block { require("nginx_front")[ngx.var.what]() } }
      location ~ ^/(?<what>\w+)$ { content_by_lua_block { require("nginx_cosockets")(ngx.var.what) } }
    }]]

  local DIRECTIVES = [[
    resolver 127.0.0.1:@names@ ipv6=off;
    resolver_timeout 1s; # which a worker waits for, too, before it exits
    lua_ssl_trusted_certificate @pki@/ca.pem;
    lua_ssl_verify_depth 3;]]

  local function start_front(path, faulty, directives, preload)
    return hosts.nginx {
      ports = {"front"}, http = FRONT:gsub("@directives@", directives),
      main = "env ENDPOINT; env PLAIN; env PORTS; env AWS_CONTAINER_CREDENTIALS_FULL_URI;",
      values = {pki = pki, names = ("%d"):format(faulty.ports.names), lua_path = path .. "/?.lua;" .. hosts.lua_path()},
      env = {
        ENDPOINT = "https://localhost:" .. endpoint.port.tls, PLAIN = "http://127.0.0.1:" .. endpoint.port.plain,
        PORTS = cjson.encode(faulty.ports),
        AWS_CONTAINER_CREDENTIALS_FULL_URI = "http://127.0.0.1:" .. endpoint.port.plain .. "/credentials",
        LD_PRELOAD = preload,
      },
    }
  end

  setup(function()
    local library = hosts.root .. "/spec/support/cosockets"
    pki = make_pki(hosts)
    server = process.start(pki)
    endpoint = hosts.nginx {ports = {"plain", "tls"}, http = ENDPOINT, values = {pki = pki}}
    front = start_front(library, server, DIRECTIVES)
    bare = start_front(library, server, "lua_max_running_timers 1;")
  end)

  teardown(function()
    server:stop()
    hosts.clear()
  end)

  local function decoded(answer)
    assert.equal(200, answer.status, answer.body)
    return cjson.decode(answer.body)
  end

  local function get(path, of) return decoded(hosts.get((of or front).port.front, path)) end

  -- A path with settings of a client.
  local function with(what, settings)
    local text = cjson.encode(settings):gsub("[^%w]", function(c) return ("%%%02X"):format(c:byte()) end)
    return ("/%s?settings=%s"):format(what, text)
  end

  local function call(settings, of) return get(with("call", settings), of) end

  local function is_idle(of) return get("/state", of).timers == 0 end

  local function check_paused(result, name)
    assert.equal("OPERATION_IN_PROGRESS", result.status, result.message or result.raised)
    assert.truthy(result.arn:find("/" .. name .. "/", 1, true))
  end

  -- All rows against a server of faults, as one says that it went.
  local function check_faults(of, faulty)
    local results = get("/faults", of)
    local counts = faulty:counts()
    for _, row in ipairs(faults) do
      local told = results[row.name]
      local got = {
        kind = told.kind, code = told.code, retryable = told.retryable, ambiguous = told.ambiguous,
        attempts = told.attempts, as_it_says = told.as_it_says,
      }
      local name = row.name .. ": " .. tostring(told.text)
      assert.same(OTHERWISE[row.name] or play.expected(row), got, name)
      if row.counts then assert.equal(got.attempts, play.counted(row, counts), name) end
      assert.is_true(told.seconds <= row.longest, name .. (": took %.3f s"):format(told.seconds))
    end
    assert.equal(0, counts.elsewhere.connections)
  end

  it("each failure comes to the same as by libcurl", function() check_faults(front, server) end)

  it("each failure comes to the same with the real resty.http", function()
    for _, folder in ipairs(LIBRARIES) do
      if hosts.read(folder .. "/resty/http.lua") then
        local faulty = process.start(pki)
        check_faults(start_front(folder, faulty, DIRECTIVES), faulty)
        return faulty:stop()
      end
    end
    pending "lua-resty-http is not installed here"
  end)

  it("600 pauses at once get their own answers, and a driver that has started enough sees to its threads", function()
    local before, open = server:counts().silence_after_request.requests, server:open()
    get(with("begin", {endpoint_url = server:url "silence_after_request"}))
    hosts.await("the request", function() return server:counts().silence_after_request.requests > before end)
    local answer = hosts.get(front.port.front, "/do/threads?name=wait50many&count=600")
    for i, result in ipairs(decoded(answer)) do check_paused(result, "wait50manyn" .. i) end
    assert.is_true(answer.seconds < 10)
    assert.is_true(get "/cancel".cancelled)
    hosts.await("the end of the connection", function() return server:open() <= open end)
    hosts.await("the drivers' ends", is_idle)
  end)

  it("one connection serves one call after another", function()
    local first = #endpoint:served() + 1
    for i = 1, 5 do check_paused(get("/do/pause?name=kept" .. i), "kept" .. i) end
    local served = endpoint:served()
    assert.equal(first + 4, #served)
    for i = first, first + 4 do assert.equal(served[first].connection, served[i].connection) end
  end)

  it("a connection whose certificate was not checked is no other's", function()
    local url = server:url("tls_unknown", "https")
    assert.equal("c580e2c5", call({endpoint_url = url, verify = false}).id)
    local refused = call {endpoint_url = url}
    assert.equal("SSLError", refused.code, refused.message)
  end)

  it("a certificate that is not trusted is told of, too, where the handshake was over without a wait", function()
    local url = server:url("tls_unknown", "https")
    local eager = start_front(hosts.root .. "/spec/support/cosockets", server, DIRECTIVES, hosts.helper "eager_tls")
    assert.equal("c580e2c5", call({endpoint_url = url, verify = false}, eager).id)
    local before = server:counts().tls_unknown
    local refused = call({endpoint_url = url}, eager)
    assert.same({kind = "transport", code = "SSLError", attempts = 1, message = refused.message}, refused)
    assert.matches("^no trust in localhost:%d+: .+ %(lua_ssl_trusted_certificate", refused.message)
    assert.equal(before.requests, server:counts().tls_unknown.requests)
    eager:stop()
  end)

  local NEW = {"^X%-Amz%-Date: (.*)", "^amz%-sdk%-invocation%-id: (.*)", "Credential=%w+/(%d+)/", "Signature=(%x+)"}

  -- What a call sends, but for what is new in each, in the order of the alphabet.
  local function sent(loop, of)
    local lines = {}
    local told = call({endpoint_url = "http://127.0.0.1:" .. endpoint.port.plain .. "/raw/", loop = loop}, of)
    for line in told.id:gmatch "[^\r\n]+" do
      for _, new in ipairs(NEW) do line = line:gsub(new, "") end
      lines[#lines + 1] = line
    end
    table.sort(lines)
    return lines
  end

  it("a request has the lines that libcurl sends", function()
    local lines = sent("nginx", front)
    assert.is_true(#lines > 8)
    assert.same(sent("blocking", bare), lines)
  end)

  it("who blocks goes on to use libcurl", function() assert.is_true(get("/maps", bare).libcurl) end)

  describe("what nginx is not told of is an error that names it:", function()
    local function failed(settings, of, kind, code, words)
      settings.max_attempts = 1
      local told = call(settings, of)
      assert.same({kind, code}, {told.kind, told.code}, told.message)
      assert.truthy(told.message:find(words, 1, true), told.message)
    end

    it("a name server", function()
      failed({endpoint_url = "http://localhost:1"}, bare, "transport", "EndpointConnectionError", "`resolver`")
    end)

    it("an authority", function()
      failed({endpoint_url = server:url("tls_unknown", "https")}, front, "transport", "SSLError",
        "lua_ssl_trusted_certificate")
    end)

    it("ca_bundle, which it cannot use", function()
      failed({endpoint_url = server:url("tls_good", "https"), ca_bundle = pki .. "/ca.pem"}, front, "settings",
        "InvalidConfigError", "lua_ssl_trusted_certificate")
      assert.equal("c580e2c5", call({endpoint_url = server:url "good", ca_bundle = pki .. "/ca.pem"}).id)
    end)

    it("a proxy that is spoken to by TLS", function()
      failed({endpoint_url = server:url "good", proxy = "https://127.0.0.1:1"}, front, "settings",
        "InvalidConfigError", "proxy")
    end)
  end)

  it("a name that is not known, and one that nobody answers for, fail as by libcurl", function()
    assert.equal("EndpointConnectionError", call({endpoint_url = "http://unknown.invalid:1", max_attempts = 1}).code)
    local told = call {endpoint_url = "http://silent.invalid:1", max_attempts = 1, connect_timeout = 0.2}
    assert.equal("ConnectTimeoutError", told.code)
  end)

  it("a proxy is told its user and password, and nobody else is", function()
    local proxy = "http://user:p%40ss@127.0.0.1:" .. endpoint.port.plain
    local lines = call({endpoint_url = "http://127.0.0.1:1/raw/", proxy = proxy}).id
    assert.truthy(lines:find("^POST http://127.0.0.1:1/raw/ HTTP"), lines)
    assert.truthy(lines:find("Proxy-Authorization: Basic " .. require "mime".b64 "user:p@ss", 1, true), lines)
  end)

  it("the credentials of a container come the same way", function()
    assert.same({status = "OPERATION_IN_PROGRESS", provider = "container"}, get "/provided")
  end)

  local function await_code()
    return hosts.await("the end of the call", function() return get "/ended".code end)
  end

  it("the connection of a call that is cancelled is closed at once, while others go on", function()
    server:drop()
    hosts.await("no connection", function() return server:open() == 0 end)
    local other = hosts.request(front.port.front,
      with("call", {endpoint_url = server:url "silence_after_request", max_attempts = 1}))
    hosts.await("the other request", function() return server:open() == 1 end)
    for name, what in pairs {
      half_status_line_silence = "requests", headers_slow = "requests", body_short_silence = "requests",
      body_slow = "requests", chunks_silence = "requests", tls_silence = "connections", tls_silence_body = "requests",
    } do
      local before = server:counts()[name][what]
      get(with("begin", {endpoint_url = server:url(name, name:find "^tls" and "https" or "http")}))
      hosts.await(name, function() return server:counts()[name][what] > before end)
      assert.is_true(get "/cancel".cancelled)
      assert.equal("Cancelled", await_code())
      hosts.await("the end of the connection of " .. name, function() return server:open() == 1 end)
    end
    get(with("begin", {endpoint_url = "http://silent.invalid:1"}))
    assert.is_true(get "/cancel".cancelled)
    assert.equal("Cancelled", await_code())
    server:drop()
    assert.equal("ConnectionClosedError", decoded(hosts.answers {other}[1]).code)
    hosts.await("the driver's end", is_idle)
  end)

  it("a request that is killed gives up its call, once it is collected, and no other's", function()
    local other = hosts.request(front.port.front, "/do/pause?name=wait500kill")
    local gone = hosts.request(front.port.front, "/abort?name=wait20000gone")
    endpoint:await_request "wait500kill"
    endpoint:await_request "wait20000gone"
    gone.connection:close()
    hosts.await("the request to be given up", function()
      get "/do/collect"
      local served = endpoint:served().wait20000gone
      return served and served.status == 499
    end)
    check_paused(decoded(hosts.answers {other}[1]), "wait500kill")
    hosts.await("the driver's end", is_idle)
  end)

  it("a resty.http whose connect() takes no table is left alone", function()
    _G.ngx = {}
    for version, is_used in pairs {["0.15"] = false, ["0.16.1"] = true, ["0.17.2"] = true} do
      package.loaded["resty.http"] = {_VERSION = version}
      assert.equal(is_used, dofile "lua/apprunner/loop/cosockets.lua".library() ~= nil, version)
    end
    package.loaded["resty.http"], _G.ngx = nil, nil
  end)

  it("libcurl is never loaded", function()
    assert.same({core = true, libcurl = false}, get "/maps")
  end)

  it("a worker that is to exit ends the calls that run, and goes", function()
    local old, requests = get "/state".pid, {}
    for i = 1, 5 do requests[i] = hosts.request(front.port.front, "/do/pause?name=wait300exit" .. i) end
    for i = 1, 5 do endpoint:await_request("wait300exit" .. i) end
    front:signal "HUP"
    for i, request in ipairs(hosts.answers(requests)) do check_paused(decoded(request), "wait300exit" .. i) end
    hosts.await("the old worker's end", function()
      local now = front:workers()
      return #now == 1 and now[1] ~= old
    end)
    check_paused(get "/do/pause?name=exited", "exited")
  end)

  it("where nginx gives no timer, a call of another goes on when who performed it is killed", function()
    hosts.get(bare.port.front, "/do/occupy?name=occupied")
    hosts.await("the timer", function() return hosts.get(bare.port.front, "/do/told?name=occupied").body ~= "" end)
    -- Both wait for the driver at first; the first one then pumps, for both.
    local gone = hosts.request(bare.port.front, "/abort?name=wait20000alone")
    local other = hosts.request(bare.port.front, "/do/pause_plainly?name=wait300other")
    endpoint:await_request "wait20000alone"
    endpoint:await_request "wait300other"
    gone.connection:close()
    hosts.await("another attempt", function()
      get("/do/collect", bare)
      local served = endpoint:served().wait300other
      return served and served.status == 200
    end)
    check_paused(decoded(hosts.answers {other}[1]), "wait300other")
  end)

  it("where nginx gives no timer, a request that has its answer waits for no other's", function()
    hosts.await("no timer", function() return is_idle(bare) end)
    hosts.get(bare.port.front, "/do/occupy?name=again")
    hosts.await("the timer", function() return hosts.get(bare.port.front, "/do/told?name=again").body ~= "" end)
    local first = hosts.request(bare.port.front, "/do/pause_plainly?name=wait100first")
    local second = hosts.request(bare.port.front, "/do/pause_plainly?name=wait800second")
    hosts.answers {first, second}
    check_paused(decoded(first), "wait100first")
    check_paused(decoded(second), "wait800second")
    assert.is_true(first.seconds < second.seconds - 0.4)
  end)

  it("the error log has nothing that apprunner did not mean", function()
    for line in front:log():gmatch "[^\n]+" do
      local bad = line:find("[alert]", 1, true) or line:find("[crit]", 1, true) or line:find("[emerg]", 1, true)
        or line:find("exited on signal", 1, true) or line:find("stale global SSL error", 1, true)
        or line:find("[error]", 1, true) and line:find("lua", 1, true)
      assert.is_falsy(bad, line)
    end
  end)
end)
