# The README's commands. Each works on a fresh clone: it makes .venv, installs
# what it needs at known-good versions, and runs. ARGS="..." passes options on.
PYTHON ?= python3.11
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt
PYTEST := $(BIN)/python -m pytest --numprocesses 3 --dist worksteal
BACKENDS := jax tensorflow torch
# What no backend changes, or what trains as the tests of every backend do.
ONCE := tests/test_benchmarks tests/test_experiments tests/test_tasks \
  tests/test_documentation.py tests/test_imports.py \
  $(addprefix tests/test_tuning/,test_published.py test_report.py test_rooms.py \
    test_search_errors.py test_search_interrupted.py)
export KERAS_BACKEND ?= jax

.PHONY: install search test lint docs notebooks

# Everything for development: all three backends and the tools.
install: .venv/all

# The main job, on one backend (KERAS_BACKEND, jax unless it is set).
search: .venv/$(KERAS_BACKEND)
	$(BIN)/python -m tuning.search $(ARGS)

test: install lint docs
	@echo "== once, on $(KERAS_BACKEND)"
	@$(PYTEST) $(ONCE)
	@for backend in $(BACKENDS); do \
	  echo "== $$backend"; \
	  KERAS_BACKEND=$$backend $(PYTEST) $(ONCE:%=--ignore=%) $(ARGS) || exit 1; \
	done

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

# The site, in site/index.html.
docs: .venv/docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet

# The guides that are notebooks too, run anew.
notebooks: install
	KERAS_BACKEND=torch $(BIN)/python docs/site/notebooks.py $(ARGS)

.venv/all: pyproject.toml constraints.txt | .venv
	$(PIP) --editable ".[jax,tensorflow,torch,dev]"
	touch $@ .venv/docs $(BACKENDS:%=.venv/%)

.venv/docs: pyproject.toml constraints.txt | .venv
	$(PIP) --editable ".[docs]"
	touch $@

$(BACKENDS:%=.venv/%): pyproject.toml constraints.txt | .venv
	$(PIP) --editable ".[$(@F),tuning]"
	touch $@

.venv:
	$(PYTHON) -m venv $@
