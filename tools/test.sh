#!/bin/bash
# Builds everything and runs the tests; further words go to `swift test`.
set -euo pipefail
cd "$(dirname "$0")/.."
export SMARTMETER_HA_VENV="${SMARTMETER_HA_VENV:-$PWD/.cache/homeassistant-venv}"
export SMARTMETER_HA_TEMPLATE="$PWD/.cache/homeassistant-template"
# Adapters and host first: the tests start and load what was built.
swift build
swift build --build-tests

# Each run takes its tests one after another: two cores, and tests that measure a time.
run_tests() { swift test --ignore-lock --skip-build --no-parallel "$@"; }

if [ $# -gt 0 ]; then
    run_tests "$@"
    exit
fi

# Most end-to-end tests wait for a host or a server most of the time, so that the tests of parts, and the end-to-end tests
# that only let minutes pass, run beside them.
PATIENT='EndToEndTests\.(GapTests|IoTaWattTests|SameEnergyTests)'
logs=$(mktemp -d)
trap 'kill $(jobs -p) 2> /dev/null || true; rm -rf "$logs"' EXIT
run_tests --skip EndToEndTests > "$logs/parts" 2>&1 &
run_tests --filter "$PATIENT" > "$logs/patient" 2>&1 &
status=0
run_tests --filter EndToEndTests --skip "$PATIENT" 2>&1 | tee "$logs/whole" || status=1
for job in $(jobs -p); do wait "$job" || status=1; done
cat "$logs/parts" "$logs/patient"
echo "In short, of the three runs:"
grep -ah 'Test run with' "$logs"/*
exit $status
