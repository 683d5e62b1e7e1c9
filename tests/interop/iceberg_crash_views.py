"""Statements of the crash test that make, change and drop views and schemas, and those that move tables among schemas.

Each function takes a State and gives statements and the state after them, or None where it cannot be; and, third,
states between the two where it is no single commit.
"""
import itertools

from iceberg_crash_states import State, Table, View, in_sql, schema_of
from iceberg_crash_tables import assignments, options, quoted

VIEWS = ("v", "w", "side.v")
SCHEMAS = ("side", "busy", "more")
NESTED = ("db.inner", "side.inner", "db.inner.most")


def some(of, chance, suits=lambda each: True):
    names = [name for name in sorted(of) if suits(name)]
    return chance.choice(names) if names else None


def free(state, chance, suits=lambda name: True):
    """A name for a view in a schema that is there."""
    return some([name for name in VIEWS if name not in state.views and schema_of(name) in state.schemas], chance, suits)


def except_for(of, *gone):
    return {key: value for key, value in of.items() if key not in gone}


def random_properties(chance):
    return {"owner": f"o{chance.randrange(99)}", **chance.choice(({}, {"comment": f"text {chance.randrange(99)}"}))}


# ---- Views ---------------------------------------------------------------------------------------


def create_view(state, chance):
    name, sql, properties = free(state, chance), f"SELECT {chance.randrange(999)} AS n", random_properties(chance)
    return name and ([f"CREATE VIEW {in_sql(name)}{options(properties)} AS {sql}"],
                     state._replace(views={**state.views, name: View(sql, properties, (sql,))}))


def new_query(state, chance, statement, properties):
    """One that the view never had: the statement around its name."""
    name = some(state.views, chance, lambda name: len(state.views[name].versions) < 9)
    if name is None:
        return None
    view, number = state.views[name], chance.randrange(10 ** 6)
    sql = f"SELECT {number} AS c{number}"
    after = View(sql, {**view.properties, **properties}, view.versions + (sql,))
    return [f"{statement(in_sql(name))} AS {sql}"], state._replace(views={**state.views, name: after})


def replace_view(state, chance):
    properties = {"owner": str(chance.randrange(999))}
    return new_query(state, chance, lambda name: f"CREATE OR REPLACE VIEW {name}{options(properties)}", properties)


def alter_view_query(state, chance):
    return new_query(state, chance, lambda name: f"ALTER VIEW {name}", {})


def replace_view_back(state, chance):
    """By one that it had."""
    name = some(state.views, chance, lambda name: len(state.views[name].versions) > 1)
    if name is None:
        return None
    view = state.views[name]
    sql = chance.choice([each for each in view.versions if each != view.sql])
    return ([f"CREATE OR REPLACE VIEW {in_sql(name)} AS {sql}"],
            state._replace(views={**state.views, name: view._replace(sql=sql)}))


def with_properties(state, name, properties):
    return state._replace(views={**state.views, name: state.views[name]._replace(properties=properties)})


def set_view_properties(state, chance):
    name, number = some(state.views, chance), str(chance.randrange(999))
    return name and ([f"ALTER VIEW {in_sql(name)} SET TBLPROPERTIES ('owner' = '{number}', 'more' = '{number}')"],
                     with_properties(state, name, {**state.views[name].properties, "owner": number, "more": number}))


def unset_view_properties(state, chance):
    name = some(state.views, chance, lambda name: "owner" in state.views[name].properties)
    return name and ([f"ALTER VIEW {in_sql(name)} UNSET TBLPROPERTIES IF EXISTS ('owner', 'more')"],
                     with_properties(state, name, except_for(state.views[name].properties, "owner", "more")))


def comment_on_view(state, chance):
    """Where there is one it goes."""
    name = some(state.views, chance)
    if name is None:
        return None
    properties = state.views[name].properties
    text = None if "comment" in properties else f"view {chance.randrange(99)}"
    after = except_for(properties, "comment") if text is None else {**properties, "comment": text}
    return [f"COMMENT ON VIEW {in_sql(name)} IS {quoted(text)}"], with_properties(state, name, after)


def renamed(state, name, other, what):
    views = {other if key == name else key: value for key, value in state.views.items()}
    tables = {other if key == name else key: value for key, value in state.tables.items()}
    return [f"ALTER {what} {in_sql(name)} RENAME TO {in_sql(other)}"], state._replace(views=views, tables=tables)


