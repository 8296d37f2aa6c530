"""A server on loopback that fails in every way of a network.

usage: fault_server.py PKI [SEED] (the folder that pki.lua makes; the seed of what the chaos ports draw)

Each fault has a port of its own, and whoever connects there gets it. The first line on stdout is a JSON object with
`pid` and `ports`, a number for each name. Ends when its stdin does. Beside the faults there are these ports:

  control          GET / answers {NAME: {"connections": n, "requests": n}}; GET /log a list of what the chaos ports
                   did, one {"serial", "attempt", "fault", "performed"} for each request, and "status" if it has one;
                   GET /open {"connections": n}, of those that stand; GET /drop ends every other connection
  elsewhere        where the redirects lead
  names            a name server over UDP: it knows localhost, keeps silent about silent.invalid, and knows no other
  chaos, chaos_tls, chaos_proxy
                   fail at random, by connection where the fault comes before a request, else by request; `serial`
                   stands in the name of the ServiceArn (call-SERIAL), and with the seed decides
"""
import gzip
import json
import os
import random
import re
import selectors
import socket
import ssl
import struct
import sys
import threading
import time

LONG = 60  # seconds that a silent server stays silent, unless the client goes
PAUSED = b'{"OperationId":"c580e2c5","Service":{"ServiceName":"x","Status":"OPERATION_IN_PROGRESS"}}'

# What a fault does to the connection once it has sent what it sends.
KEEP, CLOSE, RESET, HANG = "keep", "close", "reset", "hang"


def head(*lines, status="200 OK"):
    return "\r\n".join(("HTTP/1.1 " + status,) + lines + ("", "")).encode("latin-1")


def answer(body=PAUSED, *lines, status="200 OK"):
    body = body if isinstance(body, bytes) else body.encode()
    return head("x-amzn-RequestId: id-1", *lines, f"Content-Length: {len(body)}", status=status) + body


def failure(status, code, *lines):
    body = json.dumps({"__type": "com.amazonaws.apprunner#" + code, "Message": "Because."})
    return answer(body, "Content-Type: application/x-amz-json-1.0", *lines, status=status)


def page(status, *lines):
    return answer(f"<html><body>{status}</body></html>", "Content-Type: text/html", *lines, status=status)


def chunked(*rest):
    return head("Transfer-Encoding: chunked") + b"".join(rest)


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


def forever(piece, first=b"", pause=0):
    """Pieces until the client has gone."""
    yield first
    while True:
        yield piece
        if pause:
            time.sleep(pause)


def slowly(data, pause=0.05):
    for i in range(len(data)):
        yield data[i:i + 1]
        time.sleep(pause)


def after(piece, *rest):
    """Pieces with time between them for each to arrive alone."""
    yield piece
    for one in rest:
        time.sleep(0.05)
        yield one


# --- what is sent for a request --------------------------------------------------------------------------------------

