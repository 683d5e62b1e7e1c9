#!/usr/bin/env python3
"""iceberg_foreign_test.py FIRN [--full] [--seeds N] [--first N] - firn changes rows of tables that others made.

The random tables of iceberg_random_test.py (equality and position deletes, Avro, files behind a name mapping, specs
whose source columns are gone, columns that changed), registered in a SQLite catalog, and tables that PyIceberg
made and wrote to. Random DELETE, UPDATE, MERGE and INSERT ... REPLACE WHERE, copy-on-write and merge-on-read, change
such a table and one in memory that had the same rows (differential/changes has those beside DuckDB): both must tell
the same counts and have the same rows each time, another process must read the same in the end, and of its own
tables PyIceberg. Needs PyIceberg:

    $(bash tools/dev/venv.sh pyiceberg)/bin/python tests/interop/iceberg_foreign_test.py build/dev/firn --seeds 50
"""
import argparse
import pathlib
import shutil
import sys
import tempfile

import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.catalog.sql import SqlCatalog

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from iceberg_random_test import KINDS, NESTED, Table, ask, grow, without_ids  # noqa: E402

FIRST_NEW = 900000  # No row has so high a uid.


# ---- Statements ----------------------------------------------------------------------------------

def literal(table, column):
    kind = KINDS[column.kind]
    return "NULL" if table.rng.random() < 0.1 else kind.literal(kind.value(table.rng))


def assignments(table):
    """Some columns, and fields of structs, and what they become."""
    rng = table.rng
    whole = [(f'"{column.name}"', column) for column in table.columns[1:] if column.kind not in NESTED]
    inner = [(name, column) for name, column in table.terms() if "." in name]
    picked = rng.sample(whole, min(len(whole), rng.choice([1, 1, 2]))) + rng.sample(inner, min(len(inner), 1))
    return ", ".join(f"{name} = {literal(table, column)}" for name, column in picked)


def change(table, uids, plain):
    """A statement that changes rows of @; none is sure to find any."""
    rng = table.rng
    kinds = [lambda: f"DELETE FROM @ WHERE {table.filter()}",
             lambda: f'DELETE FROM @ WHERE "uid" % {rng.choice([2, 3, 7])} = 1',
             lambda: f"INSERT INTO @ REPLACE WHERE {table.filter()} SELECT * FROM '{plain}' "
             f'WHERE "uid" % {rng.choice([3, 5])} = 0']
    values = assignments(table)
    if values:
        matched = ", ".join(f"({uid})" for uid in {*rng.sample(uids, min(len(uids), 6)),
                                                   *(FIRST_NEW + rng.randrange(10 ** 6) for _ in range(2))})
        column = rng.choice([each for each in table.columns[1:] if each.kind not in NESTED] or table.columns[:1])
        more = f', "{column.name}"' if column is not table.columns[0] else ""
        value = f", {literal(table, column)}" if more else ""
        kinds += [lambda: f"UPDATE @ SET {values} WHERE {table.filter()}",
                  lambda: f'UPDATE @ SET {values} WHERE "uid" % {rng.choice([2, 5])} = 0',
                  lambda: f"MERGE INTO @ AS t USING (VALUES {matched}) AS s(k) ON t.\"uid\" = s.k "
                  f"WHEN MATCHED AND s.k % 3 = 0 THEN DELETE WHEN MATCHED THEN UPDATE SET {values} "
                  f'WHEN NOT MATCHED THEN INSERT ("uid"{more}) VALUES (s.k{value})']
    return rng.choice(kinds)()


def modes(rng):
    return {f"write.{each}.mode": rng.choice(["copy-on-write", "merge-on-read"])
            for each in ("delete", "update", "merge")}


# ---- Comparing -----------------------------------------------------------------------------------

def changed(firn, table, attach, uids, plain):
    """What differs between the table and the one in memory after random changes."""
    names = ", ".join(f'"{column.name}"' for column in table.columns)
    statements = [attach, f"CREATE TABLE memory.main.m AS SELECT * FROM '{plain}'"]
    texts = [f"SELECT {names} FROM @"]
    for _ in range(table.rng.randint(3, 6)):
        texts += [change(table, uids, plain), f"SELECT {names} FROM @", "SELECT count(*) FROM @"]
    for each in texts:
        statements += [each.replace("@", "ice.db.t"), each.replace("@", "memory.main.m")]
    answers = ask(firn, statements)
    if isinstance(answers, str):
        return ["\n  ".join([answers, *texts])], []
    pairs = list(zip(texts, answers[2::2], answers[3::2]))
    failed = ["\n  ".join([f"{text}: only in the table {[row for row in got if row not in wanted][:3]}, only expected "
                           f"{[row for row in wanted if row not in got][:3]}, behind", *texts[1:i + 1:3]])
              for i, (text, got, wanted) in enumerate(pairs) if got != wanted]
    last = pairs[-2][2]
    again = ask(firn, [attach, f"SELECT {names} FROM ice.db.t"])
    if again[1:] != [last]:
        failed.append(f"another process reads something else: {again}")
    return failed, last


