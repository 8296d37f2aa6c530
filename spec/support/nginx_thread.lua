-- What spec/support/nginx_front.lua has done in a thread of nginx's pool, in a Lua state without nginx's loop.

local apprunner = require "apprunner"

local thread = {}

local client = assert(apprunner.client {endpoint_url = os.getenv "ENDPOINT", ca_bundle = os.getenv "BUNDLE"})

local function brief(out, err)
  if out then return {arn = out.Service.ServiceArn, status = out.Service.Status} end
  return {kind = err.kind, code = err.code, message = tostring(err)}
end

function thread.pause(arn) return brief(client:pause_service {ServiceArn = arn}) end

return thread
