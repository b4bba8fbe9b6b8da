#!/bin/bash
# Measures the release build; prints one table (Markdown). Words choose benchmarks by a part of their name; `process`
# is the whole host against a real Home Assistant and InfluxDB. BENCH_DIR: a folder on the disk whose commits are
# measured (.build).
set -euo pipefail
cd "$(dirname "$0")/.."
swift build -c release >&2
build="$(swift build -c release --show-bin-path)"
export BENCH_ADAPTERS="$PWD/.build/bench-adapters"
mkdir -p "$BENCH_ADAPTERS"
gcc -std=c11 -O2 -fPIC -shared -I Sources/AdapterABI/include Benchmarks/Adapters/steady.c -o "$BENCH_ADAPTERS/steady.so"
[ "$*" = process ] || "$build/Benchmarks" "$@"
if [ $# -eq 0 ] || [ "$*" = process ]; then
    SMARTMETER_BUILD="$build" \
    SMARTMETER_HA_VENV="${SMARTMETER_HA_VENV:-$PWD/.cache/homeassistant-venv}" \
    SMARTMETER_HA_TEMPLATE="$PWD/.cache/homeassistant-template" \
        python3 tools/bench.py
fi
