#!/usr/bin/env python3
"""iceberg_isolation_test.py BUILD [--rest] [--every N] [--only DEED] - two transactions at once, each pair of deeds.

One session begins a transaction and does something to a table of a SQLite catalog, or with --rest of a REST server
(rest_server.sh says which); another one does something to
the same table, on its own; then the first one looks and commits. What the table below says must come of it: both,
as if the first had come second, or a conflict (40001), which leaves what the second one did. Until it commits the
first one sees the table as it was, with its own changes. Rows are changed under both isolation levels, copy-on-write,
each in a file of its own, and merge-on-read, all in one file of one partition. With --every N it is every Nth pair,
and with N odd each deed with several others. --rest needs PyArrow:

    $(bash tools/dev/venv.sh pyiceberg)/bin/python tests/interop/iceberg_isolation_test.py build/release --rest
"""
import argparse
import contextlib
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from rest_sql_test import Session, Wrong  # noqa: E402

# A state is (columns, rows) or None: there is no table.
START = (["x", "y"], [(1, 10), (2, 20), (3, 30)])


def wider(state, name):
    return state[0] + [name], [row + (None,) for row in state[1]]


def appended(state, *values):
    """Columns that others dropped are not missed, those that they added are NULL."""
    row = values + (None,) * (len(state[0]) - len(values))
    return state[0], state[1] + [row[:len(state[0])]]


def without(state, name):
    at = state[0].index(name)
    return state[0][:at] + state[0][at + 1:], [row[:at] + row[at + 1:] for row in state[1]]


def changed(state, change):
    """`change` gives the row (x, y) that is to be, or None; of a y that others dropped nothing is left."""
    rows = [change(row + (0,) if len(state[0]) == 1 else row) for row in state[1]]
    return state[0], [row[:len(state[0])] for row in rows if row is not None]


# Name, SQL, what it makes of a state. Rows of START are in three files: x = 1, 2, 3.
DEEDS = {
    "append": ("INSERT INTO t VALUES (7, 70)", lambda state: appended(state, 7, 70)),
    "append_2": ("INSERT INTO t VALUES (2, 70)", lambda state: appended(state, 2, 70)),
    "add_c": ("ALTER TABLE t ADD COLUMN c INTEGER", lambda state: wider(state, "c")),
    "add_z": ("ALTER TABLE t ADD COLUMN z INTEGER", lambda state: wider(state, "z")),
    "drop_y": ("ALTER TABLE t DROP COLUMN y", lambda state: without(state, "y")),
    "rename_y": ("ALTER TABLE t RENAME COLUMN y TO w",
                 lambda state: (["w" if name == "y" else name for name in state[0]], state[1])),
    "set": ("ALTER TABLE t SET ('owner' = 'me')", lambda state: state),
    "require_y": ("ALTER TABLE t ALTER COLUMN y SET NOT NULL", lambda state: state),
    "drop": ("DROP TABLE t", lambda state: None),
    "drop_read": ("DELETE FROM t WHERE x < (SELECT max(x) FROM t); DROP TABLE t", lambda state: None),
    "delete_2": ("DELETE FROM t WHERE x = 2", lambda state: changed(state, lambda row: None if row[0] == 2 else row)),
    "update_2": ("UPDATE t SET y = y + 1 WHERE x = 2", lambda state: changed(
        state, lambda row: (row[0], row[1] + 1, *row[2:]) if row[0] == 2 else row)),
    "update_3": ("UPDATE t SET y = y + 1 WHERE x = 3", lambda state: changed(
        state, lambda row: (row[0], row[1] + 1, *row[2:]) if row[0] == 3 else row)),
    "merge_2": ("MERGE INTO t USING (VALUES (2, 0)) AS s(x, y) ON t.x = s.x WHEN MATCHED THEN UPDATE SET y = s.y",
                lambda state: changed(state, lambda row: (row[0], 0, *row[2:]) if row[0] == 2 else row)),
    "delete_read": ("DELETE FROM t WHERE x = 2 AND x < (SELECT max(x) FROM t)",
                    lambda state: changed(state, lambda row: None if row[0] == 2 else row)),
    "truncate": ("TRUNCATE TABLE t", lambda state: (state[0], [])),
    "overwrite": ("INSERT OVERWRITE t VALUES (4, 40)", lambda state: appended((state[0], []), 4, 40)),
    "replace_2": ("INSERT INTO t REPLACE WHERE x = 2 VALUES (2, 21)", lambda state: appended(
        changed(state, lambda row: None if row[0] == 2 else row), 2, 21)),
    "replace": ("CREATE OR REPLACE TABLE t AS SELECT 5 AS x, 50 AS y", lambda state: (["x", "y"], [(5, 50)])),
    "roll_back": ("CALL ice.system.rollback_to_snapshot('db.t', {first})",
                  lambda state: appended((state[0], []), 1, 10)),
    "tag": ("ALTER TABLE t CREATE TAG seen", lambda state: state),
}
WITHOUT_ROWS = ("append", "append_2", "add_c", "add_z", "drop_y", "rename_y", "set", "drop")
ROWS = ("delete_2", "update_2", "update_3", "merge_2", "truncate", "replace", "overwrite", "replace_2")
LOOKS_FOR_NONE = ("require_y", "drop_read", "truncate", "overwrite", "replace", "roll_back", "tag")
# Ours by theirs: y both, n a conflict, s a conflict if serializable.
OUTCOMES = {
    #              append append_2 add_c add_z drop_y rename_y set drop delete_2 update_2 update_3 merge_2 truncate replace overwrite replace_2
    "append":      "y      y        y     y     y      y        y   n    y        y        y        y       y        y       y         y",
    "append_2":    "y      y        y     y     y      y        y   n    y        y        y        y       y        y       y         y",
    "add_c":       "y      y        n     y     y      y        y   n    y        y        y        y       y        y       y         y",
    "add_z":       "y      y        y     n     y      y        y   n    y        y        y        y       y        y       y         y",
    "drop_y":      "y      y        y     y     n      n        y   n    y        y        y        y       y        y       y         y",
    "rename_y":    "y      y        y     y     n      n        y   n    y        y        y        y       y        y       y         y",
    "set":         "y      y        y     y     y      y        y   n    y        y        y        y       y        y       y         y",
    "require_y":   "y      y        y     y     n      n        y   n    y        y        y        y       y        y       y         y",
    "drop":        "y      y        y     y     y      y        y   n    y        y        y        y       y        y       y         y",
    "drop_read":   "y      y        y     y     y      y        y   n    y        y        y        y       y        y       y         y",
    "delete_2":    "y      s        y     y     y      y        y   n    n        n        y        n       n        n       n         n",
    "update_2":    "y      s        y     y     y      y        y   n    n        n        y        n       n        n       n         n",
    "update_3":    "y      y        y     y     y      y        y   n    y        y        n        y       n        n       n         y",
    "merge_2":     "s      s        y     y     y      y        y   n    n        n        s        n       n        n       n         n",
    "delete_read": "s      s        y     y     y      y        y   n    n        n        s        n       n        n       n         n",
    "truncate":    "s      s        y     y     y      y        y   n    y        s        s        s       y        n       s         s",
    "overwrite":   "s      s        y     y     y      y        y   n    y        s        s        s       y        n       s         s",
    "replace_2":   "y      s        y     y     y      y        y   n    n        n        y        n       n        n       n         n",
    # Columns have the ids of those that were called alike, which may be gone or called otherwise meanwhile.
    "replace":     "s      s        y     y     n      n        y   n    s        s        s        s       s        s       s         s",
    "roll_back":   "s      s        y     y     y      y        y   n    s        s        s        s       s        n       s         s",
    "tag":         "y      y        y     y     y      y        y   n    y        y        y        y       y        y       y         y",
}


