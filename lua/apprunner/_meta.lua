---@meta apprunner
-- The public API in LuaLS annotations, and its one reference. Never required.

---@class apprunner
---@field _VERSION string "apprunner" and the version
local apprunner = {}

---@class apprunner.Credentials
---@field access_key_id string
---@field secret_access_key string
---@field session_token? string
---@field account_id? string
---@field expiration? number epoch seconds; a function is called again in time

---Gives credentials, or nil and a message. It may yield where a loop drives the
---call. Raising, or returning nil, ends the call with code
---"CredentialRetrievalError".
---@alias apprunner.CredentialsFunction fun(): apprunner.Credentials?, string?

---What is not given is sought in the environment, then in the profile's keys of
---the shared files (~/.aws/config, ~/.aws/credentials).
---@class apprunner.Settings
---@field region? string else the region in the call's ServiceArn, AWS_REGION, AWS_DEFAULT_REGION, `region`
---@field profile? string else AWS_PROFILE, AWS_DEFAULT_PROFILE, "default"
---@field credentials? apprunner.Credentials|apprunner.CredentialsFunction else the provider chain
---@field endpoint_url? string http or https; else AWS_ENDPOINT_URL_APPRUNNER, AWS_ENDPOINT_URL, `services`, `endpoint_url`
---@field use_fips_endpoint? boolean else AWS_USE_FIPS_ENDPOINT, `use_fips_endpoint`; false
---@field use_dualstack_endpoint? boolean else AWS_USE_DUALSTACK_ENDPOINT, `use_dualstack_endpoint`; false
---@field connect_timeout? number seconds until a request can be sent (DNS, TCP, TLS), per attempt; else by `defaults_mode`; 60
---@field read_timeout? number longest silence from then on, in seconds; 60
---@field timeout? number seconds for the whole call, credentials and waits included; none
---@field retry_mode? "standard"|"adaptive" else AWS_RETRY_MODE, `retry_mode`; "standard"
---@field max_attempts? integer 1: no retries; else AWS_MAX_ATTEMPTS, `max_attempts`; 3
---@field proxy? string http or https URL, for every host; else HTTPS_PROXY and HTTP_PROXY, but for hosts in NO_PROXY
---@field ca_bundle? string PEM file or hashed directory; else AWS_CA_BUNDLE, `ca_bundle`, the system's store. Not with resty.http
---@field verify? boolean check the server's certificate and name; true
---@field max_response_bytes? integer a larger answer is an error; 8 MiB
---@field app_id? string for the User-Agent; else AWS_SDK_UA_APP_ID, `sdk_ua_app_id`
---@field user_agent_extra? string added to the User-Agent
---@field logger? fun(level: "debug"|"warn", message: string, fields?: table) told of every call's end; never a secret
---@field transport? apprunner.Transport performs the HTTP exchanges instead of libcurl, or of resty.http in OpenResty
---@field loop? "auto"|"blocking"|"luv"|"nginx" how calls wait; "auto" decides at each call

---Performs one HTTP exchange. It may yield where a loop drives the call
---(apprunner.spawn, luv, OpenResty). Raising, or returning nil and a message,
---ends the call with code "HTTPClientError".
---@alias apprunner.Transport fun(request: apprunner.TransportRequest): apprunner.TransportResponse?, string?

---@class apprunner.TransportRequest
---@field method string
---@field url string
---@field headers {[1]: string, [2]: string}[] Host and Authorization among them
---@field body string
---@field connect_timeout number seconds
---@field read_timeout number seconds
---@field verify boolean
---@field ca_bundle? string
---@field proxy? string an http or https URL with a port; user and password in it are percent-encoded

---@class apprunner.TransportResponse
---@field status integer
---@field headers? {[1]: string, [2]: string}[]|table<string, string>
---@field body? string

---@alias apprunner.Kind
---| "service" # the service answered with an error; `code` is its own
---| "validation" # the parameters are wrong; nothing was sent
---| "settings" # a setting is wrong or missing, or nginx cannot wait here
---| "credentials" # there are none, or they could not be had
---| "transport" # no answer came
---| "timeout" # no answer came in time
---| "response" # an answer came that cannot be understood
---| "cancelled"