# name: (what is sent: bytes, or a function that makes an iterable; what then becomes of the connection)
ANSWERS = {
    "good": (answer(), KEEP),
    "large": (answer('{"Padding":"%s"}' % ("x" * 100000)), KEEP),
    "close_after_request": (b"", CLOSE),
    "reset_after_request": (b"", RESET),
    "silence_after_request": (b"", HANG),
    "half_status_line": (b"HTTP/1.1 20", CLOSE),
    "half_status_line_silence": (b"HTTP/1.1 20", HANG),
    "status_line_garbage": (b"\x15\x03\x01 banana\r\n\r\n", CLOSE),
    "status_no_number": (b"HTTP/1.1 OK\r\nContent-Length: 2\r\n\r\n{}", CLOSE),
    "status_four_digits": (b"HTTP/1.1 2000 OK\r\nContent-Length: 2\r\n\r\n{}", CLOSE),
    "http_0_9": (PAUSED, CLOSE),
    "http_1_0": (answer().replace(b"HTTP/1.1", b"HTTP/1.0", 1), CLOSE),
    "http_2_answer": (b"HTTP/2 200\r\nContent-Length: 2\r\n\r\n{}", CLOSE),
    "http_2_preface": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00", CLOSE),
    "http_2_frames": (b"\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x80", CLOSE),
    "another_protocol": (b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n", CLOSE),
    "continue_flood": (head(status="100 Continue") * 200 + answer(), KEEP),
    "continue_endless": (lambda: forever(head(status="100 Continue") * 100), CLOSE),
    "early_hints_endless": (lambda: forever(head("Link: </x>", status="103 Early Hints") * 100), CLOSE),
    "early_hints_slow": (lambda: forever(head("Link: </x>", status="103 Early Hints"), pause=0.05), CLOSE),
    "switching_protocols": (head("Upgrade: h2c", "Connection: Upgrade", status="101 Switching Protocols"), HANG),
    "headers_many": (head(*(f"X-{i}: {'y' * 80}" for i in range(5000)), "Content-Length: 2") + b"{}", CLOSE),
    "header_huge": (head("X-Huge: " + "y" * 1000000, "Content-Length: 2") + b"{}", CLOSE),
    "header_endless": (lambda: forever(b"y" * 4096, b"HTTP/1.1 200 OK\r\nX-Endless: "), CLOSE),
    "headers_endless": (lambda: forever(b"X-Y: z\r\n" * 100, b"HTTP/1.1 200 OK\r\n"), CLOSE),
    "header_folded": (head("X-Folded: a", "  b", f"Content-Length: {len(PAUSED)}") + PAUSED, CLOSE),
    "header_nul": (head("X-Nul: a\0b", "Content-Length: 2") + b"{}", CLOSE),
    "header_without_colon": (head("no colon", f"Content-Length: {len(PAUSED)}") + PAUSED, CLOSE),
    "header_line_feeds": (head(f"Content-Length: {len(PAUSED)}").replace(b"\r\n", b"\n") + PAUSED, CLOSE),
    "head_cut": (b"HTTP/1.1 200 OK\r\nContent-Type: app", CLOSE),
    "head_cut_reset": (lambda: after(b"HTTP/1.1 200 OK\r\nContent-Type: app"), RESET),
    "headers_slow": (lambda: forever(b"X-Slow: 1\r\n", b"HTTP/1.1 200 OK\r\n", pause=0.05), CLOSE),
    "header_slow": (lambda: slowly(head("X-Slow: " + "y" * 1000)), CLOSE),
    "no_length": (head("Connection: close") + PAUSED, CLOSE),
    "no_length_half": (head("Connection: close") + PAUSED[:40], CLOSE),
    "no_length_reset": (lambda: after(head("Connection: close") + PAUSED[:20], b""), RESET),
    "body_short": (head(f"Content-Length: {len(PAUSED) + 9}") + PAUSED, CLOSE),
    "body_short_silence": (head(f"Content-Length: {len(PAUSED) + 9}") + PAUSED, HANG),
    "body_short_reset": (lambda: after(head(f"Content-Length: {len(PAUSED) + 9}") + PAUSED, b""), RESET),
    "body_missing": (head(f"Content-Length: {len(PAUSED)}"), CLOSE),
    "body_longer": (answer() + b"HTTP/1.1 500 Not yours\r\nContent-Length: 0\r\n\r\n", KEEP),
    "body_slow": (lambda: forever(b" ", head("Content-Length: 1000000"), pause=0.05), CLOSE),
    "body_huge": (head("Content-Length: 1000000000") + b" " * 65536, HANG),
    "body_gigabyte": (lambda: forever(b" " * 65536, head("Content-Length: 1000000000")), CLOSE),
    "body_endless": (lambda: forever(b" " * 65536, head("Connection: close")), CLOSE),
    "two_lengths_alike": (head(f"Content-Length: {len(PAUSED)}", f"Content-Length: {len(PAUSED)}") + PAUSED, KEEP),
    "two_lengths": (head("Content-Length: 2", f"Content-Length: {len(PAUSED)}") + b"{}" + b" " * 200, CLOSE),
    "length_list": (head("Content-Length: 2, 9") + b"{}" + b" " * 200, CLOSE),
    "length_negative": (head("Content-Length: -1") + PAUSED, CLOSE),
    "length_overflow": (head("Content-Length: 99999999999999999999") + PAUSED, CLOSE),
    "length_no_number": (head("Content-Length: many") + PAUSED, CLOSE),
    "length_and_chunks": (head("Content-Length: 5", "Transfer-Encoding: chunked") + chunk(PAUSED) + chunk(b""), CLOSE),
    "chunks": (chunked(chunk(PAUSED[:7]), chunk(PAUSED[7:]), chunk(b"")), KEEP),
    "chunks_garbage": (chunked(b"xyz\r\n", PAUSED, b"\r\n0\r\n\r\n"), CLOSE),
    "chunks_cut": (chunked(chunk(PAUSED)), CLOSE),
    "chunk_cut": (chunked(b"%x\r\n" % len(PAUSED), PAUSED[:9]), CLOSE),
    "chunks_silence": (chunked(chunk(PAUSED)), HANG),
    "chunks_endless": (lambda: forever(chunk(b" " * 4096), chunked()), CLOSE),
    "chunk_oversized": (chunked(b"fffffffffffffffff\r\n", PAUSED), CLOSE),
    "chunk_negative": (chunked(b"-5\r\n", PAUSED), CLOSE),
    "chunk_extension_endless": (lambda: forever(b"y" * 4096, chunked(b"5;x=")), CLOSE),
    "trailers": (chunked(chunk(PAUSED), b"0\r\nX-Trailer: 1\r\n\r\n"), KEEP),
    "trailers_endless": (lambda: forever(b"X-Y: z\r\n" * 100, chunked(chunk(PAUSED), b"0\r\n"), pause=0.01), CLOSE),
    "transfer_unknown": (head("Transfer-Encoding: banana", f"Content-Length: {len(PAUSED)}") + PAUSED, CLOSE),
    "gzip": (answer(gzip.compress(PAUSED, mtime=0), "Content-Encoding: gzip"), KEEP),
    "gzip_announced": (answer(PAUSED, "Content-Encoding: gzip"), KEEP),
    "answer_twice": (answer() + answer(b'{"OperationId":"another"}'), KEEP),
}

STATUSES = {
    "204": "No Content", "300": "Multiple Choices", "304": "Not Modified", "400": "Bad Request", "401": "Unauthorized",
    "403": "Forbidden", "404": "Not Found", "405": "Method Not Allowed", "407": "Proxy Authentication Required",
    "408": "Request Timeout", "411": "Length Required", "413": "Payload Too Large", "429": "Too Many Requests",
    "431": "Request Header Fields Too Large", "500": "Internal Server Error", "501": "Not Implemented",
    "502": "Bad Gateway", "503": "Service Unavailable", "504": "Gateway Timeout", "505": "HTTP Version Not Supported",
    "599": "Network Connect Timeout Error",
}
for number, reason in STATUSES.items():
    bare = number in ("204", "304")
    ANSWERS["status_" + number] = (head(status=f"{number} {reason}") if bare else page(f"{number} {reason}"), KEEP)
ANSWERS["status_503_retry_after"] = (page("503 Service Unavailable", "Retry-After: 1"), KEEP)
ANSWERS["status_429_empty"] = (answer(b"{}", status="429 Too Many Requests"), KEEP)

for code, status in {
    "InvalidRequestException": "400 Bad Request", "InvalidStateException": "400 Bad Request",
    "ResourceNotFoundException": "400 Bad Request", "ServiceQuotaExceededException": "402 Payment Required",
    "InternalServiceErrorException": "500 Internal Server Error", "ThrottlingException": "400 Bad Request",
    "AccessDeniedException": "403 Forbidden", "ExpiredTokenException": "403 Forbidden",
    "RequestTimeout": "400 Bad Request", "UnheardOfException": "400 Bad Request",
}.items():
    ANSWERS[code] = (failure(status, code), KEEP)

BAD = "400 Bad Request"
URI = ":http://internal.amazon.com/coral/"
ANSWERS.update({
    "code_in_header": (answer(b"{}", "x-amzn-ErrorType: a#FooError" + URI, status=BAD), KEEP),
    "code_in_code": (answer('{"code":"a#FooError%s"}' % URI, status=BAD), KEEP),
    "code_in_type": (answer('{"__type":"FooError"}', status=BAD), KEEP),
    "code_in_html": (answer("<html>", "x-amzn-ErrorType: FooError", status=BAD), KEEP),
    "code_huge": (answer('{"__type":"%s"}' % ("F" * 100000), status=BAD), KEEP),
    "code_no_text": (answer('{"__type":{"a":1},"code":[]}', status=BAD), KEEP),
    "error_truncated": (answer('{"__type":"FooErr', status=BAD), KEEP),
    "error_empty": (answer(b"", status="500 Internal Server Error"), KEEP),
})

JSONS = {
    "html": "<html><body>Welcome to the hotel's network</body></html>", "empty": "", "space": " \r\n", "null": "null",
    "array": "[%s]" % PAUSED.decode(), "string": '"PAUSED"', "number": "200", "true": "true",
    "truncated": PAUSED[:-2], "twice": PAUSED + PAUSED, "trailing": PAUSED + b"<", "comma": '{"OperationId":"x",}',
    "single_quotes": "{'OperationId':'x'}", "comment": '{/* */"OperationId":"x"}',
    "deep": '{"a":' + "[" * 100000 + "]" * 100000 + "}", "wide": '{"a":[' + "0," * 500000 + "0]}",
    "huge_number": '{"Service":{"CreatedAt":1e999}}', "long_number": '{"Service":{"CreatedAt":%s}}' % ("9" * 5000),
    "nan": '{"Service":{"CreatedAt":NaN}}', "infinity": '{"Service":{"CreatedAt":Infinity}}',
    "hexadecimal": '{"Service":{"CreatedAt":0x10}}', "bom": b"\xef\xbb\xbf" + PAUSED,
    "utf_16": PAUSED.decode().encode("utf-16"), "utf_8_invalid": b'{"OperationId":"\xff\xfe\xc0\xaf"}',
    "surrogate": '{"OperationId":"\\ud800"}', "control": b'{"OperationId":"a\x01\nb"}', "nul": PAUSED + b"\0",
    "duplicates": '{"OperationId":"first","OperationId":"last"}', "object": "{}",
    "types_service": '{"Service":"PAUSED"}', "types_list": '{"Service":[1,2]}',
    "types_members": '{"OperationId":5,"Service":{"Status":true,"CreatedAt":"noon","NetworkConfiguration":{}}}',
    "nulls": '{"OperationId":null,"Service":{"Status":null}}',
    "unknown": '{"OperationId":"x","Novelty":{"A":[1]}}',
}
for name, body in JSONS.items():
    ANSWERS["json_" + name] = (answer(body, "Content-Type: application/x-amz-json-1.0"), KEEP)


# --- counting and the log --------------------------------------------------------------------------------------------

lock = threading.Lock()
counts = {}  # name -> {"connections", "requests"}
chaos_log = []
connections = set()  # all but the control's
pki = seed = None


def count(name, what):
    with lock:
        counts[name][what] += 1


# --- one connection --------------------------------------------------------------------------------------------------

def keep_track(connection):
    with lock:
        connections.add(connection)


def lose_track(connection):
    with lock:
        connections.discard(connection)


class Gone(Exception):
    """The client has gone, or must be left."""


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    raise Gone


def hang(connection):
    """Silence until the client goes."""
    connection.settimeout(LONG)
    while connection.recv(65536):
        pass
    raise Gone


def receive_head(connection):
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65536)
        if not more:
            raise Gone
        data += more
    text, _, rest = data.partition(b"\r\n\r\n")
    return text.decode("latin-1"), rest


