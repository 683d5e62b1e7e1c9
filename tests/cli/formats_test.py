#!/usr/bin/env python3
"""formats_test.py BUILD - values of every type, in every format, by the program and its engine.

cli_test.py shows the formats over a stand-in; here the values come from SQL. The goldens are
golden/engine.*; FIRN_UPDATE_GOLDEN=1 writes them. PYARROW names a Python that reads --format arrow.
"""
import json
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
FIRN = str(pathlib.Path(sys.argv[1]) / "firn")
GOLDEN = pathlib.Path(__file__).resolve().parent / "golden"
PYARROW = os.environ.get("PYARROW")

# Name of a column, its type, and two values as SQL; the third row is NULL.
COLUMNS = [
    ("n", "NULL", "NULL", "NULL"),
    ("boolean", "BOOLEAN", "TRUE", "FALSE"),
    ("tinyint", "TINYINT", "'-128'", "127"),
    ("smallint", "SMALLINT", "'-32768'", "32767"),
    ("integer", "INTEGER", "'-2147483648'", "2147483647"),
    ("bigint", "BIGINT", "'-9223372036854775808'", "9223372036854775807"),
    ("utinyint", "UTINYINT", "0", "255"),
    ("usmallint", "USMALLINT", "0", "65535"),
    ("uinteger", "UINTEGER", "0", "4294967295"),
    ("ubigint", "UBIGINT", "0", "18446744073709551615"),
    ("float16", "FLOAT16", "'0.1'", "'-inf'"),
    ("real", "REAL", "'0.1'", "'16777216'"),
    ("double", "DOUBLE", "'0.30000000000000004'", "'nan'"),
    ("d_9", "DECIMAL(9,2)", "'-1234567.89'", "'0.01'"),
    ("d_18", "DECIMAL(18,6)", "'123456789012.000001'", "'-0.5'"),
    ("d_38", "DECIMAL(38,10)", "'1234567890123456789012345678.0123456789'", "0"),
    ("d_76", "DECIMAL(76,3)", "'-" + "9" * 73 + ".999'", "1"),
    ("date", "DATE", "'1969-12-31'", "'9999-12-31'"),
    ("time_ms", "TIME_MS", "'23:59:59.999'", "'00:00:00'"),
    ("time", "TIME", "'01:02:03.000004'", "'23:59:59.999999'"),
    ("time_ns", "TIME_NS", "'01:02:03.000000004'", "'12:00:00'"),
    ("ts_s", "TIMESTAMP_S", "'1969-12-31 23:59:59'", "'2020-02-29 00:00:00'"),
    ("ts_ms", "TIMESTAMP_MS", "'1969-12-31 23:59:59.999'", "'2020-02-29 00:00:00'"),
    ("ts", "TIMESTAMP", "'1969-12-31 23:59:59.999999'", "'2020-02-29 00:00:00'"),
    ("ts_ns", "TIMESTAMP_NS", "'1969-12-31 23:59:59.999999999'", "'2020-02-29 00:00:00'"),
    ("tstz", "TIMESTAMP WITH TIME ZONE", "'2020-02-29 12:00:00+02'", "'1900-01-01 00:00:00+00'"),
    ("interval", "INTERVAL", "'1 year 2 months -3 days 04:05:06.000007'", "'0'"),
    ("varchar", "VARCHAR", "'a \"b\", |c'", "''"),
    ("letters", "VARCHAR", "E'h\\u00e9\\t\\U0001f600\\n'", "E'\\\\'"),
    ("json", "JSON", "'{\"a\": [1, null]}'", "'null'"),
    ("binary", "BINARY", "X'0a00ff'", "X''"),
    ("fixed", "BINARY(3)", "X'010203'", "X'ffffff'"),
    ("uuid", "UUID", "'12345678-9abc-def0-1234-56789abcdef0'", "'00000000-0000-0000-0000-000000000000'"),
    ("list", "LIST(INTEGER)", "[1, NULL, 3]", "[]"),
    ("lists", "LIST(LIST(VARCHAR))", "[['a', 'b,c'], [], NULL]", "[['\"']]"),
    ("struct", 'STRUCT("a b" INTEGER, c VARCHAR)', "{'a b': 1, 'c': 'x, y'}", "{'a b': NULL, 'c': ''}"),
    ("map", "MAP(VARCHAR, DECIMAL(5,1))", "MAP {'k': 1.5, 'l': NULL}", "MAP {}"),
]


def query():
    def value(kind, text):
        return text if kind == "NULL" else f"CAST({text} AS {kind})"
    rows = []
    for number in (2, 3, None):
        of_row = [value(column[1], column[number] if number else "NULL") + f' AS "{column[0]}"'
                  for column in COLUMNS]
        rows.append("SELECT " + ", ".join(of_row))
    return " UNION ALL ".join(rows)


def firn(*arguments, code=0):
    done = subprocess.run([FIRN, "-s", "TimeZone=Europe/Berlin", *arguments], capture_output=True,
                          timeout=60)
    assert done.returncode == code, (done.returncode, done.stderr.decode()[-2000:])
    return done.stdout, done.stderr.decode()


def same(got, wanted):
    assert got == wanted, f"\n  got    {got!r}\n  wanted {wanted!r}"


def same_as_golden(name, data):
    path = GOLDEN / name
    if os.environ.get("FIRN_UPDATE_GOLDEN"):
        path.write_bytes(data)
    same(data, path.read_bytes())


def every_type_there_is_has_a_column():
    listed = re.findall(r'^TYPE\(\w+, "([^"]+)"', (ROOT / "src/column/types.def").read_text(), re.MULTILINE)
    shown = {re.sub(r"_(S|MS|NS)$|\(.*", "", kind) for _, kind, _, _ in COLUMNS}
    same(sorted(set(listed) - shown), [])


