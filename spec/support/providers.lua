-- One setting up for each provider of credentials: what a scene answers (scripted_server.py), the environment, the
-- files in a home of its own, the client's settings, and what client:resolve() tells then. `providers.start` runs a
-- script of spec/support/child.lua in such surroundings, in which SETTINGS are the client's.

local hosts = dofile "spec/support/hosts.lua"

local providers = {hosts = hosts}

-- Documents ----------------------------------------------------------------------------------------------------------

function providers.secret(id) return "Secret/of/" .. id end

function providers.token(id) return "Token/of/" .. id end

-- A document of a container or an instance, or, with "SessionToken" for `token`, of a process.
function providers.document(id, seconds, token)
  return ('{"Version": 1, "AccessKeyId": "%s", "SecretAccessKey": "%s", "%s": "%s", "Expiration": "@%+d@"}'):format(
    id, providers.secret(id), token or "Token", providers.token(id), seconds or 3600)
end

local XML = [[<%sResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><%sResult><AssumedRoleUser>
<AssumedRoleId>AROA:me</AssumedRoleId><Arn>arn:aws:sts::123456789012:assumed-role/role/me</Arn></AssumedRoleUser>
<Credentials><AccessKeyId>%s</AccessKeyId><SecretAccessKey>%s</SecretAccessKey><SessionToken>%s</SessionToken>
<Expiration>@%+d@</Expiration></Credentials></%sResult></%sResponse>]]

function providers.sts(action, id, seconds)
  return XML:format(action, action, id, providers.secret(id), providers.token(id), seconds or 3600, action, action)
end

function providers.sso(id, seconds)
  return ('{"roleCredentials": {"accessKeyId": "%s", "secretAccessKey": "%s", "sessionToken": "%s", '
    .. '"expiration": @ms%+d@}}'):format(id, providers.secret(id), providers.token(id), seconds or 3600)
end

local function time_in(seconds) return os.date("!%Y-%m-%dT%H:%M:%SZ", os.time() + seconds) end
providers.time_in = time_in

-- The same without a scene, which fills in the times.
function providers.printed(id, seconds)
  local text = providers.document(id, seconds, "SessionToken")
  return (text:gsub("@([+-]%d+)@", function(n) return time_in(tonumber(n)) end))
end

