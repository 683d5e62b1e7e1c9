#!/usr/bin/env python3
"""demo_test.py - runs ./dev demo, then each of its queries against the answers of another engine.

The answers of examples/demo/answers were made by DuckDB over the Parquet files of examples/data.
"""
import csv
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
FIRN = [str(ROOT / "build/release/firn"), "--init", "examples/demo/attach.sql", "--format", "csv"]


def check(name, is_good, text):
    print(f"ok   {name}" if is_good else f"FAIL {name}\n{text}", flush=True)
    return is_good


def main():
    demo = subprocess.run(["bash", "./dev", "demo"], cwd=ROOT, capture_output=True, text=True)
    good = check("./dev demo", demo.returncode == 0, (demo.stdout + demo.stderr)[-4000:])
    good &= check("./dev demo shows the airlines", "Hawaiian Airlines Inc." in demo.stdout,
                  demo.stdout[-4000:])
    queries = sorted((ROOT / "examples/demo").glob("[0-9]*.sql"))
    for query in queries:
        done = subprocess.run([*FIRN, "-f", str(query)], cwd=ROOT, capture_output=True, text=True)
        with open(ROOT / "examples/demo/answers" / f"{query.stem}.csv", encoding="utf-8") as file:
            wanted = list(csv.reader(file))
        got = list(csv.reader(done.stdout.splitlines()))
        good &= check(query.stem, got == wanted, f"got {got}\nwanted {wanted}\n{done.stderr}")
    plan = subprocess.run([*FIRN, "-c", "EXPLAIN ANALYZE " + queries[2].read_text()], cwd=ROOT,
                          capture_output=True, text=True).stdout
    # Eleven or more of the twelve months are not opened.
    good &= check("the week of July prunes files", re.search(r"files.*\b1\d\b", plan) is not None,
                  plan)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
