#!/usr/bin/env bash
# Searches with libFuzzer: ./dev fuzz [TARGET] [SECONDS] (every target, 20 s each)
#
# New inputs are kept in build/fuzz/corpus/TARGET; a crash becomes a file there, named crash-…, which
# moves to fuzz/corpus/TARGET under a name that says what it was.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
wanted=${1:-}
wanted=${wanted#fuzz_}
seconds=${2:-20}
if [[ -n $wanted && ! -f fuzz/fuzz_$wanted.c ]]; then
    echo "./dev fuzz: no target \"$wanted\"; there are:" \
        "$(basename -s .c fuzz/fuzz_*.c | sed 's/^fuzz_//' | xargs)" >&2
    exit 2
fi
bash tools/dev/build.sh fuzz
failed=0
mkdir -p build/logs
for source in fuzz/fuzz_*.c; do
    target=$(basename "$source" .c)
    name=${target#fuzz_}
    [[ -z $wanted || $wanted == "$name" ]] || continue
    kept=build/fuzz/corpus/$name
    seeds=(fuzz/corpus/"$name")
    [[ -d ${seeds[0]} ]] || seeds=()
    mkdir -p "$kept"
    if "build/fuzz/$target" -max_total_time="$seconds" -timeout=5 -rss_limit_mb=1024 \
        -artifact_prefix="$kept/crash-" "$kept" "${seeds[@]}" >"build/logs/fuzz.$name.log" 2>&1; then
        echo "ok   fuzz $name, $seconds s"
    else
        failed=1
        echo "FAIL fuzz $name"
        tail -n 40 "build/logs/fuzz.$name.log"
    fi
done
exit $failed
