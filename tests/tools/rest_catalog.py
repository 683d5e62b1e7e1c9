#!/usr/bin/env python3
"""rest_catalog.py PORT CATALOG_DB [WAREHOUSE] - a small Iceberg REST catalog on 127.0.0.1, for tests without Java.

Serves the tables and views of a SQLite catalog as Apache Iceberg's own server does: namespaces, tables, views;
making, committing to, renaming and dropping them. Names it keeps in memory, metadata of tables it writes to
files, new tables below WAREHOUSE (a temporary folder unless given). Runs until it is ended.
"""
import gzip
import http.server
import json
import pathlib
import socketserver
import shutil
import sqlite3
import sys
import tempfile
import threading
import urllib.parse
import uuid

import rest_updates
from rest_updates import Refused

ENDPOINTS = ["GET /v1/{prefix}/namespaces", "GET /v1/{prefix}/namespaces/{namespace}",
             "GET /v1/{prefix}/namespaces/{namespace}/tables",
             "GET /v1/{prefix}/namespaces/{namespace}/tables/{table}",
             "GET /v1/{prefix}/namespaces/{namespace}/views",
             "GET /v1/{prefix}/namespaces/{namespace}/views/{view}",
             "POST /v1/{prefix}/namespaces", "DELETE /v1/{prefix}/namespaces/{namespace}",
             "POST /v1/{prefix}/namespaces/{namespace}/properties",
             "POST /v1/{prefix}/namespaces/{namespace}/tables",
             "POST /v1/{prefix}/namespaces/{namespace}/tables/{table}",
             "DELETE /v1/{prefix}/namespaces/{namespace}/tables/{table}",
             "POST /v1/{prefix}/tables/rename", "POST /v1/{prefix}/transactions/commit",
             "POST /v1/{prefix}/namespaces/{namespace}/views",
             "POST /v1/{prefix}/namespaces/{namespace}/views/{view}",
             "DELETE /v1/{prefix}/namespaces/{namespace}/views/{view}", "POST /v1/{prefix}/views/rename"]


class Catalog:
    """Namespaces as tuples of levels; what is in them as metadata locations, or metadata that was made here."""

    def __init__(self, path, warehouse):
        self.lock = threading.Lock()
        self.warehouse = warehouse
        self.spaces, self.things = {}, {"tables": {}, "views": {}}
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
            self.spaces.setdefault(space[:depth], {})

    def check_space(self, space):
        if space not in self.spaces:
            raise Refused(404, "NoSuchNamespaceException", f"Namespace does not exist: {'.'.join(space)}")

    def check_thing(self, kind, space, name):
        if (space, name) not in self.things[kind]:
            word = kind[:-1].capitalize()
            raise Refused(404, f"NoSuch{word}Exception", f"{word} does not exist: {'.'.join(space)}.{name}")


    # ---- Commits --------------------------------------------------------------------------------

    def location_of(self, space, name):
        return self.spaces[space].get("location", "/".join([self.warehouse, *space])) + "/" + name

    def prepare(self, space, name, requirements, updates):
        """A commit that was checked and not yet done: what the table becomes."""
        self.check_space(space)
        before = self.things["tables"].get((space, name))
        creates = any(each["type"] == "assert-create" for each in requirements)
        if before is None and not creates:
            raise Refused(404, "NoSuchTableException", f"Table does not exist: {'.'.join(space)}.{name}")
        location, metadata = load(before) if before is not None else (None, None)
        return (space, name), location, rest_updates.commit(metadata, location, requirements, updates)

    def finish(self, prepared):
        for key, before, metadata in prepared:
            number = int(pathlib.Path(before).name.split("-")[0].lstrip("v").split(".")[0]) + 1 if before else 0
            folder = pathlib.Path(path_of(metadata["location"]), "metadata")
            folder.mkdir(parents=True, exist_ok=True)
            path = folder / f"{number:05}-{uuid.uuid4()}.metadata.json"
            path.write_text(json.dumps(metadata))
            self.things["tables"][key] = metadata["location"] + "/metadata/" + path.name


