-- How fast it is, as ratios: everything is measured in one run, in turns,
-- against the same nginx on loopback. Prints one table and asserts nothing.
--
-- A measurement is a command that prints what one took, in microseconds: of
-- the clock and of the processor. Each round runs every command once; a row of
-- the table is a function of one round, and shows the median over the rounds.
-- To add a measurement, add a command; to add a line, add a row. Both may be
-- left out; one that fails is.
package.path = "spec/bench/?.lua;" .. package.path
if rawget(_G, "jit") then package.cpath = "build/luajit/?.so;" .. package.cpath end
local report = require "report"
local server = require "server"
local socket = require "socket"

local ROUNDS = tonumber(os.getenv "ROUNDS") or 9
local PAUSES, DECODES, DIGESTS, CLIENTS = 2000, 4000, 100000, 20
local PROCESSES = 5 -- whole processes of each kind in a round
local CLOSE = 5 -- times that what is to be told apart by 2 % is measured in a round
local FLOOR = "build/bench/floor"
local SIGN = "build/bench/sign"

local interpreters = {
  { name = "5.4", program = "lua5.4", build = "build/lua5.4" },
  { name = "jit", program = "luajit", build = "build/luajit" },
}

local schemes = { "plain", "tls" }
local providers = { "profile", "process" } -- and the names of the profiles that have them
local profile_counts = { 1, 10000, 20000 }
local absent = {} -- what is left out, and why

local function succeeds(command)
  local first, _, code = os.execute(command .. " > /dev/null 2>&1")
  return first == 0 or first == true and code == 0
end

-- --- what is measured ----------------------------------------------------

