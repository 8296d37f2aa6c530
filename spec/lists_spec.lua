-- each_service and each_operation: lists over all their pages.

local apprunner = require "apprunner"
local programs = require "spec.support.programs"
local world = require "spec.support.world"

after_each(world.restore)

local ARN = "arn:aws:apprunner:us-east-1:123456789012:service/x/0123456789abcdef0123456789abcdef"

local function named(count)
  local rows = {}
  for i = 1, count do rows[i] = { ServiceName = ("service-%03d"):format(i), Status = "RUNNING" } end
  return rows
end

-- A client whose ListServices answers with these bodies in turn; `asked` takes the requests.
local function scripted(bodies, asked)
  return assert(apprunner.client {
    region = "us-east-1", credentials = { access_key_id = "a", secret_access_key = "b" },
    transport = function(request)
      asked[#asked + 1] = request.body
      return { status = 200, body = assert(bodies[#asked], "asked too often") }
    end,
  })
end

local function names_of(client, params)
  local names = {}
  for service in client:each_service(params) do names[#names + 1] = service.ServiceName end
  return names
end

describe("each_service", function()
  it("gives the services of all pages in order, past the empty ones", function()
    local w = world.new { services = named(53), page_size = 5 }
    local names = names_of(w.client)
    assert.equal(53, #names)
    for i, name in ipairs(names) do assert.equal(("service-%03d"):format(i), name) end
    assert.equal(21, w:requests "ListServices")
  end)

  it("passes its parameters on with every page, and changes no table of the caller's", function()
    local w = world.new { services = named(5) }
    local params = { MaxResults = 2 }
    for _ in w.client:each_service(params) do assert.same({ MaxResults = 2 }, params) end
    assert.equal(5, #w.log)
    for _, entry in ipairs(w.log) do assert.equal(2, entry.params.MaxResults) end
  end)

  it("goes on from a token that it is given", function()
    local w = world.new { services = named(4), empty_pages = false }
    local token = assert(w.client:list_services { MaxResults = 2 }).NextToken
    assert.same({ "service-003", "service-004" }, names_of(w.client, { MaxResults = 2, NextToken = token }))
  end)

  it("asks for a page when its first item is wanted, and for none after the loop is left", function()
    local w = world.new { services = named(9), page_size = 3, empty_pages = false }
    local iterator = w.client:each_service()
    assert.equal(0, w:requests())
    for i = 1, 4 do
      assert.equal(("service-%03d"):format(i), iterator().ServiceName)
      assert.equal(i < 4 and 1 or 2, w:requests())
    end
    for service in w.client:each_service() do
      if service.ServiceName == "service-002" then break end
    end
    assert.equal(3, w:requests())
  end)

  it("gives nothing for no services, and nothing after the end", function()
    local w = world.new { services = {} }
    local iterator = w.client:each_service()
    assert.is_nil(iterator())
    assert.is_nil(iterator())
    assert.equal(1, w:requests())
  end)

  it("passes over any number of empty pages, and over a list that is missing", function()
    local bodies, asked = {}, {}
    for i = 1, 500 do bodies[i] = ('{"ServiceSummaryList":[],"NextToken":"t%d"}'):format(i) end
    bodies[250] = '{"NextToken":"missing"}'
    bodies[501] = '{"ServiceSummaryList":[{"ServiceName":"last"}],"NextToken":""}'
    assert.same({ "last" }, names_of(scripted(bodies, asked)))
    assert.equal(501, #asked)
  end)

  it("raises an error for a token that came before, after the items that came with it", function()
    local asked, names = {}, {}
    local client = scripted({
      '{"ServiceSummaryList":[{"ServiceName":"a"}],"NextToken":"one"}',
      '{"ServiceSummaryList":[],"NextToken":"two"}',
      '{"ServiceSummaryList":[{"ServiceName":"b"}],"NextToken":"one"}',
    }, asked)
    local ok, err = pcall(function()
      for service in client:each_service() do names[#names + 1] = service.ServiceName end
    end)
    assert.is_false(ok)
    assert.same({ "response", "ResponseParserError", "ListServices" }, { err.kind, err.code, err.operation })
    assert.matches("NextToken", tostring(err))
    assert.same({ "a", "b" }, names)
    assert.equal(3, #asked)
  end)

  it("counts the token that it was given as one that came", function()
    local client = scripted({ '{"ServiceSummaryList":[],"NextToken":"given"}' }, {})
    local ok, err = pcall(client:each_service { NextToken = "given" })
    assert.same({ false, "ResponseParserError" }, { ok, err.code })
  end)

  it("raises the error object of a page that fails, and ends there", function()
    local w = world.new {
      services = named(6), page_size = 2,
      faults = { { operation = "ListServices", kind = "error", code = "AccessDeniedException", at = 3 } },
    }
    local iterator = w.client:each_service()
    assert.equal("service-001", iterator().ServiceName)
    assert.equal("service-002", iterator().ServiceName)
    local ok, err = pcall(iterator)
    assert.same({ false, "service", "AccessDeniedException", "ListServices" },
      { ok, err.kind, err.code, err.operation })
    assert.is_nil(iterator())
    assert.equal(3, w:requests())
  end)

  it("raises a problem of its parameters where the loop begins", function()
    local w = world.new { services = named(1) }
    local iterator = w.client:each_service { MaxResults = 21, Page = 1 }
    local ok, err = pcall(iterator)
    assert.same({ false, "ParamValidationError", 2 }, { ok, err.code, #err.problems })
    assert.has_error(function() w.client:each_service(5) end,
      "bad parameters of each_service (table expected, got number)")
  end)

  it("raises an error where a page is of a wrong type", function()
    for _, body in ipairs { '{"ServiceSummaryList":[1,{"ServiceName":"a"}]}', '{"ServiceSummaryList":5}' } do
      local ok, err = pcall(names_of, scripted({ body }, {}))
      assert.same({ false, "ResponseParserError" }, { ok, err.code })
    end
  end)

  it("keeps no page that it has given", function()
    local count = 0
    local client = assert(apprunner.client {
      region = "us-east-1", credentials = { access_key_id = "a", secret_access_key = "b" },
      transport = function()
        count = count + 1
        local item = ('{"ServiceName":"%s"}'):format(("x"):rep(1000))
        return {
          status = 200,
          body = ('{"ServiceSummaryList":[%s%s],"NextToken":"t%d"}'):format((item .. ","):rep(19), item, count),
        }
      end,
    })
    local iterator, least, most = client:each_service(), math.huge, 0
    for page = 1, 300 do
      for _ = 1, 20 do iterator() end
      if page > 100 and page % 50 == 0 then
        collectgarbage()
        collectgarbage()
        least, most = math.min(least, collectgarbage "count"), math.max(most, collectgarbage "count")
      end
    end
    assert.is_true(most - least < 100, ("%.0f KiB more"):format(most - least))
  end)
end)

describe("each_operation", function()
  it("gives what was done to a service, newest first, over all pages", function()
    local w = world.of("RUNNING", { operation_seconds = 0, page_size = 2 })
    for _ = 1, 3 do
      w:act "pause"
      w:act "resume"
    end
    local types = {}
    for operation in w.client:each_operation(w.params) do types[#types + 1] = operation.Type end
    assert.same({
      "RESUME_SERVICE", "PAUSE_SERVICE", "RESUME_SERVICE", "PAUSE_SERVICE", "RESUME_SERVICE", "PAUSE_SERVICE",
      "CREATE_SERVICE",
    }, types)
    assert.equal(4, w:requests "ListOperations")
  end)

  it("raises an error without a ServiceArn", function()
    local w = world.of "RUNNING"
    local ok, err = pcall(w.client:each_operation())
    assert.same({ false, "ParamValidationError", "ListOperations" }, { ok, err.code, err.operation })
  end)
end)

describe("a list in a coroutine that a loop drives", function()
  local script = ([[
    local apprunner = require "apprunner"
    local client = assert(apprunner.client { region = "us-east-1",
      credentials = { access_key_id = "a", secret_access_key = "b" },
      transport = function()
        apprunner.sleep(0.01)
        return { status = 200, body = '{"OperationSummaryList":[{"Id":"one"}]}' }
      end })
    apprunner.spawn(function()
      local ok, err = pcall(function()
        for operation in client:each_operation { ServiceArn = "ARN" } do print(operation.Id) end
      end)
      print(ok, err and err.kind, err and err.code)
    end)
    apprunner.run()
  ]]):gsub("ARN", ARN)

  it("waits there, and on PUC Lua 5.1, which cannot, says so", function()
    local puc51 = _VERSION == "Lua 5.1" and not jit
    assert.equal(puc51 and "false\tsettings\tNotYieldableError\n" or "one\ntrue\tnil\tnil\n", programs.run(script))
  end)
end)
