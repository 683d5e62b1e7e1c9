#!/usr/bin/env bash
# Makes the virtual environment of a group of tools/requirements/pins.txt and prints its folder.
#
#     python=$(bash tools/dev/venv.sh pyiceberg)/bin/python
#
# One that is there and whose requirements have not changed is left alone.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
group=$1
list=tools/requirements/pins.txt
mapfile -t wanted < <(awk -v group="$group" '$1 == group { print $2 }' "$list")
if ((${#wanted[@]} == 0)); then
    echo "venv: no group \"$group\" in $list" >&2
    exit 2
fi
case $group in
duckdb | polars | datafusion) folder=build/peers/$group ;;
*) folder=build/venv/$group ;;
esac
stamp=$folder/requirements.installed
mkdir -p build/logs "${folder%/*}"
exec 8>"$folder.lock" # Two steps may want it at once.
flock 8
if [[ ! -f $stamp || $(<"$stamp") != "${wanted[*]}" ]]; then
    bash tools/dev/setup.sh python >&2
    log=build/logs/venv.$group.log
    echo "venv: installing ${wanted[*]} into $folder" >&2
    start=$SECONDS
    for pause in 5 20 60 0; do # A network may fail for a moment.
        rm -rf "$folder"
        if { python3 -m venv "$folder" &&
            "$folder/bin/pip" install --disable-pip-version-check "${wanted[@]}"; } >"$log" 2>&1; then
            break
        fi
        tail -n 30 "$log" >&2
        if ((pause == 0)); then
            echo "venv: failed; the whole log is $log" >&2
            exit 1
        fi
        sleep "$pause"
    done
    printf '%s' "${wanted[*]}" >"$stamp"
    echo "venv: $group done, $((SECONDS - start)) s" >&2
fi
echo "$PWD/$folder"
