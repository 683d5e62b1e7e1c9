"""The kinds of statements of the crash test, and what each is tried on."""
import typing

import iceberg_crash_rows as rows
import iceberg_crash_tables as tables
import iceberg_crash_views as views
from iceberg_crash_states import State, Table, View


class Kind(typing.NamedTuple):
    name: str
    change: typing.Callable  # Of a state and chance: statements, the state after them, perhaps states between; or None.
    base: str = "small"
    on: tuple = ()           # Only these tables of the base, one of them or all; none: whatever there is.
    deletes: bool = False    # It changes a part of the rows, where a table is merge-on-read by position deletes.


def of_tables(change):
    """An operation on the tables of db as one on a state."""
    def of_state(state, chance):
        made = change({name: table for name, table in state.tables.items() if "." not in name}, chance)
        if not made:
            return None
        others = {name: table for name, table in state.tables.items() if "." in name}
        return made[0], state._replace(tables={**made[1], **others})
    return of_state


def kinds_of(changes, base, on=(), deletes=False):
    return [Kind(each.__name__, of_tables(each), base, on, deletes) for each in changes]


# ---- What is there before ------------------------------------------------------------------------

FIRST = tuple((i, i * 10, i + 1) for i in (0, 2, 4, 6, 8))
MERGE_ON_READ = tables.WAYS[1]
BASES = {
    # Tables with rows.
    "rows": State({
        "a": Table(("x", "y"), tuple((i, i * 2) for i in range(8)), (("x", "bucket[3]"),)),
        # Merge-on-read, with a past.
        "b": Table(("x", "y", "c2"), (*FIRST, (1, 2, 3), (7, 5, 6)), refs={
            "first": (("x", "y", "c2"), FIRST), "side": (("x", "y", "c2"), (*FIRST, (5, 99, 9)))},
                   properties=MERGE_ON_READ, past=("first",), added={"side": ((5, 99, 9),)})}),
    # Something of everything, without rows.
    "small": State(
        {"c": Table(("x", "y", "c2", "c3"), properties={"owner": "me"}, version=1).with_column(
            "x", is_required=True).with_column("c2", comment="second"),
         "busy.t": Table(("x",))},
        {"v": View("SELECT 2 AS two", {"owner": "me"}, ("SELECT 1 AS one", "SELECT 2 AS two")),
         "busy.v": View("SELECT 3 AS three", {}, ("SELECT 3 AS three",))},
        {"db": {}, "db.inner": {"owner": "you"}, "side": {"comment": "empty", "owner": "me"}, "busy": {}})}
MAKING = {
    "rows": [f"CREATE TABLE a PARTITIONED BY (bucket(3, x)) AS SELECT * FROM (VALUES "
             f"{tables.values(BASES['rows'].tables['a'].rows)}) AS v(x, y)",
             f"CREATE TABLE b (x INTEGER, y INTEGER, c2 INTEGER){tables.options(MERGE_ON_READ)}",
             f"INSERT INTO b VALUES {tables.values(FIRST)}",
             "ALTER TABLE b CREATE TAG first, CREATE BRANCH side",
             "INSERT INTO b.branch_side VALUES (5, 99, 9)",
             "INSERT INTO b VALUES (1, 2, 3), (7, 5, 6)"],
    "small": ["CREATE TABLE c (x INTEGER NOT NULL, y INTEGER, c2 INTEGER COMMENT 'second', c3 INTEGER) "
              "WITH ('format-version' = '1', 'owner' = 'me')",
              "CREATE SCHEMA ice.db.inner WITH ('owner' = 'you')",
              "CREATE SCHEMA ice.side COMMENT 'empty' WITH ('owner' = 'me')", "CREATE SCHEMA ice.busy",
              "CREATE TABLE ice.busy.t (x INTEGER)", "CREATE VIEW ice.busy.v AS SELECT 3 AS three",
              "CREATE VIEW v WITH ('owner' = 'me') AS SELECT 1 AS one", "CREATE OR REPLACE VIEW v AS SELECT 2 AS two"]}

# ---- Kinds ---------------------------------------------------------------------------------------

KINDS = [
    *kinds_of((tables.create, tables.create_v1, tables.write_order, tables.rename, tables.move_columns,
               tables.column_type, tables.drop_not_null, tables.column_comment, tables.comment_on_column,
               tables.set_properties, tables.unset_properties, tables.comment_on_table,
               tables.upgrade, tables.set_location, tables.several_actions, tables.replace_columns), "small"),
    *kinds_of((tables.create_as, tables.replace_table, tables.insert, tables.transaction, tables.transaction_of_all,
               tables.add_column, tables.drop_column, tables.rename_column, tables.set_not_null,
               tables.partition_field, tables.replace_partition_field, tables.drop, tables.drop_two,
               tables.purge), "rows"),
    # Rows of both kinds of tables.
    *kinds_of((rows.delete, rows.update, rows.merge, rows.replace_where), "rows", ("a", "b"), deletes=True),
    *kinds_of((rows.insert_overwrite, rows.overwrite, rows.truncate), "rows"),
    # The past that is gone back to is b's.
    *kinds_of((rows.tag, rows.replace_tag, rows.branch, rows.drop_ref, rows.replace_branch, rows.fast_forward,
               rows.rollback, rows.rollback_in_time, rows.set_current, rows.set_current_ref, rows.cherry_pick),
              "rows", ("b",)),
    *(Kind(each.__name__, each) for each in views.VIEW_KINDS + views.SCHEMA_KINDS + views.ELSEWHERE_KINDS)]
