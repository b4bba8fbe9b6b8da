#!/bin/bash
# Measures the release build; prints one table. BENCH_DIR: a folder on the disk whose commits are measured (.build);
# words choose benchmarks by a part of their name.
set -euo pipefail
cd "$(dirname "$0")/.."
swift build -c release --product Benchmarks >&2
exec "$(swift build -c release --show-bin-path)/Benchmarks" "$@"
