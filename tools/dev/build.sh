#!/usr/bin/env bash
# Builds build/PRESET: ./dev build [PRESET [TARGET]...] (release, whose program is build/release/firn)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
preset=${1:-release}
targets=("${@:2}")
case $preset in
release) bash tools/dev/setup.sh build ;;
*) bash tools/dev/setup.sh build test ;;
esac
export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1
mkdir -p build/logs
log=build/logs/build.$preset.log
start=$SECONDS
run() {
    # Configuring again finds packages that were installed since.
    cmake --preset "$preset" &&
        cmake --build --preset "$preset" --parallel "${JOBS:-$(nproc)}" \
            ${targets[@]+--target "${targets[@]}"}
}
if [[ -t 1 && -z ${CI:-} ]]; then
    run
elif ! run >"$log" 2>&1; then
    grep -E -A12 'FAILED:|error:|CMake Error|undefined reference' "$log" | head -n 60 >&2 || true
    tail -n 5 "$log" >&2
    echo "build: $preset failed; the whole log is $log" >&2
    exit 1
fi
echo "build: build/$preset, $((SECONDS - start)) s"
