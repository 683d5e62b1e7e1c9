#!/usr/bin/env python3
"""catalog_write_test.py BUILD [TEST] - what firn writes to catalogs, as others see it.

BUILD/catalog_probe commits as a transaction would. SQLite: PyIceberg opens the file that firn made and the
other way round, each commits on top of the other, at once too. REST: Apache Iceberg's own server (or ours, see
rest_server.sh) takes creates, commits of one and several tables, renames and drops; a proxy loses requests
before and answers after the commit, and what firn says of each must be true. Folders: PyIceberg reads the
versions that firn numbers. Needs PyIceberg:

    $(bash tools/dev/venv.sh pyiceberg)/bin/python tests/interop/catalog_write_test.py build/dev
"""
import contextlib
import json
import pathlib
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import uuid

import pyarrow as pa
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.exceptions import CommitFailedException
from pyiceberg.table import StaticTable

from rest_sql_test import BUILD, ROOT, FaultProxy, Server, Wrong, holds, same

PROBE = str(ROOT / BUILD / "catalog_probe")
SEED = 20261127
ROWS = pa.table({"x": pa.array([1, 2, 3], pa.int64())})


class Probe:
    def __init__(self, location, alias="lake", **options):
        # pylint: disable-next=consider-using-with
        self.process = subprocess.Popen(
            [PROBE, location, alias, *(f"{key}={value}" for key, value in options.items())], cwd=ROOT,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        if self.process.wait(20) != 0:
            raise Wrong(f"catalog_probe ended with {self.process.returncode}")

    def ask(self, what, **rest):
        self.process.stdin.write(json.dumps({"do": what, **rest}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise Wrong(f"catalog_probe died at {what}")
        return json.loads(line)

    def must(self, what, **rest):
        answer = self.ask(what, **rest)
        if "error" in answer:
            raise Wrong(f"{what} {rest}: {answer}")
        return answer

    def state(self, what, **rest):
        """The SQLSTATE of what must fail."""
        answer = self.ask(what, **rest)
        if "error" not in answer:
            raise Wrong(f"{what} {rest} has an answer: {answer}")
        return answer["sqlstate"]

    def commit(self, *parts, **rest):
        return self.ask("commit", parts=list(parts), **rest)


def part(kind, name, **rest):
    rest = {key: json.dumps(value) if isinstance(value, list) else value for key, value in rest.items()}
    return {"kind": kind, "name": name.split("."), **rest}


# ---- SQLite --------------------------------------------------------------------------------------

def next_metadata(location, **properties):
    """Another metadata file on top of one, as a commit of properties would write it."""
    path = pathlib.Path(location.removeprefix("file://"))
    data = json.loads(path.read_text())
    data["metadata-log"] = [*data.get("metadata-log", []),
                            {"metadata-file": location, "timestamp-ms": data["last-updated-ms"]}]
    data["properties"] = {**data.get("properties", {}), **properties}
    number = int(path.name.split("-")[0]) + 1
    made = path.with_name(f"{number:05}-{uuid.uuid4()}.metadata.json")
    made.write_text(json.dumps(data))
    return location[:location.rindex("/") + 1] + made.name


def open_both(folder):
    file = f"{folder}/catalog.db"
    probe = Probe("sqlite:" + file, "lake", WAREHOUSE=f"{folder}/wh")
    probe.must("form")  # The file is there now.
    return probe, SqlCatalog("lake", uri=f"sqlite:///{file}", warehouse=f"file://{folder}/wh")


def a_file_that_firn_made_is_pyicebergs(folder):
    probe, catalog = open_both(folder)
    with probe:
        probe.must("create_namespace", space=["db"])
        probe.must("change_namespace", space=["db"], set={"owner": "me", "note": "ä"})
        same(catalog.list_namespaces(), [("db",)])
        same({key: value for key, value in catalog.load_namespace_properties("db").items() if key != "exists"},
             {"owner": "me", "note": "ä"})
        table = catalog.create_table("db.t", ROWS.schema)
        table.append(ROWS)
        # firn commits on PyIceberg's table, and PyIceberg on firn's commit.
        old = table.metadata_location
        same(probe.commit(part("change", "db.t", old=old, new=next_metadata(old, by="firn"))), {"answer": "done"})
        again = catalog.load_table("db.t")
        same((again.properties["by"], again.scan().to_arrow().num_rows), ("firn", 3))
        again.append(ROWS)
        same(catalog.load_table("db.t").scan().to_arrow().num_rows, 6)
        # Who has not seen that is refused, on both sides.
        same(probe.commit(part("change", "db.t", old=old, new=next_metadata(old))), {"answer": "conflict"})
        newest = catalog.load_table("db.t").metadata_location
        stale = catalog.load_table("db.t")
        same(probe.commit(part("change", "db.t", old=newest, new=next_metadata(newest, by="x"))), {"answer": "done"})
        try:
            stale.append(ROWS)
        except CommitFailedException:
            pass
        else:
            same(catalog.load_table("db.t").properties["by"], "x")  # It was tried again on top.
        probe.must("load", name=["db", "t"])


def new_tables_lie_where_pyiceberg_puts_them(folder):
    probe, catalog = open_both(folder)
    with probe:
        probe.must("create_namespace", space=["db"])
        same(probe.must("stage", name=["db", "t"])["location"], f"{folder}/wh/db/t")
        same(catalog.create_table("db.t", ROWS.schema).location(), f"file://{folder}/wh/db/t")
        probe.must("change_namespace", space=["db"], set={"location": f"file://{folder}/else"})
        same(probe.must("stage", name=["db", "u"])["location"], f"file://{folder}/else/u")
        same(catalog.create_table("db.u", ROWS.schema).location(), f"file://{folder}/else/u")
        # firn's create, with metadata as PyIceberg makes it.
        made = next_metadata(catalog.load_table("db.u").metadata_location)
        same(probe.commit(part("create", "db.v", new=made)), {"answer": "done"})
        same(probe.commit(part("create", "db.v", new=made)), {"answer": "conflict"})
        same(catalog.load_table("db.v").metadata_location, made)
        same(probe.state("commit", parts=[part("create", "none.v", new=made)]), "3F000")


def tables_change_together_or_not_at_all(folder):
    probe, catalog = open_both(folder)
    with probe:
        probe.must("create_namespace", space=["db"])
        old = {name: catalog.create_table(f"db.{name}", ROWS.schema).metadata_location for name in "tu"}
        new = {name: next_metadata(location, a="1") for name, location in old.items()}
        parts = [part("change", f"db.{name}", old=old[name], new=new[name]) for name in "tu"]
        parts[1]["old"] = new["t"]
        same(probe.commit(*parts), {"answer": "conflict"})
        same([catalog.load_table(f"db.{name}").properties.get("a") for name in "tu"], [None, None])
        parts[1]["old"] = old["u"]
        same(probe.commit(*parts), {"answer": "done"})
        same([catalog.load_table(f"db.{name}").properties.get("a") for name in "tu"], ["1", "1"])


def names_change_and_go(folder):
    probe, catalog = open_both(folder)
    with probe:
        for space in (["db"], ["other"]):
            probe.must("create_namespace", space=space)
        for name in "tu":
            catalog.create_table(f"db.{name}", ROWS.schema)
        same(probe.state("rename", name=["db", "t"], to=["db", "u"]), "42P07")
        same(probe.state("rename", name=["db", "none"], to=["db", "v"]), "42P01")
        probe.must("rename", name=["db", "t"], to=["other", "w"])
        same((catalog.list_tables("db"), catalog.list_tables("other")), ([("db", "u")], [("other", "w")]))
        same(probe.state("drop_namespace", space=["other"]), "2BP01")
        location = catalog.load_table("other.w").metadata_location
        same(probe.commit(part("drop", "other.w", old=location)), {"answer": "done"})
        same(probe.commit(part("drop", "other.w", old=location)), {"answer": "conflict"})
        probe.must("drop_namespace", space=["other"])
        same(catalog.list_namespaces(), [("db",)])
        probe.must("drop", name=["db", "u"])
        same(probe.state("drop", name=["db", "u"]), "42P01")


def purge_removes_what_the_table_had(folder):
    probe, catalog = open_both(folder)
    with probe:
        probe.must("create_namespace", space=["db"])
        for name, properties, left in (("t", {}, {"mine.txt"}), ("kept", {"gc.enabled": "false"}, None)):
            table = catalog.create_table(f"db.{name}", ROWS.schema, properties=properties)
            for _ in range(3):
                table.append(ROWS)
            table.delete("x = 2")
            home = pathlib.Path(table.location().removeprefix("file://"))
            (home / "mine.txt").write_text("of somebody else")
            data = {each.name for each in home.rglob("*.parquet")}
            same(len(data) > 3, True)
            location = table.metadata_location
            same(probe.commit(part("drop", f"db.{name}", old=location, purges=True)), {"answer": "done"})
            probe.must("purge", name=["db", name], location=location)
            found = {each.name for each in home.rglob("*") if each.is_file()}
            same(found, left or data | {"mine.txt"})


def others_make_the_file(folder):
    """Files of PyIceberg, and of Java's older layout, without iceberg_type and with no properties table."""
    catalog = SqlCatalog("theirs", uri=f"sqlite:///{folder}/catalog.db", warehouse=f"file://{folder}/wh")
    catalog.create_namespace("db")
    old = catalog.create_table("db.t", ROWS.schema).metadata_location
    with Probe(f"sqlite:{folder}/catalog.db") as probe:
        new = next_metadata(old, by="firn")
        same(probe.commit(part("change", "db.t", old=old, new=new)), {"answer": "done"})
        probe.must("create_namespace", space=["more"])
    same(catalog.load_table("db.t").properties["by"], "firn")
    same(sorted(catalog.list_namespaces()), [("db",), ("more",)])
    connection = sqlite3.connect(f"{folder}/v0.db")
    connection.execute("CREATE TABLE iceberg_tables (catalog_name VARCHAR(255) NOT NULL, table_namespace VARCHAR(255)"
                       " NOT NULL, table_name VARCHAR(255) NOT NULL, metadata_location VARCHAR(1000), "
                       "previous_metadata_location VARCHAR(1000), "
                       "PRIMARY KEY (catalog_name, table_namespace, table_name))")
    connection.commit()
    with Probe(f"sqlite:{folder}/v0.db") as probe:
        probe.must("create_namespace", space=["db"])
        same(probe.commit(part("create", "db.t", new=new)), {"answer": "done"})
        probe.must("load", name=["db", "t"])
    same(connection.execute("SELECT table_name, metadata_location FROM iceberg_tables").fetchall(), [("t", new)])


def commits_of_several_programs_are_all_there(folder):
    """Two firns and two PyIcebergs set a property each time; at the end all are there."""
    probe, catalog = open_both(folder)
    with probe:
        probe.must("create_namespace", space=["db"])
    catalog.create_table("db.t", ROWS.schema)
    count, conflicts, failed = 20, [], []

    def by_firn(name):
        with Probe(f"sqlite:{folder}/catalog.db") as mine:
            for number in range(count):
                while True:
                    with contextlib.closing(sqlite3.connect(f"{folder}/catalog.db", timeout=30)) as file:
                        (old,), = file.execute("SELECT metadata_location FROM iceberg_tables")
                    answer = mine.commit(part("change", "db.t", old=old,
                                              new=next_metadata(old, **{f"{name}.{number}": "1"})))
                    if answer == {"answer": "done"}:
                        break
                    same(answer, {"answer": "conflict"})
                    conflicts.append(name)

    def by_pyiceberg(name):
        mine = SqlCatalog("lake", uri=f"sqlite:///{folder}/catalog.db", warehouse=f"file://{folder}/wh")
        for number in range(count):
            while True:
                try:
                    mine.load_table("db.t").transaction().set_properties({f"{name}.{number}": "1"}).commit_transaction()
                    break
                except CommitFailedException:
                    conflicts.append(name)

    def run(what, name):
        try:
            what(name)
        except Exception as why:  # pylint: disable=broad-exception-caught
            failed.append(why)
    threads = [threading.Thread(target=run, args=each) for each in (
        (by_firn, "f1"), (by_firn, "f2"), (by_pyiceberg, "p1"), (by_pyiceberg, "p2"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
    found = set(catalog.load_table("db.t").properties)
    wanted = {f"{name}.{number}" for name in ("f1", "f2", "p1", "p2") for number in range(count)}
    same(wanted - found, set())
    same(conflicts != [], True)
    print(f"     {len(wanted)} commits, {len(conflicts)} conflicts")


# ---- Folders -------------------------------------------------------------------------------------

def folders_are_numbered(folder):
    """A table of PyIceberg's goes on as one of a folder; and one that begins there."""
    catalog = SqlCatalog("x", uri=f"sqlite:///{folder}/x.db", warehouse=f"file://{folder}/wh")
    catalog.create_namespace("db")
    table = catalog.create_table("db.t", ROWS.schema)
    table.append(ROWS)
    home = pathlib.Path(folder, "wh/db")
    with Probe(f"{folder}/wh", "files") as probe:
        same(probe.must("form"), {"form": "pointer", "tables": 1})
        old = table.metadata_location
        same(probe.commit(part("change", "db.t", old=old, new=next_metadata(old, by="firn"))), {"answer": "done"})
        same(probe.commit(part("change", "db.t", old=old, new=next_metadata(old))), {"answer": "conflict"})
        found = StaticTable.from_metadata(f"file://{home}/t")
        same((found.properties["by"], found.scan().to_arrow().num_rows), ("firn", 3))
        same(pathlib.Path(found.metadata_location).name[0], "v")
        made = home / "u/metadata" / f"{uuid.uuid4()}.metadata.json"
        made.parent.mkdir(parents=True)
        data = json.loads(pathlib.Path(old.removeprefix("file://")).read_text())
        made.write_text(json.dumps({**data, "location": f"file://{home}/u"}))
        same(probe.commit(part("create", "db.u", new=str(made))), {"answer": "done"})
        same(StaticTable.from_metadata(f"file://{home}/u").location(), f"file://{home}/u")
        probe.must("load", name=["db", "u"])
        same(sorted(each.name for each in made.parent.iterdir()), ["v1.metadata.json", "version-hint.text"])
        probe.must("drop", name=["db", "u"])
        same(probe.state("drop", name=["db", "u"]), "42P01")
        same(sorted(each.name for each in home.iterdir()), ["t"])


# ---- Crashes -------------------------------------------------------------------------------------

def killed(chance, probe, *parts):
    """Ends a program at some moment of a commit. Whether it had said that it is done."""
    probe.must("form")  # It is ready.
    probe.process.stdin.write(json.dumps({"do": "commit", "parts": list(parts)}) + "\n")
    probe.process.stdin.flush()
    time.sleep(chance.random() ** 2 * 0.12)
    probe.process.kill()
    said = probe.process.stdout.read()
    probe.process.wait()
    probe.process.stdin.close()
    return '"done"' in said


def kills_leave_the_old_or_the_new(folder):
    """kill -9 in commits of two tables of a SQLite file, and in those of a folder."""
    probe, catalog = open_both(folder)
    with probe:
        probe.must("create_namespace", space=["db"])
    at = {name: catalog.create_table(f"db.{name}", ROWS.schema).metadata_location for name in "tu"}
    chance, counts = random.Random(SEED), {False: 0, True: 0}
    for number in range(40):
        new = {name: next_metadata(location, n=str(number)) for name, location in at.items()}
        is_done = killed(chance, Probe(f"sqlite:{folder}/catalog.db"),
                         *(part("change", f"db.{name}", old=at[name], new=new[name]) for name in "tu"))
        found = {name: catalog.load_table(f"db.{name}").metadata_location for name in "tu"}
        if found not in (at, new) or (is_done and found != new):
            raise Wrong(f"{number}: done {is_done}, found {found}, old {at}")
        counts[found == new] += 1
        at = found
    print(f"     SQLite: {counts[False]} old, {counts[True]} new")
    at["t"] = catalog.create_table("db.x", ROWS.schema).metadata_location
    home, counts = pathlib.Path(folder, "wh/db/x"), {False: 0, True: 0}
    for number in range(40):
        old = at["t"]
        new = home / "metadata" / f"{uuid.uuid4()}.metadata.json"
        data = json.loads(pathlib.Path(old.removeprefix("file://")).read_text())
        new.write_text(json.dumps({**data, "properties": {"n": f"folder.{number}"}}))
        is_done = killed(chance, Probe(f"{folder}/wh", "files"), part("change", "db.x", old=old, new=str(new)))
        with Probe(f"{folder}/wh", "files") as after:
            after.must("load", name=["db", "x"])
        versions = sorted((int(each.name[1:].split(".")[0]), each) for each in home.glob("metadata/v*.metadata.json"))
        if versions:
            at["t"] = str(versions[-1][1])
        is_new = json.loads(pathlib.Path(at["t"].removeprefix("file://")).read_text())["properties"].get("n") == \
            f"folder.{number}"
        if is_done and not is_new:
            raise Wrong(f"{number}: done, and not there")
        counts[is_new] += 1
    print(f"     folders: {counts[False]} old, {counts[True]} new")
    same(counts[True] > 0, True)


# ---- REST ----------------------------------------------------------------------------------------

SCHEMA = {"type": "struct", "schema-id": 0,
          "fields": [{"id": 1, "name": "x", "required": False, "type": "long"}]}


def creating(location, **properties):
    return {"requirements": [{"type": "assert-create"}],
            "updates": [{"action": "assign-uuid", "uuid": str(uuid.uuid4())},
                        {"action": "upgrade-format-version", "format-version": 2},
                        {"action": "add-schema", "schema": SCHEMA, "last-column-id": 1},
                        {"action": "set-current-schema", "schema-id": -1},
                        {"action": "add-spec", "spec": {"spec-id": 0, "fields": []}},
                        {"action": "set-default-spec", "spec-id": -1},
                        {"action": "add-sort-order", "sort-order": {"order-id": 0, "fields": []}},
                        {"action": "set-default-sort-order", "sort-order-id": -1},
                        {"action": "set-location", "location": location},
                        {"action": "set-properties", "updates": properties}]}


def setting(schema_id=0, **properties):
    return {"requirements": [{"type": "assert-current-schema-id", "current-schema-id": schema_id}],
            "updates": [{"action": "set-properties", "updates": properties}]}


class Lake:
    """A namespace of the REST server with tables of its own."""

    def __init__(self, peers, *tables, url=None):
        self.peers, self.space = peers, "w" + uuid.uuid4().hex[:8]
        self.probe = Probe(url or peers.server.url)
        self.probe.must("create_namespace", space=[self.space])
        self.names = []
        for name in tables:
            self.create(name)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.probe.__exit__()
        for name in self.peers.server.send("GET", f"namespaces/{self.space}/tables")["identifiers"]:
            self.peers.server.send("DELETE", f"namespaces/{self.space}/tables/{name['name']}?purgeRequested=true")
        self.peers.server.send("DELETE", f"namespaces/{self.space}")

    def name(self, table):
        return f"{self.space}.{table}"

    def create(self, table):
        staged = self.probe.must("stage", name=[self.space, table])
        made = creating(staged["location"], made="yes", **staged["properties"])
        same(self.probe.commit(part("create", self.name(table), **made)), {"answer": "done"})
        return staged

    def set(self, table, **rest):
        return self.probe.commit(part("change", self.name(table), **setting(**rest)))

    def load(self, table):
        return self.peers.server.send("GET", f"namespaces/{self.space}/tables/{table}")

    def property(self, table, key):
        return self.load(table)["metadata"]["properties"].get(key)


def rest_makes_namespaces(peers):
    with Lake(peers) as lake:
        probe, space = lake.probe, [lake.space]
        same(probe.must("form")["form"], "updates")
        same(probe.state("create_namespace", space=space), "42P06")
        probe.must("change_namespace", space=space, set={"owner": "me", "gone": "soon"})
        probe.must("change_namespace", space=space, set={"owner": "you"}, removed=["gone"])
        found = probe.must("properties", space=space)
        same((found["owner"], "gone" in found), ("you", False))
        same(probe.state("change_namespace", space=["nope"], set={"a": "b"}), "3F000")
        same(probe.state("drop_namespace", space=["nope"]), "3F000")
        lake.create("t")
        same(probe.state("drop_namespace", space=space), "2BP01")


def rest_takes_creates_and_commits(peers):
    with Lake(peers) as lake:
        staged = lake.create("t")
        holds(staged["location"], lake.space + "/t")
        found = lake.load("t")["metadata"]
        same((found["location"], found["properties"]["made"]), (staged["location"], "yes"))
        same(lake.probe.commit(part("create", lake.name("t"), **creating(staged["location"]))), {"answer": "conflict"})
        same(lake.set("t", a="1"), {"answer": "done"})
        same(lake.set("t", schema_id=7, a="2"), {"answer": "conflict"})
        same(lake.property("t", "a"), "1")
        lake.probe.must("load", name=[lake.space, "t"])
        # Who changes a table has loaded it: another session dropped it since.
        same(lake.probe.commit(part("change", lake.name("none"), **setting(a="1"))), {"answer": "conflict"})
        wrong = {"requirements": [], "updates": [{"action": "no-such-thing"}]}
        # Java's answers 500 to that, which says nothing.
        answer = lake.probe.commit(part("change", lake.name("t"), **wrong))
        same("error" in answer or answer["answer"] == "unknown", True)
        # What has that name is replaced where it is.
        same(lake.probe.must("stage", name=[lake.space, "t"])["location"], staged["location"])
        answer = lake.probe.ask("stage", name=["nope", "t"])  # Java's stages that all the same.
        same(answer.get("sqlstate", "3F000"), "3F000")


def rest_commits_tables_together(peers):
    with Lake(peers, "t", "u") as lake:
        same(lake.probe.must("form")["tables"], 2 ** 32 - 1)
        both = [part("change", lake.name("t"), **setting(a="1")),
                part("change", lake.name("u"), **setting(schema_id=7, a="1"))]
        same(lake.probe.commit(*both), {"answer": "conflict"})
        same([lake.property(name, "a") for name in "tu"], [None, None])
        both[1] = part("change", lake.name("u"), **setting(a="1"))
        same(lake.probe.commit(*both), {"answer": "done"})
        same([lake.property(name, "a") for name in "tu"], ["1", "1"])
        both[1] = part("drop", lake.name("u"))
        holds(lake.probe.commit(*both)["error"], "cannot drop a table together")


def rest_renames_and_drops(peers):
    with Lake(peers, "t", "u") as lake:
        probe, space = lake.probe, lake.space
        same(probe.state("rename", name=[space, "t"], to=[space, "u"]), "42P07")
        same(probe.state("rename", name=[space, "none"], to=[space, "v"]), "42P01")
        probe.must("rename", name=[space, "t"], to=[space, "v"])
        same(lake.property("v", "made"), "yes")
        home = pathlib.Path(lake.load("v")["metadata"]["location"].removeprefix("file:").replace("///", "/"))
        same(any(home.rglob("*.json")), True)
        same(probe.commit(part("drop", lake.name("v"), purges=True)), {"answer": "done"})
        same(any(home.rglob("*.json")), False)
        same(probe.state("commit", parts=[part("drop", lake.name("v"))]), "42P01")
        probe.must("drop", name=[space, "u"])


# A fault, what is said of the commit, and whether it is done.
FAULTS = [
    ({"do": "cut"}, "unknown", False),
    ({"do": "lose"}, "unknown", True),
    ({"do": "half"}, ("unknown", "done"), True),  # An answer without a body is whole.
    ({"do": "garbage"}, "unknown", None),
    ({"do": "status", "status": 500}, "unknown", False),
    ({"do": "status", "status": 502}, "unknown", False),
    ({"do": "status", "status": 503, "headers": {"Retry-After": "1"}}, "unknown", False),
    ({"do": "status", "status": 504}, "unknown", False),
    ({"do": "status", "status": 409}, "conflict", False),
    ({"do": "status", "status": 400}, "22000", False),
    ({"do": "status", "status": 401}, "28000", False),
    ({"do": "status", "status": 403}, "42501", False),
    ({"do": "status", "status": 419}, "28000", False),
    ({"do": "status", "status": 404}, "conflict", False),
    ({"do": "status", "status": 429, "headers": {"Retry-After": "0"}}, "done", True),
    ({"do": "redirect"}, None, False),
    ({"do": "slow", "ms": 1}, "done", True),
    ({"do": "hang"}, "unknown", False),
    ({"do": "endless"}, ("unknown", "done"), None),
]


def what_is_said_of_a_commit_is_true(peers):
    """And when nothing is known, the same commit again is what settles it."""
    with Lake(peers, "t", "u", url=peers.proxy.url) as lake:
        for number, (fault, wanted, is_done) in enumerate(FAULTS):
            for tables in (["t"], ["t", "u"]):
                value = f"{number}.{len(tables)}"
                match = "POST /v1/namespaces" if len(tables) == 1 else "POST /v1/transactions"
                parts = [part("change", lake.name(name), **setting(n=value)) for name in tables]
                peers.proxy.faults({"match": match, **fault})
                answer = lake.probe.commit(*parts, deadline_ms=1500 if fault["do"] in ("hang", "endless") else 0)
                peers.proxy.faults()
                said = answer.get("answer", answer.get("sqlstate"))
                found = [lake.property(name, "n") == value for name in tables]
                if wanted is None:
                    same("error" in answer, True)
                elif said not in (wanted if isinstance(wanted, tuple) else (wanted,)):
                    raise Wrong(f"{fault}, {tables}: {answer}, wanted {wanted}")
                if is_done is not None:
                    same((fault, found), (fault, [is_done] * len(tables)))
                same(len(set(found)), 1)


def a_token_that_ends_costs_no_commit(peers):
    with Lake(peers, "t") as lake:
        with Probe(peers.guarded.url, CREDENTIAL="root:s3cr3t") as probe:
            for status in (401, 419):
                peers.guarded.tell("faults", [{"do": "status", "match": "POST /v1/namespaces", "status": status}])
                change = part("change", lake.name("t"), **setting(s=str(status)))
                same(probe.commit(change), {"answer": "done"})
                same(lake.property("t", "s"), str(status))


def commands_that_get_lost_are_said_to_be(peers):
    with Lake(peers, "t", url=peers.proxy.url) as lake:
        space = lake.space + "x"
        peers.proxy.faults({"do": "lose", "match": "POST /v1/namespaces"})
        same(lake.probe.state("create_namespace", space=[space]), "08007")
        peers.proxy.faults({"do": "cut", "match": "POST /v1/tables/rename"})
        same(lake.probe.state("rename", name=[lake.space, "t"], to=[lake.space, "v"]), "08007")
        same(lake.property("t", "made"), "yes")
        peers.proxy.faults({"do": "lose", "match": "DELETE"})
        same(lake.probe.state("drop_namespace", space=[space]), "08007")
        same(lake.probe.state("drop_namespace", space=[space]), "3F000")


# ---- Running -------------------------------------------------------------------------------------

LOCAL = [a_file_that_firn_made_is_pyicebergs, new_tables_lie_where_pyiceberg_puts_them,
         tables_change_together_or_not_at_all, names_change_and_go, purge_removes_what_the_table_had,
         others_make_the_file, commits_of_several_programs_are_all_there, folders_are_numbered,
         kills_leave_the_old_or_the_new]
REMOTE = [rest_makes_namespaces, rest_takes_creates_and_commits, rest_commits_tables_together,
          rest_renames_and_drops, what_is_said_of_a_commit_is_true, a_token_that_ends_costs_no_commit,
          commands_that_get_lost_are_said_to_be]


class Peers:
    def __init__(self, stack):
        self.folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="firn-write-"))
        self.server = Server(stack, self.folder)
        self.proxy = FaultProxy(stack, self.server.url)
        self.guarded = FaultProxy(stack, self.server.url, "--client", "root:s3cr3t")


def main():
    wanted = sys.argv[2] if len(sys.argv) > 2 else ""
    failed = passed = 0
    with contextlib.ExitStack() as stack:
        peers = None
        for test in [each for each in LOCAL + REMOTE if wanted in each.__name__]:
            if test in REMOTE and peers is None:
                peers = Peers(stack)
            folder = tempfile.mkdtemp(prefix="firn-catalog-")
            try:
                test(peers if test in REMOTE else folder)
                passed += 1
                print(f"ok   {test.__name__}", flush=True)
            except (Wrong, OSError, KeyError, IndexError, ValueError, subprocess.SubprocessError) as why:
                failed += 1
                print(f"FAIL {test.__name__}: {type(why).__name__}\n  {why}", flush=True)
            shutil.rmtree(folder, ignore_errors=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
