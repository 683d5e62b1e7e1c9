#!/usr/bin/env bash
# spark_jars.sh: brings the jars that Spark needs for Iceberg tables in SQLite and REST catalogs, through
# Maven, and prints their folder.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."
iceberg=$(bash tools/dev/pin.sh iceberg-spark)
spark=$(bash tools/dev/pin.sh spark)
sqlite=$(bash tools/dev/pin.sh sqlite-jdbc)
plugin=$(bash tools/dev/pin.sh maven-dependency-plugin)
jars=$PWD/build/cache/jars/spark
stamp=$jars/versions
mkdir -p "$jars"
bash tools/dev/setup.sh rest >&2
exec 8>"$jars.lock" # Two steps may want them at once.
flock 8
if [[ ! -f $stamp || $(<"$stamp") != "$iceberg $spark $sqlite" ]]; then
    rm -f "$jars"/*.jar
    for artifact in "org.apache.iceberg:iceberg-spark-runtime-$spark:$iceberg" \
        "org.xerial:sqlite-jdbc:$sqlite"; do
        for pause in 5 20 60 0; do # A network may fail for a moment.
            mvn -q -B "org.apache.maven.plugins:maven-dependency-plugin:$plugin:copy" \
                -Dartifact="$artifact" -DoutputDirectory="$jars" >"$jars.log" 2>&1 && break
            if ((pause == 0)); then
                cat "$jars.log" >&2
                exit 1
            fi
            sleep "$pause"
        done
    done
    printf '%s' "$iceberg $spark $sqlite" >"$stamp"
fi
echo "$jars"
