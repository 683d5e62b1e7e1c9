"""Statements of the crash test that make, change and drop tables.

Each function takes the tables of the schema db by their names and gives statements and what the tables are after them,
or None where it cannot be. {table.ref} in a statement is the snapshot of a branch or tag, {warehouse} the catalog's.
"""
from iceberg_crash_states import Table

NAMES = ("a", "b", "c", "d")


def values(rows):
    return ", ".join("(" + ", ".join("NULL" if each is None else str(each) for each in row) + ")" for row in rows)


def free(state, chance):
    names = [name for name in NAMES if name not in state]
    return chance.choice(names) if names else None


def some(state, chance, suits=lambda table: True):
    names = [name for name in sorted(state) if suits(state[name])]
    return chance.choice(names) if names else None


def can_be_named(table):
    """It has a snapshot, whose columns are those of now."""
    return table.rows != () and table.is_fresh


WAYS: tuple[dict, ...] = ({}, {f"write.{each}.mode": "merge-on-read" for each in ("delete", "update", "merge")})


def options(properties):
    """As WITH takes them; COMMENT is another clause."""
    said = {key: value for key, value in properties.items() if key != "comment"}
    comment = f" COMMENT '{properties['comment']}'" if "comment" in properties else ""
    return comment + (f" WITH ({assignments(said)})" if said else "")


def assignments(properties):
    return ", ".join(f"'{key}' = '{value}'" for key, value in properties.items())


# ---- Whole tables --------------------------------------------------------------------------------


def create(state, chance):
    name, properties = free(state, chance), chance.choice(WAYS)
    return name and ([f"CREATE TABLE {name} (x INTEGER, y INTEGER) PARTITIONED BY (bucket(2, x)){options(properties)}"],
                     {**state, name: Table(("x", "y"), spec=(("x", "bucket[2]"),), properties=properties)})


def create_v1(state, chance):
    """With all that columns can be, and elsewhere."""
    name, place = free(state, chance), f"moved/{chance.randrange(10 ** 6)}"
    table = Table(("x", "y"), properties={"comment": "old"}, version=1, location=place)
    return name and ([f"CREATE TABLE {name} (x INTEGER NOT NULL COMMENT 'key', y INTEGER) "
                      f"LOCATION '{{warehouse}}/{place}' COMMENT 'old' WITH ('format-version' = '1')"],
                     {**state, name: table.with_column("x", is_required=True, comment="key")})


def create_as(state, chance):
    name, properties = free(state, chance), chance.choice(WAYS)
    rows = tuple((chance.randrange(9), i) for i in range(4))
    return name and ([f"CREATE TABLE {name} PARTITIONED BY (truncate(4, x)){options(properties)} AS SELECT * FROM "
                      f"(VALUES {values(rows)}) AS v(x, y)"],
                     {**state, name: Table(("x", "y"), rows, (("x", "truncate[4]"),), properties=properties)})


def replaced(table, rows):
    """Others' snapshots stay, and branches and tags with them; so do properties and the place."""
    return Table(("x", "y"), rows, refs=table.refs, properties=table.properties, version=table.version,
                 location=table.location)


def replace_table(state, chance):
    name = some(state, chance)
    rows = tuple((chance.randrange(9), i) for i in range(3))
    return name and ([f"CREATE OR REPLACE TABLE {name} AS SELECT * FROM (VALUES {values(rows)}) AS v(x, y)"],
                     {**state, name: replaced(state[name], rows)})


def replace_columns(state, chance):
    """Without rows."""
    name = some(state, chance)
    return name and ([f"CREATE OR REPLACE TABLE {name} (x INTEGER, y INTEGER)"],
                     {**state, name: replaced(state[name], ())})


def drop(state, chance):
    name = some(state, chance)
    return name and ([f"DROP TABLE {name}"], without(state, name))


def drop_two(state, chance):
    """Both or none."""
    if len(state) < 2:
        return None
    names = chance.sample(sorted(state), 2)
    return [f"DROP TABLE {', '.join(names)}"], without(state, *names)


def purge(state, chance):
    name = some(state, chance)
    return name and ([f"DROP TABLE {name} PURGE"], without(state, name))


def without(state, *names):
    return {key: value for key, value in state.items() if key not in names}


def rename(state, chance):
    name, other = some(state, chance), free(state, chance)
    return name and other and ([f"ALTER TABLE {name} RENAME TO {other}"],
                               {other if key == name else key: value for key, value in state.items()})


# ---- Rows that come ------------------------------------------------------------------------------


