-- What the floor of a pause has in it, in one program: an exchange by libcurl, three digests, a decoded answer.
-- (url, ca, file of the request, lengths of the three texts that are digested) -> the function that does it once, and
-- the one that does it n times, so many at a time.
return function(url, ca, request, body, canonical, string)
  package.cpath = ("build/bench/%s/?.so;"):format(jit and "5.1" or "5.4") .. package.cpath
  local bare, decode = require "bare", require("cjson").new().decode
  bare.open(url .. "/", request, ca, tonumber(body), tonumber(canonical), tonumber(string))
  return function() decode(bare.exchange()) end, function(n, concurrency) bare.many(n, concurrency, decode) end
end
