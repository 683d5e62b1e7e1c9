#!/usr/bin/env python3
"""iceberg_samples.py - writes the Iceberg tables below tests/data/iceberg anew.

They are part of the repository, so that SQL over Iceberg is tested without any other data. Their paths are
relative to the top folder, where tests run. Needs the group pyiceberg of tools/requirements/pins.txt:

    $(bash tools/dev/venv.sh pyiceberg)/bin/python tools/dev/iceberg_samples.py
"""
import datetime
import decimal
import json
import os
import pathlib
import shutil
import sqlite3

import pyarrow as pa
from pyiceberg.avro.file import AvroOutputFile
from pyiceberg.manifest import FileFormat, ManifestEntryStatus
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.transforms import IdentityTransform, MonthTransform
from pyiceberg.typedef import Record
from pyiceberg.types import (DateType, DecimalType, DoubleType, IntegerType, ListType, LongType,
                             MapType, NestedField, StringType, StructType)

from iceberg_writer import EQUALITY_DELETES, POSITION_DELETES, Writer

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
FOLDER = "tests/data/iceberg"
CATALOG_TABLES = """
            CREATE TABLE iceberg_tables (catalog_name VARCHAR(255) NOT NULL,
                table_namespace VARCHAR(255) NOT NULL, table_name VARCHAR(255) NOT NULL,
                metadata_location VARCHAR(1000), previous_metadata_location VARCHAR(1000),
                iceberg_type VARCHAR(5), PRIMARY KEY (catalog_name, table_namespace, table_name));
            CREATE TABLE iceberg_namespace_properties (catalog_name VARCHAR(255) NOT NULL,
                namespace VARCHAR(255) NOT NULL, property_key VARCHAR(255) NOT NULL,
                property_value VARCHAR(1000) NOT NULL,
                PRIMARY KEY (catalog_name, namespace, property_key));
            """


def writer(name, schema, **options):
    return Writer(f"{FOLDER}/{name}", schema, location=f"{FOLDER}/{name}", **options)


def sales():
    """Partitioned by month; three appends, a delete of a month, a rename, a new column, a branch, a tag."""
    first = Schema(
        NestedField(1, "id", LongType(), required=True), NestedField(2, "region", StringType()),
        NestedField(3, "revenue", DecimalType(9, 2)), NestedField(4, "sold", DateType()),
        schema_id=0)
    second = Schema(
        NestedField(1, "id", LongType(), required=True), NestedField(2, "area", StringType()),
        NestedField(3, "revenue", DecimalType(9, 2)), NestedField(4, "sold", DateType()),
        NestedField(5, "qty", IntegerType()), schema_id=1)
    spec = PartitionSpec(PartitionField(4, 1000, MonthTransform(), "sold_month"), spec_id=0)
    table = writer("sales", first, spec=spec)

    def file(number, month, schema):
        days = [datetime.date(2024, month, day) for day in range(1, 29, 3)]
        ids = [month * 100 + i for i in range(len(days))]
        columns = {"id": pa.array(ids, pa.int64()),
                   schema.fields[1].name: [("north", "south", "west")[i % 3] for i in ids],
                   "revenue": pa.array([decimal.Decimal(i * 25) / 4 for i in range(len(ids))],
                                       pa.decimal128(9, 2)),
                   "sold": pa.array(days, pa.date32())}
        if schema is second:
            columns["qty"] = pa.array([None if i % 4 == 0 else i % 7 for i in ids], pa.int32())
        made = table.write_rows(f"{number}-{month}.parquet", pa.table(columns), schema)
        return {**made, "partition": Record((2024 - 1970) * 12 + month - 1)}

    january, february = file(1, 1, first), file(1, 2, first)
    table.commit([table.manifest([january, february], 10)], snapshot_id=10)
    table.commit([table.manifest([file(2, 3, first)], 20)], snapshot_id=20)
    table.refs["before_rename"] = {"snapshot-id": 20, "type": "tag"}
    table.schema = second
    table.commit([table.manifest([file(3, 4, second), file(3, 5, second)], 30)], snapshot_id=30,
                 schema_id=1)
    # A branch with a commit of its own, off the second snapshot.
    kept, log, main = table.manifests, list(table.log), dict(table.refs["main"])
    table.commit([table.manifest([file(4, 6, second)], 40)], snapshot_id=40, schema_id=1,
                 keep=kept[:2], parent=20)
    table.refs["audit"] = {"snapshot-id": 40, "type": "branch"}
    table.refs["main"], table.log = main, log
    # February is deleted from main.
    left = table.manifest([january], 50, status=ManifestEntryStatus.EXISTING, sequence=1)
    gone = table.manifest([february], 50, status=ManifestEntryStatus.DELETED, sequence=1)
    table.commit([left, gone], "delete", snapshot_id=50, schema_id=1, keep=kept[1:], parent=30)
    table.finish([first, second])


