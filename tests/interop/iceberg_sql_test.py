#!/usr/bin/env python3
"""iceberg_sql_test.py BUILD [--full] [--seed N] [--rest] [--without-spark] - Iceberg tables that firn writes from SQL.

Tables of every type, nesting and NULL pattern, of every partition transform, sorted, evolved, changed:
firn, PyIceberg, Spark and DuckDB must read the same rows; then PyIceberg and Spark write on top, and
firn reads on. The catalog is a SQLite file that firn makes and all of them open, or a REST server.
"""
import argparse
import contextlib
import datetime
import decimal
import pathlib
import random
import sys
import tempfile
import uuid

import pyarrow
import pyarrow.parquet

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import iceberg_peers  # noqa: E402
from rest_sql_test import Session  # noqa: E402

peer_lines = iceberg_peers.peer_lines
EPOCH = datetime.datetime(1970, 1, 1)
UTC = datetime.timezone.utc

# ---- Data ----------------------------------------------------------------------------------------


def text(chance):
    letters = "abcäß日本🧊z \"'\\/%="
    return "".join(chance.choice(letters) for _ in range(chance.choice((0, 1, 3, 15, 17, 40))))


def number(bits):
    def make(chance):
        return chance.choice((0, 1, -1, 2 ** (bits - 1) - 1, -2 ** (bits - 1),
                              chance.randrange(-1000, 1000)))
    return make


def real(chance):
    return chance.choice((0.0, -0.0, 1.5, -2.25, float("nan"), float("inf"), float("-inf"), 1e30))


def exact(precision, scale):
    def make(chance):
        most = 10 ** precision - 1
        digits = chance.choice((0, 1, -1, most, -most, chance.randrange(-most, most)))
        return decimal.Decimal(digits).scaleb(-scale, decimal.Context(prec=60))
    return make


def day(chance):
    return datetime.date(1970, 1, 1) + datetime.timedelta(days=chance.randrange(-40000, 40000))


def moment(chance):
    return EPOCH + datetime.timedelta(microseconds=chance.choice(
        (0, -1, 1, chance.randrange(-10 ** 15, 10 ** 15), chance.randrange(-10 ** 15, 10 ** 15))))


def instant(chance):
    return moment(chance).replace(tzinfo=UTC)


def identifier(chance):
    """Of few, the least and the greatest among them."""
    return uuid.UUID(int=chance.choice((0, 1, 2 ** 127, 2 ** 128 - 1, *range(10 ** 37, 9 * 10 ** 37, 10 ** 37)))).bytes


def clock(chance):
    return (EPOCH + datetime.timedelta(microseconds=chance.randrange(86400 * 10 ** 6))).time()


# Column, its type, how a value is made.
FLAT = (
    ("b", pyarrow.bool_(), lambda chance: chance.random() < 0.5),
    ("i", pyarrow.int32(), number(32)),
    ("l", pyarrow.int64(), number(64)),
    ("f", pyarrow.float32(), real),
    ("d", pyarrow.float64(), real),
    ("d9", pyarrow.decimal128(9, 2), exact(9, 2)),
    ("d18", pyarrow.decimal128(18, 4), exact(18, 4)),
    ("d38", pyarrow.decimal128(38, 10), exact(38, 10)),
    ("day", pyarrow.date32(), day),
    ("ts", pyarrow.timestamp("us"), moment),
    ("tz", pyarrow.timestamp("us", "UTC"), instant),
    ("s", pyarrow.string(), text),
    ("y", pyarrow.binary(), lambda chance: chance.randbytes(chance.choice((0, 1, 16, 20)))),
    ("u", pyarrow.uuid(), identifier),
)
NESTED = (
    ("st", pyarrow.struct([("x", pyarrow.int32()), ("y", pyarrow.string()),
                           ("z", pyarrow.struct([("w", pyarrow.float64())]))]),
     lambda chance: {"x": maybe(chance, number(32)), "y": maybe(chance, text),
                     "z": maybe(chance, lambda c: {"w": maybe(c, lambda c: c.random())})}),
    ("li", pyarrow.list_(pyarrow.int64()),
     lambda chance: [maybe(chance, number(64)) for _ in range(chance.randrange(4))]),
    ("ls", pyarrow.list_(pyarrow.struct([("k", pyarrow.string())])),
     lambda chance: [maybe(chance, lambda c: {"k": maybe(c, text)})
                     for _ in range(chance.randrange(3))]),
    ("ma", pyarrow.map_(pyarrow.string(), pyarrow.int32()),
     lambda chance: [(f"k{i}", maybe(chance, number(32))) for i in range(chance.randrange(3))]),
)
# Spark has no type of time; PyIceberg writes none of fixed.
TIMES = (("ti", pyarrow.time64("us"), clock),
         ("fx", pyarrow.binary(5), lambda chance: chance.randbytes(5)))


def maybe(chance, make):
    return None if chance.random() < 0.2 else make(chance)


