#!/usr/bin/env python3
"""cli_test.py BUILD - tests the command line against the stand-in of fake_firn.c.

Every test is a function whose name is a sentence. pyarrow, if PYARROW names a Python that has it,
reads what --format arrow wrote.
"""
import json
import os
import pathlib
import re
import select
import signal
import subprocess
import sys
import tempfile
import time
import traceback

import terminal

BUILD = pathlib.Path(sys.argv[1])
FIRN = str(BUILD / "firn_cli_fake")
GOLDEN = pathlib.Path(__file__).resolve().parent / "golden"
PYARROW = os.environ.get("PYARROW")
PATIENCE = 60  # Seconds for what comes at once on a machine that has nothing else to do.
THREADS = 3 if "tsan" in str(BUILD) else 2  # Of a program that listens; ThreadSanitizer has its own.


def firn(*arguments, stdin="", code=0):
    """Runs the program; its standard output and error."""
    done = subprocess.run([FIRN, *arguments], input=stdin, capture_output=True, text=True,
                          timeout=PATIENCE, errors="surrogateescape")
    assert done.returncode == code, (done.returncode, done.stdout[-500:], done.stderr[-2000:])
    return done.stdout, done.stderr


def session(*requests, options=()):
    text = "".join((request if isinstance(request, str) else json.dumps(request)) + "\n"
                   for request in requests)
    out, err = firn("session", *options, stdin=text)
    assert err == "", err
    return [json.loads(line) for line in out.splitlines()]


def same(got, wanted):
    assert got == wanted, f"\n  got    {got!r}\n  wanted {wanted!r}"


