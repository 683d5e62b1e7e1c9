"""many_files_table.py FOLDER FILES - an Iceberg table of many data files, whose planning is measured.

FILES data files in manifests of 100, twelve columns with bounds; `id` ascends over the files, so that
a filter on it leaves a few. All data files are hard links to one of 1,000 rows.
"""
import os
import pathlib
import shutil
import sys

import pyarrow as pa
from pyiceberg.conversions import to_bytes
from pyiceberg.schema import Schema
from pyiceberg.types import DateType, DoubleType, LongType, NestedField, StringType

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent.parent / "tools" / "dev"))
from iceberg_writer import Writer  # noqa: E402

ROWS, PER_MANIFEST = 1000, 100
SCHEMA = Schema(
    NestedField(1, "id", LongType()), NestedField(2, "day", DateType()),
    NestedField(3, "region", StringType()), NestedField(4, "amount", DoubleType()),
    *[NestedField(5 + i, f"c{i}", LongType() if i % 2 else StringType()) for i in range(8)])


def rows():
    columns = {"id": range(ROWS), "day": pa.array([i % 365 for i in range(ROWS)], pa.date32()),
               "region": [f"region {i % 7}" for i in range(ROWS)],
               "amount": [i / 4 for i in range(ROWS)]}
    for i in range(8):
        columns[f"c{i}"] = [i * k if i % 2 else f"value {i * k}" for k in range(ROWS)]
    return pa.table({name: pa.array(values) for name, values in columns.items()})


def main():
    folder, count = pathlib.Path(sys.argv[1]), int(sys.argv[2])
    shutil.rmtree(folder, ignore_errors=True)
    table = Writer(folder, SCHEMA)
    first = table.write_rows("00000.parquet", rows())
    manifests, files = [], []
    for number in range(count):
        path = folder / "data" / f"{number:05}.parquet"
        if number > 0:
            if number % 50_000 == 0:  # A file has at most 65,000 names.
                shutil.copy(folder / "data" / "00000.parquet", path)
            else:
                os.link(folder / "data" / f"{number // 50_000 * 50_000:05}.parquet", path)
        low, high = number * ROWS, number * ROWS + ROWS - 1
        files.append({**first, "file_path": f"{table.location}/data/{path.name}",
                      "lower_bounds": {**first["lower_bounds"], 1: to_bytes(LongType(), low)},
                      "upper_bounds": {**first["upper_bounds"], 1: to_bytes(LongType(), high)}})
        if len(files) == PER_MANIFEST or number + 1 == count:
            manifests.append(table.manifest(files, 1))
            files = []
    table.commit(manifests, snapshot_id=1, **{"added-data-files": str(count)})
    table.finish()


if __name__ == "__main__":
    main()
