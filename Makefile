# Two commands set everything up: `make demo` and `make test`. Both install what they need into .venv first.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
HALF := tests/laws tests/regressions tests/truth
OTHER_HALF := tests/house tests/references

.PHONY: demo test fuzz check bench look notebooks coverage prognosis truth lock clean

demo: $(VENV)/.ready
	$(VENV)/bin/msk-reserves demo --out demo

# In two halves side by side, since most tests keep one core busy. One is shown as it runs, the other when both ended.
test: check
	@$(RUN) -m pytest -q $(HALF) >$(VENV)/half.log 2>&1 & half=$$!; \
	$(RUN) -m pytest -q $(OTHER_HALF); shown=$$?; \
	wait $$half; hidden=$$?; cat $(VENV)/half.log; test $$shown -eq 0 -a $$hidden -eq 0

# The laws on examples never tried before; `make test` takes the same ones every time.
fuzz: $(VENV)/.ready
	HYPOTHESIS_PROFILE=fuzz $(RUN) -m pytest -q tests/laws

check: $(VENV)/.ready
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

bench: $(VENV)/.ready
	$(RUN) -m benchmarks.run
	$(RUN) -m benchmarks.survival
	$(RUN) -m benchmarks.path
	$(RUN) -m benchmarks.contracts
	$(RUN) -m benchmarks.pricing

coverage: $(VENV)/.ready
	$(RUN) -m benchmarks.coverage

truth: $(VENV)/.ready
	$(RUN) -m benchmarks.recovery_truth

look: $(VENV)/.ready
	$(RUN) -m benchmarks.look

prognosis: $(VENV)/.ready
	$(RUN) -m benchmarks.prognosis_truth

notebooks: $(VENV)/.ready
	$(RUN) -m benchmarks.notebooks

$(VENV)/.ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(None if (3, 11) <= v <= (3, 13) else "Python 3.11, 3.12 or 3.13 is needed, found %d.%d; name one with: make PYTHON=python3.12 demo" % v)'
	$(PYTHON) -m venv $(VENV)
	$(RUN) -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(RUN) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

# Only for a change of dependencies: needs uv on the path.
lock:
	uv pip compile --universal --python-version 3.11 --all-extras --quiet --custom-compile-command "make lock" pyproject.toml -o requirements.lock

clean:
	rm -rf $(VENV) demo look build *.egg-info
