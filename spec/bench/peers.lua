-- The clients that ours is measured against, and what their commands have in common with ours (commands.lua).
local clients = require "spec.support.clients"
local hosts = require "spec.support.hosts"
local programs = require "spec.support.programs"

local peers = { names = { "boto3", "cli", "sdk", "curl" } }

local PROCESS = "build/bench/process"
local BOTH = { "one", "free" }
peers.CONCURRENCY = 32
peers.SWEEP = { 1, 2, 4, 8, 16, 32, 64 } -- concurrencies of the plot

local arn = "arn:aws:apprunner:us-east-1:123456789012:service/python-app/8fe1e10304f84fd2b0df550fe98a71fa"
peers.example = { id = "AKIDEXAMPLE", secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" }
local example = peers.example

-- The environment of every command: known credentials and no other settings; `more` variables.
function peers.environment(more)
  local variables = {
    AWS_ACCESS_KEY_ID = example.id, AWS_SECRET_ACCESS_KEY = example.secret, AWS_REGION = "us-east-1",
    AWS_DEFAULT_REGION = "us-east-1", NODE_NO_WARNINGS = "1",
  }
  for name, value in pairs(more or {}) do variables[name] = value or nil end
  return programs.environment(variables) .. " "
end

local environment = peers.environment

function peers.ca_of(server, scheme) return scheme == "tls" and server.ca or "-" end

local ca_of = peers.ca_of

-- The pauses of an SDK; `pauses(count, scheme, concurrency)` is the command for so many.
local function add_pauses(list, name, pauses)
  local n = list.bench.n
  list:exchange(BOTH, "pause plain " .. name, pauses(n.pauses, "plain"))
  list:exchange({ "free" }, "pause tls " .. name, pauses(n.pauses, "tls"))
  list:exchange({ "free" }, "concurrent " .. name, pauses(n.pauses, "plain", peers.CONCURRENCY))
  list:exchange({ "free" }, "slow " .. name, pauses(n.slow, "slow", peers.CONCURRENCY))
  list:sweep(name, function(concurrency) return pauses(n.sweep, "plain", concurrency) end)
end

function peers.boto3(list, bench, python)
  local server, n = bench.server, bench.n
  local env = environment { WARM_UP = tostring(bench.warm_up) }
  local peer = python .. " spec/bench/peer.py "
  local function pauses(count, scheme, concurrency)
    return ("%s%spause %d %s %s %s"):format(env, peer, count, server[scheme], ca_of(server, scheme), concurrency or "")
  end
  add_pauses(list, "boto3", pauses)
  local once = environment()
  list:process("once plain boto3", once, ("%spause 1 %s -"):format(peer, server.plain), n.peers)
  list:process("once tls boto3", once, ("%spause 1 %s %s"):format(peer, server.tls, server.bundle), n.peers)
  list:process("require boto3", once, python .. " -c 'import boto3'", n.peers)
  local folder = hosts.path ""
  for _, count in ipairs { 1, 10000 } do
    local files = environment { AWS_CONFIG_FILE = folder .. "profiles." .. count }
    list:add(("%d profiles boto3"):format(count), ("%s%sclient 1 p0"):format(files, peer), { rounds = bench.sweeps })
  end
end

function peers.cli(list, bench, aws)
  local text = ("%s apprunner pause-service --service-arn %s --endpoint-url "):format(aws, arn)
  list:process("once plain cli", environment(), text .. bench.server.plain, bench.n.peers)
  local trusts = " --ca-bundle " .. bench.server.bundle
  list:process("once tls cli", environment(), text .. bench.server.tls .. trusts, bench.n.peers)
  list:process("require cli", environment(), aws .. " --version", bench.n.peers)
end

function peers.sdk(list, bench, node)
  local server, n = bench.server, bench.n
  -- Its compiler needs more of them before it is as fast as it gets.
  local env = environment { WARM_UP = tostring(bench.warm_up * 5), NODE_EXTRA_CA_CERTS = server.ca }
  local peer = ("%s spec/bench/peer.mjs %s "):format(node, clients.folder)
  local function pauses(count, scheme, concurrency)
    return ("%s%s%d %s %s"):format(env, peer, count, server[scheme], concurrency or 1)
  end
  add_pauses(list, "sdk", pauses)
  local once = environment { NODE_EXTRA_CA_CERTS = server.ca }
  list:process("once plain sdk", once, ("%s1 %s"):format(peer, server.plain), n.peers)
  list:process("once tls sdk", once, ("%s1 %s"):format(peer, server.tls), n.peers)
  list:process("require sdk", once, ("%s -e 'require(\"./%s/node_modules/@aws-sdk/client-apprunner\")'"):format(
    node, clients.folder), n.peers)
end

-- curl's figures have the start of its process in them.
function peers.curl(list, bench, curl)
  local server, n, env = bench.server, bench.n, environment()
  local what = ("-s -o /dev/null --aws-sigv4 aws:amz:us-east-1:apprunner --user %s:%s -H %s -H %s -d %s"):format(
    example.id, example.secret, programs.quote "X-Amz-Target: AppRunner.PauseService",
    programs.quote "Content-Type: application/x-amz-json-1.0", programs.quote("{\"ServiceArn\":\"" .. arn .. "\"}"))
  local function pauses(count, scheme, more)
    return ("%s%s %d %s %s %s '%s/#[1-%d]' 2> /dev/null"):format(env, PROCESS, count, curl, what, more or "",
      server[scheme], count)
  end
  local ca = "--cacert "
  list:exchange(BOTH, "pause plain curl", pauses(n.pauses, "plain"))
  list:exchange({ "free" }, "pause tls curl", pauses(n.pauses, "tls", ca .. server.ca))
  local many = "-Z --parallel-max "
  list:exchange({ "free" }, "concurrent curl", pauses(n.pauses, "plain", many .. peers.CONCURRENCY))
  list:sweep("curl", function(concurrency)
    return pauses(n.pauses, "plain", concurrency > 1 and many .. concurrency or nil)
  end)
  list:add("once plain curl", pauses(1, "plain"), { times = n.processes })
  list:add("once tls curl", pauses(1, "tls", ca .. server.bundle), { times = n.processes })
end

return peers
