#!/usr/bin/env python3
"""at_once_test.py BUILD [--full] - many queries at once in one engine with little memory.

Writes a Parquet file of different texts in pages of 1 MB, opens an engine of BUILD/libfirn.so by its
C interface and lets several threads, a session each, group and sort all of it at once: readers
cannot write out what they hold, so queries have to wait for each other. Each answer must be whole.

Then two queries of TPC-H that spill share a limit, at scale 0.1, and with --full at scale 1 too: the
answers are those of an unlimited run (and of $SHARED's, where they are stored), and the process, one
of its own, stays within the limit and 3 MB beside what it takes without them.
Needs a Python with pyarrow. A last line counts.
"""
import ctypes
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import threading

import pyarrow
import pyarrow.parquet

import memory_test
from memory_test import MB

ROWS, GROUP_ROWS = 900_000, 150_000
# Queries at once, memory_limit in MB. One alone takes 6 to 10 MB with one worker.
CASES = [(1, 8), (2, 20), (3, 40), (4, 56), (6, 90)]
SQL = {
    "group by": "SELECT count(*) FROM (SELECT t, count(*) FROM '{file}' GROUP BY 1) AS q",
    "sort": "SELECT count(*) FROM (SELECT * FROM '{file}' ORDER BY t LIMIT 100000000) AS q",
}
# Queries of TPC-H that spill, two at once, and memory_limit in MB by scale.
PAIRS = [(9, 18), (7, 21), (10, 18), (18, 18)]
PAIR_LIMITS = {"0.1": 12, "1": 64}


class Option(ctypes.Structure):
    _fields_ = [("key", ctypes.c_char_p), ("value", ctypes.c_char_p)]


class Error(ctypes.Structure):
    _fields_ = [("size", ctypes.c_uint32), ("status", ctypes.c_int), ("sqlstate", ctypes.c_char * 6),
                ("retryable", ctypes.c_bool), ("position", ctypes.c_uint64),
                ("length", ctypes.c_size_t), ("text", ctypes.c_char * 1024),
                ("hint", ctypes.c_char * 256), ("reserved", ctypes.c_uint64 * 8)]


class Engine:
    """What this test needs of firn.h."""

    def __init__(self, library, **options):
        self.library = library
        items = (Option * len(options))(*[Option(key.encode(), value.encode())
                                          for key, value in options.items()])
        self.engine = ctypes.c_void_p()
        if library.firn_engine_open(items, len(options), ctypes.byref(self.engine), None) != 0:
            raise SystemExit("at_once_test: no engine")

    def close(self):
        self.library.firn_engine_close(self.engine)

    def rows(self, *statements):
        """The rows of the last of a session's statements; the words of what fails."""
        error = Error(size=ctypes.sizeof(Error))
        session = ctypes.c_void_p()
        stream = ctypes.create_string_buffer(40)  # struct ArrowArrayStream
        if self.library.firn_session_open(self.engine, ctypes.byref(session), None) != 0:
            return "no session"
        try:
            for sql in statements:
                text = sql.encode()
                if self.library.firn_query(session, text, len(text), stream, ctypes.byref(error)):
                    return error.text.decode()
                reader = pyarrow.RecordBatchReader._import_from_c(ctypes.addressof(stream))
                table = reader.read_all()
            return list(zip(*(column.to_pylist() for column in table.columns)))
        except (OSError, pyarrow.ArrowException) as fault:
            return str(fault)
        finally:
            self.library.firn_session_close(session)

    def count(self, sql):
        """The one number that a query answers; the words of what fails."""
        rows = self.rows(sql)
        return rows[0][0] if isinstance(rows, list) else rows


def open_library(path):
    library = ctypes.CDLL(str(path))
    pointer, out = ctypes.c_void_p, ctypes.POINTER(ctypes.c_void_p)
    library.firn_engine_open.argtypes = [ctypes.POINTER(Option), ctypes.c_size_t, out, pointer]
    library.firn_session_open.argtypes = [pointer, out, pointer]
    library.firn_query.argtypes = [pointer, ctypes.c_char_p, ctypes.c_size_t, pointer, pointer]
    for name in ("firn_session_close", "firn_engine_close"):
        getattr(library, name).argtypes = [pointer]
        getattr(library, name).restype = None
    return library


def write_file(path):
    """Texts that no dictionary and hardly a codec makes smaller, but in the first page of a group."""
    words = ["carefully", "final", "deposits", "sleep", "quickly", "above", "the", "furiously"]
    texts = [f"{i * 2654435761 % 4294967291:x} {words[i % 8]} {words[i // 8 % 8]} {words[i // 64 % 8]} {i}"
             for i in range(ROWS)]
    table = pyarrow.table({"n": pyarrow.array(range(ROWS)), "t": pyarrow.array(texts)})
    pyarrow.parquet.write_table(table, path, row_group_size=GROUP_ROWS, compression="snappy",
                                data_page_size=1 << 20, dictionary_pagesize_limit=1 << 20)


