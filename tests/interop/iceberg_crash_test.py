#!/usr/bin/env python3
"""iceberg_crash_test.py BUILD [--full] [--kills N] [--seed N] [--only KIND] - firn is killed while it commits.

At each of its calls in turn that change something on disk (tests/tools/killed_at.c), SQLite's among them, for one
statement of every kind; and with kill -9 at random moments of many, one on top of what the other left. Whenever it
was: PyIceberg and firn read all tables as they were before or all as they are afterwards, the latter if firn had said
that it is done; the next statement works; and at worst there are files that no table knows: remove_orphan_files lists those
that lie below a table, and no other.
"""
import argparse
import collections
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import iceberg_peers  # noqa: E402

NAMES = ("a", "b", "c", "d")
SIGKILLED = -9

# ---- Statements, and what they make of tables ----------------------------------------------------
# A state is {name: (columns, rows)}; all columns are INTEGER. An operation gives statements and the state after them,
# or None where it cannot be.


def free(state, chance):
    names = [name for name in NAMES if name not in state]
    return chance.choice(names) if names else None


def some(state, chance):
    return chance.choice(sorted(state)) if state else None


def create(state, chance):
    name = free(state, chance)
    return name and ([f"CREATE TABLE {name} (x INTEGER, y INTEGER) PARTITIONED BY (bucket(2, x))"],
                     {**state, name: (["x", "y"], [])})


def create_as(state, chance):
    name = free(state, chance)
    rows = [(chance.randrange(9), i) for i in range(4)]
    return name and ([f"CREATE TABLE {name} PARTITIONED BY (truncate(4, x)) AS SELECT * FROM "
                      f"(VALUES {', '.join(map(str, rows))}) AS v(x, y)"], {**state, name: (["x", "y"], rows)})


def inserted(state, name, chance):
    columns, rows = state[name]
    new = [tuple(chance.randrange(9) for _ in columns) for _ in range(3)]
    values = ", ".join("(" + ", ".join(map(str, row)) + ")" for row in new)
    return f"INSERT INTO {name} VALUES {values}", {**state, name: (columns, rows + new)}


def insert(state, chance):
    name = some(state, chance)
    if name is None:
        return None
    statement, after = inserted(state, name, chance)
    return [statement], after


def transaction(state, chance):
    if len(state) < 2:
        return None
    first, second = chance.sample(sorted(state), 2)
    one, after = inserted(state, first, chance)
    two, after = inserted(after, second, chance)
    return ["BEGIN", one, two, "COMMIT"], after


def add_column(state, chance):
    name = some(state, chance)
    if name is None or len(state[name][0]) > 6:
        return None
    columns, rows = state[name]
    new = f"c{len(columns)}"
    return ([f"ALTER TABLE {name} ADD COLUMN {new} INTEGER"],
            {**state, name: (columns + [new], [row + (None,) for row in rows])})


def drop_column(state, chance):
    name = some(state, chance)
    if name is None or len(state[name][0]) < 3:
        return None
    columns, rows = state[name]
    return ([f"ALTER TABLE {name} DROP COLUMN {columns[-1]}"],
            {**state, name: (columns[:-1], [row[:-1] for row in rows])})


def drop(state, chance):
    name = some(state, chance)
    return name and ([f"DROP TABLE {name}"], {key: value for key, value in state.items() if key != name})


def purge(state, chance):
    name = some(state, chance)
    return name and ([f"DROP TABLE {name} PURGE"], {key: value for key, value in state.items() if key != name})


def rename(state, chance):
    name, other = some(state, chance), free(state, chance)
    return name and other and ([f"ALTER TABLE {name} RENAME TO {other}"],
                               {other if key == name else key: value for key, value in state.items()})


def delete(state, chance):
    name, x = some(state, chance), chance.randrange(9)
    return name and ([f"DELETE FROM {name} WHERE x >= {x}"],
                     {**state, name: (state[name][0], [row for row in state[name][1] if row[0] < x])})


def update(state, chance):
    name, x = some(state, chance), chance.randrange(9)
    return name and ([f"UPDATE {name} SET y = y + 1 WHERE x >= {x}"],
                     {**state, name: (state[name][0], [
                         (row[0], row[1] + 1, *row[2:]) if row[0] >= x else row for row in state[name][1]])})


def merge(state, chance):
    name, x = some(state, chance), chance.randrange(9)
    if name is None or len(state[name][0]) > 2:
        return None
    columns, rows = state[name]
    after = [(row[0], 77) if row[0] == x else row for row in rows]
    return ([f"MERGE INTO {name} AS t USING (VALUES ({x}, 77)) AS s(x, y) ON t.x = s.x WHEN MATCHED THEN UPDATE SET "
             "y = s.y WHEN NOT MATCHED THEN INSERT VALUES (s.x, s.y)"],
            {**state, name: (columns, after if after != rows or any(row[0] == x for row in rows)
                             else rows + [(x, 77)])})


