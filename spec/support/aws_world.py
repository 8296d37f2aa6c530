"""Plays the machine and the network of a recorded scenario to a program, and tells whether all went as recorded.

  aws_world.py [--future] [--metadata] SCENARIO FOLDER COMMAND...
  aws_world.py process FOLDER SECONDS COMMAND

SCENARIO is a folder of the cross-SDK credential suites: env.json, fs/, http-traffic.json, test-case.json. FOLDER must
be new. The scenario's files are put into FOLDER/machine, where absolute paths in them and in the environment are made
to point; COMMAND is run there with that environment, a proxy (HTTPS_PROXY, HTTP_PROXY) and AWS_CA_BUNDLE. The proxy
answers for every host, over TLS too; with --metadata, for which the process needs a network namespace of its own, the
metadata services' real addresses answer as well. Each request must be the next recorded one. Calls of App Runner are
answered at any time, and must be signed with the credentials that the scenario is to end with.

The suites' clock stands at 1234567890. The files' times are moved to today; the answers' too, and a day further, with
--future: then what they give has not expired.

Ends with COMMAND's status. FOLDER/report.json has `problems` (sentences; none when all went as recorded), `requests`
({method, url, headers, body}), `calls` (the same, of App Runner) and `moved` (seconds by which answers were moved).

The second form is what a scenario's credential_process becomes: it runs COMMAND by a shell, and notes and moves what
it prints.
"""
import contextlib
import datetime
import http.server
import json
import os
import pathlib
import re
import shlex
import socket
import socketserver
import ssl
import subprocess
import sys
import threading
import time
import traceback

from recording import Exchange, Request, keys_in, problems, read_traffic, signature_problems

SUITE_NOW = 1234567890
DAY = 86400
METADATA = ["169.254.169.254", "169.254.170.2", "169.254.170.23", "fd00:ec2::254", "fd00:ec2::23"]


# Times ---------------------------------------------------------------------------------------------------------------

def moved_times(text, seconds):
    """The text with its ISO 8601 times, and SSO's expiration in milliseconds, moved."""
    def iso(match):
        try:
            moment = datetime.datetime.fromisoformat(match[1]) + datetime.timedelta(seconds=seconds)
        except (ValueError, OverflowError):
            return match[0]
        return moment.isoformat()

    def milliseconds(match):
        return match[1] + str(int(match[2]) + seconds * 1000)

    text = re.sub(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?=Z|UTC|[+.])", iso, text)
    return re.sub(r'("expiration"\s*:\s*)(\d{12,})', milliseconds, text)


# The world -----------------------------------------------------------------------------------------------------------

class World:
    def __init__(self, scenario, folder, future):
        self.scenario, self.folder, self.machine = scenario, folder, folder / "machine"
        self.clock = int(time.time()) - SUITE_NOW
        self.moved = self.clock + DAY if future else 0
        self.coming = read_traffic(scenario / "http-traffic.json")
        self.outcome = json.loads((scenario / "test-case.json").read_text())["result"].get("Ok")
        self.lock = threading.Lock()
        self.requests, self.calls, self.problems = [], [], []
        self.environment = self.make_environment()
        self.make_files()

    def make_environment(self):
        def placed(name, value):
            is_path = value.startswith("/") and (name == "HOME" or re.search("(FILE|DIRECTORY)$", name))
            return f"{self.machine}{value}" if is_path else value

        env = json.loads((self.scenario / "env.json").read_text())
        self.keys = keys_in("\n".join(f"{name}={value}" for name, value in env.items()))
        return {"HOME": str(self.machine), **{name: placed(name, value) for name, value in env.items()}}

    def make_files(self):
        self.machine.mkdir(parents=True)
        self.said = set(self.environment.values())
        for path in (self.scenario / "fs").rglob("*"):
            to = self.machine / path.relative_to(self.scenario / "fs")
            if path.is_dir():
                to.mkdir(parents=True, exist_ok=True)
                continue
            to.parent.mkdir(parents=True, exist_ok=True)
            text = path.read_text()
            self.said |= {text.strip(), *re.findall(r"=\s*(.*?)\s*$", text, re.MULTILINE)}
            self.keys.update(keys_in(text))
            to.write_text(moved_times(text, self.clock) if path.suffix == ".json" else self.placed_profiles(text))

    def placed_profiles(self, text):
        """A profile file whose paths and commands are those of the machine."""
        def command(match):
            words = [sys.executable, __file__, "process", str(self.folder), str(self.moved), match[2]]
            return match[1] + shlex.join(words)

        text = re.sub(r"(?m)^(\s*\w+_file\s*=\s*)(?=/)", rf"\g<1>{self.machine}", text)
        return re.sub(r"(?m)^(\s*credential_process\s*=\s*)(.*)$", command, text)

    def all_keys(self):
        with contextlib.suppress(FileNotFoundError):
            self.keys.update(keys_in((self.folder / "process").read_text()))
        return self.keys

    def complain(self, request, complaints):
        self.problems += [f"{request}: {complaint}" for complaint in complaints]

    def answer(self, request):
        """The exchange whose response is to be sent, or None."""
        with self.lock:
            if request.headers.get("x-amz-target", "").startswith("AppRunner."):
                return self.answer_call(request)
            self.requests.append(request.told())
            if not self.coming:
                return self.complain(request, ["nothing more was recorded"])
            exchange = self.coming.pop(0)
            self.complain(request, problems(exchange.request, request, self.all_keys(), self.said))
            body = exchange.body.decode()
            self.keys.update(keys_in(body))
            exchange.body = moved_times(body, self.moved).encode()
            return exchange

    def answer_call(self, request):
        self.calls.append(request.told())
        expected = self.outcome or {}
        key = expected.get("access_key_id")
        signature = request.signature()
        if not signature or (signature[0], signature[3]) != (key, "apprunner"):
            self.complain(request, [f"it is not signed for apprunner with the key {key}"])
        else:
            self.complain(request, signature_problems(
                request, expected["secret_access_key"], expected.get("session_token")))
        exchange = Exchange()
        exchange.status, exchange.headers = 200, [("Content-Type", "application/x-amz-json-1.0")]
        exchange.body = b'{"Service":{"Status":"RUNNING"}}'
        return exchange

    def report(self):
        missing = [f"{exchange.request}: it was never sent" for exchange in self.coming]
        return {"problems": self.problems + missing, "requests": self.requests, "calls": self.calls,
                "moved": self.moved}


