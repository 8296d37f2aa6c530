-- :checkhealth apprunner: what a call would use, and where that was found; nothing is sent to App Runner, and no secret
-- is shown. The file lies where Neovim looks for it; the module of this name is elsewhere.
local health = vim.health or require "health" -- before Neovim 0.8
local start, ok = health.start or health.report_start, health.ok or health.report_ok
local info, fail = health.info or health.report_info, health.error or health.report_error

local PATIENCE = 10 -- seconds that credentials may take, for the editor waits

local SHOWN = {
  "region", "endpoint_url", "profile", "credential_provider", "account_id", "expiration", "retry_mode", "max_attempts",
}

-- A module, or nil after saying that it cannot be loaded.
local function need(name, advice)
  local found, module = pcall(require, name)
  if found then return module end
  fail(("%s cannot be loaded: %s"):format(name, tostring(module):match "^[^\n]*"), { advice })
end

local function check_module()
  start "the Lua module"
  local apprunner = need("apprunner", "see :help apprunner-install")
  if not apprunner then return nil end
  ok(("%s, from %s"):format(apprunner._VERSION, debug.getinfo(apprunner.client, "S").source:gsub("^@", "")))
  local curl = need("apprunner.curl", "libcurl 7.80 or newer must be installed")
  if curl then ok("libcurl " .. curl.version) end
  return apprunner
end

local function resolve(apprunner)
  local settings = require("apprunner_nvim.services").settings()
  settings.timeout = PATIENCE
  local client, err = apprunner.client(settings)
  if not client then return nil, err end
  local found
  found, err = client:resolve()
  client:close()
  return found, err
end

local function check_settings(apprunner)
  start "settings and credentials"
  local found, err = resolve(apprunner)
  if not found then return fail(tostring(err), { "see :help apprunner-settings" }) end
  for _, name in ipairs(SHOWN) do
    local value = found[name]
    if name == "expiration" then value = value and apprunner.iso8601(value) end
    if value then info(("%s: %s (%s)"):format(name, value, found.sources[name])) end
  end
  ok("there are credentials, by the provider " .. found.credential_provider)
end

return {
  check = function()
    local apprunner = check_module()
    if apprunner then check_settings(apprunner) end
  end,
}