def same_as_golden(name, text):
    path = GOLDEN / name
    if os.environ.get("FIRN_UPDATE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, errors="surrogateescape")
    same(text, path.read_text(errors="surrogateescape"))


# ---- Formats -------------------------------------------------------------------------------------

def every_type_is_shown_in_every_text_format():
    for format_name in ("table", "csv", "json", "ndjson", "markdown"):
        for words in ("types", "forms"):
            out, err = firn("--format", format_name, "-c", words)
            same(err, "")
            same_as_golden(f"{words}.{format_name}", out)


def json_is_what_python_reads():
    rows = json.loads(firn("--format", "json", "-c", "types")[0])
    lines = firn("--format", "ndjson", "-c", "types")[0].splitlines()
    same(rows, [json.loads(line) for line in lines])
    same(rows[0]["i64"], -2**63)
    same(rows[1]["u64"], 2**64 - 1)
    same(rows[0]["map"], [["a b", -2**31], ["", 2**31 - 1]])
    same(json.loads(firn("--format", "json", "-c", "rows 0")[0]), [])


def repeated_column_names_become_pairs():
    out, _ = firn("--format", "ndjson", "-c", "names")
    same(json.loads(out), [["first_column", 1234567890123], ["first_column", 1234567890123]])


def csv_separates_result_sets_by_a_blank_line():
    out, _ = firn("--format", "csv", "-c", "rows 1; rows 2", "-c", "rows 0")
    same(out, "n,label\n1,row 1\n\nn,label\n1,row 1\n2,row 2\n\nn,label\n")


def csv_tells_null_and_empty_text_apart():
    out, _ = firn("--format", "csv", "-c", "text ")
    same(out, 'text\n""\n')
    out, _ = firn("--format", "csv", "-c", "text 6120222c0a")
    same(out, 'text\n"a "",\n"\n')


def formats_that_hold_one_result_say_so():
    for name in ("json", "arrow"):
        out, err = firn("--format", name, "-c", "rows 1", "-c", "rows 1", code=1)
        assert f'the format \\"{name}\\" takes one result' in err or \
            f'the format "{name}" takes one result' in err, err
        assert "ndjson" in err, err


def floats_are_the_shortest_that_read_back():
    # Python's repr is the independent implementation; the values reach the program by its text.
    out = json.loads(firn("--format", "ndjson", "-c", "types")[0].splitlines()[0])
    same(repr(out["f64_more"]), "0.30000000000000004")


def long_tables_are_whole_where_no_terminal_is():
    out, _ = firn("-c", "rows 5000")
    lines = out.splitlines()
    same(len(lines), 5002)
    same(lines[-1], " 5000 | row 5000")
    same(lines[0], "    n | label")


def control_characters_do_not_reach_a_terminal():
    out, _ = firn("-c", "text 1b5b33316d61090a0d7f")
    same(out.splitlines()[2], " \\x1b[31ma\\t\\n\\r\\x7f")


def arrow_is_read_by_pyarrow():
    reader = """
import sys, pyarrow as pa, pyarrow.ipc
table = pa.ipc.open_stream(sys.stdin.buffer).read_all()
# The column "text" holds bytes that are not UTF-8 on purpose.
table.select([n for n in table.column_names if n != "text"]).validate(full=True)
print(table.to_string(show_metadata=True, preview_cols=100))
"""
    assert PYARROW, "PYARROW names no Python with pyarrow"
    for words in ("types", "forms"):
        data = subprocess.run([FIRN, "--format", "arrow", "-c", words], capture_output=True,
                              check=True).stdout
        done = subprocess.run([PYARROW, "-c", reader], input=data, capture_output=True)
        assert done.returncode == 0, done.stderr.decode()[-3000:]
        same_as_golden(f"{words}.arrow.txt", done.stdout.decode())
    for rows in (0, 1, 2500):
        data = subprocess.run([FIRN, "--format", "arrow", "-c", f"rows {rows}"],
                              capture_output=True, check=True).stdout
        done = subprocess.run([PYARROW, "-c", "import sys, pyarrow.ipc as ipc\n"
                               "t = ipc.open_stream(sys.stdin.buffer).read_all()\n"
                               "t.validate(full=True)\n"
                               "print(t.num_rows, sum(t['n'].to_pylist()),"
                               " t['label'].to_pylist()[-1:])"],
                              input=data, capture_output=True)
        same(done.stdout.decode(), f"{rows} {rows * (rows + 1) // 2} "
             f"{[f'row {rows}'] if rows else []}\n")


# ---- Running -------------------------------------------------------------------------------------

def inputs_run_in_the_order_they_are_given():
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
        file.write("rows 2")
        file.flush()
        out, _ = firn("--format", "csv", "-c", "rows 1", "-f", file.name, "-c", "rows 0")
    same(out, "n,label\n1,row 1\n\nn,label\n1,row 1\n2,row 2\n\nn,label\n")


def sql_comes_from_standard_input():
    same(firn("--format", "csv", stdin="rows 1;\n")[0], "n,label\n1,row 1\n")
    same(firn("--format", "csv", "-f", "-", stdin="rows 1")[0], "n,label\n1,row 1\n")
    same(firn(stdin="")[0], "")


def changed_rows_are_told_on_standard_error():
    same(firn("-c", "count 3; nothing; count 1"), ("", "3 rows changed\n1 row changed\n"))
    same(firn("--quiet", "-c", "count 3"), ("", ""))


def init_runs_first_and_shows_nothing():
    with tempfile.NamedTemporaryFile("w") as file:
        file.write("rows 2; count 7")
        file.flush()
        same(firn("--init", file.name, "--format", "csv", "-c", "rows 0"), ("n,label\n", ""))
        file.write("; fail")
        file.flush()
        firn("--init", file.name, "-c", "rows 0", code=1)


def settings_reach_the_engine():
    out, _ = firn("-s", "a=b=c", "--memory-limit", "512MB", "--threads=2", "--format", "csv", "-c",
                  "settings")
    same(out, "text\n\"a=b=c memory_limit=512MB threads=2 \"\n")


def the_first_fault_ends_the_run():
    out, err = firn("--format", "csv", "-c", "rows 1; fail x; rows 2", "-c", "rows 3", code=1)
    same(out, "n,label\n1,row 1\n")
    assert "error: invalid" in err


def a_fault_shows_its_place():
    _, err = firn("-c", "rows 0;\n  fail regoin", code=1)
    same(err, 'error: invalid: column "regoin" does not exist\n'
              "  while binding the select list\n"
              "  2 |   fail regoin\n"
              "    |        ^\n"
              'hint: did you mean "region"?\n')
    _, err = firn("-c", "rows 0;\r\n  fail regoin\r\n;\r\n", code=1)
    assert "  2 |   fail regoin\n    |        ^\n" in err, err
    _, err = firn("-c", "rows 0; " + "\u00e4" * 200 + ";", code=1)
    assert "does not know this word" in err
    _, err = firn("-c", "rows 0; rows 0;" + " " * 180 + "fail x" + "y" * 200, code=1)
    lines = err.splitlines()
    caret = lines[3].index("^")
    same(lines[2][caret], "x")
    assert len(lines[2]) < 120


def a_fault_does_not_show_secrets():
    cases = [
        ("TOKEN 'hunter22', WAREHOUSE 'w'", "TOKEN '********', WAREHOUSE 'w'"),
        ("token = 'it''s' , X 'a'", "token = '*****' , X 'a'"),
        ("(Credential \"id:pw\") 'b'", "(Credential \"*****\") 'b'"),
        ("HEADERS MAP {'X-Key': 'k', 'Y': 'z'}, 'b'", "HEADERS MAP {'*****': '*', '*': '*'}, 'b'"),
        ("'https://me:pw@host/a@b' TOKENS 'b'", "'https://*****@host/a@b' TOKENS '*'"),
        ("\"https://me:pw@host/a?b\" c", "\"https://*****@host/a?*\" c"),
        ("\"https://token:pw@host/a\" c", "\"https://********@host/a\" c"),
        ("$$https://me:pw@h/a?b$$ c", "$$https://*****@h/a?*$$ c"),
        ("'https://a:b@h s3://c:d@h'", "'https://***@h s3://***@h'"),
        ("token $$ab$$ = $q$'b$$'$q$, $1, 'c'", "token $$**$$ = $q$*****$q$, $1, 'c'"),
        ("token = E'a\\'b' , E'c'", "token = E'****' , E'c'"),
        ("\"access_token\" = 'b' AND x = 'c'", "\"access_token\" = '*' AND x = '*'"),
        ("/* it's /* */ ' */ token 'b'", "token '*'"),
        ("; attach 'h' as l (tokn 'b', type c)", "attach 'h' as l (tokn '*', type c)"),
        ("; atach 'h' as l (bearer b-c, \"t\" $$b$$, read_only) 'e'",
         "atach 'h' as l (bearer *-*, \"t\" $$*$$, read_only) '*'"),
        ("; attach 'http://a:b@h?c' as l 'd'", "attach 'http://***@h?*' as l '*'"),
        ("; attach 'h' (h {'a': ['b', c], 'd': 'e'}, scope 's', k = \"b\" /* b */)",
         "attach 'h' (h {'*': ['*', *], '*': '*'}, scope 's', k = \"*\" /* * */)"),
        ("attach 'h' as l (t $q$b$$ c", "attach 'h' as l (t $q$*****"),
        ("'https://host/a.parquet?sig=xy' b", "'https://host/a.parquet?******' b"),
        ("TOKEN; 'b' CREDENTIAL 'open", "TOKEN; 'b' CREDENTIAL '****"),
    ]
    for written, shown in cases:
        _, err = firn("-c", "fail " + written, code=1)
        assert shown in err, (shown, err)


def a_fault_is_json_where_results_are():
    _, err = firn("--format", "json", "-c", "fail regoin", code=1)
    same(json.loads(err), {"error": 'invalid: column "regoin" does not exist', "code": "42703",
                           "position": 5, "context": ["while binding the select list"],
                           "hint": 'did you mean "region"?'})


def a_broken_stream_is_no_whole_result():
    out, err = firn("-c", "break 3", code=1)
    same(out, "")
    assert "corrupt: page ends early\n  while reading part-1.parquet" in err, err
    out, _ = firn("--format", "json", "-c", "break 3", code=1)
    assert not out.rstrip().endswith("]"), out


def wrong_usage_exits_with_2():
    rows = [
        (["--formt", "csv"], 'unknown option "--formt"'),
        (["--format", "xml"], 'unknown format "xml"'),
        (["-c"], "-c needs a value"),
        (["-s", "threads"], "KEY=VALUE"),
        (["--quiet=1"], "takes no value"),
        (["what"], 'unknown argument "what"'),
        (["-s", "thread=1", "-c", "rows 1"], 'hint: did you mean "threads"?'),
        (["session", "-s", "thread=1"], 'hint: did you mean "threads"?'),
        (["session", "-c", "rows 1"], "session takes no"),
        (["session", "--init", "/nowhere/x.sql"], "session takes no"),
        (["session", "--format", "json"], "session takes no"),
        (["session", "--output", "x"], "session takes no"),
        (["session", "--threads"], "--threads needs a value"),
        (["--frmat", "csv"], 'unknown option "--frmat"; did you mean "--format"?'),
        (["--frmat=csv"], 'unknown option "--frmat"; did you mean "--format"?'),
        (["--format", "tabel"], 'did you mean "table"?'),
        (["sesion"], 'did you mean "session"?'),
        (["--wherever"], 'unknown option "--wherever"; firn --help lists'),
    ]
    for arguments, words in rows:
        out, err = firn(*arguments, code=2)
        same(out, "")
        assert words in err, (arguments, err)


def help_and_version_go_to_standard_output():
    out, err = firn("--help")
    assert out.startswith("usage: firn") and err == ""
    for option in ("-c", "-f", "--format", "--output", "-s", "--memory-limit", "--threads",
                   "--init", "--no-color", "--quiet"):
        assert f"  {option}" in out, option
    same(firn("--version")[0], "firn 0.1.0\n")


def a_missing_file_is_a_fault():
    _, err = firn("-f", "/nowhere/x.sql", code=1)
    assert "/nowhere/x.sql" in err and "No such file" in err


def a_fault_in_a_file_names_it():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "late.sql")
        with open(path, "w", encoding="utf-8") as script:
            script.write("rows 1;\nfail")
        _, err = firn("-f", path, code=1)
        assert f"\n  in {path}\n" in err, err
        _, err = firn(stdin="rows 1;\nfail", code=1)
        assert "  in " not in err, err


