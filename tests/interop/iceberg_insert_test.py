#!/usr/bin/env python3
"""iceberg_insert_test.py BUILD [--full] [--seed N] - tables that firn's INSERT wrote, as PyIceberg reads them.

BUILD/iceberg_insert puts rows of Parquet files into a new table, through the sink and the change of an
INSERT: nested columns, NULLs, NaNs and zeros, specs with every transform, several properties. PyIceberg must
find the same rows; in each file only rows of its partition, whose values its own transforms give, below the
folder that PyIceberg names; and the counts and bounds that PyIceberg makes of the file's footer, within the
modes of metrics. Random rows; the seed is printed. Nobody sorts them before, so that about each of them gets a file
in a table with partitions: without --full there are fewer, and each spec is of one of the two versions. Needs PyIceberg:

    $(bash tools/dev/venv.sh pyiceberg)/bin/python tests/interop/iceberg_insert_test.py build/dev
"""
import argparse
import datetime
import decimal
import math
import pathlib
import random
import subprocess
import tempfile
import uuid

import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.io.pyarrow import (
    compute_statistics_plan, data_file_statistics_from_parquet_metadata, parquet_path_to_id_mapping)
from pyiceberg.table import StaticTable

UTC = datetime.timezone.utc
PAIR = pa.struct([pa.field("x", pa.int64()), pa.field("name", pa.string())])
COLUMNS = pa.schema([
    pa.field("id", pa.int64(), nullable=False), pa.field("a b", pa.int32()), pa.field("f", pa.float32()),
    pa.field("d", pa.float64()), pa.field("ok", pa.bool_()), pa.field("day", pa.date32()),
    pa.field("ts", pa.timestamp("us")), pa.field("tz", pa.timestamp("us", "UTC")), pa.field("s", pa.string()),
    pa.field("bin", pa.binary()), pa.field("d9", pa.decimal128(9, 2)), pa.field("d18", pa.decimal128(18, 4)),
    pa.field("d38", pa.decimal128(38, 10)), pa.field("t", pa.time64("us")), pa.field("st", PAIR),
    pa.field("l", pa.list_(pa.int32())), pa.field("m", pa.map_(pa.string(), pa.float64())),
    pa.field("ls", pa.list_(PAIR)), pa.field("u", pa.uuid())])
SPECS = [
    [], ["ok=identity", "a b=bucket[3]"], ["s=truncate[1]"], ["s=identity", "ok=identity"],
    ["d9=truncate[100]", "d38=identity"], ["bin=truncate[1]"], ["day=year", "ok=identity"], ["ts=month"], ["tz=day"],
    ["ts=hour"], ["tz=identity"], ["t=identity"], ["st.x=bucket[4]"], ["st.name=truncate[2]", "day=month"],
    ["day=identity"], ["s=bucket[5]", "tz=year"], ["a b=truncate[3]"], ["bin=identity"], ["d18=bucket[7]"],
    ["u=identity"], ["u=bucket[4]", "ok=identity"]]
PROPERTIES = [
    [], ["write.metadata.metrics.default=full"], ["write.metadata.metrics.default=counts", "write.metadata.metrics.column.s=truncate(3)"],
    ["write.target-file-size-bytes=3000", "write.parquet.row-group-limit=20", "write.parquet.compression-codec=snappy"],
    ["write.parquet.bloom-filter-enabled.column.s=true", "write.parquet.page-row-limit=7", "write.parquet.compression-codec=gzip",
     "write.metadata.metrics.max-inferred-column-defaults=4"]]
WORDS = ["", "a", "iceberg ä", "a much longer text than sixteen", "\U0001f9ca" * 20, "a/b=c%d e+f", "z" * 300, "日付は長い" * 9]


