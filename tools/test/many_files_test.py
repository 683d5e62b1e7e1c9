#!/usr/bin/env python3
"""many_files_test.py FIRN - an Iceberg table of 10,000 data files, as bench/plan makes it.

LIMIT 10 opens at most three of them, before the other manifests are read; a filter leaves two and opens
no other; planning is what bench/plan asks of it.
"""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "bench" / "plan"))
from plan_bench import table_of  # noqa: E402

failed = []


def check(name, is_good, text):
    print(f"ok   {name}" if is_good else f"FAIL {name}\n{text}", flush=True)
    if not is_good:
        failed.append(name)


def measured(sql, threads):
    """What EXPLAIN ANALYZE counts, and its text."""
    done = subprocess.run([sys.argv[1], "--threads", str(threads), "--format", "csv", "-c",
                           "EXPLAIN ANALYZE " + sql], capture_output=True, text=True, check=False)
    counts = {word.strip(): int(number) for word, number in
              re.findall(r"(?<=  )([a-z ]+)=(\d+)", done.stdout)}
    return counts, done.stdout + done.stderr


def main():
    source = f"iceberg_scan('{table_of(10_000)}')"
    for threads in (1, 2, 8):
        for columns in ("*", "id", "region, amount"):
            counts, text = measured(f"SELECT {columns} FROM {source} LIMIT 10", threads)
            check(f"LIMIT 10 of {columns}, {threads} threads",
                  1 <= counts.get("files", 0) <= 3 and counts.get("manifests") == 1, text)
        counts, text = measured(f"SELECT id FROM {source} WHERE id = 77", threads)
        check(f"one id, {threads} threads", counts.get("files") == 1
              and counts.get("files pruned by bounds") == 9999, text)
    counts, text = measured(f"SELECT id FROM {source} WHERE amount > 3 LIMIT 10", 1)
    check("LIMIT 10 behind a filter", counts.get("files") == 1 and counts.get("manifests") == 1, text)
    bench = subprocess.run([sys.executable, str(ROOT / "bench/plan/plan_bench.py"), "--check"],
                           capture_output=True, text=True, check=False)
    check("planning takes a tenth of PyIceberg's time and grows linearly", bench.returncode == 0,
          bench.stdout + bench.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
