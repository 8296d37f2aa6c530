-- A loop that performs exchanges itself: what it may tell an exchange, and what becomes of that. No network.

local apprunner = require "apprunner"
local blocking = require "apprunner.loop.blocking"

local ARN = "arn:aws:apprunner:us-east-1:123456789012:service/x/0123456789abcdef0123456789abcdef"
local CALLS = 60 -- more failures at once than a client's quota of retries pays for

describe("a loop that performs exchanges #plain", function()
  local function client(settings)
    settings = settings or {}
    settings.region = "us-east-1"
    settings.credentials = { access_key_id = "AKIDEXAMPLE", secret_access_key = "secret" }
    return assert(apprunner.client(settings))
  end

  local function pause(perform, settings)
    blocking.alone.perform = perform
    return client(settings):pause_service { ServiceArn = ARN }
  end

  after_each(function() blocking.alone.perform, blocking.perform = nil, nil end)

  it("gives the answer piece by piece", function()
    local out = assert(pause(function(exchange)
      local answer = { status = 200, headers = { ["X-A"] = { "1", "2" }, ["X-B"] = "3" } }
      assert.is_true(exchange:begin(answer))
      for piece in ('{"OperationId":"in pieces"}'):gmatch "..?" do assert.is_true(exchange:take(piece)) end
      exchange:done(answer)
    end))
    assert.equal("in pieces", out.OperationId)
    assert.equal("1, 2", out.ResponseMetadata.HTTPHeaders["x-a"])
    assert.equal(200, out.ResponseMetadata.HTTPStatusCode)
  end)

  it("is told when the answer is too large", function()
    local out, err = pause(function(exchange)
      assert.is_true(exchange:begin { status = 200 })
      assert.is_true(exchange:take "12345")
      assert.is_false(exchange:take "678901")
      exchange:fail("ResponseTooLargeError", "too large", { status = 200 })
    end, { max_response_bytes = 10 })
    assert.is_nil(out)
    assert.equal("ResponseTooLargeError", err.code)
    assert.equal(200, err.http_status)
    assert.matches("larger than 10 bytes", err.message)
  end)

  it("is told what is wrong with a head", function()
    local _, err = pause(function(exchange)
      for _, wrong in ipairs { { status = 99 }, { status = 200, headers = { ["X\n"] = "1" } }, "200" } do
        local ok, why = exchange:begin(wrong)
        assert.is_nil(ok)
        assert.is_string(why)
      end
      exchange:fail("HTTPClientError", "no answer")
    end, { max_attempts = 1 })
    assert.equal("no answer", err.message)
  end)

  it("says whether the request was sent", function()
    for _, sent in ipairs { true, false } do
      local _, err = pause(function(exchange)
        exchange:request()
        exchange:sent(sent)
        exchange:fail("ReadTimeoutError", "silence")
      end, { max_attempts = 1 })
      assert.equal(sent, err.ambiguous or false)
    end
  end)

  it("says whether a handshake may go well the next time", function()
    for cut, attempts in pairs { [true] = 2, [false] = 1 } do
      local _, err = pause(function(exchange)
        exchange:fail("SSLError", "no handshake", { cut = cut })
      end, { max_attempts = 2 })
      assert.same({ "SSLError", cut, attempts }, { err.code, err.retryable, err.attempts })
    end
  end)

  -- The attempts of many calls of one client that all fail.
  local function attempts_of_many(how)
    local attempts, one = 0, client { max_attempts = 2 }
    function blocking.perform(exchange)
      exchange:sent(true)
      exchange:fail("ConnectionClosedError", "closed", how)
    end
    for _ = 1, CALLS do
      one:pause_service({ ServiceArn = ARN }, function(_, err) attempts = attempts + err.attempts end)
    end
    apprunner.run()
    return attempts
  end

  it("says that a kept connection was closed, which is tried again at no cost", function()
    assert.equal(2 * CALLS, attempts_of_many { reused = true })
    assert.is_true(attempts_of_many { reused = true, status = 200 } < 2 * CALLS)
    assert.is_true(attempts_of_many {} < 2 * CALLS)
  end)

  it("performs none of a client that has a transport", function()
    local out = assert(pause(function() error "asked" end, {
      transport = function() return { status = 200, body = '{"OperationId":"of the transport"}' } end,
    }))
    assert.equal("of the transport", out.OperationId)
  end)
end)
