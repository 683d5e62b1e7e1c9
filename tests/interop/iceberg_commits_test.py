#!/usr/bin/env python3
"""iceberg_commits_test.py BUILD [--rest] [--full] [--commits N] [--seed N] - many processes commit to the same tables.

Two processes of firn, PyIceberg twice (--full: Spark instead of one) append rows with their writer's and their
own number, to one table whose commits are said again on top of others', to one where every conflict is an error,
and firn to both in one transaction. Nothing may be lost and nothing doubled: the rows at the end are those that
were acknowledged. Over REST one firn goes through a proxy that loses requests before and answers after the commit,
answers 409, 419, 429, 5xx, garbage, half of a body, one without end, or nothing: what firn told must be true.

Transactions over both tables are left out with Java's own server, which commits the tables of one request one by
one, and forgets the changes of one that lost against others while it says that all are done (its adapter repeats
such a commit with what the table has become, without the changes): REST_SERVER=fake shows them.
"""
import argparse
import collections
import contextlib
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import threading
import time

import pyarrow

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import iceberg_peers  # noqa: E402
from rest_sql_test import FaultProxy, Session, Wrong  # noqa: E402

CONFLICTS_WANTED = 21  # More than 20.
TRIES_MAX = 400
FENCES = 1000000  # Their rows have a higher n than all others.
PLAIN = ("'commit.retry.num-retries' = '50', 'commit.retry.min-wait-ms' = '2', "
         "'commit.retry.max-wait-ms' = '200'")
# Before the commit, after it, or nobody knows.
FAULTS = (
    {"do": "cut"}, {"do": "lose"}, {"do": "half"}, {"do": "garbage"}, {"do": "hang"}, {"do": "endless"},
    {"do": "hang", "after": 10}, {"do": "slow", "ms": 1},
    {"do": "status", "status": 409}, {"do": "status", "status": 419}, {"do": "status", "status": 500},
    {"do": "status", "status": 502}, {"do": "status", "status": 504},
    {"do": "status", "status": 429, "headers": {"Retry-After": "1"}},
    {"do": "status", "status": 503, "headers": {"Retry-After": "1"}},
    {"do": "status", "status": 500, "asks": True}, {"do": "status", "status": 502, "asks": True},
    {"do": "status", "status": 503, "asks": True}, {"do": "status", "status": 504, "asks": True},
)


class Together:
    """When all have started, how many of the slower ones are at work, and whether all had enough conflicts."""

    def __init__(self, writers, transaction):
        self.writers = writers
        self.start = threading.Barrier(len(writers), timeout=300)
        self.slow = len(writers) - 2
        self.transaction = transaction

    def conflicts(self):
        return sum(each.conflicts for each in self.writers)

    def is_enough(self):
        return self.slow == 0 and self.conflicts() >= CONFLICTS_WANTED


