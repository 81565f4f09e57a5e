#!/bin/sh
# Install the Debian packages that `make test-system` uses; where that is not allowed, its tests say what they miss.
set -eu
packages="chromium dbus-daemon fonts-liberation fonts-noto-color-emoji gcc gnome-keyring libc6-dev libimage-exiftool-perl systemd"

missing=""
for tool in chromium dbus-daemon dbus-run-session exiftool gcc gnome-keyring-daemon systemd-analyze; do
    command -v "$tool" >/dev/null || missing="$missing $tool"
done
[ -n "$missing" ] || exit 0
. scripts/debian.sh
install_packages $packages || echo "The tests need $packages, which cannot be installed here." >&2
