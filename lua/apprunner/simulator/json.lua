-- JSON as the simulator reads and writes it: lua-cjson for text, numbers and decoding, this file for lists and objects
-- on the way out, because lua-cjson 2.1.0 takes an empty table for an object and a response needs `[]`. `json.list`
-- marks a table as a list; every other table is an object, whose members are written in the order of their names.

local json = {}

local LIST = {}

function json.list(items)
  return setmetatable(items or {}, LIST)
end

local function sorted_keys(object)
  local keys = {}
  for key in pairs(object) do keys[#keys + 1] = key end
  table.sort(keys)
  return keys
end

local function encoder(scalar)
  local encode

  local function encode_list(list)
    local parts = {}
    for i, item in ipairs(list) do parts[i] = encode(item) end
    return "[" .. table.concat(parts, ",") .. "]"
  end

  local function encode_object(object)
    local parts = {}
    for i, key in ipairs(sorted_keys(object)) do parts[i] = scalar(key) .. ":" .. encode(object[key]) end
    return "{" .. table.concat(parts, ",") .. "}"
  end

  function encode(value)
    if type(value) ~= "table" then return scalar(value) end
    return getmetatable(value) == LIST and encode_list(value) or encode_object(value)
  end

  return encode
end

-- → {encode=, decode=, null=}; decode raises an error for what is not well-formed. An instance of its own.
function json.new()
  local cjson = require("cjson").new()
  cjson.decode_invalid_numbers(false)
  cjson.decode_max_depth(32)
  return {encode = encoder(cjson.encode), decode = cjson.decode, null = cjson.null}
end

return json
