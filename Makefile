# The verbs of racelab. `make help` lists them.

PRESET ?= default
BUILD  := build/$(PRESET)
JOBS   ?= $(shell nproc)
TRIALS ?= 100
TSAN_TRIALS ?= 20
STALL_TRIALS ?= 200
FUZZ_SECONDS ?= 60
OPERATIONS ?= 1000000
SOAK_RUNS ?= 10000
SOAK_BUDGET ?= 0.5
PREFIX ?= /usr/local
MAP ?= sharded_map
PORT ?= 8080

.DEFAULT_GOAL := help
.PHONY: help repro-crash check-tsan check-tsan-gcc list check check-bars check-linear gcc fuzz bench bench-http serve claims performance lint install clean score classroom soak replays buckets

help: ## lists the verbs
	@echo "racelab: a lab for the data race on a map"
	@echo
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1@\2/p' $(MAKEFILE_LIST) | column -t -s @
	@echo
	@echo "  Variables: TRIALS=$(TRIALS) TSAN_TRIALS=$(TSAN_TRIALS) STALL_TRIALS=$(STALL_TRIALS) OPERATIONS=$(OPERATIONS)"
	@echo "             MAP=$(MAP) PORT=$(PORT) FUZZ_SECONDS=$(FUZZ_SECONDS) SOAK_RUNS=$(SOAK_RUNS) SOAK_BUDGET=$(SOAK_BUDGET) JOBS=$(JOBS) PREFIX=$(PREFIX) PRESET=$(PRESET) (see CMakePresets.json)"

repro-crash: $(BUILD)/.repro ## every bug, made to happen: rates with intervals, and a Go-style stack
	@$(BUILD)/bin/racelab crash --trials $(TRIALS) --trace-each --json $(BUILD)/repro-crash.json

check-tsan: $(BUILD)/.tsan ## every remedy, proven on the workload that broke: the matrix scenario by map
	@$(BUILD)/bin/racelab tsan --trials $(TSAN_TRIALS) --stall-trials $(STALL_TRIALS) --json $(BUILD)/check-tsan.json

list: $(BUILD)/.repro ## the scenarios and their stories
	@$(BUILD)/bin/racelab list

check: check-build ## every test (GoogleTest, Catch2), then the runners' closing lines
	@cmake/run-tests.sh $(BUILD)

check-bars: check-build ## the numbers that the README promises, with the trials that they are promised for
	@cmake/run-tests.sh $(BUILD) --bars

check-tsan-gcc: ## the same matrix with gcc's libtsan
	@$(MAKE) check-tsan PRESET=gcc

score: ## every detector over the labelled corpus: who is right, how often
	@cmake/install-packages.sh run tsan score
	@cmake/build.sh $(PRESET) $(JOBS) -- racelab corpus_programs
	@$(BUILD)/bin/racelab score --json $(BUILD)/score.json

check-linear: ## histories of every remedy, OPERATIONS in all, recorded under stalls: are they linearizable?
	@cmake/install-packages.sh run tsan check
	@cmake/build.sh $(PRESET) $(JOBS) -DRACELAB_TESTS=ON -- linear_programs
	@cmake/check-linear.sh $(BUILD) $(OPERATIONS) $(TRIALS)

classroom: ## a walk for a class: eight reports and crashes, true or false? (LESSON=N for one, CLASSROOM=--auto without enter)
	@cmake/install-packages.sh run tsan classroom
	@cmake/build.sh $(PRESET) $(JOBS) -- racelab classroom_programs
	@$(BUILD)/bin/racelab classroom $(if $(LESSON),--lesson $(LESSON)) $(CLASSROOM)

soak: ## the judge over correct programs, SOAK_RUNS times in all: nothing may be confirmed. Goes on where it was stopped
	@cmake/install-packages.sh run tsan check
	@cmake/build.sh $(PRESET) $(JOBS) -- racelab corpus_programs
	@cmake/soak.py --racelab $(BUILD)/bin/racelab --catalogue $(BUILD)/catalogue.json --runs $(SOAK_RUNS) --jobs $(JOBS) \
	  --budget $(SOAK_BUDGET) --state $(BUILD)/soak.jsonl --evidence $(BUILD)/soak-evidence

replays: ## what the judge catches in the corpus, caught again from its recipes, TRIALS times each
	@cmake/install-packages.sh run tsan score
	@cmake/build.sh $(PRESET) $(JOBS) -- racelab corpus_programs
	@cmake/replays.py --racelab $(BUILD)/bin/racelab --catalogue $(BUILD)/catalogue.json --trials $(TRIALS) \
	  --json $(BUILD)/replays.json