def rename_view(state, chance):
    name = some(state.views, chance)
    other = name and free(state, chance, lambda new: schema_of(new) == schema_of(name))
    return other and renamed(state, name, other, "VIEW")


def move_view(state, chance):
    name = some(state.views, chance)
    other = name and free(state, chance, lambda new: schema_of(new) != schema_of(name))
    return other and renamed(state, name, other, "VIEW")


def drop_view(state, chance):
    name = some(state.views, chance)
    return name and ([f"DROP VIEW {in_sql(name)}"], state._replace(views=except_for(state.views, name)))


VIEW_KINDS = (create_view, replace_view, alter_view_query, replace_view_back, set_view_properties,
              unset_view_properties, comment_on_view, rename_view, move_view, drop_view)

# ---- Schemas -------------------------------------------------------------------------------------


def made(state, name, chance):
    properties = random_properties(chance)
    return name and ([f"CREATE SCHEMA ice.{name}{options(properties)}"],
                     state._replace(schemas={**state.schemas, name: properties}))


def create_schema(state, chance):
    return made(state, some([name for name in SCHEMAS if name not in state.schemas], chance), chance)


def create_nested_schema(state, chance):
    return made(state, some([name for name in NESTED if name not in state.schemas
                             and schema_of(name) in state.schemas], chance), chance)


def other_schema(state, name, properties):
    return state._replace(schemas={**state.schemas, name: properties})


def set_schema_properties(state, chance):
    name, new = some(state.schemas, chance), {"owner": str(chance.randrange(999)), "more": str(chance.randrange(999))}
    return ([f"ALTER SCHEMA ice.{name} SET DBPROPERTIES ({assignments(new)})"],
            other_schema(state, name, {**state.schemas[name], **new}))


def unset_schema_properties(state, chance):
    name = some(state.schemas, chance, lambda name: "owner" in state.schemas[name])
    return name and ([f"ALTER SCHEMA ice.{name} UNSET DBPROPERTIES ('owner', 'more')"],
                     other_schema(state, name, except_for(state.schemas[name], "owner", "more")))


def comment_on_schema(state, chance):
    """Where there is one it goes."""
    name = some(state.schemas, chance)
    text = None if "comment" in state.schemas[name] else f"schema {chance.randrange(99)}"
    after = except_for(state.schemas[name], "comment") if text is None else {**state.schemas[name], "comment": text}
    return [f"COMMENT ON SCHEMA ice.{name} IS {quoted(text)}"], other_schema(state, name, after)


def dropped(state, name):
    return name and ([f"DROP SCHEMA ice.{name}"], state._replace(schemas=except_for(state.schemas, name)))


def drop_schema(state, chance):
    return dropped(state, some(SCHEMAS, chance, lambda name: name in state.schemas and not state.within(name)))


def drop_nested_schema(state, chance):
    return dropped(state, some(NESTED, chance, lambda name: name in state.schemas and not state.within(name)))


def drop_schema_cascade(state, chance):
    """Each table and view goes by a commit of its own, then the schema; those with others in them do not go."""
    name = some(state.schemas, chance, lambda name: name != "db" and state.within(name)
                and not any(each in state.schemas for each in state.within(name)))
    if name is None:
        return None
    within = sorted(state.within(name))
    left = [State(except_for(state.tables, *gone), except_for(state.views, *gone), state.schemas)
            for count in range(1, len(within) + 1) for gone in itertools.combinations(within, count)]
    return ([f"DROP SCHEMA ice.{name} CASCADE"],
            left[-1]._replace(schemas=except_for(state.schemas, name)), left)


SCHEMA_KINDS = (create_schema, create_nested_schema, set_schema_properties, unset_schema_properties, comment_on_schema,
                drop_schema, drop_nested_schema, drop_schema_cascade)

# ---- Tables in other schemas ---------------------------------------------------------------------


def create_elsewhere(state, chance):
    schema, number = some(state.schemas, chance, lambda name: name != "db"), chance.randrange(10 ** 6)
    name = f"{schema}.t{number}"
    return schema and ([f"CREATE TABLE {in_sql(name)} AS SELECT {number} AS x"],
                       state._replace(tables={**state.tables, name: Table(("x",), ((number,),))}))


def move_table(state, chance):
    """To another schema, for good."""
    name = some(state.tables, chance, lambda name: "." not in name)
    schema = some(state.schemas, chance, lambda name: name != "db")
    return name and schema and renamed(state, name, f"{schema}.t{chance.randrange(10 ** 6)}", "TABLE")


ELSEWHERE_KINDS = (create_elsewhere, move_table)
