-- Secrets are where they must be and nowhere else: not in what a user sees of a client, of an error or of a log, and,
-- once the client is closed, not in the process's memory, but for what the user's own code or environment put there.

local cjson = require "cjson"
local providers = dofile "spec/support/providers.lua"
local programs = require "spec.support.programs"
local scripted = require "spec.support.scripted"

local hosts = providers.hosts

-- What is secret in a setting up: as it stands in files and documents, and as it is sent.
local SECRETS = {
  "Secret/of/%w+", "Token/of/%w+", "Access/token[%a/]*", "Refresh/token[%a/]*", "Client/secret[%a/]*",
  "Renewed/access/token", "Web/identity/token", "Container/token",
}

local function add_secrets(to, text)
  for _, pattern in ipairs(SECRETS) do
    for secret in text:gmatch(pattern) do to[secret] = true end
  end
end

-- The set of them all.
local function secrets_of(one)
  local set = {}
  for _, text in pairs(one.files or {}) do add_secrets(set, text) end
  for _, text in pairs(one.env or {}) do add_secrets(set, tostring(text)) end
  for _, route in ipairs(one.routes or {}) do
    for i = 2, #route do add_secrets(set, route[i].body or "") end
  end
  add_secrets(set, one.config or "")
  if one.provider == "imds" or one.name == "a role upon an instance" then
    for _, secret in ipairs {"Secret/of/ASIAIMDS1", "Token/of/ASIAIMDS1", "imds/token"} do set[secret] = true end
  end
  return set
end

