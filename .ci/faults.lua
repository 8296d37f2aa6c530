-- Writes the table of failures between its two markers in README.md. Usage:
-- lua5.4 .ci/faults.lua
local faults = dofile "spec/support/faults.lua"

local file = assert(io.open("README.md", "rb"))
local text = file:read "a"
file:close()
local filled = assert(faults.fill(text), "README.md has no <!-- faults --> and <!-- /faults -->")
file = assert(io.open("README.md", "wb"))
assert(file:write(filled))
assert(file:close())
