#!/bin/bash
# The public client library of the IoTaWatt for the tests, in a virtual environment under .cache: what it reads of the
# simulated device has to be what the adapter reads. SMARTMETER_IOTAWATTPY_VENV names one to use instead.
# Runs after setup-home-assistant.sh, whose Python it uses.
set -euo pipefail
cd "$(dirname "$0")/.."

REQUIREMENTS=(
    'iotawattpy==0.1.0' 'httpx==0.28.1' 'httpcore==1.0.9' 'h11==0.16.0' 'anyio==4.16.0' 'certifi==2026.10.18'
    'idna==3.20' 'typing_extensions==4.16.0'
)

venv="${SMARTMETER_IOTAWATTPY_VENV:-$PWD/.cache/iotawattpy-venv}"
python="${SMARTMETER_HA_VENV:-$PWD/.cache/homeassistant-venv}/bin/python"

# Complete once this is there: it is written last.
done="$venv/requirements"
if [ "$(cat "$done" 2> /dev/null)" != "${REQUIREMENTS[*]}" ]; then
    echo "setup: installing iotawattpy into $venv" >&2
    rm -rf "$venv"
    "$python" -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps "${REQUIREMENTS[@]}"
    echo "${REQUIREMENTS[*]}" > "$done"
fi
