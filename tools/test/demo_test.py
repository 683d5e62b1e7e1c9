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


def python():
    made = subprocess.run(["bash", "tools/dev/venv.sh", "pyiceberg"], cwd=ROOT, capture_output=True, text=True,
                          check=True)
    return made.stdout.strip() + "/bin/python"


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
    opened = re.search(r"  files=(\d+)", plan)
    pruned = sum(int(count) for count in re.findall(r"files pruned by \w+=(\d+)", plan))
    # There are 14 files; the week lies in one, and bounds rule out a second of its month.
    good &= check("the week of July opens one file", opened is not None and opened[1] == "1"
                  and pruned == 13, plan)
    # What PyIceberg sees is what firn says at last.
    read = subprocess.run([python(), "examples/demo/read_back.py", "build/demo/catalog.db"], cwd=ROOT,
                          capture_output=True, text=True)
    good &= check("PyIceberg reads what firn changed", list(csv.reader(read.stdout.splitlines())) == got,
                  f"got {got}\nPyIceberg {read.stdout}{read.stderr}")
    again = subprocess.run(["bash", "./dev", "demo"], cwd=ROOT, capture_output=True, text=True)
    good &= check("./dev demo once more", again.returncode == 0 and "written already" in again.stdout,
                  (again.stdout + again.stderr)[-4000:])
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
