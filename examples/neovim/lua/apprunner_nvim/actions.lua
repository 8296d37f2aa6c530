-- Pausing and resuming, as the user sees them: a question before, one notification that is rewritten meanwhile, and
-- what came of it.
local services = require "apprunner_nvim.services"

local actions = {}

local TITLE = "App Runner"

function actions.fail(what, err)
  vim.notify(("%s: %s"):format(what, tostring(err)), vim.log.levels.ERROR, { title = TITLE })
end

-- A function that shows a text in the place of the one before, where vim.notify can: by `replace` or by `id`, as the
-- plugin that provides it likes. The editor's own shows lines, and a line that is too long would ask for ENTER.
local function new_notice(id)
  local last
  return function(text, ...)
    text = text:format(...):sub(1, vim.v.echospace)
    last = vim.notify(text, vim.log.levels.INFO, { title = TITLE, id = "apprunner " .. id, replace = last })
  end
end

local function label(target) return target:match ":service/([^/]+)" or target end

local function ensure(method, doing, target, region)
  local name, notice = label(target), new_notice(target)
  notice("%s: %s", name, doing)
  services.ensure(method, target, region, function(event)
    notice("%s: %s, %d s", name, event.Status or "not seen yet", event.elapsed)
  end, function(service, err, info)
    if not service then return actions.fail(name, err) end
    notice(info.changed and "%s is %s, after %d s" or "%s was %s already", name, service.Status, info.elapsed)
  end)
end

-- Asked at once, not when an answer has come: a question that pops up takes keys that were typed for something else.
local function is_wanted(target, region)
  region = services.region_of(target) or region or services.settings().region
  local question = ("Pause %s%s?"):format(label(target), region and " in " .. region or "")
  local answer = vim.fn.confirm(question, "&Pause\n&Leave it", 2)
  vim.cmd "redraw" -- or the question's lines would make the next message ask for ENTER
  return answer == 1
end

function actions.pause(target, region, is_sure)
  if is_sure or is_wanted(target, region) then ensure("ensure_paused", "pausing", target, region) end
end

function actions.resume(target, region) ensure("ensure_running", "resuming", target, region) end

return actions
