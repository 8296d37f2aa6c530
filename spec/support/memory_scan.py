"""Runs a program and looks through its memory for what should not be there.

memory_scan.py REPORT NEEDLES PROGRAM ARGUMENT...: NEEDLES is a file of lines, each a text, or hex: and bytes. Whenever
the program prints the line "scan", all memory that it can write to is searched, and its stdin gets a line. REPORT gets
a JSON list, for each scan a list of what was found: {needle, region, address, around}. This process is the program's
parent, which may read its memory where a stranger may not.
"""
import json
import re
import subprocess
import sys

AROUND = 48


def read_needles(path):
    with open(path, encoding="utf-8") as file:
        lines = file.read().split("\n")
    return {line: bytes.fromhex(line[4:]) if line.startswith("hex:") else line.encode() for line in lines if line}


def writable_regions(pid):
    with open(f"/proc/{pid}/maps", encoding="utf-8") as maps:
        for line in maps:
            parts = line.split(maxsplit=5)
            start, end = (int(part, 16) for part in parts[0].split("-"))
            if parts[1].startswith("rw"):
                yield start, end, parts[5].strip() if len(parts) > 5 else "anonymous"


def read_region(memory, start, end):
    try:
        memory.seek(start)
        return memory.read(end - start)
    except (OSError, ValueError, OverflowError):
        return b""  # a device's, or gone


def scan(pid, needles):
    found = []
    with open(f"/proc/{pid}/mem", "rb") as memory:
        for start, end, region in writable_regions(pid):
            data = read_region(memory, start, end)
            for name, needle in needles.items():
                for match in re.finditer(re.escape(needle), data):
                    around = data[max(0, match.start() - AROUND):match.end() + AROUND]
                    found.append({"needle": name, "region": region, "address": f"{start + match.start():x}",
                                  "around": around.decode("latin-1").encode("unicode_escape").decode()})
    return found


report, needles = sys.argv[1], read_needles(sys.argv[2])
program = subprocess.Popen(sys.argv[3:], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
scans = []
for said in program.stdout:
    if said == b"scan\n":
        scans.append(scan(program.pid, needles))
        program.stdin.write(b"\n")
        program.stdin.flush()
with open(report, "w", encoding="utf-8") as output:
    json.dump(scans, output)
sys.exit(program.wait())
