#!/usr/bin/env python3
"""conformance_iceberg.py FIRN FOLDER [FILTER] [-s SETTING]... [--every N] - reads the Iceberg tables
of the conformance set.

FOLDER is conformance/iceberg of the reference data, whose README.md says what the cases mean, or the
part of it in tests/data. Runs every `scan` case, the must_fail and error cases (a clean error, never
rows) and the quirks (the expected rows or a clean error). Where a table needs what this version does not read (ABSENT) a case gives its rows, as those
do that do not come to it, or the error that names it: never other rows. Tables are opened by their
metadata file, counted, and read a second time through the SQLite catalog where they are in it; views
are read through the catalog.

Where the reference says which files it keeps (`plan`), no other data or delete file may be opened,
by name. In a few cases the reference loses rows, and so files: then each other file must hold rows
that the filter wants. Nor may more manifests be opened than the reference reads.

--every N takes every Nth case only, for the slow ways to run it.
"""
import argparse
import concurrent.futures
import datetime
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import canonical_rows
from canonical_rows import Crashed, Failed

# What a table may need that this version does not read, and what the error then says.
ABSENT = {"orc": r"^unsupported: \S+ is of format ORC, ",
          "deletion-vectors": r"^unsupported: \S+ is of format PUFFIN, ",
          "variant": r'^unsupported: the type "variant" is not read',
          "s3": r'^unsupported: "s3://[^"]*": no store for "s3:"'}
METADATA = re.compile("/metadata/|/other_meta/")  # Where these tables have their metadata.
MANIFEST = re.compile(r"/(?!snap-)[^/]*\.avro$")  # Of metadata.
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


class Opened:
    """Runs queries and knows which files below a folder they opened."""

    def __init__(self, firn, folder):
        self.firn, self.folder = firn, str(folder)
        self.library = pathlib.Path(firn[0]).resolve().parent / "opened_files.so"
        if not self.library.exists():
            raise SystemExit(f"{self.library} is not there: it is built with the tests")

    def run(self, sql):
        """(rows, names of data and delete files, names of manifests)."""
        with tempfile.TemporaryDirectory() as folder:
            names = pathlib.Path(folder) / "names"
            rows = canonical_rows.run(self.firn, sql, {"OPENED_FILES": str(names),
                                                       "LD_PRELOAD": str(self.library)})
            opened = set(names.read_text().splitlines()) if names.exists() else set()
        below = {name for name in opened if name.startswith(self.folder)}
        metadata = {name for name in below if METADATA.search(name)}
        return rows, below - metadata, {name for name in metadata if MANIFEST.search(name)}


def plain_path(location, table):
    """A location of a plan as a path: of a table that has been moved it is a path inside it, and
    the place of a deletion vector stands behind it."""
    path = re.sub(r"(?<=puffin)@\d+\+\d+$", "", re.sub(r"^file:/*", "/", location))
    return path if path.startswith("/") else f"{table}/{path}"


def holds_wanted(firn, name, where):
    """Whether a data file by itself has rows that a filter wants."""
    kind = "avro" if name.endswith(".avro") else "parquet"
    sql = f"SELECT count(*) AS n FROM read_{kind}({quoted(name)}) WHERE {where}"
    return json.loads(canonical_rows.run(firn, sql)[0])["n"] > 0


def open_too_many(firn, sql, found, case, kept):
    """What is opened that the reference does not open; None if nothing is. `found` is what
    Opened.run gave."""
    rows, names, _ = found
    if rows and not names:
        return "rows of no file that was opened: opened_files.so does not see what firn opens"
    others = sorted(names - kept)
    if case.get("java_rows", case["rows"]) < case["rows"]:  # It keeps too few files.
        where = sql.split(" WHERE ", 1)[1]
        others = [name for name in others if not holds_wanted(firn, name, where)]
    return f"opens what the reference leaves out: {', '.join(others)}" if others else None


