#!/bin/sh
# Make the virtual environment in .venv and install aigen into it, with the extras given as arguments.
# Usage: scripts/set_up.sh [EXTRA ...]     (PYTHON chooses the interpreter: Python 3.11 or newer)
set -eu
python=${PYTHON:-python3}

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "aigen needs Python 3.11 or newer; $python is older. Name another: make PYTHON=python3.12 …" >&2
    exit 1
}
if [ ! -x .venv/bin/pip ]; then
    # Debian keeps ensurepip in python3-venv; where that is missing, the machine's own pip installs pip into it.
    "$python" -m venv .venv 2>/dev/null || {
        rm -rf .venv
        "$python" -m venv --without-pip .venv
        "$python" -m pip --quiet --disable-pip-version-check --python .venv/bin/python install pip
    }
fi
extras=$(echo "$*" | tr ' ' ',')
echo "Installing aigen and what it needs into .venv (the first time this takes a minute or two) …"
.venv/bin/pip install --quiet --disable-pip-version-check -e ".${extras:+[$extras]}"
scripts/system_libraries.sh
