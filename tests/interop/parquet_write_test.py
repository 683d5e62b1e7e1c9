#!/usr/bin/env python3
"""parquet_write_test.py BUILD [--full] - what others read from the Parquet files that firn writes.

Files of the conformance sets (../shared, or SHARED; skipped without) and random tables of every type
that PyArrow has, written by PyArrow without statistics, are rewritten by BUILD/parquet_rewrite with
several sets of options. PyArrow, DuckDB and Polars each must read the same values from both; and with
filters, which they push down to statistics, page index and bloom filters, the same rows. Needs PyArrow; the
peers' virtual environments are made if they are missing:

    $(bash tools/dev/venv.sh data)/bin/python tests/interop/parquet_write_test.py build/release
"""
import datetime
import decimal
import json
import math
import os
import pathlib
import random
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
OPTIONS = [
    "",
    "encodings=java page_rows=7 checksums=1 bloom=0.01 group_rows=100",
    "encodings=all page_rows=50 dictionary_bytes=100 given=1 codec=snappy",
    "encodings=none codec=gzip page_bytes=1 bound_bytes=1",
    "encodings=all codec=none dictionary_bytes=0 page_bytes=300 bloom=0.2",
    "codec=lz4 given=1 statistics=counts index=0 batch_rows=33",
    "codec=zstd level=9 given=1 statistics=none checksums=1",
]


def plain(value):
    """A value that equals itself, NaN or not."""
    if isinstance(value, float) and math.isnan(value):
        return "nan"
    if isinstance(value, dict):
        return [[key, plain(inner)] for key, inner in value.items()]
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    return value


def as_bytes(value):
    """Texts as bytes: without ARROW:schema, which firn does not write, JSON is bytes to Polars."""
    if isinstance(value, list):
        return [as_bytes(inner) for inner in value]
    return value.encode() if isinstance(value, str) else value


# ---- Readers: all columns of a file as lists; the rows that a filter leaves ------------------------

class PyArrow:
    def __init__(self):
        import pyarrow as pa
        import pyarrow.compute as pc
        import pyarrow.parquet as pq
        self.pa, self.pc, self.pq = pa, pc, pq

    def columns(self, path):
        table = self.pq.read_table(path, page_checksum_verification=True)
        return [[plain(v) for v in self.as_numbers(column).to_pylist()] for column in table.columns]

    def as_numbers(self, column):
        """Times as numbers: Python's have no nanoseconds and end in the year 9999."""
        of, types = column.type, self.pa.types
        if types.is_timestamp(of) or types.is_time64(of) or types.is_duration(of):
            return column.cast(self.pa.int64())
        return column.cast(self.pa.int32()) if types.is_date32(of) or types.is_time32(of) else column

    def filtered(self, path, column, operator, value):
        table = self.pq.read_table(path, filters=[(column, operator, value)])
        return [[plain(v) for v in self.as_numbers(c).to_pylist()] for c in table.columns]


class DuckDB:
    def __init__(self):
        import duckdb
        self.session = duckdb.connect()
        self.session.execute("SET threads = 1")
        self.session.execute("SET TimeZone = 'UTC'")

    def rows(self, text, path, *values):
        found = self.session.execute(text, [str(path), *values])
        count = len(found.description)
        rows = found.fetchall()
        return [[plain(row[i]) for row in rows] for i in range(count)]

    def columns(self, path):
        return self.rows("SELECT * FROM read_parquet(?)", path)

    def filtered(self, path, column, operator, value):
        return self.rows(f"SELECT * FROM read_parquet(?) WHERE \"{column}\" {operator} ?", path, value)


class Polars:
    def __init__(self):
        import polars
        self.pl = polars

    def lists(self, frame):
        return [[as_bytes(plain(v)) for v in column.to_list()] for column in frame.get_columns()]

    def columns(self, path):
        return self.lists(self.pl.read_parquet(path))

    def filtered(self, path, column, operator, value):
        frame = self.pl.scan_parquet(path)
        wanted = self.pl.lit(value, dtype=frame.collect_schema()[column])
        of = self.pl.col(column)
        test = {"=": of.__eq__, ">=": of.__ge__, "<": of.__lt__}[operator](wanted)
        return self.lists(frame.filter(test).collect())


# What a reader makes of an original is not what stands there.
MISREAD = {
    # TIMESTAMP_MICROS without a logical type is UTC, as firn then writes it; DuckDB leaves that out.
    ("duckdb", "nested_structs.rust.parquet"),
    ("polars", "repeated_no_annotation.parquet"),  # Reads no row.
    ("polars", "polars_int128.parquet"),           # Its own type, which its own key in the footer says.
    ("polars", "int96_from_spark.parquet"),        # Its moments of microseconds end in the year 262,142.
}
READERS = {"pyarrow": PyArrow, "duckdb": DuckDB, "polars": Polars}


