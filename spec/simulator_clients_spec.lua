-- The official clients against the simulator, unchanged but for the endpoint: boto3, the AWS CLI, the JavaScript SDK.
-- Each signs by itself, so what it is answered also proves the module's own signer.

local apprunner = require "apprunner"
local cjson = require "cjson"
local clients = require "spec.support.clients"
local programs = require "spec.support.programs"
local raw = require "spec.support.simulator_client"

local start, output_of, quote, uuid = raw.start, programs.output_of, programs.quote, raw.uuid

after_each(raw.close_all)

-- Members and values that came to the API after 2022, which an older botocore does not know.
local newer = {
  HasAssociatedService = true, IpAddressType = true, IsDefault = true, RuntimeEnvironmentSecrets = true,
  Status = true, UPDATE_SERVICE = true,
}

-- Where what boto3 was answered departs from the model.
local function check_model(report)
  assert.same({}, report.problems)
  for _, name in ipairs(report.unknown) do assert.is_true(newer[name], name) end
end

-- Errors that ListServices answers, one a call, before it works; and whether the API's model has them.
local codes = {
  {"InvalidRequestException", 400, true}, {"InvalidStateException", 400, true},
  {"ResourceNotFoundException", 400, true}, {"ServiceQuotaExceededException", 402, true},
  {"InternalServiceErrorException", 500, true}, {"ThrottlingException", 400}, {"AccessDeniedException", 400},
  {"ExpiredTokenException", 400}, {"ServiceUnavailableException", 503}, {"InternalFailure", 500},
}

local function fault_rows()
  local rows = {}
  for i, case in ipairs(codes) do
    rows[i] = {operation = "ListServices", at = i, kind = "error", code = case[1], message = "On request."}
  end
  return rows
end

-- An environment with the example credentials and nothing of the developer's.
local function environment(sim, more)
  local region = sim.services[1].ServiceArn:match("^arn:aws:apprunner:([^:]+)")
  return table.concat({
    "env -i", "PATH=" .. quote(os.getenv("PATH")), "HOME=/nonexistent", "AWS_CONFIG_FILE=/dev/null",
    "AWS_SHARED_CREDENTIALS_FILE=/dev/null", "AWS_EC2_METADATA_DISABLED=true", "AWS_MAX_ATTEMPTS=1",
    "AWS_ACCESS_KEY_ID=AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
    "AWS_REGION=" .. region, "AWS_DEFAULT_REGION=" .. region, "NODE_NO_WARNINGS=1", more,
  }, " ")
end

local function report_of(command)
  local text = output_of(command .. " 2>&1")
  local ok, report = pcall(cjson.decode, text)
  assert.is_true(ok, text)
  return report
end

local function names(items)
  local list = {}
  for i, item in ipairs(items) do list[i] = item.ServiceName end
  return table.concat(list, " ")
end

local ALL = "storefront orders-api image-worker nightly-report"
local TAGS = {{Key = "environment", Value = "production"}, {Key = "team", Value = "shop"}}

-- One service for each way in which others leave one; the names say which.
local left_by_others = {
  {"rolled-back", "RUNNING", {act = "deploy", outcome = "ROLLBACK_SUCCEEDED"}, "RUNNING", "ROLLBACK_SUCCEEDED"},
  {"not-rolled-back", "RUNNING", {act = "update", outcome = "ROLLBACK_FAILED"}, "RUNNING", "ROLLBACK_FAILED"},
  {"failed-resume", "PAUSED", {act = "resume", outcome = "FAILED"}, "PAUSED", "FAILED"},
  {"paused-by-others", "RUNNING", {act = "pause"}, "PAUSED", "SUCCEEDED"},
  {"being-deployed", "RUNNING", {act = "deploy", seconds = 3600}, "OPERATION_IN_PROGRESS", "IN_PROGRESS"},
  {"maintained", "RUNNING", {act = "maintain", seconds = 3600}, "OPERATION_IN_PROGRESS"},
  {"deleted", "RUNNING", {act = "delete"}, "DELETED", "SUCCEEDED"},
  {"not-deleted", "PAUSED", {act = "delete", outcome = "FAILED"}, "DELETE_FAILED", "FAILED"},
}

local function start_changed()
  local rows, others = {}, {}
  for i, case in ipairs(left_by_others) do
    local row = case[3]
    rows[i] = {ServiceName = case[1], Status = case[2]}
    others[i] = {act = row.act, outcome = row.outcome, seconds = row.seconds, at = 0, ServiceName = case[1]}
  end
  return start {operation_seconds = 0, services = rows, others = others}