---What a call returns after nil. `tostring` gives a line for a person.
---@class apprunner.Error
---@field kind apprunner.Kind
---@field code string the service's own, or botocore's name, such as "ReadTimeoutError"
---@field message string
---@field operation? string the API's name of it, such as "PauseService"
---@field http_status? integer
---@field request_id? string
---@field attempts? integer how many requests were begun
---@field retryable boolean whether the same call may succeed later
---@field ambiguous? boolean the request may have been carried out although no answer came
---@field http_body? string the first 4 KiB of an answer that cannot be understood
---@field problems? string[] every problem of the parameters and the options
---@field Status? string the service's, as it was seen last; of ensure_paused, ensure_running
---@field OperationId? string of the operation that was seen last; of those and wait_for_operation
---@field OperationStatus? string its status then

---@class apprunner.ResponseMetadata
---@field RequestId? string
---@field HTTPStatusCode integer
---@field HTTPHeaders table<string, string> by lower-case name; repeats are joined by ", "
---@field RetryAttempts integer

---The description of a service, with the API's own member names. Timestamps
---are epoch seconds, an integer where whole. Absent members are nil.
---@class apprunner.Service
---@field ServiceName string
---@field ServiceId string
---@field ServiceArn string
---@field ServiceUrl? string
---@field CreatedAt number
---@field UpdatedAt number
---@field DeletedAt? number
---@field Status "CREATE_FAILED"|"RUNNING"|"DELETED"|"DELETE_FAILED"|"PAUSED"|"OPERATION_IN_PROGRESS"|string
---@field SourceConfiguration table
---@field InstanceConfiguration table
---@field EncryptionConfiguration? table
---@field HealthCheckConfiguration? table
---@field AutoScalingConfigurationSummary table
---@field NetworkConfiguration table
---@field ObservabilityConfiguration? table

---@class apprunner.ServiceParams
---@field ServiceArn string 1 to 1011 characters

---@class apprunner.OperationOutput
---@field Service apprunner.Service
---@field OperationId? string
---@field ResponseMetadata apprunner.ResponseMetadata

---@class apprunner.DescribeServiceOutput
---@field Service apprunner.Service
---@field ResponseMetadata apprunner.ResponseMetadata

---@class apprunner.ServiceSummary
---@field ServiceName? string
---@field ServiceId? string
---@field ServiceArn? string
---@field ServiceUrl? string
---@field CreatedAt? number
---@field UpdatedAt? number
---@field Status? string

---@class apprunner.ListServicesParams
---@field NextToken? string of the page before
---@field MaxResults? integer 1 to 20; without it the service gives all in one page

---@class apprunner.ListServicesOutput
---@field ServiceSummaryList apprunner.ServiceSummary[] may be empty although there are more pages
---@field NextToken? string absent or empty on the last page
---@field ResponseMetadata apprunner.ResponseMetadata

---@class apprunner.OperationSummary
---@field Id? string
---@field Type? string "PAUSE_SERVICE" and the like
---@field Status? string "IN_PROGRESS" and the like
---@field TargetArn? string
---@field StartedAt? number
---@field EndedAt? number
---@field UpdatedAt? number

---@class apprunner.ListOperationsParams: apprunner.ListServicesParams
---@field ServiceArn string

---@class apprunner.ListOperationsOutput
---@field OperationSummaryList? apprunner.OperationSummary[] newest first
---@field NextToken? string
---@field ResponseMetadata apprunner.ResponseMetadata

---@class apprunner.TagsParams
---@field ResourceArn string

---@class apprunner.TagsOutput
---@field Tags? {Key: string, Value: string}[]
---@field ResponseMetadata apprunner.ResponseMetadata

---A call that was given a callback.
---@class apprunner.Call
local Call = {}

---Ends the call. The callback gets an error with code "Cancelled", from the
---loop and never from inside this function.
---@return boolean cancelled false when the call was finished already
function Call:cancel() end

---@class apprunner.Client
local Client = {}

---Pauses a service. The API answers at once with a description whose Status
---is OPERATION_IN_PROGRESS; `describe_service` tells when it is PAUSED.
---
---Plain, it waits: in a coroutine that a loop drives (apprunner.spawn, a
---coroutine under luv, an OpenResty handler) it yields, elsewhere it blocks.
---With a callback it returns at once, and the loop calls back exactly once; in
---OpenResty from a timer's context, without a request.
---@param params apprunner.ServiceParams
---@return apprunner.OperationOutput? output
---@return apprunner.Error? err
---@overload fun(self, params: apprunner.ServiceParams, callback: fun(out?: apprunner.OperationOutput, err?: apprunner.Error)): apprunner.Call?, apprunner.Error?
function Client:pause_service(params) end

