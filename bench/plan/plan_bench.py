#!/usr/bin/env python3
"""plan_bench.py [--check] - planning a filtered scan of Iceberg tables of 1,000 and 10,000 data files.

firn's is the CPU time of a whole process that finds the two files of the filter, without that of
`SELECT 1`; PyIceberg's that of plan_files() in a process that has loaded the table. Processes take
turns and the least of each counts: a difference of two medians carries the noise of both. Goals: at
most a tenth of PyIceberg's, and ten times the files take at most twelve times as long. --check fails
where a goal is missed.
"""
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "bench" / "start"))
from start_bench import start  # noqa: E402

COUNTS = (1000, 10_000)
RUNS = 11
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
    folder = ROOT / "build" / "data" / f"files_{count}"
    if not (folder / "metadata" / "version-hint.text").exists():
        subprocess.run([python(), str(ROOT / "bench/plan/many_files_table.py"), str(folder),
                        str(count)], check=True)
    return folder


def python():
    venv = subprocess.run(["bash", "tools/dev/venv.sh", "pyiceberg"], cwd=ROOT, check=True,
                          stdout=subprocess.PIPE, text=True).stdout.strip()
    return venv + "/bin/python"


def in_turn(statements):
    """The runs of each statement, one of each after the other."""
    runs = [[] for _ in statements]
    for _ in range(RUNS):
        for mine, sql in zip(runs, statements):
            mine += start(1, ["-c", sql])
    return runs


def main():
    folders = [table_of(count) for count in COUNTS]
    nothing, *planned = in_turn(["SELECT 1"] + [
        f"SELECT count(*) FROM iceberg_scan('{folder}') WHERE id >= 5000 AND id < 7000"
        for folder in folders])
    ours, theirs = [], []
    for count, folder, runs in zip(COUNTS, folders, planned):
        ours.append(min(run[1] for run in runs) - min(run[1] for run in nothing))
        theirs.append(float(subprocess.run([python(), "-c", PYICEBERG, str(folder)], check=True,
                                           stdout=subprocess.PIPE, text=True).stdout))
        print(f"{count} files: firn {ours[-1]:.1f} ms, PyIceberg {theirs[-1]:.0f} ms "
              f"({theirs[-1] / ours[-1]:.0f} times as long), peak {max(run[2] for run in runs) / 1024:.1f} MB")
    growth = ours[1] / ours[0]
    print(f"ten times the files: {growth:.1f} times the time")
    is_missed = any(a > b / 10 for a, b in zip(ours, theirs)) or growth > 12
    return 1 if is_missed and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
