-- The plugin of examples/neovim, installed as any other, in editors that speak to the simulator: one without a screen,
-- whose buffers and messages are looked at; one in a terminal, whose screen is; one that is left in the middle of its
-- calls; one that lacks the module. They run beside each other.

local hosts = dofile "spec/support/hosts.lua"
local simulator = require "apprunner.simulator"

local SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" -- what hosts.lua gives every program

-- Before every script: notifications are kept, and lines of the buffer that is looked at.
local BEGIN = [[
  local said, told = {}, {}
  vim.g.apprunner = {wait = {interval = 0.05}}
  vim.notify = function(text, level, options)
    said[#said + 1] = {text = text, level = level, fast = vim.in_fast_event(), replace = options.replace}
    return #said
  end
  local function lines() return vim.api.nvim_buf_get_lines(0, 0, -1, false) end
  local function text() return table.concat(lines(), "\n") end
  local function wait(what, condition) assert(vim.wait(10000, condition, 2), "waited in vain for " .. what) end
  local function wait_said(pattern)
    wait(pattern, function() return said[1] and said[#said].text:find(pattern) end)
    local since = said
    said = {}
    return since
  end
  local function wait_line(pattern) wait(pattern, function() return text():find(pattern) end) end
  local function complete(line) return vim.fn.getcompletion(line, "cmdline") end
]]

local DRIVEN = BEGIN .. [[
  told.at_start = vim.g.at_start
  told.subcommands = complete "AppRunner "
  told.regions = complete "AppRunner list eu-west-"
  told.nothing_else = complete "AppRunner list eu-west-1 "
  told.names_first = complete "AppRunner pause "
  wait("names", function() return #complete "AppRunner pause " > 0 end)
  told.names = complete "AppRunner! pause "
  told.abbreviated = complete "AppR describe st"
  told.region_of_name = complete "AppRunner resume storefront us-w"

  vim.cmd "AppRunner list"
  told.asking = lines()
  wait_line "storefront"
  told.listed, told.cursor = lines(), vim.fn.line "."
  local list = vim.fn.bufnr()

  local questions, answer = {}, 2
  vim.fn.confirm = function(question, choices, default)
    questions[#questions + 1] = {question = question, choices = choices, default = default}
    return answer
  end
  vim.cmd "AppRunner pause storefront"
  told.declined = #said
  answer = 1
  local statuses = {}
  local notify = vim.notify
  vim.notify = function(...)
    statuses[text():match "storefront +(%S+)"] = true
    return notify(...)
  end
  vim.cmd "AppRunner pause storefront"
  told.pausing, told.statuses = wait_said "storefront is", statuses
  vim.notify = notify
  vim.cmd "AppRunner! pause storefront us-east-1"
  told.again = wait_said "storefront was"
  vim.cmd "AppRunner resume storefront"
  told.resuming = wait_said "storefront is"
  told.questions = questions

  local function press(keys)
    vim.api.nvim_feedkeys(vim.api.nvim_replace_termcodes(keys, true, true, true), "x", false)
  end
  press "4Gr"
  told.pressed_r = wait_said "nightly%-report is"
  press "3Gp"
  told.pressed_p = wait_said "image%-worker is"
  told.question_of_p = table.remove(questions).question
  told.changed = lines()
  vim.fn.win_gotoid(vim.fn.bufwinid(list))
  vim.bo.modifiable = true
  vim.fn.setline(3, "")
  press "1GprR"
  wait_line "image%-worker"
  told.pressed_nowhere = #said
  press "3G<CR>"
  told.description = vim.fn.bufname()
  wait_line "ServiceUrl"
  told.described = text()
  told.split = #vim.api.nvim_list_wins()

  vim.cmd "tab AppRunner describe orders-api"
  wait_line "Denied"
  told.tab, told.denied = vim.fn.tabpagenr(), wait_said "orders%-api"
  vim.cmd "AppRunner! pause orders-api"
  told.not_paused = wait_said "orders%-api: %w+Exc"
  vim.cmd "AppRunner resume nobody"
  told.not_there = wait_said "nobody: there"
  vim.cmd "AppRunner! pause old-report"
  wait_said "old%-report: there is no such service in this region"
  for _, words in ipairs {"frob", "pause", "pause one us-east-1 two", "list one two"} do
    vim.cmd("AppRunner " .. words)
  end
  told.misuse, said = said, {}

  vim.cmd("AppRunner list | bdelete " .. list)
  vim.cmd "AppRunner list"
  wait_line "storefront"
  told.opened_anew = vim.fn.bufnr() ~= list
  vim.g.apprunner = {profile = "nobodys"}
  vim.cmd "AppRunner list"
  told.settings = wait_said "list"
  vim.cmd "checkhealth apprunner"
  told.unhealthy = text()
  vim.g.apprunner = {region = "us-east-1"}
  vim.cmd "checkhealth apprunner"
  told.healthy = text()
  -- The names of Neovim 0.8 and newer alone.
  local report, new = {}, {}
  for _, name in ipairs {"start", "ok", "info", "error"} do
    new[name] = function(line) report[#report + 1] = name .. " " .. line end
  end
  vim.health, package.loaded["apprunner.health"] = new, nil
  require("apprunner.health").check()
  told.newer = table.concat(report, "\n")

  local site = vim.env.HOME .. "/.local/share/nvim/site/pack/aws/start/apprunner/doc"
  vim.cmd("helptags " .. site)
  told.tags, told.help = {}, {}
  for tag in io.lines(site .. "/tags") do
    tag = tag:match "^[^\t]+"
    vim.cmd("help " .. tag)
    told.tags[#told.tags + 1], told.help[vim.fn.expand "%:t"] = tag, true
  end
  for tag in text():gmatch "|(%S-)|" do vim.cmd("help " .. tag) end
  told.messages = vim.api.nvim_exec("messages", true)
  child.tell(told)
  child.quit()
]]

-- Both a call and a wait between two looks are under way when it ends.
local LEFT = BEGIN .. [[
  vim.g.apprunner = {wait = {interval = 100}}
  vim.cmd "AppRunner resume nightly-report"
  wait_said "OPERATION_IN_PROGRESS"
  vim.cmd "AppRunner! pause storefront"
  wait("a call", function() return said[1] and said[#said].text:find "storefront: RUNNING" end)
  wait("its exchange", function() return child.stats().in_flight == 1 end)
  told.module = debug.getinfo(child.apprunner.client, "S").source
  told.core = package.loaded["apprunner.core"] ~= nil
  child.tell(told)
  child.quit "LEAVE"
]]

local ON_SCREEN = BEGIN .. [[
  vim.o.columns, vim.o.lines = 88, 16
  vim.cmd "enew"
  local terminal = vim.fn.bufnr()
  local editor = vim.fn.termopen {
    "nvim", "-u", "NORC", "-i", "NONE", "-n", "--cmd", "let g:apprunner = {'wait': {'interval': 0.05}}",
  }
  local function screen() return table.concat(vim.api.nvim_buf_get_lines(terminal, 0, -1, false), "\n") end
  local function type_in(keys) vim.fn.chansend(editor, keys) end
  -- The screen once it shows all of these at the same time.
  local function see(...)
    local patterns, shown = {...}, nil
    local function shows(pattern) return shown:find(pattern) end
    local seen = vim.wait(10000, function()
      shown = screen()
      return #vim.tbl_filter(shows, patterns) == #patterns
    end, 2)
    if not seen then error(("waited in vain for %s\n%s"):format(table.concat(patterns, ", "), shown)) end
    return shown
  end
  see "No Name"
  type_in ":AppRunner list\r"
  see "storefront +RUNNING"
  type_in ":AppRunner pause storefront\r"
  told.question = see "%[L%]eave it"
  type_in "p"
  told.progress = see("storefront +OPERATION_IN_PROGRESS", "storefront: OPERATION_IN_PROGRESS")
  told.outcome = see("storefront +PAUSED", "storefront is PAUSED")
  type_in ":qa\r"
  told.status = vim.fn.jobwait({editor}, 10000)[1]
  child.tell(told)
  child.quit()
]]

local function site(name) return hosts.path(name .. "/nvim/site/pack/aws/start") end

local function install(name)
  local folder = site(name) .. "/apprunner"
  hosts.shell(("mkdir -p %s && cp -r examples/neovim/. %s && rm -f %s/doc/tags"):format(folder, folder, folder))
  return folder
end

describe("the Neovim plugin #hosts #once", function()
  local sims, driven, left, on_screen, bare = {}, {}, {}, nil, nil

  local function simulate(options)
    options.seed = 1
    local sim = assert(simulator.start(options))
    sims[#sims + 1] = sim
    return {AWS_ENDPOINT_URL_APPRUNNER = sim.endpoint_url, AWS_REGION = "us-east-1", TERM = "xterm-256color"}
  end

  local function services(...)
    local rows = {}
    for i, row in ipairs {...} do rows[i] = {ServiceName = row[1], Status = row[2], error = row[3]} end
    return rows
  end

  setup(function()
    install ".local/share"
    driven.env = simulate {operation_seconds = 0.2, services = services(
      {"storefront", "RUNNING"}, {"orders-api", "RUNNING", "AccessDeniedException"}, {"image-worker", "RUNNING"},
      {"nightly-report", "PAUSED"}, {"old-report", "DELETED"})}
    driven.script = hosts.start_nvim(DRIVEN, {env = driven.env,
      arguments = "-u NORC -c " .. hosts.quote [[lua vim.g.at_start = vim.tbl_filter(
        function(name) return name:find "apprunner" end, vim.tbl_keys(package.loaded))]]})
    on_screen = hosts.start_nvim(ON_SCREEN, {env = simulate {operation_seconds = 0.8}})
    -- The second way of the help file: the module in the plugin's own folder.
    local folder = install "other"
    hosts.shell(("make -s install LUA=luajit LUADIR=%s/lua LIBDIR=%s/lua 2>&1"):format(folder, folder))
    left.folder = folder
    for i, command in ipairs {"qa!", "cq 0"} do
      local env = simulate {operation_seconds = 60,
        faults = {{kind = "delay", operation = "PauseService", seconds = 60}}}
      env.XDG_DATA_HOME = hosts.path "other"
      env.LUA_PATH, env.LUA_CPATH = hosts.root .. "/spec/support/?.lua;;", ";;"
      left[i] = {script = hosts.start_nvim((LEFT:gsub("LEAVE", command)), {arguments = "-u NORC", env = env})}
    end
    bare = hosts.start(("nvim --headless -u NORC -i NONE -n -c %s -c %s -c %s -c qa!"):format(
      hosts.quote "AppRunner list", hosts.quote "checkhealth apprunner", hosts.quote("write " .. hosts.path "health")),
      {env = {LUA_PATH = ";;", LUA_CPATH = ";;"}})
    for _, run in ipairs(left) do run.told, run.ended = run.script:finish() end
    driven.told, driven.ended = driven.script:finish()
  end)

  teardown(function()
    for _, sim in ipairs(sims) do sim:stop() end
    hosts.clear()
  end)

  local function texts(said)
    local list = {}
    for i, entry in ipairs(said) do list[i] = entry.text:gsub("%d+ s$", "0 s") end
    return list
  end

  it("has loaded nothing before it is used", function()
    assert.same({}, driven.told.at_start)
  end)

  it("completes subcommands, regions and names, and never waits for a list", function()
    local told = driven.told
    assert.same({"describe", "list", "pause", "resume"}, told.subcommands)
    assert.same({"eu-west-1", "eu-west-2", "eu-west-3"}, told.regions)
    assert.same({}, told.nothing_else)
    assert.same({}, told.names_first)
    assert.same({"image-worker", "nightly-report", "orders-api", "storefront"}, told.names)
    assert.same({"storefront"}, told.abbreviated)
    assert.same({"us-west-2"}, told.region_of_name)
  end)

  it("lists name, status, URL and region, in a buffer that is there before the answer", function()
    local told = driven.told
    assert.equal("asking ...", told.asking[2])
    assert.matches("^NAME +STATUS +URL +REGION$", told.listed[2])
    assert.matches("^image%-worker +RUNNING +%w+%.us%-east%-1%.awsapprunner%.com +us%-east%-1$", told.listed[3])
    assert.matches("^nightly%-report +PAUSED ", told.listed[4])
    assert.matches("^storefront +RUNNING ", told.listed[6])
    assert.equal(6, #told.listed)
    assert.equal(3, told.cursor)
    assert.is_true(told.opened_anew)
  end)

  it("asks before a pause, and does nothing without a yes", function()
    assert.equal(0, driven.told.declined)
    assert.same({question = "Pause storefront?", choices = "&Pause\n&Leave it", default = 2},
      driven.told.questions[1])
    assert.equal(2, #driven.told.questions) -- and none for pause with a bang, nor for resume
  end)

  it("tells the progress in one notification and in the list, and the outcome", function()
    local told = driven.told
    local said = texts(told.pausing)
    assert.equal("storefront: pausing", said[1])
    assert.equal("storefront: RUNNING, 0 s", said[2])
    assert.equal("storefront: OPERATION_IN_PROGRESS, 0 s", said[3])
    assert.equal("storefront is PAUSED, after 0 s", said[#said])
    for i, entry in ipairs(told.pausing) do
      assert.is_false(entry.fast)
      assert.equal(i > 1 and i - 1 or nil, entry.replace)
    end
    assert.same({RUNNING = true, OPERATION_IN_PROGRESS = true, PAUSED = true}, told.statuses)
    said = texts(told.again)
    assert.equal("storefront was PAUSED already", said[#said])
    said = texts(told.resuming)
    assert.equal("storefront is RUNNING, after 0 s", said[#said])
  end)

  it("has keys in the list that act on the service below the cursor", function()
    local told = driven.told
    assert.equal("nightly-report: resuming", told.pressed_r[1].text)
    assert.equal("Pause image-worker in us-east-1?", told.question_of_p)
    assert.equal("image-worker: pausing", told.pressed_p[1].text)
    assert.equal(0, told.pressed_nowhere)
    assert.matches("^image%-worker +PAUSED ", told.changed[3])
    assert.matches("^nightly%-report +RUNNING ", told.changed[4])
    assert.matches("^apprunner://service/arn:aws:apprunner:us%-east%-1:%d+:service/image%-worker/", told.description)
    assert.matches('Status = "PAUSED"', told.described)
    assert.matches('RuntimeEnvironmentVariables = "%*%*%*"', told.described)
    assert.equal(3, told.split)
  end)

  it("shows errors by their text, at the level of errors", function()
    local told = driven.told
    assert.equal(2, told.tab)
    for _, said in ipairs {told.denied, told.not_paused} do
      assert.matches("^orders%-api: AccessDeniedException: .*DescribeService, HTTP 400", said[#said].text)
      assert.equal(4, said[#said].level)
    end
    assert.equal("nobody: there is no such service in this region", told.not_there[#told.not_there].text)
    assert.equal("list: ProfileNotFound: The config profile (nobodys) could not be found", told.settings[1].text)
    assert.same({
      "AppRunner: no frob; there are: describe, list, pause, resume", "AppRunner: usage: pause NAME|ARN [REGION]",
      "AppRunner: usage: pause NAME|ARN [REGION]", "AppRunner: usage: list [REGION]",
    }, texts(told.misuse))
    for _, entry in ipairs(told.misuse) do assert.equal(4, entry.level) end
  end)

  it("tells in checkhealth what is found, and no secret", function()
    local healthy = driven.told.healthy
    assert.truthy(healthy:find(("OK: %s, from %s/lua/apprunner/init.lua"):format(
      require("apprunner")._VERSION, hosts.root), 1, true), healthy)
    assert.matches("OK: libcurl %d", healthy)
    assert.matches("INFO: region: us%-east%-1 %(argument%)", healthy)
    assert.matches("INFO: credential_provider: environment %(AWS_ACCESS_KEY_ID%)", healthy)
    assert.is_nil(healthy:find(SECRET, 1, true))
    assert.matches("ERROR: ProfileNotFound: ", driven.told.unhealthy)
    assert.matches("start settings.*info region: us%-east%-1 %(argument%).*ok there are credentials",
      driven.told.newer)
  end)

  it("has a help file whose tags and links all lead somewhere", function()
    assert.same({["apprunner.txt"] = true}, driven.told.help)
    for _, tag in ipairs {":AppRunner", "apprunner", "apprunner-install", "g:apprunner"} do
      assert.truthy(table.concat(driven.told.tags, " "):find(tag, 1, true))
    end
  end)

  it("has the editor complain of nothing", function()
    assert.equal("", driven.told.messages)
    assert.equal("", (driven.ended.err:gsub("Running healthchecks%.%.%.%s*", "")))
    assert.equal(0, driven.ended.status)
  end)

  it("shows the question, the progress and the outcome on a screen, as the README has it", function()
    local told = on_screen:finish()
    assert.matches("Pause storefront%?\n%(P%)ause, %[L%]eave it", told.question)
    assert.matches("\nstorefront is PAUSED, after %d+ s%s*$", told.outcome)
    assert.is_nil(told.outcome:find("ENTER", 1, true))
    assert.equal(0, told.status)
    local function plain(text) return (text:gsub("%d+ s%s*$", "N s")) end
    local dump = assert(hosts.read "examples/neovim/README.md"):match "```text\n(.-)```"
    assert.equal(plain(told.progress), plain(dump))
  end)

  it("lets the editor go in the middle of a call, with the module in the plugin's folder", function()
    for i = 1, 2 do
      local told, ended = left[i].told, left[i].ended
      assert.equal("@" .. left.folder .. "/lua/apprunner/init.lua", told.module)
      assert.is_true(told.core)
      assert.equal("", ended.err)
      assert.equal(0, ended.status)
      assert.is_true(ended.seconds < 5, ("it took %.1f s"):format(ended.seconds))
    end
  end)

  it("says where the module is missing, and what to read", function()
    local ended = bare:finish()
    assert.matches("AppRunner: module 'apprunner' not found:; see :help apprunner%-install", ended.err)
    assert.matches("ERROR: apprunner cannot be loaded: .*ADVICE:.*apprunner%-install", hosts.read(hosts.path "health"))
  end)
end)
