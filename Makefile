# make demo and make test do all the set-up themselves; both need Python 3.11+ only.
VENV ?= .venv
PYTHON ?= python3
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
SHARED := ../shared
KERNELS := setup.py $(wildcard tabkit/_native/src/*)

.PHONY: help demo test check bench contact-sheet clean

help: ## Show the targets
	@grep -hE '^[a-z-]+:.*##' Makefile | sed 's/:.*##/\t/'

$(STAMP): pyproject.toml $(KERNELS)
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@

demo: $(STAMP) ## Ingest a sample survey and show what came out
	@rm -rf demo-out && mkdir -p demo-out
	@$(BIN)/python tests/data/make/survey.py demo-out/survey.sav
	@echo '$$ tabkit ingest survey.sav -o out/' && $(BIN)/tabkit ingest demo-out/survey.sav -o demo-out/out
	@echo && echo '$$ head -4 out/survey.tab' && head -4 demo-out/out/survey.tab
	@echo && echo '$$ tabkit describe survey.sav' && $(BIN)/tabkit describe demo-out/survey.sav
	@echo && echo '$$ grep -m1 -A99 "name=\"health\"" out/survey-ddi.xml' && grep -A12 'name="health"' demo-out/out/survey-ddi.xml | head -14
	@echo && echo '$$ tabkit convert survey.sav survey.dta' && $(BIN)/tabkit convert demo-out/survey.sav demo-out/survey.dta
	@echo && echo '$$ tabkit convert survey.sav survey.RData' && $(BIN)/tabkit convert demo-out/survey.sav demo-out/survey.RData
	@if command -v Rscript >/dev/null; then echo && echo '$$ Rscript -e "load(...); str(survey)"' && \
	  Rscript --vanilla -e 'load("demo-out/survey.RData"); str(survey, give.attr = FALSE)'; fi
	@echo && echo '$$ tabkit unf survey.sav --check ...' && \
	  $(BIN)/tabkit unf demo-out/survey.sav --check "$$($(BIN)/tabkit unf demo-out/survey.sav | head -1 | cut -f1)" | head -1

test: $(STAMP) ## Run the tests
	@$(BIN)/python -m pytest -n auto

check: $(STAMP) ## Lint, types and layers
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: $(STAMP) ## Measure against peers, write benchmarks/RESULTS.md
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[bench]'
	@$(BIN)/python benchmarks/run.py

contact-sheet: $(STAMP) ## Draw the corpus's thumbnails to look at, into contact-sheet/
	@$(BIN)/python tests/thumbnail/contact_sheet.py $(SHARED)/corpus contact-sheet

clean: ## Remove what the other targets made
	@rm -rf $(VENV) demo-out contact-sheet build dist
