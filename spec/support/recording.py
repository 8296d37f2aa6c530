"""The recorded exchanges of a scenario (http-traffic.json of the cross-SDK credential suites), and whether a request is
the recorded one. Signatures are recomputed by botocore's signer from the secrets that the scenario gave earlier.
"""
import base64
import json
import re
import urllib.parse

# The region is never looked up in the instance metadata.
NEVER_ASKED = "/latest/meta-data/placement/"
TELLING_HEADERS = ["content-type", "x-aws-ec2-metadata-token", "x-aws-ec2-metadata-token-ttl-seconds",
                   "x-amz-sso_bearer_token", "authorization"]
FREE_PARAMETERS = {"RoleSessionName"}
# What the server says itself: recorded lengths are wrong, recorded dates old.
OWN_HEADERS = {"content-length", "date", "server", "transfer-encoding"}


# Exchanges -----------------------------------------------------------------------------------------------------------

def brief(text):
    return text if not text or len(text) < 200 else f"{text[:150]}... ({len(text)} characters)"


class Request:
    def __init__(self, method, url, headers):
        self.method, self.url, self.headers, self.body = method, url, headers, ""

    def told(self):
        return {"method": self.method, "url": self.url, "headers": self.headers, "body": self.body}

    def __str__(self):
        return f"{self.method} {self.url} {brief(self.body)}".rstrip()

    def signature(self):
        """Access key id, date, region, service, signed headers and signature; or None."""
        match = re.fullmatch(
            r"AWS4-HMAC-SHA256 Credential=(.+)/(\d{8})/([^/]*)/([^/]*)/aws4_request, *SignedHeaders=(\S+),"
            r" *Signature=([0-9a-f]{64})", self.headers.get("authorization", ""))
        return match and match.groups()

    def parameters(self):
        """The body as a mapping, a form's or JSON's; None for any other."""
        if self.body.startswith("{"):
            return json.loads(self.body)
        form = urllib.parse.parse_qsl(self.body, keep_blank_values=True)
        return dict(form) or None


class Exchange:
    def __init__(self):
        self.request, self.status, self.headers, self.body = None, None, [], b""
        self.whole, self.silent = True, False


def bytes_of(data):
    (kind, text), = data.items()
    return text.encode() if kind == "Utf8" else base64.b64decode(text)


def take_event(exchange, kind, what):
    if kind == "Request":
        request = what["request"]
        headers = {name.lower(): ", ".join(values) for name, values in request["headers"].items()}
        exchange.request = Request(request["method"], request["uri"], headers)
    elif kind == "Data" and what["direction"] == "Request":
        exchange.request.body += bytes_of(what["data"]).decode()
    elif kind == "Data":
        exchange.body += bytes_of(what["data"])
    elif kind == "Response" and "Ok" in what["response"]:
        response = what["response"]["Ok"]
        exchange.status = response["status"]
        exchange.headers = [(name, value) for name, values in response["headers"].items() for value in values
                            if name.lower() not in OWN_HEADERS]
    elif kind == "Response":  # an error of the connection, told in words
        exchange.silent = bool(re.search("timed? ?out", json.dumps(what["response"]), re.IGNORECASE))
    elif kind == "Eof" and what["direction"] == "Response":
        exchange.whole = what["ok"]


def read_traffic(path):
    """The recorded exchanges, in the order in which their connections were made."""
    exchanges = {}
    for event in json.loads(path.read_text())["events"]:
        (kind, what), = event["action"].items()
        take_event(exchanges.setdefault(event["connection_id"], Exchange()), kind, what)
    return [exchange for exchange in exchanges.values() if NEVER_ASKED not in exchange.request.url]


# Who has which secret ------------------------------------------------------------------------------------------------

KEY_PARTS = {
    "access_key_id": r"(?:aws_)?access_?key_?id",
    "secret": r"(?:aws_)?secret_?access_?key",
    "token": r"(?:aws_)?(?:session_?)?token",
}


