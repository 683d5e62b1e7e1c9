"""measured_engine.py ENGINE DATA QUERY RUNS THREADS [SQL-FILE] - one query, some runs, one process.

Prints a JSON object: wall and CPU seconds of each run, the peak of memory so far above what the
process held before the first run, and the rows as texts. The time is from the text of the query to its last
row in the process; opening the files' footers belongs to the first run as far as the engine leaves
it to it. Runs with the Python of the engine's own virtual environment.
"""
import ctypes
import importlib
import json
import pathlib
import resource
import sys
import time
import types

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def tables_of(data):
    """The tables of a folder: its files, and its folders of files."""
    return sorted({path.stem for path in pathlib.Path(data).glob("*.parquet")}
                  | {path.parent.name for path in pathlib.Path(data).glob("*/*.parquet")})


def files_of(data, table):
    """A file, or a pattern where the table has several."""
    one = pathlib.Path(data, f"{table}.parquet")
    return str(one if one.exists() else pathlib.Path(data, table, "*.parquet"))


class DuckDb:
    def __init__(self, data, threads):
        import duckdb
        self.version = duckdb.__version__
        self.connection = duckdb.connect()
        self.connection.execute(f"SET threads = {threads}")
        for table in tables_of(data):
            self.connection.execute(
                f"CREATE VIEW {table} AS SELECT * FROM read_parquet('{files_of(data, table)}')")

    def run(self, name, sql):
        return self.connection.execute(sql).fetchall()


class DataFusion:
    def __init__(self, data, threads):
        import datafusion
        self.version = datafusion.__version__
        settings = datafusion.SessionConfig().with_target_partitions(threads)
        self.context = datafusion.SessionContext(settings)
        for table in tables_of(data):
            self.context.register_parquet(table, files_of(data, table).removesuffix("*.parquet"))

    def run(self, name, sql):
        for statement in sql.split(";"):
            if statement.strip():
                batches = self.context.sql(statement).collect()
        return [row for batch in batches for row in zip(*(c.to_pylist() for c in batch.columns))]


class Polars:
    def __init__(self, data, threads):
        import polars
        self.version = polars.__version__
        self.queries = importlib.import_module("polars_queries")
        scans = {table: polars.scan_parquet(files_of(data, table)) for table in tables_of(data)}
        self.tables = types.SimpleNamespace(**scans)

    def run(self, name, sql):
        return getattr(self.queries, name)(self.tables).collect().rows()


class FirnError(ctypes.Structure):
    _fields_ = [("size", ctypes.c_uint32), ("status", ctypes.c_int), ("sqlstate", ctypes.c_char * 6),
                ("retryable", ctypes.c_bool), ("position", ctypes.c_uint64),
                ("length", ctypes.c_size_t), ("text", ctypes.c_char * 1024),
                ("hint", ctypes.c_char * 256), ("reserved", ctypes.c_uint64 * 8)]


class FirnOption(ctypes.Structure):
    _fields_ = [("key", ctypes.c_char_p), ("value", ctypes.c_char_p)]


class Firn:
    """firn.h through ctypes; rows leave through the Arrow C stream, as the peers' do."""

    def __init__(self, data, threads):
        self.arrow = importlib.import_module("pyarrow")
        library = ctypes.CDLL(str(ROOT / "build/release/libfirn.so"))
        library.firn_version.restype = ctypes.c_char_p
        self.version = library.firn_version().decode()
        self.library = library
        self.error = FirnError(size=ctypes.sizeof(FirnError))
        options = (FirnOption * 1)(FirnOption(b"threads", str(threads).encode()))
        engine, self.session = ctypes.c_void_p(), ctypes.c_void_p()
        self.check(library.firn_engine_open(options, ctypes.c_size_t(1), ctypes.byref(engine),
                                            ctypes.byref(self.error)))
        self.check(library.firn_session_open(engine, ctypes.byref(self.session),
                                             ctypes.byref(self.error)))
        self.attach(data)

    def attach(self, data):
        for table in tables_of(data):
            self.run("", f"CREATE VIEW {table} AS "
                     f"SELECT * FROM read_parquet('{files_of(data, table)}')")

    def check(self, status):
        if status != 0:
            raise RuntimeError(self.error.text.decode())

    def run(self, name, sql):
        stream = (ctypes.c_uint64 * 5)()  # struct ArrowArrayStream
        text = sql.encode()
        self.check(self.library.firn_query(self.session, text, ctypes.c_size_t(len(text)),
                                           ctypes.byref(stream), ctypes.byref(self.error)))
        reader = self.arrow.RecordBatchReader._import_from_c(ctypes.addressof(stream))
        return [row for batch in reader for row in zip(*(c.to_pylist() for c in batch.columns))]


class FirnIceberg(Firn):
    """The same files as tables of the Iceberg catalog that they were written for."""

    def attach(self, data):
        self.run("", f"ATTACH 'sqlite:{data}/catalog.db' AS lake (TYPE iceberg)")
        self.run("", "USE lake.tpch")


ENGINES = {"firn": Firn, "firn-iceberg": FirnIceberg, "duckdb": DuckDb, "polars": Polars,
           "datafusion": DataFusion}


def memory(field):
    with open("/proc/self/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(field))


def show(value):
    if isinstance(value, float):
        return repr(value)
    return None if value is None else str(value)


def main():
    name, data, query, runs, threads = sys.argv[1:6]
    with open(sys.argv[6], encoding="utf-8") as file:
        sql = file.read()
    engine = ENGINES[name](data, int(threads))
    pathlib.Path("/proc/self/clear_refs").write_text("5")  # Forgets the peak so far.
    before = memory("VmRSS")
    wall, cpu, peak, rows = [], [], [], []
    for _ in range(int(runs)):
        usage = resource.getrusage(resource.RUSAGE_SELF)
        begin = time.perf_counter()
        rows = engine.run(query, sql)
        wall.append(time.perf_counter() - begin)
        after = resource.getrusage(resource.RUSAGE_SELF)
        cpu.append(after.ru_utime + after.ru_stime - usage.ru_utime - usage.ru_stime)
        peak.append(memory("VmHWM") - before)
    print(json.dumps({"version": engine.version, "wall": wall, "cpu": cpu,
                      "peak_kb": peak,
                      "rows": [[show(value) for value in row] for row in rows]}))


if __name__ == "__main__":
    main()
