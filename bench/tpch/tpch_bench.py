#!/usr/bin/env python3
"""tpch_bench.py - firn next to DuckDB, Polars and DataFusion on the 22 queries of TPC-H.

The tables are Parquet files with Snappy (tpchgen-cli), with ZSTD (PyArrow), and as Iceberg tables
that PyIceberg wrote: those firn reads as a table (firn-iceberg), and everybody as bare files.
`--rounds 3 --runs 2` takes a quarter of an hour; the defaults are what a table for the README is made
with.

Every measurement is a fresh process with one query: the first run is "first touch" (the file cache
is hot, the process is not), the best of the later runs is "warm". Engines take turns, query by query;
the median of the alternations counts. An answer that is not the stored one is a failed run and
takes part in no comparison. All engines get the same files, cores and number of threads.

build/bench/tpch_SCALE.md has the table of the README and what firn promises next to what was measured;
the tables of all queries are beside it.
"""
import argparse
import csv
import json
import math
import os
import pathlib
import re
import statistics
import subprocess
import sys
import time

from tpch_limits import geometric_mean, limits

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
HERE = pathlib.Path(__file__).resolve().parent
TOLERANCE = 1e-6
NUMBER = re.compile(r"[+-]?\d+(\.\d*)?([eE][+-]?\d+)?")
VARIANTS = ("snappy", "zstd", "iceberg")
MEASURES = ("first wall", "first cpu", "warm wall", "warm cpu", "first peak MB", "warm peak MB")


def venv(group):
    done = subprocess.run(["bash", "tools/dev/venv.sh", group], cwd=ROOT, check=True,
                          stdout=subprocess.PIPE, text=True)
    return done.stdout.strip() + "/bin/python"


def parquet_tables(scale, codec):
    done = subprocess.run(["bash", "tools/dev/tpch_data.sh", scale, codec], cwd=ROOT, check=True,
                          stdout=subprocess.PIPE, text=True)
    return pathlib.Path(done.stdout.strip())


def tables_of(scale, variant):
    """The folder of the tables; they are made when they are not there."""
    if variant != "iceberg":
        return parquet_tables(scale, variant)
    out = ROOT / "build" / "data" / f"tpch_{scale}_iceberg"
    if not (out / "done").exists():
        subprocess.run([venv("pyiceberg"), str(HERE / "iceberg_tables.py"),
                        str(parquet_tables(scale, "snappy")), str(out)], check=True)
    return out


# ---- Queries and answers -------------------------------------------------------------------------

def queries():
    """Name and SQL, from the SQL tests."""
    for path in sorted((ROOT / "tests" / "tpch").glob("tpch_q*.slt")):
        text = path.read_text()
        found = re.search(r"^query \S+\n(.*?)\n----\n(.*)", text, re.DOTALL | re.MULTILINE)
        yield path.stem.removeprefix("tpch_"), found.group(1)


def stored_answers(scale):
    """{query: rows} of ../shared, or None; the peers then have to agree with each other."""
    folder = pathlib.Path(os.environ.get("FIRN_SHARED", ROOT.parent / "shared"))
    folder = folder / "sql" / "tpch" / "answers" / f"sf{scale}"
    if not folder.is_dir():
        return None
    answers = {}
    for path in folder.glob("q*.csv"):
        with open(path, newline="", encoding="utf-8") as file:
            # A row of one NULL is an empty line.
            answers[path.stem] = [row or [""] for row in csv.reader(file)][1:]
    return answers


def same_value(left, right):
    left, right = ("" if value is None else value.rstrip() for value in (left, right))
    if left == right:
        return True
    if NUMBER.fullmatch(left) and NUMBER.fullmatch(right):
        x, y = float(left), float(right)
        return abs(x - y) <= TOLERANCE * max(1.0, abs(x), abs(y))
    return False


def same_rows(left, right):
    return len(left) == len(right) and all(
        len(a) == len(b) and all(map(same_value, a, b)) for a, b in zip(left, right))


# ---- Measuring -----------------------------------------------------------------------------------

