#!/usr/bin/env bash
# Checks format, layers, headers, symbols and names: ./dev lint [--full] (clang-tidy whole)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
bash tools/dev/setup.sh build python test
exec python3 tools/test/run_steps.py "$@" lint/
