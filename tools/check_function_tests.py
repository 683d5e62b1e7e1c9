#!/usr/bin/env python3
"""Every function that other engines agree on has its tests in tests/sql/functions.

A section of a file there begins with `# function NAME` and holds, each behind a comment of its
own and each calling the function: `# null` (a query over NULL whose answer shows it), `# wrong type`
(an error that is expected), `# border` (a query over border values: zero, nothing, the ends of a
type or a domain) and `# values` (at least three values that the function gave: columns without a
call of it are not counted). Aggregates are also called with DISTINCT, FILTER and ORDER BY. With the
reference data (FIRN_SHARED or ../shared) the functions are those that DataFusion, DuckDB and
PostgreSQL all have in math, string, datetime and conditional; without it only the form of the
sections is checked. That the answers are DuckDB's is checked by tests/differential.
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
              "stddev_pop stddev_samp string_agg sum var_pop var_samp variance").split()
# What a border is: nothing, zero, a half, the end of a type or of a function's domain, of a calendar, or a
# character of several bytes. Functions without arguments have none.
BORDER = re.compile(r"(?<![\w.])-?(0|1e30\d|32767|2147483647|2147483648|9223372036854775807|"
                    r"9223372036854775808|1114111|9999)(?![\w.])|infinity|nan|''|9999-12-31|0001-|-02-29|"
                    r"-12-31|24:00|23:59:59|[^\x00-\x7f]|where false", re.IGNORECASE)
PARTS = ("null", "wrong type", "border", "values")
VALUES_MIN = 3
WITHOUT_ARGUMENTS = "current_date current_time current_timestamp now pi random".split()


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
        if lines and lines[0].startswith("skipif "):
            del lines[0]
        if lines and lines[0] and found and part:
            found[list(found)[-1]].setdefault(part, []).append(lines)
    return found


def sql_of(record):
    end = record.index("----") if "----" in record else len(record)
    return " ".join(record[1:end])


def split_at_top(sql, separator):
    """The parts of a text between separators that stand in no parentheses and no quotes."""
    parts, start, depth, quoted = [], 0, 0, False
    for at, sign in enumerate(sql):
        quoted ^= sign == "'"
        depth += 0 if quoted else (sign in "([") - (sign in ")]")
        if depth == 0 and not quoted and sql.startswith(separator, at):
            parts.append(sql[start:at])
            start = at + len(separator)
    return parts + [sql[start:]]


def calls(name, sql):
    return re.search(rf"(?<![\w'\"]){name}(?![\w'\"])", sql, re.IGNORECASE) is not None


def answers(name, record):
    """The values of a query's columns that call a function; of all, if it is called further in."""
    rows = [row.split() for row in record[record.index("----") + 1:]] if "----" in record else []
    width = len(record[0].split()[1]) if record[0].startswith("query ") else 0
    listed = split_at_top(split_at_top(sql_of(record), " from ")[0], ",")
    counted = sum(calls(name, item) for item in listed)
    return len(rows) * (counted or width)


def faults_of_calls(name, queries):
    """An aggregate is called with DISTINCT, with FILTER and with ORDER BY."""
    sql = "\n".join(sql_of(record) for part in queries.values() for record in part)
    opened = rf"(?<!\w){name}\((?:[^()]|\([^()]*\))*"
    for word, pattern in (("DISTINCT", rf"(?<!\w){name}\(distinct "),
                          ("FILTER", rf"{opened}\) filter \("),
                          ("ORDER BY", rf"{opened} order by ")):
        if not re.search(pattern, sql, re.IGNORECASE):
            yield f"{name}: no call with {word}"


def faults(name, parts):
    queries = {part: [r for r in parts.get(part, [])
                      if r[0].startswith("query ") and calls(name, sql_of(r))] for part in PARTS}
    for part in ("null", "border", "values"):
        if not queries[part]:
            yield f"{name}: no query that calls it under \"# {part}\""
    if not any("NULL" in " ".join(r[r.index("----"):]) or "null" in sql_of(r).lower()
               for r in queries["null"]):
        yield f"{name}: no NULL under \"# null\""
    if not any(r[0].startswith("statement error ") and calls(name, sql_of(r))
               for r in parts.get("wrong type", [])):
        yield f"{name}: no error of a call with its words under \"# wrong type\""
    takes_none = name in WITHOUT_ARGUMENTS
    if not takes_none and not any(BORDER.search(sql_of(r)) for r in parts.get("border", [])):
        yield f"{name}: no border value under \"# border\""
    borders = {sql_of(r) for r in parts.get("border", [])}
    if borders & {sql_of(r) for part in ("null", "values") for r in parts.get(part, [])}:
        yield f"{name}: a query under \"# border\" is there twice"
    if sum(answers(name, r) for r in queries["values"]) < VALUES_MIN:
        yield f"{name}: fewer than {VALUES_MIN} values of its own under \"# values\""
    if name in AGGREGATES:
        yield from faults_of_calls(name, queries)


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
