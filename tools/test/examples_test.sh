#!/usr/bin/env bash
# examples_test.sh BUILD - runs the examples on a catalog that PyIceberg wrote and on a REST server: Apache
# Iceberg's own, or where that cannot run the one of tests/tools.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
build=$1
failed=0

expect() { # expect NAME WANTED COMMAND...; lines in any order
    local name=$1 wanted=$2 got
    shift 2
    if got=$("$@" 2>&1 | sort) && [[ $got == "$wanted" ]]; then
        echo "ok   $name"
    else
        echo "FAIL $name"
        printf 'got\n%s\nwanted\n%s\n' "$got" "$wanted"
        failed=1
    fi
}

mkdir -p build/data
exec 6>build/data/sales.lock # The examples of two builds may be tested at once.
flock 6
if [[ ! -f build/data/sales/catalog.db ]]; then
    python=$(bash tools/dev/venv.sh pyiceberg)/bin/python
    "$python" bench/start/sales_table.py build/data/sales
fi
flock -u 6
expect "sales of a SQLite catalog that PyIceberg wrote" \
    $'east\t12501537.52\nnorth\t12502000.48\nsouth\t12502492.40\nwest\t12501846.16' \
    "$build/example_sales" "sqlite:$PWD/build/data/sales/catalog.db"
work=$(mktemp -d "${TMPDIR:-/tmp}/firn-example.XXXXXX")
read -r pid url _ < <(bash tests/interop/rest_server.sh 0 "$work")
trap 'kill "$pid"; rm -rf "$work"' EXIT
expect "sales of a REST server" \
    $'amer\t5674062.50\napac\t5595788.75\nemea\t5660610.00\nlatam\t5592336.25' \
    "$build/example_sales" "$url"
if "$build/example_sales" http://127.0.0.1:9 >/dev/null 2>&1; then
    echo "FAIL a catalog that is not there"
    failed=1
fi
exit $failed
