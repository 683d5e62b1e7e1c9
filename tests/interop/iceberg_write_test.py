#!/usr/bin/env python3
"""iceberg_write_test.py BUILD - tables that firn made by changes, as PyIceberg reads them.

BUILD/iceberg_write makes a table of some Parquet files by the steps of transactions, under specs with every
transform. PyIceberg must
find the same rows in each snapshot, the metrics that PyArrow finds in the files, the partition values that
its own transforms give, and pass over files whose partitions or bounds rule them out; and the Avro schemas
of manifests must be those that PyIceberg writes for the same table. Needs PyIceberg:

    $(bash tools/dev/venv.sh pyiceberg)/bin/python tests/interop/iceberg_write_test.py build/dev
"""
import datetime
import decimal
import io
import json
import pathlib
import subprocess
import sys
import tempfile
import uuid

import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.conversions import from_bytes
from pyiceberg.io.pyarrow import PyArrowFileIO
from pyiceberg.manifest import ManifestEntryStatus, write_manifest, write_manifest_list
from pyiceberg.table import StaticTable

UTC = datetime.timezone.utc
COLUMNS = [
    pa.field("id", pa.int64(), nullable=False), pa.field("a b", pa.int32()), pa.field("f", pa.float32()),
    pa.field("d", pa.float64()), pa.field("ok", pa.bool_()), pa.field("day", pa.date32()),
    pa.field("ts", pa.timestamp("us")), pa.field("tz", pa.timestamp("us", "UTC")), pa.field("s", pa.string()),
    pa.field("bin", pa.binary()), pa.field("d9", pa.decimal128(9, 2)), pa.field("d18", pa.decimal128(18, 4)),
    pa.field("d38", pa.decimal128(38, 10)), pa.field("t", pa.time64("us"))]
# Values that all rows of file 0, 1 and 2 have in the columns that are partitioned by.
FIXED = {
    "a b": [7, -3, None], "ok": [True, False, None], "day": [datetime.date(2024, 2, 29), datetime.date(1969, 12, 31), None],
    "ts": [datetime.datetime(2024, 2, 29, 23, 59, 59, 5), datetime.datetime(1969, 12, 31, 22, 0, 1), None],
    "tz": [datetime.datetime(2020, 1, 1, tzinfo=UTC), datetime.datetime(1960, 7, 8, 9, tzinfo=UTC), None],
    "s": ["iceberg ä", "", None], "bin": [b"\x00\xff\x01\x02", b"", None],
    "d9": [decimal.Decimal("14.20"), decimal.Decimal("-0.01"), None],
    "d38": [decimal.Decimal("12345678901234567890.0123456789"), decimal.Decimal("-1.0000000000"), None],
    "t": [datetime.time(1, 2, 3, 4), datetime.time(0), None]}
SPECS = [
    [], ["a b=identity", "ok=identity", "day=identity", "s=identity", "t=identity"],
    ["ts=identity", "tz=identity", "d9=identity", "d38=identity", "bin=identity"],
    [f"{c}=bucket[16]" for c in ("a b", "day", "ts", "tz", "s", "bin", "d9", "d38", "t")],
    [f"{c}=truncate[3]" for c in ("a b", "s", "bin", "d9", "d38")],
    ["day=year", "ts=month", "tz=day"], ["day=month", "ts=hour", "tz=year"], ["day=day", "s=void", "tz=hour"]]


def rows_of(number, partitioned):
    def value(column, row):
        if column in partitioned:
            return FIXED[column][number]
        if column != "id" and (row + len(column)) % 5 == 0:
            return None
        seed = row * 7919 + number * 31 + len(column)
        return {"id": number * 1000 + row, "a b": seed % 1000 - 500, "f": float("nan") if seed % 11 == 0 else seed / 8,
                "d": -seed / 3, "ok": seed % 2 == 0, "day": datetime.date(2000, 1, 1) + datetime.timedelta(seed % 9999),
                "ts": datetime.datetime(1950, 1, 1) + datetime.timedelta(seconds=seed * 100003),
                "tz": datetime.datetime(1990, 1, 1, tzinfo=UTC) + datetime.timedelta(seconds=seed),
                "s": f"text {seed}", "bin": seed.to_bytes(4, "big"), "d9": decimal.Decimal(seed - 5000) / 100,
                "d18": decimal.Decimal(seed * -12345) / 10000, "d38": decimal.Decimal(seed * 10**20 - 7) / 10**10,
                "t": datetime.time(seed % 24, seed % 60, 1, seed % 1000)}[column]
    return pa.table({f.name: pa.array([value(f.name, r) for r in range(60)], f.type) for f in COLUMNS},
                    schema=pa.schema(COLUMNS))