def inserted(state, name, chance):
    table = state[name]
    new = [tuple(chance.randrange(9) for _ in table.columns) for _ in range(3)]
    return f"INSERT INTO {name} VALUES {values(new)}", {**state, name: table.put(*new)}


def insert(state, chance):
    name = some(state, chance)
    if name is None:
        return None
    statement, after = inserted(state, name, chance)
    return [statement], after


def transaction(state, chance):
    if len(state) < 2:
        return None
    first, second = chance.sample(sorted(state), 2)
    one, after = inserted(state, first, chance)
    two, after = inserted(after, second, chance)
    return ["BEGIN", one, two, "COMMIT"], after


def transaction_of_all(state, chance):
    """One commit makes a table, changes one and drops one."""
    name = free(state, chance)
    if name is None or len(state) < 2:
        return None
    first, second = chance.sample(sorted(state), 2)
    one, after = inserted(state, first, chance)
    return (["BEGIN", f"CREATE TABLE {name} (x INTEGER, y INTEGER)", f"INSERT INTO {name} VALUES (1, 2)", one,
             f"ALTER TABLE {first} SET TBLPROPERTIES ('told' = 'too')", f"DROP TABLE {second}", "COMMIT"],
            {**without(after, second), name: Table(("x", "y"), ((1, 2),)),
             first: after[first]._replace(properties={**after[first].properties, "told": "too"})})


# ---- Columns -------------------------------------------------------------------------------------


def changed(state, name, table, *actions):
    """By one ALTER TABLE."""
    return [f"ALTER TABLE {name} {', '.join(actions)}"], {**state, name: table}


def add_column(state, chance):
    name = some(state, chance, lambda table: len(table.columns) < 7)
    new = f"c{chance.randrange(10 ** 6)}"  # No name comes again, under another id.
    return name and changed(state, name, state[name].renewed(
        state[name].columns + (new,), (row + (None,) for row in state[name].rows)), f"ADD COLUMN {new} INTEGER")


def drop_column(state, chance):
    name = some(state, chance, lambda table: len(table.columns) > 2)
    return name and changed(state, name, state[name].renewed(
        state[name].columns[:-1], (row[:-1] for row in state[name].rows)),
        f"DROP COLUMN {state[name].columns[-1]}")


def rename_column(state, chance):
    """The last one, which no partition and no order knows."""
    name = some(state, chance, lambda table: len(table.columns) > 2)
    if name is None:
        return None
    table, new = state[name], f"c{chance.randrange(10 ** 6)}"
    old = table.columns[-1]
    after = table.renewed(table.columns[:-1] + (new,), table.rows)
    return changed(state, name, after._replace(details={**after.details, new: table.column(old)}),
                   f"RENAME COLUMN {old} TO {new}")


def move_columns(state, chance):
    """FIRST and AFTER: the last column comes behind x and y, which stay the first ones."""
    name = some(state, chance, lambda table: len(table.columns) > 3)
    if name is None:
        return None
    table = state[name]
    last = table.columns[-1]
    return changed(state, name, table.renewed(
        (*table.columns[:2], last, *table.columns[2:-1]), ((*row[:2], row[-1], *row[2:-1]) for row in table.rows)),
        f"ALTER COLUMN {last} FIRST", "ALTER COLUMN x FIRST", "ALTER COLUMN y AFTER x")


def column_type(state, chance):
    name = some(state, chance, lambda table: any(table.column(each).type == "int" for each in table.columns[2:]))
    if name is None:
        return None
    column = chance.choice([each for each in state[name].columns[2:] if state[name].column(each).type == "int"])
    return changed(state, name, state[name].with_column(column, type="long"), f"ALTER COLUMN {column} TYPE BIGINT")


def set_not_null(state, chance):
    """Of x or y, which are NULL nowhere."""
    name = some(state, chance, lambda table: not (table.column("x").is_required and table.column("y").is_required))
    if name is None:
        return None
    column = "y" if state[name].column("x").is_required else "x"
    return changed(state, name, state[name].with_column(column, is_required=True),
                   f"ALTER COLUMN {column} SET NOT NULL")


def drop_not_null(state, chance):
    name = some(state, chance, lambda table: table.column("x").is_required or table.column("y").is_required)
    column = "x" if name and state[name].column("x").is_required else "y"
    return name and changed(state, name, state[name].with_column(column, is_required=False),
                            f"ALTER COLUMN {column} DROP NOT NULL")


def column_comment(state, chance):
    name, text = some(state, chance), f"of {chance.randrange(99)}"
    return name and changed(state, name, state[name].with_column("y", comment=text), f"ALTER COLUMN y COMMENT '{text}'")


