#!/usr/bin/env python3
"""rest_faults_test.py BUILD [--full] [--only NAME] - each request of a statement that writes over REST goes wrong.

INSERT, DELETE, ALTER TABLE, DROP TABLE, CREATE TABLE, CREATE TABLE AS, RENAME and a transaction of two tables, each in a
session of its own through a proxy with tokens (tests/tools/fault_proxy.py): from the first request, which gets a
token, to the last one, each in turn is lost, cut, refused, answered with nonsense, or never. Another session asks
the server itself what there is then. It is what was before or what the statement makes of it, never else, and:

    no error                  what the statement makes
    40003, 08007              either; the message says that it is not known
    any other error           what was before, and not a file more

The session goes on behind it. Without --full requests that only read get some of the faults, and DELETE and CREATE
TABLE are left out.
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
# What each is before it (by the other session, if it is to be), and what it does; {n} is another number each time.
STATEMENTS = {
    "insert": ([], ["INSERT INTO ice.db.t VALUES ({n})"]),
    "delete": (["INSERT INTO ice.db.t VALUES ({n})"], ["DELETE FROM ice.db.t WHERE a = {n}"]),
    "alter": ([], ["ALTER TABLE ice.db.v ADD COLUMN c{n} INT"]),
    "create": ([], ["CREATE TABLE ice.db.n{n} (a INT)"]),
    "create as": ([], ["CREATE TABLE ice.db.c{n} AS SELECT {n} AS a"]),
    "drop": (["CREATE TABLE ice.db.d{n} (a INT)"], ["DROP TABLE ice.db.d{n}"]),
    "rename": (["CREATE TABLE ice.db.r{n} (a INT)"], ["ALTER TABLE ice.db.r{n} RENAME TO s{n}"]),
    "transaction": ([], ["BEGIN", "INSERT INTO ice.db.t VALUES ({n})", "INSERT INTO ice.db.u VALUES ({n})",
                         "COMMIT"]),
}
FULL_ONLY = ("delete", "create")  # Their requests are those of "insert" and "create as".
KEPT = ("t", "u", "v")
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
        self.number = 0
        self.cases = self.unknown = self.done = 0

    def state(self, number):
        """All that a statement with this number can have changed."""
        names = sorted(row[2] for row in self.reader.rows("SHOW TABLES FROM ice.db"))
        columns = sorted(row[0] for row in self.reader.rows("DESCRIBE ice.db.v"))
        rows = [[name, self.reader.rows(f"SELECT count(*) FROM ice.db.{name} WHERE a = {number}")[0][0]]
                for name in ["t", "u", *(each for each in names if each.endswith(str(number)) and each not in KEPT)]]
        return names, columns, rows

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
        before, statements = STATEMENTS[name]
        for each in before:
            self.reader.rows(each.format(n=self.number))
        return [each.format(n=self.number) for each in statements]

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
        n = self.number
        names, columns, rows = before
        counts = dict((name, int(count)) for name, count in rows)
        if name in ("insert", "delete", "transaction"):
            counts["t"] += -1 if name == "delete" else 1
            counts["u"] += name == "transaction"
        elif name == "alter":
            columns = sorted(columns + [f"c{n}"])
        elif name in ("create", "create as"):
            made = f"{'n' if name == 'create' else 'c'}{n}"
            names = sorted(names + [made])
            counts[made] = int(name == "create as")
        elif name in ("drop", "rename"):
            gone = f"{name[0]}{n}"
            names = sorted(set(names) - {gone} | ({f"s{n}"} if name == "rename" else set()))
            counts.pop(gone)
            counts |= {f"s{n}": 0} if name == "rename" else {}
        wanted = (names, columns, counts)
        if (found[0], found[1], {each: int(count) for each, count in found[2]}) != wanted:
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
