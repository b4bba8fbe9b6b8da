#!/bin/bash
# Sees to it that what `build` or `test` needs is there. Says nothing and calls no package manager when it is.
# With root's rights it installs with apt-get; without, it prints the command and ends with 1.
set -euo pipefail
cd "$(dirname "$0")/.."

BUILD_PACKAGES=(
    pkg-config libcurl4-openssl-dev libmicrohttpd-dev libmosquitto-dev libsqlite3-dev libssl-dev libjs-chart.js tzdata)
TEST_PACKAGES=(
    chromium fonts-dejavu-core python3 influxdb influxdb-client victoria-metrics prometheus wrk sqlite3 gcc g++
    binutils util-linux procps mosquitto mosquitto-clients openssl patchelf make)

say() { echo "setup: $*" >&2; }

is_installed() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

missing_packages() {
    for package in "$@"; do is_installed "$package" || echo "$package"; done
}

# Debian starts a service that it installs. The tests run servers of their own on ports of their own: nothing shall be
# started, and what the administrator has set is left as it was.
without_starting_services() {
    local policy=/usr/sbin/policy-rc.d
    if [ -e "$policy" ]; then "$@"; return; fi
    printf '#!/bin/sh\nexit 101\n' > "$policy"
    chmod 755 "$policy"
    local status=0
    "$@" || status=$?
    rm -f "$policy"
    return $status
}

install_packages() {
    local missing
    mapfile -t missing < <(missing_packages "$@")
    [ ${#missing[@]} -eq 0 ] && return
    if ! command -v apt-get > /dev/null; then
        say "missing: ${missing[*]} (names of Debian packages); install them with your system's package manager"
        exit 1
    fi
    if [ "$(id -u)" != 0 ]; then
        say "missing packages; install them with"
        say "    sudo apt-get update && sudo apt-get install -y --no-install-recommends ${missing[*]}"
        exit 1
    fi
    say "installing with apt-get: ${missing[*]}"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive without_starting_services \
        apt-get install -y -qq --no-install-recommends "${missing[@]}" > /dev/null
}

command -v swift > /dev/null || { say "no 'swift' in PATH; install Swift 6.3 (https://www.swift.org/install/linux)"; exit 1; }
command -v dpkg-query > /dev/null || { say "not a Debian system; see README.md for what is needed"; exit 1; }

case "${1:-build}" in
    build) install_packages "${BUILD_PACKAGES[@]}" ;;
    test)
        # The example in Rust, with whatever Rust there is.
        command -v cargo > /dev/null || TEST_PACKAGES+=(cargo rustc)
        install_packages "${BUILD_PACKAGES[@]}" "${TEST_PACKAGES[@]}"
        tools/setup-home-assistant.sh
        tools/setup-iotawattpy.sh
        tools/setup-sense.sh
        tools/setup-emporia.sh
        tools/setup-api-checks.sh
        ;;
    *) say "usage: tools/setup.sh build|test"; exit 2 ;;
esac
