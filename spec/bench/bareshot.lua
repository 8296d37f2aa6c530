-- usage: bareshot.lua ARGUMENTS of bare.lua: the floor's parts of one pause in one program, and nothing else.
require "spec.bench.bare".open((table.unpack or unpack)(arg))()
