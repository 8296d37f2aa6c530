-- The handlers of an nginx in which resty.http performs the exchanges, for spec/cosocket_spec.lua; beside those of
-- nginx_front.lua.

local apprunner = require "apprunner"
local cjson = require "cjson"
local faults = require "faults"
local play = require "fault_play"

local handlers = {}

local ports = cjson.decode(os.getenv "PORTS" or "{}")

local function now()
  ngx.update_time()
  return ngx.now()
end

-- Plays the rows of faults.lua: by their names, what play.brief() tells, `seconds` and `text`.
function handlers.faults()
  local names, rows = {}, {}
  for i, row in ipairs(faults) do names[i], rows[row.name] = row.name, row end
  local outs, errs = apprunner.map(names, function(name)
    local row = rows[name]
    local result = play.call(play.client(apprunner, ports, row), row, now)
    local told = play.brief(row, result)
    told.seconds, told.text = result.seconds, result.err and tostring(result.err)
    return told
  end, {concurrency = 40})
  for name, err in pairs(errs) do outs[name] = {text = tostring(err)} end
  return outs
end

-- A client by the request's `settings`, in JSON, but for its credentials.
local function client()
  local settings = cjson.decode(ngx.unescape_uri(ngx.var.arg_settings))
  settings.region = "us-east-1"
  settings.credentials = {access_key_id = "AKIDEXAMPLE", secret_access_key = "secret"}
  return assert(apprunner.client(settings))
end

function handlers.call()
  local out, err = client():pause_service {ServiceArn = play.ARN}
  if out then return {id = out.OperationId, attempts = out.ResponseMetadata.RetryAttempts + 1} end
  return {kind = err.kind, code = err.code, message = err.message, attempts = err.attempts}
end

-- A call that goes on, and how it ended.
local call, ended

function handlers.begin()
  ended = nil
  call = client():pause_service({ServiceArn = play.ARN}, function(_, err) ended = err.code end)
  return {}
end

function handlers.cancel() return {cancelled = call:cancel()} end

function handlers.ended() return {code = ended} end

-- With credentials that the environment leads to.
local other

function handlers.provided()
  other = other or assert(apprunner.client {region = "us-east-1", endpoint_url = os.getenv "PLAIN"})
  local out, err = other:pause_service {ServiceArn = play.ARN}
  local info = assert(other:resolve())
  return {status = out and out.Service.Status, message = err and tostring(err), provider = info.credential_provider}
end

-- What this worker has loaded.
function handlers.maps()
  local file = assert(io.open "/proc/self/maps")
  local maps = file:read "*a"
  file:close()
  return {libcurl = maps:find("libcurl", 1, true) ~= nil, core = maps:find("apprunner/core.so", 1, true) ~= nil}
end

function handlers.state() return {pid = ngx.worker.pid(), timers = ngx.timer.running_count()} end

return function(what) ngx.print(cjson.encode(handlers[what]())) end
