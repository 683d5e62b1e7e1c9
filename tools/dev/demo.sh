#!/usr/bin/env bash
# Shows the main job: PyIceberg writes real tables, firn joins, prunes and travels in time
#
# The last command of the output can be typed as it is to go on from there.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
say() {
    printf '\n== %s\n' "$*"
}

say "Setting up"
bash tools/dev/setup.sh build python
bash tools/dev/build.sh release
python=$(bash tools/dev/venv.sh pyiceberg)/bin/python

say "PyIceberg writes the flights of 2013 as Iceberg tables into build/demo/catalog.db"
"$python" examples/demo/write_tables.py examples/data/nycflights13 build/demo

firn=(build/release/firn --init examples/demo/attach.sql)
for query in examples/demo/[0-9]*.sql; do
    say "$(sed -n '1s/^-- //p' "$query")"
    sed '1d' "$query"
    "${firn[@]}" -f "$query"
done

say "What was pruned for the week of July: EXPLAIN ANALYZE"
"${firn[@]}" -c "EXPLAIN ANALYZE $(sed '1d' examples/demo/3_july.sql)"

say "Where the time went in the join of flights, planes and weather: EXPLAIN ANALYZE"
"${firn[@]}" -c "EXPLAIN ANALYZE $(sed '1d' examples/demo/2_weather.sql)"

say "Go on from here"
echo "${firn[*]}"
