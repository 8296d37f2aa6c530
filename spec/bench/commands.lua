-- What is measured: commands that print what one of something took, in microseconds of the clock and of the processor,
-- and perhaps a third number, of memory in KiB. Which lines of the table they make is in rows.lua.
--
-- The name of a measurement ends in who does it: an interpreter of ours ("5.4", "jit"), or a peer. "one ..." shares one
-- processor with the server, "free ..." leaves both to the scheduler: one exchange after another keeps no two
-- processors busy, and waking the second is what varies most from run to run.
local hosts = require "spec.support.hosts"
local peers = require "spec.bench.peers"
local programs = require "spec.support.programs"
local request = require "spec.bench.request"

local commands = {}

local FLOOR, PROCESS = "build/bench/floor", "build/bench/process"
local BOTH = { "one", "free" }
local PROFILES = { 1, 10000, 20000 }
local environment, ca_of, example = peers.environment, peers.ca_of, peers.example

-- How an interpreter of ours finds this checkout's module and its build.
local function lua(bench, who, more)
  local variables = { LUA_PATH = hosts.lua_path() .. ";;", LUA_CPATH = hosts.lua_cpath(who.program) .. ";;" }
  variables.WARM_UP = tostring(bench.warm_up)
  for name, value in pairs(more or {}) do variables[name] = value end
  return environment(variables), who.program .. " "
end

-- ---------------------------------------------------------------------------
-- The list

local List = {}
List.__index = List

