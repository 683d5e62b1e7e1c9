#!/usr/bin/env bash
# Installs the release build into a temporary prefix and builds every example against it, once with
# pkg-config and once with CMake's find_package, against the shared and the static library.
set -euo pipefail
shopt -s nullglob
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
prefix=$(mktemp -d)
trap 'rm -rf "$prefix"' EXIT
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

exported_only_installed() {
    # firn.h is the only header, and the installed tree may lie anywhere.
    [[ $(find "$prefix/moved/include" -type f) == "$prefix/moved/include/firn.h" ]]
}

check "install" cmake --install build/release --prefix "$prefix/first"
mv "$prefix/first" "$prefix/moved"
check "only firn.h is installed" exported_only_installed
pc=$(dirname "$(find "$prefix/moved" -name firn.pc)")
libraries=$(dirname "$pc")
export PKG_CONFIG_PATH=$pc LD_LIBRARY_PATH=$libraries
for example in examples/*.c; do
    name=$(basename "$example" .c)
    # shellcheck disable=SC2046
    check "$name with pkg-config" gcc -std=c17 "$example" -o "$prefix/$name" \
        $(pkg-config --cflags --libs firn)
    # shellcheck disable=SC2046
    check "$name with pkg-config --static" gcc -std=c17 "$example" -o "$prefix/$name.static" \
        $(pkg-config --cflags firn) "$libraries/libfirn.a" \
        $(pkg-config --static --libs firn | sed 's/-lfirn//')
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
check "the installed program runs" "$prefix/moved/bin/firn" --version
exit $failed
