#!/usr/bin/env python3
"""iceberg_crash_test.py BUILD [--full] [--kills N] [--seed N] [--only KIND] - firn is killed while it commits.

At each of its calls in turn that change something on disk (tests/tools/killed_at.c), SQLite's among them, for one
statement of every kind, on a table that is copy-on-write and partitioned and on one that is merge-on-read and has a
branch and a tag; and with kill -9 at random moments of many, one on top of what the other left. Without --full the
first calls, the last ones and some between are tried. Whenever it was: PyIceberg and firn read all tables as they were before or all as they are afterwards, the latter if firn had said
that it is done; the next statement works; and at worst there are files that no table knows: remove_orphan_files lists those
that lie below a table, and no other.
"""
import argparse
import collections
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
import typing

from pyiceberg.transforms import parse_transform
from pyiceberg.types import IntegerType

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import iceberg_peers  # noqa: E402

NAMES = ("a", "b", "c", "d")
SIGKILLED = -9

# ---- Statements, and what they make of tables ----------------------------------------------------


class Table(typing.NamedTuple):
    """What PyIceberg sees of a table, and what is known of its snapshots. All columns are INTEGER."""
    columns: tuple
    rows: tuple = ()
    spec: tuple = ()     # (column, transform).
    order: tuple = ()    # Columns.
    refs: dict = {}      # By the name of a branch or tag: its columns and rows.
    is_moved: bool = False  # There may be files of another spec.
    is_fresh: bool = True  # Its newest snapshot has the columns of now.
    past: tuple = ()     # Tags of main's past whose columns are those of now, the newest last.
    added: dict = {}     # By branch: the rows that its last snapshot added and main does not have.

    def holding(self, rows):
        rows = tuple(rows)
        return self._replace(rows=rows, is_fresh=self.is_fresh or rows != self.rows)

    def put(self, *rows):
        """With more rows; columns that they do not have are NULL."""
        return self.holding(self.rows + tuple(widened(row, len(self.columns)) for row in rows))

    def only(self, keeps):
        return self.holding(row for row in self.rows if keeps(row))

    def renewed(self, columns, rows):
        """With other columns: snapshots of earlier ones are not gone back to."""
        return self._replace(columns=columns, rows=tuple(rows), past=(), added={}, is_fresh=False)

    def partition(self, row):
        return tuple(parse_transform(transform).transform(IntegerType())(row[self.columns.index(column)])
                     for column, transform in self.spec)


def widened(row, count):
    return tuple(row) + (None,) * (count - len(row))


def values(rows):
    return ", ".join("(" + ", ".join("NULL" if each is None else str(each) for each in row) + ")" for row in rows)


# A state is {name: Table}. An operation gives statements and the state after them, or None where it cannot be.
# {name.ref} in a statement is the snapshot of a branch or tag.


def free(state, chance):
    names = [name for name in NAMES if name not in state]
    return chance.choice(names) if names else None


def some(state, chance, suits=lambda table: True):
    names = [name for name in sorted(state) if suits(state[name])]
    return chance.choice(names) if names else None


def can_be_named(table):
    """It has a snapshot, whose columns are those of now."""
    return table.rows != () and table.is_fresh


def create(state, chance):
    name = free(state, chance)
    return name and ([f"CREATE TABLE {name} (x INTEGER, y INTEGER) PARTITIONED BY (bucket(2, x)){mode(chance)}"],
                     {**state, name: Table(("x", "y"), spec=(("x", "bucket[2]"),))})


def create_as(state, chance):
    name = free(state, chance)
    rows = tuple((chance.randrange(9), i) for i in range(4))
    return name and ([f"CREATE TABLE {name} PARTITIONED BY (truncate(4, x)){mode(chance)} AS SELECT * FROM "
                      f"(VALUES {values(rows)}) AS v(x, y)"],
                     {**state, name: Table(("x", "y"), rows, (("x", "truncate[4]"),))})


MERGE_ON_READ = " WITH (" + ", ".join(f"'write.{each}.mode' = 'merge-on-read'"
                                      for each in ("delete", "update", "merge")) + ")"


def mode(chance):
    return chance.choice(("", MERGE_ON_READ))


def replace_table(state, chance):
    """Others' snapshots stay, and branches and tags with them."""
    name = some(state, chance)
    rows = tuple((chance.randrange(9), i) for i in range(3))
    return name and ([f"CREATE OR REPLACE TABLE {name} AS SELECT * FROM (VALUES {values(rows)}) AS v(x, y)"],
                     {**state, name: Table(("x", "y"), rows, refs=state[name].refs)})


