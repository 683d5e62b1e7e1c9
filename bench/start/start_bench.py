#!/usr/bin/env python3
"""start_bench.py [COUNT] - from the start of a process to its exit, COUNT times (100).

Two runs: `firn -c "SELECT 1"`, and the headline query on a local Iceberg table of eight files and a
million rows. Prints the median and the slowest time and the peak of memory (VmHWM); the first few
starts, which warm the file cache, do not count. Goals: 3 ms; 12 ms and 24 MB.
"""
import os
import pathlib
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
FIRN = str(ROOT / "build" / "release" / "firn")
WARM_UP = 5


def start(arguments):
    """Milliseconds and peak kilobytes of one process."""
    begin = time.perf_counter()
    process = os.posix_spawn(FIRN, [FIRN, *arguments], os.environ, file_actions=[
        (os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0),
        (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0)])
    _, status, usage = os.wait4(process, 0)
    seconds = time.perf_counter() - begin
    if status != 0:
        subprocess.run([FIRN, *arguments], check=False)
        sys.exit(f"firn {arguments} failed")
    return seconds * 1e3, usage.ru_maxrss


def make_table():
    folder = ROOT / "build" / "data" / "sales"
    if not (folder / "catalog.db").exists():
        venv = subprocess.run(["bash", "tools/dev/venv.sh", "pyiceberg"], cwd=ROOT, check=True,
                              stdout=subprocess.PIPE, text=True).stdout.strip()
        subprocess.run([venv + "/bin/python",
                        str(pathlib.Path(__file__).parent / "sales_table.py"), str(folder)],
                       check=True)
    return folder


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    sales = make_table()
    headline = (f"ATTACH 'sqlite:{sales}/catalog.db' AS lake (TYPE iceberg); USE lake.db; "
                "SELECT region, SUM(revenue) FROM sales GROUP BY region")
    for name, sql in (("SELECT 1", "SELECT 1"), ("the headline, 8 files", headline)):
        runs = [start(["-c", sql]) for _ in range(count + WARM_UP)][WARM_UP:]
        times = [run[0] for run in runs]
        print(f"{name}: median {statistics.median(times):.2f} ms, slowest {max(times):.2f} ms, "
              f"peak {max(run[1] for run in runs) / 1024:.1f} MB, {count} starts")


if __name__ == "__main__":
    main()
