#!/usr/bin/env python3
"""Every function that other engines agree on has its tests in tests/sql/functions.

A section of a file there begins with `# function NAME` and holds, each behind a comment of its
own: `# null` (a query over NULL), `# wrong type` (an error that is expected), `# border` (a query
over border values) and `# values` (a query with three values or more). With the reference data
(FIRN_SHARED or ../shared) the functions are those that DataFusion, DuckDB and PostgreSQL all have
in math, string, datetime and conditional; without it only the form of the sections is checked.
"""
import csv
import os
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
TESTS = ROOT / "tests" / "sql" / "functions"
CATEGORIES = ("math", "string", "datetime", "conditional")
ENGINES = ("in_datafusion", "in_duckdb", "in_postgres")
AGGREGATES = ("array_agg avg bit_and bit_or bool_and bool_or corr count max median min stddev "
              "string_agg sum variance").split()
PARTS = ("null", "wrong type", "border", "values")
VALUES_MIN = 3


def sections(path):
    """{function: {part: [record]}}; a record is its lines."""
    found, part = {}, None
    for block in re.split(r"\n\s*\n", path.read_text()):
        lines = block.strip("\n").split("\n")
        while lines and lines[0].startswith("#"):
            words = lines.pop(0)[1:].strip()
            if words.startswith("function "):
                found[words[len("function "):]] = {}
            elif words in PARTS:
                part = words
        if lines and lines[0] and found and part:
            found[list(found)[-1]].setdefault(part, []).append(lines)
    return found


def answers(record):
    """How many values a query's record expects."""
    rows = record[record.index("----") + 1:] if "----" in record else []
    width = len(record[0].split()[1]) if record[0].startswith("query ") else 0
    return len(rows) * width


def faults(name, parts):
    queries = {part: [r for r in parts.get(part, []) if r[0].startswith("query ")] for part in PARTS}
    for part in ("null", "border", "values"):
        if not queries[part]:
            yield f"{name}: no query under \"# {part}\""
    if not any("NULL" in r[-1] or "null" in r[1].lower() for r in queries["null"]):
        yield f"{name}: no NULL under \"# null\""
    if not any(r[0].startswith("statement error ") for r in parts.get("wrong type", [])):
        yield f"{name}: no error with its words under \"# wrong type\""
    if sum(answers(r) for r in queries["values"]) < VALUES_MIN:
        yield f"{name}: fewer than {VALUES_MIN} values under \"# values\""


def wanted():
    """Names that must be there, or None where the reference data is not."""
    shared = pathlib.Path(os.environ.get("FIRN_SHARED", ROOT.parent / "shared"))
    path = shared / "sql" / "functions.tsv"
    if not path.is_file():
        return None
    with path.open() as file:
        return {row["name"] for row in csv.DictReader(file, delimiter="\t")
                if row["category"] in CATEGORIES and all(row[e] == "yes" for e in ENGINES)}


def main():
    found, wrong = {}, []
    for path in sorted(TESTS.glob("*.slt")):
        found.update(sections(path))
    for name, parts in sorted(found.items()):
        wrong += faults(name, parts)
    names = wanted()
    wrong += [f"{name}: not in tests/sql/functions"
              for name in sorted((names or set()) | set(AGGREGATES)) if name not in found]
    for text in wrong:
        print("FAIL", text)
    note = "" if names is not None else " (no reference data: only their form)"
    print(f"{len(found)} functions, {len(wrong)} faults{note}")
    print(f"{max(0, len(found) - len(wrong))} passed, {len(wrong)} failed, 0 skipped")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
