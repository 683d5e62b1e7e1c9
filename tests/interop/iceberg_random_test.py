#!/usr/bin/env python3
"""iceberg_random_test.py FIRN [SEEDS [FIRST]] - random Iceberg tables against their rows.

Each seed makes a table step by step: files under random partition specs (every transform), columns
added, dropped, renamed, moved and promoted (fields of structs too), specs that change and lose their
source columns, position and equality deletes, metrics that are cut, partly missing or absent, Parquet
and Avro, files without field ids behind a name mapping, structs in lists and maps. What is left of the
rows, now and at an older snapshot, and what was appended between two, is written to Parquet files
without statistics, and random filters, joins and aggregates must find the same rows in both. Needs
PyIceberg:

    $(bash tools/dev/venv.sh pyiceberg)/bin/python tests/interop/iceberg_random_test.py build/dev/firn 50
"""
import copy
import datetime
import decimal
import json
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
import uuid

import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg import transforms, types
from pyiceberg.avro.file import AvroOutputFile
from pyiceberg.conversions import to_bytes
from pyiceberg.io.pyarrow import schema_to_pyarrow
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.typedef import Record
from pyiceberg.utils import datetime as times

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tools" / "dev"))
from iceberg_writer import EQUALITY_DELETES, POSITION_DELETES, Writer  # noqa: E402

POSITIONS = Schema(types.NestedField(2147483546, "file_path", types.StringType(), required=True),
                   types.NestedField(2147483545, "pos", types.LongType(), required=True))
UTC = datetime.timezone.utc
DAY = datetime.date(1970, 1, 1)


# ---- Types ---------------------------------------------------------------------------------------

class Kind:
    """A type: its Iceberg type, a random value, a literal of SQL, what it may be promoted to."""

    def __init__(self, of, value, literal, transform, promoted=None, internal=lambda v: v):
        self.of, self.value, self.literal = of, value, literal
        self.transforms, self.promoted, self.internal = transform, promoted, internal


def date_of(rng):
    return DAY + datetime.timedelta(rng.choice([-1, 0, 1, 364, 365, 366, -400, 19000, 19001, 19030]))


def stamp_of(rng):
    return (datetime.datetime(1970, 1, 1)
            + datetime.timedelta(rng.choice([-1, 0, 1, 364, 365, -366, 19000, 19001]), 0,
                                 rng.choice([0, 1, 3599999999, 3600000000, 86399999999])))


def text_of(rng):
    return rng.choice(["", "a", "ab", "abc", "abcdefghijklmnopqrst", "abcdefghijklmnopqrsu", "b",
                       "zebra", "Zebra", "ä", "äö€😀", "日本", "\U0010ffff", "\U0010ffffx", "%", "a_c"])


def double_of(rng):
    return rng.choice([0.0, -0.0, 1.5, -1.5, 1e10, -1e10, float("nan"), float("inf"), 3.25])


