#!/bin/bash
# What the tests check the API with: validators of OpenAPI, and schemathesis, which asks everything that the description
# allows and more; in a virtual environment under .cache. SMARTMETER_API_VENV names another place for it.
set -euo pipefail
cd "$(dirname "$0")/.."

REQUIREMENTS=('openapi-spec-validator==0.9.0' 'schemathesis==4.32.5')

venv="${SMARTMETER_API_VENV:-$PWD/.cache/api-venv}"
say() { echo "setup: $*" >&2; }

# Written last: without it the environment is not complete, or of other versions.
marker="$venv/requirements"
[ "$(cat "$marker" 2> /dev/null)" = "${REQUIREMENTS[*]}" ] && exit

find_python() {
    for candidate in python3 /usr/bin/python3 python3.11; do
        if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))' 2> /dev/null; then
            command -v "$candidate"
            return
        fi
    done
    return 1
}

python=$(find_python) || {
    say "the tests need Python 3.10 or later with venv (Debian: sudo apt-get install python3 python3-venv)"
    exit 1
}
say "installing ${REQUIREMENTS[*]} into $venv (once)"
rm -rf "$venv"
"$python" -m venv "$venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check "${REQUIREMENTS[@]}"
echo "${REQUIREMENTS[*]}" > "$marker"