def receive_request(connection):
    """(head, body), or Gone."""
    text, body = receive_head(connection)
    length = re.search(r"(?im)^content-length: *(\d+)", text)
    length = int(length.group(1)) if length else 0
    while len(body) < length:
        more = connection.recv(65536)
        if not more:
            raise Gone
        body += more
    return text, body


def respond(connection, content, then):
    for piece in content() if callable(content) else (content,):
        if piece:
            connection.sendall(piece)
    if then == CLOSE:
        raise Gone
    if then == RESET:
        reset(connection)
    if then == HANG:
        hang(connection)


def play(name, fault):
    """A server of one fault, for every request."""
    def serve(connection):
        while True:
            receive_request(connection)
            count(name, "requests")
            respond(connection, *ANSWERS[fault])
    return serve


def kept(name, then):
    """The first request of a connection is answered; the second one ends it."""
    def serve(connection):
        for ending in (KEEP, then):
            receive_request(connection)
            count(name, "requests")
            respond(connection, answer() if ending == KEEP else b"", ending)
    return serve


def answer_at_once(connection):
    """An answer that is there before its request is."""
    connection.sendall(answer())
    receive_request(connection)
    count("answer_at_once", "requests")


def lost_then_throttled(connection):
    """The first answer is lost; the second asks the client to wait."""
    with lock:
        first = counts["lost_then_throttled"]["requests"] == 0
    receive_request(connection)
    count("lost_then_throttled", "requests")
    if not first:
        respond(connection, page("503 Service Unavailable", "Retry-After: 60"), CLOSE)