def inserted(state, name, chance):
    table = state[name]
    new = [tuple(chance.randrange(9) for _ in table.columns) for _ in range(3)]
    return f"INSERT INTO {name} VALUES {values(new)}", {**state, name: table.put(*new)}


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
    name = some(state, chance, lambda table: len(table.columns) < 7)
    new = f"c{chance.randrange(10 ** 6)}"  # No name comes again, under another id.
    return name and ([f"ALTER TABLE {name} ADD COLUMN {new} INTEGER"], {**state, name: state[name].renewed(
        state[name].columns + (new,), (row + (None,) for row in state[name].rows))})


def drop_column(state, chance):
    name = some(state, chance, lambda table: len(table.columns) > 2)
    return name and ([f"ALTER TABLE {name} DROP COLUMN {state[name].columns[-1]}"], {**state, name: state[name].renewed(
        state[name].columns[:-1], (row[:-1] for row in state[name].rows))})


def partition_field(state, chance):
    name = some(state, chance)
    if name is None:
        return None
    spec = state[name].spec
    field = ("y", "truncate[10]")
    after = tuple(each for each in spec if each != field) if field in spec else spec + (field,)
    return ([f"ALTER TABLE {name} {'DROP' if field in spec else 'ADD'} PARTITION FIELD truncate(10, y)"],
            {**state, name: state[name]._replace(spec=after, is_moved=True)})


def write_order(state, chance):
    name = some(state, chance)
    order = () if name and state[name].order else ("y", "x")
    return name and ([f"ALTER TABLE {name} WRITE {'ORDERED BY ' + ', '.join(order) if order else 'UNORDERED'}"],
                     {**state, name: state[name]._replace(order=order)})


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


KINDS = (create, create_as, replace_table, insert, transaction, add_column, drop_column, partition_field, write_order,
         drop, purge, rename)

# ---- Rows that go --------------------------------------------------------------------------------


def delete(state, chance):
    name, x = some(state, chance), chance.randrange(9)
    return name and ([f"DELETE FROM {name} WHERE x >= {x}"], {**state, name: state[name].only(lambda row: row[0] < x)})


def update(state, chance):
    name, x = some(state, chance), chance.randrange(9)
    return name and ([f"UPDATE {name} SET y = y + 1 WHERE x >= {x}"], {**state, name: state[name].holding(
        (row[0], row[1] + 1, *row[2:]) if row[0] >= x else row for row in state[name].rows)})


def merge(state, chance):
    name, x = some(state, chance), chance.randrange(9)
    if name is None:
        return None
    table = state[name]
    rows = tuple((row[0], 77, *row[2:]) if row[0] == x else row for row in table.rows)
    is_there = any(row[0] == x for row in rows)
    return ([f"MERGE INTO {name} AS t USING (VALUES ({x}, 77)) AS s(x, y) ON t.x = s.x WHEN MATCHED THEN UPDATE SET "
             "y = s.y WHEN NOT MATCHED THEN INSERT (x, y) VALUES (s.x, s.y)"],
            {**state, name: table.holding(rows) if is_there else table.put((x, 77))})


def replace_where(state, chance):
    name, x = some(state, chance), chance.randrange(9)
    if name is None:
        return None
    new = tuple(chance.randrange(9) for _ in state[name].columns)
    return ([f"INSERT INTO {name} REPLACE WHERE x >= {x} VALUES {values([new])}"],
            {**state, name: state[name].only(lambda row: row[0] < x).put(new)})


def insert_overwrite(state, chance):
    """Files of the current spec's partitions go."""
    name = some(state, chance, lambda table: not table.is_moved)
    if name is None:
        return None
    table = state[name]
    new = [tuple(chance.randrange(9) for _ in table.columns) for _ in range(2)]
    gone = {table.partition(row) for row in new}
    return ([f"INSERT OVERWRITE {name} VALUES {values(new)}"],
            {**state, name: table.only(lambda row: table.partition(row) not in gone).put(*new)})


def overwrite(state, chance):
    name = some(state, chance)
    if name is None:
        return None
    new = tuple(chance.randrange(9) for _ in state[name].columns)
    return (["BEGIN", f"TRUNCATE TABLE {name}", f"INSERT INTO {name} VALUES {values([new])}", "COMMIT"],
            {**state, name: state[name].only(lambda row: False).put(new)})


def truncate(state, chance):
    name = some(state, chance, lambda table: table.rows)
    return name and ([f"TRUNCATE TABLE {name}"], {**state, name: state[name].only(lambda row: False)})