def rows_of(chance, count, first):
    def few(kind):
        return {"a b": lambda: chance.randint(-9, 9), "f": lambda: chance.choice([0.0, -0.0, math.nan, 1.5, -2.25, math.inf]),
                "d": lambda: chance.choice([0.0, -0.0, math.nan, 1e300, -1e-300]), "ok": lambda: chance.random() < 0.5,
                "day": lambda: datetime.date(1970, 1, 1) + datetime.timedelta(chance.randint(-800, 800)),
                "ts": lambda: datetime.datetime(1969, 12, 31) + datetime.timedelta(hours=chance.randint(0, 40), microseconds=chance.choice([0, 5, 500000])),
                "tz": lambda: datetime.datetime(2024, 2, 29, tzinfo=UTC) + datetime.timedelta(days=chance.randint(-3, 3), seconds=chance.choice([0, 1])),
                "s": lambda: chance.choice(WORDS), "bin": lambda: chance.choice([b"", b"\xff" * 40, b"\x00\x01", b"abc\xff" * 9]),
                "d9": lambda: decimal.Decimal(chance.randint(-300, 300)) / 100, "d18": lambda: decimal.Decimal(chance.randint(-10**9, 10**9)) / 10000,
                "d38": lambda: decimal.Decimal(chance.choice([-10**27, 0, 7, 10**20])) / 10**10,
                "t": lambda: datetime.time(chance.randint(0, 2), 30, 0, chance.choice([0, 1000, 1])),
                "st": lambda: {"x": few_or_none("a b"), "name": few_or_none("s")}, "l": lambda: [few_or_none("a b") for _ in range(chance.randint(0, 3))],
                "m": lambda: [(w, few_or_none("d")) for w in chance.sample(WORDS, chance.randint(0, 2))],
                "u": lambda: uuid.UUID(int=chance.choice([0, 7, 2**127, 2**128 - 1, 3 * 10**37])).bytes,
                "ls": lambda: [few_or_none("st") for _ in range(chance.randint(0, 2))]}[kind]()

    def few_or_none(kind):
        return None if chance.random() < 0.15 else few(kind)

    return pa.table([pa.array([first + r if f.name == "id" else few_or_none(f.name) for r in range(count)], f.type)
                     for f in COLUMNS], schema=COLUMNS)


def file_value(value):
    """As PyIceberg's transforms take values."""
    if isinstance(value, datetime.datetime):
        return (value - datetime.datetime(1970, 1, 1, tzinfo=value.tzinfo)) // datetime.timedelta(microseconds=1)
    if isinstance(value, datetime.date):
        return (value - datetime.date(1970, 1, 1)).days
    if isinstance(value, datetime.time):
        return ((value.hour * 60 + value.minute) * 60 + value.second) * 1000000 + value.microsecond
    return value


def value_at(row, path):
    for name in path.split("."):
        row = None if row is None else row[name]
    return row


def check_partition(table, file):
    rows = pq.ParquetFile(file.file_path).read().to_pylist()
    assert len(rows) == file.record_count
    for index, field in enumerate(table.spec().fields):
        source = table.schema().find_field(field.source_id)
        transform = field.transform.transform(source.field_type)
        path = table.schema().find_column_name(field.source_id)
        for row in rows:
            value = file_value(value_at(row, path))
            wanted = None if value is None else transform(value)
            assert file.partition[index] == wanted, (field, file.partition[index], wanted)
    folder = table.spec().partition_to_path(file.partition, table.schema())
    # PyIceberg prints times, decimals and bytes in ways of its own, and long values whole.
    is_java = not any(table.schema().find_column_name(f.source_id) in ("ts", "tz", "t", "d9", "d38", "bin")
                      and str(f.transform).startswith(("identity", "truncate")) for f in table.spec().fields)
    if is_java and all(len(part) < 150 for part in folder.split("/")):
        assert f"/data/{folder}/" in file.file_path or not folder, (folder, file.file_path)
        return len(folder) > 0
    return False


def check_metrics(table, file):
    footer = pq.ParquetFile(file.file_path).metadata
    assert file.file_size_in_bytes == pathlib.Path(file.file_path).stat().st_size
    plan = compute_statistics_plan(table.schema(), table.properties)
    found = data_file_statistics_from_parquet_metadata(footer, plan, parquet_path_to_id_mapping(table.schema()))
    assert found.record_count == file.record_count
    assert found.split_offsets == file.split_offsets
    assert found.column_sizes == file.column_sizes
    limit = table.properties.get("write.metadata.metrics.max-inferred-column-defaults")
    bounds = found.to_serialized_dict()
    lower, upper = file.lower_bounds or {}, file.upper_bounds or {}
    for field_id in found.value_counts:
        name = table.schema().find_column_name(field_id)
        if limit is not None and field_id not in file.value_counts:
            continue  # PyIceberg knows no limit.
        assert file.value_counts[field_id] == found.value_counts[field_id], name
        if not name.startswith(("l.", "m.", "ls.")):
            assert file.null_value_counts[field_id] == found.null_value_counts.get(field_id, 0), name
        else:
            assert field_id not in lower and field_id not in upper, name
            continue
        for mine, theirs in ((lower, bounds["lower_bounds"]), (upper, bounds["upper_bounds"])):
            if field_id in theirs:
                # Bounds of PyIceberg are made of those of the footer, which may be cut already.
                assert mine.get(field_id) == theirs[field_id] or name in ("s", "bin", "st.name"), (name, mine.get(field_id), theirs[field_id])
    rows = pq.ParquetFile(file.file_path).read()
    for name in ("f", "d"):
        field_id = table.schema().find_field(name).field_id
        if field_id in file.nan_value_counts:
            assert file.nan_value_counts[field_id] == sum(v != v for v in rows.column(name).to_pylist() if v is not None)
    for name in ("s", "bin", "f", "d", "st.name", "u"):
        check_bounds(table, file, rows.to_pylist(), name)


