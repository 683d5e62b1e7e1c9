#!/usr/bin/env python3
"""Writes docs/reference/ from the program itself: make_reference.py BUILD [--check]

Functions come from SHOW FUNCTIONS, which is functions.def and the like; settings from SHOW ALL
SETTINGS, which is settings.def; the command line from firn --help. --check only says whether the
files are as they would be written.
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
    text = MADE + (
        "# Settings\n\n`SET name = value`, `RESET name`, `SHOW name`, `SHOW ALL`; on the command line "
        "`-s name=value`; in C `firn_engine_set`, `firn_session_set` and `firn_statement_set`.\n\n"
        "One of the engine holds for all its sessions, whichever of them sets it, from the next "
        "statement on. One of a session holds for its later statements; what is set on the engine "
        "(`firn_engine_open`, `firn_engine_set`) is what later sessions begin with. "
        "`firn_statement_set` sets one of a session for one prepared statement, but not "
        "`search_path`.\n\n| setting | of | default | meaning |\n| --- | --- | --- | --- |\n")
    found = rows(firn, "SHOW ALL SETTINGS")
    for row in found:
        text += (f"| `{row['name']}` | {row['scope']} | {code(row['default'])} | "
                 f"{cell(row['description'])} |\n")
    check_manual(found)
    return text


def check_manual(found):
    """The manual in firn.h must name the settings that belong to the engine, and those of Arrow."""
    header = (ROOT / "include/firn.h").read_text()
    of_engine = comment_of(header, "firn_engine_set").split("hold for all statements")[0]
    of_statement = comment_of(header, "firn_statement_set")
    named = {name for name in (row["name"] for row in found) if re.search(rf"\b{name}\b", of_engine)}
    named |= set(re.findall(r"^ {4,}(arrow\.\w+)", of_statement, re.MULTILINE))
    wanted = {row["name"] for row in found
              if row["scope"] == "engine" or row["name"].startswith("arrow.")}
    if named != wanted:
        raise SystemExit("FAIL firn.h names other settings than there are: "
                         + ", ".join(sorted(named ^ wanted)))


def comment_of(header, function):
    """The comment above a function, without its slashes."""
    before = header.split(f"FIRN_API firn_status {function}(")[0].splitlines()
    lines = []
    while before and before[-1].startswith("///"):
        lines.insert(0, before.pop()[3:])
    return "\n".join(lines)


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
