#!/usr/bin/env python3
"""Writes docs/reference/ from the program itself: make_reference.py BUILD [--check]

Functions come from SHOW FUNCTIONS, which is functions.def and the like; settings from SHOW ALL
SETTINGS, which is settings.def; options of statements from the manual of firn_statement_set in
firn.h, which must name those of arrow_types.c; the command line from firn --help. --check only says
whether the files are as they would be written.
"""
import csv
import io
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "reference"
MADE = "<!-- Made by tools/make_reference.py; do not edit. -->\n\n"
# Ours, so that the file does not depend on the machine.
SETTINGS = ("-s", "threads=2", "-s", "memory_limit=1GB")


def output(firn, *arguments):
    return subprocess.run([firn, *arguments], capture_output=True, text=True, check=True).stdout


def rows(firn, sql):
    return list(csv.DictReader(io.StringIO(output(firn, *SETTINGS, "--format", "csv", "-c", sql))))


def cell(text):
    return text.replace("|", "\\|").replace("\n", " ")


def code(text):
    """A span of code, also of text with a grave accent."""
    return f"`{cell(text)}`" if "`" not in text else f"`` {cell(text)} ``"


def functions(firn):
    by_category = {}
    for row in rows(firn, "SHOW FUNCTIONS"):
        of_category = by_category.setdefault(row["category"], {})
        signatures, _ = of_category.setdefault(row["name"], ([], row["description"]))
        if row["signature"]:
            signatures.append(row["signature"])
    text = MADE + ("# Functions\n\nA signature says result `<-` arguments; `T` is one type in all "
                   "places, `...` any number of arguments. `SHOW FUNCTIONS` lists the same.\n")
    for category in sorted(by_category):
        names = by_category[category]
        text += f"\n## {category}\n\n| function | what it gives | signatures |\n| --- | --- | --- |\n"
        for name in sorted(names):
            signatures, description = names[name]
            text += (f"| {code(name)} | {cell(description)} | "
                     f"{'<br>'.join(code(each) for each in signatures)} |\n")
    return text


def settings(firn):
    text = MADE + ("# Settings\n\n`SET name = value`, `RESET name`, `SHOW name`; on the command line "
                   "`-s name=value`; in C `firn_engine_set` and `firn_session_set`.\n\n"
                   "| setting | default | meaning |\n| --- | --- | --- |\n")
    for row in rows(firn, "SHOW ALL SETTINGS"):
        text += f"| `{row['name']}` | {code(row['default'])} | {cell(row['description'])} |\n"
    return text + statement_options()


def statement_options():
    """The table of options in the comment of firn_statement_set."""
    manual = (ROOT / "include/firn.h").read_text().split("FIRN_API firn_status firn_statement_set(")[0]
    rows = []
    table = manual.rsplit("/// Sets an option of one statement")[1].split("/// @returns")[0]
    for line in re.findall(r"^/// {5,}(\S.*)$", table, re.MULTILINE):
        parts = re.split(r" {2,}", line)
        if parts[0].startswith("arrow."):
            rows.append(parts)
        else:
            rows[-1][2] += " " + line
    source = (ROOT / "src/column/arrow_types.c").read_text()
    taken = set(re.findall(r'^    \{"(\w+)", \{"', source, re.MULTILINE))
    taken |= set(re.findall(r'text_equal_nocase\(key, TEXT\("(\w+)"\)\)', source))
    if {row[0] for row in rows} != {f"arrow.{name}" for name in taken}:
        raise SystemExit("FAIL firn.h and arrow_types.c have other options: " + ", ".join(
            sorted({row[0] for row in rows} ^ {f"arrow.{name}" for name in taken})))
    text = ("\n## Options of one statement\n\n`firn_statement_set` takes any setting of the session, and "
            "what the results look like in Arrow, where a reader does not take everything. Of "
            "words the first is the default.\n\n| option | values | what results have |\n| --- | --- | --- |\n")
    for name, values, meaning in rows:
        text += f"| `{name}` | {code(values)} | {cell(meaning)} |\n"
    return text


def command_line(firn):
    return MADE + f"# Command line\n\n```\n{output(firn, '--help')}```\n"


def main():
    firn = str(pathlib.Path(sys.argv[1]) / "firn")
    problems = []
    for name, make in (("functions.md", functions), ("settings.md", settings),
                       ("command_line.md", command_line)):
        path = FOLDER / name
        text = make(firn)
        if "--check" not in sys.argv:
            FOLDER.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            problems.append(f"FAIL {path.relative_to(ROOT)} is not what the program says; "
                            "tools/make_reference.py build/release writes it")
    print("\n".join(problems) if problems else "ok   docs/reference")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
