#!/bin/bash
# Builds everything and runs the tests; further words go to `swift test`.
set -euo pipefail
cd "$(dirname "$0")/.."
export SMARTMETER_HA_VENV="${SMARTMETER_HA_VENV:-$PWD/.cache/homeassistant-venv}"
export SMARTMETER_HA_TEMPLATE="$PWD/.cache/homeassistant-template"
# Adapters and host first: the tests start and load what was built.
swift build
swift build --build-tests
# One after another: two cores, and tests that measure a time.
exec swift test --skip-build --no-parallel "$@"