def comment_on_column(state, chance):
    """Where there is one it goes."""
    name = some(state, chance)
    if name is None:
        return None
    column = state[name].columns[-1]
    text = None if state[name].column(column).comment else f"on {chance.randrange(99)}"
    return ([f"COMMENT ON COLUMN ice.db.{name}.{column} IS {quoted(text)}"],
            {**state, name: state[name].with_column(column, comment=text)})


def quoted(text):
    return "NULL" if text is None else f"'{text}'"


# ---- Partitions, order, properties ---------------------------------------------------------------


def partition_field(state, chance):
    """In format version 1 fields that go leave a trace."""
    name = some(state, chance, lambda table: table.version == 2)
    if name is None:
        return None
    spec = state[name].spec
    field = ("y", "truncate[10]")
    after = tuple(each for each in spec if each != field) if field in spec else spec + (field,)
    return changed(state, name, state[name]._replace(spec=after, is_moved=True),
                   f"{'DROP' if field in spec else 'ADD'} PARTITION FIELD truncate(10, y)")


def replace_partition_field(state, chance):
    name = some(state, chance, lambda table: table.version == 2 and any(
        transform.startswith("bucket") for _, transform in table.spec))
    if name is None:
        return None
    table = state[name]
    old, = (each for each in table.spec if each[1].startswith("bucket"))
    of, to = int(old[1][7:-1]), chance.randrange(10, 10 ** 6)  # No number comes again.
    spec = (*(each for each in table.spec if each != old), ("x", f"bucket[{to}]"))
    return changed(state, name, table._replace(spec=spec, is_moved=True),
                   f"REPLACE PARTITION FIELD bucket({of}, x) WITH bucket({to}, x)")


def with_properties(state, name, gone=(), **new):
    properties = {key: value for key, value in state[name].properties.items() if key not in gone}
    return state[name]._replace(properties={**properties, **new})


def set_properties(state, chance):
    name, number = some(state, chance), str(chance.randrange(999))
    return name and changed(state, name, with_properties(state, name, owner=number, more=number),
                            f"SET TBLPROPERTIES ('owner' = '{number}', 'more' = '{number}')")


def unset_properties(state, chance):
    name = some(state, chance, lambda table: {"owner", "more"} & set(table.properties))
    return name and changed(state, name, with_properties(state, name, ("owner", "more")),
                            "UNSET TBLPROPERTIES ('owner', 'more')")


def write_order(state, chance):
    """The distribution of rows, which goes with it, is a property."""
    name = some(state, chance)
    if name is None:
        return None
    said, order, mode = chance.choice([each for each in (
        ("ORDERED BY y, x", ("y", "x"), "range"), ("LOCALLY ORDERED BY y, x", ("y", "x"), "none"),
        ("DISTRIBUTED BY PARTITION ORDERED BY y", ("y",), "hash"), ("UNORDERED", (), "none"))
        if each[1] != state[name].order])
    after = with_properties(state, name, **{"write.distribution-mode": mode})
    return changed(state, name, after._replace(order=order), f"WRITE {said}")


def comment_on_table(state, chance):
    """Where there is one it goes."""
    name = some(state, chance)
    if name is None:
        return None
    text = None if "comment" in state[name].properties else f"table {chance.randrange(99)}"
    new = {} if text is None else {"comment": text}
    return ([f"COMMENT ON TABLE ice.db.{name} IS {quoted(text)}"],
            {**state, name: with_properties(state, name, ("comment",), **new)})


def upgrade(state, chance):
    name = some(state, chance, lambda table: table.version == 1)
    return name and changed(state, name, state[name]._replace(version=2), "SET TBLPROPERTIES ('format-version' = '2')")


def set_location(state, chance):
    name, place = some(state, chance), f"moved/{chance.randrange(10 ** 6)}"
    return name and changed(state, name, state[name]._replace(location=place), f"SET LOCATION '{{warehouse}}/{place}'")


def several_actions(state, chance):
    name = some(state, chance, lambda table: len(table.columns) < 7)
    if name is None:
        return None
    number, table = chance.randrange(10 ** 6), state[name]
    after = table.renewed(table.columns + (f"c{number}",), (row + (None,) for row in table.rows))
    return changed(state, name, with_properties({name: after}, name, owner=str(number)).with_column(
        "x", comment=f"x {number}"), f"ADD COLUMN c{number} INTEGER", f"SET TBLPROPERTIES ('owner' = '{number}')",
        f"ALTER COLUMN x COMMENT 'x {number}'")
