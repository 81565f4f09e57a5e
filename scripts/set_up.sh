#!/bin/sh
# Make the virtual environment in .venv and install aigen into it, with the extras given as arguments.
# Usage: scripts/set_up.sh [EXTRA ...]     (PYTHON chooses the interpreter: Python 3.11 or newer)
set -eu

[ -x .venv/bin/pip ] || { rm -rf .venv && scripts/make_environment.sh .venv; }
extras=$(echo "$*" | tr ' ' ',')
echo "Installing aigen and what it needs into .venv (the first time this takes a minute or two) …"
.venv/bin/pip install --quiet --disable-pip-version-check -e ".${extras:+[$extras]}"
scripts/system_libraries.sh