---Resumes a paused service; see `pause_service`.
---@param params apprunner.ServiceParams
---@return apprunner.OperationOutput? output
---@return apprunner.Error? err
---@overload fun(self, params: apprunner.ServiceParams, callback: fun(out?: apprunner.OperationOutput, err?: apprunner.Error)): apprunner.Call?, apprunner.Error?
function Client:resume_service(params) end

---Describes a service; see `pause_service`.
---@param params apprunner.ServiceParams
---@return apprunner.DescribeServiceOutput? output
---@return apprunner.Error? err
---@overload fun(self, params: apprunner.ServiceParams, callback: fun(out?: apprunner.DescribeServiceOutput, err?: apprunner.Error)): apprunner.Call?, apprunner.Error?
function Client:describe_service(params) end

---One page of the services of a region; see `pause_service`.
---@param params? apprunner.ListServicesParams
---@return apprunner.ListServicesOutput? output
---@return apprunner.Error? err
---@overload fun(self, params: apprunner.ListServicesParams, callback: fun(out?: apprunner.ListServicesOutput, err?: apprunner.Error)): apprunner.Call?, apprunner.Error?
function Client:list_services(params) end

---One page of what was done to a service; see `pause_service`.
---@param params apprunner.ListOperationsParams
---@return apprunner.ListOperationsOutput? output
---@return apprunner.Error? err
---@overload fun(self, params: apprunner.ListOperationsParams, callback: fun(out?: apprunner.ListOperationsOutput, err?: apprunner.Error)): apprunner.Call?, apprunner.Error?
function Client:list_operations(params) end

---The tags of a service; see `pause_service`.
---@param params apprunner.TagsParams
---@return apprunner.TagsOutput? output
---@return apprunner.Error? err
---@overload fun(self, params: apprunner.TagsParams, callback: fun(out?: apprunner.TagsOutput, err?: apprunner.Error)): apprunner.Call?, apprunner.Error?
function Client:list_tags_for_resource(params) end

---All services of a region, over all pages: `for service in
---client:each_service() do`. The next page is asked for when it is wanted. A page
---that fails, or whose NextToken came before, raises the error object. PUC Lua
---5.1 cannot wait in an iterator inside a coroutine: code "NotYieldableError".
---@param params? apprunner.ListServicesParams
---@return fun(): apprunner.ServiceSummary?
function Client:each_service(params) end

---All that was done to a service, newest first; see `each_service`.
---@param params apprunner.ListOperationsParams
---@return fun(): apprunner.OperationSummary?
function Client:each_operation(params) end

---What `on_progress` is told after each answer. What is not known is absent.
---@class apprunner.Progress
---@field Status? string of the service
---@field OperationStatus? string of the operation that is waited for, whoever began it, as it was last listed; absent before
---@field OperationId? string without an OperationStatus: of the operation that a request of this call has just begun, or that `wait_for_operation` was given
---@field changed? boolean true from the answer on that tells that a request of this call was carried out
---@field elapsed number seconds

---@class apprunner.WaitOptions
---@field timeout? number seconds for all of it, 900; the client's `timeout` bounds each call inside
---@field interval? number seconds between looks; else 2, then 5 to 15 by chance
---@field on_progress? fun(event: apprunner.Progress)

---The third value, also after an error that came once calls had begun.
---@class apprunner.WaitInfo
---@field changed? boolean a request of this call was carried out; absent for wait_for_operation
---@field OperationId? string of the operation that it began or joined
---@field elapsed number seconds

---Pauses a service and returns when it is PAUSED, whatever state it is found in.
---Already paused is success; a pause that runs is joined; other operations and
---maintenance are waited for; a pause whose answer was lost is recognised. Ends
---with "OperationFailedError" where the pause fails or is rolled back, or no
---pause is possible (DELETED, CREATE_FAILED), and with "WaiterTimeoutError",
---which keeps what was seen last. It waits as a call does.
---@param params apprunner.ServiceParams
---@param options? apprunner.WaitOptions
---@return apprunner.Service? service
---@return apprunner.Error? err
---@return apprunner.WaitInfo? info
function Client:ensure_paused(params, options) end

---Resumes a service and returns when it is RUNNING; see `ensure_paused`.
---@param params apprunner.ServiceParams
---@param options? apprunner.WaitOptions
---@return apprunner.Service? service
---@return apprunner.Error? err
---@return apprunner.WaitInfo? info
function Client:ensure_running(params, options) end

