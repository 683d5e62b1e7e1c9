#!/usr/bin/env bash
# Installs the release build into a temporary prefix, moves it, and builds every example against it, once
# with pkg-config and once with CMake's find_package, against the shared and the static library. Each is
# then run: with the shared library over a REST catalog, the server of tests/tools, which wants firn_net.so
# found beside it; a static one has none beside it and reads the same tables by their SQLite catalog.
set -euo pipefail
shopt -s nullglob
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
prefix=$(mktemp -d)
server=
trap '[[ -z $server ]] || kill "$server"; rm -rf "$prefix"' EXIT
failed=0

check() { # check NAME COMMAND...
    local name=$1
    shift
    if "$@" >"$prefix/log" 2>&1; then
        echo "ok   $name"
    else
        echo "FAIL $name"
        cat "$prefix/log"
        failed=1
    fi
}

answers() { # answers PROGRAM [ARGUMENT...]: whether it prints the sales of the catalog, lines in any order
    local got
    got=$("$@" | tr '\t' ' ' | sort)
    echo "$got"
    [[ $got == $'amer 5674062.50\napac 5595788.75\nemea 5660610.00\nlatam 5592336.25' ]]
}

exported_only_installed() {
    # firn.h is the only header, and the installed tree may lie anywhere.
    [[ $(find "$prefix/moved/include" -type f) == "$prefix/moved/include/firn.h" ]]
}

check "install" cmake --install build/release --prefix "$prefix/first"
mv "$prefix/first" "$prefix/moved"
check "only firn.h is installed" exported_only_installed
pc=$(dirname "$(find "$prefix/moved" -name firn.pc)")
libraries=$(dirname "$pc")
export PKG_CONFIG_PATH=$pc
mkdir "$prefix/server"
read -r server url _ < <(REST_SERVER=fake SHARED=/nowhere bash tests/interop/rest_server.sh 0 "$prefix/server" \
    2>/dev/null)
catalog=sqlite:$prefix/server/catalog.db
for example in examples/*.c; do
    name=$(basename "$example" .c)
    # shellcheck disable=SC2046
    check "$name with pkg-config" gcc -std=c17 "$example" -o "$prefix/$name" \
        $(pkg-config --cflags --libs firn)
    check "$name of pkg-config answers" answers env LD_LIBRARY_PATH="$libraries" "$prefix/$name" "$url"
    # shellcheck disable=SC2046
    check "$name with pkg-config --static" gcc -std=c17 "$example" -o "$prefix/$name.static" \
        $(pkg-config --cflags firn) "$libraries/libfirn.a" \
        $(pkg-config --static --libs firn | sed 's/-lfirn//')
    check "$name of pkg-config --static answers" answers "$prefix/$name.static" "$catalog"
done
mkdir "$prefix/project"
{
    echo 'cmake_minimum_required(VERSION 3.25)'
    echo 'project(user LANGUAGES C)'
    echo 'find_package(firn 0.1 REQUIRED)'
    for example in examples/*.c; do
        name=$(basename "$example" .c)
        echo "add_executable($name $PWD/$example)"
        echo "target_link_libraries($name PRIVATE firn::firn)"
        echo "add_executable(${name}_static $PWD/$example)"
        echo "target_link_libraries(${name}_static PRIVATE firn::firn_static)"
    done
} >"$prefix/project/CMakeLists.txt"
check "find_package configures" cmake -G Ninja -S "$prefix/project" -B "$prefix/project/build" \
    -DCMAKE_PREFIX_PATH="$prefix/moved"
check "find_package builds" cmake --build "$prefix/project/build"
for example in examples/*.c; do
    name=$(basename "$example" .c)
    check "$name of find_package answers" answers "$prefix/project/build/$name" "$url"
    check "${name}_static of find_package answers" answers "$prefix/project/build/${name}_static" "$catalog"
done
check "the installed program runs" "$prefix/moved/bin/firn" --version
exit $failed
