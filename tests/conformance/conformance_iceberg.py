#!/usr/bin/env python3
"""conformance_iceberg.py FIRN FOLDER [FILTER] - reads the Iceberg tables of the conformance set.

FOLDER is conformance/iceberg of the reference data, whose README.md says what the cases mean, or the
part of it in tests/data. Runs every `scan` case of the
tier v1v2-read, those of v3-read whose tables need nothing that v2 lacks, the must_fail and error
cases (a clean error, never rows) and the quirks (the expected rows or a clean error). Tables are
opened by their metadata file, counted, and read a second time through the SQLite catalog where they
are in it; views are read through the catalog. Where the reference says which files it keeps (`plan`),
no more data and delete files may be opened.
"""
import concurrent.futures
import datetime
import json
import os
import pathlib
import re
import subprocess
import sys

import canonical_rows
from canonical_rows import Crashed, Failed

# What a table may need so that this version reads it.
READ = {"parquet", "avro", "brotli", "position-deletes", "equality-deletes", "partitions",
        "partition-evolution", "schema-evolution", "name-mapping", "gzip-metadata",
        "hadoop-catalog", "nanoseconds"}
COMPARE = {"eq": "=", "not-eq": "<>", "lt": "<", "lt-eq": "<=", "gt": ">", "gt-eq": ">="}


def quoted(text):
    return "'" + str(text).replace("'", "''") + "'"


def name_of(term):
    """A dotted path, quoted part by part."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in term.split("."))


# ---- Filters -------------------------------------------------------------------------------------

def field_types(metadata):
    """{dotted name: type} of all schemas of a table, the newest last."""
    types = {}

    def walk(prefix, struct):
        for field in struct["fields"]:
            types[prefix + field["name"]] = field["type"]
            if isinstance(field["type"], dict) and field["type"]["type"] == "struct":
                walk(prefix + field["name"] + ".", field["type"])
    for schema in metadata.get("schemas") or [metadata.get("schema")] or []:
        if schema:
            walk("", schema)
    return types


def literal(value, kind):
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(kind, str) and (kind == "binary" or kind.startswith("fixed")):
        return f"X'{value}'"
    return quoted(value)


def condition(tree, types):
    """Iceberg's filter JSON as SQL."""
    if tree is True or tree is False:
        return "TRUE" if tree else "FALSE"
    kind = tree["type"]
    if kind in ("true", "false"):
        return kind.upper()
    if kind == "not":
        return f"NOT ({condition(tree['child'], types)})"
    if kind in ("and", "or"):
        return f"({condition(tree['left'], types)}) {kind.upper()} ({condition(tree['right'], types)})"
    term = tree["term"]
    column, of_type = name_of(term), types.get(term)
    if kind in ("is-null", "not-null"):
        return f"{column} IS {'NOT ' if kind == 'not-null' else ''}NULL"
    if kind in ("is-nan", "not-nan"):
        return f"{column} {'=' if kind == 'is-nan' else '<>'} 'NaN'"
    if kind in ("in", "not-in"):
        values = ", ".join(literal(value, of_type) for value in tree["values"])
        return f"{column} {'NOT ' if kind == 'not-in' else ''}IN ({values})"
    if kind in ("starts-with", "not-starts-with"):
        text = tree["value"].replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        return f"{column} {'NOT ' if kind.startswith('not') else ''}LIKE {quoted(text + '%')}"
    return f"{column} {COMPARE[kind]} {literal(tree['value'], of_type)}"


# ---- Scans ---------------------------------------------------------------------------------------

def moment(milliseconds):
    at = datetime.datetime.fromtimestamp(milliseconds // 1000, datetime.timezone.utc)
    return f"TIMESTAMPTZ '{at:%Y-%m-%d %H:%M:%S}.{milliseconds % 1000:03d}+00'"


def options_of(scan):
    """The time travel of a scan as options of iceberg_scan."""
    names = {"snapshot-id": ("snapshot_id", str), "ref": ("ref", quoted),
             "as-of-ms": ("timestamp", moment), "from-snapshot-id": ("from_snapshot_id", str),
             "to-snapshot-id": ("to_snapshot_id", str)}
    return "".join(f", {names[key][0]} => {names[key][1](value)}" for key, value in scan.items()
                   if key in names)


def query(source, scan, types):
    """SQL of a scan. A dotted path is selected as its leaf, with the path as its name."""
    columns = "*"
    if "select" in scan:
        columns = ", ".join(f'{name_of(path)} AS "{path}"' for path in scan["select"])
    sql = f"SELECT {columns} FROM {source}"
    if "filter" in scan:
        sql += " WHERE " + condition(scan["filter"], types)
    return sql


def leaf(row, path):
    """The value at a dotted path of an expected row; what is under NULL is NULL."""
    for part in path.split("."):
        if row is None:
            return None
        row = next((value for name, value in row["pairs"] if name == part), None)
    return row


def expected_lines(lines, scan):
    """The rows as firn gives them: leaves under their paths where the scan selects paths."""
    if "select" not in scan:
        return lines
    out = []
    for line in lines:
        row = canonical_rows.read(line)
        out.append("{" + ",".join(f"{json.dumps(path)}:{text(leaf(row, path))}"
                                  for path in scan["select"]) + "}")
    return out


def text(value):
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(name)}:{text(part)}" for name, part in value["pairs"]) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(text, value)) + "]"
    return json.dumps(value)


def compare(got, wanted, scan):
    wanted = expected_lines(wanted, scan)
    return canonical_rows.difference(sorted(got, key=canonical_rows.sort_key),
                                     sorted(wanted, key=canonical_rows.sort_key))


