#!/usr/bin/env bash
# Makes the tables of TPC-H as Parquet and prints their folder: tpch_data.sh SCALE [zstd]
#
# tpchgen-cli writes them with Snappy, PyArrow copies them with ZSTD. What is there is not made anew.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
scale=$1
codec=${2:-snappy}
folder=build/data/tpch_${scale}_$codec
mkdir -p build/data build/logs
exec 7>"$folder.lock" # Two steps may want it at once.
flock 7
if [[ ! -f $folder/done ]]; then
    venv=$(bash tools/dev/venv.sh data)
    rm -rf "$folder"
    if [[ $codec == zstd ]]; then
        snappy=$(bash tools/dev/tpch_data.sh "$scale")
        mkdir -p "$folder"
        "$venv/bin/python" - "$snappy" "$folder" <<'PYTHON' >&2
import pathlib, sys
import pyarrow.parquet as pq
for path in sorted(pathlib.Path(sys.argv[1]).glob("*.parquet")):
    pq.write_table(pq.read_table(path), pathlib.Path(sys.argv[2], path.name), compression="zstd")
PYTHON
    else
        mkdir -p "$folder"
        "$venv/bin/tpchgen-cli" parquet -s "$scale" --output-dir "$folder" >"build/logs/tpch_data.log" 2>&1
    fi
    touch "$folder/done"
fi
echo "$PWD/$folder"