def deletes():
    """Position deletes by file and by partition, equality deletes with NULL, in two partitions."""
    schema = Schema(NestedField(1, "id", LongType()), NestedField(2, "part", StringType()),
                    NestedField(3, "name", StringType()), NestedField(4, "x", DoubleType()))
    spec = PartitionSpec(PartitionField(2, 1000, IdentityTransform(), "part"), spec_id=0)
    positions = Schema(NestedField(2147483546, "file_path", StringType(), required=True),
                       NestedField(2147483545, "pos", LongType(), required=True))
    names = Schema(NestedField(3, "name", StringType()))
    numbers = Schema(NestedField(1, "id", LongType()))
    table = writer("deletes", schema, spec=spec)

    def data(number, part, ids):
        rows = pa.table({"id": pa.array(ids, pa.int64()), "part": [part] * len(ids),
                         "name": pa.array([None if i % 5 == 0 else f"n{i % 4}" for i in ids]),
                         "x": pa.array([float("nan") if i % 6 == 0 else i / 2 for i in ids])})
        made = table.write_rows(f"{part}-{number}.parquet", rows, row_group_size=4)
        return {**made, "partition": Record(part)}

    def removed(name, part, rows, of_schema, **more):
        made = table.write_rows(name, pa.table(rows), of_schema)
        return {**made, "partition": Record(part), **more}

    a1, a2, b1 = data(1, "a", range(10)), data(2, "a", range(20, 30)), data(1, "b", range(10))
    table.commit([table.manifest([a1, a2, b1], 1)], snapshot_id=1)
    by_file = removed("pos-file.parquet", "a",
                      {"file_path": [a1["file_path"]] * 3, "pos": [0, 4, 9]}, positions)
    by_partition = removed("pos-part.parquet", "a",
                           {"file_path": [a1["file_path"], a2["file_path"], a2["file_path"]],
                            "pos": [5, 1, 2]}, positions)
    table.commit([table.manifest([by_file, by_partition], 2, POSITION_DELETES)], "delete",
                 snapshot_id=2)
    by_name = removed("eq-name.parquet", "b", {"name": ["n1", None]}, names, equality_ids=[3],
                      content=EQUALITY_DELETES)
    # Of no file: all ids of the partition are below.
    of_nobody = removed("eq-id.parquet", "a", {"id": pa.array([1000, 1001], pa.int64())}, numbers,
                        equality_ids=[1], content=EQUALITY_DELETES)
    table.commit([table.manifest([by_name, of_nobody], 3, EQUALITY_DELETES)], "delete",
                 snapshot_id=3)
    table.commit([table.manifest([data(3, "b", range(40, 46))], 4)], snapshot_id=4)
    table.finish()


def nested():
    """Structs in structs, lists and maps, with NULL at every level; two files that bounds tell apart."""
    schema = Schema(
        NestedField(1, "id", LongType()),
        NestedField(2, "address", StructType(
            NestedField(3, "city", StringType()),
            NestedField(4, "geo", StructType(NestedField(5, "lat", DoubleType()),
                                             NestedField(6, "lon", DoubleType()))))),
        NestedField(7, "tags", ListType(8, StringType(), element_required=False)),
        NestedField(9, "counts", MapType(10, StringType(), 11, IntegerType(), value_required=False)))
    table = writer("nested", schema)
    files = []
    for number, start in enumerate((0, 100)):
        rows, ids = [], range(start, start + 6)
        for i in ids:
            geo = None if i % 3 == 2 else {"lat": i + 0.5, "lon": None if i % 2 else -i * 1.0}
            rows.append({"id": i, "tags": None if i % 4 == 3 else [f"t{i}", None][:i % 3],
                         "address": None if i % 5 == 4 else {"city": f"city {i}", "geo": geo},
                         "counts": None if i % 4 == 2 else [("a", i), ("b", None)]})
        of_rows = pa.Table.from_pylist(rows, schema=pa.schema([
            ("id", pa.int64()),
            ("address", pa.struct([("city", pa.string()), ("geo", pa.struct([
                ("lat", pa.float64()), ("lon", pa.float64())]))])),
            ("tags", pa.list_(pa.string())), ("counts", pa.map_(pa.string(), pa.int32()))]))
        made = table.write_rows(f"{number}.parquet", of_rows)
        cities = [row["address"] and row["address"]["city"] for row in rows]
        lats = [row["address"] and row["address"]["geo"] and row["address"]["geo"]["lat"]
                for row in rows]
        for field, values, encode in ((3, cities, str.encode), (5, lats, pack_double)):
            known = [value for value in values if value is not None]
            made["null_value_counts"][field] = len(values) - len(known)
            made["value_counts"][field] = len(values)
            made["lower_bounds"][field] = encode(min(known))
            made["upper_bounds"][field] = encode(max(known))
        files.append(made)
    table.commit([table.manifest(files, 1)], snapshot_id=1)
    table.finish()


