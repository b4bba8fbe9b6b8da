#!/bin/bash
# The public client libraries of Emporia's service for the tests, in a virtual environment under .cache: what they read of
# the simulated service has to be what the adapter reads. SMARTMETER_EMPORIA_VENV names one to use instead.
# Runs after setup-home-assistant.sh, whose Python it uses.
set -euo pipefail
cd "$(dirname "$0")/.."

REQUIREMENTS=(
    'pyemvue==0.18.9' 'pycognito==2024.5.1' 'boto3==1.44.5' 'botocore==1.44.5' 'certifi==2026.10.18' 'cffi==2.1.1'
    'charset-normalizer==3.5.2' 'cryptography==50.0.2' 'envs==1.4' 'idna==3.20' 'jmespath==1.1.0' 'pycparser==3.12'
    'PyJWT==2.15.1' 'python-dateutil==2.9.0.post0' 'requests==2.34.2' 's3transfer==0.19.3' 'six==1.17.0'
    'typing_extensions==4.16.0' 'urllib3==2.8.0'
)

venv="${SMARTMETER_EMPORIA_VENV:-$PWD/.cache/emporia-venv}"
python="${SMARTMETER_HA_VENV:-$PWD/.cache/homeassistant-venv}/bin/python"

# Complete once this is there: it is written last.
done="$venv/requirements"
if [ "$(cat "$done" 2> /dev/null)" != "${REQUIREMENTS[*]}" ]; then
    echo "setup: installing pyemvue and pycognito into $venv" >&2
    rm -rf "$venv"
    "$python" -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps "${REQUIREMENTS[@]}"
    echo "${REQUIREMENTS[*]}" > "$done"
fi