def opened(folder):
    """A catalog of PyIceberg's, and how firn attaches it."""
    catalog = SqlCatalog("ice", uri=f"sqlite:///{folder}/c.db", warehouse=f"file://{folder}/w")
    catalog.create_namespace("db")
    return catalog, f"ATTACH 'sqlite:{folder}/c.db' AS ice (CATALOG_NAME 'ice', WAREHOUSE 'file://{folder}/w')"


def of_random_table(firn, seed, folder):
    table = Table(folder / "t", seed)
    last = grow(table)
    if not table.spec_is_usable():  # New rows have no partition by a column that is gone.
        table.new_spec()
    catalog, attach = opened(folder)
    catalog.register_table("db.t", str(table.finish(modes(table.rng))))
    table.write_rows_of(last, folder / "plain.parquet")
    uids = [row[table.columns[0].id] for file in table.files for row in file["rows"]]
    return changed(firn, table, attach, uids, folder / "plain.parquet")[0]


def pyiceberg_writes(table):
    """Whether PyIceberg writes files of such a spec, and has a name for their folders."""
    of = {field.source_id: str(field.transform) for field in table.spec.fields}
    kinds = {column.kind: of[column.id] for column in table.columns if column.id in of}
    return (len(of) == len(kinds) == len(table.spec.fields) and "void" not in kinds.values()
            and not kinds.keys() & {"double", "float", "binary", "time"}
            and "identity" not in (kinds.get("timestamp"), kinds.get("timestamptz")))


def of_pyiceberg_table(firn, seed, folder):
    """Flat columns, for which PyIceberg writes and compares all that there is."""
    table = Table(folder / "t", seed)
    rng = table.rng
    table.columns = [column for column in table.columns if column.kind not in (*NESTED, "uuid")]
    table.add_column("string")
    table.add_column("date")
    table.changed_schema()
    while not pyiceberg_writes(table):
        table.new_spec()
    catalog, attach = opened(folder)
    made = catalog.create_table("db.t", table.schema, partition_spec=table.spec)
    rows = []
    for number in range(1, rng.randint(2, 4)):
        new = [{column.id: table.value(column) for column in table.columns} for _ in range(rng.choice([5, 20, 40]))]
        for i, row in enumerate(new):
            row[table.columns[0].id] = number * 1000 + i
        rows_of = table.arrow(new, table.columns)  # PyIceberg gives columns ids of its own.
        made.append(rows_of.cast(pa.schema([without_ids(field) for field in rows_of.schema])))
        rows += new
    gone = rng.randrange(7)
    made.delete(f"uid >= {1000 + gone} and uid < 1010")
    made.transaction().set_properties(modes(rng)).commit_transaction()
    rows = [row for row in rows if not 1000 + gone <= row[table.columns[0].id] < 1010]
    pq.write_table(table.arrow(rows, table.columns), folder / "plain.parquet", store_schema=False)
    uids = [row[table.columns[0].id] for row in rows]
    failed, wanted = changed(firn, table, attach, uids or [1], folder / "plain.parquet")
    if not failed:
        pq.write_table(catalog.load_table("db.t").scan().to_arrow(), folder / "theirs.parquet")
        names = ", ".join(f'"{column.name}"' for column in table.columns)
        found = ask(firn, [attach, f"SELECT {names} FROM '{folder}/theirs.parquet'"])[1]
        failed += [] if found == wanted else [f"PyIceberg reads {found[:9]}..., wanted {wanted[:9]}..."]
    return failed


def run(firn, make, seed):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="firn_foreign_"))
    failed = make(firn, seed, folder)
    if failed:
        print(f"FAIL {make.__name__}, seed {seed}, {folder}\n" + "\n".join(failed[:2]), flush=True)
    else:
        shutil.rmtree(folder)
    return not failed


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("firn")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--seeds", type=int)
    parser.add_argument("--first", type=int, default=0)
    told = parser.parse_args()
    seeds = range(told.first, told.first + (told.seeds or (150 if told.full else 10)))
    results = [run(told.firn, of_random_table, seed) for seed in seeds]
    results += [run(told.firn, of_pyiceberg_table, seed) for seed in seeds[::2]]
    print(f"{sum(results)} passed, {len(results) - sum(results)} failed, 0 skipped")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