def header(path):
    """The metadata of an Avro file."""
    data = io.BytesIO(pathlib.Path(path).read_bytes())
    assert data.read(4) == b"Obj\x01"

    def number():
        out, shift = 0, 0
        while True:
            byte = data.read(1)[0]
            out |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return (out >> 1) ^ -(out & 1)

    found = {}
    while count := number():
        for _ in range(count):
            key = data.read(number()).decode()
            found[key] = data.read(number()).decode()
    return found


def plain(node):
    """A schema without its words for people, and without what differs for a reason: PyIceberg has ids of
    equality deletes as long (the specification: int), lacks referenced_data_file, says that bucket
    and void values are there always, and defines one fixed type twice."""
    if isinstance(node, list):
        return [plain(each) for each in node
                if not (isinstance(each, dict) and each.get("name") in ("equality_ids", "referenced_data_file", "snapshot_id"))]
    if not isinstance(node, dict):
        return node
    out = {key: plain(value) for key, value in node.items() if key != "doc"}
    if 1000 <= out.get("field-id", 0) < 2000 and not isinstance(out["type"], list):
        out |= {"type": ["null", out["type"]], "default": None}
    if out.get("field-id") == 105:
        out.pop("default", None)
    return out


def check_schemas(table, version, folder):
    spec, schema, file_io = table.spec(), table.schema(), PyArrowFileIO()
    theirs = str(folder / "theirs.avro")
    writer = write_manifest(version, spec, schema, file_io.new_output(theirs), 7, "deflate")
    writer.__enter__()
    writer._writer.__exit__(None, None, None)
    with write_manifest_list(version, file_io.new_output(str(folder / "list.avro")), 7, None, 1, "deflate"):
        pass
    first, = table.snapshots()[0].manifests(table.io)
    for ours, other in ((first.manifest_path, theirs), (table.current_snapshot().manifest_list, folder / "list.avro")):
        mine, found = header(ours), header(other)
        left, right = (plain(json.loads(each["avro.schema"])) for each in (mine, found))
        assert left == right, f"\n{json.dumps(left)}\n{json.dumps(right)}"
        assert mine["avro.codec"] == "deflate" and mine["format-version"] == str(version)
        if "partition-spec" in found:
            assert json.loads(mine["partition-spec"]) == json.loads(found["partition-spec"])
            assert mine["partition-spec-id"] == found["partition-spec-id"]
            fields = [{k: v for k, v in f.items()} for f in json.loads(mine["schema"])["fields"]]
            assert fields == json.loads(found["schema"])["fields"]


def check_metrics(table, entry, rows):
    """Counts and bounds of a file against those of its rows."""
    file = entry.data_file
    assert file.record_count == rows.num_rows
    assert file.file_size_in_bytes == pathlib.Path(file.file_path).stat().st_size
    assert file.split_offsets == [4] and file.sort_order_id == 0
    for field in table.schema().fields:
        column = rows.column(field.name)
        assert file.value_counts[field.field_id] == rows.num_rows
        assert file.null_value_counts[field.field_id] == column.null_count
        assert file.column_sizes[field.field_id] > 0
        values = [each for each in column.to_pylist() if each is not None and each == each]
        if field.name in ("f", "d"):
            nans = sum(1 for each in column.to_pylist() if each is not None and each != each)
            assert file.nan_value_counts[field.field_id] == nans
        if not values:
            assert field.field_id not in file.lower_bounds
            continue
        low = from_bytes(field.field_type, file.lower_bounds[field.field_id])
        high = from_bytes(field.field_type, file.upper_bounds[field.field_id])
        wanted = [file_value(field.field_type, each) for each in (min(values), max(values))]
        assert [low, high] == wanted, (field, low, high, wanted)


def file_value(kind, value):
    """As PyIceberg has values of bounds."""
    if isinstance(value, datetime.datetime):
        epoch = datetime.datetime(1970, 1, 1, tzinfo=value.tzinfo)
        return (value - epoch) // datetime.timedelta(microseconds=1)
    if isinstance(value, datetime.date):
        return (value - datetime.date(1970, 1, 1)).days
    if isinstance(value, datetime.time):
        return ((value.hour * 60 + value.minute) * 60 + value.second) * 1000000 + value.microsecond
    return value


