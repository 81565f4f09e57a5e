#!/bin/sh
# See to it that the drawing library finds the system libraries that its wheel does not bring along.
set -eu
packages="libgl1 libegl1 libexpat1 libfontconfig1"

works() { .venv/bin/python -c 'import skia' 2>/dev/null; }

works && exit 0
if command -v apt-get >/dev/null; then
    if [ "$(id -u)" = 0 ]; then as_root=""; elif sudo -n true 2>/dev/null; then as_root="sudo"; else as_root="no"; fi
    if [ "$as_root" != no ]; then
        echo "Installing Debian packages: $packages …"
        $as_root apt-get update -qq
        DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends $packages >/dev/null
    fi
fi
works || {
    echo "Drawing needs system libraries that are not here: install them (Debian: apt-get install $packages), then make again." >&2
    exit 1
}
