-- The simulator's world: others who change the services meanwhile, throttling by a token bucket, the state that it
-- shows. What depends on time is proven on a clock that only moves when it is told to.

local api = require "apprunner.simulator.api"
local cjson = require "cjson"
local options = require "apprunner.simulator.options"
local programs = require "spec.support.programs"
local raw = require "spec.support.simulator_client"
local simulator = require "apprunner.simulator"
local state = require "apprunner.simulator.state"

local call, by_arn, error_of = raw.call, raw.by_arn, raw.error_of

local BEGIN = 1700000000

after_each(raw.close_all)

-- A world without sockets: `wait` moves its clock, `ask` performs an operation, `show` gives the state.
local function world_of(given)
  given.seed = given.seed or 1
  local settings = assert(options.settle(given))
  local now = BEGIN
  settings.now = function() return now end
  local sim = api.new(settings)
  local self = {sim = sim, services = sim.services}
  function self.wait(seconds) now = now + seconds end
  function self.ask(operation, params)
    local work = {operation = operation, request = {body = cjson.encode(params or {ServiceArn = sim.services[1].arn})}}
    local problem = api.perform(sim, work)
    return work.output, problem and problem.code
  end
  function self.show() return state.show(sim) end
  function self.status(index) return self.show().services[index or 1].Status end
  -- "TYPE STATUS" of the operations of a service, newest first, without its creation.
  function self.history(index)
    local list = {}
    for i, operation in ipairs(self.show().services[index or 1].operations) do
      list[i] = operation.Type .. " " .. operation.Status
    end
    list[#list] = nil
    return list
  end
  return self
end

local function one(status, others, more)
  local given = {services = {{ServiceName = "one-service", Status = status}}, operation_seconds = 10, others = others}
  for name, value in pairs(more or {}) do given[name] = value end
  return world_of(given)
end

describe("somebody else", function()
  it("pauses, resumes, deploys and updates at the seconds named, each for its time", function()
    local world = one("RUNNING", {
      {act = "pause", at = 3}, {act = "resume", at = 20, seconds = 4}, {act = "deploy", at = {30, 50}, seconds = 2},
      {act = "update", at = 40},
    })
    world.wait(2.5)
    assert.equal("RUNNING", world.status())
    world.wait(0.5)
    assert.same({"OPERATION_IN_PROGRESS", {"PAUSE_SERVICE IN_PROGRESS"}}, {world.status(), world.history()})
    world.wait(10)
    assert.equal("PAUSED", world.status())
    world.wait(11) -- 24: resumed at 20, within 4 seconds
    assert.equal("RUNNING", world.status())
    world.wait(36)
    assert.same({
      "START_DEPLOYMENT SUCCEEDED", "UPDATE_SERVICE SUCCEEDED", "START_DEPLOYMENT SUCCEEDED",
      "RESUME_SERVICE SUCCEEDED", "PAUSE_SERVICE SUCCEEDED",
    }, world.history())
  end)

  it("is seen to have acted at its time, whenever somebody looks", function()
    local world = one("RUNNING", {{act = "deploy", at = 5, seconds = 1}, {act = "pause", at = 7, seconds = 1}})
    world.wait(1000)
    local operations = world.show().services[1].operations
    assert.same({BEGIN + 7, BEGIN + 8}, {operations[1].StartedAt, operations[1].EndedAt})
    assert.same({BEGIN + 5, BEGIN + 6}, {operations[2].StartedAt, operations[2].EndedAt})
    assert.equal(BEGIN + 8, world.ask("DescribeService").Service.UpdatedAt)
  end)

  it("fails, and is rolled back in the second half of the time", function()
    local world = one("RUNNING", {
      {act = "deploy", at = 1, outcome = "ROLLBACK_SUCCEEDED"}, {act = "pause", at = 20, outcome = "FAILED"},
    })
    world.wait(6)
    assert.same({"OPERATION_IN_PROGRESS", {"START_DEPLOYMENT ROLLBACK_IN_PROGRESS"}}, {world.status(), world.history()})
    world.wait(5)
    assert.same({"RUNNING", {"START_DEPLOYMENT ROLLBACK_SUCCEEDED"}}, {world.status(), world.history()})
    world.wait(19)
    assert.same({"RUNNING", "PAUSE_SERVICE FAILED"}, {world.status(), world.history()[1]})
  end)

  it("does nothing to a service that is busy, gone, or in no state for it", function()
    local world = one("RUNNING", {
      {act = "update", at = 1}, {act = "pause", at = 2}, {act = "resume", at = 20}, {act = "delete", at = 30},
      {act = "deploy", at = 50}, {act = "delete", at = 60}, {act = "maintain", at = 70},
    })
    world.wait(100)
    assert.same({"DELETE_SERVICE SUCCEEDED", "UPDATE_SERVICE SUCCEEDED"}, world.history())
    assert.equal("DELETED", world.status())
  end)

  it("is App Runner itself, for whose maintenance no operation is listed", function()
    local world = one("PAUSED", {{act = "maintain", at = 1, seconds = 30}})
    world.wait(2)
    assert.same({"OPERATION_IN_PROGRESS", {}}, {world.status(), world.history()})
    assert.same({nil, "InvalidStateException"}, {world.ask "ResumeService"})
    world.wait(30)
    assert.same({"PAUSED", {}}, {world.status(), world.history()})
  end)

  it("does not reach a service that answers with its error, and works on the one that is named", function()
    local world = world_of {
      services = {
        {ServiceName = "service-a", Status = "RUNNING"}, {ServiceName = "service-b", Status = "RUNNING"},
        {ServiceName = "service-c", Status = "RUNNING", error = "InternalServiceErrorException"},
      },
      others = {{act = "pause", at = 1, ServiceName = "service-b"}, {act = "pause", at = 1, ServiceName = "service-c"}},
    }
    world.wait(1)
    assert.same({"RUNNING", "OPERATION_IN_PROGRESS", "RUNNING"}, {world.status(1), world.status(2), world.status(3)})
  end)

  it("deletes a service: it can be described as DELETED, and is not listed any more", function()
    local world = one("RUNNING", {{act = "delete", at = 1}})
    world.wait(1)
    assert.equal("OPERATION_IN_PROGRESS", world.ask("ListServices", {}).ServiceSummaryList[1].Status)
    world.wait(10)
    assert.same({}, world.ask("ListServices", {}).ServiceSummaryList)
    local service = world.ask("DescribeService").Service
    assert.same({"DELETED", BEGIN + 11}, {service.Status, service.DeletedAt})
    assert.same({nil, "InvalidStateException"}, {world.ask "PauseService"})
    world = one("PAUSED", {{act = "delete", at = 1, outcome = "FAILED"}})
    world.wait(11)
    assert.same({"DELETE_FAILED", "DELETE_SERVICE FAILED"}, {world.status(), world.history()[1]})
    assert.equal(1, #world.ask("ListServices", {}).ServiceSummaryList)
  end)

  it("deletes between two pages, and no service is listed twice or left out", function()
    local rows = {}
    for i = 1, 7 do rows[i] = {ServiceName = "service-" .. i, Status = "RUNNING"} end
    local world = world_of {
      services = rows, page_size = 2, operation_seconds = 0, others = {
        {act = "delete", at = 1, ServiceName = "service-2"}, {act = "delete", at = 1, ServiceName = "service-3"},
        {act = "delete", at = 1, ServiceName = "service-7"},
      },
    }
    local names, token = {}, nil
    repeat
      local page = world.ask("ListServices", {NextToken = token})
      for _, summary in ipairs(page.ServiceSummaryList) do names[#names + 1] = summary.ServiceName:match "%d" end
      token = page.NextToken
      world.wait(1)
    until not token
    assert.equal("12456", table.concat(names))
  end)

  -- The operations of a world of ten services after so many seconds, looked at every `step`.
  local function story(seed, seconds, step)
    local rows = {}
    for i = 1, 10 do rows[i] = {ServiceName = "service-" .. i, Status = "RUNNING"} end
    local world = world_of {seed = seed, services = rows, operation_seconds = 1, others = {
      {act = "pause", mean_seconds = 5}, {act = "resume", mean_seconds = 5},
      {act = "deploy", mean_seconds = 10, outcome = "FAILED"},
    }}
    for _ = 1, seconds / step do
      world.wait(step)
      world.show()
    end
    return cjson.encode(world.show().services), world
  end

  it("acts by chance, as often as is said in the mean, on all services", function()
    local _, world = story(3, 4000, 4000)
    local counts = {}
    for i = 1, 10 do
      local types = {}
      for _, what in ipairs(world.history(i)) do
        counts[what] = (counts[what] or 0) + 1
        types[what] = true
      end
      assert.is_true(types["PAUSE_SERVICE SUCCEEDED"] and types["RESUME_SERVICE SUCCEEDED"])
    end
    -- 800 times somebody wants to pause one of ten, and about half of them run.
    local paused, deployed = counts["PAUSE_SERVICE SUCCEEDED"], counts["START_DEPLOYMENT FAILED"]
    assert.is_true(paused > 250 and paused < 550, "paused: " .. paused)
    assert.is_true(deployed > 100 and deployed < 300, "deployed: " .. deployed)
  end)

  it("acts in the same way for the same seed, however often somebody looks", function()
    local function same(first, second) assert.is_true(first == second) end
    same(story(5, 200, 1), story(5, 200, 1))
    same(story(5, 200, 200), (story(5, 200, 0.25)))
    assert.is_false(story(5, 200, 1) == story(6, 200, 1))
  end)

  it("does the same, and names it the same, whatever the client does elsewhere", function()
    local function acted(operation)
      local world = world_of {
        services = {{ServiceName = "service-1", Status = "RUNNING"}, {ServiceName = "service-2", Status = "RUNNING"}},
        operation_seconds = 1, others = {{act = "deploy", mean_seconds = 5, ServiceName = "service-1"}},
      }
      for _ = 1, 20 do
        world.wait(2)
        world.ask(operation, {ServiceArn = world.services[2].arn})
      end
      return world.show().services[1].operations
    end
    assert.same(acted "DescribeService", acted "PauseService")
  end)

  it("acts in the simulator's own process too", function()
    local sim = raw.start {operation_seconds = 3600, others = {{act = "deploy", at = 0, ServiceName = "storefront"}}}
    assert.equal("OPERATION_IN_PROGRESS", raw.status_of(sim))
    assert.equal("START_DEPLOYMENT", call(sim, "ListOperations", by_arn(sim)).data.OperationSummaryList[1].Type)
  end)
end)

describe("throttling", function()
  -- Y for each request that is served, T for each that is throttled; waits so long before each of them.
  local function marks(world, waits)
    local list = {}
    for i, seconds in ipairs(waits) do
      world.wait(seconds)
      local _, code = world.ask("ListServices", {})
      list[i] = code == "ThrottlingException" and "T" or code or "Y"
    end
    return table.concat(list)
  end

  it("serves what the bucket holds at once, then what flows in, and never saves up more", function()
    local world = world_of {throttle = {rate = 4, burst = 3}}
    assert.equal("YYYTT", marks(world, {0, 0, 0, 0, 0}))
    assert.equal("TYTYT", marks(world, {0.125, 0.125, 0, 0.25, 0.125}))
    assert.equal("YYYT", marks(world, {3600, 0, 0, 0}))
    assert.equal("YYT", marks(world, {0.5, 0, 0}))
  end)

  it("keeps what it throttles from being performed, and from the count of the faults", function()
    local world = world_of {
      throttle = {rate = 1, burst = 1}, faults = {{kind = "internal", operation = "PauseService", at = 1}},
    }
    world.ask("ListServices", {})
    assert.same({nil, "ThrottlingException"}, {world.ask "PauseService"})
    assert.equal("RUNNING", world.status())
    world.wait(1)
    assert.same({nil, "InternalServiceErrorException"}, {world.ask "PauseService"})
  end)

  it("is an error of status 400, and unsigned requests do not use up anything", function()
    local sim = raw.start {throttle = {rate = 0.01, burst = 2}}
    for _ = 1, 3 do call(sim, "ListServices", {}, {headers = {Authorization = false}}) end
    assert.equal(200, call(sim, "ListServices").status)
    assert.equal(200, call(sim, "DescribeService", by_arn(sim)).status)
    local response = call(sim, "ListServices")
    assert.same({"ThrottlingException", 400}, {error_of(response)})
    assert.equal("Rate exceeded", response.data.message)
  end)
end)

describe("the state", function()
  it("shows services, their operations and tags, and counts the requests", function()
    local sim = raw.start {
      operation_seconds = 0, throttle = {rate = 0.01, burst = 4},
      faults = {{kind = "throttle", operation = "ListServices", at = 1}},
    }
    assert.same({}, sim:state().requests)
    for _, operation in ipairs {"DescribeService", "ListServices", "PauseService", "PauseService", "ResumeService"} do
      call(sim, operation, operation == "ListServices" and {} or by_arn(sim))
    end
    call(sim, "DescribeService", by_arn(sim), {headers = {Authorization = false}})
    local shown = assert(sim:state())
    assert.same({DescribeService = 1, ListServices = 1, PauseService = 2, ResumeService = 1}, shown.requests)
    assert.same({ListServices = 1, ResumeService = 1}, shown.throttled)
    assert.equal(4, #shown.services)
    local service = shown.services[1]
    assert.same({"storefront", sim.services[1].ServiceArn, "PAUSED"},
      {service.ServiceName, service.ServiceArn, service.Status})
    assert.same({{Key = "environment", Value = "production"}, {Key = "team", Value = "shop"}}, service.Tags)
    local newest = service.operations[1]
    assert.same({"PAUSE_SERVICE", "SUCCEEDED"}, {newest.Type, newest.Status})
    assert.matches(raw.uuid, newest.Id)
    assert.equal("CREATE_SERVICE", service.operations[2].Type)
  end)

  it("can be read with curl, and needs no signature", function()
    -- Not under the sanitizer that these specs may run under: it has curl hang when it begins.
    local function get(sim)
      return programs.output_of("LD_PRELOAD= curl -sS " .. sim.endpoint_url .. "/_simulator/state")
    end
    assert.equal("nightly-report", cjson.decode(get(raw.start())).services[4].ServiceName)
    assert.equal('{"requests":{},"services":[],"throttled":{}}', get(raw.start {services = {}}))
  end)

  it("of a simulator that has ended is an error, not a raise", function()
    local sim = raw.start()
    sim:stop()
    assert.same({nil, "connection refused"}, {sim:state()})
  end)
end)

describe("the options others and throttle", function()
  local refused = {
    {{others = "all"}, "option others"}, {{others = {"pause"}}, "act 1 is not a table"},
    {{others = {{at = 1}}}, "act 1 has no act"}, {{others = {{act = "explode", at = 1}}}, "no valid act"},
    {{others = {{act = "pause"}}}, "needs one of at and mean_seconds"},
    {{others = {{act = "pause", at = 1, mean_seconds = 1}}}, "needs one of at and mean_seconds"},
    {{others = {{act = "pause", at = 1}, {act = "pause", at = 1, colour = 1}}}, "act 2 has an unknown field colour"},
    {{others = {{act = "pause", at = -1}}}, "no valid at"}, {{others = {{act = "pause", at = {}}}}, "no valid at"},
    {{others = {{act = "pause", at = 0 / 0}}}, "no valid at"},
    {{others = {{act = "pause", mean_seconds = 0}}}, "no valid mean_seconds"},
    {{others = {{act = "pause", at = 1, seconds = "x"}}}, "no valid seconds"},
    {{others = {{act = "pause", at = 1, outcome = "SUCCEEDED"}}}, "no valid outcome"},
    {{others = {{act = "maintain", at = 1, outcome = "FAILED"}}}, "has no outcome"},
    {{others = {{act = "pause", at = 1, ServiceName = "nobodys"}}}, "act 1 has a ServiceName of no service: nobodys"},
    {{others = {{act = "pause", at = 1, ServiceName = 7}}}, "no valid ServiceName"},
    {{throttle = 5}, "option throttle: expected a table of rate and burst, got a number"},
    {{throttle = {rate = 5}}, "no valid burst"}, {{throttle = {rate = 0, burst = 1}}, "no valid rate"},
    {{throttle = {rate = 1, burst = 1.5}}, "no valid burst"},
    {{throttle = {rate = 1, burst = 1, colour = 1}}, "unknown field colour"},
  }

  it("are refused by name when something in them is unknown or ill-typed", function()
    for _, case in ipairs(refused) do
      local ok, message = simulator.start(case[1])
      assert.is_nil(ok)
      assert.is_truthy(message:find(case[2], 1, true), message)
    end
  end)
end)
