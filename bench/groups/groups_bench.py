#!/usr/bin/env python3
"""groups_bench.py - firn next to DuckDB and DataFusion on groups and joins of ten million rows.

The questions are those of H2O.ai's db-benchmark (https://h2oai.github.io/db-benchmark) that need no
window, and some of our own: keys of few and of many values, numbers and texts; sums, ranks and
what collects. The answers are reduced to a row, so that handing them over counts for nothing.
Engines take turns, query by query; first run in a process, and the best of the later ones; medians of
the alternations. Answers must agree with DuckDB's. The table goes to build/bench/groups.md.
"""
import argparse
import pathlib
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tpch"))

from tpch_bench import MEASURES, ROOT, measure, same_rows, venv  # noqa: E402
from tpch_limits import geometric_mean  # noqa: E402

ENGINES = ("firn", "duckdb", "datafusion")
GROUPS = {
    "sum by a text of 100": "SELECT id1, sum(v1) AS a FROM g GROUP BY id1",
    "sum by two texts of 100": "SELECT id1, id2, sum(v1) AS a FROM g GROUP BY id1, id2",
    "sum, avg by a text of 100,000": "SELECT id3, sum(v1) + avg(v3) AS a FROM g GROUP BY id3",
    "three avg by a number of 100": "SELECT id4, avg(v1) + avg(v2) + avg(v3) AS a FROM g GROUP BY id4",
    "three sum by a number of 100,000":
        "SELECT id6, sum(v1) + sum(v2) + sum(v3) AS a FROM g GROUP BY id6",
    "median, stddev by two numbers":
        "SELECT id4, id5, median(v3) + stddev(v3) AS a FROM g GROUP BY id4, id5",
    "max, min by a text of 100,000": "SELECT id3, max(v1) - min(v2) AS a FROM g GROUP BY id3",
    "corr by text and number": "SELECT id2, id4, power(corr(v1, v2), 2) AS a FROM g GROUP BY id2, id4",
    "sum by six keys": "SELECT id1, id2, id3, id4, id5, id6, sum(v3) + count(*) AS a FROM g "
                       "GROUP BY id1, id2, id3, id4, id5, id6",
    "count, sum by a number of 10 M":
        "SELECT id3, count(*) + sum(v1) AS a FROM x GROUP BY id3",
    "median by two texts": "SELECT id1, id2, median(v3) AS a FROM g GROUP BY id1, id2",
    "string_agg by a number of 100":
        "SELECT id4, length(string_agg(id1, ',')) AS a FROM g GROUP BY id4",
    "count(DISTINCT) by a text of 100": "SELECT id1, count(DISTINCT id6) AS a FROM g GROUP BY id1",
}
JOINS = {
    "10 rows by number": "x JOIN small AS y ON x.id1 = y.id1",
    "10,000 rows by number": "x JOIN medium AS y ON x.id2 = y.id2",
    "10,000 rows by number, left": "x LEFT JOIN medium AS y ON x.id2 = y.id2",
    "10,000 rows by text": "x JOIN medium AS y ON x.id5 = y.id5",
    "10 M rows by number": "x JOIN big AS y ON x.id3 = y.id3",
    "10 M rows by text": "x JOIN big AS y ON x.id6 = y.id6",
}


def queries():
    for name, sql in GROUPS.items():
        yield name, f"SELECT count(*) AS n, sum(a) AS a FROM ({sql}) AS q"
    for name, tables in JOINS.items():
        yield f"join of {name}", f"SELECT count(*) AS n, sum(x.v1) AS a, sum(y.v2) AS b FROM {tables}"


