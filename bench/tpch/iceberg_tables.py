"""iceberg_tables.py DATA OUT - the Parquet tables of DATA, written by PyIceberg into OUT.

OUT/catalog.db is an Iceberg catalog with one namespace, tpch. OUT/TABLE/ has links to the data files
of each table, so that engines without Iceberg read the very same files.
"""
import pathlib
import shutil
import sys

import pyarrow.parquet as pq
from pyiceberg.catalog import load_catalog


def main():
    data, out = (pathlib.Path(argument).resolve() for argument in sys.argv[1:3])
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    catalog = load_catalog("tpch", type="sql", uri=f"sqlite:///{out / 'catalog.db'}",
                           warehouse=f"file://{out}/warehouse")
    catalog.create_namespace("tpch")
    for path in sorted(data.glob("*.parquet")):
        table = catalog.create_table(f"tpch.{path.stem}", schema=pq.read_schema(path))
        table.append(pq.read_table(path))
        folder = out / path.stem
        folder.mkdir()
        for number, task in enumerate(table.scan().plan_files()):
            source = pathlib.Path(task.file.file_path.removeprefix("file://"))
            (folder / f"part-{number}.parquet").symlink_to(source)
    (out / "done").touch()


if __name__ == "__main__":
    main()
