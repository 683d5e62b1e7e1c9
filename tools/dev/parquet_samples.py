#!/usr/bin/env python3
"""parquet_samples.py - makes anew the small Parquet files that lie in the repository.

    python=$(bash tools/dev/venv.sh data)/bin/python && $python tools/dev/parquet_samples.py

fuzz/corpus/pq_reader: files of a few rows, so that each encoding, codec, level and index is there
once. What crashes taught is kept beside them and is not made here. tests/data/parquet: what
tests/sql/parquet reads.
"""
import datetime
import decimal
import pathlib

import pyarrow as pa
import pyarrow.parquet as pq

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
CORPUS = ROOT / "fuzz" / "corpus" / "pq_reader"
TABLES = ROOT / "tests" / "data" / "parquet"


def some(values, count=40, every=5):
    """`count` of `values` in turn, each `every`-th NULL."""
    return [None if i % every == every - 1 else values[i % len(values)] for i in range(count)]


def numbers():
    return pa.table({
        "i": pa.array(range(40), pa.int32()),
        "l": pa.array(some([1, -2, 1 << 40]), pa.int64()),
        "d": pa.array(some([0.5, -0.0, float("nan"), 1e300]), pa.float64()),
    })


def texts():
    words = ["a", "", "firn", "fern und weit", "a text of more than twelve bytes"]
    return pa.table({"s": pa.array(some(words)), "b": pa.array(some([b"\0\xff", b"xyz"]))})


def bits():
    return pa.table({"b": pa.array(some([True, False, False])), "r": pa.array([True] * 40)})


