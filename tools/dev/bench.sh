#!/usr/bin/env bash
# Measures firn next to its peers: ./dev bench tpch|groups|start|plan|write|iceberg [options] (--help behind each lists them)
#
# tpch    the 22 queries at scale 1 next to DuckDB, Polars and DataFusion: Snappy, ZSTD, Iceberg
# groups  groups and joins of ten million rows next to DuckDB and DataFusion
# start   100 process starts to exit
# plan    planning scans of Iceberg tables of 1,000 and 10,000 files, next to PyIceberg
# write   lineitem to Parquet next to Polars, DuckDB and PyArrow, and how fast they read it
# iceberg lineitem to Iceberg tables next to PyIceberg and Polars, small appends, changes of rows
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
case ${1:-} in
tpch | groups | start | plan | write | iceberg)
    what=$1
    shift
    if [[ " $* " != *" --help "* && " $* " != *" -h "* ]]; then # Help needs nothing.
        bash tools/dev/setup.sh build python
        bash tools/dev/build.sh release
    fi
    exec python3 "bench/$what/${what}_bench.py" "$@"
    ;;
*)
    sed -n '2,9s/^# *//p' "${BASH_SOURCE[0]}" >&2
    exit 2
    ;;
esac