def add_redirects(port):
    for status in ("301 Moved Permanently", "302 Found", "303 See Other", "307 Temporary Redirect",
                   "308 Permanent Redirect"):
        location = f"Location: http://127.0.0.1:{port}/"
        ANSWERS["redirect_" + status[:3]] = (answer(b"", location, status=status), KEEP)


# --- TLS -------------------------------------------------------------------------------------------------------------

def context(name):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(f"{pki}/{name}.pem", f"{pki}/{name}.key")
    return made


def over_tls(certificate, serve, demands_certificate=False):
    made = context(certificate)
    if demands_certificate:
        made.verify_mode = ssl.CERT_REQUIRED
        made.load_verify_locations(f"{pki}/ca.pem")

    def shake(connection):
        with made.wrap_socket(connection, server_side=True) as wrapped:  # which closes without a close_notify
            try:
                keep_track(wrapped)
                serve(wrapped)
            finally:
                lose_track(wrapped)
    return shake


def hello(connection):
    """Reads the client's part of the handshake."""
    if not connection.recv(65536):
        raise Gone


def tls_reset(connection):
    hello(connection)
    reset(connection)


def tls_close(connection):
    hello(connection)


def tls_silence(connection):
    hello(connection)
    hang(connection)


def tls_garbage(connection):
    hello(connection)
    connection.sendall(b"\x16\x03\x03\x00\x05hello" * 3)


