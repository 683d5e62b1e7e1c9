#!/usr/bin/env bash
# Installs what is missing on Debian 12: ./dev setup [build|python|test|rest|full]... (build)
#
# Says what it installs, installs nothing that is there, and may run any number of times. As root or
# with sudo. Other systems are told what they need.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
list=tools/requirements/debian.txt

wanted() { # The packages of the groups given.
    local group
    for group in "$@"; do
        if ! grep -qE "^$group " "$list"; then
            echo "./dev setup: unknown group \"$group\"; there are: $(awk '!/^#/ && NF { print $1 }' "$list" | sort -u | xargs)" >&2
            return 2
        fi
        awk -v group="$group" '$1 == group { print $2 }' "$list"
    done
}

native=$(dpkg --print-architecture 2>/dev/null) || true

is_installed() { # NAME or NAME:ARCHITECTURE; a name alone means the machine's own.
    local wanted=$native
    [[ $1 == *:* ]] && wanted=${1#*:}
    dpkg-query -W -f='${db:Status-Status} ${Architecture}\n' "$1" 2>/dev/null |
        grep -qE "^installed ($wanted|all)\$"
}

as_root() {
    if ((EUID == 0)); then
        "$@"
    else
        sudo "$@"
    fi
}

(($# > 0)) || set -- build
packages=$(wanted "$@")

if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    echo "setup: this is no Debian; what follows needs what these Debian packages hold:" \
        "$(xargs <<<"$packages")" >&2
    exit 0
fi

missing=()
for package in $packages; do
    is_installed "$package" || missing+=("$package")
done
if ((${#missing[@]} == 0)); then
    exit 0
fi
if ((EUID != 0)) && ! command -v sudo >/dev/null; then
    echo "setup: as root, run: apt-get update && apt-get install ${missing[*]}" >&2
    exit 1
fi

mkdir -p build/logs
log=build/logs/setup.log
echo "setup ($*): installing ${missing[*]}"
start=$SECONDS
if [[ "${missing[*]}" == *:arm64* ]] && ! dpkg --print-foreign-architectures | grep -q arm64; then
    as_root dpkg --add-architecture arm64
fi
# Another one may be installing, and a network may fail for a moment.
patience=(-o DPkg::Lock::Timeout=600 -o Acquire::Retries=5)
if ! {
    as_root apt-get "${patience[@]}" update &&
        as_root env DEBIAN_FRONTEND=noninteractive apt-get "${patience[@]}" install -y \
            --no-install-recommends "${missing[@]}"
} >"$log" 2>&1 </dev/null; then
    tail -n 40 "$log" >&2
    echo "setup: apt-get failed; the whole log is $log" >&2
    exit 1
fi
echo "setup ($*): done, $((SECONDS - start)) s"
