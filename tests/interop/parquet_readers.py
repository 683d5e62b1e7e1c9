"""Who reads Parquet files for parquet_write_test.py: PyArrow, DuckDB, Polars, Spark and firn itself.

Each gives all columns of a file, or of several that are one table, as lists of values, and the rows that a filter
leaves, which it pushes down to statistics, page index and bloom filters. None has to know what another one's
values look like: what it reads of an original is compared with what it reads of the copy. Only firn's reading is
compared with what PyArrow reads of the original.
"""
import datetime
import decimal
import hashlib
import math
import pathlib
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))


LARGE = 1 << 20  # Of a longer value its digest is compared: one of the files has two texts of 1 GB.


class Skipped(Exception):
    """What a reader cannot be asked."""


def plain(value):
    """A value that equals itself, NaN or not, and is small."""
    if isinstance(value, (str, bytes)) and len(value) > LARGE:
        return hashlib.sha256(value.encode() if isinstance(value, str) else value).hexdigest()
    if isinstance(value, float) and math.isnan(value):
        return "nan"
    if isinstance(value, dict):
        return [[plain(key), plain(inner)] for key, inner in value.items()]
    if hasattr(value, "nanoseconds"):  # An INTERVAL of PyArrow's, as Parquet has it.
        return struct.pack("<III", value.months, value.days, value.nanoseconds // 10 ** 6)
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    return value


def as_bytes(value):
    """Texts as bytes: without ARROW:schema, which firn does not write, JSON is bytes to Polars."""
    if isinstance(value, list):
        return [as_bytes(inner) for inner in value]
    return value.encode() if isinstance(value, str) else value


def value_of(one):
    """The value of a filter, which repr wrote."""
    return eval(one["value"], {"datetime": datetime, "Decimal": decimal.Decimal})


class PyArrow:
    def __init__(self):
        import pyarrow as pa
        import pyarrow.parquet as pq
        self.pa, self.pq = pa, pq

    def columns(self, paths):
        tables = [self.pq.read_table(path, page_checksum_verification=True) for path in paths]
        return self.lists(self.pa.concat_tables(tables))

    def lists(self, table):
        return [[plain(v.as_py()) for v in self.as_numbers(column)] for column in table.columns]

    def as_numbers(self, column):
        of = self.number_type(column.type)
        return column if of == column.type else column.cast(of)

    def number_type(self, of):
        """Times as numbers: Python's have no nanoseconds and end in the year 9999."""
        pa, types = self.pa, self.pa.types
        if types.is_timestamp(of) or types.is_time64(of) or types.is_duration(of):
            return pa.int64()
        if types.is_list(of):
            return pa.list_(of.value_field.with_type(self.number_type(of.value_type)))
        if types.is_struct(of):
            return pa.struct([field.with_type(self.number_type(field.type)) for field in of])
        if types.is_map(of):
            return pa.map_(of.key_type, of.item_field.with_type(self.number_type(of.item_type)))
        return pa.int32() if types.is_date32(of) or types.is_time32(of) else of

    def filtered(self, paths, one):
        """It compares neither UUIDs nor FLOAT16."""
        of = self.pq.read_schema(paths[0]).field(one["column"]).type
        if of == self.pa.uuid() or self.pa.types.is_float16(of):
            raise Skipped
        filters = [(one["column"], one["operator"], self.pa.scalar(value_of(one), of))]
        return self.lists(self.pa.concat_tables([self.pq.read_table(path, filters=filters) for path in paths]))


class DuckDB:
    def __init__(self):
        import duckdb
        self.session = duckdb.connect()
        self.session.execute("SET threads = 1")
        self.session.execute("SET TimeZone = 'UTC'")

    def rows(self, paths, condition, *values):
        """Values that Python has not as texts."""
        paths = [str(path) for path in paths]
        told = self.session.execute("DESCRIBE SELECT * FROM read_parquet(?)", [paths]).fetchall()
        names = [f'"{name}"' for name, *_ in told]
        picked = [f"{name}::VARCHAR" if "_NS" in of or "INTERVAL" in of else name
                  for name, (_, of, *_) in zip(names, told)]
        found = self.session.execute(f"SELECT {', '.join(picked)} FROM read_parquet(?) {condition}", [paths, *values])
        rows = found.fetchall()
        return [[plain(row[i]) for row in rows] for i in range(len(names))]

    def columns(self, paths):
        return self.rows(paths, "")

    def filtered(self, paths, one):
        where = f"WHERE \"{one['column']}\" {one['operator']} "
        if one["kind"] == "uuid" or one["kind"].endswith("_ns"):
            return self.rows(paths, where + one["sql"])
        # Its NaN is above all, but of FLOAT16 it believes a maximum, which has no NaN in it, of PyArrow's files too.
        is_number = f" AND NOT isnan(\"{one['column']}\")" if one["kind"] == "float16" else ""
        return self.rows(paths, where + "?" + is_number, value_of(one))


class Polars:
    def __init__(self):
        import polars
        self.pl = polars

    def lists(self, frame):
        return [[as_bytes(plain(v)) for v in self.as_numbers(column).to_list()] for column in frame.get_columns()]

    def as_numbers(self, column):
        of = self.number_type(column.dtype)
        return column if of == column.dtype else column.cast(of)

    def number_type(self, of):
        """Nanoseconds as numbers, which Python's times have not."""
        pl = self.pl
        if of == pl.Time or (isinstance(of, pl.Datetime) and of.time_unit == "ns"):
            return pl.Int64()
        if isinstance(of, pl.List):
            return pl.List(self.number_type(of.inner))
        if isinstance(of, pl.Struct):
            return pl.Struct([pl.Field(field.name, self.number_type(field.dtype)) for field in of.fields])
        return of

    def columns(self, paths):
        return self.lists(self.pl.concat([self.pl.read_parquet(path) for path in paths]))

    def filtered(self, paths, one):
        frame = self.pl.scan_parquet(paths)
        of = frame.collect_schema()[one["column"]]
        wanted = self.pl.lit(value_of(one), dtype=None if one["kind"].endswith("_ns") else of).cast(of)
        column = self.pl.col(one["column"])
        test = {"=": column.__eq__, ">=": column.__ge__, "<": column.__lt__}[one["operator"]](wanted)
        return self.lists(frame.filter(test).collect())


class Firn:
    """Compares with what PyArrow reads of the original."""

    def __init__(self, program, session):
        self.program, self.session = program, session
        self.arrow = PyArrow()

    def table(self, paths):
        import pyarrow.ipc as ipc
        source = ", ".join(f"'{path}'" for path in paths)
        with tempfile.NamedTemporaryFile(suffix=".arrow") as out:
            subprocess.run([self.program, "--quiet", "--format", "arrow", "--output", out.name, "-c",
                            f"SELECT * FROM read_parquet([{source}])"], check=True, capture_output=True)
            with ipc.open_stream(out.name) as stream:
                return stream.read_all()

    def original(self, paths, copies):
        """As the types that firn has for them: its TIME is one of microseconds."""
        pa, types = self.arrow.pa, self.table(copies).schema.types
        table = self.arrow.pq.read_table(paths[0])
        columns = [column.cast(of) if pa.types.is_time(column.type) or pa.types.is_timestamp(column.type) else column
                   for column, of in zip(table.columns, types)]
        return self.arrow.lists(pa.table(columns, table.column_names))

    def columns(self, paths):
        return self.arrow.lists(self.table(paths))

    def excluded(self, paths, one):
        """What of a filter's rows statistics keep it from finding."""
        if one["sql"] is None:
            return None
        source = "read_parquet([" + ", ".join(f"'{path}'" for path in paths) + "])"
        test = f"\"{one['column']}\" {one['operator']} {one['sql']}"
        found, = self.session.rows(f"SELECT count(*) FROM {source} WHERE {test}")[0]
        there, = self.session.rows(f"SELECT count(*) FILTER (WHERE {test}) FROM {source}")[0]
        none_is_equal = there == "0" and one["operator"] == "="
        return f"where {test}: {found} of {there} rows" if found != there or none_is_equal else None


class Spark:
    def __init__(self, program):
        self.program = program

    def columns(self, paths):
        source = " UNION ALL ".join(f"SELECT * FROM parquet.`{path}`" for path in paths)
        rows = self.program.ask(sql=source)
        return [list(column) for column in zip(*rows)]


def may_exclude(paths):
    """What is wrong with the bounds of row groups, as PyArrow reads them, of columns that are not nested."""
    import pyarrow as pa
    import pyarrow.parquet as pq
    reader = PyArrow()
    for path in paths:
        file = pq.ParquetFile(path)
        for group in range(file.num_row_groups):
            table = file.read_row_group(group)
            metadata = file.metadata.row_group(group)
            chunks = {metadata.column(i).path_in_schema: metadata.column(i) for i in range(metadata.num_columns)}
            for name, column in zip(table.column_names, table.columns):
                chunk = chunks.get(name)
                if chunk is None or not chunk.is_stats_set or not chunk.statistics.has_min_max:
                    continue
                if wrong := out_of_bounds(pa, reader, column, chunk.statistics):
                    return f"row group {group}, {name}: {wrong}"
    return None


def out_of_bounds(pa, reader, column, statistics):
    of = column.type
    if pa.types.is_temporal(of):
        least, most = statistics.min_raw, statistics.max_raw
    else:
        least, most = statistics.min, statistics.max
    if pa.types.is_float16(of):
        (least,), (most,) = struct.unpack("<e", least), struct.unpack("<e", most)
    if of == pa.uuid():
        column = pa.chunked_array([chunk.storage for chunk in column.chunks], pa.binary(16))
    values = [v for v in reader.as_numbers(column).to_pylist() if v is not None and v == v]
    if pa.types.is_string(of):
        values = [v.encode() for v in values]
        least, most = (v.encode() if isinstance(v, str) else v for v in (least, most))
    outside = [v for v in values if not least <= v <= most]
    return outside and f"{outside[:2]} is not in {least!r} to {most!r}"
