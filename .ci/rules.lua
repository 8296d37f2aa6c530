-- The house rules that no tool knows. Usage: lua5.4 .ci/rules.lua SOURCES,
-- where SOURCES is the output of `make -s sources`. Each rule is a function
-- from a file (path, text, and text without comments and strings) to what is
-- wrong with it. Prints every breach and last "N passed, N failed" over rules.

local function lines_of(command)
  local list = {}
  for line in assert(io.popen(command)):lines() do list[#list + 1] = line end
  return list
end

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "a"
  file:close()
  return text
end

-- C without comments and the insides of strings; the lines stay where they are.
local function bare(text)
  local function blank(s) return (s:gsub("[^\n]", " ")) end
  local out, at = {}, 1
  while at <= #text do
    local from = text:find('["\'/]', at)
    if not from then break end
    local two, one, to = text:sub(from, from + 1), text:sub(from, from), from
    if two == "/*" then
      to = select(2, text:find("*/", from + 2, true)) or #text
    elseif two == "//" then
      to = (text:find("\n", from, true) or #text + 1) - 1
    elseif one ~= "/" then
      repeat
        to = text:find("[\\\n" .. one .. "]", to + 1) or #text
        local escape = text:sub(to, to) == "\\"
        if escape then to = to + 1 end
      until not escape
    end
    out[#out + 1] = text:sub(at, from - 1)
    local keep = one == "/" and to == from or one ~= "/"
      and text:sub(1, from - 1):match "#include[ \t]*$"
    out[#out + 1] = keep and text:sub(from, to) or blank(text:sub(from, to))
    at = to + 1
  end
  return table.concat(out) .. text:sub(at)
end

local function words(s)
  local set = {}
  for word in s:gmatch "%S+" do set[word] = true end
  return set
end

-- Never in src: unbounded, of the locale, not safe in threads, of the process.
local banned = words [[
  strcpy strcat strncpy strncat sprintf vsprintf gets scanf sscanf strtok
  alloca gmtime localtime asctime ctime strerror atoi atol atoll atof strtod
  strtof setlocale tolower toupper isalpha isdigit isspace isalnum isxdigit
  exit abort assert printf vprintf fprintf vfprintf puts putchar fputs perror
  system popen signal sigaction setenv putenv unsetenv tmpnam mktemp rand srand
  sleep usleep curl_global_cleanup]]
-- Never in src/core, which has no clock, no environment and no sockets.
local impure = words [[
  time clock clock_gettime gettimeofday getenv fopen open socket connect getpid
  poll select fork]]
-- What a quoted include may name beside its own folder.
local below = {
  core = {}, host = words "core", curl = words "core",
  binding = words "core host curl",
}

local function number_lines(text)
  local number, position = 0, 1
  return function()
    if position > #text then return nil end
    local line, stop = text:match("([^\n]*)\n?()", position)
    number, position = number + 1, stop
    return number, line
  end
end

local function folder(path) return path:match "^src/([^/]+)/" end

local rules = {
  { "Lua is named only in src/binding, and in the benchmark's own module", function(path, _, code, say)
    if folder(path) == "binding" or path:find "^spec/bench/lua/" then return end
    for n, line in number_lines(code) do
      if line:find "lua_State" or line:find "#include%s*<lua" then say(n, line) end
    end
  end },
  { "no banned function is called", function(path, _, code, say)
    if not folder(path) then return end
    for n, line in number_lines(code) do
      for before, name in line:gmatch "(%S?%S?)%f[%w_]([%a_][%w_]*)%s*%(" do
        local member = before:find "[%.>]$"
        local pure = folder(path) ~= "core" or not impure[name]
        if not member and (banned[name] or not pure) then say(n, name) end
      end
    end
  end },
  { "quoted includes only go down", function(path, _, code, say)
    local here = folder(path)
    if not here then return end
    for n, line in number_lines(code) do
      local name = line:match '#include%s*"([^"]*)"'
      local other = name and name:match "^%.%./([^/]+)/[^/]+$"
      if name and (name:find "/" and not (other and below[here][other])) then
        say(n, line)
      end
    end
  end },
  { "no C line is longer than 79 columns, none has a tab or trailing space", function(_, text, _, say)
    for n, line in number_lines(text) do
      if (utf8.len(line) or #line) > 79 or line:find "\t" or line:find "%s$" then say(n, line) end
    end
  end },
  { "no function is longer than 60 lines", function(path, _, code, say)
    if path:find "%.def$" then return end
    local from
    for n, line in number_lines(code) do
      if line:find "^[%a_].*%)%s*{%s*$" or from == nil and line:find "^%s.*%)%s*{%s*$" then from = n end
      if line:find "^}" then
        if from and n - from + 1 > 60 then say(from, n - from + 1 .. " lines") end
        from = nil
      end
    end
  end },
  { "every C file opens with what it owns", function(path, text, _, say)
    if folder(path) and not text:find "^/%*\n?" then say(1, "no comment") end
  end },
}

local passed, failed = 0, 0
local function count(rule, breaches)
  if #breaches == 0 then passed = passed + 1 return end
  failed = failed + 1
  print("not so: " .. rule)
  for _, breach in ipairs(breaches) do print("  " .. breach) end
end

local files = {}
for _, path in ipairs(lines_of "find src spec -name '*.[ch]' -o -path 'src/*.def' | sort") do
  local text = read(path)
  files[#files + 1] = { path = path, text = text, code = bare(text) }
end
for _, rule in ipairs(rules) do
  local breaches = {}
  for _, file in ipairs(files) do
    rule[2](file.path, file.text, file.code, function(n, what)
      breaches[#breaches + 1] = ("%s:%d: %s"):format(file.path, n, what)
    end)
  end
  count(rule[1], breaches)
end

-- The version stands in one place.
do
  local version = read "src/core/base.h":match '#define AR_VERSION "([^"]+)"'
  local breaches = {}
  for _, path in ipairs(lines_of "find src lua -type f") do
    if path ~= "src/core/base.h" and read(path):find(version, 1, true) then
      breaches[#breaches + 1] = path .. ": names " .. version
    end
  end
  count("the version is named in src/core/base.h alone", breaches)
end

-- The rockspec lists what the tree has, and what the Makefile builds.
do
  local rock = {}
  assert(loadfile("apprunner-scm-1.rockspec", "t", rock))()
  local listed, there, breaches = {}, {}, {}
  for name, module in pairs(rock.build.modules) do
    if type(module) == "string" then
      listed["lua " .. module] = true
      local expected = module:gsub("^lua/", ""):gsub("%.lua$", ""):gsub("/init$", ""):gsub("/", ".")
      if name ~= expected then breaches[#breaches + 1] = name .. " is " .. module end
    else
      for _, source in ipairs(module.sources) do
        listed[name:match "[^.]+$" .. " " .. source] = true
      end
    end
  end
  for line in io.lines(assert(arg[1])) do there[line] = true end
  for _, path in ipairs(lines_of "find lua -name '*.lua'") do there["lua " .. path] = true end
  for entry in pairs(there) do
    if not listed[entry] then breaches[#breaches + 1] = "not in the rockspec: " .. entry end
  end
  for entry in pairs(listed) do
    if not there[entry] then breaches[#breaches + 1] = "in the rockspec only: " .. entry end
  end
  table.sort(breaches)
  count("the rockspec lists the tree's files (lua5.4 .ci/rockspec.lua writes them)", breaches)
end

print(("%d passed, %d failed"):format(passed, failed))
os.exit(failed == 0)
