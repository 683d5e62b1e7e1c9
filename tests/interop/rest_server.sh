#!/usr/bin/env bash
# rest_server.sh PORT FOLDER [VARIABLE=VALUE...]: starts a REST catalog server on PORT of this machine
# (0: a free one) over a copy, in FOLDER, of the SQLite catalog of a set of tables, and prints "PID URL
# ROOT SET" when it answers. ROOT is where the tables lie, SET where they are from: the conformance set
# below $SHARED, or the part of it in tests/data. With REST_TABLES=none there are no tables yet: a new
# catalog, whose warehouse FOLDER/warehouse is ROOT and SET. Ended by `kill PID`.
#
# The server is Apache Iceberg's own, whose jars Maven brings (./dev setup rest) and build/cache/jars
# keeps. With REST_SERVER=fake it is tests/tools/rest_catalog.py, and also outside CI where there is no
# JDK, no Maven or no network: a line of stderr, "stand-in: WHY", says so, by which run_steps.py counts
# the step as skipped.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
port=$1
folder=$2
jars=$PWD/build/cache/jars
set=${SHARED:-$PWD/../shared}/conformance/iceberg
[[ -d $set ]] || set=$PWD/tests/data/conformance/iceberg

get_jars() { # False sets `why`.
    local pom=$jars/rest.pom.xml
    why="there is no java or no mvn"
    command -v java >/dev/null && command -v mvn >/dev/null || return 1
    why="Maven does not bring its jars: build/cache/jars/rest.log"
    mkdir -p "$jars"
    ( # Two steps may want them at once; the server does not keep the lock.
        flock 8
        bash tools/dev/pin.sh --fill tests/interop/rest_server.pom.xml.in >"$pom" || exit 1
        cmp -s "$pom" "$jars/rest/pom.done" && exit 0
        rm -rf "$jars/rest"
        mvn -q -B -f "$pom" "org.apache.maven.plugins:maven-dependency-plugin:$(bash tools/dev/pin.sh maven-dependency-plugin):copy-dependencies" \
            -DoutputDirectory="$jars/rest" -DincludeScope=runtime >"$jars/rest.log" 2>&1 || exit 1
        cp "$pom" "$jars/rest/pom.done"
    ) 8>"$jars/.lock"
}

start_java() { # Sets `pid`.
    env CATALOG_REST_PORT="$port" CATALOG_WAREHOUSE="file://$root" \
        CATALOG_URI="jdbc:sqlite:$folder/catalog.db" "$@" \
        java -Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Dorg.slf4j.simpleLogger.defaultLogLevel=warn \
        -cp "$jars/rest/*" org.apache.iceberg.rest.RESTCatalogServer \
        >"$folder/server.log" 2>&1 </dev/null &
    pid=$!
}

start_fake() { # Sets `pid`.
    python3 tests/tools/rest_catalog.py "$port" "$folder/catalog.db" "$folder/warehouse" >"$folder/server.log" 2>&1 </dev/null &
    pid=$!
}

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

start() { # Sets `pid`; false when the server ends or does not answer in two minutes.
    if [[ ${REST_SERVER:-} == fake ]]; then
        start_fake
    elif get_jars; then
        start_java "$@"
    elif [[ -n ${CI:-} ]]; then
        echo "rest_server.sh: Iceberg's own server cannot be had ($why), and in CI nothing is skipped" >&2
        exit 1
    else
        echo "stand-in: the small server of our own answers, not Iceberg's: $why" >&2
        start_fake
    fi
    for _ in $(seq 480); do
        if curl -fsS -o /dev/null "http://127.0.0.1:$port/v1/config" 2>/dev/null; then
            sleep 0.1 # It was another one that answered where ours ends by now.
            kill -0 "$pid" 2>/dev/null
            return
        fi
        kill -0 "$pid" 2>/dev/null || return 1
        sleep 0.25
    done
    kill "$pid" 2>/dev/null
    return 1
}

folder=$(cd "$folder" && pwd)
if [[ ${REST_TABLES:-} == none ]]; then
    root=$folder/warehouse set=$folder/warehouse
    mkdir -p "$root"
    # The server makes what is missing; ours wants to find it.
    python3 - "$folder/catalog.db" <<'PYTHON'
import sqlite3
import sys
with sqlite3.connect(sys.argv[1]) as catalog:
    catalog.execute("CREATE TABLE iceberg_tables (catalog_name VARCHAR(255) NOT NULL, table_namespace VARCHAR(255)"
                    " NOT NULL, table_name VARCHAR(255) NOT NULL, metadata_location VARCHAR(1000),"
                    " previous_metadata_location VARCHAR(1000), iceberg_type VARCHAR(5),"
                    " PRIMARY KEY (catalog_name, table_namespace, table_name))")
    catalog.execute("CREATE TABLE iceberg_namespace_properties (catalog_name VARCHAR(255) NOT NULL, namespace"
                    " VARCHAR(255) NOT NULL, property_key VARCHAR(255), property_value VARCHAR(1000),"
                    " PRIMARY KEY (catalog_name, namespace, property_key))")
PYTHON
else
    root=$(bash "$set/lay.sh")
    cp "$set/catalog.db" "$folder/catalog.db"
    chmod u+w "$folder/catalog.db"
fi
wanted=$port
for _ in 1 2 3; do # Another program may be faster with a port that was free.
    [[ $wanted != 0 ]] || port=$(free_port)
    if start "${@:3}"; then
        echo "$pid http://127.0.0.1:$port $root $set"
        exit 0
    fi
    tail -20 "$folder/server.log" >&2
    [[ $wanted == 0 ]] || break
done
exit 1
