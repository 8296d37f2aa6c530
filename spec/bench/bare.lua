-- What the floor of a pause has in it, in one program: an exchange by libcurl, three digests, a decoded answer.
local bare = {}

-- The bare C module of this interpreter.
function bare.module()
  package.cpath = ("build/bench/%s/?.so;"):format(jit and "5.1" or "5.4") .. package.cpath
  return require "bare"
end

-- (url, ca, file of the request, lengths of the three texts that are digested) -> the function that does it once, and
-- the one that does it n times, so many at a time.
function bare.open(url, ca, request, body, canonical, string)
  local module, decode = bare.module(), require("cjson").new().decode
  module.open(url .. "/", request, ca, tonumber(body), tonumber(canonical), tonumber(string))
  return function() decode(module.exchange()) end, function(n, concurrency) module.many(n, concurrency, decode) end
end

return bare