ROW_KINDS = (delete, update, merge, replace_where, insert_overwrite, overwrite, truncate)
WITH_DELETE_FILES = (delete, update, merge, replace_where)

# ---- Branches, tags, the past --------------------------------------------------------------------


def new_ref(state, name, chance, kind):
    ref = f"{kind}_{chance.randrange(10 ** 6)}"
    table = state[name]
    return ref, {**state, name: table._replace(refs={**table.refs, ref: (table.columns, table.rows)})}


def tag(state, chance):
    name = some(state, chance, can_be_named)
    if name is None:
        return None
    ref, after = new_ref(state, name, chance, "tag")
    return ([f"ALTER TABLE {name} CREATE TAG {ref}"],
            {**after, name: after[name]._replace(past=state[name].past + (ref,))})


def branch(state, chance):
    """With rows that main does not have."""
    name = some(state, chance, can_be_named)
    if name is None:
        return None
    ref, after = new_ref(state, name, chance, "side")
    new = widened((chance.randrange(9), 99), len(state[name].columns))
    columns, rows = after[name].refs[ref]
    return (["BEGIN", f"ALTER TABLE {name} CREATE BRANCH {ref}",
             f"INSERT INTO {name}.branch_{ref} VALUES {values([new])}", "COMMIT"],
            {**after, name: after[name]._replace(refs={**after[name].refs, ref: (columns, rows + (new,))},
                                                 added={**after[name].added, ref: (new,)})})


def drop_ref(state, chance):
    name = some(state, chance, lambda table: table.refs)
    if name is None:
        return None
    table, ref = state[name], chance.choice(sorted(state[name].refs))
    kind = "BRANCH" if ref.startswith("side") else "TAG"
    rest = {key: value for key, value in table.refs.items() if key != ref}
    return ([f"ALTER TABLE {name} DROP {kind} {ref}"],
            {**state, name: table._replace(refs=rest, past=tuple(each for each in table.past if each != ref),
                                           added={key: value for key, value in table.added.items() if key != ref})})


def replace_branch(state, chance):
    """With what main was once."""
    name = some(state, chance, lambda table: table.past and table.added)
    if name is None:
        return None
    table = state[name]
    ref, past = chance.choice(sorted(table.added)), chance.choice(table.past)
    return ([f"ALTER TABLE {name} REPLACE BRANCH {ref} AS OF VERSION {{{name}.{past}}}"],
            {**state, name: table._replace(refs={**table.refs, ref: table.refs[past]},
                                           added={key: value for key, value in table.added.items() if key != ref})})


def fast_forward(state, chance):
    """A new branch of what main was once, to what it is."""
    name = some(state, chance, lambda table: table.past and can_be_named(table))
    if name is None:
        return None
    past = chance.choice(state[name].past)
    ref, after = new_ref(state, name, chance, "side")
    return (["BEGIN", f"ALTER TABLE {name} CREATE BRANCH {ref} AS OF VERSION {{{name}.{past}}}",
             f"CALL ice.system.fast_forward('db.{name}', '{ref}', 'main')", "COMMIT"], after)


def rollback(state, chance):
    name = some(state, chance, lambda table: table.past)
    if name is None:
        return None
    table, at = state[name], chance.randrange(len(state[name].past))
    ref = table.past[at]
    procedure = chance.choice(("rollback_to_snapshot", "set_current_snapshot"))
    return ([f"CALL ice.system.{procedure}('db.{name}', {{{name}.{ref}}})"],
            {**state, name: table.holding(table.refs[ref][1])._replace(past=table.past[:at + 1], is_moved=True)})


def cherry_pick(state, chance):
    name = some(state, chance, lambda table: table.added)
    if name is None:
        return None
    table, ref = state[name], chance.choice(sorted(state[name].added))
    return ([f"CALL ice.system.cherrypick_snapshot('db.{name}', {{{name}.{ref}}})"],
            {**state, name: table.put(*table.added[ref])._replace(
                is_moved=True, added={key: value for key, value in table.added.items() if key != ref})})


REF_KINDS = (tag, branch, drop_ref, replace_branch, fast_forward, rollback, cherry_pick)


# ---- What is there -------------------------------------------------------------------------------