def lines():
    """One file of one row group of many pages, with deleted positions all over it and deleted keys."""
    schema = Schema(NestedField(1, "id", LongType()), NestedField(2, "name", StringType()))
    positions = Schema(NestedField(2147483546, "file_path", StringType(), required=True),
                       NestedField(2147483545, "pos", LongType(), required=True))
    numbers = Schema(NestedField(1, "id", LongType()))
    table = writer("lines", schema)
    ids = range(3000)
    data = table.write_rows("1.parquet", pa.table(
        {"id": pa.array(ids, pa.int64()), "name": [f"n{i % 7}" for i in ids]}),
        data_page_size=400, write_batch_size=100, use_dictionary=False)
    table.commit([table.manifest([data], 1)], snapshot_id=1)
    places = list(range(0, 3000, 10))
    by_position = table.write_rows("pos.parquet", pa.table(
        {"file_path": [data["file_path"]] * len(places), "pos": places}), positions)
    table.commit([table.manifest([by_position], 2, POSITION_DELETES)], "delete", snapshot_id=2)
    by_key = table.write_rows("eq.parquet", pa.table(
        {"id": pa.array([5, 10, 1500, 1505, 2999], pa.int64())}), numbers)
    table.commit([table.manifest([{**by_key, "equality_ids": [1], "content": EQUALITY_DELETES}], 3,
                                 EQUALITY_DELETES)], "delete", snapshot_id=3)
    table.finish()


def large():
    """Two files of three row groups of several morsels each, in every mode that the SQL tests run in; deleted
    positions and keys all over them. Regular values, so that the files are small."""
    schema = Schema(
        NestedField(1, "id", LongType(), required=True), NestedField(2, "k", IntegerType()),
        NestedField(3, "word", StringType()), NestedField(4, "price", DecimalType(9, 2)),
        NestedField(5, "note", StringType()))
    positions = Schema(NestedField(2147483546, "file_path", StringType(), required=True),
                       NestedField(2147483545, "pos", LongType(), required=True))
    keys = Schema(NestedField(2, "k", IntegerType()), NestedField(3, "word", StringType()))
    table = writer("large", schema)
    rows, files = 120_000, []
    for number in range(2):
        ids = range(number * rows, (number + 1) * rows)
        files.append(table.write_rows(f"{number}.parquet", pa.table({
            "id": pa.array(ids, pa.int64()), "k": pa.array([i * 7 % 97 for i in ids], pa.int32()),
            "word": [f"word {i % 1000}" for i in ids],
            "price": pa.array([decimal.Decimal(i % 50 * 13) / 100 for i in ids], pa.decimal128(9, 2)),
            "note": [None if i % 3 == 0 else f"a note that is no short text {i % 50}" for i in ids]}),
            row_group_size=40_000, data_page_size=16_384,
            use_dictionary=["k", "word", "note"],
            column_encoding={"id": "DELTA_BINARY_PACKED", "price": "PLAIN"}))
    table.commit([table.manifest(files, 1)], snapshot_id=1)
    places = [(each["file_path"], place) for each in files for place in range(0, rows, 50)]
    by_position = table.write_rows("pos.parquet", pa.table(
        {"file_path": [path for path, _ in places], "pos": [place for _, place in places]}), positions)
    table.commit([table.manifest([by_position], 2, POSITION_DELETES)], "delete", snapshot_id=2)
    by_key = table.write_rows("eq.parquet", pa.table(
        {"k": pa.array([7, None], pa.int32()), "word": ["word 1", "word 2"]}), keys)
    table.commit([table.manifest([{**by_key, "equality_ids": [2, 3], "content": EQUALITY_DELETES}], 3,
                                 EQUALITY_DELETES)], "delete", snapshot_id=3)
    table.finish()


