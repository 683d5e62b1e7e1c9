#!/usr/bin/env python3
"""copy_formats_test.py BUILD [--full] - what others read from the CSV, JSON and Arrow files that COPY writes.

Random tables of every type (seeds are printed) are written as Parquet by firn, whose Parquet files parquet_write_test.py
shows to be right, and as each other format, at once, into Hive folders, and compressed. PyArrow, DuckDB and Polars must
read the same values: of Arrow files value for value, of texts as the text that they hold. Needs PyArrow; the peers'
virtual environments are made if they are missing:

    $(bash tools/dev/venv.sh data)/bin/python tests/interop/copy_formats_test.py build/release
"""
import gzip
import io
import json
import pathlib
import random
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent

# A column of each type: an expression over x, which counts from 1; some are NULL.
COLUMNS = {
    "bo": "x % 2 = 0", "i1": "(x % 100)::TINYINT", "i2": "(-x)::SMALLINT", "i4": "x::INTEGER * 1000",
    "i8": "x * 123456789012", "u1": "(x % 200)::UTINYINT", "u2": "x::USMALLINT", "u4": "x::UINTEGER",
    "u8": "18446744073709551615::UBIGINT - x::UBIGINT", "f4": "(x / 3.0)::REAL", "f8": "x / 7.0::DOUBLE",
    "fn": "CASE x % 4 WHEN 0 THEN 'NaN' WHEN 1 THEN 'inf' WHEN 2 THEN '-inf' ELSE '0.5' END::DOUBLE",
    "d1": "(x / 7.0)::DECIMAL(9,2)", "d2": "(-x)::DECIMAL(18,0)", "d3": "(x / 3.0)::DECIMAL(38,10)",
    "d4": "x::DECIMAL(60,5)", "dt": "DATE '1969-01-01' + x::INTEGER", "tm": "TIME '00:00:01' + INTERVAL '1 second' * x",
    "ts": "TIMESTAMP '2024-01-31 23:59:59.5' + INTERVAL '1 hour' * x",
    "tz": "TIMESTAMPTZ '2024-01-31 23:59:59.25+00' - INTERVAL '1 day' * x",
    "s1": "'text ' || x", "s2": "repeat('a, \"quoted\" text; ', (x % 3)::INTEGER)", "s3": "'ä€𝄞' || chr(10) || x",
    "b1": "('bytes' || x)::BINARY", "js": "'{\"a\": 1}'::JSON",
    "uu": "UUID '123e4567-e89b-12d3-a456-426614174000'", "li": "CASE WHEN x % 3 = 0 THEN [] ELSE [x, NULL, -x] END",
    "ls": "[['a', 'b' || x], NULL, []]", "st": "{'a': x, 'b': 'text ' || x, 'c': [x]}", "ma": "MAP {'k' || x: x, 'z': NULL}",
    "sl": "[{'a': x, 'b': NULL::VARCHAR}]", "iv": "INTERVAL '1 month 2 days' * (x % 5)", "nu": "NULL",
    "f2": "(x / 3.0)::FLOAT16",
}
NOT_OF_POLARS = ("ma", "d4", "iv", "f2")


def query(columns, rows, seed):
    chosen = random.Random(seed)
    parts = []
    for name, value in columns.items():
        rest = chosen.choice([0, 2, 5, 11])
        parts.append(f"{value} AS {name}" if rest == 0 else f"CASE WHEN x % {rest} <> 1 THEN {value} END AS {name}")
    return f"SELECT {', '.join(parts)} FROM generate_series(1, {rows}) AS g(x)"


def run(firn, sql, *more):
    done = subprocess.run([firn, "--quiet", *more, "-c", sql], capture_output=True)
    assert done.returncode == 0, (sql[-300:], done.stderr.decode()[-400:])
    return done.stdout


def venv(group):
    done = subprocess.run(["bash", "tools/dev/venv.sh", group], cwd=ROOT, check=True, capture_output=True,
                          text=True)
    return ROOT / done.stdout.strip() / "bin" / "python"


# ---- PyArrow ---------------------------------------------------------------------------------------

def plain(value):
    """A value that equals itself, NaN or not."""
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    return repr(value) if isinstance(value, float) else value


def check_arrow(firn, folder, sql, count):
    """Arrow files are what the command line's stream, which cli tests show to be right, holds."""
    import pyarrow as pa
    import pyarrow.ipc as ipc
    expected = ipc.open_stream(run(firn, sql, "--format", "arrow")).read_all()
    for name, opened in (("a.arrow", ipc.open_file), ("a.arrows", ipc.open_stream)):
        path = folder / name
        run(firn, f"COPY ({sql}) TO '{path}'")
        table = opened(pa.OSFile(str(path))).read_all()
        table.validate(full=True)
        assert table.num_rows == count, (name, table.num_rows)
        assert table.schema.equals(expected.schema, check_metadata=True), (name, table.schema, expected.schema)
        for column in expected.column_names:
            left = [plain(v) for v in table[column].to_pylist()]
            right = [plain(v) for v in expected[column].to_pylist()]
            assert left == right, (name, column, left[:3], right[:3])
    return 2


