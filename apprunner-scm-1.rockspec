rockspec_format = "3.0"
package = "apprunner"
version = "scm-1"
source = {
  url = "git+https://github.com/apprunner-lua/apprunner.git",
}
description = {
  summary = "AWS App Runner client: pauses services from Lua scripts, Neovim and OpenResty",
  detailed = [[
Pauses and resumes AWS App Runner services, and does whatever that needs:
credentials, signing, retries, waiting for the operation to end. Blocking,
with callbacks or in coroutines, without freezing the host.]],
  license = "MIT",
  homepage = "https://github.com/apprunner-lua/apprunner",
  labels = { "aws", "network" },
}
supported_platforms = { "unix" }
dependencies = {
  "lua >= 5.1, < 5.5",
  "lua-cjson >= 2.1",
}
-- Only the libraries: headers in a multiarch folder are found by the compiler,
-- and not by every LuaRocks.
external_dependencies = {
  CURL = { library = "curl" },
  CRYPTO = { library = "crypto" },
}
build = {
  type = "builtin",
  modules = {
    ["apprunner._meta"] = "lua/apprunner/_meta.lua",
    ["apprunner.dump"] = "lua/apprunner/dump.lua",
    apprunner = "lua/apprunner/init.lua",
    ["apprunner.loop.blocking"] = "lua/apprunner/loop/blocking.lua",
    ["apprunner.loop.luv"] = "lua/apprunner/loop/luv.lua",
    ["apprunner.loop.nginx"] = "lua/apprunner/loop/nginx.lua",
    ["apprunner.pump"] = "lua/apprunner/pump.lua",
    ["apprunner.simulator"] = "lua/apprunner/simulator.lua",
    ["apprunner.simulator.api"] = "lua/apprunner/simulator/api.lua",
    ["apprunner.simulator.dice"] = "lua/apprunner/simulator/dice.lua",
    ["apprunner.simulator.errors"] = "lua/apprunner/simulator/errors.lua",
    ["apprunner.simulator.faults"] = "lua/apprunner/simulator/faults.lua",
    ["apprunner.simulator.http"] = "lua/apprunner/simulator/http.lua",
    ["apprunner.simulator.json"] = "lua/apprunner/simulator/json.lua",
    ["apprunner.simulator.options"] = "lua/apprunner/simulator/options.lua",
    ["apprunner.simulator.pages"] = "lua/apprunner/simulator/pages.lua",
    ["apprunner.simulator.process"] = "lua/apprunner/simulator/process.lua",
    ["apprunner.simulator.services"] = "lua/apprunner/simulator/services.lua",
    ["apprunner.simulator.signature"] = "lua/apprunner/simulator/signature.lua",
    ["apprunner.transport"] = "lua/apprunner/transport.lua",
    ["apprunner.core"] = {
      sources = {
        "src/core/buf.c",
        "src/core/call.c",
        "src/core/chain.c",
        "src/core/client.c",
        "src/core/cred.c",
        "src/core/cred_argument.c",
        "src/core/cred_environment.c",
        "src/core/date.c",
        "src/core/digest.c",
        "src/core/endpoint.c",
        "src/core/fail.c",
        "src/core/head.c",
        "src/core/job.c",
        "src/core/json.c",
        "src/core/json_flat.c",
        "src/core/model.c",
        "src/core/providers.c",
        "src/core/retry.c",
        "src/core/settings.c",
        "src/core/sigv4.c",
        "src/core/str.c",
        "src/core/uri.c",
        "src/binding/lua_client.c",
        "src/binding/lua_core.c",
        "src/binding/lua_error.c",
        "src/binding/lua_exchange.c",
        "src/binding/lua_job.c",
        "src/binding/lua_params.c",
        "src/binding/lua_sign.c",
        "src/binding/lua_value.c",
      },
      libraries = { "crypto" },
    },
    ["apprunner.curl"] = {
      sources = {
        "src/curl/birthmark.c",
        "src/curl/engine.c",
        "src/curl/library.c",
        "src/curl/outcome.c",
        "src/curl/poller_epoll.c",
        "src/curl/poller_kqueue.c",
        "src/curl/timers.c",
        "src/curl/transfer.c",
        "src/binding/lua_engine.c",
        "src/core/fail.c",
        "src/core/str.c",
        "src/core/buf.c",
      },
      libraries = { "curl", "crypto" },
    },
  },
}
test = {
  type = "command",
  command = "busted",
}