def path_of(location):
    return urllib.parse.urlsplit(location).path if "://" in location or location.startswith("file:") else location


def load(location):
    """A metadata location and the metadata there."""
    if isinstance(location, dict):
        return location["location"] + "/metadata/made.json", location
    path = pathlib.Path(urllib.parse.unquote(urllib.parse.urlsplit(location).path))
    data = path.read_bytes()
    return location, json.loads(gzip.decompress(data) if ".gz." in path.name else data)


def made_view(body, location):
    version = {**body["view-version"], "version-id": 1}
    return {"view-uuid": str(uuid.uuid4()), "format-version": 1, "location": body.get("location") or location,
            "schemas": [body["schema"]], "current-version-id": 1, "versions": [version],
            "version-log": [{"version-id": 1, "timestamp-ms": version["timestamp-ms"]}],
            "properties": body.get("properties", {})}


def changed_view(view, requirements, updates):
    """The metadata of a view after a commit."""
    for each in requirements:
        if each["type"] != "assert-view-uuid" or each["uuid"] != view["view-uuid"]:
            raise Refused(409, "CommitFailedException", f"Requirement failed: {each}")
    view = json.loads(json.dumps(view))
    last = {}
    for each in updates:
        if each["action"] == "add-schema":
            view["schemas"].append(each["schema"])
            last["schema"] = each["schema"]["schema-id"]
        elif each["action"] == "add-view-version":
            version = dict(each["view-version"])
            if version["schema-id"] == -1:
                version["schema-id"] = last["schema"]
            last["version"] = version["version-id"]
            view["versions"].append(version)
        elif each["action"] == "set-current-view-version":
            number = each["view-version-id"]
            view["current-version-id"] = last["version"] if number == -1 else number
            at, = (of["timestamp-ms"] for of in view["versions"] if of["version-id"] == view["current-version-id"])
            view["version-log"].append({"version-id": view["current-version-id"], "timestamp-ms": at})
        elif each["action"] == "set-properties":
            view["properties"].update(each["updates"])
        elif each["action"] == "remove-properties":
            for key in each["removals"]:
                view["properties"].pop(key, None)
        else:
            raise Refused(400, "BadRequestException", f"Unknown update: {each['action']}")
    return view


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # Head and body are two writes.
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
        self.catalog.spaces[space] = dict(body.get("properties", {}))
        return self.answer(200, {"namespace": space, "properties": self.catalog.spaces[space]})

    def change_space(self, space, body):
        properties = self.catalog.spaces[space]
        missing = [key for key in body.get("removals", []) if properties.pop(key, None) is None]
        properties.update(body.get("updates", {}))
        return self.answer(200, {"updated": list(body.get("updates", {})), "removed": [], "missing": missing})

    def make_table(self, space, body):
        name, properties = body["name"], dict(body.get("properties", {}))
        if (space, name) in self.catalog.things["tables"]:
            raise Refused(409, "AlreadyExistsException", f"Table already exists: {'.'.join(space)}.{name}")
        updates = [{"action": "upgrade-format-version", "format-version": int(properties.pop("format-version", "2"))},
                   {"action": "add-schema", "schema": body["schema"]},
                   {"action": "set-current-schema", "schema-id": -1},
                   {"action": "add-spec", "spec": body.get("partition-spec") or {"spec-id": 0, "fields": []}},
                   {"action": "set-default-spec", "spec-id": -1},
                   {"action": "add-sort-order", "sort-order": body.get("write-order") or {"order-id": 0, "fields": []}},
                   {"action": "set-default-sort-order", "sort-order-id": -1},
                   {"action": "set-location", "location": body.get("location") or
                    self.catalog.location_of(space, name)},
                   {"action": "set-properties", "updates": {"write.parquet.compression-codec": "zstd", **properties}}]
        made = self.catalog.prepare(space, name, [{"type": "assert-create"}], updates)
        if body.get("stage-create"):
            return self.answer(200, {"metadata": made[2], "config": {}})
        self.catalog.finish([made])
        return self.thing("tables", space, name)

    def commit_table(self, space, name, body):
        made = self.catalog.prepare(space, name, body["requirements"], body["updates"])
        self.catalog.finish([made])
        location, metadata = load(self.catalog.things["tables"][space, name])
        return self.answer(200, {"metadata-location": location, "metadata": metadata})

    def commit_all(self, body):
        self.catalog.finish([self.catalog.prepare(tuple(each["identifier"]["namespace"]), each["identifier"]["name"],
                                                  each["requirements"], each["updates"])
                             for each in body["table-changes"]])
        return self.answer(204)

    def make_view(self, space, body):
        name = body["name"]
        if any((space, name) in things for things in self.catalog.things.values()):
            raise Refused(409, "AlreadyExistsException", f"View or table already exists: {'.'.join(space)}.{name}")
        self.catalog.things["views"][space, name] = made_view(body, self.catalog.location_of(space, name))
        return self.thing("views", space, name)

    def commit_view(self, space, name, body):
        self.catalog.check_thing("views", space, name)
        _, before = load(self.catalog.things["views"][space, name])
        self.catalog.things["views"][space, name] = changed_view(before, body.get("requirements", []), body["updates"])
        return self.thing("views", space, name)

    def rename(self, body, kind):
        source, target = ((tuple(body[key]["namespace"]), body[key]["name"]) for key in ("source", "destination"))
        self.catalog.check_thing(kind, *source)
        self.catalog.check_space(target[0])
        if any(target in things for things in self.catalog.things.values()):
            raise Refused(409, "AlreadyExistsException", f"Table already exists: {'.'.join(target[0])}.{target[1]}")
        self.catalog.things[kind][target] = self.catalog.things[kind].pop(source)
        return self.answer(204)

    def space(self, space, kind, body):
        """…/namespaces/SPACE or …/namespaces/SPACE/KIND"""
        self.catalog.check_space(space)
        if kind == "" and self.command == "DELETE":
            if any(of == space for things in self.catalog.things.values() for of, _ in things):
                raise Refused(409, "NamespaceNotEmptyException", f"Namespace is not empty: {'.'.join(space)}")
            del self.catalog.spaces[space]
            return self.answer(204)
        if kind == "":
            return self.answer(200, {"namespace": space, "properties": self.catalog.spaces[space]})
        if kind == "properties":
            return self.change_space(space, body)
        if kind == "tables" and self.command == "POST":
            return self.make_table(space, body)
        if kind == "register":
            self.catalog.things["tables"][space, body["name"]] = body["metadata-location"]
            return self.thing("tables", space, body["name"])
        if self.command == "POST" and kind == "views":
            return self.make_view(space, body)
        names = sorted(name for of, name in self.catalog.things[kind] if of == space)
        return self.answer(200, {"identifiers": [{"namespace": space, "name": name} for name in names]})

    def thing(self, kind, space, name, purges=False):
        """…/namespaces/SPACE/KIND/NAME"""
        self.catalog.check_thing(kind, space, name)
        if self.command == "DELETE":
            location = self.catalog.things[kind].pop((space, name))
            if purges:
                shutil.rmtree(path_of(load(location)[1]["location"]), ignore_errors=True)
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
            if kind == "tables" and len(parts) == 5 and self.command == "POST":
                return self.commit_table(space, parts[4], body)
            if kind == "views" and len(parts) == 5 and self.command == "POST":
                return self.commit_view(space, parts[4], body)
            if kind in ("tables", "views") and len(parts) == 5:
                return self.thing(kind, space, parts[4], "purgeRequested=true" in target.query)
            if kind in ("", "tables", "views", "register", "properties") and len(parts) < 5:
                return self.space(space, kind, body)
        if len(parts) == 3 and parts[1] in ("tables", "views") and parts[2] == "rename":
            return self.rename(body, parts[1])
        if parts == ["v1", "transactions", "commit"]:
            return self.commit_all(body)
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
    warehouse = sys.argv[3] if len(sys.argv) > 3 else tempfile.mkdtemp(prefix="firn-warehouse-")
    Handler.catalog = Catalog(sys.argv[2], "file://" + warehouse)
    Server(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()


if __name__ == "__main__":
    sys.exit(main())
