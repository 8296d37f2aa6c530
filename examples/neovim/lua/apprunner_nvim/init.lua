-- :AppRunner: what it takes, and what completes that. Runs in the editor's own context, never inside a coroutine.
local plugin = {}

-- Where App Runner is to be had; completion only, any other may be typed.
local REGIONS = {
  "ap-northeast-1", "ap-south-1", "ap-southeast-1", "ap-southeast-2", "eu-central-1", "eu-west-1", "eu-west-2",
  "eu-west-3", "us-east-1", "us-east-2", "us-west-2",
}

-- A part of the plugin, all of which needs the Lua module; nil and why where that cannot be loaded.
local function part(name)
  local ok, problem = pcall(require, "apprunner")
  if ok then return require("apprunner_nvim." .. name) end
  return nil, tostring(problem):match "^[^\n]*"
end

-- Subcommand -> what it takes, how many of these at the least, and what it does with them.
local subcommands = {
  list = { takes = { "region" }, least = 0, part = "windows",
    run = function(windows, command, region) windows.list(region, command.mods) end },
  describe = { takes = { "service", "region" }, least = 1, part = "windows",
    run = function(windows, command, target, region) windows.describe(target, region, command.mods) end },
  pause = { takes = { "service", "region" }, least = 1, part = "actions",
    run = function(actions, command, target, region) actions.pause(target, region, command.bang) end },
  resume = { takes = { "service", "region" }, least = 1, part = "actions",
    run = function(actions, _, target, region) actions.resume(target, region) end },
}

local function refuse(text, ...)
  vim.notify("AppRunner: " .. text:format(...), vim.log.levels.ERROR, { title = "App Runner" })
end

local function usage(name, subcommand)
  local words = { name }
  for i, what in ipairs(subcommand.takes) do
    local word = what == "service" and "NAME|ARN" or "REGION"
    words[#words + 1] = i > subcommand.least and "[" .. word .. "]" or word
  end
  return table.concat(words, " ")
end

local function names()
  local list = vim.tbl_keys(subcommands)
  table.sort(list)
  return list
end

function plugin.run(command)
  local name, arguments = command.fargs[1], { unpack(command.fargs, 2) }
  local subcommand = subcommands[name]
  if not subcommand then return refuse("no %s; there are: %s", name, table.concat(names(), ", ")) end
  if #arguments < subcommand.least or #arguments > #subcommand.takes then
    return refuse("usage: %s", usage(name, subcommand))
  end
  local module, problem = part(subcommand.part)
  if not module then return refuse("%s; see :help apprunner-install", problem) end
  subcommand.run(module, command, unpack(arguments))
end

local candidates = { region = function() return REGIONS end }

-- What was listed last; a list that is asked for now is for the next completion.
function candidates.service()
  local services = part "services"
  return services and services.known() or {}
end

function plugin.complete(lead, line, position)
  local typed = line:sub(1, position):match "%f[%a]%u%a*!?%s+(.*)$" or ""
  local words = vim.split(typed:sub(1, #typed - #lead), "%s+", { trimempty = true })
  local subcommand = subcommands[words[1]]
  local what = subcommand and candidates[subcommand.takes[#words]]
  local list = #words == 0 and names() or what and what() or {}
  return vim.tbl_filter(function(word) return vim.startswith(word, lead) end, list)
end

return plugin
