-- Runs busted inside Neovim or nginx, with the words of SPECS_ARGUMENTS as its arguments. Where a spec lets callbacks
-- and coroutines come to their end, by apprunner.run(), the host's own loop drives them there. Started by hosted.sh.

local ffi = require "ffi"

local PATIENCE = 30 -- seconds after which a test fails instead of waiting on

local host = {running = 0}

-- Neovim exports a socket_connect of its own, which LuaSocket would call instead of its own.
local function bind_luasocket()
  ffi.cdef "void *dlopen(const char *path, int flags);"
  local NOW, DEEPBIND = 2, 8
  ffi.C.dlopen(assert(package.searchpath("socket.core", package.cpath)), NOW + DEEPBIND)
end

if vim then
  bind_luasocket()
  host.loop = "luv"
  function host.wait(condition) vim.wait(PATIENCE * 1000, condition, 1) end
else
  host.loop = "nginx"
  function host.wait(condition)
    local deadline = ngx.now() + PATIENCE
    while not condition() and ngx.now() < deadline do ngx.sleep(0.001) end
  end
end

-- Has `count(1)` called when a coroutine starts in the loop, and `count(-1)` when it ends: one of nginx's may have been
-- woken and not have run yet.
local function watch_coroutines(loop, count)
  local start = loop.start
  local function ended(ok, ...)
    count(-1)
    if not ok then error((...), 0) end
    return ...
  end
  function loop.start(self, fn, ...)
    count(1)
    return start(self, function(...) return ended(pcall(fn, ...)) end, ...)
  end
end

local function drive()
  local pump, loop = require "apprunner.pump", require("apprunner.loop." .. host.loop)
  host.wait(function() return pump.idle(loop) and host.running == 0 end)
end

-- Each spec file has its own instance of the module.
local function prepare_module()
  local load = assert(loadfile(assert(package.searchpath("apprunner", package.path))))
  package.preload.apprunner = function(...)
    local apprunner = load(...)
    apprunner.run = drive
    if host.loop == "nginx" then
      host.running = 0
      watch_coroutines(require "apprunner.loop.nginx", function(more) host.running = host.running + more end)
    end
    return apprunner
  end
end

return function()
  local exit = os.exit
  function os.exit(status) -- luacheck: ignore 122
    io.stdout:flush()
    exit(status) -- and the host's Lua state is left as it is
  end
  local words = {[0] = "busted"}
  for word in os.getenv("SPECS_ARGUMENTS"):gmatch "%S+" do words[#words + 1] = word end
  rawset(_G, "arg", words)
  prepare_module()
  local ok, raised = xpcall(require "busted.runner", debug.traceback, {standalone = false})
  if not ok then io.stderr:write(tostring(raised), "\n") end
  os.exit(ok)
end
