#!/usr/bin/env bash
# lay.sh: copies these tables to the place that their metadata names, and prints it. What lies there
# already is left alone: the whole set, where it was laid, has the same files.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
root=$(sed -n 's/^ *"root": "\(.*\)",$/\1/p' manifest.json)
mkdir -p "$root"
exec 9>"$root.lock"
flock 9
find . -mindepth 2 -type f -print0 | while IFS= read -r -d '' file; do
    if ! cmp -s "$file" "$root/$file"; then
        mkdir -p "$(dirname "$root/$file")"
        cp "$file" "$root/$file.new"
        mv "$root/$file.new" "$root/$file"
    fi
done
echo "$root"
