"""write_tables.py DATA OUT - PyIceberg writes the flights of examples/data as Iceberg tables.

OUT/catalog.db is a SQLite catalog with the namespace nyc: airlines, airports, planes, weather and
flights, which is partitioned by month and written in two commits. The first one, January to June, has
the tag first_half. What OUT/done says was written to this folder is kept.
"""
import pathlib
import shutil
import sys

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyiceberg.catalog import load_catalog
from pyiceberg.transforms import MonthTransform

PLAIN_TABLES = ("airlines", "airports", "planes", "weather")


def read(data, name):
    table = pq.read_table(data / f"{name}.parquet").replace_schema_metadata(None)
    for index, field in enumerate(table.schema):
        if str(field.type).startswith("timestamp[ms"):  # Iceberg has microseconds.
            column = table.column(index).cast(pa.timestamp("us", tz="UTC"))
            table = table.set_column(index, field.name, column)
    return table


def write_flights(catalog, data):
    flights = read(data, "flights").sort_by("time_hour")
    table = catalog.create_table("nyc.flights", schema=flights.schema)
    with table.update_spec() as spec:
        spec.add_field("time_hour", MonthTransform(), "month_of_flight")
    is_first_half = pc.less_equal(flights["month"], 6)
    table.append(flights.filter(is_first_half))
    with table.manage_snapshots() as snapshots:
        snapshots.create_tag(table.current_snapshot().snapshot_id, "first_half")
    table.append(flights.filter(pc.invert(is_first_half)))
    print(f"  nyc.flights: {flights.num_rows} rows in {len(list(table.scan().plan_files()))} files, "
          "partitioned by month, in two commits")


def main():
    data, out = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
    done = out / "done"
    if done.exists() and done.read_text() == str(out):  # Iceberg's paths are absolute.
        print("  written already")
        return
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    catalog = load_catalog("demo", type="sql", uri=f"sqlite:///{out}/catalog.db",
                           warehouse=f"file://{out}/warehouse")
    catalog.create_namespace("nyc")
    for name in PLAIN_TABLES:
        rows = read(data, name)
        catalog.create_table(f"nyc.{name}", schema=rows.schema).append(rows)
        print(f"  nyc.{name}: {rows.num_rows} rows")
    write_flights(catalog, data)
    done.write_text(str(out))


if __name__ == "__main__":
    main()
