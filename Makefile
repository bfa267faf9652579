# Two commands for a fresh machine: `make demo` and `make test`. `make help` lists the rest.
# Recipes use paths relative to this folder, so that it may lie anywhere and be called anything.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Handed on to pytest or the benchmark: make test ARGS=tests/ledger
ARGS ?=
SERVE ?= 1
# Of make soak: writers killed on each database (the counts are added up in docs/testing/kills.json), events audited.
KILLS ?= 250
EVENTS ?= 100000

.DEFAULT_GOAL := help
.PHONY: help demo test lint types lock bench bench-quick bench-verify soak clean demo-ready test-ready

help: ## tell what can be made
	@echo "Packproof: every pack, every hop, provable."
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' Makefile

demo: demo-ready ## play the story of a package, then serve it on 127.0.0.1:8000 (SERVE=0: only the story)
	@echo "The story of 240 packages, told by the product itself."
	@$(BIN)/packproof demo run $(if $(filter 0 no false,$(SERVE)),--no-serve)

test: test-ready ## run all tests (ARGS=tests/ledger: some of them)
	@$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)

lint: test-ready ## check style, types and the direction of imports
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

types: test-ready ## check types alone
	@$(BIN)/mypy

bench: test-ready ## measure every bar of the ledger beside its yardsticks, at 10^6 entries (ARGS=--quick: in a minute)
	@$(BIN)/python -m benchmarks.ledger $(ARGS)

soak: test-ready ## kill writers 500 times, and whatever else takes longer than make test has (KILLS=40 EVENTS=20000: less of it)
	@PACKPROOF_TEST_KILLS=$(KILLS) $(BIN)/python -m pytest -s tests/faults/test_kill.py tests/faults/test_syscalls.py $(ARGS)
	@PACKPROOF_TEST_SOAK=1 $(BIN)/python -m pytest tests/ledger/evidence/test_mutations.py tests/scenarios/test_scenarios.py
	@$(BIN)/python -m tests.soak.big --events $(EVENTS) --folder var/soak/big-$(EVENTS)

bench-verify: test-ready ## measure verdicts, verification and recall at 10^6 packages (ARGS="--packages 20000": in minutes)
	@$(BIN)/python -m benchmarks.verify $(ARGS)

bench-quick: test-ready ## measure capture beside its yardsticks, in about a minute (ARGS=--json)
	@$(BIN)/python -m benchmarks.quick $(ARGS)

# The tests' lock first: the demo's holds the same versions, so that one .venv serves both.
lock: test-ready ## choose the versions of all dependencies anew, and write requirements/*.lock
	@$(BIN)/python -m pip install --quiet uv
	@for set in dev:dev demo:server,scanner; do \
	  lock=requirements/$${set%%:*}.lock; echo "$$lock"; \
	  extras=; for extra in $$(echo "$${set#*:}" | tr , ' '); do extras="$$extras --extra $$extra"; done; \
	  $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --upgrade --generate-hashes \
	    --no-emit-index-url --no-emit-find-links --annotation-style line --custom-compile-command "make lock" \
	    $$([ $$lock = requirements/dev.lock ] || echo --constraints requirements/dev.lock) \
	    $$extras setup.cfg requirements/build.in --output-file $$lock || exit 1; \
	done
	@! grep -inE '://|^--' requirements/*.lock || { echo "a lock names an address or an option"; exit 1; }

# Not var: a node's ledger may lie there.
clean: ## remove .venv, the demo's data and what tools left behind
	rm -rf $(VENV) var/demo build packproof.egg-info .hypothesis .mypy_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

demo-ready test-ready: %-ready:
	@$(PYTHON) requirements/prepare.py $*
