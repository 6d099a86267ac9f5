# Two commands for newcomers: `make demo` and `make test`. Everything happens in $(VENV).
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: demo test check lint types imports wheel format bench clean

demo: $(VENV)/.installed
	$(BIN)/rxnopt compare quickstart

# All reactions are compiled first, each once and on all processors. Then each worker of pytest has one, and its
# linear algebra one thread: threads that wait for each other take as long again.
test: export OMP_NUM_THREADS = 1
test: $(VENV)/.installed-dev
	$(BIN)/rxnopt compile
	$(BIN)/python -m pytest -n auto --dist worksteal

check: lint types imports wheel test

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.installed-dev
	$(BIN)/mypy

imports: $(VENV)/.installed-dev
	$(BIN)/lint-imports

# Build the wheel, install it with its declared dependencies where nothing else is, and use it from another folder.
wheel: $(VENV)/.installed-dev
	rm -rf dist $(VENV)-wheel
	$(BIN)/python -m build --wheel --quiet
	$(PYTHON) -m venv $(VENV)-wheel
	$(VENV)-wheel/bin/python -m pip install --quiet --disable-pip-version-check --no-compile -c constraints.txt dist/*.whl
	cd / && $(abspath $(VENV))-wheel/bin/rxnopt list --json >/dev/null
	cd / && $(abspath $(VENV))-wheel/bin/rxnopt simulate lactose residence_time=1.5 temperature=88 tanks=4
	cd / && ! $(abspath $(VENV))-wheel/bin/python -c 'import envs' 2>/dev/null
	rm -rf $(VENV)-wheel

format: $(VENV)/.installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.installed-dev
	for script in benchmarks/*.py; do $(BIN)/python $$script || exit 1; done

clean:
	rm -rf $(VENV) runs dist

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "rxnopt needs Python 3.11 or newer: make demo PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(VENV)/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev]"
	@touch $@
