-- Those of the examples that no other spec runs; `make demo` runs pause_service.lua.

local hosts = dofile "spec/support/hosts.lua"

-- Runs examples/whoami.lua in an environment of its own: what it prints, and
-- its exit status.
local function whoami(variables, argument)
  local settings = ("HOME=%s LUA_PATH=%s LUA_CPATH=%s AWS_EC2_METADATA_DISABLED=true"):format(
    hosts.quote(hosts.path "nobody"), hosts.quote(package.path), hosts.quote(hosts.lua_cpath() .. ";;"))
  local command = ("env -i %s %s %s %s %s 2>&1; echo $?"):format(
    settings, variables, hosts.interpreter, hosts.quote(hosts.root .. "/examples/whoami.lua"), argument or "")
  local pipe = assert(io.popen(command))
  local text, status = pipe:read("*a"):match "^(.-)(%d+)\n$"
  pipe:close()
  return text, tonumber(status)
end

describe("whoami.lua #hosts", function()
  it("tells what a call would use and where it was found, but no secret", function()
    local text, status = whoami "AWS_REGION=eu-west-1 AWS_ACCESS_KEY_ID=AKIDEXAMPLE AWS_SECRET_ACCESS_KEY=hidden"
    assert.equal(0, status)
    assert.matches("access_key_id +AKIDEXAMPLE +AWS_ACCESS_KEY_ID\n", text)
    assert.matches("region +eu%-west%-1 +AWS_REGION\n", text)
    assert.matches("endpoint_url +https://apprunner%.eu%-west%-1%.amazonaws%.com +default\n", text)
    assert.is_nil(text:find("hidden", 1, true))
  end)

  it("says what was tried where there are no credentials", function()
    local text, status = whoami ""
    assert.equal(1, status)
    assert.matches("^NoCredentialsError: .*environment: AWS_ACCESS_KEY_ID is not set; profile: there is no", text)
  end)

  it("says that a profile is not there", function()
    local text, status = whoami("", "nobodys")
    assert.equal(1, status)
    assert.equal("ProfileNotFound: The config profile (nobodys) could not be found\n", text)
  end)
end)

describe("cqueues.lua #hosts", function()
  it("pauses services beside each other, while a timer of cqueues goes on", function()
    local sim = assert(require("apprunner.simulator").start {operation_seconds = 0.1})
    local ended = hosts.start(("%s %s/examples/cqueues.lua %s %s"):format(hosts.interpreter, hosts.quote(hosts.root),
      sim.services[1].ServiceArn, sim.services[2].ServiceArn), {env = {AWS_ENDPOINT_URL = sim.endpoint_url}}):finish()
    sim:stop()
    assert.equal(0, ended.status, ended.err)
    for i = 1, 2 do assert.truthy(ended.out:find(sim.services[i].ServiceArn .. "\tPAUSED\n", 1, true), ended.out) end
    assert.matches("^%.%.+$", ended.err)
  end)

  it("has the loop that the README shows", function()
    local loop = hosts.read(hosts.root .. "/examples/cqueues_loop.lua"):match "\n(return function.*)"
    assert.truthy(hosts.read(hosts.root .. "/README.md"):find("```lua\n" .. loop .. "```\n", 1, true))
  end)
end)
