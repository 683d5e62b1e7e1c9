"""read_back.py CATALOG - PyIceberg reads the table nyc.flights that firn wrote.

It prints, as CSV, what examples/demo/4_time_travel.sql asks for.
"""
import pathlib
import sys

import pyarrow.compute as pc
from pyiceberg.catalog import load_catalog


def main():
    catalog = load_catalog("demo", type="sql", uri=f"sqlite:///{pathlib.Path(sys.argv[1]).resolve()}")
    table = catalog.load_table("nyc.flights")
    print("version,flights,last_month")
    for version, snapshot in (("first half", table.snapshot_by_name("first_half")), ("now", table.current_snapshot())):
        months = table.scan(selected_fields=("month",), snapshot_id=snapshot.snapshot_id).to_arrow()["month"]
        print(f"{version},{len(months)},{pc.max(months).as_py()}")


if __name__ == "__main__":
    main()
