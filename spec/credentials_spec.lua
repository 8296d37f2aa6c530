-- The credential providers end to end, on real sockets: each is found, told and signed with; credentials are renewed
-- when they must be, once for all who wait, and files are read when they must be and not again. What goes wrong with
-- them is in credential_faults_spec.lua.

local providers = dofile "spec/support/providers.lua"
local scripted = require "spec.support.scripted"

local hosts = providers.hosts
local unpack = table.unpack or unpack -- luacheck: ignore 143

local function signers(stage, text)
  local list = {}
  for i, one in ipairs(stage.scene:asked(text)) do list[i] = one.signer or false end
  return list
end

local function count(stage, text) return #stage.scene:asked(text) end

describe("credentials #hosts", function()
  local server

  setup(function() server = scripted.start() end)

  teardown(function()
    server:stop()
    hosts.clear()
  end)

  local function play(...) return providers.play(server, ...) end

  -- Each provider ----------------------------------------------------------------------------------------------------

  local RESOLVE_AND_PAUSE = [[
    local client, err = child.apprunner.client(SETTINGS)
    local told = {}
    if client then told.info, err = client:resolve() end
    if told.info then told.call = child.pause(client, "any") end
    told.error = err and child.brief(nil, err)
    child.tell(told)]]

  local function assert_told(one, info)
    assert.same({one.id, one.provider, one.source},
      {info.access_key_id, info.credential_provider, info.sources.credential_provider})
    assert.equal(one.source, info.sources.access_key_id)
    assert.equal(one.lasts and one.source, info.sources.expiration)
    if one.lasts then assert.is_near(os.time() + one.lasts, info.expiration, 60) end
  end

  for _, one in ipairs(providers.list) do
    it("of " .. one.name .. " are found, told and signed with", function()
      local told, stage = play(one, RESOLVE_AND_PAUSE)
      assert.is_nil(told.error and told.error.message)
      assert_told(one, told.info)
      assert.same({1, "OPERATION_IN_PROGRESS"}, {told.call.attempts, told.call.status or told.call.message})
      for text, expected in pairs(one.signers or {}) do assert.same(expected, signers(stage, text)) end
      assert.same({one.id}, signers(stage, "AppRunner.PauseService"))
    end)
  end

  it("of a role carry the account that STS told, and those of SSO the profile's", function()
    for _, name in ipairs {"a chain of two roles", "a web identity of the environment", "an SSO session"} do
      assert.equal("123456789012", play(providers.named(name), RESOLVE_AND_PAUSE).info.account_id)
    end
  end)

  it("of a web identity and of SSO are asked for without a signature, and of a container with its token", function()
    local _, web = play(providers.named "a web identity of the environment", RESOLVE_AND_PAUSE)
    assert.is_nil(web.scene:asked("AssumeRoleWithWebIdentity")[1].headers.authorization)
    local _, sso = play(providers.named "an SSO session", RESOLVE_AND_PAUSE)
    local portal = sso.scene:asked("/federation/")[1].headers
    assert.same({"Access/token/of/the/login"}, {portal["x-amz-sso_bearer_token"], portal.authorization})
    local _, container = play(providers.named "a container", RESOLVE_AND_PAUSE)
    assert.equal("Container/token", container.scene:asked("/container")[1].headers.authorization)
  end)

  it("of an instance are asked for with the token that it gave", function()
    local _, stage = play(providers.named "an instance", RESOLVE_AND_PAUSE)
    local token, role, keys = unpack(stage.scene:asked "/latest/")
    assert.same({"PUT", "21600"}, {token.method, token.headers["x-aws-ec2-metadata-token-ttl-seconds"]})
    assert.same({"imds/token", "imds/token"},
      {role.headers["x-aws-ec2-metadata-token"], keys.headers["x-aws-ec2-metadata-token"]})
  end)

  it("of SSO are got with the renewed token, which replaces the old one in a file for the owner alone", function()
    local _, stage = play(providers.named "an SSO session whose token is renewed", RESOLVE_AND_PAUSE)
    assert.equal("Renewed/access/token", stage.scene:asked("/federation/")[1].headers["x-amz-sso_bearer_token"])
    local path = stage.home .. "/" .. providers.sso_cache "corp"
    local text = hosts.read(path)
    assert.matches('"Renewed/access/token"', text)
    assert.matches('"Refresh/token/of/the/login"', text) -- the answer brought no other
    assert.equal("600", hosts.shell("stat -c %a " .. hosts.quote(path)))
    assert.equal(path, hosts.shell(("ls -d %s/.aws/sso/cache/*"):format(hosts.quote(stage.home))))
  end)

  -- The caller's function --------------------------------------------------------------------------------------------

  -- A function with this body, and `calls`, how often it was called.
  local function with_function(body, script)
    local setup = {settings = ("{credentials = function() calls = calls + 1; %s end}"):format(body)}
    local stage = providers.prepare(server, setup)
    stage.settings = "nil; calls = 0; SETTINGS = " .. stage.settings
    return providers.start(stage, script):finish(), stage
  end

  local RESOLVE = [[
    local info, err = child.client(SETTINGS):resolve()
    child.tell {id = info and info.access_key_id, error = err and child.brief(nil, err), calls = calls}]]

  local KEYS = [[{access_key_id = "AKIA" .. calls, secret_access_key = "Secret/of/AKIA" .. calls, expiration = %s}]]

  for what, case in pairs {
    ["returns nil and a message"] = {"return nil, 'the vault is shut'", "failed: the vault is shut"},
    ["returns nothing"] = {"return", "failed: nil"},
    ["raises"] = {"error('the vault burns', 0)", "raised an error: the vault burns"},
    ["raises what cannot be shown"] = {
      "error(setmetatable({}, {__tostring = function() error 'no' end}))", "raised an error: table"},
    ["returns a string"] = {"return 'AKIA'", "expected table or function, got string"},
    ["returns false"] = {"return false", "expected table or function, got boolean"},
    ["returns a number for a key"] = {"return {access_key_id = 1, secret_access_key = 's'}",
      "credentials.access_key_id: expected string, got number"},
    ["returns a text for the expiration"] = {
      "return {access_key_id = 'a', secret_access_key = 's', expiration = 'soon'}",
      "credentials.expiration: expected epoch seconds, got string"},
    ["returns a key with a line break"] = {"return {access_key_id = 'a\\nb', secret_access_key = 's'}",
      "the access key id from the credentials function contains a control character"},
    ["returns a table whose fields raise"] = {
      "return setmetatable({}, {__index = function() error('no such field', 0) end})", "no such field"},
  } do
    it("are refused where the function " .. what, function()
      local told = with_function(case[1], RESOLVE)
      assert.same({"credentials", "CredentialRetrievalError", 1}, {told.error.kind, told.error.code, told.calls})
      assert.is_truthy(told.error.message:find(case[2], 1, true), told.error.message)
    end)
  end

  it("are partial where the function returns no secret key", function()
    local told = with_function("return {access_key_id = 'AKIA'}", RESOLVE)
    assert.same({"credentials", "PartialCredentialsError"}, {told.error.kind, told.error.code})
  end)

  it("may be yielded for in a coroutine that a loop drives, by all who wait", function()
    local told = with_function("child.apprunner.sleep(0.01); return " .. KEYS:format "nil", [[
      local client, ids = child.client(SETTINGS), {}
      for i = 1, 3 do child.apprunner.spawn(function() ids[i] = client:resolve().access_key_id end) end
      child.apprunner.run()
      child.tell {ids = ids, calls = calls}]])
    assert.same({ids = {"AKIA1", "AKIA1", "AKIA1"}, calls = 1}, told)
  end)

  it("are refused where the function yields and nothing can resume it", function()
    local told = with_function("coroutine.yield()", RESOLVE)
    assert.same({"settings", "InvalidConfigError"}, {told.error.kind, told.error.code})
    assert.matches("yielded where no loop can resume it", told.error.message)
  end)

  it("are refused where the function yields first and then returns what raises", function()
    local told = with_function([[child.apprunner.sleep(0.01)
      return setmetatable({}, {__index = function() error('no such field', 0) end})]], [[
      local told = {}
      local client = child.client(SETTINGS)
      child.apprunner.spawn(function() told = child.brief(client:resolve()) end)
      local ok, raised = pcall(child.apprunner.run)
      if not ok then client:close() end
      child.tell {ok = ok, raised = raised, error = told}]])
    assert.is_nil(told.raised)
    assert.equal("CredentialRetrievalError", told.error.code)
  end)

  local ASKING = [[
    local client = child.client(SETTINGS)
    SETTINGS.client = client
    local _, err = client:resolve()
    child.tell {error = child.brief(nil, err), calls = calls}]]

  it("are given up in the client's time where the function takes longer", function()
    local told = with_function("child.apprunner.sleep(0.4)", "SETTINGS.timeout = 0.2\n" .. ASKING)
    assert.same({"timeout", "CallTimeoutError", 1}, {told.error.kind, told.error.code, told.calls})
  end)

  it("are refused at once where the function asks its own client", function()
    local told = with_function("local _, err = SETTINGS.client:resolve() return nil, err.code", ASKING)
    assert.same({"credentials", "CredentialRetrievalError", 1}, {told.error.kind, told.error.code, told.calls})
    assert.matches("NotYieldableError", told.error.message)
  end)

  for what, case in pairs {
    ["never again without an expiration"] = {"nil", 1},
    ["not again while they last"] = {"os.time() + 3600", 1},
    ["again ten minutes before they expire"] = {"os.time() + 300", 3},
  } do
    it("are asked of the function " .. what, function()
      local told, stage = with_function("return " .. KEYS:format(case[1]), [[
        local client = child.client(SETTINGS)
        for _ = 1, 3 do child.pause(client, "any") end
        child.tell {calls = calls}]])
      assert.equal(case[2], told.calls)
      assert.same(case[2] == 3 and {"AKIA1", "AKIA2", "AKIA3"} or {"AKIA1", "AKIA1", "AKIA1"},
        signers(stage, "AppRunner."))
    end)
  end

  it("that have expired when the function gives them are used for nothing, and it is asked once a call", function()
    local told, stage = with_function("return " .. KEYS:format "os.time() - 5", [[
      local client = child.client(SETTINGS)
      child.tell {error = child.pause(client, "any"), id = client:resolve().access_key_id, calls = calls}]])
    assert.same({"credentials", "CredentialRetrievalError"}, {told.error.kind, told.error.code})
    assert.matches("still expired", told.error.message)
    assert.same({"AKIA2", 2, 0}, {told.id, told.calls, count(stage, "AppRunner.")})
  end)

  -- Renewal ----------------------------------------------------------------------------------------------------------

  -- A container whose credentials last so many seconds each: ASIA1, ASIA2, and the last for ever. `answers` may stand
  -- for some.
  local function container(...)
    local answers = {}
    for i, one in ipairs {...} do
      answers[i] = type(one) == "table" and one or {body = providers.document("ASIA@n@", one)}
    end
    return {
      env = {AWS_CONTAINER_CREDENTIALS_FULL_URI = "@url@/container"}, routes = {{"GET", unpack(answers)}},
    }
  end

  local ADVISORY, MANDATORY, LONG = 720, 300, 3600

  -- Pauses until the scene has seen a key that ends so, or in vain.
  local UNTIL_NEW = [[
    local function pause_until(client, id)
      for _ = 1, 100 do
        child.pause(client, "any")
        if client:resolve().access_key_id == id then return true end
      end
      return false
    end]]

  it("are used on, and renewed meanwhile, fifteen minutes before they expire", function()
    local slow = {body = providers.document "ASIA2", after = {when = "service/second", count = 1}}
    local told, stage = play(container(ADVISORY, slow), UNTIL_NEW .. [[
      local client = child.client()
      child.pause(client, "first")
      child.pause(client, "second")
      child.tell {renewed = pause_until(client, "ASIA2"), last = child.pause(client, "last")}]])
    assert.same({true, 2}, {told.renewed, count(stage, "GET")})
    assert.same({"ASIA1"}, signers(stage, "service/first"))
    assert.same({"ASIA1"}, signers(stage, "service/second"))
    assert.same({"ASIA2"}, signers(stage, "service/last"))
  end)

  it("are used on where an early renewal fails, which is not tried again at once", function()
    local told, stage = play(container(ADVISORY, {status = 400}), [[
      local client, told = child.client(), {}
      for i = 1, 8 do told[i] = child.pause(client, "any").status end
      child.tell(told)]])
    assert.equal(8, #told)
    assert.equal(2, count(stage, "GET"))
    for _, signer in ipairs(signers(stage, "AppRunner.")) do assert.equal("ASIA1", signer) end
  end)

  it("are renewed before a call ten minutes before they expire", function()
    local _, stage = play(container(MANDATORY, LONG), [[
      local client = child.client()
      for _ = 1, 3 do child.pause(client, "any") end
      child.tell {}]])
    assert.same({"ASIA1", "ASIA2", "ASIA2"}, signers(stage, "AppRunner."))
    assert.equal(2, count(stage, "GET"))
  end)

  it("that must be renewed and cannot be fail the call, and the next call tries anew", function()
    local told, stage = play(container(MANDATORY, {status = 400}, LONG), [[
      local client = child.client()
      child.tell {child.pause(client, "first"), child.pause(client, "second"), child.pause(client, "third")}]])
    assert.same({"OPERATION_IN_PROGRESS", "OPERATION_IN_PROGRESS"}, {told[1].status, told[3].status})
    assert.same({"credentials", "CredentialRetrievalError"}, {told[2].kind, told[2].code})
    assert.same({"ASIA1", "ASIA3"}, signers(stage, "AppRunner."))
  end)

  it("are asked for once for fifty calls at once, and once more when they are to be renewed", function()
    local told, stage = play(container(MANDATORY, LONG), [[
      local client, statuses = child.client(), {}
      for _ = 1, 2 do
        for i = 1, 50 do
          child.apprunner.spawn(function()
            local status = child.pause(client, "n" .. i).status
            statuses[#statuses + 1] = status
          end)
        end
        child.apprunner.run()
      end
      child.tell(statuses)]])
    assert.same({100, 2}, {#told, count(stage, "GET")})
    local list = signers(stage, "AppRunner.")
    assert.same({"ASIA1", "ASIA1", "ASIA2", "ASIA2"}, {list[1], list[50], list[51], list[100]})
  end)

  it("are renewed anew by a program that was away while an early renewal was under way", function()
    local clock = hosts.helper "late_clock"
    local held = {body = providers.document "ASIAHELD", after = {when = "/meanwhile", count = 1}}
    local setup = container(1400, held, LONG)
    setup.env.LD_PRELOAD, setup.env.LATE_CLOCK = clock, clock
    local told, stage = play(setup, [[
      local jump = assert(package.loadlib(os.getenv "LATE_CLOCK", "late_clock_jump"))
      local client, told = child.client(), {}
      told[1] = child.pause(client, "first")
      jump()
      told[2] = child.pause(client, "second")
      require("socket.http").request {
        url = os.getenv "AWS_ENDPOINT_URL" .. "/meanwhile", method = "POST", headers = {["content-length"] = 0},
      }
      jump()
      told[3] = child.pause(client, "third")
      child.tell(told)]])
    for i = 1, 3 do assert.equal("OPERATION_IN_PROGRESS", told[i].status or told[i].message) end
    assert.same({"ASIA1", "ASIA1"}, {signers(stage, "service/first")[1], signers(stage, "service/second")[1]})
    assert.not_equal("ASIA1", signers(stage, "service/third")[1])
  end)

  -- A call by another client that lets go on what the scene holds back until then.
  local GO = [[
    local function go()
      local other = child.client {credentials = {access_key_id = "AKIA", secret_access_key = "Secret/of/AKIA"}}
      return child.pause(other, "go")
    end]]
  local HELD = {body = providers.document "ASIAHELD", after = {when = "service/go", count = 1}}

  it("still come for the others where one who waits is cancelled", function()
    local told, stage = play(container(HELD), GO .. [[
      local client, told = child.client(), {}
      local call = client:pause_service({ServiceArn = child.arn "one"}, function(...) told.one = child.brief(...) end)
      client:pause_service({ServiceArn = child.arn "two"}, function(...) told.two = child.brief(...) end)
      child.apprunner.spawn(function()
        told.cancelled = call:cancel()
        go()
      end)
      child.apprunner.run()
      child.tell(told)]])
    assert.same({true, "Cancelled", "OPERATION_IN_PROGRESS"}, {told.cancelled, told.one.code, told.two.status})
    assert.equal(1, count(stage, "GET"))
    assert.same({{}, {"ASIAHELD"}}, {signers(stage, "service/one"), signers(stage, "service/two")})
  end)

  it("still come for the others where one who waits runs out of time", function()
    local told, stage = play(container(HELD), GO .. [[
      local client, told = child.client {timeout = 1}, {}
      client:pause_service({ServiceArn = child.arn "one"}, function(...)
        told.one = child.brief(...)
        go()
      end)
      child.apprunner.spawn(function()
        child.apprunner.sleep(0.5)
        told.two = child.pause(client, "two")
      end)
      child.apprunner.run()
      child.tell(told)]])
    assert.same({"timeout", "CallTimeoutError"}, {told.one.kind, told.one.code})
    assert.equal("OPERATION_IN_PROGRESS", told.two.status or told.two.message)
    assert.equal(1, count(stage, "GET"))
  end)

  it("are asked for anew where everybody who waited has gone", function()
    local told, stage = play(container({silent = true}, LONG), [[
      local client, told = child.client(), {}
      local call = client:pause_service({ServiceArn = child.arn "one"}, function(...) told.one = child.brief(...) end)
      child.apprunner.spawn(function()
        repeat child.apprunner.sleep(0.005) until child.is_waiting()
        call:cancel()
        told.two = child.pause(client, "two")
      end)
      child.apprunner.run()
      child.tell(told)]])
    assert.same({"Cancelled", "OPERATION_IN_PROGRESS"}, {told.one.code, told.two.status})
    local asked = count(stage, "GET") -- once more where this machine is so slow that the silence ends by itself
    assert.is_true(asked >= 2, asked)
    assert.same({"ASIA" .. asked}, signers(stage, "service/two"))
  end)

  -- Credentials that are refused -------------------------------------------------------------------------------------

  local function refusal(code, after)
    return {status = 400, body = ('{"__type": "%s", "message": "not these"}'):format(code), after = after}
  end

  local SUCCESS = {body = '{"Service": {"ServiceArn": "arn", "Status": "OPERATION_IN_PROGRESS"}}'}

  local function refusing(setup, ...)
    local routes = {{"AppRunner.", ...}}
    for i, route in ipairs(setup.routes or {}) do routes[i + 1] = route end
    return {routes = routes}
  end

  local PAUSE = [[child.tell {call = child.pause(child.client(SETTINGS), "any")}]]

  for _, code in ipairs {
    "ExpiredToken", "ExpiredTokenException", "UnrecognizedClientException", "InvalidClientTokenId",
  } do
    it("that are refused with " .. code .. " are got anew, and the call sent again", function()
      local told, stage = play(container(LONG), PAUSE, refusing(container(LONG), refusal(code), SUCCESS))
      assert.same({2, "OPERATION_IN_PROGRESS"}, {told.call.attempts, told.call.status or told.call.message})
      assert.same({"ASIA1", "ASIA2"}, signers(stage, "AppRunner."))
      assert.equal(2, count(stage, "GET"))
    end)
  end

  it("that are refused again are not got a third time", function()
    local told, stage = play(container(LONG), PAUSE, refusing(container(LONG), refusal "ExpiredTokenException"))
    assert.same({"service", "ExpiredTokenException", 2}, {told.call.kind, told.call.code, told.call.attempts})
    assert.same({2, 2}, {count(stage, "AppRunner."), count(stage, "GET")})
  end)

  it("that are the caller's own are not tried again", function()
    local one = providers.named "the credentials setting"
    local told, stage = play(one, PAUSE, refusing(one, refusal "ExpiredTokenException"))
    assert.same({"service", "ExpiredTokenException", 1}, {told.call.kind, told.call.code, told.call.attempts})
    assert.equal(1, count(stage, "AppRunner."))
  end)

  it("that are refused for another reason are not got anew", function()
    local told, stage = play(container(LONG), PAUSE, refusing(container(LONG), refusal "AccessDeniedException"))
    assert.same({"AccessDeniedException", 1}, {told.call.code, told.call.attempts})
    assert.equal(1, count(stage, "GET"))
  end)

  it("that are refused to two calls at once are got anew once", function()
    local both = {when = "AppRunner.", count = 2}
    local refused = refusal("ExpiredTokenException", both)
    local told, stage = play(container(LONG), [[
      local client, told = child.client(), {}
      for i = 1, 2 do child.apprunner.spawn(function() told[i] = child.pause(client, "any").attempts end) end
      child.apprunner.run()
      child.tell(told)]], refusing(container(LONG), refused, refused, SUCCESS))
    assert.same({2, 2}, told)
    assert.equal(2, count(stage, "GET"))
  end)

  it("that are refused and cannot be got anew fail with what keeps them away", function()
    local setup = container(LONG, {status = 400})
    local told = play(setup, PAUSE, refusing(setup, refusal "ExpiredTokenException"))
    assert.same({"credentials", "CredentialRetrievalError", 1}, {told.call.kind, told.call.code, told.call.attempts})
  end)

  -- The client's end -------------------------------------------------------------------------------------------------

  it("are not waited for once the client is closed", function()
    local told = play(container {silent = true}, [[
      local client, told = child.client(), {}
      client:pause_service({ServiceArn = child.arn "one"}, function(...) told.one = child.brief(...) end)
      child.apprunner.spawn(function() told.two = child.pause(client, "two") end)
      child.apprunner.spawn(function() told.three = child.brief(client:resolve()) end)
      child.apprunner.spawn(function()
        repeat child.apprunner.sleep(0.005) until child.is_waiting()
        client:close()
      end)
      child.apprunner.run()
      told.in_flight = child.stats().in_flight
      child.tell(told)]])
    assert.same({"Cancelled", "Cancelled", "Cancelled"}, {told.one.code, told.two.code, told.three.code})
    assert.equal(0, told.in_flight)
  end)

  it("are not renewed any more once the client is closed", function()
    local told = play(container(ADVISORY, {silent = true}), [[
      local client = child.client()
      child.pause(client, "first")
      child.pause(client, "second")
      local before = child.stats().in_flight
      client:close()
      child.apprunner.sleep(0.01)
      child.tell {before = before, after = child.stats().in_flight}]])
    assert.same({before = 1, after = 0}, told)
  end)

  it("that came for two are told to the second though the first has closed the client", function()
    local told = play(container(LONG), [[
      local client, told = child.client(), {}
      child.apprunner.spawn(function()
        told.one = client:resolve().access_key_id
        client:close()
      end)
      child.apprunner.spawn(function()
        local info, err = client:resolve()
        told.two = info and info.access_key_id or err.code
      end)
      child.apprunner.run()
      child.tell(told)]])
    assert.equal("ASIA1", told.one)
    assert.is_truthy(told.two == "ASIA1" or told.two == "Cancelled", told.two)
  end)

  -- A fork ---------------------------------------------------------------------------------------------------------

  -- Forks while a call waits for credentials. The child makes a call of its own and tells what became of both; then
  -- `go` lets the parent's come.
  local FORK = [[
    local function process(name) return assert(package.loadlib(os.getenv "PROCESSES", "process_" .. name)) end
    local function pid() return child.proc("stat", "^%d+") end
    local parent, told = pid(), {}
    local path = os.getenv "HOME" .. "/told"
    local client = child.client(SETTINGS)
    local function go()
      io.open(os.getenv "HOME" .. "/go", "w"):close()
      child.pause(child.client {credentials = {access_key_id = "AKIA", secret_access_key = "Secret/of/AKIA"}}, "go")
    end
    client:pause_service({ServiceArn = child.arn "waiting"}, function(...) told.waiting = child.brief(...) end)
    child.apprunner.spawn(function()
      repeat child.apprunner.sleep(0.005) until child.is_waiting()
      client:pause_service({ServiceArn = child.arn "later"}, function(...) told.later = child.brief(...) end)
      child.apprunner.sleep(0.005) -- in which it begins to wait too
      process "fork" ()
      if pid() ~= parent then
        told.own = child.pause(child.client {
          credentials = {access_key_id = "AKIA", secret_access_key = "Secret/of/AKIA"}}, "own")
      else
        repeat child.apprunner.sleep(0.005) until io.open(path)
        go()
      end
    end)
    child.apprunner.run()
    if pid() ~= parent then
      local file = io.open(path .. ".new", "w")
      file:write(require "cjson".encode(told))
      file:close()
      os.rename(path .. ".new", path)
      os.exit(true, true)
    end
    local file = assert(io.open(path))
    told.child = require "cjson".decode(file:read "*a")
    file:close()
    child.tell(told)]]

  -- Waits until there is the file `go`.
  local SLOW_PROCESS = {
    config = "[default]\ncredential_process = sh @home@/program\n", files = {
      program = "touch ${0%/*}/started; until [ -e ${0%/*}/go ]; do sleep 0.01; done; cat ${0%/*}/printed",
      printed = providers.printed "ASIAPROCESS",
    },
  }

  for what, setup in pairs {["a container"] = container(HELD), ["a credential process"] = SLOW_PROCESS} do
    it("of " .. what .. " that are waited for when a program forks come in the parent, and end in the child", function()
      setup.env = setup.env or {}
      setup.env.PROCESSES = hosts.helper "processes"
      local told = play(setup, FORK)
      assert.equal("OPERATION_IN_PROGRESS", told.waiting.status or told.waiting.message)
      assert.equal("OPERATION_IN_PROGRESS", told.later.status or told.later.message)
      assert.equal("OPERATION_IN_PROGRESS", told.child.own.status or told.child.own.message)
      assert.is_truthy(told.child.waiting.code and told.child.later.code)
    end)
  end

  -- Files ------------------------------------------------------------------------------------------------------------

  -- Has `home`, the folder of the files, and writes one of them.
  local FILES = [[
    local home = os.getenv "HOME"
    local function write(name, text)
      local file = assert(io.open(home .. "/" .. name, "wb"))
      file:write(text)
      file:close()
    end]]

  for _, name in ipairs {"keys in the credentials file", "keys in the config file", "a credential process"} do
    it("of " .. name .. " are read once", function()
      local one = providers.named(name)
      local _, stage = play(one, FILES .. [[
        local client = child.client(SETTINGS)
        child.pause(client, "any")
        for _, name in ipairs {"config", "credentials", "printed"} do os.remove(home .. "/" .. name) end
        child.pause(client, "any")
        child.tell {}]])
      assert.same({one.id, one.id}, signers(stage, "AppRunner."))
    end)
  end

  it("of a profile are those that stood there when the client was made", function()
    local one = providers.named "keys in the config file"
    local _, stage = play(one, FILES .. [[
      local client = child.client(SETTINGS)
      os.remove(home .. "/config")
      child.pause(client, "any")
      child.tell {}]])
    assert.same({"AKIADEV"}, signers(stage, "AppRunner."))
  end)

  it("of a file that was changed are read again after they were refused", function()
    local one = providers.named "keys in the credentials file"
    local told, stage = play(one, FILES .. [[
      local client = child.client(SETTINGS)
      client:resolve()
      write("credentials", "[default]\naws_access_key_id = AKIANEW\naws_secret_access_key = Secret/of/AKIANEW\n")
      child.tell(child.pause(client, "any"))]], refusing(one, refusal "InvalidClientTokenId", SUCCESS))
    assert.equal(2, told.attempts)
    assert.same({"AKIAFILE", "AKIANEW"}, signers(stage, "AppRunner."))
  end)

  it("of a web identity and of a container are got with the token that stands in its file by then", function()
    local function tokens_of(name, routes, text)
      local _, stage = play(providers.named(name), FILES .. [[
        local client = child.client(SETTINGS)
        child.pause(client, "any")
        write("web.jwt", "Other/token")
        write("container.token", "Other/token")
        child.pause(client, "any")
        child.tell {}]], {routes = routes})
      return stage.scene:asked(text)
    end
    local web = tokens_of("a web identity of the environment",
      {{"AssumeRole", {body = providers.sts("AssumeRoleWithWebIdentity", "ASIA@n@", MANDATORY)}}}, "AssumeRole")
    assert.equal(2, #web)
    assert.matches("WebIdentityToken=Other%%2Ftoken$", web[2].body)
    local box = tokens_of("a container", container(MANDATORY).routes, "GET")
    assert.same({"Container/token", "Other/token"}, {box[1].headers.authorization, box[2].headers.authorization})
  end)

  it("of SSO leave a login alone that was made while its token was renewed", function()
    local one = providers.named "an SSO session whose token is renewed"
    local cache = providers.sso_cache "corp"
    local told, stage = play(one, GO .. FILES .. [[
      local told = {}
      child.apprunner.spawn(function() told.id = child.client(SETTINGS):resolve().access_key_id end)
      child.apprunner.spawn(function()
        repeat child.apprunner.sleep(0.005) until child.is_waiting()
        os.rename(home .. "/new-login", home .. "/" .. os.getenv "CACHE")
        go()
      end)
      child.apprunner.run()
      child.tell(told)]], {
      env = {CACHE = cache},
      files = {
        [cache] = providers.renewable(60),
        ["new-login"] = providers.login(28800, {accessToken = "New/access/token"}),
      },
      routes = {
        {'"refresh_token"', {
          body = '{"accessToken": "Renewed/access/token", "tokenType": "Bearer", "expiresIn": 28800}',
          after = {when = "service/go", count = 1},
        }}, one.routes[2],
      },
    })
    assert.equal("ASIASSO", told.id)
    assert.matches("New/access/token", hosts.read(stage.home .. "/" .. cache))
  end)

  -- None -------------------------------------------------------------------------------------------------------------

  it("that are nowhere are an error that lists every provider with its reason", function()
    local told = play({config = "[profile dev]\nregion = us-east-1\n", env = {AWS_PROFILE = "dev"}}, PAUSE)
    assert.same({"credentials", "NoCredentialsError"}, {told.call.kind, told.call.code})
    for _, text in ipairs {
      "static: no credentials setting", "function: no credentials function",
      "environment: AWS_ACCESS_KEY_ID is not set", "profile: profile dev contains no credentials",
      "web_identity: AWS_WEB_IDENTITY_TOKEN_FILE is not set",
      "container: AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and AWS_CONTAINER_CREDENTIALS_FULL_URI are not set",
      "imds: AWS_EC2_METADATA_DISABLED is true",
    } do assert.is_truthy(told.call.message:find(text, 1, true), told.call.message) end
  end)

  it("that are nowhere list every provider also where names are long", function()
    local name = ("n"):rep(1000)
    local told = play({env = {AWS_PROFILE = name}}, PAUSE)
    for _, provider in ipairs {"static", "function", "environment", "profile", "web_identity", "container", "imds"} do
      assert.is_truthy(told.call.message:find(provider .. ": ", 1, true), told.call.message)
    end
  end)

  it("of SSO without a token say how to log in", function()
    local config = providers.SSO_SESSION:gsub("%[default%]", "[profile dev]")
    local told = play({config = config, settings = '{profile = "dev"}'}, PAUSE)
    assert.same({"credentials", "UnauthorizedSSOTokenError"}, {told.call.kind, told.call.code})
    assert.is_truthy(told.call.message:find("aws sso login --profile dev", 1, true), told.call.message)
  end)
end)
