"""What programs of other engines have in common: requests and answers as lines of JSON, and rows in
one form, so that the same table read by two of them is the same text.

    {"sql": "SELECT …"}                      {"columns": ["a", …], "rows": [[…], …]}
    {"read": "…", …}                         {"error": "…"}

Values are JSON: NULL null, booleans, numbers and texts as themselves; doubles that JSON lacks, decimals,
dates, times (in UTC with an offset where they know a zone), UUIDs and binaries (hexadecimal, which texts in
the form of a UUID become too: some engines have them as texts) as texts;
structs as objects in the order of their fields, maps as lists of pairs in order of their keys.
"""
import datetime
import decimal
import json
import math
import re
import sys
import uuid

UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def value_of(value):
    if isinstance(value, str):
        return value.replace("-", "") if UUID.fullmatch(value) else value
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else repr(value)
    if isinstance(value, decimal.Decimal):  # Spark's have more zeros behind small ones.
        return format(value.normalize(decimal.Context(prec=80)), "f")
    if isinstance(value, datetime.datetime):
        if value.tzinfo is not None:
            return value.astimezone(datetime.timezone.utc).isoformat()
        return value.isoformat()
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).hex()
    if isinstance(value, uuid.UUID):
        return value.bytes.hex()
    if isinstance(value, dict):
        return {key: value_of(each) for key, each in value.items()}
    if isinstance(value, list):
        return [value_of(each) for each in value]
    return str(value)


def pairs_of(pairs):
    """A map, of which nobody promises the order."""
    return sorted(([value_of(key), value_of(each)] for key, each in pairs), key=json.dumps)


def arrow_value(kind, value):
    """A value of a PyArrow table, which tells maps only by their type."""
    import pyarrow.types as types  # pylint: disable=import-outside-toplevel
    if value is None:
        return None
    if types.is_map(kind):
        return sorted(([arrow_value(kind.key_type, key), arrow_value(kind.item_type, each)]
                       for key, each in value), key=json.dumps)
    if types.is_struct(kind):
        return {kind.field(i).name: arrow_value(kind.field(i).type, value[kind.field(i).name])
                for i in range(kind.num_fields)}
    if types.is_list(kind) or types.is_large_list(kind) or types.is_list_view(kind):
        return [arrow_value(kind.value_type, each) for each in value]
    return value_of(value)


def arrow_rows(table):
    """The rows of a PyArrow table in the common form."""
    columns = [[arrow_value(column.type, each) for each in column.to_pylist()]
               for column in table.columns]
    return [list(row) for row in zip(*columns)] if columns else []


def in_order(rows):
    """Rows as texts, in an order that only they decide."""
    return sorted(json.dumps(row, ensure_ascii=False) for row in rows)


def serve(answer):
    """Answers a line for a line until there are no more. `answer` gives (names of columns, rows)."""
    for line in sys.stdin:
        try:
            columns, rows = answer(json.loads(line))
            told = {"columns": columns, "rows": rows}
        except Exception as error:  # pylint: disable=broad-exception-caught
            told = {"error": f"{type(error).__name__}: {error}"[:4000]}
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()
