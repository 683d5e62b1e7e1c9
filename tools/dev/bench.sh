#!/usr/bin/env bash
# Measures firn next to its peers: ./dev bench tpch|start [options] (tpch --help lists them)
#
# tpch    the 22 queries at scale 1, Snappy and ZSTD, next to DuckDB, Polars and DataFusion
# start   100 process starts to exit
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
case ${1:-} in
tpch | start)
    what=$1
    shift
    bash tools/dev/setup.sh build python
    bash tools/dev/build.sh release
    exec python3 "bench/$what/${what}_bench.py" "$@"
    ;;
*)
    sed -n '2,5s/^# *//p' "${BASH_SOURCE[0]}" >&2
    exit 2
    ;;
esac
