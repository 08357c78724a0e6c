# Needs Python 3.11, 3.12 or 3.13 and make; everything else goes into .venv.
SUPPORTED := $(shell sed -n 's/.*Python :: \(3\.[0-9]*\)".*/\1/p' pyproject.toml | sort -rV)
# The newest supported one that runs: a shim of pyenv may be there for a Python that is not.
PYTHON ?= $(or $(shell for version in $(SUPPORTED); do \
	python$$version -c "" 2>/dev/null && echo python$$version && break; done),python3)
VENV := .venv
BIN := $(VENV)/bin

.PHONY: help install demo test test-slow bench fuzz fuzz-guided audit check page clean

help:
	@echo "make demo       install, then the whole way on an embedded corpus: train, export, package"
	@echo "make test       style, types, the order of imports and tests (about ten minutes on two cores)"
	@echo "make test-slow  the tests that take longer"
	@echo "make bench      the speed table: every part beside its peers (ten minutes, idle)"
	@echo "make fuzz       ten thousand broken files of each kind (about an hour)"
	@echo "make fuzz-guided  the same, guided by coverage (atheris; about two hours)"
	@echo "make audit      known vulnerabilities of what is installed, and the table of licences"
	@echo "make install    only make the virtual environment .venv"
	@echo "make page       build the page for the browser anew from its sources (needs Node.js)"
	@echo "make clean      remove .venv and caches; runs/, data/ and submissions/ stay"

$(VENV)/installed: requirements.txt
	@$(PYTHON) -c 'import sys; v = "%d.%d" % sys.version_info[:2]; known = "$(SUPPORTED)".split(); \
	    sys.exit("error: Python %s is not supported; expected one of %s; make PYTHON=python3.12 names one" \
	    % (v, ", ".join(known)) if v not in known else print("using Python " + v))'
	$(PYTHON) -m venv --clear $(VENV)  # one of another Python may be there
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	touch $@

$(VENV)/installed-dev: $(VENV)/installed requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@

install: $(VENV)/installed

demo: $(VENV)/installed
	$(BIN)/python -m recipes.challenge_package --output_dir=runs/demo

test: check
	$(BIN)/python -m pytest -m "not slow" -n 2 --no-loadscope-reorder

test-slow: $(VENV)/installed-dev
	$(BIN)/python -m pytest -m slow

bench: $(VENV)/installed-dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-bench.txt
	$(BIN)/python -m tests.benchmarks

check: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

fuzz: $(VENV)/installed-dev
	$(BIN)/python -m tests.robustness.fuzz --inputs=10000

fuzz-guided: $(VENV)/installed-dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-fuzz.txt
	$(BIN)/python -m tests.robustness.guided --inputs=20000 --seconds=300

# pip-audit asks an advisory service, so that it is no test; it has an environment of its own.
# `make audit ADVISORIES=FOLDER` asks a copy of advisories in its place.
audit: $(VENV)/installed-dev
ifdef ADVISORIES
	$(BIN)/python -m tests.robustness.advisories $(ADVISORIES)
else
	$(PYTHON) -m venv $(VENV)/audit
	$(VENV)/audit/bin/python -m pip install --quiet --disable-pip-version-check pip-audit
	$(BIN)/python -m pip freeze --exclude-editable > $(VENV)/audit/installed.txt
	$(VENV)/audit/bin/pip-audit --no-deps --disable-pip -r $(VENV)/audit/installed.txt
endif
	$(BIN)/python -m tests.robustness.licences > LICENCES.md

PAGE := dcase_system/edge/page/source
page:
	npm --prefix $(PAGE) ci
	npm --prefix $(PAGE) run build

clean:
	rm -rf $(VENV) .pytest_cache .ruff_cache .mypy_cache build *.egg-info
