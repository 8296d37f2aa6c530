-- usage: oneshot.lua URL [CA]: the shortest program that pauses a service.
local apprunner = require "apprunner"
local client = assert(apprunner.client { endpoint_url = arg[1], ca_bundle = arg[2] })
assert(client:pause_service {
  ServiceArn = "arn:aws:apprunner:us-east-1:123456789012:service/python-app/8fe1e10304f84fd2b0df550fe98a71fa",
})
