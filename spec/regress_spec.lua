-- One test for each mistake that was made once and is not to come back.

local apprunner = require "apprunner"
local programs = require "spec.support.programs"

local ARN = "arn:aws:apprunner:eu-west-1:123456789012:service/x/0123456789abcdef0123456789abcdef"
local KEYS = { access_key_id = "AKIDEXAMPLE", secret_access_key = "secret" }
local GOOD = { status = 200, body = '{"Service": {"Status": "PAUSED"}}' }

local function client_with(transport, settings)
  local all = { transport = transport, region = "us-east-1", credentials = KEYS }
  for name, value in pairs(settings or {}) do all[name] = value end
  return assert(apprunner.client(all))
end

describe("a transport that answers", function()
  it("a call whose client it has closed changes nothing about its cancellation", function()
    local client
    client = client_with(function()
      client:close()
      return GOOD
    end)
    local out, err = client:pause_service { ServiceArn = ARN }
    assert.is_nil(out)
    assert.equal("Cancelled", err.code)
  end)

  it("a call that it has cancelled changes nothing about that", function()
    local call, out, err
    local client = client_with(function()
      call:cancel()
      return GOOD
    end)
    call = client:pause_service({ ServiceArn = ARN }, function(...) out, err = ... end)
    apprunner.run()
    assert.is_nil(out)
    assert.equal("Cancelled", err.code)
  end)

  it("with an error that cannot be shown still fails the call", function()
    local _, err = client_with(function() error(setmetatable({}, { __tostring = function() error "no" end })) end)
      :pause_service { ServiceArn = ARN }
    assert.equal("HTTPClientError", err.code)
  end)
end)

it("sign reads a request whose members are made on demand, whatever the collector does", function()
  local function on_demand(members)
    return setmetatable({}, { __index = function(_, name)
      collectgarbage()
      local value = members[name]
      return type(value) == "string" and value .. ("x"):rep(1000) or value
    end })
  end
  local options = setmetatable({}, { __index = function(_, name)
    collectgarbage()
    return ({ region = "us-east-1", service = "apprunner", credentials = KEYS, time = 0 })[name]
  end })
  local signed = assert(apprunner.sign(on_demand { host = "h", path = "/", body = "b", query = "q=" }, options))
  assert.matches("^GET\n/x+\nq=x+\nhost:hx+\n", signed.canonical_request)
end)

it("a wait that could not begin is not what ends the next one", function()
  if not coroutine.isyieldable then return pending "this Lua cannot tell whether a coroutine can yield" end
  local sent, told, slept = 0, nil, nil
  local client = client_with(function()
    sent = sent + 1
    return GOOD
  end)
  apprunner.spawn(function()
    string.gsub("x", "x", function() told = select(2, client:pause_service { ServiceArn = ARN }) end)
    slept = apprunner.sleep(0.01)
  end)
  apprunner.run()
  assert.equal("NotYieldableError", told.code)
  assert.same({ 0, true }, { sent, slept })
end)

it("an engine that could not be had once is asked for again", function()
  assert.equal("HTTPClientError EndpointConnectionError\n", programs.run([[
    local apprunner = require "apprunner"
    local client = assert(apprunner.client { region = "us-east-1", endpoint_url = "http://127.0.0.1:1",
      credentials = { access_key_id = "a", secret_access_key = "b" } })
    local path = package.cpath
    package.cpath = ""
    local _, first = client:list_services()
    package.cpath = path
    local _, second = client:list_services()
    print(first.code, second.code)
  ]]):gsub("\t", " "), nil)
end)

it("no error shows what may be part of a password in a URL", function()
  for _, url in ipairs { "http://u:hunter2/x@h", "https://user:pa#hunter2@h/", "https://u:hunter2 @h/" } do
    local client, err = apprunner.client { endpoint_url = url, region = "us-east-1", credentials = KEYS }
    local out
    if client then out, err = client:list_services() end
    assert.is_nil(out)
    assert.is_nil(tostring(err):find("hunter2", 1, true), tostring(err))
    _, err = apprunner.sign({ url = url }, { credentials = KEYS, region = "us-east-1", service = "apprunner" })
    assert.is_nil(tostring(err):find("hunter2", 1, true), tostring(err))
  end
end)

it("a logger may be a table that can be called", function()
  local told = 0
  local logger = setmetatable({}, { __call = function() told = told + 1 end })
  assert(client_with(function() return GOOD end, { logger = logger }):pause_service { ServiceArn = ARN })
  assert.equal(1, told)
end)

it("what resolve has found and another coroutine has closed is told as cancelled", function()
  local client, err = client_with(nil), nil
  apprunner.spawn(function()
    assert(client:resolve())
    client:close()
  end)
  apprunner.spawn(function() err = select(2, client:resolve()) end)
  apprunner.run()
  assert.equal("Cancelled", err.code)
end)

it("credentials whose table ends their own client when it is looked at are given to nobody", function()
  local client
  client = assert(apprunner.client {
    region = "us-east-1",
    credentials = function()
      return setmetatable({}, { __index = function(_, name)
        if name == "secret_access_key" then
          client:close()
          apprunner.client({ region = "us-east-1", credentials = KEYS }):resolve()
          collectgarbage()
        end
        return name ~= "expiration" and "text" or nil
      end })
    end,
  })
  local _, err = client:resolve()
  assert.equal("Cancelled", err.code)
end)

