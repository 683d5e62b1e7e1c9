#!/usr/bin/env bash
# Runs firn's first two commands on a fresh Debian 12 that has git and bash and nothing else.
#
#     tests/bare/run.sh [COMMAND]...        ("./dev demo" and "./dev test")
#
# debootstrap makes a minimal bookworm in a temporary folder, with bookworm-updates and
# debian-security as a real installation has them. This clone's commit is cloned into it, the
# commands run there once with ../shared beside the clone and once without. Whatever this machine
# needs to reach its registries (certificates, proxies, mirrors) is the harness's business and is
# passed in; ./dev setup knows nothing of it. Needs root and the package debootstrap.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
(($# > 0)) || set -- "./dev demo" "./dev test"
((EUID == 0)) || { echo "tests/bare/run.sh: needs root" >&2; exit 1; }
shared=${FIRN_SHARED:-$PWD/../shared}
mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.{list,sources} 2>/dev/null |
    awk '$1 == "deb" { print $2; exit } $1 == "URIs:" { print $2; exit }') || true
mirror=${mirror:-http://deb.debian.org/debian}
root=$(mktemp -d /var/tmp/firn-bare.XXXXXX)
base=build/bare/base.tar # Kept, because debootstrap takes minutes.
failed=0

unbind() {
    local folder
    for folder in proc sys dev/shm dev/pts dev work/shared; do
        if mountpoint -q "$root/$folder"; then
            umount -l "$root/$folder"
        fi
    done
}
trap 'unbind; rm -rf --one-file-system "$root"' EXIT

make_base() {
    if [[ ! -f $base ]]; then
        echo "bare: debootstrap bookworm from $mirror"
        mkdir -p build/bare build/logs
        debootstrap --variant=minbase --include=git,ca-certificates bookworm "$root" "$mirror" \
            >build/logs/bare.debootstrap.log 2>&1
        tar -C "$root" -cf "$base.part" --exclude=./proc/* --exclude=./sys/* --exclude=./dev/* .
        mv "$base.part" "$base"
        rm -rf --one-file-system "$root"
        mkdir "$root"
    fi
}

lay_root() {
    unbind
    rm -rf --one-file-system "$root"
    mkdir "$root"
    tar -C "$root" -xf "$base"
    cat >"$root/etc/apt/sources.list" <<SOURCES
deb $mirror bookworm main
deb $mirror bookworm-updates main
deb ${mirror%/debian}/debian-security bookworm-security main
SOURCES
    mount --bind /proc "$root/proc"
    mount --rbind /dev "$root/dev"
    mount --make-rslave "$root/dev"
    cp /etc/resolv.conf "$root/etc/resolv.conf"
    cp /etc/hosts "$root/etc/hosts"
    cp -r /etc/apt/apt.conf.d/. "$root/etc/apt/apt.conf.d/"
    # Java has a list of its own, which its package makes of what is here when it is installed.
    mkdir -p "$root/usr/local/share/ca-certificates"
    cp -r /usr/local/share/ca-certificates/. "$root/usr/local/share/ca-certificates/"
    chroot "$root" update-ca-certificates >/dev/null 2>&1
    cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
    for file in /etc/pip.conf "$HOME/.m2/settings.xml"; do
        if [[ -f $file ]]; then
            mkdir -p "$root$(dirname "$file")"
            cp "$file" "$root$file"
        fi
    done
    mkdir -p "$root/work"
    git clone -q --no-local . "$root/work/firn"
}

# Where to find certificates, proxies and indexes is said in variables; nothing else gets in.
passed_variables() {
    env | grep -E '^(https?_proxy|no_proxy|HTTPS?_PROXY|NO_PROXY|(SSL|PIP|CURL|REQUESTS|GIT|MAVEN|JAVA)_[A-Z_]+)=' || true
}

# As in CI nothing may be skipped, but where the reference data is not there.
run_commands() { # run_commands NAME COMMAND...
    local name=$1 command log ci=CI=true
    [[ $name != without-shared ]] || ci=CI=
    shift
    for command in "$@"; do
        log=build/logs/bare.$name.$(tr -c 'a-z\n' '_' <<<"$command").log
        mapfile -t variables < <(passed_variables)
        if chroot "$root" /usr/bin/env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin \
            LANG=C.UTF-8 "$ci" "${variables[@]}" \
            bash -c "cd /work/firn && $command" >"$log" 2>&1 </dev/null; then
            echo "ok   $name: $command"
        else
            echo "FAIL $name: $command ($log)"
            tail -n 40 "$log"
            failed=1
        fi
    done
}

mkdir -p build/logs
make_base
if [[ -d $shared ]]; then
    lay_root
    mkdir -p "$root/work/shared"
    mount --bind "$(cd "$shared" && pwd -P)" "$root/work/shared"
    run_commands with-shared "$@"
fi
lay_root
run_commands without-shared "$@"
exit $failed