buckets: ## a bucket array that moves, by gdb and by a heap profile: who allocates it, and a pointer that dangles
	@cmake/install-packages.sh run buckets
	@cmake/build.sh $(PRESET) $(JOBS) -- buckets_walk
	@stacks/gdb/buckets.py --program $(BUILD)/bin/buckets_walk --output $(BUILD)/buckets

gcc: ## every test again, built with g++
	@$(MAKE) check PRESET=gcc

fuzz: ## the libFuzzer targets, FUZZ_SECONDS each
	@cmake/install-packages.sh run tsan check
	@cmake --preset fuzz > build/fuzz.log 2>&1 || { cat build/fuzz.log; exit 2; }
	@cmake --build --preset fuzz --target fuzzers -j $(JOBS)
	@for target in build/fuzz/fuzz/*_fuzz; do \
	  echo "== $$target"; $$target -max_total_time=$(FUZZ_SECONDS) -print_final_stats=1 || exit 1; done

bench: SHELL := bash
bench: ## what each remedy costs, and what watching does: CSV, JSON and plots in build/results (BENCH=NAME for one, ROUNDS=N)
	@cmake/install-packages.sh run tsan check bench
	@cmake/build.sh $(PRESET) $(JOBS) -DRACELAB_BENCH=ON -- $(if $(BENCH),$(BENCH)_bench,benchmarks)
	@mkdir -p build/results
	@set -o pipefail; for program in $(BUILD)/bin/$(or $(BENCH),*)_bench; do \
	  echo "== $${program##*/}"; \
	  $$program $(if $(ROUNDS),--rounds $(ROUNDS)) --results build/results | tee build/results/$${program##*/}.txt || exit 1; done

serve: ## a map behind HTTP (MAP=NAME PORT=N), until Ctrl-C: docs/serve.md
	@cmake/install-packages.sh run tsan http
	@cmake/build.sh $(PRESET) $(JOBS) -DRACELAB_BENCH=ON -- racelab racelab_serve
	@exec $(BUILD)/bin/racelab serve --map $(MAP) --port $(PORT)

bench-http: ## each map behind HTTP, loaded by wrk, beside the bare map (ROUNDS=N)
	@cmake/install-packages.sh run tsan http
	@cmake/build.sh $(PRESET) $(JOBS) -DRACELAB_BENCH=ON -- racelab_serve
	@cmake/bench_http.py --build $(BUILD) --results build/results $(if $(ROUNDS),--rounds $(ROUNDS))

claims: ## the blog post's claims, each decided by a program or a measurement: docs/claims.md
	@cmake/install-packages.sh run tsan check bench
	@cmake/build.sh $(PRESET) $(JOBS) -DRACELAB_BENCH=ON -- racelab programs tsan_programs corpus_programs claimed_benchmarks \
	  buckets_walk racelab_serve
	@mkdir -p build/results
	@cmake/claims.py --build $(BUILD) --document docs/claims.md --json build/results/claims.json

performance: ## how racelab's own work grows, with jobs, logs, reports and threads: docs/performance.md
	@cmake/install-packages.sh run tsan check bench
	@cmake/build.sh $(PRESET) $(JOBS) -DRACELAB_BENCH=ON -- racelab programs mask_bench flag_threads_bench installable
	@cmake/growth.py --build $(BUILD) --document docs/performance.md

lint: ## clang-format, clang-tidy, shellcheck
	@cmake/install-packages.sh run tsan check lint
	@cmake --preset $(PRESET) -DRACELAB_TESTS=ON > /dev/null
	@cmake/lint.sh $(BUILD)

install: ## racelab, racelab-c++, racelab-cc, their runtimes, headers and CMake package, into PREFIX
	@cmake/install-packages.sh run tsan
	@cmake/build.sh $(PRESET) $(JOBS) -- installable
	@cmake --install $(BUILD) --prefix $(PREFIX) > $(BUILD)/install.log
	@echo "racelab is installed in $(PREFIX)"

clean: ## removes build/
	rm -rf build

# The packages first, then a configuration. Files that exist tell make nothing about packages, so it asks each time;
# the answer takes a third of a second when nothing is missing.
.PHONY: check-build
check-build:
	@cmake/install-packages.sh run tsan check
	@cmake/build.sh $(PRESET) $(JOBS) -DRACELAB_TESTS=ON -- all

.PHONY: $(BUILD)/.repro
$(BUILD)/.repro:
	@cmake/install-packages.sh run
	@cmake/build.sh $(PRESET) $(JOBS) -- racelab programs

.PHONY: $(BUILD)/.tsan
$(BUILD)/.tsan:
	@cmake/install-packages.sh run tsan
	@cmake/build.sh $(PRESET) $(JOBS) -- racelab tsan_programs
