#!/usr/bin/env python3
"""rest_faults_test.py BUILD [--full] [--only NAME] - each request of a statement that writes over REST goes wrong.

INSERT, also into a branch, INSERT OVERWRITE, DELETE, UPDATE, MERGE, TRUNCATE, ALTER TABLE, branches and tags, DROP
TABLE, CREATE TABLE, CREATE TABLE AS, RENAME, schemas and a transaction of two tables, each in a session of its own
through a proxy with tokens (tests/tools/fault_proxy.py): from the first request, which gets a
token, to the last one, each in turn is lost, cut, refused, answered with nonsense, or never. Another session asks
the server itself what there is then. It is what was before or what the statement makes of it, never else, and:

    no error                  what the statement makes
    40003, 08007              either; the message says that it is not known
    any other error           what was before, and not a file more

The session goes on behind it. Without --full requests that only read get some of the faults, and statements are left
out whose requests are those of another one.
"""
import argparse
import concurrent.futures
import contextlib
import os
import pathlib
import subprocess
import sys
import tempfile
import time
from typing import NamedTuple

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import iceberg_peers  # noqa: E402
from rest_sql_test import SECRET, FaultProxy, Session, Wrong  # noqa: E402

UNKNOWN = ("40003", "08007")
CLIENT = f"root:{SECRET}"
QUICK = "'commit.retry.min-wait-ms' = '2', 'commit.retry.max-wait-ms' = '50'"
TIMEOUT = "400ms"
READS_TRIED = 2  # Faults of a request that only reads, in the normal run.
FAULTS = (
    {"do": "hang"}, {"do": "cut"}, {"do": "lose"}, {"do": "half"}, {"do": "garbage"}, {"do": "endless"},
    {"do": "status", "status": 401}, {"do": "status", "status": 419}, {"do": "status", "status": 403},
    {"do": "status", "status": 409}, {"do": "status", "status": 400, "body": "<html>"},
    {"do": "status", "status": 429, "headers": {"Retry-After": "0"}},
    {"do": "status", "status": 503, "headers": {"Retry-After": "0"}},
    {"do": "status", "status": 503, "headers": {"Retry-After": "0"}, "asks": True},
    {"do": "status", "status": 500, "asks": True}, {"do": "status", "status": 504},
    {"do": "status", "status": 200, "body": "<html>", "asks": True},
)


class Case(NamedTuple):
    """What is done before it (by the other session), what it does, and what the latter makes of a state (Scene.state),
    number by number that are added; {n} is another number each time."""
    before: list
    does: list
    rows: dict = {}     # By table, "t of -n": its rows of which a = -n.
    made: dict = {}     # Names that come, and how many rows of a = n they have, ...
    gone: tuple = ()    # ... and that go: of tables, branches, tags and schemas.
    columns: tuple = ()


STATEMENTS = {
    "insert": Case([], ["INSERT INTO ice.db.t VALUES ({n})"], {"t": 1}),
    "delete": Case(["INSERT INTO ice.db.t VALUES ({n})"], ["DELETE FROM ice.db.t WHERE a = {n}"], {"t": -1}),
    "update": Case(["INSERT INTO ice.db.t VALUES ({n})"], ["UPDATE ice.db.t SET a = -a WHERE a = {n}"],
                   {"t": -1, "t of -n": 1}),
    "merge": Case(["INSERT INTO ice.db.t VALUES ({n})"], [
        "MERGE INTO ice.db.t AS t USING (VALUES ({n}), (-{n})) AS s(a) ON t.a = s.a WHEN MATCHED THEN DELETE "
        "WHEN NOT MATCHED THEN INSERT VALUES (s.a)"], {"t": -1, "t of -n": 1}),
    "overwrite": Case([], ["INSERT OVERWRITE ice.db.w VALUES ({n}), ({n})"], {"w": 2}),
    "truncate": Case(["INSERT INTO ice.db.w VALUES ({n})"], ["TRUNCATE TABLE ice.db.w"], {"w": -1}),
    "alter": Case([], ["ALTER TABLE ice.db.v ADD COLUMN c{n} INT"], columns=("c{n}",)),
    "tag": Case([], ["ALTER TABLE ice.db.u CREATE TAG g{n}"], made={"g{n}": 0}),
    "branch": Case([], ["ALTER TABLE ice.db.u CREATE BRANCH b{n} RETAIN 7 DAYS"], made={"b{n}": 0}),
    "branch rows": Case(["ALTER TABLE ice.db.u CREATE BRANCH b{n}"], ["INSERT INTO ice.db.u.branch_b{n} VALUES ({n})"],
                        {"b{n}": 1}),
    "drop tag": Case(["ALTER TABLE ice.db.u CREATE TAG g{n}"], ["ALTER TABLE ice.db.u DROP TAG g{n}"],
                     gone=("g{n}",)),
    "create": Case([], ["CREATE TABLE ice.db.n{n} (a INT)"], made={"n{n}": 0}),
    "create as": Case([], ["CREATE TABLE ice.db.c{n} AS SELECT {n} AS a"], made={"c{n}": 1}),
    "drop": Case(["CREATE TABLE ice.db.d{n} (a INT)"], ["DROP TABLE ice.db.d{n}"], gone=("d{n}",)),
    "rename": Case(["CREATE TABLE ice.db.r{n} (a INT)"], ["ALTER TABLE ice.db.r{n} RENAME TO s{n}"], made={"s{n}": 0},
                   gone=("r{n}",)),
    "create schema": Case([], ["CREATE SCHEMA ice.x{n}"], made={"x{n}": 0}),
    "drop schema": Case(["CREATE SCHEMA ice.y{n}"], ["DROP SCHEMA ice.y{n}"], gone=("y{n}",)),
    "transaction": Case([], ["BEGIN", "INSERT INTO ice.db.t VALUES ({n})", "INSERT INTO ice.db.u VALUES ({n})",
                             "COMMIT"], {"t": 1, "u": 1}),
}
# Their requests are those of "insert", "tag" or "create as".
FULL_ONLY = ("delete", "update", "truncate", "branch", "branch rows", "drop tag", "create")
KEPT = ("t", "u", "v", "w")
REFS = ("g", "b")
SCENES = 4


