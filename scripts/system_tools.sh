#!/bin/sh
# Install the Debian packages that `make test-system` uses; where that is not allowed, its tests say what they miss.
set -eu
packages="libimage-exiftool-perl"

command -v exiftool >/dev/null && exit 0
. scripts/debian.sh
install_packages $packages || echo "The tests need $packages, which cannot be installed here." >&2
