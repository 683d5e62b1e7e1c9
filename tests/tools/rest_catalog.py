#!/usr/bin/env python3
"""rest_catalog.py PORT CATALOG_DB - a small Iceberg REST catalog on 127.0.0.1, for tests without Java.

Serves the tables and views of a SQLite catalog as Apache Iceberg's own server does: namespaces, tables, views,
registering and dropping them. What it makes it keeps in memory. Runs until it is ended.
"""
import gzip
import http.server
import json
import pathlib
import socketserver
import sqlite3
import sys
import threading
import urllib.parse
import uuid

ENDPOINTS = ["GET /v1/{prefix}/namespaces", "GET /v1/{prefix}/namespaces/{namespace}",
             "GET /v1/{prefix}/namespaces/{namespace}/tables",
             "GET /v1/{prefix}/namespaces/{namespace}/tables/{table}",
             "GET /v1/{prefix}/namespaces/{namespace}/views",
             "GET /v1/{prefix}/namespaces/{namespace}/views/{view}"]


class Refused(Exception):
    def __init__(self, status, kind, message):
        super().__init__(message)
        self.status, self.kind = status, kind


class Catalog:
    """Namespaces as tuples of levels; what is in them as metadata locations, or metadata that was made here."""

    def __init__(self, path):
        self.lock = threading.Lock()
        self.spaces, self.things = set(), {"tables": {}, "views": {}}
        connection = sqlite3.connect(path)
        for (space,) in connection.execute("SELECT DISTINCT namespace FROM iceberg_namespace_properties"):
            self.add_space(tuple(space.split(".")))
        for space, name, location, kind in connection.execute(
                "SELECT table_namespace, table_name, metadata_location, iceberg_type FROM iceberg_tables"):
            self.add_space(tuple(space.split(".")))
            of = self.things["views" if kind == "VIEW" else "tables"]
            of[tuple(space.split(".")), name] = location
        connection.close()

    def add_space(self, space):
        for depth in range(1, len(space) + 1):
            self.spaces.add(space[:depth])

    def check_space(self, space):
        if space not in self.spaces:
            raise Refused(404, "NoSuchNamespaceException", f"Namespace does not exist: {'.'.join(space)}")

    def check_thing(self, kind, space, name):
        if (space, name) not in self.things[kind]:
            word = kind[:-1].capitalize()
            raise Refused(404, f"NoSuch{word}Exception", f"{word} does not exist: {'.'.join(space)}.{name}")


def load(location):
    """A metadata location and the metadata there."""
    if isinstance(location, dict):
        return location["location"] + "/metadata/made.json", location
    path = pathlib.Path(urllib.parse.unquote(urllib.parse.urlsplit(location).path))
    data = path.read_bytes()
    return location, json.loads(gzip.decompress(data) if ".gz." in path.name else data)


def made_view(body):
    version = {**body["view-version"], "version-id": 1}
    return {"view-uuid": str(uuid.uuid4()), "format-version": 1, "location": body["location"],
            "schemas": [body["schema"]], "current-version-id": 1, "versions": [version],
            "version-log": [{"version-id": 1, "timestamp-ms": version["timestamp-ms"]}],
            "properties": body.get("properties", {})}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    catalog = None

    def log_message(self, *_):
        pass

    def answer(self, status, value=None, headers=()):
        data = b"" if value is None else json.dumps(value).encode()
        self.send_response(status)
        for name, text in headers:
            self.send_header(name, text)
        if status not in (204, 304):
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD" and status not in (204, 304):
            self.wfile.write(data)

    def spaces(self, query):
        parent = tuple(query["parent"][0].split(".")) if query.get("parent") else ()
        if parent:
            self.catalog.check_space(parent)
        below = [space for space in sorted(self.catalog.spaces)
                 if len(space) == len(parent) + 1 and space[:len(parent)] == parent]
        return self.answer(200, {"namespaces": below})

    def make_space(self, body):
        space = tuple(body["namespace"])
        if space in self.catalog.spaces:
            raise Refused(409, "AlreadyExistsException", f"Namespace already exists: {'.'.join(space)}")
        self.catalog.add_space(space)
        return self.answer(200, {"namespace": space, "properties": {}})

    def space(self, space, kind, body):
        """…/namespaces/SPACE or …/namespaces/SPACE/KIND"""
        self.catalog.check_space(space)
        if kind == "" and self.command == "DELETE":
            self.catalog.spaces.remove(space)
            return self.answer(204)
        if kind == "":
            return self.answer(200, {"namespace": space, "properties": {}})
        if kind == "register":
            self.catalog.things["tables"][space, body["name"]] = body["metadata-location"]
            return self.thing("tables", space, body["name"])
        if self.command == "POST" and kind == "views":
            self.catalog.things["views"][space, body["name"]] = made_view(body)
            return self.thing("views", space, body["name"])
        names = sorted(name for of, name in self.catalog.things[kind] if of == space)
        return self.answer(200, {"identifiers": [{"namespace": space, "name": name} for name in names]})

    def thing(self, kind, space, name):
        """…/namespaces/SPACE/KIND/NAME"""
        self.catalog.check_thing(kind, space, name)
        if self.command == "DELETE":
            del self.catalog.things[kind][space, name]
            return self.answer(204)
        location, metadata = load(self.catalog.things[kind][space, name])
        etag = f'"{uuid.uuid5(uuid.NAMESPACE_URL, location)}"'
        if kind == "tables" and self.headers.get("If-None-Match") == etag:
            return self.answer(304)
        return self.answer(200, {"metadata-location": location, "metadata": metadata, "config": {}},
                           [("ETag", etag)] if kind == "tables" else [])

    def route(self, body):
        target = urllib.parse.urlsplit(self.path)
        parts = [urllib.parse.unquote(part) for part in target.path.strip("/").split("/")]
        if parts == ["v1", "config"]:
            return self.answer(200, {"defaults": {}, "overrides": {"namespace-separator": "%2E"},
                                     "endpoints": ENDPOINTS})
        if parts == ["v1", "namespaces"]:
            if self.command == "POST":
                return self.make_space(body)
            return self.spaces(urllib.parse.parse_qs(target.query))
        if parts[:2] == ["v1", "namespaces"] and 3 <= len(parts) <= 5:
            space = tuple(parts[2].split("."))
            kind = parts[3] if len(parts) > 3 else ""
            if kind in ("tables", "views") and len(parts) == 5:
                return self.thing(kind, space, parts[4])
            if kind in ("", "tables", "views", "register") and len(parts) < 5:
                return self.space(space, kind, body)
        raise Refused(404, "NoSuchEndpointException", f"No route for {self.command} {self.path}")

    def serve(self):
        data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            with self.catalog.lock:
                return self.route(json.loads(data) if data else {})
        except Refused as why:
            return self.answer(why.status, {"error": {"message": str(why), "type": why.kind,
                                                      "code": why.status}})
        except (KeyError, ValueError, OSError) as why:
            return self.answer(400, {"error": {"message": repr(why), "type": "BadRequestException",
                                               "code": 400}})

    do_GET = do_POST = do_DELETE = do_HEAD = serve


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 128


def main():
    Handler.catalog = Catalog(sys.argv[2])
    Server(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()


if __name__ == "__main__":
    sys.exit(main())
