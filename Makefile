# The front door: CI calls the same recipes.
PYTHON ?= python3.11
VENV   ?= .venv
BIN    := $(VENV)/bin
# Where the tour syncs to: a DuckDB file, or a local stand-in for Snowflake.
WAREHOUSE := duckdb
READY  := $(VENV)/.ready

.DEFAULT_GOAL := help

help:  ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## */\1\t/' | expand -t 12

$(READY): pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "LHT needs Python 3.11 or newer; say which with: make PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

setup: $(READY)  ## Make the virtual environment with the locked dependencies

demo: $(READY)  ## The five-minute tour: a local org, two syncs, what changed (WAREHOUSE=snowflake: into a stand-in)
	$(BIN)/lht demo --warehouse $(WAREHOUSE)

test: $(READY)  ## Every check: lint, types, import contracts, tests
	@BIN=$(BIN) bash tests/run_checks.sh

lint: $(READY)  ## The fast half: lint, format, types, import contracts
	@BIN=$(BIN) bash tests/run_checks.sh lint

format: $(READY)  ## Write the code in the house format
	$(BIN)/ruff check --fix src tests benchmarks
	$(BIN)/ruff format src tests benchmarks

docs: $(READY)  ## Check that the docs are complete and that their examples run
	$(BIN)/pytest -q tests/test_docs.py

bench: $(READY)  ## Measure against floors taken in the same run
	$(BIN)/python benchmarks/run.py
	$(BIN)/python benchmarks/serve.py --records 200000
	$(BIN)/python benchmarks/write.py
	$(BIN)/python benchmarks/retl.py

lock: $(READY)  ## Resolve the dependencies anew (needs uv)
	uv pip compile -q pyproject.toml --group dev --extra testing --universal --generate-hashes \
	  --no-emit-index-url --no-annotate --no-header -o requirements.lock
	uv pip compile -q pyproject.toml --universal -c requirements.lock \
	  --no-emit-index-url --no-annotate --no-header -o requirements.txt
	echo 'snowflake-connector-python>=5,<6' | uv pip compile -q - --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-annotate --no-header -o requirements-connector-5.txt

clean:  ## Remove what was built
	rm -rf $(VENV) .venv-3.* dist demo .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

.PHONY: help setup demo test lint format docs bench lock clean