class Failed(Exception):
    pass


def state_of(session):
    answer = session.ask("SELECT * FROM ice.db.t")
    if "error" in answer:
        if answer["code"] in ("42P01", "42704"):
            return None
        raise Failed(str(answer))
    rows = [tuple(None if value is None else int(value) for value in row) for row in answer["rows"]]
    return [each["name"] for each in answer["columns"]], rows


def plain(state):
    return state and (state[0], sorted(state[1], key=repr))


def same(what, found, wanted):
    if plain(found) != plain(wanted):
        raise Failed(f"{what}: found {plain(found)}, wanted {plain(wanted)}")


# What is else where all rows lie in one file whose rows go by position deletes.
# As in Java a DELETE then heeds only what others added (if serializable) and data files that they took away by
# something other than a DELETE; all else heeds their delete files, and knows of these no more than the file they are of.
OF_A_DELETE = {"delete_2": "y", "update_2": "s", "merge_2": "s", "truncate": "y", "replace_2": "s"}
OF_ALL = dict.fromkeys(("delete_2", "update_2", "update_3", "merge_2", "replace_2"), "n")
IN_ONE_FILE = {"append": {}, "delete_2": OF_A_DELETE, "delete_read": OF_A_DELETE, "update_2": OF_ALL, "update_3": OF_ALL,
               "merge_2": OF_ALL, "truncate": OF_ALL, "overwrite": OF_ALL, "replace_2": OF_ALL}

# How the table is made, and its rows put into it: each in a file of its own, or all in one of one partition.
# Before it is tried again there is a pause, usually of 100 ms, which is not what is tested here.
PAUSE = "'commit.retry.min-wait-ms' = '5'"
COPY_ON_WRITE = (f"CREATE TABLE ice.db.t (x INTEGER, y INTEGER) WITH ({PAUSE})", *(
    f"INSERT INTO ice.db.t VALUES {row}" for row in START[1]))
