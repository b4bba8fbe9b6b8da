# The verbs of the project; `make` lists them.

SHELL := /bin/bash
PREFIX ?= /usr/local
DESTDIR ?=
# How often a test repeats a fault: small in `make test`, full in `make soak`.
ROUNDS ?= 5
SOAK_ROUNDS ?= 50

# Swift's crash reports print registers, and a register may hold a token.
export SWIFT_BACKTRACE = enable=no

SWIFT_SOURCES = $(wildcard Package.swift Sources Plugins Tests Examples Benchmarks)

.DEFAULT_GOAL := help
.PHONY: help setup setup-test run build test soak bench lint format install clean

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Install what a build needs (Debian packages), where something is missing
	@tools/setup.sh build

setup-test:
	@tools/setup.sh test

run: setup ## Build and run; without a .env the demonstration (METER_TYPE=mock)
	@swift build -c release --product smart-meter
	@for adapter in $$(tools/adapters.sh); do swift build -c release --product "$$adapter" || exit 1; done
	@if [ ! -e .env ] && [ -z "$$METER_TYPE" ]; then export METER_TYPE=mock; \
	  echo "make run: no .env and no METER_TYPE: running the demonstration, METER_TYPE=mock"; fi; \
	exec "$$(swift build -c release --show-bin-path)/smart-meter" run

build: setup ## Build the host and all adapters, optimised, into .build/release
	@swift build -c release

test: setup-test lint ## All tests, against real servers; installs what they need
	@ROUNDS=$(ROUNDS) tools/test.sh

soak: setup-test ## The tests that repeat a fault, many rounds (SOAK_ROUNDS, 50)
	@ROUNDS=$(SOAK_ROUNDS) tools/test.sh --filter EndToEndTests

bench: setup-test ## Measure speed and memory; prints one table
	@tools/bench.sh

lint: ## Check the formatting and the rules that a compiler does not check
	@swift format lint --strict --recursive $(SWIFT_SOURCES)
	@tools/lint.sh

format: ## Format the Swift sources
	@swift format --in-place --recursive $(SWIFT_SOURCES)

install: ## Install what `make build` has made, under PREFIX (/usr/local), with DESTDIR for packages
	@DESTDIR="$(DESTDIR)" PREFIX="$(PREFIX)" tools/install.sh

clean: ## Remove what was built and what the tests keep (.build, .cache)
	rm -rf .build .cache
