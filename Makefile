# Every target sets up what it needs. CI runs these same commands (.ci/run).
.PHONY: demo test test-system test-faults check fix package score film benchmark benchmark-models clean

AIGEN = .venv/bin/aigen
# `make benchmark QUICK=--quick` takes seconds, as do film and benchmark-models: to see that they work, as CI does.
QUICK =
SET_UP = scripts/set_up.sh scripts/make_environment.sh scripts/system_libraries.sh pyproject.toml

demo: .venv/installed
	$(AIGEN) generate "two cats under a full moon in the snow" --user demo --seed 7

test: .venv/installed-dev
	.venv/bin/pytest -n auto --dist worksteal -m "not system"

test-system: .venv/installed-browser
	scripts/system_tools.sh
	.venv/bin/pytest -n auto --dist worksteal -m system --ignore tests/faults

# Kills the program at every call that changes something lasting: about half an hour, with QUICK=--quick two minutes.
test-faults: .venv/installed-browser
	scripts/system_tools.sh
	AIGEN_FAULTS=$(if $(QUICK),sample,all) .venv/bin/pytest -n auto --dist worksteal -m system -rP tests/faults

check: .venv/installed-dev
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/mypy --platform darwin
	.venv/bin/mypy --platform win32
	$(MAKE) test

fix: .venv/installed-dev
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

package: .venv/installed-dev
	scripts/check_package.sh

score: .venv/installed
	.venv/bin/python benchmarks/understanding.py

film: .venv/installed-dev
	.venv/bin/aigen narrate --file docs/demo/script.txt --user demo --scenes 14 --seed 11 --no-wait --content build/film \
		$(if $(QUICK),--size 160x90 --fps 5)

benchmark: .venv/installed-benchmark
	.venv/bin/python benchmarks/run.py $(QUICK)
	.venv/bin/python benchmarks/film.py --minutes 0 $(QUICK)
	.venv/bin/python benchmarks/vision.py $(QUICK)

# Weights of real size take minutes without a GPU.
benchmark-models: .venv/installed-benchmark
	.venv/bin/python benchmarks/diffusion.py $(QUICK)
	.venv/bin/python benchmarks/videos.py $(QUICK)

clean:
	rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache

.venv/installed: $(SET_UP)
	scripts/set_up.sh
	touch $@

.venv/installed-dev: $(SET_UP)
	scripts/set_up.sh dev
	touch .venv/installed $@

.venv/installed-browser: $(SET_UP)
	scripts/set_up.sh dev browser
	touch .venv/installed .venv/installed-dev $@

.venv/installed-benchmark: $(SET_UP)
	scripts/set_up.sh benchmark
	touch .venv/installed $@