class Firn:
    """Commits of one process, each of which is settled: done, or surely not done and done again."""

    def __init__(self, number, attach, read_attach, proxy=None, chance=None):
        self.number, self.proxy, self.chance = number, proxy, chance
        self.attach, self.read_attach = attach, read_attach
        self.answers = collections.Counter()
        self.conflicts = 0  # With others' commits: without a fault that might be its cause.
        self.acknowledged = set()
        self.wrong = []

    def count(self, reader, table, n):
        return int(reader.rows(f"SELECT count(*) FROM ice.db.{table} WHERE w = {self.number} AND n = {n}")[0][0])

    def attempt(self, session, tables, n):
        """The SQLSTATE; None: done."""
        is_faulted = False
        if self.proxy and self.chance.random() < 0.5:
            fault = self.chance.choice(FAULTS)
            match = "POST /v1/transactions" if len(tables) > 1 else "POST /v1/namespaces"
            self.proxy.faults({"match": match, **fault})
            self.answers["faults"] += 1
            is_faulted = True
        statements = [f"INSERT INTO ice.db.{table} VALUES ({self.number}, {n})" for table in tables]
        if len(tables) > 1:
            statements = ["BEGIN", *statements, "COMMIT"]
        code = None
        for each in statements:
            answer = session.ask(each)
            if "error" in answer:
                code = answer["code"]
                if len(tables) > 1:
                    session.ask("ROLLBACK")
                break
        if self.proxy:
            self.proxy.faults()
        self.answers[code or "done"] += 1
        self.conflicts += code == "40001" and not is_faulted
        return code

    def fence(self, reader, tables):
        """A request whose end nobody knows may still lie at a slow server, and be done after it was looked for. Behind a
        commit of somebody else it asks for a snapshot that is not the newest any more: then what is found stays so."""
        for table in tables:
            n = FENCES + len(self.acknowledged)
            for _ in range(TRIES_MAX):
                answer = reader.ask(f"INSERT INTO ice.db.{table} VALUES ({self.number}, {n})")
                if answer.get("code") != "40001":
                    break
            if "error" in answer:
                raise Wrong(f"writer {self.number}: a fence in {table}: {answer}")
            self.acknowledged.add((table, self.number, n))
            self.answers["fences"] += 1

    def commit(self, session, reader, tables, n):
        for _ in range(TRIES_MAX):
            code = self.attempt(session, tables, n)
            found = [self.count(reader, table, n) for table in tables]
            if code is None and found == [1] * len(tables):
                return
            if code == "40003" and found == [0] * len(tables):
                self.fence(reader, tables)
                found = [self.count(reader, table, n) for table in tables]
            if code is not None and found == [0] * len(tables):
                continue
            if code == "40003" and found == [1] * len(tables):
                return
            raise Wrong(f"writer {self.number}, {tables}, {n}: said {code}, found {found}")
        raise Wrong(f"writer {self.number}, {tables}, {n}: not done in {TRIES_MAX} attempts: {self.answers}")

    def run(self, commits, together):
        """At least so many, and more while slower ones commit or there were too few conflicts."""
        try:
            with Session() as session, Session() as reader:
                session.rows(self.attach)
                reader.rows(self.read_attach)
                together.start.wait()
                for n in range(commits * 10):
                    if n >= commits and together.is_enough():
                        break
                    tables = (["plain"], ["hard"], ["hard"], together.transaction)[n % 4]
                    self.commit(session, reader, tables, n)
                    self.acknowledged |= {(table, self.number, n) for table in tables}
        except (Wrong, OSError, subprocess.SubprocessError) as why:
            self.wrong.append(str(why))


# ---- PyIceberg and Spark -------------------------------------------------------------------------

def is_in(table, number, n):
    return table.scan(row_filter=f"w = {number} and n = {n}").to_arrow().num_rows > 0


def write_as_pyiceberg(number, commits, rest, database, warehouse):
    """A process of its own; prints what came of it."""
    peers = iceberg_peers.Peers(".", ".", rest)
    peers.database, peers.warehouse = database, warehouse
    conflicts = 0
    done = []
    peers.pyiceberg().load_table("db.plain").scan().to_arrow()
    print("ready", flush=True)
    sys.stdin.readline()
    for n in range(commits):
        name = "hard" if n % 2 else "plain"
        row = pyarrow.table({"w": pyarrow.array([number], pyarrow.int32()), "n": pyarrow.array([n], pyarrow.int32())})
        for _ in range(TRIES_MAX):
            table = peers.pyiceberg().load_table(f"db.{name}")
            try:
                table.append(row)
                break
            except Exception as error:  # pylint: disable=broad-exception-caught
                if "CommitFailed" in type(error).__name__:
                    conflicts += 1
                if is_in(peers.pyiceberg().load_table(f"db.{name}"), number, n):
                    break
                time.sleep(random.random() * 0.05)
        else:
            raise RuntimeError(f"{name} {n}: not done")
        done.append((name, number, n))
    print(json.dumps({"conflicts": conflicts, "done": done}))


