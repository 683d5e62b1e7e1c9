#!/usr/bin/env bash
# Removes build/: all that was built, downloaded into it and logged
set -euo pipefail
(($# == 0)) || { echo "./dev clean: takes no arguments" >&2; exit 2; }
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
rm -rf build