def overwrite(state, chance):
    name = some(state, chance)
    if name is None or len(state[name][0]) > 2:
        return None
    rows = [(chance.randrange(9), 5)]
    return (["BEGIN", f"TRUNCATE TABLE {name}", f"INSERT INTO {name} VALUES {rows[0]}", "COMMIT"],
            {**state, name: (state[name][0], rows)})


KINDS = (create, create_as, insert, transaction, add_column, drop_column, drop, purge, rename)
ROW_KINDS = (delete, update, merge, overwrite)


# ---- What is there -------------------------------------------------------------------------------

class Lake:
    def __init__(self, build, folder):
        self.build = pathlib.Path(build).resolve()
        self.folder = pathlib.Path(folder)
        (self.folder / "lake").mkdir()
        self.peers = iceberg_peers.Peers(build, self.folder / "lake")
        subprocess.run([str(self.peers.program), "-c", self.peers.attach, "-c", "CREATE SCHEMA ice.db"], check=True)

    def start(self, statements, **environment):
        command = [str(self.peers.program), "-c", self.peers.attach, "-c", "USE ice.db"]
        for each in statements:
            command += ["-c", each]
        # pylint: disable-next=consider-using-with
        return subprocess.Popen(command, env={**os.environ, **environment}, stdout=subprocess.DEVNULL,
                                stderr=subprocess.PIPE, text=True)

    def run(self, statements, **environment):
        process = self.start(statements, **environment)
        told = process.communicate()[1]
        return process.returncode, told

    def pyiceberg(self):
        """The tables as PyIceberg has them."""
        catalog, state = self.peers.pyiceberg(), {}
        for _, name in catalog.list_tables("db"):
            rows = catalog.load_table(("db", name)).scan().to_arrow()
            columns = [column.to_pylist() for column in rows.columns]
            state[name] = (rows.column_names, list(zip(*columns)))
        return state

    def firn(self):
        state = {}
        for each in self.peers.firn_table("SHOW TABLES").to_pylist():
            name = list(each.values())[2]
            rows = self.peers.firn_table(f"SELECT * FROM {name}")
            state[name] = (rows.column_names, list(zip(*[column.to_pylist() for column in rows.columns])))
        return state

    def unknown_files(self):
        """Files that no table knows."""
        catalog = self.peers.pyiceberg()
        known = set()
        for each in catalog.list_tables("db"):
            table = catalog.load_table(each)
            known |= {table.metadata_location, *(entry.metadata_file for entry in table.metadata.metadata_log)}
            for snapshot in table.snapshots():
                known.add(snapshot.manifest_list)
                for manifest in snapshot.manifests(table.io):
                    known.add(manifest.manifest_path)
                    known |= {entry.data_file.file_path for entry in manifest.fetch_manifest_entry(table.io)}
        known = {os.path.realpath(each.removeprefix("file://")) for each in known}
        found = [path for path in (self.folder / "lake" / "warehouse").rglob("*") if path.is_file()]
        return [path for path in found if os.path.realpath(path) not in known]

    def check_orphans(self, name):
        """firn lists what lies below a table and no table knows; it and no more."""
        catalog = self.peers.pyiceberg()
        unknown = {os.path.realpath(path) for path in self.unknown_files()}
        for _, table in catalog.list_tables("db"):
            below = os.path.realpath(catalog.load_table(("db", table)).location().removeprefix("file://")) + os.sep
            rows = self.peers.firn_table(f"CALL ice.system.remove_orphan_files('db.{table}', dry_run => true, "
                                         "older_than => TIMESTAMPTZ '2999-01-01 00:00:00+00')").to_pylist()
            listed = {os.path.realpath(list(row.values())[0].removeprefix("file://")) for row in rows}
            wanted = {path for path in unknown if path.startswith(below)}
            self.peers.expect(f"{name}: orphans of {table}", listed == wanted,
                              f"{sorted(listed ^ wanted)} of {sorted(wanted)}")

    def save(self):
        shutil.rmtree(self.folder / "saved", ignore_errors=True)
        shutil.copytree(self.folder / "lake", self.folder / "saved")

    def restore(self):
        shutil.rmtree(self.folder / "lake")
        shutil.copytree(self.folder / "saved", self.folder / "lake")


def plain(state):
    """What does not depend on the order of rows."""
    return {name: (list(columns), sorted(rows, key=repr)) for name, (columns, rows) in state.items()}


# ---- At each call --------------------------------------------------------------------------------

BASE = {"a": (["x", "y"], [(i, i * 2) for i in range(8)]), "b": (["x", "y", "c2"], [(1, 2, 3), (4, 5, 6)])}


