-- What fails between the caller and the service: each row of spec/support/faults.lua, played by a server that counts.
-- All are played at once, before the tests, which look at how each went.

local apprunner = require "apprunner"
local core = require "apprunner.core"
local faults = require "spec.support.faults"
local hosts = require "spec.support.hosts"
local make_pki = require "spec.support.pki"
local process = require "spec.support.fault_process"
local pump = require "apprunner.pump"
local socket = require "socket"

local ARN = "arn:aws:apprunner:us-east-1:123456789012:service/x/0123456789abcdef0123456789abcdef"
local AT_ONCE = 16
local SLOWNESS = hosts.memory and 4 or 1 -- a memory checker takes its time

-- A row's client. A call that would outlast its row is ended there, and then is not what the row says.
local function client_of(server, pki, row)
  local name = row.name
  local settings = {
    region = "us-east-1", credentials = { access_key_id = "AKIDEXAMPLE", secret_access_key = "secret" },
    ca_bundle = pki .. "/ca.pem", timeout = row.longest * SLOWNESS, read_timeout = 60, connect_timeout = 60,
    endpoint_url = server:url(row.level == "proxy" and "good" or name, row.level == "TLS" and "https" or "http"),
  }
  if row.level == "proxy" then
    settings.proxy = server:url(name == "proxy_refused" and "refused" or name)
    if name:find "^proxy_" then settings.endpoint_url = server:url("tls_good", "https") end
  end
  for key, value in pairs(row.settings or {}) do settings[key] = value end
  return assert(apprunner.client(settings))
end

local function play(server, pki, row)
  local client = client_of(server, pki, row)
  for _ = 1, row.warm or 0 do assert(client:pause_service { ServiceArn = ARN }) end
  local begun = socket.gettime()
  local out, err = client:pause_service { ServiceArn = ARN }
  local seconds = socket.gettime() - begun
  client:close()
  return { out = out, err = err, seconds = seconds }
end

-- What of an outcome a row says.
local function brief(row, result)
  local err = result.err
  if not err then
    local good = not row.check or row.check(result.out)
    return { attempts = result.out.ResponseMetadata.RetryAttempts + 1, as_it_says = good or false }
  end
  local is_either = row.either ~= nil and err.code == row.either
  return {
    kind = err.kind, code = is_either and row.code or err.code, retryable = err.retryable, attempts = err.attempts,
    ambiguous = row.either and row.ambiguous or err.ambiguous or false,
  }
end

local function expected(row)
  if not row.kind then return { attempts = row.attempts, as_it_says = true } end
  return {
    kind = row.kind, code = row.code, retryable = row.retryable, ambiguous = row.ambiguous, attempts = row.attempts,
  }
end

-- Attempts that the server counted, or what the row says where nobody counts.
local function counted(row, counts)
  if not row.counts then return row.attempts end
  return counts[row.name][row.counts] - (row.warm or 0)
end

describe("where there is a failure of the network or of a server", function()
  local results, counts = {}, nil

  setup(function()
    local pki = make_pki(hosts)
    local server = process.start(pki)
    local left = #faults
    local function work()
      while left > 0 do
        local row = faults[left]
        left = left - 1
        results[row.name] = play(server, pki, row)
      end
    end
    for _ = 1, AT_ONCE do apprunner.spawn(work) end
    apprunner.run()
    counts = server:counts()
    server:stop()
  end)

  teardown(hosts.clear)

  for _, row in ipairs(faults) do
    it(("(%s) %s: %s"):format(row.level, row.what, row.code or "success"), function()
      local result = results[row.name]
      assert.same(expected(row), brief(row, result), tostring(result.err))
      assert.equal(row.attempts, counted(row, counts), "attempts that the server counted")
      assert.is_true(result.seconds <= row.longest * SLOWNESS, ("it took %.3f s"):format(result.seconds))
    end)
  end

  it("there are 60 failures and more, each in one row", function()
    local seen, failures = {}, 0
    for _, row in ipairs(faults) do
      assert.is_nil(seen[row.name], row.name)
      seen[row.name] = true
      if row.kind then failures = failures + 1 end
    end
    assert.is_true(failures >= 60)
  end)

  it("nobody goes where a redirect leads", function() assert.equal(0, counts.elsewhere.connections) end)

  it("nothing is left over", function()
    collectgarbage()
    collectgarbage()
    pump.step()
    assert.equal(0, core.unfinished())
    assert.equal(0, pump.stats().in_flight)
  end)
end)

it("the README has the table of failures", function()
  local text = hosts.read "README.md"
  local filled = faults.fill(text)
  if not filled then return pending "the README has no place for it" end
  assert.is_true(text == filled, "lua5.4 .ci/faults.lua changes it")
end)
