# `make serve` and `make test` do all the set-up; nothing outside .venv and build is touched.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SCENARIO ?= quickstart

.PHONY: serve test check bench wheel clean

serve: $(VENV)/installed
	@$(BIN)/localruns serve $(SCENARIO) $(ARGS)

test: $(VENV)/installed-tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest -p xdist -n 2 $(ARGS)
	$(BIN)/python -m benchmarks.hotpath || test $$? -eq 77

# A peer that npm cannot install is reported as missing; all others are measured.
bench: $(VENV)/installed-bench build/bench/installed
	@$(BIN)/python -m benchmarks $(ARGS)

wheel: $(VENV)/installed-tests
	$(BIN)/python -m build --wheel

clean:
	rm -rf $(VENV) build dist

$(VENV)/installed: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "localruns needs Python 3.11 or newer: make PYTHON=/path/to/python3.11 serve"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing localruns into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/installed-tests: $(VENV)/installed
	@echo "installing what the tests need ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test,sdk]'
	@touch $@

$(VENV)/installed-bench: $(VENV)/installed
	@echo "installing what the benchmarks need ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[bench]'
	@touch $@

build/bench/installed: benchmarks/package.json
	@mkdir -p $(@D) && cp $< $(@D)
	@echo "installing the peers into $(@D) ..."
	@cd $(@D) && npm install --silent --no-audit --no-fund --no-package-lock && touch installed || \
		echo "npm could not install the peers: those will be reported as missing"