def make_base(lake):
    code, told = lake.run(["CREATE TABLE a PARTITIONED BY (bucket(3, x)) AS SELECT * FROM (VALUES "
                           + ", ".join(map(str, BASE["a"][1])) + ") AS v(x, y)",
                           "CREATE TABLE b (x INTEGER, y INTEGER, c2 INTEGER)",
                           "INSERT INTO b VALUES (1, 2, 3), (4, 5, 6)"])
    if code != 0:
        raise RuntimeError(told)
    lake.save()


def next_call(n, count, step):
    """The first ones, and the last ones, where the commit is, without leaving any out."""
    return n + step if 4 <= n < count - 6 - step else n + 1


def at_each_call(lake, kind, chance, step):
    expect = lake.peers.expect
    made = None
    while not made:
        made = kind(BASE, chance)
    statements, after = made
    old, new = plain(BASE), plain(after)
    counted = lake.folder / "count"
    shim = str(lake.build / "killed_at.so")
    lake.restore()
    code, told = lake.run(statements, LD_PRELOAD=shim, KILLED_COUNT=str(counted))
    if not expect(f"{kind.__name__} is done", code == 0 and plain(lake.pyiceberg()) == new,
                  f"{told} {lake.pyiceberg()}, wanted {new}"):
        return
    count, outcomes, orphans = int(counted.read_text()), collections.Counter(), 0
    n = 1
    while n <= count:
        lake.restore()
        code, told = lake.run(statements, LD_PRELOAD=shim, KILLED_AT=str(n))
        name = f"{kind.__name__}, killed at call {n} of {count}"
        if code not in (0, SIGKILLED):
            expect(name, False, f"exit {code}: {told}")
        found = plain(lake.pyiceberg())
        is_new = found == new
        expect(name, is_new or (found == old and code != 0), f"exit {code}: {found}, {old} or {new} wanted")
        outcomes["new" if is_new else "old"] += 1
        orphans += len(lake.unknown_files())
        if n % 5 == 0:
            expect(f"{name}: firn reads the same", plain(lake.firn()) == found, lake.firn())
            lake.check_orphans(name)
            if not is_new:
                code, told = lake.run(statements)
                expect(f"{name}: again", code == 0 and plain(lake.pyiceberg()) == new, told)
        n = next_call(n, count, step)
    print(f"     {kind.__name__}: {count} calls, {outcomes['old']} times old, {outcomes['new']} times new, "
          f"{orphans} files that no table knows", flush=True)
    expect(f"{kind.__name__}: both were seen", len(outcomes) == 2, outcomes)


# ---- At random moments ---------------------------------------------------------------------------

def at_random(lake, kinds, chance, kills):
    expect = lake.peers.expect
    lake.restore()
    state, outcomes, seconds = plain(BASE), collections.Counter(), 0.05
    for number in range(kills):
        made = None
        while not made:
            kind = chance.choice(kinds)
            made = kind(state, chance)
        statements, after = made
        after = plain(after)
        begin = time.monotonic()
        process = lake.start(statements)
        if number % 10:
            time.sleep(chance.random() * seconds * 1.1)
            process.kill()
        told = process.communicate()[1]
        if number % 10 == 0:
            seconds = time.monotonic() - begin  # What one takes that is left alone.
        name = f"{number}, {kind.__name__}"
        if process.returncode not in (0, SIGKILLED):
            expect(name, False, f"exit {process.returncode}: {told}")
        found = plain(lake.pyiceberg())
        is_new = found == after
        if not expect(name, is_new or (found == state and process.returncode != 0),
                      f"exit {process.returncode}: {found}, {state} or {after} wanted"):
            break
        outcomes[kind.__name__, "new" if is_new else "old"] += 1
        state = after if is_new else state
    expect("firn reads the same", plain(lake.firn()) == state, lake.firn())
    lake.check_orphans("at random")
    print(f"     at random: {dict(sorted(outcomes.items()))}")
    print(f"     {len(lake.unknown_files())} files that no table knows")
    expect("old and new were seen", len({which for _, which in outcomes}) == 2, outcomes)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--kills", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="")
    told = parser.parse_args()
    print(f"seed {told.seed}", flush=True)
    chance = random.Random(told.seed)
    with tempfile.TemporaryDirectory(prefix="firn-crash-") as folder:
        lake = Lake(told.build, folder)
        make_base(lake)
        kinds = KINDS
        if "appended only" not in lake.run(["DELETE FROM b WHERE x = 1"])[1]:
            kinds += ROW_KINDS
        for kind in kinds:
            if told.only in kind.__name__:
                at_each_call(lake, kind, chance, 1 if told.full else 15)
        if told.only in "random":
            at_random(lake, kinds, chance, told.kills or (300 if told.full else 40))
        print(f"{lake.peers.passed} passed, {lake.peers.failed} failed")
        return lake.peers.failed > 0


if __name__ == "__main__":
    sys.exit(main())
