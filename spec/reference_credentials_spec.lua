-- The provider chain against the suites that the AWS SDKs share, through client:resolve(). Whole scenarios are played
-- on real sockets, in a network namespace of their own (spec/support/aws_world.py); what only asks which profile leads
-- to which step, or which URL is asked, goes through a transport (spec/support/cloud.lua).

local cjson = require "cjson"
local hosts = dofile "spec/support/hosts.lua"
local programs = require "spec.support.programs"

local REFERENCE = (os.getenv "APPRUNNER_REFERENCE" or hosts.root .. "/../shared/reference") .. "/credentials"

-- Variables that hosts.lua sets and that a scenario has not.
local BARE = {
  AWS_ACCESS_KEY_ID = false, AWS_SECRET_ACCESS_KEY = false, AWS_CONFIG_FILE = false,
  AWS_SHARED_CREDENTIALS_FILE = false, AWS_EC2_METADATA_DISABLED = false,
}

local function with(...)
  local all = {}
  for _, some in ipairs {...} do
    for name, value in pairs(some) do all[name] = value end
  end
  return all
end

local function read_json(path)
  local text = hosts.read(path)
  return text and cjson.decode(text)
end

local function is_absent(value) return value == nil or value == cjson.null end

local function present(value) return not is_absent(value) and value or nil end

-- The cases of one of the suite's files; says so where it is not here.
local function cases_of(name)
  local cases = read_json(("%s/%s"):format(REFERENCE, name))
  if not cases then pending(("is not here: no %s in %s"):format(name, REFERENCE)) end
  return cases or {}
end

