#!/usr/bin/env python3
"""duckdb_peer.py: DuckDB with its iceberg extension: {"read": metadata file [, "snapshot": id]} or
{"sql": …} in, rows out (peer_lines.py)."""
import importlib.util
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import peer_lines  # noqa: E402


def extension(name):
    """The file of an extension that came as a Python package."""
    folder = pathlib.Path(importlib.util.find_spec(f"duckdb_extension_{name}").origin).parent
    return next(folder.glob(f"extensions/*/{name}.duckdb_extension"))


def main():
    import duckdb  # pylint: disable=import-outside-toplevel
    connection = duckdb.connect()
    for name in ("avro", "httpfs", "iceberg"):
        connection.execute(f"LOAD '{extension(name)}'")
    connection.execute("SET threads = 1; SET TimeZone = 'UTC'")

    def answer(request):
        sql = request.get("sql")
        if sql is None:
            place = request["read"].replace("'", "''")
            version = f", snapshot_from_id = {request['snapshot']}" if "snapshot" in request else ""
            sql = f"SELECT * FROM iceberg_scan('{place}'{version})"
        found = connection.execute(sql).arrow()
        table = found.read_all() if hasattr(found, "read_all") else found
        return table.column_names, peer_lines.arrow_rows(table)

    peer_lines.serve(answer)


if __name__ == "__main__":
    main()
