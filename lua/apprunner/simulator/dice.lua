-- Chance that repeats: `dice.new(seed)` makes a generator of its own, so that the same seed gives the same identifiers
-- on every Lua and the host's math.random is left alone. roll(n) gives an integer from 0 to n - 1.

local dice = {}

function dice.new(seed)
  local state = seed % 2147483646 + 1
  local function roll(sides)
    state = state * 16807 % 2147483647
    return math.floor(state / 2147483647 * sides)
  end
  for _ = 1, 8 do roll(2) end -- small seeds begin with small numbers
  return roll
end

-- Replaces each x of the template by a character of the alphabet.
function dice.fill(roll, template, alphabet)
  return (template:gsub("x", function()
    local at = roll(#alphabet) + 1
    return alphabet:sub(at, at)
  end))
end

function dice.hex(roll, length)
  return dice.fill(roll, ("x"):rep(length), "0123456789abcdef")
end

function dice.uuid(roll)
  local variant = dice.fill(roll, "x", "89ab")
  return dice.fill(roll, "xxxxxxxx-xxxx-4xxx-" .. variant .. "xxx-xxxxxxxxxxxx", "0123456789abcdef")
end

return dice
