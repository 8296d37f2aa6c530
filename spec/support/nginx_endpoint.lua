-- luacheck: globals ngx
-- An endpoint that answers PauseService at once or late: `waitN` in the service's name is N milliseconds, `failN-CODE`
-- an error with that status. The answer names the service of the request, so that one that goes astray shows. Run by
-- content_by_lua_file.

local ANSWER = [[
{"OperationId":"%s","Service":{"ServiceName":"%s","ServiceId":"0123456789abcdef0123456789abcdef",
"ServiceArn":"%s","ServiceUrl":"psbqam834h.us-east-1.awsapprunner.com","CreatedAt":1600000000.123,
"UpdatedAt":1600000001,"Status":"OPERATION_IN_PROGRESS","SourceConfiguration":{"AutoDeploymentsEnabled":false,
"ImageRepository":{"ImageIdentifier":"public.ecr.aws/aws-containers/hello-app-runner:latest",
"ImageRepositoryType":"ECR_PUBLIC","ImageConfiguration":{"Port":"8000"}}},
"InstanceConfiguration":{"Cpu":"1024","Memory":"2048"},
"HealthCheckConfiguration":{"Protocol":"TCP","Path":"/","Interval":5,"Timeout":2,"HealthyThreshold":1,
"UnhealthyThreshold":5},"AutoScalingConfigurationSummary":{"AutoScalingConfigurationRevision":1},
"NetworkConfiguration":{"EgressConfiguration":{"EgressType":"DEFAULT"},
"IngressConfiguration":{"IsPubliclyAccessible":true}}}}
]]

ngx.req.read_body()
local body = ngx.req.get_body_data() or ""
local arn, name = body:match '"ServiceArn":"(arn:aws:apprunner:[^"]*:service/([^/"]*)/[^"]*)"'
if not arn then
  ngx.status = 400
  ngx.print '{"__type":"InvalidRequestException","Message":"no ServiceArn"}'
  return
end
ngx.header["X-Service"] = name -- for the access log
local wait = name:match "wait(%d+)"
if wait then
  ngx.log(ngx.NOTICE, "waiting for ", name)
  ngx.sleep(tonumber(wait) / 1000)
end
local status, code = name:match "fail(%d+)%-(%w+)"
if status then
  ngx.status = tonumber(status)
  ngx.print('{"__type":"', code, '","Message":"as asked for"}')
  return
end
local answer = ANSWER:format(ngx.md5(arn), name, arn)
ngx.header["Content-Type"] = "application/x-amz-json-1.0"
ngx.header["Content-Length"] = #answer
ngx.header["x-amzn-RequestId"] = ngx.md5(arn)
ngx.print(answer)
