# Knows no source file: cmake knows the build, ctest the tests, .ci/ the machine.

.DEFAULT_GOAL := help
.PHONY: help deps build demo test bench clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-6s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

deps: ## install what is missing (Debian 12, as root only when something is)
	@.ci/deps

build: deps build/build.ninja ## build build/ebbtide
	@cmake --build build --target ebbtide

# A unity build halves the compile time of a first build.
build/build.ninja:
	@cmake -G Ninja -S . -B build -DCMAKE_UNITY_BUILD=ON -DCMAKE_UNITY_BUILD_BATCH_SIZE=6

demo: build ## say LEAK of the leaky demo server and NO LEAK of its clean twin
	@examples/demo

test: build ## run every test that this machine allows
	@cmake --build build
	@.ci/test

bench: build ## measure what tracing costs, on this machine
	@.ci/bench

clean: ## remove what was built
	@rm -rf build
