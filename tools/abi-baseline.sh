#!/bin/bash
# Records the interface of this release for the tests: from then on a change of meter_adapter.h that does more than append
# fails them. Run it for a release, after METER_ABI_MAJOR and METER_ABI_MINOR are what they are to be.
set -euo pipefail
cd "$(dirname "$0")/.."
header=Sources/AdapterABI/include/meter_adapter.h
baseline=Tests/ABI/baseline

if [ -e $baseline/layout.txt ] && ! python3 tools/abi.py compare $baseline/layout.txt $header; then
    echo "abi-baseline: the lines above are what adapters of before would trip over; they are recorded now" >&2
fi
python3 tools/abi.py table $header > $baseline/layout.txt.new
mv $baseline/layout.txt.new $baseline/layout.txt
cp $header $baseline/meter_adapter.h

# The Rust declarations say the version too; their own test compares the rest.
version() { sed -n "s/^constant METER_ABI_$1 //p" $baseline/layout.txt; }
sed -i -e "s/^\(pub const METER_ABI_MAJOR: u32 = \).*/\1$(version MAJOR);/" \
    -e "s/^\(pub const METER_ABI_MINOR: u32 = \).*/\1$(version MINOR);/" Sources/AuthorKit/templates/rust/src/abi.rs
echo "abi-baseline: recorded ABI $(version MAJOR).$(version MINOR) in $baseline"
