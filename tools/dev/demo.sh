#!/usr/bin/env bash
# Shows the main job: firn writes real tables, joins, prunes, travels in time and changes rows
#
# PyIceberg reads what came of it at the end.
#
# May run any number of times: what is built, installed or written already is kept. The last command
# of the output can be typed as it is to go on from there.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
bold='' dim='' plain=''
if [[ -t 1 && -z ${NO_COLOR:-} ]]; then
    bold=$'\e[1m' dim=$'\e[2m' plain=$'\e[0m'
fi
say() {
    printf '\n%s== %s%s\n' "$bold" "$*" "$plain"
}

say "Setting up"
bash tools/dev/setup.sh build python
bash tools/dev/build.sh release firn_cli firn_net
python=$(bash tools/dev/venv.sh pyiceberg)/bin/python

firn=(build/release/firn --init examples/demo/attach.sql)
say "firn writes the flights of 2013 as Iceberg tables into build/demo/catalog.db"
# Paths in Iceberg are absolute.
written="$PWD/build/demo, $(cksum <examples/demo/tables.sql)"
if [[ $(cat build/demo/done 2>/dev/null) == "$written" ]]; then
    echo "  written already"
else
    rm -rf build/demo
    mkdir -p build/demo
    printf '%s%s%s\n\n' "$dim" "$(sed '1d' examples/demo/tables.sql)" "$plain"
    build/release/firn -f examples/demo/tables.sql
    echo "$written" >build/demo/done
fi

for query in examples/demo/[0-9]*.sql; do
    say "$(sed -n '1s/^-- //p' "$query")"
    printf '%s%s%s\n\n' "$dim" "$(sed '1d' "$query")" "$plain"
    "${firn[@]}" -f "$query"
done

say "What was not read for the week of July, and where the time went"
"${firn[@]}" -c "EXPLAIN ANALYZE $(sed '1d' examples/demo/3_july.sql)"

say "The same of the join of flights, planes and weather"
"${firn[@]}" -c "EXPLAIN ANALYZE $(sed '1d' examples/demo/2_weather.sql)"

say "PyIceberg reads those flights"
"$python" examples/demo/read_back.py build/demo/catalog.db

say "Go on from here"
echo "${firn[*]}"