---@class apprunner.WaitParams
---@field ServiceArn string
---@field OperationId string

---Waits until an operation has SUCCEEDED. One that is not listed yet is waited
---for; FAILED and every ROLLBACK_* end it with "OperationFailedError".
---@param params apprunner.WaitParams
---@param options? apprunner.WaitOptions
---@return apprunner.OperationSummary? operation
---@return apprunner.Error? err
---@return apprunner.WaitInfo? info
function Client:wait_for_operation(params, options) end

---What client:resolve() tells. Never a secret.
---@class apprunner.Info
---@field region? string of the client; a call may have one of its own, from its ServiceArn
---@field signing_region? string
---@field endpoint_url? string absent without a region
---@field profile string
---@field retry_mode string
---@field max_attempts integer
---@field access_key_id string
---@field credential_provider "static"|"function"|"environment"|"profile"|"assume_role"|"web_identity"|"sso"|"process"|"container"|"imds"
---@field account_id? string
---@field expiration? number epoch seconds, as told by who gave the credentials
---@field sources table<string, string> where each of these was found: "argument", "AWS_REGION", "profile dev in the config file", "default"

---Resolves all that a call would, credentials included, and sends nothing to
---App Runner. It waits as a call does.
---@return apprunner.Info? info
---@return apprunner.Error? err
function Client:resolve() end

---Cancels the client's calls and wipes its credentials. Calling it again does
---nothing; calling anything else raises an error. Also __close.
function Client:close() end

---Makes a client. The environment and the shared files are read, and nothing is
---sent; credentials are sought when a call needs them.
---@param settings? apprunner.Settings
---@return apprunner.Client? client
---@return apprunner.Error? err kind "settings"
function apprunner.client(settings) end

---Starts `fn(...)` at once in a coroutine that the loop drives (in OpenResty a
---light thread): calls inside it yield instead of blocking. What it raises
---goes where errors of callbacks go.
---@param fn function
---@param ... any
---@return thread
function apprunner.spawn(fn, ...) end

---Drives callbacks and spawned coroutines to their end, in a plain interpreter
---or on plain luv. What a callback raises is raised here, and calling run
---again goes on with the others. Raises an error inside a callback, in Neovim
---and in OpenResty, whose own loops drive everything.
function apprunner.run() end

---Waits as a call does.
---@param seconds number 0 or more
---@return true?
---@return apprunner.Error? err where nginx cannot wait
function apprunner.sleep(seconds) end

---@class apprunner.MapOptions
---@field concurrency? integer items at a time, 4
---@field on_progress? fun(done: integer, total: integer, item: any, out: any, err: any): boolean? false cancels what is left

---Runs `fn(item)` for every item, each in a coroutine of its own, so that every
---wait inside lets the others go on; returns when all have ended. What `fn`
---returns stands in `outs[item]`, true where it returns nothing; the error of a
---`nil, err`, or what it raises, in `errs[item]`. Of an item given twice the last
---result stands. Once `on_progress` has returned false it is not called again,
---and what had not ended has "Cancelled" in `errs`. Wrong options: nil, err.
---@param items any[]
---@param fn fun(item: any): any, any
---@param options? apprunner.MapOptions
---@return table<any, any>? outs
---@return table<any, any>|apprunner.Error errs
function apprunner.map(items, fn, options) end

---@class apprunner.SignRequest
---@field method? string "GET"
---@field url? string http or https; else `host`, `path` and `query`
---@field host? string
---@field path? string as it will be sent
---@field query? string without the question mark
---@field headers? {[1]: string, [2]: string}[] pairs of name and value
---@field body? string

---@class apprunner.SignOptions
---@field credentials apprunner.Credentials
---@field region string
---@field service string
---@field time? integer epoch seconds; now
---@field normalize_path? boolean remove dot segments and double slashes from what is signed; true
---@field sign_body? boolean add x-amz-content-sha256; false
---@field omit_session_token? boolean add the token, but do not sign it; false

---@class apprunner.Signed
---@field headers {[1]: string, [2]: string}[] what to send, in order
---@field authorization string the value of the Authorization header
---@field signature string
---@field canonical_request string
---@field string_to_sign string

---Signs a request by AWS Signature Version 4. Headers that the signature sets
---(Authorization, X-Amz-Date, X-Amz-Security-Token) are replaced.
---@param request apprunner.SignRequest
---@param options apprunner.SignOptions
---@return apprunner.Signed? signed
---@return apprunner.Error? err kind "validation"
function apprunner.sign(request, options) end

