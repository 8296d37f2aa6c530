"""What a credential chain asks over HTTP, on loopback: STS, SSO, the container endpoint and instance metadata.

Every access key id that it hands out says who asked for what ("ASIAdeployOfAKIDBASE"), so that two clients that get the
same key have sent the same request. `start()` serves in threads of this process and returns the URLs by name; run as a
program it prints them as JSON and ends when its stdin does.
"""
import http.server
import json
import re
import sys
import threading
import urllib.parse

LATER = "2099-01-01T00:00:00Z"
LATER_IN_MILLISECONDS = 4070908800000
OWN_SESSION_NAMES = ("botocore-session-", "apprunner-lua-")  # a name that the client made up


def credentials(key):
    return {"AccessKeyId": key, "SecretAccessKey": "secret", "Token": "token", "Expiration": LATER}


def json_answer(status, value, headers=()):
    return status, (("Content-Type", "application/json"), *headers), json.dumps(value)


def text_answer(status, text):
    return status, (("Content-Type", "text/plain"),), text


def sts_error(status, code):
    return status, (("Content-Type", "text/xml"),), (
        '<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>'
        f"<Code>{code}</Code><Message>no</Message></Error><RequestId>1</RequestId></ErrorResponse>")


def sts_success(action, key, role):
    return 200, (("Content-Type", "text/xml"),), (
        f'<{action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><{action}Result>'
        f"<Credentials><AccessKeyId>{key}</AccessKeyId><SecretAccessKey>secret</SecretAccessKey>"
        f"<SessionToken>token</SessionToken><Expiration>{LATER}</Expiration></Credentials>"
        f"<AssumedRoleUser><Arn>arn:aws:sts::123456789012:assumed-role/{role}/s</Arn>"
        f"<AssumedRoleId>AROA:s</AssumedRoleId></AssumedRoleUser></{action}Result>"
        f"<ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></{action}Response>")


def sts(request):
    form = dict(urllib.parse.parse_qsl(request.body, keep_blank_values=True))
    role = form.get("RoleArn", "").rpartition("/")[2]
    signer = re.search(r"Credential=([^/]+)/", request.headers.get("Authorization", ""))
    if role.startswith("denied"):
        return sts_error(403, "AccessDenied")
    if form.get("Action") == "AssumeRoleWithWebIdentity":
        caller = "With" + form.get("WebIdentityToken", "").strip()
    elif signer:
        caller = "Of" + signer.group(1)
    else:
        return sts_error(403, "MissingAuthenticationToken")
    parts = ["ASIA", role, caller]
    if not form.get("RoleSessionName", "").startswith(OWN_SESSION_NAMES):
        parts.append("Named" + form.get("RoleSessionName", ""))
    parts += ["External" + form["ExternalId"]] if "ExternalId" in form else []
    parts += ["For" + form["DurationSeconds"]] if "DurationSeconds" in form else []
    return sts_success(form["Action"], "".join(parts), role)


def sso(request):
    role, account = request.query.get("role_name", ""), request.query.get("account_id", "")
    token = request.headers.get("x-amz-sso_bearer_token", "")
    if token == "refused":
        return json_answer(401, {"message": "no"}, (("x-amzn-ErrorType", "UnauthorizedException"),))
    if role == "absent":
        return json_answer(404, {"message": "no"}, (("x-amzn-ErrorType", "ResourceNotFoundException"),))
    return json_answer(200, {"roleCredentials": {
        "accessKeyId": f"ASIA{role}In{account}By{token}", "secretAccessKey": "secret", "sessionToken": "token",
        "expiration": LATER_IN_MILLISECONDS}})


def oidc(request):
    question = json.loads(request.body)
    if question.get("refreshToken") == "refused":
        return json_answer(400, {"error": "invalid_grant"}, (("x-amzn-ErrorType", "InvalidGrantException"),))
    return json_answer(200, {
        "accessToken": "after" + question["refreshToken"], "tokenType": "Bearer", "expiresIn": 28800})


def container(request):
    kind = request.path.rpartition("/")[2]
    if kind == "garbage":
        return text_answer(200, "no JSON")
    if kind != "ok":
        return json_answer(404, {"code": "NotFound", "message": "no"})
    return json_answer(200, credentials("ASIACONTAINER" + request.headers.get("Authorization", "")))


ROLES = "/latest/meta-data/iam/security-credentials/"


def instance(request, kind):
    """Instance metadata of a kind: ok, no_role, no_profile (a role without trust), or v1 (refuses to give a token)."""
    if request.path == "/latest/api/token":
        return text_answer(403, "") if kind == "v1" else text_answer(200, "metadata-token")
    if kind != "v1" and request.headers.get("x-aws-ec2-metadata-token") != "metadata-token":
        return text_answer(401, "")
    if kind == "no_role" or not request.path.startswith(ROLES):
        return text_answer(404, "")
    if request.path == ROLES:
        return text_answer(200, "worker")
    if kind == "no_profile":
        return json_answer(200, {"Code": "AssumeRoleUnauthorizedAccess", "Message": "no"})
    return json_answer(200, dict(credentials("ASIAINSTANCE"), Code="Success", Type="AWS-HMAC", LastUpdated=LATER))


ROUTES = {"/federation/credentials": sso, "/token": oidc, "/": sts}


def route(request):
    if request.path.startswith("/container/"):
        return container(request)
    return ROUTES.get(request.path, lambda _: text_answer(404, ""))(request)


class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self):
        self.path, _, query = self.path.partition("?")
        self.query = dict(urllib.parse.parse_qsl(query))
        self.body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        status, headers, text = self.server.answer(self)
        body = text.encode()
        lines = [f"HTTP/1.1 {status} Reason", *(f"{name}: {value}" for name, value in headers)]
        if self.path == "/latest/api/token":
            lines.append("x-aws-ec2-metadata-token-ttl-seconds: 21600")
        lines += [f"Content-Length: {len(body)}", "Connection: close", "", ""]
        self.wfile.write("\r\n".join(lines).encode() + body)

    do_GET = do_POST = do_PUT = answer

    def log_message(self, *_):
        pass


def serve(answer):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.answer = answer
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_address[1]}"


def start():
    urls = {"fake": serve(route)}
    for kind in ("ok", "no_role", "no_profile", "v1"):
        urls["imds_" + kind] = serve(lambda request, kind=kind: instance(request, kind))
    return urls


if __name__ == "__main__":
    print(json.dumps(start()), flush=True)
    sys.stdin.read()
