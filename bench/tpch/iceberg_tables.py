"""iceberg_tables.py DATA - an Iceberg catalog DATA/catalog.db over the Parquet files of DATA.

The files stay as they are (add_files), so that what is measured is the table format alone. The
catalog has one namespace, tpch.
"""
import pathlib
import sys

import pyarrow.parquet as pq
from pyiceberg.catalog import load_catalog


def main():
    data = pathlib.Path(sys.argv[1]).resolve()
    part = data / "catalog.db.part"
    part.unlink(missing_ok=True)
    catalog = load_catalog("tpch", type="sql", uri=f"sqlite:///{part}",
                           warehouse=f"file://{data}/warehouse")
    catalog.create_namespace("tpch")
    for path in sorted(data.glob("*.parquet")):
        table = catalog.create_table(f"tpch.{path.stem}", schema=pq.read_schema(path))
        table.add_files([f"file://{path}"])
    part.rename(data / "catalog.db")


if __name__ == "__main__":
    main()
