"""The services that give credentials, and App Runner, on one port of loopback, as a spec scripts them.

Prints its port and its process id; ends when its stdin does. A scene has a name, which the paths of its requests begin
with. PUT /~NAME begins one: a JSON list of routes {"when": TEXT, "answers": [ANSWER, ...]}. A request takes the first
route whose TEXT stands in "METHOD PATH TARGET BODY", and of its answers the next; the last one stays. What no route is
for is answered as App Runner and an instance with a role would. GET /~NAME gives the list of the requests so far.

An answer: `status` (200), `headers`, `body`, in which @n@ is the number of the request on its route, @+720@ the time in
720 seconds, @ms+720@ the same in milliseconds; `fill`, a body of so many bytes; or `raw`, all that is sent, and with
`hold` the connection is left open; `silent`, nothing; `close`. `after`: {"when": TEXT, "count": N} holds it back until
so many requests with TEXT were begun.

The secret of an access key id is "Secret/of/ID", the token, for those that begin with ASIA, "Token/of/ID". By these the
signatures are checked, and requests told with their `signer`.
"""
import json
import os
import re
import socket
import sys
import threading
import time

import botocore.auth  # noqa: F401  not later, while somebody waits
import botocore.awsrequest  # noqa: F401
import botocore.credentials  # noqa: F401

import recording

PATIENCE = 30
SERVICE = ('{"Service": {"ServiceArn": "arn:aws:apprunner:us-east-1:123456789012:service/any/0", "ServiceName": "any",'
           ' "Status": "OPERATION_IN_PROGRESS"}, "OperationId": "operation-@n@"}')
METADATA = ('{"Code": "Success", "Type": "AWS-HMAC", "AccessKeyId": "ASIAIMDS@n@", "Token": "Token/of/ASIAIMDS@n@",'
            ' "SecretAccessKey": "Secret/of/ASIAIMDS@n@", "Expiration": "@+21600@"}')
DEFAULTS = [
    {"when": "AppRunner.", "answers": [{"body": SERVICE}]},
    {"when": "/latest/api/token ", "answers": [{"body": "imds/token"}]},
    {"when": "/security-credentials/ ", "answers": [{"body": "the-role"}]},
    {"when": "/security-credentials/the-role ", "answers": [{"body": METADATA}]},
    {"when": "", "answers": [{"status": 404}]},
]


class Scene:
    def __init__(self, routes):
        self.routes = [dict(route, count=0) for route in routes + DEFAULTS]
        self.requests, self.news = [], threading.Condition()

    def begin(self, request):
        """Notes a request; returns the answer to it, and its number on its route."""
        with self.news:
            self.requests.append(request)
            self.news.notify_all()
            route = next(route for route in self.routes if route["when"] in request["text"])
            route["count"] += 1
            answers = route["answers"]
            return answers[min(route["count"], len(answers)) - 1], route["count"]

    def wait(self, when, count):
        def is_here():
            return sum(when in request["text"] for request in self.requests) >= count
        with self.news:
            return self.news.wait_for(is_here, timeout=PATIENCE)


scenes = {}


# Requests ------------------------------------------------------------------------------------------------------------

def read_request(stream):
    line = stream.readline().decode("latin-1").split()
    if len(line) != 3:
        return None
    headers = {}
    for header in iter(stream.readline, b"\r\n"):
        name, _, value = header.decode("latin-1").partition(":")
        headers[name.lower()] = value.strip()
    body = stream.read(int(headers.get("content-length", 0))).decode("latin-1")
    text = f"{line[0]} {line[1]} {headers.get('x-amz-target', '')} {body}"
    return {"method": line[0], "path": line[1], "headers": headers, "body": body, "text": text}


def signer(told):
    """Whose signature a request carries: an access key id, or what is wrong with it; None without one."""
    request = recording.Request(told["method"], "http://" + told["headers"]["host"] + told["path"], told["headers"])
    request.body = told["body"]
    signature = request.signature()
    if not signature:
        return None
    key = signature[0]
    token = "Token/of/" + key if key.startswith("ASIA") else None
    return ", ".join(recording.signature_problems(request, "Secret/of/" + key, token)) or key


# Answers -------------------------------------------------------------------------------------------------------------

def iso(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))


def fill_in(text, number):
    text = re.sub(r"@([+-]\d+)@", lambda match: iso(int(match[1])), text)
    text = re.sub(r"@ms([+-]\d+)@", lambda match: str(int(time.time() + int(match[1])) * 1000), text)
    return text.replace("@n@", str(number))


def bytes_of(answer, number):
    body = "x" * answer["fill"] if "fill" in answer else fill_in(answer.get("body", ""), number)
    lines = [f"HTTP/1.1 {answer.get('status', 200)} Reason", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in answer.get("headers", {}).items()]
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode("latin-1")


def respond(connection, stream, scene, request):
    """Answers; true if the connection goes on."""
    answer, number = scene.begin(request)
    if "after" in answer and not scene.wait(**answer["after"]):
        return False
    if answer.get("silent"):
        stream.read(1)
    elif "raw" in answer:
        connection.sendall(answer["raw"].encode("latin-1"))
        if answer.get("hold"):
            stream.read(1)
    elif not answer.get("close"):
        connection.sendall(bytes_of(answer, number))
        return True
    return False


def control(connection, request):
    name = request["path"][2:]
    if request["method"] == "PUT":
        scenes[name] = Scene(json.loads(request["body"]))
    told = [dict(one, signer=signer(one)) for one in scenes[name].requests]
    connection.sendall(bytes_of({"body": json.dumps(told).replace("@", "\\u0040")}, 0))


# The server ----------------------------------------------------------------------------------------------------------

def converse(connection, stream):
    while True:
        request = read_request(stream)
        if request is None:
            return
        if request["path"].startswith("/~"):
            control(connection, request)
        elif not respond(connection, stream, scenes[request["path"].split("/")[1]], request):
            return


def serve(connection):
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    stream = connection.makefile("rb")
    try:
        converse(connection, stream)
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    stream.close()
    connection.close()


def accept(listener):
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=serve, args=(connection,), daemon=True).start()


server = socket.create_server(("127.0.0.1", 0), backlog=128)
print(server.getsockname()[1], os.getpid(), flush=True)
threading.Thread(target=accept, args=(server,), daemon=True).start()
sys.stdin.read()
os._exit(0)
