"""Random tables of every type that Parquet has, for parquet_write_test.py.

PyArrow writes them without statistics; DuckDB those of INTERVAL, which PyArrow writes none of. The same seed makes
the same table. With each come filters on its columns: as a value of Python, and as SQL.
"""
import datetime
import decimal
import math
import random
import uuid

# What a reader lacks: it refuses files with such a column, reads something near it (DuckDB, Polars), or, of those
# that Spark lacks, is not asked. Nobody but DuckDB and firn has INTERVAL as more than 12 bytes, which PyArrow reads.
LACKS = {
    "pyarrow": set(),
    "duckdb": {"decimal_60"},  # Read as DOUBLE.
    "polars": {"decimal_60", "interval"},
    "spark": {"uuid", "float16", "time_ms", "time_us", "time_ns", "timestamp_ns", "timestamptz_ns", "decimal_60",
              "interval"},
    "firn": set(),
}
RARE = {"uuid", "float16", "time_ns", "timestamp_ns", "timestamptz_ns", "decimal_60"}
SECOND_NS = 10 ** 9
MOMENT_NS_MAX = 2 ** 63 - 1


def kinds_of(rng, few):
    """Of each kind its name, Arrow's type, SQL's, and what makes a value."""
    import pyarrow as pa
    day = datetime.date(1970, 1, 1)
    moment = datetime.datetime(2020, 1, 1)
    spread = rng.choice([3, 50]) if few else 1 << 30
    number = lambda: rng.randrange(-spread, spread)  # noqa: E731
    decimal_of = lambda scale: lambda: decimal.Decimal(number()) / 10 ** scale  # noqa: E731
    wide = lambda: decimal.Decimal(number() * 10 ** rng.choice([0, 12, 45])).scaleb(  # noqa: E731
        -5, decimal.Context(prec=70))
    nanos = lambda: (rng.choice([0, -1, -MOMENT_NS_MAX, MOMENT_NS_MAX]) if rng.random() < 0.05  # noqa: E731
                     else number() * (1 if few else 1234567891))
    return [
        ("bool", pa.bool_(), "BOOLEAN", lambda: rng.random() < 0.3),
        ("int8", pa.int8(), "TINYINT", lambda: number() % 200 - 100),
        ("int16", pa.int16(), "SMALLINT", lambda: number() % 60000 - 30000),
        ("int32", pa.int32(), "INTEGER", number),
        ("int64", pa.int64(), "BIGINT", lambda: number() * 1234567890),
        ("uint8", pa.uint8(), "UTINYINT", lambda: number() % 256),
        ("uint16", pa.uint16(), "USMALLINT", lambda: number() % 65536),
        ("uint32", pa.uint32(), "UINTEGER", lambda: number() & 0xffffffff),
        ("uint64", pa.uint64(), "UBIGINT", lambda: number() & 0xffffffffffffffff),
        ("float16", pa.float16(), "FLOAT16", lambda: rng.choice([
            number() % 4000 / 8 - 250, number() % 1024 * 2.0 ** -24, 0.0, -0.0, math.nan, math.inf, -math.inf,
            65504.0])),
        ("float32", pa.float32(), "REAL", lambda: float(number() % 1000) / 8),
        ("float64", pa.float64(), "DOUBLE", lambda: rng.choice([number() / 7, 0.0, -0.0, math.nan, math.inf])),
        ("decimal_7", pa.decimal128(7, 2), "DECIMAL(7, 2)", lambda: decimal.Decimal(number() % 99999) / 100),
        ("decimal_18", pa.decimal128(18, 3), "DECIMAL(18, 3)", decimal_of(3)),
        ("decimal_38", pa.decimal128(38, 10), "DECIMAL(38, 10)", decimal_of(3)),
        ("decimal_60", pa.decimal256(60, 5), "DECIMAL(60, 5)", wide),
        ("date", pa.date32(), "DATE", lambda: day + datetime.timedelta(number() % 30000)),
        ("time_ms", pa.time32("ms"), "TIME", lambda: datetime.time(number() % 24, number() % 60, 1, 5000)),
        ("time_us", pa.time64("us"), "TIME", lambda: datetime.time(
            number() % 24, number() % 60, 1, number() % 10 ** 6)),
        ("time_ns", pa.time64("ns"), "TIME_NS", lambda: number() * 1234567 % (86400 * SECOND_NS)),
        ("timestamp_ms", pa.timestamp("ms"), "TIMESTAMP", lambda: moment + datetime.timedelta(seconds=number())),
        ("timestamp_us", pa.timestamp("us"), "TIMESTAMP", lambda: moment + datetime.timedelta(microseconds=number())),
        ("timestamptz_us", pa.timestamp("us", "UTC"), "TIMESTAMPTZ",
         lambda: moment + datetime.timedelta(microseconds=number())),
        ("timestamp_ns", pa.timestamp("ns"), "TIMESTAMP_NS", nanos),
        ("timestamptz_ns", pa.timestamp("ns", "UTC"), "TIMESTAMPTZ_NS", nanos),
        ("string", pa.string(), "VARCHAR", lambda: f"{'prefix of some length/' if few else ''}{number()}"),
        ("string", pa.string(), "VARCHAR", lambda: rng.choice(["", "ä", "x" * 300, "\U0001f600" * 30, str(number())])),
        ("binary", pa.binary(), None, lambda: bytes([number() % 256, 255, 0][:rng.randrange(4)])),
        ("fixed", pa.binary(5), None, lambda: number().to_bytes(5, "big", signed=True)),
        ("uuid", pa.uuid(), "UUID",
         lambda: (number() * 0x9e3779b97f4a7c15f39cc0605cedc835 % 2 ** 128).to_bytes(16, "big")),
    ]


