# Every target sets up what it needs: on a new machine, Python 3.11+, git and make are enough.

PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || command -v python3)
BIN := .venv/bin
READY := .venv/.ready
DEMO := demo
TESTS ?= tests

.PHONY: help setup demo check test test-browser bench bench-quality docs prior lock clean

help:
	@echo "make demo          six messy exports become one customer list, with a report"
	@echo "make test          the tests"
	@echo "make test-browser  the tests that need a browser (finds or installs Chromium)"
	@echo "make check         lint, types, import order"
	@echo "make bench         speed and accuracy, into benchmarks/results/ (takes long)"

setup: $(READY)

$(READY): pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "crm-quality needs Python 3.11 or later; name one with: make PYTHON=..."; exit 1; }
	@if command -v uv >/dev/null 2>&1; then \
	  uv venv --quiet --clear --python "$(PYTHON)" .venv && \
	  uv pip install --quiet --python $(BIN)/python -r requirements.lock && \
	  uv pip install --quiet --python $(BIN)/python --no-deps -e . ; \
	else \
	  $(PYTHON) -m venv --clear .venv && \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock && \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e . ; \
	fi
	@touch $(READY)

demo: $(READY)
	@sh scripts/demo.sh $(DEMO) $(BIN)

check: $(READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

test: $(READY)
	$(BIN)/python -m pytest -n auto --dist worksteal -m "not browser and not slow" $(TESTS)

test-browser: $(READY)
	CRMQ_CHROMIUM="$$(sh scripts/find-chromium.sh)" $(BIN)/python -m pytest -m browser tests/browser

bench: $(READY)
	sh scripts/bench.sh $(BIN) $(LABELLED)

# the record stages beside other libraries, which have an environment of their own
PEERS := .venv-peers
bench-quality:
	$(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements.lock \
	  dataframely pandera pointblank great_expectations
	$(PEERS)/bin/python benchmarks/quality.py --results benchmarks/results

# the pages that are written from the code
docs: $(READY)
	$(BIN)/python scripts/command_reference.py
	$(BIN)/python scripts/rule_reference.py
	$(BIN)/python scripts/capability_table.py

# after a change of what matching compares
prior: $(READY)
	$(BIN)/python scripts/train_prior.py

# after a change of the dependencies in pyproject.toml
lock:
	uv pip compile --quiet --upgrade --universal --python-version 3.11 --group dev pyproject.toml \
	  --no-emit-index-url --no-emit-find-links --no-header --no-annotate -o requirements.lock

clean:
	rm -rf .venv .venv-peers demo build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
