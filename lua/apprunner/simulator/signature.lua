-- Is a request signed as Signature Version 4 wants it? `signature.fault(world, request)` gives the fault with which an
-- AWS service answers, or nil. It signs what was received once more with the key pair that the simulator gave out, by
-- the module's own signer (`world.sign`), and compares. Each check is a row of `checks`, in order; the first that
-- objects decides. The texts are those of AWS services of the JSON protocols, from reports of their users
-- (fabfuel/ecs-deploy#126, aws/aws-sdk-ruby#431, aws/aws-sdk-php#2469, AnWeber/httpyac#769).
-- Left out: signatures in the query, dates in a Date header, and the few headers that the module's signer never signs.

local errors = require "apprunner.simulator.errors"

local signature = {}

local fault, quotable = errors.fault, errors.quotable

local ALGORITHM, TERMINATOR, SERVICE = "AWS4-HMAC-SHA256", "aws4_request", "apprunner"
local TOLERANCE = 300 -- seconds

local MISMATCH = "The request signature we calculated does not match the signature you provided. Check your AWS "
  .. "Secret Access Key and signing method. Consult the service documentation for details."

-- Headers that must be among the signed ones, and what a service calls them when they are not.
local required = {
  {"host", "'Host' or ':authority'"},
  {"x-amz-date", "'X-Amz-Date'"},
  {"x-amz-target", "'X-Amz-Target'"},
}

-- Headers that the signer sets itself, from the credentials, the time and the body.
local set_by_signer = {
  authorization = true, ["x-amz-date"] = true, ["x-amz-security-token"] = true, ["x-amz-content-sha256"] = true,
}

-- Dates --------------------------------------------------------------------------------------------------------------

local function basic(time)
  return os.date("!%Y%m%dT%H%M%SZ", math.floor(time))
end

local function leap_days(year)
  return math.floor(year / 4) - math.floor(year / 100) + math.floor(year / 400)
end

local days_before = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334}

-- The epoch seconds of a date such as 20260102T030405Z, or nil if there is no such date.
local function epoch(text)
  local year, month, day, hour, minute, second = text:match("^(%d%d%d%d)(%d%d)(%d%d)T(%d%d)(%d%d)(%d%d)Z$")
  local before = days_before[tonumber(month)]
  if not before or tonumber(year) < 1970 then return nil end
  local full_years = tonumber(month) > 2 and year or year - 1
  local days = (year - 1970) * 365 + leap_days(full_years) - leap_days(1969) + before + day - 1
  local time = math.floor(((days * 24 + hour) * 60 + minute) * 60 + second)
  return basic(time) == text and time or nil
end

-- The checks: each gets the claim, what the ones before it have found out about the request --------------------------

local function is_signed(claim)
  if not claim.headers.authorization then
    return fault("MissingAuthenticationTokenException", "Request is missing Authentication Token")
  end
end

local function incomplete(message, ...)
  return fault("IncompleteSignatureException", message, ...)
end

local function has_pairs(claim)
  local algorithm, rest = claim.headers.authorization:match("^(%S+)%s+(.*)$")
  if algorithm ~= ALGORITHM then return incomplete("Authorization header requires algorithm " .. ALGORITHM .. ".") end
  for part in (rest .. ","):gmatch("%s*(.-)%s*,") do
    local name, value = part:match("^([^=]+)=(.*)$")
    if not name then
      return incomplete("'%s' not a valid key=value pair (missing equal-sign) in Authorization header.", quotable(part))
    end
    claim.parts[name] = value
  end
end

