-- What a client finds, region, endpoint, keys and where they come from, against what botocore finds in the same
-- environment: generated cases of variables, files and arguments, valid, odd and broken, each side in a home directory
-- of its own (spec/support/botocore_cases.py makes them, botocore_oracle.py runs both sides).
--
-- BOTOCORE_SEED=N makes other cases. BOTOCORE_PYTHON names a Python with another botocore.
--
-- Where we decided otherwise than botocore, botocore is given what makes both agree (an empty variable is unset for it,
-- AWS_DEFAULT_REGION is AWS_REGION, AWS_DEFAULT_PROFILE is AWS_PROFILE, a missing profile of the environment is an
-- empty one: botocore_oracle.py, "What is set for botocore"), or the difference is one of the table below. And without
-- a region botocore refuses to make a client, while ours may find it in the ARN of a call: the region is then nil.

local cjson = require "cjson"
local programs = require "spec.support.programs"

local seed = os.getenv "BOTOCORE_SEED" or "1"
local python = os.getenv "BOTOCORE_PYTHON" or programs.python

-- What is meant to differ: why, and what botocore finds. A case names its difference, and what we find.
local differences = {
  ["comments after values"] = {
    why = "a comment may follow a value; botocore takes it for a part of the value",
    botocore = { code = "InvalidEndpointError" },
  },
  duplicates = {
    why = "sections and keys that stand twice are merged, the last one wins; botocore refuses the file",
    botocore = { code = "ConfigParseError" },
  },
  colons = {
    why = "only an equals sign separates; botocore takes a colon too",
    botocore = { region = "eu-west-1", access_key_id = "AKIDDEV" },
  },
  indentation = {
    why = "an indented line continues something, even a comment does; botocore takes it as if it were not indented",
    botocore = { region = "eu-west-1", access_key_id = "AKIDDEV" },
  },
  ["blanks before a prefix"] = {
    why = "a header is trimmed; botocore takes it for another section",
    botocore = { code = "ProfileNotFound" },
  },
  ["illegal names"] = {
    why = "a section with an illegal name is ignored; botocore splits headers as a shell does",
    botocore = { region = "eu-west-1", access_key_id = "AKIDDEV" },
  },
  ["two default profiles"] = {
    why = "[profile default] replaces [default] wherever it stands; in botocore the last one wins",
    botocore = { code = "NoCredentialsError" },
  },
  ["keys that two files share"] = {
    why = "a profile is what both files say of it; botocore looks for keys in each alone",
    botocore = { code = "PartialCredentialsError" },
  },
  ["a secret without an id"] = {
    why = "half a pair of keys is an error, whichever half; botocore goes on where the id is missing",
    botocore = { code = "NoCredentialsError" },
  },
  booleans = {
    why = "a boolean is true or false, all else is an error; in botocore all else is false",
    botocore = {},
  },
  ["variants of a custom endpoint"] = {
    why = "the endpoint rules refuse FIPS and dual stack with a custom endpoint; botocore ignores them",
    botocore = { endpoint_url = "https://example.com" },
  },
  ["web identity in the environment"] = {
    why = "it comes after all that a profile says; in botocore after roles alone",
    botocore = { access_key_id = "ASIAwebWithTOKEN", provider = "web_identity" },
  },
  ["web identity of profile and environment"] = {
    why = "the environment and a profile are two sources, which are not mixed; botocore takes each key from either",
    botocore = { access_key_id = "ASIAwebWithTOKEN", provider = "web_identity" },
  },
  ["process before keys"] = {
    why = "a process comes before static keys; in botocore after those of the credentials file",
    botocore = { access_key_id = "AKIDCREDENTIALS", provider = "profile" },
  },
  ["instance metadata of version 1"] = {
    why = "version 1 is never used; botocore falls back to it",
    botocore = { access_key_id = "ASIAINSTANCE", provider = "imds" },
  },
}

-- Comparison ---------------------------------------------------------------------------------------------------------

local function contains(list, value)
  for _, item in ipairs(list or {}) do
    if item == value then return true end
  end
  return false
end

-- A root path is the same whether or not it is written.
local function plain_url(url) return url and (url:gsub("/$", "")) end

local function listed(codes) return codes and table.concat(codes, " or ") or "no error" end