describe("secrets #hosts #once", function()
  local server

  setup(function() server = scripted.start() end)

  teardown(function()
    server:stop()
    hosts.clear()
  end)

  -- What a user sees -------------------------------------------------------------------------------------------------

  -- Everything that can be seen of a value, as a list of texts: its members, its metatable's, and tostring and dump
  -- of each. `seen.log` is what the logger was told.
  local SEE = [[
    local seen, looked = {}, {}
    local function look(value)
      seen[#seen + 1] = tostring(value)
      if type(value) ~= "table" or looked[value] then return end
      looked[value] = true
      seen[#seen + 1] = child.apprunner.dump(value)
      seen[#seen + 1] = child.apprunner.dump(value, {sensitive = true})
      for name, member in pairs(value) do
        look(name)
        look(member)
      end
      look(getmetatable(value))
    end
    local logged = 0
    SETTINGS.logger = function(...)
      logged = logged + 1
      for i = 1, select("#", ...) do look((select(i, ...))) end
    end
    local function use()
      local client, err = child.apprunner.client(SETTINGS)
      look(client)
      look(err)
      if not client then return err end
      local info, why = client:resolve()
      look(info)
      look(why)
      local out, problem = client:pause_service {ServiceArn = child.arn "any"}
      look(out)
      look(problem)
      local unknown, problems = client:pause_service {ServiceARN = child.arn "any"}
      look(unknown)
      look(problems)
      look(client)
      client:close()
      look(client)
      return why or problem
    end
    local err = use()
    local hex = {}
    for i, text in ipairs(seen) do hex[i] = text:gsub("[%c\128-\255]", "?") end
    child.tell {seen = hex, logged = logged, code = err and err.code}]]

  local function assert_hidden(told, secrets)
    local all = table.concat(told.seen, "\n")
    for secret in pairs(secrets) do
      local at = all:find(secret, 1, true)
      assert.is_nil(at, at and all:sub(math.max(1, at - 60), at + 60))
    end
  end

  for _, one in ipairs(providers.list) do
    it("of " .. one.name .. " are seen nowhere when all goes well", function()
      local told = providers.play(server, one, SEE)
      assert.is_nil(told.code)
      assert.is_true(told.logged > 0)
      local secrets = secrets_of(one)
      secrets["Secret/of"], secrets["Token/of"] = true, true
      assert_hidden(told, secrets)
    end)
  end

  -- Documents that went wrong: each a change of a text that is a document, or of others.
  local DAMAGES = {
    ["cut off"] = function(text) return text:sub(1, math.floor(#text * 0.8)) end,
    ["with line breaks in the keys"] = function(text) return (text:gsub("(Secret/of/)", "%1\\n")) end,
    ["without a time"] = function(text) return (text:gsub("@%a*%+%d+@", "Secret/of/NOTIME")) end,
    ["with other names"] = function(text) return (text:gsub("[Aa]ccessKeyId", "Name")) end,
    ["answered with 400"] = function(text) return text, 400 end,
    ["answered with 500"] = function(text) return text, 500 end,
  }

  local function damaged(one, damage)
    local routes, files = {}, {}
    for i, route in ipairs(one.routes or {}) do
      routes[i] = {route[1]}
      for k = 2, #route do
        local body, status = damage(route[k].body)
        routes[i][k] = {body = body, status = status}
      end
    end
    for name, text in pairs(one.files or {}) do files[name] = damage(text) end
    if one.provider == "imds" then
      local body, status = damage(providers.document "ASIAIMDS1")
      routes = {{"/security-credentials/the-role ", {body = body, status = status}}}
    end
    local config = one.provider == "profile" and one.config and damage(one.config) or one.config
    return {routes = routes, files = files, config = config}
  end

  for what, damage in pairs(DAMAGES) do
    for _, one in ipairs(providers.list) do
      if one.routes or one.files or one.config then
        it(("of %s are seen nowhere when its documents are %s"):format(one.name, what), function()
          local told = providers.play(server, one, SEE, damaged(one, damage))
          if what == "cut off" and one.routes then assert.is_truthy(told.code) end
          local secrets = secrets_of(one)
          secrets["Secret/of"], secrets["Token/of"] = true, true
          assert_hidden(told, secrets)
        end)
      end
    end
  end

  for what, more in pairs {
    ["the environment has a secret without an id"] = {env = {AWS_SECRET_ACCESS_KEY = "Secret/of/NOBODY"}},
    ["the environment's id has a line break"] = {
      env = {AWS_ACCESS_KEY_ID = "Secret/of\nNOBODY", AWS_SECRET_ACCESS_KEY = "Secret/of/NOBODY"}},
    ["a profile has a secret without an id"] = {config = "[default]\naws_secret_access_key = Secret/of/NOBODY\n"},
    ["a function gives a secret without an id"] = {
      settings = "{credentials = function() return {secret_access_key = 'Secret/of/NOBODY'} end}"},
    ["a line of a file is no setting"] = {config = "[default]\naws_secret_access_key Secret/of/NOBODY\n"},
    ["a secret stands before any section"] = {config = "aws_secret_access_key = Secret/of/NOBODY\n"},
    ["a section is not closed"] = {config = "[default\naws_secret_access_key = Secret/of/NOBODY\n"},
    ["a process gets them as arguments"] = {
      config = "[default]\ncredential_process = false --token Secret/of/NOBODY\n"},
    ["a process that is not there gets them"] = {
      config = "[default]\ncredential_process = /none --token Secret/of/NOBODY\n"},
    ["a process's line cannot be split"] = {config = "[default]\ncredential_process = x 'Secret/of/NOBODY\n"},
    ["a container's URL has a user"] = {
      env = {AWS_CONTAINER_CREDENTIALS_FULL_URI = "http://u:Secret%2Fof@127.0.0.1/"}},
    ["the setting is no table"] = {settings = "{credentials = 'Secret/of/NOBODY'}"},
    ["the setting's secret is a table"] = {
      settings = "{credentials = {access_key_id = 'A', secret_access_key = {'Secret/of/NOBODY'}}}"},
    ["the setting's secret has a line break"] = {
      settings = "{credentials = {access_key_id = 'A', secret_access_key = 'Secret/of/NOBODY\\n'}}"},
  } do
    it("are seen nowhere where " .. what, function()
      local told = providers.play(server, more, SEE)
      assert.is_truthy(told.code)
      assert_hidden(told, {["Secret/of"] = true, ["Secret%2Fof"] = true})
    end)
  end

  -- What is left in memory -------------------------------------------------------------------------------------------

  -- The loader saves the vector registers on the stack when a function of the interpreter is bound at its first call,
  -- and 64 bytes of what was copied last with them. So everything is bound at once.
  local BOUND = "1"

  local SCAN = [[
    local function scan()
      io.stdout:write "scan\n"
      io.stdout:flush()
      io.read "*l"
    end
    local function use(finish)
      local client = child.client(SETTINGS)
      local info, err = client:resolve()
      child.pause(client, "any")
      if finish then finish() end
      client:close()
      return info and info.access_key_id or tostring(err)
    end
    local id = use(scan)
    for _ = 1, 3 do collectgarbage() end
    scan()
    child.tell {id = id}]]

  -- The keys that a signature is derived by, as needles.
  local DERIVED = [[
import datetime, hashlib, hmac, sys
def mac(key, text): return hmac.new(key, text.encode(), hashlib.sha256).digest()
day = datetime.datetime.utcnow().strftime("%Y%m%d")
for secret in sys.stdin.read().split():
  for service in ("apprunner", "sts"):
    key = ("AWS4" + secret).encode()
    for text in (day, "us-east-1", service, "aws4_request"):
      key = mac(key, text)
      print("hex:" + key.hex())]]

  local function needles_of(secrets)
    local list, keys = {}, {}
    for secret in pairs(secrets) do
      list[#list + 1] = secret
      if secret:find "/" and secret:gsub("/", "%%2F") ~= secret then list[#list + 1] = (secret:gsub("/", "%%2F")) end
      if secret:find "^Secret/of" then keys[#keys + 1] = secret end
    end
    local derived = programs.filter(programs.python .. " -c " .. hosts.quote(DERIVED), table.concat(keys, "\n"))
    return table.concat(list, "\n") .. "\n" .. derived
  end

  local scans = 0

  -- Plays SCAN: what it told, and what each look has found of the secrets that are not the environment's.
  local function scan(one, more)
    scans = scans + 1
    local stage = providers.prepare(server, one, more)
    local secrets, own = secrets_of(one), {}
    for _, text in pairs(one.env or {}) do add_secrets(own, tostring(text)) end
    for secret in pairs(own) do secrets[secret] = nil end
    local report = hosts.path("report." .. scans)
    local needles = hosts.write("needles." .. scans, needles_of(secrets))
    local scanner = ("exec %s %s/spec/support/memory_scan.py %s %s"):format(
      programs.python, hosts.root, report, needles)
    stage.env.LD_BIND_NOW = BOUND
    local told = providers.start(stage, SCAN, function(text, options)
      options.before = scanner
      return hosts.start_lua(text, options)
    end):finish()
    return told, cjson.decode(hosts.read(report))
  end

  local function show(found)
    local lines = {}
    for _, one in ipairs(found) do
      lines[#lines + 1] = ("%s in %s at %s: %s"):format(one.needle, one.region, one.address, one.around)
    end
    return table.concat(lines, "\n")
  end

  local scanned = {}
  for _, one in ipairs(providers.list) do
    local is_users = one.provider == "static" or one.provider == "function" or one.provider == "environment"
    if not is_users then scanned[#scanned + 1] = one end
  end

  for _, one in ipairs(scanned) do
    it("of " .. one.name .. " are in memory while the client has them, and not once it is closed", function()
      local told, found = scan(one)
      assert.equal(one.id, told.id)
      assert.is_true(#found[1] > 0)
      assert.equal("", show(found[2]))
    end)

    for _, what in ipairs {"cut off", "with line breaks in the keys", "answered with 500"} do
      it(("of %s are not left in memory when its documents are %s"):format(one.name, what), function()
        local _, found = scan(one, damaged(one, DAMAGES[what]))
        assert.equal("", show(found[2]))
      end)
    end
  end

  it("are not left in memory of an answer that nobody waits for any more", function()
    local one = providers.named "a container"
    local head = "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n"
    local _, found = scan(one, {
      routes = {{"/container", {raw = head .. providers.document "ASIACONTAINER", hold = true}}},
      settings = "{timeout = 0.3}",
    })
    assert.equal("", show(found[2]))
  end)

  it("are not left in memory of credentials that were refused and replaced", function()
    local one = providers.named "a container"
    local routes = {{"AppRunner.", {status = 400, body = '{"__type": "ExpiredTokenException"}'}}, one.routes[1]}
    local _, found = scan(one, {routes = routes})
    assert.equal("", show(found[2]))
  end)
end)