def make_column(chance, kind, make, count):
    pattern = chance.choice(("none", "some", "all", "first", "last"))
    values = []
    for i in range(count):
        is_null = {"none": False, "some": chance.random() < 0.3, "all": True,
                   "first": i < count // 2, "last": i >= count // 2}[pattern]
        values.append(None if is_null else make(chance))
    return pyarrow.array(values, kind)


def make_table(chance, columns, count):
    made = {"id": pyarrow.array(range(count), pyarrow.int64())}
    made |= {name: make_column(chance, kind, make, count) for name, kind, make in columns}
    return pyarrow.table(made)


def put(peers, name, table):
    path = peers.folder / f"{name}.parquet"
    pyarrow.parquet.write_table(table, path)
    return f"read_parquet('{path}')"


# ---- Scenarios -----------------------------------------------------------------------------------

def check_types(peers, chance, full):
    """Every type, by CREATE TABLE AS and INSERT, in both versions of the format."""
    for version in (1, 2):
        for kind, columns in (("flat", FLAT), ("nested", NESTED), ("times", TIMES)):
            without = ("spark",) if kind == "times" else ()
            name = f"db.types_{kind}_{version}"
            first = make_table(chance, columns, 300 if full else 100)
            second = make_table(chance, columns, 40)
            source, more = put(peers, "first", first), put(peers, "second", second)
            peers.firn(f"CREATE TABLE ice.{name} WITH ('format-version' = '{version}') AS "
                       f"SELECT * FROM {source}",
                       f"INSERT INTO ice.{name} SELECT * FROM {more}")
            rows = peer_lines.arrow_rows(first) + peer_lines.arrow_rows(second)
            if kind == "nested":
                # PyIceberg makes lists of structs that are NULL empty ones (0.12): of it the other columns
                # are checked.
                without = ("pyiceberg",)
                peers.check_columns(f"types, version {version}", name, rows, [0, 1, 2, 4])
            peers.check(f"types, version {version}", name, rows, without)


TRANSFORMS = (
    ("i", ("i", "bucket(7, i)", "truncate(100, i)")),
    ("l", ("l", "bucket(3, l)", "truncate(1000, l)")),
    ("d18", ("d18", "bucket(5, d18)", "truncate(50, d18)")),
    ("day", ("day", "bucket(4, day)", "year(day)", "month(day)", "day(day)")),
    ("ts", ("ts", "bucket(4, ts)", "year(ts)", "month(ts)", "day(ts)", "hour(ts)")),
    ("tz", ("bucket(4, tz)", "year(tz)", "month(tz)", "day(tz)", "hour(tz)")),
    ("s", ("s", "bucket(6, s)", "truncate(2, s)")),
    ("y", ("bucket(6, y)", "truncate(2, y)")),
    ("b", ("b",)),
    ("u", ("u", "bucket(6, u)")),
)


def check_partitions(peers, chance, full):
    """Every transform; a filter on the column finds its rows, and leaves files out."""
    number_of = 0
    for column, transforms in TRANSFORMS:
        for transform in transforms:
            columns = [each for each in FLAT if each[0] in (column, "d")]
            if transform.startswith("truncate") and column in "il":
                # Below the least value there is no partition: Java wraps around to the greatest one, and
                # then does not find the row with a filter; firn refuses it (check_no_partition).
                columns = [(name, kind, number(30) if name == column else make)
                           for name, kind, make in columns]
            elif transform.startswith("truncate") and column == "d18":
                columns = [(name, kind, exact(17, 4) if name == column else make)
                           for name, kind, make in columns]
            table = make_table(chance, columns, 60 if full else 30)
            number_of += 1
            name = f"db.part_{number_of}"
            rows = peer_lines.arrow_rows(table)
            peers.firn(f"CREATE TABLE ice.{name} PARTITIONED BY ({transform}) AS "
                       f"SELECT * FROM {put(peers, 'part', table)}")
            peers.check(f"partitions by {transform}", name, rows,
                        () if full or number_of % 5 == 0 else ("spark",))
            for row in chance.sample(range(table.num_rows), 3):
                value = table.column(column)[row].as_py()
                if value is None or value != value or isinstance(value, bytes):
                    continue
                wanted = sum(each == value for each in table.column(column).to_pylist())
                typed = f"CAST('{str(value).replace(chr(39), chr(39) * 2)}' AS {sql_type(table, column)})"
                found = peers.firn_table(f"SELECT count(*) FROM ice.{name} WHERE {column} = {typed}")
                peers.expect(f"a filter on {transform}", found.column(0)[0].as_py() == wanted,
                             f"{typed}: {found.column(0)[0]}, wanted {wanted}")


def check_no_partition(peers):
    """A value whose partition would be below the least of its type is refused, and nothing is written."""
    peers.firn("CREATE TABLE low (i INTEGER) PARTITIONED BY (truncate(100, i))", "INSERT INTO low VALUES (-2147483600)")
    peers.refused("no partition", "beyond the range", "INSERT INTO low VALUES (1), (-2147483648)")
    peers.check("no partition", "db.low", [[-2147483600]])


def sql_type(table, column):
    kind = table.schema.field(column).type
    words = {"timestamp[us, tz=UTC]": "TIMESTAMPTZ", "timestamp[us]": "TIMESTAMP", "int32": "INT",
             "int64": "BIGINT", "date32[day]": "DATE", "string": "VARCHAR", "bool": "BOOLEAN",
             "extension<arrow.uuid>": "UUID"}
    return words.get(str(kind)) or f"DECIMAL({kind.precision}, {kind.scale})"


def check_definition(peers):
    """Clauses of CREATE TABLE as PyIceberg sees them."""
    peers.firn("CREATE TABLE ice.db.defined (id BIGINT NOT NULL COMMENT 'the key', "
               "s STRUCT(a INTEGER, b VARCHAR[]), ts TIMESTAMP) USING iceberg "
               "PARTITIONED BY (day(ts), bucket(16, id)) COMMENT 'a table' "
               "WITH ('write.parquet.compression-codec' = 'gzip', 'owner' = 'somebody')")
    table = peers.pyiceberg().load_table("db.defined")
    columns = table.schema()
    peers.expect("definition: ids", [each.field_id for each in columns.fields] == [1, 2, 3], columns)
    peers.expect("definition: NOT NULL", columns.find_field("id").required
                 and not columns.find_field("ts").required, columns)
    peers.expect("definition: comment", columns.find_field("id").doc == "the key", columns)
    names = [(each.name, str(each.transform)) for each in table.spec().fields]
    peers.expect("definition: partitions", names == [("ts_day", "day"), ("id_bucket", "bucket[16]")],
                 names)
    peers.expect("definition: properties", table.properties.get("owner") == "somebody"
                 and table.properties.get("comment") == "a table", table.properties)
    peers.refused("definition: NOT NULL is kept", "id",
                  "INSERT INTO defined VALUES (NULL, NULL, NULL)")
    peers.refused("definition: no such type", "INTERVAL", "CREATE TABLE bad (a INTERVAL)")
    peers.expect("definition: nothing was written", peers.rows("firn", "db.defined") == [])
    peers.firn("INSERT INTO defined VALUES (1, {'a': 1, 'b': ['x', NULL]}, TIMESTAMP '2024-01-01 10:00:00')")
    peers.check("definition", "db.defined")


def check_evolution(peers):
    """ALTER TABLE, with rows written between its steps."""
    steps = (
        "CREATE TABLE evolved (id INTEGER, a VARCHAR, st STRUCT(x INTEGER, y VARCHAR), "
        "li INTEGER[], f REAL, d DECIMAL(9, 2))",
        "INSERT INTO evolved VALUES (1, 'one', {'x': 1, 'y': 'p'}, [1, NULL], 1.5, 1.25)",
        "ALTER TABLE evolved ADD COLUMN n BIGINT",
        "INSERT INTO evolved VALUES (2, 'two', {'x': 2, 'y': 'q'}, [], 2.5, 2.25, 20)",
        "ALTER TABLE evolved ADD COLUMN st.z DOUBLE",
        "ALTER TABLE evolved RENAME COLUMN a TO b",
        "ALTER TABLE evolved ALTER COLUMN id TYPE BIGINT",
        "ALTER TABLE evolved ALTER COLUMN f TYPE DOUBLE",
        "ALTER TABLE evolved ALTER COLUMN d TYPE DECIMAL(18, 2)",
        "INSERT INTO evolved VALUES (3000000000, 'three', {'x': 3, 'y': 'r', 'z': 0.5}, NULL, 1e300, "
        "12345678901.25, 30)",
        "ALTER TABLE evolved DROP COLUMN n",
        "ALTER TABLE evolved ADD COLUMN n VARCHAR",
        "ALTER TABLE evolved ADD PARTITION FIELD bucket(4, id)",
        "INSERT INTO evolved VALUES (4, 'four', NULL, [4], NULL, NULL, 'again')",
        "ALTER TABLE evolved DROP PARTITION FIELD bucket(4, id)",
        "ALTER TABLE evolved ADD PARTITION FIELD truncate(1, b)",
        "INSERT INTO evolved VALUES (5, 'five', NULL, [5], NULL, NULL, 'more')",
        # Back to a schema, a spec and an order that were there before.
        "ALTER TABLE evolved ADD COLUMN gone INTEGER",
        "ALTER TABLE evolved DROP COLUMN gone",
        "ALTER TABLE evolved WRITE ORDERED BY id",
        "ALTER TABLE evolved WRITE ORDERED BY b DESC",
        "ALTER TABLE evolved WRITE ORDERED BY id",
        "ALTER TABLE evolved DROP PARTITION FIELD truncate(1, b)",
        "ALTER TABLE evolved ADD PARTITION FIELD bucket(4, id)",
        "INSERT INTO evolved VALUES (6, 'six', NULL, [6], NULL, NULL, 'back')",
        # Of files that may hold NULLs by their own schemas, and do not.
        "ALTER TABLE evolved ALTER COLUMN id SET NOT NULL, ALTER COLUMN b SET NOT NULL",
        "INSERT INTO evolved VALUES (7, 'seven', NULL, [7], NULL, NULL, NULL)",
        "ALTER TABLE evolved ALTER COLUMN f AFTER id, ALTER COLUMN li AFTER n, ALTER COLUMN st.z FIRST",
        "INSERT INTO evolved VALUES (8, 8.5, 'eight', {'z': 0.25, 'x': 8, 'y': 's'}, 8.25, 'moved', [8])",
        "ALTER TABLE evolved ALTER COLUMN n FIRST, ALTER COLUMN id FIRST, ALTER COLUMN st.x AFTER y",
        "INSERT INTO evolved VALUES (9, 'again', 9.5, 'nine', {'z': 0.75, 'y': 't', 'x': 9}, 9.25, [9])",
    )
    for i, step in enumerate(steps):
        peers.firn(step)
        if step.startswith("INSERT"):
            peers.check(f"evolution, step {i}", "db.evolved")
    rows = peers.rows("firn", "db.evolved")
    by_id = {row[0]: row for row in rows}
    peers.expect("evolution: nine rows", len(rows) == 9, rows)
    peers.expect("evolution: a dropped column stays away", by_id[2][1] is None, by_id)
    peers.expect("evolution: moved columns", by_id[3000000000][1:] == [
        None, 1e300, "three", {"z": 0.5, "y": "r", "x": 3}, "12345678901.25", None], by_id)
    schema = peers.pyiceberg().load_table("db.evolved").schema()
    peers.expect("evolution: NOT NULL", schema.find_field("id").required and schema.find_field("b").required, schema)
    peers.expect("evolution: the order of columns", [each.name for each in schema.fields]
                 == ["id", "n", "f", "b", "st", "d", "li"]
                 and [each.name for each in schema.find_field("st").field_type.fields] == ["z", "y", "x"], schema)
    peers.refused("evolution: NULLs stay", "contains NULLs", "ALTER TABLE evolved ALTER COLUMN d SET NOT NULL")
    peers.refused("evolution: no narrowing", "", "ALTER TABLE evolved ALTER COLUMN id TYPE INTEGER")


DAY_MS = 86400000


def check_refs(peers):
    """Branches and tags, what they keep, cherry-picking and going back, as others see them."""
    peers.firn("CREATE TABLE named (id INTEGER, s VARCHAR)", "INSERT INTO named VALUES (1, 'one')",
               "ALTER TABLE named CREATE TAG first RETAIN 10 DAYS",
               "ALTER TABLE named CREATE BRANCH side RETAIN 7 DAYS WITH SNAPSHOT RETENTION 5 SNAPSHOTS 2 DAYS",
               "INSERT INTO named.branch_side VALUES (2, 'side')", "INSERT INTO named VALUES (3, 'main')")
    refs = peers.pyiceberg().load_table("db.named").metadata.refs
    first, side = refs["first"], refs["side"]
    peers.expect("refs: a tag", (first.snapshot_ref_type, first.max_ref_age_ms) == ("tag", 10 * DAY_MS), first)
    peers.expect("refs: a branch", (side.snapshot_ref_type, side.max_ref_age_ms, side.max_snapshot_age_ms,
                                    side.min_snapshots_to_keep) == ("branch", 7 * DAY_MS, 2 * DAY_MS, 5), side)
    peers.check("refs: main", "db.named", [[1, "one"], [3, "main"]])
    peers.check("refs: the branch", "db.named", [[1, "one"], [2, "side"]], snapshot=side.snapshot_id)
    peers.firn(f"CALL ice.system.cherrypick_snapshot('db.named', {side.snapshot_id})")
    peers.check("refs: cherry-picked", "db.named", [[1, "one"], [2, "side"], [3, "main"]])
    peers.firn(f"CALL ice.system.rollback_to_snapshot('db.named', {first.snapshot_id})")
    peers.check("refs: rolled back", "db.named", [[1, "one"]])
    peers.firn("CALL ice.system.fast_forward('db.named', 'main', 'side')")
    peers.check("refs: fast-forwarded", "db.named", [[1, "one"], [2, "side"]])
    peers.firn("ALTER TABLE named REPLACE TAG first RETAIN 3 DAYS")
    refs = peers.pyiceberg().load_table("db.named").metadata.refs
    peers.expect("refs: a tag is replaced", (refs["first"].snapshot_id, refs["first"].max_ref_age_ms) == (
        side.snapshot_id, 3 * DAY_MS), refs)
    peers.firn("ALTER TABLE named DROP TAG first, DROP BRANCH side")
    refs = peers.pyiceberg().load_table("db.named").metadata.refs
    peers.expect("refs: none is left", list(refs) == ["main"], refs)


def check_alterations(peers):
    """What changes a table that is there and none of its rows."""
    def loaded():
        return peers.pyiceberg().load_table("db.altered")

    peers.firn("CREATE TABLE altered (id INTEGER, s VARCHAR) WITH ('format-version' = '1', 'owner' = 'me', 'kept' = 'yes')",
               "INSERT INTO altered VALUES (1, 'one')", "ALTER TABLE altered UNSET TBLPROPERTIES ('owner')")
    table = loaded()
    peers.expect("alterations: a property goes", "owner" not in table.properties
                 and table.properties["kept"] == "yes" and table.format_version == 1, table.properties)
    peers.firn("ALTER TABLE altered SET TBLPROPERTIES ('format-version' = '2')", "INSERT INTO altered VALUES (2, 'two')")
    peers.expect("alterations: version 2", loaded().format_version == 2, loaded().format_version)
    place = loaded().location() + "_moved"
    peers.firn(f"ALTER TABLE altered SET LOCATION '{place}'", "INSERT INTO altered VALUES (3, 'three')")
    table = loaded()
    newest = [task.file.file_path for task in table.scan(row_filter="id = 3").plan_files()]
    peers.expect("alterations: a place", table.location() == place and newest
                 and newest[0].removeprefix("file://").startswith(place.removeprefix("file://") + "/data/"), newest)
    peers.firn("ALTER TABLE altered ALTER COLUMN s FIRST, ADD COLUMN n INTEGER AFTER s")
    peers.check("alterations: columns move", "db.altered", [["one", None, 1], ["two", None, 2], ["three", None, 3]])
    before = loaded()
    peers.firn("CREATE OR REPLACE TABLE altered PARTITIONED BY (bucket(2, k)) AS SELECT 7 AS k, 'new' AS s")
    peers.check("alterations: replaced", "db.altered", [[7, "new"]])
    table = loaded()
    peers.expect("alterations: it is the same table", table.metadata.table_uuid == before.metadata.table_uuid
                 and str(table.spec().fields[0].transform) == "bucket[2]", table.metadata)
    peers.check("alterations: what was replaced", "db.altered", [[1, "one"], [2, "two"], [3, "three"]],
                ("spark", "duckdb"), snapshot=before.current_snapshot().snapshot_id)


REPLACEMENTS = (
    ("{table} (id INT, region STRING, n STRUCT<x: INT, y: STRING>, gone INT) USING iceberg "
     "PARTITIONED BY (region, truncate(2, gone)) TBLPROPERTIES ('format-version' = '{version}')"),
    ("{table} (region STRING, more INT, n STRUCT<y: STRING, z: INT>, id BIGINT) USING iceberg "
     "PARTITIONED BY (bucket(4, id), region)"),
    "{table} (region STRING, gone STRING, id BIGINT) USING iceberg PARTITIONED BY (truncate(2, gone), bucket(4, id))",
)


def ids_of(table):
    """What a table's columns and partition fields are numbered by."""
    columns = table.schema()
    return ([(path, columns.find_field(path).field_id) for path in sorted(columns.column_names)],
            [(each.name, each.field_id, each.source_id, str(each.transform)) for each in table.spec().fields],
            (table.metadata.last_column_id, table.metadata.last_partition_id))


def check_replaced(peers, version):
    """Columns and partition fields of replaced tables are numbered as Spark numbers them; branches keep their rows."""
    for number, definition in enumerate(REPLACEMENTS):
        verb = "CREATE OR REPLACE TABLE ice.db." if number else "CREATE TABLE ice.db."
        name = f"replaced_{version}"
        sql = definition.format(table=verb + name, version=version)
        peers.firn(sql, f"INSERT INTO ice.db.{name} (id, region) VALUES ({number}, 'r{number}')")
        if number == 0:
            peers.firn(f"ALTER TABLE ice.db.{name} CREATE BRANCH old")
        peers.check(f"replaced: rows, version {version}, {number}", f"db.{name}",
                    [[None if each not in ("id", "region") else number if each == "id" else f"r{number}"
                      for each in peers.pyiceberg().load_table(f"db.{name}").schema().as_arrow().names]])
        if number > 0:
            kept = peers.pyiceberg().load_table(f"db.{name}").schema().as_arrow().names
            found = peers.firn_table(f"SELECT id, region FROM ice.db.{name} FOR VERSION AS OF 'old'")
            peers.expect(f"replaced: the branch, {kept}", peer_lines.arrow_rows(found) == [[0, "r0"]], found)
        if peers.with_spark:
            peers.spark(definition.format(table=verb + f"by_spark_{version}", version=version))
            ours, theirs = (ids_of(peers.pyiceberg().load_table(f"db.{each}_{version}"))
                            for each in ("replaced", "by_spark"))
            peers.expect(f"replaced: ids as Spark's, version {version}, {number}", ours == theirs,
                         f"{ours}, Spark's {theirs}")
    if peers.with_spark:
        found = peers.spark(f"SELECT id, region FROM ice.db.replaced_{version} VERSION AS OF 'old'")
        peers.expect("replaced: Spark reads the branch", found == [[0, "r0"]], found)


MERGE_ON_READ = ", ".join(f"'write.{each}.mode' = 'merge-on-read'" for each in ("delete", "update", "merge"))


def check_on_top(peers):
    """Others write on top of firn's table, and firn on top of theirs."""
    peers.firn("CREATE TABLE shared (id BIGINT, s VARCHAR) PARTITIONED BY (truncate(1, s))",
               "INSERT INTO shared VALUES (1, 'firn'), (2, NULL)")
    table = peers.pyiceberg().load_table("db.shared")
    table.append(pyarrow.table({"id": pyarrow.array([3, 4], pyarrow.int64()), "s": ["py", "fi"]}))
    peers.check("PyIceberg on top", "db.shared", [[1, "firn"], [2, None], [3, "py"], [4, "fi"]])
    peers.firn("INSERT INTO shared VALUES (5, 'firn again')")
    if peers.with_spark:
        peers.spark("INSERT INTO ice.db.shared VALUES (6, 'spark')")
        peers.spark("DELETE FROM ice.db.shared WHERE id = 1")
    else:
        peers.pyiceberg().load_table("db.shared").delete("id = 1")
    peers.check("others on top", "db.shared")
    peers.firn("INSERT INTO shared VALUES (7, 'last')")
    peers.check("firn on top of others", "db.shared")
    if peers.rest and peers.with_duckdb:
        check_duckdb_on_top(peers)


def check_duckdb_on_top(peers):
    """DuckDB's extension writes over REST alone; and firn on top of its tables, files and deletes."""
    for name, spec in (("plain", ""), ("parted", "PARTITIONED BY (truncate(1, s))")):
        table = f"db.duck_{name}"
        peers.firn(f"CREATE TABLE ice.{table} (id BIGINT, s VARCHAR, n DECIMAL(9, 2)) {spec} WITH ({MERGE_ON_READ})",
                   f"INSERT INTO ice.{table} VALUES (1, 'firn', 1.5), (2, NULL, NULL), (3, 'fish', 3)")
        rows = [[1, "firn", "1.5"], [2, None, None], [3, "fish", "3"]]

        def check(who, what):
            peers.check(f"{who} on top, {name}: {what}", table, rows)  # pylint: disable=cell-var-from-loop
        peers.duckdb(f"INSERT INTO ice.{table} VALUES (4, 'duck', 4.25), (5, NULL, 5)")
        rows += [[4, "duck", "4.25"], [5, None, "5"]]
        check("DuckDB", "INSERT")
        peers.firn(f"DELETE FROM ice.{table} WHERE id IN (3, 5)", f"UPDATE ice.{table} SET s = 'dog' WHERE id = 4")
        rows = [[1, "firn", "1.5"], [2, None, None], [4, "dog", "4.25"]]
        check("firn", "DELETE and UPDATE")
        peers.duckdb(f"DELETE FROM ice.{table} WHERE id = 1")
        peers.duckdb(f"UPDATE ice.{table} SET s = 'up', n = 2 WHERE id = 2")
        rows = [[2, "up", "2"], [4, "dog", "4.25"]]
        check("DuckDB", "DELETE and UPDATE")
        peers.firn(f"ALTER TABLE ice.{table} ADD COLUMN more INTEGER", f"UPDATE ice.{table} SET more = 7 WHERE id = 2",
                   f"INSERT INTO ice.{table} VALUES (6, 'last', NULL, 6)")
        rows = [[2, "up", "2", 7], [4, "dog", "4.25", None], [6, "last", None, 6]]
        check("firn", "ALTER and UPDATE")
    peers.duckdb("CREATE TABLE ice.db.ducks (id BIGINT, s VARCHAR)")
    peers.duckdb("INSERT INTO ice.db.ducks VALUES (1, 'a'), (2, 'b'), (3, 'c')")
    peers.firn("DELETE FROM ducks WHERE id = 1", "INSERT INTO ducks VALUES (4, 'd')")
    peers.check("a table of DuckDB's", "db.ducks", [[2, "b"], [3, "c"], [4, "d"]])


def check_catalogs_of_others(peers):
    """firn commits to SQLite catalogs that PyIceberg and Java made; and they go on."""
    if peers.rest:
        return
    for maker in ["pyiceberg"] + ["spark"] * peers.with_spark:
        folder = peers.folder / f"of_{maker}"
        folder.mkdir()
        with iceberg_peers.Peers(peers.program.parent, folder, with_spark=peers.with_spark) as of:
            commit_to_catalog_of(of, maker)
            peers.passed += of.passed
            peers.failed += of.failed


def commit_to_catalog_of(peers, maker):
    rows = [[1, "a"], [2, "b"], [3, None]]
    if maker == "spark":
        for each in ("CREATE NAMESPACE ice.db", "CREATE TABLE ice.db.theirs (id BIGINT, s STRING) USING iceberg",
                     "INSERT INTO ice.db.theirs VALUES (1, 'a'), (2, 'b'), (3, NULL)",
                     "CREATE TABLE ice.db.gone (id BIGINT) USING iceberg"):
            peers.spark(each)
    else:
        catalog = peers.pyiceberg()
        catalog.create_namespace("db")
        table = pyarrow.table({"id": pyarrow.array([1, 2, 3], pyarrow.int64()), "s": ["a", "b", None]})
        catalog.create_table("db.theirs", table.schema).append(table)
        catalog.create_table("db.gone", table.schema)
    what = f"a catalog of {maker}"
    peers.check(f"{what}: as it was", "db.theirs", rows)
    peers.firn("INSERT INTO theirs VALUES (4, 'd')", "DELETE FROM theirs WHERE id = 1",
               "ALTER TABLE theirs ADD COLUMN n INTEGER", "ALTER TABLE theirs RENAME COLUMN s TO t",
               "UPDATE theirs SET n = 5 WHERE id = 2",
               "CREATE TABLE ours (id BIGINT, s VARCHAR) PARTITIONED BY (bucket(2, id))",
               "INSERT INTO ours VALUES (1, 'x'), (2, 'y')", "CREATE TABLE ice.db.passing AS SELECT 1 AS x",
               "ALTER TABLE passing RENAME TO passed", "DROP TABLE passed", "DROP TABLE gone",
               "CREATE SCHEMA ice.more", "CREATE TABLE ice.more.third (id INTEGER)", "INSERT INTO ice.more.third VALUES (3)",
               "CREATE SCHEMA ice.short", "DROP SCHEMA ice.short")
    peers.check(f"{what}: rows that firn changed", "db.theirs", [[2, "b", 5], [3, None, None], [4, "d", None]])
    peers.check(f"{what}: a table of firn's", "db.ours", [[1, "x"], [2, "y"]])
    peers.check(f"{what}: a schema of firn's", "more.third", [[3]])
    # They write to both, and so does firn again.
    if maker == "spark":
        for each in ("INSERT INTO ice.db.ours VALUES (3, 'z')", "DELETE FROM ice.db.ours WHERE id = 1",
                     "ALTER TABLE ice.db.theirs ADD COLUMN m STRING", "INSERT INTO ice.db.theirs VALUES (6, 'f', 6, 'm')",
                     "CREATE TABLE ice.more.fourth AS SELECT 4 AS x"):
            peers.spark(each)
        spaces = {row[0] for row in peers.spark("SHOW NAMESPACES IN ice")}
        tables = {row[1] for row in peers.spark("SHOW TABLES IN ice.db")}
    else:
        catalog = peers.pyiceberg()
        catalog.load_table("db.ours").append(pyarrow.table({"id": pyarrow.array([3], pyarrow.int64()), "s": ["z"]}))
        catalog.load_table("db.ours").delete("id = 1")
        theirs = catalog.load_table("db.theirs")
        with theirs.update_schema() as update:
            update.add_column("m", pyiceberg_string())
        theirs.append(pyarrow.table({"id": pyarrow.array([6], pyarrow.int64()), "t": ["f"],
                                     "n": pyarrow.array([6], pyarrow.int32()), "m": ["m"]}))
        made = pyarrow.table({"x": pyarrow.array([4], pyarrow.int32())})
        catalog.create_table("more.fourth", made.schema).append(made)
        spaces = {".".join(each) for each in catalog.list_namespaces()}
        tables = {each[1] for each in catalog.list_tables("db")}
    peers.expect(f"{what}: its schemas", spaces == {"db", "more"}, spaces)
    peers.expect(f"{what}: its tables", tables == {"theirs", "ours"}, tables)
    peers.firn("INSERT INTO ours VALUES (9, 'last')", "DELETE FROM theirs WHERE id = 2", "INSERT INTO ice.more.fourth VALUES (5)")
    peers.check(f"{what}: both wrote", "db.ours", [[2, "y"], [3, "z"], [9, "last"]])
    peers.check(f"{what}: both changed", "db.theirs",
                [[3, None, None, None], [4, "d", None, None], [6, "f", 6, "m"]])
    peers.check(f"{what}: a table of theirs", "more.fourth", [[4], [5]])


def pyiceberg_string():
    from pyiceberg.types import StringType  # pylint: disable=import-outside-toplevel
    return StringType()


def check_ref(peers, what, refs):
    """Every engine reads these rows of branches and tags: by the snapshot, and by the name who can."""
    table = peers.pyiceberg().load_table("db.refs")
    found = {name: ref.snapshot_ref_type.value for name, ref in table.refs().items()}
    wanted = {name: kind for name, (kind, _) in refs.items()}
    if not peers.expect(f"{what}: branches and tags", found == wanted, found):
        return
    with_spark = peers.with_spark and what in ("refs", "those of PyIceberg")  # It is slow: at the beginning and the end.
    without = () if with_spark else ("spark",)
    for name, (_, rows) in refs.items():
        peers.check(f"{what}: {name}", "db.refs", rows, without, table.refs()[name].snapshot_id)
        by_name = {"firn": peer_lines.arrow_rows(peers.firn_table(f"SELECT * FROM refs FOR VERSION AS OF '{name}'")),
                   "pyiceberg": peer_lines.arrow_rows(table.scan().use_ref(name).to_arrow())}
        if with_spark:
            by_name["spark"] = peers.spark(f"SELECT * FROM ice.db.refs VERSION AS OF '{name}'")
        for engine, got in by_name.items():
            peers.expect(f"{what}: {engine} reads {name} by its name",
                         peer_lines.in_order(got) == peer_lines.in_order(rows), got)
    peers.check(f"{what}: the table", "db.refs", refs["main"][1], without)


def check_branches(peers):
    """Branches and tags that firn makes, writes to and moves, as others read them; and those of PyIceberg."""
    peers.firn("CREATE TABLE refs (id INTEGER, s VARCHAR)",
               "INSERT INTO refs VALUES (1, 'a'), (2, 'b')",
               "ALTER TABLE refs CREATE TAG first RETAIN 30 DAYS, CREATE TAG again, CREATE BRANCH side RETAIN 20 DAYS "
               "WITH SNAPSHOT RETENTION 3 SNAPSHOTS 5 DAYS",
               "INSERT INTO refs.branch_side VALUES (3, 'c')",
               "DELETE FROM refs.branch_side WHERE id = 1",
               "INSERT INTO refs VALUES (4, 'd')")
    a, b, c, d, e = ([i + 1, letter] for i, letter in enumerate("abcde"))
    refs = {"main": ("branch", [a, b, d]), "side": ("branch", [b, c]), "first": ("tag", [a, b]),
            "again": ("tag", [a, b])}
    check_ref(peers, "refs", refs)
    table = peers.pyiceberg().load_table("db.refs")
    side, first = table.refs()["side"], table.refs()["first"]
    day = 24 * 60 * 60 * 1000
    peers.expect("refs: how long they are kept", (
        side.max_ref_age_ms, side.max_snapshot_age_ms, side.min_snapshots_to_keep, first.max_ref_age_ms)
        == (20 * day, 5 * day, 3, 30 * day), (side, first))

    # Main goes on to a branch; takes what a snapshot of another one appended; goes back.
    peers.firn("ALTER TABLE refs CREATE BRANCH ahead", "INSERT INTO refs.branch_ahead VALUES (5, 'e')",
               "CALL ice.system.fast_forward('db.refs', 'main', 'ahead')")
    refs |= {"main": ("branch", [a, b, d, e]), "ahead": ("branch", [a, b, d, e])}
    check_ref(peers, "fast_forward", refs)
    appended = table.snapshot_by_id(side.snapshot_id).parent_snapshot_id
    peers.firn(f"CALL ice.system.cherrypick_snapshot('db.refs', {appended})")
    refs["main"] = ("branch", [a, b, c, d, e])
    check_ref(peers, "cherrypick_snapshot", refs)
    peers.firn(f"CALL ice.system.rollback_to_snapshot('db.refs', {table.current_snapshot().snapshot_id})")
    refs["main"] = ("branch", [a, b, d])
    check_ref(peers, "rollback_to_snapshot", refs)
    then = datetime.datetime.fromtimestamp(table.history()[0].timestamp_ms / 1000, UTC).isoformat(" ", "milliseconds")
    peers.firn(f"CALL ice.system.rollback_to_timestamp('db.refs', TIMESTAMPTZ '{then}')")
    refs["main"] = ("branch", [a, b])
    check_ref(peers, "rollback_to_timestamp", refs)
    peers.firn("ALTER TABLE refs REPLACE TAG again RETAIN 9 DAYS, DROP TAG first, DROP BRANCH ahead",
               f"CALL ice.system.set_current_snapshot('db.refs', {side.snapshot_id})")
    del refs["first"], refs["ahead"]
    refs["main"] = ("branch", [b, c])
    check_ref(peers, "set_current_snapshot", refs)

    # PyIceberg's, of which firn writes on one.
    table = peers.pyiceberg().load_table("db.refs")
    table.manage_snapshots().create_tag(appended, "theirs").create_branch(appended, "open").commit()
    peers.pyiceberg().load_table("db.refs").append(
        pyarrow.table({"id": pyarrow.array([4], pyarrow.int32()), "s": ["d"]}), branch="open")
    peers.firn("INSERT INTO refs.branch_open VALUES (5, 'e')", "DELETE FROM refs.branch_open WHERE id IN (1, 4)")
    refs |= {"theirs": ("tag", [a, b, c]), "open": ("branch", [b, c, e])}
    check_ref(peers, "those of PyIceberg", refs)


# What is done to a table of (id, s, p) with the ids 0 to 199; {t} is the table.
CHANGES = (
    "DELETE FROM {t} WHERE id % 7 = 3",
    "DELETE FROM {t} WHERE id % 7 = 3",
    "UPDATE {t} SET s = concat(s, '!') WHERE id < 40",
    "UPDATE {t} SET p = 'x', id = id + 1000 WHERE id % 11 = 0",
    "INSERT INTO {t} SELECT i, 'late', 'b' FROM range(300, 330) r(i)",
    "MERGE INTO {t} t USING (SELECT i AS k FROM range(100, 240) r(i)) q ON t.id = q.k "
    "WHEN MATCHED AND q.k < 110 THEN DELETE WHEN MATCHED AND q.k < 150 THEN UPDATE SET s = 'm', p = 'c' "
    "WHEN NOT MATCHED AND q.k > 200 THEN INSERT VALUES (q.k, 'new', NULL) "
    "WHEN NOT MATCHED BY SOURCE AND t.id > 1000 THEN DELETE",
    "DELETE FROM {t} USING (SELECT i AS k FROM range(0, 60, 2) r(i)) q WHERE {t}.id = q.k",
    "DELETE FROM {t} WHERE p = 'b'",
    "DELETE FROM {t} WHERE p IS NULL AND id > 210",
    "UPDATE {t} SET s = NULL",
    "INSERT INTO {t} SELECT i, 'z', 'z' FROM range(20) r(i)",
    "DELETE FROM {t}",
    "INSERT INTO {t} VALUES (1, 'a', 'a'), (2, 'b', 'b')",
    "TRUNCATE TABLE {t}",
    "INSERT INTO {t} VALUES (3, 'c', 'a'), (4, 'd', NULL)",
)
SPECS = ("", "PARTITIONED BY (p)", "PARTITIONED BY (bucket(3, id), truncate(1, s))")


def check_changes(peers, full):
    """Each statement, in every way that files are changed, against a table in memory."""
    number_of = 0
    ways = [(1, "copy-on-write", ""), (2, "copy-on-write", ""), (2, "merge-on-read", "file"),
            (2, "merge-on-read", "partition")]
    for version, mode, granularity in ways:
        for spec in SPECS:
            number_of += 1
            name = f"changed_{number_of}"
            options = [f"'format-version' = '{version}'"]
            options += [f"'write.{each}.mode' = '{mode}'" for each in ("delete", "update", "merge")]
            options += [f"'write.delete.granularity' = '{granularity}'"] * (granularity != "")
            source = "SELECT i AS id, concat('w', i) AS s, substr('abc', 1 + i % 3, 1) AS p FROM range({}) r(i)"
            peers.firn(f"CREATE TABLE {name} (id BIGINT, s VARCHAR, p VARCHAR) {spec} "
                       f"WITH ({', '.join(options)})",
                       f"INSERT INTO {name} {source.format('0, 120')}",
                       f"INSERT INTO {name} {source.format('120, 200')}")
            done = [f"CREATE TABLE memory.main.t AS {source.format('0, 200')}"]
            for i, change in enumerate(CHANGES):
                done.append(change.format(t="memory.main.t").replace("memory.main.t.id", "t.id"))
                peers.firn(change.format(t=name))
                path = peers.folder / "wanted.parquet"
                peers.firn(*done, f"COPY memory.main.t TO '{path}' (FORMAT parquet, OVERWRITE)")
                wanted = peer_lines.arrow_rows(pyarrow.parquet.read_table(path))
                is_last = full or i in (3, 6, 9)
                peers.check(f"version {version} {mode} {granularity} {spec}: {change[:40]}",
                            f"db.{name}", wanted, () if is_last else ("spark", "duckdb"))


def check_changes_of_evolved(peers):
    """Rows of files of older schemas and specs; statements of one transaction; others' deletes."""
    for mode in ("copy-on-write", "merge-on-read"):
        name = f"evolving_{mode[:4]}"
        options = ", ".join(f"'write.{each}.mode' = '{mode}'" for each in ("delete", "update", "merge"))
        peers.firn(
            f"CREATE TABLE {name} (id INTEGER, a VARCHAR, gone INTEGER) PARTITIONED BY (gone) WITH ({options})",
            f"INSERT INTO {name} SELECT i, concat('a', i), i % 2 FROM range(40) r(i)",
            f"ALTER TABLE {name} DROP PARTITION FIELD gone",
            f"ALTER TABLE {name} ADD PARTITION FIELD bucket(2, id)",
            f"ALTER TABLE {name} ADD COLUMN n BIGINT",
            f"ALTER TABLE {name} RENAME COLUMN a TO b",
            f"ALTER TABLE {name} ALTER COLUMN id TYPE BIGINT",
            f"INSERT INTO {name} SELECT i, concat('b', i), 7, i FROM range(40, 60) r(i)",
            f"DELETE FROM {name} WHERE id % 10 = 1")
        expected = [[i, f"a{i}", i % 2, None] for i in range(40) if i % 10 != 1]
        expected += [[i, f"b{i}", 7, i] for i in range(40, 60) if i % 10 != 1]
        peers.check(f"{mode}, evolved: DELETE", f"db.{name}", expected)
        peers.firn(f"UPDATE {name} SET n = 5, b = 'u' WHERE id % 10 = 2")
        expected = [[row[0], "u", row[2], 5] if row[0] % 10 == 2 else row for row in expected]
        peers.check(f"{mode}, evolved: UPDATE", f"db.{name}", expected)
        peers.firn("BEGIN", f"INSERT INTO {name} VALUES (100, 'x', 1, 1), (101, 'y', 1, 1), (102, 'z', 1, 1)",
                   f"DELETE FROM {name} WHERE id = 101", f"UPDATE {name} SET b = 'w' WHERE id >= 102",
                   f"DELETE FROM {name} WHERE id IN (5, 102)", "COMMIT")
        expected = [row for row in expected if row[0] != 5] + [[100, "x", 1, 1]]
        peers.check(f"{mode}, evolved: a transaction", f"db.{name}", expected)
        peers.pyiceberg().load_table(f"db.{name}").delete("id = 6")
        expected = [row for row in expected if row[0] != 6]
        peers.check(f"{mode}, evolved: PyIceberg deletes on top", f"db.{name}", expected)
        if peers.with_spark:
            peers.spark(f"DELETE FROM ice.db.{name} WHERE id = 7")
            expected = [row for row in expected if row[0] != 7]
            peers.check(f"{mode}, evolved: Spark deletes on top", f"db.{name}", expected)
        peers.firn(f"DELETE FROM {name} WHERE id IN (8, 9)")
        expected = [row for row in expected if row[0] not in (8, 9)]
        peers.check(f"{mode}, evolved: and firn again", f"db.{name}", expected)


def check_changes_of_partitions(peers):
    """INSERT OVERWRITE and REPLACE WHERE."""
    peers.firn("CREATE TABLE over (id INTEGER, p VARCHAR) PARTITIONED BY (p)",
               "INSERT INTO over VALUES (1, 'a'), (2, 'a'), (3, 'b'), (4, NULL)",
               "INSERT OVERWRITE over VALUES (5, 'a'), (6, 'c')")
    peers.check("INSERT OVERWRITE of partitions", "db.over", [[3, "b"], [4, None], [5, "a"], [6, "c"]])
    peers.firn("INSERT INTO over REPLACE WHERE p = 'a' OR id = 3 VALUES (7, 'a')")
    peers.check("REPLACE WHERE", "db.over", [[4, None], [6, "c"], [7, "a"]])
    peers.firn("CREATE TABLE over_all (id INTEGER)", "INSERT INTO over_all VALUES (1), (2)",
               "INSERT OVERWRITE over_all VALUES (3)")
    peers.check("INSERT OVERWRITE", "db.over_all", [[3]])
    peers.refused("a row changed twice", "several rows",
                  "UPDATE over_all SET id = k FROM (SELECT 3 AS i, i AS k FROM range(2) r(i)) q WHERE id = q.i")
    peers.check("a row changed twice: nothing was", "db.over_all", [[3]])


# What is done while Spark writes all files anew, and the rows of it; None: a conflict.
WHILE_COMPACTED = (
    ("INSERT INTO compacted VALUES (7, 'g')", [[1, "a"], [2, "b"], [3, "c"], [7, "g"]]),
    ("MERGE INTO compacted t USING (VALUES (8, 'h')) AS q(k, v) ON t.id = q.k "
     "WHEN NOT MATCHED THEN INSERT VALUES (k, v)",
     [[1, "a"], [2, "b"], [3, "c"], [8, "h"]]),
    ("ALTER TABLE compacted ADD COLUMN z INTEGER", [[1, "a", None], [2, "b", None], [3, "c", None]]),
    ("TRUNCATE TABLE compacted; INSERT INTO compacted VALUES (9, 'i')", [[9, "i"]]),
    ("DELETE FROM compacted WHERE id = 2", None),
    ("DELETE FROM compacted WHERE s = 'b' OR id > 2", None),
    ("UPDATE compacted SET s = 'z' WHERE id = 3", None),
    ("MERGE INTO compacted t USING (VALUES (1), (8)) AS q(k) ON t.id = q.k WHEN MATCHED THEN DELETE "
     "WHEN NOT MATCHED THEN INSERT VALUES (k, 'new')", None),
    ("INSERT OVERWRITE compacted VALUES (5, 'e')", [[5, "e"]]),
    ("INSERT INTO compacted REPLACE WHERE id = 2 VALUES (2, 'r')", None),
    ("INSERT INTO compacted REPLACE WHERE id = 6 VALUES (6, 'r')", [[1, "a"], [2, "b"], [3, "c"], [6, "r"]]),
    ("INSERT INTO compacted REPLACE WHERE true VALUES (6, 'r')", None),
)
LEVELS = ("SNAPSHOT", "SERIALIZABLE")


def check_compaction(peers, full):
    """Spark's rewrite_data_files comes between a statement and its commit, which looks for the rows' files; under both
    levels, of which each way to change files has one if not `full`."""
    if not peers.with_spark:
        return
    for mode in ("copy-on-write", "merge-on-read"):
        properties = ", ".join(f"'write.{each}.mode' = '{mode}'" for each in ("delete", "update", "merge"))
        for number_of, (deed, wanted, level) in enumerate((*each, level) for each in WHILE_COMPACTED for level in LEVELS):
            if not full and (number_of + number_of // 2 + (mode == "merge-on-read")) % 2 != 0:
                continue
            what = f"{mode}, {level}, {deed.split(' VALUES')[0][:60]} while Spark compacts"
            rows = ((1, "a"), (2, "b"), (3, "c"), (4, "d"))
            peers.firn("DROP TABLE IF EXISTS compacted",
                       f"CREATE TABLE compacted (id INTEGER, s VARCHAR) WITH ({properties})",
                       *(f"INSERT INTO compacted VALUES ({i}, '{s}')" for i, s in rows),
                       "DELETE FROM compacted WHERE id = 4")
            with Session() as session:
                for each in (peers.attach, "USE ice.db", f"BEGIN ISOLATION LEVEL {level}", deed):
                    session.rows(each)
                peers.spark("CALL ice.system.rewrite_data_files(table => 'db.compacted', "
                            "options => map('rewrite-all', 'true'))")
                answer = session.ask("COMMIT")
                if wanted is None:
                    peers.expect(f"{what}: a conflict", answer.get("code") == "40001", answer)
                    session.ask("ROLLBACK")
                else:
                    peers.expect(f"{what}: done", "error" not in answer, answer)
            peers.check(what, "db.compacted", wanted or [[1, "a"], [2, "b"], [3, "c"]], ("duckdb",))


def check_names(peers):
    """Tables and schemas come, go and change their names, for everybody."""
    peers.firn("CREATE SCHEMA ice.other", "CREATE TABLE ice.other.a (x INTEGER)",
               "INSERT INTO ice.other.a VALUES (1)", "ALTER TABLE ice.other.a RENAME TO other.b")
    peers.check("a table with another name", "other.b", [[1]])
    peers.refused("names: the old one is gone", "other.a", "SELECT * FROM ice.other.a")
    peers.refused("names: a schema that is not empty", "other", "DROP SCHEMA ice.other")
    peers.firn("DROP TABLE ice.other.b", "DROP SCHEMA ice.other")
    spaces = [".".join(each) for each in peers.pyiceberg().list_namespaces()]
    peers.expect("names: the schema is gone", "other" not in spaces, spaces)
    peers.refused("names: there is one", "exists", "CREATE TABLE defined (a INTEGER)")
    peers.firn("CREATE TABLE IF NOT EXISTS defined (a INTEGER)")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rest", action="store_true")
    parser.add_argument("--only", default="")
    parser.add_argument("--without-spark", action="store_true")
    arguments = parser.parse_args()
    chance = random.Random(arguments.seed)
    print(f"seed {arguments.seed}", flush=True)
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="firn-iceberg-"))
        uri = stack.enter_context(iceberg_peers.rest_server(f"{folder}/rest")) if arguments.rest else None
        peers = stack.enter_context(iceberg_peers.Peers(arguments.build, folder, uri,
                                                        with_spark=not arguments.without_spark))
        peers.run_firn(["CREATE SCHEMA IF NOT EXISTS ice.db"])
        done = iceberg_peers.subprocess.run(
            [str(peers.program), "-c", peers.attach, "-c", "CREATE SCHEMA IF NOT EXISTS ice.db"],
            capture_output=True, text=True, check=False)
        peers.expect("a new catalog", done.returncode == 0, done.stderr)
        for scenario, more in ((check_definition, ()), (check_types, (chance, arguments.full)),
                               (check_partitions, (chance, arguments.full)), (check_no_partition, ()),
                               (check_evolution, ()), (check_refs, ()), (check_branches, ()), (check_alterations, ()),
                               (check_replaced, (1,)), (check_replaced, (2,)),
                               (check_on_top, ()), (check_catalogs_of_others, ()),
                               (check_changes, (arguments.full,)), (check_changes_of_evolved, ()),
                               (check_changes_of_partitions, ()), (check_compaction, (arguments.full,)),
                               (check_names, ())):
            if arguments.only not in scenario.__name__:
                continue
            try:
                scenario(peers, *more)
            except iceberg_peers.Refused as error:
                peers.expect(scenario.__name__, False, error)
        print(f"{peers.passed} passed, {peers.failed} failed")
        return peers.failed > 0


if __name__ == "__main__":
    sys.exit(main())
