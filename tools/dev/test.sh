#!/usr/bin/env bash
# Builds and runs the tests: ./dev test [--full] [--sanitize] [--list] [FILTER]
#
# Without arguments: what .ci/run runs. --full: all there is, in hours. --sanitize: only what runs
# under sanitizers. FILTER: the steps whose name holds it, or if there is none, the unit tests and
# SQL files whose name holds it. tools/test/steps.py is the list of steps.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
case " $* " in
*" --full "*) bash tools/dev/setup.sh build python test rest full ;;
*) bash tools/dev/setup.sh build python test rest ;;
esac
exec python3 tools/test/run_steps.py "$@"
