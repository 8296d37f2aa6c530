-- The errors that the simulator knows, one a row, and `errors.fault`, which makes one: {code=, message=}, with a status
-- if not its row's.
-- Statuses are those that services of the AWS JSON protocols send, which is 400 where REST services send 403. Seen on
-- the wire: InvalidSignatureException (aws/aws-sdk-ruby#431, EMR; remind101/logspout-kinesis#21, Kinesis) and
-- UnrecognizedClientException (ArranJacques/laravel-aws-cognito-auth#25, Cognito). So is the namespace of __type
-- (aws/aws-sdk-php#2469, DynamoDB).

local errors = {}

local SERVICE, COMMON = "com.amazonaws.apprunner#", "com.amazon.coral.service#"

local function own(status)
  return {status = status, namespace = SERVICE, member = "Message"}
end

local function common(status)
  return {status = status, namespace = COMMON, member = "message"}
end

-- code → HTTP status, namespace in __type, member that carries the text. The first five are the service's own, the
-- others what any AWS JSON service answers before the operation is reached.
errors.rows = {
  InternalServiceErrorException = own(500),
  InvalidRequestException = own(400),
  InvalidStateException = own(400),
  ResourceNotFoundException = own(400),
  ServiceQuotaExceededException = own(402),
  AccessDeniedException = common(400),
  ExpiredTokenException = common(400),
  IncompleteSignatureException = common(400),
  InternalFailure = common(500),
  InvalidSignatureException = common(400),
  MissingAuthenticationTokenException = common(400),
  OptInRequired = common(403),
  RequestExpired = common(400),
  SerializationException = common(400),
  ServiceUnavailableException = common(503),
  ThrottlingException = common(400),
  UnknownOperationException = common(400),
  UnrecognizedClientException = common(400),
  ValidationException = common(400),
}

function errors.fault(code, message, ...)
  return {code = code, message = select("#", ...) > 0 and message:format(...) or message}
end

-- A request's own bytes, fit to be quoted in a message.
function errors.quotable(text)
  return (text:sub(1, 200):gsub("[^\32-\126]", "?"))
end

-- → the status and the body, a table, of the answer that a fault is.
function errors.render(fault)
  local row = errors.rows[fault.code]
  return fault.status or row.status, {["__type"] = row.namespace .. fault.code, [row.member] = fault.message}
end

return errors
