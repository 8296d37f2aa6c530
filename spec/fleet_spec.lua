-- The examples that pause and resume, run as a user runs them, against simulators that play three regions.

local cjson = require "cjson"
local hosts = dofile "spec/support/hosts.lua"
local raw = require "spec.support.simulator_client"

local REGIONS = {"us-east-1", "eu-west-1", "ap-northeast-1"}

teardown(hosts.clear)
after_each(raw.close_all)

-- Running them -------------------------------------------------------------------------------------------------------

local function start(script, arguments, options)
  local words = {os.getenv "RUNNER" or "", hosts.interpreter, hosts.quote(hosts.root .. "/examples/" .. script)}
  for _, argument in ipairs(arguments) do words[#words + 1] = hosts.quote(argument) end
  return hosts.start(table.concat(words, " "), options)
end

local function run(script, arguments, options) return start(script, arguments, options):finish() end

local function objects(text)
  local list = {}
  for line in text:gmatch "[^\n]+" do list[#list + 1] = cjson.decode(line) end
  return list
end

-- What the report says of each service, by its name; of a region without services, by the region's.
local function results(ended)
  local of = {}
  for _, record in ipairs(objects(ended.out)) do of[record.ServiceName or record.Region] = record.Result end
  return of
end

local function names_in(receipt)
  local names = {}
  for i, entry in ipairs(objects(hosts.read(receipt))) do names[i] = entry.ServiceArn:match ":service/([^/]*)" end
  table.sort(names)
  return names
end

local function joined(...)
  local list = {}
  for _, part in ipairs {...} do
    for _, value in ipairs(part) do list[#list + 1] = value end
  end
  return list
end

-- The world ----------------------------------------------------------------------------------------------------------

local receipts = 0

local function new_receipt()
  receipts = receipts + 1
  return hosts.path("receipt." .. receipts)
end

local function append(path, text)
  local file = assert(io.open(path, "a"))
  assert(file:write(text))
  file:close()
end

local function service(name, status, more)
  local row = {ServiceName = name, Status = status or "RUNNING"}
  for key, value in pairs(more or {}) do row[key] = value end
  return row
end

-- Three regions with pages of two and empty ones between: `sims`, `reach` (the arguments that lead there). interval:
-- of the looks, 0.05 by default; false: what the examples choose.
local function three_regions(changes, interval)
  local sims, reach = {}, interval ~= false and {"--interval", interval or "0.05"} or {}
  for _, region in ipairs(REGIONS) do
    local prefix = region:sub(1, 2) .. "-"
    local options = {
      region = region, page_size = 2, operation_seconds = 0.1,
      services = {
        service(prefix .. "shop-a", nil, {Tags = {env = "dev", team = "x=y"}}),
        service(prefix .. "shop-b", nil, {Tags = {env = "dev"}}),
        service(prefix .. "shop-paused", "PAUSED", {Tags = {env = "dev"}}),
        service(prefix .. "shop-keep", nil, {Tags = {env = "dev"}}),
        service(prefix .. "other", nil, {Tags = {env = "prod"}}),
      },
    }
    for key, value in pairs((changes or {})[region] or {}) do options[key] = value end
    sims[region] = raw.start(options)
    reach = joined(reach, {"--endpoint-url", region .. "=" .. sims[region].endpoint_url})
  end
  return {sims = sims, reach = reach, all = joined(reach, {
    "--region", REGIONS[1], "--region", REGIONS[2], "--region", REGIONS[3],
  })}
end

-- The names of the services that have a status.
local function having(world, status)
  local names = {}
  for _, region in ipairs(REGIONS) do
    for _, summary in ipairs(raw.call(world.sims[region], "ListServices", {MaxResults = 20}).data.ServiceSummaryList) do
      if summary.Status == status then names[#names + 1] = summary.ServiceName end
    end
  end
  table.sort(names)
  return names
end

local function in_all(...)
  local names = {}
  for _, region in ipairs(REGIONS) do
    for _, name in ipairs {...} do names[#names + 1] = region:sub(1, 2) .. "-" .. name end
  end
  table.sort(names)
  return names
end

local function operations(sim, index)
  return raw.call(sim, "ListOperations", raw.by_arn(sim, index)).data.OperationSummaryList
end

-- ---------------------------------------------------------------------------------------------------------------------

describe("pause_fleet.lua #hosts #once", function()
  it("pauses what fits in three regions, and no other, and resume_fleet.lua brings back exactly that", function()
    local world, receipt = three_regions(), new_receipt()
    local wanted = joined(world.all, {"--name", "*-shop-*", "--protect", "*-keep", "--json", "--receipt", receipt})
    local ended = run("pause_fleet.lua", wanted)
    assert.equal(0, ended.status, ended.err)
    assert.same(in_all("shop-a", "shop-b", "shop-paused"), having(world, "PAUSED"))
    assert.same(in_all("shop-keep", "other"), having(world, "RUNNING"))
    local of = results(ended)
    assert.same({"paused", "paused", "already paused", "protected"},
      {of["us-shop-a"], of["eu-shop-b"], of["ap-shop-paused"], of["us-shop-keep"]})
    assert.equal(12, #objects(ended.out))
    assert.same(in_all("shop-a", "shop-b"), names_in(receipt))
    for _, entry in ipairs(objects(hosts.read(receipt))) do
      assert.matches("^%x+%-%x+", entry.OperationId)
      assert.is_true(math.abs(entry.PausedAt - os.time()) < 60)
    end

    ended = run("pause_fleet.lua", wanted)
    assert.equal(0, ended.status, ended.err)
    assert.equal("already paused", results(ended)["us-shop-a"])
    assert.same(in_all("shop-a", "shop-b"), names_in(receipt)) -- nothing is lost, nothing is added

    ended = run("resume_fleet.lua", joined(world.reach, {receipt, "--json"}))
    assert.equal(0, ended.status, ended.err)
    assert.same(in_all("shop-paused"), having(world, "PAUSED"))
    assert.equal(6, #objects(ended.out))
    for _, record in ipairs(objects(ended.out)) do assert.same({"resumed", true}, {record.Result, record.Changed}) end
  end)

  it("works on all regions from the beginning", function()
    local slow, receipt = {operation_seconds = 0.5}, new_receipt()
    local world = three_regions {["us-east-1"] = slow, ["eu-west-1"] = slow, ["ap-northeast-1"] = slow}
    local ended = run("pause_fleet.lua", joined(world.all, {
      "--name", "*-shop-a", "--name", "*-shop-b", "--concurrency", "3", "--receipt", receipt,
    }))
    assert.equal(0, ended.status, ended.err)
    local regions = {}
    for i, entry in ipairs(objects(hosts.read(receipt))) do regions[i] = entry.ServiceArn:match "apprunner:([^:]*)" end
    assert.equal(6, #regions)
    assert.is_true(regions[1] ~= regions[2] and regions[2] ~= regions[3] and regions[3] ~= regions[1])
  end)

  it("selects by every tag that is given", function()
    local world = three_regions()
    local ended = run("pause_fleet.lua", joined(world.all, {"--tag", "env=dev", "--tag", "team=x=y", "--json"}))
    assert.equal(0, ended.status, ended.err)
    assert.same(in_all("shop-a", "shop-paused"), having(world, "PAUSED"))
    assert.equal(3, #objects(ended.out))
  end)

  it("does not pause a service whose tags cannot be read, and fails", function()
    local world = three_regions {["us-east-1"] = {
      faults = {{operation = "ListTagsForResource", kind = "error", code = "AccessDeniedException", at = 1}},
    }}
    local ended = run("pause_fleet.lua", joined(world.all, {
      "--tag", "env=dev", "--name", "us-shop-[ab]", "--name", "us-shop-a", "--name", "us-shop-keep",
      "--protect", "us-shop-keep",
    }))
    assert.equal(1, ended.status)
    assert.matches("us%-shop%-a +RUNNING +failed +%- +AccessDeniedException: ", ended.out)
    assert.matches("us%-shop%-keep +RUNNING +protected +%-", ended.out)
    assert.is_nil(ended.out:find("shop-b", 1, true)) -- brackets are no pattern
    assert.equal(1, #operations(world.sims["us-east-1"], 1))
  end)

  it("prints the plan and changes nothing with --dry-run", function()
    local world, receipt = three_regions(), new_receipt()
    local ended = run("pause_fleet.lua", joined(world.all, {
      "--name", "us-shop-*", "--protect", "us-shop-keep", "--dry-run", "--json", "--receipt", receipt,
    }))
    assert.equal(0, ended.status, ended.err)
    assert.same({
      ["us-shop-a"] = "would pause", ["us-shop-b"] = "would pause", ["us-shop-paused"] = "already paused",
      ["us-shop-keep"] = "protected",
    }, results(ended))
    assert.same(in_all("shop-paused"), having(world, "PAUSED"))
    assert.is_nil(hosts.read(receipt))
    for index = 1, 5 do assert.equal(1, #operations(world.sims["us-east-1"], index)) end
  end)

  it("fails when one service fails, and pauses the others", function()
    local world, receipt = three_regions {["eu-west-1"] = {services = {
      service("eu-shop-a", "RUNNING", {error = "InternalServiceErrorException"}), service "eu-shop-b",
    }}}, new_receipt()
    local ended = run("pause_fleet.lua", joined(world.all, {
      "--name", "*-shop-a", "--name", "*-shop-b", "--receipt", receipt,
    }))
    assert.equal(1, ended.status)
    assert.matches("eu%-west%-1 +eu%-shop%-a +RUNNING +failed +%S+ +InternalServiceErrorException: ", ended.out)
    assert.matches("us%-east%-1 +us%-shop%-a +PAUSED +paused +[%d.]+ ", ended.out .. " ")
    assert.same({"ap-shop-a", "ap-shop-b", "eu-shop-b", "us-shop-a", "us-shop-b"}, names_in(receipt))
    assert.matches("\n6 of 6, 1 failed: ", "\n" .. ended.err)
    assert.is_nil(ended.err:find "[\r\27]") -- no terminal
  end)

  it("fails when a pause fails, whose operation the receipt has, and when a region cannot be listed", function()
    local world, receipt = three_regions {
      ["eu-west-1"] = {faults = {{operation = "PauseService", kind = "fail", at = 1}}},
      ["ap-northeast-1"] = {faults = {{operation = "ListServices", kind = "error", code = "AccessDeniedException"}}},
    }, new_receipt()
    local ended = run("pause_fleet.lua", joined(world.all, {
      "--name", "*-shop-a", "--receipt", receipt, "--json",
    }))
    assert.equal(1, ended.status)
    assert.same({["us-shop-a"] = "paused", ["eu-shop-a"] = "failed", ["ap-northeast-1"] = "failed"}, results(ended))
    assert.same({"eu-shop-a", "us-shop-a"}, names_in(receipt))
    ended = run("resume_fleet.lua", joined(world.reach, {receipt, "--json"}))
    assert.equal(0, ended.status, ended.err)
    assert.same({["us-shop-a"] = "resumed", ["eu-shop-a"] = "already running"}, results(ended))
  end)

  it("counts a pause whose answer was lost as its own, and one that it only joined not", function()
    local world, receipt = three_regions {
      ["us-east-1"] = {faults = {{operation = "PauseService", kind = "close_after", at = 1}}},
      ["eu-west-1"] = {operation_seconds = 1},
    }, new_receipt()
    raw.call(world.sims["eu-west-1"], "PauseService", raw.by_arn(world.sims["eu-west-1"]))
    local ended = run("pause_fleet.lua", joined(world.all, {"--name", "*-shop-a", "--receipt", receipt, "--json"}))
    assert.equal(0, ended.status, ended.err)
    assert.same({["us-shop-a"] = "paused", ["eu-shop-a"] = "already paused", ["ap-shop-a"] = "paused"}, results(ended))
    assert.same({"ap-shop-a", "us-shop-a"}, names_in(receipt))
  end)

  -- Kills it while the pause is in progress, as soon as the receipt has a line.
  local function kill_while_it_waits(world, wanted, receipt)
    local pids = hosts.path "killed.pid"
    local program = start("pause_fleet.lua", wanted, {before = "echo $$ >" .. hosts.quote(pids) .. "; exec"})
    hosts.await("the receipt", function() return (hosts.read(receipt) or ""):find "\n" end)
    assert.equal("OPERATION_IN_PROGRESS", raw.status_of(world.sims["us-east-1"]))
    hosts.shell("kill -KILL " .. hosts.read(pids))
    assert.not_equal(0, program:finish().status)
    assert.equal(operations(world.sims["us-east-1"])[1].Id, objects(hosts.read(receipt))[1].OperationId)
  end

  it("has written what it began when it is killed, and a second run keeps that", function()
    local world, receipt = three_regions {["us-east-1"] = {operation_seconds = 1}}, new_receipt()
    local wanted = joined(world.reach, {"--region", "us-east-1", "--name", "us-shop-a", "--receipt", receipt})
    kill_while_it_waits(world, wanted, receipt)
    assert.equal(0, run("pause_fleet.lua", wanted).status)
    assert.same({"us-shop-a"}, names_in(receipt))
  end)

  it("has written it, too, where the answer to its request was lost", function()
    local world, receipt = three_regions {["us-east-1"] = {
      operation_seconds = 3, faults = {{operation = "PauseService", kind = "close_after", at = 1}},
    }}, new_receipt()
    local wanted = joined(world.reach, {"--region", "us-east-1", "--name", "us-shop-a", "--receipt", receipt})
    kill_while_it_waits(world, wanted, receipt)
  end)

  it("begins a line of its own where an earlier run could not end one", function()
    local world = three_regions()
    local receipt = hosts.write("cut.receipt", '{"ServiceArn":"arn:aws:appr')
    assert.equal(0, run("pause_fleet.lua", joined(world.all, {"--name", "us-shop-a", "--receipt", receipt})).status)
    local ended = run("resume_fleet.lua", joined(world.reach, {receipt, "--json"}))
    assert.equal(1, ended.status)
    assert.same({["us-shop-a"] = "resumed"}, results(ended))
  end)

  it("begins no other pause once the receipt cannot be written, and says what is not in it", function()
    local world = three_regions()
    local ended = run("pause_fleet.lua", joined(world.all, {
      "--name", "us-shop-?", "--concurrency", "1", "--receipt", "/dev/full",
    }))
    assert.equal(1, ended.status)
    assert.matches("No space left on device; not in it: arn:%S+/us%-shop%-a/", ended.err)
    assert.same({"PAUSED", "RUNNING"}, {
      raw.status_of(world.sims["us-east-1"], 1), raw.status_of(world.sims["us-east-1"], 2),
    })
  end)

  it("goes through several profiles, takes a service once, and fails with one that may not", function()
    local world = three_regions()
    local sections = ""
    for name, key in pairs {one = "AKIDEXAMPLE", two = "AKIDEXAMPLE", foreign = "AKIDOTHER"} do
      sections = sections .. ("[%s]\naws_access_key_id = %s\naws_secret_access_key = %s\n"):format(
        name, key, raw.credentials.secret_access_key)
    end
    local options = {env = {AWS_SHARED_CREDENTIALS_FILE = hosts.write("credentials", sections)}}
    local wanted = joined(world.reach, {"--region", "us-east-1", "--name", "*shop-a", "--json", "--profile", "one"})
    local ended = run("pause_fleet.lua", joined(wanted, {"--profile", "two"}), options)
    assert.equal(0, ended.status, ended.err)
    assert.equal(1, #objects(ended.out))
    assert.equal("one", objects(ended.out)[1].Profile)
    ended = run("pause_fleet.lua", joined(wanted, {"--profile", "foreign"}), options)
    assert.equal(1, ended.status)
    assert.same({["us-shop-a"] = "already paused", ["us-east-1"] = "failed"}, results(ended))
  end)

  it("protects what a file names, by name, pattern or ARN", function()
    local world = three_regions()
    local arn = world.sims["us-east-1"].services[1].ServiceArn
    local list = hosts.write("protected", "# of the shop\n" .. arn .. "\n  us-*-keep # for ever\n\n")
    local ended = run("pause_fleet.lua", joined(world.all, {"--name=us-shop-*", "--protect=@" .. list, "--json"}))
    assert.equal(0, ended.status, ended.err)
    assert.same({
      ["us-shop-a"] = "protected", ["us-shop-b"] = "paused", ["us-shop-paused"] = "already paused",
      ["us-shop-keep"] = "protected",
    }, results(ended))
  end)

  it("fails when nothing is selected", function()
    local world = three_regions()
    local ended = run("pause_fleet.lua", joined(world.all, {"--name", "nobodys"}))
    assert.equal(1, ended.status)
    assert.matches("no service is selected\n", ended.err)
  end)
end)

describe("resume_fleet.lua #hosts #once", function()
  local function paused(world, receipt)
    local ended = run("pause_fleet.lua", joined(world.all, {"--name", "us-shop-?", "--receipt", receipt}))
    assert.equal(0, ended.status, ended.err)
    return world.sims["us-east-1"]
  end

  local function change(sim, index, operation, status)
    assert.equal(200, raw.call(sim, operation, raw.by_arn(sim, index)).status)
    assert.equal(status, raw.await(sim, index, status))
  end

  it("tells what is newer than the pause, and leaves alone what somebody has paused since", function()
    local world, receipt = three_regions(), new_receipt()
    local sim = paused(world, receipt)
    change(sim, 1, "ResumeService", "RUNNING")
    change(sim, 1, "PauseService", "PAUSED")
    change(sim, 2, "ResumeService", "RUNNING")
    local ended = run("resume_fleet.lua", joined(world.reach, {receipt, "--json"}))
    assert.equal(1, ended.status)
    assert.same({["us-shop-a"] = "left alone", ["us-shop-b"] = "already running"}, results(ended))
    assert.equal("PAUSED", raw.status_of(sim, 1))
    local first, second = objects(ended.out)[1], objects(ended.out)[2]
    if first.ServiceName ~= "us-shop-a" then first, second = second, first end
    assert.equal("PAUSE_SERVICE SUCCEEDED, RESUME_SERVICE SUCCEEDED", first.Newer)
    assert.equal("RESUME_SERVICE SUCCEEDED", second.Newer)
  end)

  it("prints the plan and changes nothing with --dry-run", function()
    local world, receipt = three_regions(), new_receipt()
    local sim = paused(world, receipt)
    local ended = run("resume_fleet.lua", joined(world.reach, {receipt, "--json", "--dry-run"}))
    assert.equal(0, ended.status, ended.err)
    assert.same({["us-shop-a"] = "would resume", ["us-shop-b"] = "would resume"}, results(ended))
    assert.equal("PAUSED", raw.status_of(sim, 1))
  end)

  it("resumes what it can read of a damaged receipt, and fails", function()
    local world, receipt = three_regions(), new_receipt()
    local sim = paused(world, receipt)
    append(receipt, '{"ServiceArn":"arn:aws:appr')
    local ended = run("resume_fleet.lua", joined(world.reach, {receipt}))
    assert.equal(1, ended.status)
    assert.matches(":3: no entry of a receipt\n", ended.err)
    assert.equal("RUNNING", raw.status_of(sim, 1))
  end)

  it("tells of a deployment that others have begun since the pause, and waits for it", function()
    local world = three_regions {["us-east-1"] = {others = {
      {act = "pause", ServiceName = "us-shop-a", at = 0, seconds = 0},
      {act = "resume", ServiceName = "us-shop-a", at = 0.01, seconds = 0},
      {act = "deploy", ServiceName = "us-shop-a", at = 0.02, seconds = 1},
    }}}
    local sim = world.sims["us-east-1"]
    local function history() return sim:state().services[1].operations end
    hosts.await("the deployment", function() return #history() == 4 end)
    local receipt = hosts.write("deployed.receipt", ('{"ServiceArn":"%s","OperationId":"%s","PausedAt":1}\n'):format(
      sim.services[1].ServiceArn, history()[3].Id))
    local ended = run("resume_fleet.lua", joined(world.reach, {receipt, "--json"}))
    assert.equal(0, ended.status, ended.err)
    local row = objects(ended.out)[1]
    assert.matches("^START_DEPLOYMENT %u", row.Newer)
    assert.matches(", RESUME_SERVICE SUCCEEDED$", row.Newer)
    assert.same({"RUNNING", "already running", false}, {row.Status, row.Result, row.Changed})
    assert.equal("SUCCEEDED", history()[1].Status)
  end)

  it("takes for no entry what names no service or a profile of another type, and fails", function()
    local receipt = hosts.write("odd.receipt", '{"ServiceArn":"storefront","PausedAt":1}\nnull\n\n'
      .. '{"ServiceArn":"arn:aws:apprunner:us-east-1:123456789012:service/a/b","PausedAt":1,"Profile":null}\n')
    local ended = run("resume_fleet.lua", {receipt, "--endpoint-url", "us-east-1=http://127.0.0.1:1"})
    assert.equal(1, ended.status)
    for line = 1, 4 do assert.matches((":%d: no entry of a receipt\n"):format(line), ended.err) end
    assert.is_nil(ended.err:find("traceback", 1, true))
  end)

  it("begins nothing where an endpoint is missing, or the receipt is a directory", function()
    local world, receipt = three_regions(), new_receipt()
    local sim = paused(world, receipt)
    append(receipt, '{"ServiceArn":"arn:aws:apprunner:sa-east-1:123456789012:service/a/b","PausedAt":1}\n')
    local ended = run("resume_fleet.lua", joined(world.reach, {receipt, "--concurrency", "1"}))
    assert.equal(2, ended.status)
    assert.matches("^%-%-endpoint%-url: there is none for the region sa%-east%-1\n", ended.err)
    assert.equal("PAUSED", raw.status_of(sim, 1))
    ended = run("resume_fleet.lua", {"/"})
    assert.equal(2, ended.status)
    assert.matches("^/: .*directory\n", ended.err)
  end)
end)

describe("pause_service.lua #hosts #once", function()
  local function pause(options, arn)
    local sim = raw.start(options)
    return run("pause_service.lua", {arn or sim.services[1].ServiceArn},
      {env = {AWS_ENDPOINT_URL_APPRUNNER = sim.endpoint_url}}), sim
  end

  it("ends once the service is paused, with its description, and a line for each look", function()
    local ended, sim = pause {operation_seconds = 0.1}
    assert.equal(0, ended.status, ended.err)
    assert.equal("PAUSED", raw.status_of(sim))
    assert.matches("^ServiceName  storefront\n.*\nStatus       PAUSED\nOperationId  %x+%-", ended.out)
    assert.matches("^   0 s  RUNNING\n   0 s  OPERATION_IN_PROGRESS, operation %S+ begun\n.* PAUSED\n$", ended.err)
  end)

  it("rewrites one line on a terminal", function()
    local sim = raw.start {operation_seconds = 0.1}
    local command = ("%s %s/examples/pause_service.lua %s"):format(
      hosts.interpreter, hosts.root, sim.services[1].ServiceArn)
    local ended = hosts.start(("script -qec %s /dev/null"):format("'\\''" .. command .. "'\\''"):gsub("'\\''", '"'),
      {env = {AWS_ENDPOINT_URL_APPRUNNER = sim.endpoint_url}}):finish()
    assert.equal(0, ended.status, ended.out)
    assert.matches("^\r   0 s  RUNNING\27%[K\r   0 s  OPERATION_IN_PROGRESS.*\r\27%[KServiceName", ended.out)
  end)

  it("fails when the service does not become paused, and says why", function()
    local ended = pause {operation_seconds = 0.1, faults = {{operation = "PauseService", kind = "fail"}}}
    assert.equal(1, ended.status)
    assert.equal("", ended.out)
    assert.matches("OperationFailedError: .*ended as FAILED; the service is RUNNING", ended.err)
  end)
end)

-- Three hundred services ---------------------------------------------------------------------------------------------

-- `make soak` sets APPRUNNER_SOAK: as slow as AWS may be. Otherwise faster, which proves all but the time: the client
-- needs some seconds to find the rate that it is granted.
local scale = os.getenv "APPRUNNER_SOAK"
  and {throttle = {rate = 5, burst = 5}, operation_seconds = 2, interval = false, most_time = 1.3}
  or {throttle = {rate = 150, burst = 30}, operation_seconds = 0.1, interval = "0.25"}

local GROWTH = 16 -- KiB that a service more may cost at the peak of memory
local PEAK_BOUND = 24 * 1024 -- KiB in all

-- Of each ten services in a row eight are to be paused, one of which is; one is protected, and one has another name.
local function fleet_services(prefix, count)
  local rows = {}
  for i = 1, count do
    local kind = i % 10 == 0 and "keep" or i % 10 == 1 and "other" or "shop"
    rows[i] = service(("%s-%s-%03d"):format(prefix, kind, i), i % 10 == 2 and "PAUSED" or "RUNNING")
  end
  return rows
end

-- Three regions of `count` services each, on which others work meanwhile.
local function new_fleet(count)
  local changes = {}
  for i, region in ipairs(REGIONS) do
    changes[region] = {
      services = fleet_services(region:sub(1, 2), count), page_size = 20, throttle = scale.throttle, seed = i,
      operation_seconds = scale.operation_seconds, others = {
        {act = "deploy", mean_seconds = 0.5, seconds = 0.1}, {act = "update", mean_seconds = 1, seconds = 0.1},
        {act = "deploy", mean_seconds = 1, seconds = 0.1, outcome = "ROLLBACK_SUCCEEDED"},
      },
    }
  end
  local fleet = three_regions(changes, scale.interval)
  fleet.count = count
  return fleet
end

-- Writes the peak of the process's memory when it ends.
local PEAK = [[
  local exit = os.exit
  function os.exit(...)
    local status = io.open "/proc/self/status":read "*a"
    io.open(os.getenv "PEAK", "w"):write(status:match "VmHWM:%s*(%d+) kB"):close()
    exit(...)
  end
]]

local function start_fleet(fleet)
  fleet.peak_file = hosts.path("peak." .. fleet.count)
  fleet.program = start("pause_fleet.lua", joined(fleet.all, {
    "--name", "*-shop-*", "--name", "*-keep-*", "--protect", "*-keep-*", "--json",
  }), {patience = 200, env = {LUA_INIT = PEAK, PEAK = fleet.peak_file}})
end

local function sum(counts)
  local total = 0
  for _, count in pairs(counts) do total = total + count end
  return total
end

local function pauses_of(shown)
  local count = 0
  for _, operation in ipairs(shown.operations) do
    if operation.Type == "PAUSE_SERVICE" then count = count + 1 end
  end
  return count
end

-- Each service that is meant has been paused by one operation and is; of the others, none was ever touched.
local function check_region(shown, count)
  assert.equal(count, #shown.services)
  for i, one in ipairs(shown.services) do
    local meant = one.ServiceName:find "%-shop%-"
    assert.equal(meant and i % 10 ~= 2 and 1 or 0, pauses_of(one), one.ServiceName)
    assert.equal(meant ~= nil, one.Status == "PAUSED", one.ServiceName .. " is " .. one.Status)
  end
end

-- Once it has ended: its peak of memory, its requests, and the seconds that throttling made the slowest region need.
local function check_fleet(fleet)
  assert.equal(0, fleet.ended.status, fleet.ended.err)
  fleet.peak = tonumber(hosts.read(fleet.peak_file))
  fleet.needed, fleet.requests, fleet.throttled = 0, 0, 0
  for _, region in ipairs(REGIONS) do
    local shown = assert(fleet.sims[region]:state())
    check_region(shown, fleet.count)
    local requests, throttled = sum(shown.requests), sum(shown.throttled)
    fleet.needed = math.max(fleet.needed, (requests - throttled - scale.throttle.burst) / scale.throttle.rate)
    fleet.requests, fleet.throttled = fleet.requests + requests, fleet.throttled + throttled
  end
end

describe("300 services in three regions that throttle, on which others work #hosts #slow #once", function()
  it("are paused, all that shall be and no other, in flat memory, as fast as the throttling allows", function()
    local fleet, small = new_fleet(100), new_fleet(10)
    start_fleet(fleet)
    start_fleet(small)
    small.ended, fleet.ended = small.program:finish(), fleet.program:finish()
    check_fleet(small)
    check_fleet(fleet)
    assert.equal(3 * 90, #objects(fleet.ended.out))
    assert.is_true(fleet.throttled > 0)
    assert.is_true(fleet.peak <= PEAK_BOUND and fleet.peak - small.peak <= GROWTH * (300 - 30),
      ("the peak is %d KiB, with 30 services %d KiB"):format(fleet.peak, small.peak))
    hosts.note("300 services: %.1f s, of which throttling takes %.1f s; %d requests, %d throttled; peak of memory "
      .. "%d KiB, with 30 services %d KiB", fleet.ended.seconds, fleet.needed, fleet.requests, fleet.throttled,
      fleet.peak, small.peak)
    if scale.most_time then assert.is_true(fleet.ended.seconds <= scale.most_time * fleet.needed) end
  end)
end)

describe("wrong arguments #hosts #once", function()
  for _, case in ipairs {
    {"pause_service.lua", {}, ""}, {"pause_service.lua", {"a", "b"}, ""}, {"pause_service.lua", {"--help"}, ""},
    {"pause_fleet.lua", {}, "which services%?"}, {"pause_fleet.lua", {"--region", "us-east-1"}, "which services%?"},
    {"pause_fleet.lua", {"--nam", "x"}, "unknown option %-%-nam"}, {"pause_fleet.lua", {"-n"}, "unknown option %-n"},
    {"pause_fleet.lua", {"--name"}, "%-%-name needs a value"},
    {"pause_fleet.lua", {"--name", "a", "b"}, "unexpected argument b"},
    {"pause_fleet.lua", {"--name", "a", "--concurrency", "0"}, "%-%-concurrency needs a value: count"},
    {"pause_fleet.lua", {"--name", "a", "--timeout", "-1"}, "%-%-timeout needs a value: seconds"},
    {"pause_fleet.lua", {"--name", "a", "--dry-run=no"}, "%-%-dry%-run takes no value"},
    {"pause_fleet.lua", {"--tag", "env"}, "%-%-tag: expected KEY=VALUE, got env"},
    {"pause_fleet.lua", {"--name", "a", "--protect", "@none"}, "%-%-protect: none: No such file"},
    {"pause_fleet.lua", {"--name", "a", "--region", "us-east-1", "--endpoint-url", "eu-west-1=http://127.0.0.1:9"},
      "%-%-endpoint%-url: there is none for the region us%-east%-1"},
    {"resume_fleet.lua", {}, "expected one receipt"}, {"resume_fleet.lua", {"none"}, "none: No such file"},
  } do
    it(("give the usage and exit status 2: %s %s"):format(case[1], table.concat(case[2], " ")), function()
      local ended = run(case[1], case[2])
      assert.equal(2, ended.status, ended.err)
      assert.equal("", ended.out)
      assert.matches("^" .. case[3] .. ".*usage: lua " .. case[1]:gsub("%.", "%%."), ended.err)
    end)
  end
end)
