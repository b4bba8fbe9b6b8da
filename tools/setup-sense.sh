#!/bin/bash
# The public client library of Sense for the tests, in a virtual environment under .cache: what it reads of the simulated
# cloud has to be what the adapter reads. SMARTMETER_SENSE_VENV names one to use instead.
# Runs after setup-home-assistant.sh, whose Python it uses.
set -euo pipefail
cd "$(dirname "$0")/.."

REQUIREMENTS=(
    'sense_energy==0.15.0' 'aiohttp==3.14.5' 'aiohappyeyeballs==2.7.1' 'aiosignal==1.4.0' 'async-timeout==5.0.1'
    'attrs==26.1.0' 'certifi==2026.10.18' 'charset-normalizer==3.5.2' 'ciso8601==2.4.1' 'frozenlist==1.8.0' 'idna==3.20'
    'kasa-crypt==1.1.0' 'msgpack==1.2.4' 'multidict==7.2.1' 'orjson==3.13.0' 'propcache==0.5.4' 'requests==2.34.2'
    'typing_extensions==4.16.0' 'urllib3==2.8.0' 'websocket-client==1.9.2' 'websockets==17.4' 'yarl==1.25.1'
)

venv="${SMARTMETER_SENSE_VENV:-$PWD/.cache/sense-venv}"
python="${SMARTMETER_HA_VENV:-$PWD/.cache/homeassistant-venv}/bin/python"

# Complete once this is there: it is written last.
done="$venv/requirements"
if [ "$(cat "$done" 2> /dev/null)" != "${REQUIREMENTS[*]}" ]; then
    echo "setup: installing sense_energy into $venv" >&2
    rm -rf "$venv"
    "$python" -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps "${REQUIREMENTS[@]}"
    echo "${REQUIREMENTS[*]}" > "$done"
fi
