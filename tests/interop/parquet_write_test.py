#!/usr/bin/env python3
"""parquet_write_test.py BUILD [--full] [--seed N] [--without-spark] - what others read from firn's Parquet files.

Files of the conformance sets (../shared, or SHARED; skipped without) and random tables of every type that Parquet
has, nested and with NULLs (parquet_random.py), written by others without statistics, are written again by firn:
with several sets of options by BUILD/parquet_rewrite, and by COPY (SELECT …) TO with random ones. PyArrow, DuckDB,
Polars, and of a sample Spark, each must read the same values from both, and firn what PyArrow reads of the original;
which reader lacks which type says parquet_random.LACKS. With filters, which they push down to statistics, page index
and bloom filters, they must find the same rows; and no value lies outside of the bounds of its row group.

Some seeds are the same every time, others new ones; each is printed, and --seed N is that table again, with all
options. Needs PyArrow; the peers' virtual environments are made if they are missing:

    $(bash tools/dev/venv.sh data)/bin/python tests/interop/parquet_write_test.py build/release
"""
import argparse
import contextlib
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import parquet_random  # noqa: E402
import parquet_readers  # noqa: E402

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
COPIES_OF_ONE = 4  # By COPY, of one seed with all options.
SPARK_MAX = 12     # Files that Spark reads; with --full five times as many.

# What a reader makes of an original is not what stands there.
MISREAD = {
    # TIMESTAMP_MICROS without a logical type is UTC, as firn then writes it; DuckDB leaves that out.
    ("duckdb", "nested_structs.rust.parquet"),
    ("polars", "repeated_no_annotation.parquet"),  # Reads no row.
    ("polars", "polars_int128.parquet"),           # Its own type, which its own key in the footer says.
    ("polars", "int96_from_spark.parquet"),        # Its moments of microseconds end in the year 262,142.
}
CHILDREN = {"pyarrow": parquet_readers.PyArrow, "duckdb": parquet_readers.DuckDB, "polars": parquet_readers.Polars}


# ---- Comparing -------------------------------------------------------------------------------------

def different(expected, found):
    for index, (left, right) in enumerate(zip(expected, found)):
        if left != right:
            row = next((k for k, (a, b) in enumerate(zip(left, right)) if a != b), -1)
            there = f"{left[row]!r} is {right[row]!r}" if row >= 0 else f"{len(left)} is {len(right)} rows"
            return f"column {index} row {row}: {there[:200]}"
    return None if len(expected) == len(found) else f"{len(expected)} are {len(found)} columns"


def wrong_filter(reader, job, one):
    if hasattr(reader, "excluded"):
        return reader.excluded(job["rewritten"], one)
    if not hasattr(reader, "filtered"):
        return None
    try:
        wanted = reader.filtered([job["original"]], one)
    except parquet_readers.Skipped:
        return None
    if wanted != reader.filtered(job["rewritten"], one):
        return f"where {one['column']} {one['operator']} {one['value']}: other rows"
    return None


def compare(reader, job):
    """What is wrong with one table; None if nothing is, "" if the reader cannot read the original."""
    originals, copies = [job["original"]], job["rewritten"]
    try:
        expected = reader.original(originals, copies) if hasattr(reader, "original") else reader.columns(originals)
    except BaseException as error:  # Polars panics. Which files of others it refuses is not ours to say.
        return f"the original cannot be read: {str(error)[:200]}" if job["kinds"] else ""
    try:
        found = reader.columns(copies)
    except BaseException as error:
        return f"cannot be read: {str(error)[:200]}"
    wrong = different([c for i, c in enumerate(expected) if i not in job["ignored"]],
                      [c for i, c in enumerate(found) if i not in job["ignored"]])
    for one in job["filters"] if wrong is None else []:
        wrong = wrong or wrong_filter(reader, job, one)
    return wrong


def compare_all(name, reader, jobs):
    """Prints what is wrong; how many tables were compared, and how many are wrong."""
    compared = failed = 0
    for job in jobs:
        if (name, job["name"].split()[0]) in MISREAD or parquet_random.LACKS[name] & set(job["kinds"]):
            continue
        wrong = compare(reader, job)
        compared += wrong != ""
        failed += bool(wrong)
        if wrong:
            print(f"FAIL {name}: {job['name']}: {wrong}")
    print(f"{name}: {compared} compared, {failed} wrong", flush=True)
    return compared, failed