-- Builds what the Makefile's target did not: the other interpreter's module,
-- and the program that signs, of the core's own objects.
local function prepare()
  for i = #interpreters, 1, -1 do
    local lua = interpreters[i]
    if not succeeds(lua.program .. " -e ''") then
      absent[#absent + 1] = lua.program .. ", which is not installed"
      table.remove(interpreters, i)
    elseif not succeeds(("env -u MAKEFLAGS -u MAKELEVEL make -s LUA=%s all"):format(lua.program)) then
      absent[#absent + 1] = lua.program .. ", for which there is no build"
      table.remove(interpreters, i)
    end
  end
  local build = assert(interpreters[1], "no interpreter").build
  local objects = ("$(ls src/core/*.c | sed 's,^,%s/obj/,; s,c$,o,')"):format(build)
  local cc = os.getenv "CC" or "cc"
  if not succeeds(("%s -std=c11 -O2 -o %s spec/bench/core/sign.c %s -lcrypto -lexpat"):format(cc, SIGN, objects)) then
    absent[#absent + 1] = "signing alone: its program was not built"
    SIGN = "false"
  end
end

-- The environment of every command: known credentials, no other settings, and
-- this checkout's module in the interpreter's own build.
local function environment(lua)
  local suffix = lua.program == "lua5.4" and "_5_4" or ""
  return ("env -i PATH=\"$PATH\" HOME=/nonexistent LC_ALL=C AWS_ACCESS_KEY_ID=AKIDEXAMPLE "
    .. "AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY AWS_REGION=us-east-1 "
    .. "LUA_PATH%s='lua/?.lua;lua/?/init.lua;;' LUA_CPATH%s='%s/?.so;;' "):format(suffix, suffix, lua.build)
end

-- Writes the shared files: a profile for each provider, and files of so many.
local function write_profiles(folder)
  server.write(folder .. "/credentials", "[profile]\naws_access_key_id = AKIDEXAMPLE\n"
    .. "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY\n")
  server.write(folder .. "/config", ("[profile process]\ncredential_process = %s spec/bench/process.lua\n"):format(
    interpreters[1].program))
  for _, count in ipairs(profile_counts) do
    local list = {}
    for i = 1, count do
      list[i] = ("[profile p%d]\nregion = us-east-1\noutput = json\nsource_profile = default\n"
        .. "role_arn = arn:aws:iam::123456789012:role/deployment/service-%d\n"):format(i, i)
    end
    server.write(("%s/profiles.%d"):format(folder, count), table.concat(list, "\n"))
  end
end

-- Lets the module pause against a listener of our own: the bytes it sends.
local function record(lua)
  local listener = assert(socket.bind("127.0.0.1", 0))
  local _, port = listener:getsockname()
  local command = ("%s%s spec/bench/oneshot.lua http://127.0.0.1:%d"):format(environment(lua), lua.program, port)
  local process = assert(io.popen(command))
  listener:settimeout(10)
  local connection = assert(listener:accept())
  local request = {}
  repeat
    request[#request + 1] = assert(connection:receive "*l")
  until request[#request] == ""
  local head = table.concat(request, "\r\n") .. "\r\n"
  local length = tonumber(head:lower():match "content%-length: *(%d+)")
  local body = assert(connection:receive(length))
  local answer = server.read "spec/bench/answer.json"
  connection:send(("HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s"):format(#answer, answer))
  connection:close()
  listener:close()
  process:close()
  return head .. body, body
end

-- How long the two other texts are that a signature digests.
local function signed_lengths(body)
  local signed = assert(require("apprunner").sign({
    method = "POST", url = "http://127.0.0.1:40000/", body = body,
    headers = { { "X-Amz-Target", "AppRunner.PauseService" }, { "Content-Type", "application/x-amz-json-1.0" } },
  }, {
    region = "us-east-1", service = "apprunner",
    credentials = { access_key_id = "AKIDEXAMPLE", secret_access_key = "secret" },
  }))
  return #signed.canonical_request, #signed.string_to_sign
end

-- What goes before a command so that it shares a processor with the server, or
-- so that both run anywhere: one exchange after another keeps no two processors
-- busy, and waking the second is what varies most from run to run.
local shared, anywhere

local function bind(nginx)
  local allowed = server.read("/proc/self/status"):match "Cpus_allowed_list:%s*(%S+)" or ""
  local last = allowed:match "%d+$"
  local taskset = "taskset -cp %s " .. nginx:pid() .. " > /dev/null 2>&1; "
  if not last or not succeeds("taskset -c " .. last .. " true") then
    shared, anywhere = nil, ""
    absent[#absent + 1] = "client and server on one processor: there is no taskset"
  else
    shared, anywhere = taskset:format(last) .. "taskset -c " .. last .. " ", taskset:format(allowed)
  end
end

-- name -> command, and the order of a round.
local commands, order = {}, {}

local function command(name, text, times)
  commands[name] = { text = text, times = times or 1 }
  order[#order + 1] = name
end

-- One that talks to the server all the time, in both places.
local function exchange_command(name, text)
  if shared then command(name, shared .. text) end
  command("free " .. name, anywhere .. text)
end

-- Pauses whose credentials come from the shared files, and those files alone.
local function add_profile_commands(nginx, lua)
  local folder = nginx.folder
  local files = ("AWS_CONFIG_FILE=%s/%%s AWS_SHARED_CREDENTIALS_FILE=%s/%%s "):format(folder, folder)
  local worker = lua.program .. " spec/bench/worker.lua %s %d %s"
  local run = (shared or anywhere) .. environment(lua) .. files .. worker
  local function pauses(name, work, arguments)
    command(name .. " " .. lua.name, run:format("config", "credentials", work, PAUSES, arguments), CLOSE)
  end
  pauses("given", "given", nginx.plain)
  for _, name in ipairs(providers) do pauses(name, "profile", nginx.plain .. " " .. name) end
  -- Each reading in memory that is new to the process, as for the first.
  run = environment(lua) .. "MALLOC_TRIM_THRESHOLD_=131072 " .. files .. worker
  for _, count in ipairs(profile_counts) do
    local name, file = ("%d profiles %s"):format(count, lua.name), "profiles." .. count
    command(name, run:format(file, "none", "client", CLIENTS, "p1"))
  end
end

local function add_commands(nginx)
  local request, body = record(interpreters[1])
  local canonical, string = signed_lengths(body)
  local file = nginx.folder .. "/request"
  server.write(file, request)

  local function process(name, text) command(name, FLOOR .. " run " .. text, PROCESSES) end
  for _, lua in ipairs(interpreters) do
    local run = environment(lua) .. lua.program .. " "
    local work = run .. "spec/bench/worker.lua "
    local measured = environment(lua) .. FLOOR .. " run " .. lua.program .. " "
    command("cjson " .. lua.name, work .. "cjson " .. DECODES)
    command("decode " .. lua.name, work .. "decode " .. DECODES .. " " .. nginx.plain)
    for _, scheme in ipairs(schemes) do
      local ca = scheme == "tls" and nginx.ca or "-"
      local arguments = ("pause %d %s %s"):format(PAUSES, nginx[scheme], ca)
      exchange_command("pause " .. scheme .. " " .. lua.name, work .. arguments)
    end
    command("empty " .. lua.name, measured .. "-e ''", PROCESSES)
    command("require " .. lua.name, measured .. "-e 'require \"apprunner\"'", PROCESSES)
    command("once plain " .. lua.name, measured .. "spec/bench/oneshot.lua " .. nginx.plain, PROCESSES)
    if nginx.store then
      command("once tls " .. lua.name, measured .. ("spec/bench/oneshot.lua %s %s"):format(nginx.tls, nginx.store),
        PROCESSES)
    end
    add_profile_commands(nginx, lua)
  end
  for _, scheme in ipairs(schemes) do
    local ca = scheme == "tls" and nginx.ca or "-"
    local exchange = ("%s exchange %s %s %d %s"):format(FLOOR, nginx[scheme] .. "/", file, PAUSES, ca)
    exchange_command("exchange " .. scheme, exchange)
  end
  process("bare plain", ("%s oneshot %s/ %s -"):format(FLOOR, nginx.plain, file))
  if nginx.bundle then
    process("bare tls", ("%s oneshot %s/ %s %s"):format(FLOOR, nginx.tls, file, nginx.bundle))
  else
    absent[#absent + 1] = "no certificate store of the system was found"
  end
  command("digests", ("%s digests %d %d %d %d"):format(FLOOR, DIGESTS, #body, canonical, string))
  command("sign", ("%s %d '%s'"):format(SIGN, DIGESTS, body))
end

-- --- the rounds ----------------------------------------------------------

-- The medians of one measurement, or nil when it failed.
local function measure(name)
  local wall, cpu = {}, {}
  for i = 1, commands[name].times do
    local line = server.lines_of(commands[name].text)[1] or ""
    local a, b = line:match "^([%d.]+) ([%d.]+)"
    if not a then return nil end
    wall[i], cpu[i] = tonumber(a), tonumber(b)
  end
  return { wall = report.summary(wall).median, cpu = report.summary(cpu).median }
end

local function run_rounds()
  local rounds = {}
  for i = 1, ROUNDS do
    rounds[i] = {}
    for k = 1, #order do -- each round begins elsewhere
      local name = order[(k + i * 5) % #order + 1]
      local took = commands[name] and measure(name)
      rounds[i][name] = took
      if commands[name] and not took then
        commands[name] = nil
        absent[#absent + 1] = "what needs " .. name .. ", which failed"
      end
    end
  end
  return rounds
end

-- --- the rows ------------------------------------------------------------

local rows = {}

-- `ratio` is a function of one round; `detail` names what to show beside it,
-- in microseconds or, where they are long, milliseconds.
local function row(title, bar, ratio, unit, ...)
  rows[#rows + 1] = { title = title, bar = bar, ratio = ratio, unit = unit, detail = { ... } }
end

-- Pauses in sequence; `where` is what the names of the commands begin with.
local function add_sequences(where, title, unit, bar)
  for _, scheme in ipairs(schemes) do
    for _, lua in ipairs(interpreters) do
      local ours = where .. "pause " .. scheme .. " " .. lua.name
      local exchange, cjson = where .. "exchange " .. scheme, "cjson " .. lua.name
      row(title:format(scheme, lua.program), bar,
        function(at) return (at[exchange][unit] + at[cjson][unit] + at.digests[unit]) / at[ours][unit] end, unit,
        ours, exchange, cjson, "digests")
    end
  end
end

local function add_profile_rows(lua)
  local given = "given " .. lua.name
  for _, name in ipairs(providers) do
    local ours = name .. " " .. lua.name
    row(("pauses in sequence, credentials of a %s, %s: rate / with given ones"):format(name, lua.program), ">= 0.98",
      function(at) return at[given].wall / at[ours].wall end, "wall", ours, given)
  end
  local one, ten, twenty = "1 profiles " .. lua.name, "10000 profiles " .. lua.name, "20000 profiles " .. lua.name
  row(("reading 10,000 profiles, %s: milliseconds"):format(lua.program), "< 20",
    function(at) return (at[ten].cpu - at[one].cpu) / 1000 end, "cpu", ten, one)
  row(("reading 20,000 profiles / 10,000, %s"):format(lua.program), "<= 2.2",
    function(at) return (at[twenty].cpu - at[one].cpu) / (at[ten].cpu - at[one].cpu) end, "cpu", twenty, ten, one)
end

local function add_rows()
  if shared then
    add_sequences("", "pauses in sequence, %s, %s: rate / floor's, on one processor", "wall", ">= 0.8")
    add_sequences("", "pauses in sequence, %s, %s: client's processor time, floor's / ours", "cpu", "")
  end
  add_sequences("free ", "pauses in sequence, %s, %s: rate / floor's, on any processor", "wall", ">= 0.8")
  for _, lua in ipairs(interpreters) do
    local name = lua.name
    for _, scheme in ipairs(schemes) do
      local ours, bare, empty = "once " .. scheme .. " " .. name, "bare " .. scheme, "empty " .. name
      row(("one process, one pause, %s, %s: processor / bare C's and the interpreter's start"):format(
        scheme, lua.program), "<= 1.2",
        function(at) return at[ours].cpu / (at[bare].cpu + at[empty].cpu) end, "cpu", ours, bare, empty)
    end
  end
  for _, lua in ipairs(interpreters) do add_profile_rows(lua) end
  row("signing with a cached key / three digests", "", function(at) return at.sign.cpu / at.digests.cpu end, "cpu",
    "sign", "digests")
  for _, lua in ipairs(interpreters) do
    local ours, bare = "decode " .. lua.name, "cjson " .. lua.name
    row(("decoding with shapes, %s: rate / bare lua-cjson's"):format(lua.program), "",
      function(at) return at[bare].cpu / at[ours].cpu end, "cpu", ours, bare)
  end
  for _, lua in ipairs(interpreters) do
    local with, without = "require " .. lua.name, "empty " .. lua.name
    row(("a process that requires the module / an empty one, %s"):format(lua.program), "",
      function(at) return at[with].cpu / at[without].cpu end, "cpu", with, without)
  end
end

local function number(us) return us >= 1000 and ("%.2f ms"):format(us / 1000) or ("%.1f us"):format(us) end

local function detail_of(entry, rounds)
  local out = {}
  for i, name in ipairs(entry.detail) do
    local list = {}
    for k, at in ipairs(rounds) do list[k] = at[name][entry.unit] end
    out[i] = name .. " " .. number(report.summary(list).median)
  end
  return table.concat(out, ", ")
end

local function measured(entry)
  for _, name in ipairs(entry.detail) do
    if not commands[name] then return false end
  end
  return true
end

local function line_of(entry, rounds)
  local ratios = {}
  for i, at in ipairs(rounds) do ratios[i] = entry.ratio(at) end
  local s = report.summary(ratios)
  return {
    entry.title, ("%.2f"):format(s.median), ("%.2f-%.2f"):format(s.low, s.high), entry.bar, detail_of(entry, rounds),
  }
end

local function print_table(rounds, seconds)
  local lines = { { "measure", "ratio", "quartiles", "bar", "of it (medians)" } }
  for _, entry in ipairs(rows) do
    if measured(entry) then lines[#lines + 1] = line_of(entry, rounds) end
  end
  report.print(lines, { [2] = true, [3] = true, [4] = true })
  print(([[

How to read it: %d rounds of %.0f s in all, in each round every measurement once, in turns; a ratio is taken within a
round, and the table shows the median over the rounds and the quartiles. Times differ from machine to machine and from
run to run: compare ratios. The floor of a pause is a bare exchange of the same bytes on libcurl (C, multi interface,
one handle, unsigned, nothing decoded), lua-cjson alone on the same answer, and three digests (body, canonical request,
one HMAC) with a digest fetched before. "On one processor" has client and server share one, which is the steady number;
"on any" leaves both to the scheduler, whose choices show in the quartiles.
Profiles are read by a client that is made and closed, less what that takes with a file of one profile: processor time.
A process over TLS trusts the system's certificates and the test's: bare C by libcurl's own way, a bundle; the module
by its own, a hashed directory, which holds links to the system's and is given as ca_bundle, since the system's own
directory cannot hold a test's certificate.]]):format(#rounds, seconds))
  for _, reason in ipairs(absent) do print("left out: " .. reason) end
end

prepare()
local nginx = server.start()
local ok, err = xpcall(function()
  bind(nginx)
  write_profiles(nginx.folder)
  add_commands(nginx)
  add_rows()
  local begin = socket.gettime()
  local rounds = run_rounds()
  print_table(rounds, socket.gettime() - begin)
end, debug.traceback)
nginx:stop()
if not ok then
  io.stderr:write(err, "\n")
  os.exit(1)
end
