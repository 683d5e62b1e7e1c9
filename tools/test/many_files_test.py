#!/usr/bin/env python3
"""many_files_test.py FIRN - an Iceberg table of 10,000 data files, as bench/plan makes it.

LIMIT 10 opens at most three of them, before the other manifests are read; a filter leaves one and opens
no other: counted by the system (inotify) as well as by firn. Planning is what bench/plan asks of it.
"""
import contextlib
import ctypes
import os
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


IN_NONBLOCK, IN_OPEN, EVENT_HEADER = 0o4000, 0x20, 16


@contextlib.contextmanager
def opened(folder):
    """A set: the names of the files in a folder that anybody opens meanwhile, once that is over."""
    libc, names = ctypes.CDLL(None, use_errno=True), set()
    watcher = libc.inotify_init1(IN_NONBLOCK)
    try:
        if watcher < 0 or libc.inotify_add_watch(watcher, os.fsencode(folder), IN_OPEN) < 0:
            raise OSError(ctypes.get_errno(), "inotify", str(folder))
        yield names
        while True:
            try:
                events = os.read(watcher, 1 << 20)
            except BlockingIOError:
                return
            while events:
                size = EVENT_HEADER + int.from_bytes(events[12:EVENT_HEADER], sys.byteorder)
                names.add(events[EVENT_HEADER:size].rstrip(b"\0").decode())
                events = events[size:]
    finally:
        os.close(watcher)


def run(sql, threads):
    done = subprocess.run([sys.argv[1], "--threads", str(threads), "--format", "csv", "-c", sql],
                          capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def measured(sql, threads):
    """What EXPLAIN ANALYZE counts, and its text. It must be what the system counts."""
    with opened(TABLE / "data") as files, opened(TABLE / "metadata") as metadata:
        run(sql, threads)
    manifests = {name for name in metadata if name.endswith(".avro") and not name.startswith("snap-")}
    text = run("EXPLAIN ANALYZE " + sql, threads)
    counts = {word.strip(): int(number) for word, number in
              re.findall(r"(?<=  )([a-z ]+)=(\d+)", text)}
    check(f"counts of {sql.replace(str(TABLE), '…')}, {threads} threads",
          len(files) == counts.get("files") and len(manifests) == counts.get("manifests"),
          f"opened {len(files)} files and {len(manifests)} manifests: {sorted(files | manifests)[:9]}\n{text}")
    return counts, text


TABLE = pathlib.Path(table_of(10_000))


def main():
    source = f"iceberg_scan('{TABLE}')"
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