def run(library, file, clients, megabytes, sql, turns):
    engine = Engine(library, memory_limit=f"{megabytes}MB", threads="2")
    answers = []

    def ask():
        for _ in range(turns):
            answers.append(engine.count(sql.format(file=file)))

    threads = [threading.Thread(target=ask) for _ in range(clients)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    engine.close()
    return [each for each in answers if each != ROWS]


# ---- Two queries under one limit ------------------------------------------------------------------

def peak():
    status = pathlib.Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024


def together(calls):
    """What functions answer that run at the same time."""
    answers = [None] * len(calls)
    begin = threading.Barrier(len(calls))

    def run_one(number):
        begin.wait()
        answers[number] = calls[number]()

    threads = [threading.Thread(target=run_one, args=(number,)) for number in range(len(calls))]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    return answers


def run_pair(build, scale, megabytes, pair):
    """In a process of its own: prints as JSON the answers, what was spilled, and VmHWM above idle."""
    queries = [memory_test.tpch_query(int(number)) for number in pair.split(",")]
    views = [f"CREATE VIEW {table} AS SELECT * FROM '{tpch_folder(scale)}/{table}.parquet'"
             for table in memory_test.TABLES]
    limit = {"memory_limit": f"{megabytes}MB"} if megabytes != "0" else {}
    engine = Engine(open_library(pathlib.Path(build) / "libfirn.so"), threads="2", **limit)
    for sql in views:
        engine.rows(sql)
    together([lambda: engine.rows("SELECT 1 AS one")] * len(queries))
    idle = peak()
    found = {"answers": together([lambda sql=sql: engine.rows(sql) for sql in queries])}
    plans = together([lambda sql=sql: engine.rows("EXPLAIN ANALYZE " + sql) for sql in queries])
    found["spilled"] = [sum(memory_test.numbers_of("spilled_bytes", "\n".join(row[0] for row in plan)))
                        if isinstance(plan, list) else plan for plan in plans]
    found["peak"] = peak() - idle
    engine.close()
    print(json.dumps(found, default=str))


def tpch_folder(scale):
    return subprocess.run(["bash", memory_test.ROOT / "tools/dev/tpch_data.sh", scale], check=True,
                          capture_output=True, text=True).stdout.strip()


def ask_pair(build, scale, megabytes, pair):
    done = subprocess.run([sys.executable, __file__, str(build), "--pair", scale, str(megabytes),
                           ",".join(map(str, pair))], capture_output=True, text=True, check=False)
    return json.loads(done.stdout) if done.returncode == 0 else {"fault": done.stderr[-2000:]}


def as_texts(rows):
    return [[None if value is None else str(value) for value in row] for row in rows]


def faults_of_pair(build, scale, megabytes, pair):
    """What is wrong with two queries at once, and what they took."""
    expected = ask_pair(build, scale, 0, pair)
    found = ask_pair(build, scale, megabytes, pair)
    for each in expected, found:
        if "fault" in each:
            return [each["fault"]], each
    wrong = []
    for number, rows, right in zip(pair, found["answers"], expected["answers"]):
        stored = memory_test.stored_answer(number, scale)
        if not isinstance(rows, list) or not isinstance(right, list):
            wrong.append(f"query {number}: {rows if isinstance(right, list) else right}"[:200])
        elif not memory_test.same_rows(as_texts(rows), as_texts(right)):
            wrong.append(f"query {number}: {rows}"[:200] + f", without limit {right}"[:200])
        elif stored is not None and not memory_test.same_rows(as_texts(rows), stored):
            wrong.append(f"query {number}: {rows}"[:200] + f", stored {stored}"[:200])
    words = [each for each in found["spilled"] if isinstance(each, str)]
    wrong += [f"EXPLAIN ANALYZE: {each}" for each in words]
    if not words and sum(found["spilled"]) == 0:
        wrong.append("nothing was spilled")
    allowed = megabytes * MB + memory_test.ALLOWANCE
    if found["peak"] > allowed:
        wrong.append(f"VmHWM {found['peak'] / MB:.1f} MB above idle, {allowed / MB:g} allowed")
    return wrong, found


# ---- Main ----------------------------------------------------------------------------------------

class Count:
    def __init__(self):
        self.passed = self.failed = 0

    def case(self, name, wrong):
        print(f"{'FAIL' if wrong else 'ok  '} {name}" + "".join(f"\n     {each}" for each in wrong[:3]),
              flush=True)
        self.passed += not wrong
        self.failed += bool(wrong)


def main():
    build = pathlib.Path(sys.argv[1])
    is_full = "--full" in sys.argv
    library = open_library(build / "libfirn.so")
    count = Count()
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "texts.parquet"
        write_file(file)
        for name, sql in SQL.items():
            for clients, megabytes in CASES:
                wrong = run(library, file, clients, megabytes, sql, 5 if is_full else 2)
                count.case(f"{clients} at once in {megabytes} MB: {name}", wrong)
    for scale in ("0.1", "1") if is_full else ("0.1",):
        for pair in PAIRS:
            wrong, found = faults_of_pair(build, scale, PAIR_LIMITS[scale], pair)
            count.case(f"TPC-H {pair[0]} and {pair[1]} at scale {scale} at once in "
                       f"{PAIR_LIMITS[scale]} MB: VmHWM {found.get('peak', 0) / MB:.1f} MB above idle, "
                       f"spilled {found.get('spilled')}", wrong)
    print(f"{count.passed} passed, {count.failed} failed, 0 skipped")
    return count.failed > 0


if __name__ == "__main__":
    if "--pair" in sys.argv:
        sys.exit(run_pair(sys.argv[1], *sys.argv[3:6]))
    sys.exit(main())
