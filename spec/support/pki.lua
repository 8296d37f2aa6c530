-- Certificates for the specs, made by the openssl command in a folder: an authority (ca.pem), the certificate of an
-- endpoint on loopback (good.pem, good.key) and four that a client must refuse, and two ways to add the authority to
-- the system's: bundle.pem and the folder hashed.

local SCRIPT = [[
set -eu
cd "$1"
days=2
authority() {
  openssl req -x509 -newkey rsa:2048 -nodes -keyout $1.key -out $1.pem -subj "/CN=authority $1" -days $days
}
# certify NAME AUTHORITY DAYS SUBJECT-ALTERNATIVE-NAMES
certify() {
  openssl req -newkey rsa:2048 -nodes -keyout $1.key -out $1.csr -subj "/CN=$1"
  printf 'subjectAltName=%s\n' "$4" > $1.ext
  openssl x509 -req -in $1.csr -CA $2.pem -CAkey $2.key -set_serial $$ -days $3 -extfile $1.ext -out $1.pem
}
authority ca
authority stranger
certify good ca $days DNS:localhost,IP:127.0.0.1
certify unknown stranger $days DNS:localhost,IP:127.0.0.1
certify misnamed ca $days DNS:elsewhere.invalid
certify expired ca -1 DNS:localhost,IP:127.0.0.1
cat /etc/ssl/certs/ca-certificates.crt ca.pem > bundle.pem
mkdir hashed alone
cp -L /etc/ssl/certs/*.0 hashed
name=$(openssl x509 -in ca.pem -noout -subject_hash).0
cp ca.pem hashed/$name
cp ca.pem alone/$name
]]

-- Makes them; returns the folder.
return function(hosts)
  local folder = hosts.path "pki"
  local script = hosts.write("pki.sh", SCRIPT)
  local said = hosts.shell(("mkdir %s && sh %s %s 2>&1 && echo made"):format(
    hosts.quote(folder), hosts.quote(script), hosts.quote(folder)))
  if not said:find "made$" then error(said, 2) end
  return folder
end
