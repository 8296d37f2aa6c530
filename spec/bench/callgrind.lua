-- Reads what callgrind wrote: instructions, by function and by who called whom.
-- A profile is { total=, own=, all=, into= }: `own` and `all` from a function
-- ("object:file:function") to what it took itself and with what it called,
-- `into` from "caller's object > callee's object" to what such calls took.
local callgrind = {}

local function last(path) return path:match "[^/]*$" end

-- Names are given once, as "(12) name", and later by their number.
local function namer(kind)
  local known = {}
  return function(text)
    local id, name = text:match "^(%(%d+%)) ?(.*)"
    if not id then return text end
    if name ~= "" then known[id] = kind == "function" and name or last(name) end
    return known[id]
  end
end

local function add(list, key, n) list[key] = (list[key] or 0) + n end

local function reader(profile)
  local object, file, fn = namer "object", namer "file", namer "function"
  local at, callee = {}, {}
  local fields = {
    ob = function(text) at.object = object(text) end,
    fl = function(text) at.file = file(text) end,
    fi = file, fe = file, cfi = file, cfl = file, -- inlined code counts for its function
    fn = function(text) at.key = ("%s:%s:%s"):format(at.object, at.file, fn(text)) end,
    cob = function(text) callee.object = object(text) end,
    cfn = fn,
    calls = function() callee.now = true end,
  }
  return function(line)
    local field, text = line:match "^(%a+)=(.*)"
    if field then
      if fields[field] then fields[field](text) end
      return
    end
    local cost = line:match "^[%d+*-]%S* (%d+)$"
    if not cost then return end
    add(profile.all, at.key, tonumber(cost))
    if callee.now then
      add(profile.into, at.object .. " > " .. (callee.object or at.object), tonumber(cost))
      callee = {}
    else
      add(profile.own, at.key, tonumber(cost))
      profile.total = profile.total + tonumber(cost)
    end
  end
end

function callgrind.read(path)
  local profile = { total = 0, own = {}, all = {}, into = {} }
  local take = reader(profile)
  for line in io.lines(path) do take(line) end
  return profile
end

-- What one more of something took: of two profiles that differ by `n` of it.
function callgrind.per(n, more, less)
  local function each(name)
    local out = {}
    for key, value in pairs(more[name]) do out[key] = (value - (less[name][key] or 0)) / n end
    return out
  end
  return { total = (more.total - less.total) / n, own = each "own", all = each "all", into = each "into" }
end

return callgrind