def measure(engine, python, data, query, sql_file, options):
    """One process: its measures and rows, or the reason why there are none."""
    command = [python, str(HERE / "measured_engine.py"), engine, str(data), query,
               str(options.runs + 1), str(options.threads), str(sql_file)]
    environment = dict(os.environ, POLARS_MAX_THREADS=str(options.threads),
                       TOKIO_WORKER_THREADS=str(options.threads), PYTHONPATH=str(HERE))
    cores = sorted(os.sched_getaffinity(0))[:options.threads]
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True,
                              timeout=options.timeout,
                              preexec_fn=lambda: os.sched_setaffinity(0, cores))
    except subprocess.TimeoutExpired:
        return None, f"no answer after {options.timeout} s"
    if done.returncode != 0:
        return None, (done.stderr.strip().splitlines() or [f"exit {done.returncode}"])[-1][:160]
    out = json.loads(done.stdout)
    later = out["wall"][1:], out["cpu"][1:]
    out["measures"] = [out["wall"][0] * 1e3, out["cpu"][0] * 1e3, min(later[0]) * 1e3,
                       min(later[1]) * 1e3, out["peak_kb"][0] / 1024, out["peak_kb"][-1] / 1024]
    return out, None


def run_all(engines, data, answers, options):
    """{(engine, query): [measures of each alternation]}, {engine: version}, failures."""
    results, versions, failures = {}, {}, {}
    scratch = ROOT / "build" / "bench"
    scratch.mkdir(parents=True, exist_ok=True)
    for query, sql in queries():
        if options.only and query not in options.only.split(","):
            continue
        sql_file = scratch / f"{query}.sql"
        sql_file.write_text(sql)
        wanted = answers[query] if answers else None
        for turn in range(options.rounds):
            for engine, python in engines.items():
                if (engine, query) in failures:
                    continue
                out, why = measure(engine, python, data, query, sql_file, options)
                if why is None and wanted is None:
                    wanted = out["rows"]  # The first that answers is what the others agree with.
                if why is None and not same_rows(wanted, out["rows"]):
                    why = "a different answer"
                if why is not None:
                    failures[engine, query] = why
                    print(f"FAIL {engine} {query}: {why}", flush=True)
                    continue
                versions[engine] = out["version"]
                results.setdefault((engine, query), []).append(out["measures"])
        shown = "  ".join(
            f"{engine} {statistics.median(m[0] for m in results[engine, query]):.0f}"
            for engine in engines if (engine, query) in results and (engine, query) not in failures)
        print(f"{query}: first touch, wall ms: {shown}", flush=True)
    good = {key: value for key, value in results.items() if key not in failures}
    return good, versions, failures


# ---- Reports -------------------------------------------------------------------------------------

def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        model = next((line.split(":")[1].strip() for line in file if line.startswith("model name")),
                     os.uname().machine)
    with open("/proc/meminfo", encoding="ascii") as file:
        memory_gb = int(file.readline().split()[1]) / 2**20
    return f"{model}, {len(os.sched_getaffinity(0))} cores, {memory_gb:.0f} GB"


def medians(results):
    return {key: [statistics.median(column) for column in zip(*turns)]
            for key, turns in results.items()}


def report(results, versions, engines, title):
    values = medians(results)
    names = sorted({query for _, query in values})
    lines = [f"## {title}", "", f"{machine()}; " + ", ".join(
        f"{engine} {versions[engine]}" for engine in engines if engine in versions), ""]
    for index, measure_name in enumerate(MEASURES):
        unit = "" if "MB" in measure_name else ", ms"
        lines += [f"### {measure_name}{unit}", "",
                  "| query | " + " | ".join(engines) + " | firn / DuckDB | firn / best peer |",
                  "| --- |" + " ---: |" * (len(engines) + 2)]
        ratios = {"duckdb": [], "best": []}
        for query in names:
            row = {engine: values[engine, query][index] for engine in engines
                   if (engine, query) in values}
            peers = [row[engine] for engine in row if not engine.startswith("firn")]
            own = row.get("firn")
            cells = [f"{row[engine]:.1f}" if engine in row else "–" for engine in engines]
            for kind, other in (("duckdb", row.get("duckdb")), ("best", min(peers, default=None))):
                if own and other and other > 0:
                    ratios[kind].append(own / other)
                    cells.append(f"{own / other:.2f}")
                else:
                    cells.append("–")
            lines.append(f"| {query} | " + " | ".join(cells) + " |")
        lines += ["| geometric mean |" + " |" * len(engines) +
                  f" {geometric_mean(ratios['duckdb']):.2f} |"
                  f" {geometric_mean(ratios['best']):.2f} |", ""]
    return "\n".join(lines)


