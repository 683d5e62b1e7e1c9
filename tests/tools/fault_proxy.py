#!/usr/bin/env python3
"""fault_proxy.py PORT UPSTREAM [--token-ttl S] [--client ID:SECRET] [--prefix P] [--tls CERT KEY]

A proxy on 127.0.0.1 in front of a real server that misbehaves when it is told to. Prints its port
when it listens (PORT 0: any) and runs until it is ended.

It is told over HTTP, at paths below /-/ that never reach the server behind:

    POST /-/faults   a JSON list of faults, consumed one by one by the requests they match
    GET  /-/log      a JSON list of ["METHOD", "path", status] of all requests since the last reset
    GET  /-/headers  a JSON object of the last request's headers
    GET  /-/grants   a JSON list of the grant types of all tokens that were given since the last reset
    POST /-/reset    forgets faults, log, grants and tokens

A fault is {"do": NAME, "match": "part of METHOD path", "times": 1, ...}. Without "match" it takes any
request; "times" -1 is for ever; "skip" lets so many requests that match go by first. NAMEs:

    hang         says nothing until the client leaves ("after": only once so many bytes of body went)
    cut          hangs up before a byte of the answer
    lose         the server behind answers, and the client gets no answer at all
    half         hangs up in the middle of the body
    endless      a body that has no end; with "status" it is that one's
    garbage      bytes that are no HTTP
    slow         "ms" between pieces of 16 bytes, or of a 64th where that is more
    status       answers "status" with "body" and "headers" instead of asking the server behind; with
                 "asks" after it has answered
    redirect     answers 307 to "to", or to where it is already

With --client it also checks what the Iceberg fixture does not: OAuth2 client credentials at
…/v1/oauth/tokens, bearer tokens with a life of --token-ttl seconds, 401 without and 419 after it. With
--prefix the configuration demands it in every path, and 404 is the answer to one without.
"""
import argparse
import base64
import http.client
import http.server
import json
import secrets
import socketserver
import ssl
import sys
import threading
import time
import urllib.parse

HOP_HEADERS = {"connection", "transfer-encoding", "content-length", "host", "keep-alive"}


class State:
    """What the control requests change. One lock for all of it."""

    def __init__(self):
        self.lock = threading.Lock()
        self.faults = []
        self.log = []
        self.grants = []
        self.tokens = {}
        self.headers = {}

    def take(self, request):
        with self.lock:
            for fault in self.faults:
                if fault.get("match", "") in request and fault.get("times", 1) != 0:
                    if fault.get("skip", 0) > 0:
                        fault["skip"] -= 1
                        continue
                    fault["times"] = fault.get("times", 1) - 1
                    return fault
        return None

    def note(self, method, path, status):
        with self.lock:
            self.log.append([method, path, status])


