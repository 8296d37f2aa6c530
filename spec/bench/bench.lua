-- How fast it is, as ratios: everything is measured in one run, in turns, against the same nginx on loopback. Prints
-- the tables and leaves all figures in build/bench/results.json; asserts nothing.
--
-- A measurement is a command (commands.lua, peers.lua); each round runs every command. A line of the table (rows.lua)
-- is a ratio that is taken within a round, shown as the median over the rounds and the quartiles. In the environment:
--   QUICK   1: few of everything, to see that it works, in a minute; 2: as few as there can be, and no peers
--   ROUNDS  rounds, 7 by default
package.path = "./?.lua;" .. package.path
if rawget(_G, "jit") then package.cpath = "build/luajit/?.so;" .. package.cpath end
local cjson = require "cjson"
local clients = require "spec.support.clients"
local commands = require "spec.bench.commands"
local hosts = require "spec.support.hosts"
local machine = require "spec.bench.machine"
local peers = require "spec.bench.peers"
local profile = require "spec.bench.profile"
local report = require "spec.bench.report"
local server = require "spec.bench.server"
local socket = require "socket"
local tables = require "spec.bench.tables"

local RESULTS = "build/bench/results.json"

-- How many of each a round measures (of `slow` whole waves of 32); `close` and what follows: how often one command runs
-- in a round.
local sizes = {
  [0] = {
    pauses = 1450, slow = 1440, near = 500, sweep = 700, map = 1000, decodes = 4000, digests = 100000, clients = 20,
    in_flight = 1000, close = 5, processes = 5, peers = 2,
  },
  [1] = {
    pauses = 300, slow = 96, near = 100, sweep = 200, map = 300, decodes = 500, digests = 10000, clients = 3,
    in_flight = 200, close = 1, processes = 2, peers = 1,
  },
  [2] = {
    pauses = 4, slow = 2, near = 2, sweep = 2, map = 2, decodes = 2, digests = 2, clients = 1, in_flight = 2, close = 1,
    processes = 1, peers = 1,
  },
}

local quick = math.min(tonumber(os.getenv "QUICK") or 0, 2)
local bench = {
  quick = quick, n = sizes[quick], rounds = tonumber(os.getenv "ROUNDS") or ({ [0] = 7, 2, 1 })[quick],
  warm_up = ({ [0] = 200, 50, 1 })[quick], sweeps = 3, peers = {}, absent = {}, interpreters = {},
}

local function leave_out(...) bench.absent[#bench.absent + 1] = string.format(...) end

local function succeeds(command)
  local first, _, code = os.execute(command .. " > /dev/null 2>&1")
  return first == 0 or first == true and code == 0
end

-- ---------------------------------------------------------------------------
-- What there is

local function find_interpreters()
  for _, lua in ipairs { { name = "5.4", program = "lua5.4" }, { name = "jit", program = "luajit" } } do
    if not succeeds(lua.program .. " -e ''") then
      leave_out("%s, which is not installed", lua.program)
    elseif not succeeds(("env -u MAKEFLAGS -u MAKELEVEL make -s LUA=%s all"):format(lua.program)) then
      leave_out("%s, for which there is no build", lua.program)
    else
      bench.interpreters[#bench.interpreters + 1] = lua
    end
  end
  assert(bench.interpreters[1], "no interpreter")
end

local function find_peers()
  for _, name in ipairs(peers.names) do
    local command, lacking = clients[name]()
    bench.peers[name] = command
    if not command then leave_out("%s", lacking) end
  end
end

-- What goes before a command so that it shares a processor with the server, or so that both run anywhere.
local function find_places()
  local allowed = hosts.read "/proc/self/status":match "Cpus_allowed_list:%s*(%S+)" or ""
  local last = allowed:match "%d+$"
  if not last or not succeeds("taskset -c " .. last .. " true") then
    bench.places = { free = "" }
    return leave_out "client and server on one processor: there is no taskset"
  end
  local bind = "taskset -cp %s " .. bench.server.worker .. " > /dev/null 2>&1; "
  bench.places = { one = bind:format(last) .. "taskset -c " .. last .. " ", free = bind:format(allowed) }
end

-- ---------------------------------------------------------------------------
-- The rounds

-- The medians of one measurement, or nil when it failed. `busy` is the part of the time that the server worked, as far
-- as it is known how many it answered.
local function measure(entry)
  local wall, cpu, memory, busy = {}, {}, {}, {}
  for i = 1, entry.times do
    local before = bench.server:busy()
    local a, b, c = hosts.shell(entry.text):match "^([%d.]+) ([%d.]+) ?(%-?[%d.]*)"
    if not a then return nil end
    wall[i], cpu[i], memory[i] = tonumber(a), tonumber(b), tonumber(c) or 0
    busy[i] = entry.n and (bench.server:busy() - before) / (entry.n + bench.warm_up) / wall[i] or 0
  end
  local function median(list) return report.summary(list).median end
  return { wall = median(wall), cpu = median(cpu), memory = median(memory), busy = entry.n and median(busy) or nil }
end

-- What runs in some rounds only stands in the others as it was in one of them.
local function reuse(rounds, i, entry)
  local from = entry.rounds and i > entry.rounds and rounds[(i - 1) % entry.rounds + 1]
  if from then rounds[i][entry.name] = from[entry.name] end
  return from
end

local function run_rounds(list)
  local rounds, failed = {}, {}
  for i = 1, bench.rounds do
    rounds[i] = {}
    for k = 1, #list do -- each round begins elsewhere
      local entry = list[(k + i * 5) % #list + 1]
      if not failed[entry] and not reuse(rounds, i, entry) then
        rounds[i][entry.name] = measure(entry)
        if not rounds[i][entry.name] then
          failed[entry] = true
          leave_out("what needs \"%s\", which failed", entry.name)
        end
      end
    end
  end
  return rounds
end

-- Counts of instructions do not vary: they stand in every round as if measured there.
local function add_instructions(rounds, profiles)
  for _, at in ipairs(rounds) do
    for name, of in pairs(profiles) do
      at["instructions once " .. name] = { cpu = of.once }
      if of.empty then at["instructions empty " .. name] = { cpu = of.empty } end
    end
  end
end

local function take_profiles(rounds)
  if bench.quick == 2 then return leave_out "counts of instructions and system calls: the run is to be short" end
  for _, tool in ipairs { "valgrind", "strace" } do
    if not succeeds(tool .. " --version") then
      return leave_out("counts of instructions and system calls: there is no %s", tool)
    end
  end
  local profiles = profile.take(bench)
  add_instructions(rounds, profiles)
  return profiles
end

local function run()
  bench.server = server.start()
  find_places()
  local list = commands.list(bench)
  local begin = socket.gettime()
  local rounds = run_rounds(list)
  local profiles = take_profiles(rounds)
  local interpreters = {}
  for i, lua in ipairs(bench.interpreters) do interpreters[i] = lua.name end
  return {
    machine = machine(bench.peers), rounds = rounds, seconds = socket.gettime() - begin, interpreters = interpreters,
    absent = bench.absent, profiles = profiles, place = bench.places.one and "one" or "free", sweep = peers.SWEEP,
  }
end

find_interpreters()
if quick < 2 then find_peers() end
local results = hosts.main(run)
os.execute "mkdir -p build/bench"
local file = assert(io.open(os.getenv "RESULTS" or RESULTS, "w"))
assert(file:write(cjson.encode(results)))
file:close()
tables.print(results)