def open_too_many_manifests(found, counts):
    """How many more manifests are opened than the reference reads; None if no more."""
    rows, _, names = found
    wanted = counts["scanned-data-manifests"] + counts["scanned-delete-manifests"]
    if rows and not names:
        return "rows of no manifest that was opened: MANIFEST does not know their names"
    more = f"opens {len(names)} manifests, the reference {wanted}: {', '.join(sorted(names))}"
    return more if len(names) > wanted else None


def miscounted(firn, source, wanted):
    """count(*) may be answered from metadata: it is that of the rows."""
    got = json.loads(canonical_rows.run(firn, f"SELECT count(*) AS n FROM {source}")[0])["n"]
    return None if got == wanted else f"count(*) is {got}, there are {wanted} rows"


# ---- Cases ---------------------------------------------------------------------------------------

def is_run(case):
    return case["kind"] in ("scan", "error")


def names_absent(table, error):
    """Whether an error names what a table needs and this version does not read."""
    return any(re.search(ABSENT[need], error) for need in table["needs"] if need in ABSENT)


def check_case(opened, root, table, case, source):
    scan = case.get("scan", {})
    try:
        metadata = json.loads((root / table["metadata"]).read_text())
        types = field_types(metadata)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        types = {}  # Damaged or packed on purpose.
    is_fault = case["kind"] == "error" or case.get("tier") == "must_fail"
    sql = query(source.format(options_of(scan)), scan, types)
    try:
        found = opened.run(sql)
    except Failed as error:
        folder = (root / table["metadata"]).parent.parent.name
        if is_fault and folder not in str(error):
            return f"an error that does not name the table or a file of it: {error}"
        if is_fault or case.get("tier") == "quirk" or names_absent(table, str(error)):
            return None
        return str(error)
    got = found[0]
    if is_fault:
        return f"{len(got)} rows, an error was expected"
    wanted = (root / case["expected"]).read_text(encoding="utf-8").splitlines()
    why = compare(got, wanted, scan)
    if why is None and "filter" not in scan and "select" not in scan:
        why = miscounted(opened.firn, source.format(options_of(scan)), len(wanted))
    if why is None and "plan" in case:
        plan = json.loads((root / case["plan"]).read_text())
        folder = (root / table["metadata"]).parent.parent
        files = plan["files"]
        kept = {plain_path(name, folder) for name in [*files, *sum(files.values(), [])]}
        why = open_too_many(opened.firn, sql, found, case, kept)
        why = why or open_too_many_manifests(found, plan["counts"])
    return why


def check(task):
    opened, root, table, case, source = task
    name = f"{table['id']} {case['id']}"
    try:
        return name, check_case(opened, root, table, case, source)
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


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("firn")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("filter", nargs="?", default="")
    parser.add_argument("-s", dest="settings", action="append", default=[])
    parser.add_argument("--every", type=int, default=1)
    return parser.parse_args()


def main():
    given = arguments()
    firn = [given.firn] + [word for setting in given.settings for word in ("-s", setting)]
    folder = given.folder.resolve()
    laid = subprocess.run(["bash", str(folder / "lay.sh")], check=True,
                          stdout=subprocess.PIPE, text=True).stdout.strip().splitlines()[-1]
    root = pathlib.Path(laid)
    opened = Opened(firn, root)
    manifest = json.loads((folder / "manifest.json").read_text())
    tables = [table for table in manifest["tables"] if given.filter in table["id"]]
    tasks = [(opened, root, table, case, f"iceberg_scan({quoted(root / table['metadata'])}{{}})")
             for table in tables for case in table["cases"] if is_run(case)]
    by_catalog = [(firn, folder, root, table, case) for table in tables for case in table["cases"]
                  if case["kind"] == "scan" and case.get("tier") == "v1v2-read"
                  and not case.get("scan") and table.get("catalog", "sql") == "sql"
                  and not table.get("detached")]
    views = [(firn, folder, root, view) for view in manifest["views"] if given.filter in view["id"]]
    report = canonical_rows.Report()
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for of_kind, one in ((tasks, check), (by_catalog, check_catalog), (views, check_view)):
            for name, why in pool.map(one, of_kind[::given.every]):
                report.case(name, why)
    return report.end()


if __name__ == "__main__":
    sys.exit(main())
