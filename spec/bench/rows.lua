-- The lines of the table, and its bars. A row compares what `ours` measures, in which %s stands for who does it, with
-- the same of each peer that has it, and with a floor: terms that are added up ("-name" is taken off, a number is
-- itself).
-- `unit`: wall, cpu or memory. `as`: "cost", ours / theirs; "rate", theirs / ours; "more", ours less theirs.
-- `bars`: against whom -> { relation, bound }, or a bound for each interpreter.
local rows = {}

rows.against = {
  { key = "floor", title = "floor" }, { key = "boto3", title = "boto3" }, { key = "cli", title = "AWS CLI" },
  { key = "sdk", title = "JavaScript SDK" }, { key = "curl", title = "curl --aws-sigv4" },
}

local function pause_floor(exchange) return { exchange, "cjson %s", "digests" } end

rows.list = {
  { title = "one process, one pause: wall time", ours = { "once plain %s" }, unit = "wall", as = "cost",
    floor = { "once plain C", "empty %s" },
    bars = { cli = { "<=", 1 / 50 }, boto3 = { "<=", 1 / 30 }, sdk = { "<=", 1 / 11 } } },
  { title = "one process, one pause: CPU", ours = { "once plain %s" }, unit = "cpu", as = "cost",
    floor = { "once plain C", "empty %s" }, bars = { floor = { "<=", 1.10 } } },
  { title = "one process, one pause: CPU, against the floor's parts in one program", ours = { "once plain %s" },
    unit = "cpu", as = "cost", alone = true, floor = { "once bare %s" }, bars = { floor = { "<=", 1.10 } } },
  { title = "the same over TLS, the system's certificates: CPU", ours = { "once tls %s" }, unit = "cpu", as = "cost",
    floor = { "once tls C" }, bars = { floor = { "<=", 0.6 } } },
  { title = "one process, one pause: peak memory", ours = { "once plain %s" }, unit = "memory", as = "cost",
    floor = { "once plain C" }, bars = { floor = { "<=", 1.2 } } },
  { title = "one process, one pause: instructions", ours = { "instructions once %s" }, unit = "cpu", as = "cost",
    floor = { "instructions once C", "instructions empty %s" } },
  { title = "`require` alone: CPU of the process", ours = { "require %s" }, unit = "cpu", as = "cost",
    floor = { "empty %s" } },
  { title = "in sequence, plain, on one processor: rate", ours = { "one pause plain %s" }, unit = "wall", as = "rate",
    floor = pause_floor "one exchange plain C",
    bars = { floor = { ">=", 0.88 }, boto3 = { ">=", 8 }, sdk = { ">=", 6 } } },
  { title = "in sequence, TLS, on one processor: rate", ours = { "one pause tls %s" }, unit = "wall", as = "rate",
    floor = pause_floor "one exchange tls C", bars = { floor = { ">=", 0.88 } } },
  { title = "in sequence, plain, on any: rate", ours = { "free pause plain %s" }, unit = "wall", as = "rate",
    floor = pause_floor "free exchange plain C",
    bars = { floor = { ">=", 0.88 }, boto3 = { ">=", 8 }, sdk = { ">=", 6 } } },
  { title = "in sequence, TLS, on any: rate", ours = { "free pause tls %s" }, unit = "wall", as = "rate",
    floor = pause_floor "free exchange tls C", bars = { floor = { ">=", 0.88 } } },
  { title = "in sequence, plain, on one processor: rate, against the floor's parts in one program",
    ours = { "one pause plain %s" }, unit = "wall", as = "rate", alone = true, floor = { "one bare plain %s" },
    bars = { floor = { ">=", 0.88 } } },
  { title = "in sequence, TLS, on one processor: rate, against the floor's parts in one program",
    ours = { "one pause tls %s" }, unit = "wall", as = "rate", alone = true, floor = { "one bare tls %s" },
    bars = { floor = { ">=", 0.88 } } },
  { title = "the floor's parts in one program, plain, on one processor: rate", ours = { "one bare plain %s" },
    unit = "wall", as = "rate", alone = true, floor = pause_floor "one exchange plain C" },
  { title = "in sequence, plain, on any: rate, against the floor's parts in one program",
    ours = { "free pause plain %s" }, unit = "wall", as = "rate", alone = true, floor = { "free bare plain %s" },
    bars = { floor = { ">=", 0.88 } } },
  { title = "in sequence, on one processor: client's CPU", ours = { "one pause plain %s" }, unit = "cpu", as = "cost",
    floor = pause_floor "one exchange plain C", bars = { boto3 = { "<=", 1 / 11 }, sdk = { "<=", 1 / 9 } } },
  { title = "client's CPU, against C that signs by CURLOPT_AWS_SIGV4 and decodes nothing",
    ours = { "one pause plain %s" }, unit = "cpu", as = "cost", alone = true,
    floor = { "one signed C" }, bars = { floor = { "<=", { ["5.4"] = 1.1, jit = 1.0 } } } },
  { title = "32 at a time, plain, on one processor: rate", ours = { "one concurrent %s" }, unit = "wall", as = "rate",
    floor = pause_floor "one concurrent C", bars = { floor = { ">=", 0.88 } } },
  { title = "32 at a time, plain, on any: rate", ours = { "free concurrent %s" }, unit = "wall", as = "rate",
    floor = pause_floor "free concurrent C", bars = { floor = { ">=", 0.88 } } },
  { title = "32 at a time, plain, on one processor: rate, against the floor's parts in one program",
    ours = { "one concurrent %s" }, unit = "wall", as = "rate", alone = true, floor = { "one bare concurrent %s" },
    bars = { floor = { ">=", 0.88 } } },
  { title = "32 at a time, answers 50 ms late: rate, against 32 / 50 ms", ours = { "free slow %s" }, unit = "wall",
    as = "rate", floor = { 50000 / 32 }, bars = { floor = { ">=", 0.97 } } },
  { title = "32 at a time, answers 50 ms late: rate, against bare C", ours = { "free slow %s" }, unit = "wall",
    as = "rate", alone = true, floor = { "free slow C" } },
  { title = "`map` over 1,000 items, 32 at a time, on one processor: rate", ours = { "one map %s" }, unit = "wall",
    as = "rate", floor = pause_floor "one concurrent C" },
  { title = "signing with a kept key, against three digests", ours = { "sign" }, unit = "cpu", as = "cost",
    floor = { "digests" }, bars = { floor = { "<=", 3 } } },
  { title = "decoding with shapes, against lua-cjson: rate", ours = { "decode %s" }, unit = "cpu", as = "rate",
    floor = { "cjson %s" }, bars = { floor = { ">=", 0.85 } } },
  { title = "decoding with shapes, against the same table made by bare C without a check: rate",
    ours = { "decode %s" }, unit = "cpu", as = "rate", alone = true, floor = { "answer %s" },
    bars = { floor = { ">=", 0.85 } } },
  { title = "memory of a call in flight at 1,000, beyond libcurl's: KiB", ours = { "in flight %s" }, unit = "memory",
    as = "more", floor = { "in flight C" }, bars = { floor = { "<=", 4 } } },
  { title = "a config file of 10,000 profiles: CPU", ours = { "10000 profiles %s", "-1 profiles %s" }, unit = "cpu",
    as = "cost" },
  { title = "20,000 profiles, against 10,000: CPU", ours = { "20000 profiles %s", "-1 profiles %s" }, unit = "cpu",
    as = "cost", alone = true, floor = { "10000 profiles %s", "-1 profiles %s" }, bars = { floor = { "<=", 2.2 } } },
  { title = "credentials of a profile, against given ones: rate", ours = { "PLACE profile %s" }, unit = "wall",
    as = "rate", floor = { "PLACE given %s" }, bars = { floor = { ">=", 0.98 } } },
  { title = "credentials of a process, against given ones: rate", ours = { "PLACE process %s" }, unit = "wall",
    as = "rate", floor = { "PLACE given %s" }, bars = { floor = { ">=", 0.98 } } },
}

