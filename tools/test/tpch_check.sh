#!/usr/bin/env bash
# tpch_check.sh SCALE [SETTING]... - TPC-H's 22 queries at a scale against the stored answers of
# $SHARED, with settings such as memory_limit=64MB.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
scale=$1
engine="build/release/firn session"
for setting in "${@:2}"; do
    engine+=" -s $setting"
done
data=$(bash tools/dev/tpch_data.sh "$scale")
out=$(python3 "$SHARED/tools/sql/tpc.py" check --engine "$engine" --suite tpch --sf "$scale" \
    --data "$data") || true
sed -n 's/^q[0-9]*: /FAIL &/p' <<<"$out"
if [[ $out =~ ([0-9]+)\ of\ ([0-9]+)\ agree ]]; then
    echo "${BASH_REMATCH[1]} passed, $((BASH_REMATCH[2] - BASH_REMATCH[1])) failed"
else
    echo "FAIL tpc.py"
    echo "$out"
fi
