#!/bin/bash
# Build the source distribution and the wheel into dist/, install the wheel into an empty environment, and make an order
# with it in an empty folder. Ends with an error where the package is not what it should be.
set -euo pipefail
cd "$(dirname "$0")/.."

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
fail() { echo "$1" >&2; exit 1; }

echo "Building …"
rm -rf dist
build() { .venv/bin/python -m build "$@" . >"$folder/log" 2>&1 || { cat "$folder/log" >&2; exit 1; }; }
build --outdir dist   # the wheel is built from the source distribution
build --outdir "$folder/direct" --wheel
wheel=$(ls dist/*.whl)
cmp "$wheel" "$folder/direct/$(basename "$wheel")" || fail "the sdist builds another wheel than the working tree"
size=$(wc -c <"$wheel")
[ "$size" -lt 40000000 ] || fail "$wheel has $size bytes: the limit is 40 MB"
contents=$(.venv/bin/python -m zipfile -l "$wheel")
for needed in aigen/pipelines/storybook/artwork/LICENSE aigen/vision/weights/LICENSE aigen/vision/weights/nanodet.onnx dist-info/licenses/; do
    grep -q "$needed" <<<"$contents" || fail "$wheel lacks $needed"
done

echo "Installing $wheel ($size bytes) into an empty environment …"
wheel=$PWD/$wheel
scripts/make_environment.sh "$folder/environment"
mkdir "$folder/empty"
cd "$folder/empty"
../environment/bin/pip install --quiet --disable-pip-version-check "$wheel"
../environment/bin/pip check --disable-pip-version-check
../environment/bin/aigen generate "a whale under the stars" --user ana --seed 7
[ "$(ls generated_content/ana/*.png | wc -l)" = 5 ] && [ "$(ls generated_content/ana/*.mp4 | wc -l)" = 5 ] ||
    fail "the order is not complete"
../environment/bin/aigen info generated_content/ana/*-video-5.mp4
../environment/bin/aigen describe generated_content/ana/*-image-1.png
../environment/bin/aigen doctor
../environment/bin/aigen serve --port 0 2>"$folder/served" &
for _ in $(seq 100); do grep -q "is at http" "$folder/served" && break; sleep 0.1; done
url=$(grep -o 'http://[^ ]*' "$folder/served")
../environment/bin/python -c 'import sys, urllib.request as web; print(len([web.urlopen(sys.argv[1] + path).read() for path in ("/", "/login", "/static/style.css", "/static/nunito.woff2")]), "pages")' "$url" ||
    fail "the web gallery does not serve its pages"
kill %1
wait
echo "$(basename "$wheel") is in dist/, and it works."
