#!/usr/bin/env bash
# rest_server.sh PORT FOLDER [VARIABLE=VALUE...]: starts Apache Iceberg's own REST catalog server on
# PORT of this machine (0: a free one) over a copy of the conformance set's catalog in FOLDER, and
# prints "PID URL ROOT" when it answers; ROOT is where the set's tables lie. Ended by `kill PID`.
#
# Needs a JDK and Maven (./dev setup rest) and the reference data below $SHARED. Jars are kept in
# build/cache/jars.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
port=$1
folder=$2
shared=${SHARED:-$PWD/../shared}
jars=$PWD/build/cache/jars

get_jars() {
    local pom=$shared/tools/iceberg/rest-server.pom.xml
    mkdir -p "$jars"
    exec 8>"$jars/.lock"
    flock 8
    if ! cmp -s "$pom" "$jars/rest/pom.done"; then
        rm -rf "$jars/rest"
        mvn -q -B -f "$pom" org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies \
            -DoutputDirectory="$jars/rest" -DincludeScope=runtime >"$jars/rest.log" 2>&1 ||
            { tail -20 "$jars/rest.log" >&2; return 1; }
        cp "$pom" "$jars/rest/pom.done"
    fi
    exec 8>&-
}

get_jars
if [[ $port == 0 ]]; then
    port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
fi
root=$(bash "$shared/conformance/iceberg/lay.sh")
cp "$root/catalog.db" "$folder/catalog.db"
chmod u+w "$folder/catalog.db"
pid=$(env "${@:3}" REST_LOG="$folder/server.log" bash "$shared/tools/iceberg/rest-server.sh" "$jars" \
    "$port" "$root" "$folder/catalog.db")
echo "$pid http://127.0.0.1:$port $root"