---@class apprunner.ProfilesOptions
---@field config_file? string else AWS_CONFIG_FILE, ~/.aws/config
---@field credentials_file? string else AWS_SHARED_CREDENTIALS_FILE, ~/.aws/credentials

---The properties of a section, by lower-case name. A nested block is a table
---of its own, with names as written.
---@alias apprunner.Section table<string, string|table<string, string>>

---@class apprunner.Profiles
---@field profiles table<string, apprunner.Section>
---@field sso_sessions table<string, apprunner.Section>
---@field services table<string, apprunner.Section>

---Reads the shared files as an SDK does: profiles of both merge, and the
---credentials file's values win. Values that may be secret read "***". A file
---that does not exist is an empty one.
---@param options? apprunner.ProfilesOptions
---@return apprunner.Profiles? sections
---@return apprunner.Error? err kind "settings" ("ConfigParseError" names the file and the line) or "validation"
function apprunner.profiles(options) end

---Renders a timestamp of the API, such as "2026-01-02T03:04:05Z"; with
---milliseconds where there are any. Raises an error for what is no time between
---the years 0 and 9999.
---@param timestamp number epoch seconds
---@return string
function apprunner.iso8601(timestamp) end

---Renders any value readably. Members that may hold secrets (environment
---variables, build and start commands) are hidden unless asked for.
---@param value any
---@param options? {sensitive?: boolean}
---@return string
function apprunner.dump(value, options) end

---What `require "apprunner.simulator"` gives: App Runner on loopback.
---@class apprunner.SimulatorModule
local SimulatorModule = {}

---@class apprunner.SimulatedService
---@field ServiceName string
---@field Status string kept until something changes it
---@field Tags? table<string, string>|{Key: string, Value: string}[]
---@field error? string the error code that each call is answered with

---What others do meanwhile. See simulator/actors.lua.
---@class apprunner.SimulatedAct
---@field act "pause"|"resume"|"deploy"|"update"|"delete"|"maintain"
---@field ServiceName? string else one by chance
---@field at? number|number[] seconds after the simulator's begin
---@field mean_seconds? number by chance, so often in the mean; instead of `at`
---@field seconds? number how long it takes; else `operation_seconds`
---@field outcome? "FAILED"|"ROLLBACK_FAILED"|"ROLLBACK_SUCCEEDED"

---@class apprunner.SimulatorOptions
---@field port? integer 0, one that is free
---@field region? string "us-east-1"
---@field account_id? string
---@field credentials? apprunner.Credentials else the example pair of the AWS documentation
---@field services? apprunner.SimulatedService[] four by default
---@field operation_seconds? number how long an operation takes; 2
---@field page_size? integer items in a page when the request does not say; all
---@field empty_pages? boolean whether empty pages stand between those of ListServices; true
---@field faults? table[] what goes wrong; see simulator/faults.lua
---@field others? apprunner.SimulatedAct[] what others do to the services
---@field throttle? {rate: number, burst: integer} a token bucket: requests a second, and at once
---@field seed? integer makes identifiers and chance repeatable
---@field log? string|function|file* one line a request; `start` takes a path alone
---@field on_listening? fun(endpoint_url: string, services: table[]) of `serve`

---What there is, as GET /_simulator/state gives it.
---@class apprunner.SimulatorState
---@field services {ServiceName: string, ServiceArn: string, Status: string, Tags: table[], operations: table[]}[] deleted ones too; operations newest first
---@field requests table<string, integer> those that were signed as they should be, by operation
---@field throttled table<string, integer> those of them that were answered with ThrottlingException

---@class apprunner.Simulator
---@field endpoint_url string
---@field services {ServiceName: string, ServiceId: string, ServiceArn: string, ServiceUrl: string, Status: string}[]
local Simulator = {}

---Needs LuaSocket and lua-cjson.
---@return apprunner.SimulatorState? state
---@return string? message
function Simulator:state() end

---Waits for its end. May be called again.
function Simulator:stop() end

---Runs a simulator in a process of its own, which ends with this one.
---@param options? apprunner.SimulatorOptions
---@return apprunner.Simulator? simulator
---@return string? message
function SimulatorModule.start(options) end

---Runs it in the foreground, until the process is killed.
---@param options? apprunner.SimulatorOptions
---@return nil
---@return string message
function SimulatorModule.serve(options) end

return apprunner
