-- What a caller gets when something fails between it and the service: the rows of faults_spec.lua, which plays each of
-- them, and of the table in the README, which .ci/faults.lua writes.
--
-- A row: `name` (the fault of fault_server.py), `level`, `what` happens, and the outcome: `kind`, `code`, `retryable`,
-- `ambiguous`, `attempts`, and `longest`, the seconds within which the call ends. A row without a `kind` is a success,
-- in which `check` looks at what the caller gets. `settings` are those of the client, which else has three attempts and
-- timeouts that are longer than the row. `warm`: a call succeeds before, so that there is a kept connection. `counts`
-- says what of a server makes an attempt: "requests", "connections", or false where nobody is there to count.
-- `either`: another code, where it and `ambiguous` depend on who is quicker.

local faults = {}

local QUICK = 5 -- seconds for what waits for nothing but two short pauses, on a machine that is busy
local SHORT = 0.3 -- seconds of a timeout that a row waits for

local function outcome(kind, code, retryable, ambiguous, attempts)
  return { kind = kind, code = code, retryable = retryable, ambiguous = ambiguous, attempts = attempts }
end

local REFUSED = outcome("transport", "EndpointConnectionError", true, false, 3)
local LOST = outcome("transport", "ConnectionClosedError", true, true, 3)
local NO_HTTP = outcome("transport", "HTTPClientError", true, true, 3)
local NO_TLS = outcome("transport", "SSLError", false, false, 1)
local NO_PROXY = outcome("transport", "ProxyConnectionError", true, false, 3)
local NO_CONNECTION = outcome("timeout", "ConnectTimeoutError", true, false, 3)
local SILENCE = outcome("timeout", "ReadTimeoutError", true, true, 3)
local TOO_LONG = outcome("timeout", "CallTimeoutError", false, true, 1)
local TOO_LARGE = outcome("response", "ResponseTooLargeError", false, true, 1)
local NO_JSON = outcome("response", "ResponseParserError", false, false, 1)
local SUCCESS = { attempts = 1 }

local function refused(code) return outcome("service", code, false, false, 1) end

local function tried_again(code) return outcome("service", code, true, false, 3) end

local READ = { settings = { read_timeout = SHORT } }
local CONNECT = { settings = { connect_timeout = SHORT } }
local WHOLE = { settings = { timeout = 1 } }
-- At most three waits, each of one second and of one more for Retry-After.
local THROTTLED = { longest = 10 }

local level

