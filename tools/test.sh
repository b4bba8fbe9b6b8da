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

# Most end-to-end tests wait for a host or a server most of the time. The tests of parts, and the end-to-end tests that
# only let minutes pass, run beside them.
PATIENT='EndToEndTests\.(GapTests|SameEnergyTests)'
beside=$(mktemp)
trap 'rm -f "$beside"; kill $(jobs -p) 2> /dev/null || true' EXIT
(
    status=0
    run_tests --skip EndToEndTests || status=1
    run_tests --filter "$PATIENT" || status=1
    exit $status
) > "$beside" 2>&1 &
parts=$!
status=0
run_tests --filter EndToEndTests --skip "$PATIENT" || status=1
echo "The tests that ran beside:"
wait $parts || status=1
cat "$beside"
echo "In short:"
grep -a 'Test run with' "$beside"
exit $status
