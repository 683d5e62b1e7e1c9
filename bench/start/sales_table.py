"""sales_table.py FOLDER - the Iceberg table db.sales: eight files, a million rows, four regions."""
import pathlib
import shutil
import sys

import pyarrow as pa
from pyiceberg.catalog import load_catalog

FILES, ROWS = 8, 125_000
REGIONS = ("north", "east", "south", "west")


def main():
    folder = pathlib.Path(sys.argv[1]).resolve()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    catalog = load_catalog("lake", type="sql", uri=f"sqlite:///{folder}/catalog.db.part",
                           warehouse=f"file://{folder}/warehouse")
    catalog.create_namespace("db")
    for number in range(FILES):
        first = number * ROWS
        rows = pa.table({"id": pa.array(range(first, first + ROWS), pa.int64()),
                         "region": [REGIONS[i * 7 % 4] for i in range(ROWS)],
                         "revenue": pa.array([i * 31 % 10_007 / 100 for i in range(ROWS)])})
        if number == 0:
            table = catalog.create_table("db.sales", schema=rows.schema)
        table.append(rows)
    (folder / "catalog.db.part").rename(folder / "catalog.db")


if __name__ == "__main__":
    main()