def summary(runs, engines, options):
    """The table of the README: geometric means over the queries that all engines answered."""
    lines = [f"TPC-H, scale {options.scale}, {options.threads} threads, median of {options.rounds} "
             f"alternations, geometric means over the queries in ms ({machine()}).", "",
             "| files | measure | " + " | ".join(engines) + " | firn / DuckDB | firn / best peer |",
             "| --- | --- |" + " ---: |" * (len(engines) + 2)]
    for variant, values in runs:
        names = sorted({query for _, query in values})
        present = [engine for engine in engines if any(key[0] == engine for key in values)]
        common = [query for query in names if all((engine, query) in values for engine in present)]
        for index, measure_name in enumerate(MEASURES):
            cells = {engine: geometric_mean([values[engine, query][index] for query in common])
                     for engine in present}
            best = geometric_mean([min((values[engine, query][index] for engine in present
                                        if not engine.startswith("firn")), default=math.nan)
                                   for query in common])
            ratios = [cells.get("firn", math.nan) / cells.get("duckdb", math.nan),
                      cells.get("firn", math.nan) / best]
            lines.append(f"| {variant} | {measure_name} | " + " | ".join(
                f"{cells[engine]:.1f}" if engine in cells else "–" for engine in engines) +
                f" | {ratios[0]:.2f} | {ratios[1]:.2f} |")
        if len(common) < len(names):
            lines.append(f"| {variant} | queries that count | {len(common)} of {len(names)} |" +
                         " |" * (len(engines) + 1))
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", default="1")
    parser.add_argument("--files", choices=VARIANTS, action="append")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5, help="alternations, whose median counts")
    parser.add_argument("--runs", type=int, default=3, help="runs after the first in a process")
    parser.add_argument("--engines", default="firn,firn-iceberg,duckdb,polars,datafusion",
                        help="firn-iceberg is measured on the Iceberg tables only")
    parser.add_argument("--only", help="queries such as q01,q06")
    parser.add_argument("--timeout", type=float, default=120)
    options = parser.parse_args()
    names = options.engines.split(",")
    engines = {name: venv("data" if name.startswith("firn") else name) for name in names}
    answers = stored_answers(options.scale)
    failed = False
    runs = []
    folder = ROOT / "build" / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    for variant in options.files or VARIANTS:
        data = tables_of(options.scale, variant)
        present = {name: python for name, python in engines.items()
                   if variant == "iceberg" or name != "firn-iceberg"}
        begin = time.time()
        results, versions, failures = run_all(present, data, answers, options)
        text = report(results, versions, list(present), f"TPC-H, scale {options.scale}, {variant}, "
                      f"{options.threads} threads, median of {options.rounds}")
        print("\n" + text)
        runs.append((variant, medians(results)))
        out = folder / f"tpch_{options.scale}_{variant}"
        pathlib.Path(f"{out}.md").write_text(text)
        pathlib.Path(f"{out}.json").write_text(json.dumps(
            {"machine": machine(), "versions": versions, "measures": MEASURES,
             "failures": {" ".join(key): why for key, why in failures.items()},
             "results": {" ".join(key): turns for key, turns in results.items()}}, indent=1))
        print(f"{time.time() - begin:.0f} s; kept in {out.relative_to(ROOT)}.md and .json")
        failed |= any(engine.startswith("firn") for engine, _ in failures)
    promised, all_kept = limits(runs, [(index, name) for index, name in enumerate(MEASURES)
                                       if "MB" not in name])
    text = summary(runs, names, options) + "\n" + promised
    (folder / f"tpch_{options.scale}.md").write_text(text)
    print("\n" + text)
    print("all that is promised is kept" if all_kept else "not all that is promised is kept")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
