-- Where the instructions and the system calls of a pause go: callgrind and strace over sequences of two lengths, whose
-- difference holds nothing of the start. Both count, so that a busy machine changes nothing.
local callgrind = require "spec.bench.callgrind"
local commands = require "spec.bench.commands"
local hosts = require "spec.support.hosts"

local profile = {}

local SHORT, LONG = 100, 500

local VALGRIND = "valgrind -q --tool=callgrind --callgrind-out-file=%s "
local STRACE = "strace -f -c -o %s "

local function run(command, tool, path)
  local said = hosts.shell(("%s%s%s 2>&1 > /dev/null || echo failed"):format(command[1], tool:format(path), command[2]))
  if said:find "failed$" then error(said, 0) end
  return path
end

local function instructions(command) return callgrind.read(run(command, VALGRIND, hosts.path "callgrind")) end

-- System calls by name: how many.
local function calls(command)
  local counts = {}
  for line in io.lines(run(command, STRACE, hosts.path "strace")) do
    local count, rest = line:match "^ *[%d.]+ +[%d.]+ +%d+ +(%d+) +(.*)"
    local name = rest and rest:match "([%a_][%w_]*)$"
    if name and name ~= "total" then counts[name] = tonumber(count) end
  end
  return counts
end

-- What each pause made, of at least a twentieth of one; and `all` of them.
local function calls_per(more, less)
  local out, all = {}, 0
  for name, count in pairs(more) do
    local each = (count - (less[name] or 0)) / (LONG - SHORT)
    if each >= 0.05 then out[name], all = each, all + each end
  end
  out.all = all
  return out
end

local tracked = { curl = "^libcurl", crypto = "^libcrypto", cjson = "cjson", core = "^core%.so", engine = "^curl%.so" }

local function is(object, name) return object:find(tracked[name]) ~= nil end

local function is_tracked(object)
  for name in pairs(tracked) do
    if is(object, name) then return true end
  end
  return false
end

-- What an object took, with the libraries that it calls (C's, Lua's), but without the others that are tracked.
local function spent(of, name)
  local total = 0
  for edge, cost in pairs(of.into) do
    local from, to = edge:match "^(.*) > (.*)$"
    if is(to, name) and not is(from, name) then
      total = total + cost
    elseif is(from, name) and not is(to, name) and is_tracked(to) then
      total = total - cost
    end
  end
  return total
end

local function all_of(of, names)
  local total = 0
  for key, cost in pairs(of.all) do
    for _, name in ipairs(names) do
      if key:match "[^:]*$" == name then total = total + cost end
    end
  end
  return total
end

local SHAPES = { "lar_apply_shape", "lar_push_metadata" }

-- The groups of a pause of ours, and what they are on the floor.
local groups = {
  { "libcurl", function(of) return spent(of, "curl") end, function(floor) return spent(floor.exchange, "curl") end },
  { "the digests", function(of) return spent(of, "crypto") end,
    function(floor) return spent(floor.digests, "crypto") end },
  { "lua-cjson, with the tables that it makes", function(of) return spent(of, "cjson") end,
    function(floor) return spent(floor.cjson, "cjson") end },
  { "signing, but for the digests", function(of) return all_of(of, { "ar_sigv4_sign" }) - spent(of, "crypto") end },
  { "looking the answer through before it is decoded", function(of) return all_of(of, { "ar_json_is_sane" }) end },
  { "shapes and metadata", function(of) return all_of(of, SHAPES) end },
  { "the rest of the core: parameters, headers, the call's states", function(of)
    return spent(of, "core") + spent(of, "crypto") - spent(of, "cjson") -- which the core has Lua call
      - all_of(of, { "ar_sigv4_sign", "ar_json_is_sane" }) - all_of(of, SHAPES)
  end },
  { "the engine, with wiping what libcurl gives back", function(of) return spent(of, "engine") end },
}

-- { {name, ours, floor}, ... }, in instructions; the last two are Lua itself and the sum.
local function grouped(of, floor)
  local list, seen, seen_floor = {}, 0, 0
  for i, group in ipairs(groups) do
    local ours, theirs = group[2](of), group[3] and group[3](floor) or 0
    list[i] = { group[1], ours, theirs }
    seen, seen_floor = seen + ours, seen_floor + theirs
  end
  local total = floor.exchange.total + floor.digests.total + floor.cjson.total
  list[#list + 1] = { "Lua itself: the module's own code, and collecting what a pause leaves", of.total - seen,
    total - seen_floor }
  list[#list + 1] = { "all", of.total, total }
  return list
end

local function per(short, long, name)
  return callgrind.per(LONG - SHORT, instructions(long[name]), instructions(short[name]))
end

-- Of each interpreter of the bench: { instructions =, calls =, once =, empty = }; and of the floor `calls` and `once`.
function profile.take(bench)
  local short, long = commands.sequences(bench, SHORT), commands.sequences(bench, LONG)
  local floor = { exchange = per(short, long, "exchange"), digests = per(short, long, "digests") }
  local out = {
    C = {
      calls = calls_per(calls(long.exchange), calls(short.exchange)), once = instructions(short["once C"]).total,
    },
  }
  for _, who in ipairs(bench.interpreters) do
    local name = who.name
    floor.cjson = per(short, long, "cjson " .. name)
    local pause = "pause " .. name
    out[name] = {
      instructions = grouped(per(short, long, pause), floor),
      calls = calls_per(calls(long[pause]), calls(short[pause])),
      once = instructions(short["once " .. name]).total, empty = instructions(short["empty " .. name]).total,
    }
  end
  return out
end

return profile
