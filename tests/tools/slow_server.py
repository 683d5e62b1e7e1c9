#!/usr/bin/env python3
"""slow_server.py FOLDER MILLISECONDS - files over HTTP on 127.0.0.1, each answer late.

Prints its port when it listens and runs until it is ended. Ranges, suffix ranges and HEAD are understood.
Paths below /-/ never reach the folder:

    GET /-/counts    {"now": requests in flight, "most": the most at once, "all": how many there were,
                     "files": how many different ones were asked for}
    GET /-/reset     the most and the count begin anew
    GET /-/hang      from the next request on no answer comes; /-/go ends that
    GET /-/gather/N  no answer comes before N requests were in flight at once, or none came for half a
                     second: how many there are is no matter of how fast the machine is. 0 ends that
"""
import http.server
import json
import pathlib
import re
import socketserver
import sys
import threading
import time

FOLDER = pathlib.Path(sys.argv[1])
PAUSE = float(sys.argv[2]) / 1e3
PATIENCE = 0.5


class State:
    lock = threading.Lock()
    now = most = all = 0
    files = set()
    goes = threading.Event()
    gather = 0
    newest = 0.0  # When the newest request came.


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def control(self):
        with State.lock:
            if self.path == "/-/reset":
                State.most, State.all, State.files = State.now, 0, set()
            if self.path.startswith("/-/gather/"):
                State.gather = int(self.path.rpartition("/")[2])
            data = json.dumps({"now": State.now, "most": State.most, "all": State.all,
                               "files": len(State.files)}).encode()
        if self.path == "/-/hang":
            State.goes.clear()
        elif self.path == "/-/go":
            State.goes.set()
        self.answer(200, data)

    def answer(self, status, data, headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def file(self):
        path = FOLDER / self.path.split("?")[0].lstrip("/")
        if not path.is_file():
            return self.answer(404, b"")
        data = path.read_bytes()
        headers = [("Accept-Ranges", "bytes"), ("ETag", f'"{len(data)}"')]
        wanted = re.match(r"bytes=(\d*)-(\d*)$", self.headers.get("Range", ""))
        if wanted is None:
            return self.answer(200, data, headers)
        first = int(wanted[1]) if wanted[1] else max(0, len(data) - int(wanted[2]))
        last = min(int(wanted[2]), len(data) - 1) if wanted[1] and wanted[2] else len(data) - 1
        return self.answer(206, data[first:last + 1],
                           [*headers, ("Content-Range", f"bytes {first}-{last}/{len(data)}")])

    def serve(self):
        if self.path.startswith("/-/"):
            return self.control()
        with State.lock:
            State.now += 1
            State.all += 1
            State.files.add(self.path.split("?")[0])
            State.most = max(State.most, State.now)
            State.newest = time.monotonic()
        time.sleep(PAUSE)
        while State.most < State.gather and time.monotonic() - State.newest < PATIENCE:
            time.sleep(0.01)
        State.goes.wait()
        with State.lock:
            State.now -= 1
        try:
            return self.file()
        except OSError:
            self.close_connection = True
            return None

    do_GET = do_HEAD = serve


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 256


def main():
    State.goes.set()
    server = Server(("127.0.0.1", 0), Handler)
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    sys.exit(main())