def every_text_format_shows_every_type():
    for name in ("table", "csv", "json", "ndjson", "markdown"):
        out, err = firn("--format", name, "-c", query())
        same(err, "")
        same_as_golden(f"engine.{name}", out)


def json_formats_say_the_same():
    rows = json.loads(firn("--format", "json", "-c", query())[0])
    lines = firn("--format", "ndjson", "-c", query())[0].decode().splitlines()
    same(rows, [json.loads(line) for line in lines])
    same(list(rows[0]), [column[0] for column in COLUMNS])
    same(set(rows[2].values()), {None})


def years_before_christ_are_as_cast_says():
    sql = ("SELECT day, instant, CAST(day AS VARCHAR), CAST(instant AS VARCHAR), year(day) FROM "
           "(VALUES (DATE '-0043-03-15', TIMESTAMPTZ '0000-01-01 00:00Z')) t(day, instant)")
    out, _ = firn("--format", "csv", "-c", sql)
    row = out.decode().splitlines()[1].split(",")
    same(row[:2], row[2:4])
    same([row[0], row[4]], ["0044-03-15 BC", "-44"])
    out, _ = firn("--format", "ndjson", "-c", "SELECT DATE '-0043-03-15' AS day")  # ISO 8601.
    same(json.loads(out), {"day": "-0043-03-15"})


def arrow_is_what_pyarrow_reads():
    reader = ("import sys, pyarrow.ipc as ipc\n"
              "table = ipc.open_stream(sys.stdin.buffer).read_all()\n"
              "table.validate(full=True)\n"
              "for column in table.schema.names:\n"
              "    print(column, table.schema.field(column).type, table[column].null_count,\n"
              "          table.schema.field(column).metadata, sep=' | ')\n"
              "print(table.to_string(preview_cols=100))\n")
    assert PYARROW, "PYARROW names no Python with pyarrow"
    data, _ = firn("--format", "arrow", "-c", query())
    done = subprocess.run([PYARROW, "-c", reader], input=data, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()[-3000:]
    same_as_golden("engine.arrow.txt", done.stdout)


def a_fault_before_the_first_row_prints_nothing():
    for name in ("table", "csv", "json", "ndjson", "markdown", "arrow"):
        for sql in ("SELECT '12.7'::int", "SELECT a::int AS a FROM (VALUES ('1'), ('12.7')) AS t(a)",
                    "SELECT nowhere", "SELECT 1 AS a ORDER BY '12.7'::int"):
            out, err = firn("--format", name, "-c", sql, code=1)
            same((name, sql, out), (name, sql, b""))
            assert ("12.7" in err) != ("nowhere" in sql), err


def a_fault_behind_rows_leaves_no_whole_result():
    sql = "SELECT CASE WHEN i < 200000 THEN 1 ELSE CAST('12.7' AS INT) END AS a FROM range(300000) AS r(i)"
    out, _ = firn("--format", "json", "-c", sql, code=1)
    assert not out.rstrip().endswith(b"]"), out[-100:]


def truncate_is_no_result():
    statements = ("CREATE TABLE t AS SELECT 1 AS a", "TRUNCATE TABLE t", "SELECT count(*) AS n FROM t", "TRUNCATE TABLE t")
    script = [word for each in statements for word in ("-c", each)]
    for name in ("table", "csv", "json", "ndjson", "markdown", "arrow"):
        out, err = firn("--format", name, *script)
        same((name, err), (name, "1 row changed\n"))
        same((name, out), (name, firn("--format", name, "-c", "SELECT count(*) AS n FROM (VALUES (1)) WHERE false")[0]))
        same((name, firn("--format", name, "--quiet", *script[:4])), (name, (b"", "")))
    requests = "".join(json.dumps({"sql": each}) + "\n" for each in statements)
    done = subprocess.run([FIRN, "session"], input=requests.encode(), capture_output=True, timeout=60)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    same([{key: each.get(key) for key in ("columns", "rows", "count")} for each in answers[1::2]],
         [{"columns": [], "rows": [], "count": None}] * 2)


def rows_of_a_batch_are_what_is_wished():
    for wish, rows in ((), b"8192"), (("-s", "arrow.batch_rows=100"), b"100"):
        out, _ = firn(*wish, "--format", "csv", "-c", "SHOW arrow.batch_rows")
        same(out, b"arrow.batch_rows\n" + rows + b"\n")


def a_dot_command_that_is_no_sql_is_told_from_it():
    _, err = firn("-c", "SELECT 1;\n.tables", code=1)
    assert "  2 | .tables" in err and "hint: dot commands" in err, err
    _, err = firn("-c", "SELECT 1 + .", code=1)
    assert "dot commands" not in err, err


def a_setting_that_is_wrong_is_wrong_usage():
    for wrong in ("TimeZone=Nowhere/Land", "threads=many", "arrow.strings=round", "bogus=1"):
        same((wrong, firn("-s", wrong, "-c", "SELECT 1", code=2)[0]), (wrong, b""))


def main():
    tests = [(name, test) for name, test in globals().items() if callable(test) and
             getattr(test, "__module__", "") == "__main__" and name not in HELPERS]
    failed = 0
    for name, test in tests:
        try:
            test()
            print(f"ok   {name}", flush=True)
        except AssertionError as error:
            failed += 1
            print(f"FAIL {name}\n{error}", flush=True)
    return 1 if failed else 0


HELPERS = {"query", "firn", "same", "same_as_golden", "main"}

if __name__ == "__main__":
    sys.exit(main())