COARSE = ["identity", "void"]
NUMBER = COARSE + ["bucket", "truncate"]
TIMES = COARSE + ["year", "month", "day", "bucket"]
KINDS = {
    "long": Kind(types.LongType(), lambda r: r.choice([-1, 0, 1, 7, 10, 99, -100, 2**40, -2**40]),
                 str, NUMBER),
    "int": Kind(types.IntegerType(), lambda r: r.choice([-1, 0, 1, 7, 10, 99, -100, 2**31 - 1]),
                str, NUMBER, "long"),
    "double": Kind(types.DoubleType(), double_of, lambda v: f"'{v}'::DOUBLE", COARSE),
    "float": Kind(types.FloatType(), double_of, lambda v: f"'{v}'::DOUBLE", COARSE, "double"),
    "wide": Kind(types.DecimalType(18, 2),
                 lambda r: decimal.Decimal(r.choice([-1, 0, 5, 99, -12345, 999999999])).scaleb(-2),
                 lambda v: f"{v}::DECIMAL(18,2)", NUMBER),
    "decimal": Kind(types.DecimalType(9, 2),
                    lambda r: decimal.Decimal(r.choice([-1, 0, 5, 99, -12345, 999999999])).scaleb(-2),
                    lambda v: f"{v}::DECIMAL(18,2)", NUMBER, "wide"),
    "date": Kind(types.DateType(), date_of, lambda v: f"DATE '{v}'", TIMES,
                 internal=times.date_to_days),
    "timestamp": Kind(types.TimestampType(), stamp_of, lambda v: f"TIMESTAMP '{v}'",
                      TIMES + ["hour"], internal=times.datetime_to_micros),
    "timestamptz": Kind(types.TimestamptzType(), lambda r: stamp_of(r).replace(tzinfo=UTC),
                        lambda v: f"TIMESTAMPTZ '{v}'", TIMES + ["hour"],
                        internal=times.datetime_to_micros),
    "time": Kind(types.TimeType(), lambda r: datetime.time(r.choice([0, 1, 23]), 0, 0, r.choice([0, 1])),
                 lambda v: f"TIME '{v}'", COARSE + ["bucket"], internal=times.time_to_micros),
    "string": Kind(types.StringType(), text_of, lambda v: f"'{v}'", NUMBER),
    "binary": Kind(types.BinaryType(), lambda r: text_of(r).encode(),
                   lambda v: f"X'{v.hex()}'", NUMBER),
    "uuid": Kind(types.UUIDType(), lambda r: uuid.UUID(int=r.choice([0, 1, 2**64, 2**127, 2**128 - 1])),
                 lambda v: f"'{v}'::UUID", COARSE + ["bucket"]),
    "boolean": Kind(types.BooleanType(), lambda r: r.random() < 0.5, str, COARSE),
}
STRUCT, LIST, MAP = NESTED = ("struct", "list", "map")
INNER = [kind for kind in KINDS if kind != "uuid"]  # Which PyArrow does not cast inside lists.


class Column:
    """A column, a field of a struct, the element of a list, or the key or value of a map."""

    def __init__(self, field_id, name, kind, children=()):
        self.id, self.name, self.kind, self.children = field_id, name, kind, list(children)
        self.names, self.dropped = [name], []

    def field(self):
        inner = [child.field() for child in self.children]
        if self.kind == STRUCT:
            of = types.StructType(*inner)
        elif self.kind == LIST:
            of = types.ListType(inner[0].field_id, inner[0].field_type, element_required=False)
        elif self.kind == MAP:
            of = types.MapType(inner[0].field_id, inner[0].field_type, inner[1].field_id,
                               inner[1].field_type, value_required=False)
        else:
            of = KINDS[self.kind].of
        return types.NestedField(self.id, self.name, of, required=False)

    def structs(self):
        """The structs in it, itself included."""
        return ([self] if self.kind == STRUCT else []) + [
            found for child in self.children for found in child.structs()]

    def mapping(self):
        return {"field-id": self.id, "names": self.names,
                **({"fields": [child.mapping() for child in self.children + self.dropped]}
                   if self.children else {})}


def without_ids(field):
    """An Arrow field without metadata, at any depth."""
    of = field.type
    if pa.types.is_struct(of):
        of = pa.struct([without_ids(child) for child in of])
    elif pa.types.is_list(of):
        of = pa.list_(without_ids(of.value_field))
    elif pa.types.is_large_list(of):
        of = pa.large_list(without_ids(of.value_field))
    elif pa.types.is_map(of):
        of = pa.map_(without_ids(of.key_field), without_ids(of.item_field))
    return pa.field(field.name, of, field.nullable)


# ---- A table -------------------------------------------------------------------------------------

def key_of(value):
    """What equality deletes compare: NaN and NULL equal themselves, zeros each other."""
    if isinstance(value, float):
        return "nan" if value != value else value + 0.0
    return value


