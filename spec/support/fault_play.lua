-- How a row of faults.lua is played against fault_server.py, and what of the outcome it says. For faults_spec.lua, and
-- for whatever else performs exchanges.

local play = {}

play.ARN = "arn:aws:apprunner:us-east-1:123456789012:service/x/0123456789abcdef0123456789abcdef"

-- An endpoint of the server that fails in that way.
function play.url(ports, name, scheme)
  local base = scheme == "https" and "https://localhost:%d" or "http://127.0.0.1:%d"
  return base:format(assert(ports[name], name))
end

-- A row's client. A call that would outlast its row is ended there, and then is not what the row says. `slowness` is
-- how much longer than usual everything takes.
function play.client(apprunner, ports, row, ca_bundle, slowness)
  local name = row.name
  local settings = {
    region = "us-east-1", credentials = { access_key_id = "AKIDEXAMPLE", secret_access_key = "secret" },
    ca_bundle = ca_bundle, timeout = row.longest * (slowness or 1), read_timeout = 60, connect_timeout = 60,
    endpoint_url = play.url(ports, row.level == "proxy" and "good" or name, row.level == "TLS" and "https" or "http"),
  }
  if row.level == "proxy" then
    settings.proxy = play.url(ports, name == "proxy_refused" and "refused" or name)
    if name:find "^proxy_" then settings.endpoint_url = play.url(ports, "tls_good", "https") end
  end
  for key, value in pairs(row.settings or {}) do settings[key] = value end
  return assert(apprunner.client(settings))
end

-- Makes the row's call: {out=, err=, seconds=}.
function play.call(client, row, clock)
  for _ = 1, row.warm or 0 do assert(client:pause_service { ServiceArn = play.ARN }) end
  local begun = clock()
  local out, err = client:pause_service { ServiceArn = play.ARN }
  local seconds = clock() - begun
  client:close()
  return { out = out, err = err, seconds = seconds }
end

-- What of an outcome a row says.
function play.brief(row, result)
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

function play.expected(row)
  if not row.kind then return { attempts = row.attempts, as_it_says = true } end
  return {
    kind = row.kind, code = row.code, retryable = row.retryable, ambiguous = row.ambiguous, attempts = row.attempts,
  }
end

-- Attempts that the server counted, or what the row says where nobody counts.
function play.counted(row, counts)
  if not row.counts then return row.attempts end
  return counts[row.name][row.counts] - (row.warm or 0)
end

return play