def tls_alert(connection):
    hello(connection)
    connection.sendall(b"\x15\x03\x03\x00\x02\x02\x28")  # fatal, handshake_failure


def plain_on_tls(connection):
    hello(connection)
    connection.sendall(page("400 Bad Request"))


# --- proxies ---------------------------------------------------------------------------------------------------------

def tunnel(connection, most=None):
    """Agrees to CONNECT and carries bytes, at most so many of the answer."""
    text, _ = receive_head(connection)
    host, port = text.split(" ")[1].rsplit(":", 1)
    if host not in ("127.0.0.1", "localhost"):
        raise Gone
    with socket.create_connection(("127.0.0.1", int(port))) as other:
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        there = threading.Thread(target=carry, args=(connection, other, None), daemon=True)
        there.start()
        carry(other, connection, most)
        shut(connection)
        there.join()


def carry(source, target, most):
    try:
        while most is None or most > 0:
            data = source.recv(65536 if most is None else min(most, 65536))
            if not data:
                break
            target.sendall(data)
            most = most and most - len(data)
    except OSError:
        pass
    shut(target)


def shut(connection):
    try:
        socket.socket.shutdown(connection, socket.SHUT_RDWR)  # the TCP connection's, over TLS too
    except OSError:
        pass


def proxy_answers(content, then=CLOSE):
    def serve(connection):
        receive_head(connection)
        respond(connection, content, then)
    return serve


