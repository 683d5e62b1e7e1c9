#!/usr/bin/env python3
"""iceberg_views_test.py BUILD [--rest] [--without-spark] - Iceberg views that firn makes, in SQLite or a REST server.

What stands in their metadata is what the specification says; a session that calls the catalog otherwise reads them;
Spark lists and drops them, and makes others, which firn reads and does not replace against the wish of their maker.

    $(bash tools/dev/venv.sh pyiceberg)/bin/python tests/interop/iceberg_views_test.py build/release --rest
"""
import contextlib
import json
import pathlib
import sqlite3
import subprocess
import sys
import tempfile
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import iceberg_peers  # noqa: E402

FIELDS = {"view-uuid", "format-version", "location", "schemas", "current-version-id", "versions", "version-log",
          "properties"}


def metadata(peers, name):
    """Of a view, as its catalog has it."""
    if peers.rest:
        with urllib.request.urlopen(f"{peers.rest}/v1/namespaces/db/views/{name}") as answer:
            return json.load(answer)["metadata"]
    with contextlib.closing(sqlite3.connect(peers.database)) as catalog:
        (path, kind), = catalog.execute("SELECT metadata_location, iceberg_type FROM iceberg_tables "
                                        "WHERE table_name = ?", (name,))
    assert kind == "VIEW"
    return json.loads(pathlib.Path(path.removeprefix("file://")).read_text(encoding="utf-8"))


def current(found):
    version, = (each for each in found["versions"] if each["version-id"] == found["current-version-id"])
    return version


def under_another_name(peers, *statements):
    """What the last one prints where the catalog is called `other`, and the session is in no schema of it."""
    command = [str(peers.program), "--format", "csv", "-c", peers.attach.replace(" AS ice", " AS other")]
    for each in statements:
        command += ["-c", each]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    return done.stdout if done.returncode == 0 else done.stderr


def making(peers):
    peers.firn("CREATE TABLE t (id INT, name VARCHAR)", "INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, 'b')")
    peers.firn("CREATE VIEW v (name, n) COMMENT 'counts' WITH ('owner' = 'me') AS SELECT name, count(*) FROM ice.db.t "
               "GROUP BY name")
    found = metadata(peers, "v")
    peers.expect("metadata has what a view has", FIELDS <= set(found), found)
    version = current(found)
    said, = version["representations"]
    sql = said["sql"]
    peers.expect("its SQL is without the catalog's name",
                 (said["dialect"], "db.t" in sql, "ice." in sql) == ("firn", True, False), said)
    space = version["default-namespace"], version.get("default-catalog")
    peers.expect("its schema", space == (["db"], None), version)
    schema, = found["schemas"]
    peers.expect("its columns", [(each["name"], each["type"]) for each in schema["fields"]]
                 == [("name", "string"), ("n", "long")], schema)
    peers.expect("its properties", {**found["properties"], "comment": "counts", "owner": "me"} == found["properties"],
                 found["properties"])
    rows = "name,n\na,1\nb,2\n"
    peers.expect("it is read", peers.firn("SELECT * FROM v ORDER BY 1") == rows)
    peers.expect("by another name", under_another_name(peers, "SELECT * FROM other.db.v ORDER BY 1") == rows)
    peers.expect("it is listed", "v,VIEW" in peers.firn("SHOW VIEWS"))
    peers.firn("CREATE VIEW IF NOT EXISTS v AS SELECT 1 AS x")
    peers.expect("what is there stays", peers.firn("SELECT * FROM v ORDER BY 1") == rows)
    peers.firn("CREATE VIEW plain AS SELECT id FROM t WHERE id > 1",
               "CREATE VIEW of_view AS SELECT max(id) AS m FROM plain")
    peers.expect("views of views", under_another_name(peers, "SELECT * FROM other.db.of_view") == "m\n3\n")
    peers.firn("CREATE VIEW spread AS WITH a AS (SELECT id FROM ice.db.t WHERE id < 3), b AS (SELECT * FROM a) "
               "SELECT b.id, (SELECT count(*) FROM ice.db.t AS u WHERE u.id < b.id) AS below FROM ice.db.t AS x, b, a "
               "WHERE x.id = b.id AND a.id = b.id")
    peers.expect("names in WITH and subqueries", (
        "ice" in current(metadata(peers, "spread"))["representations"][0]["sql"],
        under_another_name(peers, "SELECT * FROM other.db.spread ORDER BY 1")) == (False, "id,below\n1,0\n2,1\n"))
    peers.firn("CREATE VIEW typed AS SELECT NULL AS nothing, CAST(1 AS TINYINT) AS small, [DATE '2024-01-01'] AS days")
    peers.expect("types that Iceberg has", [each["type"] if isinstance(each["type"], str) else each["type"]["element"]
                                            for each in metadata(peers, "typed")["schemas"][0]["fields"]]
                 == ["string", "int", "date"])


