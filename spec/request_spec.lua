-- The request as a server sees it, beside the request that boto3 sends for the same pause.

local apprunner = require "apprunner"
local cjson = require "cjson"
local programs = require "spec.support.programs"
local recorder = require "spec.support.recorder"

local ARN = "arn:aws:apprunner:eu-west-1:123456789012:service/python-app/8fe1e10304f84fd2b0df550fe98a71fa"
local SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
local UUID4 = "^" .. ("%x"):rep(8) .. "%-%x%x%x%x%-4%x%x%x%-[89ab]%x%x%x%-" .. ("%x"):rep(12) .. "$"

local has_boto3 = programs.output_of(programs.python .. " -c 'import boto3; print(1)' 2>/dev/null") ~= ""

local server

setup(function() server = recorder.start() end)
teardown(function() server:stop() end)

local function credentials(token)
  return { access_key_id = "AKIDEXAMPLE", secret_access_key = SECRET, session_token = token }
end

local function settings(more)
  local all = { region = "eu-west-1", endpoint_url = server:url(), credentials = credentials() }
  for name, value in pairs(more or {}) do all[name] = value end
  return all
end

-- What the server receives when a client of these settings pauses.
local function received(more, arn)
  local client = assert(apprunner.client(settings(more)))
  client:pause_service { ServiceArn = arn or ARN }
  client:close()
  return server:next()
end

local function received_from_boto3(endpoint_url, token)
  programs.output_of(("%s %s spec/support/boto3_pause.py pause %s %s 2>&1"):format(
    programs.environment {
      AWS_ACCESS_KEY_ID = "AKIDEXAMPLE", AWS_SECRET_ACCESS_KEY = SECRET, AWS_SESSION_TOKEN = token,
      AWS_DEFAULT_REGION = "eu-west-1",
    }, programs.python, endpoint_url, ARN))
  return server:next()
end

local function authorization(request)
  local key, date, region, service, names, signature = request.header.authorization:match(
    "^AWS4%-HMAC%-SHA256 Credential=([^/]+)/(%d+)/([^/]+)/([^/]+)/aws4_request, "
      .. "SignedHeaders=([^,]+), Signature=(%x+)$")
  return {
    key = key, date = date, region = region, service = service, names = names, signature = signature,
  }
end

-- The signature that botocore computes from what the server received.
local function recomputed(request)
  local text = cjson.encode {
    method = request.method, url = server:url() .. request.path, headers = request.headers,
    body = (request.body:gsub(".", function(c) return ("%02x"):format(c:byte()) end)),
  }
  return programs.filter(
    programs.python .. " spec/support/boto3_pause.py verify " .. programs.quote(SECRET), text):match "%x+"
end

local variants = {
  { name = "without a session token", path = "" },
  { name = "with a session token", path = "", token = "SESSIONTOKEN/+EXAMPLE==" },
  { name = "to an endpoint with a path", path = "/some/path/" },
  { name = "to an endpoint with an encoded path", path = "/a%20b/%C3%A9/" },
}