class PyIceberg:
    def __init__(self, number, peers):
        self.number, self.peers = number, peers
        self.conflicts, self.acknowledged, self.wrong = 0, set(), []

    def run(self, commits, together):
        with subprocess.Popen([sys.executable, __file__, ".", "--writer", str(self.number), "--commits", str(commits),
                               "--uri", self.peers.rest or "", "--database", str(self.peers.database),
                               "--warehouse", self.peers.warehouse],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            process.stdout.readline()
            together.start.wait()
            told = process.communicate("go\n")[0]
            together.slow -= 1
        if process.returncode != 0:
            self.wrong.append(f"it ended with {process.returncode}")
            return
        told = json.loads(told.splitlines()[-1])
        self.conflicts = told["conflicts"]
        self.acknowledged = {tuple(each) for each in told["done"]}


class Spark(PyIceberg):
    def run(self, commits, together):
        self.peers.spark("SELECT 1")
        together.start.wait()
        self.write(commits)
        together.slow -= 1

    def write(self, commits):
        for n in range(commits):
            name = "hard" if n % 2 else "plain"
            for _ in range(TRIES_MAX):
                try:
                    self.peers.spark(f"INSERT INTO ice.db.{name} VALUES ({self.number}, {n})")
                    break
                except iceberg_peers.Refused as error:
                    self.conflicts += "CommitFailed" in str(error) or "changed" in str(error)
                    if self.peers.spark(f"SELECT 1 FROM ice.db.{name} WHERE w = {self.number} AND n = {n}"):
                        break
            else:
                self.wrong.append(f"Spark: {name} {n} was not done")
            self.acknowledged.add((name, self.number, n))


# ---- The run -------------------------------------------------------------------------------------

def run(peers, commits, with_spark, proxy, seed):
    subprocess.run([str(peers.program), "-c", peers.attach, "-c", "CREATE SCHEMA ice.db"], check=True)
    peers.firn(f"CREATE TABLE plain (w INTEGER, n INTEGER) WITH ({PLAIN})",
               "CREATE TABLE hard (w INTEGER, n INTEGER) WITH ('commit.retry.num-retries' = '0')")
    lost = peers.attach
    if proxy:
        lost = f"ATTACH '{proxy.url}' AS ice (REQUEST_TIMEOUT '2s')"
    writers = [Firn(1, peers.attach, peers.attach),
               Firn(2, lost, peers.attach, proxy, random.Random(seed)),
               PyIceberg(3, peers), Spark(4, peers) if with_spark else PyIceberg(4, peers)]
    together = Together(writers, ["plain", "hard"] if not peers.rest or os.environ.get("REST_SERVER") == "fake"
                        else ["plain"])
    threads = [threading.Thread(target=each.run, args=(commits, together)) for each in writers]
    begin = time.monotonic()
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    wanted = set().union(*(each.acknowledged for each in writers))
    conflicts = together.conflicts()
    for each in writers:
        peers.expect(f"writer {each.number}", not each.wrong, each.wrong)
        answers = dict(each.answers) if isinstance(each, Firn) else ""
        print(f"     {type(each).__name__} {each.number}: {each.conflicts} conflicts {answers}")
    print(f"     {conflicts} conflicts with others in all, {time.monotonic() - begin:.0f} s")
    for engine in ("firn", "pyiceberg"):
        for table in ("plain", "hard"):
            found = [(table, *row) for row in peers.rows(engine, f"db.{table}")]
            of = {each for each in wanted if each[0] == table}
            peers.expect(f"{engine}: nothing is lost or doubled in {table}", sorted(found) == sorted(of),
                         f"{len(found)} rows, {len(set(found))} different, {len(of)} acknowledged; "
                         f"lost {sorted(of - set(found))[:5]}, more {sorted(set(found) - of)[:5]}")
    peers.expect(f"at least {CONFLICTS_WANTED} conflicts", conflicts >= CONFLICTS_WANTED, conflicts)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--rest", action="store_true")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--commits", type=int)
    parser.add_argument("--seed", type=int, default=1)
    for name in ("writer", "uri", "database", "warehouse"):
        parser.add_argument(f"--{name}", help="of the process of one writer")
    told = parser.parse_args()
    commits = told.commits or (100 if told.full else 10)
    if told.writer:
        write_as_pyiceberg(int(told.writer), commits, told.uri or None, told.database, told.warehouse)
        return 0
    print(f"seed {told.seed}", flush=True)
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="firn-commits-"))
        uri = stack.enter_context(iceberg_peers.rest_server(f"{folder}/rest")) if told.rest else None
        proxy = FaultProxy(stack, uri) if uri else None
        peers = stack.enter_context(iceberg_peers.Peers(told.build, folder, uri))
        run(peers, commits, told.full, proxy, told.seed)
        print(f"{peers.passed} passed, {peers.failed} failed")
        return peers.failed > 0


if __name__ == "__main__":
    sys.exit(main())
