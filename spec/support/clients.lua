-- The official clients that this machine has, for those who compare with them: each function returns what starts one,
-- or nil and why there is none. The JavaScript SDK is installed into build/node where npm can.

local programs = require "spec.support.programs"

local clients = {}

local SDK = "@aws-sdk/client-apprunner"
local SDK_VERSION = "3.1142.0"

clients.folder = "build/node" -- has the SDK in its node_modules

-- The first of these commands that works here, or nil.
local function first_working(commands, arguments)
  for _, command in ipairs(commands) do
    local found = programs.output_of(("%s %s >/dev/null 2>&1 && echo yes"):format(command, arguments))
    if found:find "yes" then return command end
  end
end

-- A Python that has boto3.
function clients.boto3()
  local python = first_working({ programs.python, "python3" }, "-c 'import boto3'")
  return python, not python and "boto3 is not installed" or nil
end

-- The AWS CLI.
function clients.cli()
  local aws = first_working({ "/usr/bin/aws", "aws" }, "--version")
  return aws, not aws and "the AWS CLI is not installed" or nil
end

-- A curl that signs by itself.
function clients.curl()
  local curl = first_working({ "curl" }, "--aws-sigv4 aws:amz:r:s --version")
  return curl, not curl and "a curl with --aws-sigv4 is not installed" or nil
end

local function has_sdk()
  local manifest = programs.read(("%s/node_modules/%s/package.json"):format(clients.folder, SDK))
  return manifest ~= nil and manifest:find('"version": "' .. SDK_VERSION .. '"', 1, true) ~= nil
end

local INSTALL = "mkdir -p %s && cd %s && HOME=$PWD npm_config_cache=$PWD/cache timeout 120 npm install "
  .. "--prefix . --no-save --ignore-scripts --no-audit --no-fund --fetch-retries=1 %s 2>&1 && echo installed"

-- A Node.js, with the SDK in `folder`.
function clients.sdk()
  local node = first_working({ "node" }, "--version")
  if not node then return nil, "node is not installed" end
  if has_sdk() then return node end
  if not first_working({ "npm" }, "--version") then return nil, "npm is not installed" end
  local name = SDK .. "@" .. SDK_VERSION
  local said = programs.output_of(INSTALL:format(clients.folder, clients.folder, name))
  if said:find "installed\n$" then return node end
  return nil, name .. " cannot be installed: " .. (said:match "npm error ([^\n]*)" or said:sub(1, 200))
end

return clients
