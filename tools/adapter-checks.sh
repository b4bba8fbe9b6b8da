#!/bin/bash
# Writes the table of checks, as the program declares it, between the markers of docs/adapter-checks.md.
set -euo pipefail
cd "$(dirname "$0")/.."
program="$(swift build --show-bin-path)/smart-meter"
table=$(cd / && env -i "$program" check --table)
awk -v table="$table" '
    /^<!-- checks:/ { print; print ""; print table; print ""; skipping = 1; next }
    /^<!-- \/checks -->/ { skipping = 0 }
    !skipping' docs/adapter-checks.md > docs/adapter-checks.md.new
mv docs/adapter-checks.md.new docs/adapter-checks.md