it("resolve tells its own endpoint, whatever region another call goes to meanwhile", function()
  local client = assert(apprunner.client {
    transport = function() return GOOD end,
    credentials = function()
      apprunner.sleep(0.01)
      return KEYS
    end,
  })
  local info
  apprunner.spawn(function() info = assert(client:resolve()) end)
  apprunner.spawn(function() assert(client:describe_service { ServiceArn = ARN }) end)
  apprunner.run()
  assert.is_nil(info.region)
  assert.is_nil(info.endpoint_url)
end)

it("a repeated header is a list of values in a transport's map of headers", function()
  local headers = { ["Set-Cookie"] = { "a", "b" }, ["X-Other"] = { "x-amzn-errortype", "Evil" } }
  local out = assert(client_with(function() return { status = 200, headers = headers, body = "{}" } end)
    :pause_service { ServiceArn = ARN })
  assert.equal("a, b", out.ResponseMetadata.HTTPHeaders["set-cookie"])
  assert.equal("x-amzn-errortype, Evil", out.ResponseMetadata.HTTPHeaders["x-other"])
end)

it("an error is one line, whatever the service says", function()
  local body = '{"__type":"InvalidStateException","message":"two\\nlines \\u001b[31m"}'
  local _, err = client_with(function() return { status = 400, body = body } end):pause_service { ServiceArn = ARN }
  assert.equal("InvalidStateException: two lines  [31m (PauseService, HTTP 400)", tostring(err))
end)

it("an empty setting counts as unset", function()
  local empty = { region = "", profile = "", retry_mode = "", loop = "", proxy = "" }
  empty.transport, empty.credentials = function() return GOOD end, KEYS
  assert(assert(apprunner.client(empty)):pause_service { ServiceArn = ARN })
end)

it("a proxy that cannot be used is told by resolve", function()
  local client = client_with(function() return GOOD end, { proxy = "socks5://x" })
  assert.equal("InvalidConfigError", select(2, client:resolve()).code)
  local _, err = client:pause_service { ServiceArn = ARN }
  assert.same({ "InvalidConfigError", nil }, { err.code, err.attempts })
end)

it("an endpoint or a region that cannot be used is told with where it stands", function()
  for name, value in pairs { endpoint_url = "ftp://x", region = "us east" } do
    local _, err = client_with(function() return GOOD end, { [name] = value }):list_services()
    assert.equal("InvalidEndpointError", err.code)
    assert.matches("^" .. name .. " %(from argument%): ", err.message)
  end
end)

it("keys and tokens are hidden in a dump", function()
  local text = apprunner.dump { secret_access_key = "hidden", session_token = "hidden", access_key_id = "shown" }
  assert.is_nil(text:find("hidden", 1, true))
end)

it("headers to sign that are no list are refused", function()
  local _, err = apprunner.sign({ url = "https://x/", headers = { Foo = "x" } },
    { credentials = KEYS, region = "us-east-1", service = "x" })
  assert.equal("ParamValidationError", err.code)
end)

it("what a coroutine raises that a transport has spawned is raised from run #plain", function()
  local client = client_with(function()
    apprunner.spawn(function() error("mine", 0) end)
    return GOOD
  end)
  assert(client:pause_service { ServiceArn = ARN })
  assert.has_error(apprunner.run, "mine")
end)

it("null is nil and an empty object plain, where Neovim's own decoder is used #hosts", function()
  local hosts = require "spec.support.hosts"
  finally(hosts.clear)
  local told = hosts.nvim [[
    package.preload.cjson = function() error "not here" end
    local client = assert(child.apprunner.client { region = "us-east-1",
      transport = function() return { status = 200, body = '{"Service": {"DeletedAt": null, "Empty": {}}}' } end })
    local service = assert(client:pause_service { ServiceArn = child.arn "x" }).Service
    child.tell { deleted = type(service.DeletedAt), marked = getmetatable(service.Empty) ~= nil }
    child.quit()
  ]]
  assert.same({ deleted = "nil", marked = false }, told)
end)

it("a decoder that fails is made anew, as for a locale that the host has changed since, and that one has the last word",
  function()
    local hosts = require "spec.support.hosts"
    finally(hosts.clear)
    local told = hosts.lua [[
      local cjson, made, raised = require "cjson", 0, nil
      local function decode(text)
        if raised then error(raised, 0) end
        return cjson.decode(text)
      end
      package.loaded.cjson = { new = function()
        made = made + 1
        return { decode = made == 1 and error or decode }
      end }
      local body
      local client = assert(child.apprunner.client { region = "us-east-1",
        transport = function() return { status = 200, body = body } end })
      local function pause()
        local out, err = client:pause_service { ServiceArn = child.arn "x" }
        return out and out.Service.CreatedAt or err.code
      end
      body = '{"Service": {"CreatedAt": 5.5}}'
      local first, second = pause(), pause()
      body = '{"Service" '
      local made_for_good, broken, made_for_broken = made, pause(), made
      body, raised = '{"Service": {"CreatedAt": 5.5}}', { Service = { CreatedAt = 1 } }
      child.tell { first, second, made_for_good, broken, made_for_broken, pause() }
    ]]
    assert.same({ 5.5, 5.5, 2, "ResponseParserError", 3, "ResponseParserError" }, told)
  end)
