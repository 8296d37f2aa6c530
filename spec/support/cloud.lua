-- The services that give credentials, as a `transport`: the instance metadata, the container's endpoint, STS and SSO.
-- Every answer gives other credentials (ASIASTEP1, ASIASTEP2, ...), and what was asked is kept.

local apprunner = require "apprunner"
local json = require "cjson"

local cloud = {
  urls = {}, -- of all requests
  steps = {}, -- the requests that gave credentials: what was asked, and by whom
}

local keys = {} -- by access key id

local function keys_of(id, secret, token)
  keys[id] = {access_key_id = id, secret_access_key = secret, session_token = token}
  return keys[id]
end

-- Makes a pair known that requests may be signed with.
cloud.know = keys_of

local function expiration() return os.time() + 86400 end

local XML = [[<%sResponse><%sResult><Credentials><AccessKeyId>%s</AccessKeyId><SecretAccessKey>%s</SecretAccessKey>
<SessionToken>%s</SessionToken><Expiration>%s</Expiration></Credentials><AssumedRoleUser><AssumedRoleId>AROA:x
</AssumedRoleId><Arn>arn:aws:sts::123456789012:assumed-role/role/x</Arn></AssumedRoleUser></%sResult></%sResponse>]]

local function sts(given, step)
  local action = step.Action
  return XML:format(action, action, given.access_key_id, given.secret_access_key, given.session_token,
    apprunner.iso8601(expiration()), action, action)
end

local function sso(given)
  return json.encode {roleCredentials = {
    accessKeyId = given.access_key_id, secretAccessKey = given.secret_access_key, sessionToken = given.session_token,
    expiration = expiration() * 1000,
  }}
end

local function metadata(given)
  return json.encode {
    Code = "Success", Type = "AWS-HMAC", AccessKeyId = given.access_key_id, SecretAccessKey = given.secret_access_key,
    Token = given.session_token, Expiration = apprunner.iso8601(expiration()),
  }
end

-- By the URL; the first that fits. A function gives credentials.
local SERVICES = {
  {"/latest/api/token$", "metadata-token"},
  {"/security%-credentials/$", "the-role"},
  {"/security%-credentials/.", metadata},
  {"/federation/credentials", sso},
  {"^https://sts%.", sts},
  {"", metadata},
}

local function unescape(text)
  return (text:gsub("+", " "):gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end))
end

local function parameters(form)
  local into = {}
  for name, value in form:gmatch "([^&=?]+)=([^&]*)" do into[unescape(name)] = unescape(value) end
  return into
end

-- Seconds of 20260102T030405Z; the process has TZ=UTC0.
local function epoch(text)
  local year, month, day, hour, min, sec = text:match "^(%d%d%d%d)(%d%d)(%d%d)T(%d%d)(%d%d)(%d%d)Z$"
  return os.time {year = year, month = month, day = day, hour = hour, min = min, sec = sec}
end

-- Whose signature a request carries: an access key id; or what is wrong with it; or nil.
local function signer(request, header)
  local authorization = header.authorization or ""
  local id, region, service, names = authorization:match
    "^AWS4%-HMAC%-SHA256 Credential=([^/]+)/%d+/([^/]+)/([^/]+)/aws4_request, SignedHeaders=([^,]+),"
  if not id then return nil end
  if not keys[id] then return "nobody's " .. id end
  local signed = {}
  for name in names:gmatch "[^;]+" do
    if name ~= "x-amz-date" and name ~= "x-amz-security-token" then signed[#signed + 1] = {name, header[name]} end
  end
  local again = assert(apprunner.sign(
    {method = request.method, url = request.url, headers = signed, body = request.body},
    {credentials = keys[id], region = region, service = service, time = epoch(header["x-amz-date"])}))
  if service ~= "sts" or again.authorization ~= authorization then return "forged " .. id end
  if header["x-amz-security-token"] ~= keys[id].session_token then return id .. " with another's token" end
  return id
end

local function step_of(request)
  local header = {}
  for _, pair in ipairs(request.headers) do header[pair[1]:lower()] = pair[2] end
  local form = request.body or ""
  local step = parameters(form ~= "" and form or request.url)
  step.signer = signer(request, header)
  step.bearer_token = header["x-amz-sso_bearer_token"]
  return step
end

function cloud.transport(request)
  cloud.urls[#cloud.urls + 1] = request.url
  for _, service in ipairs(SERVICES) do
    local pattern, answer = service[1], service[2]
    if request.url:find(pattern) then
      if type(answer) == "string" then return {status = 200, body = answer} end
      local step = step_of(request)
      local n = #cloud.steps + 1
      cloud.steps[n] = step
      local given = keys_of("ASIASTEP" .. n, "secret of step " .. n, "token of step " .. n)
      return {status = 200, body = answer(given, step)}
    end
  end
end

return cloud