class Scene:
    """A server, a proxy before it, and a session that goes past that."""

    def __init__(self, stack, folder):
        self.folder = pathlib.Path(folder)
        self.uri = stack.enter_context(iceberg_peers.rest_server(self.folder))
        self.proxy = FaultProxy(stack, self.uri, "--client", CLIENT)
        self.reader = stack.enter_context(Session())
        self.reader.rows(f"ATTACH '{self.uri}' AS ice")
        self.reader.rows("CREATE SCHEMA ice.db")
        for name in KEPT:
            self.reader.rows(f"CREATE TABLE ice.db.{name} (a INT) WITH ({QUICK})")
        self.reader.rows("INSERT INTO ice.db.u VALUES (0)")  # Branches and tags are of a snapshot.
        self.number = 0
        self.cases = self.unknown = self.done = 0

    def count(self, table, value):
        """How many rows of a = value; None: there is no such table, branch or tag."""
        answer = self.reader.ask(f"SELECT count(*) FROM ice.db.{table} WHERE a = {value}")
        if answer.get("code") == "42704":
            return None
        if "error" in answer:
            raise Wrong(f"{table}: {answer}")
        return int(answer["rows"][0][0])

    def state(self, number):
        """All that a statement with this number can have changed: the names of tables and schemas, the columns of one
        table, and the rows of a = number of each."""
        tables = [row[2] for row in self.reader.rows("SHOW TABLES FROM ice.db")]
        schemas = [row[0] for row in self.reader.rows("SHOW SCHEMAS FROM ice")]
        rows = {name: self.count(name, number) for name in ("t", "u", "w")}
        rows["t of -n"] = self.count("t", -number)
        refs = {f"{kind}{number}": self.count(f"u FOR VERSION AS OF '{kind}{number}'", number) for kind in REFS}
        rows |= {name: count for name, count in refs.items() if count is not None}
        rows |= {name: self.count(name, number) for name in tables if name.endswith(str(number)) and name not in KEPT}
        rows |= {name: 0 for name in schemas if name in (f"x{number}", f"y{number}")}
        columns = sorted(row[0] for row in self.reader.rows("DESCRIBE ice.db.v"))
        return sorted(tables), sorted(schemas), columns, rows

    def files(self):
        return {str(path) for path in self.folder.rglob("*") if path.is_file() and path.suffix in (".parquet", ".avro")}

    def run(self, statements, faults):
        """In a session of its own: the code of the first error or None, what it says, the requests."""
        self.proxy.faults(*faults)
        with Session() as session:
            answer, is_attached = {}, False
            for each in [f"ATTACH '{self.proxy.url}' AS ice (CREDENTIAL '{CLIENT}', REQUEST_TIMEOUT '{TIMEOUT}')",
                         *statements]:
                answer = session.ask(each)
                if "error" in answer:
                    break
                is_attached = True
            log = self.proxy.tell("log")
            self.proxy.tell("faults", [])
            with contextlib.suppress(Wrong):
                session.rows("ROLLBACK")
            if is_attached:  # Whatever happened, it goes on.
                self.proxy.tell("reset")
                session.rows("SELECT count(*) FROM ice.db.t")
            said = " | ".join([answer["error"], *answer.get("context", [])]) if "error" in answer else ""
        return answer.get("code") if said else None, said, log

    def prepare(self, name):
        self.number += 1
        case = STATEMENTS[name]
        for each in case.before:
            self.reader.rows(each.format(n=self.number))
        return [each.format(n=self.number) for each in case.does]

    def case(self, name, index, fault, request):
        statements = self.prepare(name)
        before, files = self.state(self.number), self.files()
        code, said, _ = self.run(statements, [{**fault, "skip": index}])
        found = self.state(self.number)
        is_after = found != before
        what = f"{name}, request {index} ({request}), {fault}: said {code} {said!r}"
        if is_after:
            self.expect_after(name, before, found, what)
        if code is None and not is_after:
            raise Wrong(f"{what}, and nothing is done")
        if code is not None and code not in UNKNOWN:
            if is_after:
                raise Wrong(f"{what}, and it is done: {found}")
            more = self.files() - files
            if more:
                raise Wrong(f"{what}, and left {sorted(more)[:3]}")
        if code in UNKNOWN and "not known" not in said:
            raise Wrong(f"{what}: it does not say that it is not known")
        self.cases += 1
        self.unknown += code in UNKNOWN
        self.done += code is None

    def expect_after(self, name, before, found, what):
        """`found` is what the statement makes of `before`."""
        case, n = STATEMENTS[name], self.number
        tables, schemas, columns, rows = (list(before[0]), list(before[1]), list(before[2]), dict(before[3]))
        for key, more in case.rows.items():
            rows[key.format(n=n)] += more
        for each in case.gone:
            each = each.format(n=n)
            del rows[each]
            for names in (tables, schemas):
                names[:] = [other for other in names if other != each]
        for each, count in case.made.items():
            rows[each.format(n=n)] = count
            if each[0] not in REFS:
                (schemas if each[0] in "xy" else tables).append(each.format(n=n))
        columns += [each.format(n=n) for each in case.columns]
        wanted = (sorted(tables), sorted(schemas), sorted(columns), rows)
        if found != wanted:
            raise Wrong(f"{what}\n  found  {found}\n  wanted {wanted}")

    def try_all(self, name, is_full):
        statements = self.prepare(name)
        code, said, log = self.run(statements, [])
        if code is not None:
            raise Wrong(f"{name} without a fault: {code} {said}")
        for index, (method, path, _) in enumerate(log):
            is_write = method in ("POST", "DELETE") and not path.endswith(("/tokens", "/tables"))  # Staged.
            for number, fault in enumerate(FAULTS):
                if is_full or is_write or (number + index * 5) % (len(FAULTS) // READS_TRIED) == 0:
                    self.case(name, index, fault, f"{method} {path}")
        return len(log)


def a_token_ends_in_a_commit(scene):
    """Between the two requests that make a table, the answer to the second says that the token ended."""
    log = []
    for status in (401, 419):
        statements = scene.prepare("create as")
        match = f"POST /v1/namespaces/db/tables/c{scene.number}"
        code, said, log = scene.run(statements, [{"do": "status", "status": status, "match": match}])
        asked = [path for _, path, _ in log if "oauth" in path]
        if code is not None or len(asked) != 2:
            raise Wrong(f"{status} between the two requests of a commit: {code} {said}, {log}")


def run_some(names, folder, is_full):
    """How many failed; what was counted."""
    failed = 0
    with contextlib.ExitStack() as stack:
        scene = Scene(stack, folder)
        for name in names:
            begin, cases = time.monotonic(), scene.cases
            try:
                requests = scene.try_all(name, is_full)
                if name == "create as":
                    a_token_ends_in_a_commit(scene)
                print(f"ok   {name}: {requests} requests, {scene.cases - cases} cases, "
                      f"{time.monotonic() - begin:.1f} s", flush=True)
            except (Wrong, OSError, KeyError, IndexError, ValueError, subprocess.SubprocessError) as why:
                failed += 1
                print(f"FAIL {name}: {type(why).__name__}\n  {why}", flush=True)
        return failed, scene.cases, scene.done, scene.unknown


def run_all(names, folder, is_full):
    """Side by side, as most of the time is waited for servers that hang."""
    with concurrent.futures.ThreadPoolExecutor(SCENES) as pool:
        found = list(pool.map(lambda i: run_some(names[i::SCENES], f"{folder}/{i}", is_full),
                              range(min(SCENES, len(names)))))
    failed, cases, done, unknown = (sum(each[i] for each in found) for i in range(4))
    print(f"     {cases} cases, {done} done, {unknown} not known")
    return failed > 0 or cases == 0 or done == 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--only", default="")
    told = parser.parse_args()
    names = [name for name in STATEMENTS if told.only in name and (told.full or name not in FULL_ONLY)]
    has_failed = False
    with tempfile.TemporaryDirectory(prefix="firn-faults-") as folder:
        if told.full:  # Java's, where it can be had.
            pathlib.Path(folder, "java").mkdir()
            has_failed = run_all(names, f"{folder}/java", True)
        os.environ["REST_SERVER"] = "fake"
        pathlib.Path(folder, "fake").mkdir()
        return run_all(names, f"{folder}/fake", told.full) or has_failed


if __name__ == "__main__":
    sys.exit(main())