def text_of(kind, value):
    """A value as a cast of SQL takes it."""
    if kind == "uuid":
        return str(uuid.UUID(bytes=value))
    if kind == "time_ns":
        at = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=value // SECOND_NS)
        return f"{at:%H:%M:%S}.{value % SECOND_NS:09}"
    if kind.endswith("_ns"):
        at = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=value // SECOND_NS)
        return f"{at:%Y-%m-%d %H:%M:%S}.{value % SECOND_NS:09}" + ("+00" if kind == "timestamptz_ns" else "")
    if kind == "timestamptz_us":
        return f"{value}+00"
    return format(value, "f") if isinstance(value, decimal.Decimal) else str(value)


def storage_of(of):
    """The type whose values Python has: PyArrow makes no nested UUIDs of bytes."""
    import pyarrow as pa
    if of == pa.uuid():
        return pa.binary(16)
    if pa.types.is_list(of):
        return pa.list_(storage_of(of.value_type))
    if pa.types.is_struct(of):
        return pa.struct([(field.name, storage_of(field.type)) for field in of])
    return pa.map_(of.key_type, storage_of(of.item_type)) if pa.types.is_map(of) else of


def typed(array, of):
    """An array of storage_of(of) as one of `of`."""
    import pyarrow as pa
    if array.type == of:
        return array
    if of == pa.uuid():
        return pa.ExtensionArray.from_storage(of, array)
    if pa.types.is_list(of):
        return pa.ListArray.from_arrays(array.offsets, typed(array.values, of.value_type), mask=array.is_null())
    if pa.types.is_struct(of):
        return pa.StructArray.from_arrays([typed(array.field(i), field.type) for i, field in enumerate(of)],
                                          fields=list(of), mask=array.is_null())
    return pa.MapArray.from_arrays(array.offsets, array.keys, typed(array.items, of.item_type), type=of,
                                   mask=array.is_null())


def maybe(rng, rate, make):
    return None if rng.random() < rate else make()


def random_column(rng, rows, has_rare):
    """The kind, SQL's type, the array, and the values if they are flat."""
    import pyarrow as pa
    few = rng.random() < 0.4
    kind, of, sql, make = rng.choice([each for each in kinds_of(rng, few) if has_rare or each[0] not in RARE])
    shape = rng.choice(["flat"] * 4 + ["list", "struct", "map", "lists"])
    nulls = rng.choice([0, 0, 0.1, 0.9, 1])
    if shape == "list":
        of, inner = pa.list_(of), make
        make = lambda: [maybe(rng, 0.1, inner) for _ in range(rng.randrange(4))]  # noqa: E731
    elif shape == "lists":
        of, inner = pa.list_(pa.list_(of)), make
        make = lambda: [[inner() for _ in range(rng.randrange(3))]  # noqa: E731
                        for _ in range(rng.randrange(3))]
    elif shape == "struct":
        of, inner = pa.struct([("f", of), ("g", pa.int32())]), make
        make = lambda: {"f": maybe(rng, 0.2, inner), "g": rng.randrange(-9, 9)}  # noqa: E731
    elif shape == "map":
        of, inner = pa.map_(pa.string(), of), make
        make = lambda: [(str(k), maybe(rng, 0.2, inner)) for k in range(rng.randrange(3))]  # noqa: E731
    values = [maybe(rng, nulls, make) for _ in range(rows)]
    if shape == "flat" and few and rng.random() < 0.5:
        values.sort(key=lambda v: (v is None, str(v)))
    return kind, sql, typed(pa.array(values, storage_of(of)), of), values if shape == "flat" else []


def random_table(seed, path):
    """Writes a table; returns the kinds of its columns, and filters on them."""
    import pyarrow as pa
    import pyarrow.parquet as pq
    rng = random.Random(seed)
    rows = rng.choice([0, 1, 10, 300, 3000])
    has_rare = rng.random() < 0.6  # Else all read it.
    columns, kinds, filters = {}, [], []
    for i in range(rng.randrange(1, 6)):
        kind, sql, columns[f"c{i}"], values = random_column(rng, rows, has_rare)
        kinds.append(kind)
        known = [v for v in values if v is not None and not (isinstance(v, float) and not math.isfinite(v))]
        for value in rng.sample(known, min(3, len(known))):
            filters.append({
                "column": f"c{i}", "kind": kind, "operator": rng.choice(["=", "=", ">=", "<"]), "value": repr(value),
                "sql": sql and f"CAST('{text_of(kind, value)}' AS {sql})"})
    pq.write_table(pa.table(columns), path, write_statistics=False, store_schema=False)
    return kinds, filters


INTERVAL = ("CASE WHEN hash(i * 7 + {n}) % 4 <> 0 THEN to_months((hash(i + {n}) % 40)::INTEGER)"
            " + to_days((hash(i + {n} + 1) % 90)::INTEGER)"
            " + to_milliseconds((hash(i + {n} + 2) % 100000000)::BIGINT) END")


def write_intervals(seed, path):
    """A table of INTERVAL, flat and nested; with DuckDB."""
    import duckdb
    rng = random.Random(seed)
    a, b, c, d, e = (INTERVAL.format(n=rng.randrange(1000)) for _ in range(5))
    rows = rng.choice([1, 10, 300, 3000])
    duckdb.connect().execute(
        f"COPY (SELECT i, {a} AS a, [{b}, {c}] AS l, {{'f': {d}, 'g': i}} AS s, MAP {{'k': {e}}} AS m "
        f"FROM range({rows}) r(i)) TO '{path}' (FORMAT parquet)")