def replacing(peers):
    before = metadata(peers, "plain")
    peers.firn("CREATE OR REPLACE VIEW plain AS SELECT id FROM t WHERE id > 2")
    after = metadata(peers, "plain")
    peers.expect("a version more", (len(after["versions"]), after["view-uuid"]) == (2, before["view-uuid"]), after)
    peers.expect("of the same schema", len(after["schemas"]) == 1, after["schemas"])
    peers.expect("it counts", peers.firn("SELECT * FROM plain") == "id\n3\n")
    peers.firn("CREATE OR REPLACE VIEW plain AS SELECT id FROM t WHERE id > 2")
    peers.expect("the same again is nothing new", len(metadata(peers, "plain")["versions"]) == 2)
    peers.firn("CREATE OR REPLACE VIEW plain AS SELECT id FROM t WHERE id > 1")
    peers.expect("back to an earlier one", (len(metadata(peers, "plain")["versions"]),
                                            peers.firn("SELECT * FROM plain ORDER BY 1")) == (2, "id\n2\n3\n"),
                 metadata(peers, "plain"))
    peers.firn("CREATE OR REPLACE VIEW plain COMMENT 'later' AS SELECT id, name FROM t")
    after = metadata(peers, "plain")
    peers.expect("another schema", (len(after["schemas"]), after["properties"].get("comment")) == (2, "later"), after)
    for number in range(12):
        peers.firn(f"CREATE OR REPLACE VIEW plain AS SELECT {number} AS id")
    after = metadata(peers, "plain")
    known = {each["version-id"] for each in after["versions"]}
    peers.expect("a history of ten", len(known) == 10, known)
    peers.expect("whose log names them only", {each["version-id"] for each in after["version-log"]} <= known, after)
    peers.firn("CREATE OR REPLACE VIEW made AS SELECT 1 AS x")
    peers.expect("what is not there is made", peers.firn("SELECT * FROM made") == "x\n1\n")


def another_query(peers):
    """ALTER VIEW … AS."""
    peers.firn("CREATE VIEW asked (a, b) COMMENT 'two' WITH ('owner' = 'me') AS SELECT id, name FROM t")
    before = metadata(peers, "asked")
    peers.firn("ALTER VIEW asked AS SELECT count(*) AS n FROM ice.db.t")
    after = metadata(peers, "asked")
    peers.expect("another query is a version", (len(after["versions"]), after["view-uuid"], after["properties"])
                 == (2, before["view-uuid"], before["properties"]), after)
    schema, = (each for each in after["schemas"] if each["schema-id"] == current(after)["schema-id"])
    peers.expect("with its own columns", [each["name"] for each in schema["fields"]] == ["n"], after)
    peers.expect("and rows", peers.firn("SELECT * FROM asked") == "n\n3\n")
    peers.refused("of a view that is not there", 'did you mean "asked"', "ALTER VIEW asket AS SELECT 1 AS n")
    peers.refused("of a table", "is a table, not a view", "ALTER VIEW t AS SELECT 1 AS n")