-- Adds a command. options: `times` that it runs in a round, `rounds` in which it does (all), `n` of what it does.
function List:add(name, text, options)
  options = options or {}
  local entry = { name = name, text = text, times = options.times or 1, rounds = options.rounds, n = options.n }
  self[#self + 1] = entry
end

-- One that talks to the server all the time, on the processors of `places`.
function List:exchange(places, name, text, options)
  for _, place in ipairs(places) do
    local bound = self.bench.places[place]
    if bound then self:add(place .. " " .. name, bound .. text, options) end
  end
end

-- One for each concurrency of the plot: `text_of(concurrency)`.
function List:sweep(name, text_of)
  for _, concurrency in ipairs(peers.SWEEP) do
    self:exchange({ "free" }, ("at %d %s"):format(concurrency, name), text_of(concurrency),
      { rounds = self.bench.sweeps })
  end
end

-- A whole process, of a command with its environment.
function List:process(name, env, text, times)
  self:add(name, ("%s%s 1 %s"):format(env, PROCESS, text), { times = times })
end

-- ---------------------------------------------------------------------------
-- The floors

local function add_floors(list, bench)
  local server, n = bench.server, bench.n
  local env = environment { WARM_UP = tostring(bench.warm_up) }
  local function floor(what, url, ca, count, more)
    return ("%s%s %s %s/ %s %s %d %s"):format(env, FLOOR, what, url, bench.request, ca, count, more or "")
  end
  for _, scheme in ipairs { "plain", "tls" } do
    list:exchange(BOTH, ("exchange %s C"):format(scheme),
      floor("exchange", server[scheme], ca_of(server, scheme), n.pauses))
  end
  list:exchange({ "one" }, "signed C", floor("signed", server.plain, "-", n.pauses))
  list:exchange(BOTH, "concurrent C", floor("concurrent", server.plain, "-", n.pauses, peers.CONCURRENCY),
    { n = n.pauses })
  list:exchange({ "free" }, "slow C", floor("concurrent", server.slow, "-", n.slow, peers.CONCURRENCY))
  list:sweep("C", function(concurrency) return floor("concurrent", server.plain, "-", n.sweep, concurrency) end)
  list:add("in flight C", floor("memory", server.slow, "-", n.in_flight), { rounds = bench.sweeps })
  local once = FLOOR .. " oneshot %s/ " .. bench.first_request .. " %s"
  list:process("once plain C", env, once:format(server.plain, "-"), n.processes)
  list:process("once tls C", env, once:format(server.tls, server.bundle), n.processes)
  list:add("digests", ("build/bench/digests %d %d %d %d"):format(n.digests, request.lengths(bench.body)))
  list:add("sign", ("build/bench/sign %d %s"):format(n.digests, programs.quote(bench.body)))
end

-- ---------------------------------------------------------------------------
-- The module

-- Pauses whose credentials come from the shared files, and those files alone.
local function add_profiles(list, bench, who)
  local n, folder, name = bench.n, hosts.path "", who.name
  local function work(config, credentials, arguments, more)
    local files = { AWS_CONFIG_FILE = folder .. config, AWS_SHARED_CREDENTIALS_FILE = folder .. credentials }
    for key, value in pairs(more or {}) do files[key] = value end
    local env, program = lua(bench, who, files)
    return env .. program .. "spec/bench/worker.lua " .. arguments
  end
  local function pauses(what, arguments)
    list:exchange({ bench.places.one and "one" or "free" }, what .. " " .. name,
      work("config", "credentials", arguments), { times = n.close })
  end
  pauses("given", ("given %d %s"):format(n.near, bench.server.plain))
  for _, provider in ipairs { "profile", "process" } do
    pauses(provider, ("profile %d %s %s"):format(n.near, bench.server.plain, provider))
  end
  for _, count in ipairs(PROFILES) do -- each reading in memory that is new to the process, as for the first
    local own = { MALLOC_TRIM_THRESHOLD_ = "131072", WARM_UP = "0" }
    local text = work("profiles." .. count, "none", ("client %d p1"):format(n.clients), own)
    list:add(("%d profiles %s"):format(count, name), text)
  end
end

local function add_ours(list, bench, who)
  local server, n, name = bench.server, bench.n, who.name
  local env, program = lua(bench, who)
  local work = env .. program .. "spec/bench/worker.lua "
  local function parts(of) return ("%s %d %d %d"):format(of, request.lengths(bench.body)) end -- for bare.lua
  for _, scheme in ipairs { "plain", "tls" } do
    list:exchange(BOTH, ("pause %s %s"):format(scheme, name),
      ("%spause %d %s %s"):format(work, n.pauses, server[scheme], ca_of(server, scheme)))
    list:exchange(BOTH, ("bare %s %s"):format(scheme, name), ("%sbare %d %s %s %s"):format(work, n.pauses,
      server[scheme], ca_of(server, scheme), parts(bench.request)))
  end
  list:exchange(BOTH, "bare concurrent " .. name, ("%sbare_many %d %s - %d %s"):format(work, n.pauses, server.plain,
    peers.CONCURRENCY, parts(bench.request)))
  local many = ("%s%%s %%d %%s - %d"):format(work, peers.CONCURRENCY)
  list:exchange(BOTH, "concurrent " .. name, many:format("concurrent", n.pauses, server.plain), { n = n.pauses })
  list:exchange({ "free" }, "slow " .. name, many:format("concurrent", n.slow, server.slow))
  list:exchange(BOTH, "map " .. name, many:format("map", n.map, server.plain))
  list:sweep(name, function(concurrency)
    return ("%sconcurrent %d %s - %d"):format(work, n.sweep, server.plain, concurrency)
  end)
  list:add("in flight " .. name, ("%smemory %d %s"):format(work, n.in_flight, server.slow), { rounds = bench.sweeps })
  list:add("cjson " .. name, work .. "cjson " .. n.decodes)
  list:add("answer " .. name, work .. "answer " .. n.decodes)
  list:add("decode " .. name, ("%sdecode %d %s"):format(work, n.decodes, server.plain))
  list:process("empty " .. name, env, program .. "-e ''", n.processes)
  list:process("require " .. name, env, program .. "-e 'require \"apprunner\"'", n.processes)
  local once = program .. "spec/bench/oneshot.lua "
  list:process("once plain " .. name, env, once .. server.plain, n.processes)
  list:process("once bare " .. name, env,
    ("%sspec/bench/bareshot.lua %s - %s"):format(program, server.plain, parts(bench.first_request)), n.processes)
  list:process("once tls " .. name, env, ("%s%s %s"):format(once, server.tls, server.store), n.processes)
  add_profiles(list, bench, who)
end

-- ---------------------------------------------------------------------------

-- Writes the shared files: a profile for each provider, and files of so many.
local function write_profiles(interpreter)
  hosts.write("credentials", ("[profile]\naws_access_key_id = %s\naws_secret_access_key = %s\n"):format(
    example.id, example.secret))
  hosts.write("config", ("[profile process]\ncredential_process = %s %s/spec/bench/credentials.lua\n"):format(
    interpreter, hosts.root))
  for _, count in ipairs(PROFILES) do
    local list = { ("[profile p0]\naws_access_key_id = %s\naws_secret_access_key = %s\n"):format(
      example.id, example.secret) }
    for i = 1, count do
      list[i + 1] = ("[profile p%d]\nregion = us-east-1\noutput = json\nsource_profile = default\n"
        .. "role_arn = arn:aws:iam::123456789012:role/deployment/service-%d\n"):format(i, i)
    end
    hosts.write("profiles." .. count, table.concat(list, "\n"))
  end
end

-- The commands that the profilers look at, each with its environment: sequences of `n`, and whole processes.
function commands.sequences(bench, n)
  local out = {}
  for _, who in ipairs(bench.interpreters) do
    local env, program = lua(bench, who, { WARM_UP = "50" })
    local work = program .. "spec/bench/worker.lua "
    out["pause " .. who.name] = { env, ("%spause %d %s -"):format(work, n, bench.server.plain) }
    out["cjson " .. who.name] = { env, ("%scjson %d"):format(work, n) }
    out["once " .. who.name] = { env, ("%sspec/bench/oneshot.lua %s"):format(program, bench.server.plain) }
    out["empty " .. who.name] = { env, program .. "-e ''" }
  end
  local env = environment { WARM_UP = "50" }
  local target = FLOOR .. " %s " .. bench.server.plain .. "/ %s - "
  out.exchange = { env, target:format("exchange", bench.request) .. n }
  out["once C"] = { env, target:format("oneshot", bench.first_request) }
  out.digests = { env, ("build/bench/digests %d %d %d %d"):format(n, request.lengths(bench.body)) }
  return out
end

-- All of them, in the order of a round. `bench` has: `server`, `interpreters`, `peers` (name -> command), `places`
-- (place -> what goes before a command there), `n`, `warm_up`, `sweeps`; it gets `first_request`, `request` and `body`.
function commands.list(bench)
  local first = bench.interpreters[1]
  local env, program = lua(bench, first, { WARM_UP = "0" })
  local one, another
  one, another, bench.body = request.record(env:gsub("%%", "%%%%") .. program .. "spec/bench/worker.lua pause 2 %s -")
  bench.first_request, bench.request = hosts.write("first.request", one), hosts.write("request", another)
  write_profiles(first.program)
  local list = setmetatable({ bench = bench }, List)
  add_floors(list, bench)
  for _, who in ipairs(bench.interpreters) do add_ours(list, bench, who) end
  for _, name in ipairs(peers.names) do
    if bench.peers[name] then peers[name](list, bench, bench.peers[name]) end
  end
  return list
end

return commands
