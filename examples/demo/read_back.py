"""read_back.py CATALOG - PyIceberg reads the table nyc.departures that firn wrote, deleted and merged into.

It prints, as CSV, what examples/demo/7_what_changed.sql prints.
"""
import pathlib
import sys

import pyarrow.compute as pc
from pyiceberg.catalog import load_catalog


def main():
    catalog = load_catalog("demo", type="sql", uri=f"sqlite:///{pathlib.Path(sys.argv[1]).resolve()}")
    table = catalog.load_table("nyc.departures")
    planned = table.snapshot_by_name("planned").snapshot_id
    print("version,flights,earliest,latest")
    for version, snapshot_id in (("planned", planned), ("now", None)):
        rows = table.scan(row_filter="carrier = 'HA'", snapshot_id=snapshot_id).to_arrow()
        ends = pc.min_max(rows["dep_delay"]).as_py()
        print(f"{version},{rows.num_rows},{ends['min']},{ends['max']}")


if __name__ == "__main__":
    main()
