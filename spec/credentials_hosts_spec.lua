-- Credentials that take their time, in hosts with a loop of their own: the loop goes on meanwhile, whoever reaps
-- children there. What takes its time is let go on by the loop itself, after it has turned for a while: a loop that
-- stood still would never get there.

local cjson = require "cjson"
local http = require "socket.http"
local providers = dofile "spec/support/providers.lua"
local scripted = require "spec.support.scripted"

local hosts = providers.hosts

-- Waits for the file `go` before it prints.
local PROCESS = {
  config = "[default]\ncredential_process = sh @home@/program\n",
  files = {
    program = "touch ${0%/*}/started; until [ -e ${0%/*}/go ]; do sleep 0.01; done; cat ${0%/*}/printed",
    printed = providers.printed "ASIASLOW",
  },
}

-- Waits for a request for "/go".
local CONTAINER = {
  env = {AWS_CONTAINER_CREDENTIALS_FULL_URI = "@url@/container"},
  routes = {{"/container", {body = providers.document "ASIASLOW", after = {when = "service/go", count = 1}}}},
}

local function setup_of(one, settings)
  return {env = one.env, config = one.config, files = one.files, routes = one.routes, settings = settings}
end

describe("credentials that take their time #hosts", function()
  local server

  setup(function() server = scripted.start() end)

  teardown(function()
    server:stop()
    hosts.clear()
  end)

  local TICKS = 20

  -- Begins a call, and lets its credentials come after so many ticks that they were waited for.
  local SCRIPT = [[
    local function go()
      io.open(os.getenv "HOME" .. "/go", "w"):close()
      local settings = {loop = SETTINGS.loop}
      settings.credentials = {access_key_id = "AKIAOTHER", secret_access_key = "Secret/of/" .. "AKIAOTHER"}
      child.client(settings):pause_service({ServiceArn = child.arn "go"}, function() end)
    end
    local ticks = 0
    local beat = child.heartbeat(function()
      if not child.is_waiting() then return end
      ticks = ticks + 1
      if ticks == %d then go() end
    end)
    local client = child.client(SETTINGS)
    local function finish(out, err)
      beat.stop()
      child.tell {call = child.brief(out, err), ticks = ticks}
      if vim then child.quit() end
    end
    %s]]

  local STYLES = {
    ["a callback"] = "client:pause_service({ServiceArn = child.arn 'any'}, finish)",
    ["a coroutine"] = [[child.apprunner.spawn(function()
      finish(client:pause_service {ServiceArn = child.arn "any"})
    end)]],
  }

  local function assert_ticked(told, stage)
    assert.equal("OPERATION_IN_PROGRESS", told.call.status or told.call.message)
    assert.is_true(told.ticks >= TICKS)
    assert.equal("ASIASLOW", stage.scene:asked("service/any")[1].signer)
  end

  for what, one in pairs {["a credential process"] = PROCESS, ["a container"] = CONTAINER} do
    for style, text in pairs(STYLES) do
      it(("of %s let a luv loop go on, in %s"):format(what, style), function()
        local stage = providers.prepare(server, setup_of(one, '{loop = "luv"}'))
        -- A coroutine of plain luv: its own, which the loop resumes.
        local drive = style == "a coroutine" and text:gsub("child.apprunner.spawn(%b())", "coroutine.wrap%1()") or text
        assert_ticked(providers.start(stage, SCRIPT:format(TICKS, drive) .. "\nrequire('luv').run()"):finish(), stage)
      end)

      it(("of %s let Neovim go on, in %s"):format(what, style), function()
        local stage = providers.prepare(server, setup_of(one))
        local told, ended = providers.start(stage, SCRIPT:format(TICKS, text), hosts.start_nvim):finish()
        assert_ticked(told, stage)
        assert.same({0, ""}, {ended.status, ended.err})
      end)
    end
  end

  -- A program that ignores the ends of its children: the system reaps them.
  local function ignoring_children(program)
    local setup = setup_of(PROCESS)
    setup.files = {program = program, printed = PROCESS.files.printed}
    return providers.start(providers.prepare(server, setup), [[
      local client = child.client()
      local info, err = client:resolve()
      child.tell {id = info and info.access_key_id, message = err and err.message}]], function(text, options)
        options.before = "exec env --ignore-signal=CHLD"
        return hosts.start_lua(text, options)
      end):finish()
  end

  it("of a credential process are found where the host ignores its children", function()
    assert.equal("ASIASLOW", ignoring_children("cat ${0%/*}/printed").id)
  end)

  it("of a credential process that fails say what it said where the host ignores its children", function()
    assert.matches("no session", ignoring_children("echo no session >&2; exit 3").message)
  end)

  describe("in nginx", function()
    local FRONT = [[
      server {
        listen 127.0.0.1:@front@;
        location ~ ^/(?<what>\w+)$ { content_by_lua_block { require("nginx_credentials")[ngx.var.what]() } }
      }]]

    -- nginx in the surroundings of a setting up, and its stage.
    local function start(one)
      local stage, names = providers.prepare(server, one), {}
      for name in pairs(stage.env) do names[#names + 1] = ("env %s;"):format(name) end
      return hosts.nginx {
        ports = {"front"}, http = FRONT, main = table.concat(names, " "), env = stage.env,
      }, stage
    end

    local function children_of(nginx)
      local pid = nginx:workers()[1]
      return hosts.read(("/proc/%d/task/%d/children"):format(pid, pid))
    end

    -- Pauses; while that waits the worker answers others, after which `go` lets it go on.
    local function pause_and_beat(one, go)
      local nginx, stage = start(one)
      local waiting = hosts.request(nginx.port.front, "/pause?name=any")
      for _ = 1, TICKS do assert.equal("beat", hosts.get(nginx.port.front, "/beat").body) end
      go(stage)
      hosts.answers {waiting}
      return cjson.decode(waiting.body), nginx
    end

    it("of a credential process let the worker go on, which may reap it first", function()
      local told, nginx = pause_and_beat(PROCESS, function(stage) io.open(stage.home .. "/go", "w"):close() end)
      assert.equal("OPERATION_IN_PROGRESS", told.status or told.message)
      assert.equal("", children_of(nginx))
      assert.is_nil(nginx:log():find "%[error%]")
    end)

    it("of a credential process that fails say what it said", function()
      local setup = setup_of(PROCESS)
      setup.files = {program = "echo no session >&2; exit 3"}
      local told, nginx = pause_and_beat(setup, function() end)
      assert.same({"credentials", "CredentialRetrievalError"}, {told.kind, told.code})
      assert.matches("no session", told.message)
      assert.equal("", children_of(nginx))
    end)

    it("of a container let the worker go on", function()
      local told = pause_and_beat(CONTAINER, function(stage) http.request(stage.scene.url .. "/service/go") end)
      assert.equal("OPERATION_IN_PROGRESS", told.status or told.message)
    end)

    it("come for one light thread where another that waited is killed", function()
      local nginx, stage = start(CONTAINER)
      local told = cjson.decode(hosts.get(nginx.port.front, "/kill").body)
      assert.equal("OPERATION_IN_PROGRESS", told.status or told.message)
      assert.same({1, 0}, {#stage.scene:asked "/container", #stage.scene:asked "service/first"})
    end)
  end)
end)