class Table:
    def __init__(self, folder, seed):
        self.rng = random.Random(seed)
        self.writer = Writer(folder, Schema(), location=str(folder))
        self.next_id, self.next_name = 1, 0
        self.columns, self.schemas, self.specs = [], [], []
        self.appends = set()  # Numbers of commits of rows alone.
        self.files = []  # Dicts: path, spec, partition, sequence, rows, gone.
        self.all_columns = []
        self.history = {}  # By snapshot: the columns then.
        self.has_mapping = self.rng.random() < 0.3
        self.add_column("long")
        self.columns[0].name = self.columns[0].names[0] = "uid"
        for _ in range(self.rng.randint(3, 6)):
            self.add_column()
        self.changed_schema()
        self.new_spec()

    # Schemas

    def fresh(self, kind, children=()):
        self.next_id += 1
        self.next_name += 1
        return Column(self.next_id - 1, f"c{self.next_name}", kind, children)

    def add_column(self, kind=None):
        rng = self.rng
        kind = kind or rng.choice([*KINDS, STRUCT, *NESTED])
        made = self.fresh(kind)
        self.fill(made, list(KINDS))
        self.columns.insert(rng.randint(1, len(self.columns)) if self.columns else 0, made)
        self.all_columns.append(made)

    def fill(self, column, kinds):
        """Makes the children of a nested column."""
        rng = self.rng
        if column.kind == STRUCT:
            column.children = [self.fresh(rng.choice(kinds)) for _ in range(rng.randint(1, 3))]
        names = {LIST: ["element"], MAP: ["key", "value"]}.get(column.kind, [])
        for name in names:
            child = self.fresh("string" if name == "key" else rng.choice([*INNER, STRUCT, STRUCT, STRUCT]))
            child.name = child.names[0] = name
            self.fill(child, INNER)
            column.children.append(child)

    def changed_schema(self):
        self.schema = Schema(*(column.field() for column in self.columns),
                             schema_id=len(self.schemas))
        self.schemas.append(self.schema)
        self.writer.schema = self.schema

    def evolve(self):
        rng = self.rng
        own = self.columns[1:]
        structs = [found for column in own for found in column.structs()]
        inner = [child for one in structs for child in one.children]
        what = rng.choice(["add", "drop", "rename", "move", "promote", "promote", "inner", "inner"])
        if what == "add":
            self.add_column()
        elif what == "drop" and len(own) > 2:
            self.columns.remove(rng.choice(own))
        elif what == "rename":
            one = rng.choice(own + inner)
            self.next_name += 1
            one.name = f"r{self.next_name}"
            one.names.append(one.name)
        elif what == "move":
            rng.shuffle(own)
            self.columns[1:] = own
        elif what == "promote":
            for one in own + inner + [c for top in own for c in top.children if top.kind == LIST]:
                if one.kind not in NESTED and KINDS[one.kind].promoted and rng.random() < 0.7:
                    one.kind = KINDS[one.kind].promoted
        elif what == "inner":
            for one in structs:
                if len(one.children) > 1 and rng.random() < 0.3:
                    one.dropped.append(one.children.pop(rng.randrange(len(one.children))))
                one.children.insert(rng.randint(0, len(one.children)), self.fresh(rng.choice(INNER)))
        self.changed_schema()

    def new_spec(self):
        rng = self.rng
        fields = []
        for number in range(rng.choice([0, 1, 1, 2, 3])):
            source = rng.choice(self.leaves()[1:] or self.columns[:1])
            name = rng.choice(KINDS[source.kind].transforms)
            transform = {"identity": transforms.IdentityTransform, "void": transforms.VoidTransform,
                         "year": transforms.YearTransform, "month": transforms.MonthTransform,
                         "day": transforms.DayTransform, "hour": transforms.HourTransform,
                         "bucket": lambda: transforms.BucketTransform(rng.choice([1, 3, 16])),
                         "truncate": lambda: transforms.TruncateTransform(rng.choice([1, 2, 10]))}[name]()
            fields.append(PartitionField(source.id, 1000 + 10 * len(self.specs) + number, transform,
                                         f"p{len(self.specs)}_{number}"))
        self.spec = PartitionSpec(*fields, spec_id=len(self.specs))
        self.specs.append(self.spec)

    def leaves(self):
        return ([column for column in self.columns if column.kind not in NESTED]
                + [child for column in self.columns if column.kind == STRUCT
                   for child in column.children])

    def spec_is_usable(self):
        known = {column.id for column in self.leaves()}
        return all(field.source_id in known for field in self.spec.fields)

    # Rows: a dict of values by field id; a struct is a dict or None.

    def get(self, row, field_id):
        """The value of a column, or of a field of a struct."""
        for column in self.columns:
            if column.id == field_id:
                return row.get(field_id)
            if any(child.id == field_id for child in column.children):
                return (row.get(column.id) or {}).get(field_id)
        raise KeyError(field_id)

    def value(self, column):
        if self.rng.random() < 0.2:
            return None
        if column.kind == STRUCT:
            return {child.id: self.value(child) for child in column.children}
        if column.kind == LIST:
            return [self.value(column.children[0]) for _ in range(self.rng.randint(0, 3))]
        if column.kind == MAP:
            return {f"k{i}": self.value(column.children[1]) for i in range(self.rng.randint(0, 3))}
        return KINDS[column.kind].value(self.rng)

    def named(self, value, column):
        """The value as Arrow takes it, with the names and fields of now."""
        if column.kind == STRUCT and value is not None:
            return {child.name: self.named(value.get(child.id), child) for child in column.children}
        if column.kind == LIST and value is not None:
            return [self.named(each, column.children[0]) for each in value]
        if column.kind == MAP and value is not None:
            return [(key, self.named(each, column.children[1])) for key, each in value.items()]
        return value.bytes if isinstance(value, uuid.UUID) else value

    def arrow(self, rows, columns):
        schema = schema_to_pyarrow(Schema(*(column.field() for column in columns)))
        storage = pa.schema([pa.field(f.name, pa.binary(16) if f.type == pa.uuid() else f.type)
                             if not pa.types.is_struct(f.type) else
                             pa.field(f.name, pa.struct([pa.field(g.name, pa.binary(16) if g.type == pa.uuid()
                                                                  else g.type) for g in f.type]))
                             for f in schema])
        made = pa.Table.from_pylist([{column.name: self.named(row.get(column.id), column)
                                      for column in columns} for row in rows], storage)
        return made.cast(schema)

    # Metrics

    def cut_bound(self, value, is_high):
        """The first code points or bytes of a bound, raised where it is the upper one."""
        size = self.rng.choice([1, 2, 16])
        if len(value) <= size or self.rng.random() < 0.3:
            return value
        part = value[:size]
        if not is_high:
            return part
        top = "\U0010ffff" if isinstance(part, str) else b"\xff"
        while part and part[-1:] == top:
            part = part[:-1]
        if not part:
            return None
        return (part[:-1] + chr(ord(part[-1]) + 1) if isinstance(part, str)
                else part[:-1] + bytes([part[-1] + 1]))

    def metrics(self, rows):
        rng = self.rng
        out = {name: {} for name in ("value_counts", "null_value_counts", "nan_value_counts",
                                     "lower_bounds", "upper_bounds")}
        if rng.random() < 0.1:
            return out
        flat = [(column, [row.get(column.id) for row in rows]) for column in self.columns]
        for column, values in list(flat):
            if column.kind == STRUCT:
                flat += [(child, [value and value[child.id] for value in values])
                         for child in column.children]
        for column, values in flat:
            if column.kind in NESTED:
                continue
            kind = KINDS[column.kind]
            some = [value for value in values if value is not None]
            nans = sum(value != value for value in some)
            if rng.random() < 0.8:
                out["value_counts"][column.id] = len(values)
            if rng.random() < 0.8:
                out["null_value_counts"][column.id] = len(values) - len(some)
            if column.kind in ("float", "double") and rng.random() < 0.5:
                out["nan_value_counts"][column.id] = nans
            some = [value for value in some if value == value]
            if not some:
                continue
            low, high = min(some), max(some)
            if column.kind in ("float", "double"):
                low, high = (-0.0 if low == 0 else low), (0.0 if high == 0 else high)
            if column.kind in ("string", "binary"):
                low, high = self.cut_bound(low, False), self.cut_bound(high, True)
            for place, bound in (("lower_bounds", low), ("upper_bounds", high)):
                if bound is not None and rng.random() < 0.85:
                    out[place][column.id] = to_bytes(kind.of, kind.internal(bound))
        return out

    # Files

    def partition_of(self, row):
        values = []
        for field in self.spec.fields:
            kind = KINDS[next(c for c in self.leaves() if c.id == field.source_id).kind]
            value = self.get(row, field.source_id)
            value = None if value is None else kind.internal(value)
            if value is not None and not isinstance(field.transform, transforms.IdentityTransform):
                value = field.transform.transform(kind.of)(value)
            values.append(value)
        return values

    def record(self, value, column):
        """The value as PyIceberg's Avro writers take it."""
        if value is None:
            return None
        if column.kind == STRUCT:
            return Record(*(self.record(value.get(child.id), child) for child in column.children))
        if column.kind == LIST:
            return [self.record(each, column.children[0]) for each in value]
        if column.kind == MAP:
            return {key: self.record(each, column.children[1]) for key, each in value.items()}
        return KINDS[column.kind].internal(value)

    def write(self, name, rows, columns, is_data):
        rng = self.rng
        # PyIceberg writes no null elements to Avro.
        is_avro = rng.random() < 0.25 and all(c.kind not in (LIST, MAP) for c in columns)
        path = self.writer.folder / "data" / f"{name}.{'avro' if is_avro else 'parquet'}"
        if is_avro:
            output = self.writer.io.new_output(str(path))
            schema = Schema(*(column.field() for column in columns))
            with AvroOutputFile(output, schema, "row") as file:
                for start in range(0, len(rows), 7):
                    file.write_block([Record(*(self.record(row.get(c.id), c) for c in columns))
                                      for row in rows[start:start + 7]])
        else:
            self.write_parquet(path, self.arrow(rows, columns), is_data)
        return {"file_path": str(path), "file_format": path.suffix[1:].upper(),
                "record_count": len(rows), "file_size_in_bytes": path.stat().st_size,
                "column_sizes": {}, **self.metrics(rows)}

    def write_parquet(self, path, table, is_data):
        rng = self.rng
        if is_data and self.has_mapping and rng.random() < 0.5:
            table = table.cast(pa.schema([without_ids(field) for field in table.schema]))
        pq.write_table(table, path, store_schema=False, row_group_size=rng.choice([3, 10, 1000]),
                       use_dictionary=rng.random() < 0.5, write_statistics=rng.random() < 0.7,
                       write_page_index=rng.random() < 0.5, data_page_size=rng.choice([20, 100000]),
                       write_batch_size=5)

    def append(self, number):
        """As the others: what a commit adds, as (entries of a manifest, its options)."""
        rng = self.rng
        if not self.spec_is_usable():
            self.new_spec()
        groups = {}
        identity = {field.source_id for field in self.spec.fields
                    if isinstance(field.transform, transforms.IdentityTransform)}
        for i in range(rng.choice([1, 5, 12, 40])):
            row = {column.id: self.value(column) for column in self.columns}
            row[self.columns[0].id] = number * 1000 + i
            values = self.partition_of(row)
            groups.setdefault(repr([key_of(value) for value in values]), (values, []))[1].append(row)
        made = []
        for i, (values, rows) in enumerate(groups.values()):
            # Writers of Hive tables leave columns out whose value the partition has.
            leaves_out = identity and rng.random() < 0.2
            columns = [c for c in self.columns if not (leaves_out and c.id in identity)]
            name = f"{number}-{i}"
            made.append({**self.write(name, rows, columns, True), "partition": Record(*values)})
            if leaves_out:
                for row in rows:
                    for field, value in zip(self.spec.fields, values):
                        if isinstance(value, float) and field.source_id in row \
                                and field.source_id in identity:
                            row[field.source_id] = value
            self.files.append({"path": made[-1]["file_path"], "spec": self.spec, "values": values,
                               "sequence": number, "rows": rows, "gone": {}})
        return [(made, {})]

    def upsert(self, number):
        """Rows and deletes in one commit: positions of its own rows go too, keys of them do not."""
        rng = self.rng
        made = self.append(number)
        if rng.random() < 0.7:
            made = self.delete_keys(number) + made
        return self.delete_positions(number) + made if rng.random() < 0.6 else made

    def commit(self, number, made):
        manifests = [self.writer.manifest(entries, number, spec=self.spec, **options)
                     for entries, options in made]
        deletes = sum("content" in options for _, options in made)
        operation = "append" if deletes == 0 else "delete" if deletes == len(made) else "overwrite"
        self.writer.commit(manifests, operation, snapshot_id=number, schema_id=self.schema.schema_id)
        self.history[number] = copy.deepcopy(self.columns)
        if operation == "append":
            self.appends.add(number)

    def of_spec(self, spec, values):
        return [file for file in self.files if file["spec"] is spec
                and repr(list(map(key_of, file["values"]))) == repr(list(map(key_of, values)))]

    def delete_positions(self, number):
        rng = self.rng
        usable = [file for file in self.files if file["spec"] is self.spec]
        if not usable or not self.spec_is_usable():
            return []
        one = rng.choice(usable)
        targets = self.of_spec(one["spec"], one["values"]) if rng.random() < 0.5 else [one]
        places = []
        for file in targets:
            gone = {i for i in range(len(file["rows"])) if rng.random() < 0.3}
            file["gone"] = {**dict.fromkeys(gone, number), **file["gone"]}
            places += [(file["path"], i) for i in sorted(gone)]
        places.sort()
        path = self.writer.folder / "data" / f"{number}-pos.parquet"
        rows = pa.table({"file_path": [p for p, _ in places], "pos": [i for _, i in places]},
                        schema_to_pyarrow(POSITIONS))
        pq.write_table(rows, path, store_schema=False)
        bounds = {}
        if places and rng.random() < 0.5:
            bounds = {"lower_bounds": {2147483546: places[0][0].encode()},
                      "upper_bounds": {2147483546: places[-1][0].encode()}}
        return [([{"file_path": str(path), "file_format": "PARQUET",
                   "partition": Record(*one["values"]), "record_count": len(places),
                   "file_size_in_bytes": path.stat().st_size, "column_sizes": {}, **bounds}],
                 {"content": POSITION_DELETES})]

    def delete_keys(self, number):
        rng = self.rng
        leaves = self.leaves()
        keys = rng.sample(leaves, min(len(leaves), rng.choice([1, 1, 2])))
        usable = [file for file in self.files if file["spec"] is self.spec]
        is_global = all(isinstance(field.transform, transforms.VoidTransform)
                        for field in self.spec.fields)
        if not self.files or (not is_global and not usable) or not self.spec_is_usable():
            return []
        values = [None] * len(self.spec.fields) if is_global else rng.choice(usable)["values"]
        files = [file for file in (self.files if is_global else self.of_spec(self.spec, values))
                 if file["sequence"] < number]
        rows = [row for file in files for row in file["rows"]]
        picked = rng.sample(rows, min(len(rows), rng.choice([1, 2, 5])))
        picked = [[self.get(row, c.id) for c in keys] for row in picked]
        if rng.random() < 0.3:
            picked.append([None for _ in keys])
        wanted = {tuple(map(key_of, values)) for values in picked}
        for file in files:
            for i, row in enumerate(file["rows"]):
                if tuple(key_of(self.get(row, c.id)) for c in keys) in wanted:
                    file["gone"].setdefault(i, number)
        # Of a struct the file has only the fields that are keys.
        columns = []
        for column in self.columns:
            children = [child for child in column.children if child in keys]
            if column in keys or (column.kind == STRUCT and children):
                columns.append(copy.copy(column))
                columns[-1].children = children
        rows = [{column.id: ({child.id: values[keys.index(child)] for child in column.children}
                             if column.kind == STRUCT else
                             values[[c.id for c in keys].index(column.id)])
                 for column in columns} for values in picked]
        all_columns, self.columns = self.columns, columns  # Metrics of these alone.
        made = self.write(f"{number}-eq", rows, columns, False)
        self.columns = all_columns
        return [([{**made, "partition": Record(*values), "equality_ids": [c.id for c in keys],
                   "content": EQUALITY_DELETES}], {"content": EQUALITY_DELETES})]

    def finish(self, properties=None):
        mapping = {"schema.name-mapping.default": json.dumps([c.mapping() for c in self.all_columns])}
        path = self.writer.finish(self.schemas, self.specs, {
            **(mapping if self.has_mapping else {}), **(properties or {})})
        return path

    def write_rows_of(self, number, path, behind=None):
        """The rows that the table has at a snapshot, as its columns were then; or those that
        were appended behind another one, as the columns are now."""
        self.columns = self.history[number if behind is None else max(self.history)]
        rows = [row for file in self.files for i, row in enumerate(file["rows"])
                if file["sequence"] <= number and (file["gone"].get(i, number + 1) > number
                                                   if behind is None else file["sequence"] > behind
                                                   and file["sequence"] in self.appends)]
        pq.write_table(self.arrow(rows, self.columns), path, write_statistics=False,
                       use_dictionary=False, store_schema=False)
        return len(rows)

    # Filters

    def terms(self):
        return ([(f'"{c.name}"', c) for c in self.columns if c.kind not in NESTED]
                + [(f'"{c.name}"."{child.name}"', child) for c in self.columns if c.kind == STRUCT
                   for child in c.children])

    def term(self):
        rng = self.rng
        nested = [column for column in self.columns if column.kind in NESTED]
        if nested and rng.random() < 0.1:
            return f'"{rng.choice(nested).name}" IS {rng.choice(["", "NOT "])}NULL'
        name, column = rng.choice(self.terms())
        kind = KINDS[column.kind]
        one = lambda: kind.literal(kind.value(rng))  # noqa: E731
        forms = [lambda: f"{name} {rng.choice(['=', '<>', '<', '<=', '>', '>='])} {one()}",
                 lambda: f"{name} IS {rng.choice(['', 'NOT '])}NULL",
                 lambda: f"{name} {rng.choice(['', 'NOT '])}IN ({', '.join(one() for _ in range(3))})",
                 lambda: f"{name} BETWEEN {one()} AND {one()}",
                 lambda: f"{name} IS {rng.choice(['', 'NOT '])}DISTINCT FROM {one()}"]
        if column.kind == "string":
            forms += [lambda: f"{name} {rng.choice(['', 'NOT '])}LIKE "
                      + rng.choice(["'a%'", "'ab%'", "'abc'", "'%a'", "'a\\_c%'", "'日%'"])]
        if column.kind in ("float", "double"):
            forms += [lambda: f"{rng.choice(['', 'NOT '])}isnan({name})"]
        return rng.choice(forms)()

    def filter(self, depth=2):
        rng = self.rng
        if depth == 0 or rng.random() < 0.4:
            return self.term()
        what = rng.choice(["AND", "OR", "NOT"])
        if what == "NOT":
            return f"NOT ({self.filter(depth - 1)})"
        return f"({self.filter(depth - 1)} {what} {self.filter(depth - 1)})"

    def statement(self):
        """A query over FROM @."""
        rng = self.rng
        names = ", ".join(f'"{column.name}"' for column in self.columns)
        if rng.random() < 0.7:
            return f"SELECT {names} FROM @ WHERE {self.filter()}"
        name, column = rng.choice(self.terms())
        kind = KINDS[column.kind]
        if rng.random() < 0.5:
            values = ", ".join(f"({kind.literal(kind.value(rng))})" for _ in range(2))
            return f"SELECT {names} FROM @ AS t JOIN (VALUES {values}) AS v(x) ON t.{name} = v.x"
        return (f"SELECT count(*), count({name}), min({name}), max({name}) FROM @"
                + rng.choice(["", f" WHERE {self.term()}"]))