-- What `aws sso login` leaves; `more` replaces or adds members, false is none.
function providers.login(seconds, more)
  local members, list = {
    accessToken = "Access/token/of/the/login", expiresAt = time_in(seconds), region = "us-east-1",
    startUrl = "https://d-1.awsapps.com/start",
  }, {}
  for name, value in pairs(more or {}) do members[name] = value or nil end
  for name, value in pairs(members) do list[#list + 1] = ('"%s": "%s"'):format(name, value) end
  return "{" .. table.concat(list, ", ") .. "}"
end

-- What such a token can be renewed with.
function providers.renewable(seconds)
  return providers.login(seconds, {
    refreshToken = "Refresh/token/of/the/login", clientId = "the-client", clientSecret = "Client/secret/of/the/login",
    registrationExpiresAt = time_in(86400),
  })
end

-- The file that a login is kept in, in a home.
function providers.sso_cache(name)
  local sum = hosts.shell("printf %s " .. hosts.quote(name) .. " | sha1sum")
  return (".aws/sso/cache/%s.json"):format(sum:match "^%x+")
end

-- The providers ------------------------------------------------------------------------------------------------------

local ROLE = "arn:aws:iam::123456789012:role/role"

local STATIC_KEYS = [[
aws_access_key_id = AKIA%s
aws_secret_access_key = Secret/of/AKIA%s
]]

local function keys(name) return STATIC_KEYS:format(name, name) end

-- Sections of a config file, and of one for SSO.
local SSO_ROLE = "sso_account_id = 123456789012\nsso_role_name = Role\n"
local SSO_PLACE = "sso_region = us-east-1\nsso_start_url = https://d-1.awsapps.com/start\n"
providers.SSO_SESSION = "[default]\nsso_session = corp\n" .. SSO_ROLE .. "[sso-session corp]\n" .. SSO_PLACE
providers.SSO_LEGACY = "[default]\n" .. SSO_PLACE .. SSO_ROLE

local ASSUME = "Action=AssumeRole&"
local ROLE_CHAIN = ([[
[profile top]
role_arn = @role@-top
source_profile = middle
[profile middle]
role_arn = @role@-middle
source_profile = base
[profile base]
]]):gsub("@role@", ROLE) .. keys "BASE"

local function role_from(source)
  return ("[default]\nrole_arn = %s\ncredential_source = %s\n"):format(ROLE, source)
end

-- Each: `name`; `routes`, `config`, `files` (by their paths in the home), `env`, `settings`: the surroundings, in which
-- @url@ is the scene's and @home@ the home; `id`, `provider`, `source`, `lasts` (seconds): what resolve tells;
-- `signers`, by what stands in requests: who has signed them, false for nobody.
providers.list = {
  {
    name = "the credentials setting", provider = "static", id = "AKIASTATIC", source = "argument",
    settings = [[{credentials = {access_key_id = "AKIASTATIC", secret_access_key = "Secret/of/" .. "AKIASTATIC"}}]],
  }, {
    name = "a credentials function", provider = "function", id = "ASIAFUNCTION", source = "function", lasts = 3600,
    settings = [[{credentials = function()
      return {access_key_id = "ASIAFUNCTION", secret_access_key = "Secret/of/" .. "ASIAFUNCTION",
        session_token = "Token/of/" .. "ASIAFUNCTION", expiration = os.time() + 3600}
    end}]],
  }, {
    name = "the environment", provider = "environment", id = "ASIAENV", source = "AWS_ACCESS_KEY_ID", lasts = 3600,
    env = {
      AWS_ACCESS_KEY_ID = "ASIAENV", AWS_SECRET_ACCESS_KEY = providers.secret "ASIAENV",
      AWS_SESSION_TOKEN = providers.token "ASIAENV", AWS_CREDENTIAL_EXPIRATION = time_in(3600),
    },
  }, {
    name = "keys in the credentials file", provider = "profile", id = "AKIAFILE",
    source = "profile default in the credentials file",
    files = {credentials = "[default]\n" .. keys "FILE"},
  }, {
    name = "keys in the config file", provider = "profile", id = "AKIADEV", source = "profile dev in the config file",
    config = "[profile dev]\n" .. keys "DEV", settings = '{profile = "dev"}',
  }, {
    name = "a chain of two roles", provider = "assume_role", id = "ASIASTS2", source = "profile top in the config file",
    lasts = 1800, config = ROLE_CHAIN, settings = '{profile = "top"}',
    routes = {{
      ASSUME, {body = providers.sts("AssumeRole", "ASIASTS1")}, {body = providers.sts("AssumeRole", "ASIASTS2", 1800)},
    }},
    signers = {[ASSUME] = {"AKIABASE", "ASIASTS1"}},
  }, {
    name = "a role upon the environment", provider = "assume_role", id = "ASIASTS", lasts = 3600,
    source = "profile default in the config file", config = role_from "Environment", settings = '{profile = "default"}',
    env = {AWS_ACCESS_KEY_ID = "AKIAENV", AWS_SECRET_ACCESS_KEY = providers.secret "AKIAENV"},
    routes = {{ASSUME, {body = providers.sts("AssumeRole", "ASIASTS")}}},
    signers = {[ASSUME] = {"AKIAENV"}},
  }, {
    name = "a role upon a container", provider = "assume_role", id = "ASIASTS", lasts = 3600,
    source = "profile default in the config file", config = role_from "EcsContainer",
    env = {AWS_CONTAINER_CREDENTIALS_FULL_URI = "@url@/container"},
    routes = {
      {"/container", {body = providers.document "ASIACONTAINER"}},
      {ASSUME, {body = providers.sts("AssumeRole", "ASIASTS")}},
    },
    signers = {[ASSUME] = {"ASIACONTAINER"}},
  }, {
    name = "a role upon an instance", provider = "assume_role", id = "ASIASTS", lasts = 3600,
    source = "profile default in the config file", config = role_from "Ec2InstanceMetadata",
    env = {AWS_EC2_METADATA_DISABLED = false, AWS_EC2_METADATA_SERVICE_ENDPOINT = "@url@"},
    routes = {{ASSUME, {body = providers.sts("AssumeRole", "ASIASTS")}}},
    signers = {[ASSUME] = {"ASIAIMDS1"}},
  }, {
    name = "a web identity of the environment", provider = "web_identity", id = "ASIAWEB", lasts = 3600,
    source = "AWS_WEB_IDENTITY_TOKEN_FILE", files = {["web.jwt"] = "Web/identity/token\n"},
    env = {AWS_WEB_IDENTITY_TOKEN_FILE = "@home@/web.jwt", AWS_ROLE_ARN = ROLE},
    routes = {{"WebIdentityToken=Web%2Fidentity%2Ftoken",
      {body = providers.sts("AssumeRoleWithWebIdentity", "ASIAWEB")}}},
    signers = {["Action=AssumeRoleWithWebIdentity"] = {false}},
  }, {
    name = "a web identity of a profile", provider = "web_identity", id = "ASIAWEB", lasts = 3600,
    source = "profile default in the config file", files = {["web.jwt"] = "Web/identity/token\n"},
    config = "[default]\nrole_arn = " .. ROLE .. "\nweb_identity_token_file = @home@/web.jwt\n",
    routes = {{"WebIdentityToken=Web%2Fidentity%2Ftoken",
      {body = providers.sts("AssumeRoleWithWebIdentity", "ASIAWEB")}}},
    signers = {["Action=AssumeRoleWithWebIdentity"] = {false}},
  }, {
    name = "a legacy SSO profile", provider = "sso", id = "ASIASSO", lasts = 3600,
    source = "profile default in the config file", config = providers.SSO_LEGACY,
    files = {[providers.sso_cache "https://d-1.awsapps.com/start"] = providers.login(3600)},
    routes = {{"/federation/credentials?role_name=Role&account_id=123456789012", {body = providers.sso "ASIASSO"}}},
  }, {
    name = "an SSO session", provider = "sso", id = "ASIASSO", lasts = 3600,
    source = "profile default in the config file", config = providers.SSO_SESSION,
    files = {[providers.sso_cache "corp"] = providers.login(3600)},
    routes = {{"/federation/credentials?role_name=Role&account_id=123456789012", {body = providers.sso "ASIASSO"}}},
  }, {
    name = "an SSO session whose token is renewed", provider = "sso", id = "ASIASSO", lasts = 3600,
    source = "profile default in the config file", config = providers.SSO_SESSION,
    files = {[providers.sso_cache "corp"] = providers.renewable(60)},
    routes = {
      {'{"grantType": "refresh_token"',
        {body = '{"accessToken": "Renewed/access/token", "tokenType": "Bearer", "expiresIn": 28800}'}},
      {"/federation/credentials", {body = providers.sso "ASIASSO"}},
    },
  }, {
    name = "a credential process", provider = "process", id = "ASIAPROCESS", lasts = 3600,
    source = "profile default in the config file", config = "[default]\ncredential_process = cat @home@/printed\n",
    files = {printed = providers.printed "ASIAPROCESS"},
  }, {
    name = "a container", provider = "container", id = "ASIACONTAINER", lasts = 3600,
    source = "AWS_CONTAINER_CREDENTIALS_FULL_URI", files = {["container.token"] = "Container/token\n"},
    env = {
      AWS_CONTAINER_CREDENTIALS_FULL_URI = "@url@/container?id=1",
      AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE = "@home@/container.token",
    },
    routes = {{"/container?id=1", {body = providers.document "ASIACONTAINER"}}},
  }, {
    name = "an instance", provider = "imds", id = "ASIAIMDS1", lasts = 21600, source = "the instance metadata service",
    env = {AWS_EC2_METADATA_DISABLED = false, AWS_EC2_METADATA_SERVICE_ENDPOINT = "@url@"},
  },
}

function providers.named(name)
  for _, one in ipairs(providers.list) do
    if one.name == name then return one end
  end
  error("no provider is set up as " .. name, 2)
end

-- Playing ------------------------------------------------------------------------------------------------------------

local homes = 0

local function write(home, name, text)
  local path = home .. "/" .. name
  hosts.shell("mkdir -p " .. hosts.quote(path:match "^(.*)/"))
  local file = assert(io.open(path, "wb"))
  assert(file:write(text))
  file:close()
end

-- Begins a scene for `setup`, another by each name in `more`: {scene=, home=, env=, settings=}.
function providers.prepare(server, setup, more)
  local all = {}
  for name, value in pairs(setup) do all[name] = value end
  for name, value in pairs(more or {}) do all[name] = value end
  homes = homes + 1
  local stage = {scene = server:scene(all.routes), home = hosts.path("home." .. homes)}
  local function fill(text)
    return type(text) == "string" and text:gsub("@url@", stage.scene.url):gsub("@home@", stage.home) or text
  end
  write(stage.home, "config", fill(all.config or ""))
  for name, text in pairs(all.files or {}) do write(stage.home, name, fill(text)) end
  stage.env = {
    HOME = stage.home, AWS_CONFIG_FILE = stage.home .. "/config", AWS_REGION = "us-east-1",
    AWS_SHARED_CREDENTIALS_FILE = stage.home .. "/credentials", AWS_ENDPOINT_URL = stage.scene.url,
    AWS_ACCESS_KEY_ID = false, AWS_SECRET_ACCESS_KEY = false,
  }
  for name, value in pairs(all.env or {}) do stage.env[name] = fill(value) end
  stage.settings = all.settings or "{}"
  return stage
end

-- Starts `text` on a stage, by hosts.start_lua or another `start`.
function providers.start(stage, text, start)
  return (start or hosts.start_lua)(("local SETTINGS = %s\n%s"):format(stage.settings, text), {env = stage.env})
end

-- Plays it: what the script told, and the stage.
function providers.play(server, setup, text, more)
  local stage = providers.prepare(server, setup, more)
  return providers.start(stage, text):finish(), stage
end

return providers
