#!/bin/sh
# See to it that the drawing library finds the system libraries that its wheel does not bring along.
set -eu
packages="libgl1 libegl1 libexpat1 libfontconfig1"

works() { .venv/bin/python -c 'import skia' 2>/dev/null; }

works && exit 0
. scripts/debian.sh
install_packages $packages || true
works || {
    echo "Drawing needs system libraries that are not here: install them (Debian: apt-get install $packages), then make again." >&2
    exit 1
}
