-- The module runs on Lua 5.1 to 5.4 and LuaJIT: only what all of them have,
-- and what a host may add.
std = "min"
max_line_length = 120
cache = false
codes = true
read_globals = {
  "jit", "ngx", "unpack", "vim",
  table = { fields = { "move", "pack", "unpack" } },
  math = { fields = { "tointeger", "type" } },
  string = { fields = { "pack", "unpack" } },
  coroutine = { fields = { "close", "isyieldable" } },
}
exclude_files = { "build", "lua/apprunner/_meta.lua" }
files["spec"] = { std = "max+busted" }
files["spec/support"] = { std = "max+busted" }
files["spec/**/nginx*"] = { std = "ngx_lua+max" }
files["examples"] = { std = "max", globals = { "ngx", "vim" } }
files[".ci"] = { std = "max" }