end

-- The same by our client: what `boto3_client.py look` reports.
local function look(sim)
  local client = assert(apprunner.client {
    endpoint_url = sim.endpoint_url, region = "us-east-1", credentials = raw.credentials, max_attempts = 1,
  })
  local answers, refused = {}, {}
  local function ask(method, params)
    local out = assert(client[method](client, params))
    out.ResponseMetadata = nil
    answers[#answers + 1] = out
    return out
  end
  ask("list_services", {})
  for _, service in ipairs(sim.services) do
    local params = {ServiceArn = service.ServiceArn}
    local status = ask("describe_service", params).Service.Status
    ask("list_operations", params)
    local _, err
    if status ~= "RUNNING" then _, err = client:pause_service(params) end
    refused[#refused + 1] = err and {Code = err.code, Message = err.message, HTTPStatusCode = err.http_status}
  end
  return {answers = answers, refused = refused}
end

describe("boto3", function()
  it("sees what our client sees of services that others have changed, and it is what they did", function()
    local python, why = clients.boto3()
    if not python then return pending(why) end
    local sim, arns = start_changed(), {}
    local seen = look(sim)
    for i, case in ipairs(left_by_others) do
      local operation = seen.answers[2 * i + 1].OperationSummaryList[1]
      assert.same({case[1], case[4], case[5] or "SUCCEEDED", case[5] == nil}, {
        case[1], seen.answers[2 * i].Service.Status, operation.Status, operation.Type == "CREATE_SERVICE",
      })
      arns[i] = sim.services[i].ServiceArn
    end
    assert.equal("rolled-back not-rolled-back failed-resume paused-by-others being-deployed maintained not-deleted",
      names(seen.answers[1].ServiceSummaryList))
    local report = report_of(("%s %s spec/support/boto3_client.py look %s %s"):format(
      environment(sim), python, sim.endpoint_url, table.concat(arns, " ")))
    check_model(report)
    assert.same(seen.answers, report.answers)
    assert.equal(6, #seen.refused)
    for i, err in ipairs(report.refused) do
      assert.same(seen.refused[i], {Code = err.Code, Message = err.Message, HTTPStatusCode = err.HTTPStatusCode})
      assert.equal("InvalidStateException", err.Code)
    end
  end)

  it("uses everything, and finds the answers true to its model", function()
    local python, lacking = clients.boto3()
    if not python then return pending(lacking) end
    local sim = start {operation_seconds = 0.3, faults = fault_rows()}
    local arn = sim.services[1].ServiceArn
    local report = report_of(("%s %s spec/support/boto3_client.py use %s %s %s %d"):format(
      environment(sim), python, sim.endpoint_url, arn, arn:gsub("%x$", "x"), #codes))
    check_model(report)
    for i, case in ipairs(codes) do
      local seen = report.errors[i]
      assert.same({case[1], case[2], "On request.", case[3] and case[1] or "ClientError"},
        {seen.Code, seen.HTTPStatusCode, seen.Message, seen.Class})
    end
    assert.same({2, 0, 2}, report.services.sizes)
    assert.equal(ALL, names(report.services.items))
    assert.equal("storefront", report.described.Service.ServiceName)
    assert.matches(uuid, report.pause.OperationId)
    assert.same({"OPERATION_IN_PROGRESS", "PAUSED"}, report.pausing)
    assert.same({"InvalidStateException", "InvalidStateException"},
      {report.pause_again.Code, report.pause_again.Class})
    assert.equal("Service cannot be paused in the current state: PAUSED.", report.pause_again.Message)
    assert.matches(uuid, report.pause_again.RequestId)
    assert.same({"OPERATION_IN_PROGRESS", "RUNNING"}, report.resuming)
    assert.same({1, 1, 1}, report.operations.sizes)
    assert.equal(report.resume.OperationId, report.operations.items[1].Id)
    assert.equal(report.pause.OperationId, report.operations.items[2].Id)
    assert.same(TAGS, report.tags)
    assert.same({"ResourceNotFoundException", 400}, {report.absent.Code, report.absent.HTTPStatusCode})
    assert.same({"InvalidRequestException", 400}, {report.malformed.Code, report.malformed.HTTPStatusCode})
    assert.same({"InvalidRequestException", 400}, {report.bad_token.Code, report.bad_token.HTTPStatusCode})
    assert.same({"InvalidSignatureException", 400},
      {report.wrong_secret.Code, report.wrong_secret.HTTPStatusCode})
    assert.same({"UnrecognizedClientException", 400}, {report.wrong_key.Code, report.wrong_key.HTTPStatusCode})
  end)
end)

describe("the AWS CLI #slow", function()
  local aws, lacking = clients.cli()

  -- What the CLI says: its JSON, decoded, or its error as text.
  local function runner(sim)
    return function(arguments, more)
      local text = output_of(("%s %s apprunner %s --endpoint-url %s --output json 2>&1"):format(
        environment(sim, more), aws, arguments, sim.endpoint_url))
      return text:find("^%s*{") and cjson.decode(text) or text
    end
  end

  it("pauses, describes, resumes and lists, to the last page", function()
    if not aws then return pending(lacking) end
    local sim = start {operation_seconds = 0, region = "ap-northeast-1"}
    local run, arn = runner(sim), "--service-arn " .. sim.services[1].ServiceArn
    assert.equal("OPERATION_IN_PROGRESS", run("pause-service " .. arn).Service.Status)
    assert.equal("PAUSED", run("describe-service " .. arn).Service.Status)
    assert.matches("InvalidStateException.*PauseService operation.*: Service cannot be paused",
      run("pause-service " .. arn))
    assert.equal("OPERATION_IN_PROGRESS", run("resume-service " .. arn).Service.Status)
    local operations = run("list-operations " .. arn).OperationSummaryList
    assert.same({"RESUME_SERVICE", "SUCCEEDED"}, {operations[1].Type, operations[1].Status})
    assert.same(TAGS, run("list-tags-for-resource --resource-arn " .. sim.services[1].ServiceArn).Tags)
    local sizes, found, token = {}, {}, nil
    repeat
      local page = run("list-services --max-results 3" .. (token and " --next-token " .. quote(token) or ""))
      sizes[#sizes + 1], token = #page.ServiceSummaryList, page.NextToken
      for _, service in ipairs(page.ServiceSummaryList) do found[#found + 1] = service end
    until not token or #sizes > 10
    assert.same({3, 0, 1}, sizes)
    assert.equal(ALL, names(found))
  end)

  it("shows the code of each error", function()
    if not aws then return pending(lacking) end
    local sim = start {faults = fault_rows()}
    local run = runner(sim)
    for _, case in ipairs(codes) do
      local said = run("list-services")
      assert.is_truthy(said:find(
        ("An error occurred (%s) when calling the ListServices operation"):format(case[1]), 1, true), said)
    end
    assert.matches("InvalidSignatureException", run("list-services", "AWS_SECRET_ACCESS_KEY=other"))
    assert.matches("UnrecognizedClientException", run("list-services", "AWS_ACCESS_KEY_ID=AKIDOTHER"))
    assert.matches("valid region", run("list-services --region eu-west-1"))
  end)
end)

describe("the JavaScript SDK #slow", function()
  it("uses everything, by its own paginators", function()
    local node, lacking = clients.sdk()
    if not node then return pending(lacking) end
    local sim = start {operation_seconds = 0.3, faults = fault_rows()}
    local report = report_of(("%s %s spec/support/aws_sdk_client.mjs %s %s %s %d"):format(
      environment(sim), node, clients.folder, sim.endpoint_url, sim.services[1].ServiceArn, #codes))
    for i, case in ipairs(codes) do
      assert.same({name = case[1], status = case[2], message = "On request.", modelled = true}, report.errors[i])
    end
    assert.same({2, 0, 2}, report.services.sizes)
    assert.equal(ALL, names(report.services.items))
    assert.equal("storefront", report.described.Service.ServiceName)
    assert.matches(uuid, report.pause.OperationId)
    assert.same({"OPERATION_IN_PROGRESS", "PAUSED"}, report.pausing)
    assert.equal("InvalidStateException", report.pauseAgain.name)
    assert.same({"OPERATION_IN_PROGRESS", "RUNNING"}, report.resuming)
    assert.same({1, 1, 1}, report.operations.sizes)
    assert.equal(report.resume.OperationId, report.operations.items[1].Id)
    assert.same(TAGS, report.tags)
    assert.same({"InvalidSignatureException", 400}, {report.wrongSecret.name, report.wrongSecret.status})
    assert.same({"UnrecognizedClientException", 400}, {report.wrongKey.name, report.wrongKey.status})
  end)
end)
