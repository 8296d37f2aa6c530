-- apprunner.dump: a readable rendering of any response, in Lua's own syntax. Members that the API's
-- model calls sensitive are hidden unless they are asked for.
local core = require "apprunner.core"

-- Words that cannot stand as a key by themselves.
local reserved = {}
for word in ([[and break do else elseif end false for function goto if in local nil not or repeat return then true
  until while]]):gmatch "%a+" do reserved[word] = true end

local function compare(a, b)
  if type(a) == type(b) and (type(a) == "number" or type(a) == "string") then return a < b end
  return type(a) < type(b)
end

local function sorted_keys(t)
  local keys = {}
  for key in pairs(t) do keys[#keys + 1] = key end
  table.sort(keys, compare)
  return keys
end

-- A string in quotes, on one line, without control characters.
local function quote(s)
  return '"' .. s:gsub('[%c"\\]', function(c)
    if c == "\n" then return "\\n" end
    if c == '"' or c == "\\" then return "\\" .. c end
    return ("\\%03d"):format(c:byte())
  end) .. '"'
end

local function key_text(key)
  if type(key) == "string" and key:find "^[%a_][%w_]*$" and not reserved[key] then return key end
  return "[" .. (type(key) == "string" and quote(key) or tostring(key)) .. "]"
end

local render

local function render_table(t, state, indent)
  if state.open[t] then return "(a table that contains itself)" end
  local keys = sorted_keys(t)
  if #keys == 0 then return "{}" end
  state.open[t] = true
  local inner, lines = indent .. "  ", {}
  for i, key in ipairs(keys) do
    local hidden = state.hidden[key]
    local text = hidden and '"***"' or render(t[key], state, inner)
    lines[i] = inner .. (key == i and "" or key_text(key) .. " = ") .. text
  end
  state.open[t] = nil
  return "{\n" .. table.concat(lines, ",\n") .. "\n" .. indent .. "}"
end

function render(value, state, indent)
  if type(value) == "table" then return render_table(value, state, indent) end
  if type(value) == "string" then return quote(value) end
  if type(value) == "number" then return (tostring(value):gsub(",", ".")) end -- whatever the locale
  return tostring(value)
end

-- Keys and tokens, in settings and in answers of other services, beside what the model knows.
local secrets = { "secret_access_key", "session_token", "SecretAccessKey", "SessionToken" }

local function hidden()
  local names = core.sensitive()
  for _, name in ipairs(secrets) do names[name] = true end
  return names
end

return function(value, options)
  local sensitive = options and options.sensitive
  return render(value, { open = {}, hidden = sensitive and {} or hidden() }, "")
end
