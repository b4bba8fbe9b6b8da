#!/bin/bash
# The rules of this project that neither the compiler nor the formatter checks.
set -uo pipefail
cd "$(dirname "$0")/.."
status=0

# forbid WHAT PATTERN WHERE...: fails when a line matches.
forbid() {
    local what="$1" pattern="$2"
    shift 2
    local found
    if found=$(grep -rnE --include='*.swift' --include='*.[ch]' -e "$pattern" "$@" 2> /dev/null); then
        echo "lint: $what" >&2
        echo "$found" >&2
        status=1
    fi
}

forbid 'no unchecked Sendable: say what is shared with Mutex, Atomic or a value' '@unchecked +Sendable' Sources Plugins Tests
forbid 'no nonisolated(unsafe)' 'nonisolated\(unsafe\)' Sources Plugins Tests
forbid 'no unfinished work: write an issue instead' '\b(TODO|FIXME|XXX)\b' Sources Plugins Tests Package.swift
forbid 'no package dependencies' '\.package\(' Package.swift
forbid 'no force try, no fatalError in what ships' '\btry!|\bfatalError\(' Sources Plugins
forbid 'threads own their state in the host: no async, actors or Dispatch' \
    '\basync\b|\bawait\b|^ *(public |package |final )*actor |\bTask *(\{|\.|\()|import Dispatch|DispatchQueue' Sources/Host
forbid 'no Foundation in the host' '^[a-z ]*import Foundation$' Sources/Host

exit $status