# Numbers by hash, so that they are the same each time.
DATA = """
import duckdb, sys
out, rows = sys.argv[1], int(sys.argv[2])
many = rows // 100
query = duckdb.connect().execute
def n(seed, most): return f"1 + (hash(r * 16 + {seed}) % {most})::INTEGER"
def t(seed, most, width): return f"'id' || lpad(({n(seed, most)})::VARCHAR, {width}, '0')"
def save(name, sql): query(f"COPY ({sql}) TO '{out}/{name}.parquet' (COMPRESSION snappy)")
save("g", f"SELECT {t(1, 100, 3)} AS id1, {t(2, 100, 3)} AS id2, {t(3, many, 10)} AS id3, {n(4, 100)} AS id4, "
     f"{n(5, 100)} AS id5, {n(6, many)} AS id6, {n(7, 5)} AS v1, {n(8, 15)} AS v2, "
     f"({n(9, 100000000)}) / 1e6 AS v3 FROM range({rows}) AS s(r)")
save("x", f"SELECT {n(1, 10)} AS id1, {n(2, 10000)} AS id2, {n(3, rows * 11 // 10)} AS id3, "
     f"{t(5, 10000, 1)} AS id5, {t(6, rows * 11 // 10, 1)} AS id6, ({n(7, 100000000)}) / 1e6 AS v1 "
     f"FROM range({rows}) AS s(r)")
for name, count in (("small", 10), ("medium", 10000), ("big", rows)):
    save(name, f"SELECT r % 10 + 1 AS id1, r % 10000 + 1 AS id2, r + 1 AS id3, 'id' || r % 10000 + 1 AS id5, "
         f"'id' || r + 1 AS id6, ({n(8, 100000000)}) / 1e6 AS v2 FROM (SELECT r FROM range({count}) AS s(r) "
         "ORDER BY hash(r))")
"""


def tables(rows):
    out = ROOT / "build" / "data" / f"groups_{rows}"
    if not (out / "done").exists():
        out.mkdir(parents=True, exist_ok=True)
        subprocess.run([venv("duckdb"), "-c", DATA, str(out), str(rows)], check=True)
        (out / "done").touch()
    return out


def run(name, sql, engines, data, options):
    """{engine: its median measures}; engines whose answers are not DuckDB's are told and left out."""
    sql_file = ROOT / "build" / "bench" / "groups.sql"
    sql_file.parent.mkdir(parents=True, exist_ok=True)
    sql_file.write_text(sql)
    turns, rows = {}, {}
    for _ in range(options.rounds):
        for engine, python in engines.items():
            out, why = measure(engine, python, data, name, sql_file, options)
            if out is None:
                print(f"FAIL {engine}: {name}: {why}")
                continue
            rows[engine] = out["rows"]
            turns.setdefault(engine, []).append(out["measures"])
    for engine in [engine for engine in turns if not same_rows(rows[engine], rows["duckdb"])]:
        print(f"FAIL {engine}: {name}: {rows[engine]}, and DuckDB {rows['duckdb']}")
        del turns[engine]
    return {engine: [statistics.median(column) for column in zip(*each)] for engine, each in turns.items()}


def table(measure_at, results):
    yield f"\n{MEASURES[measure_at]}, ms:\n"
    yield "| | " + " | ".join(ENGINES) + " | firn / DuckDB |"
    yield "| --- |" + " ---: |" * (len(ENGINES) + 1)
    ratios = []
    for name, found in results.items():
        values = [found[engine][measure_at] if engine in found else None for engine in ENGINES]
        if values[0] is not None:
            ratios.append(values[0] / values[1])
        shown = " | ".join("-" if value is None else f"{value:.1f}" for value in values)
        yield f"| {name} | {shown} | {'-' if values[0] is None else f'{ratios[-1]:.2f}'} |"
    yield f"| geometric mean |{' |' * len(ENGINES)} {geometric_mean(ratios):.2f} |"


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10000000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5, help="alternations, whose median counts")
    parser.add_argument("--runs", type=int, default=3, help="runs after the first in a process")
    parser.add_argument("--only", default="", help="part of a query's name")
    parser.add_argument("--timeout", type=int, default=300)
    options = parser.parse_args()
    data = tables(options.rows)
    engines = {engine: venv("data" if engine == "firn" else engine) for engine in ENGINES}
    results = {}
    for name, sql in queries():
        if options.only in name:
            results[name] = run(name, sql, engines, data, options)
            print(name, {engine: f"{found[2]:.0f} ms" for engine, found in results[name].items()},
                  flush=True)
    lines = [line for at in range(4) for line in table(at, results)]
    (ROOT / "build" / "bench" / "groups.md").write_text("\n".join(lines) + "\n")
    print("\n".join(lines))
    return any("firn" not in found for found in results.values())


if __name__ == "__main__":
    sys.exit(main())
