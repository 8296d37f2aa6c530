-- What the simulator says to a request that is not signed as it should be: each mistake has its own error.

local raw = require "spec.support.simulator_client"
local simulator = require "apprunner.simulator"
local socket = require "socket"

local call, by_arn, error_of = raw.call, raw.by_arn, raw.error_of

local sim
setup(function() sim = assert(simulator.start()) end)
teardown(function() sim:stop() end)
after_each(raw.close_all)

local AUTHORIZATION = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/%s/us-east-1/apprunner/aws4_request, "
  .. "SignedHeaders=%s, Signature=" .. ("0"):rep(64)
local ALL = "content-type;host;x-amz-date;x-amz-target"

local function forged(signed_headers)
  return AUTHORIZATION:format(os.date("!%Y%m%d"), signed_headers or ALL)
end

local function seconds_from_now(seconds)
  return math.floor(socket.gettime()) + seconds
end

-- What is wrong → how the request is made so, the error, and what its message has to contain. All have status 400, as
-- services of the JSON protocols send it.
local cases = {
  ["another secret"] = {
    sign = {credentials = {access_key_id = "AKIDEXAMPLE", secret_access_key = "other"}},
    code = "InvalidSignatureException", message = "The request signature we calculated does not match",
  },
  ["a body that was altered"] = {
    signed_body = "{}", code = "InvalidSignatureException", message = "does not match the signature you provided",
  },
  ["a signed header that was altered"] = {
    headers = {["Content-Type"] = "text/plain"}, code = "InvalidSignatureException", message = "does not match",
  },
  ["a signed header that got lost"] = {
    headers = {["Content-Type"] = false}, code = "InvalidSignatureException", message = "does not match",
  },
  ["a date that is too old"] = {
    sign = {time = function() return seconds_from_now(-310) end},
    code = "InvalidSignatureException",
    message = "^Signature expired: %d+T%d+Z is now earlier than %d+T%d+Z %(%d+T%d+Z %- 5 min%.%)$", pattern = true,
  },
  ["a date that is still to come"] = {
    sign = {time = function() return seconds_from_now(310) end},
    code = "InvalidSignatureException",
    message = "^Signature not yet current: %d+T%d+Z is still later than %d+T%d+Z %(%d+T%d+Z %+ 5 min%.%)$",
    pattern = true,
  },
  ["a scope of another region"] = {
    sign = {region = "eu-west-1"}, code = "InvalidSignatureException",
    message = "Credential should be scoped to a valid region.",
  },
  ["a scope of another service"] = {
    sign = {service = "ecs"}, code = "InvalidSignatureException",
    message = "Credential should be scoped to correct service: 'apprunner'.",
  },
  ["a scope of another region and service"] = {
    sign = {region = "eu-west-1", service = "ecs"}, code = "InvalidSignatureException",
    message = "valid region. Credential should be scoped to correct service",
  },
  ["a scope with another end"] = {
    headers = {Authorization = forged():gsub("aws4_request", "aws5_request")}, code = "InvalidSignatureException",
    message = "valid terminator: 'aws4_request'",
  },
  ["a scope of another day"] = {
    headers = {Authorization = forged():gsub("/%d%d%d%d%d%d%d%d/", "/20200101/")}, code = "InvalidSignatureException",
    message = "Date in Credential scope does not match YYYYMMDD",
  },
  ["a host that is not signed"] = {
    headers = {Authorization = forged("content-type;x-amz-date;x-amz-target")}, code = "InvalidSignatureException",
    message = "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
  },
  ["a date that is not signed"] = {
    headers = {Authorization = forged("host;x-amz-target")}, code = "InvalidSignatureException",
    message = "'X-Amz-Date' must be a 'SignedHeader'",
  },
  ["a target that is not signed"] = {
    headers = {Authorization = forged("host;x-amz-date")}, code = "InvalidSignatureException",
    message = "'X-Amz-Target' must be a 'SignedHeader'",
  },
  ["an access key that nobody gave out"] = {
    sign = {credentials = {access_key_id = "AKIDOTHER", secret_access_key = "other"}},
    code = "UnrecognizedClientException", message = "The security token included in the request is invalid.",
  },
  ["a session token that nobody gave out"] = {
    sign = {credentials = {
      access_key_id = "AKIDEXAMPLE", secret_access_key = raw.credentials.secret_access_key, session_token = "t",
    }},
    code = "UnrecognizedClientException", message = "The security token included in the request is invalid.",
  },
  ["no Authorization"] = {
    headers = {Authorization = false}, code = "MissingAuthenticationTokenException",
    message = "Request is missing Authentication Token",
  },
  ["no date"] = {
    headers = {["X-Amz-Date"] = false}, code = "IncompleteSignatureException", message = "'X-Amz-Date' or a 'Date'",
  },
  ["a date of another form"] = {
    headers = {["X-Amz-Date"] = "2026-01-02T03:04:05Z"}, code = "IncompleteSignatureException",
    message = "Date must be in ISO-8601 'basic format'. Got '2026-01-02T03:04:05Z'",
  },
  ["a date that is none"] = {
    headers = {["X-Amz-Date"] = "20260231T030405Z"}, code = "IncompleteSignatureException", message = "ISO-8601",
  },
  ["another scheme"] = {
    headers = {Authorization = "Bearer token"}, code = "IncompleteSignatureException",
    message = "requires algorithm AWS4-HMAC-SHA256",
  },
  ["nothing but the scheme"] = {
    headers = {Authorization = "AWS4-HMAC-SHA256"}, code = "IncompleteSignatureException", message = "requires",
  },
  ["no pairs"] = {
    headers = {Authorization = "AWS4-HMAC-SHA256 nonsense"}, code = "IncompleteSignatureException",
    message = "'nonsense' not a valid key=value pair",
  },
  ["an empty signature"] = {
    headers = {Authorization = forged():gsub("Signature=0+", "Signature=")}, code = "IncompleteSignatureException",
    message = "requires 'Signature' parameter.",
  },
  ["no signed headers"] = {
    headers = {Authorization = forged():gsub("SignedHeaders=[^,]*, ", "")}, code = "IncompleteSignatureException",
    message = "requires 'SignedHeaders' parameter.",
  },
  ["a scope that is too short"] = {
    headers = {Authorization = forged():gsub("/aws4_request", "")}, code = "IncompleteSignatureException",
    message = "Credential must have exactly 5 slash-delimited elements",
  },
}