REFUSAL = page("407 Proxy Authentication Required", "Proxy-Authenticate: Basic realm=\"x\"")
PROXIES = {
    "proxy_407": proxy_answers(REFUSAL),
    "proxy_403": proxy_answers(page("403 Forbidden")),
    "proxy_502": proxy_answers(page("502 Bad Gateway")),
    "proxy_garbage": proxy_answers(b"banana\r\n\r\n"),
    "proxy_silence": proxy_answers(b"", HANG),
    "proxy_close": proxy_answers(b""),
    "proxy_reset": proxy_answers(b"", RESET),
    "proxy_headers_endless": proxy_answers(lambda: forever(b"X-Y: z\r\n" * 10, head()[:-2], pause=0.01)),
    "proxy_cut": lambda connection: tunnel(connection, 6000),
    "proxy_cut_handshake": lambda connection: tunnel(connection, 60),
}
# What a proxy answers to a request that it is to pass on, without a tunnel.
FORWARDING = {"forward_407": "status_407", "forward_cut": "body_short", "forward_502": "status_502"}


# --- chaos -----------------------------------------------------------------------------------------------------------

# Faults that would last until a client's patience ends are rare, so that a run is short; those of the status 429 are
# rare because they are what slows a client down.
RARE = {
    "silence_after_request", "half_status_line_silence", "continue_endless", "early_hints_endless",
    "switching_protocols", "headers_slow", "header_slow", "body_short_silence", "body_slow", "body_huge",
    "body_gigabyte", "body_endless", "chunks_silence", "chunks_endless", "chunk_extension_endless",
    "trailers_endless", "status_429", "status_429_empty", "status_503_retry_after", "early_hints_slow",
    "silence_on_accept", "tls_silence", "proxy_silence", "proxy_headers_endless",
    "ThrottlingException", "json_deep", "json_wide", "header_endless", "header_huge", "headers_endless",
}


INTERIM = re.compile(rb"(HTTP/1.1 1\d\d [^\r]*\r\n\r\n)*")
STATUS = re.compile(rb"HTTP/\S+ (\d{3})[ \r]")


def answer_status(name):
    """The status in what is sent first, or None."""
    content = ANSWERS[name][0]
    content = next(content()) if callable(content) else content
    status = STATUS.match(content, INTERIM.match(content).end())
    return int(status.group(1)) if status else None


def is_performed(dice, status):
    """Whether a pause that is answered like that was carried out: by a success always, by an error never."""
    return dice.random() < 0.5 if status is None else status // 100 == 2


def draw_answer(dice):
    if dice.random() < 0.3:
        return "good"
    while True:
        name = dice.choice(sorted(ANSWERS))
        if name not in RARE or dice.random() < 0.4:
            return name


def play_chaos(connection):
    while True:
        text, body = receive_request(connection)
        arn = json.loads(body)["ServiceArn"]
        serial = int(re.search(r"call-(\d+)", arn).group(1))
        attempt = int(re.search(r"(?i)attempt=(\d+)", text).group(1))
        dice = random.Random(f"{seed}/{serial}/{attempt}")
        name = draw_answer(dice)
        status = answer_status(name)
        did = {"serial": serial, "attempt": attempt, "fault": name, "performed": is_performed(dice, status)}
        if status:
            did["status"] = status
        with lock:
            counts["chaos"]["requests"] += 1
            chaos_log.append(did)
        respond(connection, *ANSWERS[name])


def reset_at_once(connection):
    reset(connection)


def close_at_once(_):
    pass


def by_chance(name, good, others):
    """A server that draws for each connection; `others` are {name: serve}."""
    dice, names = random.Random(f"{seed}/{name}"), sorted(others)

    def serve(connection):
        with lock:
            drawn = dice.choice(names) if dice.random() < 0.2 else None
            if drawn in RARE and dice.random() > 0.4:
                drawn = None
        (others[drawn] if drawn else good)(connection)
    return serve


# --- all of them -----------------------------------------------------------------------------------------------------

EARLY = {
    "reset_on_accept": reset_at_once, "close_on_accept": close_at_once, "silence_on_accept": hang,
}
HANDSHAKES = {
    "tls_reset": tls_reset, "tls_close": tls_close, "tls_silence": tls_silence, "tls_garbage": tls_garbage,
    "tls_alert": tls_alert, "tls_plain": plain_on_tls,
}
CERTIFICATES = {
    "tls_good": "good", "tls_expired": "expired", "tls_misnamed": "misnamed", "tls_unknown": "unknown",
    "tls_self_signed": "stranger",
}
CUT = {
    "tls_cut": "body_short", "tls_cut_no_length": "no_length", "tls_cut_no_length_half": "no_length_half",
    "tls_cut_reset": "body_short_reset", "tls_silence_body": "body_short_silence",
}


