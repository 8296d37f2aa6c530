-- What a client finds: resolve.lua SETTINGS, which is JSON. Prints one JSON object, the figures of client:resolve() or
-- the error's.

local apprunner = require "apprunner"
local cjson = require "cjson"

local function resolve(settings)
  local client, err = apprunner.client(settings)
  if not client then return nil, err end
  return client:resolve()
end

local info, err = resolve(cjson.decode(arg[1]))
local told = info
  and {
    region = info.region, endpoint_url = info.endpoint_url, access_key_id = info.access_key_id,
    provider = info.credential_provider,
  }
  or { kind = err.kind, code = err.code, message = err.message }
print(cjson.encode(told))
