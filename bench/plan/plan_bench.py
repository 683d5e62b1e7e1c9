#!/usr/bin/env python3
"""plan_bench.py [--check] - planning a filtered scan of Iceberg tables of 1,000 and 10,000 data files.

firn's is the CPU time of a whole process that finds the two files of the filter, without that of
`SELECT 1`; PyIceberg's that of plan_files() in a process that has loaded the table. Processes take
turns and the least of each counts: a difference of two medians carries the noise of both. Goals: of
10,000 files at most a tenth of PyIceberg's, and ten times the files take at most twelve times as long.
--check fails where a goal is missed, also with more runs.
"""
import argparse
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "bench" / "start"))
from start_bench import python, start, table_folder  # noqa: E402

COUNTS = (1000, 10_000)
RUNS = 11
ROUNDS = 5  # Of RUNS, while a goal is missed: others may be at work.
PYICEBERG = """
import statistics, sys, time
from pyiceberg.table import StaticTable
table = StaticTable.from_metadata(sys.argv[1] + "/metadata/v1.metadata.json")
times = []
for _ in range(3):
    begin = time.process_time()
    files = list(table.scan(row_filter="id >= 5000 and id < 7000").plan_files())
    times.append(time.process_time() - begin)
assert len(files) == 2, files
print(statistics.median(times) * 1e3)
"""


def table_of(count):
    """The folder of a table; made when it is missing."""
    return table_folder(f"files_{count}", "metadata/version-hint.text", "plan/many_files_table.py",
                        str(count))


def run_in_turn(statements, runs):
    """Adds runs of each statement, one of each after the other."""
    for _ in range(RUNS):
        for mine, sql in zip(runs, statements):
            mine += start(1, ["-c", sql])


def pyiceberg_ms(folder):
    return float(subprocess.run([python(), "-c", PYICEBERG, str(folder)], check=True,
                                stdout=subprocess.PIPE, text=True).stdout)


def is_missed(runs, theirs):
    """Prints what was measured; whether a goal is missed."""
    nothing, *planned = runs
    ours = [min(run[1] for run in each) - min(run[1] for run in nothing) for each in planned]
    for count, each, firn, pyiceberg in zip(COUNTS, planned, ours, theirs):
        print(f"{count} files: firn {firn:.1f} ms, PyIceberg {pyiceberg:.0f} ms "
              f"({pyiceberg / firn:.0f} times as long), peak {max(run[2] for run in each) / 1024:.1f} MB")
    growth = ours[1] / ours[0]
    print(f"ten times the files: {growth:.1f} times the time")
    return ours[-1] > theirs[-1] / 10 or growth > 12


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="fail where a goal is missed")
    is_check = parser.parse_args().check
    folders = [table_of(count) for count in COUNTS]
    statements = ["SELECT 1"] + [
        f"SELECT count(*) FROM iceberg_scan('{folder}') WHERE id >= 5000 AND id < 7000"
        for folder in folders]
    runs = [[] for _ in statements]
    theirs = [pyiceberg_ms(folder) for folder in folders]
    for _ in range(ROUNDS if is_check else 1):
        run_in_turn(statements, runs)
        if not is_missed(runs, theirs):
            return 0
    return 1 if is_check else 0


if __name__ == "__main__":
    sys.exit(main())