-- What terms come to in a round, or nil where one was not measured.
local function sum(at, terms, who, unit, place)
  local total = 0
  for _, term in ipairs(terms) do
    if type(term) == "string" then
      local sign, name = term:match "^(%-?)(.*)"
      local took = at[name:gsub("%%s", who):gsub("PLACE", place)]
      if not took then return nil end
      total = total + (sign == "-" and -1 or 1) * took[unit]
    else
      total = total + term
    end
  end
  return total
end

local by = {
  cost = function(ours, theirs) return ours / theirs end,
  rate = function(ours, theirs) return theirs / ours end,
  more = function(ours, theirs) return ours - theirs end,
}

-- The ratios of a row, one a round, of `lua` against the floor or a peer; nil where something was not measured.
function rows.ratios(row, lua, against, rounds, place)
  local terms, who = row.ours, against
  if against == "floor" then terms, who = row.floor, lua end
  if not terms or row.alone and against ~= "floor" then return nil end
  if against ~= "floor" and not terms[1]:find("%s", 1, true) then return nil end
  local list = {}
  for i, at in ipairs(rounds) do
    local ours, theirs = sum(at, row.ours, lua, row.unit, place), sum(at, terms, who, row.unit, place)
    if not ours or not theirs then return nil end
    list[i] = by[row.as](ours, theirs)
  end
  return list
end

-- The bound of a bar for an interpreter, and whether a value meets it.
function rows.bound(bar, lua) return type(bar[2]) == "table" and bar[2][lua] or bar[2] end

function rows.meets(bar, lua, value)
  local bound = rows.bound(bar, lua)
  if bar[1] == "<=" then return value <= bound end
  return value >= bound
end

return rows
