-- The machine and the versions, in words.
local hosts = require "spec.support.hosts"

local function first(text, pattern) return (text or ""):match(pattern) end

local function memory()
  local kib = tonumber(first(hosts.read "/proc/meminfo", "MemTotal:%s*(%d+)"))
  return kib and ("%.0f GiB of memory"):format(kib / 1048576)
end

local function processors()
  local model = first(hosts.read "/proc/cpuinfo", "model name%s*: ([^\n]*)") or "unknown processors"
  return ("%s processors (%s)"):format(hosts.shell "nproc", model)
end

local versions = {
  { "Linux", "uname -r", "^%d+%.%d+" }, { "libcurl", "curl-config --version", "[%d.]+" },
  { "OpenSSL", "openssl version", "[%d.]+" }, { "Lua", "lua5.4 -v", "[%d.]+" },
  { "LuaJIT", "luajit -v", "LuaJIT (%S+)" }, { "nginx", "nginx -v 2>&1", "/([%d.]+)" },
}
local peer_versions = {
  { "boto3", "boto3", "-c 'import boto3; print(boto3.__version__)'" }, { "cli", "the AWS CLI", "--version 2>&1" },
  { "sdk", "Node.js", "--version" }, { "curl", "curl", "--version" },
}

-- `peers`: name -> command.
return function(peers)
  local system = first(hosts.read "/etc/os-release", 'PRETTY_NAME="([^"]*)"')
  local words = { processors() }
  local function add(word) words[#words + 1] = word end
  local function add_version(name, command, pattern)
    local version = first(hosts.shell(command .. " 2>/dev/null"), pattern)
    add(version and name .. " " .. version)
  end
  add(memory())
  add(system)
  for _, row in ipairs(versions) do add_version(row[1], row[2], row[3]) end
  for _, row in ipairs(peer_versions) do
    local peer = peers[row[1]]
    if peer then add_version(row[2], peer .. " " .. row[3], "%d[%d.]+") end
  end
  return table.concat(words, ", ")
end