class Proxy(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # Head and body are two writes.
    state = None
    options = None

    def log_message(self, *_):
        pass

    # ---- Answers -------------------------------------------------------------------------------

    def send_body(self, status, body, headers=()):
        self.state.note(self.command, self.path, status)
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        if status not in (204, 304):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD" and status not in (204, 304):
            self.wfile.write(body)

    def send_json(self, status, value, headers=()):
        self.send_body(status, json.dumps(value).encode(),
                       [("Content-Type", "application/json"), *headers])

    def send_error_json(self, status, kind, message):
        self.send_json(status, {"error": {"message": message, "type": kind, "code": status}})

    def hang_up(self, status=0):
        self.state.note(self.command, self.path, status)
        self.close_connection = True

    # ---- The server behind ---------------------------------------------------------------------

    def ask_upstream(self, body):
        target = urllib.parse.urlsplit(self.options.upstream)
        connection = http.client.HTTPConnection(target.hostname, target.port, timeout=60)
        headers = {name: value for name, value in self.headers.items()
                   if name.lower() not in HOP_HEADERS | (
                       {"accept-encoding"} if self.options.prefix else set())}
        connection.request(self.command, target.path.rstrip("/") + self.path, body or None, headers)
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        kept = [(name, value) for name, value in answer.getheaders()
                if name.lower() not in HOP_HEADERS]
        return answer.status, kept, data

    # ---- Faults --------------------------------------------------------------------------------

    def send_in_pieces(self, status, headers, data, size, pause_s):
        """Claims the whole body and sends `size` bytes of it, in pieces."""
        piece = max(16, len(data) // 64)
        self.state.note(self.command, self.path, status)
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        for at in range(0, size, piece):
            self.wfile.write(data[at:min(at + piece, size)])
            self.wfile.flush()
            time.sleep(pause_s)
        self.close_connection = size < len(data)

    def wait_for_client_to_leave(self):
        try:
            while self.connection.recv(4096):
                pass
        except OSError:
            pass

    def do_fault(self, fault, body):
        name = fault["do"]
        if name == "status":
            if fault.get("asks"):
                self.ask_upstream(body)
            value = fault.get("body", "")
            text = value if isinstance(value, str) else json.dumps(value)
            return self.send_body(fault["status"], text.encode(), fault.get("headers", {}).items())
        if name == "redirect":
            return self.send_body(307, b"", [("Location", fault.get("to", self.path))])
        if name == "cut":
            return self.hang_up()
        if name == "garbage":
            self.hang_up()
            return self.wfile.write(b"\x00\x01 this is no HTTP\r\n\r\n")
        if name == "hang" and "after" not in fault:
            self.hang_up()
            return self.wait_for_client_to_leave()
        status, headers, data = self.ask_upstream(body)
        if name == "lose":
            return self.hang_up(status)
        if name == "half":
            return self.send_in_pieces(status, headers, data, len(data) // 2, 0)
        if name == "slow":
            return self.send_in_pieces(status, headers, data, len(data), fault["ms"] / 1000)
        if name == "hang":
            self.send_in_pieces(status, headers, data, min(fault["after"], len(data)), 0)
            return self.wait_for_client_to_leave()
        if name == "endless":
            status = fault.get("status", status)
            self.hang_up(status)
            self.send_response(status)
            for name, value in headers:
                if name.lower() in ("content-range", "etag"):
                    self.send_header(name, value)
            self.send_header("Connection", "close")
            self.end_headers()
            while True:
                self.wfile.write(data + b" " * 65536)
        raise ValueError(f"no fault is called {name!r}")

    # ---- Tokens --------------------------------------------------------------------------------

    def give_token(self, body):
        form = {key: values[0] for key, values in urllib.parse.parse_qs(body.decode()).items()}
        basic = self.headers.get("Authorization", "")
        given = f"{form.get('client_id', '')}:{form.get('client_secret', '')}"
        if basic.startswith("Basic "):
            given = base64.b64decode(basic[6:]).decode()
        exchanges = form.get("grant_type", "").endswith(":token-exchange")
        if exchanges:
            fits = form.get("subject_token") in self.state.tokens and given == self.options.client
        else:
            fits = form.get("grant_type") == "client_credentials" and given == self.options.client
        if not fits:
            return self.send_json(401, {"error": "invalid_client",
                                        "error_description": "wrong client id or secret"})
        token = secrets.token_urlsafe(24)
        with self.state.lock:
            self.state.grants.append(form["grant_type"].rsplit(":", 1)[-1])
        self.state.tokens[token] = time.time() + self.options.token_ttl
        return self.send_json(200, {"access_token": token, "token_type": "bearer",
                                    "expires_in": int(self.options.token_ttl)})

    def refuses_token(self):
        authorization = self.headers.get("Authorization", "")
        ends = self.state.tokens.get(authorization.removeprefix("Bearer "))
        if ends is None:
            self.send_error_json(401, "NotAuthorizedException", "no valid bearer token")
        elif ends < time.time():
            self.send_error_json(419, "AuthenticationTimeoutException", "the token expired")
        return ends is None or ends < time.time()

    # ---- A prefix ------------------------------------------------------------------------------

    def tell_prefix(self, data):
        told = json.loads(data)
        told.setdefault("overrides", {})["prefix"] = self.options.prefix
        return json.dumps(told).encode()

    def strip_prefix(self):
        """Whether the path had what it must have, which is gone then."""
        wanted = f"/v1/{self.options.prefix}/"
        if not self.path.startswith(wanted):
            self.send_error_json(404, "NoSuchEndpointException", "the prefix is missing")
            return False
        self.path = "/v1/" + self.path[len(wanted):]
        return True

    # ---- Requests ------------------------------------------------------------------------------

    def control(self, body):
        state = self.state
        with state.lock:
            if self.path == "/-/faults" and self.command == "POST":
                state.faults.extend(json.loads(body))
            elif self.path == "/-/reset" and self.command == "POST":
                state.faults, state.log, state.grants, state.tokens = [], [], [], {}
            elif self.path not in ("/-/log", "/-/headers", "/-/grants"):
                return self.send_response_only(404)
            told = {"/-/headers": state.headers, "/-/grants": state.grants}
            data = json.dumps(told.get(self.path, state.log)).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        return self.wfile.write(data)

    def serve(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path.startswith("/-/"):
            return self.control(body)
        self.state.headers = dict(self.headers.items())
        fault = self.state.take(f"{self.command} {self.path}")
        try:
            if fault is not None:
                return self.do_fault(fault, body)
            if self.options.client:
                if self.path.split("?")[0].endswith("/v1/oauth/tokens"):
                    return self.give_token(body)
                if self.refuses_token():
                    return None
            is_config = self.path.split("?")[0] == "/v1/config"
            if self.options.prefix and not is_config and not self.strip_prefix():
                return None
            status, headers, data = self.ask_upstream(body)
            if self.options.prefix and is_config:
                data = self.tell_prefix(data)
            return self.send_body(status, data, headers)
        except OSError:
            self.close_connection = True
            return None

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = serve


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 128


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("port", type=int)
    parser.add_argument("upstream")
    parser.add_argument("--client", default="")
    parser.add_argument("--prefix", default="")
    parser.add_argument("--token-ttl", type=float, default=3600)
    parser.add_argument("--tls", nargs=2, metavar=("CERT", "KEY"))
    Proxy.options = parser.parse_args()
    Proxy.state = State()
    server = Server(("127.0.0.1", Proxy.options.port), Proxy)
    if Proxy.options.tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*Proxy.options.tls)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    sys.exit(main())