# ---- Asking --------------------------------------------------------------------------------------

def ask(firn, statements):
    """The rows of each statement, as sorted lines."""
    words = [firn, "--threads", "2", "--format", "csv"]
    for statement in statements:
        words += ["-c", statement, "-c", "SELECT 'next' AS mark"]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=600)
    if done.returncode != 0:
        return done.stderr or f"exit {done.returncode}"
    # Which of two equal zeros min gives is nobody's promise.
    parts = re.sub(r"(?<![\w.])-0\.0(?!\d)", "0.0", done.stdout).split("mark\nnext\n")[:-1]
    return [sorted(part.splitlines()[1:]) for part in parts]


def compare(firn, table, number, path, plain, behind=None):
    """What differs between a snapshot, or the appends behind another one, and their rows."""
    count = table.write_rows_of(number, plain, behind)
    names = ", ".join(f'"{column.name}"' for column in table.columns)
    statements = [f"SELECT {names} FROM @", "SELECT count(*) FROM @"]
    statements += [table.statement() for _ in range(25)]
    of = (f"snapshot_id => {number}" if behind is None else
          f"from_snapshot_id => {behind}, to_snapshot_id => {number}")
    sources = (f"iceberg_scan('{path}', {of})", f"'{plain}'")
    answers = [ask(firn, [each.replace("@", source) for each in statements]) for source in sources]
    for answer in answers:
        if isinstance(answer, str):
            return [answer]
    return [f"{of}, {count} rows: {each}\n  only in the table: {[r for r in got if r not in wanted][:3]}"
            f"\n  only expected: {[r for r in wanted if r not in got][:3]}"
            for each, got, wanted in zip(statements, *answers) if got != wanted]


