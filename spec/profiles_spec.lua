-- apprunner.profiles against the cross-SDK test suites of the shared files (their grammar, and where they are), and
-- cases of our own.

local apprunner = require "apprunner"
local cjson = require "cjson"
local programs = require "spec.support.programs"

local reference = (os.getenv "APPRUNNER_REFERENCE" or "../shared/reference") .. "/config/"

-- The cases of a suite, or nil where it is absent.
local function cases_of(name)
  local text = programs.read(reference .. name)
  local suite = text and cjson.decode(text)
  return suite and (suite.tests or suite)
end

local function skip() return pending("the reference data is not there: " .. reference) end

-- What files with these texts hold; without a text there is no file.
local function read(config, credentials)
  local options, written = {}, {}
  for name, text in pairs { config_file = config or false, credentials_file = credentials or false } do
    options[name] = "/nonexistent/" .. name
    if text then
      options[name] = programs.temporary(text)
      written[#written + 1] = options[name]
    end
  end
  local sections, err = apprunner.profiles(options)
  for _, path in ipairs(written) do os.remove(path) end
  return sections, err, options
end

local function default_of(config) return assert(read(config)).profiles.default end

-- The suite's raw text of a nested block, as the table that it stands for.
local function as_table(value)
  if type(value) ~= "string" or value:sub(1, 1) ~= "\n" then return value end
  local block = {}
  for name, text in value:gmatch "\n([^\n]-)%s*=%s*([^\n]*)" do block[name] = text end
  return block
end

local function sections_of(expected)
  local sections = {}
  for name, properties in pairs(expected or {}) do
    sections[name] = {}
    for key, value in pairs(properties) do sections[name][key] = as_table(value) end
  end
  return sections
end

describe("the grammar's suite", function()
  local cases = cases_of "profile-parser-tests.json"
  if not cases then
    it("is read", skip)
    return
  end
  for _, case in ipairs(cases) do
    it("says: " .. case.name, function()
      local sections, err = read(case.input.configFile, case.input.credentialsFile)
      if case.output.errorContaining then
        assert.is_nil(sections)
        assert.equal("ConfigParseError", err.code)
        assert.is_truthy(err.message:find(case.output.errorContaining, 1, true), err.message)
      else
        assert(sections, err)
        assert.same(sections_of(case.output.config.profiles), sections.profiles)
        assert.same(sections_of(case.output.config.sso_sessions), sections.sso_sessions)
      end
    end)
  end
end)

-- Where the files are -------------------------------------------------------------------------------------------------

local PRINT = [[
local sections, err = require "apprunner".profiles()
print(sections and (sections.profiles.default or {}).from or err)
]]

-- Whether a child with these variables reads the file at `path`, which has this header. Absolute paths stand for paths
-- below a new folder.
local function is_read_at(path, header, environment)
  local root = programs.output_of("mktemp -d"):match "[^\n]+"
  local variables = { HOME = "", AWS_CONFIG_FILE = "", AWS_SHARED_CREDENTIALS_FILE = "" }
  for name, value in pairs(environment) do variables[name] = value:sub(1, 1) == "/" and root .. value or value end
  assert(os.execute("mkdir -p " .. programs.quote(root .. path:match "^(.*)/")))
  local file = assert(io.open(root .. path, "wb"))
  file:write(header, "\nfrom = here\n")
  file:close()
  local printed = programs.run(PRINT, variables)
  os.execute("rm -r " .. programs.quote(root))
  return printed == "here\n", printed
end

describe("the suite of locations", function()
  local cases = cases_of "file-location-tests.json"
  if not cases then
    it("is read", skip)
    return
  end
  for _, case in ipairs(cases) do
    if case.platform ~= "windows" then
      it("says: " .. case.name, function()
        assert(is_read_at(case.configLocation, "[profile default]", case.environment))
        assert(is_read_at(case.credentialsLocation, "[default]", case.environment))
      end)
    end
  end
end)

describe("a shared file", function()
  it("is found in the home that a tilde stands for", function()
    local environment = { HOME = "/home", AWS_CONFIG_FILE = "~/other/config" }
    assert(is_read_at("/home/other/config", "[default]", environment))
  end)

  it("is empty where it is missing", function()
    assert.same({ profiles = {}, sso_sessions = {}, services = {} }, (read()))
  end)

  it("that is a directory is an error that names it", function()
    local sections, err = apprunner.profiles { config_file = "/", credentials_file = "/nonexistent" }
    assert.is_nil(sections)
    assert.equal("ConfigParseError", err.code)
    assert.equal("settings", err.kind)
    assert.equal("/: is a directory", err.message:lower())
  end)

  it("that may not be read is an error that names it", function()
    local path = programs.temporary "[default]"
    os.execute("chmod 0 " .. path)
    local file = io.open(path)
    if file then
      file:close()
      os.remove(path)
      return pending "this user may read everything"
    end
    local sections, err = apprunner.profiles { config_file = "/nonexistent", credentials_file = path }
    os.remove(path)
    assert.is_nil(sections)
    assert.equal("ConfigParseError", err.code)
    assert.equal(path .. ": Permission denied", err.message)
  end)

  local errors = {
    { "[default]\n\nkey : value", 3, "Expected an '=' sign defining a property" },
    { "name = value", 1, "Expected a profile definition" },
    { "# x\n[profile a", 2, "Profile definition must end with ']'" },
    { "[profile a#b]", 1, "Profile definition must end with ']'" },
    { "[default]\n= value", 2, "Property did not have a name" },
    { "[default]\n[default]\n value", 3, "Expected a property definition, found continuation" },
    { "[default]\r\ns3 =\r\n\r\n a = b\r\n c\r\n", 5, "Expected an '=' sign defining a sub-property" },
    { "[default]\ns3 =\n = b", 3, "Sub-property did not have a name" },
    { "[default]\na = b\0c", 2, "Unexpected NUL byte" },
    { "\239\187\191[default]", 1, "Expected a profile definition" },
  }
  for _, case in ipairs(errors) do
    it(("that holds %q is an error of line %d"):format(case[1], case[2]), function()
      local sections, err, options = read(nil, case[1])
      assert.is_nil(sections)
      assert.equal("ConfigParseError", err.code)
      assert.equal(("%s: line %d: %s"):format(options.credentials_file, case[2], case[3]), err.message)
    end)
  end

  it("with an error makes both unusable", function()
    local sections, err, options = read("[default]\nx", "[default]\na = b")
    assert.is_nil(sections)
    assert.is_truthy(err.message:find(options.config_file .. ": line 2: ", 1, true), err.message)
  end)

  it("that is larger than 16 MiB is refused", function()
    local sections, err, options = read(("# a comment of thirty-two bytes.\n"):rep(520000))
    assert.is_nil(sections)
    assert.equal("ConfigParseError", err.code)
    assert.equal(options.config_file .. ": larger than 16777216 bytes", err.message)
  end)

  it("of ten thousand profiles is read", function()
    local lines = {}
    for n = 1, 10000 do lines[n] = ("[profile p%d]\nregion = r%d\noutput = json\n"):format(n, n) end
    local profiles = assert(read(table.concat(lines))).profiles
    assert.same({ region = "r7777", output = "json" }, profiles.p7777)
  end)
end)

-- What is in them -----------------------------------------------------------------------------------------------------

describe("apprunner.profiles", function()
  it("gives sections by kind", function()
    local sections = assert(read("[default]\na = 1\n[profile x]\n[sso-session x]\nb = 2\n[services x]\nc = 3",
      "[default]\nd = 4\n[sso-session y]\n[services z]"))
    assert.same({
      profiles = { default = { a = "1", d = "4" }, x = {} },
      sso_sessions = { x = { b = "2" } },
      services = { x = { c = "3" } },
    }, sections)
  end)

  it("gives the newest value, and the credentials file's before the other's", function()
    local sections = assert(read("[default]\nA = 1\nb = 1\na = 2\n[default]\nb = 3", "[default]\nB = 4\nb = 5"))
    assert.same({ a = "2", b = "5" }, sections.profiles.default)
  end)

  it("drops [default] where [profile default] is, whatever the order", function()
    assert.same({ b = "2" }, default_of "[default]\na = 1\n[profile default]\nb = 2")
    assert.same({ b = "2" }, default_of "[profile default]\nb = 2\n[default]\na = 1")
  end)

  it("gives values to the letter", function()
    assert.same({ a = "\255 \"x\" b#c; d", c = "", d = "1\n2 # 3\n# 4" },
      default_of "[default]\na = \255 \"x\" b#c; d ; e\nC = # x\nd = 1 # 0\n 2 # 3\n\t# 4\n")
  end)

  it("gives nested blocks as tables", function()
    local sections = assert(read [[
[profile x]
services = local
s3 =
  Max_Concurrent = 20
  addressing =
  Max_Concurrent = 30

[services local]
apprunner =
  endpoint_url = http://127.0.0.1:8000/?a=b
empty =]])
    assert.same({ services = "local", s3 = { Max_Concurrent = "30", addressing = "" } }, sections.profiles.x)
    assert.same({ apprunner = { endpoint_url = "http://127.0.0.1:8000/?a=b" }, empty = "" }, sections.services["local"])
  end)

  it("hides what may be a secret", function()
    local secret = "hush"
    for _, name in ipairs {
      "aws_secret_access_key", "AWS_Secret_Access_Key", "aws_session_token", "aws_security_token", "aws_secret_key",
      "secret_access_key", "session_token", "client_secret", "password",
    } do
      assert.same({ [name:lower()] = "***" }, default_of(("[default]\n%s = %s"):format(name, secret)))
      assert.same({ [name:lower()] = "***" }, default_of(("[default]\n%s = %s\n %s"):format(name, secret, secret)))
      assert.same({ [name:lower()] = "***" }, default_of(("[default]\n%s =\n a = %s"):format(name, secret)))
      assert.same({ x = { [name] = "***" } }, default_of(("[default]\nx =\n %s = %s"):format(name, secret)))
    end
  end)

  it("shows what is none, and that a secret is empty", function()
    local shown = {
      aws_access_key_id = "AKIDEXAMPLE", credential_process = "/bin/x --secret", web_identity_token_file = "/t",
      sso_start_url = "https://x", external_id = "e", aws_secret_access_key = "", role_session_name = "n",
    }
    local lines = { "[default]" }
    for name, value in pairs(shown) do lines[#lines + 1] = name .. " = " .. value end
    assert.same(shown, default_of(table.concat(lines, "\n")))
  end)

  it("refuses options of the wrong type", function()
    for _, name in ipairs { "config_file", "credentials_file" } do
      for _, value in ipairs { 1, true, {}, "a\0b", "a\nb" } do
        local sections, err = apprunner.profiles { [name] = value }
        assert.is_nil(sections)
        assert.equal("InvalidConfigError", err.code)
        assert.is_truthy(err.message:find("^" .. name .. ": expected "), err.message)
      end
    end
  end)

  it("refuses options that there are not, and names what is alike", function()
    local sections, err = apprunner.profiles { configfile = "/nonexistent" }
    assert.is_nil(sections)
    assert.equal("validation", err.kind)
    assert.same({ "unknown option configfile (did you mean config_file?)" }, err.problems)
  end)

  it("raises an error where the options are no table", function()
    for _, value in ipairs { 1, "path", true } do
      assert.has_error(function() apprunner.profiles(value) end)
    end
  end)
end)
