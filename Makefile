# The front door. `make help` lists what there is.
SHELL := /bin/bash
BUILD := build/release
JOBS := $(shell nproc)
CONFIGURE = cmake --preset release > build/configure.log 2>&1 || { cat build/configure.log; exit 1; }

.PHONY: all demo test bench asan tsan format layers tidy help clean

all: ## build/penstock, the release binary
	@tools/setup build
	@mkdir -p build
	@$(CONFIGURE)
	@echo "building build/penstock"
	@ninja -C $(BUILD) -j $(JOBS) --quiet penstock
	@ln -sf release/src/app/penstock build/penstock

demo: all ## the whole system on this machine; Ctrl-C drains (PENSTOCK_DEMO_SECONDS=n stops by itself)
	@build/penstock demo

test: ## every test, with each one's share of the time
	@tools/setup test
	@mkdir -p build
	@$(CONFIGURE)
	@echo "building the binary and the tests"
	@ninja -C $(BUILD) -j $(JOBS) --quiet
	@ln -sf release/src/app/penstock build/penstock
	@tools/run_tests $(BUILD)

bench: ## what the engine does per record: nanoseconds, allocations, records per second
	@tools/setup bench
	@mkdir -p build
	@$(CONFIGURE)
	@ninja -C $(BUILD) -j $(JOBS) --quiet
	@ln -sf release/src/app/penstock build/penstock
	@tools/run_bench $(BUILD)

asan tsan: ## the unit tests under AddressSanitizer and UBSan, or ThreadSanitizer
	@tools/setup test
	@cmake --preset $@ > /dev/null
	@ninja -C build/$@ -j $(JOBS) --quiet
	@ctest --test-dir build/$@ -L unit --output-on-failure -j $(JOBS)

format: ## clang-format over all sources
	@git ls-files '*.h' '*.cc' | xargs clang-format-19 -i

layers: ## do the rooms include lower rooms only?
	@tools/layers

tidy: ## house rules
	@tools/tidy

help: ## this list
	@grep -hE '^[a-z ]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 16

clean: ## forget everything that was built
	@rm -rf build