local function row(name, what, result, more)
  local made = { name = name, level = level, what = what, longest = QUICK }
  for key, value in pairs(result) do made[key] = value end
  for key, value in pairs(more or {}) do made[key] = value end
  if made.counts == nil then made.counts = level == "TCP" and "connections" or "requests" end
  faults[#faults + 1] = made
end

local function paused(out) return out.OperationId == "c580e2c5" and out.Service.Status == "OPERATION_IN_PROGRESS" end

-- What the answer lacks or has is in the row's words.
local function empty(out) return out.OperationId == nil and out.Service == nil end

level = "TCP"
row("refused", "nobody listens on the port", REFUSED, { counts = false })
row("reset_on_accept", "the connection is reset as soon as it stands", LOST, { either = REFUSED.code })
row("close_on_accept", "the connection is closed as soon as it stands", LOST)
row("silence_on_accept", "the connection stands, and nothing ever comes", SILENCE, READ)
row("close_after_request", "closed after the request", LOST)
row("reset_after_request", "reset after the request", LOST)
row("silence_after_request", "silence after the request", SILENCE, READ)
row("close_kept", "a kept connection is closed when it is used again; the next attempt succeeds",
  { attempts = 2, check = paused }, { warm = 1, counts = "requests" })
row("reset_kept", "a kept connection is reset when it is used again; the next attempt succeeds",
  { attempts = 2, check = paused }, { warm = 1, counts = "requests" })
row("lost_then_throttled", "the first answer is lost, and the time ends while a third attempt is waited for",
  outcome("timeout", "CallTimeoutError", false, true, 2), { settings = { timeout = 1 }, counts = "requests" })

level = "TLS"
local SHAKEN = { counts = "connections" }
row("tls_expired", "the certificate has expired", NO_TLS, SHAKEN)
row("tls_misnamed", "the certificate has another name", NO_TLS, SHAKEN)
row("tls_unknown", "the certificate is of an unknown authority", NO_TLS, SHAKEN)
row("tls_self_signed", "the certificate has signed itself", NO_TLS, SHAKEN)
row("tls_demands", "a certificate of the client is demanded", LOST, SHAKEN)
row("tls_plain", "plain HTTP on the port", NO_TLS, SHAKEN)
row("tls_garbage", "garbage instead of a handshake", NO_TLS, SHAKEN)
row("tls_alert", "the handshake is refused by an alert", NO_TLS, SHAKEN)
local CUT_TLS = outcome("transport", "SSLError", true, false, 3)
row("tls_reset", "reset during the handshake", CUT_TLS, SHAKEN)
row("tls_close", "closed during the handshake", CUT_TLS, SHAKEN)
row("tls_silence", "silence during the handshake", NO_CONNECTION,
  { settings = CONNECT.settings, counts = "connections" })
row("tls_silence_body", "silence within the body", SILENCE, READ)
row("tls_cut", "closed within the body, without a close_notify", LOST)
row("tls_cut_reset", "reset within the body", LOST)
row("tls_cut_no_length", "a whole object without a length, closed without a close_notify", SUCCESS, { check = paused })
row("tls_cut_no_length_half", "half an object without a length, closed without a close_notify", NO_JSON)

level = "HTTP"
row("half_status_line", "closed within the status line", LOST)
row("half_status_line_silence", "silence within the status line", SILENCE, READ)
row("status_line_garbage", "a status line of garbage", NO_HTTP)
row("status_no_number", "a status line without a status", NO_HTTP)
row("status_four_digits", "a status of four digits", NO_HTTP)
row("http_0_9", "a body without a head, as in HTTP/0.9", NO_HTTP)
row("http_1_0", "an answer of HTTP/1.0", SUCCESS, { check = paused })
row("http_2_preface", "the client's preface of HTTP/2", NO_HTTP)
row("http_2_frames", "frames of HTTP/2", NO_HTTP)
row("another_protocol", "the greeting of SSH", NO_HTTP)
row("answer_at_once", "the answer is there before the request", SUCCESS, { check = paused })
row("answer_twice", "two answers to one request", SUCCESS, { check = paused })
row("switching_protocols", "101 Switching Protocols, then silence", SILENCE, READ)
row("continue_flood", "200 times 100 Continue, then the answer", SUCCESS, { check = paused })
row("continue_endless", "100 Continue without end", TOO_LARGE)
row("early_hints_endless", "103 Early Hints without end", TOO_LARGE)
row("early_hints_slow", "103 Early Hints, one after another in time, without end", TOO_LONG, WHOLE)
row("headers_many", "5,000 headers", TOO_LARGE)
row("headers_endless", "headers without end", TOO_LARGE)
row("headers_slow", "headers without end, each in time", TOO_LONG, WHOLE)
row("header_huge", "a header of 1 MB", TOO_LARGE)
row("header_endless", "a header without end", TOO_LARGE)
row("header_slow", "a header of one byte after another", SILENCE, READ)
row("header_folded", "a folded header", SUCCESS, { check = paused })
row("header_nul", "a NUL in a header", NO_HTTP)
row("header_without_colon", "a header without a colon", NO_HTTP)
row("header_line_feeds", "lines that end with a bare line feed", SUCCESS, { check = paused })
row("head_cut", "closed within the head", LOST)
row("head_cut_reset", "reset within the head", LOST)
row("no_length", "a body without a length, up to the close", SUCCESS, { check = paused })
row("no_length_half", "half a body without a length, up to the close", NO_JSON)
row("no_length_reset", "a body without a length, reset", LOST)
row("body_missing", "closed before the body", LOST)
row("body_short", "closed within the body", LOST)
row("body_short_reset", "reset within the body", LOST)
row("body_short_silence", "silence within the body", SILENCE, READ)
row("body_longer", "more bytes than the length says", SUCCESS, { check = paused })
row("body_slow", "a body of one byte after another", TOO_LONG, WHOLE)
row("body_huge", "a length of 1 GB, then silence", SILENCE, READ)
row("body_gigabyte", "a body of 1 GB", TOO_LARGE)
row("body_endless", "a body without end", TOO_LARGE)
row("two_lengths_alike", "the same length twice", SUCCESS, { check = paused })
row("two_lengths", "two lengths, the last one true", SUCCESS, { check = empty })
row("length_list", "a list of lengths, the first one true", SUCCESS, { check = empty })
row("length_negative", "a negative length", NO_HTTP)
row("length_no_number", "a length that is no number", NO_HTTP)
row("length_overflow", "a length beyond 64 bits: the body goes up to the close", SUCCESS, { check = paused })
row("length_and_chunks", "a wrong length beside chunks: the chunks count", SUCCESS, { check = paused })
row("transfer_unknown", "an unknown Transfer-Encoding", NO_HTTP)
row("chunks", "a body in chunks", SUCCESS, { check = paused })
row("chunks_garbage", "a chunk whose size is no number", LOST)
row("chunks_cut", "closed between two chunks", LOST)
row("chunk_cut", "closed within a chunk", LOST)
row("chunks_silence", "silence between two chunks", SILENCE, READ)
row("chunks_endless", "chunks without end", TOO_LARGE)
row("chunk_oversized", "a chunk whose size is beyond 64 bits", LOST)
row("chunk_negative", "a chunk of a negative size", LOST)
row("chunk_extension_endless", "an extension of a chunk without end", SILENCE, READ)
row("trailers", "trailers behind the chunks", SUCCESS, { check = paused })
row("trailers_endless", "trailers without end", TOO_LARGE)
row("gzip", "a body in gzip, which was not asked for", NO_JSON)
row("gzip_announced", "a plain body said to be in gzip", SUCCESS, { check = paused })

level = "status"
row("status_204", "204", NO_JSON)
row("status_300", "300", refused "300")
for _, status in ipairs { "301", "302", "303", "307", "308" } do
  row("redirect_" .. status, status .. " elsewhere, which is not followed", refused(status))
end
row("status_304", "304", refused "304")
for _, status in ipairs { "400", "401", "403", "404", "405", "407", "408", "411", "413", "431", "501", "505", "599" } do
  row("status_" .. status, status .. " with a page", refused(status))
end
for _, status in ipairs { "500", "502", "503", "504" } do
  row("status_" .. status, status .. " with a page, as of a load balancer", tried_again(status))
end
row("status_503_retry_after", "503 with Retry-After: 1", tried_again "503", THROTTLED)
row("status_429", "429 with a page", tried_again "429", THROTTLED)
row("status_429_empty", "429 without a code", tried_again "429", THROTTLED)
row("error_empty", "500 with nothing in it", tried_again "500")
row("error_truncated", "400 with half an object", refused "400")

level = "service"
for _, code in ipairs {
  "InvalidRequestException", "InvalidStateException", "ResourceNotFoundException", "ServiceQuotaExceededException",
  "AccessDeniedException", "ExpiredTokenException", "UnheardOfException",
} do
  row(code, code, refused(code))
end
row("InternalServiceErrorException", "InternalServiceErrorException", tried_again "InternalServiceErrorException")
row("RequestTimeout", "RequestTimeout", tried_again "RequestTimeout")
row("ThrottlingException", "ThrottlingException", tried_again "ThrottlingException", THROTTLED)
row("code_in_header", "the code in the header, with a namespace and a URI", refused "FooError")
row("code_in_code", "the code in `code`, with a namespace and a URI", refused "FooError")
row("code_in_type", "the code in `__type`", refused "FooError")
row("code_in_html", "the code in the header of a page", refused "FooError")
row("code_no_text", "a code that is no text", refused "400")

level = "JSON"
for _, case in ipairs {
  { "html", "a page" }, { "empty", "nothing" }, { "space", "blanks" }, { "null", "null" }, { "array", "a list" },
  { "string", "a text" }, { "number", "a number" }, { "true", "true" }, { "truncated", "half an object" },
  { "twice", "two objects" }, { "trailing", "an object with something behind it" }, { "comma", "a comma too many" },
  { "single_quotes", "single quotes" }, { "comment", "a comment" }, { "deep", "100,000 lists in each other" },
  { "wide", "a list of 500,000 numbers" }, { "nan", "NaN" }, { "infinity", "Infinity" },
  { "hexadecimal", "a hexadecimal number" }, { "bom", "a byte order mark" }, { "utf_16", "UTF-16" },
  { "surrogate", "half a surrogate pair" },
} do
  row("json_" .. case[1], "200 with " .. case[2], NO_JSON)
end
for _, case in ipairs {
  { "nul", "an object with a NUL behind it" }, { "control", "a control character in a text" },
  { "utf_8_invalid", "a text that is no UTF-8" }, { "huge_number", "the number 1e999" },
  { "long_number", "a number of 5,000 digits" },
} do
  row("json_" .. case[1], "200 with " .. case[2], NO_JSON)
end
for _, case in ipairs { { "service", "a text" }, { "list", "a list" } } do
  row("json_types_" .. case[1], ("200 with %s where a structure belongs"):format(case[2]), NO_JSON)
end
row("json_types_members", "200 with numbers and texts in each other's place, which are passed on", SUCCESS,
  { check = function(out) return out.OperationId == 5 and out.Service.CreatedAt == "noon" end })
row("json_duplicates", "200 with a member twice, the last of which counts", SUCCESS,
  { check = function(out) return out.OperationId == "last" end })
row("json_object", "200 with an empty object", SUCCESS, { check = empty })
row("json_nulls", "200 with null for each member", SUCCESS,
  { check = function(out) return out.OperationId == nil and next(out.Service) == nil end })
row("json_unknown", "200 with a member that is newer than the model", SUCCESS,
  { check = function(out) return out.Novelty.A[1] == 1 end })

level = "proxy"
row("proxy_refused", "nobody listens where the proxy should be", NO_PROXY, { counts = false })
for _, case in ipairs {
  { "407", "CONNECT is answered with 407" }, { "403", "CONNECT is answered with 403" },
  { "502", "CONNECT is answered with 502" }, { "garbage", "CONNECT is answered with garbage" },
  { "close", "closed after CONNECT" }, { "reset", "reset after CONNECT" },
} do
  row("proxy_" .. case[1], case[2], NO_PROXY, SHAKEN)
end
row("proxy_silence", "silence after CONNECT", NO_CONNECTION, { settings = CONNECT.settings, counts = "connections" })
row("proxy_headers_endless", "CONNECT is answered by headers without end", NO_CONNECTION,
  { settings = CONNECT.settings, counts = "connections" })
row("proxy_cut_handshake", "the tunnel is cut within the handshake", CUT_TLS, SHAKEN)
row("proxy_cut", "the tunnel is cut within the answer", LOST, SHAKEN)
row("forward_407", "407 to a request without a tunnel", refused "407")
row("forward_502", "502 to a request without a tunnel", tried_again "502")
row("forward_cut", "the proxy cuts an answer in half, without a tunnel", LOST)

-- The README's table --------------------------------------------------------------------------------------------------

local function yes(value) return value and "yes" or "" end

local function line_of(fault)
  local what = fault.what
  for setting, value in pairs(fault.settings or {}) do what = ("%s; `%s = %s`"):format(what, setting, value) end
  local result = fault.kind and ("%s: `%s`"):format(fault.kind, fault.code) or "success"
  local ambiguous = yes(fault.ambiguous)
  if fault.either then
    result, ambiguous = ("%s or `%s`"):format(result, fault.either), "perhaps"
  end
  return ("| %s | %s | %s | %s | %s | %d | %d s |"):format(
    fault.level, what, result, yes(fault.retryable), ambiguous, fault.attempts, fault.longest)
end

-- The table in Markdown.
function faults.markdown()
  local lines = {
    "| level | what happens | the caller gets | retryable | ambiguous | attempts | ends within |",
    "|---|---|---|---|---|---|---|",
  }
  for _, fault in ipairs(faults) do lines[#lines + 1] = line_of(fault) end
  return table.concat(lines, "\n")
end

local MARKED = "(<!%-%- faults %-%->\n).-(<!%-%- /faults %-%->)"

-- A text with the table between its two markers; nil where it has none.
function faults.fill(text)
  local filled, n = text:gsub(MARKED, function(first, last) return first .. faults.markdown() .. "\n" .. last end)
  return n > 0 and filled or nil
end

return faults