def check_partition(table, entry, number):
    for index, field in enumerate(table.spec().fields):
        source = table.schema().find_field(field.source_id)
        value = FIXED[source.name][number]
        value = None if value is None else file_value(source.field_type, value)
        wanted = field.transform.transform(source.field_type)(value)
        found = entry.data_file.partition[index]
        assert found == wanted, (field, found, wanted)


def same(left, right):
    order = [("id", "ascending")]
    return left.sort_by(order).cast(right.schema).equals(right.sort_by(order)) or str(left.sort_by(order).to_pylist()) == str(right.sort_by(order).to_pylist())


def check(build, version, spec, folder):
    partitioned = {each.split("=")[0] for each in spec}
    where = folder / "table"
    (where / "data").mkdir(parents=True)
    (where / "metadata").mkdir()
    tables = [rows_of(number, partitioned) for number in range(3)]
    for number, rows in enumerate(tables):
        pq.write_table(rows, folder / f"{number}.parquet")
    answer = subprocess.run(
        [f"{build}/iceberg_write", where, str(version), *(folder / f"{n}.parquet" for n in range(3)),
         *(word for each in spec for word in ("--by", each))], capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    table = StaticTable.from_metadata(answer.stdout.strip())
    assert table.format_version == version and len(table.history()) == 3 + version
    assert len(table.metadata.metadata_log) == 3 + version
    check_schemas(table, version, folder)
    snapshots = table.snapshots()
    for number in range(3):  # The snapshots that append.
        found = table.scan(snapshot_id=snapshots[number].snapshot_id).to_arrow()
        summary = snapshots[number].summary
        assert summary.operation.value == "append" and summary["added-records"] == "60"
        assert summary["total-records"] == str(60 * number + 60) and summary["total-data-files"] == str(number + 1)
        assert same(found, pa.concat_tables(tables[: number + 1])), (version, spec, number)
    last = snapshots[3]
    assert same(table.scan(snapshot_id=last.snapshot_id).to_arrow(), pa.concat_tables(tables[1:]))
    if version > 1:  # Of the last file the first row is deleted by position.
        assert same(table.scan().to_arrow(), pa.concat_tables([tables[1], tables[2][1:]]))
        assert snapshots[4].summary["added-position-deletes"] == "1" and snapshots[4].summary["total-delete-files"] == "1"
    assert table.scan(row_filter="id >= 2000").to_arrow().num_rows == (60 if version == 1 else 59)
    assert len(list(table.scan(row_filter="id >= 2000").plan_files())) == 1
    assert snapshots[3].summary.operation.value == "delete" and snapshots[3].summary["deleted-records"] == "60"
    assert snapshots[3].summary["total-records"] == "120" and snapshots[3].summary["total-files-size"] == str(sum(
        task.file.file_size_in_bytes for task in table.scan().plan_files()))
    manifest, = last.manifests(table.io)
    assert (manifest.added_files_count, manifest.existing_files_count, manifest.deleted_files_count) == (0, 2, 1)
    assert (manifest.existing_rows_count, manifest.deleted_rows_count) == (120, 60)
    entries = {pathlib.Path(e.data_file.file_path).stem.split("-")[1]: e for e in manifest.fetch_manifest_entry(table.io, discard_deleted=False)}
    for number in range(3):
        entry = entries[str(number)]
        assert entry.status == (ManifestEntryStatus.DELETED if number == 0 else ManifestEntryStatus.EXISTING)
        assert entry.snapshot_id == snapshots[3 if number == 0 else number].snapshot_id
        if version > 1:
            assert entry.sequence_number == number + 1 and entry.file_sequence_number == number + 1
        check_metrics(table, entry, tables[number])
        check_partition(table, entry, number)
    for index, field in enumerate(table.spec().fields):
        summary = manifest.partitions[index]
        values = [entries[str(n)].data_file.partition[index] for n in range(3)]
        assert summary.contains_null == (None in values)
        rest = sorted(each for each in values if each is not None)
        source = table.schema().find_type(field.source_id)
        kind = field.transform.result_type(source)
        assert (summary.lower_bound is not None) == bool(rest)
        if rest:
            assert [from_bytes(kind, summary.lower_bound), from_bytes(kind, summary.upper_bound)] == [rest[0], rest[-1]]


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    checks = 0
    for version in (1, 2):
        for spec in SPECS:
            with tempfile.TemporaryDirectory() as folder:
                check(build, version, spec, pathlib.Path(folder))
            checks += 1
    print(f"ok   {checks} tables that firn wrote are read by PyIceberg")


if __name__ == "__main__":
    main()