def altering(peers):
    before = metadata(peers, "v")
    peers.firn("ALTER VIEW v SET TBLPROPERTIES ('reviewed' = 'yes', 'a.b' = '1', 'gone' = 'soon')",
               "ALTER VIEW v UNSET TBLPROPERTIES ('gone')",
               "ALTER VIEW v UNSET TBLPROPERTIES IF EXISTS ('gone', 'never')")
    after = metadata(peers, "v")
    peers.expect("other properties",
                 {**before["properties"], "reviewed": "yes", "a.b": "1"} == after["properties"], after)
    peers.expect("and nothing else", {**before, "properties": {}} == {**after, "properties": {}}, after)
    peers.refused("a property that is not there", 'no property "a.c"',
                  "ALTER VIEW v UNSET TBLPROPERTIES ('a.b', 'a.c')")
    peers.refused("a reserved one", 'the property "location" is reserved',
                  "ALTER VIEW v SET TBLPROPERTIES ('a.b' = '2', 'location' = '/x')")
    peers.expect("then all stay", metadata(peers, "v")["properties"] == after["properties"])
    peers.firn("COMMENT ON VIEW v IS 'the counts'")
    peers.expect("a comment", "COMMENT 'the counts'" in peers.firn("SHOW CREATE VIEW v"))
    another_query(peers)
    peers.firn("CREATE VIEW other AS SELECT 1 AS x", "CREATE SCHEMA ice.space",
               "ALTER VIEW other RENAME TO ice.space.moved")
    peers.expect("another name", peers.firn("SELECT * FROM ice.space.moved") == "x\n1\n")
    peers.firn("DROP SCHEMA ice.space CASCADE")


def refusing(peers):
    peers.firn("CREATE SCHEMA ice.other", "CREATE TABLE ice.other.u (x INT)")
    peers.refused("a view is there", "exists already" if not peers.rest else "already exists",
                  "CREATE VIEW v AS SELECT 1 AS x")
    peers.refused("a table is there", "t", "CREATE VIEW t AS SELECT 1 AS x")
    peers.refused("a table is not replaced", "is a table, not a view", "CREATE OR REPLACE VIEW t AS SELECT 1 AS x")
    if not peers.rest:  # Java's server makes a view without its namespace.
        peers.refused("no schema", "nope", "CREATE VIEW ice.nope.v AS SELECT 1 AS x")
    peers.refused("a table of the process", "which ends with this process",
                  "CREATE TABLE memory.main.m (x INT)", "CREATE VIEW m1 AS SELECT * FROM memory.main.m")
    peers.refused("a temporary one", "which is temporary", "CREATE TEMPORARY TABLE tt (x INT)",
                  "CREATE VIEW m2 AS SELECT * FROM tt")
    peers.refused("what others would not find", "\"u\" would mean nothing to those who read the view",
                  "SET search_path = 'db, other'",
                  "CREATE VIEW m3 AS SELECT * FROM u")
    peers.refused("what others would find elsewhere", "\"t\" would be another table to those who read the view",
                  "CREATE TABLE ice.other.t (x INT)", peers.attach.replace(" AS ice", " AS more"), "USE more.db",
                  "CREATE VIEW ice.other.m4 AS SELECT * FROM t")
    peers.refused("no type of Iceberg", "INTERVAL", "CREATE VIEW m5 AS SELECT INTERVAL '1 day' AS i")
    peers.refused("a column with its catalog", "columns are named by their table alone",
                  "CREATE VIEW m9 AS SELECT ice.db.t.id FROM ice.db.t")
    peers.refused("itself", "would read itself", "CREATE OR REPLACE VIEW v AS SELECT * FROM v")
    peers.refused("parameters", "no parameters", "CREATE VIEW m6 AS SELECT $1 AS x")
    peers.refused("two columns of a name", "would be called", "CREATE VIEW m7 AS SELECT 1 AS x, 2 AS x")
    peers.refused("in a transaction", "cannot be done inside of a transaction", "BEGIN",
                  "CREATE VIEW m8 AS SELECT 1 AS x")
    left = peers.firn("SELECT count(*) FROM information_schema.tables WHERE table_name LIKE 'm_' "
                      "AND table_schema IN ('db', 'other')")
    peers.expect("nothing is left of them", left.endswith("\n0\n"), left)