def check_text(firn, folder, sql, count):
    """Texts are those of the command line, whole, compressed and in parts; and what parsers make of them."""
    import csv
    import pyarrow as pa
    import pyarrow.csv
    import pyarrow.json
    checked = 0
    texts = {name: run(firn, sql, "--format", name) for name in ("csv", "json", "ndjson")}
    for name, text in texts.items():
        for ending, codec in (("", None), (".gz", "gzip"), (".zst", "zstd")):
            path = folder / f"a.{name}{ending}"
            run(firn, f"COPY ({sql}) TO '{path}'")
            read = path.read_bytes() if codec is None else \
                pa.CompressedInputStream(pa.OSFile(str(path)), codec).read()
            assert read == text, (path.name, len(read), len(text))
            assert ending != ".gz" or gzip.decompress(path.read_bytes()) == text
            checked += 1
    assert len(json.loads(texts["json"])) == count
    assert [json.loads(line) for line in texts["ndjson"].splitlines()] == json.loads(texts["json"])
    rows = list(csv.reader(io.StringIO(texts["csv"].decode(), newline="")))
    assert len(rows) == count + 1 and all(len(row) == len(rows[0]) for row in rows)
    table = pa.csv.read_csv(pa.BufferReader(texts["csv"]),
                            parse_options=pa.csv.ParseOptions(newlines_in_values=True))
    assert table.num_rows == count and table.column_names == rows[0]
    return checked + 3


# ---- DuckDB and Polars, each in its environment ------------------------------------------------------

def read_duckdb(folder, facts):
    import duckdb
    session = duckdb.connect()
    session.execute("SET TimeZone = 'UTC'")
    checked = 0
    wanted = session.execute(facts["sums"].format(source=f"read_parquet('{folder}/plain.parquet')")).fetchall()
    for ending in ("", ".gz", ".zst"):
        for name, reader in (("csv", "read_csv('{}', header = true, all_varchar = false)"),
                             ("ndjson", "read_json('{}', format = 'newline_delimited')"),
                             ("json", "read_json('{}', format = 'array')")):
            source = reader.format(f"{folder}/plain.{name}{ending}")
            found = session.execute(facts["sums"].format(source=source)).fetchall()
            assert found == wanted, (name + ending, found, wanted)
            checked += 1
    found = session.execute(facts["sums"].format(
        source=f"read_csv('{folder}/hive/*/*.csv', hive_partitioning = true)")).fetchall()
    assert found == wanted, ("hive", found, wanted)
    return checked + 1


def read_polars(folder, facts):
    import polars as pl
    wanted = pl.read_parquet(folder / "plain.parquet").sort("x")
    checked = 0
    frames = {
        "arrow": pl.read_ipc(folder / "plain.arrow"),
        "arrows": pl.read_ipc_stream(folder / "plain.arrows"),
        "csv": pl.read_csv(folder / "plain.csv", schema_overrides=wanted.schema),
        "csv.gz": pl.read_csv(folder / "plain.csv.gz", schema_overrides=wanted.schema),
        "csv.zst": pl.read_csv(folder / "plain.csv.zst", schema_overrides=wanted.schema),
        "ndjson": pl.read_ndjson(folder / "plain.ndjson", schema_overrides=wanted.schema),
    }
    for name, frame in frames.items():
        found = frame.sort("x")
        assert found.shape == wanted.shape, (name, found.shape, wanted.shape)
        for column in wanted.columns:
            assert found[column].to_list() == wanted[column].to_list(), (name, column)
        checked += 1
    assert pl.read_ipc(folder / "types.arrow").height == facts["count"]
    return checked + 1


PLAIN = ("SELECT x, x % 3 AS k, x / 7.0::DOUBLE AS d, CASE WHEN x % 5 <> 0 THEN 'a, \"b\"; ' || x END AS s, "
         "DATE '2024-01-01' + (x % 300)::INTEGER AS day FROM generate_series(1, {count}) AS g(x)")
SUMS = ("SELECT count(*), sum(x), count(s), sum(length(s)), round(sum(d), 6), max(day::DATE), sum(x * k) FROM {source}")


def main():
    firn = pathlib.Path(sys.argv[1]).resolve() / "firn"
    seeds = range(20 if "--full" in sys.argv else 3)
    passed = failed = 0
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for seed in seeds:
            count = [0, 1, 10000][seed % 3] if seed < 3 else random.Random(seed).randrange(1, 6000)
            print(f"seed {seed}: {count} rows")
            below = folder / str(seed)
            below.mkdir()
            sql = query(COLUMNS, count, seed)
            passed += check_arrow(firn, below, sql, count)
            # As text a FLOAT16 is what a cast to VARCHAR gives; the command line, which has only Arrow's, is shorter.
            texts = query({k: v for k, v in COLUMNS.items() if k != "f2"}, count, seed)
            passed += check_text(firn, below, texts, count) if count else 0
        count = 40000
        plain_sql = PLAIN.format(count=count)
        for ending in ("parquet", "csv", "csv.gz", "csv.zst", "json", "json.gz", "json.zst", "ndjson", "ndjson.gz",
                       "ndjson.zst", "arrow", "arrows"):
            run(firn, f"COPY ({plain_sql}) TO '{folder}/plain.{ending}'")
        run(firn, f"COPY ({plain_sql}) TO '{folder}/hive' (FORMAT csv, PARTITION_BY k, FILE_SIZE '100kB')")
        run(firn, f"COPY ({query({k: v for k, v in COLUMNS.items() if k not in NOT_OF_POLARS}, 500, 1)}) "
                  f"TO '{folder}/types.arrow'")
        (folder / "facts.json").write_text(json.dumps({"sums": SUMS, "count": 500}))
        for reader in ("duckdb", "polars"):
            done = subprocess.run([venv(reader), __file__, "--read", reader, folder], capture_output=True, text=True)
            if done.returncode == 0:
                passed += int(done.stdout.split()[-1])
            else:
                print(f"{reader}: {done.stderr[-1500:]}")
                failed += 1
    print(f"{passed} passed, {failed} failed, 0 skipped")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    if sys.argv[1] == "--read":
        where = pathlib.Path(sys.argv[3])
        known = json.loads((where / "facts.json").read_text())
        print({"duckdb": read_duckdb, "polars": read_polars}[sys.argv[2]](where, known))
    else:
        main()
