# The front door. `make help` lists what there is.
SHELL := /bin/bash
BUILD := build/release
JOBS := $(shell nproc)
CHANGED = git diff --name-only HEAD -- '*.cc'; git ls-files -o --exclude-standard '*.cc'

# $(call configure,SWITCHES): the release tree; quiet unless it fails.
configure = mkdir -p build && { cmake --preset release $(1) > build/configure.log 2>&1 || \
            { cat build/configure.log; exit 1; }; }
BINARY_ONLY := -DPENSTOCK_TESTS=OFF -DPENSTOCK_BENCH=OFF
EVERYTHING := -DPENSTOCK_TESTS=ON -DPENSTOCK_BENCH=ON
link = ln -sfn release/src/app/penstock build/penstock

.PHONY: all demo test test-avro test-kafka test-stores test-kube image chaos bench bench-latency soak kafka asan tsan fuzz fuzz-coverage reference format layers tidy clang-tidy help clean

all: ## build/penstock, the release binary
	@tools/setup build
	@[ -f $(BUILD)/build.ninja ] || { echo "configuring $(BUILD)"; $(call configure,$(BINARY_ONLY)); }
	@echo "building build/penstock"
	@ninja -C $(BUILD) -j $(JOBS) --quiet penstock
	@$(link)

demo: all ## the whole system here; Ctrl-C drains (PENSTOCK_DEMO_SECONDS=n stops by itself)
	@build/penstock demo

test: ## every test, with each one's share of the time
	@tools/setup test
	@$(call configure,$(EVERYTHING))
	@echo "building the binary, the tests and the benchmarks in $(BUILD)"
	@ninja -C $(BUILD) -j $(JOBS) --quiet
	@$(link)
	@tools/run_tests $(BUILD) -LE 'kafka|chaos|stores|kube|deep'

test-avro: ## our Avro beside fastavro's (100,000 cases) and Apache's Java (10,000), both ways; three minutes
	@tools/setup test
	@$(call configure,$(EVERYTHING))
	@ninja -C $(BUILD) -j $(JOBS) --quiet penstock avro_cases container_cases
	@$(link)
	@tools/run_tests $(BUILD) -L deep

test-kafka: ## the tests that start real Kafka brokers
	@tools/setup kafka
	@tools/setup test
	@$(call configure,$(EVERYTHING))
	@ninja -C $(BUILD) -j $(JOBS) --quiet
	@$(link)
	@tools/run_tests $(BUILD) -L 'kafka|broker'

test-stores: ## stores on real servers, long: faults by the dozen, an outage of three minutes
	@tools/setup postgres
	@tools/setup kafka
	@tools/setup test
	@$(call configure,$(EVERYTHING))
	@ninja -C $(BUILD) -j $(JOBS) --quiet
	@$(link)
	@tools/run_tests $(BUILD) -R '^(store_)?(postgres|dynamodb|both)'

test-kube: ## a real Kubernetes with KEDA and a real Kafka beside it; needs root (ten minutes more where nothing was built yet)
	@tools/setup kube
	@tools/setup kafka
	@tools/setup test
	@$(call configure,$(EVERYTHING))
	@ninja -C $(BUILD) -j $(JOBS) --quiet penstock
	@$(link)
	@tools/kube build > /dev/null
	@tools/run_tests $(BUILD) -L kube

image: all ## build/penstock.tar, an image for docker load and its like
	@tools/setup image
	@tools/image $(BUILD)/src/app/penstock build/penstock.tar

chaos: ## a pipeline on three brokers while everything around it fails
	@tools/setup kafka
	@tools/setup test
	@$(call configure,$(EVERYTHING))
	@ninja -C $(BUILD) -j $(JOBS) --quiet penstock
	@$(link)
	@tools/run_tests $(BUILD) -L chaos

bench: ## what a record costs: nanoseconds, allocations, records per second, embedded and on Kafka
	@tools/setup bench
	@tools/setup kafka
	@$(call configure,-DPENSTOCK_BENCH=ON)
	@echo "building the benchmarks in $(BUILD)"
	@ninja -C $(BUILD) -j $(JOBS) --quiet
	@$(link)
	@tools/run_bench $(BUILD)

bench-latency: ## 5,000 meters on Kafka, from reading to row (SECONDS=600 for the figure of docs/performance.md)
	@tools/setup bench
	@tools/setup kafka
	@$(call configure,-DPENSTOCK_BENCH=ON)
	@ninja -C $(BUILD) -j $(JOBS) --quiet penstock
	@$(link)
	@PENSTOCK_BUILD=$(BUILD) python3 -B bench/latency_bench.py --seconds $(or $(SECONDS),30)

soak: all ## five minutes of full load: what stays in memory (at most 300 MB)
	@command -v python3 >/dev/null || tools/setup test
	@python3 -B bench/soak.py

asan tsan: ## the unit tests under AddressSanitizer and UBSan, or ThreadSanitizer
	@tools/setup test
	@cmake --preset $@ > /dev/null
	@echo "building build/$@"
	@ninja -C build/$@ -j $(JOBS) --quiet
	@tools/run_tests build/$@ -L unit

fuzz: ## every fuzz target for PENSTOCK_FUZZ_SECONDS each (60)
	@tools/setup fuzz
	@cmake --preset fuzz > /dev/null
	@ninja -C build/fuzz -j $(JOBS) --quiet $(patsubst fuzz/%.cc,%,$(wildcard fuzz/*_fuzz.cc)) avro_planted container_planted batch_planted
	@tools/run_fuzz $${PENSTOCK_FUZZ_SECONDS:-60}

fuzz-coverage: ## how much of the rooms that read what others send the kept inputs of the fuzz targets reach
	@tools/setup fuzz
	@tools/fuzz_coverage

kafka: ## a real Kafka broker on this machine, for trials; says how to stop it
	@tools/setup kafka
	@tools/kafka up | sed -E 's|^dir=(.*)|&\nstop it: tools/kafka down \1|'

reference: all ## docs/reference, as the program says it
	@PENSTOCK_BINARY=build/penstock python3 tests/files/reference.py --write

format: ## clang-format over all sources
	@tools/setup test
	@git ls-files -co --exclude-standard '*.h' '*.cc' | xargs clang-format-19 -i

layers: ## do the rooms include lower rooms only?
	@tools/layers

tidy: ## house rules, and their own test
	@tools/tidy
	@python3 -B tools/tests/rules_selftest.py

clang-tidy: ## clang-tidy over the files that differ from the last commit
	@tools/setup tidy
	@$(call configure,$(EVERYTHING))
	@{ $(CHANGED); } | sort -u | while read -r f; do [ -f "$$f" ] && echo "$$f"; done | \
	  xargs -r -P $(JOBS) -n 1 clang-tidy-19 --quiet -p $(BUILD)

help: ## this list
	@grep -hE '^[a-z -]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 16

clean: ## forget everything that was built
	@rm -rf build