def shakers(serve_as):
    """The servers that shake hands; serve_as(name) makes what comes after it."""
    made = {name: over_tls(file, serve_as(name)) for name, file in CERTIFICATES.items()}
    made["tls_demands"] = over_tls("good", serve_as("tls_demands"), demands_certificate=True)
    return made


def servers():
    made = {name: play(name, name) for name in ANSWERS}
    made.update({name: play(name, fault) for name, fault in FORWARDING.items()})
    made.update({name: over_tls("good", play(name, fault)) for name, fault in CUT.items()})
    made.update(shakers(lambda name: play(name, "large" if name == "tls_good" else "good")))
    made.update({
        **EARLY, **HANDSHAKES, **PROXIES, "control": control, "elsewhere": play("elsewhere", "good"),
        "close_kept": kept("close_kept", CLOSE), "reset_kept": kept("reset_kept", RESET),
        "answer_at_once": answer_at_once, "lost_then_throttled": lost_then_throttled,
    })
    strange = shakers(lambda _: play_chaos)
    made.update({
        "chaos": by_chance("chaos", play_chaos, EARLY),
        "chaos_tls": by_chance("chaos_tls", strange.pop("tls_good"), {**EARLY, **HANDSHAKES, **strange}),
        "chaos_proxy": by_chance("chaos_proxy", tunnel, {**EARLY, **PROXIES}),
    })
    return made


def control(connection):
    text, _ = receive_request(connection)
    path = text.split(" ")[1]
    with lock:
        if path == "/drop":
            for other in connections:
                shut(other)
        told = {"/log": chaos_log, "/open": {"connections": len(connections)}}.get(path, counts)
        told = json.dumps(told)
    respond(connection, answer(told), CLOSE)


def run(name, serve, connection):
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    count(name, "connections")
    if name != "control":
        keep_track(connection)
    try:
        serve(connection)
    except (Gone, OSError, ValueError):
        pass
    lose_track(connection)
    connection.close()


def question_of(query):
    """(name, where the question ends)"""
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1:at + 1 + query[at]])
        at += 1 + query[at]
    return b".".join(labels).decode("latin-1"), at + 5


def serve_names(listener):
    while True:
        query, client = listener.recvfrom(512)
        name, end = question_of(query)
        if name == "silent.invalid":
            continue
        address = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x7f\0\0\1" if name == "localhost" else b""
        flags = b"\x81\x80" if address else b"\x81\x83"
        counts_of = struct.pack(">4H", 1, 1 if address else 0, 0, 0)
        listener.sendto(query[:2] + flags + counts_of + query[12:end] + address, client)


def listen():
    return socket.create_server(("127.0.0.1", 0), backlog=128)


def accept_all(selector):
    while True:
        for key, _ in selector.select():
            connection, _ = key.fileobj.accept()
            threading.Thread(target=run, args=(*key.data, connection), daemon=True).start()


def main():
    global pki, seed
    pki, seed = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "1"
    listeners = {"elsewhere": listen()}
    add_redirects(listeners["elsewhere"].getsockname()[1])
    selector = selectors.DefaultSelector()
    for name, serve in servers().items():
        counts[name] = {"connections": 0, "requests": 0}
        listeners.setdefault(name, None)
        listeners[name] = listeners[name] or listen()
        selector.register(listeners[name], selectors.EVENT_READ, (name, serve))
    listeners["refused"] = socket.socket()
    listeners["refused"].bind(("127.0.0.1", 0))  # and nobody listens
    listeners["names"] = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listeners["names"].bind(("127.0.0.1", 0))
    threading.Thread(target=serve_names, args=(listeners["names"],), daemon=True).start()
    ports = {name: listener.getsockname()[1] for name, listener in listeners.items()}
    print(json.dumps({"pid": os.getpid(), "ports": ports}), flush=True)
    threading.Thread(target=accept_all, args=(selector,), daemon=True).start()
    sys.stdin.read()
    os._exit(0)


main()