def check_bounds(table, file, rows, name):
    """Bounds hold what is there."""
    from pyiceberg.conversions import from_bytes
    field = table.schema().find_field(name)
    values = [v for v in (value_at(row, name) for row in rows) if v is not None and v == v]
    values = [v.bytes if isinstance(v, uuid.UUID) else v for v in values]
    low, high = ((b or {}).get(field.field_id) for b in (file.lower_bounds, file.upper_bounds))
    if not values:
        assert low is None and high is None
        return
    low, high = (None if b is None else from_bytes(field.field_type, b) for b in (low, high))
    assert low is None or low <= min(values), (name, low, min(values))
    assert high is None or high >= max(values), (name, high, max(values))
    if name in ("f", "d") and low is not None:
        assert low != 0 or math.copysign(1, low) < 0
        assert high != 0 or math.copysign(1, high) > 0
    mode = table.properties.get(f"write.metadata.metrics.column.{name}", table.properties.get("write.metadata.metrics.default", "truncate(16)"))
    if mode.startswith("truncate") and name in ("s", "bin", "st.name") and low is not None:
        most = int(mode[9:-1])
        assert len(low) <= most and (high is None or len(high) <= most)
    if mode == "full" and low is not None:
        assert (low, high) == (min(values), max(values))


def rows_by_id(table, of_pyiceberg):
    """PyIceberg makes empty ones of maps and lists of structs that are NULL."""
    rows = table.sort_by([("id", "ascending")]).to_pylist()
    for row in rows:
        for name in ("m", "ls") if of_pyiceberg else ():
            row[name] = row[name] or []
    return rows


def check_rows(found, wanted, of_pyiceberg, spec):
    left, right = rows_by_id(found, of_pyiceberg), rows_by_id(wanted, of_pyiceberg)
    assert len(left) == len(right), (spec, len(left), len(right))
    for one, other in zip(left, right):
        for name in COLUMNS.names:
            assert str(one[name]) == str(other[name]), (spec, name, one[name], other[name])


def check(build, version, spec, properties, count, chance, folder):
    tables = [rows_of(chance, count, n * 1000) for n in range(2)]
    for number, rows in enumerate(tables):
        pq.write_table(rows, folder / f"{number}.parquet")
    answer = subprocess.run(
        [f"{build}/iceberg_insert", folder / "table", str(version), folder / "0.parquet", folder / "1.parquet",
         *(word for each in spec for word in ("--by", each)), *(word for each in properties for word in ("--set", each))],
        capture_output=True, text=True, check=False)
    assert answer.returncode == 0, (spec, answer.stderr)
    table = StaticTable.from_metadata(answer.stdout.strip())
    assert table.format_version == version and len(table.history()) == 1
    check_rows(table.scan().to_arrow(), pa.concat_tables(tables), True, spec)
    assert table.scan(row_filter="id >= 1000").to_arrow().num_rows == count
    summary = table.current_snapshot().summary
    assert summary["added-records"] == summary["total-records"] == str(2 * count)
    files = [task.file for task in table.scan().plan_files()]
    assert summary["added-data-files"] == str(len(files))
    check_rows(pa.concat_tables([pq.ParquetFile(f.file_path).read().cast(COLUMNS) for f in files]), pa.concat_tables(tables), False, spec)
    named = 0
    for file in files:
        named += check_partition(table, file)
        check_metrics(table, file)
    return len(files), named


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    arguments = parser.parse_args()
    build = arguments.build.resolve()
    print(f"seed {arguments.seed}", flush=True)
    chance = random.Random(arguments.seed)
    tables = files = named = 0
    for version in (1, 2):
        for number, spec in enumerate(SPECS):
            if spec and not arguments.full and (number + version) % 2 == 0:
                continue
            count = 70 if arguments.full or not spec else 20
            for properties in PROPERTIES if not spec else [PROPERTIES[(number + version) % len(PROPERTIES)]]:
                with tempfile.TemporaryDirectory() as folder:
                    counts = check(build, version, spec, properties, count, chance, pathlib.Path(folder))
                files, named, tables = files + counts[0], named + counts[1], tables + 1
    print(f"ok   {tables} tables of {files} files that firn wrote are read by PyIceberg; {named} folders are named as it would")
    assert named > 100


if __name__ == "__main__":
    main()
