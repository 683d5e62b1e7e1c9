#!/usr/bin/env python3
"""at_once_test.py BUILD [TURNS] - many queries at once over texts, in one engine with little memory.

Writes a Parquet file of different texts in pages of 1 MB, opens an engine of BUILD/libfirn.so by its
C interface and lets several threads, a session each, group and sort all of it at once: readers
cannot write out what they hold, so queries have to wait for each other. Each answer must be whole.
Needs a Python with pyarrow. A last line counts.
"""
import ctypes
import pathlib
import sys
import tempfile
import threading

import pyarrow
import pyarrow.parquet

ROWS, GROUP_ROWS = 900_000, 150_000
# Queries at once, memory_limit in MB. One alone takes 6 to 10 MB with one worker.
CASES = [(1, 8), (2, 20), (3, 40), (4, 56), (6, 90)]
SQL = {
    "group by": "SELECT count(*) FROM (SELECT t, count(*) FROM '{file}' GROUP BY 1) AS q",
    "sort": "SELECT count(*) FROM (SELECT * FROM '{file}' ORDER BY t LIMIT 100000000) AS q",
}


class Option(ctypes.Structure):
    _fields_ = [("key", ctypes.c_char_p), ("value", ctypes.c_char_p)]


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

    def count(self, sql):
        """The one number that a query answers; a word for its status if it fails."""
        session = ctypes.c_void_p()
        stream = ctypes.create_string_buffer(40)  # struct ArrowArrayStream
        if self.library.firn_session_open(self.engine, ctypes.byref(session), None) != 0:
            return "no session"
        try:
            text = sql.encode()
            status = self.library.firn_query(session, text, len(text), stream, None)
            if status != 0:
                return f"status {status}"
            reader = pyarrow.RecordBatchReader._import_from_c(ctypes.addressof(stream))
            return reader.read_all().column(0)[0].as_py()
        except (OSError, pyarrow.ArrowException) as fault:
            return str(fault)
        finally:
            self.library.firn_session_close(session)


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


def main():
    build = pathlib.Path(sys.argv[1])
    turns = int(sys.argv[2]) if len(sys.argv) > 2 else 2
    library = open_library(build / "libfirn.so")
    passed = failed = 0
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "texts.parquet"
        write_file(file)
        for name, sql in SQL.items():
            for clients, megabytes in CASES:
                wrong = run(library, file, clients, megabytes, sql, turns)
                print(f"{'FAIL' if wrong else 'ok  '} {clients} at once in {megabytes} MB: {name}"
                      + "".join(f"\n     {each}" for each in wrong[:3]), flush=True)
                passed += not wrong
                failed += bool(wrong)
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