describe("a pause", function()
  for _, variant in ipairs(variants) do
    describe(variant.name, function()
      local ours, theirs

      setup(function()
        local endpoint_url = server:url() .. variant.path
        ours = received { endpoint_url = endpoint_url, credentials = credentials(variant.token) }
        if has_boto3 then theirs = received_from_boto3(endpoint_url, variant.token) end
      end)

      -- A test that needs boto3 as well.
      local function beside_boto3(name, test)
        if has_boto3 then it(name, test) else pending(name .. " (no boto3 for " .. programs.python .. ")") end
      end

      beside_boto3("has boto3's method, path, target, type and encoding", function()
        assert.equal(theirs.method, ours.method)
        assert.equal(theirs.path, ours.path)
        for _, name in ipairs { "host", "x-amz-target", "content-type", "accept-encoding", "x-amz-security-token" } do
          assert.equal(theirs.header[name], ours.header[name], name)
        end
      end)

      beside_boto3("has boto3's body", function()
        assert.same(cjson.decode(theirs.body), cjson.decode(ours.body))
      end)

      beside_boto3("signs boto3's set of headers, by the same key, for the same region and service", function()
        local mine, his = authorization(ours), authorization(theirs)
        for _, field in ipairs { "key", "region", "service", "names" } do assert.equal(his[field], mine[field]) end
      end)

      beside_boto3("sends boto3's headers and no other", function()
        local names, his = {}, {}
        for name in pairs(ours.header) do names[#names + 1] = name end
        for name in pairs(theirs.header) do his[#his + 1] = name end
        table.sort(names)
        table.sort(his)
        assert.same(his, names)
      end)

      beside_boto3("carries the signature that botocore computes from what arrived", function()
        assert.equal(recomputed(ours), authorization(ours).signature)
        assert.equal(recomputed(theirs), authorization(theirs).signature)
      end)

      it("says what it is by its headers", function()
        assert.equal("POST", ours.method)
        assert.equal(variant.path == "" and "/" or variant.path, ours.path)
        assert.equal("AppRunner.PauseService", ours.header["x-amz-target"])
        assert.equal("application/x-amz-json-1.0", ours.header["content-type"])
        assert.equal("identity", ours.header["accept-encoding"])
        assert.equal("127.0.0.1:" .. server.port, ours.header.host)
        assert.equal(tostring(#ours.body), ours.header["content-length"])
        assert.equal(variant.token, ours.header["x-amz-security-token"])
        assert.matches("^%d%d%d%d%d%d%d%dT%d%d%d%d%d%dZ$", ours.header["x-amz-date"])
        assert.equal(authorization(ours).date, ours.header["x-amz-date"]:sub(1, 8))
      end)

      it("sends no header twice", function()
        local count = 0
        for _ in pairs(ours.header) do count = count + 1 end
        assert.equal(count, #ours.headers)
      end)

      it("sends nothing that boto3 does not: no Expect, no Accept, no hash of the body, no chunks", function()
        for _, name in ipairs {
          "expect", "accept", "transfer-encoding", "x-amz-content-sha256", "content-md5", "connection",
          "proxy-connection", "x-amzn-query-mode", "cookie", "referer",
        } do
          assert.is_nil(ours.header[name], name)
        end
      end)

      it("is the first attempt of an invocation with a random id", function()
        assert.matches(UUID4, ours.header["amz-sdk-invocation-id"])
        assert.equal(ours.header["amz-sdk-invocation-id"]:lower(), ours.header["amz-sdk-invocation-id"])
        assert.equal("attempt=1; max=3", ours.header["amz-sdk-request"])
      end)

      it("signs neither the user agent nor the invocation", function()
        local names = ";" .. authorization(ours).names .. ";"
        for _, name in ipairs {
          "user-agent", "amz-sdk-invocation-id", "amz-sdk-request", "content-length", "accept-encoding",
          "authorization",
        } do
          assert.is_nil(names:find(";" .. name .. ";", 1, true), name)
        end
      end)
    end)
  end

  it("to an endpoint whose path lacks its slash is sent with it, as AWS JSON prescribes", function()
    assert.equal("/custom/", received({ endpoint_url = server:url() .. "/custom" }).path)
  end)

  if has_boto3 then
    it("to an endpoint with dot segments is signed for the path without them and sent as it stands", function()
      local ours = received { endpoint_url = server:url() .. "/a/../b//c/" }
      assert.equal("/a/../b//c/", ours.path)
      assert.equal(recomputed(ours), authorization(ours).signature)
    end)
  end

  it("has the ARN in its body as it was given", function()
    for _, arn in ipairs {
      "x", "\195\169\226\130\172\240\159\152\128", 'quote " backslash \\ slash /', ("a"):rep(1011),
    } do
      assert.same({ ServiceArn = arn }, cjson.decode(received(nil, arn).body))
    end
  end)

  it("has another invocation id each time", function()
    local first, second = received(), received()
    assert.are_not.equal(first.header["amz-sdk-invocation-id"], second.header["amz-sdk-invocation-id"])
  end)

  it("goes over one connection with the next", function()
    local client = assert(apprunner.client(settings()))
    client:pause_service { ServiceArn = ARN }
    client:pause_service { ServiceArn = ARN }
    client:close()
    assert.equal(server:next().connection, server:next().connection)
  end)
end)

describe("the user agent", function()
  it("names the module, the system, the interpreter, libcurl and the features", function()
    local agent = received().header["user-agent"]
    local lua = jit and "lang/luajit#[%w%.%-]+" or "lang/lua#" .. _VERSION:match "%d%.%d":gsub("%.", "%%.")
    assert.matches("^apprunner%-lua/%d+%.%d+%.%d+ ua/2%.1 os/%l+#%S+ md/arch#%S+ " .. lua
      .. " md/libcurl#[%d%.]+ m/[%w,]+", agent)
    assert.matches(" m/[%w,]*N", agent) -- an endpoint of the caller's own
    assert.matches(" m/[%w,]*e", agent) -- credentials in code
  end)

  it("carries app_id and user_agent_extra", function()
    local agent = received({ app_id = "my app/1", user_agent_extra = "night-shift/2" }).header["user-agent"]
    assert.matches(" app/my%-app%-1", agent)
    assert.matches(" night%-shift/2$", agent)
  end)
end)

describe("the other operations", function()
  local targets = { describe_service = "AppRunner.DescribeService", resume_service = "AppRunner.ResumeService" }
  for method, target in pairs(targets) do
    it(method .. " goes out like a pause, to its own target", function()
      local client = assert(apprunner.client(settings()))
      client[method](client, { ServiceArn = ARN })
      client:close()
      local request = server:next()
      assert.equal(target, request.header["x-amz-target"])
      assert.same({ ServiceArn = ARN }, cjson.decode(request.body))
    end)
  end
end)