# Servers -------------------------------------------------------------------------------------------------------------

class Authority:
    """Certificates for whatever name is asked for."""
    def __init__(self, folder):
        self.folder, self.lock, self.contexts = folder, threading.Lock(), {}
        self.bundle = str(folder / "authority.pem")
        self.certify("authority", ["-addext", "keyUsage=critical,keyCertSign"])

    def certify(self, name, more):
        files = ["-keyout", str(self.folder / f"{name}.key"), "-out", str(self.folder / f"{name}.pem")]
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-days", "2", "-subj", f"/CN={name[:64]}", *files, *more], check=True, capture_output=True)

    def context(self, host):
        with self.lock:
            if host not in self.contexts:
                self.certify(host, ["-CA", self.bundle, "-CAkey", str(self.folder / "authority.key"),
                                    "-addext", f"subjectAltName=DNS:{host}"])
                self.contexts[host] = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
                self.contexts[host].load_cert_chain(self.folder / f"{host}.pem", self.folder / f"{host}.key")
            return self.contexts[host]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    origin = None  # "https://HOST" inside a tunnel

    def log_message(self, *_):
        pass

    def do_CONNECT(self):
        host, _, port = self.path.rpartition(":")
        self.send_response(200)
        self.end_headers()
        self.request = self.server.authority.context(host).wrap_socket(self.connection, server_side=True)
        self.setup()
        self.origin = f"https://{host}" if port == "443" else f"https://{self.path}"
        self.close_connection = False

    def finish(self):
        super().finish()
        self.connection.close()

    def url(self):
        if self.path.startswith("http:"):
            return self.path
        host, port = self.connection.getsockname()[:2]
        host = f"[{host}]" if ":" in host else host
        return (self.origin or f"http://{host}" + ("" if port == 80 else f":{port}")) + self.path

    def play(self):
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, self.url(), headers)
        request.body = self.rfile.read(int(headers.get("content-length", 0))).decode()
        exchange = self.server.world.answer(request)
        if exchange is None:
            self.send_error(400, "nothing more was recorded")
        elif exchange.status is None:
            self.close_connection = True
            if exchange.silent:
                self.rfile.read(1)
        else:
            self.respond(exchange)

    do_GET = do_PUT = do_POST = play

    def respond(self, exchange):
        self.send_response(exchange.status)
        for name, value in exchange.headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(exchange.body) + (0 if exchange.whole else 1)))
        self.end_headers()
        self.wfile.write(exchange.body)
        self.close_connection |= not exchange.whole


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 16

    def __init__(self, address, world, authority):
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        super().__init__(address, Handler)
        self.world, self.authority = world, authority
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, *_):
        """A client that hangs up shows in what was not asked."""
        if not isinstance(sys.exc_info()[1], OSError):
            self.world.problems.append(traceback.format_exc())


def own_the_metadata_addresses():
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    for address in METADATA:
        at_once = ["nodad"] if ":" in address else []
        subprocess.run(["ip", "addr", "add", address, "dev", "lo", *at_once], check=True)


def play(scenario, folder, command, flags):
    world = World(scenario, folder, "--future" in flags)
    authority = Authority(folder)
    if "--metadata" in flags:
        own_the_metadata_addresses()
        for address in METADATA:
            Server((address, 80), world, authority)
    proxy = "http://127.0.0.1:%d" % Server(("127.0.0.1", 0), world, authority).server_address[1]
    env = {**os.environ, **world.environment, "HTTPS_PROXY": proxy, "HTTP_PROXY": proxy,
           "AWS_CA_BUNDLE": authority.bundle}
    status = subprocess.run(command, env=env, cwd=world.machine).returncode
    with world.lock:
        (folder / "report.json").write_text(json.dumps(world.report(), indent=1))
    return status


def process(folder, seconds, command):
    ended = subprocess.run(["sh", "-c", command], stdout=subprocess.PIPE, text=True)
    with open(folder / "process", "a") as file:
        file.write(ended.stdout)
    sys.stdout.write(moved_times(ended.stdout, seconds))
    return ended.returncode


def main(words):
    if words[0] == "process":
        return process(pathlib.Path(words[1]), int(words[2]), words[3])
    flags = []
    while words[0].startswith("--"):
        flags.append(words.pop(0))
    return play(pathlib.Path(words[0]), pathlib.Path(words[1]), words[2:], flags)


sys.exit(main(sys.argv[1:]))
