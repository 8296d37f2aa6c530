-- The simulator's lists: services, operations and tags, whole and in pages.

local cjson = require "cjson"
local raw = require "spec.support.simulator_client"

local start, call, by_arn, error_of = raw.start, raw.call, raw.by_arn, raw.error_of

after_each(raw.close_all)

local function named(count)
  local rows = {}
  for i = 1, count do rows[i] = {ServiceName = ("service-%02d"):format(i), Status = "RUNNING"} end
  return rows
end

-- All pages of a list: the sizes, the items, the tokens.
local function pages_of(sim, operation, list, params)
  local sizes, items, tokens = {}, {}, {}
  repeat
    local response = call(sim, operation, params)
    assert.equal(200, response.status, response.body)
    sizes[#sizes + 1] = #response.data[list]
    for _, item in ipairs(response.data[list]) do items[#items + 1] = item end
    params.NextToken = response.data.NextToken
    tokens[#tokens + 1] = params.NextToken
  until not params.NextToken or #sizes > 100
  return sizes, items, tokens
end

local function field(items, name)
  local values = {}
  for i, item in ipairs(items) do values[i] = item[name] end
  return values
end

describe("ListServices", function()
  it("gives all services at once when nobody asks for pages", function()
    local sim = start()
    local response = call(sim, "ListServices", "{}")
    assert.is_nil(response.data.NextToken)
    assert.same({"storefront", "orders-api", "image-worker", "nightly-report"},
      field(response.data.ServiceSummaryList, "ServiceName"))
    for i, summary in ipairs(response.data.ServiceSummaryList) do
      local service = call(sim, "DescribeService", by_arn(sim, i)).data.Service
      for name, value in pairs(summary) do assert.equal(service[name], value) end
      assert.equal("number", type(summary.CreatedAt))
    end
  end)

  it("puts an empty page with a token behind each page but the last", function()
    local sim = start {services = named(5)}
    local sizes, items, tokens = pages_of(sim, "ListServices", "ServiceSummaryList", {MaxResults = 2})
    assert.same({2, 0, 2, 0, 1}, sizes)
    assert.equal("service-05", items[5].ServiceName)
    local seen = {}
    for _, token in ipairs(tokens) do
      assert.is_nil(seen[token])
      seen[token] = true
    end
  end)

  it("has no empty pages when they are switched off, and a page size of its own", function()
    local sim = start {services = named(5), empty_pages = false, page_size = 3}
    assert.same({3, 2}, (pages_of(sim, "ListServices", "ServiceSummaryList", {})))
    assert.same({5}, (pages_of(sim, "ListServices", "ServiceSummaryList", {MaxResults = 20})))
  end)

  it("gives an empty list as [], of services, of tags", function()
    assert.equal('{"ServiceSummaryList":[]}', call(start {services = {}}, "ListServices", "{}").body)
    local sim = start()
    local response = call(sim, "ListTagsForResource", {ResourceArn = sim.services[4].ServiceArn})
    assert.equal('{"Tags":[]}', response.body)
  end)

  it("takes a token for the request that it belongs to, and for no other", function()
    local sim = start {services = named(5)}
    local token = call(sim, "ListServices", {MaxResults = 2}).data.NextToken
    assert.equal(200, call(sim, "ListServices", {MaxResults = 2, NextToken = token}).status)
    local arn = sim.services[1].ServiceArn
    local refused = {
      {"ListServices", {MaxResults = 3, NextToken = token}}, {"ListServices", {NextToken = token}},
      {"ListServices", {MaxResults = 2, NextToken = token .. "A"}}, {"ListServices", {NextToken = "x"}},
      {"ListOperations", {MaxResults = 2, NextToken = token, ServiceArn = arn}},
    }
    for _, case in ipairs(refused) do
      local response = call(sim, case[1], case[2])
      assert.same({"InvalidRequestException", 400}, {error_of(response)})
      assert.matches("NextToken", response.data.Message)
    end
  end)

  it("refuses a page of another size than 1 to 20, and one that is no integer", function()
    local sim = start()
    local response = call(sim, "ListServices", {MaxResults = 0})
    assert.equal("1 validation error detected: Value '0' at 'MaxResults' failed to satisfy constraint: "
      .. "Member must have value greater than or equal to 1", response.data.Message)
    response = call(sim, "ListServices", {MaxResults = 21})
    assert.same({"InvalidRequestException", 400}, {error_of(response)})
    assert.matches("less than or equal to 20$", response.data.Message)
    for _, other in ipairs {"2", 1.5, cjson.decode("{}"), true} do
      assert.same({"SerializationException", 400}, {error_of(call(sim, "ListServices", {MaxResults = other}))})
    end
    response = call(sim, "ListOperations", {MaxResults = 21})
    assert.matches("^2 validation errors detected: .*ServiceArn.*; .*MaxResults", response.data.Message)
  end)
end)

describe("ListOperations", function()
  local function operations(sim, index)
    return call(sim, "ListOperations", by_arn(sim, index)).data.OperationSummaryList
  end

  it("shows a running operation first, and its end", function()
    local sim = start {operation_seconds = 0.3}
    local id = call(sim, "PauseService", by_arn(sim)).data.OperationId
    local running = operations(sim)[1]
    assert.same({id, "PAUSE_SERVICE", "IN_PROGRESS", sim.services[1].ServiceArn},
      {running.Id, running.Type, running.Status, running.TargetArn})
    assert.is_nil(running.EndedAt)
    raw.await(sim, 1, "PAUSED")
    local list = operations(sim)
    assert.same({id, "SUCCEEDED"}, {list[1].Id, list[1].Status})
    assert.is_true(list[1].EndedAt > list[1].StartedAt and list[1].UpdatedAt == list[1].EndedAt)
    assert.same({"CREATE_SERVICE", "SUCCEEDED"}, {list[2].Type, list[2].Status})
    assert.equal(2, #list)
  end)

  it("keeps its place when a new operation comes between two pages", function()
    local sim = start {operation_seconds = 0}
    for _, operation in ipairs {"PauseService", "ResumeService", "PauseService"} do
      assert.equal(200, call(sim, operation, by_arn(sim)).status)
    end
    local before = field(operations(sim), "Id")
    local params = {ServiceArn = sim.services[1].ServiceArn, MaxResults = 2}
    params.NextToken = call(sim, "ListOperations", params).data.NextToken
    assert.equal(200, call(sim, "ResumeService", by_arn(sim)).status)
    local rest = call(sim, "ListOperations", params).data
    assert.same({before[3], before[4]}, field(rest.OperationSummaryList, "Id"))
    assert.is_nil(rest.NextToken)
  end)

  it("knows no service that is not there", function()
    local sim = start()
    local arn = sim.services[1].ServiceArn:gsub("%x$", "x")
    assert.same({"ResourceNotFoundException", 400}, {error_of(call(sim, "ListOperations", {ServiceArn = arn}))})
    assert.same({"ResourceNotFoundException", 400}, {error_of(call(sim, "ListTagsForResource", {ResourceArn = arn}))})
  end)
end)

describe("ListTagsForResource", function()
  it("gives tags that were given as a map or as a list, by their keys", function()
    local sim = start {services = {
      {ServiceName = "with-map", Status = "RUNNING", Tags = {team = "shop", environment = "test", none = ""}},
      {ServiceName = "with-list", Status = "RUNNING", Tags = {{Key = "b", Value = "2"}, {Key = "a", Value = "1"}}},
    }}
    local function tags(index)
      return call(sim, "ListTagsForResource", {ResourceArn = sim.services[index].ServiceArn}).data.Tags
    end
    assert.same({
      {Key = "environment", Value = "test"}, {Key = "none", Value = ""}, {Key = "team", Value = "shop"},
    }, tags(1))
    assert.same({{Key = "a", Value = "1"}, {Key = "b", Value = "2"}}, tags(2))
  end)
end)
