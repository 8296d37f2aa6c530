-- What nginx.conf calls. Settings, from the environment:
--
--   PAUSE_TOKEN_FILE  a file with the token that a request must show, or
--   PAUSE_TOKEN       the token itself
--   PAUSE_TIMEOUT     seconds that one request to App Runner may take; 20
--   PAUSE_LIST        a file of ServiceArns, one a line, to be paused every night; without it none is
--   PAUSE_AT          when, in local time: HH:MM or HH:MM:SS; 22:00
--
-- Credentials are found where the AWS CLI finds them; the region is the ServiceArn's.
local apprunner = require "apprunner"
local cjson = require "cjson"
local semaphore = require "ngx.semaphore"

local pauser = {}

-- ---------------------------------------------------------------------------
-- Settings: what is wrong with them raises, in init_by_lua.

-- The environment's value; what is empty counts as unset.
local function setting(name)
  local value = os.getenv(name)
  return value ~= "" and value or nil
end

local function first_line(path)
  local file = assert(io.open(path))
  local line = file:read "*l"
  file:close()
  return line
end

local function read_token()
  local path = setting "PAUSE_TOKEN_FILE"
  local token = path and first_line(path) or setting "PAUSE_TOKEN"
  if not token or #token < 16 then
    error "PAUSE_TOKEN_FILE or PAUSE_TOKEN must give a token of at least 16 characters"
  end
  return token
end

local function read_time(text)
  local hour, minute, second = text:match "^(%d%d):(%d%d):?(%d?%d?)$"
  local at = { hour = tonumber(hour), min = tonumber(minute), sec = tonumber(second) or 0 }
  if not hour or at.hour > 23 or at.min > 59 or at.sec > 59 then error("PAUSE_AT is not HH:MM: " .. text) end
  return at
end

local function read_timeout(text)
  local seconds = tonumber(text)
  if not seconds or seconds <= 0 then error("PAUSE_TIMEOUT is not a number of seconds: " .. text) end
  return seconds
end

local function random_bytes(count)
  local file = assert(io.open("/dev/urandom", "rb"))
  local bytes = assert(file:read(count))
  file:close()
  return bytes
end

local token = read_token()
local at = read_time(setting "PAUSE_AT" or "22:00")
local list = setting "PAUSE_LIST"
local key = random_bytes(20)
local client = assert(apprunner.client { timeout = read_timeout(setting "PAUSE_TIMEOUT" or "20") })

-- ---------------------------------------------------------------------------
-- Answers

-- Ends the request.
local function answer(status, body)
  ngx.status = status
  ngx.header["Content-Type"] = "application/json"
  ngx.say(cjson.encode(body))
  return ngx.exit(ngx.HTTP_OK)
end

-- The status by the error's code, else by its kind, else 500: what is wrong with our settings or credentials.
local of_code = {
  InvalidRequestException = 400, AccessDeniedException = 403, ResourceNotFoundException = 404,
  InvalidStateException = 409, ThrottlingException = 429, TooManyRequestsException = 429,
}
local of_kind = { validation = 400, cancelled = 499, service = 502, transport = 502, response = 502, timeout = 504 }

-- `ambiguous`: the service may be pausing all the same.
local function refuse(err)
  local status = of_code[err.code] or of_kind[err.kind] or 500
  if status >= 500 then ngx.log(ngx.ERR, tostring(err)) end
  if status == 429 then ngx.header["Retry-After"] = 10 end
  return answer(status, {
    error = err.code, message = status == 500 and "see the error log" or err.message, request_id = err.request_id,
    ambiguous = err.ambiguous,
  })
end

-- ---------------------------------------------------------------------------
-- Requests

-- Digests under a key that nobody knows: how long it takes to compare them tells nothing of the token.
local function is_token(text) return ngx.hmac_sha1(key, text) == ngx.hmac_sha1(key, token) end

function pauser.authenticate()
  local given = (ngx.var.http_authorization or ""):match "^[Bb]earer +(%S+)$"
  if given and is_token(given) then return end
  ngx.header["WWW-Authenticate"] = "Bearer"
  answer(401, { error = "Unauthorized", message = "the header Authorization must be: Bearer, and the token" })
end

-- What a callback fills and a handler waits for. The callback holds no variable of the handler's: nginx may end a
-- handler at any time, and use its stack again.
local function promise()
  local result = { ready = semaphore.new() }
  return result, function(out, err)
    result.out, result.err = out, err
    result.ready:post()
  end
end

-- Pauses a service; gives up when the client goes away.
local function pause(arn)
  local result, resolve = promise()
  local call, err = client:pause_service({ ServiceArn = arn }, resolve)
  if not call then return nil, err end
  ngx.on_abort(function() call:cancel() end) -- the callback gets Cancelled, and the handler goes on
  repeat result.ready:wait(60) until result.out or result.err -- the call ends by its timeout, if not before
  return result.out, result.err
end

function pauser.pause()
  if ngx.req.get_method() ~= "POST" then
    ngx.header["Allow"] = "POST"
    return answer(405, { error = "MethodNotAllowed", message = "POST is expected" })
  end
  ngx.req.discard_body()
  local arn = ngx.req.get_uri_args().service
  if type(arn) ~= "string" or not arn:find "^arn:[%w-]+:apprunner:[%w-]+:%d+:service/[%w/_-]+$" then
    return answer(400, { error = "BadRequest", message = "the argument service must be one ServiceArn" })
  end
  local out, err = pause(arn)
  if not out then return refuse(err) end
  answer(202, { OperationId = out.OperationId, Status = out.Service.Status })
end

-- ---------------------------------------------------------------------------
-- Every night

-- The first time after `from` that the clock shows `at`.
local function next_time(from)
  local day = os.date("*t", from)
  local function of(offset)
    return os.time { year = day.year, month = day.month, day = day.day + offset,
      hour = at.hour, min = at.min, sec = at.sec }
  end
  return of(0) > from and of(0) or of(1)
end

-- Read anew every night. Empty lines and those that begin with # do not count.
local function read_list()
  local arns = {}
  for line in io.lines(list) do
    local arn = line:match "^%s*([^#%s]%S*)"
    if arn then arns[#arns + 1] = arn end
  end
  return arns
end

local function pause_all(arns)
  local outs, errs = apprunner.map(arns, function(arn) return client:ensure_paused { ServiceArn = arn } end)
  for _, arn in ipairs(arns) do
    if outs[arn] then
      ngx.log(ngx.NOTICE, "paused ", arn)
    else
      ngx.log(ngx.ERR, "not paused: ", arn, ": ", tostring(errs[arn]))
    end
  end
end

local wait_for_night

local function night(premature)
  if premature then return end -- the worker exits
  wait_for_night(ngx.time() + 60) -- what is done tonight, even if the timer came a little early
  pause_all(read_list())
end

function wait_for_night(from)
  ngx.update_time()
  local ok, err = ngx.timer.at(math.max(0, next_time(from) - ngx.now()), night)
  if not ok then ngx.log(ngx.ERR, "no timer for the night: ", err) end
end

-- In one worker, whichever is the first; after a crash or a reload that is another one.
function pauser.every_night()
  if list and ngx.worker.id() == 0 then wait_for_night(ngx.time()) end
end

return pauser
