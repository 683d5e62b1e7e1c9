#!/usr/bin/env python3
"""plan_bench.py [--check] - planning a filtered scan of Iceberg tables of 1,000 and 10,000 data files.

firn's is the CPU time of a whole process that finds the two files of the filter, without that of
`SELECT 1`; PyIceberg's that of plan_files() in a process that has loaded the table. Goals: at most a
tenth of PyIceberg's, and ten times the files take at most twelve times as long. --check fails where a
goal is missed.
"""
import pathlib
import statistics
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


def main():
    nothing = statistics.median(run[1] for run in start(RUNS, ["-c", "SELECT 1"]))
    ours, theirs = [], []
    for count in COUNTS:
        folder = table_of(count)
        sql = (f"SELECT count(*) FROM iceberg_scan('{folder}') WHERE id >= 5000 AND id < 7000")
        runs = start(RUNS, ["-c", sql])
        ours.append(statistics.median(run[1] for run in runs) - nothing)
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
