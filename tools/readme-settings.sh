#!/bin/bash
# Writes the table of settings, as the program declares it, between the markers of README.md.
set -euo pipefail
cd "$(dirname "$0")/.."
program="$(swift build --show-bin-path)/smart-meter"
table=$(cd / && env -i "$program" config --table)
awk -v table="$table" '
    /^<!-- settings:/ { print; print ""; print table; print ""; skipping = 1; next }
    /^<!-- \/settings -->/ { skipping = 0 }
    !skipping' README.md > README.md.new
mv README.md.new README.md
