"""Statements of the crash test that change rows, branches and tags of tables."""
from iceberg_crash_states import widened
from iceberg_crash_tables import can_be_named, some, values

def delete(state, chance):
    name, x = some(state, chance), chance.randrange(9)
    return name and ([f"DELETE FROM {name} WHERE x >= {x}"], {**state, name: state[name].only(lambda row: row[0] < x)})


def update(state, chance):
    name, x = some(state, chance), chance.randrange(9)
    return name and ([f"UPDATE {name} SET y = y + 1 WHERE x >= {x}"], {**state, name: state[name].holding(
        (row[0], row[1] + 1, *row[2:]) if row[0] >= x else row for row in state[name].rows)})


def merge(state, chance):
    name, x = some(state, chance), chance.randrange(9)
    if name is None:
        return None
    table = state[name]
    rows = tuple((row[0], 77, *row[2:]) if row[0] == x else row for row in table.rows)
    is_there = any(row[0] == x for row in rows)
    return ([f"MERGE INTO {name} AS t USING (VALUES ({x}, 77)) AS s(x, y) ON t.x = s.x WHEN MATCHED THEN UPDATE SET "
             "y = s.y WHEN NOT MATCHED THEN INSERT (x, y) VALUES (s.x, s.y)"],
            {**state, name: table.holding(rows) if is_there else table.put((x, 77))})


def replace_where(state, chance):
    name, x = some(state, chance), chance.randrange(9)
    if name is None:
        return None
    new = tuple(chance.randrange(9) for _ in state[name].columns)
    return ([f"INSERT INTO {name} REPLACE WHERE x >= {x} VALUES {values([new])}"],
            {**state, name: state[name].only(lambda row: row[0] < x).put(new)})


def insert_overwrite(state, chance):
    """Files of the current spec's partitions go."""
    name = some(state, chance, lambda table: not table.is_moved)
    if name is None:
        return None
    table = state[name]
    new = [tuple(chance.randrange(9) for _ in table.columns) for _ in range(2)]
    gone = {table.partition(row) for row in new}
    return ([f"INSERT OVERWRITE {name} VALUES {values(new)}"],
            {**state, name: table.only(lambda row: table.partition(row) not in gone).put(*new)})


def overwrite(state, chance):
    name = some(state, chance)
    if name is None:
        return None
    new = tuple(chance.randrange(9) for _ in state[name].columns)
    return (["BEGIN", f"TRUNCATE TABLE {name}", f"INSERT INTO {name} VALUES {values([new])}", "COMMIT"],
            {**state, name: state[name].only(lambda row: False).put(new)})


def truncate(state, chance):
    name = some(state, chance, lambda table: table.rows)
    return name and ([f"TRUNCATE TABLE {name}"], {**state, name: state[name].only(lambda row: False)})


# ---- Branches, tags, the past --------------------------------------------------------------------


def new_ref(state, name, chance, kind):
    ref = f"{kind}_{chance.randrange(10 ** 6)}"
    table = state[name]
    return ref, {**state, name: table._replace(refs={**table.refs, ref: (table.columns, table.rows)})}


def tag(state, chance):
    name = some(state, chance, can_be_named)
    if name is None:
        return None
    ref, after = new_ref(state, name, chance, "tag")
    return ([f"ALTER TABLE {name} CREATE TAG {ref}"],
            {**after, name: after[name]._replace(past=state[name].past + (ref,))})


def replace_tag(state, chance):
    name = some(state, chance, lambda table: can_be_named(table) and table.past)
    if name is None:
        return None
    table, ref = state[name], chance.choice(state[name].past)
    return ([f"ALTER TABLE {name} CREATE OR REPLACE TAG {ref} RETAIN 365 DAYS"],
            {**state, name: table._replace(refs={**table.refs, ref: (table.columns, table.rows)},
                                           past=tuple(each for each in table.past if each != ref) + (ref,))})


def branch(state, chance):
    """With rows that main does not have."""
    name = some(state, chance, can_be_named)
    if name is None:
        return None
    ref, after = new_ref(state, name, chance, "side")
    new = widened((chance.randrange(9), 99), len(state[name].columns))
    columns, rows = after[name].refs[ref]
    return (["BEGIN", f"ALTER TABLE {name} CREATE BRANCH {ref}",
             f"INSERT INTO {name}.branch_{ref} VALUES {values([new])}", "COMMIT"],
            {**after, name: after[name]._replace(refs={**after[name].refs, ref: (columns, rows + (new,))},
                                                 added={**after[name].added, ref: (new,)})})


def drop_ref(state, chance):
    name = some(state, chance, lambda table: table.refs)
    if name is None:
        return None
    table, ref = state[name], chance.choice(sorted(state[name].refs))
    kind = "BRANCH" if ref.startswith("side") else "TAG"
    rest = {key: value for key, value in table.refs.items() if key != ref}
    return ([f"ALTER TABLE {name} DROP {kind} {ref}"],
            {**state, name: table._replace(refs=rest, past=tuple(each for each in table.past if each != ref),
                                           added={key: value for key, value in table.added.items() if key != ref})})


def replace_branch(state, chance):
    """With what main was once."""
    name = some(state, chance, lambda table: table.past and table.added)
    if name is None:
        return None
    table = state[name]
    ref, past = chance.choice(sorted(table.added)), chance.choice(table.past)
    return ([f"ALTER TABLE {name} REPLACE BRANCH {ref} AS OF VERSION {{{name}.{past}}}"],
            {**state, name: table._replace(refs={**table.refs, ref: table.refs[past]},
                                           added={key: value for key, value in table.added.items() if key != ref})})


def fast_forward(state, chance):
    """A new branch of what main was once, to what it is."""
    name = some(state, chance, lambda table: table.past and can_be_named(table))
    if name is None:
        return None
    past = chance.choice(state[name].past)
    ref, after = new_ref(state, name, chance, "side")
    return (["BEGIN", f"ALTER TABLE {name} CREATE BRANCH {ref} AS OF VERSION {{{name}.{past}}}",
             f"CALL ice.system.fast_forward('db.{name}', '{ref}', 'main')", "COMMIT"], after)


def gone_back(name_of_kind, procedure, argument):
    """An operation that makes a tag of the past main's snapshot."""
    def go_back(state, chance):
        name = some(state, chance, lambda table: table.past)
        if name is None:
            return None
        table, at = state[name], chance.randrange(len(state[name].past))
        ref = table.past[at]
        meant = argument.format(f"{{{name}.{ref}}}", f"{{{name}.{ref}.time}}", ref)
        return ([f"CALL ice.system.{procedure}('db.{name}', {meant})"],
                {**state, name: table.holding(table.refs[ref][1])._replace(past=table.past[:at + 1], is_moved=True)})
    go_back.__name__ = name_of_kind
    return go_back


rollback = gone_back("rollback", "rollback_to_snapshot", "{0}")
rollback_in_time = gone_back("rollback_in_time", "rollback_to_timestamp", "to_timestamp({1} / 1000.0)")
set_current = gone_back("set_current", "set_current_snapshot", "{0}")
set_current_ref = gone_back("set_current_ref", "set_current_snapshot", "ref => '{2}'")


def cherry_pick(state, chance):
    name = some(state, chance, lambda table: table.added)
    if name is None:
        return None
    table, ref = state[name], chance.choice(sorted(state[name].added))
    return ([f"CALL ice.system.cherrypick_snapshot('db.{name}', {{{name}.{ref}}})"],
            {**state, name: table.put(*table.added[ref])._replace(
                is_moved=True, added={key: value for key, value in table.added.items() if key != ref})})
