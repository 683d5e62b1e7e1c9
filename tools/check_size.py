#!/usr/bin/env python3
"""Checks how large what users get is, and what it loads: check_size.py BUILD

The program and the shared library stay below a limit once stripped, need the C library and nothing
else, and hold nothing of HTTP and TLS: that is firn_net.so, which is loaded when a path asks for it.
"""
import pathlib
import re
import subprocess
import sys
import tempfile

LIMIT_BYTES = 8_000_000
PLAIN = {"libc.so.6", "libm.so.6", "libpthread.so.0", "libdl.so.2", "ld-linux-x86-64.so.2",
         "ld-linux-aarch64.so.1"}
NET = re.compile(r"\b(curl_|SSL_|EVP_|OPENSSL_)\w+")


def output(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def stripped_bytes(path):
    with tempfile.TemporaryDirectory() as folder:
        copy = pathlib.Path(folder) / "stripped"
        subprocess.run(["strip", "-o", copy, path], check=True)
        return copy.stat().st_size


def needed(path):
    return set(re.findall(r"\(NEEDED\).*\[(.*?)\]", output("readelf", "-d", path)))


def check_plain(path):
    problems = []
    size = stripped_bytes(path)
    if size > LIMIT_BYTES:
        problems.append(f"{path.name} has {size} bytes, at most {LIMIT_BYTES} are allowed")
    more = sorted(needed(path) - PLAIN)
    if more:
        problems.append(f"{path.name} needs {' '.join(more)}")
    found = sorted(set(NET.findall(output("nm", path))))
    if found:
        problems.append(f"{path.name} holds functions of the network: {' '.join(found)}…")
    print(f"{path.name}: {size} bytes")
    return problems


def main():
    build = pathlib.Path(sys.argv[1])
    problems = check_plain(build / "firn") + check_plain(build / "libfirn.so")
    if not any(name.startswith("libcurl") for name in needed(build / "firn_net.so")):
        problems.append("firn_net.so does not need libcurl: who speaks HTTP?")
    print("\n".join("FAIL " + problem for problem in problems) if problems
          else "ok   size and needed libraries")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