def keys_in(text):
    """{access key id: (secret, token)} of a profile file, an environment, or an answer in JSON or XML."""
    found = {}
    for section in re.split(r"^\s*\[", text, flags=re.MULTILINE):
        parts = {}
        for part, name in KEY_PARTS.items():
            match = re.search(rf'(?<![a-z_]){name}"?\s*[=:>]\s*"?([^\s"<]+)', section, re.IGNORECASE)
            parts[part] = match and match[1]
        if parts["access_key_id"] and parts["secret"]:
            found[parts["access_key_id"]] = (parts["secret"], parts["token"])
    return found


def recomputed(request, secret, token):
    """The signature that botocore gives a request; what is signed, and when, is the request's."""
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    key, _, region, service, signed, _ = request.signature()
    headers = {name: request.headers.get(name, "") for name in signed.split(";")}
    copy = AWSRequest(request.method, request.url, headers=headers, data=request.body.encode())
    copy.context["timestamp"] = request.headers["x-amz-date"]
    signer = SigV4Auth(Credentials(key, secret, token), service, region)
    return signer.signature(signer.string_to_sign(copy, signer.canonical_request(copy)), copy)


def signature_problems(request, secret, token):
    _, date, _, _, signed, signature = request.signature()
    needed = ["host", "x-amz-date"] + (["x-amz-security-token"] if token else [])
    for name in needed:
        if name not in signed.split(";"):
            yield f"{name} is not signed"
    if not request.headers.get("x-amz-date", "").startswith(date):
        yield "x-amz-date is not of the signature's date"
    elif request.headers.get("x-amz-security-token") != token:
        yield f"x-amz-security-token is {request.headers.get('x-amz-security-token')}, not {token}"
    elif recomputed(request, secret, token) != signature:
        yield "the signature is wrong"


# Whether a request is the one that was recorded ----------------------------------------------------------------------

def normal_url(url):
    parts = urllib.parse.urlsplit(url)
    return (parts.scheme, parts.netloc.lower(), parts.path or "/",
            sorted(urllib.parse.parse_qsl(parts.query, keep_blank_values=True)))


def header_problems(recorded, request):
    for name in TELLING_HEADERS:
        expected, actual = recorded.headers.get(name), request.headers.get(name)
        if name == "content-type":
            expected, actual = (value and value.split(";")[0] for value in (expected, actual))
        if expected and not expected.startswith("AWS4-") and actual != expected:
            yield f"{name} is {brief(actual)}, not {brief(expected)}"


def body_problems(recorded, request, said):
    """Some recordings are of other files than the scenario's: what the files say is right too."""
    expected, actual = recorded.parameters(), request.parameters() or {}
    for name in sorted({*expected, *actual}) if expected else []:
        left, right = expected.get(name), actual.get(name)
        excused = left and right and (name in FREE_PARAMETERS or right in said)
        if left != right and not excused:
            yield f"{name} is {brief(right)}, not {brief(left)}"


def signer_problems(recorded, request, keys):
    told, signature = recorded.signature(), request.signature()
    if not told and (recorded.parameters() or {}).get("Action") != "AssumeRole":
        return ["it is signed"] if signature else []
    if not signature:
        return ["it is not signed"]
    key, _, region, service, _, _ = signature
    told_key, _, told_region, told_service, _, _ = told or signature
    if key not in keys or key != told_key and told_key in keys:
        return [f"it is signed with the key {key}, not {told_key}"]
    if service != told_service or region != told_region and f".{region}." not in request.url:
        return [f"it is signed for {service} in {region}, not {told_service} in {told_region}"]
    return signature_problems(request, *keys[key])


def problems(recorded, request, keys, said):
    """What is wrong with a request; `keys` are as keys_in gives them, `said` is what the scenario's files say."""
    if (request.method, normal_url(request.url)) != (recorded.method, normal_url(recorded.url)):
        yield f"{recorded.method} {recorded.url} was recorded"
    yield from header_problems(recorded, request)
    yield from body_problems(recorded, request, said)
    yield from signer_problems(recorded, request, keys)