-- What is not the same, in words; nil where all is.
local function disagreement(theirs, ours)
  if ours.crashed then return "crashed: " .. ours.crashed end
  if theirs.crashed then return "botocore: " .. theirs.crashed end
  if ours.code or theirs.codes then
    if not contains(theirs.codes, ours.code) then
      return ("expected %s, got %s"):format(listed(theirs.codes), ours.code or "no error")
    end
    if ours.kind ~= "settings" and ours.kind ~= "credentials" then return "of kind " .. tostring(ours.kind) end
    return nil
  end
  local endpoint = plain_url(theirs.no_region and ours.endpoint_url or theirs.endpoint_url)
  for _, pair in ipairs {
    { "region", theirs.region, ours.region }, { "endpoint_url", endpoint, plain_url(ours.endpoint_url) },
    { "access_key_id", theirs.access_key_id, ours.access_key_id }, { "provider", theirs.provider, ours.provider },
  } do
    if pair[2] ~= pair[3] then
      return ("%s: expected %s, got %s"):format(pair[1], tostring(pair[2]), tostring(pair[3]))
    end
  end
end

-- Whether a finding is as stated; what is not stated may be anything, but an error.
local function is_as_stated(stated, finding)
  local found = {
    code = finding.code or (finding.codes or {})[1], region = finding.region, access_key_id = finding.access_key_id,
    provider = finding.provider, endpoint_url = plain_url(finding.endpoint_url),
  }
  for name, value in pairs(stated) do
    if found[name] ~= value then return false end
  end
  return found.code == stated.code and not finding.crashed
end

-- A case for a reader ------------------------------------------------------------------------------------------------

local function sorted_lines(map, form)
  local lines = {}
  for name, value in pairs(map) do lines[#lines + 1] = form:format(name, value) end
  table.sort(lines)
  return table.concat(lines)
end

local function shown(number, run)
  local case = run.case
  return table.concat {
    "\narguments: ", cjson.encode(case.arguments), "\n", sorted_lines(case.environment, "%s=%s\n"),
    sorted_lines(case.files, "--- %s\n%s\n"), "---\nbotocore: ", cjson.encode(run.botocore), "\nours: ",
    cjson.encode(run.ours), "\nTo replay: ", python, " spec/support/botocore_cases.py ", seed, " | sed -n ", number,
    "p | ", python, " spec/support/botocore_oracle.py ", programs.interpreter, " spec/support/resolve.lua\n",
  }
end

-- Cases --------------------------------------------------------------------------------------------------------------

local generated = programs.output_of(("%s spec/support/botocore_cases.py %s"):format(python, programs.quote(seed)))

local function decoded_lines(text)
  local list = {}
  for line in text:gmatch "[^\n]+" do list[#list + 1] = cjson.decode(line) end
  return list
end

-- Both sides, over all cases.
local function run_all()
  local paths = ("package.path, package.cpath = %q, %q"):format(package.path, package.cpath)
  return decoded_lines(programs.filter(("%s spec/support/botocore_oracle.py %s -e %s spec/support/resolve.lua"):format(
    python, programs.interpreter, programs.quote(paths)), generated))
end

-- The features in the order of their first case, each with the numbers of its cases.
local function by_feature(cases)
  local features, at = {}, {}
  for number, case in ipairs(cases) do
    local feature = at[case.feature]
    if not feature then
      feature = { name = case.feature, numbers = {} }
      at[case.feature], features[#features + 1] = feature, feature
    end
    table.insert(feature.numbers, number)
  end
  return features
end

describe("client:resolve beside botocore #slow #once", function()
  local cases = decoded_lines(generated)
  local runs

  setup(function() runs = run_all() end)

  local function check(number)
    local run, case = assert(runs[number], "botocore_oracle.py ended early"), cases[number]
    local difference = differences[case.difference]
    if not difference then
      local what = disagreement(run.botocore, run.ours)
      assert(not what, what and what .. shown(number, run))
    else
      local told = ("%s; that is not so%s"):format(difference.why, shown(number, run))
      assert(is_as_stated(difference.botocore, run.botocore), "of botocore: " .. told)
      assert(is_as_stated(case.ours, run.ours), "of ours: " .. told)
      assert(disagreement(run.botocore, run.ours), "both are the same: " .. told)
    end
  end

  it("is compared in full in 500 cases and more", function()
    local full = 0
    for _, case in ipairs(cases) do
      if not case.difference then full = full + 1 end
    end
    assert.is_true(full >= 500, full .. " cases")
    assert.equal(#cases, #runs)
  end)

  it("differs in all that is meant to differ, and in nothing else", function()
    local met = {}
    for _, case in ipairs(cases) do
      if case.difference then met[case.difference] = true end
    end
    for name in pairs(differences) do assert.is_true(met[name], name .. " is not in any case") end
    for name in pairs(met) do assert.is_table(differences[name], name .. " is not in the table") end
  end)

  for _, feature in ipairs(by_feature(cases)) do
    describe(feature.name, function()
      for _, number in ipairs(feature.numbers) do
        it(cases[number].name, function() check(number) end)
      end
    end)
  end
end)