MERGE_ON_READ = (
    "CREATE TABLE ice.db.t (x INTEGER, y INTEGER) PARTITIONED BY (truncate(10, x)) WITH ("
    + f"{PAUSE}, " + ", ".join(f"'write.{each}.mode' = 'merge-on-read'" for each in ("delete", "update", "merge")) + ")",
    f"INSERT INTO ice.db.t VALUES {', '.join(map(str, START[1]))}")


def try_pair(ours, theirs, isolation, outcome, table, sessions, is_rest):
    first, second = sessions
    second.ask("DROP TABLE ice.db.t PURGE")
    for number, statement in enumerate(table):
        second.rows(statement)
        if number == 1:  # The first rows say which snapshot there is.
            snapshot = second.rows("CALL ice.system.fast_forward('db.t', 'main', 'main')")[0][2]
    first.rows(f"BEGIN ISOLATION LEVEL {isolation}")
    try:
        first.rows(DEEDS[ours][0].format(first=snapshot))
        second.rows(DEEDS[theirs][0])
        if ours not in ("drop", "drop_read"):  # A statement that fails would be the end of it.
            same("own changes alone are seen", state_of(first), DEEDS[ours][1](START))
        answer = first.ask("COMMIT")
    finally:
        first.ask("ROLLBACK")
    after = DEEDS[theirs][1](START)
    code = answer.get("code")
    if code == "42P01" and theirs == "drop" and is_rest:  # What a server says of it, which then is no reason to try again.
        code = "40001"
    if code not in (None, "40001"):
        raise Failed(str(answer))
    if (code is None) != outcome:
        raise Failed(f"{'both' if code is None else answer['error']}, {'both' if outcome else 'a conflict'} wanted")
    # Under snapshot isolation rows that came are not those that were looked at.
    if outcome and theirs.startswith("append") and ours not in WITHOUT_ROWS + LOOKS_FOR_NONE:
        wanted = DEEDS[theirs][1](DEEDS[ours][1](START))
    else:
        wanted = DEEDS[ours][1](after) if outcome else after
    if outcome and table is MERGE_ON_READ and OF_A_DELETE.get(theirs) == "s" and IN_ONE_FILE.get(ours) is OF_A_DELETE:
        wanted = after  # The rows that were looked at are gone, and what others made of them is not.
    for session in (second, first):
        same("afterwards", state_of(session), wanted)
        if outcome and ours == "tag":
            rows = session.rows("SELECT x, y FROM ice.db.t FOR VERSION AS OF 'seen' ORDER BY x")
            same("the tag", (START[0], [tuple(map(int, row)) for row in rows]), START)


def pairs(told):
    """Ours, theirs, the outcome; as the options pick them."""
    every = [(ours, theirs, outcome) for ours, line in OUTCOMES.items()
             for theirs, outcome in zip(WITHOUT_ROWS + ROWS, line.split())]
    return [each for each in every[::told.every] if told.only in (*each[:2], "")]


def attached(stack, folder, is_rest):
    """How both sessions attach a new catalog."""
    if not is_rest:
        return f"ATTACH 'sqlite:{folder}/c.db' AS ice (CATALOG_NAME 'ice', WAREHOUSE '{folder}/w')"
    import iceberg_peers  # pylint: disable=import-outside-toplevel
    return f"ATTACH '{stack.enter_context(iceberg_peers.rest_server(f'{folder}/rest'))}' AS ice"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--only", default="")
    parser.add_argument("--rest", action="store_true")
    parser.add_argument("--every", type=int, default=1)
    told = parser.parse_args()
    passed = failed = 0
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="firn-isolation-"))
        attach = attached(stack, folder, told.rest)
        first, second = (stack.enter_context(Session()) for _ in range(2))
        for each in (first, second):
            each.rows(attach)
        first.rows("CREATE SCHEMA ice.db")
        for each in (first, second):
            each.rows("USE ice.db")
        for ours, theirs, outcome in pairs(told):
            tables = {"copy-on-write": (COPY_ON_WRITE, outcome)}
            if ours in IN_ONE_FILE and theirs in (*ROWS, "append", "append_2"):
                tables["merge-on-read"] = (MERGE_ON_READ, IN_ONE_FILE[ours].get(theirs, outcome))
            for name, (table, outcome_there) in tables.items():
                for isolation in ("SNAPSHOT", "SERIALIZABLE"):
                    is_done = outcome_there == "y" or (outcome_there == "s" and isolation == "SNAPSHOT")
                    try:
                        try_pair(ours, theirs, isolation, is_done, table, (first, second), told.rest)
                        passed += 1
                    except (Failed, Wrong) as why:
                        failed += 1
                        print(f"FAIL {name}: {ours} after {theirs}, {isolation}: {why}", flush=True)
    print(f"{passed} passed, {failed} failed")
    return failed > 0 or passed == 0


if __name__ == "__main__":
    sys.exit(main())