# ---- Output files --------------------------------------------------------------------------------

def an_output_file_appears_whole_or_not_at_all():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "out.csv")
        same(firn("--format", "csv", "--output", path, "-c", "rows 1"), ("", ""))
        same(open(path).read(), "n,label\n1,row 1\n")
        firn("--format", "csv", "--output", path, "-c", "rows 2; fail x", code=1)
        firn("--format", "csv", "--output", path, "-c", "break 2000", code=1)
        same(open(path).read(), "n,label\n1,row 1\n")
        firn("--format", "csv", "--output", path, "-c", "rows 2")
        same(open(path).read(), "n,label\n1,row 1\n2,row 2\n")
        same(os.listdir(folder), ["out.csv"])


def an_output_file_without_a_result_is_not_written():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "out")
        for name in ("arrow", "json"):
            out, err = firn("--format", name, "--output", path, "-c", "count 3", code=1)
            same(out, "")
            assert f'no statement gave a result for "{path}"' in err, err
            assert not os.path.exists(path), name
            firn("--format", name, "--output", path, "-c", "count 3; rows 0")
            assert os.path.getsize(path) > 0, name
            os.remove(path)
        firn("--format", "csv", "--output", path, "-c", "count 3")
        same(os.path.getsize(path), 0)


def an_output_file_behind_a_link_is_replaced_and_the_link_stays():
    with tempfile.TemporaryDirectory() as folder:
        os.mkdir(f"{folder}/deep")
        os.symlink("deep/real.csv", f"{folder}/first.csv")
        os.symlink(f"{folder}/first.csv", f"{folder}/second.csv")
        for words in ("rows 1", "rows 2"):  # The file is not there yet, then it is.
            firn("--format", "csv", "--output", f"{folder}/second.csv", "-c", words)
            direct, _ = firn("--format", "csv", "-c", words)
            same(pathlib.Path(f"{folder}/deep/real.csv").read_text(), direct)
        same(os.readlink(f"{folder}/second.csv"), f"{folder}/first.csv")
        same(os.readlink(f"{folder}/first.csv"), "deep/real.csv")
        # A link of one's own to what /dev/stdout is, so that a failing test cannot take that away.
        os.symlink("/proc/self/fd/1", f"{folder}/stdout")
        out, _ = firn("--format", "csv", "--output", f"{folder}/stdout", "-c", "rows 2")
        same(out, direct)
        with open(f"{folder}/log", "w+") as log:
            log.write("before\n")
            log.flush()
            subprocess.run([FIRN, "--format", "csv", "--output", f"{folder}/stdout", "-c", "rows 2"],
                           stdout=log, check=True)
        same(pathlib.Path(f"{folder}/log").read_text(), "before\n" + direct)
        same(os.readlink(f"{folder}/stdout"), "/proc/self/fd/1")


