-- The buffers: a region's services, a line each, whose status follows what goes on, and a service's description.
local actions = require "apprunner_nvim.actions"
local apprunner = require "apprunner"
local services = require "apprunner_nvim.services"

local windows = {}

local HELP = "<CR> describe  p pause  r resume  R refresh"
local HEADER = 2 -- lines above the first service

local buffers = {} -- name -> buffer
local shown = {} -- buffer of a list -> {services=, widths=}

-- An answer may come when its buffer is gone.
local function write(buffer, from, to, lines)
  if not vim.api.nvim_buf_is_loaded(buffer) then return end
  vim.bo[buffer].modifiable = true
  vim.api.nvim_buf_set_lines(buffer, from, to, false, lines)
  vim.bo[buffer].modifiable = false
end

local function write_all(buffer, text) write(buffer, 0, -1, vim.split(text, "\n")) end

local function create(name)
  local buffer = vim.api.nvim_create_buf(false, true)
  vim.api.nvim_buf_set_name(buffer, "apprunner://" .. name)
  vim.bo[buffer].bufhidden = "wipe"
  vim.api.nvim_create_autocmd("BufWipeout", {
    buffer = buffer, callback = function() buffers[name], shown[buffer] = nil, nil end,
  })
  buffers[name] = buffer
  return buffer
end

-- The buffer of that name, in its window or in a new one.
local function open(name, mods)
  local buffer = buffers[name] or create(name)
  local window = vim.fn.bufwinid(buffer)
  if window ~= -1 then
    vim.api.nvim_set_current_win(window)
  else
    vim.cmd(("%s sbuffer %d"):format(mods or "", buffer))
    vim.cmd "setlocal nowrap nonumber norelativenumber"
  end
  return buffer
end

local function map(buffer, key, what, fn)
  vim.keymap.set("n", key, fn, { buffer = buffer, nowait = true, desc = what })
end

-- ---------------------------------------------------------------------------
-- The list

local TITLES = { "NAME", "STATUS", "URL", "REGION" }

local function cells_of(service)
  return {
    service.ServiceName, service.Status, service.ServiceUrl or "-", services.region_of(service.ServiceArn),
  }
end

local function line_of(cells, widths)
  local padded = {}
  for i, cell in ipairs(cells) do padded[i] = cell .. (" "):rep(widths[i] - #cell) end
  return (table.concat(padded, "  "):gsub("%s+$", ""))
end

-- The status has room for the longest, so that a change moves nothing else.
local function widths_of(list)
  local widths = { 0, #"OPERATION_IN_PROGRESS", 0, 0 }
  for i, title in ipairs(TITLES) do widths[i] = math.max(widths[i], #title) end
  for _, service in ipairs(list) do
    for i, cell in ipairs(cells_of(service)) do widths[i] = math.max(widths[i], #cell) end
  end
  return widths
end

local function show_list(buffer, list)
  local widths = widths_of(list)
  local lines = { HELP, line_of(TITLES, widths) }
  for _, service in ipairs(list) do lines[#lines + 1] = line_of(cells_of(service), widths) end
  if #list == 0 then lines[HEADER] = "no services" end
  write(buffer, 0, -1, lines)
  local window = vim.fn.bufwinid(buffer)
  if not shown[buffer] and window ~= -1 then
    vim.api.nvim_win_set_cursor(window, { math.min(HEADER + 1, #lines), 0 })
  end
  shown[buffer] = { services = list, widths = widths }
end

services.on_status = function(arn, status)
  for buffer, list in pairs(shown) do
    for i, service in ipairs(list.services) do
      if service.ServiceArn == arn and status then
        service.Status = status
        write(buffer, HEADER + i - 1, HEADER + i, { line_of(cells_of(service), list.widths) })
      end
    end
  end
end

local function fill_list(buffer, region)
  services.list(region, function(list, err)
    if not vim.api.nvim_buf_is_loaded(buffer) then return end
    if list then return show_list(buffer, list) end
    if not shown[buffer] then write_all(buffer, HELP .. "\n" .. tostring(err)) end
    actions.fail("list", err)
  end)
end

-- A function that does something with the service below the cursor.
local function with_service(buffer, act)
  return function()
    local list = shown[buffer]
    local service = list and list.services[vim.fn.line "." - HEADER]
    if service then act(service.ServiceArn) end
  end
end

function windows.list(region, mods)
  local buffer = open("services" .. (region and "/" .. region or ""), mods)
  if not shown[buffer] then
    write_all(buffer, HELP .. "\nasking ...")
    vim.bo[buffer].syntax = "apprunner"
  end
  map(buffer, "<CR>", "describe the service", with_service(buffer, function(arn) windows.describe(arn) end))
  map(buffer, "p", "pause the service", with_service(buffer, function(arn) actions.pause(arn) end))
  map(buffer, "r", "resume the service", with_service(buffer, function(arn) actions.resume(arn) end))
  map(buffer, "R", "list the services again", function() fill_list(buffer, region) end)
  fill_list(buffer, region)
end

-- ---------------------------------------------------------------------------
-- The description

local function fill_description(buffer, target, region)
  services.describe(target, region, function(service, err)
    if service then return write_all(buffer, apprunner.dump(service)) end
    write_all(buffer, "-- " .. tostring(err):gsub("\n", "\n-- "))
    actions.fail(target, err)
  end)
end

function windows.describe(target, region, mods)
  local buffer = open("service/" .. (region and region .. "/" or "") .. target, mods)
  vim.bo[buffer].syntax = "lua"
  map(buffer, "R", "describe the service again", function() fill_description(buffer, target, region) end)
  fill_description(buffer, target, region)
end

return windows
