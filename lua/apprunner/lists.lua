-- Lists over all their pages: the next page is asked for when its first item
-- is wanted, so a loop that is left early leaves nothing behind.
local core = require "apprunner.core"

local lists = {}

-- What each list is made of: the method, the API's name of it, its member.
lists.services = { method = "list_services", operation = "ListServices", member = "ServiceSummaryList" }
lists.operations = { method = "list_operations", operation = "ListOperations", member = "OperationSummaryList" }

local function repeated(list)
  local _, err = core.fail("ResponseParserError", "a page came with a NextToken that an earlier page had")
  err.operation = list.operation
  return nil, err
end

-- A function that gives the items of the next page, which may be none; nil
-- after the last; nil, err. `ask(method, params)` performs a call.
function lists.pages(list, params, ask)
  local request, seen, ended = {}, {}, false
  for name, value in pairs(params) do request[name] = value end
  return function()
    if ended then return nil end
    ended = true
    local token = request.NextToken
    if token and seen[token] then return repeated(list) end
    if token then seen[token] = true end
    local out, err = ask(list.method, request)
    if not out then return nil, err end
    request.NextToken = out.NextToken
    ended = (out.NextToken or "") == ""
    return out[list.member] or {}
  end
end

-- PUC Lua 5.1 cannot yield across a generic-for iterator.
local function check_yieldable(client)
  if _VERSION ~= "Lua 5.1" or jit then return end
  local driver, err = getmetatable(client).waiter(client.loop)
  if driver and not driver.blocks then
    driver, err = core.fail("NotYieldableError", "Lua 5.1 cannot wait inside an iterator; call the list's operation")
  end
  if not driver then error(err, 0) end
end

local function each(client, list, params)
  local function ask(method, request)
    check_yieldable(client)
    return client[method](client, request)
  end
  local next_page, page, at = lists.pages(list, params, ask), {}, 0
  return function()
    at = at + 1
    while page and page[at] == nil do
      local err
      page, err = next_page()
      if err then error(err, 0) end
      at = 1
    end
    return page and page[at]
  end
end

function lists.each_service(client, params) return each(client, lists.services, params) end

function lists.each_operation(client, params) return each(client, lists.operations, params) end

return lists
