#!/usr/bin/env python3
"""Every row of the reference data on SQL's semantics has a test in tests/sql/semantics.

`# row: TOPIC (…)` before a record there names a row of sql/semantics.tsv, what engines answer, and
`# page: TOPIC` one of the tables of design/SQL.md, what firn decided. A row without a test stands in
LATER with the reason. Without the reference data (FIRN_SHARED or ../shared) only the comments are
checked: each is followed by a record, and none is there twice.
"""
import csv
import os
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
TESTS = ROOT / "tests" / "sql" / "semantics"
WINDOWS = "window functions are not there yet"
LATER = {
    "row": {
        "window default frame": WINDOWS, "first_value ignore nulls": WINDOWS,
        "range interval frame": WINDOWS, "groups frame": WINDOWS, "exclude frame": WINDOWS,
        "qualify": WINDOWS, "recursive cte": "WITH RECURSIVE is not there yet",
        "distinct on": "DISTINCT ON is not there yet", "json extract": "JSON has no functions and no -> yet",
        "median": "WITHIN GROUP is not there yet",
    },
    "page": {
        "default window frame": WINDOWS,
        "recursive CTE": "WITH RECURSIVE is not there yet",
    },
}


def marks():
    """(kind, topic, file, has_record) of each comment."""
    for path in sorted(TESTS.glob("*.slt")):
        lines = path.read_text().split("\n")
        for at, line in enumerate(lines):
            found = re.match(r"# (row|page): (.*)$", line)
            if found:
                topic = found[2].rsplit(" (", 1)[0] if found[1] == "row" else found[2]
                after = lines[at + 1] if at + 1 < len(lines) else ""
                yield found[1], topic, path, after.startswith(("query ", "statement "))


def wanted(shared):
    """{(kind, topic)} of the reference data that is there."""
    topics = set()
    table = shared / "sql" / "semantics.tsv"
    if table.is_file():
        with table.open(newline="") as file:
            topics |= {("row", row["topic"]) for row in
                       csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)}
    page = shared / "design/SQL.md"
    if page.is_file():
        for line in page.read_text().split("\n"):
            if line.startswith("| ") and not line.startswith(("| topic ", "| ---")):
                topics.add(("page", re.split(r" (?<!\\)\| ", line[2:])[0]))
    return topics


def main():
    shared = pathlib.Path(os.environ.get("FIRN_SHARED", ROOT.parent / "shared"))
    topics, tested, wrong = wanted(shared), set(), []
    for kind, topic, path, has_record in marks():
        name = f"{path.name}: {kind} \"{topic}\""
        if not has_record:
            wrong.append(f"{name} has no record after it")
        if (kind, topic) in tested:
            wrong.append(f"{name} is there twice")
        if topics and any(its == kind for its, _ in topics) and (kind, topic) not in topics:
            wrong.append(f"{name} is no row of the reference data")
        if topic in LATER[kind]:
            wrong.append(f"{name} is tested and listed as later")
        tested.add((kind, topic))
    wrong += [f"no test of {kind} \"{topic}\"" for kind, topic in sorted(topics - tested)
              if topic not in LATER[kind]]
    for text in wrong:
        print("FAIL", text)
    later = sum(map(len, LATER.values()))
    note = "" if topics else " (no reference data: only their form)"
    print(f"{len(tested)} rows tested, {later} later{note}")
    print(f"{len(tested)} passed, {len(wrong)} failed, {0 if topics else 1} skipped")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
