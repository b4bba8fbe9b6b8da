#!/bin/bash
# A real Home Assistant for the tests: Home Assistant Core in a virtual environment under .cache, and a configuration
# that has been started once (a first start takes a minute and installs more) and has a user and a token.
# SMARTMETER_HA_VENV names a virtual environment to use instead of making one.
set -euo pipefail
cd "$(dirname "$0")/.."

# The newest release for Python 3.11. With a later josepy its component cloud does not load, and requests end in 500;
# it needs pkg_resources, which a later setuptools lacks.
REQUIREMENTS=('homeassistant==2024.3.3' 'josepy<2' 'setuptools<81')

cache="$PWD/.cache"
venv="${SMARTMETER_HA_VENV:-$cache/homeassistant-venv}"
template="$cache/homeassistant-template"
say() { echo "setup: $*" >&2; }

find_python() {
    for candidate in python3.11 /usr/bin/python3.11 python3; do
        if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info[:2] != (3, 11))' 2> /dev/null; then
            command -v "$candidate"
            return
        fi
    done
    return 1
}

make_venv() {
    local python
    if ! python=$(find_python); then
        if [ "$(id -u)" = 0 ] && apt-cache show python3.11-venv > /dev/null 2>&1; then
            say "installing with apt-get: python3.11 python3.11-venv"
            DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
                python3.11 python3.11-venv > /dev/null
        fi
        python=$(find_python) || {
            say "the tests need Python 3.11 with venv (Debian: sudo apt-get install python3.11 python3.11-venv)"
            exit 1
        }
    fi
    say "installing Home Assistant into $venv (once; takes a few minutes)"
    rm -rf "$venv"
    "$python" -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check "${REQUIREMENTS[@]}"
}

[ -x "$venv/bin/hass" ] || make_venv
# Complete once the token is there: it is written last. What an older script made is made again.
if [ ! -s "$template/token" ] || [ tools/warm_home_assistant.py -nt "$template/token" ]; then
    say "starting Home Assistant once, so that the tests' starts are quick"
    rm -rf "$template"
    "$venv/bin/python" tools/warm_home_assistant.py "$venv" "$template"
fi