def beside_spark(peers):
    listed = {row[1] for row in peers.spark("SHOW VIEWS IN ice.db")}
    peers.expect("Spark lists them", {"v", "plain", "of_view"} <= listed, listed)
    told = {row[0]: row[1] for row in peers.spark("SHOW TBLPROPERTIES ice.db.v")}
    peers.expect("Spark reads what firn has set",
                 {**told, "reviewed": "yes", "a.b": "1"} == told and "gone" not in told, told)
    told = peers.spark("DESCRIBE EXTENDED ice.db.v")
    peers.expect("and its comment", ["Comment", "the counts", ""] in told, told)
    told = peers.spark("SELECT * FROM ice.db.v ORDER BY 1")
    peers.expect("and its query, though it is in another dialect", told == [["a", 1], ["b", 2]], told)
    told = peers.spark("SELECT * FROM ice.db.asked")
    peers.expect("and one that firn has given another", told == [[3]], told)
    try:
        peers.spark("ALTER VIEW ice.db.asked AS SELECT 1 AS n")
        peers.expect("Spark refuses ALTER VIEW AS of Iceberg's views", False)
    except iceberg_peers.Refused as error:
        peers.expect("Spark refuses ALTER VIEW AS of Iceberg's views", "not supported" in str(error), error)
    for key in ("provider", "location", "format-version", "spark.query-column-names"):
        try:
            peers.spark(f"ALTER VIEW ice.db.v SET TBLPROPERTIES ('{key}' = 'x')")
            peers.expect(f"Spark reserves {key}", False)
        except iceberg_peers.Refused as error:
            peers.expect(f"Spark reserves {key}", "reserved" in str(error), error)
    try:
        peers.spark("ALTER VIEW ice.db.v UNSET TBLPROPERTIES ('never')")
        peers.expect("Spark refuses to unset what is not there", False)
    except iceberg_peers.Refused as error:
        peers.expect("Spark refuses to unset what is not there", "not set" in str(error), error)
    peers.spark("CREATE VIEW ice.db.s AS SELECT id FROM ice.db.t WHERE id < 3")
    peers.expect("one of Spark's", peers.firn("SELECT * FROM s ORDER BY 1") == "id\n1\n2\n")
    peers.firn("ALTER VIEW s SET TBLPROPERTIES ('by' = 'firn', 'also' = 'firn')")
    peers.spark("ALTER VIEW ice.db.s UNSET TBLPROPERTIES ('also')")
    told = {row[0]: row[1] for row in peers.spark("SHOW TBLPROPERTIES ice.db.s")}
    peers.expect("its properties by both", (told.get("by"), "also" in told) == ("firn", False), told)
    peers.expect("Spark still reads it", sorted(peers.spark("SELECT * FROM ice.db.s")) == [[1], [2]],
                 peers.spark("SELECT * FROM ice.db.s"))
    peers.refused("its query stays", "in the dialect \"spark\", which it would lose",
                  "CREATE OR REPLACE VIEW s AS SELECT 1 AS id")
    peers.refused("nor by ALTER VIEW", "in the dialect \"spark\", which it would lose", "ALTER VIEW s AS SELECT 1 AS id")
    peers.firn("CREATE OR REPLACE VIEW s WITH ('replace.drop-dialect.allowed' = 'true') AS SELECT 7 AS id")
    peers.expect("unless that is wanted", peers.firn("SELECT * FROM s") == "id\n7\n")
    peers.spark("ALTER VIEW ice.db.v SET TBLPROPERTIES ('by' = 'spark')")
    peers.firn("CREATE OR REPLACE VIEW v AS SELECT 5 AS five")
    peers.expect("what Spark has set stays", metadata(peers, "v")["properties"].get("by") == "spark")
    peers.spark("DROP VIEW ice.db.v")
    peers.refused("Spark's drop", "not found", "SELECT * FROM v")
    peers.firn("DROP VIEW plain", "ALTER VIEW made RENAME TO renamed")
    listed = {row[1] for row in peers.spark("SHOW VIEWS IN ice.db")}
    peers.expect("firn's drop and rename", listed >= {"renamed"} and not listed & {"plain", "made"}, listed)


def main():
    build = pathlib.Path(sys.argv[1])
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="firn-views-"))
        rest = None
        if "--rest" in sys.argv:
            rest = stack.enter_context(iceberg_peers.rest_server(pathlib.Path(folder) / "rest")).rstrip("/")
        peers = stack.enter_context(iceberg_peers.Peers(build, folder, rest=rest))
        command = [str(peers.program), "-c", peers.attach, "-c", "CREATE SCHEMA ice.db"]
        subprocess.run(command, check=True, capture_output=True, timeout=60)
        for step in (making, replacing, altering, refusing) + (beside_spark,) * ("--without-spark" not in sys.argv):
            try:
                step(peers)
            except Exception as error:  # pylint: disable=broad-exception-caught
                peers.expect(step.__name__, False, repr(error))
    print(f"{peers.passed} passed, {peers.failed} failed, 0 skipped")
    return peers.failed > 0


if __name__ == "__main__":
    sys.exit(main())