local function has_parts(claim)
  local missing = {}
  for _, name in ipairs {"Credential", "Signature", "SignedHeaders"} do
    if (claim.parts[name] or "") == "" then
      missing[#missing + 1] = ("Authorization header requires '%s' parameter."):format(name)
    end
  end
  if not claim.headers["x-amz-date"] then
    missing[#missing + 1] =
      "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header."
  end
  return #missing > 0 and incomplete(table.concat(missing, " ")) or nil
end

local function has_scope(claim)
  claim.key, claim.day, claim.region, claim.service, claim.terminator =
    claim.parts.Credential:match("^([^/]+)/([^/]*)/([^/]*)/([^/]*)/([^/]*)$")
  return not claim.key and incomplete(
    "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '%s'",
    quotable(claim.parts.Credential)) or nil
end

local function has_date(claim)
  claim.date = claim.headers["x-amz-date"]
  claim.time = epoch(claim.date)
  return not claim.time and incomplete(
    "Date must be in ISO-8601 'basic format'. Got '%s'. See http://en.wikipedia.org/wiki/ISO_8601",
    quotable(claim.date)) or nil
end

local function is_known(claim)
  local given = claim.world.credentials
  if claim.key ~= given.access_key_id or claim.headers["x-amz-security-token"] ~= given.session_token then
    return fault("UnrecognizedClientException", "The security token included in the request is invalid.")
  end
end

local function signs_required(claim)
  for name in claim.parts.SignedHeaders:gmatch("[^;]+") do claim.signed[name] = true end
  for _, row in ipairs(required) do
    if not claim.signed[row[1]] then
      return fault("InvalidSignatureException", "%s must be a 'SignedHeader' in the AWS Authorization.", row[2])
    end
  end
end

-- What each part of the scope must be, and what is said when it is not.
local scope = {
  {part = "region", expected = function(claim) return claim.world.region end,
    message = "Credential should be scoped to a valid region."},
  {part = "service", expected = function() return SERVICE end,
    message = "Credential should be scoped to correct service: '" .. SERVICE .. "'."},
  {part = "terminator", expected = function() return TERMINATOR end,
    message = "Credential should be scoped with a valid terminator: '" .. TERMINATOR .. "'."},
  {part = "day", expected = function(claim) return claim.date:sub(1, 8) end,
    message = "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP."},
}

local function is_scoped(claim)
  local wrong = {}
  for _, row in ipairs(scope) do
    if claim[row.part] ~= row.expected(claim) then wrong[#wrong + 1] = row.message end
  end
  return #wrong > 0 and fault("InvalidSignatureException", table.concat(wrong, " ")) or nil
end

local function is_fresh(claim)
  local now = math.floor(claim.world.now())
  if claim.time < now - TOLERANCE then
    return fault("InvalidSignatureException", "Signature expired: %s is now earlier than %s (%s - 5 min.)",
      claim.date, basic(now - TOLERANCE), basic(now))
  elseif claim.time > now + TOLERANCE then
    return fault("InvalidSignatureException", "Signature not yet current: %s is still later than %s (%s + 5 min.)",
      claim.date, basic(now + TOLERANCE), basic(now))
  end
end

-- The headers that the client says it signed, as they came.
local function signed_headers(claim)
  local list = {}
  for name in pairs(claim.signed) do
    local value = claim.headers[name]
    if value and not set_by_signer[name] then list[#list + 1] = {name, value} end
  end
  return list
end

local function sign_again(claim)
  local request, signed = claim.request, claim.signed
  return claim.world.sign(
    {
      method = request.method, path = request.path, query = request.query, body = request.body,
      headers = signed_headers(claim),
    },
    {
      credentials = claim.world.credentials, region = claim.region, service = claim.service, time = claim.time,
      sign_body = signed["x-amz-content-sha256"] or false, omit_session_token = not signed["x-amz-security-token"],
    })
end

local function is_true(claim)
  local again = sign_again(claim)
  if not again or again.signature ~= claim.parts.Signature then return fault("InvalidSignatureException", MISMATCH) end
end

local checks = {
  is_signed, has_pairs, has_parts, has_scope, has_date, is_known, signs_required, is_scoped, is_fresh, is_true,
}

-- world: credentials, region, now, sign; request: method, path, query, headers, body.
function signature.fault(world, request)
  local claim = {world = world, request = request, headers = request.headers, parts = {}, signed = {}}
  for _, check in ipairs(checks) do
    local problem = check(claim)
    if problem then return problem end
  end
end

return signature
