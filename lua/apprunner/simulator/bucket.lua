-- Throttling: a bucket that `rate` tokens a second fill, up to `burst`; each request takes one. No clock of its own.

local bucket = {}

-- limits: {rate=, burst=}. The bucket is full at first.
function bucket.new(limits, now)
  return {rate = limits.rate, burst = limits.burst, tokens = limits.burst, filled_at = now}
end

-- Whether there is a token for a request; if so, takes it.
function bucket.take(state, now)
  local since = math.max(0, now - state.filled_at)
  state.tokens, state.filled_at = math.min(state.burst, state.tokens + since * state.rate), now
  if state.tokens < 1 then return false end
  state.tokens = state.tokens - 1
  return true
end

return bucket