class Lake:
    def __init__(self, build, folder):
        self.build = pathlib.Path(build).resolve()
        self.folder = pathlib.Path(folder)
        (self.folder / "lake").mkdir()
        self.peers = iceberg_peers.Peers(build, self.folder / "lake")
        subprocess.run([str(self.peers.program), "-c", self.peers.attach, "-c", "CREATE SCHEMA ice.db"], check=True)

    def start(self, statements, **environment):
        def snapshot_of(found):
            name, ref = found[1].split(".")
            return str(self.peers.pyiceberg().load_table(("db", name)).metadata.refs[ref].snapshot_id)
        statements = [re.sub(r"\{(.*?)\}", snapshot_of, each) for each in statements]
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
            table = catalog.load_table(("db", name))
            schema = table.schema()
            refs = {ref: rows_of(table.scan(snapshot_id=of.snapshot_id).to_arrow())
                    for ref, of in table.metadata.refs.items() if ref != "main"}
            spec, order = table.spec(), table.sort_order()
            state[name] = Table(*rows_of(table.scan().to_arrow()), refs=refs, spec=tuple(
                (schema.find_column_name(each.source_id), str(each.transform)) for each in spec.fields), order=tuple(
                    schema.find_column_name(each.source_id) for each in order.fields))
        return state

    def firn(self, like):
        """The tables as firn has them, whose specs and orders it does not show: they are those of `like`, as are branches
        of whose columns the table does not have all any more, since it reads them with the table's."""
        catalog, state = self.peers.pyiceberg(), {}
        for each in self.peers.firn_table("SHOW TABLES").to_pylist():
            name = list(each.values())[2]
            table = like.get(name, Table(()))
            opened, refs = catalog.load_table(("db", name)), {}
            ids = set(opened.schema().field_ids)
            for ref, (columns, _) in table.refs.items():
                of = opened.metadata.refs[ref]
                written = opened.schemas()[opened.snapshot_by_id(of.snapshot_id).schema_id]
                if of.snapshot_ref_type == "branch" and not set(written.field_ids) <= ids:
                    refs[ref] = table.refs[ref]
                    continue
                found, rows = rows_of(self.peers.firn_table(f"SELECT * FROM {name} FOR VERSION AS OF '{ref}'"))
                at = [found.index(column) for column in columns]
                refs[ref] = (columns, tuple(tuple(row[i] for i in at) for row in rows))
            state[name] = Table(*rows_of(self.peers.firn_table(f"SELECT * FROM {name}")), refs=refs, spec=table.spec,
                                order=table.order)
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

    def has_new_deletes(self, name):
        """Whether the newest snapshot wrote files of position deletes."""
        summary = self.peers.pyiceberg().load_table(("db", name)).current_snapshot().summary
        return int(summary["added-position-deletes"] or 0) > 0

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


def rows_of(table):
    """The columns and rows of an Arrow table."""
    return tuple(table.column_names), tuple(zip(*[column.to_pylist() for column in table.columns]))


def in_order(rows):
    return sorted(rows, key=repr)


def plain(state):
    """What others can see, and what does not depend on the order of rows."""
    return {name: (table.columns, in_order(table.rows), table.spec, table.order,
                   {ref: (columns, in_order(rows)) for ref, (columns, rows) in sorted(table.refs.items())})
            for name, table in state.items()}


# ---- At each call --------------------------------------------------------------------------------

FIRST = tuple((i, i * 10, i + 1) for i in (0, 2, 4, 6, 8))
BASE = {
    "a": Table(("x", "y"), tuple((i, i * 2) for i in range(8)), (("x", "bucket[3]"),)),
    # Merge-on-read, with a past.
    "b": Table(("x", "y", "c2"), (*FIRST, (1, 2, 3), (7, 5, 6)), refs={
        "first": (("x", "y", "c2"), FIRST), "side": (("x", "y", "c2"), (*FIRST, (5, 99, 9)))},
               past=("first",), added={"side": ((5, 99, 9),)})}


def make_base(lake):
    code, told = lake.run(["CREATE TABLE a PARTITIONED BY (bucket(3, x)) AS SELECT * FROM (VALUES "
                           + values(BASE["a"].rows) + ") AS v(x, y)",
                           f"CREATE TABLE b (x INTEGER, y INTEGER, c2 INTEGER){MERGE_ON_READ}",
                           f"INSERT INTO b VALUES {values(FIRST)}",
                           "ALTER TABLE b CREATE TAG first, CREATE BRANCH side",
                           "INSERT INTO b.branch_side VALUES (5, 99, 9)",
                           "INSERT INTO b VALUES (1, 2, 3), (7, 5, 6)"])
    if code != 0:
        raise RuntimeError(told)
    lake.save()


def calls(count, chance, step):
    """The first ones, and the last ones, where the commit is, without leaving any out."""
    some_of = range(4 + chance.randrange(step), count, step)
    return sorted({n for n in (*range(1, 5), *some_of, *range(count - 8, count + 1)) if 1 <= n <= count})


