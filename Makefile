# Each target sets up what it needs in .venv; all that must be there beforehand is Python 3.10 to 3.13 with pip.
# A mirror or a different index: pip's own variables (PIP_INDEX_URL, PIP_EXTRA_INDEX_URL, PIP_FIND_LINKS) are honoured.

PYTHON ?= python3
ifeq ($(OS),Windows_NT)
PY := .venv/Scripts/python.exe
else
PY := .venv/bin/python
endif
NEWEST := $(subst .venv,.venv-newest,$(PY))
# Packages are installed without bytecode: where none may be written, every process compiles torch for ten seconds.
unexport PYTHONDONTWRITEBYTECODE
TESTARGS ?=
# processes that share the tests out among them (JOBS=0: none, everything in one)
JOBS ?= auto
PYTEST = pytest --numprocesses $(JOBS) --maxprocesses 4
# a right word that the spell check calls wrong: --ignore-words-list=WORD here
SPELLED = --skip "*.jpg,*.png,*.json" README.md CONTRIBUTING.md CHANGELOG.md docs web/docs
BENCHARGS ?=
COMPATARGS ?=
REPRODUCEARGS ?=
SETUPARGS ?=

.DEFAULT_GOAL := help
.PHONY: help env lock demo test test-fast newest-env test-newest newest check bench compat test-host fuzz-env fuzz fuzz-short faults \
	test-offline reproduce clean

help:
	@echo "make demo       set up, then paint the before/after sheet of the demo world into out/demo"
	@echo "make test       set up, then run every test that can run here and say what was skipped and why"
	@echo "make test-fast  set up, then the tests without a host, a browser, or anything that paints, learns or takes long"
	@echo "make check      formatting, lint and types; links, spelling and long sentences of the documents"
	@echo "make bench      time the main parts side by side and write docs/generated/benchmarks.md"
	@echo "make compat     the policies under the transformers of every host, each in an environment of its own (downloads)"
	@echo "make test-newest  every test with the newest version of every package but torch; make newest: its main parts in a minute"
	@echo "make lock       pin the environment anew from requirements-dev.txt (tools/lock); commit what it writes"
	@echo "make test-host  only the tests that need a real ComfyUI or webui"
	@echo "make fuzz       ten million inputs for every reader of text and files (Linux, hours); make fuzz-short: 90 s at most"
	@echo "make faults     kill -9 at fifty moments of training, filtering and painting, run again and compare (Unix)"
	@echo "make reproduce  train and measure everything in docs/results.md, replace the shipped world- policies (hours; goes on)"
	@echo "make test-offline  every test without any network but this machine's own (Linux, as root)"
	@echo "make env        only set up the environment in .venv"
	@echo "make clean      remove caches and build files; keeps .venv and out"
	@echo "With another Python: make PYTHON=/path/to/python3.12 demo"

env:
	@command -v "$(PYTHON)" >/dev/null 2>&1 || { echo "negopt: no '$(PYTHON)' found; install Python 3.10 to 3.13, or run make PYTHON=/path/to/python" >&2; exit 1; }
	@"$(PYTHON)" tools/setup_env.py $(SETUPARGS)

# what the environment is made of, resolved anew for every Python and system
lock:
	@"$(PYTHON)" tools/make_lock.py

demo: env
	@$(PY) -m negopt_core demo -o out/demo

test: env
	@$(PY) -m $(PYTEST) $(TESTARGS)

test-fast: env
	@$(PY) -m $(PYTEST) -m "not host and not slow" $(TESTARGS)

# The newest of everything but torch, which comes as builds of some gigabytes (`make compat` has a row with the newest).
# Warnings, which fail the suite elsewhere, are listed at its end: other people's deprecations, before they break something.
newest-env:
	@"$(PYTHON)" tools/newest.py --make

test-newest: newest-env
	@$(NEWEST) -m $(PYTEST) -W default $(TESTARGS)

newest: newest-env
	@$(NEWEST) tools/newest.py

check: env
	@$(PY) -m ruff format --check .
	@$(PY) -m ruff check .
	@$(PY) -m mypy
	@$(PY) tools/check_links.py
	@$(PY) -m codespell_lib $(SPELLED)
	@$(PY) tools/check_reading.py

bench: env
	@$(PY) -m bench $(BENCHARGS)

compat: env
	@$(PY) tools/compat.py $(COMPATARGS)

# pytest's exit status 5 means that no test carries the marker
test-host: env
	@$(PY) -m pytest -m host $(TESTARGS); status=$$?; \
	if [ $$status -eq 5 ]; then echo "no test here needs a host"; else exit $$status; fi

# The fuzzer has an environment of its own: Atheris is there for Linux and macOS only, and nothing else needs it.
FUZZARGS ?=
FAULTARGS ?=
FUZZ = .venv-fuzz/bin/python -m tests.fuzz

fuzz-env:
	@"$(PYTHON)" tools/setup_env.py --venv .venv-fuzz --requirements tools/lock/fuzz.txt $(SETUPARGS)

fuzz: fuzz-env
	@$(FUZZ) $(FUZZARGS)

fuzz-short: fuzz-env
	@$(FUZZ) --runs 20000 --seconds 90 --out out/fuzz-short $(FUZZARGS)

faults: env
	@$(PY) -m tests.faults $(FAULTARGS)

# a network namespace with nothing in it but loopback: this blocks what no hook in Python sees
test-offline: env
	@unshare --net sh -c 'ip link set lo up && exec $(PY) -m $(PYTEST) $(TESTARGS)'

reproduce: env
	@$(PY) -m negopt_core reproduce --ship negopt_core/assets/policies $(REPRODUCEARGS)
	@$(PY) -m negopt_core world learning
	@$(PY) -m negopt_core world rl --only algorithms --only windows
	@$(PY) -m negopt_core world rl --only stock --training-seeds 2 --document docs/generated/rl-stock.md
	@$(PY) -m negopt_core world rl --only referee --training-seeds 2 --document docs/generated/rl-referee.md

clean:
	@rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist *.egg-info
	@find . -name __pycache__ -type d -not -path "./.venv*/*" -not -path "./.git/*" -prune -exec rm -rf {} +
	@echo "caches and build files are gone; .venv and out are kept"