def compare_in_child(name, jobs_path):
    python = sys.executable if name == "pyarrow" else venv(name)
    done = subprocess.run([python, __file__, "--read", name, jobs_path], capture_output=True, text=True)
    if done.returncode != 0:
        print(f"{done.stdout}FAIL {name}: ended with {done.returncode}: {done.stderr[-500:]}", flush=True)
        return 1, 1
    *lines, counts = done.stdout.splitlines()
    print("\n".join(lines), flush=True)
    compared, failed = map(int, counts.split())
    return compared, failed


def spark_jobs(jobs, count):
    """Those that Spark's own reader has the types and encodings of, of each way that they are written some."""
    import pyarrow.parquet as pq
    fit = []
    for job in jobs:
        if not job["kinds"] or parquet_random.LACKS["spark"] & set(job["kinds"]):
            continue
        groups = [pq.read_metadata(path).row_group(g) for path in job["rewritten"]
                  for g in range(pq.read_metadata(path).num_row_groups)]
        encodings = {each for group in groups for i in range(group.num_columns) for each in group.column(i).encodings}
        if "BYTE_STREAM_SPLIT" not in encodings:
            fit.append(job)
    return fit[::max(1, len(fit) // count)][:count]


def compare_with_spark(stack, folder, jobs):
    import iceberg_peers
    jars = subprocess.run(["bash", iceberg_peers.PEERS / "spark_jars.sh"], check=True, stdout=subprocess.PIPE,
                          text=True).stdout.strip()
    program = iceberg_peers.Program([str(venv("spark")), str(iceberg_peers.PEERS / "spark_peer.py"), jars, "--hadoop",
                                     str(folder / "spark")], folder / "spark.log")
    stack.callback(program.close)
    return compare_all("spark", parquet_readers.Spark(program), jobs)


# ---- Files ---------------------------------------------------------------------------------------

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


def copy_options(rng):
    """Random ones of COPY."""
    found = ["FORMAT parquet"]
    codec = rng.choice([None, "zstd", "snappy", "gzip", "lz4", "none"])
    if codec:
        found.append(f"COMPRESSION {codec}")
    if codec in ("zstd", "gzip", "lz4") and rng.random() < 0.5:
        found.append(f"COMPRESSION_LEVEL {rng.randrange(1, 23 if codec == 'zstd' else 10)}")
    if rng.random() < 0.6:
        found.append(f"ROW_GROUP_ROWS {rng.choice([1, 7, 100, 1000])}")
    if rng.random() < 0.3:
        found.append("FILE_SIZE '20kB'")
    return ", ".join(found)


class Jobs:
    """Tables that were written again, for the readers."""

    def __init__(self, build, folder):
        self.build, self.folder = build, folder
        self.found = []
        self.wrong = []

    def add(self, name, original, rewritten, kinds=(), filters=()):
        self.found.append({"name": name, "original": str(original), "rewritten": [str(path) for path in rewritten],
                           "kinds": list(kinds), "filters": list(filters), "ignored": ignored_columns(original)})

    def new_path(self):
        return self.folder / f"{len(self.found)}.rewritten.parquet"

    def rewrite(self, name, original, options, kinds=(), filters=()):
        """By parquet_rewrite, which may refuse what others made."""
        path = self.new_path()
        done = subprocess.run([self.build / "parquet_rewrite", original, path, *options.split()], capture_output=True,
                              text=True)
        if done.returncode not in (0, 1) or (kinds and done.returncode != 0):
            self.wrong.append(f"{name} {options}: parquet_rewrite ended with {done.returncode}: {done.stderr[-400:]}")
        elif done.returncode == 0:
            self.add(f"{name} {options}", original, [path], kinds, filters)

    def copy(self, name, original, options, kinds, filters):
        """By SQL."""
        path = self.new_path()
        done = subprocess.run([self.build / "firn", "--quiet", "-c",
                               f"COPY (SELECT * FROM read_parquet('{original}')) TO '{path}' ({options})"],
                              capture_output=True, text=True)
        if done.returncode != 0:
            self.wrong.append(f"{name} COPY ({options}): {done.stderr[-400:]}")
            return
        parts = [path]
        if path.is_dir():
            parts = sorted(path.glob("*.parquet"), key=lambda part: int(part.stem.split("_")[1]))
        self.add(f"{name} COPY ({options})", original, parts, kinds, filters)

    def add_seed(self, seed, original, kinds, filters, has_all):
        rng = random.Random(f"options {seed}")
        for options in OPTIONS if has_all else [OPTIONS[seed % len(OPTIONS)]] * (seed % 3 != 0):
            self.rewrite(f"seed {seed}", original, options, kinds, filters)
        for _ in range(COPIES_OF_ONE if has_all else seed % 3 == 0):
            self.copy(f"seed {seed}", original, copy_options(rng), kinds, filters)


def make_jobs(jobs, told):
    shared = pathlib.Path(os.environ.get("SHARED", ROOT.parent / "shared")) / "conformance" / "parquet"
    files = sorted(shared.glob("generated/*.parquet")) + sorted(shared.glob("parquet-testing/data/*.parquet"))
    if not files:
        print(f"skipped: the conformance files, {shared} is not there")
    for i, path in enumerate(files if told.full else files[::4] if told.seed is None else []):
        for options in OPTIONS if told.full else [OPTIONS[i % len(OPTIONS)]]:
            jobs.rewrite(path.name, path, options)
    from_files = len(jobs.found)
    if told.seed is not None:
        seeds = [told.seed]
    else:
        fixed, new = 200 if told.full else 60, random.SystemRandom().randrange(1000, 10 ** 9)
        seeds = [*range(fixed), *range(new, new + (30 if told.full else 12))]
        print(f"seeds 0 to {fixed - 1} and, new this time, {new} to {seeds[-1]}; --seed N is one again")
    has_all = told.full or told.seed is not None
    for seed in seeds:
        original = jobs.folder / f"{seed}.random.parquet"
        jobs.add_seed(seed, original, *parquet_random.random_table(seed, original), has_all)
    intervals = [seed for seed in seeds if has_all or seed % 12 in (0, 7)]
    subprocess.run([venv("duckdb"), __file__, "--intervals", jobs.folder, *map(str, intervals)], check=True)
    for seed in intervals:
        jobs.add_seed(seed, jobs.folder / f"{seed}.interval.parquet", ["interval"], [], has_all)
    print(f"{from_files} files of the conformance sets, {len(jobs.found) - from_files} random ones", flush=True)


def venv(group):
    done = subprocess.run(["bash", "tools/dev/venv.sh", group], cwd=ROOT, check=True, capture_output=True,
                          text=True)
    return ROOT / done.stdout.strip() / "bin" / "python"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--without-spark", action="store_true")
    told = parser.parse_args()
    from rest_sql_test import Session  # Which reads BUILD from the arguments.
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="firn-parquet-")))
        jobs = Jobs(told.build.resolve(), folder)
        make_jobs(jobs, told)
        (folder / "jobs.json").write_text(json.dumps(jobs.found))
        counts = [(len(jobs.wrong), len(jobs.wrong))]
        print("".join(f"FAIL {each}\n" for each in jobs.wrong), end="", flush=True)
        counts += [compare_in_child(name, folder / "jobs.json") for name in CHILDREN]
        random_ones = [job for job in jobs.found if job["kinds"]]
        session = stack.enter_context(Session())
        counts.append(compare_all("firn", parquet_readers.Firn(jobs.build / "firn", session), random_ones))
        if not told.without_spark:
            chosen = spark_jobs(jobs.found, SPARK_MAX * (5 if told.full else 1))
            counts.append(compare_with_spark(stack, folder, chosen))
        for job in random_ones:
            wrong = parquet_readers.may_exclude(job["rewritten"])
            counts.append((1, bool(wrong)))
            if wrong:
                print(f"FAIL bounds: {job['name']}: {wrong}")
        compared, failed = map(sum, zip(*counts))
    print(f"{compared - failed} passed, {failed} failed, 0 skipped")
    return failed > 0 or (told.seed is None and any(count == 0 for count, _ in counts[1:]))


if __name__ == "__main__":
    if sys.argv[1] == "--read":
        print(*compare_all(sys.argv[2], CHILDREN[sys.argv[2]](), json.loads(pathlib.Path(sys.argv[3]).read_text())))
    elif sys.argv[1] == "--intervals":
        for number in map(int, sys.argv[3:]):
            parquet_random.write_intervals(number, f"{sys.argv[2]}/{number}.interval.parquet")
    else:
        sys.exit(main())