def grow(table):
    """Random commits; how many."""
    rng = table.rng
    last = rng.randint(3, 9)
    for number in range(1, last + 1):
        if number > 1 and rng.random() < 0.4:
            table.evolve()
        if number > 1 and rng.random() < 0.3:
            table.new_spec()
        change = rng.choice([table.append, table.append, table.delete_positions, table.delete_keys,
                             table.upsert])
        table.commit(number, change(number) or table.append(number))
    return last


def run(firn, seed):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="firn_random_"))
    table = Table(folder / "t", seed)
    last, rng = grow(table), table.rng
    path = table.finish()
    failed = compare(firn, table, last, path, folder / "now.parquet")
    failed += compare(firn, table, rng.randint(1, last), path, folder / "then.parquet")
    to = rng.randint(2, last)
    failed += compare(firn, table, to, path, folder / "since.parquet", rng.randint(1, to - 1))
    if failed:
        print(f"FAIL seed {seed}, {path}\n" + "\n".join(failed[:3]), flush=True)
    else:
        shutil.rmtree(folder)
    return not failed


def main():
    firn = sys.argv[1]
    seeds = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    first = int(sys.argv[3]) if len(sys.argv) > 3 else 0
    good = sum(run(firn, seed) for seed in range(first, first + seeds))
    print(f"{good} passed, {seeds - good} failed, 0 skipped")
    return 0 if good == seeds else 1


if __name__ == "__main__":
    sys.exit(main())
