#!/usr/bin/env python3
"""runner_test.py BUILD - tests firn_sql_tests against the stand-in of tests/cli/fake_firn.c."""
import os
import pathlib
import subprocess
import sys
import tempfile
import traceback

RUNNER = str(pathlib.Path(sys.argv[1]) / "firn_sql_tests_fake")


def run(files, *options, code=None, **variables):
    """Runs files given as {name: text}; the output, and the files as they are afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            path = pathlib.Path(folder, name)
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        done = subprocess.run([RUNNER, *options, folder], capture_output=True, text=True, errors="replace",
                              env=dict(os.environ, **variables), timeout=60)
        after = {name: pathlib.Path(folder, name).read_text() for name in files}
    out = done.stdout.replace(folder + "/", "")
    if code is not None:
        assert done.returncode == code, (done.returncode, out, done.stderr)
    return out, after


def totals(out):
    return out.splitlines()[-1]


def same(got, wanted):
    assert got == wanted, f"\n  got    {got!r}\n  wanted {wanted!r}"


def passes(text, count=1, **variables):
    out, _ = run({"a.slt": text}, **variables)
    assert totals(out) == f"{count} passed, 0 failed, 0 skipped", out


def fails(text, words, **variables):
    out, _ = run({"a.slt": text}, **variables)
    assert ", 1 failed, 0 skipped" in totals(out), out
    assert words in out, out


def query(sql, types, *lines, how=""):
    return f"query {types} {how}\n{sql}\n----\n" + "".join(line + "\n" for line in lines) + "\n"


def statements_say_whether_they_fail():
    passes("statement ok\nrows 1\n")
    passes("statement error\nfail x\n")
    passes("statement error does not exist\nfail x\n")
    passes("statement error column \".*\" does\nfail x\n")
    passes("statement error 42703\nfail x\n")
    passes("query error did you mean \"region\"\nfail x\n")
    passes("statement error\nfail x\n----\ndoes not exist\n  while binding\n\n\nstatement ok\nrows 1", 2)
    passes("statement count 3\ncount 3\n")
    fails("statement ok\nfail x\n", "does not exist")
    fails("statement error no such word\nfail x\n", "another error")
    fails("statement error\nrows 1\n", "no error")
    fails("statement count 3\ncount 4\n", "4 changed rows, expected 3")
    fails("statement what\nrows 1\n", "not known")
    fails("sql\nrows 1\n", "not known")


def answers_are_compared_row_by_row():
    passes(query("rows 2", "IT", "1 row 1", "2 row 2"))
    passes(query("rows 0", "IT"))
    fails(query("rows 2", "IT", "1 row 1", "2 row 3"), "expected 2 row 3\n  got      2 row 2")
    fails(query("rows 2", "IT", "2 row 2", "1 row 1"), "row 1")
    fails(query("rows 2", "IT", "1 row 1"), "2 rows, expected 1")
    fails(query("rows 2", "I", "1", "2"), "2 columns, expected 1")
    fails(query("rows 1", "IT", "1 row", "1"), "1 rows, expected 2")


def sorts_make_order_free():
    passes(query("rows 11", "IT", *sorted(f"{n} row {n}" for n in range(1, 12)), how="rowsort"))
    passes(query("rows 2", "IT", "2 row 2", "1 row 1", how="rowsort"))
    passes(query("rows 2", "IT", "1", "2", "row 1", "row 2", how="valuesort"))
    fails(query("rows 2", "IT", "2 row 2", "2 row 2", how="rowsort"), "of the sorted rows")


def values_agree_by_their_meaning():
    same_values = [
        ("f64", "0.00001"), ("f64", "1.0000000001e-5"), ("f64_more", "0.3"),
        ("f64_odd", "nan"), ("d128", "-0.010"), ("d128", "-.01"), ("ts", "2020-01-02T03:04:05.000"),
        ("tstz", "2020-01-02 03:04:05Z"), ("time", "01:00"), ("span", "14 months 3 days 04:05:06.789"),
        ("list", "[1,null,3]"), ("words", "['a b', \"\", null]"), ("struct", "{'a': -2147483648, 'b c': 'abcde'}"),
        ("map", "{a b=-2147483648, ''=2147483647}"), ("bool", "t"), ("bool", "1"), ("i64", "-9223372036854775808"),
        ("f32", "0.1"), ("blob", "\\x0AFF"), ("u64", "0"),
    ]
    for name, first in same_values:
        out, _ = run({"a.slt": query(f"column {name}", "?", first, "x", "NULL")})
        assert "row 2" in out, (name, first, out)
    different = [
        ("f64", "0.0000101"), ("f64_more", "0.31"), ("f64_odd", "1"), ("d128", "-0.02"),
        ("d128", "-0.0100000001"), ("ts", "2020-01-02 03:04:06"), ("tstz", "2020-01-02 03:04:05+01"),
        ("span", "13 months 3 days 04:05:06.789"), ("list", "[1, 2, 3]"), ("list", "[1, NULL]"),
        ("struct", "{a: -2147483648, b c: abcdef}"), ("bool", "f"),
        ("i64", "-9223372036854775807"), ("f32", "0.11"), ("blob", "\\x0AFE"), ("u64", "NULL"),
        ("plain", "abcd"), ("plain", " abcde"), ("text", "h"),
    ]
    for name, text in different:
        out, _ = run({"a.slt": query(f"column {name}", "?", text, "x", "NULL")})
        assert "row 1" in out, (name, text, out)


def null_and_empty_text_differ():
    passes(query("text ", "T", "(empty)"))
    fails(query("text ", "T", "NULL"), "expected NULL")
    fails(query("text 4e554c4d", "T", "NULL"), "expected NULL")


def text_keeps_its_blanks():
    passes(query("text 612020622063", "T", "a  b c"))
    fails(query("text 612020622063", "T", "a b c"), "row 1")
    passes(query("text 610a62", "T", "a\\nb"))


def conditions_and_modes():
    passes("skipif firn\nstatement ok\nfail x\n\nonlyif firn\nstatement ok\nrows 1\n")
    passes("onlyif other\nstatement ok\nfail x\n\nstatement ok\nrows 1\n")
    passes("skipif tiny\nstatement ok\nfail x\n\nstatement ok\nrows 1\n", FIRN_TEST="tiny,wait")


def loops_variables_and_includes():
    passes("loop i 0 3\n\nquery IT\nrows 1\n----\n1 row 1\n\nstatement ok\nrows ${i}\n\nendloop\n", 6)
    passes("foreach w rows count\n\nforeach n 1 2\n\nstatement ok\n${w} ${n}\n\nendloop\n\nendloop\n", 4)
    passes("query T\ntext ${WORD}\n----\nab\n", WORD="6162")
    passes("statement ok\nrows 0 ${TMP}\n")
    fails("statement ok\nrows ${NOWHERE}\n", "no value for ${NOWHERE}")
    out, _ = run({"a.slt": "include sub/b.inc\n\nstatement ok\nrows 1\n",
                  "sub/b.inc": "statement ok\nrows 2\n\nstatement ok\nfail x\n"})
    assert "sub/b.inc:4" in out and totals(out) == "2 passed, 1 failed, 0 skipped", out
    fails("include nowhere.inc\n", "can't be read")
    passes("statement ok\nrows 1\n\nhalt\n\nstatement ok\nfail x\n")


def connections_are_sessions_of_one_engine():
    text = ("connection a\nstatement ok\nset TimeZone Europe/Berlin\n\n"
            "connection a\nquery P\ncolumn tstz\n----\n2020-01-02 04:04:05+01\n"
            "2020-01-02 04:04:05.6789+01\nNULL\n\n"
            "query P\ncolumn tstz\n----\n2020-01-02 03:04:05+00\n2020-01-02 03:04:05.6789+00\nNULL\n")
    passes(text, 3)


def complete_fills_in_answers():
    text = "# a comment\nquery IT\nrows 2\n\nquery IT rowsort\nrows 1\n----\nwrong\n\nstatement ok\nrows 1\n"
    _, after = run({"a.slt": text}, "--complete", code=0)
    same(after["a.slt"], "# a comment\nquery IT\nrows 2\n----\n1 row 1\n2 row 2\n\n"
         "query IT rowsort\nrows 1\n----\n1 row 1\n\nstatement ok\nrows 1\n")
    run({"a.slt": after["a.slt"]}, code=0)


def files_are_chosen_by_shard_filter_and_pattern():
    files = {f"{name}.slt": "statement ok\nrows 1\n\nstatement ok\nrows 2 OVER ( x\n" for name in "abcde"}
    for options, count in ((("--shard", "1/2"), 6), (("--shard", "2/2"), 4), (("--filter", "/c."), 2),
                           (("--leave-out", "over *\\(|cube"), 5), (("--jobs", "4"), 10)):
        out, _ = run(files, *options, code=0)
        same(totals(out), f"{count} passed, 0 failed, 0 skipped")


def what_dies_or_hangs_takes_no_other_with_it():
    files = {"a.slt": "statement ok\nrows 1\n\nstatement ok\nsleep\n", "b.slt": "statement ok\nrows 1\n",
             "c.slt": "statement ok\ncrash\n"}
    out, _ = run(files, "--timeout", "5", code=1)
    assert "FAIL a.slt: not done after 5 s" in out, out
    assert "FAIL c.slt: " in out and ("died of signal" in out or "ended with" in out), out
    same(totals(out), "1 passed, 2 failed, 0 skipped")


def nothing_to_run_is_no_success():
    out, _ = run({"a.slt": "# only a comment\n"}, code=1)
    same(totals(out), "0 passed, 0 failed, 0 skipped")


def main():
    helpers = {"run", "totals", "same", "passes", "fails", "query", "main"}
    tests = [(name, test) for name, test in globals().items()
             if callable(test) and name not in helpers]
    failed = 0
    for name, test in tests:
        try:
            test()
            print(f"ok   {name}", flush=True)
        except Exception:
            failed += 1
            print(f"FAIL {name}\n{traceback.format_exc()}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
