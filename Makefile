# One configuration for everything: what the tests test and the benchmarks measure is what users run.
SWIFT_FLAGS := -c release -Xswiftc -enable-testing --explicit-target-dependency-import-check error
BIN := .build/release
N ?= 50
SEED ?= $(shell date +%s)

.PHONY: help build demo test unit conformance torture fuzz bench format lint setup setup-tests clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

setup: ## Install the C libraries that the build links
	@scripts/setup

setup-tests:
	@scripts/setup --tests

build: setup ## Build the program: .build/release/headrace
	swift build $(SWIFT_FLAGS) --product headrace

demo: build ## Payments into features, and three questions to them
	@scripts/demo

test: setup-tests ## Everything: unit tests, foreign clients, kills, fuzzing
	@scripts/test

unit: setup ## The Swift tests alone
	swift test $(SWIFT_FLAGS)

conformance: setup-tests build ## Foreign clients against the broker, or against BOOTSTRAP=host:port
	.venv/bin/python -m pytest Tests/Conformance Tests/CLI

torture: setup-tests build ## N kills of the broker under load (N=50, SEED=now)
	.venv/bin/python Tests/Torture/torture.py $(N) --seed $(SEED)

fuzz: setup ## A million executions of each fuzz target
	swift build $(SWIFT_FLAGS) --product headrace-fuzz
	@for target in codecs frame batch contracts parquet models delta manifest s3; do $(BIN)/headrace-fuzz $$target --executions 1000000 --seed $(SEED) || exit 1; done

bench: setup ## Throughput, memory and start-up against the limits
	swift build $(SWIFT_FLAGS) --product headrace
	swift build $(SWIFT_FLAGS) --product headrace-benchmarks
	@scripts/bench

format: ## Format the Swift sources in place
	swift format --in-place --recursive --parallel Package.swift Sources Tests Benchmarks

lint: ## Fail where the format differs
	swift format lint --strict --recursive --parallel Package.swift Sources Tests Benchmarks

clean: ## Remove what was built
	rm -rf .build .venv .venv-feast .venv-drift .venv-kserve .venv-focus .venv-mlflow