local function evaluated(sign)
  local copy = {region = "us-east-1"}
  for name, value in pairs(sign or {}) do copy[name] = type(value) == "function" and value() or value end
  return copy
end

describe("a request with", function()
  for what, case in pairs(cases) do
    it(what .. " is told so", function()
      local response = call(sim, "DescribeService", by_arn(sim), {
        sign = evaluated(case.sign), headers = case.headers, signed_body = case.signed_body,
      })
      assert.same({case.code, 400}, {error_of(response)})
      local text = response.data.message
      assert.is_truthy(text:find(case.message, 1, not case.pattern), text)
      assert.matches("^com%.amazon%.coral%.service#", response.data.__type)
    end)
  end

  it("a clock that differs by less than five minutes is served", function()
    for _, seconds in ipairs {-290, 290} do
      local response = call(sim, "DescribeService", by_arn(sim), {sign = {time = seconds_from_now(seconds)}})
      assert.equal(200, response.status)
    end
  end)

  it("a path that hides the query is signed with it", function()
    assert.equal(404, call(sim, "DescribeService", by_arn(sim), {path = "/x?y=z"}).status)
    assert.equal(200, call(sim, "DescribeService", by_arn(sim), {path = "/?b=2&a=1"}).status)
  end)

  it("the hash of its body among the signed headers is served, if the hash is right", function()
    assert.equal(200, call(sim, "DescribeService", by_arn(sim), {sign = {sign_body = true}}).status)
    local response = call(sim, "DescribeService", by_arn(sim), {sign = {sign_body = true}, signed_body = "{}"})
    assert.equal("InvalidSignatureException", (error_of(response)))
  end)
end)

describe("the simulator's session token", function()
  local given = {access_key_id = "AKIDMINE", secret_access_key = "s", session_token = "t"}

  local function answer(credentials, more)
    local mine = raw.start {credentials = given}
    local sign = {credentials = credentials}
    for name, value in pairs(more or {}) do sign[name] = value end
    return call(mine, "DescribeService", by_arn(mine), {sign = sign})
  end

  it("is served, signed or not", function()
    assert.equal(200, answer(given).status)
    assert.equal(200, answer(given, {omit_session_token = true}).status)
  end)

  it("is missed and checked", function()
    local without = {access_key_id = "AKIDMINE", secret_access_key = "s"}
    local other = {access_key_id = "AKIDMINE", secret_access_key = "s", session_token = "u"}
    assert.same({"UnrecognizedClientException", 400}, {error_of(answer(without))})
    assert.same({"UnrecognizedClientException", 400}, {error_of(answer(other))})
  end)
end)
