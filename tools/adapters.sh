#!/bin/bash
# The dynamic library products of the adapters, one a line, as Package.swift names them.
set -euo pipefail
cd "$(dirname "$0")/.."
sed -n 's/^let adapters = \[\(.*\)\]$/\1/p' Package.swift | tr -d '" ' | tr ',' '\n' |
    sed -e 's/^/smartmeter-/' | tr '[:upper:]' '[:lower:]'
