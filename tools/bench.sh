#!/bin/bash
# Measures the release build; prints one table.
set -euo pipefail
cd "$(dirname "$0")/.."
swift build -c release
SMARTMETER_BUILD="$(swift build -c release --show-bin-path)" \
SMARTMETER_HA_VENV="${SMARTMETER_HA_VENV:-$PWD/.cache/homeassistant-venv}" \
SMARTMETER_HA_TEMPLATE="$PWD/.cache/homeassistant-template" \
    exec python3 tools/bench.py
