-- Whom the engine trusts: certificates that it must accept and must refuse, each way to name an authority, and that a
-- connection which one client trusts is not lent to another that does not. One script does all, and tells what it got.

local hosts = dofile "spec/support/hosts.lua"
local make_pki = dofile "spec/support/pki.lua"

describe("over TLS #hosts", function()
  local pki, endpoint, told

  local SERVER = [[
    server {
      listen 127.0.0.1:@%s@ ssl;
      ssl_certificate @pki@/%s.pem;
      ssl_certificate_key @pki@/%s.key;
      access_log @dir@/access.log exchange;
      location / { content_by_lua_file @root@/spec/support/nginx_endpoint.lua; }
    }]]

  local SCRIPT = [[
    local pki, told, kept = os.getenv "PKI", {}, {}
    local function url(port) return "https://localhost:" .. os.getenv("PORT_" .. port) end
    -- A client is kept, so that its connections are too.
    local function try(name, port, settings)
      settings.endpoint_url = settings.endpoint_url or url(port)
      kept[name] = child.client(settings)
      told[name] = child.pause(kept[name], name:gsub("%W", ""))
    end
    try("bundle", "good", {ca_bundle = pki .. "/bundle.pem"})
    try("hashed directory", "good", {ca_bundle = pki .. "/hashed"})
    try("directory of one", "good", {ca_bundle = pki .. "/alone"})
    try("file of one", "good", {ca_bundle = pki .. "/ca.pem"})
    try("by address", "good", {ca_bundle = pki .. "/hashed",
      endpoint_url = "https://127.0.0.1:" .. os.getenv "PORT_good"})
    try("system alone", "good", {})
    try("unknown", "unknown", {ca_bundle = pki .. "/hashed"})
    try("unknown, bundle", "unknown", {ca_bundle = pki .. "/bundle.pem"})
    try("misnamed", "misnamed", {ca_bundle = pki .. "/hashed"})
    try("expired", "expired", {ca_bundle = pki .. "/hashed"})
    try("no such bundle", "good", {ca_bundle = pki .. "/nothing"})
    try("a bundle of nothing", "good", {ca_bundle = "/dev/null"})
    try("no bundle at all", "good", {ca_bundle = pki .. "/good.key"})
    try("not TLS", "plain", {ca_bundle = pki .. "/hashed"})
    for _, port in ipairs {"unknown", "misnamed", "expired"} do
      try(port .. ", unchecked", port, {verify = false})
      try(port .. ", checked again", port, {ca_bundle = pki .. "/hashed"})
    end
    try("unknown, its own authority", "unknown", {ca_bundle = pki .. "/stranger.pem"})
    try("unknown, another authority after it", "unknown", {ca_bundle = pki .. "/ca.pem"})
    try("the bundle after all", "good", {ca_bundle = pki .. "/bundle.pem"})
    child.tell(told)
  ]]

  setup(function()
    pki = make_pki(hosts)
    local servers = {"server { listen 127.0.0.1:@plain@; return 200 plain; }"}
    for i, name in ipairs {"good", "unknown", "misnamed", "expired"} do
      servers[i + 1] = SERVER:format(name, name, name)
    end
    endpoint = hosts.nginx {
      ports = {"good", "unknown", "misnamed", "expired", "plain"}, values = {pki = pki},
      http = table.concat(servers, "\n"),
    }
    local env = {PKI = pki}
    for name, port in pairs(endpoint.port) do env["PORT_" .. name] = port end
    told = hosts.lua(SCRIPT, {env = env})
  end)

  teardown(hosts.clear)

  local function accepted(name)
    assert.are.equal("OPERATION_IN_PROGRESS", told[name].status, told[name].message)
  end

  local function refused(name)
    assert.are.equal("SSLError", told[name].code, told[name].message)
    assert.are.equal("transport", told[name].kind)
    assert.are.equal(1, told[name].attempts)
    assert.is_falsy(told[name].ambiguous)
    assert.is_falsy(told[name].retryable)
  end

  describe("an endpoint is trusted", function()
    for _, name in ipairs {"bundle", "hashed directory", "directory of one", "file of one", "by address"} do
      it(name, function() accepted(name) end)
    end
  end)

  describe("an endpoint is refused whose certificate", function()
    for what, name in pairs {
      ["the system's authorities do not know"] = "system alone", ["a directory's authorities do not know"] = "unknown",
      ["a bundle's authorities do not know"] = "unknown, bundle", ["has another name"] = "misnamed",
      ["has expired"] = "expired",
    } do
      it(what, function() refused(name) end)
    end
  end)

  it("a ca_bundle that is not there or holds no certificate trusts nobody", function()
    refused "no such bundle"
    refused "a bundle of nothing"
    refused "no bundle at all"
  end)

  it("a server that does not speak it is an SSLError", function() refused "not TLS" end)

  it("verify = false accepts each of them", function()
    for _, name in ipairs {"unknown", "misnamed", "expired"} do accepted(name .. ", unchecked") end
  end)

  it("a connection that was not checked is not lent to a client that checks", function()
    for _, name in ipairs {"unknown", "misnamed", "expired"} do refused(name .. ", checked again") end
  end)

  it("a connection that one authority vouched for is not lent to a client that trusts another", function()
    accepted "unknown, its own authority"
    refused "unknown, another authority after it"
  end)

  it("what was refused does not stand in the way of what is trusted", function() accepted "the bundle after all" end)
end)
