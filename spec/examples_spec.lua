-- The examples that need no simulator; `make demo` runs the one that does.

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
