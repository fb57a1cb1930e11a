# PYTHON chooses the interpreter: make setup PYTHON=python3.12
PYTHON ?= python3
VENV := .venv
STAMP := $(VENV)/.installed
PIP_INSTALL = $(PYTHON) -m pip install --disable-pip-version-check
# Two processes, each with one thread: a file's tests stay together.
PYTEST = OMP_NUM_THREADS=1 python -m pytest --numprocesses 2 --dist loadfile
IN_VENV = PATH="$(CURDIR)/$(VENV)/bin:$$PATH"

.PHONY: help setup install demo test test-full lint clean

help:
	@echo 'make demo       set up, then train, test and draw on generated people'
	@echo 'make test       set up, then run the tests'
	@echo 'make setup      create $(VENV) with the reference stack and this package'
	@echo 'make install    install into the environment of PYTHON, keeping its torch'
	@echo 'make test-full  run the long tests as well'
	@echo 'make lint       run what pre-commit and CI run on the sources'
	@echo 'make clean      remove build products and caches, but not $(VENV)'

setup: $(STAMP)

$(STAMP): pyproject.toml $(wildcard tools/install_*.py requirements/*.txt)
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 10) <= sys.version_info < (3, 13))' \
	    || { echo '$(PYTHON) is not a Python 3.10, 3.11 or 3.12: choose one,' \
	    'for example make setup PYTHON=python3.11'; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
	    || { echo '$(PYTHON) has no venv module: install it' \
	    '(Debian, Ubuntu: apt install python3-venv)'; exit 1; }
	@$(PYTHON) tools/source_build.py
	@test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	@$(MAKE) --no-print-directory install PYTHON=$(VENV)/bin/python \
	    CONSTRAINTS='--constraint requirements/reference.txt'
	$(VENV)/bin/python -m pip install --quiet -r requirements/tests.txt \
	    -r requirements/optional.txt --constraint requirements/reference.txt
	@touch $@

# Unless CONSTRAINTS says otherwise, torch and numpy stay what they are.
install: CONSTRAINTS ?= --constraint build/installed.txt
install:
	@mkdir -p build
	@$(PYTHON) -m pip list --format=freeze --disable-pip-version-check \
	    | grep -E '^(numpy|torch|torchvision)==' > build/installed.txt || true
	$(PIP_INSTALL) -r requirements/build.txt -r requirements/runtime.txt $(CONSTRAINTS)
	$(PYTHON) tools/install_mmcv.py
	$(PYTHON) tools/install_xtcocotools.py
	$(PIP_INSTALL) --quiet --no-deps -r requirements/mmpose.txt \
	    -r requirements/trackeval.txt $(CONSTRAINTS)
	$(PIP_INSTALL) --quiet --no-deps --no-build-isolation --editable .
	$(PYTHON) -W ignore -c 'import ogn_mm; print("ogn_mm", ogn_mm.__version__, "is ready")'

demo: setup
	$(IN_VENV) bash tools/demo.sh

test: setup
	$(IN_VENV) $(PYTEST) -m 'not slow and not full'
	$(IN_VENV) $(PYTEST) -m 'slow and not full'

test-full: setup
	$(IN_VENV) python -m pytest -m ''

lint: setup
	$(IN_VENV) ruff check
	$(IN_VENV) ruff format --check
	$(IN_VENV) codespell
	$(IN_VENV) mypy
	$(IN_VENV) python tools/check_metafiles.py

clean:
	rm -rf build dist *.egg-info .pytest_cache .hypothesis .ruff_cache .mypy_cache
	find . -path ./$(VENV) -prune -o -name __pycache__ -type d -exec rm -rf {} +