def codes():
    """Columns of few values, whose dictionaries differ from row group to row group: 9,000 rows."""
    rows = range(9000)
    words = ["north", "south", "east", "west", "a region with a long name", "", "nowhere"]

    def decimals(values):
        return pa.array([None if x is None else decimal.Decimal(x).scaleb(-2) for x in values],
                        pa.decimal128(15, 2))
    return pa.table({
        "id": pa.array(rows, pa.int32()),
        "word": pa.array([words[(i * 7 + i // 3000 * 3) % (5 + i // 3000)] for i in rows]),
        "flag": pa.array([None if i >= 6000 and i % 11 == 0 else "NRA"[i * i % 3] for i in rows]),
        "size": pa.array([i * 31 % 50 + 1 for i in rows], pa.int32()),
        "price": decimals([i * 7919 % 100003 - 500 for i in rows]),
        "discount": decimals([i * 13 % 11 for i in rows]),
        "tax": decimals([i * 17 % 9 for i in rows]),
        "maybe": decimals([None if i % 7 == 3 else i * 5 % 23 - 11 for i in rows]),
        "ratio": pa.array([i % 19 / 4 for i in rows], pa.float64()),
        "step": pa.array([i * 2654435761 % (1 << 50) - (i % 5 << 48) for i in rows], pa.int64()),
        "huge": pa.array([(1 << 63) - 1 - i if i % 3 == 0 else i - (1 << 63) for i in rows],
                         pa.int64()),
    })


def nested():
    return pa.table({
        "l": pa.array(some([[], [1, None, 3], [4]], 24), pa.list_(pa.int32())),
        "st": pa.array(some([{"a": 1, "t": "x"}, {"a": None, "t": "y"}], 24),
                       pa.struct([("a", pa.int16()), ("t", pa.string())])),
        "m": pa.array(some([[("k", 1), ("j", None)], []], 24), pa.map_(pa.string(), pa.int32())),
        "ll": pa.array(some([[[1], []], [], [[2, 3], None]], 24), pa.list_(pa.list_(pa.int8()))),
    })


def odd():
    instant = datetime.datetime(2024, 2, 29, 12, 30, 15, 250000)
    return pa.table({
        "dec": pa.array(some([decimal.Decimal("1.23"), decimal.Decimal("-9.99")]),
                        pa.decimal128(3, 2)),
        "wide": pa.array(some([decimal.Decimal(-1), decimal.Decimal(10) ** 37]),
                         pa.decimal128(38, 0)),
        "day": pa.array(some([instant.date()])),
        "at": pa.array(some([instant]), pa.timestamp("us", "UTC")),
        "fixed": pa.array(some([b"abc", b"xyz"]), pa.binary(3)),
        "half": pa.array(some([1.5, -2.0]), pa.float16()),
    })


def small():
    """Integers that are stored wider than they are, decimals in integers."""
    columns = {f"{sign}{bits}": pa.array(some([1, 2, 100]), getattr(pa, f"{sign}int{bits}")())
               for sign in ("", "u") for bits in (8, 16, 32, 64)}
    for digits in (5, 12):
        columns[f"d{digits}"] = pa.array(some([decimal.Decimal("1.5"), decimal.Decimal("-7.25")]),
                                         pa.decimal128(digits, 2))
    columns["f"] = pa.array(some([1.5, -0.0]), pa.float32())
    return pa.table(columns)


def times():
    instant = datetime.datetime(2024, 2, 29, 12, 30, 15, 250000)
    columns = {f"t{unit}": pa.array(some([instant.time()]), kind) for unit, kind in (
        ("ms", pa.time32("ms")), ("us", pa.time64("us")), ("ns", pa.time64("ns")))}
    for unit in ("ms", "us", "ns"):
        columns[f"ts{unit}"] = pa.array(some([instant, datetime.datetime(1900, 1, 1)]),
                                        pa.timestamp(unit))
    return pa.table(columns)


def rare():
    """What the schema says by annotations or by Arrow's own one."""
    return pa.table({
        "uuid": pa.array(some([bytes(range(16))]), pa.binary(16)).cast(pa.uuid()),
        "json": pa.array(some(['{"a": 1}', "[]"]), pa.json_()),
        "span": pa.array(some([datetime.timedelta(seconds=3)]), pa.duration("us")),
        "dict": pa.array(some(["x", "y"])).dictionary_encode(),
        "large": pa.array(some(["x", "y"]), pa.large_string()),
        "wide": pa.array(some([decimal.Decimal(7)]), pa.decimal256(60, 3)),
        "none": pa.nulls(40),
        "fixed_list": pa.array(some([[1, 2]]), pa.list_(pa.int32(), 2)),
    })


def bounds():
    """Row groups of three rows: ordinary ones, one of NULLs only, bounds that are none."""
    day = datetime.date(2024, 2, 29)
    days = [day + datetime.timedelta(days=i) for i in (3, 0, 9)]
    return pa.table({
        "n": pa.array([1, 5, None, None, None, None, -7, 2, 3, 9, 9, None], pa.int32()),
        "big": pa.array([4_000_000_000, 7, 8] * 4, pa.uint32()),
        "dec": pa.array([decimal.Decimal(f"{i - 5}.25") for i in range(12)], pa.decimal128(9, 2)),
        "day": pa.array(days * 4),
        "at": pa.array([datetime.datetime(2024, 1, 1 + i) for i in range(12)], pa.timestamp("us")),
        "d": pa.array([-0.0, 0.0, None, float("nan"), 1.5, 2.5] * 2),
        "s": pa.array([f"a text of more than twelve bytes {i:02}" for i in range(12)]),
        "yes": pa.array([True, None, True] * 4),
        "nothing": pa.nulls(12, pa.int64()),
    })


def write(folder, name, table, **options):
    options.setdefault("store_schema", False)
    pq.write_table(table, folder / name, **options)


def make_corpus():
    CORPUS.mkdir(parents=True, exist_ok=True)
    delta = "DELTA_BINARY_PACKED"
    write(CORPUS, "numbers_dictionary_snappy", numbers(), row_group_size=23)
    write(CORPUS, "numbers_delta_v2", numbers(), compression="none", use_dictionary=False,
          column_encoding={"i": delta, "l": delta, "d": "BYTE_STREAM_SPLIT"},
          data_page_version="2.0")
    write(CORPUS, "numbers_split_gzip", numbers(), compression="gzip", use_dictionary=False,
          column_encoding={name: "BYTE_STREAM_SPLIT" for name in "ild"}, row_group_size=30)
    write(CORPUS, "numbers_small_pages_indexed", numbers(), compression="none",
          use_dictionary=False, data_page_size=1, write_batch_size=8, write_page_index=True)
    write(CORPUS, "numbers_checked", numbers(), compression="lz4", use_dictionary=False,
          write_page_checksum=True)
    write(CORPUS, "texts_dictionary_zstd_v2", texts(), compression="zstd", row_group_size=25,
          data_page_version="2.0", write_page_index=True)
    write(CORPUS, "texts_delta", texts(), compression="brotli", use_dictionary=False,
          column_encoding={"s": "DELTA_BYTE_ARRAY", "b": "DELTA_LENGTH_BYTE_ARRAY"})
    write(CORPUS, "texts_plain_small_pages", texts(), compression="snappy", use_dictionary=False,
          data_page_size=1, write_batch_size=10)
    write(CORPUS, "texts_bloom", texts(), compression="none", row_group_size=20,
          bloom_filter_options={"s": {"ndv": 8, "fpp": 0.1}})
    write(CORPUS, "bits", bits(), compression="none")
    write(CORPUS, "bits_v2", bits(), compression="snappy", data_page_version="2.0")
    write(CORPUS, "nested", nested(), compression="none", row_group_size=15)
    write(CORPUS, "nested_v2_pages", nested(), compression="snappy", data_page_version="2.0",
          data_page_size=1, write_batch_size=5, write_page_index=True)
    write(CORPUS, "odd_types", odd(), compression="snappy")
    write(CORPUS, "odd_types_plain", odd(), compression="none", use_dictionary=False,
          store_schema=True)
    write(CORPUS, "small_types", small(), row_group_size=22, store_decimal_as_integer=True,
          compression="none", write_page_index=True)
    write(CORPUS, "small_types_plain", small(), store_decimal_as_integer=True,
          use_dictionary=False, compression="none", row_group_size=30)
    write(CORPUS, "small_types_bloom", small(), store_decimal_as_integer=True, compression="none",
          use_dictionary=False, bloom_filter_options={
              name: {"ndv": 3, "fpp": 0.5} for name in ("8", "u16", "64", "d5", "f")})
    write(CORPUS, "times", times(), compression="none", row_group_size=25)
    write(CORPUS, "times_old", times(), compression="snappy", version="1.0",
          use_dictionary=False)
    write(CORPUS, "rare_types", rare(), compression="none", store_schema=True)
    write(CORPUS, "nested_plain", nested(), compression="none", use_dictionary=False,
          data_page_size=1, write_batch_size=4)
    write(CORPUS, "int96", pa.table({"t": pa.array(some(
        [datetime.datetime(1969, 7, 20), datetime.datetime(2024, 1, 1)]), pa.timestamp("ns"))}),
          use_deprecated_int96_timestamps=True)


def make_tables():
    plain = {"compression": "zstd", "use_dictionary": False}
    lines = TABLES / "lines"
    lines.mkdir(parents=True, exist_ok=True)
    write(lines, "a.parquet", pa.table({
        "id": pa.array([1, 2, 3], pa.int32()), "name": ["one", None, "three"],
        "price": pa.array([decimal.Decimal("1.50"), decimal.Decimal("-2.25"), None],
                          pa.decimal128(9, 2))}), **plain)
    write(lines, "b.parquet", pa.table({
        "id": pa.array([4, 5], pa.int32()), "name": ["four", "five"],
        "price": pa.array([decimal.Decimal("4.00"), decimal.Decimal("5.00")],
                          pa.decimal128(9, 2))}), **plain)
    # Columns in another order, a wider one, one more, one less.
    write(lines, "c.parquet", pa.table({
        "name": ["six"], "id": pa.array([6_000_000_000], pa.int64()), "note": ["new"]}), **plain)
    write(TABLES, "bounds.parquet", bounds(), row_group_size=3, **plain)
    write(TABLES, "other_type.parquet", pa.table({"id": [True], "name": ["x"]}), **plain)
    write(TABLES, "codes.parquet", codes(), compression="zstd", row_group_size=3000,
          data_page_size=4096, store_decimal_as_integer=True)
    sales = TABLES / "sales"
    for region, day, amounts in (("EU", "2024-01-01", [10, 20]), ("EU", "2024-01-02", [30]),
                                 ("US%2FCA", "2024-01-01", [40, 50]),
                                 ("__HIVE_DEFAULT_PARTITION__", "2024-01-03", [60])):
        folder = sales / f"region={region}" / f"day={day}"
        folder.mkdir(parents=True, exist_ok=True)
        write(folder, "part-0.parquet", pa.table({"amount": pa.array(amounts, pa.int32())}), **plain)
    write(TABLES, "nested.parquet", pa.table({
        "id": pa.array(range(4), pa.int32()),
        "place": pa.array([{"city": "Kiel", "at": {"lat": 54.3, "lon": 10.1}}, None,
                           {"city": None, "at": None}, {"city": "Ulm", "at": {"lat": 48.4}}],
                          pa.struct([("city", pa.string()),
                                     ("at", pa.struct([("lat", pa.float64()),
                                                       ("lon", pa.float64())]))])),
        "tags": pa.array([["a", "b"], [], None, [None, "c"]], pa.list_(pa.string())),
        "counts": pa.array([[("x", 1)], [], None, [("y", None), ("z", 3)]],
                           pa.map_(pa.string(), pa.int32()))}), **plain)
    instants = [datetime.datetime(2024, 1, 1, 12), None, datetime.datetime(9999, 12, 31, 3)]
    for name, values in (("int96_near", instants[:2]), ("int96_far", instants)):
        write(TABLES, name + ".parquet", pa.table({"t": pa.array(values, pa.timestamp("us"))}),
              use_deprecated_int96_timestamps=True, **plain)
    text = pa.table({"t": pa.array([b"caf\xc3\xa9", b"plain", b"\xff\xfe"], pa.binary())})
    write(TABLES, "bytes.parquet", text, **plain)
    write(TABLES, "not_utf8.parquet", pa.table({"t": pa.Array.from_buffers(
        pa.string(), 3, text["t"].chunk(0).buffers())}), **plain)
    write(TABLES, "checksums.parquet", pa.table({"n": pa.array(range(50), pa.int64())}),
          compression="none", use_dictionary=False, write_page_checksum=True)
    write(TABLES, "dictionaries.parquet", pa.table({
        "f": pa.array([0.4, -0.4, None, 2.5] * 10), "s": pa.array(["One", "two", None, ""] * 10)}),
          compression="zstd")
    wide = [bytes([i % 37]) * 20 for i in range(6000)]
    write(TABLES, "fixed_codes.parquet", pa.table({
        "id": pa.array(range(6000), pa.int32()), "b": pa.array(wide, pa.binary(20)),
        "u": pa.array([value[:16] for value in wide], pa.uuid())}),
          compression="zstd", row_group_size=1000)
    whole = (TABLES / "checksums.parquet").read_bytes()
    at = whole.index(bytes([7, 0, 0, 0, 0, 0, 0, 0]))  # A value of the page.
    (TABLES / "checksum_wrong.parquet").write_bytes(whole[:at] + b"\x09" + whole[at + 1:])
    (TABLES / "cut_off.parquet").write_bytes(whole[:len(whole) // 2])
    (TABLES / "no_parquet.parquet").write_bytes(b"id,name\n1,one\n")
    write(TABLES, "empty.parquet", pa.table({"id": pa.array([], pa.int32())}), **plain)
    write(TABLES, "no_columns.parquet", pa.table({"x": [1, 2, 3]}).select([]), **plain)
    make_wider(plain)


def make_wider(plain):
    """Files whose columns have types that none of the others has."""
    folder = TABLES / "wider"
    folder.mkdir(parents=True, exist_ok=True)
    exact = decimal.Decimal
    day = datetime.date(2024, 2, 29)
    columns = {  # Of each file: type and values.
        "i_d": ((pa.int32(), [1, -2, None]), (pa.float64(), [0.5, float("nan"), 3.5])),
        "b_d": ((pa.int64(), [2 ** 53 + 1, -1, None]), (pa.float64(), [0.25, None, 1e300])),
        "u_d": ((pa.uint64(), [2 ** 64 - 1, 0, None]), (pa.float64(), [0.25, None, 1.0])),
        "s_i": ((pa.int8(), [-128, 127, None]), (pa.int32(), [2 ** 31 - 1, None, 5])),
        "t_s": ((pa.uint8(), [255, 0, None]), (pa.int16(), [-300, None, 5])),
        "u_b": ((pa.uint32(), [2 ** 32 - 1, 0, None]), (pa.int32(), [-1, None, 5])),
        "u_l": ((pa.uint64(), [2 ** 64 - 1, 0, None]), (pa.int64(), [-1, None, 5])),
        "i_n": ((pa.int32(), [7, -7, None]), (pa.decimal128(5, 2), [exact("1.25"), None, exact("-0.5")])),
        "n_d": ((pa.decimal128(5, 2), [exact("1.25"), exact("-0.50"), None]), (pa.float64(), [0.1, None, 9.0])),
        "w_d": ((pa.decimal128(30, 2), [exact("12345678901234567890.25"), exact("-0.50"), None]),
                (pa.float64(), [0.1, None, 9.0])),
        "d_t": ((pa.date32(), [day, datetime.date(1969, 12, 31), None]),
                (pa.timestamp("us"), [datetime.datetime(2024, 2, 29, 1), None, datetime.datetime(1970, 1, 1)])),
        "l": ((pa.list_(pa.int32()), [[1, None], [], None]), (pa.list_(pa.float64()), [[0.5], None, []])),
    }
    for place, name in enumerate(("a.parquet", "b.parquet")):
        write(folder, name, pa.table({
            key: pa.array(sides[place][1], sides[place][0]) for key, sides in columns.items()}), **plain)


if __name__ == "__main__":
    make_corpus()
    make_tables()
