#!/bin/bash
# Installs what .build/release (or BUILD) has: the host, the adapters, what adapter authors need (header, pkg-config file,
# example), and the parts of Swift's runtime that are loaded, beside each other, so that nothing else of Swift is needed on
# that machine. What is installed finds itself by relative paths: the tree can be moved.
set -euo pipefail
cd "$(dirname "$0")/.."
root="${DESTDIR:-}${PREFIX:-/usr/local}"
library="$root/lib/smart-meter"
if ! command -v swift > /dev/null; then
    echo 'install: no swift in PATH, whose runtime is installed, too: sudo env PATH="$PATH" make install' >&2
    exit 1
fi
build=${BUILD:-$(swift build -c release --show-bin-path)}
if [ ! -x "$build/smart-meter" ]; then
    echo "install: there is no $build/smart-meter: run make build first" >&2
    exit 1
fi
runtime="$(dirname "$(readlink -f "$(command -v swift)")")/../lib/swift/linux"

if ! command -v patchelf > /dev/null; then
    if [ "$(id -u)" != 0 ]; then
        echo "install: missing: patchelf (sudo apt-get install patchelf)" >&2
        exit 1
    fi
    apt-get update -qq && apt-get install -y -qq --no-install-recommends patchelf > /dev/null
fi

documents="$root/share/doc/smart-meter"
install -d "$root/bin" "$library/adapters" "$root/include" "$root/lib/pkgconfig" "$documents"
install -m 755 "$build/smart-meter" "$root/bin/smart-meter"
patchelf --set-rpath '$ORIGIN/../lib/smart-meter' "$root/bin/smart-meter"
for adapter in $(tools/adapters.sh); do
    install -m 644 "$build/lib$adapter.so" "$library/adapters/"
    patchelf --set-rpath '$ORIGIN/..' "$library/adapters/lib$adapter.so"
done
header=Sources/AdapterABI/include/meter_adapter.h
install -m 644 "$header" "$root/include/"
abi=$(sed -n 's/^#define METER_ABI_\(MAJOR\|MINOR\) \([0-9]*\)u$/\2/p' "$header" | paste -sd .)
sed "s/@ABI@/$abi/" packaging/smart-meter-adapter.pc.in | install -m 644 /dev/stdin \
    "$root/lib/pkgconfig/smart-meter-adapter.pc"
# The documents lead to each other, to the examples and to the header by the same paths as in the sources.
for document in README.md LICENSE CHANGELOG.md CONTRIBUTING.md .env.example docs/*.md docs/*.png docs/figures/* \
    Plugins/*/README.md Examples/c/{README.md,Makefile,file_meter.c} \
    Examples/rust/{README.md,Cargo.toml,Cargo.lock} $(find -L Examples/rust/src -name '*.rs') "$header"; do
    install -D -m 644 "$document" "$documents/$document"
done

# needed FILE...: the parts of Swift's runtime that the files name.
needed() {
    for file in "$@"; do patchelf --print-needed "$file"; done | sort -u |
        while read -r name; do if [ -e "$runtime/$name" ]; then echo "$name"; fi; done
}

copied=()
queue=$(needed "$root/bin/smart-meter" "$library"/adapters/*.so)
while [ -n "$queue" ]; do
    next=()
    for name in $queue; do
        [ -e "$library/$name" ] && [[ " ${copied[*]-} " == *" $name "* ]] && continue
        install -m 644 "$runtime/$name" "$library/$name"
        copied+=("$name")
        next+=("$library/$name")
    done
    queue=$([ ${#next[@]} -gt 0 ] && needed "${next[@]}" || true)
done
echo "install: $root/bin/smart-meter, adapters in $library/adapters, Swift's runtime in $library"