def damaged():
    """A manifest that is not there, one that is no Avro file, a manifest list that is not there."""
    folder = pathlib.Path(FOLDER) / "damaged"
    folder.mkdir(parents=True)
    snapshots = [{"snapshot-id": 1, "manifests": [f"{folder}/v1.metadata.json"]},
                 {"snapshot-id": 2, "manifests": [f"{folder}/gone.avro"]},
                 {"snapshot-id": 3, "manifest-list": f"{folder}/gone-list.avro"}]
    fields = [{"id": 1, "name": "id", "required": False, "type": "long"}]
    (folder / "v1.metadata.json").write_text(json.dumps({
        "format-version": 1, "location": str(folder), "last-updated-ms": 1_700_000_000_000,
        "last-column-id": 1, "schema": {"type": "struct", "fields": fields}, "partition-spec": [],
        "current-snapshot-id": 2,
        "snapshots": [{**each, "timestamp-ms": 1_700_000_000_000} for each in snapshots]}))


def short():
    """Files with other rows than their manifests say: an Avro file that ends between two blocks (snapshot
    1), a Parquet file (2), a file of position deletes (3)."""
    schema = Schema(NestedField(1, "id", LongType()))
    positions = Schema(NestedField(2147483546, "file_path", StringType(), required=True),
                       NestedField(2147483545, "pos", LongType(), required=True))
    table = writer("short", schema)
    path = f"{FOLDER}/short/data/1.avro"
    with AvroOutputFile(table.io.new_output(os.path.abspath(path)), schema, "row") as file:
        file.write_block([Record(i) for i in range(5)])
        file.output_stream.flush()
        end = file.output_stream.tell()
        file.write_block([Record(i) for i in range(5, 10)])
    os.truncate(path, end)
    avro = {"file_path": path, "file_format": FileFormat.AVRO, "partition": Record(),
            "record_count": 10, "file_size_in_bytes": end, "column_sizes": {}}
    parquet = table.write_rows("2.parquet", pa.table({"id": [1, 2, 3]}))
    good = table.write_rows("3.parquet", pa.table({"id": [1, 2, 3]}))
    deletes = table.write_rows("pos.parquet", pa.table({"file_path": [good["file_path"]], "pos": [1]}),
                               positions)
    table.commit([table.manifest([avro], 1)], snapshot_id=1)
    table.commit([table.manifest([{**parquet, "record_count": 4}], 2)], snapshot_id=2, keep=[])
    table.commit([table.manifest([good], 3),
                  table.manifest([{**deletes, "record_count": 2}], 3, POSITION_DELETES)],
                 snapshot_id=3, keep=[])
    table.finish()


def remote():
    """Files that nobody has, to see how scans of them are cut: the first says where its row groups begin,
    the second nothing, the third what can't be."""
    table = writer("remote", Schema(NestedField(1, "id", LongType())))
    offsets = ([4 + (i * 10 << 20) for i in range(10)], None, [4, 4, 200 << 20])
    table.commit([table.manifest([{
        "file_path": f"http://127.0.0.1:1/{i}.parquet", "file_format": FileFormat.PARQUET,
        "partition": Record(), "record_count": 1_000_000, "file_size_in_bytes": 100 << 20,
        "column_sizes": {}, "split_offsets": offsets[i]} for i in range(3)], 1)], snapshot_id=1)
    table.finish()


