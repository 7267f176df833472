# Two commands are enough on a fresh machine: `make demo` and `make test`.
PYTHON ?= python3
BIN := .venv/bin
DEMO_DATA ?= demo
MINUTES ?= 120
# What was compiled once is kept: every process that a test starts would compile it again. And a
# process of the tests that dies ends the run at once, where files are handed out whole: it hung.
PYTEST := PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n 2 --max-worker-restart=0
TESTS := $(PYTEST) --dist loadfile --no-loadscope-reorder --durations=15

CHECKED := tests/house tests/kernel tests/ledger tests/countries
COMPILED := tests/picture tests/calls tests/money tests/kernel

.PHONY: help setup demo serve check test test-pages test-faults test-bounds looks soak soak-tak bench messages migration lock clean

help: ## Show what can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

setup: .venv/.ready ## Install everything into .venv, from a lock with hashes

.venv/.ready: requirements.lock pyproject.toml hatch_build.py package-lock.json
	@PYTHON="$(PYTHON)" sh tools/setup
	@touch $@

demo: setup ## Start three nodes on loopback with the built-in exercise running
	@$(BIN)/cordon demo --data $(DEMO_DATA)

serve: setup ## Start the node of cordon.toml
	@$(BIN)/cordon serve

check: setup ## Format, lint, strict types, the import rules, the tests of the house and its floor
	@$(BIN)/ruff format --check src tests bench hatch_build.py
	@$(BIN)/ruff check src tests bench hatch_build.py
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(PYTEST) -m "not faults" $(CHECKED)

test: setup ## Every test but those of check and of the two targets below
	@$(TESTS) -m "not browser and not faults" $(CHECKED:%=--ignore=%)

test-pages: setup ## The pages in a browser: each one in two of its four themes and languages
	@sh tools/chromium
	@$(TESTS) -m browser

test-faults: setup ## Processes that are killed, disks that fill, the README's commands one by one
	@$(TESTS) -m faults

test-bounds: setup ## Compiled loops that may not reach beyond their arrays (half an hour)
	@NUMBA_BOUNDSCHECK=1 NUMBA_CACHE_DIR=.cache/bounds $(TESTS) \
	  -m "not browser and not faults" $(COMPILED)

looks: setup ## Every page in every theme and language, with pictures in screenshots/
	@sh tools/chromium
	@TEST_LOOKS=1 $(PYTEST) tests/web/test_pages_axe.py

soak: setup ## The tests that kill and fill, with many more kills (20 to 40 minutes)
	@TEST_SOAK=1 $(PYTEST) -m faults

soak-tak: setup ## 200 TAK clients that drop and come back at random for MINUTES (120)
	@$(BIN)/python -m bench.soak_tak --minutes $(MINUTES)

bench: setup ## Measure Cordon beside its peers in one run
	@$(BIN)/pip install -q --require-hashes -r requirements-bench.lock
	@$(BIN)/python -m bench

messages: setup ## Gather the words of pages and commands into the catalogues
	@$(BIN)/python -m cordon.web.i18n update

migration: setup ## Write a migration from what the tables have become (MESSAGE=…)
	@$(BIN)/python -m cordon.schema "$(MESSAGE)"

lock: setup ## Resolve the dependencies anew; no address stands in the locks
	@$(BIN)/uv pip compile pyproject.toml --group dev --universal --python-version 3.11 \
	  --generate-hashes --no-header --no-emit-index-url --no-annotate -q -o requirements.lock
	@$(BIN)/uv pip compile pyproject.toml --group dev --group bench --universal \
	  --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-annotate -q \
	  -c requirements.lock -o requirements-bench.lock
	@for peer in bench/peers/*.in; do \
	  $(BIN)/uv pip compile $$peer --universal --python-version 3.11 --generate-hashes \
	    --no-header --no-emit-index-url --no-annotate -q -o $${peer%.in}.lock || exit 1; done

clean: ## Remove what was made, but not a node's data
	rm -rf .venv node_modules build dist src/cordon/web/static/vendor