def opened(firn, sql):
    """How many data and delete files a query opens, by EXPLAIN ANALYZE."""
    lines = [json.loads(line)["plan"] for line in canonical_rows.run(firn, "EXPLAIN ANALYZE " + sql)]
    facts = [line for line in lines if re.match(r" *rows=|.*files", line) and "filter=[" not in line]
    count = dict(re.findall(r"(?<!pruned )\b((?:delete )?files)=(\d+)", "  ".join(facts)))
    return int(count.get("files", 0)), int(count.get("delete files", 0))


def open_too_many(firn, sql, plan):
    """What is opened above what the reference keeps; None if nothing is."""
    files, deletes = opened(firn, sql)
    wanted = len(plan["files"]), len({path for paths in plan["files"].values() for path in paths})
    if files <= wanted[0] and deletes <= wanted[1]:
        return None
    return (f"opens {files} data and {deletes} delete files, the reference keeps {wanted[0]} and "
            f"{wanted[1]}")


def miscounted(firn, source, wanted):
    """count(*) may be answered from metadata: it is that of the rows."""
    got = json.loads(canonical_rows.run(firn, f"SELECT count(*) AS n FROM {source}")[0])["n"]
    return None if got == wanted else f"count(*) is {got}, there are {wanted} rows"


# ---- Cases ---------------------------------------------------------------------------------------

def is_read(table, case):
    if case["kind"] == "error":
        return True
    if case["kind"] != "scan":
        return False
    tier = case.get("tier")
    return tier in ("v1v2-read", "must_fail", "quirk") or (
        tier == "v3-read" and set(table["needs"]) <= READ)


def check_case(firn, root, table, case, source):
    scan = case.get("scan", {})
    try:
        metadata = json.loads((root / table["metadata"]).read_text())
        types = field_types(metadata)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        types = {}  # Damaged or packed on purpose.
    is_fault = case["kind"] == "error" or case.get("tier") == "must_fail"
    sql = query(source.format(options_of(scan)), scan, types)
    try:
        got = canonical_rows.run(firn, sql)
    except Failed as error:
        return None if is_fault or case.get("tier") == "quirk" else str(error)
    if is_fault:
        return f"{len(got)} rows, an error was expected"
    wanted = (root / case["expected"]).read_text(encoding="utf-8").splitlines()
    why = compare(got, wanted, scan)
    if why is None and "filter" not in scan and "select" not in scan:
        why = miscounted(firn, source.format(options_of(scan)), len(wanted))
    # Where the reference loses rows it keeps too few files.
    if why is None and "plan" in case and case.get("java_rows", case["rows"]) >= case["rows"]:
        why = open_too_many(firn, sql, json.loads((root / case["plan"]).read_text()))
    return why


def check(task):
    firn, root, table, case, source = task
    name = f"{table['id']} {case['id']}"
    try:
        return name, check_case(firn, root, table, case, source)
    except Crashed as error:
        return name, str(error)


def in_catalog(folder, table):
    """The table through the SQLite catalog, for scans without time travel."""
    space, _, name = table["id"].rpartition(".")
    return (f"lake.{name_of(space)}.{name_of(name)}",
            f"ATTACH 'sqlite:{folder}/catalog.db' AS lake (TYPE iceberg, CATALOG_NAME 'rest_backend')")


def check_catalog(task):
    firn, folder, root, table, case = task
    name, attach = in_catalog(folder, table)
    wanted = (root / case["expected"]).read_text(encoding="utf-8").splitlines()
    try:
        got = canonical_rows.run(firn, f"{attach};\nSELECT * FROM {name}")
        why = compare(got, wanted, {})
    except (Failed, Crashed) as error:
        why = str(error)
    return f"{table['id']} by catalog", why


def check_view(task):
    """Views name the catalog as Spark did: rest_backend."""
    firn, folder, root, view = task
    attach = (f"ATTACH 'sqlite:{folder}/catalog.db' AS rest_backend (TYPE iceberg, "
              "CATALOG_NAME 'rest_backend')")
    wanted = (root / view["expected"]).read_text(encoding="utf-8").splitlines()
    space, _, name = view["id"].rpartition(".")
    try:
        sql = f"{attach};\nSELECT * FROM rest_backend.{name_of(space)}.{name_of(name)}"
        why = compare(canonical_rows.run(firn, sql), wanted, {})
    except (Failed, Crashed) as error:
        why = str(error)
    return f"view {view['id']}", why


def main():
    firn, folder = sys.argv[1], pathlib.Path(sys.argv[2]).resolve()
    wanted = sys.argv[3] if len(sys.argv) > 3 else ""
    laid = subprocess.run(["bash", str(folder / "lay.sh")], check=True, stdout=subprocess.PIPE,
                          text=True).stdout.strip().splitlines()[-1]
    root = pathlib.Path(laid)
    manifest = json.loads((folder / "manifest.json").read_text())
    tables = [table for table in manifest["tables"] if wanted in table["id"]]
    tasks = [(firn, root, table, case, f"iceberg_scan({quoted(root / table['metadata'])}{{}})")
             for table in tables for case in table["cases"] if is_read(table, case)]
    by_catalog = [(firn, folder, root, table, case) for table in tables for case in table["cases"]
                  if case["kind"] == "scan" and case.get("tier") == "v1v2-read"
                  and not case.get("scan") and table.get("catalog", "sql") == "sql"
                  and not table.get("detached")]
    report = canonical_rows.Report()
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for name, why in pool.map(check, tasks):
            report.case(name, why)
        for name, why in pool.map(check_catalog, by_catalog):
            report.case(name, why)
        for name, why in pool.map(check_view, [(firn, folder, root, view) for view in manifest["views"]
                                               if wanted in view["id"]]):
            report.case(name, why)
    return report.end()


if __name__ == "__main__":
    sys.exit(main())
