# Hookvitals: everything a developer types. The plain commands behind each target stand in CONTRIBUTING.md.
#
# The virtual environment is made once and made again only when a project file or a version changes.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
PROJECT_FILES := pyproject.toml sdk/pyproject.toml constraints.txt
WORKERS ?= 2
DEMO_ARGS ?=
PYTEST_ARGS ?=

.PHONY: demo test check install browser e2e faults faults-long bench docs format clean help

help:  ## list the targets
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: $(VENV)/.server  ## the whole product on this machine, with traffic, until Ctrl-C
	$(BIN)/hookvitals demo $(DEMO_ARGS)

test: $(VENV)/.developer  ## the tests that need nothing but Python
	$(BIN)/python -m pytest -n $(WORKERS) -m "not browser and not e2e and not faults" $(PYTEST_ARGS)

check: $(VENV)/.developer  ## style, types, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy monitor alerts dashboard tests docs benchmarks examples
	cd sdk && ../$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

install: $(VENV)/.developer  ## the virtual environment with the developer's tools

browser: $(VENV)/.developer  ## the dashboard in a real Chromium
	$(BIN)/python -m pytest -m "browser and not e2e and not faults" $(PYTEST_ARGS)

e2e: $(VENV)/.developer  ## the whole path with real processes
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile -m "e2e and not faults" $(PYTEST_ARGS)

faults: $(VENV)/.developer  ## kill it, fill its disk, corrupt its files
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile -m faults $(PYTEST_ARGS)

faults-long: $(VENV)/.developer  ## the same with 200 kills of the collector, 500 of a receiver, 1000 of a spool's writer
	FAULTS_KILLS=200 FAULTS_RECEIVER_KILLS=500 FAULTS_SPOOL_KILLS=1000 FAULTS_TOLD=2 FAULTS_TYPES=1000000 $(BIN)/python -m pytest -m faults -rP $(PYTEST_ARGS)

bench: $(VENV)/.developer  ## each figure beside the limit of this machine
	@for figure in benchmarks/[a-z]*.py; do $(BIN)/python -m benchmarks.$$(basename $$figure .py) || exit 1; done

docs: $(VENV)/.developer  ## write the generated parts of docs/ again
	$(BIN)/python docs/generate.py

format: $(VENV)/.developer  ## let ruff lay the code out
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:  ## remove what the targets made, data directories included
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	rm -rf hookvitals-data hookvitals-demo
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Hookvitals needs Python 3.11 or newer; name one with: make PYTHON=python3.12 ..." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.server: $(PROJECT_FILES) | $(BIN)/python
	$(PIP) install --quiet -c constraints.txt -e ./sdk -e '.[demo]'
	@touch $@

$(VENV)/.developer: $(PROJECT_FILES) | $(BIN)/python
	$(PIP) install --quiet -c constraints.txt -e ./sdk -e '.[test]'
	@touch $@ $(VENV)/.server
