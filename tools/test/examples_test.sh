#!/usr/bin/env bash
# examples_test.sh BUILD - runs the examples, on tables in memory and on a catalog that PyIceberg wrote.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
build=$1
failed=0

expect() { # expect NAME WANTED COMMAND...
    local name=$1 wanted=$2 got
    shift 2
    if got=$("$@" 2>&1) && [[ $got == "$wanted" ]]; then
        echo "ok   $name"
    else
        echo "FAIL $name"
        printf 'got\n%s\nwanted\n%s\n' "$got" "$wanted"
        failed=1
    fi
}

expect "sales in memory" $'north\t15.50\nsouth\t7.25' "$build/example_sales"
if [[ ! -f build/data/sales/catalog.db ]]; then
    python=$(bash tools/dev/venv.sh pyiceberg)/bin/python
    "$python" bench/start/sales_table.py build/data/sales
fi
regions=$("$build/example_sales" "sqlite:$PWD/build/data/sales/catalog.db" | cut -f1 | xargs) || true
expect "sales of an Iceberg table in a SQLite catalog" "east north south west" echo "$regions"
exit $failed
