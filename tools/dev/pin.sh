#!/usr/bin/env bash
# pin.sh NAME: the version of a jar as tools/requirements/pins.txt has it; pin.sh --fill FILE: FILE with the
# versions for @NAME@, of which all must be there.
set -euo pipefail
list=$(dirname "${BASH_SOURCE[0]}")/../requirements/pins.txt
if [[ $1 == --fill ]]; then
    text=$(sed "$(awk '$1 == "maven" { split($2, pin, "=="); printf "s/@%s@/%s/g\n", pin[1], pin[2] }' "$list")" "$2")
    if grep -o '@[a-z0-9-]*@' <<<"$text" >&2; then
        echo "pin.sh: $2 wants versions that are not in $list" >&2
        exit 1
    fi
    printf '%s\n' "$text"
else
    awk -v name="$1" '$1 == "maven" { split($2, pin, "=="); if (pin[1] == name) { print pin[2]; found = 1 } }
        END { if (!found) { print "pin.sh: no \"" name "\" in pins.txt" >"/dev/stderr"; exit 1 } }' "$list"
fi
