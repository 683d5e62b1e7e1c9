#!/usr/bin/env python3
"""rest_requirements_test.py BUILD - what a commit over REST requires, statement by statement, as Java's
UpdateRequirements has it; and what becomes of the statement when another one changed just that meanwhile.

Each statement runs on a catalog of ours (tests/tools/rest_catalog.py), which says what it was sent. Then it runs
again inside a transaction, over REST and over SQLite: before COMMIT another session changes what the requirement is
about. Both catalogs must give the same: the work of both ("both"), or 40001 and the table as the other one left it
("conflict"), or 42P07 ("exists"). Each requirement of the OpenAPI document is in the table.
"""
import json
import pathlib
import shutil
import sys
import tempfile
import threading
from typing import NamedTuple

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests/tools"))
import rest_catalog  # noqa: E402
from rest_sql_test import Session, Wrong  # noqa: E402

KINDS = {"assert-create", "assert-table-uuid", "assert-ref-snapshot-id", "assert-last-assigned-field-id",
         "assert-current-schema-id", "assert-last-assigned-partition-id", "assert-default-spec-id",
         "assert-default-sort-order-id"}
SCHEMA = {"last-assigned-field-id=3", "current-schema-id=0"}
SPEC = {"default-spec-id=0", "current-schema-id=0"}  # The latter more than Java requires: the column is there.
ORDER = {"default-sort-order-id=0", "current-schema-id=0"}
MAKE = ("CREATE TABLE {t} (a INT, b TEXT, c BIGINT)", "INSERT INTO {t} VALUES (1, 'x', 10), (2, 'y', 20)",
        "ALTER TABLE {t} CREATE BRANCH side")


class Case(NamedTuple):
    """A statement on {t}, or on {n}, which is not there; what it requires besides the table's uuid; what another
    session does meanwhile, and what comes of it; the columns (none: there is no such table) and the rows of main that are then."""
    does: str
    requires: set
    meanwhile: str = ""
    gives: str = "both"
    columns: tuple = ("a", "b", "c")
    rows: int = 2
    before: tuple = ()


CASES = (
    Case("INSERT INTO {t} VALUES (3, 'z', 30)", {"ref main"}, "INSERT INTO {t} VALUES (4, 'u', 40)", rows=4),
    Case("INSERT INTO {t}.branch_side VALUES (3, 'z', 30)", {"ref side"}, "INSERT INTO {t} VALUES (4, 'u', 40)",
         rows=3),
    Case("DELETE FROM {t} WHERE a = 1", {"ref main"}, "DELETE FROM {t} WHERE a = 1", "conflict", rows=1),
    Case("UPDATE {t} SET b = 'n' WHERE a = 1", {"ref main"}, "DELETE FROM {t}", "conflict", rows=0),
    Case("INSERT OVERWRITE {t} VALUES (5, 'w', 50)", {"ref main"}, "INSERT INTO {t} VALUES (4, 'u', 40)", rows=1),
    Case("ALTER TABLE {t} ADD COLUMN d INT", SCHEMA, "ALTER TABLE {t} ADD COLUMN e INT",
         columns=("a", "b", "c", "e", "d")),
    Case("ALTER TABLE {t} ADD COLUMN d INT", SCHEMA, "ALTER TABLE {t} ADD COLUMN d TEXT", "conflict",
         columns=("a", "b", "c", "d")),
    Case("ALTER TABLE {t} RENAME COLUMN b TO d", SCHEMA, "ALTER TABLE {t} DROP COLUMN b", "conflict",
         columns=("a", "c")),
    Case("ALTER TABLE {t} DROP COLUMN b", SCHEMA, "ALTER TABLE {t} RENAME COLUMN c TO d", columns=("a", "d")),
    Case("ALTER TABLE {t} ALTER COLUMN a SET NOT NULL", SCHEMA | {"ref main", "ref side"},
         "INSERT INTO {t} VALUES (NULL, 'u', 40)", "conflict", rows=3),
    Case("ALTER TABLE {t} ALTER COLUMN a SET NOT NULL", SCHEMA | {"ref main", "ref side"},
         "INSERT INTO {t}.branch_side VALUES (NULL, 'u', 40)", "conflict"),
    Case("ALTER TABLE {t} ADD PARTITION FIELD bucket(4, a)",
         {"last-assigned-partition-id=999"} | SPEC, "ALTER TABLE {t} ADD PARTITION FIELD b"),
    Case("ALTER TABLE {t} ADD PARTITION FIELD b", {"last-assigned-partition-id=999"} | SPEC,
         "ALTER TABLE {t} DROP COLUMN b", "conflict", columns=("a", "c")),
    Case("ALTER TABLE {t} WRITE ORDERED BY a", ORDER, "ALTER TABLE {t} WRITE ORDERED BY c"),
    Case("ALTER TABLE {t} WRITE ORDERED BY b", ORDER, "ALTER TABLE {t} DROP COLUMN b", "conflict", columns=("a", "c")),
    Case("ALTER TABLE {t} SET TBLPROPERTIES ('k' = 'v')", set(), "ALTER TABLE {t} SET TBLPROPERTIES ('l' = 'w')"),
    Case("ALTER TABLE {t} CREATE BRANCH other", {"ref other=null"}, "ALTER TABLE {t} CREATE TAG other", "conflict"),
    Case("ALTER TABLE {t} CREATE TAG other", {"ref other=null"}, "INSERT INTO {t} VALUES (4, 'u', 40)", rows=3),
    Case("ALTER TABLE {t} DROP BRANCH side", {"ref side"}, "INSERT INTO {t}.branch_side VALUES (4, 'u', 40)"),
    Case("TRUNCATE TABLE {t}", {"ref main"}, "INSERT INTO {t} VALUES (4, 'u', 40)", rows=0),
    Case("INSERT INTO {t} VALUES (3, 'z', 30)", {"ref main"}, "DROP TABLE {t}", "conflict", columns=()),
    Case("ALTER TABLE {t} ADD COLUMN d INT", SCHEMA, "DROP TABLE {t}", "conflict", columns=()),
    Case("CREATE TABLE {n} (a INT, b TEXT, c BIGINT)", {"create"}, "CREATE TABLE {n} (z INT)", "exists"),
    Case("CREATE TABLE {n} AS SELECT * FROM {t}", {"create"}, "CREATE TABLE {n} (z INT)", "exists"),
)