def compare(reader, job):
    """What is wrong with one file; None if nothing is, "" if the reader cannot read the original."""
    try:
        expected = reader.columns(job["original"])
    except BaseException:  # Polars panics. Which files it refuses is not ours to say.
        return ""
    try:
        found = reader.columns(job["rewritten"])
    except BaseException as error:
        return f"cannot be read: {str(error)[:200]}"
    expected = [c for i, c in enumerate(expected) if i not in job["ignored"]]
    found = [c for i, c in enumerate(found) if i not in job["ignored"]]
    for index, (left, right) in enumerate(zip(expected, found)):
        if left != right:
            row = next((k for k, (a, b) in enumerate(zip(left, right)) if a != b), -1)
            there = f"{left[row]!r} is {right[row]!r}" if row >= 0 else f"{len(left)} is {len(right)} rows"
            return f"column {index} row {row}: {there[:200]}"
    for column, operator, value in job["filters"]:
        value = eval(value, {"datetime": datetime, "Decimal": decimal.Decimal})  # Ours, by repr.
        operators = {"=": "="} if isinstance(reader, PyArrow) else {}
        try:
            wanted = reader.filtered(job["original"], column, operators.get(operator, operator), value)
        except BaseException:
            continue
        if wanted != reader.filtered(job["rewritten"], column, operator, value):
            return f"where {column} {operator} {value!r}: other rows"
    return None


def read_as(name, jobs_path):
    """The child of one reader: prints what is wrong, then how many files it compared."""
    reader = READERS[name]()
    jobs = json.loads(pathlib.Path(jobs_path).read_text())
    compared = 0
    for job in jobs:
        if (name, job["name"].split()[0]) in MISREAD:
            continue
        wrong = compare(reader, job)
        compared += wrong != ""
        if wrong:
            print(f"{name}: {job['name']}: {wrong}")
    print(compared)


# ---- Files ---------------------------------------------------------------------------------------

def random_column(rng, rows):
    import pyarrow as pa
    day = datetime.date(1970, 1, 1)
    moment = datetime.datetime(2020, 1, 1)
    few = rng.random() < 0.4
    spread = rng.choice([3, 50]) if few else 1 << 30
    number = lambda: rng.randrange(-spread, spread)  # noqa: E731
    kinds = [
        (pa.bool_(), lambda: rng.random() < 0.3),
        (pa.int8(), lambda: number() % 200 - 100), (pa.int16(), lambda: number() % 60000 - 30000),
        (pa.int32(), number), (pa.int64(), lambda: number() * 1234567890),
        (pa.uint8(), lambda: number() % 256), (pa.uint16(), lambda: number() % 65536),
        (pa.uint32(), lambda: number() & 0xffffffff), (pa.uint64(), lambda: number() & 0xffffffffffffffff),
        (pa.float32(), lambda: float(number() % 1000) / 8),
        (pa.float64(), lambda: rng.choice([number() / 7, 0.0, -0.0, math.nan, math.inf])),
        (pa.decimal128(7, 2), lambda: decimal.Decimal(number() % 99999) / 100),
        (pa.decimal128(18, 3), lambda: decimal.Decimal(number()) / 1000),
        (pa.decimal128(38, 10), lambda: decimal.Decimal(number()) / 1000),
        (pa.date32(), lambda: day + datetime.timedelta(number() % 30000)),
        (pa.time32("ms"), lambda: datetime.time(number() % 24, number() % 60, 1, 5000)),
        (pa.time64("us"), lambda: datetime.time(number() % 24, number() % 60, 1, number() % 10 ** 6)),
        (pa.timestamp("ms"), lambda: moment + datetime.timedelta(seconds=number())),
        (pa.timestamp("us"), lambda: moment + datetime.timedelta(microseconds=number())),
        (pa.timestamp("us", "UTC"), lambda: moment + datetime.timedelta(microseconds=number())),
        (pa.string(), lambda: f"{'prefix of some length/' if few else ''}{number()}"),
        (pa.string(), lambda: rng.choice(["", "ä", "x" * 300, "\U0001f600" * 30, str(number())])),
        (pa.binary(), lambda: bytes([number() % 256, 255, 0][:rng.randrange(4)])),
        (pa.binary(5), lambda: number().to_bytes(5, "big", signed=True)),
    ]
    of, make = rng.choice(kinds)
    shape = rng.choice(["flat"] * 4 + ["list", "struct", "map", "lists"])
    nulls = rng.choice([0, 0, 0.1, 0.9, 1])
    if shape == "list":
        of, inner = pa.list_(of), make
        make = lambda: [maybe(rng, 0.1, inner) for _ in range(rng.randrange(4))]  # noqa: E731
    elif shape == "lists":
        of, inner = pa.list_(pa.list_(of)), make
        make = lambda: [[inner() for _ in range(rng.randrange(3))]  # noqa: E731
                        for _ in range(rng.randrange(3))]
    elif shape == "struct":
        of, inner = pa.struct([("f", of), ("g", pa.int32())]), make
        make = lambda: {"f": maybe(rng, 0.2, inner), "g": number() % 9}  # noqa: E731
    elif shape == "map":
        of, inner = pa.map_(pa.string(), of), make
        make = lambda: [(str(k), maybe(rng, 0.2, inner)) for k in range(rng.randrange(3))]  # noqa: E731
    values = [maybe(rng, nulls, make) for _ in range(rows)]
    if shape == "flat" and few and rng.random() < 0.5:
        values.sort(key=lambda v: (v is None, str(v)))
    return shape == "flat", pa.array(values, of)