local function assert_refused(told)
  assert.is_nil(told.info)
  assert.is_truthy(told.error.kind == "credentials" or told.error.kind == "settings", told.error.kind)
  assert.is_truthy(#told.error.message > 0)
end

-- Whole scenarios ----------------------------------------------------------------------------------------------------

-- What the error of a scenario says in our words too.
local TOLD = {
  sso_no_token_file = "dace00cba5f8355ec9d274ceb2bcebdfbeed0e12.json",
  web_identity_source_profile_no_env = "role_arn",
  web_identity_token_invalid_jwt = "No OpenIDConnect provider found in your account",
}

local SCENARIO = [[
  local told = {}
  local client, err = child.apprunner.client {profile = os.getenv "PROFILE"}
  if client then told.info, err = client:resolve() end
  if told.info and os.getenv "CALL" then
    told.call = child.brief(client:describe_service {ServiceArn = child.arn "any"})
  end
  told.error = err and child.brief(nil, err)
  child.tell(told)]]

local function scenarios_of(suite)
  local folder, list = ("%s/%s"):format(REFERENCE, suite), {}
  for name in hosts.shell(("ls %s 2>/dev/null"):format(hosts.quote(folder))):gmatch "[^\n]+" do
    local path = folder .. "/" .. name
    local case = read_json(path .. "/test-case.json")
    if case then list[#list + 1] = {suite = suite, name = name, path = path, docs = case.docs, result = case.result} end
  end
  return list
end

local function profile_has_region(scenario, profile)
  for _, name in ipairs {"config", "credentials"} do
    local section
    for line in (hosts.read(scenario.path .. "/fs/home/.aws/" .. name) or ""):gmatch "[^\n]+" do
      section = line:match "^%[%s*(.-)%s*%]" or section
      local here = section == profile or section == "profile " .. profile
      if here and line:find "^region%s*=" then return true end
    end
  end
  return false
end

-- What the program is given beside the scenario's own environment.
local function surroundings(scenario)
  local env, more = read_json(scenario.path .. "/env.json"), {}
  if not (env.AWS_REGION or env.AWS_DEFAULT_REGION or profile_has_region(scenario, env.AWS_PROFILE or "default")) then
    more.AWS_REGION = "us-east-1"
  end
  if scenario.suite == "profile-provider" then -- the whole chain is run, of which the rest has nothing
    more.AWS_EC2_METADATA_DISABLED = "true"
    more.PROFILE = env.AWS_ACCESS_KEY_ID and (env.AWS_PROFILE or "default")
  end
  return more
end

local played = 0

-- Plays a scenario: what the program told, and the world's report.
local function play(scenario, flags, more)
  played = played + 1
  local folder = hosts.path("world." .. played)
  local told = hosts.lua(SCENARIO, {
    env = with(BARE, surroundings(scenario), more),
    before = ("exec unshare -rn %s -B %s/spec/support/aws_world.py --metadata %s %s %s"):format(
      programs.python, hosts.root, flags, hosts.quote(scenario.path), hosts.quote(folder)),
  })
  local report = read_json(folder .. "/report.json")
  assert.same({}, report.problems)
  return told, report
end

-- Which provider had the last word, by what was asked last.
local function provider_of(scenario, report)
  local last = report.requests[#report.requests]
  if not last then
    local env = read_json(scenario.path .. "/env.json")
    local files = hosts.shell(("cat %s/fs/home/.aws/* 2>/dev/null"):format(hosts.quote(scenario.path)))
    if env.AWS_ACCESS_KEY_ID == scenario.result.Ok.access_key_id then return "environment" end
    return files:find "credential_process" and "process" or "profile"
  end
  if last.body:find "Action=AssumeRole&" then return "assume_role" end
  if last.body:find "Action=AssumeRoleWithWebIdentity&" then return "web_identity" end
  if last.url:find("/federation/credentials", 1, true) then return "sso" end
  return last.url:find("/latest/meta-data/", 1, true) and "imds" or "container"
end

local function assert_resolved(scenario, told, report)
  local expected = scenario.result.Ok
  assert.is_nil(told.error and told.error.message)
  assert.equal(expected.access_key_id, told.info.access_key_id)
  assert.equal(present(expected.account_id), told.info.account_id)
  assert.equal(provider_of(scenario, report), told.info.credential_provider)
  local text = cjson.encode(told)
  assert.is_nil(text:find(present(expected.session_token) or "no token", 1, true))
end

local function succeeds(scenario)
  local expected = scenario.result.Ok

  it("resolves the credentials that were recorded, though they have expired", function()
    local told, report = play(scenario, "")
    assert_resolved(scenario, told, report)
    if told.info.credential_provider == "imds" then -- what the instance has is used until it has something better
      assert.is_truthy(told.info.expiration >= expected.expiry)
    else
      assert.equal(present(expected.expiry), told.info.expiration)
    end
  end)

  it("signs a call with them, if they have not", function()
    local told, report = play(scenario, "--future", {CALL = "yes"})
    assert_resolved(scenario, told, report)
    local expiry = present(expected.expiry)
    assert.equal(expiry and expiry + report.moved, told.info.expiration)
    assert.same({1, "RUNNING"}, {#report.calls, told.call.status or told.call.message})
    local token = read_json(scenario.path .. "/env.json").AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE
    if token then -- the recordings do not have this header
      assert.equal(hosts.read(scenario.path .. "/fs" .. token), report.requests[1].headers.authorization)
    end
  end)
end

local function fails(scenario)
  it("is refused", function()
    local told = play(scenario, "")
    assert_refused(told)
    assert.is_truthy(told.error.message:find(TOLD[scenario.name] or "", 1, true), told.error.message)
  end)
end

for _, suite in ipairs {"default-credential-provider-chain", "profile-provider"} do
  describe("the scenarios of " .. suite .. " #hosts #once", function()
    local scenarios = scenarios_of(suite)
    if #scenarios == 0 then
      pending("are not here: no scenarios in " .. REFERENCE)
      return
    end
    local said = hosts.shell "unshare -rn ip link set lo up 2>&1 && echo permitted"
    if not said:find "permitted$" then
      pending("cannot be played: no network namespace (" .. said .. ")")
      return
    end

    teardown(hosts.clear)

    for _, scenario in ipairs(scenarios) do
      describe(("%s (%s)"):format(scenario.name, scenario.docs), function()
        if scenario.result.Ok then succeeds(scenario) else fails(scenario) end
      end)
    end
  end)
end

-- Which profile leads to which step ----------------------------------------------------------------------------------

local TOKEN, BEARER = "the.web.token", "the bearer token"

local THROUGH_CLOUD = [[
  local cloud = require "cloud"
  local function know(id, secret) if id then cloud.know(id, secret, os.getenv "BASE_TOKEN") end end
  know(os.getenv "BASE_ID", os.getenv "BASE_SECRET")
  local told = {urls = cloud.urls, steps = cloud.steps}
  local client, err = child.apprunner.client {profile = os.getenv "PROFILE", transport = cloud.transport}
  if client then told.info, err = client:resolve() end
  told.error = err and child.brief(nil, err)
  child.tell(told)]]

local function resolve(env)
  return hosts.lua(THROUGH_CLOUD, {env = with(BARE, {TZ = "UTC0", AWS_REGION = "us-east-1"}, env)})
end

-- A config file of these profiles and sessions. The web token lies where the scratch folder is, and a process prints
-- a pair of its own.
local function config_of(input)
  local lines = {}
  local function section(head, keys)
    lines[#lines + 1] = ("[%s]"):format(head)
    for name, value in pairs(keys) do
      if name == "web_identity_token_file" then value = hosts.write("token.jwt", TOKEN .. "\n") end
      if name == "credential_process" then
        value = [[echo '{"Version": 1, "AccessKeyId": "AKIAPROCESS", "SecretAccessKey": "secret of a process"}']]
      end
      lines[#lines + 1] = name .. " = " .. value
    end
  end
  for name, keys in pairs(input.profiles) do section("profile " .. name, keys) end
  for name, keys in pairs(input.sso_sessions or {}) do section("sso-session " .. name, keys) end
  return table.concat(lines, "\n") .. "\n"
end

-- Logs in: the token that `aws sso login` leaves, named after a session or a start URL.
local function log_in(name)
  local digest = programs.filter("sha1sum", name):match "^%x+"
  hosts.shell("mkdir -p " .. hosts.quote(hosts.path ".aws/sso/cache"))
  hosts.write((".aws/sso/cache/%s.json"):format(digest),
    cjson.encode {accessToken = BEARER, expiresAt = "2999-01-01T00:00:00Z"})
end

-- What each link of an expected chain must ask for; `base` collects the environment, and who signs the next step.
local LINKS = {
  AccessKey = function(link, base)
    base.env = {BASE_ID = link.access_key_id, BASE_SECRET = link.secret_access_key, BASE_TOKEN = link.session_token}
    base.signer, base.account_id = link.access_key_id, link.account_id
  end,
  CredentialProcess = function(_, base)
    base.env = {BASE_ID = "AKIAPROCESS", BASE_SECRET = "secret of a process"}
    base.signer = "AKIAPROCESS"
  end,
  NamedSource = function(link, base)
    base.env = ({
      Environment = {
        AWS_ACCESS_KEY_ID = "AKIAENV", AWS_SECRET_ACCESS_KEY = "env", BASE_ID = "AKIAENV", BASE_SECRET = "env",
      },
      EcsContainer = {AWS_CONTAINER_CREDENTIALS_RELATIVE_URI = "/credentials"},
      Ec2InstanceMetadata = {AWS_EC2_METADATA_DISABLED = false},
    })[link]
    base.signer = link == "Environment" and "AKIAENV"
    return not base.signer and {} or nil
  end,
  WebIdentityToken = function(link)
    return {
      Action = "AssumeRoleWithWebIdentity", RoleArn = link.role_arn, RoleSessionName = link.role_session_name,
      WebIdentityToken = TOKEN, signer = false,
    }
  end,
  Sso = function(link)
    log_in(is_absent(link.sso_session) and link.sso_start_url or link.sso_session)
    return {account_id = link.sso_account_id, role_name = link.sso_role_name, bearer_token = BEARER, signer = false}
  end,
  AssumeRole = function(link, base)
    return {
      Action = "AssumeRole", RoleArn = link.role_arn, RoleSessionName = link.role_session_name,
      ExternalId = link.external_id or false, signer = base.signer,
    }
  end,
}

-- The steps of a chain, and who ends up with the credentials.
local function expectations(chain)
  local base, steps = {env = {}}, {}
  for _, link in ipairs(chain) do
    local kind, value = next(link)
    local step = LINKS[kind](value, base)
    if step then
      steps[#steps + 1] = step
      base.signer = "ASIASTEP" .. #steps
      base.account_id = nil
    end
  end
  return base, steps
end

-- Expected false is absent, and nothing expected is free.
local function assert_step(expected, actual)
  for name, value in pairs(expected) do
    if not is_absent(value) then assert.equal(value or nil, actual[name], name) end
  end
  if actual.Action and is_absent(expected.RoleSessionName) then
    assert.matches("^apprunner%-lua%-%d+$", actual.RoleSessionName)
  end
end

describe("a profile #hosts", function()
  teardown(hosts.clear)

  local function resolve_profile(case, env)
    return resolve(with({
      AWS_CONFIG_FILE = hosts.write("config", config_of(case.input)), PROFILE = case.input.selected_profile,
      AWS_EC2_METADATA_DISABLED = "true",
    }, env or {}))
  end

  local function leads_to(case, chain)
    local base, steps = expectations(chain)
    local told = resolve_profile(case, base.env)
    assert.is_nil(told.error and told.error.message)
    assert.equal(#steps, #told.steps)
    for i, step in ipairs(steps) do assert_step(step, told.steps[i]) end
    assert.equal(base.signer, told.info.access_key_id)
    if base.account_id then assert.equal(base.account_id, told.info.account_id) end
  end

  -- A session without an account and a role gives a token, which is no credentials.
  local function is_token_only(chain)
    local sso = chain and chain[1].Sso
    return sso and is_absent(sso.sso_account_id) and is_absent(sso.sso_role_name)
  end

  for i, case in ipairs(cases_of "assume-role-tests.json") do
    local chain = case.output.ProfileChain
    if chain and not is_token_only(chain) then
      it(("leads to its steps: %s (%d)"):format(case.docs, i), function() leads_to(case, chain) end)
    else
      it(("is refused before anything is asked: %s (%d)"):format(case.docs, i), function()
        local told = resolve_profile(case)
        assert_refused(told)
        assert.same({}, told.urls)
      end)
    end
  end
end)

-- Which URL is asked -------------------------------------------------------------------------------------------------

describe("the container's endpoint #hosts", function()
  teardown(hosts.clear)

  for _, case in ipairs(cases_of "container-uri-tests.json") do
    it("is found: " .. case.docs, function()
      local told = resolve(with({AWS_EC2_METADATA_DISABLED = "true"}, case.env))
      assert.same({case.result.Ok}, told.urls)
      if case.result.Ok then
        assert.same({"ASIASTEP1", "container"}, {told.info.access_key_id, told.info.credential_provider})
      else
        assert_refused(told)
      end
    end)
  end
end)

describe("the instance metadata #hosts", function()
  teardown(hosts.clear)

  for _, case in ipairs(cases_of "imds-endpoint-tests.json") do
    -- What code can say of the endpoint is no setting of ours.
    if not (case.endpoint_override or case.mode_override) then
      it("are found: " .. case.docs, function()
        for name, text in pairs(case.fs) do hosts.write(name, text) end
        local told = resolve(case.env)
        assert.equal(case.result.Ok, told.urls[1])
        if case.result.Ok then
          assert.same({"ASIASTEP1", "imds"}, {told.info.access_key_id, told.info.credential_provider})
        else
          assert_refused(told)
        end
      end)
    end
  end
end)