def goes_in_part(after, name):
    """Some of its rows go or change, and not all."""
    old = set(BASE[name].rows)
    return 0 < len(old - set(after[name].rows)) < len(old)


def wanted_of(kind, chance, names):
    """What it does to one of these tables of BASE: something that can be seen."""
    for _ in range(1000):
        made = kind({name: BASE[name] for name in names}, chance)
        if made is not None:
            after = {**{name: table for name, table in BASE.items() if name not in names}, **made[1]}
            if plain(after) != plain(BASE) and (kind not in WITH_DELETE_FILES or goes_in_part(after, names[0])):
                return made[0], after
    raise RuntimeError(f"{kind.__name__} does nothing to {names}")


def at_each_call(lake, kind, chance, step, names):
    expect = lake.peers.expect
    what = f"{kind.__name__} of {' and '.join(names)}"
    statements, after = wanted_of(kind, chance, names)
    old, new = plain(BASE), plain(after)
    counted = lake.folder / "count"
    shim = str(lake.build / "killed_at.so")
    lake.restore()
    code, told = lake.run(statements, LD_PRELOAD=shim, KILLED_COUNT=str(counted))
    if not expect(f"{what} is done", code == 0 and plain(lake.pyiceberg()) == new,
                  f"{statements}: {told} {plain(lake.pyiceberg())}, wanted {new}"):
        return
    if names == ["b"] and kind in WITH_DELETE_FILES:
        expect(f"{what} writes position deletes", lake.has_new_deletes("b"))
    count, outcomes, orphans = int(counted.read_text()), collections.Counter(), 0
    for number, n in enumerate(calls(count, chance, step)):
        lake.restore()
        code, told = lake.run(statements, LD_PRELOAD=shim, KILLED_AT=str(n))
        name = f"{what}, killed at call {n} of {count}"
        if code not in (0, SIGKILLED):
            expect(name, False, f"exit {code}: {told}")
        found_state = lake.pyiceberg()
        found = plain(found_state)
        is_new = found == new
        expect(name, is_new or (found == old and code != 0), f"exit {code}: {found}, {old} or {new} wanted")
        outcomes["new" if is_new else "old"] += 1
        orphans += len(lake.unknown_files())
        if number % 5 == 0:
            expect(f"{name}: firn reads the same", plain(lake.firn(found_state)) == found, lake.firn(found_state))
            lake.check_orphans(name)
            if not is_new:
                code, told = lake.run(statements)
                expect(f"{name}: again", code == 0 and plain(lake.pyiceberg()) == new, told)
    print(f"     {what}: {count} calls, {outcomes['old']} times old, {outcomes['new']} times new, "
          f"{orphans} files that no table knows", flush=True)
    expect(f"{what}: both were seen", len(outcomes) == 2, outcomes)


# ---- At random moments ---------------------------------------------------------------------------

def at_random(lake, kinds, chance, kills):
    expect = lake.peers.expect
    lake.restore()
    state, outcomes, seconds = BASE, collections.Counter(), 0.05
    for number in range(kills):
        made = None
        while not made:
            kind = chance.choice(kinds)
            made = kind(state, chance)
        statements, after = made
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
            expect(name, False, f"exit {process.returncode}: {statements}: {told}")
        found = plain(lake.pyiceberg())
        is_new = found == plain(after)
        if not expect(name, is_new or (found == plain(state) and process.returncode != 0),
                      f"exit {process.returncode}: {statements}: {found}, {plain(state)} or {plain(after)} wanted"):
            break
        outcomes[kind.__name__, "new" if is_new else "old"] += 1
        state = after if is_new else state
    expect("firn reads the same", plain(lake.firn(state)) == plain(state), lake.firn(state))
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
        step = 1 if told.full else 60
        for kind in KINDS + ROW_KINDS + REF_KINDS:
            # Rows of both kinds of tables; the past that is gone back to is b's.
            for names in (["a"], ["b"]) if kind in WITH_DELETE_FILES else [["b"]] if kind in REF_KINDS else [["a", "b"]]:
                if told.only in kind.__name__:
                    at_each_call(lake, kind, chance, step, names)
        if told.only in "random":
            at_random(lake, KINDS + ROW_KINDS + REF_KINDS, chance, told.kills or (300 if told.full else 40))
        print(f"{lake.peers.passed} passed, {lake.peers.failed} failed")
        return lake.peers.failed > 0


if __name__ == "__main__":
    sys.exit(main())
