"""What the crash test knows of a catalog: its tables, views and schemas."""
import typing

from pyiceberg.transforms import parse_transform
from pyiceberg.types import IntegerType


class Column(typing.NamedTuple):
    type: str = "int"
    is_required: bool = False
    comment: str | None = None


class Table(typing.NamedTuple):
    """What PyIceberg sees of a table, and what is known of its snapshots. Columns are INTEGER or BIGINT."""
    columns: tuple
    rows: tuple = ()
    spec: tuple = ()     # (column, transform).
    order: tuple = ()    # Columns.
    refs: dict = {}      # By the name of a branch or tag: its columns and rows.
    details: dict = {}   # Column by name, of those that are more than an INTEGER.
    properties: dict = {}
    version: int = 2     # Of the format.
    location: str = ""   # Below the warehouse, where SET LOCATION said one.
    is_moved: bool = False  # There may be files of another spec.
    is_fresh: bool = True  # Its newest snapshot has the columns of now.
    past: tuple = ()     # Tags of main's past whose columns are those of now, the newest last.
    added: dict = {}     # By branch: the rows that its last snapshot added and main does not have.

    def holding(self, rows):
        rows = tuple(rows)
        return self._replace(rows=rows, is_fresh=self.is_fresh or rows != self.rows)

    def put(self, *rows):
        """With more rows; columns that they do not have are NULL."""
        return self.holding(self.rows + tuple(widened(row, len(self.columns)) for row in rows))

    def only(self, keeps):
        return self.holding(row for row in self.rows if keeps(row))

    def renewed(self, columns, rows):
        """With other columns: snapshots of earlier ones are not gone back to."""
        return self._replace(columns=columns, rows=tuple(rows), past=(), added={}, is_fresh=False, details={
            name: each for name, each in self.details.items() if name in columns})

    def column(self, name):
        return self.details.get(name, Column())

    def with_column(self, name, **changes):
        return self._replace(details={**self.details, name: self.column(name)._replace(**changes)})

    def partition(self, row):
        return tuple(parse_transform(transform).transform(IntegerType())(row[self.columns.index(column)])
                     for column, transform in self.spec)


class View(typing.NamedTuple):
    sql: str
    properties: dict = {}
    versions: tuple = ()  # The SQL of all of them.


class State(typing.NamedTuple):
    """Tables and views by their names; those that are not in the schema db have that of their schema before it."""
    tables: dict
    views: dict = {}
    schemas: dict = {"db": {}}  # Their properties, but for `exists`, which is of the catalog.

    def within(self, schema):
        """The names of what is in a schema."""
        here = {name for name in (*self.tables, *self.views) if schema_of(name) == schema}
        return here | {name for name in self.schemas if name.startswith(schema + ".")}


def widened(row, count):
    return tuple(row) + (None,) * (count - len(row))


def schema_of(name):
    return name.rpartition(".")[0] or "db"


def in_sql(name):
    """The name of a table, view or schema whatever is the schema of the session."""
    return f"ice.{name}" if "." in name else f"ice.db.{name}"


def in_order(rows):
    return sorted(rows, key=repr)


def plain(state):
    """What others can see, and what does not depend on the order of rows."""
    tables = {name: (table.columns, in_order(table.rows), table.spec, table.order,
                     {ref: (columns, in_order(rows)) for ref, (columns, rows) in sorted(table.refs.items())},
                     {column: each for column, each in sorted(table.details.items()) if each != Column()},
                     table.properties, table.version, table.location)
              for name, table in state.tables.items()}
    views = {name: view._replace(versions=sorted(view.versions)) for name, view in state.views.items()}
    return State(tables, views, state.schemas)


def difference(found, wanted):
    """The parts of a plain state that are not as wanted, for people."""
    told = []
    for what, here, there in zip(State._fields, found, wanted):
        told += [f"{what} {name}: {here.get(name)}, wanted {there.get(name)}"
                 for name in sorted({*here, *there}) if here.get(name) != there.get(name)]
    return "; ".join(told)
