#!/usr/bin/env bash
# Removes build/: all that was built, downloaded into it and logged
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
rm -rf build
