-- luacheck: globals ngx
-- The handlers of an nginx whose client gets its credentials from a provider, for spec/credentials_hosts_spec.lua.

local apprunner = require "apprunner"
local cjson = require "cjson"

local handlers = {}

local client = assert(apprunner.client())
local other = assert(apprunner.client {
  credentials = {access_key_id = "AKIAOTHER", secret_access_key = "Secret/of/AKIAOTHER"},
})

local function pause(by, name)
  local arn = ("arn:aws:apprunner:us-east-1:123456789012:service/%s/0"):format(name)
  local out, err = by:pause_service {ServiceArn = arn}
  if out then return {status = out.Service.Status} end
  return {kind = err.kind, code = err.code, message = tostring(err)}
end

function handlers.pause() ngx.print(cjson.encode(pause(client, ngx.var.arg_name))) end

function handlers.beat() ngx.print "beat" end

-- Of two light threads that wait for credentials the first is killed; then "go" lets them come.
function handlers.kill()
  local first = ngx.thread.spawn(pause, client, "first")
  local second = ngx.thread.spawn(pause, client, "second")
  ngx.sleep(0.05)
  ngx.thread.kill(first)
  first = nil -- luacheck: ignore 311
  collectgarbage()
  collectgarbage()
  pause(other, "go")
  local _, result = ngx.thread.wait(second)
  ngx.print(cjson.encode(result))
end

return handlers