def sides():
    """A big and a small table, `a` and `b` of one catalog and `b` and `a` of another; in folders, the same
    said only by what snapshots count: these have no manifests."""
    folder = pathlib.Path(FOLDER) / "sides"
    counts = {"big": 20_000, "small": 20}
    for name, count in counts.items():
        table = writer(f"sides/{name}", Schema(NestedField(1, "k", LongType())))
        rows = table.write_rows("rows.parquet", pa.table({"k": pa.array(range(count), pa.int64())}),
                                use_dictionary=False, column_encoding={"k": "DELTA_BINARY_PACKED"})
        table.commit([table.manifest([rows], 1)], snapshot_id=1)
        table.finish()
    names = {"one": {"a": "big", "b": "small"}, "two": {"a": "small", "b": "big"}}
    with sqlite3.connect(folder / "catalogs.db") as db:
        db.executescript(CATALOG_TABLES)
        for catalog_name, tables in names.items():
            for name, size in tables.items():
                db.execute("INSERT INTO iceberg_tables VALUES (?, 'db', ?, ?, NULL, 'TABLE')",
                           (catalog_name, name, f"{folder}/{size}/metadata/v1.metadata.json"))
                table = folder / catalog_name / "db" / name
                write_counted(table, counts[size])


def write_counted(folder, count):
    """The metadata of a table that has `count` rows, if it is to be believed."""
    snapshot = {"snapshot-id": 1, "timestamp-ms": 1_700_000_000_000, "manifests": [f"{folder}/gone.avro"],
                "summary": {"operation": "append", "total-records": str(count)}}
    (folder / "metadata").mkdir(parents=True)
    (folder / "metadata" / "v1.metadata.json").write_text(json.dumps({
        "format-version": 1, "location": str(folder), "last-updated-ms": 1_700_000_000_000,
        "last-column-id": 1, "partition-spec": [], "current-snapshot-id": 1, "snapshots": [snapshot],
        "schema": {"type": "struct",
                   "fields": [{"id": 1, "name": "k", "required": False, "type": "long"}]}}))
    (folder / "metadata" / "version-hint.text").write_text("1")


def pack_double(value):
    import struct
    return struct.pack("<d", value)


def catalog():
    """A SQLite catalog of the first three, with a namespace of two levels."""
    with sqlite3.connect(f"{FOLDER}/catalog.db") as db:
        db.executescript(CATALOG_TABLES + """
            INSERT INTO iceberg_namespace_properties VALUES
                ('samples', 'db', 'exists', 'true'), ('samples', 'db.inner', 'exists', 'true');
            """)
        for space, name in (("db", "sales"), ("db", "deletes"), ("db.inner", "nested")):
            db.execute("INSERT INTO iceberg_tables VALUES ('samples', ?, ?, ?, NULL, 'TABLE')",
                       (space, name, f"{FOLDER}/{name}/metadata/v1.metadata.json"))


def cases():
    """A SQLite catalog of them with names that differ in case only, and a view of names in another case."""
    folder = pathlib.Path(FOLDER) / "cases"
    folder.mkdir()
    sql = 'SELECT count(*) AS n FROM SALES UNION ALL SELECT count(*) FROM "Twice"'
    view = {"type": "sql", "dialect": "firn", "sql": sql}
    (folder / "view.metadata.json").write_text(json.dumps({
        "view-uuid": "5b5c3c0e-7d4e-4b0f-8a53-0b9d1b1f6f00", "format-version": 1, "location": str(folder),
        "current-version-id": 1, "properties": {}, "version-log": [],
        "schemas": [{"type": "struct", "schema-id": 0,
                     "fields": [{"id": 1, "name": "n", "required": True, "type": "long"}]}],
        "versions": [{"version-id": 1, "schema-id": 0, "timestamp-ms": 1_700_000_000_000, "summary": {},
                      "default-namespace": ["DB"], "representations": [view]}]}))
    names = [("db", "sales", "sales"), ("db", "Twice", "nested"), ("db", "TWICE", "deletes"),
             ("db.Inner", "Nested", "nested"), ("Two", "one", "sales"), ("TWO", "one", "nested"),
             ("TWO", "other", "sales")]
    with sqlite3.connect(folder / "catalog.db") as db:
        db.executescript(CATALOG_TABLES)
        for space, name, table in names:
            db.execute("INSERT INTO iceberg_tables VALUES ('cases', ?, ?, ?, NULL, 'TABLE')",
                       (space, name, f"{FOLDER}/{table}/metadata/v1.metadata.json"))
        db.execute("INSERT INTO iceberg_tables VALUES ('cases', 'db', 'Counts', ?, NULL, 'VIEW')",
                   (f"{folder}/view.metadata.json",))


def main():
    os.chdir(ROOT)
    shutil.rmtree(FOLDER, ignore_errors=True)
    sales()
    deletes()
    nested()
    lines()
    large()
    damaged()
    short()
    remote()
    sides()
    catalog()
    cases()


if __name__ == "__main__":
    main()
