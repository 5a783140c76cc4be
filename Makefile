# The same tasks for those who type make; dev.py does the work.
PYTHON ?= python3

.PHONY: demo test setup check evaluate bench docs fix run

demo test setup check evaluate bench docs:
	$(PYTHON) dev.py $@

fix: setup
	.venv/bin/ruff format .
	.venv/bin/ruff check --fix .

run: setup
	.venv/bin/python -m bot serve
