-- Lists in pages. `pages.cut(world, operation, params, items, how)` gives the items of one page and the token of the
-- next, where there is one, or nil and a fault. A token is opaque and holds for one operation and its parameters: it
-- stands for the `key` of the last item shown, so that items that come first meanwhile move nothing. How: with `gap` a
-- page without items, but with a token, follows each page that is not the last; `shows` tells of an item whether it is
-- shown. What is not shown any more keeps its place among the items, lest a token lose its own.

local dice = require "apprunner.simulator.dice"
local errors = require "apprunner.simulator.errors"

local pages = {}

local ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

-- seed: of the tokens. → what `world.pages` has to be.
function pages.new(seed)
  return {roll = dice.new(seed), places = {}, tokens = {}}
end

-- All that has to stay the same from page to page.
local function context(operation, params)
  return table.concat({operation, params.ServiceArn or "", tostring(params.MaxResults or "")}, "\n")
end

-- The token of a place; the same place keeps its token.
local function token_of(book, place)
  local name = table.concat({place.context, place.after, tostring(place.gap)}, "\n")
  if not book.tokens[name] then
    local token = dice.fill(book.roll, ("x"):rep(86), ALPHABET) .. "=="
    book.tokens[name], book.places[token] = token, place
  end
  return book.tokens[name]
end

local function index_after(items, key)
  for i, item in ipairs(items) do
    if item.key == key then return i + 1 end
  end
  return 1
end

local function find_place(book, here, token)
  if (token or "") == "" then return {context = here} end
  local place = book.places[token]
  if place and place.context == here then return place end
  return nil, errors.fault("InvalidRequestException", "The NextToken is not valid for this request.")
end

-- Up to `size` items that are shown, from the place `first` on; and whether more follow.
local function slice(items, first, size, shows)
  local page = {}
  for i = first, #items do
    if not shows or shows(items[i]) then
      if #page == size then return page, true end
      page[#page + 1] = items[i]
    end
  end
  return page, false
end

-- items: a list of {key=, …}.
function pages.cut(world, operation, params, items, how)
  how = how or {}
  local book, here = world.pages, context(operation, params)
  local place, problem = find_place(book, here, params.NextToken)
  if not place then return nil, problem end
  if place.gap then return {}, token_of(book, {context = here, after = place.after, gap = false}) end
  local first = place.after and index_after(items, place.after) or 1
  local page, more = slice(items, first, params.MaxResults or world.page_size or #items, how.shows)
  if not more then return page end
  return page, token_of(book, {context = here, after = page[#page].key, gap = how.gap})
end

return pages
