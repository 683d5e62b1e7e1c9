#!/usr/bin/env python3
"""prompt_test.py BUILD - the commands of the prompt, by the program and its engine.

cli_test.py shows the prompt over a stand-in; here what the commands stand for runs.
"""
import os
import pathlib
import subprocess
import sys

from terminal import Terminal

FIRN = str(pathlib.Path(sys.argv[1]) / "firn")

# What is typed, and what is shown then, in this order.
LINES = [
    ("CREATE TABLE fruit (name VARCHAR, price DECIMAL(9,2));", []),
    ("CREATE SCHEMA garden;", []),
    (".format csv", []),
    (".tables", ["catalog,schema,name,type", "memory,main,fruit,BASE TABLE"]),
    (".schemas", ["name", "garden", "main", "information_schema"]),
    (".catalogs", ["name", "memory", "temp"]),
    (".describe fruit", ["column,type,nullable,default,comment", "name,VARCHAR,YES",
                         'price,"DECIMAL(9,2)",YES']),
    (".describe main.fruit;", ["price,"]),
    (".describe friut", ["friut", "hint: did you mean \"fruit\"?"]),
    (".functions", ["name,category,signature,description", "abs,", "read_parquet,table,"]),
    (".settings", ["name,value,default,description", "memory_limit,", "threads,2,"]),
    ("USE information_schema;", []),
    (".tables", ["memory,information_schema,tables,VIEW"]),
    ("SHOW tabels;", ["hint: did you mean \"TABLES\"?"]),
    (".tabels", ["did you mean \".tables\"?"]),
    ("\\dt", ["type .tables"]),
    (".format arrow", ["this format is binary"]),
]


def unknown_test_modes_are_refused():
    """What is misspelled in FIRN_TEST would test nothing. How many faults."""
    failed = 0
    for words, code, says in (("tny", 2, 'did you mean "tiny"?'), ("plans,tiny", 0, "")):
        done = subprocess.run([FIRN, "-c", "SELECT 1"], capture_output=True, text=True,
                              env={**os.environ, "FIRN_TEST": words}, check=False)
        is_right = done.returncode == code and says in done.stderr
        failed += not is_right
        print(f"{'ok  ' if is_right else 'FAIL'} FIRN_TEST={words} {'' if is_right else done}")
    return failed


def main():
    shell = Terminal(FIRN, "--no-color", "--threads", "2", columns=200)
    shell.wait_for("firn> ")
    failed = unknown_test_modes_are_refused()
    for line, wanted in LINES:
        shell.send(line + "\n")
        shown = shell.wait_for("firn> ")
        at = 0
        for words in wanted:
            at = shown.find(words, at)
            if at < 0:
                break
        failed += at < 0
        print(f"{'FAIL' if at < 0 else 'ok  '} {line}" + (f"\n{shown}" if at < 0 else ""))
    shell.send("\x04")
    return 1 if shell.end() != 0 or failed else 0


if __name__ == "__main__":
    sys.exit(main())
