"""An HTTP server on loopback that records what it receives and answers as the URL's path says.

Prints its port and its process id, then one JSON line for each request: `connection` (a number), `line`,
`headers` (a list of [name, value] as they came) and `body` (hexadecimal). Ends when its stdin does. The path's first segment:

  /answer/HEX/   sends these bytes; with Connection: close among them, closes
  /cut/HEX/      sends these bytes and closes
  /large/N/      answers 200 with a body of N bytes
  /head/N/       answers 200 with N header lines of 1,000 bytes
  /sequence/A-B/ answers the first request as A says, the second as B, and so on, the last one for ever; each is the
                 HEX of an answer, or close
  /page/N/       answers 500 with a body of N bytes
  /barrier/N/    waits until N requests are here, then answers them all with 200 and {}; closes where they never come
  /silent/ID/    never answers
  /when/ID/      waits until there was a request to /silent/ID/, then answers 200 and {}; closes where it never comes
  /close/        closes without an answer
  anything else  answers 200 and {}
"""
import json
import os
import queue
import socket
import sys
import threading

EMPTY = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: 2\r\n\r\n{}"
requests = queue.SimpleQueue()  # what is to be told; a reader that does not read holds nobody up
arrived = threading.Condition()
seen = {}  # path -> how many requests it had


def count(path):
    with arrived:
        seen[path] = seen.get(path, 0) + 1
        arrived.notify_all()
        return seen[path]


def all_here(path, number):
    with arrived:
        return arrived.wait_for(lambda: seen.get(path, 0) >= number, timeout=30)


def read_request(stream):
    line = stream.readline()
    if not line:
        return None
    headers, length = [], 0
    for header in iter(stream.readline, b"\r\n"):
        name, _, value = header.decode("latin-1").rstrip("\r\n").partition(":")
        headers.append([name, value[1:] if value.startswith(" ") else value])
        if name.lower() == "content-length":
            length = int(value)
    body = stream.read(length)
    return {"line": line.decode("latin-1").rstrip("\r\n"), "headers": headers, "body": body.hex()}


def respond(connection, stream, path):
    """Answers; true if the connection goes on."""
    kind, _, argument = path.strip("/").partition("/")
    nth = count(path)
    if kind == "sequence":
        steps = argument.split("-")
        argument = steps[min(nth, len(steps)) - 1]
        kind = "close" if argument == "close" else "answer"
    if kind in ("answer", "cut"):
        answer = bytes.fromhex(argument)
        connection.sendall(answer)
        return kind == "answer" and b"connection: close" not in answer.lower()
    if kind in ("large", "page"):
        status = 200 if kind == "large" else 500
        connection.sendall(b"HTTP/1.1 %d Reason\r\nContent-Length: %d\r\n\r\n" % (status, int(argument)))
        connection.sendall(b"x" * int(argument))
        return True
    if kind == "head":
        lines = [b"X-%d: %s\r\n" % (i, b"y" * 990) for i in range(int(argument))]
        connection.sendall(b"HTTP/1.1 200 OK\r\n%sContent-Length: 2\r\n\r\n{}" % b"".join(lines))
        return True
    if kind == "silent":
        stream.read(1)
        return False
    if kind == "close":
        return False
    if kind == "when" and not all_here("/silent/" + argument + "/", 1):
        return False
    if kind == "barrier" and not all_here(path, int(argument)):
        return False
    connection.sendall(EMPTY)
    return True


def serve(connection, number):
    stream = connection.makefile("rb")
    try:
        while True:
            request = read_request(stream)
            if request is None:
                break
            requests.put({"connection": number, **request})
            if not respond(connection, stream, request["line"].split(" ")[1]):
                break
    except OSError:
        pass
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    stream.close()
    connection.close()


def accept(listener):
    number = 0
    while True:
        connection, _ = listener.accept()
        number += 1
        threading.Thread(target=serve, args=(connection, number), daemon=True).start()


def tell():
    while True:
        print(json.dumps(requests.get()), flush=True)


server = socket.create_server(("127.0.0.1", 0), backlog=128)
print(server.getsockname()[1], os.getpid(), flush=True)
threading.Thread(target=accept, args=(server,), daemon=True).start()
threading.Thread(target=tell, daemon=True).start()
sys.stdin.read()
os._exit(0)  # whether or not anybody has read all that there was to tell