class Recorder(rest_catalog.Catalog):
    """Keeps what commits require."""
    required = []

    def prepare(self, space, name, requirements, updates):
        self.required.append((name, requirements))
        return super().prepare(space, name, requirements, updates)


def spelled(requirement, refs):
    """A requirement as the table has it; `refs` is what the refs of the table were before."""
    kind = requirement["type"].removeprefix("assert-")
    if kind == "ref-snapshot-id":
        name, is_at = requirement["ref"], requirement["snapshot-id"]
        if is_at is not None and is_at != refs[name]:
            raise Wrong(f"{name} is required at {is_at}, it was at {refs[name]}")
        return f"ref {name}" + ("=null" if is_at is None else "")
    if kind in ("create", "table-uuid"):
        return kind
    return f"{kind}={requirement[kind]}"


def check_required(case, number, session, catalog):
    """Runs the statement over REST and compares what was required of the table that it is about."""
    table, other = f"ice.db.t{number}", f"ice.db.n{number}"
    for sql in MAKE + case.before:
        session.rows(sql.format(t=table, n=other))
    refs = {}
    _, metadata = rest_catalog.load(catalog.things["tables"][("db",), f"t{number}"])
    refs = {name: ref["snapshot-id"] for name, ref in metadata["refs"].items()}
    catalog.required.clear()
    session.rows(case.does.format(t=table, n=other))
    about = "n" if "create" in case.requires else "t"
    sent = [each for name, of in catalog.required if name == f"{about}{number}" for each in of]
    found = {spelled(each, refs) for each in sent}
    wanted = case.requires | (set() if about == "n" else {"table-uuid"})
    if found != wanted:
        raise Wrong(f"{case.does}\n  requires {sorted(found)}\n  wanted   {sorted(wanted)}")
    if len(sent) != len(found) and about == "t":  # The server itself requires that a table is new.
        raise Wrong(f"{case.does}: something is required twice: {json.dumps(sent)}")
    return {each["type"] for each in sent}


def check_meanwhile(case, name, mine, others):
    """The statement in a transaction, and what another session does before COMMIT."""
    table, new = f"ice.db.m{name}", f"ice.db.o{name}"
    for sql in MAKE + case.before:
        others.rows(sql.format(t=table, n=new))
    mine.rows("BEGIN")
    mine.rows(case.does.format(t=table, n=new))
    others.rows(case.meanwhile.format(t=table, n=new))
    answer = mine.ask("COMMIT")
    if "error" in answer:
        mine.ask("ROLLBACK")
    gives = {"40001": "conflict", "42P07": "exists"}.get(answer["code"]) if "error" in answer else "both"
    if gives != case.gives:
        raise Wrong(f"{case.does}, meanwhile {case.meanwhile}: {gives}, wanted {case.gives}: {json.dumps(answer)}")
    if not case.columns:
        others.fault(f"SELECT * FROM {table}")
        return
    columns = tuple(row[0] for row in others.rows(f"DESCRIBE {table}"))
    rows = int(others.rows(f"SELECT count(*) FROM {table}")[0][0])
    if (columns, rows) != (case.columns, case.rows):
        raise Wrong(f"{case.does}, meanwhile {case.meanwhile}: {columns} and {rows} rows")


def main():
    build = sys.argv[1] if len(sys.argv) > 1 else "build/release"
    passed, failed, seen = 0, 0, set()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="firn-requirements-"))
    shutil.copy(ROOT / "tests/data/iceberg/catalog.db", folder / "names.db")
    catalog = Recorder(folder / "names.db", f"file://{folder}/rest")
    rest_catalog.Handler.catalog = catalog
    server = rest_catalog.Server(("127.0.0.1", 0), rest_catalog.Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    places = {"REST": f"ATTACH 'http://127.0.0.1:{server.server_port}' AS ice (TYPE iceberg)",
              "SQLite": f"ATTACH 'sqlite:{folder}/own.db' AS ice (TYPE iceberg, WAREHOUSE '{folder}/sqlite')"}

    def tries(what, *args):
        nonlocal passed, failed
        try:
            passed += 1
            return what(*args)
        except (Wrong, KeyError) as why:
            passed, failed = passed - 1, failed + 1
            print(f"FAIL {why}")
            return set()

    for place, attach in places.items():
        with Session() as mine, Session() as others:
            for session in (mine, others):
                session.rows(attach)
            others.rows("CREATE SCHEMA IF NOT EXISTS ice.db")
            for number, case in enumerate(CASES):
                if place == "REST":
                    seen |= tries(check_required, case, number, others, catalog)
                tries(check_meanwhile, case, number, mine, others)
    if seen != KINDS:
        failed += 1
        print(f"FAIL never required: {sorted(KINDS - seen)}")
    server.shutdown()
    shutil.rmtree(folder)
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