def an_output_file_that_cannot_be_is_a_fault():
    _, err = firn("--output", "/nowhere/x.csv", "-c", "rows 1", code=1)
    assert "/nowhere/x.csv" in err
    same(firn("--format", "csv", "--output", "/dev/null", "-c", "rows 1"), ("", ""))
    _, err = firn("--format", "csv", "--output", "/dev/full", "-c", "rows 1", code=1)
    assert "No space left" in err, err


def an_output_file_whose_links_lead_round_is_a_fault():
    with tempfile.TemporaryDirectory() as folder:
        os.symlink("b", f"{folder}/a")
        os.symlink("a", f"{folder}/b")
        _, err = firn("--output", f"{folder}/a", "-c", "rows 1", code=1)
        assert f'"{folder}/a"' in err and "Too many levels of symbolic links" in err, err
        same(sorted((name, os.readlink(f"{folder}/{name}")) for name in os.listdir(folder)),
             [("a", "b"), ("b", "a")])


def what_does_not_fit_on_the_disk_is_a_fault():
    for words in (["--help"], ["--version"], ["-c", "rows 1"]):
        with open("/dev/full", "wb") as full:
            process = subprocess.run([FIRN, *words], stdout=full, stderr=subprocess.PIPE, text=True,
                                     timeout=PATIENCE)
        assert process.returncode == 1 and "No space left" in process.stderr, (words, process)


