-- Writes the lists of files in the rockspec anew, from the tree and from
-- `make -s sources`: `lua5.4 .ci/rockspec.lua`, after a file came or went.
local rockspec = "apprunner-scm-1.rockspec"
local libraries = { core = '"crypto", "expat"', curl = '"curl", "ssl", "crypto"' }

local out = {}
local function add(line, ...) out[#out + 1] = "    " .. line:format(...) end

for path in io.popen("LC_ALL=C; export LC_ALL; find lua -name '*.lua' | sort"):lines() do
  local name = path:gsub("^lua/", ""):gsub("%.lua$", ""):gsub("/init$", ""):gsub("/", ".")
  add(name:find "%W" and "[%q] = %q," or "%s = %q,", name, path)
end

local sources = { core = {}, curl = {} }
for line in io.popen "make -s sources":lines() do
  local module, path = line:match "^(%S+) (%S+)$"
  table.insert(sources[module], path)
end
for _, module in ipairs { "core", "curl" } do
  add('["apprunner.%s"] = {', module)
  add "  sources = {"
  for _, path in ipairs(sources[module]) do add("    %q,", path) end
  add "  },"
  add("  libraries = { %s },", libraries[module])
  add "},"
end

local file = assert(io.open(rockspec))
local text = file:read "a"
file:close()
local from = select(2, text:find("\n  modules = {\n", 1, true))
local to = text:find("\n  },\n}\n", from, true)
file = assert(io.open(rockspec, "w"))
file:write(text:sub(1, from), table.concat(out, "\n"), text:sub(to))
file:close()
