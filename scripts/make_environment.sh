#!/bin/sh
# Make an empty virtual environment. Usage: scripts/make_environment.sh FOLDER     (PYTHON chooses the interpreter)
set -eu
python=${PYTHON:-python3}

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "aigen needs Python 3.11 or newer; $python is older. Name another: make PYTHON=python3.12 …" >&2
    exit 1
}
[ ! -e "$1" ] || { echo "$1 is there already: remove it first" >&2; exit 1; }
# Debian keeps ensurepip in python3-venv; where that is missing, the machine's own pip installs pip into it.
"$python" -m venv "$1" >/dev/null 2>&1 || {
    rm -rf "$1"
    "$python" -m venv --without-pip "$1"
    "$python" -m pip --quiet --disable-pip-version-check --python "$1/bin/python" install pip
}