def a_reader_that_leaves_ends_the_run_silently():
    process = subprocess.Popen([FIRN, "--format", "csv", "-c", "rows 2000000"],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.readline()
    process.stdout.close()
    same(process.stderr.read(), b"")
    same(process.wait(PATIENCE), -signal.SIGPIPE)


def a_closed_standard_output_is_said_to_be_one():
    process = subprocess.run(["sh", "-c", '"$0" -c "rows 3" >&-', FIRN], stderr=subprocess.PIPE,
                             text=True, timeout=PATIENCE)
    same((process.returncode, process.stderr), (1, "error: writing the results: Bad file descriptor\n"))


# ---- Ctrl-C --------------------------------------------------------------------------------------

def wait_until_it_listens(process):
    """It has a thread for Ctrl-C, which it starts before anything else."""
    end = time.monotonic() + PATIENCE
    while len(os.listdir(f"/proc/{process.pid}/task")) < THREADS and time.monotonic() < end:
        time.sleep(0.01)


def wait_until_there_is(path):
    end = time.monotonic() + PATIENCE
    while not os.path.exists(path) and time.monotonic() < end:
        time.sleep(0.01)


def interrupted(sleeps):
    """While it sleeps, or else waits for input."""
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as told:
        path, begun = os.path.join(folder, "out.csv"), os.path.join(told, "begun")
        arguments = ["-c", f"sleep {begun}", "-c", "rows 1"] if sleeps else []
        process = subprocess.Popen([FIRN, "--output", path, *arguments], stderr=subprocess.PIPE,
                                   stdin=subprocess.PIPE)
        wait_until_it_listens(process)
        if sleeps:
            wait_until_there_is(begun)
        time.sleep(0.3)
        begin = time.monotonic()
        process.send_signal(signal.SIGINT)
        code = process.wait(PATIENCE)
        same(os.listdir(folder), [])
        return code, time.monotonic() - begin


def ctrl_c_stops_the_statement_and_exits_with_130():
    code, seconds = interrupted(True)
    same(code, 130)
    assert seconds < PATIENCE / 2, seconds  # It would sleep for ever.


def ctrl_c_stops_waiting_for_input():
    same(interrupted(False)[0], 130)


# ---- A terminal ----------------------------------------------------------------------------------

class Terminal(terminal.Terminal):
    """The program of these tests on a terminal of its own."""

    def __init__(self, *arguments, columns=60):
        super().__init__(FIRN, *arguments, columns=columns)


def the_prompt_runs_statements_of_several_lines():
    terminal = Terminal("--no-color")
    terminal.wait_for("firn> ")
    terminal.send("rows\n")
    terminal.wait_for("... ")
    terminal.send("1;\n")
    shown = terminal.wait_for("firn> ")
    assert " 1 | row 1" in shown, shown
    terminal.send("fail regoin;\n")
    shown = terminal.wait_for("firn> ")
    assert "does not exist" in shown, shown
    terminal.send("\x04")
    same(terminal.end(), 0)


def the_prompt_has_commands():
    terminal = Terminal("--no-color")
    terminal.wait_for(".help for help")
    terminal.wait_for("firn> ")
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
        file.write("rows 1; rows 2")
        file.flush()
        rows = [
            (".help", "Ctrl-C"),
            (".format csv", ""),
            ("rows 1;", "n,label"),
            (".timer on", ""),
            ("rows 1;", " s\r\n"),
            (".timer maybe", "takes on or off"),
            (f".read {file.name}", "2,row 2"),
            (".read /nowhere/x.sql", "No such file"),
            (".read", ".read takes FILE"),
            (".help me", ".help takes nothing"),
            (".format xml", "there are table, csv"),
            (".what", ".help lists what there is"),
            (".tabels", 'unknown command; did you mean ".tables"?'),
            (".format arrow", "this format is binary"),
            ("rows 1;", "n,label"),
            (".tables;", 'does not know this word'),
            ("help", "type .help for help"),
            ("Help ;", "type .help for help"),
            ("quit", "type .quit to leave"),
            ("exit", "type .quit to leave"),
            ("\\q", "type .quit to leave"),
            ("help me;", "does not know this word"),
        ]
        for line, words in rows:
            terminal.send(line + "\n")
            shown = terminal.wait_for("firn> ")
            assert words in shown, (line, shown)
    terminal.send(".quit\n")
    same(terminal.end(), 0)


def arrow_does_not_go_to_a_terminal():
    terminal = Terminal("--format", "arrow", "-c", "rows 1")
    terminal.wait_for("this format is binary")
    same(terminal.end(), 2)


def a_long_statement_shows_how_far_it_is():
    terminal = Terminal("--no-color", "-c", "slow")
    terminal.wait_for("25 %, 1.2 million rows and 3.0 GiB read, 2.0 KiB spilled, ")
    shown = terminal.wait_for("row 1")
    assert re.match(r"[1-9]\d* s", shown), shown
    assert shown.rindex("\x1b[2K") > shown.rindex(" s"), shown
    same(terminal.end(), 0)
    for word, line in ("rows", r"1\.2 million rows, [1-9]\d* s"), ("nothing", r"[1-9]\d* s"):
        terminal = Terminal("--no-color", "-c", f"slow {word}")
        terminal.wait_for("\x1b[2K")
        shown = terminal.wait_for("\r")
        assert re.fullmatch(line, shown), shown
        terminal.wait_for("row 1")
        same(terminal.end(), 0)
    for options in (["--quiet"], ["-s", "progress=off"]):
        terminal = Terminal("--no-color", *options, "-c", "slow unwatched")
        assert "spilled" not in terminal.wait_for("row 1")
        same(terminal.end(), 0)


def ctrl_c_at_the_prompt_clears_the_line_and_stops_statements():
    terminal = Terminal("--no-color")
    terminal.wait_for("firn> ")
    terminal.send("rows '\n")
    terminal.wait_for("... ")
    terminal.send("\x03")
    terminal.wait_for("firn> ")
    with tempfile.TemporaryDirectory() as folder:
        terminal.send(f"sleep {folder}/x;\n")
        wait_until_there_is(f"{folder}/x")
        terminal.send("\x03")
        assert "cancelled" in terminal.wait_for("firn> ")
    terminal.send("rows 1;\n")
    assert "row 1" in terminal.wait_for("firn> ")
    terminal.send("\x04")
    same(terminal.end(), 0)


def a_terminal_shows_forty_rows():
    terminal = Terminal("--no-color", "-c", "rows 1000")
    shown = terminal.wait_for(" 1000 | row 1000")
    assert " 960 rows are not shown" in shown, shown
    assert "   20 | row 20" in shown and "  981 | row 981" in shown, shown
    assert " row 21\r" not in shown and " row 980\r" not in shown, shown
    same(terminal.end(), 0)
    for count in (39, 40, 41, 59, 60, 61):
        terminal = Terminal("--no-color", "-c", f"rows {count}")
        shown = terminal.wait_for(f" {count} | row {count}")
        same([line.split("|")[1].strip() for line in shown.splitlines() if "row " in line],
             [f"row {n}" for n in range(1, count) if count <= 40 or n <= 20 or n > count - 20])
        same(terminal.end(), 0)


def a_narrow_terminal_clips_and_hides_columns():
    terminal = Terminal("--no-color", "-c", "wide 4", columns=40)
    shown = terminal.wait_for("\r\n")
    assert len(shown) <= 40, shown
    terminal.end()
    terminal = Terminal("--no-color", "-c", "wide 40", columns=70)
    header = terminal.wait_for("\r\n")
    assert len(header) <= 70 and "\u2026" in header, header
    terminal.end()


def colors_only_on_a_terminal():
    terminal = Terminal("-c", "rows 1")
    assert "\x1b[1m" in terminal.wait_for("row 1")
    terminal.end()
    assert "\x1b" not in firn("-c", "rows 1")[0]


# ---- firn session --------------------------------------------------------------------------------

def session_answers_each_request_on_one_line():
    answers = session({"sql": "rows 2"}, {"sql": "rows 1; count 4"}, {"sql": "nothing"},
                      {"sql": ""}, {"sql": "rows 1; rows 0"})
    same(answers[0], {"columns": [{"name": "n", "type": "BIGINT"},
                                  {"name": "label", "type": "VARCHAR"}],
                      "rows": [["1", "row 1"], ["2", "row 2"]]})
    same(answers[1], {"columns": [], "rows": [], "count": 4})
    same(answers[2], {"columns": [], "rows": []})
    same(answers[3], {"columns": [], "rows": []})
    same(answers[4]["rows"], [])


def session_renders_types_as_the_protocol_says():
    text = session({"sql": "types"})[0]
    same_as_golden("types.session.json", json.dumps(text, indent=1) + "\n")


def session_faults_have_fields():
    answers = session({"sql": "rows 1; fail x"}, {"sql": "break 2"}, "{not json", "[]",
                      {"op": "open", "path": "x"}, {"sql": "rows 1"})
    same(answers[0], {"error": 'invalid: column "regoin" does not exist', "code": "42703",
                      "position": 13, "context": ["while binding the select list"],
                      "hint": 'did you mean "region"?'})
    same(answers[1], {"error": "corrupt: page ends early",
                      "context": ["while reading part-1.parquet"]})
    same([answer.get("code") for answer in answers[2:5]], ["08P01", "08P01", "0A000"])
    same(len(answers[5]["rows"]), 1)


def session_refuses_members_that_are_no_texts():
    answers = session({"sql": "rows 1", "conn": 5}, {"sql": 7}, {"sql": "rows 1", "conn": None},
                      {"sql": ["rows 1"]}, {"op": {"reset": 1}}, {"sql": "rows 1", "op": True},
                      {"sql": "rows 1", "other": 5})
    same([(answer.get("error"), answer.get("code")) for answer in answers[:6]],
         [(f'"{name}" of the request is no text', "08P01")
          for name in ("conn", "sql", "conn", "sql", "op", "op")])
    same(len(answers[6]["rows"]), 1)


def session_keeps_connections_apart():
    answers = session({"sql": "set TimeZone Europe/Berlin", "conn": "a"},
                      {"sql": "types", "conn": "a"}, {"sql": "types"},
                      {"op": "reset", "file": "x"}, {"sql": "types", "conn": "a"})
    at = [column["name"] for column in answers[1]["columns"]].index("tstz")
    same([answers[i]["rows"][0][at] for i in (1, 2, 4)],
         ["2020-01-02 04:04:05+01", "2020-01-02 03:04:05+00", "2020-01-02 03:04:05+00"])


def session_reads_escapes_and_long_lines():
    sql = "rows 1" + " " * 300000 + "\u00e9\u20ac\U0001f600\"\\\n\t"
    same(len(session({"sql": sql})[0]["rows"]), 1)
    same(session('{"x": [1, {"y": "\\u00e9"}], "sql": "\\u0072ows\\u00201", "z": null}')[0]["rows"],
         [["1", "row 1"]])
    same(session({"sql": "text 22090aff00"})[0]["rows"], [["\"\t\n\ufffd\0"]])


def session_takes_settings():
    same(session({"sql": "settings"}, options=("--threads", "1"))[0]["rows"], [["threads=1 "]])
    both = session({"sql": "settings"}, options=("--memory-limit", "64MB", "-s", "progress=off", "--quiet"))
    same(both[0]["rows"], [["memory_limit=64MB progress=off "]])


def main():
    wanted = sys.argv[2] if len(sys.argv) > 2 else ""
    tests = [(name, test) for name, test in globals().items()
             if callable(test) and getattr(test, "__module__", "") == "__main__"
             and name not in HELPERS and wanted in name]
    failed = 0
    for name, test in tests:
        try:
            test()
            print(f"ok   {name}", flush=True)
        except Exception:
            failed += 1
            print(f"FAIL {name}\n{traceback.format_exc()}", flush=True)
    return 1 if failed or not tests else 0


HELPERS = {"firn", "session", "same", "same_as_golden", "wait_until_it_listens",
           "wait_until_there_is", "interrupted", "main", "Terminal"}

if __name__ == "__main__":
    sys.exit(main())