def maybe(rng, rate, make):
    return None if rng.random() < rate else make()


def random_table(seed, path):
    """Writes a table; returns filters on its columns."""
    import pyarrow as pa
    import pyarrow.parquet as pq
    rng = random.Random(seed)
    rows = rng.choice([0, 1, 10, 300, 3000])
    columns, filters = {}, []
    for i in range(rng.randrange(1, 6)):
        is_flat, values = random_column(rng, rows)
        columns[f"c{i}"] = values
        known = [v for v in values.to_pylist() if v is not None] if is_flat else []
        for value in rng.sample(known, min(3, len(known))):
            if isinstance(value, datetime.datetime) and value.tzinfo is not None:
                continue
            filters.append((f"c{i}", rng.choice(["=", "=", ">=", "<"]), repr(value)))
    filters = [f for f in filters if "nan" not in f[2] and "inf" not in f[2]]
    pq.write_table(pa.table(columns), path, write_statistics=False, store_schema=False)
    return filters


def ignored_columns(path):
    """Of INT96, which comes back as microseconds; durations (only ARROW:schema knows them) and VARIANT,
    which firn reads as what they are stored as."""
    import pyarrow as pa
    import pyarrow.parquet as pq
    try:
        file = pq.ParquetFile(path)
        schema, arrow = file.schema, file.schema_arrow
    except Exception:
        return []
    if "variant" in path.name:
        return list(range(len(arrow)))
    ignored = {i for i, field in enumerate(arrow) if pa.types.is_duration(field.type)}
    for i in range(len(schema)):
        path = schema.column(i).path
        if schema.column(i).physical_type == "INT96":
            ignored |= {k for k, name in enumerate(arrow.names) if (path + ".").startswith(name + ".")}
    return sorted(ignored)


def rewrite(program, original, options, rewritten):
    done = subprocess.run([program, original, rewritten, *options.split()], capture_output=True, text=True)
    if done.returncode not in (0, 1):
        sys.exit(f"FAIL {original} {options}: {program} ended with {done.returncode}: {done.stderr[-400:]}")
    return done.returncode == 0


def make_jobs(program, folder, full):
    jobs = []

    def add(name, original, options, filters):
        rewritten = folder / f"{len(jobs)}.rewritten.parquet"
        if rewrite(program, original, options, rewritten):
            jobs.append({"name": f"{name} {options}", "original": str(original), "rewritten": str(rewritten),
                         "filters": filters, "ignored": ignored_columns(original)})

    shared = pathlib.Path(os.environ.get("SHARED", ROOT.parent / "shared")) / "conformance" / "parquet"
    files = sorted(shared.glob("generated/*.parquet")) + sorted(shared.glob("parquet-testing/data/*.parquet"))
    if not files:
        print(f"skipped: the conformance files, {shared} is not there")
    for i, path in enumerate(files if full else files[::4]):
        for options in OPTIONS if full else [OPTIONS[i % len(OPTIONS)]]:
            add(path.name, path, options, [])
    from_files = len(jobs)
    for seed in range(200 if full else 60):
        original = folder / f"{seed}.random.parquet"
        filters = random_table(seed, original)
        for options in OPTIONS if full else [OPTIONS[seed % len(OPTIONS)]]:
            add(f"seed {seed}", original, options, filters)
    print(f"{from_files} files of the conformance sets, {len(jobs) - from_files} random ones")
    return jobs


def venv(group):
    done = subprocess.run(["bash", "tools/dev/venv.sh", group], cwd=ROOT, check=True, capture_output=True,
                          text=True)
    return ROOT / done.stdout.strip() / "bin" / "python"


def main():
    program = pathlib.Path(sys.argv[1]).resolve() / "parquet_rewrite"
    passed = failed = 0
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        jobs = make_jobs(program, folder, "--full" in sys.argv)
        (folder / "jobs.json").write_text(json.dumps(jobs))
        for reader in READERS:
            python = sys.executable if reader == "pyarrow" else venv(reader)
            done = subprocess.run([python, __file__, "--read", reader, folder / "jobs.json"],
                                  capture_output=True, text=True)
            *wrong, compared = done.stdout.splitlines() or [done.stderr[-500:], "0"]
            print("\n".join([*wrong, f"{reader}: {compared} compared, {len(wrong)} wrong"]))
            passed += int(compared) - len(wrong)
            failed += len(wrong) + (done.returncode != 0 or int(compared) == 0)
    print(f"{passed} passed, {failed} failed, 0 skipped")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    if sys.argv[1] == "--read":
        read_as(sys.argv[2], sys.argv[3])
    else:
        main()
